# SPDX-License-Identifier: GPL-2.0-or-later
"""What others make or attach while a change runs, or before it is undone, is theirs: also when it has the name of something of ours."""
import os
import signal
import threading

import bed
from bed import eventually
from faults import Injector


class Meanwhile(bed.TestCase):
    needs = bed.BRIDGES

    def setUp(self):
        super().setUp()
        self.injector = Injector(self.bed.dir / 'faults')

    def start(self, text, **options):
        self.bed.write(text)
        self.bed.start(env=self.injector.environment, **options)

    def stopped(self):
        """Waits until the daemon stands before the message that it was armed for."""
        pid = self.bed.daemon.pid
        eventually(lambda: self.injector.stopped(pid))

    def go_on(self):
        os.kill(self.bed.daemon.pid, signal.SIGCONT)

    def apply_while(self, text, meanwhile, *args):
        """Applies, and does something when the first message is about to be sent. What netctl returns."""
        result = []
        self.bed.write(text)
        self.injector.arm(('stop', 1))
        thread = threading.Thread(target=lambda: result.append(self.bed.netctl('apply', *args)))
        thread.start()
        self.stopped()
        meanwhile()
        self.go_on()
        thread.join()
        return result[0]

    def make_bridge(self, name):
        self.bed.ip('link', 'add', name, 'type', 'bridge')
        self.bed.tap('tap0', master=name)
        return self.bed.links()[name]['ifindex']

    def assertTheirs(self, name, ifindex):
        links = self.bed.links()
        self.assertEqual(links[name]['ifindex'], ifindex)
        self.assertEqual(links['tap0'].get('master'), name)

    def test_nics_that_come_one_after_the_other_are_all_taken_in_by_one_change(self):
        b, names = self.bed, [f'p{i}' for i in range(8)]
        self.start('[daemon]\nboot_wait = 0s\n[bridge br0]\nports = ' + ' '.join(names) + '\n')
        b.nic(names[0])
        eventually(lambda: b.ports('br0') == names[:1] and b.at_rest())
        self.injector.arm()
        b.nic(names[1])
        eventually(lambda: b.ports('br0') == names[:2] and b.at_rest())
        each = len(self.injector.messages())
        self.injector.arm(('stop', 1))
        b.nic(names[2])
        for name in names[3:]:
            self.stopped()
            b.nic(name)
            self.injector.arm(('stop', each))
            self.go_on()
        self.stopped()
        self.injector.arm()
        self.go_on()
        eventually(lambda: b.ports('br0') == names and b.at_rest())

    def test_a_bridge_that_others_make_first_survives_the_rollback(self):
        made = []
        self.start('[bridge br1]\n')
        status, out, err = self.apply_while('[bridge br1]\n[bridge br5]\n', lambda: made.append(self.make_bridge('br5')))
        self.assertEqual(status, 1, out)
        self.assertIn('File exists', out + err)
        self.assertTheirs('br5', made[0])

    def test_a_bridge_that_others_make_first_at_boot_survives_the_end_of_its_section(self):
        self.injector.arm(('stop', 1))
        self.start('[bridge br5]\n', ready=False)
        self.stopped()
        ifindex = self.make_bridge('br5')
        self.go_on()
        self.bed.wait_notified('READY=1')
        self.bed.write('[bridge br1]\n')
        self.assertEqual(self.bed.netctl('apply')[0], 0)
        self.assertTheirs('br5', ifindex)

    def test_a_bridge_that_took_the_place_of_ours_survives_the_undo(self):
        self.start('[bridge br1]\n')
        self.bed.write('[bridge br1]\n[bridge br5]\n')
        self.assertEqual(self.bed.netctl('apply', '--confirm', '300')[0], 0)
        self.assertEqual(self.bed.netctl('hold', 'br5')[0], 0)
        self.bed.ip('link', 'del', 'br5')
        ifindex = self.make_bridge('br5')
        status, out, err = self.bed.netctl('rollback')
        self.assertEqual(status, 0, out + err)
        self.assertTheirs('br5', ifindex)

    def test_a_guest_that_joins_while_the_plan_runs_keeps_its_bridge(self):
        self.start('[bridge br1]\n')
        before = self.bed.links()['br1']['ifindex']
        status, out, err = self.apply_while('[bridge br2]\n', lambda: self.bed.tap('tap0', master='br1'))
        self.assertEqual(status, 1, out)
        self.assertIn('tap0 has become a port of it since the plan was made', out + err)
        self.assertTheirs('br1', before)
        self.assertNotIn('br2', self.bed.links())

    def test_force_deletes_a_bridge_with_such_a_guest(self):
        self.start('[bridge br1]\n')
        status, out, err = self.apply_while('[bridge br2]\n', lambda: self.bed.tap('tap0', master='br1'), '--force')
        self.assertEqual(status, 0, out + err)
        self.assertNotIn('br1', self.bed.links())
