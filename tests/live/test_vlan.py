# SPDX-License-Identifier: GPL-2.0-or-later
"""VLANs: both protocols, QinQ, flags, QoS maps, what is made anew when the id or the parent is another, MTU through a stack."""
import bed


def qos(text):
    return [{'from': int(f), 'to': int(t)} for f, t in (entry.split(':') for entry in text.split())]


class Options(bed.TestCase):
    def vlan(self, name='v10'):
        """(flags that are set, ingress map, egress map)"""
        data = self.bed.data(name)
        return set(data['flags']), data.get('ingress_qos', []), data.get('egress_qos', [])

    def write_vlan(self, *lines):
        return '[vlan v10]\nparent = eth0\nid = 10\n' + ''.join(line + '\n' for line in lines)

    def test_every_flag_set_changed_unset(self):
        b = self.bed
        b.nic('eth0')
        flags = {'gvrp': 'GVRP', 'mvrp': 'MVRP', 'loose_binding': 'LOOSE_BINDING', 'bridge_binding': 'BRIDGE_BINDING'}
        b.write(self.write_vlan(*[f'{key} = yes' for key in flags], 'reorder_hdr = no'))
        b.start()
        index = b.link('v10')['ifindex']
        self.assertEqual(self.vlan()[0], set(flags.values()))
        for key, flag in flags.items():
            b.change(self.write_vlan(f'{key} = no', *[f'{k} = yes' for k in flags if k != key]))
            self.assertEqual(self.vlan()[0], {'REORDER_HDR', *flags.values()} - {flag}, f'without {key}')
        b.change(self.write_vlan('reorder_hdr = no', 'gvrp = yes'))
        self.assertEqual(self.vlan()[0], {'GVRP'})
        b.change(self.write_vlan())
        self.assertEqual(self.vlan()[0], {'REORDER_HDR'})
        self.assertEqual(b.link('v10')['ifindex'], index, 'the VLAN was made anew')
        self.assertSettled()

    def test_qos_maps_set_changed_shrunk_unset(self):
        b = self.bed
        b.nic('eth0')
        steps = [
            ('0:1 3:4 7:7', '0:0 1:1 2:2 3:3 4:4 5:5 6:6 7:7 100000:3'),
            ('0:2 3:4 7:7', '0:7 1:1'),
            ('3:4294967295', '100000:5'),
            ('7:1', '1:7'),
        ]
        first, *rest = steps
        text = 'ingress_qos_map = {}', 'egress_qos_map = {}'

        def settings(step):
            return [line.format(value) for line, value in zip(text, step)]

        def see(step):
            _, ingress, egress = self.vlan()
            # A mapping to 0 is the same as none; the kernel may show it or not.
            for shown, value in (ingress, step[0]), (egress, step[1]):
                self.assertEqual(sorted((e['from'], e['to'] & 0xffffffff) for e in shown if e['to']),
                                 sorted((e['from'], e['to']) for e in qos(value) if e['to']), step)

        b.write(self.write_vlan(*settings(first)))
        b.start()
        see(first)
        for step in rest:
            b.change(self.write_vlan(*settings(step)))
            see(step)
            self.assertTrue(b.in_sync())
        b.change(self.write_vlan(settings(steps[-1])[0]))
        see((steps[-1][0], ''))
        b.change(self.write_vlan())
        see(('', ''))
        self.assertSettled()

    def test_both_protocols_side_by_side(self):
        b = self.bed
        b.nic('eth0')
        b.write('[vlan q]\nparent = eth0\nid = 10\nprotocol = 802.1q\n[vlan ad]\nparent = eth0\nid = 10\nprotocol = 802.1ad\n'
                '[vlan last]\nparent = eth0\nid = 4094\n')
        b.start()
        self.assertEqual([(b.data(n)['protocol'], b.data(n)['id']) for n in ('q', 'ad', 'last')],
                         [('802.1Q', 10), ('802.1ad', 10), ('802.1Q', 4094)])
        self.assertEqual({b.link(n)['link'] for n in ('q', 'ad', 'last')}, {'eth0'})
        self.assertSettled()


class MadeAnew(bed.TestCase):
    FILES = '''
[vlan s]
parent = {parent}
id = {id}
protocol = {protocol}
mtu = 1496

[vlan c]
parent = s
id = 20
mtu = 1492
address = 192.0.2.1/24
route = 198.51.100.0/24 via 192.0.2.9

[vlan c2]
parent = s
id = 21
mtu = 1492

[bridge br0]
ports = c2
address = 203.0.113.1/24
gateway = 203.0.113.254
'''

    def see(self, parent, vlan_id, protocol):
        b = self.bed
        links = b.links()
        self.assertEqual((links['s']['link'], links['s']['linkinfo']['info_data']['id'],
                          links['s']['linkinfo']['info_data']['protocol'].lower()), (parent, vlan_id, protocol))
        self.assertEqual([links[n]['link'] for n in ('c', 'c2')], ['s', 's'])
        self.assertEqual(links['c2']['master'], 'br0')
        self.assertTrue(all('UP' in links[n]['flags'] for n in ('s', 'c', 'c2', 'br0')))
        self.assertEqual([links[n]['mtu'] for n in ('s', 'c', 'c2')], [1496, 1492, 1492])
        self.assertEqual(b.addresses('c'), ['192.0.2.1/24'])
        self.assertEqual(b.routes(), [('198.51.100.0/24', '192.0.2.9', 'c'), ('default', '203.0.113.254', 'br0')])

    def test_another_id_protocol_or_parent_takes_along_what_stands_on_it(self):
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write(self.FILES.format(parent='eth0', id=10, protocol='802.1q'))
        b.start()
        self.see('eth0', 10, '802.1q')
        bridge = b.link('br0')['ifindex']
        b.tap('vnet0', master='br0')
        for parent, vlan_id, protocol in ('eth0', 11, '802.1q'), ('eth0', 11, '802.1ad'), ('eth1', 11, '802.1ad'), ('eth0', 10, '802.1q'):
            b.change(self.FILES.format(parent=parent, id=vlan_id, protocol=protocol))
            self.see(parent, vlan_id, protocol)
            self.assertEqual(b.link('br0')['ifindex'], bridge)
            self.assertEqual(b.ports('br0'), ['c2', 'vnet0'])
        self.assertSettled()

    def test_two_vlans_exchange_their_ids(self):
        b = self.bed
        b.nic('eth0')
        text = '[vlan a]\nparent = eth0\nid = {}\n[vlan b]\nparent = eth0\nid = {}\n'
        b.write(text.format(10, 20))
        b.start()
        b.change(text.format(20, 10))
        self.assertEqual([b.data(n)['id'] for n in 'ab'], [20, 10])
        b.change('[vlan b]\nparent = eth0\nid = 20\n')
        self.assertEqual((b.link('a'), b.data('b')['id']), ({}, 20))
        b.change('[vlan renamed]\nparent = eth0\nid = 20\naddress = 192.0.2.1/24\n')
        self.assertEqual((b.link('b'), b.data('renamed')['id']), ({}, 20))
        self.assertSettled()

    def test_a_parent_that_goes_and_comes_back_gets_its_vlans_again(self):
        b = self.bed
        b.nic('eth0')
        b.write('[vlan eth0.10]\nparent = eth0\nid = 10\naddress = 192.0.2.1/24\ngateway = 192.0.2.254\n'
                '[vlan eth0.10.20]\nparent = eth0.10\nid = 20\n[bridge br0]\nports = eth0.10.20\n')
        b.start()
        b.ip('link', 'del', 'eth0')
        bed.eventually(lambda: not b.link('eth0.10'))
        bed.eventually(lambda: 'eth0' in b.status()['daemon']['missing'])
        b.nic('eth0')
        bed.eventually(lambda: b.link('eth0.10.20').get('master') == 'br0')
        bed.eventually(b.at_rest)
        self.assertEqual(b.addresses('eth0.10'), ['192.0.2.1/24'])
        self.assertEqual(b.routes(), [('default', '192.0.2.254', 'eth0.10')])
        self.assertSettled()

    def test_a_vlan_taken_over_with_another_id_is_made_right(self):
        b = self.bed
        b.nic('eth0')
        b.ip('link', 'add', 'v', 'link', 'eth0', 'type', 'vlan', 'id', '7')
        b.write('[vlan v]\nparent = eth0\nid = 8\n')
        b.start()
        self.assertEqual(b.data('v')['id'], 8)
        self.assertSettled()


class Mtu(bed.TestCase):
    FILES = ('[ethernet eth0]\nmtu = {0}\n[bond bond0]\nports = eth1 eth2\nmtu = {0}\n'
             '[vlan a]\nparent = eth0\nid = 1\nmtu = {1}\n[vlan b]\nparent = a\nid = 2\nmtu = {2}\n'
             '[vlan c]\nparent = bond0\nid = 3\nmtu = {1}\n[bridge br0]\nports = c\nmtu = {1}\n')

    def test_a_whole_chain_raised_and_lowered(self):
        b = self.bed
        b.nics('eth0', 'eth1', 'eth2')
        b.write(self.FILES.format(1500, 1496, 1492))
        b.start()
        for mtus in (9000, 8996, 8992), (9000, 1500, 1500), (9000, 9000, 9000), (1400, 1400, 1300), (65535, 9000, 1280), (1500, 1496, 1492):
            b.change(self.FILES.format(*mtus))
            links = b.links()
            self.assertEqual([links[n]['mtu'] for n in ('eth0', 'bond0', 'eth1', 'eth2', 'a', 'c', 'br0', 'b')],
                             [mtus[0]] * 4 + [mtus[1]] * 3 + [mtus[2]])
        self.assertSettled()

    def test_unset_goes_back(self):
        b = self.bed
        b.nics('eth0', 'eth1', 'eth2')
        b.write('[vlan a]\nparent = eth0\nid = 1\n[ethernet eth0]\n')
        b.start()
        b.change('[vlan a]\nparent = eth0\nid = 1\nmtu = 8000\n[ethernet eth0]\nmtu = 9000\n')
        self.assertEqual([b.link(n)['mtu'] for n in ('eth0', 'a')], [9000, 8000])
        b.change('[vlan a]\nparent = eth0\nid = 1\n[ethernet eth0]\n')
        self.assertEqual([b.link(n)['mtu'] for n in ('eth0', 'a')], [1500, 1500])
        self.assertSettled()


class Parents(bed.TestCase):
    def test_on_bond_bridge_vlan_and_nic(self):
        b = self.bed
        b.nics('eth0', 'eth1', 'eth2', 'eth3')
        b.write('[bond bond0]\nports = eth0 eth1\n[bridge br0]\nports = eth2\n'
                '[vlan on-bond]\nparent = bond0\nid = 10\n[vlan on-bridge]\nparent = br0\nid = 10\n'
                '[vlan on-vlan]\nparent = on-bond\nid = 10\n[vlan on-nic]\nparent = eth3\nid = 10\n')
        b.start()
        links = b.links()
        self.assertEqual({n: links[n]['link'] for n in links if n.startswith('on-')},
                         {'on-bond': 'bond0', 'on-bridge': 'br0', 'on-vlan': 'on-bond', 'on-nic': 'eth3'})
        # A NIC that only carries a VLAN is brought up for it.
        self.assertIn('UP', links['eth3']['flags'])
        bed.eventually(lambda: 'LOWER_UP' in b.link('on-nic')['flags'])
        self.assertSettled()

    def test_a_parent_declared_down_keeps_its_vlan_down(self):
        b = self.bed
        b.nic('eth0')
        b.write('[ethernet eth0]\nup = no\n[vlan v]\nparent = eth0\nid = 10\n')
        b.start()
        self.assertNotIn('UP', b.link('v')['flags'])
        self.assertSettled()
        b.change('[vlan v]\nparent = eth0\nid = 10\n[ethernet eth0]\n')
        self.assertIn('UP', b.link('v')['flags'])
        self.assertSettled()
