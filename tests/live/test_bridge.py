# SPDX-License-Identifier: GPL-2.0-or-later
"""Bridges: every option of bridge and port, VLAN filtering, [port] sections for devices of others, MAC, MTU, guests' ports."""
import re

import bed

MULTI_BOOLOPT = 46  # IFLA_BR_MULTI_BOOLOPT: two words, values and which of them are known
NO_LL_LEARN, MCAST_VLAN_SNOOPING, MST = 0, 1, 2

# Key, sysfs attribute (or bit of the boolopts), what that shows by default, two settings: as written and as shown.
# Times are shown in 1/100 s; '_' is any digit, where the kernel's clock has a part in it.
STP = [
    ('forward_delay', 'forward_delay', '1500', ('2s', '200'), ('30s', '3000')),
    ('hello_time', 'hello_time', '200', ('1s', '100'), ('10s', '1000')),
    ('max_age', 'max_age', '2000', ('6s', '600'), ('40s', '4000')),
    ('ageing_time', 'ageing_time', '30000', ('10s', '1000'), ('0s', '0')),
    ('stp_state', 'stp_state', '0', ('yes', '1'), ('no', '0')),
    ('priority', 'priority', '32768', ('0', '0'), ('65535', '65535')),
    ('group_fwd_mask', 'group_fwd_mask', '0x0', ('0x4000', '0x4000'), ('65528', '0xfff8')),
    ('group_address', 'group_addr', '01:80:c2:00:00:00', ('01:80:c2:00:00:04', '01:80:c2:00:00:04'),
     ('01:80:c2:00:00:0f', '01:80:c2:00:00:0f')),
    ('no_linklocal_learn', NO_LL_LEARN, '0', ('yes', '1'), ('no', '0')),
]
VLAN = [
    ('vlan_stats_enabled', 'vlan_stats_enabled', '0', ('yes', '1'), ('no', '0')),
    ('mcast_vlan_snooping', MCAST_VLAN_SNOOPING, '0', ('yes', '1'), ('no', '0')),
    ('vlan_default_pvid', 'default_pvid', '1', ('100', '100'), ('none', '0')),
    ('vlan_protocol', 'vlan_protocol', '0x8100', ('802.1ad', '0x88a8'), ('802.1q', '0x8100')),
    ('vlan_filtering', 'vlan_filtering', '0', ('yes', '1'), ('no', '0')),
]
MULTICAST = [
    ('mcast_router', 'multicast_router', '1', ('0', '0'), ('2', '2')),
    ('mcast_snooping', 'multicast_snooping', '1', ('no', '0'), ('yes', '1')),
    ('mcast_query_use_ifaddr', 'multicast_query_use_ifaddr', '0', ('yes', '1'), ('no', '0')),
    ('mcast_querier', 'multicast_querier', '0', ('yes', '1'), ('no', '0')),
    ('mcast_hash_max', 'hash_max', '4096', ('512', '512'), ('8192', '8192')),
    ('mcast_last_member_count', 'multicast_last_member_count', '2', ('0', '0'), ('7', '7')),
    ('mcast_startup_query_count', 'multicast_startup_query_count', '2', ('0', '0'), ('5', '5')),
    ('mcast_last_member_interval', 'multicast_last_member_interval', '100', ('2s', '200'), ('500ms', '50')),
    ('mcast_membership_interval', 'multicast_membership_interval', '26000', ('100s', '10000'), ('1000s', '100000')),
    ('mcast_querier_interval', 'multicast_querier_interval', '25500', ('100s', '10000'), ('1000s', '100000')),
    ('mcast_query_interval', 'multicast_query_interval', '12500', ('60s', '6000'), ('1s', '100')),
    ('mcast_query_response_interval', 'multicast_query_response_interval', '1000', ('5s', '500'), ('20s', '2000')),
    ('mcast_startup_query_interval', 'multicast_startup_query_interval', '31__', ('10s', '1000'), ('1s', '100')),
    ('mcast_stats_enabled', 'multicast_stats_enabled', '0', ('yes', '1'), ('no', '0')),
    ('mcast_igmp_version', 'multicast_igmp_version', '2', ('3', '3'), ('2', '2')),
    ('mcast_mld_version', 'multicast_mld_version', '1', ('2', '2'), ('1', '1')),
]
NETFILTER = [
    ('nf_call_iptables', 'nf_call_iptables', '0', ('yes', '1'), ('no', '0')),
    ('nf_call_ip6tables', 'nf_call_ip6tables', '0', ('yes', '1'), ('no', '0')),
    ('nf_call_arptables', 'nf_call_arptables', '0', ('yes', '1'), ('no', '0')),
]

# The same for ports: sysfs attribute in brif/PORT, or number of the IFLA_BRPORT attribute, which sysfs does not have.
VLAN_TUNNEL, EHT_HOSTS_LIMIT, LOCKED = 29, 37, 39
PORT = [
    ('path_cost', 'path_cost', None, ('1', '1'), ('65535', '65535')),
    ('priority', 'priority', '32', ('0', '0'), ('63', '63')),
    ('isolated', 'isolated', '0', ('yes', '1'), ('no', '0')),
    ('learning', 'learning', '1', ('no', '0'), ('yes', '1')),
    ('hairpin', 'hairpin_mode', '0', ('yes', '1'), ('no', '0')),
    ('guard', 'bpdu_guard', '0', ('yes', '1'), ('no', '0')),
    ('root_block', 'root_block', '0', ('yes', '1'), ('no', '0')),
    ('fastleave', 'multicast_fast_leave', '0', ('yes', '1'), ('no', '0')),
    ('flood', 'unicast_flood', '1', ('no', '0'), ('yes', '1')),
    ('mcast_flood', 'multicast_flood', '1', ('no', '0'), ('yes', '1')),
    ('bcast_flood', 'broadcast_flood', '1', ('no', '0'), ('yes', '1')),
    ('mcast_to_unicast', 'multicast_to_unicast', '0', ('yes', '1'), ('no', '0')),
    ('proxy_arp', 'proxyarp', '0', ('yes', '1'), ('no', '0')),
    ('proxy_arp_wifi', 'proxyarp_wifi', '0', ('yes', '1'), ('no', '0')),
    ('neigh_suppress', 'neigh_suppress', '0', ('yes', '1'), ('no', '0')),
    ('mcast_router', 'multicast_router', '1', ('0', '0'), ('2', '2')),
    ('group_fwd_mask', 'group_fwd_mask', '0x0', ('0x4000', '0x4000'), ('0x8', '0x8')),
    ('backup_port', 'backup_port', '', ('p1', 'p1'), ('p2', 'p2')),
    ('locked', LOCKED, '0', ('yes', '1'), ('no', '0')),
    ('vlan_tunnel', VLAN_TUNNEL, '0', ('yes', '1'), ('no', '0')),
    ('mcast_eht_hosts_limit', EHT_HOSTS_LIMIT, '512', ('1', '1'), ('1000000', '1000000')),
]


def number(data):
    return str(int.from_bytes(data, 'little'))


def shown_option(b, where):
    if isinstance(where, int):
        return str(int.from_bytes(b.attributes('br0')[MULTI_BOOLOPT][:4], 'little') >> where & 1)
    return b.sysfs('br0', f'bridge/{where}')


def shown_port_option(b, where):
    if isinstance(where, int):
        return number(b.attributes('p0', port=True)[where])
    return b.sysfs('br0', f'brif/p0/{where}')


class Options(bed.TestCase):
    """Every option: all set at creation; then, one by one and with a port and a guest attached, changed; then unset."""

    def walk(self, options, shown_by, text, always=None):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        values = {**(always or {}), **{key: first[0] for key, _, _, first, _ in options}}
        expected = {where: first[1] for _, where, _, first, _ in options}

        def changing():
            return b.sysfs('br0', 'bridge/topology_change') == '1'

        def see(when):
            before = changing()
            shown = {where: shown_by(b, where) for where in expected}
            for where, value in expected.items():
                if '_' in value and re.fullmatch(value.replace('_', '[0-9]'), shown[where]):
                    shown[where] = value
            # Meanwhile the kernel ages by twice forward_delay (net/bridge/br_stp.c, __br_set_topology_change).
            if 'ageing_time' in shown and (before or changing()):
                shown['ageing_time'] = expected['ageing_time']
            self.assertShows(shown, expected, when)

        b.write(text(values))
        b.start()
        see('set at creation')
        b.tap('vnet0', master='br0')
        index = b.link('br0')['ifindex']
        for key, where, _, _, (value, shown) in options:
            values[key], expected[where] = value, shown
            b.change(text(values))
            see(f'{key} changed to {value}')
        for key, where, default, _, _ in options:
            if default is None:
                continue
            del values[key]
            expected[where] = default
            if always and key in always:
                values[key] = always[key]
            b.change(text(values))
            see(f'{key} unset')
        self.assertEqual(b.link('br0')['ifindex'], index, 'the bridge was made anew')
        self.assertEqual(b.ports('br0'), ['p0', 'p1', 'p2', 'vnet0'])
        self.assertSettled()

    @staticmethod
    def bridge(values):
        return '[bridge br0]\nports = p0 p1 p2\n' + ''.join(f'{k} = {v}\n' for k, v in values.items())

    @staticmethod
    def port(values):
        return '[bridge br0]\nports = p0 p1 p2\n[port p0]\n' + ''.join(f'{k} = {v}\n' for k, v in values.items())

    def test_stp(self):
        self.walk(STP, shown_option, self.bridge)

    def test_vlan(self):
        self.walk(VLAN, shown_option, self.bridge)

    def test_multicast(self):
        self.walk(MULTICAST, shown_option, self.bridge)

    def test_netfilter(self):
        self.walk(NETFILTER, shown_option, self.bridge)

    def test_port(self):
        self.walk(PORT, shown_port_option, self.port)

    test_port.cost = test_multicast.cost = 20
    test_vlan.cost = test_stp.cost = 15

    def test_a_port_cost_that_is_unset_is_what_it_was(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        b.write(self.port({}))
        b.start()
        before = b.sysfs('br0', 'brif/p0/path_cost')
        b.change(self.port({'path_cost': '7'}))
        self.assertEqual(b.sysfs('br0', 'brif/p0/path_cost'), '7')
        b.change(self.port({}))
        self.assertEqual(b.sysfs('br0', 'brif/p0/path_cost'), before)
        self.assertSettled()

    def test_what_needs_a_bridge_without_ports_lets_only_its_own_ports_go(self):
        # vlan_stats_per_port and mst_enabled are refused by the kernel once a port has a VLAN.
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        b.write(self.bridge({'vlan_stats_per_port': 'yes', 'mst_enabled': 'yes'}) + '[port p0]\npath_cost = 9\n')
        b.start()
        self.assertEqual([shown_option(b, w) for w in ('vlan_stats_per_port', MST)], ['1', '1'])
        b.change(self.bridge({'vlan_stats_per_port': 'no'}) + '[port p0]\npath_cost = 9\n')
        self.assertEqual([shown_option(b, w) for w in ('vlan_stats_per_port', MST)], ['0', '0'])
        self.assertEqual(b.ports('br0'), ['p0', 'p1', 'p2'])
        self.assertEqual(b.sysfs('br0', 'brif/p0/path_cost'), '9')
        self.assertSettled()
        b.tap('vnet0', master='br0')
        b.write(self.bridge({'vlan_stats_per_port': 'yes'}))
        b.sent()
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('vnet0', out + err)
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.ports('br0'), ['p0', 'p1', 'p2', 'vnet0'])

    def test_stp_clamps_are_told_before_they_happen(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        b.write(self.bridge({}))
        b.start()
        b.write(self.bridge({'stp_state': 'yes', 'forward_delay': '1s'}))
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 1)
        self.assertIn('must be from 2s to 30s', out + err)
        b.apply(self.bridge({'stp_state': 'yes', 'forward_delay': '4s'}))
        b.apply(self.bridge({'stp_state': 'no', 'forward_delay': '0s'}))
        self.assertEqual((b.data('br0')['stp_state'], b.data('br0')['forward_delay']), (0, 0))


class VlanFiltering(bed.TestCase):
    BRIDGE = '[bridge br0]\nports = p0 p1\nvlan_filtering = yes\n'
    BOTH = {'PVID', 'Egress Untagged'}

    def test_pvid_ranges_and_untagged_on_ports_and_on_the_bridge(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.BRIDGE + 'vlan_default_pvid = none\npvid = 10\nvlans = 10 20\n'
                '[port p0]\nvlans = 10 100-103 200\nuntagged = 200\n[port p1]\npvid = 20\n')
        b.start()
        self.assertEqual(b.port_vlans('p0'), {10: set(), 100: set(), 101: set(), 102: set(), 103: set(),
                                              200: {'Egress Untagged'}})
        self.assertEqual(b.port_vlans('p1'), {20: self.BOTH})
        self.assertEqual(b.port_vlans('br0'), {10: self.BOTH, 20: set()})
        self.assertSettled()
        b.change(self.BRIDGE + 'vlan_default_pvid = none\nvlans = 20 30\n'
                 '[port p0]\npvid = 101\nvlans = 100-102 300\n[port p1]\npvid = 21\nvlans = 5\nuntagged = 5\n')
        self.assertEqual(b.port_vlans('p0'), {100: set(), 101: self.BOTH, 102: set(), 300: set()})
        self.assertEqual(b.port_vlans('p1'), {5: {'Egress Untagged'}, 21: {'PVID'}})
        self.assertEqual(b.port_vlans('br0'), {20: set(), 30: set()})
        self.assertSettled()

    def test_a_new_pvid_leaves_no_membership_of_the_old(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.BRIDGE + '[port p0]\npvid = 10\n')
        b.start()
        self.assertEqual(b.port_vlans('p0'), {10: self.BOTH})
        self.assertEqual(b.port_vlans('p1'), {1: self.BOTH})
        b.change(self.BRIDGE + '[port p0]\npvid = 11\n')
        self.assertEqual(b.port_vlans('p0'), {11: self.BOTH})
        b.change(self.BRIDGE + '[port p0]\npvid = none\nvlans = 12\n')
        self.assertEqual(b.port_vlans('p0'), {12: set()})
        self.assertSettled()

    def test_only_what_differs_is_sent(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.BRIDGE + '[port p0]\nvlans = 2-4094\n')
        b.start()
        self.assertEqual(len(b.port_vlans('p0')), 4094 - (1 not in b.port_vlans('p0')))
        b.sent()
        b.change(self.BRIDGE + '[port p0]\nvlans = 2-99 101-4094\n')
        self.assertNotIn(100, b.port_vlans('p0'))
        sent = b.sent()
        self.assertEqual(len(sent), 1, sent)
        self.assertLess(int(sent[0].split()[-1]), 100, 'bytes of the message')

    def test_a_foreign_ports_vlans_are_its_own(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.BRIDGE + '[port p0]\nvlans = 10\n')
        b.start()
        b.tap('vnet0', master='br0')
        run = bed.run
        run('bridge', 'vlan', 'add', 'dev', 'vnet0', 'vid', '77', 'pvid', 'untagged')
        run('bridge', 'vlan', 'del', 'dev', 'vnet0', 'vid', '1')
        b.change(self.BRIDGE + '[port p0]\nvlans = 11\n')
        b.restart()
        b.change(self.BRIDGE)
        self.assertEqual(b.port_vlans('vnet0'), {77: self.BOTH})
        self.assertSettled()

    def test_vlans_go_back_to_what_they_were(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.BRIDGE)
        b.start()
        self.assertEqual(b.port_vlans('p0'), {1: self.BOTH})
        b.change(self.BRIDGE + '[port p0]\npvid = 5\nvlans = 5 6 7\n')
        self.assertEqual(b.port_vlans('p0'), {5: self.BOTH, 6: set(), 7: set()})
        b.change(self.BRIDGE)
        self.assertEqual(b.port_vlans('p0'), {1: self.BOTH})
        self.assertSettled()


class PortSections(bed.TestCase):
    FILES = ('[bridge br0]\nports = p0\nvlan_filtering = yes\n'
             '[port vnet*]\nisolated = yes\npvid = 10\npath_cost = 50\n'
             '[port vnet1?]\npath_cost = 60\n[port vnet12]\nisolated = no\nvlans = 20-22\n')

    def attributes(self, port):
        return [self.bed.sysfs('br0', f'brif/{port}/{a}') for a in ('isolated', 'path_cost')]

    def test_globs_reach_devices_that_appear_later_and_merge_key_by_key(self):
        b = self.bed
        b.nic('p0')
        b.write(self.FILES)
        b.start()
        b.tap('vnet0', master='br0')
        b.tap('vnet11', master='br0')
        b.tap('vnet12', master='br0')
        b.tap('tap0', master='br0')
        bed.eventually(lambda: self.attributes('vnet0') == ['1', '50'])
        bed.eventually(lambda: self.attributes('vnet11') == ['1', '60'])
        bed.eventually(lambda: self.attributes('vnet12') == ['0', '60'])
        bed.eventually(lambda: set(b.port_vlans('vnet0')) == {10})
        bed.eventually(lambda: set(b.port_vlans('vnet12')) == {10, 20, 21, 22})
        self.assertEqual(self.attributes('tap0')[0], '0')
        self.assertEqual(set(b.port_vlans('tap0')), {1})
        self.assertSettles()
        # The section goes: the ports stay, with what they had before.
        b.change('[bridge br0]\nports = p0\nvlan_filtering = yes\n')
        self.assertEqual(b.ports('br0'), ['p0', 'tap0', 'vnet0', 'vnet11', 'vnet12'])
        self.assertEqual(self.attributes('vnet0')[0], '0')
        self.assertEqual(set(b.port_vlans('vnet0')), {1})

    def test_a_matching_device_elsewhere_is_not_touched(self):
        b = self.bed
        b.nic('p0')
        b.write(self.FILES)
        b.start()
        b.ip('link', 'add', 'other', 'type', 'bridge')
        b.tap('vnet0', master='other')
        b.tap('vnet1')
        b.sent()
        b.change(self.FILES)
        self.assertEqual(b.sysfs('other', 'brif/vnet0/isolated'), '0')
        self.assertEqual(b.link('vnet0')['master'], 'other')
        self.assertNotIn('master', b.link('vnet1'))
        self.assertEqual(b.sent(), [])

    def test_a_guest_is_put_right_again_when_it_moves(self):
        b = self.bed
        b.nic('p0')
        b.write(self.FILES)
        b.start()
        b.tap('vnet0', master='br0')
        bed.eventually(lambda: self.attributes('vnet0') == ['1', '50'])
        b.ip('link', 'set', 'vnet0', 'nomaster')
        b.ip('link', 'set', 'vnet0', 'master', 'br0')
        bed.eventually(lambda: self.attributes('vnet0') == ['1', '50'])

    def test_ports_that_back_each_other_up_do_so_again_when_one_was_taken_out(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write('[bridge br0]\nports = p0 p1\n[port p0]\nbackup_port = p1\n[port p1]\nbackup_port = p0\n')
        b.start()
        b.ip('link', 'set', 'p1', 'nomaster')
        bed.eventually(lambda: b.ports('br0') == ['p0', 'p1'] and b.at_rest())
        self.assertEqual([self.backup('p0'), self.backup('p1')], ['p1', 'p0'])

    test_ports_that_back_each_other_up_do_so_again_when_one_was_taken_out.needs = bed.BRIDGES

    def backup(self, port):
        return self.bed.link(port).get('linkinfo', {}).get('info_slave_data', {}).get('backup_port')


class MacAndMtu(bed.TestCase):
    needs = bed.BRIDGES

    def mac(self, name='br0'):
        return self.bed.link(name)['address']

    def test_inherit_is_kept_when_ports_go_come_and_change_places(self):
        b = self.bed
        macs = [b.nic('p0', '52:54:00:00:00:50'), b.nic('p1', '52:54:00:00:00:40'), b.nic('p2', '52:54:00:00:00:60')]
        b.write('[bridge br0]\nports = p0 p1\n')
        b.start()
        index = b.link('br0')['ifindex']
        self.assertEqual(self.mac(), macs[0])
        for ports in 'p1 p0', 'p2 p1', 'p2', 'p0 p2':
            b.change(f'[bridge br0]\nports = {ports}\n')
            self.assertEqual(self.mac(), macs[0], ports)
            self.assertEqual(b.ports('br0'), sorted(ports.split()))
        b.change('[bridge br0]\n')
        self.assertEqual(self.mac(), macs[0])
        b.restart()
        self.assertEqual(self.mac(), macs[0])
        self.assertEqual(b.link('br0')['ifindex'], index)
        self.assertSettled()

    def test_stable_without_ports_then_the_first_ports(self):
        b = self.bed
        b.write('[bridge br0]\n[bridge br1]\n')
        b.start()
        first, second = self.mac(), self.mac('br1')
        self.assertNotEqual(first, second)
        self.assertEqual(int(first[:2], 16) & 3, 2, 'locally administered, unicast')
        b.tap('vnet0', master='br0')
        self.assertEqual(self.mac(), first, "a guest's tap changes nothing")
        mac = b.nic('p0')
        b.change('[bridge br0]\nports = p0\n[bridge br1]\nmac = stable\n')
        self.assertEqual(self.mac(), mac)
        self.assertEqual(self.mac('br1'), second)
        self.assertSettled()

    def test_explicit_changed_and_unset(self):
        b = self.bed
        mac = b.nic('p0')
        b.write('[bridge br0]\nports = p0\nmac = 52:54:00:cc:00:01\n')
        b.start()
        self.assertEqual(self.mac(), '52:54:00:cc:00:01')
        b.change('[bridge br0]\nports = p0\nmac = 52:54:00:cc:00:02\n')
        self.assertEqual(self.mac(), '52:54:00:cc:00:02')
        b.change('[bridge br0]\nports = p0\nmac = inherit\n')
        self.assertEqual(self.mac(), mac)
        self.assertSettled()

    def test_the_mac_of_a_bridge_that_was_there_is_never_changed_by_the_default(self):
        b = self.bed
        b.nic('p0')
        b.ip('link', 'add', 'br0', 'address', '52:54:00:dd:00:01', 'type', 'bridge')
        b.write('[bridge br0]\nports = p0\n')
        b.start()
        self.assertEqual(self.mac(), '52:54:00:dd:00:01')
        self.assertSettled()

    def test_a_declared_mtu_is_not_moved_by_ports(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.ip_batch('link set p0 mtu 9000\nlink set p1 mtu 1400\n')
        b.write('[bridge br0]\nports = p0\nmtu = 1500\n')
        b.start()
        self.assertEqual(b.link('br0')['mtu'], 1500)
        b.change('[bridge br0]\nports = p0 p1\nmtu = 1500\n')
        self.assertEqual(b.link('br0')['mtu'], 1500)
        b.change('[bridge br0]\nports = p0\nmtu = 9000\n')
        self.assertEqual(b.link('br0')['mtu'], 9000)
        b.ip('link', 'set', 'p1', 'master', 'br0')
        self.assertEqual(b.link('br0')['mtu'], 9000)
        self.assertSettled()


class ForeignPorts(bed.TestCase):
    FILES = '[bridge br0]\nports = p0 p1\naddress = 192.0.2.1/24\n'

    def test_survive_everything_that_is_done_to_their_bridge(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.FILES)
        b.start()
        b.tap('vnet0', master='br0')
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'isolated', 'on', 'cost', '77')
        before = b.link('vnet0')

        def same(when):
            now = b.link('vnet0')
            self.assertShows(now, {k: before[k] for k in ('ifindex', 'master', 'address', 'mtu', 'flags')}, when)
            self.assertEqual([b.sysfs('br0', f'brif/vnet0/{a}') for a in ('isolated', 'path_cost')], ['1', '77'], when)

        b.apply()
        same('apply')
        b.reload()
        same('reload')
        b.restart()
        same('restart')
        b.kill()
        b.start()
        same('crash and start')
        b.change(self.FILES + 'stp_state = yes\nforward_delay = 2s\nmtu = 1400\nvlan_filtering = yes\nmac = 52:54:00:00:00:77\n')
        before['flags'] = b.link('vnet0')['flags']
        same('options changed')
        b.change('[bridge br0]\nports = p1\n')
        same('other port and address removed')
        self.assertEqual(b.ports('br0'), ['p1', 'vnet0'])
        b.change('[bridge br0]\n')
        same('all own ports removed')
        self.assertSettled()

    def test_keep_their_bridge_from_being_deleted_without_force(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.FILES)
        b.start()
        b.tap('vnet0', master='br0')
        b.write('')
        b.sent()
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('vnet0', out + err)
        self.assertEqual(b.sent(), [])
        self.assertEqual(b.ports('br0'), ['p0', 'p1', 'vnet0'])
        status, out, err = b.netctl('apply', '--force')
        self.assertEqual(status, 0, out + err)
        self.assertEqual(b.link('br0'), {})
        self.assertIn('UP', b.link('vnet0')['flags'])

    def test_are_not_left_behind_when_the_daemon_dies_in_an_apply(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(self.FILES)
        b.start()
        b.tap('vnet0', master='br0')
        b.write(self.FILES + ''.join(f'[vlan br0.{i}]\nparent = br0\nid = {i}\n' for i in range(2, 60)))
        apply = b.background(bed.BUILD / 'netctl', 'apply', '--socket', b.socket)
        bed.eventually(lambda: b.link('br0.2'))
        b.kill()
        apply.wait(bed.PATIENCE)
        b.start()
        self.assertEqual(b.ports('br0'), ['p0', 'p1', 'vnet0'])
