# SPDX-License-Identifier: GPL-2.0-or-later
"""
Probes: what answered before a change has to answer after it, else the change is undone, at once and with the name of what was
lost. The cable of eth0 ends at a router (192.0.2.1, 2001:db8::1), that of eth1 at nobody.
"""
import errno
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import bed

# A test that waits for a loss waits for this.
QUICK = '[daemon]\nprobe_timeout = 2s\n'
HOST = 'address = 192.0.2.10/24 2001:db8::10/64\ngateway = 192.0.2.1 2001:db8::1\n'
NIC = QUICK + '[ethernet eth0]\n' + HOST
BRIDGE = QUICK + '[bridge br0]\nports = eth0\n' + HOST
# The mistake: the host's address goes to the NIC whose cable ends at nobody.
WRONG = QUICK + '[bridge br0]\nports = eth1\n' + HOST

# Of the one that is asked, and how often.
SILENT = '''table ip silent {
    counter asked { }
    chain in { type filter hook input priority 0; ip daddr 192.0.2.7 icmp type echo-request counter name asked drop; }
}'''


class Case(bed.TestCase):
    needs = bed.BRIDGES
    def begin(self, files=NIC):
        """Without files the NIC has its address from somebody else."""
        b = self.bed
        for ns in (b.inside, b.outside):
            with ns.entered():
                for which in ('all', 'default'):
                    Path('/proc/sys/net/ipv6/conf', which, 'accept_dad').write_text('0')
        b.nics('eth0', 'eth1')
        # Only the link that has an address answers for it.
        with b.outside.entered():
            Path('/proc/sys/net/ipv4/conf/all/arp_ignore').write_text('1')
        for address in ('192.0.2.1/24', '192.0.2.7/24', '2001:db8::1/64'):
            b.outside.ip('address', 'add', address, 'dev', 'eth0')
        b.write(files)
        b.start()
        if not files:
            b.ip('address', 'add', '192.0.2.10/24', 'dev', 'eth0')
            b.ip('link', 'set', 'eth0', 'up')
        with b.inside.entered():
            bed.eventually(self.gateway_is_there)
        return b

    @staticmethod
    def gateway_is_there():
        """A connection is refused by it."""
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex(('192.0.2.1', 9)) == errno.ECONNREFUSED

    def arm(self, files, seconds=300):
        self.bed.write(files)
        status, out, err = self.bed.netctl('apply', '--confirm', seconds)
        self.assertEqual(status, 0, out + err + self.bed.log())
        return out

    def probes(self):
        confirm = self.bed.status()['daemon']['confirm']
        return {p['probe']: p for p in confirm['probes']} if confirm else {}

    def assertAllAnswer(self, *names):
        def answer():
            shown = self.probes()
            assert sorted(shown) == sorted(names), shown
            return all(p['counts'] and p['answers'] for p in shown.values())
        bed.eventually(answer)

    def assertUndone(self, *said):
        """The NIC has its address again, and everything that tells of it names the probe and the time."""
        b = self.bed
        self.wait_undone(lambda: '192.0.2.10/24' in b.addresses('eth0'))
        problem = ' | '.join(b.status()['daemon']['problems'])
        undone = b.varlink('History')['undone'][0]
        for text in said:
            self.assertIn(text, problem)
            self.assertIn(text, undone['why'])
            self.assertIn(text, b.netctl('history')[1])
        self.assertRegex(undone['why'], r'for \d+\.\d s')
        self.assertTrue(undone['plan'])
        self.assertEqual(b.link('br0'), {})


    def wait_undone(self, back):
        """Until the kernel shows it, and the daemon has looked at what it put back, and says so."""
        def undone():
            daemon = self.bed.status()['daemon']
            return back() and not daemon['confirm'] and daemon['state'] != 'applying'
        bed.eventually(undone)


class Probes(Case):
    def test_change_that_loses_the_gateway_is_undone(self):
        self.begin()
        begun = time.monotonic()
        self.arm(WRONG)
        self.assertUndone('gateway 192.0.2.1', 'has not been answered after it')
        self.assertLess(time.monotonic() - begun, 200)

    def test_change_that_keeps_the_gateways_waits_for_its_confirmation(self):
        b = self.begin()
        self.arm(BRIDGE)
        self.assertAllAnswer('gateway 192.0.2.1', 'gateway 2001:db8::1')
        self.assertIn('gateway 192.0.2.1 answers', b.netctl('status')[1])
        self.assertEqual(b.netctl('confirm')[0], 0)
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertIn('confirmed; answering: gateway 192.0.2.1', b.varlink('History')['generations'][0]['result'])

    def test_what_is_lost_later_in_the_window_undoes_the_change(self):
        b = self.begin()
        self.arm(BRIDGE)
        self.assertAllAnswer('gateway 192.0.2.1', 'gateway 2001:db8::1')
        b.outside.ip('link', 'set', 'eth0', 'down')
        self.assertUndone('gateway', 'has had no answer')

    def test_what_did_not_answer_before_does_not_count(self):
        b = self.begin()
        self.arm(BRIDGE.replace(QUICK, QUICK + 'probe = ping 192.0.2.99\nprobe = ping 192.0.2.1\n'))
        shown = self.probes()
        self.assertFalse(shown['ping 192.0.2.99']['counts'])
        self.assertTrue(shown['ping 192.0.2.1']['counts'])
        self.assertIn('ping 192.0.2.99 does not count', b.netctl('status')[1])
        time.sleep(3)
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertIsNotNone(b.status()['daemon']['confirm'])

    def test_what_answers_only_after_the_daemon_stood_still_counts(self):
        """The time is over then; but it was asked but once, and nobody has read whether it answered."""
        b = self.begin()
        b.outside.run('nft', SILENT)
        b.write(BRIDGE.replace(QUICK, QUICK + 'probe = ping 192.0.2.7\n'))
        asked = 3
        while asked >= 3:
            client = threading.Thread(target=b.netctl, args=('apply', '--confirm', 300))
            client.start()
            bed.eventually(self.asked)
            os.kill(b.daemon.pid, signal.SIGSTOP)
            asked = self.asked()
            if asked >= 3:  # too late: it is judged by what was asked
                os.kill(b.daemon.pid, signal.SIGCONT)
                client.join()
                b.netctl('rollback')
                b.outside.run('nft', 'reset', 'counters')
        b.outside.run('nft', 'flush', 'ruleset')
        time.sleep(2.5)
        os.kill(b.daemon.pid, signal.SIGCONT)
        client.join()
        self.assertTrue(self.probes()['ping 192.0.2.7']['counts'])
        self.assertAllAnswer('ping 192.0.2.7')

    def asked(self):
        return int(re.search(r'packets (\d+)', self.bed.outside.run('nft', 'list', 'counters'))[1])

    def test_every_sort_of_probe_is_answered(self):
        b = self.begin()
        listeners = []
        with b.outside.entered():
            for family, address in ((socket.AF_INET, '192.0.2.7'), (socket.AF_INET6, '2001:db8::1')):
                listener = socket.socket(family)
                self.addCleanup(listener.close)
                listener.bind((address, 2222))
                listener.listen()
                listeners.append(listener)
        probes = ['ping 192.0.2.1', 'ping 2001:db8::1', 'arp 192.0.2.7', 'arp 2001:db8::1', 'tcp 192.0.2.7:2222', 'tcp [2001:db8::1]:2222']
        self.arm(BRIDGE.replace(QUICK, QUICK + ''.join(f'probe = {p}\n' for p in probes)))
        self.assertAllAnswer(*probes)
        for listener in listeners:
            listener.close()
        self.assertUndone('tcp', ':2222')

    def test_what_is_configured_watches_every_apply(self):
        b = self.begin()
        answers = []

        def apply(files, seconds=120):
            b.write(files.replace(QUICK, f'[daemon]\nprobe = ping 192.0.2.7\nprobe_timeout = {seconds}s\n'))
            client = threading.Thread(target=lambda: answers.append(b.netctl('apply')))
            client.start()
            return client
        for undo, said in ((lambda: b.netctl('rollback'), 'asked to undo'), (None, 'ping 192.0.2.7')):
            client = apply(WRONG, 120 if undo else 2)
            if undo:
                bed.eventually(lambda: b.status()['daemon']['confirm'])
                self.assertIn('unless its probes answer before', b.netctl('status')[1])
                self.assertEqual(b.netctl('apply')[0], 4)
                # A reboot now would come up without it.
                self.assertTrue((b.state / 'unconfirmed').exists())
                undo()
            client.join()
            self.assertEqual(b.addresses('eth0')[0], '192.0.2.10/24')
            self.assertEqual(answers[-1][0], 1, answers)
            self.assertIn(said, answers[-1][2])
            self.assertIn('everything is as it was before', answers[-1][2])
        for end in (b.stop, b.kill):
            client = apply(WRONG)
            bed.eventually(lambda: b.status()['daemon']['confirm'])
            end()
            client.join()
            b.start()
            self.wait_undone(lambda: b.link('br0') == {} and b.addresses('eth0')[:1] == ['192.0.2.10/24'])
        apply(BRIDGE).join()
        self.assertEqual(answers[-1][0], 0, answers)
        self.assertFalse((b.state / 'unconfirmed').exists())
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertIn('applied; answering: ping 192.0.2.7', b.varlink('History')['generations'][0]['result'])

    def test_daemon_that_is_killed_goes_on_watching(self):
        b = self.begin()
        self.arm(BRIDGE)
        b.kill()
        b.start()
        self.assertAllAnswer('gateway 192.0.2.1', 'gateway 2001:db8::1')
        b.outside.ip('link', 'set', 'eth0', 'down')
        self.assertUndone('gateway')

    def test_gateway_that_the_change_replaces_is_not_missed(self):
        b = self.begin()
        self.arm(NIC.replace('gateway = 192.0.2.1 ', 'gateway = 192.0.2.7 '))
        b.outside.ip('address', 'del', '192.0.2.1/24', 'dev', 'eth0')
        time.sleep(3)
        self.assertFalse(self.probes()['gateway 192.0.2.1']['counts'])
        self.assertIsNotNone(b.status()['daemon']['confirm'])

    def test_confirmation_that_is_shorter_than_the_change_takes_is_refused(self):
        b = self.begin()
        b.write(BRIDGE.replace('ports = eth0\n', 'ports = eth0\nstp_state = yes\nforward_delay = 15s\n'))
        status, out, _err = b.netctl('plan')
        self.assertEqual(status, 2)
        self.assertIn('With --confirm: at least 32 s (30 s: spanning tree on br0', out)
        status, out, err = b.netctl('apply', '--confirm', 30)
        self.assertEqual(status, 4, out + err)
        self.assertIn('at least 32 s', err)
        self.assertIn('spanning tree on br0', err)
        self.assertEqual(b.link('br0'), {})


class Caller(Case):
    """netctl is run over SSH: it knows by SSH_CONNECTION, and tells the daemon."""

    def over_ssh(self, peer='192.0.2.7', local='192.0.2.10'):
        os.environ['SSH_CONNECTION'] = f'{peer} 50000 {local} 22'
        self.addCleanup(os.environ.pop, 'SSH_CONNECTION', None)

    def assertRefused(self, *said):
        b = self.bed
        before = b.dump()
        status, out, _err = b.netctl('plan')
        self.assertEqual(status, 2)
        warned = out + _err
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('your own connection would be cut off', err)
        for text in said:
            self.assertIn(text, err)
            self.assertIn(text, warned)
        self.assertSame(before, b.dump())

    def test_address_that_nothing_declares_is_not_taken_from_under_the_session(self):
        b = self.begin('')
        b.write('[bridge br0]\nports = eth0\n')
        self.over_ssh()
        self.assertRefused('192.0.2.10/24 of eth0 (to keep it, add to [bridge br0]: address = 192.0.2.10/24)')
        b.apply('[bridge br0]\nports = eth0\naddress = 192.0.2.10/24\n')
        b.write('')
        self.assertRefused('192.0.2.10 of br0, which no link is declared to have')
        self.assertIn("the host's last IPv4 address goes, and nothing declares another: it will be unreachable by IPv4",
                      b.netctl('plan')[2])
        b.apply(None, '--force')
        self.assertEqual(b.link('br0'), {})

    def test_route_that_nothing_declares_is_not_taken_from_under_the_session(self):
        b = self.begin(NIC)
        b.ip('route', 'add', '198.51.100.0/24', 'via', '192.0.2.7')
        b.write(BRIDGE)
        self.over_ssh('198.51.100.9')
        self.assertRefused('198.51.100.0/24 via 192.0.2.7 of eth0', 'route = 198.51.100.0/24 via 192.0.2.7')
        # Who came by another way is not held back by it.
        self.over_ssh('203.0.113.9')
        b.apply()
        self.assertEqual(b.ports('br0'), ['eth0'])

    def test_session_is_watched_after_the_change(self):
        b = self.begin(NIC.replace('gateway', '; gateway'))
        self.over_ssh()
        self.arm(BRIDGE.replace('gateway', '; gateway'))
        self.assertAllAnswer('path 192.0.2.7 from 192.0.2.10')
        b.netctl('confirm')
        self.arm(NIC.replace('gateway', '; gateway').replace('eth0', 'eth1'))
        self.wait_undone(lambda: b.ports('br0') == ['eth0'])
        self.assertIn('path 192.0.2.7 from 192.0.2.10', b.varlink('History')['undone'][0]['why'])

    def test_session_that_is_lost_undoes_a_change_that_nobody_confirms(self):
        b = self.begin(NIC)
        self.over_ssh()
        b.write(WRONG)
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('path 192.0.2.7 from 192.0.2.10', err)
        self.assertIn('everything is as it was before', err)
        self.assertUndone('path 192.0.2.7 from 192.0.2.10', 'has not been answered after it')
        # Nor does the next boot cut the host off.
        self.assertTrue((b.state / 'unconfirmed').exists())
        b.apply(BRIDGE)
        self.assertFalse((b.state / 'unconfirmed').exists())
        self.assertIsNone(b.status()['daemon']['confirm'])
        self.assertIn('applied; answering: path 192.0.2.7', b.varlink('History')['generations'][0]['result'])
        # Who gives it up says so.
        b.apply(WRONG, '--force')
        self.assertEqual(b.ports('br0'), ['eth1'])

    def test_renumbering_over_the_session_is_held_by_a_confirmation(self):
        b = self.begin(NIC)
        self.over_ssh()
        renumbered = NIC.replace('192.0.2.10/24', '192.0.2.20/24')
        b.write(renumbered)
        self.assertRefused('192.0.2.10 of eth0, which no link is declared to have')
        self.assertIn('with --confirm that may be', b.netctl('apply')[2])
        status, out, err = b.netctl('apply', '--confirm', 300)
        self.assertEqual(status, 0, out + err)
        self.assertIn('your own connection ends with this: 192.0.2.10 of eth0', out + err)
        # The session is lost, as was asked for: only the gateways are watched.
        self.assertAllAnswer('gateway 192.0.2.1', 'gateway 2001:db8::1')
        self.assertEqual(b.addresses('eth0')[0], '192.0.2.20/24')
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertEqual(b.addresses('eth0')[0], '192.0.2.10/24')
        # Without another address there is nowhere to log in.
        b.write(NIC.replace('192.0.2.10/24 ', '').replace('192.0.2.1 ', ''))
        status, out, err = b.netctl('apply', '--confirm', 300)
        self.assertEqual(status, 4, out + err)
        self.assertIn('your own connection would be cut off', err)

    @staticmethod
    def link_local(ns):
        def find():
            shown = ns.ip_json('-6', 'address', 'show', 'dev', 'eth0', 'scope', 'link')
            return [a['local'] for link in shown for a in link.get('addr_info', []) if 'local' in a]
        return bed.eventually(find)[0]

    def test_session_over_a_link_local_address_is_bound_to_its_link(self):
        b = self.begin(NIC)
        peer, local = self.link_local(b.outside), self.link_local(b)
        self.over_ssh(f'{peer}%eth0', f'{local}%eth0')
        self.arm(NIC + 'mtu = 1400\n')
        self.assertAllAnswer('gateway 192.0.2.1', 'gateway 2001:db8::1', f'path {peer}%eth0 from {local}')
        b.kill()
        b.start()
        self.assertAllAnswer('gateway 192.0.2.1', 'gateway 2001:db8::1', f'path {peer}%eth0 from {local}')
        b.outside.ip('address', 'delete', f'{peer}/64', 'dev', 'eth0')
        self.wait_undone(lambda: b.link('eth0')['mtu'] == 1500)
        self.assertIn(f'path {peer}%eth0 from {local}', b.varlink('History')['undone'][0]['why'])
        b.write(BRIDGE)
        self.assertRefused(f'{local} of eth0, which becomes a port')

    def test_session_over_a_mapped_address_is_one_over_ipv4(self):
        b = self.begin('')
        b.write('[bridge br0]\nports = eth0\n')
        self.over_ssh('::ffff:192.0.2.7', '::ffff:192.0.2.10')
        self.assertRefused('192.0.2.10/24 of eth0 (to keep it, add to [bridge br0]: address = 192.0.2.10/24)')

    def test_leased_address_is_declared_by_a_client_on_the_bridge(self):
        b = self.begin('')
        b.ip('address', 'change', '192.0.2.10/24', 'dev', 'eth0', 'valid_lft', '600', 'preferred_lft', '600')
        self.over_ssh()
        for line, warned in (('', True), ('dhcp = ipv4\n', False)):
            b.write('[bridge br0]\nports = eth0\n' + line)
            _status, out, err = b.netctl('plan')
            self.assertEqual('your own connection' in out + err, warned, out + err)

    def test_session_is_known_where_the_environment_was_cleaned(self):
        b = self.begin('')
        b.write('[bridge br0]\nports = eth0\n')
        command = f'env -i {bed.BUILD}/netctl apply --socket {b.socket}; true'
        done = subprocess.run(['sh', '-c', command], capture_output=True, text=True, timeout=bed.PATIENCE,
                              env={**os.environ, 'SSH_CONNECTION': '192.0.2.7 50000 192.0.2.10 22'})
        self.assertIn('your own connection would be cut off', done.stderr)
