# SPDX-License-Identifier: GPL-2.0-or-later
"""The configurations that were applied: kept, gone back to, and what a boot or a start makes of them when something fails."""
import shutil
import subprocess
import time

import bed
from faults import Injector
from host_dump import dump
from way_back import BRIDGE, NIC, Case


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


class Boot(Case):
    def test_what_the_kernel_refuses_at_boot_is_left_out_and_the_rest_comes_up(self):
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
        # Nothing was applied before that could run instead.
        shutil.rmtree(b.state / 'generations')
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
        self.assertIn('STATUS=degraded: ', '\n'.join(b.notified))
        self.assertIn('br1', ' '.join(b.notified))
        b.apply()
        self.assertEqual(b.ports('br1'), ['eth1'])
        self.assertEqual(self.problems(), '')

    def test_files_of_a_boot_that_the_kernel_refuses_lead_to_the_last_generation(self):
        self.begin(BRIDGE)
        b = self.reboot()
        edited = BRIDGE + 'mtu = 1400\n[bridge br1]\nports = eth1\n'
        b.write(edited)
        b.nics('eth0', 'eth1')
        injector = Injector(b.dir / 'faults')
        self.addCleanup(injector.close)
        injector.arm(('refuse', 2))
        b.start(env=injector.environment)
        self.assertEqual(injector.fired(), 1)
        self.assertEqual(b.ports('br0'), ['eth0'])
        self.assertEqual(b.addresses('br0'), ['192.0.2.10/24'])
        self.assertEqual((b.link('br0')['mtu'], b.link('br1')), (1500, {}))
        self.assertEqual(b.status()['daemon']['state'], 'degraded')
        self.assertIn('do not come up', self.problems())
        self.assertIn('STATUS=degraded: ', '\n'.join(b.notified))
        self.assertIn('degraded: 1 problem', b.log())
        self.assertEqual((b.config / 'host.ini').read_text(), edited)
        # A restart resumes that, and says so still; an apply tries the files again.
        b.restart()
        self.assertEqual(b.link('br1'), {})
        self.assertIn('do not come up', self.problems())
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
        b.restart()
        self.assertIn('do not check', self.problems())
        # The generation that runs stays the same; what a boot had to say is over with any apply.
        b.apply(BRIDGE)
        self.assertEqual(self.problems(), '')
        b.restart()
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
            current = states.index(bed.eventually(lambda: (shown := dump()) in states and shown))
            self.assertTrue(b.in_sync())
