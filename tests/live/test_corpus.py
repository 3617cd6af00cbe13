# SPDX-License-Identifier: GPL-2.0-or-later
"""
Configurations of the sorts that other tools' test suites have, written as INI: tests/live/corpus/*.ini. They are applied
one over the other, so that every one also is the way from the last to the next, and every key of each is read back from
`ip`, `bridge` and sysfs; the kernel's defaults are not looked at (test_bond.py and test_bridge.py do that).
"""
import ipaddress
import re
from fnmatch import fnmatch
from pathlib import Path

import bed

FILES = sorted(Path(__file__).with_name('corpus').glob('*.ini'))
WORDS = {'yes': '1', 'no': '0', 'none': '0'}
PROTOCOLS = {'802.1q': '0x8100', '802.1ad': '0x88a8'}
MILLISECONDS = {'ms': 1, 's': 1000, 'min': 60000}
# What sysfs calls the options of bridges and of their ports, where that is another name.
BRIDGE = {'stp': 'stp_state', 'vlan_default_pvid': 'default_pvid', 'group_address': 'group_addr', 'mcast_hash_max': 'hash_max'}
PORT = {'hairpin': 'hairpin_mode', 'guard': 'bpdu_guard', 'fastleave': 'multicast_fast_leave', 'flood': 'unicast_flood',
        'mcast_flood': 'multicast_flood', 'bcast_flood': 'broadcast_flood', 'proxy_arp': 'proxyarp', 'proxy_arp_wifi': 'proxyarp_wifi'}
FLAGS = ('reorder_hdr', 'gvrp', 'mvrp', 'loose_binding', 'bridge_binding')


def sections(text):
    """[(kind, name, {key: [value of each line]})]"""
    result = []
    for line in text.splitlines():
        if line.startswith('['):
            result.append((*line.strip('[]').split(None, 1), {}))
        elif line and not line.startswith('#'):
            key, value = line.split(' = ', 1)
            result[-1][2].setdefault(key, []).append(value)
    return result


def milliseconds(value):
    number, unit = re.fullmatch('([0-9]+)([a-z]*)', value).groups()
    return int(number) * MILLISECONDS[unit or 'ms']


def vids(words):
    bounds = [word.partition('-')[::2] for word in words]
    return {vid for first, last in bounds for vid in range(int(first), int(last or first) + 1)}


class Reader:
    """What the kernel shows of one configuration: read(KIND, NAME, KEY, VALUES) is what is shown, and what that has to be."""

    def __init__(self, test_bed, text):
        self.bed, self.links = test_bed, test_bed.links()
        self.sections = sections(text)
        self.declared = {(name, key): values for _, name, s in self.sections for key, values in s.items()}

    def faults(self):
        for kind, name, keys in self.sections:
            if kind != 'port' and name not in self.links:
                yield f'[{kind} {name}] is not there'
                continue
            for key, values in keys.items():
                for device in [n for n in self.links if kind != 'port' and n == name or kind == 'port' and fnmatch(n, name)]:
                    shown, expected = self.read(kind, device, key, ' '.join(values), values)
                    if shown != expected:
                        yield f'[{kind} {name}] {key} = {values}: {device} shows {shown!r} instead of {expected!r}'

    def read(self, kind, name, key, value, values):
        link = self.links[name]
        common = {
            'ports': lambda: (self.bed.ports(name), sorted(value.split())),
            'parent': lambda: (link.get('link'), value),
            'mtu': lambda: (link['mtu'], int(value)),
            'mac': lambda: (link['address'], value),
            'txqueuelen': lambda: (link.get('txqlen'), int(value)),
            'up': lambda: ('UP' in link['flags'], value == 'yes'),
            'accept_ra': lambda: (self.bed.sysctl(name, 'accept_ra'), {'no': '0', 'yes': '1', 'always': '2'}[value]),
            'ipv6': lambda: (self.bed.sysctl(name, 'disable_ipv6'), '1' if value == 'no' else '0'),
            'address': lambda: self.addresses(name, value.split()),
            'gateway': lambda: self.routes(name, [f'default via {gateway}' for gateway in value.split()]),
            'route': lambda: self.routes(name, values),
            'pvid': lambda: self.vlans(name, key, value),
            'vlans': lambda: self.vlans(name, key, value),
            'untagged': lambda: self.vlans(name, key, value),
        }
        if key in common:
            return common[key]()
        return getattr(self, kind)(name, key, value)

    def addresses(self, name, wanted):
        link, = self.bed.ip_json('addr', 'show', 'dev', name)
        shown = [f'{a["local"]}/{a["prefixlen"]}' for a in link['addr_info']]
        return sorted(a for a in shown if a in wanted or not a.startswith('fe80:')), sorted(wanted)

    def routes(self, name, wanted):
        """Those that are not there, which should be none."""
        missing = []
        for text in wanted:
            words = text.split()
            given = dict(zip(words[1::2], words[2::2]))
            v6 = ':' in words[0] + given.get('via', '')
            dst = 'default' if words[0] in ('default', '0.0.0.0/0', '::/0') else str(ipaddress.ip_network(words[0]))
            want = {'dst': re.sub('/128$' if v6 else '/32$', '', dst), 'dev': name, 'gateway': given.get('via'),
                    'prefsrc': given.get('src'), 'metric': int(given.get('metric', 1024 if v6 else 0))}
            mtu = int(given.get('mtu', 0))
            found = self.bed.ip_json('-6' if v6 else '-4', 'route', 'show', 'table', given.get('table', 'main'))
            if not any({**dict.fromkeys(want), 'metric': 0, **{k: r[k] for k in want if k in r}} == want
                       and r.get('metrics', [{}])[0].get('mtu', 0) == mtu for r in found):
                missing.append(text)
        return missing, []

    def vlans(self, name, key, value):
        shown = self.bed.port_vlans(name)
        pvid = {vid for vid, flags in shown.items() if 'PVID' in flags}
        if key == 'pvid':
            return pvid, set() if value == 'none' else {int(value)}
        if key == 'untagged':
            return {vid for vid, flags in shown.items() if 'Egress Untagged' in flags}, vids(value.split())
        return set(shown), vids(value.split()) | pvid

    def bond(self, name, key, value):
        if key == 'ns_ip6_target':
            return self.links[name]['linkinfo']['info_data'].get(key), value.split()
        shown = self.bed.sysfs(name, f'bonding/{key}')
        if key in ('miimon', 'updelay', 'downdelay', 'peer_notif_delay', 'arp_interval'):
            return int(shown), milliseconds(value)
        if key == 'arp_ip_target':
            return shown.split(), value.split()
        # Enumerations show their name and their number.
        value = WORDS.get(value, value)
        return value if value in shown.split() else shown, value

    def bridge(self, name, key, value):
        changing = [self.bed.sysfs(name, 'bridge/topology_change')]
        shown = self.bed.sysfs(name, 'bridge/' + BRIDGE.get(key, key.replace('mcast_', 'multicast_')))
        changing.append(self.bed.sysfs(name, 'bridge/topology_change'))
        if key == 'ageing_time' and '1' in changing:
            # Meanwhile the kernel ages by twice forward_delay (net/bridge/br_stp.c, __br_set_topology_change).
            return value, value
        if key == 'vlan_protocol':
            return shown, PROTOCOLS[value]
        if key.endswith(('_time', '_delay', '_age', '_interval')):
            return int(shown), milliseconds(value) // 10
        return shown, WORDS.get(value, value)

    def vlan(self, name, key, value):
        data = self.links[name]['linkinfo']['info_data']
        if key in FLAGS:
            return key.upper() in data.get('flags', []), value == 'yes'
        if key.endswith('_qos_map'):
            return {f'{e["from"]}:{e["to"]}' for e in data.get(key[:-4], [])} | {'0:0'}, {*value.split(), '0:0'}
        return str(data[key]).lower(), value

    def port(self, name, key, value):
        data = self.links[name]['linkinfo'].get('info_slave_data', {})
        if key in ('queue_id', 'prio'):
            return data.get(key), int(value)
        attribute = PORT.get(key, key.replace('mcast_', 'multicast_'))
        shown = self.bed.sysfs(self.links[name]['master'], f'brif/{name}/{attribute}')
        return shown, WORDS.get(value, value)


class Corpus(bed.TestCase):
    def run_over(self, files):
        b = self.bed
        parsed = [(kind, name, keys) for path in files for kind, name, keys in sections(path.read_text())]
        made = {name for kind, name, _ in parsed if kind in ('bond', 'bridge', 'vlan')}
        used = {word for _, _, keys in parsed for key in ('ports', 'parent') for word in ' '.join(keys.get(key, [])).split()}
        b.nics(*sorted((used | {name for kind, name, _ in parsed if kind == 'ethernet'}) - made))
        b.write('')
        b.start()
        before = b.dump()
        for path in files:
            with self.subTest(path.name):
                b.change(path.read_text())
                self.assertEqual(list(Reader(b, path.read_text()).faults()), [])
                b.sent()
                b.varlink('Apply')
                self.assertEqual(b.sent(), [], 'write messages of a second apply')
        b.change('')
        self.assertSame(before, b.dump())


def _add_tests(parts):
    for i in range(parts):
        def test(self, files=tuple(FILES[i::parts])):
            self.run_over(files)
        test.cost = 30
        setattr(Corpus, f'test_part_{i + 1}_of_{parts}', test)


_add_tests(3)
