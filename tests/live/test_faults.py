# SPDX-License-Identifier: GPL-2.0-or-later
"""
All or as before: transitions between configurations, each with things of others around, and at their messages the kernel
refuses, or does a message by half, an answer is lost, or the daemon is killed. What `ip` and `bridge` show afterwards must be
what they showed before (or, when the change was committed before the kill, what they show after it).

Each transition is first made whole, which counts its messages. With SOAK every fault is tried at every message, or as many of them
for a transition as LIMIT says; else a sample in which each sort of message has one (make check runs that for some transitions:
test_fault_sample.py). SEED repeats a sample (it is printed). POINTS tries just these, such as POINTS=refuse:3,cut:5+refuse:1; TRACE makes the daemon log its steps.
"""
import itertools
import os
import random
import subprocess
import time
from pathlib import Path

import bed
from faults import CREATE, RTM_NEWLINK, SETLINK, SYSCTL, Injector, sort_name
from host_dump import at_rest, differences, dump
from transitions import BRIDGES, TRANSITIONS

# The same points at every check, others at every soak.
SEED = int(os.environ.get('SEED') or (random.SystemRandom().randrange(1 << 31) if os.environ.get('SOAK') else 3))

MISSED = 'the fault did not happen'

# How long what the kernel does by itself (carriers, link-local routes) may take after a change, on a machine that may stand still.
SETTLE = 20


class Transitions(bed.TestCase):
    """What a transition is tried with; has no tests of its own."""

    def setUp(self):
        super().setUp()
        self.injector = None
        self.failed = []
        self.shown = None  # the last dump
        self.made_before = set()
        self.spoiled = True  # the host is not as before the transition
        self.restarts = 0
        self.arguments = ['--verbose'] if os.environ.get('TRACE') else []

    def prepare(self, name):
        """A fresh host in the state before the transition, ready for a fault."""
        before, _after, others, _force = TRANSITIONS[name]
        if self.injector:
            self.injector.close()
            self.bed.close()
            self.bed = bed.Bed()
        b = self.bed
        self.injector = Injector(b.dir / 'faults')
        for which in ('all', 'default'):
            # Duplicate detection would make each look wait a second or two.
            Path('/proc/sys/net/ipv6/conf', which, 'accept_dad').write_text('0')
        b.nics('eth0', 'eth1', 'eth2')
        b.write(before)
        b.start(*self.arguments, env=self.injector.environment)
        self.others(others)
        # What the foreign things lead to is known before the next apply.
        bed.eventually(b.at_rest)
        b.write(TRANSITIONS[name][1])

    def others(self, lines):
        """In their order, each tool started once for those that follow each other."""
        for tool, group in itertools.groupby(self.commands(lines), key=lambda command: command[0]):
            bed.run(tool, '-batch', '-', text=''.join(f'{rest}\n' for _, rest in group))

    def commands(self, lines):
        """(tool, what it is told)"""
        mac = 0
        for line in lines:
            tool, rest = line.split(maxsplit=1)
            if tool == 'tap':
                mac += 1
                name, *master = rest.split()
                self.bed.open_tap(name)
                yield 'ip', f'link set {name} address 52:54:00:0a:00:{mac:02x} {"master " + master[0] if master else ""} up'
            else:
                yield tool, rest

    def same_as(self, *references):
        """Differences from the first reference, [] if it is one of them; waits for what the kernel does by itself."""
        deadline = time.monotonic() + SETTLE
        while True:
            self.shown = dump()
            if self.shown in references or time.monotonic() > deadline:
                return [] if self.shown in references else min((differences(r, self.shown) for r in references), key=len)
            time.sleep(0.3)

    def kept_wrong(self):
        """What the daemon knows otherwise than a dump shows, once the events of it have come: a carrier's takes up to a second."""
        deadline = time.monotonic() + SETTLE
        while True:
            wrong = self.bed.verify()
            if not wrong or time.monotonic() > deadline:
                return wrong
            time.sleep(0.3)

    def made(self):
        """The links that the daemon knows as its own making, and so deletes when they leave the configuration."""
        return {name for name, link in self.bed.status(every=True)['links'].items() if link['created']}

    def apply(self, name):
        """The error, or None."""
        try:
            self.bed.varlink('Apply', {'force': True} if TRANSITIONS[name][3] else {})
        except bed.VarlinkError as e:
            return e
        return None

    def survey(self, name):
        """Makes the transition without a fault. Returns (dump before, dump after, messages, changes of files)."""
        self.prepare(name)
        before = at_rest()
        self.made_before = self.made()
        self.injector.arm()
        error = self.apply(name)
        self.assertIsNone(error)
        messages, files = self.injector.messages(), self.injector.files()
        after = at_rest()
        self.assertEqual(self.injector.messages(), messages, 'messages after the apply')
        self.assertNotEqual(before, after, 'the transition changes nothing')
        self.assertTrue(self.bed.in_sync())
        return before, after, messages, files

    def points(self, name, messages, files):
        """What to try, a list of lists of (fault, n)."""
        if os.environ.get('POINTS'):
            return [[(f.rpartition(':')[0], int(f.rpartition(':')[2])) for f in p.split('+')]
                    for p in os.environ['POINTS'].split(',')]
        n = len(messages)
        link = [i for i in range(1, n + 1) if messages[i - 1] != SYSCTL]
        # By half: those of which the kernel does something before it refuses.
        half = [i for i in link if messages[i - 1] & 0xFFF in (RTM_NEWLINK, 17, 19) and not messages[i - 1] & CREATE
                and (messages[i - 1] & 0xFFF == RTM_NEWLINK or messages[i - 1] & SETLINK)]
        points = [[('refuse', i)] for i in range(1, n + 1)] + [[('half', i)] for i in half] + \
            [[('lose-ack', i)] for i in link] + [[('cut', i)] for i in range(n + 1)] + \
            [[('file', i)] for i in range(1, files + 1)]
        random_ = random.Random(f'{SEED} {name}')
        # A fault, and another on the way back, or in the start after a kill.
        for _ in range(4 * n):
            points.append([(random_.choice(['refuse', 'cut']), random_.randint(1, n)),
                           (random_.choice(['refuse', 'cut', 'lose-ack']), random_.randint(1, max(2, n // 2)))])
        if os.environ.get('SOAK'):
            limit = int(os.environ.get('LIMIT') or len(points))
            return random_.sample(points, min(limit, len(points)))
        sample, seen = [], set()
        random_.shuffle(points)
        for point in points:
            fault, at = point[0]
            sort = (fault if len(point) == 1 else 'two') if fault in ('file', 'half') or len(point) > 1 else \
                messages[max(at, 1) - 1]
            if sort not in seen or (fault == 'lose-ack' and fault not in seen):
                seen.update((sort, fault))
                sample.append(point)
        return sample

    def ensure_running(self):
        """After a kill: the next start finishes. A second fault may kill that one, too."""
        for _ in range(3):
            if not self.bed.daemon:
                self.restarts += 1
                self.bed.start(*self.arguments, env=self.injector.environment, ready=False)
            try:
                self.bed.wait_notified('READY=1')
                return
            except AssertionError as e:
                if self.bed.daemon:
                    raise
                if 'status -9' not in str(e):
                    raise
        raise AssertionError('killed again and again')

    def await_death_or_answer(self, name):
        """Applies; the error or None, or 'killed'."""
        try:
            return self.apply(name)
        except (AssertionError, OSError) as e:
            try:
                self.bed.daemon.wait(bed.PATIENCE)
            except subprocess.TimeoutExpired:
                raise e from None
            self.assertEqual(self.bed.daemon.returncode, -9, self.bed.log()[-3000:])
            self.bed.daemon = None
            return 'killed'

    def try_point(self, name, point, before, after):
        """Returns why it did not come back, or None. Leaves the host as before, or self.spoiled set."""
        fault = point[0][0]
        self.spoiled = False
        log_begin = self.bed.log_path.stat().st_size
        self.injector.arm(*point)
        result = self.await_death_or_answer(name)
        killed = result == 'killed'
        if killed:
            self.ensure_running()
        fired = self.injector.fired()
        if fired == 0:
            self.spoiled = result is None
            # Ports of guests are written down when nothing else is to do, before the change or after it.
            return MISSED if len(point) == 1 and fault != 'file' else None
        self.injector.arm()
        wrong = self.judge(point, result, fired, before, after)
        if wrong is None and not self.spoiled:
            kept = self.kept_wrong()
            if kept:
                wrong = f'the state that the daemon keeps is not what a dump shows: {kept}'
            elif self.made() != self.made_before:
                wrong = f'the daemon knows {self.made()} as made by it, and before {self.made_before}'
        if wrong:
            self.spoiled = True
            with open(self.bed.log_path, encoding='utf-8', errors='replace') as log:
                log.seek(log_begin)
                wrong += f'\n{fault} log:\n' + log.read()[-3000:]
        return wrong

    def judge(self, point, result, fired, before, after):
        """What the fault led to, against what it may lead to."""
        if result is None:
            # Only a lost answer may leave the change whole.
            wrong = self.same_as(after)
            self.spoiled = True
            if point[0][0] != 'lose-ack':
                return f'the apply succeeded; {wrong or "the kernel shows the new state"}'
            return '\n'.join(wrong) or None
        if result == 'killed':
            committed = self.same_as(before, after)
            if committed:
                return 'neither old nor new: ' + '\n'.join(committed)
            self.spoiled = self.shown != before
            applied = not self.bed.varlink('Status')['daemon']['pending']
            if applied != self.spoiled:
                return f'the kernel shows the {"new" if self.spoiled else "old"} state, and status the other as what is applied'
            return None
        if result.name != 'io.kvmnetd.Network.Refused':
            return f'the apply ended with {result}'
        wrong = self.same_as(before)
        if result.parameters['restored'] and wrong:
            return f'{result}\nit says "restored", and yet:\n' + '\n'.join(wrong)
        if not result.parameters['restored'] and fired == 1:
            return f'{result}\nit could not be restored' + '\n'.join([''] + wrong)
        if not result.parameters['restored']:
            # The way back was refused, too: told honestly, and what is left is for the next apply.
            self.spoiled = True
            return None if result.parameters['differences'] else f'{result}: not restored, and no word of what differs'
        return None

    def begin_again(self, name, before):
        """
        A fresh host as it was. What the kernel made of the moment at which a carrier came, such as the cost of a port whose speed
        is a bond's, stays: another try has it otherwise.
        """
        for _ in range(5):
            self.prepare(name)
            again = self.same_as(before)
            if not again:
                return
        self.fail(f'the same beginning leads to another state: {again}')

    def run_transition(self, name, part=0, parts=1):
        """All its points, or every parts-th of them, from the one of number `part`."""
        before, after, messages, files = self.survey(name)
        points = self.points(name, messages, files)[part::parts]
        self.spoiled = True
        tried = 0
        begun = time.monotonic()
        for tried, point in enumerate(points, 1):
            if self.spoiled:
                self.begin_again(name, before)
            wrong = self.try_point(name, point, before, after)
            at = point[0][1]
            sort = sort_name(messages[at - 1]) if point[0][0] != 'file' and 0 < at <= len(messages) else ''
            # Links go in groups as large as the time allows that the ones before took: not in as many messages each time.
            if wrong and (wrong, sort) != (MISSED, 'dellink'):
                words = '+'.join(f'{f}:{n}' for f, n in point)
                self.failed.append(f'{words} ({sort}): {wrong}')
                if len(self.failed) >= int(os.environ.get('FAILURES') or 3):
                    break
        print(f'points {name}{f".{part + 1}" if parts > 1 else ""}: {tried} tried, {len(self.failed)} did not come back; {len(messages)} messages, '
              f'{files} files; {self.restarts} restarts; {time.monotonic() - begun:.0f} s; SEED={SEED}', flush=True)
        self.assertEqual(self.failed, [], f'SEED={SEED}\n' + '\n\n'.join(self.failed))


def add_tests(case, names, parts=1):
    """A test for each of these transitions, or so many with a part of the points each."""
    for name, part in itertools.product(names, range(parts)):
        def test(self, name=name, part=part):
            self.run_transition(name, part, parts)
        test.cost = 20
        test.needs = bed.BRIDGES if name in BRIDGES else bed.ALL
        setattr(case, f'test_{name}' + (f'_{part + 1}' if parts > 1 else ''), test)


class Faults(Transitions):
    pass


# In parts, so that the transition with the most messages is not left alone at the end.
add_tests(Faults, TRANSITIONS, parts=3)
