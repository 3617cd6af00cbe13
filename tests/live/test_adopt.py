# SPDX-License-Identifier: GPL-2.0-or-later
"""Links that others made: ours to change, and with `adopt = yes` ours to delete."""
import bed


class Adoption(bed.TestCase):
    needs = bed.BRIDGES
    def begin(self, files):
        """A bridge of somebody else is there before the daemon starts."""
        b = self.bed
        b.nic('eth0')
        b.ip('link', 'add', 'br0', 'address', '52:54:00:00:00:99', 'type', 'bridge')
        b.write(files)
        b.start()
        return b

    def test_bridge_that_was_taken_over_stays_and_one_that_was_adopted_goes(self):
        b = self.begin('[bridge br0]\nports = eth0\n')
        b.apply('')
        self.assertEqual(b.link('br0')['address'], '52:54:00:00:00:99')
        b.apply('[bridge br0]\nports = eth0\nadopt = yes\n')
        self.assertEqual(b.link('br0')['address'], '52:54:00:00:00:99')
        self.assertSettled()
        b.apply('')
        self.assertEqual(b.link('br0'), {})

    def test_adoption_needs_no_other_change_and_outlives_the_daemon(self):
        b = self.begin('[bridge br0]\nports = eth0\n')
        b.sent()
        b.apply('[bridge br0]\nports = eth0\nadopt = yes\n')
        self.assertEqual(b.sent(), [])
        b.kill()
        b.start()
        self.assertTrue(b.status()['links']['br0']['created'])
        b.apply('')
        self.assertEqual(b.link('br0'), {})

    def test_adoption_at_the_start(self):
        b = self.begin('[bridge br0]\nports = eth0\nadopt = yes\n')
        b.kill()
        b.start()
        b.apply('')
        self.assertEqual(b.link('br0'), {})
