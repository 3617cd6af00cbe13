# SPDX-License-Identifier: GPL-2.0-or-later
"""Links on which kvmnetd does nothing for a while: held by an operator, or fought over with another tool."""
import threading
import time

import bed
from way_back import Case


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
        bed.eventually(lambda: b.link('eth0')['mtu'] == 1400)
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
            bed.eventually(lambda: 'eth0' in self.problems())
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
