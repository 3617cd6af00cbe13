# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as a process: its arguments, its starts and its stop, and NICs that are not there yet."""
import os
import signal
import socket
import struct
import subprocess
import time
import unittest

import bed
from attributes import attribute, attributes


def state(b):
    return b.status()['daemon']


class CommandLine(unittest.TestCase):
    needs = bed.BRIDGES

    def run_daemon(self, *args):
        done = subprocess.run([str(bed.BUILD / 'kvmnetd'), *args], capture_output=True, text=True, check=False, timeout=bed.PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def test_help_names_every_option(self):
        status, out, err = self.run_daemon('--help')
        self.assertEqual((status, err), (0, ''))
        for option in '--config-dir', '--runtime-dir', '--state-dir', '--socket', '--help', '--version':
            self.assertIn(option, out)

    def test_version(self):
        status, out, err = self.run_daemon('--version')
        self.assertEqual((status, err), (0, ''))
        self.assertRegex(out, r'^kvmnetd \d+\.\d+\.\d+\n$')

    def test_what_it_does_not_know_is_a_usage_error(self):
        for args in ('--dance',), ('eth0',), ('--config-dir',), ('--version=2',):
            status, out, err = self.run_daemon(*args)
            self.assertEqual((status, out), (64, ''), args)
            self.assertIn('kvmnetd --help', err)


class Starts(bed.TestCase):
    needs = bed.BRIDGES

    def test_two_daemons_in_two_namespaces_side_by_side(self):
        b = self.bed
        b.nic('eth0')
        b.write('[bridge br0]\nports = eth0\n')
        b.start()
        other = b.dir / 'other'
        (other / 'config').mkdir(parents=True)
        (other / 'config' / 'host.ini').write_text('[bridge br1]\nports = eth0\n')
        b.background(bed.BUILD / 'kvmnetd', *(f'--{d}-dir={other / d}' for d in ('config', 'runtime', 'state')), ns=b.outside)

        def in_other():
            return [l['ifname'] for l in b.outside.ip_json('link', 'show', 'master', 'br1')] == ['eth0']
        bed.eventually(lambda: b.outside.ip_json('link', 'show', 'type', 'bridge') and in_other(), bed.PATIENCE)
        self.assertEqual(b.link('br1'), {})
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertSettled()

    def test_a_second_daemon_on_the_same_directory_is_refused_and_the_first_goes_on(self):
        b = self.bed
        b.write('[bridge br0]\n')
        b.start()
        for runtime, state_dir, shared in (b.runtime, b.dir / 'other', b.runtime), (b.dir / 'other', b.state, b.state):
            second = subprocess.run([str(bed.BUILD / 'kvmnetd'), '--config-dir', str(b.config), '--runtime-dir', str(runtime),
                                     '--state-dir', str(state_dir)],
                                    capture_output=True, text=True, timeout=bed.PATIENCE, check=False)
            self.assertEqual(second.returncode, 1)
            self.assertIn(f'{shared}: another kvmnetd', second.stderr)
        self.assertSettled()

    @bed.needs(bed.ALL)
    def test_ready_is_told_when_all_is_there(self):
        """At the very moment of READY=1 everything is up and addressed: what a unit ordered after the daemon finds."""
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write('[bond bond0]\nports = eth0 eth1\n[vlan bond0.5]\nparent = bond0\nid = 5\n[bridge br5]\nports = bond0.5\n'
                'address = 192.0.2.1/24 2001:db8::1/64\ngateway = 192.0.2.254\n' +
                ''.join(f'[vlan v{i}]\nparent = br5\nid = {i}\n' for i in range(1, 60)))
        b.start()
        links = b.links()
        self.assertEqual(b.addresses('br5'), ['192.0.2.1/24', '2001:db8::1/64'])
        self.assertIn(('default', '192.0.2.254', 'br5'), b.routes())
        for name in 'eth0', 'eth1', 'bond0', 'bond0.5', 'br5', 'v59':
            self.assertIn('UP', links[name]['flags'], name)

    def test_no_configuration_is_no_failure(self):
        b = self.bed
        for case in 'missing', 'empty':
            with self.subTest(case=case):
                if case == 'missing':
                    b.config.rmdir()
                else:
                    b.config.mkdir()
                b.start()
                self.assertEqual(b.sent(), [])
                self.assertEqual(b.netctl('status')[0], 0)
                b.stop()

    def test_broken_files_at_the_first_start_leave_the_network_alone_and_say_so(self):
        b = self.bed
        b.nic('eth0')
        before = b.dump()
        b.write('[bridge br0\n')
        b.start()
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.dump(), before)
        self.assertIn('host.ini:1', b.log())
        self.assertTrue(any('degraded' in m for m in b.notified), b.notified)
        self.assertEqual(state(b)['state'], 'degraded')
        self.assertEqual(b.netctl('status', '--check')[0], 2)
        b.apply('[bridge br0]\nports = eth0\n')
        self.assertEqual(state(b)['state'], 'ready')
        self.assertSettled()

    def test_broken_files_at_a_later_boot_fall_back_to_what_was_applied_last(self):
        b = self.bed
        b.nic('eth0')
        b.write('[bridge br0]\nports = eth0\naddress = 192.0.2.1/24\n')
        b.start()
        b.stop()
        # A boot: nothing of the runtime directory, nothing of the network.
        for file in b.runtime.iterdir():
            file.unlink() if not file.is_dir() else [f.unlink() for f in file.iterdir()]
        b.ip('link', 'del', 'br0')
        b.write('[bridge br0]\nprots = eth0\n')
        b.start()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.addresses('br0'), ['192.0.2.1/24'])
        self.assertRegex(b.log(), r'host\.ini:2: .*\[bridge br0\] prots: ')
        self.assertEqual(state(b)['state'], 'degraded')
        self.assertTrue(state(b)['pending'])

    def test_a_restart_resumes_what_was_applied_and_not_the_files(self):
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write('[bridge br0]\nports = eth0\n')
        b.start()
        self.assertFalse(state(b)['pending'])
        b.write('[bridge br0]\nports = eth1\n')
        self.assertTrue(state(b)['pending'])
        self.assertIn('pending', b.netctl('status')[1])
        b.sent()
        b.restart()
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertTrue(state(b)['pending'])
        b.reload()
        self.assertEqual(b.ports('br0'), ['eth1'])
        self.assertFalse(state(b)['pending'])

    def test_a_restart_is_no_boot_also_when_the_boot_had_nothing_to_do(self):
        for files in '', '[bridge br0\n':
            with self.subTest(files=files):
                b = bed.Bed()
                self.addCleanup(b.close)
                b.write(files)
                b.start()
                b.write('[bridge br0]\n')
                b.restart()
                self.assertEqual(b.sent(), [])
                self.assertEqual(b.link('br0'), {})
                self.assertTrue(state(b)['pending'])
                b.apply()
                self.assertNotEqual(b.link('br0'), {})

    def test_a_restart_that_does_not_find_what_was_applied_says_so(self):
        b = self.bed
        b.write('[bridge br0]\n')
        b.start()
        b.write('[bridge br1]\n')
        b.stop()
        for file in (b.state / 'generations').iterdir():
            file.write_text('')
        b.start()
        self.assertEqual(state(b)['state'], 'degraded')
        self.assertIn('cannot be read', b.netctl('status')[1])
        b.apply()
        self.assertEqual(state(b)['state'], 'ready')

    def test_reload_of_files_that_do_not_check_changes_nothing(self):
        b = self.bed
        b.nic('eth0')
        b.write('[bridge br0]\nports = eth0\n')
        b.start()
        b.sent()
        b.write('[bridge br0]\nprots = eth0\n')
        b.reload()
        self.assertEqual(b.sent(), [])
        self.assertRegex(b.log(), r'host\.ini:2: .*\[bridge br0\] prots: ')
        self.assertEqual(b.ports('br0'), ['eth0'])

    def test_a_reload_during_an_apply_comes_after_it(self):
        b = self.bed
        b.write('[bridge br0]\n')
        b.start()
        b.write(''.join(f'[bridge many{i}]\n' for i in range(100)))
        b.daemon.send_signal(signal.SIGHUP)
        bed.eventually(lambda: b.link('many0'))
        b.write('[bridge br1]\n')
        b.daemon.send_signal(signal.SIGHUP)
        bed.eventually(lambda: list(b.links()) == ['lo', 'br1'] and b.at_rest())
        self.assertFalse(state(b)['pending'])

    def test_stop_leaves_the_network_as_it_is(self):
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write('[bond bond0]\nports = eth0\n[bridge br0]\nports = bond0\naddress = 192.0.2.1/24\n')
        b.start()
        before = b.dump()
        b.sent()
        b.stop()
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.dump(), before)
        self.assertFalse(b.socket.exists(), 'a socket that nobody answers')


class AbsentNics(bed.TestCase):
    needs = bed.BRIDGES

    def ready_after(self, wait):
        begun = time.monotonic()
        self.bed.write(f'[daemon]\nboot_wait = {wait}\n[bridge br0]\nports = eth0 eth9\naddress = 192.0.2.1/24\n')
        self.bed.start()
        return time.monotonic() - begun

    def fastest_ready_after(self, wait, enough):
        """A machine that stands still for a while does not do so each time."""
        took = self.ready_after(wait)
        for _ in range(4):
            if took >= enough:
                self.bed.stop()
                for file in self.bed.runtime.glob('*.json'):
                    file.unlink()
                took = min(took, self.ready_after(wait))
        return took

    def test_boot_wait_of_0_waits_not_at_all(self):
        b = self.bed
        b.nic('eth0')
        # The default is 5 s.
        self.assertLess(self.fastest_ready_after('0', 4), 4)
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.addresses('br0'), ['192.0.2.1/24'])

    def test_boot_wait_is_honoured_and_what_is_missing_is_named(self):
        b = self.bed
        b.nic('eth0')
        took = self.fastest_ready_after('2s', 4.9)
        self.assertGreater(took, 1.9)
        self.assertLess(took, 4.9)
        ready = b.wait_notified('READY=1')
        self.assertIn('eth9', ready)
        self.assertIn('eth9', b.log())
        self.assertEqual(state(b)['missing'], ['eth9'])
        self.assertEqual(b.netctl('status', '--check')[0], 2)

    def test_ready_comes_as_soon_as_the_nic_does(self):
        b = self.bed
        b.nic('eth0')
        b.write('[daemon]\nboot_wait = 600s\n[bridge br0]\nports = eth0 eth9\n')
        b.start(ready=False)
        bed.eventually(lambda: b.ports('br0') == ['eth0'])
        self.assertFalse([m for m in b.notified if 'READY=1' in m])
        b.nic('eth9')
        b.wait_notified('READY=1')
        self.assertEqual(b.ports('br0'), ['eth0', 'eth9'])

    def test_a_nic_that_appears_is_taken_in(self):
        b = self.bed
        b.nic('eth0')
        self.ready_after('0')
        b.nic('eth9')
        bed.eventually(lambda: b.ports('br0') == ['eth0', 'eth9'])
        bed.eventually(lambda: state(b)['missing'] == [])
        self.assertSettles()
        bed.eventually(lambda: any('STATUS' in m and 'eth9' not in m for m in b.notified[1:]))

    @bed.needs(bed.ALL)
    def test_everything_that_stands_on_it_comes_with_it(self):
        b = self.bed
        b.write('[daemon]\nboot_wait = 0\n[vlan v5]\nparent = eth9\nid = 5\n[bridge br5]\nports = v5\naddress = 192.0.2.1/24\n'
                '[vlan br5.7]\nparent = br5\nid = 7\naddress = 192.0.2.129/25\n')
        b.start()
        b.nic('eth9')
        bed.eventually(lambda: b.ports('br5') == ['v5'] and b.addresses('br5.7') == ['192.0.2.129/25'])
        self.assertSettles()

    def test_it_is_known_by_its_altname(self):
        b = self.bed
        self.ready_after('0')
        # Of a link that is down the kernel does not tell that it has got another name.
        b.nic('wan', up=True)
        self.assertEqual(b.ports('br0'), [])
        b.ip('link', 'property', 'add', 'dev', 'wan', 'altname', 'eth9')
        bed.eventually(lambda: b.ports('br0') == ['wan'])

    @bed.needs(bed.ALL)
    def test_it_is_known_by_its_mac(self):
        """match_mac is for hardware, which no kind of virtual link is; the radio of a simulator says that it is some."""
        b = self.bed
        radios = Radios(self)
        radios.add()
        [(name, link)] = radios.links(b).items()
        radios.remove_all()
        # The next one has the next address.
        mac = f'02:00:00:00:{int(link["address"][12:14], 16) + 1:02x}:00'
        b.write(f'[daemon]\nboot_wait = 0\n[ethernet wan]\nmatch_mac = {mac}\nmtu = 1400\n')
        b.start()
        self.assertEqual(state(b)['missing'], ['wan'])
        b.ip('link', 'add', 'fake', 'address', mac, 'type', 'dummy')
        radios.add()
        bed.eventually(lambda: [l['mtu'] for l in radios.links(b).values()] == [1400])
        [(name, link)] = radios.links(b).items()
        self.assertShows(link, {'address': mac, 'mtu': 1400}, name)
        self.assertEqual(b.link('fake')['mtu'], 1500, 'a virtual link of the same address')
        bed.eventually(lambda: state(b)['missing'] == [])

    @bed.needs(bed.ALL)
    def test_a_nic_that_vanishes_and_comes_back_is_taken_in_again(self):
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write('[bond bond0]\nports = eth0 eth1\nmode = active-backup\n[port eth1]\nprio = 7\n')
        b.start()
        for _ in range(3):
            b.ip('link', 'del', 'eth1')
            bed.eventually(lambda: state(b)['missing'] == ['eth1'])
            b.nic('eth1')
            bed.eventually(lambda: b.ports('bond0') == ['eth0', 'eth1'] and b.port_data('eth1').get('prio') == 7)
        self.assertSettles()

    def test_a_device_that_can_be_no_port_is_told_before_anything_is_done_and_when_it_appears(self):
        b = self.bed
        b.nic('eth0')
        self.ready_after('0')
        b.tun('eth9')
        bed.eventually(lambda: 'only those can be ports of a bridge' in ' '.join(state(b)['problems']))
        self.assertEqual(b.ports('br0'), ['eth0'])
        b.sent()
        b.write('[bridge br1]\n[bridge br0]\nports = eth0\nports = eth9\naddress = 192.0.2.1/24\n')
        for verb in 'plan', 'apply':
            status, _out, err = b.netctl(verb)
            self.assertEqual(status, 1, err)
            self.assertIn('host.ini:4: error: [bridge br0] ports: eth9 is not an Ethernet device', err)
        self.assertEqual(b.sent(), [])
        b.apply('[bridge br0]\nports = eth0\n')
        self.assertEqual(state(b)['problems'], [])

    def test_a_nic_that_is_renamed_is_another(self):
        """Names are what is declared: the old name is missed, and the new one, where it is declared, taken in."""
        b = self.bed
        b.nic('eth0')
        b.nic('eth1')
        b.write('[bridge br0]\nports = eth0\n[bridge br1]\nports = wan\n[daemon]\nboot_wait = 0\n')
        b.start()
        b.ip('link', 'set', 'eth1', 'name', 'wan')
        bed.eventually(lambda: b.ports('br1') == ['wan'])
        # Held, or the daemon may have set it up again by then, and a link that is up cannot be renamed.
        self.assertEqual(b.netctl('hold', 'eth0')[0], 0)
        b.ip_batch('link set eth0 nomaster\nlink set eth0 down\nlink set eth0 name lan\n')
        bed.eventually(lambda: state(b)['missing'] == ['eth0'])
        b.ip('link', 'set', 'lan', 'down')
        b.ip('link', 'set', 'lan', 'name', 'eth0')
        self.assertEqual(b.netctl('release')[0], 0)
        bed.eventually(lambda: b.ports('br0') == ['eth0'])
        self.assertSettles()


class Radios:
    """Simulated wireless NICs (mac80211_hwsim) in the namespace of the bed."""

    NEW_RADIO, DEL_RADIO = 4, 5
    ATTR_RADIO_ID = 10

    def __init__(self, test):
        if subprocess.run(['modprobe', 'mac80211_hwsim', 'radios=0'], capture_output=True, check=False).returncode:
            test.skipTest('no simulated hardware: this kernel has no mac80211_hwsim')
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        test.addCleanup(self.socket.close)
        test.addCleanup(self.remove_all)
        # CTRL_CMD_GETFAMILY by CTRL_ATTR_FAMILY_NAME; the answer's CTRL_ATTR_FAMILY_ID.
        answer = self.request(0x10, 3, attribute(2, b'MAC80211_HWSIM\0'))
        self.family = attributes(answer)[1][0] | attributes(answer)[1][1] << 8
        self.ids = []

    def request(self, family, command, body=b''):
        """Returns the answer's attributes; the acknowledgement's positive number, where a command gives one, is `last`."""
        data = struct.pack('BBH', command, 1, 0) + body
        self.socket.send(struct.pack('IHHII', 16 + len(data), family, 5, 1, 0) + data)
        answer = b''
        while True:
            part = self.socket.recv(1 << 16)
            while part:
                length, kind = struct.unpack_from('IH', part)
                if kind == 2:
                    self.last = struct.unpack_from('i', part, 16)[0]
                    assert self.last >= 0, os.strerror(-self.last)
                    return answer
                answer += part[20:length]
                part = part[(length + 3) & ~3:]

    def add(self):
        self.request(self.family, self.NEW_RADIO)
        self.ids.append(self.last)

    def remove_all(self):
        while self.ids:
            self.request(self.family, self.DEL_RADIO, attribute(self.ATTR_RADIO_ID, struct.pack('I', self.ids.pop())))

    @staticmethod
    def links(b):
        return {n: l for n, l in b.links().items() if n.startswith('wlan')}
