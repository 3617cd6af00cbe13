#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Runs the bench's workloads in the machine it is started on, which is meant to be a guest (tests/bench/run): as root, with bonding,
8021q, bridge and dummy, and no link of the names it uses.

    measure.py --bin DIR --out FILE [--sizes 10,100,1000] [--rounds 3] [--limit SECONDS] [--tools floor,ip,kvmnetd]

Other tools are those of peers.py.

A round that would not end within the limit, going by the one before it, is not begun; the first of each size always is.

DIR has kvmnetd, netctl and floor. FILE becomes JSON: {"kernel", "udevd", "cells": [{"work", "n", "tool", "round", "seconds",
...}], "differences": [...]}, which table.py reads; it is written after every round. README.md says what each workload is.
"""
import argparse
import contextlib
import functools
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

MACS = {'d0': '52:54:00:be:0c:00', 'd1': '52:54:00:be:0c:01'}
CELL_LIMIT = 600  # seconds
IP = shutil.which('ip')
EXTRA = 4001  # the VLAN that is added and removed
UNIT = Path(__file__).parents[2] / 'systemd' / 'kvmnetd.service'
NICE = int(re.search(r'^Nice=(.*)', UNIT.read_text(), re.MULTILINE)[1])  # what the daemon has on every host


def address(i):
    return f'10.{i >> 8}.{i & 255}.1/24'


class Clock:
    """Seconds from entering the block to leaving it."""

    def __enter__(self):
        self.begin = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.begin


class Bench:
    def __init__(self, bin_dir, directory):
        self.bin, self.directory = bin_dir, directory
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
                                  timeout=CELL_LIMIT, check=False, **more)
        if done.returncode:
            raise RuntimeError(f'{command}: exit status {done.returncode}: {done.stderr[-500:]}')
        return clock.seconds

    def batch(self, lines):
        path = self.directory / 'batch'
        path.write_text(''.join(line + '\n' for line in lines))
        return self.run(IP, '-batch', path)

    def time(self, work, tool, *command):
        self.note(work, tool, self.run(*command))


def udevd_runs():
    return Path('/run/udev/control').exists()


def wait_for_udevd():
    """Until it is through with what was measured before, so that the next does not pay for that."""
    if udevd_runs():
        subprocess.run(['udevadm', 'settle', '--timeout=120'], check=False)


def make_ports():
    for name, mac in MACS.items():
        subprocess.run([IP, 'link', 'add', name, 'address', mac, 'type', 'dummy'], check=True)
    wait_for_udevd()


def remove_ports():
    for name in MACS:
        if Path('/sys/class/net', name).exists():
            subprocess.run([IP, 'link', 'del', name], check=True)


def links(*arguments):
    output = subprocess.run([IP, '-j', *arguments], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output or '[]')


def count(pattern, *arguments):
    output = subprocess.run([IP, *arguments], stdout=subprocess.PIPE, check=True).stdout
    return len(re.findall(pattern, output, re.MULTILINE))


def settle(n):
    """Waits for what is done later without being asked: carriers, then the bridges' link-local addresses, udevd's work."""
    deadline = time.monotonic() + 120
    while count(rb'^\d+: br\d+ .* fe80::\S+/64 scope link ', '-6', '-o', 'addr', 'show', '-tentative') < n:
        if time.monotonic() > deadline:
            raise RuntimeError('the bridges do not get their link-local addresses')
        time.sleep(0.5)
    while count(rb'^\d+: bond0\.\d+@.* state UNKNOWN ', '-o', 'link') > 0 and time.monotonic() < deadline:
        time.sleep(0.5)
    wait_for_udevd()


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
    settle(b.n)
    remember_state(b, 'floor')
    for _ in range(3):
        b.time('dump', 'floor', b.bin / 'floor', 'dump')
    with Stall(b) as stall:
        seconds = b.run(b.bin / 'floor', 'down', b.n)
    b.note('remove-all', 'floor', seconds, stall=stall.longest, stall99=stall.most)


def ip_create(i):
    # With its ports' address from the start, as kvmnetd and floor have it: its link-local address is made from that.
    return [f'link add br{i} address {MACS["d0"]} up type bridge', f'link add link bond0 name bond0.{i} up master br{i} type vlan id {i}',
            f'addr add {address(i)} dev br{i}']


def measure_ip(b):
    # The bond's ports are attached while they are down, as make_ports() leaves them.
    lines = [f'link add bond0 address {MACS["d0"]} type bond mode active-backup miimon 100', 'link set d0 master bond0', 'link set d1 master bond0',
             'link set bond0 up']
    for i in range(1, b.n + 1):
        lines += ip_create(i)
    b.note('bring-up', 'ip', b.batch(lines))
    settle(b.n)
    remember_state(b, 'ip')
    b.time('status', 'ip', IP, '-d', '-j', 'link')
    b.note('add-one', 'ip', b.batch(ip_create(EXTRA)))
    b.note('remove-one', 'ip', b.batch([f'link del bond0.{EXTRA}', f'link del br{EXTRA}']))
    b.note('change-all', 'ip', b.batch([f'link set br{i} type bridge ageing_time 20000' for i in range(1, b.n + 1)]))
    with Stall(b) as stall:
        seconds = b.batch([f'link del {name}' for i in range(1, b.n + 1) for name in (f'bond0.{i}', f'br{i}')] +
                          ['link del bond0'])
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
        deadline = time.monotonic() + CELL_LIMIT
        while time.monotonic() < deadline:
            if select.select([notify], [], [], 1)[0] and b'READY=1' in notify.recv(4096):
                return
            if self.process.poll() is not None:
                break
        raise RuntimeError('kvmnetd is not ready: ' + (self.directory / 'log').read_text()[-1000:])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
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


def ini(i, *bridge_lines):
    return '\n'.join([f'[vlan bond0.{i}]', 'parent = bond0', f'id = {i}', f'[bridge br{i}]', f'ports = bond0.{i}',
                      f'address = {address(i)}', *bridge_lines, ''])


def write_config(d, n, *bridge_lines):
    text = '[bond bond0]\nports = d0 d1\nmode = active-backup\nmiimon = 100\n'
    (d.config / 'stack.ini').write_text(text + ''.join(ini(i, *bridge_lines) for i in range(1, n + 1)))


def measure_kvmnetd(b):
    d = Daemon(b)
    write_config(d, b.n)
    seconds = d.start()
    b.note('bring-up', 'kvmnetd', seconds, **d.usage())
    settle(b.n)
    remember_state(b, 'kvmnetd')
    time.sleep(2)
    b.note('at-rest', 'kvmnetd', **rest(d, 10))
    # udevd works on them for ten times as long.
    b.note('taps', 'kvmnetd', **storm(b, d, 3 if udevd_runs() else 10))
    wait_for_udevd()
    b.time('check', 'kvmnetd', b.bin / 'netctl', 'check', d.config)
    for _ in range(3):
        b.note('unchanged', 'kvmnetd', d.netctl('apply'))
    for _ in range(2):
        b.note('status', 'kvmnetd', d.netctl('status'))
        b.note('status-json', 'kvmnetd', d.netctl('status', '--json'))
    (d.config / 'extra.ini').write_text(ini(EXTRA))
    b.note('add-one', 'kvmnetd', d.netctl('apply'))
    (d.config / 'extra.ini').unlink()
    b.note('remove-one', 'kvmnetd', d.netctl('apply'))
    write_config(d, b.n, 'ageing_time = 200s')
    b.note('change-all', 'kvmnetd', d.netctl('apply'), **d.usage())
    d.stop()
    b.note('restart', 'kvmnetd', d.start(), **d.usage())
    (d.config / 'stack.ini').write_text('')
    with Stall(b) as stall:
        seconds = d.netctl('apply')
    b.note('remove-all', 'kvmnetd', seconds, stall=stall.longest, stall99=stall.most, **d.usage())
    d.stop()
    if b.round == 1:
        shutil.copy(d.directory / 'log', b.directory / f'kvmnetd-{b.n}.log')


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


TOOLS = [('floor', measure_floor), ('ip', measure_ip), ('kvmnetd', measure_kvmnetd),
         *((name, functools.partial(peers.measure_peer, name=name)) for name in peers.PEERS)]


def measure_round(b, tools):
    # Each tool is the first of a round once, so that none always runs in the same place.
    first = b.round % len(tools)
    for name, function in tools[first:] + tools[:first]:
        make_ports()
        try:
            function(b)
        except (RuntimeError, subprocess.TimeoutExpired, subprocess.CalledProcessError) as e:
            b.note('failed', name, why=str(e)[:500])
            return False
        remove_ports()
    return True


def measure(b, args, save):
    tools = [(name, function) for name, function in TOOLS if name in args.tools.split(',')]
    end = time.monotonic() + args.limit
    for b.n in [int(n) for n in args.sizes.split(',')]:
        took = 0
        for b.round in range(1, args.rounds + 1):
            if b.round > 1 and time.monotonic() + took > end:
                print(f'  N {b.n}: {b.round - 1} rounds, no time for more', flush=True)
                break
            with Clock() as clock:
                done = measure_round(b, tools)
            took = clock.seconds
            save()
            if not done:
                return False
    return True


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
    parser.add_argument('--tools', default='floor,ip,kvmnetd')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        b = Bench(args.bin.resolve(), Path(directory))
        load_drivers()
        begin = time.monotonic()

        def save():
            args.out.write_text(json.dumps({
                'kernel': os.uname().release, 'cpus': os.cpu_count(), 'udevd': udevd_runs(), 'date': time.strftime('%Y-%m-%d'),
                'took': round(time.monotonic() - begin), 'cells': b.cells, 'differences': differences(b.states)}))
            for log in Path(directory).glob('*.log'):
                shutil.copy(log, args.out.parent / log.name)

        done = measure(b, args, save)
    differ = differences(b.states)
    for line in differ[:20]:
        print('NOT THE SAME:', line)
    return 0 if done and not differ else 1


if __name__ == '__main__':
    sys.exit(main())
