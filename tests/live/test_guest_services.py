# SPDX-License-Identifier: GPL-2.0-or-later
"""[network]: DHCP and DNS by a real client, PXE, chosen subnets; what is told before anything is done; dnsmasq."""
import ipaddress
import os
import re
import signal
import socket
from pathlib import Path

import bed
from bed import eventually
from network_case import NAT, NAT_GUEST, OUT, UPLINK, NetworkCase

RECORDS = '''lease_time = infinite
srv = _x._tcp.other.example dc.other.example 389 20 10
txt = _x._tcp.other.example v=spf1 include:mail.example -all
'''


def has_ended(pid):
    """It is gone, or nobody has asked yet what became of it."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return True


class Services(NetworkCase):
    def identity(self, pid):
        """Its four user ids."""
        return re.search(r'^Uid:(.*)$', Path(f'/proc/{pid}/status').read_text(), re.M)[1].split()

    def test_a_guest_gets_its_address_and_its_name_and_dnsmasq_outlives_everything(self):
        self.bed.write(UPLINK + NAT)
        self.bed.start()
        guest = self.guest('nat', 'brnat', '52:54:00:aa:00:01')
        self.assertEqual(self.lease(guest), [NAT_GUEST, '192.168.150.1', '192.168.150.1', 'guests.example', 'vm1'])
        self.assertIn(NAT_GUEST, self.resolve(guest, 'vm1.guests.example'))
        lease = self.bed.varlink('Leases')['leases'][0]
        self.assertEqual([lease[k] for k in ('network', 'address', 'mac', 'name')], ['guests', NAT_GUEST, '52:54:00:aa:00:01', 'vm1'])
        self.assertTrue(self.ping(guest, OUT))
        pid = self.pids()['brnat']
        # A name and a host more: the same process is told.
        self.bed.apply(UPLINK + NAT + 'dns_host = 192.168.150.77 seven\nhost = 52:54:00:aa:00:09 192.168.150.9 vm9\n')
        eventually(lambda: '192.168.150.77' in self.resolve(guest, 'seven.guests.example'))
        self.assertEqual(self.pids()['brnat'], pid)
        self.assertSettled()
        # kvmnetd ends and comes back: the same process, and nothing to do.
        self.bed.kill()
        self.assertIn(NAT_GUEST, self.resolve(guest, 'vm1.guests.example'))
        self.bed.start()
        self.assertSettled()
        self.assertEqual(self.pids()['brnat'], pid)
        # Guests talk to it: it is not root, and what holds of the daemon when memory or processors run short does not hold
        # of it.
        self.assertNotIn('0', self.identity(pid))
        # It dies: another one, with the same leases.
        daemon = Path(f'/proc/{self.bed.daemon.pid}/oom_score_adj')
        daemon.write_text('200')
        os.setpriority(os.PRIO_PROCESS, self.bed.daemon.pid, -10)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.pids().get('brnat', pid) != pid and NAT_GUEST in self.resolve(guest, 'vm1.guests.example'))
        self.assertEqual(Path(f'/proc/{self.pids()["brnat"]}/oom_score_adj').read_text(), '0\n')
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, self.pids()['brnat']), 0)
        self.assertNotIn('0', self.identity(self.pids()['brnat']))
        # It gives leases, and writes them down, as before.
        self.assertEqual(self.lease(guest)[0], NAT_GUEST)
        other = self.guest('other', 'brnat', '52:54:00:aa:00:04')
        self.assertIn('192.168.150.', self.lease(other)[0])
        leased = [ipaddress.ip_address(l['address']) for l in self.bed.varlink('Leases')['leases']]
        self.assertEqual(len(leased), 2)
        self.assertEqual(leased, sorted(leased))
        # Another domain: another process. No network: none.
        pid = self.pids()['brnat']
        self.bed.apply(UPLINK + NAT.replace('guests.example', 'other.example') + RECORDS)
        self.assertNotEqual(self.pids()['brnat'], pid)
        self.lease(guest)
        self.assertIn('infinite', [l['expires_at'] or 'infinite' for l in self.bed.varlink('Leases')['leases']])
        for kind, answer in (('txt', 'v=spf1 include:mail.example -all'), ('srv', '20 10 389 dc.other.example')):
            self.assertIn(answer, guest.run('busybox', 'nslookup', f'-type={kind}', '_x._tcp.other.example', '192.168.150.1', check=False))
        pid = self.pids()['brnat']
        self.bed.apply(UPLINK, '--force')
        self.assertEqual(self.pids(), {})
        eventually(lambda: has_ended(pid))

    def test_a_network_with_a_subnet_that_is_chosen_keeps_it(self):
        # The first one of the pool is taken by a route.
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('route', 'add', '192.168.128.0/23', 'dev', 'eth0', 'table', '77')
        self.bed.write('')
        self.bed.start()
        ini = '[network any]\nbridge = brany\naddress = auto\ndhcp_range = auto\nforward = isolated\n'
        self.bed.write(ini)
        self.assertIn('192.168.130.1/24', self.bed.netctl('plan')[1])
        self.bed.apply()
        guest = self.guest('any', 'brany', '52:54:00:aa:00:05')
        leased = self.lease(guest)[0]
        self.assertTrue(leased.startswith('192.168.130.'), leased)
        # Also when a lower one gets free, the daemon ends, and the machine starts anew.
        self.bed.ip('route', 'del', '192.168.128.0/23', 'table', '77')
        self.assertSettled()
        self.bed.apply(ini + 'lease_time = 3h\n')
        self.bed.stop()
        self.bed.ip('link', 'del', 'brany')
        (self.bed.runtime / 'ledger.json').unlink()
        self.bed.start()
        self.assertEqual(self.bed.addresses('brany'), ['192.168.130.1/24'])
        # Gone and back: another one.
        self.bed.apply('', '--force')
        self.bed.apply(ini)
        self.assertEqual(self.bed.addresses('brany'), ['192.168.128.1/24'])

    def test_an_uplink_that_leads_nowhere_is_told(self):
        self.bed.write(UPLINK.replace('gateway', '#gateway') + NAT + 'uplink = eth0\n')
        self.bed.start()
        self.assertIn('eth0 has no route with a gateway', '\n'.join(self.bed.status()['daemon']['problems']))
        self.bed.write(UPLINK + NAT + 'uplink = eth7\n')
        self.assertIn('eth7 is not there', ''.join(self.bed.netctl('plan')[1:]))
        self.bed.apply(UPLINK + NAT + 'uplink = eth0\n')
        self.assertEqual(self.bed.status()['daemon']['problems'], [])

    def test_a_guest_without_a_disk_is_told_what_to_load_and_gets_it(self):
        (self.bed.dir / 'boot').mkdir()
        (self.bed.dir / 'boot' / 'loader.0').write_text('loaded')
        lab = f'[network lab]\nbridge = brnat\nforward = isolated\naddress = 192.168.150.1/24\ndhcp_range = auto\nhost_access = services\n' \
            f'tftp = {self.bed.dir}/boot\nboot = loader.0\n'
        self.bed.write(lab)
        self.bed.start()
        guest = self.guest('lab', 'brnat', '52:54:00:aa:00:06')
        self.lease(guest, 'boot_file')
        self.assertEqual((self.bed.dir / 'leased').read_text().split()[-1], 'loader.0')
        guest.run('busybox', 'tftp', '-g', '-r', 'loader.0', '-l', self.bed.dir / 'got', '192.168.150.1')
        self.assertEqual((self.bed.dir / 'got').read_text(), 'loaded')

    def test_the_example_comes_up_and_leaves_nothing_behind(self):
        before = self.bed.dump()
        self.bed.write((bed.SOURCE / 'conf' / 'nat-network' / 'guests.ini').read_text())
        self.bed.start()
        self.assertSettled()
        self.assertEqual(sorted(self.pids()), ['labbr0', 'natbr0'])
        self.bed.apply('')
        self.assertEqual(self.pids(), {})
        self.assertSame(before, self.bed.dump())

    def test_a_subnet_that_others_have_and_a_bridge_filter_are_told_before_anything_is_done(self):
        self.bed.ip('addr', 'add', '192.168.0.7/16', 'dev', 'eth0')
        self.bed.write('')
        self.bed.start()
        self.bed.write(NAT)
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('192.168.150.1/24 overlaps with 192.168.0.7/16 of eth0', out + err)
        self.bed.ip('addr', 'del', '192.168.0.7/16', 'dev', 'eth0')
        setting = Path('/proc/sys/net/bridge/bridge-nf-call-iptables')
        if setting.exists():
            setting.write_text('1')
            self.assertIn('br_netfilter', ''.join(self.bed.netctl('plan')[1:]))
        self.bed.apply()
        self.assertSettled()
        # What runs stays when somebody takes its subnet later.
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('route', 'add', '192.168.150.0/25', 'dev', 'eth0', 'table', '77')
        eventually(lambda: '192.168.150.1/24 overlaps with 192.168.150.0/25 dev eth0 table 77' in '\n'.join(self.bed.status()['daemon']['problems']))
        # Nor is what goes nowhere free; and what was told goes with the route, whatever takes its place.
        self.bed.ip('route', 'del', '192.168.150.0/25', 'table', '77')
        self.bed.ip('route', 'add', 'unreachable', 'fd00:150::/60', 'table', '77')
        self.bed.ip('route', 'add', 'blackhole', '192.168.150.128/25', 'table', '78')
        overlap = '192.168.150.1/24 overlaps with blackhole 192.168.150.128/25 table 78'
        problems = eventually(lambda: overlap in (all := '\n'.join(self.bed.status()['daemon']['problems'])) and all)
        self.assertNotIn('unreachable', problems, 'it is around the subnet, not in it')
        self.assertIn(overlap, ''.join(self.bed.netctl('plan')[1:]))
        self.bed.ip('route', 'replace', '192.168.150.128/25', 'dev', 'eth0', 'table', '78')
        eventually(lambda: overlap not in '\n'.join(self.bed.status()['daemon']['problems']))

    def problems(self):
        return '\n'.join(self.bed.status()['daemon']['problems'])

    def test_routes_that_no_model_keeps_are_compared_with_a_subnet_too(self):
        self.bed.write('')
        self.bed.nic('eth1', up=True)
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('address', 'add', '192.0.2.1/24', 'dev', 'eth0')
        self.bed.ip('address', 'add', '198.51.100.1/24', 'dev', 'eth1')
        self.bed.ip('nexthop', 'add', 'id', '7', 'via', '192.0.2.7', 'dev', 'eth0')
        self.bed.start()
        self.bed.write(NAT)
        hops = ('nexthop', 'via', '192.0.2.7', 'nexthop', 'via', '198.51.100.7')
        routes = (
            (('192.168.150.0/25', 'table', '77', *hops), '192.168.150.0/25 table 77 with 2 next hops'),
            (('192.168.150.0/24', 'tos', '0x10', 'via', '192.0.2.7'), '192.168.150.0/24 tos 0x10 via 192.0.2.7 dev eth0'),
            (('192.168.150.64/28', 'nhid', '7'), '192.168.150.64/28 nhid 7 via 192.0.2.7 dev eth0'),
            (('192.168.0.0/16', 'dev', 'eth0', 'proto', 'bird'), '192.168.0.0/16 dev eth0 proto bird'),
            (('192.168.150.3', 'via', 'inet6', 'fe80::7', 'dev', 'eth0'), '192.168.150.3/32 dev eth0'),
            (('unreachable', 'fd00:150::/64', 'proto', 'babel', 'metric', '7'), 'unreachable fd00:150::/64 dev lo proto babel metric 7'),
        )
        for words, text in routes:
            # Inside a wider one that leads on every network is.
            wider = ('192.168.0.0/16', 'proto', 'zebra', 'metric', '9', *hops)
            self.bed.ip('route', 'add', *wider)
            self.bed.ip(*(['-6'] if 'babel' in words else []), 'route', 'add', *words)
            status, out, err = self.bed.netctl('apply')
            self.assertEqual(status, 1, out + err)
            self.assertRegex(out + err, rf':4: .*\[network guests\] address: 192.168.150.1/24 overlaps with {re.escape(text)} '
                             if 'babel' not in words else rf'fd00:150::1/64 overlaps with {re.escape(text)} ')
            self.bed.ip(*(['-6'] if 'babel' in words else []), 'route', 'del', *words)
            self.bed.ip('route', 'del', *wider)
        self.bed.apply()
        self.assertSettled()
        # What runs stays, and is told of what comes later as long as that is there, however it goes.
        for words, text in routes[:4]:
            self.bed.ip('route', 'add', *words)
            eventually(lambda: text in self.problems())  # pylint: disable=cell-var-from-loop
            if 'nhid' in words:
                self.bed.ip('nexthop', 'del', 'id', '7')
            elif 'bird' in words:
                self.bed.ip('link', 'set', 'eth0', 'down')
            else:
                self.bed.ip('route', 'del', *words)
            eventually(lambda: text not in self.problems())  # pylint: disable=cell-var-from-loop
        self.assertSettled()
        # Nor does it keep a start from going on.
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('route', 'add', *routes[3][0])
        self.bed.restart()
        self.assertRegex(self.problems(), f':4: warning: .* overlaps with {routes[3][1]} ')
        self.assertEqual(len(self.bed.status()['daemon']['problems']), 1)
        self.bed.ip('route', 'del', *routes[3][0])
        eventually(lambda: routes[3][1] not in self.problems())

    def test_an_apply_between_two_starts_of_dnsmasq_starts_it(self):
        files = '[ethernet eth0]\naddress = 192.0.2.1/24\n' + NAT
        self.bed.write(files)
        self.bed.start()
        first = self.pids()['brnat']
        # Twice, for the second start to be put off for longer.
        for _ in range(2):
            dead = self.pids()['brnat']
            os.kill(dead, signal.SIGKILL)
            bed.eventually(lambda: not Path(f'/proc/{dead}/cmdline').exists())  # pylint: disable=cell-var-from-loop
            if dead == first:
                bed.eventually(lambda: self.pids().get('brnat', first) != first)
        self.bed.apply(files + 'host = 52:54:00:aa:00:77 192.168.150.77 late\n')
        self.assertTrue(Path(f'/proc/{self.pids()["brnat"]}/cmdline').read_text())
        self.assertSettled()

    def test_a_bridge_that_gets_another_name_is_served_when_the_dnsmasq_of_the_old_has_ended(self):
        uplink = '[ethernet eth0]\naddress = 192.0.2.1/24\n'
        self.bed.write(uplink + NAT)
        self.bed.start()
        for name in ('brother', 'brnat'):
            self.bed.write(uplink + NAT.replace('brnat', name))
            shown = ''.join(self.bed.netctl('plan')[1:])
            self.assertIn('dnsmasq none', shown)
            self.assertLess(shown.index('dnsmasq none'), shown.index(f'set {name}: dnsmasq '), shown)
            self.bed.apply()
            self.assertEqual(list(self.pids()), [name])

    def test_a_dnsmasq_that_cannot_start_takes_the_change_back(self):
        uplink = '[ethernet eth0]\naddress = 192.0.2.1/24\n'
        self.bed.write(uplink)
        self.bed.start()
        with self.bed.inside.entered():
            taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            taken.bind(('', 67))
        before = self.bed.dump()
        self.bed.write(uplink + NAT)
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('dnsmasq ended as soon as it had started: failed to bind DHCP server socket: Address already in use', out + err)
        self.assertSame(before, self.bed.dump())
        self.assertEqual(self.bed.inside.run('nft', 'list', 'ruleset'), '')
        taken.close()
        # That one is found out when dnsmasq listens already.
        self.bed.write(uplink + NAT + f'tftp = {self.bed.dir}/nowhere\n')
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn(f'TFTP directory {self.bed.dir}/nowhere inaccessible: No such file or directory', out + err)
        self.assertSame(before, self.bed.dump())
        self.bed.apply(uplink + NAT)
        self.assertSettled()
