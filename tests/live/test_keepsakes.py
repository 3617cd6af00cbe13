# SPDX-License-Identifier: GPL-2.0-or-later
"""
What others have set up on a link and the kernel forgets with it comes back with the link: routes with several next hops, next-hop
objects, metrics of routes, alternative names and the alias.
"""
import json

import bed

# Two bridges of ours that routes of others go through.
FILES = '[bridge br0]\nports = eth0\naddress = 192.0.2.10/24 2001:db8::10/64\n[bridge br1]\nports = eth1\naddress = 198.51.100.10/24\n'
WITHOUT = '[bridge br1]\nports = eth1\naddress = 198.51.100.10/24\n'


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
            'routes': sorted(json.dumps(r, sort_keys=True) for r in routes),
            'nexthops': b.ip_json('nexthop', 'show'),
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
        for what in ('route 203.0.113.0/28', 'route 2001:db8:2::/64 via 2001:db8::1', 'nexthop 5', 'alias of br0'):
            self.assertIn(f'put back {what} (of others)', said)
        b.write(WITHOUT)
        said = ''.join(b.netctl('plan')[1:])
        self.assertNotIn('put back', said)
        self.assertIn('route 203.0.113.16/28 via 192.0.2.1 will be gone with br0', said)
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
