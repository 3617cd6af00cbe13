# SPDX-License-Identifier: GPL-2.0-or-later
"""dhcp: leases of a real server (dnsmasq) by the real client (dhcpcd) become part of what is wanted of a link."""
import os
import re
import signal
import time
import unittest
from pathlib import Path

import bed
from bed import eventually
from namespace import pid_files
from test_host import HostCase

CONFIG = '[bridge br0]\nports = eth0\ndhcp = {}\n[daemon]\nresolv_conf = yes\n'


def group_of(pid):
    """The process group of a process; None when it is gone, or a zombie."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as f:
            state, _, group = f.read().rpartition(')')[2].split()[:3]
    except OSError:
        return None
    return None if state == 'Z' else int(group)


class DhcpCase(HostCase):
    needs = bed.BRIDGES

    def setUp(self):
        super().setUp()
        (self.run_dir / 'dhcpcd').mkdir(exist_ok=True)
        self.bed.outside.ip('addr', 'add', '192.0.2.1/24', 'dev', 'eth0')
        self.leases = self.bed.dir / 'leases'
        self.server = None
        self.path(os.environ['PATH'])
        self.addCleanup(self.end_clients)

    def end_clients(self):
        # It would start them again.
        if self.bed.daemon:
            self.bed.kill()
        for pid in self.pids().values():
            os.killpg(pid, signal.SIGKILL)

    def serve(self, *options, first=100):
        """Starts the server, in place of the one before; it gives one address."""
        if self.server:
            self.server.kill()
            self.server.wait()
        self.server = self.bed.background(
            'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--interface=eth0', '--bind-interfaces',
            '--dhcp-authoritative', '--no-ping', '--log-facility=-', f'--dhcp-leasefile={self.leases}', '--pid-file=',
            f'--dhcp-range=192.0.2.{first},192.0.2.{first},2m', '--dhcp-option=option:dns-server,192.0.2.53',
            '--dhcp-option=option:domain-search,example.org,lan', *options, ns=self.bed.outside)
        # Its sockets are bound when it says so: a client that it does not hear asks again later each time.
        self.assertTrue(any('started' in line for line in self.server.stdout), 'dnsmasq does not start')

    def pids(self):
        """{link: process} of the clients."""
        return pid_files(self.bed.runtime / 'dhcp')

    def helpers(self, pid):
        """Processes of the client with that number."""
        return [p for p in os.listdir('/proc') if p.isdigit() and group_of(p) == pid]

    def lease_file(self, link='br0', protocol='dhcp'):
        return self.bed.runtime / 'dhcp' / f'{link}.{protocol}'

    def age_lease(self, seconds):
        """Makes it one that the server gave that long ago."""
        now = int(float(open('/proc/uptime', encoding='ascii').read().split()[0]))
        beside = self.lease_file().with_suffix('.new')
        beside.write_text(re.sub('^uptime=.*', f'uptime={now - seconds}', self.lease_file().read_text(), flags=re.M))
        beside.rename(self.lease_file())

    def problems(self):
        return ' '.join(self.bed.status()['daemon']['problems'])

    def wait_for(self, link, *addresses):
        def check():
            """But for what router advertisements give."""
            found = [a for a in self.bed.addresses(link) if ':' not in a or a.endswith('/128')]
            self.assertEqual(sorted(found), sorted(addresses))
            return True
        eventually(check, 120)

    def addressed(self):
        """What was sent about addresses and routes: RTM_NEWADDR (20) to RTM_DELROUTE (25)."""
        return [line for line in self.bed.sent() if line.startswith('message type 2')]

    def rebind(self, link='br0'):
        """Asks the client to ask the server, and waits for what comes of it."""
        def told():
            try:
                return self.lease_file(link).stat().st_mtime_ns
            except FileNotFoundError:
                return 0  # for a moment, when the server gives another one
        before = told()
        os.kill(self.pids()[link], signal.SIGHUP)
        eventually(lambda: told() > before, 120)


class Leases(DhcpCase):
    def test_a_server_that_does_not_answer_holds_up_nothing_and_is_named(self):
        self.bed.write(CONFIG.format('ipv4'))
        self.bed.start()
        self.assertEqual((self.bed.addresses('br0'), self.bed.in_sync()), ([], True))
        self.bed.apply(CONFIG.format('ipv4').replace('eth0', 'eth0 eth1'))
        self.assertEqual(self.bed.ports('br0'), ['eth0', 'eth1'])
        eventually(lambda: 'no server has given an IPv4' in self.problems(), 120)

    def test_a_lease_is_wanted_like_what_is_declared_and_survives_everything_but_its_key(self):
        self.serve()
        self.bed.write(CONFIG.format('ipv4'))
        self.bed.start()
        self.wait_for('br0', '192.0.2.100/24')
        eventually(lambda: self.assertIn(('default', '192.0.2.1', 'br0'), self.bed.routes()) or True)
        eventually(lambda: self.assertEqual(self.shown('br0'), {'dns': '192.0.2.53', 'search': 'example.org lan'}) or True)
        self.assertSettles()
        self.assertRegex(self.bed.netctl('status', 'br0')[1], r'leased +192\.0\.2\.100/24, for another \d+ (s|min|h)')
        before = self.bed.dump()
        # The server says the same once more.
        self.bed.sent()
        self.rebind()
        time.sleep(0.3)
        self.assertEqual(self.bed.sent(), [], 'written because of a renewal')
        # Drift is put back.
        self.bed.ip('addr', 'del', '192.0.2.100/24', 'dev', 'br0')
        self.wait_for('br0', '192.0.2.100/24')
        eventually(lambda: self.assertSame(before, self.bed.dump()) or True)
        # The daemon ends and comes; the client and the address stay.
        client = self.pids()
        self.bed.stop()
        self.assertSame(before, self.bed.dump())
        self.bed.sent()
        self.bed.start()
        self.assertEqual((self.bed.sent(), self.pids()), ([], client))
        self.assertSettled()
        self.bed.sent()
        # Both end; a lease is one for as long as it was given.
        self.bed.kill()
        os.kill(client['br0'], signal.SIGKILL)
        self.bed.start()
        self.assertSame(before, self.bed.dump())
        eventually(lambda: self.pids().get('br0', client['br0']) != client['br0'])
        eventually(lambda: not self.helpers(client['br0']))
        self.assertEqual(self.addressed(), [])
        # The client dies alone.
        client = self.pids()
        os.kill(client['br0'], signal.SIGKILL)
        eventually(lambda: self.pids().get('br0', client['br0']) != client['br0'])
        eventually(lambda: not self.helpers(client['br0']))
        self.assertSame(before, self.bed.dump())
        client = self.pids()
        out = self.bed.apply(CONFIG.format('no'))
        eventually(lambda: not self.helpers(client['br0']))
        self.assertIn('set br0: dhcp ipv4 -> no', out)
        self.assertEqual((self.bed.addresses('br0'), self.bed.routes(), self.pids()), ([], [], {}))
        self.assertSettled()
        # It ends before its link does, and not for want of it.
        self.bed.apply(CONFIG.format('ipv4'))
        self.wait_for('br0', '192.0.2.100/24')
        self.assertIn('set br0: dhcp ipv4 -> no', self.bed.apply(''))
        self.assertEqual((list(self.bed.links()), self.pids()), (['lo', 'eth0', 'eth1'], {}))
        self.assertNotIn('ended with status', self.bed.log())

    def test_a_gateway_that_another_link_declares_is_not_pushed_out_for_a_moment(self):
        self.bed.nic('eth7')
        self.serve()
        declared = '[bridge br1]\nports = eth7\naddress = 203.0.113.2/24\ngateway = 203.0.113.1\n'
        self.bed.write(declared)
        self.bed.start()
        monitor = self.bed.background('ip', '-o', 'monitor', 'route')
        self.bed.apply(declared + '[bridge br0]\nports = eth0\ndhcp = ipv4\n')
        eventually(lambda: '192.0.2.100/24' in self.bed.addresses('br0'), 120)
        self.assertSettles()
        monitor.terminate()
        self.assertNotIn('default', monitor.stdout.read())
        # It goes: the server's is there when the apply is over, and goes in turn.
        for gateway, expected in (('', ('192.0.2.1', 'br0')), ('gateway = 203.0.113.1\n', ('203.0.113.1', 'br1'))):
            self.bed.apply(declared.replace('gateway = 203.0.113.1\n', gateway) + '[bridge br0]\nports = eth0\ndhcp = ipv4\n')
            self.assertEqual(self.bed.routes(), [('default', *expected)])
        # So does the link that has it, by somebody's hand, and comes back.
        self.bed.ip('link', 'del', 'br1')
        eventually(lambda: self.bed.routes() == [('default', '203.0.113.1', 'br1')])
        self.assertSettles()

    def test_another_address_takes_the_place_of_the_old_and_one_that_runs_out_goes(self):
        self.serve()
        self.bed.write(CONFIG.format('ipv4'))
        self.bed.start()
        self.wait_for('br0', '192.0.2.100/24')
        self.leases.unlink(missing_ok=True)
        self.serve(first=120)
        self.rebind()
        self.wait_for('br0', '192.0.2.120/24')
        eventually(lambda: self.assertEqual(self.bed.routes(), [('default', '192.0.2.1', 'br0')]) or True)
        # Nobody took anything away that was put back.
        eventually(lambda: 'lease: add address of br0: 192.0.2.120/24' in self.bed.log())
        self.assertNotIn('repair:', self.bed.log())
        # No server any more, and the lease is over.
        self.server.kill()
        os.kill(self.pids()['br0'], signal.SIGSTOP)
        self.age_lease(90)
        said = eventually(lambda: re.search(r'dhcp: no server has renewed the lease of the IPv4 address for (\d+) s; it ends in (\d+) s',
                                            self.problems()))
        self.assertAlmostEqual(int(said[1]) + int(said[2]), 60, delta=1)
        self.assertGreaterEqual(int(said[1]), 30)
        self.age_lease(117)
        self.wait_for('br0')
        eventually(lambda: self.bed.routes() == [] and 'nameserver 192.0.2.53' not in self.resolv_conf.read_text())

    def test_a_lease_is_put_on_where_drift_is_only_reported(self):
        self.serve()
        self.bed.write('[daemon]\ndrift = report\n' + CONFIG.format('ipv4').replace('[daemon]\nresolv_conf = yes\n', ''))
        self.bed.start()
        self.wait_for('br0', '192.0.2.100/24')
        self.leases.unlink(missing_ok=True)
        self.serve(first=120)
        self.rebind()
        self.wait_for('br0', '192.0.2.120/24')
        eventually(self.bed.at_rest)
        # What somebody takes away stays so, also when the server says the same once more.
        self.bed.ip('addr', 'del', '192.0.2.120/24', 'dev', 'br0')
        eventually(lambda: not self.bed.in_sync())
        self.rebind()
        time.sleep(0.3)
        self.assertEqual((self.bed.addresses('br0'), self.bed.in_sync()), ([], False))

    def test_what_the_server_says_while_kvmnetd_is_stopped_is_found_when_it_starts(self):
        self.serve()
        self.bed.write(CONFIG.format('ipv4'))
        self.bed.start()
        self.wait_for('br0', '192.0.2.100/24')
        client = self.pids()
        self.bed.stop()
        # As long as nobody puts on what came, the link keeps what it has.
        self.leases.unlink(missing_ok=True)
        self.serve(first=130)
        self.rebind()
        eventually(lambda: self.lease_file().exists() and 'new_ip_address=192.0.2.130' in self.lease_file().read_text(), 120)
        self.wait_for('br0', '192.0.2.100/24')
        self.bed.start()
        self.wait_for('br0', '192.0.2.130/24')
        eventually(lambda: self.assertEqual(self.bed.routes(), [('default', '192.0.2.1', 'br0')]) or True)
        self.assertEqual(self.pids(), client)
        self.assertSettles()

    def test_an_unconfirmed_apply_ends_the_client_and_a_rollback_starts_it(self):
        self.serve()
        self.bed.write('[bridge br0]\nports = eth0\n')
        self.bed.start()
        before = self.bed.dump()
        self.bed.apply(CONFIG.format('ipv4'), '--confirm', '600')
        self.wait_for('br0', '192.0.2.100/24')
        self.assertEqual(self.bed.netctl('rollback')[0], 0)
        eventually(lambda: self.assertEqual((self.bed.addresses('br0'), self.pids()), ([], {})) or True)
        eventually(lambda: self.assertSame(before, self.bed.dump()) or True)

    def test_a_nic_that_moves_into_a_bridge_leaves_its_lease_to_the_bridge(self):
        self.serve()
        self.bed.write('[ethernet eth0]\ndhcp = ipv4\n')
        self.bed.start()
        self.wait_for('eth0', '192.0.2.100/24')
        eventually(lambda: self.assertEqual(self.bed.routes(), [('default', '192.0.2.1', 'eth0')]) or True)
        self.bed.apply(CONFIG.format('ipv4'))
        # At once, and not when a server has answered.
        self.assertEqual((self.bed.addresses('br0'), self.bed.addresses('eth0')), (['192.0.2.100/24'], []))
        self.assertEqual((self.bed.routes(), list(self.pids())), ([('default', '192.0.2.1', 'br0')], ['br0']))
        self.bed.sent()
        eventually(self.lease_file().exists, 120)
        time.sleep(0.3)
        self.assertEqual(self.addressed(), [], 'the same lease, on the bridge')

    def test_both_families(self):
        self.bed.outside.ip('addr', 'add', '2001:db8::1/64', 'dev', 'eth0', 'nodad')
        self.serve('--dhcp-range=2001:db8::100,2001:db8::100,64,2m', '--enable-ra', '--dhcp-option=option6:dns-server,[2001:db8::53]')
        self.bed.write(CONFIG.format('yes'))
        self.bed.start()
        self.wait_for('br0', '192.0.2.100/24', '2001:db8::100/128')
        eventually(lambda: self.assertEqual(self.shown('br0')['dns'], '192.0.2.53 2001:db8::53') or True)
        # The router's announcement is the kernel's business.
        eventually(lambda: any(r['dst'] == 'default' and r['protocol'] == 'ra' for r in self.bed.ip_json('-6', 'route')), 120)
        self.assertEqual(self.bed.sysctl('br0', 'accept_ra'), '1')

    def test_router_advertisements_are_heard_though_a_network_forwards_from_the_start(self):
        def routers():
            return [r['dev'] for r in self.bed.ip_json('-6', 'route', 'show', 'default') if r['protocol'] == 'ra']

        network = '[network guests]\nbridge = brnat\naddress = fd00:150::1/64\ndns = no\n'
        self.bed.outside.ip('addr', 'add', '2001:db8::1/64', 'dev', 'eth0', 'nodad')
        self.serve('--dhcp-range=2001:db8::,slaac,2m', '--enable-ra')
        self.bed.write(CONFIG.format('ipv4') + network)
        self.bed.start()
        self.assertEqual(self.bed.sysctl('brnat', 'accept_ra'), '0')
        eventually(lambda: routers() == ['br0'], 120)
        eventually(self.pids)
        self.assertSettles()
        self.bed.apply(CONFIG.format('ipv4'))
        self.assertEqual((self.bed.sysctl('br0', 'accept_ra'), routers()), ('1', ['br0']))
        # Who forwards already is a router, and hears none.
        Path('/proc/sys/net/ipv6/conf/all/forwarding').write_text('1')
        self.bed.apply(CONFIG.format('ipv4') + network)
        self.assertEqual(self.bed.sysctl('br0', 'accept_ra'), '1')


if __name__ == '__main__':
    unittest.main()
