# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of a random walk (test_walk.py): what an operator changes in the configuration, and others in the kernel."""
import copy

from walk_host import NICS

NAMES = {'bond': [f'bond{i}' for i in range(4)] + ['x0', 'x1'],
         'bridge': [f'br{i}' for i in range(5)] + ['x0', 'x1'],
         'vlan': [f'vlan{i}' for i in range(7)] + ['x0', 'x1']}
MODES = ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb']
RR, BACKUP, XOR, BROADCAST, LACP, TLB, ALB = range(7)
ARP_MODES = (RR, BACKUP, XOR, BROADCAST)
LEVELS_MAX = 6

YES_NO = ['yes', 'no']

# Key: values, and the modes it is legal in.
BOND = {
    'primary_reselect': (['always', 'better', 'failure'], None),
    'fail_over_mac': (['none', 'active', 'follow'], None),
    'xmit_hash_policy': (['layer2', 'layer3+4', 'encap2+3', 'vlan+srcmac'], None),
    'resend_igmp': (['0', '3', '255'], None),
    'num_grat_arp': (['0', '4'], None),
    'all_slaves_active': (YES_NO, None),
    'min_links': (['0', '1', '2'], None),
    'lp_interval': (['2', '30s'], None),
    'arp_all_targets': (['any', 'all'], None),
    'ad_select': (['stable', 'bandwidth', 'count'], None),
    'packets_per_slave': (['0', '7'], (RR,)),
    'lacp_active': (YES_NO, (LACP,)),
    'lacp_rate': (['slow', 'fast'], (LACP,)),
    'ad_actor_sys_prio': (['1', '4096'], (LACP,)),
    'ad_user_port_key': (['0', '17'], (LACP,)),
    'ad_actor_system': (['02:00:00:0a:00:01', '00:00:00:00:00:00'], (LACP,)),
    'tlb_dynamic_lb': (YES_NO, (TLB, ALB)),
    'arp_missed_max': (['1', '5'], ARP_MODES),
}
# What the monitors need of each other is in set_monitor().
MONITOR_KEYS = ['miimon', 'updelay', 'downdelay', 'peer_notif_delay', 'arp_interval', 'arp_ip_target', 'ns_ip6_target',
                'arp_validate']
BRIDGE = {
    'hello_time': ['1s', '3s'], 'max_age': ['8s', '30s'], 'forward_delay': ['6s', '16s'], 'ageing_time': ['0s', '20s', '100s'],
    'stp_state': YES_NO, 'priority': ['0', '4096', '61440'], 'vlan_filtering': YES_NO,
    'vlan_protocol': ['802.1q', '802.1ad'], 'vlan_default_pvid': ['none', '1', '9'], 'vlan_stats_enabled': YES_NO,
    'vlan_stats_per_port': YES_NO, 'group_fwd_mask': ['0x4000', '0x8', '0'], 'group_address': ['01:80:c2:00:00:0b'],
    'mcast_router': ['0', '1', '2'], 'mcast_snooping': YES_NO, 'mcast_query_use_ifaddr': YES_NO, 'mcast_querier': YES_NO,
    'mcast_hash_max': ['512', '8192'], 'mcast_last_member_count': ['1', '5'], 'mcast_startup_query_count': ['1', '7'],
    'mcast_last_member_interval': ['500ms', '2s'], 'mcast_membership_interval': ['100s'],
    'mcast_querier_interval': ['200s'], 'mcast_query_interval': ['60s', '1s'], 'mcast_query_response_interval': ['5s'],
    'mcast_startup_query_interval': ['15s'], 'mcast_stats_enabled': YES_NO, 'mcast_igmp_version': ['2', '3'],
    'mcast_mld_version': ['1', '2'], 'nf_call_iptables': YES_NO, 'nf_call_ip6tables': YES_NO, 'nf_call_arptables': YES_NO,
    'no_linklocal_learn': YES_NO, 'mst_enabled': YES_NO,
}
BRIDGE_PORT = {
    'path_cost': ['1', '400', '65535'], 'priority': ['0', '63'], 'mcast_router': ['0', '2'], 'mcast_eht_hosts_limit': ['1', '99'],
    'group_fwd_mask': ['0x4000', '0x4'],
    **{key: YES_NO for key in (
        'isolated', 'learning', 'hairpin', 'guard', 'root_block', 'fastleave', 'flood', 'mcast_flood', 'bcast_flood',
        'mcast_to_unicast', 'proxy_arp', 'proxy_arp_wifi', 'neigh_suppress', 'locked', 'vlan_tunnel')},
}
VLAN = {
    'gvrp': YES_NO, 'mvrp': YES_NO, 'reorder_hdr': YES_NO, 'loose_binding': YES_NO, 'bridge_binding': YES_NO,
    'ingress_qos_map': ['1:2 3:4', '7:1'], 'egress_qos_map': ['0:1', '5:7 6:6'],
}
MTUS = {'vlan': ['1300', '1350'], 'bond': ['1300', '1400', '1500', '9000']}
MTUS['ethernet'] = MTUS['bridge'] = ['1400', '1500', '1600', '9000']
LINK = {'txqueuelen': ['0', '77', '5000'], 'ipv6': ['no', 'link-local', 'yes'], 'accept_ra': ['no', 'yes', 'always']}


class Edits:
    """Each method changes the host at one place, or returns None when there is no such place."""

    def __init__(self, rng):
        self.rng = rng

    def choice(self, list_):
        return self.rng.choice(sorted(list_)) if list_ else None

    def edit(self, host):
        """Returns (what was done, the new host)."""
        weights = {getattr(self, n): w for n, w in (
            ('add_link', 10), ('remove_link', 4 + len(host.made()) // 3), ('set_option', 8), ('unset_option', 5),
            ('set_mode', 2), ('set_monitor', 3), ('set_primary', 1), ('add_port', 6), ('remove_port', 4), ('reorder_ports', 1),
            ('swap_ports', 1), ('add_address', 4), ('remove_address', 2), ('add_route', 3), ('remove_route', 1),
            ('set_port_option', 5), ('unset_port_option', 3), ('set_port_vlans', 4), ('set_own_vlans', 2), ('set_vlan_id', 2),
            ('set_parent', 1), ('set_link_option', 4), ('set_mtu', 3), ('set_mac', 2), ('set_up', 1), ('set_backup', 1))}
        while True:
            new = copy.deepcopy(host)
            what = self.rng.choices(list(weights), list(weights.values()))[0]
            done = what(new)
            if done and new.height() <= LEVELS_MAX and len(new.made()) <= 14 and new.mtus_fit() and new.macs_fit():
                return f'{what.__name__}: {done}', new

    def add_link(self, h):
        kind = self.choice(NAMES)
        name = self.choice(set(NAMES[kind]) - set(h.links))
        if not name:
            return None
        if kind == 'vlan':
            return self._add_vlan(h, name)
        link = h.add(kind, name)
        if kind == 'bond':
            link['keys']['mode'] = self.choice(MODES)
        for _ in range(self.rng.randrange(3)):
            port = self.choice([n for n in h.links if not h.master(n) and h.can_join(n, name)])
            if port:
                h.join(port, name)
        if self.rng.random() < 0.5:
            self.set_option(h, name)
        return name

    def _free_id(self, h, parent, protocol):
        taken = {l['keys']['id'] for n, l in h.links.items()
                 if l['parent'] == parent and l['keys'].get('protocol', '802.1q') == protocol}
        return self.choice({str(i) for i in (1, 5, 10, 11, 100, 4094)} - taken)

    def _parents(self, h):
        return [n for n in h.links if h.master_kind(n) != 'bond' and h.links[n]['keys'].get('up') != 'no']

    def _add_vlan(self, h, name):
        parent = self.choice(self._parents(h))
        protocol = self.rng.choice(['802.1q', '802.1q', '802.1ad'])
        vid = self._free_id(h, parent, protocol)
        if not vid:
            return None
        link = h.add('vlan', name)
        link['parent'] = parent
        link['keys'] = {'id': vid, **({'protocol': protocol} if protocol != '802.1q' else {})}
        return name

    def remove_link(self, h):
        name = self.choice(h.made())
        if name:
            h.remove(name)
        return name

    def _options(self, h, name):
        link = h.links[name]
        if link['kind'] == 'bond':
            mode = MODES.index(link['keys']['mode'])
            return {k: v for k, (v, modes) in BOND.items() if modes is None or mode in modes}
        return {'bridge': BRIDGE, 'vlan': VLAN}.get(link['kind'], {})

    def set_option(self, h, name=None):
        name = name or self.choice(h.made())
        if not name:
            return None
        options = self._options(h, name)
        done = []
        for _ in range(self.rng.choice([1, 1, 2, 5])):
            key = self.choice(options)
            h.links[name]['keys'][key] = self.rng.choice(options[key])
            done.append(key)
        return f'{name} {done}'

    def unset_option(self, h):
        name = self.choice(h.made())
        keys = set(h.links[name]['keys']) - {'id', 'protocol', 'mode', *MONITOR_KEYS} if name else set()
        for key in self.rng.sample(sorted(keys), min(len(keys), 2)):
            del h.links[name]['keys'][key]
        if keys & {'vlans', 'pvid'}:
            h.links[name]['keys'].pop('untagged', None)
        return f'{name}' if keys else None

    def set_mode(self, h):
        name = self.choice(h.of_kind('bond'))
        if not name:
            return None
        keys = h.links[name]['keys']
        keys['mode'] = self.choice(MODES)
        mode = MODES.index(keys['mode'])
        for key in list(keys):
            if key in BOND and BOND[key][1] and mode not in BOND[key][1]:
                del keys[key]
        if mode not in ARP_MODES and 'arp_interval' in keys:
            for key in MONITOR_KEYS:
                keys.pop(key, None)
        if mode not in (BACKUP, TLB, ALB):
            keys.pop('primary', None)
            for port in h.links[name]['ports']:
                h.port_keys.get(port, {}).pop('prio', None)
        return f'{name} {keys["mode"]}'

    def set_monitor(self, h):
        name = self.choice(h.of_kind('bond'))
        if not name:
            return None
        keys = h.links[name]['keys']
        for key in MONITOR_KEYS:
            keys.pop(key, None)
        kind = self.rng.choice(['none', 'mii', 'mii', 'arp'])
        if kind == 'mii':
            keys['miimon'] = self.rng.choice(['50', '100', '200ms'])
            for key in 'updelay', 'downdelay', 'peer_notif_delay':
                if self.rng.random() < 0.5:
                    keys[key] = self.rng.choice(['0', '200', '250', '1s'])
        elif kind == 'arp' and MODES.index(keys['mode']) in ARP_MODES:
            keys['arp_interval'] = self.rng.choice(['100', '1s'])
            keys['arp_ip_target'] = self.rng.choice(['192.0.2.99', '192.0.2.98 192.0.2.97'])
            if self.rng.random() < 0.3:
                keys['ns_ip6_target'] = '2001:db8:ffff::99'
            if self.rng.random() < 0.5:
                keys['arp_validate'] = self.rng.choice(['active', 'all', 'filter'])
        return f'{name} {kind}'

    def set_primary(self, h):
        name = self.choice([n for n in h.of_kind('bond') if h.links[n]['ports'] and
                            MODES.index(h.links[n]['keys']['mode']) in (BACKUP, TLB, ALB)])
        if name:
            h.links[name]['keys']['primary'] = self.choice(h.links[name]['ports'])
        return name

    def add_port(self, h):
        master = self.choice(h.of_kind('bond', 'bridge'))
        port = self.choice([n for n in h.links if h.can_join(n, master)]) if master else None
        if port:
            h.join(port, master)
        return port and f'{port} to {master}'

    def remove_port(self, h):
        port = self.choice([n for n in h.links if h.master(n)])
        if port:
            h.leave(port)
        return port

    def reorder_ports(self, h):
        master = self.choice([n for n, l in h.links.items() if len(l['ports']) > 1])
        if master:
            self.rng.shuffle(h.links[master]['ports'])
        return master

    def swap_ports(self, h):
        ports = [n for n in NICS if h.master(n)]
        if len(ports) < 2:
            return None
        a, b = self.rng.sample(ports, 2)
        masters = h.master(a), h.master(b)
        if masters[0] == masters[1] or not h.can_join(a, masters[1]) or not h.can_join(b, masters[0]):
            return None
        h.join(a, masters[1])
        h.join(b, masters[0])
        return f'{a} {b}'

    def add_address(self, h):
        name = self.choice([n for n, l in h.links.items() if not h.master(n) and l['keys'].get('up') != 'no'])
        link, (low, high) = h.links[name], h.next_number()
        if self.rng.random() < 0.6:
            link['addresses'].append(f'10.{high}.{low}.1/{self.rng.choice([24, 32, 30])}')
        else:
            link['addresses'].append(f'2001:db8:{high:x}:{low:x}::1/{self.rng.choice([64, 128])}')
            link['keys'].pop('ipv6', None)
        return f'{name} {link["addresses"][-1]}'

    def remove_address(self, h):
        name = self.choice([n for n, l in h.links.items() if l['addresses']])
        if name:
            h.links[name]['addresses'].remove(self.choice(h.links[name]['addresses']))
            # A route may lead through the address's subnet.
            h.links[name]['routes'] = [r for r in h.links[name]['routes'] if ' via ' not in r]
        return name

    def add_route(self, h):
        name = self.choice([n for n, l in h.links.items() if not h.master(n) and l['keys'].get('up') != 'no'])
        link, (low, high) = h.links[name], h.next_number()
        subnets = [a for a in link['addresses'] if a.endswith(('/24', '/64'))]
        if subnets and self.rng.random() < 0.7:
            address = self.choice(subnets).split('/')[0]
            dest = f'2001:db8:f{high:x}:{low:x}::/64' if ':' in address else f'172.16.{low}.0/24'
            route = f'{dest} via {address}9'
        elif self.rng.random() < 0.5 and link['keys'].get('ipv6') is None:
            route = f'2001:db8:e{high:x}:{low:x}::/64'
        else:
            route = f'172.17.{low}.0/24'
        if any(route.split()[0] == r.split()[0] for l in h.links.values() for r in l['routes']):
            return None
        route += self.rng.choice(['', ' metric 77', ' table 100', ' mtu 1400'])
        link['routes'].append(route)
        return f'{name} {route}'

    def remove_route(self, h):
        name = self.choice([n for n, l in h.links.items() if l['routes']])
        if name:
            h.links[name]['routes'].remove(self.choice(h.links[name]['routes']))
        return name

    def set_port_option(self, h):
        port = self.choice([n for n in h.links if h.master(n)])
        if not port:
            return None
        keys = h.port_keys.setdefault(port, {})
        if h.master_kind(port) == 'bridge':
            for key in self.rng.sample(sorted(BRIDGE_PORT), self.rng.choice([1, 3])):
                keys[key] = self.rng.choice(BRIDGE_PORT[key])
            return f'{port} {keys}'
        siblings = h.links[h.master(port)]['ports']
        if self.rng.random() < 0.5:
            taken = {h.port_keys.get(s, {}).get('queue_id') for s in siblings}
            keys['queue_id'] = self.choice({'1', '2', '15', '16'} - taken)
        elif MODES.index(h.links[h.master(port)]['keys']['mode']) in (BACKUP, TLB, ALB):
            keys['prio'] = self.rng.choice(['-5', '7'])
        return f'{port} {keys}'

    def unset_port_option(self, h):
        port = self.choice([n for n, k in h.port_keys.items() if k])
        if not port:
            return None
        keys = h.port_keys[port]
        if self.rng.random() < 0.3:
            keys.clear()
        else:
            del keys[self.choice(keys)]
        if 'untagged' in keys:
            del keys['untagged']
        return port

    def _vlans(self, keys):
        for key in 'vlans', 'pvid', 'untagged':
            keys.pop(key, None)
        if self.rng.random() < 0.8:
            keys['vlans'] = self.rng.choice(['10 20-29', '5', '100-300 4000', '1 9 10'])
        if self.rng.random() < 0.5:
            keys['pvid'] = self.rng.choice(['5', '10', 'none', '1'])
        if 'vlans' in keys and self.rng.random() < 0.4:
            keys['untagged'] = {'10 20-29': '22-25', '5': '5', '100-300 4000': '100-101 4000', '1 9 10': '9'}[keys['vlans']]

    def set_port_vlans(self, h):
        port = self.choice([n for n in h.links if h.master_kind(n) == 'bridge'])
        if port:
            self._vlans(h.port_keys.setdefault(port, {}))
            h.links[h.master(port)]['keys']['vlan_filtering'] = 'yes'
        return port

    def set_own_vlans(self, h):
        name = self.choice(h.of_kind('bridge'))
        if name:
            self._vlans(h.links[name]['keys'])
            h.links[name]['keys']['vlan_filtering'] = 'yes'
        return name

    def set_backup(self, h):
        port = self.choice([n for n in h.links if h.master_kind(n) == 'bridge' and len(h.links[h.master(n)]['ports']) > 1])
        if port:
            others = set(h.links[h.master(port)]['ports']) - {port}
            h.port_keys.setdefault(port, {})['backup_port'] = self.choice(others)
        return port

    def set_vlan_id(self, h):
        name = self.choice(h.of_kind('vlan'))
        if not name:
            return None
        keys, protocol = h.links[name]['keys'], self.choice(['802.1q', '802.1ad'])
        vid = self._free_id(h, h.links[name]['parent'], protocol)
        if not vid:
            return None
        keys['id'], keys['protocol'] = vid, protocol
        return f'{name} {vid} {protocol}'

    def set_parent(self, h):
        name = self.choice(h.of_kind('vlan'))
        if not name:
            return None
        link = h.links[name]
        parent = self.choice([n for n in self._parents(h) if name not in h.lowers(n) and n != link['parent']])
        if not parent or link['keys']['id'] in {h.links[v]['keys']['id'] for v in h.vlans_on(parent)}:
            return None
        link['parent'] = parent
        return f'{name} onto {parent}'

    def set_link_option(self, h):
        name = self.choice([n for n in h.links if not h.master(n)])
        keys, key = h.links[name]['keys'], self.choice(LINK)
        if key in keys and self.rng.random() < 0.5:
            del keys[key]
            return f'{name} {key} unset'
        keys[key] = self.rng.choice(LINK[key])
        wants6 = any(':' in a for a in h.links[name]['addresses'] + h.links[name]['routes'])
        if keys.get('ipv6') == 'no' and (wants6 or keys.get('accept_ra', 'no') != 'no'):
            del keys['ipv6']
        return f'{name} {key} = {keys.get(key)}'

    def set_mtu(self, h):
        """A VLAN's is never above what the smallest parent has."""
        name = self.choice([n for n in h.links if h.master_kind(n) != 'bond'])
        keys = h.links[name]['keys']
        if 'mtu' in keys:
            del keys['mtu']
        else:
            keys['mtu'] = self.choice(MTUS[h.links[name]['kind']])
        if any('mtu' in h.links[n]['keys'] for n in h.vlans_on(name)) and h.links[name]['kind'] == 'vlan':
            return None
        if h.links[name]['kind'] == 'vlan' and h.links[h.links[name]['parent']]['kind'] == 'vlan':
            return None
        return f'{name} mtu {keys.get("mtu")}'

    def set_mac(self, h):
        name = self.choice([n for n in h.links if h.master_kind(n) != 'bond'])
        keys = h.links[name]['keys']
        if 'mac' in keys:
            del keys['mac']
        else:
            low, high = h.next_number()
            keys['mac'] = f'02:00:00:01:{high:02x}:{low:02x}'
        return f'{name} mac {keys.get("mac")}'

    def set_up(self, h):
        name = self.choice([n for n, l in h.links.items() if not h.master(n) and not h.vlans_on(n) and not l['addresses'] and
                            not l['routes']])
        if not name:
            return None
        keys = h.links[name]['keys']
        if 'up' in keys:
            del keys['up']
        else:
            keys['up'] = 'no'
        return f'{name} up {keys.get("up")}'


class ForeignHand:
    """Someone with an ip command who changes what is declared. Each method returns a command, or None."""

    def __init__(self, rng, host):
        self.rng, self.host = rng, host

    def command(self):
        hands = [self.deletes, self.takes_down, self.releases, self.mtu, self.mac, self.address, self.route, self.vlans]
        for hand in self.rng.sample(hands, len(hands)):
            command = hand()
            if command:
                return command
        return None

    def pick(self, names):
        return self.rng.choice(sorted(names)) if names else None

    def having(self, key):
        return self.pick([n for n, l in self.host.links.items() if key in l['keys']])

    def deletes(self):
        name = self.pick(self.host.made())
        return name and ['ip', 'link', 'del', name]

    def takes_down(self):
        name = self.pick([n for n in self.host.made() if self.host.links[n]['keys'].get('up') != 'no'])
        return name and ['ip', 'link', 'set', name, 'down']

    def releases(self):
        name = self.pick([n for n in self.host.links if self.host.master(n)])
        return name and ['ip', 'link', 'set', name, 'nomaster']

    def mtu(self):
        name = self.having('mtu')
        return name and ['ip', 'link', 'set', name, 'mtu', '1290']

    def mac(self):
        name = self.having('mac')
        return name and ['ip', 'link', 'set', name, 'address', '02:00:00:ff:ff:01']

    def address(self):
        name = self.pick([n for n, l in self.host.links.items() if l['addresses']])
        return name and ['ip', 'addr', 'del', self.pick(self.host.links[name]['addresses']), 'dev', name]

    def route(self):
        name = self.pick([n for n, l in self.host.links.items() if l['routes']])
        if not name:
            return None
        words = self.pick(self.host.links[name]['routes']).split()
        table = words[words.index('table') + 1] if 'table' in words else 'main'
        return ['ip', *(['-6'] if ':' in words[0] else []), 'route', 'del', words[0], 'dev', name, 'table', table]

    def vlans(self):
        port = self.pick([n for n, k in self.host.port_keys.items() if 'vlans' in k and self.host.master_kind(n) == 'bridge'])
        if not port:
            return None
        keys = self.host.port_keys[port]
        # Who takes the bridge's default PVID away takes what nothing declares.
        vids = [v for v in keys['vlans'].split() if 'pvid' in keys or v not in BRIDGE['vlan_default_pvid']]
        return vids and ['bridge', 'vlan', 'del', 'vid', vids[0], 'dev', port]
