# SPDX-License-Identifier: GPL-2.0-or-later
"""
What others have set up on a link and the kernel forgets with it comes back with the link: routes with several next hops, next-hop
objects, metrics of routes, permanent neighbours, a bridge's static forwarding entries, alternative names and the alias.
"""
import json

import bed
import namespace

# Two bridges of ours that routes of others go through.
FILES = '[bridge br0]\nports = eth0\naddress = 192.0.2.10/24 2001:db8::10/64\n[bridge br1]\nports = eth1\naddress = 198.51.100.10/24\n'
WITHOUT = '[bridge br1]\nports = eth1\naddress = 198.51.100.10/24\n'


def listed(values):
    return sorted(json.dumps(v, sort_keys=True) for v in values)


def forwarding():
    """What was entered by hand: of the rest, MACs begin with neither."""
    entries = json.loads(namespace.run('bridge', '-j', 'fdb', 'show'))
    return listed(e for e in entries if e['mac'].startswith(('02:fd:', '00:00:5e:')) and e['state'] in ('static', 'permanent'))


class Keepsakes(bed.TestCase):
    def begin(self):
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write(FILES)
        b.start()
        for route in ('203.0.113.0/28 nexthop via 192.0.2.1 weight 2 nexthop via 198.51.100.1',
                      '203.0.113.16/28 via 192.0.2.1 advmss 1000 initcwnd 20 congctl cubic',
                      '203.0.113.32/28 via 192.0.2.1 tos 0x10',
                      '203.0.113.64/28 via 192.0.2.1 mtu 1400'):
            b.ip('route', 'add', *route.split())
        b.ip('-6', 'route', 'add', '2001:db8:1::/64', 'nexthop', 'via', '2001:db8::1', 'nexthop', 'via', '2001:db8::2')
        b.ip('-6', 'route', 'add', '2001:db8:2::/64', 'via', '2001:db8::1', 'pref', 'high')
        # A next-hop object needs a carrier (net/ipv4/nexthop.c, rtm_to_nh_config()).
        bed.eventually(lambda: all('LOWER_UP' in b.link(name)['flags'] for name in ('br0', 'br1')))
        b.ip('nexthop', 'add', 'id', '5', 'via', '192.0.2.1', 'dev', 'br0')
        b.ip('nexthop', 'add', 'id', '6', 'via', '198.51.100.1', 'dev', 'br1')
        b.ip('nexthop', 'add', 'id', '4', 'group', '5/6,3')
        b.ip('route', 'add', '203.0.113.48/28', 'nhid', '4')
        for neighbour in ('192.0.2.7 lladdr 52:54:00:00:00:07 nud permanent', '2001:db8::7 lladdr 52:54:00:00:00:07 nud permanent router',
                          '192.0.2.6 lladdr 52:54:00:00:00:06 nud stale', 'proxy 192.0.2.8', 'proxy 2001:db8::8'):
            b.ip('neigh', 'add', *neighbour.split(), 'dev', 'br0')
        for entry in ('02:fd:00:00:00:09 dev eth0 master static', '02:fd:00:00:00:0a dev eth0 master static sticky',
                      '00:00:5e:00:01:05 dev eth0 master local', '00:00:5e:00:01:06 dev br0 self local',
                      '02:fd:00:00:00:0b dev eth0 master dynamic'):
            namespace.run('bridge', 'fdb', 'add', *entry.split())
        b.ip('link', 'property', 'add', 'dev', 'br0', 'altname', 'a-long-name-of-the-uplink')
        b.ip('link', 'set', 'br0', 'alias', 'the uplink, see ticket 7')
        return b

    def shown(self):
        """Everything that is to come back, as ip tells it. Flags come and go with the carrier, which link-local addresses wait for."""
        b = self.bed
        routes = []
        for family in '-4', '-6':
            for route in b.ip_json(family, 'route', 'show'):
                if route['dst'].startswith('fe80:'):
                    continue
                routes.append({k: v for k, v in route.items() if k not in ('flags', 'expires')})
                for hop in route.get('nexthops', []):
                    hop['flags'] = []
        link = b.link('br0')
        return {
            'routes': listed(routes),
            'nexthops': b.ip_json('nexthop', 'show'),
            'neighbours': listed(n for n in b.ip_json('neigh', 'show') if n['state'] == ['PERMANENT']),
            'proxies': listed(b.ip_json('neigh', 'show', 'proxy') + b.ip_json('-6', 'neigh', 'show', 'proxy')),
            'forwarding': forwarding(),
            'altnames': link.get('altnames'),
            'alias': link.get('ifalias'),
        }

    def assertBack(self, before):
        def back():
            shown = self.shown()
            for key, value in before.items():
                assert shown[key] == value, f'{key}: {shown[key]} instead of {value}\n{self.bed.log()}'
            return True
        bed.eventually(back)

    def test_they_come_back_with_a_bridge_that_is_made_again(self):
        b = self.begin()
        before = self.shown()
        b.write('[vlan br0]\nparent = eth0\nid = 5\naddress = 192.0.2.10/24 2001:db8::10/64\n' + WITHOUT)
        said = ''.join(b.netctl('plan')[1:])
        for what in ('route 203.0.113.0/28', 'route 2001:db8:2::/64 via 2001:db8::1', 'nexthop 5', 'alias of br0',
                     'neighbour 2001:db8::7 of br0', 'proxy neighbour 192.0.2.8 of br0'):
            self.assertIn(f'put back {what} (of others)', said)
        b.write(WITHOUT)
        said = ''.join(b.netctl('plan')[1:])
        self.assertNotIn('put back', said)
        self.assertIn('route 203.0.113.16/28 via 192.0.2.1 will be gone with br0', said)
        self.assertIn('forwarding entry 02:fd:00:00:00:09 of eth0 will be gone with br0', said)
        status, out, err = b.netctl('apply', '--confirm', '300')
        self.assertEqual(status, 0, out + err)
        self.assertEqual(b.link('br0'), {})
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertBack(before)
        self.assertNotIn('not put back', ' | '.join(b.status()['daemon']['problems']))

    def test_they_come_back_after_a_kill(self):
        b = self.begin()
        before = self.shown()
        b.write(WITHOUT)
        self.assertEqual(b.netctl('apply', '--confirm', '300')[0], 0)
        b.kill()
        b.start()
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertBack(before)

    def test_nothing_is_sent_when_nothing_was_lost(self):
        b = self.begin()
        before = self.shown()
        b.sent()
        b.apply(FILES.replace('ports = eth0\n', 'ports = eth0\nageing_time = 30s\n'))
        self.assertEqual(len(b.sent()), 1)
        self.assertEqual(self.shown(), before)

    def test_neighbours_outlive_another_mac(self):
        """With which the kernel forgets them all (net/core/neighbour.c, neigh_changeaddr())."""
        b = self.begin()
        before = self.shown()
        b.write(FILES.replace('[bridge br0]\n', '[bridge br0]\nmac = 52:54:00:00:01:00\n'))
        self.assertIn('put back neighbour 192.0.2.7 of br0 (of others)', ''.join(b.netctl('plan')[1:]))
        self.assertEqual(b.netctl('apply')[0], 0)
        self.assertEqual(b.link('br0')['address'], '52:54:00:00:01:00')
        self.assertBack({'neighbours': before['neighbours'], 'proxies': before['proxies']})

    def test_neighbours_outlive_the_change_of_the_only_address(self):
        """Between the addresses the link has no IPv4, and with it no table (net/ipv4/fib_frontend.c, fib_inetaddr_event())."""
        b = self.begin()
        before = self.shown()
        b.write(FILES.replace('192.0.2.10/24', '192.0.2.11/24'))
        self.assertEqual(b.netctl('apply')[0], 0)
        self.assertBack({'neighbours': before['neighbours'], 'proxies': before['proxies']})

    def test_entries_of_a_bridge_are_not_put_into_a_vlan_of_its_name(self):
        b = self.begin()
        b.write('[vlan br0]\nparent = eth0\nid = 5\naddress = 192.0.2.10/24\n' + WITHOUT)
        said = ''.join(b.netctl('plan')[1:])
        self.assertNotIn('put back forwarding', said)
        self.assertIn('forwarding entry 00:00:5e:00:01:06 of br0 will be gone with br0', said)

    def test_a_thousand_entries_of_guests_are_no_thousand_lines(self):
        b = self.begin()
        namespace.run('bridge', '-batch', '-', text=''.join(f'fdb add 02:fd:00:00:01:{i:02x} dev eth0 master static\n' for i in range(100)))
        before = forwarding()
        b.write(WITHOUT)
        said = ''.join(b.netctl('plan')[1:])
        self.assertEqual(said.count('forwarding entry'), 8)
        self.assertRegex(said, 'and so will [0-9]+ more of these')
        self.assertEqual(b.netctl('apply', '--confirm', '300')[0], 0)
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertBack({'forwarding': before})

    def test_a_queueing_discipline_is_told_to_be_lost(self):
        """It has classes and filters, which take more than a message: so the way back must not be called exact."""
        b = self.begin()
        namespace.run('tc', 'qdisc', 'replace', 'dev', 'br0', 'root', 'handle', '1:', 'pfifo')
        namespace.run('tc', 'qdisc', 'add', 'dev', 'br0', 'clsact')
        b.write(WITHOUT)
        self.assertIn('queueing discipline pfifo of br0 will be gone with br0: others set it up, and nothing declares it '
                      '(a rollback does not bring it back)', ''.join(b.netctl('plan')[1:]))
        self.assertEqual(b.netctl('apply', '--confirm', '300')[0], 0)
        said = ''.join(b.netctl('rollback')[1:])
        for kind in 'pfifo', 'clsact':
            self.assertIn(f'queueing discipline {kind} of br0: kvmnetd cannot set that up again', said + b.log())
        self.assertEqual(b.link('br0')['qdisc'], 'noqueue')

    def test_forwarding_entries_of_guests_come_back_with_their_vlans(self):
        b = self.bed
        b.nics('eth0')
        b.write('[bridge br0]\nports = eth0\nvlan_filtering = yes\n')
        b.start()
        b.ip('link', 'add', 'tap0', 'master', 'br0', 'up', 'type', 'veth', 'peer', 'name', 'guest0')
        namespace.run('bridge', 'vlan', 'add', 'vid', '7', 'dev', 'tap0')
        namespace.run('bridge', 'fdb', 'add', '02:fd:00:00:00:0c', 'dev', 'tap0', 'master', 'static', 'vlan', '7')
        before = forwarding()
        self.assertEqual(len(before), 1, before)
        b.write('')
        self.assertIn('forwarding entry 02:fd:00:00:00:0c vlan 7 of tap0 will be gone with br0', ''.join(b.netctl('plan')[1:]))
        status, out, err = b.netctl('apply', '--confirm', '300', '--force')
        self.assertEqual(status, 0, out + err)
        self.assertEqual(forwarding(), [])
        self.assertEqual(b.netctl('rollback')[0], 0)
        bed.eventually(lambda: self.assertEqual(forwarding(), before) is None)
