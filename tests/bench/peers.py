# SPDX-License-Identifier: GPL-2.0-or-later
"""
The peers of kvmnetd as tools for measure.py: each gets the same stack in its own language. Their cells are `bring-up`, `unchanged`,
`add-one`, `remove-all`; what counts is the moment at which the kernel has what was asked for, looked at every 0.2 s.

They need systemd, and the peer's package installed and not started.
"""
import json
import shutil
import subprocess
import time
from pathlib import Path

EXTRA = 4001
LIMIT = 600  # seconds a cell


def address(i):
    return f'10.{i >> 8}.{i & 255}.1/24'


def run(*command):
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL, timeout=LIMIT)


def ours():
    """Bridges and VLANs that are there; cheap, so that waiting does not slow down what is waited for."""
    return sum(1 for name in Path('/sys/class/net').iterdir() if name.name.startswith(('br', 'bond0.')))


def is_complete(numbers):
    shown = json.loads(subprocess.run(['ip', '-j', 'addr', 'show'], stdout=subprocess.PIPE, check=True).stdout)
    links = {l['ifname']: l for l in shown}
    for i in numbers:
        vlan, bridge = links.get(f'bond0.{i}'), links.get(f'br{i}')
        if not vlan or not bridge or vlan.get('master') != f'br{i}' or 'UP' not in vlan['flags'] or 'UP' not in bridge['flags']:
            return False
        if address(i) not in [f"{a['local']}/{a['prefixlen']}" for a in bridge['addr_info']]:
            return False
    return True


def wait_for(goal):
    deadline = time.monotonic() + LIMIT
    while not goal():
        if time.monotonic() > deadline:
            raise RuntimeError(f'not there after {LIMIT} s')
        time.sleep(0.2)


def timed(action, goal):
    begin = time.monotonic()
    action()
    wait_for(goal)
    return time.monotonic() - begin


class Networkd:
    directory = Path('/run/systemd/network')

    def write(self, numbers):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
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
        run('networkctl', 'reload')

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

    def write(self, numbers):
        lines = ['auto bond0', 'iface bond0', '  bond-slaves d0 d1', '  bond-mode active-backup', '  bond-miimon 100']
        for i in numbers:
            lines += [f'auto bond0.{i}', f'iface bond0.{i}', f'auto br{i}', f'iface br{i}', f'  bridge-ports bond0.{i}',
                      f'  address {address(i)}']
        self.file.write_text('\n'.join(lines) + '\n')

    def start(self):
        Path('/run/network').mkdir(exist_ok=True)
        run('ifreload', '-a')

    reload = start

    def remove(self, _):
        self.file.write_text('\n')
        run('ifreload', '-a')

    def stop(self):
        subprocess.run(['systemctl', 'stop', 'networking'], check=False, stderr=subprocess.DEVNULL)


class NetworkManager:
    directory = Path('/run/NetworkManager/system-connections')

    def write(self, numbers):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
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
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        self.reload()

    def stop(self):
        run('systemctl', 'stop', 'NetworkManager')


PEERS = {'networkd': Networkd, 'ifupdown2': Ifupdown2, 'nm': NetworkManager}


def measure_peer(b, name):
    peer, numbers = PEERS[name](), list(range(1, b.n + 1))
    peer.stop()
    peer.write(numbers)
    b.note('bring-up', name, timed(peer.start, lambda: ours() >= 2 * b.n and is_complete(numbers)))
    b.note('unchanged', name, timed(peer.reload, lambda: True))
    peer.write(numbers + [EXTRA])
    b.note('add-one', name, timed(peer.reload, lambda: is_complete([EXTRA])))
    b.note('remove-all', name, timed(lambda: peer.remove(numbers + [EXTRA]), lambda: ours() == 0))
    peer.stop()
    for link in 'bond0', 'd0', 'd1':
        subprocess.run(['ip', 'link', 'del', link], check=False, stderr=subprocess.DEVNULL)
