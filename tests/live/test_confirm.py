# SPDX-License-Identifier: GPL-2.0-or-later
"""Confirmations, through the loss of the client, of the daemon and of the boot; the first apply ever; limits of impact."""
import json
import signal
import threading
import time

import bed
from faults import Injector
from host_dump import differences, dump
from way_back import BRIDGE, NIC, QUICK, Case

# Seconds until an apply is undone. Long enough to look meanwhile, also for a machine that stands still for a while.
WINDOW = 20


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
        self.assertBack(before, WINDOW + bed.PATIENCE)
        self.assertEqual((self.bed.config / 'host.ini').read_text(), BRIDGE)
        # The kernel is a moment ahead: the daemon looks at what it has put back before it says so.
        bed.eventually(lambda: (now := self.bed.status()['daemon'])['pending'] and not now['confirm'] and now['state'] != 'applying')
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
        before = self.arm()
        self.bed.kill()
        time.sleep(WINDOW + 1)
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
        b = self.bed
        injector = Injector(b.dir / 'faults')
        self.addCleanup(injector.close)
        self.begin(env=injector.environment)
        before = self.settled()
        b.write(BRIDGE)
        self.assertEqual(b.netctl('apply', '--confirm', WINDOW)[0], 0)
        injector.arm(('cut', 2))
        self.assertEqual(b.daemon.wait(WINDOW + bed.PATIENCE), -signal.SIGKILL)
        b.daemon = None
        injector.arm()
        b.start(env=injector.environment)
        self.assertUndone(before)

    def test_kill_while_an_operator_undoes_it_is_finished_long_before_the_deadline(self):
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

    def test_guest_that_came_onto_the_bridge_meanwhile_is_named_when_that_goes_again(self):
        self.arm(60)
        b = self.bed
        b.tap('vnet0', master='br0')
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertEqual(b.link('br0'), {})
        self.assertIn('cut off, for its bridge was not there before: vnet0 (on br0', self.problems())

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
        client = apply('--confirm', WINDOW)
        bed.eventually(lambda: b.status()['daemon']['confirm'])
        injector.arm(('tear', 0))
        b.ip('link', 'set', 'br0', 'alias', 'event')
        time.sleep(WINDOW + 2)
        go_on(client)
        self.assertBack(before)
        bed.eventually(lambda: b.links().get('br0') is None and b.at_rest())
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
        self.assertEqual(b.netctl('apply', '--confirm', WINDOW)[0], 0)
        self.assertEqual(b.port_data('vnet0')['hairpin'], True)
        self.assertBack(before, WINDOW + bed.PATIENCE)
        bed.eventually(b.at_rest)

    for wait in (test_is_undone_when_the_time_is_over, test_is_undone_when_the_client_is_gone_before_the_change_is_done,
                 test_deadline_holds_through_a_kill_and_a_start_before_it, test_start_after_the_deadline_undoes_it,
                 test_kill_while_it_undoes_is_finished_by_the_next_start, test_from_another_connection_it_stays,
                 test_state_that_cannot_be_read_for_a_while_is_not_taken_for_the_one_before, test_undone_change_forgets_no_guest):
        wait.cost = WINDOW


class FirstApply(Case):
    needs = bed.BRIDGES

    def test_that_was_never_confirmed_is_gone_after_a_reboot(self):
        b = self.begin('[bridge br0\n')
        b.write(BRIDGE)
        self.assertEqual(b.netctl('apply', '--confirm', 300)[0], 0)
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
