# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of [network] stand on: guests, machines behind the uplink, and who answers there."""
import os
import selectors
import signal
import socket
import threading
from pathlib import Path

import bed
from namespace import new_namespace, pid_files

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
ROUTE = '[network transit]\nbridge = brroute\nforward = route\naddress = 10.9.0.1/24\ndns = no\n'
LAB = '[network lab]\nbridge = brlab\nforward = isolated\naddress = 10.8.0.1/24\ndns = no\n'
UPLINK = '[ethernet eth0]\naddress = 192.0.2.1/24 fd00:2::1/64\ngateway = 192.0.2.2 fd00:2::2\n'
OUT, OUT6, HOST = '192.0.2.2', 'fd00:2::2', '192.0.2.1'
NAT_GUEST, ROUTE_GUEST, LAB_GUEST = '192.168.150.10', '10.9.0.10', '10.8.0.10'

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
        return pid_files(self.bed.runtime / 'dnsmasq')

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
            s.settimeout(bed.PATIENCE if refused else 1)
            s.bind((own, 0))
            try:
                s.connect((address, port))
                return self.answer_to_datagram(s, bed.PATIENCE if refused else 1) if protocol == 'udp' else s.recv(100).decode()
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

    def lease(self, guest, *more):
        script, note = self.bed.dir / 'udhcpc', self.bed.dir / 'leased'
        script.write_text(UDHCPC.format(' '.join(f'${word}' for word in more), note))
        script.chmod(0o755)
        guest.run('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '60', '-T', '1', '-s', script)
        return note.read_text().split()

    def resolve(self, guest, name):
        return guest.run('busybox', 'nslookup', name, '192.168.150.1', check=False)
