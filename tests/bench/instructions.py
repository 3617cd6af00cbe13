#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
How many instructions each step costs the daemon: tests/bench/instructions.py --bin DIR [--keep DIR] [N...] (default: 100 1000 4000).
They do not depend on what else the machine does. kvmnetd runs under valgrind's callgrind, in a network namespace on the running
kernel, with N bridges that have a veth port and an address each. As root. Prints a table; README.md says how to read it. --keep: the
profiles stay there, for callgrind_annotate. --limit: what is not counted by then is left out. Removing all of more than --remove-max
bridges is left out as well: it waits for the kernel's grace periods most of the time.

Exit status: 1 when a step grows faster than N log N from one N to the next.
"""
import argparse
import ctypes
import json
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
# Reading and checking the files, and letting go of what was read before: what `netctl check` does as well.
FILES = ('config_files_read_dir', 'config_files_digest', 'config_parse', 'config_changes', 'config_files_done', 'config_free')
STEPS = [('start', 'start to ready'), ('unchanged', 'apply again, unchanged'), ('add-one', 'apply, one more bridge'),
         ('remove-one', 'apply, one less'), ('status', 'status of all'), ('change-all', 'one option changed on all'),
         ('remove-all', 'remove all')]
APART = ('add-one', 'remove-one')
# What a step may grow by beyond N log N: reads of the kernel fall into one step or the next.
SLACK = 1.25
PATIENCE = 1200


def section(i, *lines):
    return '\n'.join([f'[bridge br{i}]', f'ports = v{i}', f'address = 10.{i >> 8}.{i & 255}.1/24', *lines, ''])


def ip(*arguments, text=None):
    return subprocess.run(['ip', *arguments], input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


class Daemon:
    """Under callgrind, with a directory of its own."""

    def __init__(self, bin_dir, directory, n):
        self.bin, self.n, self.directory = bin_dir, n, directory
        self.config, self.profiles = directory / 'config', directory / 'profiles'
        self.config.mkdir(parents=True)
        self.profiles.mkdir()
        self.log = directory / 'log'
        self.process = None

    def start(self):
        with open(self.log, 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen(
                ['valgrind', '-q', '--tool=callgrind', f'--callgrind-out-file={self.profiles}/out', self.bin / 'kvmnetd',
                 '--config-dir', self.config, '--runtime-dir', self.directory / 'run', '--state-dir', self.directory / 'state'],
                stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while 'ready' not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.2)
        self.dump('start')

    def rest(self, quarters=6):
        """Until it sleeps for so many quarters of a second: what follows a step belongs to it."""
        used, still = None, 0
        while still < quarters:
            time.sleep(0.25)
            stat = Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
            now = (stat[11], stat[12])
            still = still + 1 if now == used else 0
            used = now

    def dump(self, step):
        self.rest()
        subprocess.run(['callgrind_control', '-d', step, str(self.process.pid)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def netctl(self, step, *arguments):
        done = subprocess.run([self.bin / 'netctl', '--socket', self.directory / 'run' / 'kvmnetd.sock', *arguments],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f'{step}: {done.stderr}'
        self.dump(step)

    def write(self, *lines):
        (self.config / 'all.ini').write_text(''.join(section(i, *lines) for i in range(1, self.n + 1)))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def counts(profile):
    """Instructions of all, and of reading and checking the files."""
    text = subprocess.run(['callgrind_annotate', '--auto=no', '--inclusive=yes', '--threshold=100', '--show-percs=no', profile],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    total = int(re.search(r'^\s*([\d,]+)\s+PROGRAM TOTALS', text, re.MULTILINE)[1].replace(',', ''))
    files = {}
    for found in re.finditer(r'^\s*([\d,]+)\s+\S+:(\w+)', text, re.MULTILINE):
        # Where something is inlined into it, a function has lines for other files besides.
        if found[2] in FILES:
            files.setdefault(found[2], int(found[1].replace(',', '')))
    assert step_of(profile) != 'add-one' or set(files) == set(FILES), f'of {FILES}, there are {list(files)}: has one another name now?'
    return total, sum(files.values())


def step_of(profile):
    found = re.search(r'^desc: Trigger: .*?([\w-]+)$', profile.read_text(errors='replace')[:4000], re.MULTILINE)
    return found[1] if found else None


def take_step(d, step):
    extra, every = d.config / 'extra.ini', d.config / 'all.ini'
    if step == 'add-one':
        extra.write_text(section(d.n + 1))
    elif step == 'remove-one':
        extra.unlink()
    elif step == 'change-all':
        d.write('ageing_time = 200s')
    elif step == 'remove-all':
        every.write_text('')
    d.netctl(step, 'status' if step == 'status' else 'apply')


def measure(bin_dir, directory, n, steps):
    """{step: (all, files)}"""
    ip('-batch', '-', text=''.join(f'link add v{i} type veth peer name w{i}\n' for i in range(1, n + 2)))
    d = Daemon(bin_dir, directory, n)
    d.write()
    d.start()
    # The kernel goes on telling of thousands of new links for a while.
    d.rest(20)
    d.dump('settled')
    for step in steps:
        take_step(d, step)
    d.stop()
    return {step_of(p): counts(p) for p in d.profiles.iterdir() if step_of(p)}


def in_namespace(limit, function, *arguments):
    """In a process of its own, whose links and children go with it. None: not done in so many seconds."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        os.write(write, json.dumps(function(*arguments)).encode())
        os._exit(0)
    os.close(write)
    done = select.select([read], [], [], max(limit, 0))[0]
    if not done:
        os.killpg(pid, signal.SIGKILL)
    with os.fdopen(read, encoding='utf-8') as f:
        text = f.read()
    os.waitpid(pid, 0)
    assert text or not done, 'failed'
    return json.loads(text) if text else None


def row(*cells):
    print('| ' + ' | '.join(str(c) for c in cells) + ' |')


def millions(number):
    return f'{number / 1e6:.1f}' if number < 1e7 else f'{number / 1e6:.0f}'


def print_table(found):
    sizes = sorted(found)
    row('step, millions of instructions', *(f'N = {n}' for n in sizes))
    row(*['---'] * (len(sizes) + 1))
    for step, title in STEPS:
        cells = [found[n].get(step) for n in sizes]
        if any(cells):
            row(title, *(millions(c[0]) if c else '-' for c in cells))
        if any(cells) and step in APART:
            row('of that, all but reading and checking the files', *(millions(c[0] - c[1]) if c else '-' for c in cells))


def grows_too_fast(found):
    sizes, result = sorted(found), False
    for a, b in zip(sizes, sizes[1:]):
        allowed = b * math.log(b) / (a * math.log(a))
        for step, title in STEPS:
            if step not in found[a] or step not in found[b]:
                continue
            grown = found[b][step][0] / found[a][step][0]
            if grown > allowed * SLACK:
                print(f'\nFROM N = {a} TO {b}, "{title}" GROWS BY {grown:.1f}; N log N by {allowed:.1f}')
                result = True
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', type=Path, required=True)
    parser.add_argument('--keep', type=Path)
    parser.add_argument('--limit', type=float, default=1e6, help='seconds')
    parser.add_argument('--remove-max', type=int, default=1000)
    parser.add_argument('--steps', default=','.join(step for step, _ in STEPS[1:]))
    parser.add_argument('sizes', nargs='*', type=int, default=[100, 1000, 4000])
    args = parser.parse_args()
    directory = args.keep or Path(tempfile.mkdtemp())
    found, end = {}, time.monotonic() + args.limit
    for n in args.sizes:
        begun = time.monotonic()
        steps = [step for step in args.steps.split(',') if step != 'remove-all' or n <= args.remove_max]
        counted = in_namespace(end - begun, measure, args.bin.resolve(), (directory / str(n)).resolve(), n, steps)
        print(f'  N = {n}: {time.monotonic() - begun:.0f} s{"" if counted else ", not done in time"}', file=sys.stderr, flush=True)
        if not counted:
            break
        found[n] = counted
    if not args.keep:
        shutil.rmtree(directory)
    print_table(found)
    return 1 if grows_too_fast(found) else 0


if __name__ == '__main__':
    sys.exit(main())
