# SPDX-License-Identifier: GPL-2.0-or-later
"""The bed itself: a test that would pass on a bed that is not there proves nothing."""
import bed


class Bed(bed.TestCase):
    def test_a_host_comes_up_and_its_writes_are_counted(self):
        b = self.bed
        mac = b.nic('eth0')
        b.tap('vnet0')
        b.write('[bridge br0]\nports = eth0\naddress = 192.0.2.1/24\n')
        b.start()
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.link('br0')['address'], mac)
        self.assertEqual(b.addresses('br0'), ['192.0.2.1/24'])
        self.assertEqual(b.sysfs('br0', 'bridge/stp_state'), '0')
        self.assertGreater(len(b.sent()), 3)
        self.assertSettled()
        b.restart()
        self.assertEqual(b.sent(), [])
        b.ip('link', 'set', 'eth0', 'nomaster')
        bed.eventually(lambda: b.ports('br0') == ['eth0'])
        self.assertGreater(len(b.sent()), 0)
