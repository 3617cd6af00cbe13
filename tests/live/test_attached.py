# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests keep their bridge: through its loss, crashes and restarts, and against all changes but forced ones."""
import os
import signal
import threading

import bed
from faults import Injector, sort_name
from host_dump import differences, dump
from way_back import BRIDGE, NIC, Case

FULL = 40  # taps on a bridge, more than one deletion is to let go


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
        bed.eventually(b.at_rest)
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
            bed.eventually(lambda: b.ports('br0') == sorted(before))
            self.assertEqual(b.link('br0')['address'], mac)
            bed.eventually(lambda: self.looks() == before and b.at_rest())
            self.assertEqual(b.addresses('br0'), ['192.0.2.10/24'])
            self.assertIn(('default', '192.0.2.1', 'br0'), b.routes())
        self.assertSettled()

    @bed.needs(bed.BRIDGES)
    def test_bridge_deleted_while_the_daemon_was_away_gets_its_guests_back(self):
        b = self.begin(BRIDGE)
        b.tap('vnet0', 'br0')
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'cost', 44, 'isolated', 'on')
        kept = b.runtime / 'guests.json'
        bed.eventually(lambda: kept.exists() and 'path_cost = 44' in kept.read_text())
        for end in (b.kill, b.stop):
            end()
            b.ip('link', 'delete', 'br0')
            b.start()
            bed.eventually(lambda: b.ports('br0') == ['eth0', 'vnet0'])
            bed.eventually(lambda: self.assertShows(b.port_data('vnet0'), {'cost': 44, 'isolated': True}) is None)
        # Who was taken out of the bridge on purpose is not brought back, once the daemon knows.
        b.ip('link', 'set', 'vnet0', 'nomaster')
        bed.eventually(lambda: 'vnet0' not in kept.read_text())
        b.kill()
        b.start()
        self.assertEqual(b.ports('br0'), ['eth0'])

    @bed.needs(bed.BRIDGES)
    def test_guests_that_start_by_the_hundred_are_all_seen_to(self):
        b, taps = self.bed, [f'vnet{n}' for n in range(300)]
        b.write('[bridge br0]\n[port vnet*]\nhairpin = yes\n')
        b.start()
        b.ip_batch(''.join(f'tuntap add dev {tap} mode tap\n' for tap in taps))
        # Each round of the daemon finds some that the one before had not.
        for _ in range(2):
            b.ip_batch(''.join(f'link set {tap} nomaster\nlink set {tap} master br0\n' for tap in taps))
            bed.eventually(lambda: all(b.sysfs('br0', f'brif/{tap}/hairpin_mode') == '1' for tap in taps))
        bed.eventually(b.at_rest)
        self.assertEqual(b.status()['daemon']['problems'], [])

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


@bed.needs(bed.BRIDGES)
class Full(Case):
    """A bridge with many guests is not deleted in one message, which would keep everybody else from the kernel for a while for each."""

    def setUp(self):
        super().setUp()
        self.injector = Injector(self.bed.dir / 'faults')
        self.addCleanup(self.injector.close)
        self.taps = [f'vnet{n}' for n in range(FULL)]
        b = self.begin(BRIDGE, env=self.injector.environment)
        b.ip_batch(''.join(f'tuntap add dev {tap} mode tap\nlink set {tap} master br0 up\n'
                           f'link set {tap} type bridge_slave cost {100 + n} isolated {"on" if n % 3 else "off"}\n'
                           for n, tap in enumerate(self.taps)) + f'link set {self.taps[7]} down\n')
        bed.eventually(b.at_rest)
        self.before = self.settled()
        b.write(NIC)

    def force(self, *faults):
        """Applies what deletes the bridge. The error, 'killed', or None."""
        self.injector.arm(*faults)
        try:
            self.bed.varlink('Apply', {'force': True})
        except bed.VarlinkError as e:
            return e
        except (AssertionError, OSError):
            self.bed.daemon.wait(bed.PATIENCE)
            self.bed.daemon = None
            return 'killed'
        return None

    def attached(self):
        return [port for port in self.bed.ports('br0') if port in self.taps]

    def test_all_are_back_when_a_step_in_the_middle_is_refused_or_the_daemon_killed(self):
        error = self.force(('refuse', FULL // 2 + 3))
        self.assertTrue(error.parameters['restored'], error)
        self.assertEqual(error.parameters['step'], 'delete bridge br0')
        self.assertIn('does not leave it', error.parameters['text'])
        self.assertBack(self.before)
        self.assertEqual(self.force(('cut', FULL // 2 + 3)), 'killed')
        self.assertIn(len(self.attached()), range(1, FULL))
        self.bed.start()
        self.assertBack(self.before)

    def test_they_leave_one_by_one_and_who_has_moved_on_is_left_alone(self):
        b = self.bed
        b.ip('link', 'add', 'other', 'type', 'bridge')
        thread = threading.Thread(target=self.force, args=[('stop', FULL // 2 + 3)])
        thread.start()
        bed.eventually(lambda: self.injector.stopped(b.daemon.pid))
        left = self.attached()
        gone, moved = left[-2:]
        b.ip('link', 'del', gone)
        b.ip('link', 'set', moved, 'master', 'other')
        os.kill(b.daemon.pid, signal.SIGCONT)
        thread.join()
        self.assertEqual(b.link('br0'), {})
        self.assertEqual(b.ports('other'), [moved])
        sorts = [sort_name(m) for m in self.injector.messages()]
        self.assertGreater(sorts.count('link-master'), FULL // 4, sorts)
        self.assertEqual([n for n, sort in enumerate(sorts, 1) if sort == 'dellink'], [len(sorts)], sorts)
