#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
How long a host is out of reach while its NIC, with its address and its default route, moves into a new bridge: kvmnetd, `ip -batch`
with the same steps, and systemd-networkd where it is installed. tests/bench/outage runs it as root in namespaces of its own, with
an empty /run:

    outage.py --bin DIR [--rounds 5] [--seconds 2] [--out FILE]

The NIC is a veth whose other end is in a namespace, the router; from an address behind the router comes an echo request every
millisecond (pulse.c), which the host answers by its default route. Prints a table; FILE becomes JSON.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

MAC, HOST, ROUTER, FAR = '52:54:00:be:0c:01', '192.0.2.10', '192.0.2.1', '198.51.100.1'
NETNS = 'router'


def run(*command, text=None, check=True):
    return subprocess.run([str(c) for c in command], input=text, text=True, check=check, stdout=subprocess.PIPE).stdout


def ip(*args, check=True):
    return run('ip', *args, check=check)


def router(*args):
    return run('ip', '-n', NETNS, *args)


def make_host():
    ip('netns', 'add', NETNS)
    ip('link', 'add', 'eth0', 'address', MAC, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NETNS)
    router('link', 'set', 'lo', 'up')
    router('address', 'add', f'{FAR}/32', 'dev', 'lo')
    router('address', 'add', f'{ROUTER}/24', 'dev', 'eth0')
    router('link', 'set', 'eth0', 'up')


def remove_host():
    for name in 'br0', 'eth0':
        subprocess.run(['ip', 'link', 'del', name], check=False, stderr=subprocess.DEVNULL)
    ip('netns', 'del', NETNS)


class Ip:
    def __init__(self, _args):
        ip('link', 'set', 'eth0', 'up')
        ip('address', 'add', f'{HOST}/24', 'dev', 'eth0')
        ip('route', 'add', 'default', 'via', ROUTER)

    def move(self):
        """What kvmnetd's plan has, in its order."""
        run('ip', '-batch', '-', text=f'link add br0 address {MAC} type bridge\nlink set br0 up\naddress add {HOST}/24 dev br0\n'
            f'link set eth0 master br0\nroute replace default via {ROUTER} dev br0\naddress del {HOST}/24 dev eth0\n')

    def end(self):
        pass


class Naive(Ip):
    def move(self):
        """As the howtos have it: what is on the NIC goes first, then the bridge is made."""
        run('ip', '-batch', '-', text=f'link add br0 address {MAC} type bridge\nroute del default\naddress del {HOST}/24 dev eth0\n'
            f'link set eth0 master br0\naddress add {HOST}/24 dev br0\nlink set br0 up\nroute add default via {ROUTER}\n')


class Kvmnetd:
    def __init__(self, args):
        self.bin, self.directory = args.bin, Path(tempfile.mkdtemp(prefix='outage-'))
        (self.directory / 'config').mkdir()
        self.write('ethernet eth0', '')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(self.directory / 'notify'))
            notify.settimeout(60)
            self.daemon = subprocess.Popen(
                [self.bin / 'kvmnetd', '--config-dir', self.directory / 'config', '--runtime-dir', self.directory / 'run',
                 '--state-dir', self.directory / 'state'],
                stderr=subprocess.DEVNULL, env={**os.environ, 'NOTIFY_SOCKET': str(self.directory / 'notify')})
            while b'READY=1' not in notify.recv(4096):
                pass

    def write(self, section, keys):
        (self.directory / 'config' / 'host.ini').write_text(f'[{section}]\n{keys}address = {HOST}/24\ngateway = {ROUTER}\n')

    def move(self):
        self.write('bridge br0', 'ports = eth0\n')
        run(self.bin / 'netctl', 'apply', '--socket', self.directory / 'run' / 'kvmnetd.sock')

    def end(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()
        shutil.rmtree(self.directory)


class Networkd:
    program, directory = Path('/usr/lib/systemd/systemd-networkd'), Path('/run/systemd/network')

    def __init__(self, _args):
        shutil.rmtree('/run/systemd', ignore_errors=True)
        self.directory.mkdir(parents=True)
        Path('/run/dbus').mkdir(exist_ok=True)
        self.write('10-eth0.network', '[Match]', 'Name=eth0', '[Network]', f'Address={HOST}/24', f'Gateway={ROUTER}')
        self.bus = subprocess.Popen(['dbus-daemon', '--system', '--nofork', '--nopidfile'], stderr=subprocess.DEVNULL)
        wait_for(lambda _args: Path('/run/dbus/system_bus_socket').exists(), None)
        self.daemon = subprocess.Popen([self.program], stderr=subprocess.DEVNULL)

    def write(self, name, *lines):
        (self.directory / name).write_text('\n'.join(lines) + '\n')

    def move(self):
        self.write('20-br0.netdev', '[NetDev]', 'Name=br0', 'Kind=bridge', f'MACAddress={MAC}')
        self.write('10-eth0.network', '[Match]', 'Name=eth0', '[Network]', 'Bridge=br0')
        self.write('20-br0.network', '[Match]', 'Name=br0', '[Network]', f'Address={HOST}/24', f'Gateway={ROUTER}')
        run('networkctl', 'reload')

    def end(self):
        for process in self.daemon, self.bus:
            process.terminate()
            process.wait()

    @classmethod
    def is_here(cls):
        return cls.program.exists() and shutil.which('dbus-daemon')


TOOLS = {'kvmnetd': Kvmnetd, 'ip -batch, the same steps': Ip, 'ip -batch, address first off the NIC': Naive,
         'systemd-networkd': Networkd}


def pulse(args, seconds):
    return subprocess.Popen(['ip', 'netns', 'exec', NETNS, args.bin / 'pulse', FAR, HOST, str(seconds)], text=True,
                            stdout=subprocess.PIPE)


def is_reachable(args):
    told = json.loads(pulse(args, 1).communicate()[0])
    return told['lost'] < told['sent'] / 10


def is_moved(_args):
    links = {l['ifname']: l for l in json.loads(ip('-j', 'address'))}
    return links['eth0'].get('master') == 'br0' and any(a.get('local') == HOST for a in links['br0']['addr_info'])


def wait_for(what, args, timeout=60):
    deadline = time.monotonic() + timeout
    while not what(args):
        if time.monotonic() > deadline:
            raise RuntimeError(f'{what.__name__}: not after {timeout} s')
        time.sleep(0.1)


def measure(tool, args):
    """Of one move: what pulse tells."""
    make_host()
    host = None
    try:
        host = TOOLS[tool](args)
        wait_for(is_reachable, args)
        with pulse(args, args.seconds) as sender:
            time.sleep(args.seconds / 4)
            host.move()
            told = json.loads(sender.communicate()[0])
        wait_for(is_moved, args)
        wait_for(is_reachable, args)
        return told
    finally:
        if host:
            host.end()
        remove_host()


def print_table(results):
    print(f'{time.strftime("%Y-%m-%d")}, Linux {os.uname().release}, {os.cpu_count()} processors\n')
    print('| moved by | packets lost | longest silence, ms |\n| --- | --- | --- |')
    for tool, told in results.items():
        lost, longest = ([t[key] for t in told] for key in ('lost', 'longest'))
        print(f'| {tool} | {statistics.median(lost):.0f} ({min(lost)}-{max(lost)}) | '
              f'{statistics.median(longest):.1f} ({min(longest)}-{max(longest)}) |')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--bin', type=Path, required=True)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', type=int, default=2)
    parser.add_argument('--out', type=Path)
    args = parser.parse_args()
    tools = [t for t in TOOLS if t != 'systemd-networkd' or Networkd.is_here()]
    results = {t: [] for t in tools}
    for number in range(args.rounds):
        # None is always the first, or always after the same one.
        for tool in tools[number % len(tools):] + tools[:number % len(tools)]:
            results[tool].append(measure(tool, args))
    print_table(results)
    if args.out:
        args.out.write_text(json.dumps({'kernel': os.uname().release, 'results': results}))


if __name__ == '__main__':
    main()
