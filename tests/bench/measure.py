#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs the bench's workloads in the machine it is started on, which is meant to be a guest (tests/bench/run): as root, with bonding,
8021q, bridge and dummy, and no link of the names it uses.

    measure.py --bin DIR --out FILE [--sizes 10,100,1000] [--rounds 3] [--limit SECONDS] [--tools floor,ip,kvmnetd]
               [--stack vlans] [--cell-limit 600] [--brief]

Other tools are those of peers.py. A size may have rounds of its own: 10:2,4000:1. The
stacks are those of stacks.py; floor can make `vlans` only.

A round that would not end within the limit, going by the one before it, is not begun; the first of each size always is. A tool that
did not finish a size has a cell "failed" there, and is left out from then on.

DIR has kvmnetd, netctl and floor. FILE becomes JSON: {"kernel", "stack", "udevd", "cells": [{"work", "n", "tool", "round", "seconds",
...}], "differences": [...]}, which table.py reads; it is written after every tool. README.md says what each workload is.
"""
import argparse
import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import peers  # noqa: E402
from stacks import EXTRA, NAMES, STACKS  # noqa: E402

CELL_LIMIT = 600  # seconds
IP = shutil.which('ip')
UNIT = Path(__file__).parents[2] / 'systemd' / 'kvmnetd.service'
NICE = int(re.search(r'^Nice=(.*)', UNIT.read_text(), re.MULTILINE)[1])  # what the daemon has on every host


class Clock:
    """Seconds from entering the block to leaving it."""

    def __enter__(self):
        self.begin = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.begin


class Bench:
    def __init__(self, args, directory):
        self.bin, self.stack, self.limit, self.brief = args.bin.resolve(), STACKS[args.stack](), args.cell_limit, args.brief
        self.directory = directory
        self.cells, self.states = [], []
        self.n = self.round = None

    def note(self, work, tool, seconds=None, **more):
        cell = {'work': work, 'n': self.n, 'tool': tool, 'round': self.round, 'seconds': seconds, **more}
        self.cells.append(cell)
        shown = '' if seconds is None else f'{seconds:9.3f} s'
        rest = ' '.join(f'{key} {value}' for key, value in more.items())
        print(f'  round {self.round}  N {self.n:5}  {tool:8} {work:12} {shown} {rest}', flush=True)

    def run(self, *command, **more):
        with Clock() as clock:
            done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                  timeout=self.limit, check=False, **more)
        if done.returncode:
            raise RuntimeError(f'{command}: exit status {done.returncode}: {done.stderr[-500:]}')
        return clock.seconds

    def batch(self, lines):
        path = self.directory / 'batch'
        path.write_text(''.join(line + '\n' for line in lines))
        return self.run(IP, '-batch', path)

    def time(self, work, tool, *command):
        self.note(work, tool, self.run(*command))


def links(*arguments):
    output = subprocess.run([IP, '-j', *arguments], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output or '[]')


def count(pattern, *arguments):
    output = subprocess.run([IP, *arguments], stdout=subprocess.PIPE, check=True).stdout
    return len(re.findall(pattern, output, re.MULTILINE))


def settle(b):
    """Waits for what is done later without being asked: carriers, then the bridges' link-local addresses, udevd's work."""
    deadline = time.monotonic() + 120 + b.n / 10
    while b.stack.carrier and count(rb'^\d+: br\d+ .* fe80::\S+/64 scope link ', '-6', '-o', 'addr', 'show', '-tentative') < b.n:
        if time.monotonic() > deadline:
            raise RuntimeError('the bridges do not get their link-local addresses')
        time.sleep(0.5)
    # VLANs get theirs from below; a bridge without ports has none, and is told so within a second.
    unsettled = rb'^\d+: \S+\.\d+@.* state UNKNOWN ' if b.stack.carrier else rb'^\d+: br\d+: .* state UNKNOWN '
    while count(unsettled, '-o', 'link') > 0 and time.monotonic() < deadline:
        time.sleep(0.5)
    wait_for_udevd()


def wait_for_udevd():
    """What udevd still has to do for the step before is no part of the next."""
    if udevd_runs():
        subprocess.run(['udevadm', 'settle', '--timeout', str(CELL_LIMIT)], check=False)


def state():
    """What the tools must agree on, as the kernel shows it, by name."""
    result = {}
    for l in links('-d', 'link', 'show'):
        if l['ifname'] == 'lo':
            continue
        info = l.get('linkinfo', {})
        data = info.get('info_data', {})
        result[l['ifname']] = {
            'kind': info.get('info_kind'), 'master': l.get('master'), 'parent': l.get('link'), 'up': 'UP' in l['flags'],
            'operstate': l['operstate'], 'mac': l['address'], 'mtu': l['mtu'], 'id': data.get('id'), 'mode': data.get('mode'),
            'miimon': data.get('miimon')}
    for l in links('addr', 'show'):
        if l['ifname'] in result:
            # Ports have link-local addresses after `ip`, and nothing that uses them.
            result[l['ifname']]['addresses'] = sorted(f"{a['local']}/{a['prefixlen']} {a['scope']}" for a in l['addr_info']
                                                      if not ('master' in l and a['scope'] == 'link'))
    return result


class Stall:
    """The longest wait of somebody else for the rtnl lock while the block runs, and what 99 % of them were shorter than, in ms."""

    def __init__(self, bench):
        self.floor = bench.bin / 'floor'

    def __enter__(self):
        self.process = subprocess.Popen([self.floor, 'stall'], stdout=subprocess.PIPE, text=True)
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.longest, self.most = (float(word) for word in (self.process.communicate()[0] or 'nan nan').split())


def measure_floor(b):
    b.time('bring-up', 'floor', b.bin / 'floor', 'up', b.n)
    settle(b)
    remember_state(b, 'floor')
    for _ in range(3):
        b.time('dump', 'floor', b.bin / 'floor', 'dump')
    with Stall(b) as stall:
        seconds = b.run(b.bin / 'floor', 'down', b.n)
    b.note('remove-all', 'floor', seconds, stall=stall.longest, stall99=stall.most)


def attach_taps(b, *more):
    """Seconds for the stack's foreign taps to be made and attached; more: commands for each."""
    taps = b.stack.taps(b.n)
    b.batch([f'tuntap add dev {tap} mode tap' for tap in taps])
    return b.batch([line.format(tap=tap, bridge=bridge) for tap, bridge in taps.items()
                    for line in ('link set {tap} master {bridge} up', *more)])


def measure_ip(b):
    parts = range(1, b.n + 1)
    b.note('bring-up', 'ip', b.batch(b.stack.begin() + [line for i in parts for line in b.stack.create(i)]))
    settle(b)
    remember_state(b, 'ip')
    if b.stack.taps(b.n):
        b.note('taps-join', 'ip', attach_taps(b, 'link set {tap} type bridge_slave hairpin on'))
    b.time('status', 'ip', IP, '-d', '-j', 'link')
    b.note('add-one', 'ip', b.batch(b.stack.create(EXTRA)))
    b.note('remove-one', 'ip', b.batch(b.stack.delete(EXTRA)))
    b.note('change-all', 'ip', b.batch([f'link set br{i} type bridge ageing_time 20000' for i in parts]))
    with Stall(b) as stall:
        seconds = b.batch([line for i in parts for line in b.stack.delete(i)] + b.stack.end())
    b.note('remove-all', 'ip', seconds, stall=stall.longest, stall99=stall.most)


class Daemon:
    def __init__(self, b):
        self.b = b
        self.directory = Path(tempfile.mkdtemp(dir=b.directory))
        self.config = self.directory / 'config'
        self.config.mkdir()
        self.process = None

    def start(self):
        """Seconds from exec to READY=1."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, open(self.directory / 'log', 'ab') as log:
            path = self.directory / 'notify'
            path.unlink(missing_ok=True)
            notify.bind(str(path))
            with Clock() as clock:
                self.process = subprocess.Popen(
                    [self.b.bin / 'kvmnetd', '--config-dir', self.config, '--runtime-dir', self.directory / 'run',
                     '--state-dir', self.directory / 'state'],
                    stderr=log, env={**os.environ, 'NOTIFY_SOCKET': str(path)}, preexec_fn=lambda: os.nice(NICE))
                self._wait_ready(notify)
        return clock.seconds

    def _wait_ready(self, notify):
        deadline = time.monotonic() + self.b.limit
        while time.monotonic() < deadline:
            if select.select([notify], [], [], 1)[0] and b'READY=1' in notify.recv(4096):
                return
            if self.process.poll() is not None:
                break
        raise RuntimeError('kvmnetd is not ready: ' + (self.directory / 'log').read_text()[-1000:])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def netctl(self, *arguments):
        return self.b.run(self.b.bin / 'netctl', '--socket', self.directory / 'run' / 'kvmnetd.sock', *arguments)

    def usage(self):
        """Resident KiB, peak KiB, and processor seconds so far."""
        status = Path(f'/proc/{self.process.pid}/status').read_text()
        stat = Path(f'/proc/{self.process.pid}/stat').read_text().rsplit(')', 1)[1].split()
        ticks = int(stat[11]) + int(stat[12])
        return {'rss': int(re.search(r'VmRSS:\s+(\d+)', status)[1]), 'peak': int(re.search(r'VmHWM:\s+(\d+)', status)[1]),
                'cpu': round(ticks / os.sysconf('SC_CLK_TCK'), 2)}

    def wakeups(self):
        """How often it was put to sleep by itself so far."""
        status = Path(f'/proc/{self.process.pid}/status').read_text()
        return int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', status, re.MULTILINE)[1])


def write_config(b, d, *bridge_lines):
    lines = b.stack.head() + [line for i in range(1, b.n + 1) for line in b.stack.sections(i, *bridge_lines)]
    (d.config / 'stack.ini').write_text('\n'.join(lines) + '\n')


def join_taps(b):
    """Seconds until the daemon has seen to all of them."""
    attached = attach_taps(b)
    with Clock() as clock:
        while not all(Path(f'/sys/class/net/{tap}/brport/hairpin_mode').read_text() == '1\n' for tap in b.stack.taps(b.n)):
            assert time.monotonic() < clock.begin + b.limit
            time.sleep(0.2)
    return attached + clock.seconds


def measure_kvmnetd(b):
    with contextlib.closing(Daemon(b)) as d:
        run_kvmnetd(b, d)


def run_kvmnetd(b, d):
    write_config(b, d)
    seconds = d.start()
    b.note('bring-up', 'kvmnetd', seconds, **d.usage())
    settle(b)
    remember_state(b, 'kvmnetd')
    if b.stack.taps(b.n):
        b.note('taps-join', 'kvmnetd', join_taps(b), **d.usage())
    if not b.brief:
        measure_rest(b, d)
    b.time('check', 'kvmnetd', b.bin / 'netctl', 'check', d.config)
    for _ in range(3):
        b.note('unchanged', 'kvmnetd', d.netctl('apply'))
    for _ in range(2):
        b.note('status', 'kvmnetd', d.netctl('status'))
        b.note('status-json', 'kvmnetd', d.netctl('status', '--json'))
    (d.config / 'extra.ini').write_text('\n'.join(b.stack.sections(EXTRA)) + '\n')
    b.note('add-one', 'kvmnetd', d.netctl('apply'))
    (d.config / 'extra.ini').unlink()
    b.note('remove-one', 'kvmnetd', d.netctl('apply'))
    write_config(b, d, 'ageing_time = 200s')
    b.note('change-all', 'kvmnetd', d.netctl('apply'), **d.usage())
    d.stop()
    b.note('restart', 'kvmnetd', d.start(), **d.usage())
    (d.config / 'stack.ini').write_text('')
    with Stall(b) as stall:
        seconds = d.netctl(*b.stack.remove)
    b.note('remove-all', 'kvmnetd', seconds, stall=stall.longest, stall99=stall.most, **d.usage())
    d.stop()
    if b.round == 1:
        shutil.copy(d.directory / 'log', b.directory / f'kvmnetd-{b.n}.log')


def measure_rest(b, d):
    time.sleep(2)
    b.note('at-rest', 'kvmnetd', **rest(d, 10))
    # udevd works on them for ten times as long.
    b.note('taps', 'kvmnetd', **storm(b, d, 3 if udevd_runs() else 10))
    wait_for_udevd()


def rest(d, seconds):
    """Wake-ups and processor seconds for each minute while nothing happens."""
    before, begin = d.wakeups(), d.usage()
    time.sleep(seconds)
    return {'wakeups': (d.wakeups() - before) * 60 // seconds, 'rss': begin['rss'],
            'cpu': round((d.usage()['cpu'] - begin['cpu']) * 60 / seconds, 2)}


def storm(b, d, seconds):
    """The same while foreign taps come and go: 1,000 a second, or as many as this machine can make."""
    before, begin = d.wakeups(), d.usage()
    taps = subprocess.run([b.bin / 'floor', 'taps', str(seconds), '1000'], stdout=subprocess.PIPE, check=True, text=True)
    time.sleep(1)
    return {'wakeups': (d.wakeups() - before) * 60 // seconds, 'taps': int(taps.stdout) // seconds,
            'cpu': round((d.usage()['cpu'] - begin['cpu']) * 60 / seconds, 2)}


def remember_state(b, tool):
    """Once per size: it costs more than what is measured."""
    if b.round == 1:
        b.states.append((b.n, tool, state()))


def differences(states):
    """Lines about what differs from what `ip` left, for each size and tool."""
    result = []
    for n, tool, found in states:
        wanted = next((s for m, t, s in states if (m, t) == (n, 'ip')), found)
        for name in sorted(set(found) | set(wanted)):
            a, b = found.get(name, {}), wanted.get(name, {})
            result += [f'N {n}: {name}: {key} is {a.get(key)} after {tool}, {b.get(key)} after ip'
                       for key in sorted(set(a) | set(b)) if a.get(key) != b.get(key)]
    return result


TOOLS = [('floor', measure_floor), ('ip', measure_ip), ('kvmnetd', measure_kvmnetd), *peers.TOOLS]


def clear():
    """Removes the ports, and what a tool left: one that did not finish, or networkd, which deletes nothing by itself."""
    subprocess.run([IP, 'link', 'del', 'bond0'], check=False, stderr=subprocess.DEVNULL)
    left = [l['ifname'] for l in links('link') if re.fullmatch(NAMES, l['ifname'])]
    if left:
        text = ''.join(f'link set {name} group 77\n' for name in left)
        subprocess.run([IP, '-batch', '-'], input=text, text=True, check=False)
        subprocess.run([IP, 'link', 'del', 'group', '77'], check=False)


def measure_round(b, tools, save):
    """The names of the tools that did not finish."""
    # Each tool is the first of a round once, so that none always runs in the same place.
    first = b.round % len(tools)
    failed = []
    for name, function in tools[first:] + tools[:first]:
        if name.removesuffix('-reload') in failed:
            continue
        b.batch(b.stack.ports(b.n))
        wait_for_udevd()
        try:
            function(b)
        except (RuntimeError, subprocess.SubprocessError) as e:
            b.note('failed', name, why=str(e)[:500])
            failed.append(name)
        clear()
        save()
    return failed


def measure(b, args, save):
    """The names of the tools that did not finish some size."""
    tools = [(name, function) for name, function in TOOLS if name in args.tools.split(',')]
    end = time.monotonic() + args.limit
    gone = []
    for size in args.sizes.split(','):
        n, _, rounds = size.partition(':')
        b.n, took = int(n), 0
        for b.round in range(1, int(rounds or args.rounds) + 1):
            if b.round > 1 and time.monotonic() + took > end:
                print(f'  N {b.n}: {b.round - 1} rounds, no time for more', flush=True)
                break
            with Clock() as clock:
                gone += measure_round(b, [tool for tool in tools if tool[0].removesuffix('-reload') not in gone], save)
            took = clock.seconds
    return gone


def udevd_runs():
    return Path('/run/udev/control').exists()


def load_drivers():
    """Before the clock runs: the first link of a kind loads its driver."""
    subprocess.run(['modprobe', 'tun'], check=False)
    for kind in ('dummy', 'bond', 'bridge'):
        subprocess.run([IP, 'link', 'add', 'x0', 'type', kind], check=True)
        if kind == 'dummy':
            subprocess.run([IP, 'link', 'add', 'link', 'x0', 'name', 'x0.1', 'type', 'vlan', 'id', '1'], check=True)
        subprocess.run([IP, 'link', 'del', 'x0'], check=True)
    with contextlib.suppress(FileNotFoundError):
        Path('/sys/class/net/bonding_masters').read_text()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', type=Path, required=True)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--sizes', default='10,100,1000')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--limit', type=float, default=1e9)
    parser.add_argument('--cell-limit', type=float, default=CELL_LIMIT)
    parser.add_argument('--stack', default='vlans', choices=STACKS)
    parser.add_argument('--brief', action='store_true', help='without the rest and the foreign taps that come and go')
    parser.add_argument('--tools', default='floor,ip,kvmnetd')
    args = parser.parse_args()
    for name in args.tools.split(','):
        if name in peers.PEERS:
            peers.PEERS[name]().stop()
    with tempfile.TemporaryDirectory() as directory:
        b = Bench(args, Path(directory))
        load_drivers()
        begin = time.monotonic()

        def save():
            args.out.write_text(json.dumps({
                'kernel': os.uname().release, 'stack': args.stack, 'cpus': os.cpu_count(), 'udevd': udevd_runs(), 'date': time.strftime('%Y-%m-%d'),
                'took': round(time.monotonic() - begin), 'cells': b.cells, 'differences': differences(b.states)}))
            for log in Path(directory).glob('*.log'):
                shutil.copy(log, args.out.parent / log.name)

        gone = measure(b, args, save)
    differ = differences(b.states)
    for line in differ[:20]:
        print('NOT THE SAME:', line)
    return 0 if set(gone).isdisjoint(['floor', 'ip', 'kvmnetd']) and not differ else 1


if __name__ == '__main__':
    sys.exit(main())
