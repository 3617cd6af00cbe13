# SPDX-License-Identifier: GPL-2.0-or-later
"""
The peers of kvmnetd as tools for measure.py: each gets the same stack in its own language. Their cells are `bring-up`, `unchanged`,
`add-one`, `remove-all`; what counts is the moment at which the kernel has what was asked for. It is looked at every 0.2 s, and less
often where a look takes long, so that looking has at most a fifth of one processor.

They need systemd, and the peer's package installed and not started.
"""
import contextlib
import functools
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from stacks import EXTRA, address

LIMIT = 600  # seconds a cell
NET = Path('/sys/class/net')


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL, timeout=LIMIT)


def ours():
    """Bridges and VLANs that are there."""
    return sum(1 for name in NET.iterdir() if name.name.startswith(('br', 'bond0.')))


def is_up(name):
    return int((NET / name / 'flags').read_text(), 16) & 1


def is_complete(numbers):
    """By what can be read without the rtnl lock, which those who work there need."""
    try:
        for i in numbers:
            if os.path.basename(os.readlink(NET / f'bond0.{i}' / 'master')) != f'br{i}' or not is_up(f'bond0.{i}') or not is_up(f'br{i}'):
                return False
    except OSError:
        return False
    here = set(re.findall(r'\|-- (\S+)\n\s+/32 host LOCAL', Path('/proc/net/fib_trie').read_text()))
    return all(address(i).split('/')[0] in here for i in numbers)


def wait_for(goal):
    deadline = time.monotonic() + LIMIT
    while True:
        begin = time.monotonic()
        if goal():
            return
        if begin > deadline:
            raise RuntimeError(f'not there after {LIMIT} s')
        time.sleep(max(0.2, 4 * (time.monotonic() - begin)))


def settle():
    subprocess.run(['udevadm', 'settle', '--timeout', str(LIMIT)], check=False)


@contextlib.contextmanager
def stopped_after(peer):
    peer.stop()
    try:
        yield
    finally:
        peer.stop()


def timed(action, goal):
    begin = time.monotonic()
    action()
    wait_for(goal)
    return time.monotonic() - begin


class Daemon:
    directory = None

    def empty(self):
        """No files at all."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)


class Networkd(Daemon):
    directory = Path('/run/systemd/network')

    def write(self, numbers):
        self.empty()
        self.file('10-bond0.netdev', '[NetDev]', 'Name=bond0', 'Kind=bond', '[Bond]', 'Mode=active-backup', 'MIIMonitorSec=100ms')
        self.file('10-ports.network', '[Match]', 'Name=d0 d1', '[Network]', 'Bond=bond0')
        self.file('20-bond0.network', '[Match]', 'Name=bond0', '[Network]', 'LinkLocalAddressing=no', 'ConfigureWithoutCarrier=yes',
                  *(f'VLAN=bond0.{i}' for i in numbers))
        for i in numbers:
            self.file(f'30-vlan{i}.netdev', '[NetDev]', f'Name=bond0.{i}', 'Kind=vlan', '[VLAN]', f'Id={i}')
            self.file(f'30-vlan{i}.network', '[Match]', f'Name=bond0.{i}', '[Network]', f'Bridge=br{i}')
            self.file(f'40-br{i}.netdev', '[NetDev]', f'Name=br{i}', 'Kind=bridge')
            self.file(f'40-br{i}.network', '[Match]', f'Name=br{i}', '[Network]', f'Address={address(i)}', 'ConfigureWithoutCarrier=yes')

    def file(self, name, *lines):
        (self.directory / name).write_text('\n'.join(lines) + '\n')

    def start(self):
        run('systemctl', 'start', 'systemd-networkd')

    def reload(self):
        # While it is busy it does not answer, and networkctl gives up after 25 seconds.
        deadline = time.monotonic() + LIMIT
        while subprocess.run(['networkctl', 'reload'], check=time.monotonic() > deadline).returncode:
            time.sleep(1)

    def remove(self, numbers):
        # Files that are gone delete nothing.
        names = [name for i in numbers for name in (f'bond0.{i}', f'br{i}')]
        for at in range(0, len(names), 100):
            run('networkctl', 'delete', *names[at:at + 100])

    def stop(self):
        subprocess.run(['systemctl', 'stop', 'systemd-networkd.socket', 'systemd-networkd'], check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


class Ifupdown2:
    file = Path('/etc/network/interfaces')
    LOOPBACK = ['auto lo', 'iface lo inet loopback']

    def write(self, numbers):
        lines = [*self.LOOPBACK, 'auto bond0', 'iface bond0', '  bond-slaves d0 d1', '  bond-mode active-backup', '  bond-miimon 100']
        for i in numbers:
            lines += [f'auto bond0.{i}', f'iface bond0.{i}', f'auto br{i}', f'iface br{i}', f'  bridge-ports bond0.{i}',
                      f'  address {address(i)}']
        self.file.write_text('\n'.join(lines) + '\n')

    def start(self):
        Path('/run/network').mkdir(exist_ok=True)
        run('ifreload', '-a')

    reload = start

    def remove(self, _):
        # With nothing at all in the file it leaves everything as it is.
        self.file.write_text('\n'.join(self.LOOPBACK) + '\n')
        run('ifreload', '-a')

    def stop(self):
        subprocess.run(['systemctl', 'stop', 'networking'], check=False, stderr=subprocess.DEVNULL)


class NetworkManager(Daemon):
    directory = Path('/run/NetworkManager/system-connections')

    def write(self, numbers):
        self.empty()
        self.file('bond0', 'type=bond', '[bond]', 'mode=active-backup', 'miimon=100', *self.nothing())
        for port in 'd0', 'd1':
            self.file(port, 'type=dummy', 'master=bond0', 'slave-type=bond', '[dummy]')
        for i in numbers:
            self.file(f'bond0.{i}', 'type=vlan', f'master=br{i}', 'slave-type=bridge', '[vlan]', f'id={i}', 'parent=bond0')
            self.file(f'br{i}', 'type=bridge', '[bridge]', 'stp=false', '[ipv4]', 'method=manual', f'address1={address(i)}',
                      '[ipv6]', 'method=link-local')

    @staticmethod
    def nothing():
        return '[ipv4]', 'method=disabled', '[ipv6]', 'method=disabled'

    def file(self, name, *lines):
        path = self.directory / f'{name}.nmconnection'
        path.write_text('\n'.join(['[connection]', f'id={name}', f'interface-name={name}', *lines]) + '\n')
        path.chmod(0o600)

    def start(self):
        # It leaves ports alone that others made: it makes its own.
        for port in 'd0', 'd1':
            subprocess.run(['ip', 'link', 'del', port], check=False, stderr=subprocess.DEVNULL)
        run('systemctl', 'start', 'NetworkManager')

    def reload(self):
        run('nmcli', 'connection', 'reload')

    def remove(self, _):
        self.empty()
        self.reload()

    def stop(self):
        run('systemctl', 'stop', 'NetworkManager')


PEERS = {'networkd': Networkd, 'ifupdown2': Ifupdown2, 'nm': NetworkManager}


def measure_peer(b, name):
    peer, numbers = PEERS[name](), list(range(1, b.n + 1))
    with stopped_after(peer):
        peer.write(numbers)
        b.note('bring-up', name, timed(peer.start, lambda: ours() >= 2 * b.n and is_complete(numbers)))
        settle()
        b.note('unchanged', name, timed(peer.reload, lambda: True))
        peer.write(numbers + [EXTRA])
        b.note('add-one', name, timed(peer.reload, lambda: is_complete([EXTRA])))
        settle()
        b.note('remove-all', name, timed(lambda: peer.remove(numbers + [EXTRA]), lambda: ours() == 0))


def measure_reload(b, name):
    """Bring-up without the start of the daemon: it runs already, without configuration."""
    peer, numbers = PEERS[name](), list(range(1, b.n + 1))
    with stopped_after(peer):
        peer.empty()
        peer.start()
        settle()
        time.sleep(2)
        peer.write(numbers)
        b.note('bring-up', f'{name}-reload', timed(peer.reload, lambda: ours() >= 2 * b.n and is_complete(numbers)))


TOOLS = [(name, functools.partial(measure_peer, name=name)) for name in PEERS]
TOOLS += [(f'{name}-reload', functools.partial(measure_reload, name=name)) for name in ('networkd', 'nm')]
