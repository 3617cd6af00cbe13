# SPDX-License-Identifier: GPL-2.0-or-later
"""
What measure.py builds, as lines of kvmnetd's files and of `ip -batch`: three kinds of host, each of N like parts, and one part more
that comes and goes. Part i has a bridge br{i} with an IPv4 address.
"""
EXTRA = 4001  # the part that is added and removed
MAC = '52:54:00:be:0c:00'
TAPS = 500  # on each bridge
NAMES = r'bond0(\.\d+)?|br\d+|b\d+(\.10)?|d[01]|d\d+[ab]|t\d+-\d+'  # all that these, and who builds them, make
BOND_OPTIONS = 'mode active-backup miimon 100'


def address(i):
    return f'10.{i >> 8}.{i & 255}.1/24'


def mac(i, side=0):
    return f'52:54:00:{side:02x}:{i >> 8:02x}:{i & 255:02x}'


def bridge_section(i, *lines):
    return [f'[bridge br{i}]', f'address = {address(i)}', *lines]


def bridge_commands(i, hardware):
    """With its address from the start, as kvmnetd has it: its link-local address is made from that."""
    return [f'link add br{i} address {hardware} up type bridge', f'addr add {address(i)} dev br{i}']


class Vlans:
    """A bond of two with N VLANs, each the port of a bridge."""
    carrier = True
    remove = ['apply']

    def ports(self, _):
        return [f'link add d0 address {MAC} type dummy', 'link add d1 address 52:54:00:be:0c:01 type dummy']

    def head(self):
        return ['[bond bond0]', 'ports = d0 d1', 'mode = active-backup', 'miimon = 100']

    def sections(self, i, *lines):
        return [f'[vlan bond0.{i}]', 'parent = bond0', f'id = {i}', *bridge_section(i, f'ports = bond0.{i}', *lines)]

    def begin(self):
        # The bond's ports are attached while they are down.
        return [f'link add bond0 address {MAC} type bond {BOND_OPTIONS}', 'link set d0 master bond0', 'link set d1 master bond0',
                'link set bond0 up']

    def create(self, i):
        bridge, addr = bridge_commands(i, MAC)
        return [bridge, f'link add link bond0 name bond0.{i} up master br{i} type vlan id {i}', addr]

    def delete(self, i):
        return [f'link del bond0.{i}', f'link del br{i}']

    def end(self):
        return ['link del bond0']

    def taps(self, _):
        return {}


class Bonds:
    """N bonds of two ports, each with a VLAN that is the port of a bridge."""
    carrier = True
    remove = ['apply']

    def ports(self, n):
        return [f'link add d{i}{side} address {mac(i, ord(side))} type dummy' for i in (*range(1, n + 1), EXTRA) for side in 'ab']

    def head(self):
        return []

    def sections(self, i, *lines):
        return [f'[bond b{i}]', f'ports = d{i}a d{i}b', 'mode = active-backup', 'miimon = 100', f'[vlan b{i}.10]', f'parent = b{i}', 'id = 10',
                *bridge_section(i, f'ports = b{i}.10', *lines)]

    def begin(self):
        return []

    def create(self, i):
        bridge, addr = bridge_commands(i, mac(i, ord('a')))
        return [f'link add b{i} type bond {BOND_OPTIONS}', f'link set d{i}a master b{i}', f'link set d{i}b master b{i}', f'link set b{i} up',
                bridge, f'link add link b{i} name b{i}.10 up master br{i} type vlan id 10', addr]

    def delete(self, i):
        return [f'link del b{i}.10', f'link del br{i}', f'link del b{i}']

    def end(self):
        return []

    def taps(self, _):
        return {}


class Taps:
    """N bridges; when they are there, guests come with 500 taps for each. Nobody reads the taps: they have no carrier."""
    carrier = False
    remove = ['apply', '--force']

    def ports(self, _):
        return []

    def head(self):
        return ['[port t*]', 'hairpin = yes']

    def sections(self, i, *lines):
        return bridge_section(i, f'mac = {mac(i)}', *lines)

    def begin(self):
        return []

    def create(self, i):
        return bridge_commands(i, mac(i))

    def delete(self, i):
        return [f'link del br{i}']

    def end(self):
        return []

    def taps(self, n):
        return {f't{i}-{j}': f'br{i}' for i in range(1, n + 1) for j in range(TAPS)}


STACKS = {'vlans': Vlans, 'bonds': Bonds, 'taps': Taps}
