# SPDX-License-Identifier: GPL-2.0-or-later
"""[network]: while one configuration after the other is applied, not one packet leaves an isolated network, and no connection of another network breaks."""
import os
import random
import re
import socket
import struct
import threading
import unittest

import bed
from namespace import new_namespace
from network_case import HOST, Echo, NetworkCase

# What stays through all of it: the flooded and the flooding, and who talks meanwhile.
STAYS = '''[ethernet eth0]
address = 192.0.2.1/24 fd00:2::1/64
[network lab]
bridge = brlab
forward = isolated
address = 10.8.0.1/24 fd00:8::1/64
ports = tap-lab
dns = no
{lab}
[network guests]
bridge = brnat
forward = nat
nat6 = yes
address = 192.168.150.1/24 fd00:150::1/64
ports = tap-nat
dns = no
{guests}
[network transit]
bridge = brroute
forward = route
address = 10.9.0.1/24 fd00:9::1/64
ports = tap-route
dns = no
'''
PLACES = {'lab': ('10.8.0.10', 'fd00:8::10'), 'nat': ('192.168.150.10', 'fd00:150::10'), 'route': ('10.9.0.10', 'fd00:9::10'),
          'second': ('10.11.0.10', 'fd00:11::10'), 'out': ('192.0.2.2', 'fd00:2::2')}
FLOOD = 4242  # port of what may not arrive anywhere
COUNTER = '''table inet count {{
    counter leaked {{ }}
    counter sent {{ }}
    chain arrives {{
        type filter hook prerouting priority -400;
        meta l4proto {{ tcp, udp }} th dport {0} counter name leaked
        icmp type echo-request counter name leaked
        icmpv6 type echo-request counter name leaked
    }}
    chain leaves {{
        type filter hook postrouting priority 400;
        meta l4proto {{ tcp, udp, icmp, ipv6-icmp }} counter name sent
    }}
}}'''.format(FLOOD)


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def flood(targets):
    """Sends to each of them by UDP, TCP and ping, for ever; what is refused meanwhile is what is wanted."""
    udp = {f: socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)}
    icmp = {socket.AF_INET: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
            socket.AF_INET6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)}
    ping = struct.pack('!BBHHH', 8, 0, 0, 7, 7)
    echo = {socket.AF_INET: ping[:2] + struct.pack('!H', checksum(ping)) + ping[4:],
            socket.AF_INET6: struct.pack('!BBHHH', 128, 0, 0, 7, 7)}
    number = 0
    for s in [*udp.values(), *icmp.values()]:
        s.setblocking(False)
    while True:
        for address in targets:
            family = socket.AF_INET6 if ':' in address else socket.AF_INET
            number += 1
            try:
                udp[family].sendto(b'leak', (address, FLOOD))
            except OSError:
                pass
            try:
                icmp[family].sendto(echo[family], (address, 0))
            except OSError:
                pass
            if number % 16 == 0:
                with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as tcp:
                    tcp.connect_ex((address, FLOOD))


class Talk(threading.Thread):
    """A TCP connection over which something is asked and answered all the time; `failed` tells why it ended."""

    def __init__(self, source, address):
        super().__init__(daemon=True)
        self.source, self.name = source, address
        self.socket = bed.eventually(self.connected, bed.PATIENCE)
        self.socket.recv(100)
        self.failed, self.count, self.ends = None, 0, threading.Event()
        self.start()

    def connected(self):
        with self.source.entered():
            try:
                return socket.create_connection((self.name, 80), bed.PATIENCE)
            except OSError:
                return None  # an address of the host may just be being checked for others that have it

    def run(self):
        try:
            while not self.ends.wait(0.005):
                self.socket.send(b'still there')
                assert self.socket.recv(100) == b'still there', 'the other end went away'
                self.count += 1
        except (OSError, AssertionError) as e:
            self.failed = f'{type(e).__name__}: {e}'
        self.socket.close()


def some_networks(rng):
    """Networks that come, change and go: any of four, each in any of its forms, the isolated one that is flooding among them."""
    text = ''
    for number in (20, 21, 22, 23):
        if rng.random() < 0.4:
            continue
        forward = rng.choice(('nat', 'route', 'isolated', 'open'))
        text += f'[network n{number}]\nbridge = br{number}{rng.choice("ab")}\nforward = {forward}\n'
        address6 = rng.choice(('', f' fd00:{number}::1/64'))
        text += f'address = 10.{number}.{rng.randrange(3)}.1/24{address6}\ndns = no\n'
        text += rng.choice(('', f'host_access = {rng.choice(("services", "none"))}\n'))
        if forward == 'nat':
            text += rng.choice(('', 'nat6 = yes\n' if address6 else '', 'uplink = eth0\n', 'snat = 192.0.2.1 2000-3000\n'))
        text += rng.choice(('', 'mtu = 1400\n', 'ageing_time = 20s\n'))
    if rng.random() < 0.6:
        text += '[network second]\nbridge = brsecond\nforward = isolated\naddress = 10.11.0.1/24 fd00:11::1/64\nports = tap-second\ndns = no\n'
    return text


def some_config(rng):
    lab = rng.choice(('', 'host_access = services', 'host_access = none', 'mtu = 1400', 'ageing_time = 20s'))
    guests = rng.choice(('', 'forward_port = tcp 8080 192.168.150.10 80', 'forward_port = udp 4242 192.168.150.10 80', 'host_access = services'))
    return STAYS.format(lab=lab, guests=guests) + some_networks(rng) + rng.choice(('', '[daemon]\nforwarding = global\n'))


class Isolation(NetworkCase):
    cost = 40

    def place(self, name):
        """A machine whose cable is there before its network is, and goes in and out with it."""
        guest = new_namespace()
        self.guests[name] = guest
        self.bed.ip('link', 'add', f'tap-{name}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', guest.path)
        for address, prefix in zip(PLACES[name], (24, 64)):
            guest.ip('addr', 'add', f'{address}/{prefix}', 'dev', 'eth0', *(['nodad'] if prefix == 64 else []))
        guest.ip('link', 'set', 'eth0', 'up')
        for gateway in (PLACES[name][0][:-1], PLACES[name][1][:-1]):
            guest.ip('route', 'add', 'default', 'via', gateway)
        guest.run('nft', COUNTER)
        return guest

    def setUp(self):
        super().setUp()
        for number in (8, 9, 11, 150):
            self.bed.outside.ip('route', 'replace', f'fd00:{number}::/64', 'via', 'fd00:2::1')
        self.bed.outside.ip('route', 'replace', '10.11.0.0/24', 'via', HOST)
        self.bed.outside.run('nft', COUNTER)
        for name in ('lab', 'nat', 'route', 'second'):
            self.place(name)
        self.bed.write(STAYS.format(lab='', guests=''))
        self.bed.start()
        self.echo = Echo()
        for name in ('nat', 'route'):
            self.echo.listen(name, self.guests[name])
        self.echo.listen('out', self.bed.outside)
        self.echo.thread.start()
        self.addCleanup(self.echo.close)

    def flooding(self, name):
        """The machine there sends to all others until the test is over."""
        targets = [a for other, addresses in PLACES.items() if other != name for a in addresses]
        with self.guests[name].entered():
            child = os.fork()
            if child == 0:
                try:
                    bed.die_with_parent()
                    flood(targets)
                finally:
                    os._exit(1)
        self.addCleanup(lambda: (os.kill(child, 9), os.waitpid(child, 0)))

    def counted(self, namespace, counter):
        return int(re.search(r'packets (\d+)', namespace.run('nft', 'list', 'counter', 'inet', 'count', counter))[1])

    def arrived(self):
        places = {**self.guests, 'out': self.bed.outside}
        return {name: n for name, place in places.items() if (n := self.counted(place, 'leaked'))}

    def test_nothing_leaks_and_nothing_breaks_while_networks_come_and_go(self):
        steps = min(int(os.environ.get('STEPS') or 25), 1000)
        seed = int(os.environ.get('SEED') or 1)
        rng = random.Random(seed)
        talks = [Talk(self.guests['nat'], PLACES['out'][0]), Talk(self.guests['nat'], PLACES['out'][1]),
                 Talk(self.guests['route'], PLACES['out'][0]), Talk(self.bed.outside, PLACES['route'][1]),
                 Talk(self.guests['nat'], PLACES['route'][0])]
        self.flooding('lab')
        self.flooding('second')
        for step in range(steps):
            text = some_config(rng)
            self.bed.change(text, force=True)
            where = f'step {step} of SEED={seed}:\n{text}'
            if step % 10 == 0 or step == steps - 1:
                self.assertEqual(self.arrived(), {}, where)
            self.assertEqual([f'{t.name}: {t.failed}' for t in talks if t.failed], [], where)
        for talk in talks:
            talk.ends.set()
            talk.join()
            self.assertGreater(talk.count, steps)
        self.assertGreater(self.counted(self.guests['lab'], 'sent'), 100 * steps, 'hardly anything was sent that could have leaked')
        self.bed.write(STAYS.format(lab='', guests=''))
        self.bed.apply(None, '--force')
        self.assertSettled()


if __name__ == '__main__':
    unittest.main()
