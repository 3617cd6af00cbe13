# SPDX-License-Identifier: GPL-2.0-or-later
"""[network]: who reaches whom, by real traffic; forwarded ports; forwarding; what others change is mended."""
import socket
import time
from pathlib import Path

import bed
from bed import eventually
from faults import Injector
from namespace import new_namespace
from network_case import HOST, LAB, LAB_GUEST, NAT, NAT_GUEST, OUT, OUT6, ROUTE, ROUTE_GUEST, UPLINK, Echo, NetworkCase

# The networks of libvirt's own tests (networkxml2firewalldata, networkxml2confdata) that differ in who reaches whom, in our words. Of each
# address of a guest: as what it is seen outside ('': as itself, None: not at all), and whether it is reached from there; of 'other', as
# what its first address is seen behind another link. By IPv6 that is not translated libvirt lets the outside into a network with NAT.
LIBVIRT = {
    'nat-default, nat-tftp, netboot-network': ('nat', '', {'4': (HOST, False)}),
    'nat-no-dhcp, nat-ipv6': ('nat', '', {'4': (HOST, False), '6': ('', False)}),
    'nat-ipv6-masquerade': ('nat', 'nat6 = yes', {'4': (HOST, False), '6': ('fd00:2::1', False)}),
    'nat-many-ips, ptr-domains-auto': ('nat', '', {'4': (HOST, False), 'more': (HOST, False)}),
    'nat-port-range-ipv6': ('nat', 'nat6 = yes\nsnat = 500-1000', {'4': (HOST, False), 'more': (HOST, False), '6': ('fd00:2::1', False)}),
    'forward-dev, nat-network': ('nat', 'uplink = eth0', {'4': (HOST, False), 'other': None}),
    'isolated': ('isolated', '', {'4': (None, False), 'more': (None, False), '6': (None, False), 'other': None}),
    'route-default': ('route', '', {'4': ('', True)}),
    'dhcp6host-routed-network': ('route', 'uplink = eth0', {'4': ('', True), '6': ('', True), 'other': None}),
    'open-network': ('open', '', {'4': ('', True)}),
}
LIBVIRT_HOST = {'4': '192.168.122.1/24', 'more': '192.168.128.1/24', '6': '2001:db8:ca2:2::1/64'}
LIBVIRT_GUEST = {'4': '192.168.122.10', 'more': '192.168.128.10', '6': '2001:db8:ca2:2::10'}


class Reach(NetworkCase):
    def setUp(self):
        super().setUp()
        self.bed.write(UPLINK + NAT + ROUTE + LAB)
        self.bed.start()
        self.guest('nat', 'brnat', '52:54:00:aa:00:01', NAT_GUEST, '192.168.150.1')
        self.guest('route', 'brroute', '52:54:00:aa:00:02', ROUTE_GUEST, '10.9.0.1')
        self.guest('lab', 'brlab', '52:54:00:aa:00:03', LAB_GUEST, '10.8.0.1')
        self.places = {**self.guests, 'out': self.bed.outside, 'host': self.bed.inside}
        self.echo = Echo()
        for name, namespace in self.places.items():
            self.echo.listen(name, namespace)
        self.echo.thread.start()
        self.addCleanup(self.echo.close)

    def test_each_kind_of_network_reaches_what_it_may_and_nothing_else(self):
        addresses = {'nat': NAT_GUEST, 'route': ROUTE_GUEST, 'lab': LAB_GUEST, 'out': OUT}
        # Who is seen by whom as what; the pairs that are not here do not reach each other.
        seen = {
            ('nat', 'out'): HOST, ('nat', 'route'): '10.9.0.1',
            ('route', 'out'): ROUTE_GUEST, ('out', 'route'): OUT,
            ('host', 'nat'): '192.168.150.1', ('host', 'route'): '10.9.0.1', ('host', 'lab'): '10.8.0.1', ('host', 'out'): HOST,
        }
        for source, namespace in self.places.items():
            for target, address in addresses.items():
                if source == target:
                    continue
                expected = seen.get((source, target))
                with self.subTest(source=source, target=target):
                    self.assertEqual(self.ask(namespace, address), expected)
                    self.assertEqual(self.ask(namespace, address, protocol='udp'), expected)
                    self.assertEqual(self.ping(namespace, address), expected is not None)
        for source in ('nat', 'route', 'lab'):
            self.assertEqual(self.ask(self.places[source], self.bed.addresses(f'br{source}')[0].split('/')[0]), addresses[source])
        # Not one packet went one way.
        self.assertFalse([h for h in self.echo.heard if h[2] == LAB_GUEST and h[0] != 'host'])
        self.guests['nat'].ip('addr', 'add', 'fd00:150::10/64', 'dev', 'eth0', 'nodad')
        self.guests['nat'].ip('route', 'replace', 'default', 'via', 'fd00:150::1')
        self.assertEqual(self.ask(self.guests['nat'], OUT6), 'fd00:2::1')

    def test_each_kind_of_network_reaches_the_same_by_ipv6(self):
        # Without router advertisements: a guest would answer with an address that it was not asked by.
        nat = '[network guests]\nbridge = brnat\nforward = nat\nnat6 = yes\naddress = fd00:150::1/64\ndns = no\n'
        both = [t.replace(f'10.{n}.0.1/24', f'10.{n}.0.1/24 fd00:{n}::1/64') for n, t in ((9, ROUTE), (8, LAB))]
        self.bed.apply(UPLINK + nat + ''.join(both))
        self.guests['nat'].ip('addr', 'flush', 'dev', 'eth0', 'scope', 'global')
        addresses = {'nat': 'fd00:150::10', 'route': 'fd00:9::10', 'lab': 'fd00:8::10', 'out': OUT6}
        for name, guest in self.guests.items():
            network = addresses[name].removesuffix('10')
            guest.ip('addr', 'add', f'{network}10/64', 'dev', 'eth0', 'nodad')
            guest.ip('route', 'replace', 'default', 'via', f'{network}1')
            self.bed.outside.ip('route', 'add', f'{network}/64', 'via', 'fd00:2::1')
            self.assertTrue(eventually(lambda guest=guest, network=network: self.ping(guest, f'{network}1')))
        # Not before the host knows that nobody else has its address: it could be no packet's source.
        eventually(lambda: self.ping(self.bed.outside, 'fd00:2::1'))
        seen = {
            ('nat', 'out'): 'fd00:2::1', ('nat', 'route'): 'fd00:9::1',
            ('route', 'out'): 'fd00:9::10', ('out', 'route'): OUT6,
            ('host', 'nat'): 'fd00:150::1', ('host', 'route'): 'fd00:9::1', ('host', 'lab'): 'fd00:8::1', ('host', 'out'): 'fd00:2::1',
        }
        # TCP does not hear a refusal that comes while it is sending, as it does where all machines are one.
        for source, target in ((s, t) for s in self.places for t in addresses if s != t):
            with self.subTest(source=source, target=target):
                expected = seen.get((source, target))
                self.assertEqual(self.ask(self.places[source], addresses[target], protocol='udp'), expected)
                self.assertEqual(self.ping(self.places[source], addresses[target]), expected is not None)
        self.assertFalse([h for h in self.echo.heard if h[2] == 'fd00:8::10' and h[0] != 'host'])
        # Its own addresses on the outside, and still nobody reaches in.
        self.bed.apply(UPLINK + nat.replace('nat6 = yes\n', '') + ''.join(both))
        self.assertEqual(self.ask(self.guests['nat'], OUT6, protocol='udp'), 'fd00:150::10')
        self.assertIsNone(self.ask(self.bed.outside, 'fd00:150::10', protocol='udp'))
        self.assertFalse(self.ping(self.bed.outside, 'fd00:150::10'))

    def test_forwarded_ports_are_reached_from_everywhere(self):
        self.assertEqual(self.ask(self.bed.outside, HOST, 8080), OUT)
        self.assertEqual(self.ask(self.bed.inside, HOST, 8080), HOST)
        self.assertEqual(self.ask(self.guests['route'], HOST, 8080), ROUTE_GUEST)
        other = self.guest('other', 'brnat', '52:54:00:aa:00:04', '192.168.150.11', '192.168.150.1')
        self.assertEqual(self.ask(other, HOST, 8080), '192.168.150.1', 'a guest of the same network, by way of the host')
        self.assertEqual(self.ask(self.guests['nat'], HOST, 8080), '192.168.150.1', 'the guest itself')
        self.assertIsNone(self.ask(self.guests['lab'], HOST, 8080))
        self.assertIsNone(self.ask(self.bed.outside, HOST, 8081))
        self.guests['nat'].ip('addr', 'add', 'fd00:150::10/64', 'dev', 'eth0', 'nodad')
        self.guests['nat'].ip('route', 'replace', 'default', 'via', 'fd00:150::1')
        # Not before the host knows that nobody else has its addresses.
        for place, address in ((self.guests['nat'], 'fd00:150::1'), (self.bed.outside, 'fd00:2::1')):
            eventually(lambda place=place, address=address: self.ping(place, address))
        self.assertEqual(self.ask(self.bed.outside, 'fd00:2::1', 8080), OUT6)
        self.assertEqual(self.ask(self.bed.inside, 'fd00:2::1', 8080), 'fd00:2::1')
        self.assertSettled()

    def test_a_change_of_one_network_leaves_the_others_alone(self):
        with self.guests['nat'].entered():
            s = socket.create_connection((OUT, 80), bed.PATIENCE)
        self.assertEqual(s.recv(100).decode(), HOST)
        for number in range(10):
            lab = LAB if number % 2 else LAB.replace('isolated', 'nat').replace('10.8.0.1', '10.7.0.1')
            self.bed.change(UPLINK + NAT + ROUTE + lab)
            s.send(b'still there')
            self.assertEqual(s.recv(100), b'still there')
        s.close()
        self.assertFalse([h for h in self.echo.heard if h[2] == LAB_GUEST])
        self.assertEqual(self.bed.status('brlab')['links']['brlab']['network'], {'name': 'lab', 'forward': 'isolated'})
        self.assertSettled()

    def test_what_others_change_is_mended_and_what_was_found_is_put_back(self):
        self.assertEqual(self.bed.sysctl('eth0', 'forwarding', 'ipv4'), '1')
        self.assertEqual(self.bed.sysctl('all', 'forwarding', 'ipv4'), '0', 'one uplink is known, so nothing is global')
        table = self.bed.inside.run('nft', '-s', 'list', 'ruleset')
        self.bed.inside.run('nft', 'flush', 'ruleset')
        eventually(lambda: self.bed.inside.run('nft', '-s', 'list', 'ruleset') == table)
        self.bed.inside.run('nft', 'insert', 'rule', 'inet', 'kvmnetd', 'from_brlab', 'accept')
        eventually(lambda: self.bed.inside.run('nft', '-s', 'list', 'ruleset') == table)
        self.bed.inside.run('nft', 'add', 'table', 'inet', 'kvmnetd', '{ flags dormant; }')
        eventually(lambda: self.bed.inside.run('nft', '-s', 'list', 'ruleset') == table)
        Path('/proc/sys/net/ipv4/conf/eth0/forwarding').write_text('0')
        eventually(lambda: self.bed.sysctl('eth0', 'forwarding', 'ipv4') == '1')
        Path('/proc/sys/net/ipv6/conf/all/forwarding').write_text('0')
        eventually(lambda: self.bed.sysctl('all', 'forwarding') == '1')
        self.assertEqual(self.ask(self.guests['nat'], OUT), HOST)
        self.bed.apply(UPLINK, '--force')
        self.assertEqual(self.bed.inside.run('nft', 'list', 'ruleset'), '')
        self.assertEqual(self.bed.sysctl('eth0', 'forwarding', 'ipv4'), '0')
        self.assertEqual(self.bed.sysctl('all', 'forwarding'), '0')

    def test_two_tools_that_fight_over_a_rule_end_in_a_warning(self):
        def insert():
            self.bed.inside.run('nft', 'insert', 'rule', 'inet', 'kvmnetd', 'from_brlab', 'accept')

        def fought():
            insert()
            return [p for p in self.bed.status()['daemon']['problems'] if 'inet kvmnetd was changed by someone else and put back 10 times' in p]
        eventually(fought)
        # The last one of before may have been put back yet, when that was said.
        insert()
        time.sleep(0.5)
        self.assertRegex(self.bed.inside.run('nft', 'list', 'chain', 'inet', 'kvmnetd', 'from_brlab'), r'\{\s+accept')

    def test_forwarding_of_all_links_comes_and_goes_without_a_network_losing_its_own(self):
        everywhere, config = '[daemon]\nforwarding = global\n', UPLINK + NAT + ROUTE + LAB
        # Without a gateway, no route tells which link leads out: that is found when the route is gone.
        for text in (config + everywhere, config, config.replace('gateway = 192.0.2.2 fd00:2::2\n', ''), config):
            self.bed.apply(text)
            expected = ['0' if text == config else '1', '1', '1', '1']
            eventually(lambda: [self.bed.sysctl(link, 'forwarding', 'ipv4') for link in ('all', 'eth0', 'brnat', 'brroute')] == expected)
            self.assertEqual(self.ask(self.guests['nat'], ROUTE_GUEST), '10.9.0.1')
            self.assertSettles()

    def test_a_change_that_the_kernel_refuses_takes_no_rule_with_it(self):
        table = self.bed.inside.run('nft', '-s', 'list', 'ruleset')
        self.bed.ip('link', 'add', 'brother', 'type', 'veth', 'peer', 'name', 'brother1')
        # Its bridge finds another link of its name only when it is made.
        self.bed.write(UPLINK + NAT.replace('192.168.150', '192.168.151') + ROUTE + '[network new]\nbridge = brother\nforward = isolated\n')
        status, _, err = self.bed.netctl('apply')
        self.assertNotEqual(status, 0, err)
        self.assertEqual(self.bed.inside.run('nft', '-s', 'list', 'ruleset'), table)


class Forwarding(NetworkCase):
    NETWORK = '[network guests]\nbridge = brnat\naddress = 192.168.150.1/24 fd00:150::1/64\ndns = no\n'

    def write(self, link, value, family='ipv4'):
        Path(f'/proc/sys/net/{family}/conf/{link}/forwarding').write_text(value)

    def forwarding(self, family='ipv4'):
        return {link: self.bed.sysctl(link, 'forwarding', family) for link in ('all', 'eth0', 'eth1', 'eth2')}

    def test_links_have_what_was_found_when_the_last_network_has_gone(self):
        self.bed.nics('eth1', 'eth2')
        self.write('eth2', '1')
        self.write('eth1', '1', 'ipv6')
        found, found6 = self.forwarding(), self.forwarding('ipv6')
        self.bed.write('')
        self.bed.start()
        # On all links; on those that lead out, of which one has what all had; and on none.
        self.bed.apply(self.NETWORK)
        self.assertEqual(set(self.forwarding().values()), {'1'})
        self.bed.apply(UPLINK + self.NETWORK)
        self.assertEqual(self.forwarding(), {**found, 'eth0': '1'})
        self.assertSettled()
        self.bed.apply('')
        self.assertEqual((self.forwarding(), self.forwarding('ipv6')), (found, found6))
        self.assertSettled()

    def test_what_others_turned_on_for_all_links_stays_on(self):
        self.bed.write(UPLINK + self.NETWORK)
        self.bed.start()
        # As Docker does at its start. It would be left without the link's.
        self.write('all', '1')
        self.bed.apply(UPLINK)
        self.assertEqual(self.bed.sysctl('eth0', 'forwarding', 'ipv4'), '1')
        self.bed.restart()
        self.assertSettled()
        self.assertEqual(self.bed.sysctl('eth0', 'forwarding', 'ipv4'), '1')


class OfLibvirt(NetworkCase):
    def check(self, forward, keys, expected):
        addresses = [k for k in LIBVIRT_HOST if k in expected]
        self.bed.change(UPLINK + '[ethernet eth1]\naddress = 198.51.100.1/24\n[network default]\nbridge = virbr0\nports = tap-guest\ndns = no\n'
                        f'forward = {forward}\naddress = {" ".join(LIBVIRT_HOST[k] for k in addresses)}\n{keys}\n')
        guest, outside = self.guests['guest'], self.bed.outside
        for key in addresses:
            own, host = LIBVIRT_GUEST[key], LIBVIRT_HOST[key].split('/')[0]
            # Not before the host knows that nobody else has its address.
            eventually(lambda own=own, host=host: self.ping(guest, host) and self.ask(self.bed.inside, own) == host)
            seen, reached = expected[key]
            out = OUT6 if key == '6' else OUT
            # Refusals are few a second: TCP tries again. By IPv6 it does not hear those that come while it is sending.
            protocol = 'udp' if key == '6' else 'tcp'
            self.assertEqual(self.ask(guest, out, protocol=protocol, own=own), seen if seen != '' else own, own)
            # With isolated networks alone the host forwards nothing, and so refuses nothing either.
            self.assertEqual(self.ask(outside, own, protocol=protocol, refused=forward != 'isolated'), out if reached else None, f'to {own}')
        if 'other' in expected:
            self.assertEqual(self.ask(guest, '198.51.100.2'), expected['other'])

    def test_the_networks_of_libvirts_tests_reach_what_they_are_meant_to(self):
        guest, outside, echo = new_namespace(), self.bed.outside, Echo()
        self.guests['guest'] = guest
        self.bed.nic('eth1')
        outside.ip('addr', 'add', '198.51.100.2/24', 'dev', 'eth1')
        for network, host in (('192.168.122.0/24', HOST), ('192.168.128.0/24', HOST), ('2001:db8:ca2:2::/64', 'fd00:2::1')):
            outside.ip('route', 'add', network, 'via', host)
        self.bed.ip('link', 'add', 'tap-guest', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', guest.path)
        guest.ip('link', 'set', 'eth0', 'up')
        for address in LIBVIRT_GUEST.values():
            guest.ip('addr', 'add', f'{address}/{64 if ":" in address else 24}', 'dev', 'eth0', *(['nodad'] if ':' in address else []))
        for gateway in (LIBVIRT_HOST['4'], LIBVIRT_HOST['6']):
            guest.ip('route', 'add', 'default', 'via', gateway.split('/')[0])
        for name, place in (('guest', guest), ('out', outside)):
            echo.listen(name, place)
        echo.thread.start()
        self.addCleanup(echo.close)
        self.bed.write('')
        self.bed.start()
        for name, definition in LIBVIRT.items():
            with self.subTest(name):
                self.check(*definition)
        self.assertSettled()


class Torn(bed.TestCase):
    needs = bed.BRIDGES

    def test_rules_that_could_not_be_read_for_a_while_are_put_right_all_the_same(self):
        injector = Injector(self.bed.dir / 'faults')
        self.addCleanup(injector.close)
        self.bed.write(LAB)
        self.bed.start(env=injector.environment)
        table = self.bed.inside.run('nft', '-s', 'list', 'ruleset')
        injector.arm(('tear-rules', 0))
        self.bed.inside.run('nft', 'insert', 'rule', 'inet', 'kvmnetd', 'from_brlab', 'accept')
        time.sleep(1)
        injector.arm()
        eventually(lambda: self.bed.inside.run('nft', '-s', 'list', 'ruleset') == table)
