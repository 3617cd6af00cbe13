# SPDX-License-Identifier: GPL-2.0-or-later
"""The changes that test_faults.py tries with faults: configurations before and after, and what others have on the host meanwhile."""

# What others do on the host, once it is configured: a tap of a guest with settings and VLANs of its own ...
GUEST = [
    'tap vnet0 br0',
    'bridge link set dev vnet0 hairpin on isolated on cost 55 priority 9',
    'bridge vlan add dev vnet0 vid 30',
    'bridge vlan add dev vnet0 vid 31 pvid untagged',
    'bridge vlan del dev vnet0 vid 1',
]
# ... and addresses and routes of theirs on a link.
ROUTES = [
    'ip addr add 203.0.113.9/24 dev {0}',
    'ip addr add 2001:db8:9::9/64 dev {0}',
    'ip route add 198.51.100.0/24 via 203.0.113.1 proto 66',
    'ip route add 198.51.101.0/24 dev {0} table 77 proto 66 metric 7',
    'ip route add 2001:db8:99::/48 via 2001:db8:9::1 proto 66',
]


def routes_on(name):
    return [line.format(name) for line in ROUTES]


HOST = 'address = 192.0.2.10/24 2001:db8::10/64\ngateway = 192.0.2.1\nroute = 10.0.0.0/8 via 192.0.2.2 metric 5\n'

# Name: (configuration before, configuration after, what others do in between, --force)
TRANSITIONS = {
    'nic_to_bridge': (
        f'[ethernet eth0]\n{HOST}[ethernet eth1]\n',
        f'[bridge br0]\nports = eth0\n{HOST}[ethernet eth1]\n',
        routes_on('eth1') + ['ip addr add 192.0.2.77/24 dev eth0', 'ip route add 100.64.0.0/10 via 192.0.2.3 proto 66'], False),
    'bridge_to_nic': (
        f'[bridge br0]\nports = eth0\n{HOST}',
        f'[ethernet eth0]\n{HOST}',
        ['ip link set eth1 up', *routes_on('eth1')], False),
    'nic_to_bond': (
        f'[ethernet eth0]\n{HOST}',
        f'[bond bond0]\nmode = active-backup\nports = eth0 eth1\nprimary = eth0\n{HOST}',
        ['ip link set eth2 up', *routes_on('eth2'), 'ip link set eth1 mtu 1400'], False),
    'bond_to_nics': (
        f'[bond bond0]\nmode = balance-rr\nports = eth0 eth1\n{HOST}',
        f'[ethernet eth0]\n{HOST}[ethernet eth1]\naddress = 192.0.2.11/24\n',
        ['ip link set eth2 up', *routes_on('eth2')], False),
    'bond_mode': (
        f'[bond bond0]\nmode = active-backup\nports = eth0 eth1\nprimary = eth1\n{HOST}'
        '[vlan bond0.10]\nparent = bond0\nid = 10\naddress = 198.18.10.1/24 2001:db8:10::1/64\n'
        'route = 198.19.0.0/16 via 198.18.10.2\n[vlan bond0.20]\nparent = bond0\nid = 20\nmtu = 1400\n',
        f'[bond bond0]\nmode = 802.3ad\nlacp_rate = fast\nports = eth0 eth1\n{HOST}'
        '[vlan bond0.10]\nparent = bond0\nid = 10\naddress = 198.18.10.1/24 2001:db8:10::1/64\n'
        'route = 198.19.0.0/16 via 198.18.10.2\n[vlan bond0.20]\nparent = bond0\nid = 20\nmtu = 1400\n',
        ['ip link add link bond0 name foreign type vlan id 99', 'ip link set foreign up', *routes_on('foreign')], True),
    'bond_options': (
        '[bond bond0]\nmode = active-backup\nports = eth0 eth1\nmiimon = 100\nupdelay = 200\n[port eth0]\nqueue_id = 3\n',
        '[bond bond0]\nmode = active-backup\nports = eth0 eth1\narp_interval = 200\narp_ip_target = 192.0.2.1 192.0.2.2\n'
        'arp_validate = active\nfail_over_mac = none\nnum_grat_arp = 4\n[port eth1]\nqueue_id = 2\nprio = 7\n',
        ['ip link add link bond0 name foreign type vlan id 99', 'ip link set foreign up', *routes_on('bond0')], False),
    'bond_ports': (
        f'[bond bond0]\nmode = balance-xor\nxmit_hash_policy = layer3+4\nports = eth0 eth1\n{HOST}[ethernet eth2]\nmtu = 1450\n',
        f'[bond bond0]\nmode = balance-xor\nports = eth1 eth2\nmtu = 1400\n{HOST}[ethernet eth0]\naddress = 198.18.0.1/24\n',
        routes_on('bond0'), False),
    'vlan_id': (
        '[vlan v0]\nparent = eth0\nid = 10\naddress = 198.18.10.1/24 2001:db8:10::1/64\ngateway = 198.18.10.254\n'
        '[bridge br0]\nports = v1\n[vlan v1]\nparent = eth0\nid = 11\n',
        '[vlan v0]\nparent = eth0\nid = 20\nprotocol = 802.1ad\naddress = 198.18.10.1/24 2001:db8:10::1/64\n'
        'gateway = 198.18.10.254\n[bridge br0]\nports = v1\n[vlan v1]\nparent = eth0\nid = 10\n',
        [*GUEST, *routes_on('v0'), 'ip link add link eth0 name foreign type vlan id 99'], False),
    'remove_everything': (
        f'[bond bond0]\nmode = active-backup\nports = eth0 eth1\n[vlan bond0.10]\nparent = bond0\nid = 10\n'
        f'[bridge br0]\nports = bond0.10\nvlan_filtering = yes\nstp_state = yes\nforward_delay = 2s\n{HOST}'
        '[bridge br1]\nports = eth2\naddress = 198.18.1.1/24\n',
        '',
        [*GUEST, *routes_on('br0'), 'ip link add link bond0 name foreign type vlan id 99', 'ip link set foreign up',
         'ip addr add 198.18.99.1/24 dev foreign'], True),
    'full_bridge': (
        f'[bridge br0]\nports = eth0\nvlan_filtering = yes\n{HOST}[port vnet3]\nguard = yes\nvlans = 3-9 40\n',
        f'[ethernet eth0]\n{HOST}',
        [*GUEST, *(line for n in range(1, 7) for line in (
            f'tap vnet{n} br0', f'bridge link set dev vnet{n} cost {50 + n} learning off', f'bridge vlan add dev vnet{n} vid {60 + n}')),
         'bridge vlan add dev vnet2 vid 77 pvid untagged', 'ip link set vnet4 down', *routes_on('br0')], True),
    'make_everything': (
        '',
        f'[bond bond0]\nmode = active-backup\nports = eth0 eth1\n[vlan bond0.10]\nparent = bond0\nid = 10\n'
        f'[bridge br0]\nports = bond0.10 eth2\nvlan_filtering = yes\n{HOST}'
        '[port eth2]\nvlans = 10-13 20\npvid = 20\nisolated = yes\n',
        ['ip link set eth0 mtu 1450', 'ip link set eth2 up', *routes_on('eth2'), 'tap vnet0'], False),
    'bridge_options': (
        f'[bridge br0]\nports = eth0\nageing_time = 40s\nmcast_snooping = no\ngroup_fwd_mask = 0x8\n{HOST}',
        f'[bridge br0]\nports = eth0\nstp_state = yes\nforward_delay = 2s\nhello_time = 1s\npriority = 4096\n'
        f'mcast_query_interval = 60s\nnf_call_iptables = yes\nmtu = 1400\n{HOST}',
        GUEST[:2] + routes_on('br0'), False),
    'vlan_filtering_on': (
        f'[bridge br0]\nports = eth0 eth1\n{HOST}',
        f'[bridge br0]\nports = eth0 eth1\nvlan_filtering = yes\nvlan_default_pvid = 5\nvlans = 5 10\n{HOST}'
        '[port eth0]\nvlans = 2-40 100\npvid = 7\n[port eth1]\nvlans = 50\nuntagged = 50\npvid = 0\n'
        '[port vnet*]\nlearning = no\n',
        [*GUEST, *routes_on('br0')], False),
    'vlan_filtering_off': (
        '[bridge br0]\nports = eth0 eth1\nvlan_filtering = yes\nvlan_protocol = 802.1ad\nvlans = 1 10-12\n'
        '[port eth*]\nvlans = 2-40 100\npvid = 7\n[port vnet*]\nguard = yes\n',
        '[bridge br0]\nports = eth0\n[ethernet eth1]\naddress = 198.18.1.1/24\n',
        [*GUEST, *routes_on('br0')], False),
    'port_moves': (
        '[bridge br0]\nports = eth0 eth1\n[bridge br1]\nports = eth2\n[port eth1]\npath_cost = 44\nhairpin = yes\n',
        '[bridge br0]\nports = eth0\n[bridge br1]\nports = eth1 eth2\n[port eth0]\nbcast_flood = no\n',
        [*GUEST, 'tap vnet1 br1', 'bridge link set dev eth2 priority 3'], False),
    'port_bridge_to_bond': (
        '[bridge br0]\nports = eth0 eth1\nvlan_filtering = yes\n[port eth1]\nvlans = 5-9\nisolated = yes\n',
        '[bridge br0]\nports = bond0\nvlan_filtering = yes\n[bond bond0]\nmode = active-backup\nports = eth1 eth0\n[port bond0]\n'
        'vlans = 5-9\nisolated = yes\n',
        [*GUEST, 'bridge vlan add dev eth0 vid 66', *routes_on('br0')], False),
    'mtu': (
        '[bridge br0]\nports = v0\nmtu = 1400\n[vlan v0]\nparent = bond0\nid = 5\nmtu = 1400\n[bond bond0]\nmode = balance-rr\n'
        'ports = eth0 eth1\nmtu = 1450\n[port v0]\npath_cost = 7\n',
        '[bridge br0]\nports = v0\nmtu = 2000\n[vlan v0]\nparent = bond0\nid = 5\nmtu = 2000\n[bond bond0]\nmode = balance-rr\n'
        'ports = eth0 eth1\nmtu = 4000\n[ethernet eth2]\nmtu = 9000\n[port v0]\npath_cost = 7\n',
        ['ip link add link bond0 name foreign type vlan id 99', 'ip link set foreign mtu 1300 up', *routes_on('foreign')], False),
    'addresses': (
        f'[ethernet eth0]\n{HOST}[ethernet eth1]\naddress = 198.18.1.1/24 198.18.1.2/24 2001:db8:1::1/64\n',
        '[ethernet eth0]\naddress = 192.0.2.11/24 192.0.2.10/25 2001:db8::11/64\n'
        '[ethernet eth1]\naddress = 198.18.1.2/24 198.18.2.1/24\nipv6 = link-local\n',
        [*routes_on('eth0'), 'ip addr add 198.18.1.99/24 dev eth1'], False),
    'routes': (
        '[ethernet eth0]\naddress = 192.0.2.10/24 2001:db8::10/64\ngateway = 192.0.2.1 2001:db8::1\n'
        'route = 10.0.0.0/8 via 192.0.2.2 metric 5\nroute = 10.1.0.0/16 via 192.0.2.3 table 50 mtu 1400\n'
        'route = 2001:db8:7::/48 via 2001:db8::2\n',
        '[ethernet eth0]\naddress = 192.0.2.10/24 2001:db8::10/64\ngateway = 192.0.2.254\n'
        'route = 10.0.0.0/8 via 192.0.2.4 metric 5\nroute = 10.2.0.0/16 via 192.0.2.3 table 51 src 192.0.2.10\n'
        'route = 2001:db8:7::/48 via 2001:db8::3\n',
        [*routes_on('eth0'), 'ip route add 10.1.0.0/16 via 192.0.2.9 proto 66'], False),
    'default_route_to_other_link': (
        f'[ethernet eth0]\n{HOST}[ethernet eth1]\naddress = 198.18.1.1/24\n',
        '[ethernet eth0]\naddress = 192.0.2.10/24\n[ethernet eth1]\naddress = 198.18.1.1/24\ngateway = 198.18.1.254\n',
        [*routes_on('eth0'), 'ip route add default via 192.0.2.99 metric 500 proto 66'], False),
    'taken_over_bridge': (
        '[ethernet eth0]\n',
        f'[bridge br9]\nports = eth0 eth1\nstp_state = yes\nforward_delay = 3s\npriority = 8192\nvlan_filtering = yes\nmtu = 1400\n'
        f'{HOST}[port eth2]\nhairpin = yes\n',
        ['ip link add br9 address 52:54:00:0b:00:09 type bridge ageing_time 12300 forward_delay 400 mcast_snooping 0',
         'ip link set eth2 master br9', 'ip link set eth2 up', 'ip link set br9 up', 'bridge link set dev eth2 cost 9 learning off',
         'tap vnet9 br9', *routes_on('br9')], False),
    'taken_over_bond': (
        '[ethernet eth2]\n',
        '[bond bond9]\nports = eth0 eth1\nmode = balance-alb\nmiimon = 50\n[vlan v9]\nparent = bond9\nid = 9\n'
        'address = 198.18.9.1/24\n',
        ['ip link add bond9 type bond mode 1 miimon 300 updelay 600 num_grat_arp 3', 'ip link set eth0 master bond9',
         'ip link set bond9 up', 'ip link add link bond9 name foreign type vlan id 99 egress-qos-map 0:3', 'ip link set foreign up',
         *routes_on('bond9'), 'ip addr add 198.18.99.1/24 dev foreign'], True),
    'qinq': (
        '[vlan s]\nparent = eth0\nid = 100\nprotocol = 802.1ad\n[vlan c]\nparent = s\nid = 7\naddress = 198.18.7.1/24\n'
        'egress_qos_map = 1:2 3:4\n[bridge br0]\nports = c2\n[vlan c2]\nparent = s\nid = 8\n',
        '[vlan s]\nparent = eth0\nid = 200\nprotocol = 802.1ad\n[vlan c]\nparent = s\nid = 7\naddress = 198.18.7.1/24\n'
        'egress_qos_map = 5:6\nreorder_hdr = no\n[bridge br0]\nports = c2\n[vlan c2]\nparent = s\nid = 9\n',
        [*GUEST, 'ip link add link s name foreign type vlan id 99', 'ip link set foreign up', *routes_on('foreign')], True),
    'kind_changes': (
        f'[bridge x0]\nports = eth0\n{HOST}[vlan x1]\nparent = eth1\nid = 5\naddress = 198.18.5.1/24\n',
        f'[bond x0]\nmode = active-backup\nports = eth0\n{HOST}[bridge x1]\nports = eth1\naddress = 198.18.5.1/24\n',
        ['ip link set eth2 up', *routes_on('eth2'), 'ip addr add 198.18.5.77/24 dev x1'], False),
    'ipv6_modes': (
        '[bridge br0]\nports = eth0\n[ethernet eth1]\nipv6 = no\n[ethernet eth2]\naccept_ra = always\naddress = 2001:db8:2::2/64\n',
        '[bridge br0]\nports = eth0\naddress = 2001:db8:3::3/64\nipv6 = link-local\n[ethernet eth1]\naddress = 2001:db8:4::4/64\n'
        '[ethernet eth2]\nipv6 = no\n',
        ['ip addr add 2001:db8:9::9/64 dev eth2', 'ip addr add 203.0.113.9/24 dev eth2', 'tap vnet0 br0'], False),
    'mixed': (
        f'[bond bond0]\nmode = balance-alb\nports = eth0 eth1\n[bridge br1]\nports = bond0\n[vlan br1.10]\nparent = br1\nid = 10\n'
        '[bridge brvlan-10]\nports = br1.10\n[vlan br1.11]\nparent = br1\nid = 11\n[bridge brvlan-11]\nports = br1.11\n'
        f'[bridge br0]\nports = eth2\n{HOST}[port eth2]\npath_cost = 10\n',
        f'[bond bond0]\nmode = active-backup\nports = eth0\n[bridge br1]\nports = bond0\nvlan_filtering = yes\n'
        '[vlan br1.10]\nparent = br1\nid = 12\n[bridge brvlan-10]\nports = br1.10\n[vlan br1.13]\nparent = br1\nid = 13\n'
        '[bridge brvlan-13]\nports = br1.13\naddress = 198.18.13.1/24\n'
        f'[bridge br0]\nports = eth1 eth2\npriority = 4096\n{HOST}[port eth2]\nisolated = yes\n',
        [*GUEST, 'tap vnet1 brvlan-10', 'tap vnet2 brvlan-11', 'bridge link set dev vnet1 isolated on',
         'ip link add link bond0 name foreign type vlan id 99', *routes_on('br0')], True),
    'bond_mode_vlan_ports': (
        f'[bond bond0]\nmode = balance-alb\nports = eth0 eth1\n[vlan bond0.10]\nparent = bond0\nid = 10\n'
        f'[bridge br0]\nports = bond0.10\n{HOST}[vlan bond0.20]\nparent = bond0\nid = 20\nmtu = 1400\n'
        '[bridge br1]\nports = bond0.20 eth2\nvlan_filtering = yes\n[port bond0.20]\nvlans = 1 5-9\nisolated = yes\n',
        f'[bond bond0]\nmode = 802.3ad\nlacp_rate = fast\nports = eth1 eth0\n[vlan bond0.10]\nparent = bond0\nid = 10\n'
        f'[bridge br0]\nports = bond0.10\n{HOST}[vlan bond0.20]\nparent = bond0\nid = 21\nmtu = 1400\n'
        '[bridge br1]\nports = bond0.20 eth2\nvlan_filtering = yes\n[port bond0.20]\nvlans = 1 6-10\nhairpin = yes\n',
        [*GUEST, 'tap vnet1 br1', 'bridge vlan add dev vnet1 vid 7', 'ip link add link bond0 name foreign type vlan id 99',
         'ip link set foreign up', *routes_on('foreign')], True),
    'bond_dissolved': (
        f'[bond bond0]\nmode = active-backup\nports = eth0 eth1\n[bridge br0]\nports = bond0\n{HOST}[port bond0]\npath_cost = 20\n',
        f'[bridge br0]\nports = eth0 eth1\nstp_state = yes\nforward_delay = 2s\n{HOST}[port eth1]\nisolated = yes\n',
        [*GUEST, *routes_on('br0')], False),
    'nic_between_bonds': (
        f'[bond bond0]\nmode = active-backup\nports = eth0 eth1\n{HOST}[bond bond1]\nmode = balance-xor\nports = eth2\n'
        'address = 198.18.1.1/24 2001:db8:1::1/64\n[vlan v5]\nparent = bond1\nid = 5\naddress = 198.18.5.1/24\n',
        '[bond bond0]\nmode = active-backup\nports = eth0\naddress = 198.18.1.1/24\n[bond bond1]\nmode = balance-xor\n'
        f'ports = eth1 eth2\nmtu = 1400\n{HOST}[vlan v5]\nparent = bond0\nid = 5\naddress = 198.18.5.1/24\n',
        ['ip link add link bond0 name foreign type vlan id 99', 'ip link set foreign up', *routes_on('foreign'),
         'ip addr add 198.18.1.99/24 dev bond1'], False),
    'qinq_reparented': (
        '[vlan s1]\nparent = eth0\nid = 100\nprotocol = 802.1ad\n[vlan s2]\nparent = eth1\nid = 200\nprotocol = 802.1ad\n'
        '[vlan c]\nparent = s1\nid = 7\naddress = 198.18.7.1/24 2001:db8:7::1/64\nroute = 198.19.0.0/16 via 198.18.7.2\n'
        '[vlan c2]\nparent = s1\nid = 8\n[bridge br0]\nports = c2\n',
        '[bond bond0]\nmode = active-backup\nports = eth0\n[vlan s1]\nparent = bond0\nid = 100\nprotocol = 802.1ad\n'
        '[vlan s2]\nparent = eth1\nid = 200\nprotocol = 802.1ad\n'
        '[vlan c]\nparent = s2\nid = 7\naddress = 198.18.7.1/24 2001:db8:7::1/64\nroute = 198.19.0.0/16 via 198.18.7.2\n'
        '[vlan c2]\nparent = s2\nid = 8\n[bridge br0]\nports = c2\n',
        [*GUEST, 'ip link add link s2 name foreign type vlan id 99', 'ip link set foreign up', *routes_on('foreign')], True),
    'vlan_filtering_moves': (
        '[bridge br0]\nports = eth0\nvlan_filtering = yes\nvlans = 1 10\n[port vnet0]\nvlans = 10-12\npvid = 10\nisolated = yes\n'
        f'[bridge br1]\nports = eth1\n{HOST}',
        f'[bridge br0]\nports = eth0\n[bridge br1]\nports = eth1 eth2\nvlan_filtering = yes\nvlan_default_pvid = 9\n{HOST}'
        '[port vnet1]\nvlans = 30 31\nuntagged = 30\npvid = 30\n[port eth1]\nvlans = 30-35\n',
        ['tap vnet0 br0', 'bridge link set dev vnet0 hairpin on cost 55', 'tap vnet1 br1', 'bridge vlan add dev vnet1 vid 77',
         'tap vnet2 br1', 'bridge vlan add dev vnet2 vid 78 pvid untagged', 'bridge vlan del dev vnet2 vid 1', 'tap vnet3 br0',
         'bridge vlan add dev vnet3 vid 79'], False),
    'bond_to_two_bridges': (
        '[bond bond0]\nmode = 802.3ad\nports = eth0 eth1\n[bond bond1]\nmode = active-backup\nports = eth2\n'
        f'[vlan v10]\nparent = bond0\nid = 10\n{HOST}[vlan v20]\nparent = bond0\nid = 20\nmtu = 1400\n'
        '[bridge br0]\nports = v20\nvlan_filtering = yes\n[port v20]\nvlans = 5-9\npath_cost = 30\n',
        '[bond bond1]\nmode = active-backup\nports = eth2\n[bridge bra]\nports = eth0\naddress = 198.18.20.1/24\n'
        '[bridge brb]\nports = eth1\nstp_state = yes\nforward_delay = 2s\n'
        f'[vlan v10]\nparent = bond1\nid = 10\n{HOST}[vlan v20]\nparent = bond1\nid = 20\nmtu = 1400\n'
        '[bridge br0]\nports = v20\nvlan_filtering = yes\n[port v20]\nvlans = 5-9\npath_cost = 30\n',
        [*GUEST, 'ip link add link bond1 name foreign type vlan id 99', 'ip link set foreign up', *routes_on('foreign')], True),
    'qinq_dissolved': (
        '[bond bond0]\nmode = 802.3ad\nlacp_rate = fast\nxmit_hash_policy = layer3+4\nmac = 52:54:00:bb:00:01\nports = eth0 eth1\n'
        '[vlan s]\nparent = bond0\nid = 100\nprotocol = 802.1ad\n[vlan c]\nparent = s\nid = 7\n'
        'address = 198.18.7.1/24 2001:db8:7::1/64\nroute = 198.19.0.0/16 via 198.18.7.2\n'
        f'[vlan c2]\nparent = s\nid = 8\n[bridge br0]\nports = c2\n{HOST}',
        '[bond bond0]\nmode = balance-alb\nmac = 52:54:00:bb:00:02\nmiimon = 200\nupdelay = 400\nports = eth1 eth2\n'
        '[vlan c]\nparent = bond0\nid = 7\naddress = 198.18.7.1/24 2001:db8:7::1/64\nroute = 198.19.0.0/16 via 198.18.7.2\n'
        f'[bridge br0]\nports = eth0\n{HOST}',
        [*GUEST, *routes_on('bond0'), 'ip addr add 198.18.2.2/24 dev eth2'], True),
}

# Those that need neither bonds, VLANs nor VLAN filtering.
BRIDGES = {'nic_to_bridge', 'bridge_to_nic', 'bridge_options', 'addresses', 'routes', 'default_route_to_other_link', 'ipv6_modes'}
