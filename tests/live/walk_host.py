# SPDX-License-Identifier: GPL-2.0-or-later
"""What a random walk (test_walk.py) goes from and to: a host's configuration, and what the kernel allows in it."""
NICS = [f'eth{i}' for i in range(8)]
LEAST_MTU = 1300  # of all that are declared


class Host:
    """A configuration: links by name, each {kind, keys, ports or parent, addresses, routes}; keys of ports by name."""

    def __init__(self):
        self.links = {n: self._link('ethernet') for n in NICS}
        self.port_keys = {}
        self.number = 0  # for addresses and MACs that nothing else has

    @staticmethod
    def _link(kind):
        return {'kind': kind, 'keys': {}, 'ports': [], 'parent': None, 'addresses': [], 'routes': []}

    def add(self, kind, name):
        self.links[name] = self._link(kind)
        return self.links[name]

    def next_number(self):
        self.number += 1
        return self.number % 200 + 1, self.number // 200 % 250

    def of_kind(self, *kinds):
        return [n for n, l in self.links.items() if l['kind'] in kinds]

    def made(self):
        return self.of_kind('bond', 'bridge', 'vlan')

    def master(self, name):
        return next((n for n, l in self.links.items() if name in l['ports']), None)

    def master_kind(self, name):
        master = self.master(name)
        return self.links[master]['kind'] if master else None

    def vlans_on(self, name):
        return [n for n, l in self.links.items() if l['parent'] == name]

    def lowers(self, name):
        """All that it lies on, itself included."""
        link, result = self.links[name], {name}
        for lower in link['ports'] + ([link['parent']] if link['parent'] else []):
            result |= self.lowers(lower)
        return result

    def level(self, name):
        link = self.links[name]
        below = link['ports'] + ([link['parent']] if link['parent'] else [])
        return 1 + max((self.level(l) for l in below), default=0)

    def height(self):
        return max(self.level(n) for n in self.links)

    def declared_mtus(self, names):
        return [int(self.links[n]['keys']['mtu']) for n in names if 'mtu' in self.links[n]['keys']]

    def mtus_fit(self):
        """A VLAN has no more than its parent, also as the port of a bond; what bridges and VLANs have depends on the way."""
        for vlan in self.of_kind('vlan'):
            lowers = self.lowers(self.links[vlan]['parent'])
            mtus = self.declared_mtus([vlan])
            if self.master_kind(vlan) == 'bond':
                mtus += self.declared_mtus([self.master(vlan)]) or [1500]
                lowest = LEAST_MTU if any(self.links[n]['kind'] in ('bridge', 'vlan') for n in lowers) else 1500
            else:
                lowest = 1500
            if mtus and max(mtus) > min([lowest] + self.declared_mtus(lowers)):
                return False
        return True

    def mac_source(self, name):
        link = self.links[name]
        return name if link['kind'] != 'vlan' or 'mac' in link['keys'] else self.mac_source(link['parent'])

    def macs_fit(self):
        """A bond that balances by the MACs of its ports needs different ones; bonds and bridges have those of ports."""
        for bond in self.of_kind('bond'):
            if self.links[bond]['keys']['mode'] not in ('balance-tlb', 'balance-alb'):
                continue
            sources = [self.mac_source(p) for p in self.links[bond]['ports']]
            if len(set(sources)) < len(sources) or len(sources) > 1 and any(self.links[s]['kind'] in ('bond', 'bridge') for s in sources):
                return False
        return True

    def can_join(self, name, master):
        port, kind = self.links[name], self.links[master]['kind']
        if self.master(name) == master or master in self.lowers(name):
            return False
        if kind == 'bridge':
            return port['kind'] != 'bridge'
        return port['kind'] == 'ethernet' and not self.vlans_on(name) or port['kind'] == 'vlan' and not self.vlans_on(name)

    def leave(self, name):
        master = self.master(name)
        self.port_keys.pop(name, None)
        if not master:
            return
        self.links[master]['ports'].remove(name)
        if self.links[master]['keys'].get('primary') == name:
            del self.links[master]['keys']['primary']
        for other in self.links[master]['ports']:
            if self.port_keys.get(other, {}).get('backup_port') == name:
                del self.port_keys[other]['backup_port']

    def join(self, name, master):
        """Its addresses and routes go to what is now at the top, as with a NIC that becomes the port of a bridge."""
        self.leave(name)
        link, top = self.links[name], master
        self.links[master]['ports'].append(name)
        while self.master(top):
            top = self.master(top)
        to = self.links[top]
        to['addresses'] += link['addresses']
        to['routes'] += link['routes']
        if link['addresses'] or link['routes']:
            for key in 'ipv6', 'up':
                to['keys'].pop(key, None)
        link['addresses'], link['routes'] = [], []
        for key in 'mtu', 'mac', 'up', 'accept_ra':
            link['keys'].pop(key, None)

    def remove(self, name):
        for vlan in self.vlans_on(name):
            self.remove(vlan)
        self.leave(name)
        for port in list(self.links[name]['ports']):
            self.leave(port)
        del self.links[name]

    def text(self):
        out = ['[daemon]', 'boot_wait = 1s']
        for name, l in self.links.items():
            lines = [f'{k} = {v}' for k, v in l['keys'].items()]
            lines += [f'ports = {" ".join(l["ports"])}'] if l['ports'] else []
            lines += [f'parent = {l["parent"]}'] if l['parent'] else []
            lines += [f'address = {a}' for a in l['addresses']] + [f'route = {r}' for r in l['routes']]
            if lines or l['kind'] != 'ethernet':
                out += ['', f'[{l["kind"]} {name}]', *lines]
        for name, keys in self.port_keys.items():
            if keys:
                out += ['', f'[port {name}]', *[f'{k} = {v}' for k, v in keys.items()]]
        return '\n'.join(out) + '\n'
