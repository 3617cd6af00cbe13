# SPDX-License-Identifier: GPL-2.0-or-later
"""
The way back over time: confirmations through the loss of the client, of the daemon and of the boot, generations, holds, limits of
impact, guests that keep their bridge, and boots in which something fails.
"""
import json
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import bed
from test_faults import Injector, build_library, differences, dump

# No gateway answers here; it is not asked for longer than need be.
QUICK = '[daemon]\nprobe_timeout = 1s\n'
NIC = QUICK + '[ethernet eth0]\naddress = 192.0.2.10/24\ngateway = 192.0.2.1\n'
BRIDGE = QUICK + '[bridge br0]\nports = eth0\naddress = 192.0.2.10/24\ngateway = 192.0.2.1\n'

# Seconds until an apply is undone. Long enough for a slow guest to look meanwhile.
WINDOW = 8


class Case(bed.TestCase):
    def begin(self, files=NIC, nics=('eth0', 'eth1'), env=None):
        """The daemon runs with these files; returns the bed."""
        b = self.bed
        for which in ('all', 'default'):
            Path('/proc/sys/net/ipv6/conf', which, 'accept_dad').write_text('0')
        b.nics(*nics)
        b.write(files)
        b.start(env=env)
        return b

    def settled(self):
        """A dump when two in a row are the same; a NIC's link-local address comes with its carrier, up to a second late."""
        bed.eventually(lambda: all(any(a.get('scope') == 'link' for a in link['addr_info'])
                                   for link in self.bed.ip_json('addr', 'show', 'up')
                                   if link.get('ifname', 'lo') != 'lo' and 'master' not in link))
        shown = [dump()]

        def again():
            shown.append(dump())
            return shown[-1] == shown[-2]
        bed.eventually(again)
        return shown[-1]

    def assertBack(self, before, timeout=20):
        """The kernel shows this again."""
        def back():
            wrong = differences(before, dump())
            assert not wrong, '\n'.join(wrong)
            return True
        bed.eventually(back, timeout)

    def reboot(self):
        """Another namespace and an empty runtime directory; files and state as they were. Starts nothing."""
        old = self.bed
        if old.daemon:
            old.kill()
        with tempfile.TemporaryDirectory() as kept:
            for d in (old.config, old.state):
                shutil.copytree(d, Path(kept, d.name))
            old.close()
            self.bed = bed.Bed()
            for d in (self.bed.config, self.bed.state):
                shutil.copytree(Path(kept, d.name), d, dirs_exist_ok=True)
        return self.bed

    def problems(self):
        return ' | '.join(self.bed.status()['daemon']['problems'])


class Confirmation(Case):
    needs = bed.BRIDGES

    def arm(self, seconds=WINDOW):
        """NIC is applied, then BRIDGE with a confirmation. Returns what the kernel showed before."""
        b = self.begin()
        before = self.settled()
        b.write(BRIDGE)
        status, out, err = b.netctl('apply', '--confirm', seconds)
        self.assertEqual(status, 0, out + err)
        self.assertIn('netctl confirm', out)
        self.assertEqual(b.ports('br0'), ['eth0'])
        return before

    def assertUndone(self, before):
        self.assertBack(before, WINDOW + 20)
        self.assertEqual((self.bed.config / 'host.ini').read_text(), BRIDGE)
        # The kernel is a moment ahead: the daemon looks at what it has put back before it says so.
        bed.eventually(lambda: self.bed.status()['daemon']['pending'])
        self.assertIsNone(self.bed.status()['daemon']['confirm'])
        self.assertIn('put back', self.problems())

    def test_is_undone_when_the_time_is_over(self):
        self.assertUndone(self.arm())
        self.assertIn('not confirmed in time', self.problems())
        # Nothing holds the operator back from trying again.
        self.bed.apply()
        self.assertEqual(self.bed.ports('br0'), ['eth0'])
        self.assertEqual(self.problems(), '')

    def test_is_undone_when_the_client_is_gone_before_the_change_is_done(self):
        b = self.begin()
        before = self.settled()
        b.write(BRIDGE)
        with b.connect() as s:
            call = {'method': 'io.kvmnetd.Network.Apply', 'parameters': {'confirm': WINDOW}}
            s.sendall(json.dumps(call).encode() + b'\0')
        bed.eventually(lambda: b.status()['daemon']['confirm'])
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertUndone(before)

    def test_deadline_holds_through_a_kill_and_a_start_before_it(self):
        before = self.arm()
        pending = self.bed.status()['daemon']['confirm']
        self.bed.kill()
        self.bed.start()
        again = self.bed.status()['daemon']['confirm']
        self.assertIsNotNone(again, self.bed.log())
        self.assertEqual(again['by'], pending['by'])
        self.assertLessEqual(again['seconds_left'], pending['seconds_left'])
        self.assertEqual(self.bed.ports('br0'), ['eth0'])
        self.assertUndone(before)

    def test_start_after_the_deadline_undoes_it(self):
        before = self.arm(2)
        self.bed.kill()
        time.sleep(3)
        self.assertEqual(self.bed.ports('br0'), ['eth0'])
        self.bed.start()
        self.assertUndone(before)

    def test_stop_undoes_it_first(self):
        before = self.arm(300)
        self.bed.stop()
        self.assertBack(before)
        self.assertIn('stopped while a confirmation is pending', self.bed.log())
        self.bed.start()
        self.assertBack(before)
        self.assertTrue(self.bed.in_sync())

    def test_kill_while_it_undoes_is_finished_by_the_next_start(self):
        build_library()
        b = self.bed
        injector = Injector(b.dir / 'faults')
        self.addCleanup(injector.close)
        self.begin(env=injector.environment)
        before = self.settled()
        b.write(BRIDGE)
        self.assertEqual(b.netctl('apply', '--confirm', 3)[0], 0)
        injector.arm(('cut', 2))
        self.assertEqual(b.daemon.wait(30), -signal.SIGKILL)
        b.daemon = None
        injector.arm()
        b.start(env=injector.environment)
        self.assertUndone(before)

    def test_kill_while_an_operator_undoes_it_is_finished_long_before_the_deadline(self):
        build_library()
        injector = Injector(self.bed.dir / 'faults')
        self.addCleanup(injector.close)
        b = self.begin(env=injector.environment)
        before = self.settled()
        b.write(BRIDGE)
        self.assertEqual(b.netctl('apply', '--confirm', 600)[0], 0)
        injector.arm(('cut', 2))
        b.netctl('rollback')
        self.assertEqual(b.daemon.wait(bed.PATIENCE), -9)
        b.daemon = None
        b.start()
        self.assertUndone(before)

    def test_from_another_connection_it_stays(self):
        self.arm()
        b = self.bed
        self.assertEqual(b.netctl('confirm')[0], 0)
        time.sleep(WINDOW + 1)
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertFalse(b.status()['daemon']['pending'])
        b.sent()
        b.kill()
        b.start()
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.ports('br0'), ['eth0'])
        status, _out, err = b.netctl('confirm')
        self.assertEqual(status, 1, err)

    def test_pending_it_is_shown_and_a_second_apply_is_refused(self):
        self.arm(300)
        b = self.bed
        shown = b.status()['daemon']['confirm']
        self.assertIn('uid 0', shown['by'])
        self.assertTrue(250 < shown['seconds_left'] <= 300, shown)
        _status, out, _err = b.netctl('status')
        self.assertIn('confirm', out)
        b.write(NIC)
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('uid 0', err)
        self.assertRegex(err, r'\b2\d\d s\b')
        self.assertEqual(b.ports('br0'), ['eth0'])
        status, out, err = b.netctl('apply', '--confirm', 5)
        self.assertEqual(status, 4, out + err)
        status, out, err = b.netctl('rollback', 1)
        self.assertEqual(status, 4, out + err)
        # A reload is an apply, too.
        b.reload()
        self.assertEqual(b.ports('br0'), ['eth0'])

    def test_rollback_undoes_it_and_answers_when_it_is_undone(self):
        before = self.arm(300)
        status, out, err = self.bed.netctl('rollback')
        self.assertEqual(status, 0, out + err)
        self.assertNotIn('br0', self.bed.links())
        self.assertUndone(before)

    def test_stop_while_the_change_is_made_undoes_it_too(self):
        b = self.begin()
        before = self.settled()
        b.write(NIC + ''.join(f'[bridge many{i}]\n' for i in range(60)))
        client = threading.Thread(target=b.netctl, args=('apply', '--confirm', 300))
        client.start()
        bed.eventually(lambda: 'many0' in b.links())
        b.stop()
        client.join()
        self.assertBack(before)

    def test_default_route_with_onlink_comes_back(self):
        b = self.begin(QUICK + '[ethernet eth0]\naddress = 192.0.2.10/24\n')
        b.ip('route', 'add', 'default', 'via', '198.51.100.1', 'dev', 'eth0', 'onlink')
        before = self.settled()
        b.write(QUICK + '[ethernet eth0]\nup = no\naddress = 192.0.2.10/24\n')
        self.assertEqual(b.netctl('apply', '--force', '--confirm', 300)[0], 0)
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertBack(before)

    def test_state_that_cannot_be_read_for_a_while_is_not_taken_for_the_one_before(self):
        build_library()
        b = self.bed
        injector = Injector(b.dir / 'faults')
        self.begin(env=injector.environment)
        before = self.settled()
        answers = []

        def apply(*arguments):
            b.write(BRIDGE)
            client = threading.Thread(target=lambda: answers.append(b.netctl('apply', *arguments)))
            client.start()
            return client

        def go_on(client):
            injector.arm()
            client.join()
            self.assertEqual(answers[-1][0], 0, answers)

        # During the change: it waits.
        injector.arm(('tear', 2))
        client = apply()
        bed.eventually(lambda: len(injector.messages()) >= 2)
        time.sleep(2)
        go_on(client)
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertBack(before)
        # Once it is made: the deadline passes while nothing can be read.
        client = apply('--confirm', 2)
        bed.eventually(lambda: b.status()['daemon']['confirm'])
        injector.arm(('tear', 0))
        b.ip('link', 'set', 'br0', 'alias', 'event')
        time.sleep(4)
        go_on(client)
        self.assertBack(before)
        bed.eventually(lambda: b.links().get('br0') is None and b.in_sync())
        injector.close()

    def test_what_cannot_be_stored_does_not_stay(self):
        b = self.begin()
        before = self.settled()
        # As a full disk would: the next generation cannot be written.
        obstacle = b.state / 'generations' / '2.json.new'
        obstacle.mkdir()
        b.write(BRIDGE)
        status, _, err = b.netctl('apply')
        self.assertEqual(status, 1, err)
        self.assertIn('could not be stored', err)
        self.assertIn('everything is as it was before', err)
        self.assertBack(before)
        status, out, err = b.netctl('apply', '--confirm', 300)
        self.assertEqual(status, 0, out + err)
        status, _, err = b.netctl('confirm')
        self.assertEqual(status, 1, err)
        self.assertIn('still waits', err)
        obstacle.rmdir()
        self.assertEqual(b.netctl('confirm')[0], 0)
        b.restart()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertTrue(b.in_sync())

    def test_an_apply_that_fails_leaves_nothing_armed(self):
        b = self.begin()
        before = self.settled()
        b.write(BRIDGE + '[bridge br0]\n')
        self.assertEqual(b.netctl('apply', '--confirm', 5)[0], 1)
        self.assertIsNone(b.status()['daemon']['confirm'])
        self.assertBack(before)
        self.assertFalse((b.state / 'unconfirmed').exists())

    def test_a_change_that_the_kernel_refuses_is_not_taken_for_unconfirmed_at_the_next_boot(self):
        build_library()
        b = self.bed
        injector = Injector(b.dir / 'faults')
        self.addCleanup(injector.close)
        self.begin(env=injector.environment)
        before = self.settled()
        b.write(BRIDGE)
        injector.arm(('refuse', 2))
        self.assertEqual(b.netctl('apply', '--confirm', 300)[0], 1)
        self.assertBack(before)
        self.assertIsNone(b.status()['daemon']['confirm'])
        b.write(NIC)
        b.apply()
        b = self.reboot()
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.addresses('eth0'), ['192.0.2.10/24'])
        self.assertEqual(self.problems(), '')

    def test_nothing_to_change_needs_no_confirmation(self):
        b = self.begin()
        status, out, err = b.netctl('apply', '--confirm', 5)
        self.assertEqual(status, 0, out + err)
        self.assertIsNone(b.status()['daemon']['confirm'])

    def test_boot_within_the_window_comes_up_with_what_was_confirmed_last(self):
        self.arm(300)
        b = self.reboot()
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.addresses('eth0'), ['192.0.2.10/24'])
        self.assertEqual(b.link('br0'), {})
        self.assertEqual((b.config / 'host.ini').read_text(), BRIDGE)
        self.assertIn('never confirmed', self.problems())
        self.assertEqual(b.status()['daemon']['state'], 'degraded')
        self.assertIn('never confirmed', ' '.join(b.notified))
        # Neither a restart, nor an edit, nor another boot ends it, only an apply.
        b.stop()
        b.start()
        self.assertIn('never confirmed', self.problems())
        b = self.reboot()
        b.write(BRIDGE + 'stp_state = yes\n')
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.link('br0'), {})
        self.assertIn('never confirmed', self.problems())
        b.apply()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(self.problems(), '')
        b.stop()
        b.start()
        self.assertEqual(self.problems(), '')
        b = self.reboot()
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(self.problems(), '')

    def test_first_apply_ever_can_be_undone(self):
        b = self.begin('')
        before = self.settled()
        b.write(BRIDGE)
        self.assertEqual(b.netctl('apply', '--confirm', 2)[0], 0)
        self.assertUndone(before)

    @bed.needs(bed.ALL)
    def test_undone_change_forgets_no_guest(self):
        b = self.begin(BRIDGE)
        b.tap('vnet0', 'br0')
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'isolated', 'on', 'cost', '77')
        before = self.settled()
        b.write(QUICK + '[bridge br0]\nports = eth0 eth1\naddress = 192.0.2.10/24\n[port vnet*]\nhairpin = yes\nisolated = no\n')
        self.assertEqual(b.netctl('apply', '--confirm', 3)[0], 0)
        self.assertEqual(b.port_data('vnet0')['hairpin'], True)
        self.assertUndoneOfGuests(before)

    def assertUndoneOfGuests(self, before):
        self.assertBack(before, 30)
        self.assertTrue(self.bed.in_sync())


class Generations(Case):
    needs = bed.BRIDGES

    def files(self, n):
        return f'[ethernet eth0]\naddress = 192.0.2.{n}/24\n'

    def test_the_last_ten_are_kept_and_any_of_them_comes_back(self):
        b = self.begin(self.files(1))
        for n in range(2, 14):
            b.change(self.files(n))
        history = b.varlink('History')['generations']
        self.assertEqual(len(history), 10)
        self.assertTrue(history[0]['current'])
        self.assertEqual([g['number'] for g in history], sorted((g['number'] for g in history), reverse=True))
        self.assertIn('192.0.2.13', ' '.join(history[0]['plan']))
        status, out, err = b.netctl('history')
        self.assertEqual(status, 0, err)
        self.assertIn('192.0.2.13/24', out)
        wanted = history[3]['number']
        status, out, err = b.netctl('rollback', wanted)
        self.assertEqual(status, 0, out + err)
        self.assertEqual(b.addresses('eth0'), ['192.0.2.10/24'])
        self.assertTrue(b.status()['daemon']['pending'])
        self.assertEqual((b.config / 'host.ini').read_text(), self.files(13))
        # A restart goes on with it, and a boot does not bring the files back unasked.
        b.restart()
        self.assertEqual(b.addresses('eth0'), ['192.0.2.10/24'])
        b = self.reboot()
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.addresses('eth0'), ['192.0.2.10/24'])
        b.apply()
        self.assertEqual(b.addresses('eth0'), ['192.0.2.13/24'])

    def test_rollback_without_a_number_takes_the_one_before(self):
        b = self.begin(self.files(1))
        b.change(self.files(2))
        status, out, err = b.netctl('rollback')
        self.assertEqual(status, 0, out + err)
        self.assertEqual(b.addresses('eth0'), ['192.0.2.1/24'])

    def test_a_generation_that_is_not_there_is_refused(self):
        b = self.begin(self.files(1))
        status, _out, err = b.netctl('rollback', 77)
        self.assertEqual(status, 1)
        self.assertIn('no such generation', err)


class FirstApply(Case):
    needs = bed.BRIDGES

    def test_that_was_never_confirmed_is_gone_after_a_reboot(self):
        b = self.begin('[bridge br0\n')
        b.write(BRIDGE)
        self.assertEqual(b.netctl('apply', '--confirm', 60)[0], 0)
        self.assertEqual(b.ports('br0'), ['eth0'])
        b = self.reboot()
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.link('br0'), {})
        self.assertIn('never confirmed', self.problems())
        # Nor is it there after a restart, until it is asked for.
        b.restart()
        self.assertEqual(b.link('br0'), {})
        b.apply()
        self.assertEqual(b.ports('br0'), ['eth0'])


class Holds(Case):
    needs = bed.BRIDGES

    def test_held_link_is_left_alone_and_shown_until_release(self):
        b = self.begin('[ethernet eth0]\nmtu = 1400\n[ethernet eth1]\nmtu = 1400\n')
        self.assertEqual(b.netctl('hold', 'eth0')[0], 0)
        b.ip('link', 'set', 'eth0', 'mtu', 1300)
        b.ip('link', 'set', 'eth1', 'mtu', 1300)
        bed.eventually(lambda: b.link('eth1')['mtu'] == 1400)
        time.sleep(1)
        self.assertEqual(b.link('eth0')['mtu'], 1300)
        status = b.status()
        self.assertEqual([d['key'] for d in status['links']['eth0']['differences']], ['mtu'])
        held = status['daemon']['holds']
        self.assertEqual([h['link'] for h in held], ['eth0'])
        self.assertIn('uid 0', held[0]['by'])
        self.assertTrue(3500 < held[0]['seconds_left'] <= 3600, held)
        self.assertIn('eth0', b.netctl('status')[1])
        self.assertEqual(b.netctl('release', 'eth0')[0], 0)
        bed.eventually(lambda: b.link('eth0')['mtu'] == 1400)
        self.assertEqual(b.status()['daemon']['holds'], [])

    def test_hold_outlives_a_kill_of_the_daemon(self):
        b = self.begin('[ethernet eth0]\nmtu = 1400\n')
        b.netctl('hold', 'eth0')
        b.ip('link', 'set', 'eth0', 'mtu', 1300)
        b.kill()
        b.start()
        self.assertEqual(b.link('eth0')['mtu'], 1300)
        self.assertEqual([h['link'] for h in b.status()['daemon']['holds']], ['eth0'])
        b.netctl('release')
        bed.eventually(lambda: b.link('eth0')['mtu'] == 1400)
        b.restart()
        self.assertEqual(b.status()['daemon']['holds'], [])

    def test_hold_of_all_ends_by_itself(self):
        b = self.begin('[ethernet eth0]\nmtu = 1400\n')
        begun = time.monotonic()
        self.assertEqual(b.netctl('hold', '--for', '5')[0], 0)
        b.ip('link', 'set', 'eth0', 'mtu', 1300)
        bed.eventually(lambda: b.link('eth0')['mtu'] == 1400, 30)
        self.assertGreater(time.monotonic() - begun, 5)

    def test_link_that_is_not_declared_cannot_be_held(self):
        b = self.begin()
        status, _out, err = b.netctl('hold', 'eth7')
        self.assertEqual(status, 1)
        self.assertIn('eth7', err)

    def test_apply_changes_a_held_link(self):
        b = self.begin('[ethernet eth0]\nmtu = 1400\n')
        b.netctl('hold', 'eth0')
        b.apply('[ethernet eth0]\nmtu = 1350\n')
        self.assertEqual(b.link('eth0')['mtu'], 1350)


class Fights(Case):
    needs = bed.BRIDGES

    def test_two_tools_over_one_value_end_in_a_warning_and_no_busy_loop(self):
        b = self.begin('[ethernet eth0]\nmtu = 1400\n[ethernet eth1]\nmtu = 1400\n')
        b.sent()
        begun, over, changes = time.monotonic(), threading.Event(), 0

        def fight():
            nonlocal changes
            with b.inside.entered():
                while not over.wait(0.01):
                    if bed.run('cat', '/sys/class/net/eth0/mtu').strip() == '1400':
                        bed.run('ip', 'link', 'set', 'eth0', 'mtu', 1300)
                        changes += 1
        thread = threading.Thread(target=fight)
        thread.start()
        try:
            bed.eventually(lambda: 'eth0' in self.problems(), 60)
            time.sleep(3)
        finally:
            over.set()
            thread.join()
        sent = b.sent()
        self.assertLessEqual(len(sent), 20 + (time.monotonic() - begun), f'{changes} changes')
        said = self.problems()
        self.assertIn('mtu', said)
        self.assertRegex(said, r'\d+ times in \d+ s')
        # Others are still looked after.
        b.ip('link', 'set', 'eth1', 'mtu', 1300)
        bed.eventually(lambda: b.link('eth1')['mtu'] == 1400)


class Impact(Case):
    def test_more_than_the_limit_is_refused(self):
        b = self.begin(BRIDGE)
        before = self.settled()
        b.write('')
        for most in ('none', 'live', 'link-flap'):
            status, out, err = b.netctl('apply', '--max-impact', most)
            self.assertEqual(status, 4, out + err)
            self.assertIn('link-gone', err)
        self.assertEqual(differences(before, dump()), [])
        b.apply(BRIDGE.replace(QUICK, '[daemon]\nmax_impact = live\n') + 'ageing_time = 30s\n')
        b.write('[daemon]\nmax_impact = live\n')
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('max_impact', err)
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.netctl('apply', '--max-impact', 'link-gone')[0], 0)
        self.assertEqual(b.link('br0'), {})

    def test_a_word_that_is_no_impact_is_refused(self):
        b = self.begin()
        status, _out, err = b.netctl('apply', '--max-impact', 'much')
        self.assertNotEqual(status, 0)
        self.assertIn('max', err)


class Guests(Case):
    SETTINGS = ['hairpin', 'isolated', 'cost', 'priority', 'learning']

    def guests(self):
        b = self.bed
        for n in range(3):
            b.tap(f'vnet{n}', 'br0')
            b.ip('link', 'set', f'vnet{n}', 'type', 'bridge_slave', 'cost', 40 + n, 'priority', 5 + n)
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'isolated', 'on', 'hairpin', 'on', 'learning', 'off')
        bed.run('bridge', 'vlan', 'add', 'dev', 'vnet0', 'vid', 30)
        bed.run('bridge', 'vlan', 'add', 'dev', 'vnet0', 'vid', 31, 'pvid', 'untagged')
        bed.run('bridge', 'vlan', 'del', 'dev', 'vnet1', 'vid', 1)
        # What was done is known to the daemon before anything happens to it.
        bed.eventually(lambda: not b.verify() and b.in_sync())
        return self.looks()

    def looks(self):
        b = self.bed
        return {name: ({k: b.port_data(name)[k] for k in self.SETTINGS}, b.port_vlans(name)) for name in b.ports('br0')}

    def test_bridge_deleted_by_hand_comes_back_with_its_mac_and_its_guests(self):
        b = self.begin(BRIDGE + 'vlan_filtering = yes\nageing_time = 20s\n')
        before, mac = self.guests(), b.link('br0')['address']
        self.assertEqual(sorted(before), ['eth0', 'vnet0', 'vnet1', 'vnet2'])
        for _ in range(3):
            b.ip('link', 'delete', 'br0')
            bed.eventually(lambda: b.ports('br0') == sorted(before), 30)
            self.assertEqual(b.link('br0')['address'], mac)
            bed.eventually(lambda: self.looks() == before, 30)
            self.assertEqual(b.addresses('br0'), ['192.0.2.10/24'])
            self.assertIn(('default', '192.0.2.1', 'br0'), b.routes())
        self.assertSettled()

    @bed.needs(bed.BRIDGES)
    def test_bridge_deleted_while_the_daemon_was_away_gets_its_guests_back(self):
        b = self.begin(BRIDGE)
        b.tap('vnet0', 'br0')
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'cost', 44, 'isolated', 'on')
        kept = b.runtime / 'guests.json'
        bed.eventually(lambda: kept.exists() and '"path_cost":"44"' in kept.read_text().replace(' ', ''))
        for end in (b.kill, b.stop):
            end()
            b.ip('link', 'delete', 'br0')
            b.start()
            bed.eventually(lambda: b.ports('br0') == ['eth0', 'vnet0'], 30)
            self.assertShows(b.port_data('vnet0'), {'cost': 44, 'isolated': True})
        # Who was taken out of the bridge on purpose is not brought back.
        b.ip('link', 'set', 'vnet0', 'nomaster')
        b.kill()
        b.start()
        self.assertEqual(b.ports('br0'), ['eth0'])

    def test_bridge_with_guests_is_deleted_only_by_force(self):
        b = self.begin(BRIDGE)
        self.guests()
        before = self.settled()
        b.write(NIC)
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        for name in ('vnet0', 'vnet1', 'vnet2'):
            self.assertIn(name, err)
        self.assertEqual(differences(before, dump()), [])
        self.assertEqual(b.netctl('apply', '--force')[0], 0)
        self.assertEqual(b.link('br0'), {})
        # They are still there, and still others'.
        for name in ('vnet0', 'vnet1', 'vnet2'):
            self.assertIn('UP', b.link(name)['flags'])
        b.apply(BRIDGE)

    def test_guests_are_attached_again_after_a_forced_change_that_lets_them_go(self):
        b = self.begin(BRIDGE + 'vlan_filtering = yes\n')
        before = self.guests()
        b.write(BRIDGE + 'vlan_filtering = yes\nmst_enabled = yes\n')
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('vnet1', err)
        self.assertEqual(self.looks(), before)
        status, out, err = b.netctl('apply', '--force')
        self.assertEqual(status, 0, out + err)
        self.assertEqual(self.looks(), before)
        self.assertSettled()

    def test_guests_keep_their_bridge_through_crash_restart_and_reload(self):
        b = self.begin(BRIDGE)
        before = self.guests()
        for how in (b.restart, b.reload, lambda: (b.kill(), b.start())):
            how()
            self.assertEqual(self.looks(), before)


class Boot(Case):
    def test_what_the_kernel_refuses_at_boot_is_left_out_and_the_rest_comes_up(self):
        build_library()
        b = self.bed
        injector = Injector(b.dir / 'faults')
        self.addCleanup(injector.close)
        files = ('[bridge br0]\nports = eth0\naddress = 192.0.2.10/24\n[bridge br1]\nports = eth1\naddress = 198.18.1.1/24\n'
                 '[bridge br2]\naddress = 198.18.2.1/24\n')
        b.nics('eth0', 'eth1')
        # Which message makes br1? Links are made in the order of the file, once what exists was changed.
        b.write(files)
        injector.arm()
        b.start(env=injector.environment)
        creates = [i for i, m in enumerate(injector.messages(), 1) if m & 0x4000]
        self.assertEqual(len(creates), 3)
        b = self.reboot()
        b.nics('eth0', 'eth1')
        injector = Injector(b.dir / 'faults')
        injector.arm(('refuse', creates[1]))
        b.start(env=injector.environment)
        self.assertEqual(injector.fired(), 1)
        injector.close()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.addresses('br0'), ['192.0.2.10/24'])
        self.assertEqual(b.addresses('br2'), ['198.18.2.1/24'])
        self.assertEqual(b.link('br1'), {})
        status = b.status()
        self.assertEqual(status['daemon']['state'], 'degraded')
        self.assertIn('br1 is left out', self.problems())
        self.assertIn('br1', ' '.join(b.notified))
        b.apply()
        self.assertEqual(b.ports('br1'), ['eth1'])
        self.assertEqual(self.problems(), '')

    def test_broken_files_at_boot_lead_to_the_last_generation(self):
        self.begin(BRIDGE)
        b = self.reboot()
        broken = BRIDGE + 'stp_state = perhaps\n'
        b.write(broken)
        b.nics('eth0', 'eth1')
        b.start()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.status()['daemon']['state'], 'degraded')
        self.assertIn('do not check', self.problems())
        self.assertIn('do not check', ' '.join(b.notified))
        self.assertEqual((b.config / 'host.ini').read_text(), broken)
        self.assertEqual(b.netctl('apply')[0], 1)
        self.assertEqual(b.ports('br0'), ['eth0'])
        b.apply(NIC)
        self.assertEqual(self.problems(), '')

    def test_journal_that_is_damaged_keeps_no_daemon_from_starting(self):
        b = self.begin(BRIDGE)
        b.kill()
        for text in ('{', '', '[]', '{"of": 1}', '{"before": {}}'):
            (b.runtime / 'journal.json').write_text(text)
            b.start()
            self.assertEqual(b.ports('br0'), ['eth0'])
            self.assertTrue(b.in_sync())
            b.kill()

    def test_kill_at_random_moments_of_random_changes_never_leaves_more_than_one_of_two_states(self):
        b = self.begin(NIC)
        b.apply(BRIDGE)
        b.apply(NIC)
        states = [self.settled()]
        b.apply(BRIDGE)
        states.append(self.settled())
        b.apply(NIC)
        self.assertBack(states[0])
        current = 0
        for n in range(8):
            b.write([NIC, BRIDGE][1 - current])
            child = subprocess.Popen([str(bed.BUILD / 'netctl'), 'apply', '--socket', str(b.socket)],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.02 * n)
            b.kill()
            child.wait()
            b.start()
            bed.eventually(lambda: dump() in states, 20)
            current = states.index(dump())
            self.assertTrue(b.in_sync())
