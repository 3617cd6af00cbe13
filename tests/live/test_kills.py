# SPDX-License-Identifier: GPL-2.0-or-later
"""
The daemon is killed at random moments while it applies, waits for a confirmation, confirms, rolls back, starts or puts drift back.
What its next start leaves must be the whole old state or the whole new one, as `ip` and `bridge` show it (host_dump.py), and
status must say which.

SEED repeats a run (it is printed), MINUTES makes it longer: make soak takes 20.
"""
import os
import random
import threading
import time
from pathlib import Path

import bed
from host_dump import at_rest, differences, dump
from transitions import HOST

QUICK = '[daemon]\nprobe_timeout = 1s\n'

# With MACs: else they are those of the first ports they had, so that a state would not follow from its configuration alone.
BR0 = '[bridge br0]\nmac = 52:54:00:0b:00:00\n'
BR1 = '[bridge br1]\nmac = 52:54:00:0b:00:01\n'
BR2 = '[bridge br2]\nmac = 52:54:00:0b:00:02\n'
BOND = '[bond bond0]\nmac = 52:54:00:0b:00:03\n'
MANY = ''.join(f'address = 198.18.{n}.1/24\n' for n in range(20, 30))

# br0 is in all of them, so that its guest never needs --force.
BRIDGES = [
    f'{BR0}ports = eth0\n{HOST}[ethernet eth1]\naddress = 198.18.1.1/24\n',
    f'{BR0}ports = eth0 eth1\nstp_state = yes\nforward_delay = 2s\nageing_time = 40s\n{HOST}[ethernet eth2]\nmtu = 1400\n'
    '[port eth1]\npriority = 4\nisolated = yes\n[port vnet*]\nhairpin = yes\n',
    f'[ethernet eth0]\n{HOST}{BR0}address = 198.18.2.1/24\n{BR1}ports = eth1 eth2\nmtu = 1450\n',
    f'{BR0}ports = eth2\n{BR1}ports = eth0\n{HOST}{BR2}{MANY}',
]
ALL = BRIDGES[:3] + [
    f'{BOND}mode = active-backup\nports = eth0 eth1\n[vlan v10]\nparent = bond0\nid = 10\n{BR0}ports = v10\n{HOST}',
    f'{BOND}mode = balance-rr\nports = eth0\n{HOST}{BR0}ports = eth1 eth2\nvlan_filtering = yes\n'
    '[port eth1]\nvlans = 2-40 100\npvid = 7\n',
    f'{BR0}ports = v11\n[vlan v11]\nparent = eth1\nid = 11\nprotocol = 802.1ad\n'
    f'[vlan v10]\nparent = eth0\nid = 10\nmtu = 1400\n{HOST}{BOND}mode = 802.3ad\nports = eth2\n',
    f'{BOND}mode = balance-xor\nxmit_hash_policy = layer3+4\nports = eth1 eth2\n{BR1}ports = bond0\n[vlan br1.10]\nparent = br1\n'
    f'id = 10\n{BR0}ports = br1.10 eth0\n{HOST}[vlan br1.11]\nparent = br1\nid = 11\naddress = 198.18.11.1/24\n{BR2}ports = q\n'
    '[vlan q]\nparent = br1.11\nid = 7\n',
]

# What others have beside it, where nothing of it is ours to touch.
FOREIGN = """
link add theirs address 52:54:00:0c:00:01 up type bridge ageing_time 12300
link add their-bond address 52:54:00:0c:00:02 type bond mode 1
link set their-bond master theirs up
link add link their-bond name their-vlan up type vlan id 9
address add 198.51.100.1/24 dev their-vlan
route add 198.51.101.0/24 via 198.51.100.2 proto 66
route add 198.51.102.0/24 dev their-vlan table 77 proto 66
"""


class Kills(bed.TestCase):
    def begin(self, texts, foreign):
        b = self.bed
        seed = os.environ.get('SEED') or (random.SystemRandom().randrange(1 << 31) if os.environ.get('SOAK') else 5)
        self.random = random.Random(int(seed))
        print(f'    kills: SEED={seed}', flush=True)
        for which in ('all', 'default'):
            Path('/proc/sys/net/ipv6/conf', which, 'accept_dad').write_text('0')
        b.nics('eth0', 'eth1', 'eth2')
        for nic in ('eth0', 'eth1', 'eth2'):
            b.ip('link', 'set', nic, 'up')
        self.texts = [QUICK + text for text in texts]
        b.write(self.texts[0])
        b.start()
        b.tap('vnet0')
        b.ip('link', 'set', 'vnet0', 'down', 'address', '52:54:00:0a:00:01')
        b.ip('link', 'set', 'vnet0', 'master', 'br0', 'up')
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'cost', 55, 'learning', 'off')
        b.ip('address', 'add', '203.0.113.9/24', 'dev', 'vnet0')
        b.ip_batch(foreign)
        bed.eventually(lambda: not b.verify() and b.in_sync())
        self.current = 0
        self.known = {}  # what a configuration leads to: all that was seen after an apply of it
        self.took = [60.0] * len(texts)  # seconds for an apply of each, when nothing disturbs it
        for _ in range(2):
            for i in range(len(texts)):
                begun = time.monotonic()
                b.change(self.texts[i])
                self.took[i] = min(self.took[i], time.monotonic() - begun)
                self.current = i
                self.learn()

    def learn(self):
        """This is what the configuration leads to: it was applied without being disturbed."""
        shown = at_rest()
        if shown not in self.known.setdefault(self.current, []):
            self.known[self.current].append(shown)

    def call(self, method, **parameters):
        """From another thread, for the daemon may die of it. Errors are of no interest: the state is."""
        def run():
            try:
                self.bed.varlink(method, parameters)
            except (AssertionError, OSError, bed.VarlinkError):
                pass
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def kill_in(self, seconds):
        time.sleep(self.random.random() * seconds)
        self.bed.kill()

    def start_again(self):
        """Sometimes killed again before it is ready."""
        while self.random.random() < 0.3:
            self.bed.start(ready=False)
            self.kill_in(max(self.took))
        self.bed.start()

    def generation(self):
        return next(g['number'] for g in self.bed.varlink('History')['generations'] if g['current'])

    def disturb(self, how, new):
        """Begins something and returns the thread that waits for its end, or None."""
        b = self.bed
        if how == 'drift':
            b.ip(*self.random.choice([('link', 'del', 'br0'), ('link', 'set', 'br0', 'down'), ('route', 'del', 'default')]))
            return None
        if how == 'generation':
            number = self.generation()
            b.change(self.texts[new])
            return self.call('Rollback', generation=number)
        b.write(self.texts[new])
        if how == 'apply':
            return self.call('Apply')
        thread = self.call('Apply', confirm=600)
        if how == 'wait':
            return thread
        thread.join()
        return self.call('Confirm' if how == 'confirm' else 'Rollback')

    def which(self, allowed):
        """The one of these configurations whose state the kernel shows; waits for what the kernel does by itself."""
        deadline = time.monotonic() + bed.PATIENCE
        while True:
            shown = dump()
            found = [i for i in allowed if shown in self.known[i]]
            if found:
                return found[0]
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        nearest = min((differences(k, shown) for i in allowed for k in self.known[i]), key=len)
        self.fail('\n'.join(['neither old nor new:', *nearest]))

    def settle(self, how, new):
        """After the start: judges, and ends a confirmation that is still waited for one way or the other."""
        b, old = self.bed, self.current
        allowed = {old} if how == 'drift' else {old, new}
        if b.status()['daemon']['confirm']:
            self.assertEqual(self.which({new}), new, 'a confirmation is waited for')
            keep = self.random.random() < 0.5
            b.varlink('Confirm' if keep else 'Rollback')
            allowed = {new} if keep else {old}
        self.current = self.which(allowed)
        self.assertVerified()
        daemon = b.status()['daemon']
        self.assertTrue(daemon['in_sync'], daemon)
        if how in ('apply', 'confirm', 'undo', 'wait'):
            self.assertEqual(daemon['pending'], self.current == old, 'what status says is applied')
        self.tally[(how, self.current == old)] = self.tally.get((how, self.current == old), 0) + 1

    def run_rounds(self, texts, rounds, foreign=''):
        self.begin(texts, foreign)
        self.tally = {}
        minutes = float(os.environ.get('MINUTES') or (20 if os.environ.get('SOAK') else 0))
        end, number, right = time.monotonic() + 60 * minutes, 0, True
        while right and (time.monotonic() < end if minutes else number < rounds):
            number += 1
            new = self.random.choice([i for i in range(len(texts)) if i != self.current])
            how = self.random.choice(['apply', 'apply', 'apply', 'confirm', 'undo', 'wait', 'drift', 'generation'])
            with self.subTest(round=number, how=how, old=self.current, new=new):
                right = False
                self.round(how, new)
                right = True
        print(f'    kills: {sum(self.tally.values())} of {number} rounds right: '
              + ', '.join(f'{how} {n} {"old" if old else "new"}' for (how, old), n in sorted(self.tally.items())), flush=True)

    def round(self, how, new):
        thread = self.disturb(how, new)
        # The moments of a change that begins are the interesting ones.
        self.kill_in(self.took[self.current if how in ('drift', 'undo', 'generation') else new] * 1.1)
        if thread:
            thread.join()
        self.start_again()
        self.settle(how, new)

    @bed.needs(bed.BRIDGES)
    def test_with_bridges(self):
        self.run_rounds(BRIDGES, 15)

    def test_with_bonds_and_vlans(self):
        self.run_rounds(ALL, 8, FOREIGN)
