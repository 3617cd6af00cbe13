# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests keep their bridge: through its loss, crashes and restarts, and against all changes but forced ones."""
import bed
from host_dump import differences, dump
from way_back import BRIDGE, NIC, Case


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
        bed.eventually(lambda: kept.exists() and 'path_cost = 44' in kept.read_text())
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

    @bed.needs(bed.BRIDGES)
    def test_guests_that_start_by_the_hundred_are_all_seen_to(self):
        b, taps = self.bed, [f'vnet{n}' for n in range(300)]
        b.write('[bridge br0]\n[port vnet*]\nhairpin = yes\n')
        b.start()
        b.ip_batch(''.join(f'tuntap add dev {tap} mode tap\n' for tap in taps))
        # Each round of the daemon finds some that the one before had not.
        for _ in range(2):
            b.ip_batch(''.join(f'link set {tap} nomaster\nlink set {tap} master br0\n' for tap in taps))
            bed.eventually(lambda: all(b.sysfs('br0', f'brif/{tap}/hairpin_mode') == '1' for tap in taps), 60)
        bed.eventually(b.in_sync)
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
