# SPDX-License-Identifier: GPL-2.0-or-later
"""[network]: who reaches whom, by real traffic; forwarded ports; DHCP and DNS by a real client; what others change is mended."""
import os
import re
import selectors
import signal
import socket
import threading
import time
from pathlib import Path

import bed
from bed import eventually
from faults import Injector
from namespace import new_namespace

NAT = '''[network guests]
bridge = brnat
forward = nat
address = 192.168.150.1/24 fd00:150::1/64
nat6 = yes
dhcp_range = 192.168.150.100 192.168.150.199
host = 52:54:00:aa:00:01 192.168.150.10 vm1
domain = guests.example
forward_port = tcp 8080 192.168.150.10 80
forward_port = tcp 8080 fd00:150::10 80
'''
RECORDS = '''lease_time = infinite
srv = _x._tcp.other.example dc.other.example 389 20 10
txt = _x._tcp.other.example v=spf1 include:mail.example -all
'''
ROUTE = '[network transit]\nbridge = brroute\nforward = route\naddress = 10.9.0.1/24\ndns = no\n'
LAB = '[network lab]\nbridge = brlab\nforward = isolated\naddress = 10.8.0.1/24\ndns = no\n'
UPLINK = '[ethernet eth0]\naddress = 192.0.2.1/24 fd00:2::1/64\ngateway = 192.0.2.2 fd00:2::2\n'
OUT, OUT6, HOST = '192.0.2.2', 'fd00:2::2', '192.0.2.1'
NAT_GUEST, ROUTE_GUEST, LAB_GUEST = '192.168.150.10', '10.9.0.10', '10.8.0.10'

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

# What busybox udhcpc runs: notes what was leased, and configures nothing but the address.
UDHCPC = '''#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
ip route replace default via "$router"
echo "$ip $router $dns $domain $hostname {}" >{}
'''


class Echo:
    """Answers on port 80, in as many namespaces as it is told of, with the address that it was asked from."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.heard = []  # (namespace, protocol, from) of everything that came in
        self.ends = False
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def listen(self, name, namespace):
        with namespace.entered():
            tcp = socket.create_server(('', 80), family=socket.AF_INET6, dualstack_ipv6=True)
            udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        udp.bind(('', 80))
        self.selector.register(tcp, selectors.EVENT_READ, (name, 'tcp'))
        self.selector.register(udp, selectors.EVENT_READ, (name, 'udp'))

    def answer(self, key):
        name, protocol = key.data
        if protocol == 'tcp':
            connection, peer = key.fileobj.accept()
            self.selector.register(connection, selectors.EVENT_READ, (name, 'open'))
        elif protocol == 'udp':
            _, peer = key.fileobj.recvfrom(100)
        else:
            data = key.fileobj.recv(100)
            if data:
                key.fileobj.send(data)
            else:
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
            return
        source = peer[0].removeprefix('::ffff:')
        self.heard.append((name, protocol, source))
        if protocol == 'tcp':
            connection.send(source.encode())
        else:
            key.fileobj.sendto(source.encode(), peer)

    def serve(self):
        while not self.ends:
            for key, _ in self.selector.select(0.1):
                try:
                    self.answer(key)
                except OSError:
                    pass

    def close(self):
        self.ends = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


class NetworkCase(bed.TestCase):
    needs = bed.BRIDGES
    def setUp(self):
        super().setUp()
        # dnsmasq is not root, and reads its files in there.
        self.bed.dir.chmod(0o755)
        self.bed.nic('eth0')
        outside = self.bed.outside
        outside.ip('addr', 'add', f'{OUT}/24', 'dev', 'eth0')
        outside.ip('addr', 'add', f'{OUT6}/64', 'dev', 'eth0', 'nodad')
        # As a neighbour on the wire could: nothing but the rules keeps it from the guests.
        for network in ('192.168.150.0/24', '10.9.0.0/24', '10.8.0.0/24'):
            outside.ip('route', 'add', network, 'via', HOST)
        self.guests = {}
        self.addCleanup(self.end)
        # Where that module is loaded, what a bridge forwards goes through the rules, too: the machine's business, not ours.
        for family in ('iptables', 'ip6tables'):
            setting = Path(f'/proc/sys/net/bridge/bridge-nf-call-{family}')
            if setting.exists():
                setting.write_text('0')

    def end(self):
        # It would start them again.
        if self.bed.daemon:
            self.bed.kill()
        for pid in self.pids().values():
            os.kill(pid, signal.SIGKILL)
        for guest in self.guests.values():
            guest.close()

    def pids(self):
        """{bridge: process} of dnsmasq."""
        return {p.stem: int(p.read_text().split()[0]) for p in (self.bed.runtime / 'dnsmasq').glob('*.pid')}

    def guest(self, name, bridge, mac, address=None, gateway=None):
        """A machine of its own on the bridge."""
        guest = new_namespace()
        self.guests[name] = guest
        self.bed.ip('link', 'add', f'tap-{name}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', guest.path)
        self.bed.ip('link', 'set', f'tap-{name}', 'master', bridge, 'up')
        guest.ip('link', 'set', 'eth0', 'address', mac, 'up')
        if address:
            guest.ip('addr', 'add', f'{address}/24', 'dev', 'eth0')
            guest.ip('route', 'add', 'default', 'via', gateway)
        return guest

    def ask(self, source, address, port=80, protocol='tcp', refused=True, own=''):
        """What the one there says it was asked from; None: it is not reached, and a refusal says so unless `refused` is false. own: who asks."""
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        with source.entered():
            s = socket.socket(family, socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM)
        with s:
            s.settimeout(20 if refused else 1)
            s.bind((own, 0))
            try:
                s.connect((address, port))
                return self.answer_to_datagram(s, 10 if refused else 1) if protocol == 'udp' else s.recv(100).decode()
            except OSError as e:
                self.assertFalse(refused and isinstance(e, TimeoutError), 'not answered, and not refused either')
                return None

    @staticmethod
    def answer_to_datagram(s, times):
        """Asks again as TCP does by itself: a datagram may be lost, and refusals are few a second."""
        s.settimeout(s.gettimeout() / times)
        for left in reversed(range(times)):
            s.send(b'?')
            try:
                return s.recv(100).decode()
            except TimeoutError:
                if not left:
                    raise

    def ping(self, source, address):
        return 'bytes from' in source.run('busybox', 'ping', '-c', '1', '-W', '2', address, check=False)


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
            self.assertTrue(eventually(lambda guest=guest, network=network: self.ping(guest, f'{network}1'), 30))
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
            eventually(lambda place=place, address=address: self.ping(place, address), 30)
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
            self.assertSettled()

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
            eventually(lambda own=own, host=host: self.ping(guest, host) and self.ask(self.bed.inside, own) == host, 30)
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


class Services(NetworkCase):
    def lease(self, guest, *more):
        script, note = self.bed.dir / 'udhcpc', self.bed.dir / 'leased'
        script.write_text(UDHCPC.format(' '.join(f'${word}' for word in more), note))
        script.chmod(0o755)
        guest.run('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '60', '-T', '1', '-s', script)
        return note.read_text().split()

    def resolve(self, guest, name):
        return guest.run('busybox', 'nslookup', name, '192.168.150.1', check=False)

    def identity(self, pid):
        """Its four user ids."""
        return re.search(r'^Uid:(.*)$', Path(f'/proc/{pid}/status').read_text(), re.M)[1].split()

    def test_a_guest_gets_its_address_and_its_name_and_dnsmasq_outlives_everything(self):
        self.bed.write(UPLINK + NAT)
        self.bed.start()
        guest = self.guest('nat', 'brnat', '52:54:00:aa:00:01')
        self.assertEqual(self.lease(guest), [NAT_GUEST, '192.168.150.1', '192.168.150.1', 'guests.example', 'vm1'])
        self.assertIn(NAT_GUEST, self.resolve(guest, 'vm1.guests.example'))
        lease = self.bed.varlink('Leases')['leases'][0]
        self.assertEqual([lease[k] for k in ('network', 'address', 'mac', 'name')], ['guests', NAT_GUEST, '52:54:00:aa:00:01', 'vm1'])
        self.assertTrue(self.ping(guest, OUT))
        pid = self.pids()['brnat']
        # A name and a host more: the same process is told.
        self.bed.apply(UPLINK + NAT + 'dns_host = 192.168.150.77 seven\nhost = 52:54:00:aa:00:09 192.168.150.9 vm9\n')
        eventually(lambda: '192.168.150.77' in self.resolve(guest, 'seven.guests.example'))
        self.assertEqual(self.pids()['brnat'], pid)
        self.assertSettled()
        # kvmnetd ends and comes back: the same process, and nothing to do.
        self.bed.kill()
        self.assertIn(NAT_GUEST, self.resolve(guest, 'vm1.guests.example'))
        self.bed.start()
        self.assertSettled()
        self.assertEqual(self.pids()['brnat'], pid)
        # Guests talk to it: it is not root, and what holds of the daemon when memory or processors run short does not hold
        # of it.
        self.assertNotIn('0', self.identity(pid))
        # It dies: another one, with the same leases.
        daemon = Path(f'/proc/{self.bed.daemon.pid}/oom_score_adj')
        daemon.write_text('200')
        os.setpriority(os.PRIO_PROCESS, self.bed.daemon.pid, -10)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.pids().get('brnat', pid) != pid and NAT_GUEST in self.resolve(guest, 'vm1.guests.example'), 30)
        self.assertEqual(Path(f'/proc/{self.pids()["brnat"]}/oom_score_adj').read_text(), '0\n')
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, self.pids()['brnat']), 0)
        self.assertNotIn('0', self.identity(self.pids()['brnat']))
        # It gives leases, and writes them down, as before.
        self.assertEqual(self.lease(guest)[0], NAT_GUEST)
        other = self.guest('other', 'brnat', '52:54:00:aa:00:04')
        self.assertIn('192.168.150.', self.lease(other)[0])
        self.assertEqual(len(self.bed.varlink('Leases')['leases']), 2)
        # Another domain: another process. No network: none.
        pid = self.pids()['brnat']
        self.bed.apply(UPLINK + NAT.replace('guests.example', 'other.example') + RECORDS)
        self.assertNotEqual(self.pids()['brnat'], pid)
        self.lease(guest)
        self.assertIn('infinite', [l['expires_at'] or 'infinite' for l in self.bed.varlink('Leases')['leases']])
        for kind, answer in (('txt', 'v=spf1 include:mail.example -all'), ('srv', '20 10 389 dc.other.example')):
            self.assertIn(answer, guest.run('busybox', 'nslookup', f'-type={kind}', '_x._tcp.other.example', '192.168.150.1', check=False))
        pid = self.pids()['brnat']
        self.bed.apply(UPLINK, '--force')
        self.assertEqual(self.pids(), {})
        eventually(lambda: not Path(f'/proc/{pid}').exists() or 'Z' in Path(f'/proc/{pid}/stat').read_text().split(')')[1])

    def test_a_network_with_a_subnet_that_is_chosen_keeps_it(self):
        # The first one of the pool is taken by a route.
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('route', 'add', '192.168.128.0/23', 'dev', 'eth0', 'table', '77')
        self.bed.write('')
        self.bed.start()
        ini = '[network any]\nbridge = brany\naddress = auto\ndhcp_range = auto\nforward = isolated\n'
        self.bed.write(ini)
        self.assertIn('192.168.130.1/24', self.bed.netctl('plan')[1])
        self.bed.apply()
        guest = self.guest('any', 'brany', '52:54:00:aa:00:05')
        leased = self.lease(guest)[0]
        self.assertTrue(leased.startswith('192.168.130.'), leased)
        # Also when a lower one gets free, the daemon ends, and the machine starts anew.
        self.bed.ip('route', 'del', '192.168.128.0/23', 'table', '77')
        self.assertSettled()
        self.bed.apply(ini + 'lease_time = 3h\n')
        self.bed.stop()
        self.bed.ip('link', 'del', 'brany')
        (self.bed.runtime / 'ledger.json').unlink()
        self.bed.start()
        self.assertEqual(self.bed.addresses('brany'), ['192.168.130.1/24'])
        # Gone and back: another one.
        self.bed.apply('', '--force')
        self.bed.apply(ini)
        self.assertEqual(self.bed.addresses('brany'), ['192.168.128.1/24'])

    def test_an_uplink_that_leads_nowhere_is_told(self):
        self.bed.write(UPLINK.replace('gateway', '#gateway') + NAT + 'uplink = eth0\n')
        self.bed.start()
        self.assertIn('eth0 has no route with a gateway', '\n'.join(self.bed.status()['daemon']['problems']))
        self.bed.write(UPLINK + NAT + 'uplink = eth7\n')
        self.assertIn('eth7 is not there', ''.join(self.bed.netctl('plan')[1:]))
        self.bed.apply(UPLINK + NAT + 'uplink = eth0\n')
        self.assertEqual(self.bed.status()['daemon']['problems'], [])

    def test_a_guest_without_a_disk_is_told_what_to_load_and_gets_it(self):
        (self.bed.dir / 'boot').mkdir()
        (self.bed.dir / 'boot' / 'loader.0').write_text('loaded')
        lab = f'[network lab]\nbridge = brnat\nforward = isolated\naddress = 192.168.150.1/24\ndhcp_range = auto\nhost_access = services\n' \
            f'tftp = {self.bed.dir}/boot\nboot = loader.0\n'
        self.bed.write(lab)
        self.bed.start()
        guest = self.guest('lab', 'brnat', '52:54:00:aa:00:06')
        self.lease(guest, 'boot_file')
        self.assertEqual((self.bed.dir / 'leased').read_text().split()[-1], 'loader.0')
        guest.run('busybox', 'tftp', '-g', '-r', 'loader.0', '-l', self.bed.dir / 'got', '192.168.150.1')
        self.assertEqual((self.bed.dir / 'got').read_text(), 'loaded')

    def test_the_example_comes_up_and_leaves_nothing_behind(self):
        before = self.bed.dump()
        self.bed.write((bed.SOURCE / 'conf' / 'nat-network' / 'guests.ini').read_text())
        self.bed.start()
        self.assertSettled()
        self.assertEqual(sorted(self.pids()), ['labbr0', 'natbr0'])
        self.bed.apply('')
        self.assertEqual(self.pids(), {})
        self.assertSame(before, self.bed.dump())

    def test_a_subnet_that_others_have_and_a_bridge_filter_are_told_before_anything_is_done(self):
        self.bed.ip('addr', 'add', '192.168.0.7/16', 'dev', 'eth0')
        self.bed.write('')
        self.bed.start()
        self.bed.write(NAT)
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('192.168.150.1/24 overlaps with 192.168.0.7/16 of eth0', out + err)
        self.bed.ip('addr', 'del', '192.168.0.7/16', 'dev', 'eth0')
        setting = Path('/proc/sys/net/bridge/bridge-nf-call-iptables')
        if setting.exists():
            setting.write_text('1')
            self.assertIn('br_netfilter', ''.join(self.bed.netctl('plan')[1:]))
        self.bed.apply()
        self.assertSettled()
        # What runs stays when somebody takes its subnet later.
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('route', 'add', '192.168.150.0/25', 'dev', 'eth0', 'table', '77')
        eventually(lambda: '192.168.150.1/24 overlaps with 192.168.150.0/25 dev eth0 table 77' in '\n'.join(self.bed.status()['daemon']['problems']))
        # Nor is what goes nowhere free; and what was told goes with the route, whatever takes its place.
        self.bed.ip('route', 'del', '192.168.150.0/25', 'table', '77')
        self.bed.ip('route', 'add', 'unreachable', 'fd00:150::/60', 'table', '77')
        self.bed.ip('route', 'add', 'blackhole', '192.168.150.128/25', 'table', '78')
        overlap = '192.168.150.1/24 overlaps with blackhole 192.168.150.128/25 table 78'
        problems = eventually(lambda: overlap in (all := '\n'.join(self.bed.status()['daemon']['problems'])) and all)
        self.assertNotIn('unreachable', problems, 'it is around the subnet, not in it')
        self.assertIn(overlap, ''.join(self.bed.netctl('plan')[1:]))
        self.bed.ip('route', 'replace', '192.168.150.128/25', 'dev', 'eth0', 'table', '78')
        eventually(lambda: overlap not in '\n'.join(self.bed.status()['daemon']['problems']))

    def problems(self):
        return '\n'.join(self.bed.status()['daemon']['problems'])

    def test_routes_that_no_model_keeps_are_compared_with_a_subnet_too(self):
        self.bed.write('')
        self.bed.nic('eth1', up=True)
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('address', 'add', '192.0.2.1/24', 'dev', 'eth0')
        self.bed.ip('address', 'add', '198.51.100.1/24', 'dev', 'eth1')
        self.bed.ip('nexthop', 'add', 'id', '7', 'via', '192.0.2.7', 'dev', 'eth0')
        self.bed.start()
        self.bed.write(NAT)
        hops = ('nexthop', 'via', '192.0.2.7', 'nexthop', 'via', '198.51.100.7')
        routes = (
            (('192.168.150.0/25', 'table', '77', *hops), '192.168.150.0/25 table 77 with 2 next hops'),
            (('192.168.150.0/24', 'tos', '0x10', 'via', '192.0.2.7'), '192.168.150.0/24 tos 0x10 via 192.0.2.7 dev eth0'),
            (('192.168.150.64/28', 'nhid', '7'), '192.168.150.64/28 nhid 7 via 192.0.2.7 dev eth0'),
            (('192.168.0.0/16', 'dev', 'eth0', 'proto', 'bird'), '192.168.0.0/16 dev eth0 proto bird'),
            (('192.168.150.3', 'via', 'inet6', 'fe80::7', 'dev', 'eth0'), '192.168.150.3/32 dev eth0'),
            (('unreachable', 'fd00:150::/64', 'proto', 'babel', 'metric', '7'), 'unreachable fd00:150::/64 dev lo proto babel metric 7'),
        )
        for words, text in routes:
            # Inside a wider one that leads on every network is.
            wider = ('192.168.0.0/16', 'proto', 'zebra', 'metric', '9', *hops)
            self.bed.ip('route', 'add', *wider)
            self.bed.ip(*(['-6'] if 'babel' in words else []), 'route', 'add', *words)
            status, out, err = self.bed.netctl('apply')
            self.assertEqual(status, 1, out + err)
            self.assertRegex(out + err, rf':4: .*\[network guests\] address: 192.168.150.1/24 overlaps with {re.escape(text)} '
                             if 'babel' not in words else rf'fd00:150::1/64 overlaps with {re.escape(text)} ')
            self.bed.ip(*(['-6'] if 'babel' in words else []), 'route', 'del', *words)
            self.bed.ip('route', 'del', *wider)
        self.bed.apply()
        self.assertSettled()
        # What runs stays, and is told of what comes later as long as that is there, however it goes.
        for words, text in routes[:4]:
            self.bed.ip('route', 'add', *words)
            eventually(lambda: text in self.problems())  # pylint: disable=cell-var-from-loop
            if 'nhid' in words:
                self.bed.ip('nexthop', 'del', 'id', '7')
            elif 'bird' in words:
                self.bed.ip('link', 'set', 'eth0', 'down')
            else:
                self.bed.ip('route', 'del', *words)
            eventually(lambda: text not in self.problems())  # pylint: disable=cell-var-from-loop
        self.assertSettled()
        # Nor does it keep a start from going on.
        self.bed.ip('link', 'set', 'eth0', 'up')
        self.bed.ip('route', 'add', *routes[3][0])
        self.bed.restart()
        self.assertRegex(self.problems(), f':4: warning: .* overlaps with {routes[3][1]} ')
        self.assertEqual(len(self.bed.status()['daemon']['problems']), 1)
        self.bed.ip('route', 'del', *routes[3][0])
        eventually(lambda: routes[3][1] not in self.problems())

    def test_an_apply_between_two_starts_of_dnsmasq_starts_it(self):
        files = '[ethernet eth0]\naddress = 192.0.2.1/24\n' + NAT
        self.bed.write(files)
        self.bed.start()
        first = self.pids()['brnat']
        # Twice, for the second start to be put off for longer.
        for _ in range(2):
            dead = self.pids()['brnat']
            os.kill(dead, signal.SIGKILL)
            bed.eventually(lambda: not Path(f'/proc/{dead}/cmdline').exists())  # pylint: disable=cell-var-from-loop
            if dead == first:
                bed.eventually(lambda: self.pids().get('brnat', first) != first)
        self.bed.apply(files + 'host = 52:54:00:aa:00:77 192.168.150.77 late\n')
        self.assertTrue(Path(f'/proc/{self.pids()["brnat"]}/cmdline').read_text())
        self.assertSettled()

    def test_a_bridge_that_gets_another_name_is_served_when_the_dnsmasq_of_the_old_has_ended(self):
        uplink = '[ethernet eth0]\naddress = 192.0.2.1/24\n'
        self.bed.write(uplink + NAT)
        self.bed.start()
        for name in ('brother', 'brnat'):
            self.bed.write(uplink + NAT.replace('brnat', name))
            shown = ''.join(self.bed.netctl('plan')[1:])
            self.assertIn('dnsmasq none', shown)
            self.assertLess(shown.index('dnsmasq none'), shown.index(f'set {name}: dnsmasq '), shown)
            self.bed.apply()
            self.assertEqual(list(self.pids()), [name])

    def test_a_dnsmasq_that_cannot_start_takes_the_change_back(self):
        uplink = '[ethernet eth0]\naddress = 192.0.2.1/24\n'
        self.bed.write(uplink)
        self.bed.start()
        with self.bed.inside.entered():
            taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            taken.bind(('', 67))
        before = self.bed.dump()
        self.bed.write(uplink + NAT)
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('dnsmasq ended as soon as it had started: failed to bind DHCP server socket: Address already in use', out + err)
        self.assertSame(before, self.bed.dump())
        self.assertEqual(self.bed.inside.run('nft', 'list', 'ruleset'), '')
        taken.close()
        self.bed.apply()
        self.assertSettled()
