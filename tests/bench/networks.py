#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What many guest networks cost: tests/bench/networks.py [N...] (default: 1 100 500). For each N a host of its own with N networks, nat,
route and isolated in turn: how long changes take, and what a packet costs on its way through the rules. Network namespaces on the
running kernel, as root; under a minute. README.md says how to read the table that it prints.
"""
import multiprocessing
import os
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'live'))
sys.dont_write_bytecode = True
import bed  # pylint: disable=wrong-import-position
from compiled import compiled_library  # pylint: disable=wrong-import-position
from namespace import new_namespace  # pylint: disable=wrong-import-position

ROUNDS, TRIPS = 60, 500
KINDS = ('nat', 'route', 'isolated')
OUT = '192.0.2.2'
MORE = '[network more]\nbridge = brmore\nforward = isolated\naddress = 10.99.0.1/24\ndns = no\n'


def subnet(i):
    return f'10.{100 + i // 250}.{i % 250}'


def configuration(n):
    text = f'[ethernet eth0]\naddress = 192.0.2.1/24\ngateway = {OUT}\n'
    for i in range(n):
        text += f'[network n{i}]\nbridge = br{i}\nforward = {KINDS[i % 3]}\naddress = {subnet(i)}.1/24 fd00:{i:x}::1/64\ndns = no\n'
        if KINDS[i % 3] == 'nat':
            text += f'forward_port = tcp {10000 + i} {subnet(i)}.10 80\n'
    return text


class Host:
    """One with n networks, and a guest in the last of those with NAT."""

    def __init__(self, n):
        self.n, self.seconds = n, {}
        self.bed = bed.Bed()
        self.bed.nic('eth0')
        self.bed.outside.ip('addr', 'add', f'{OUT}/24', 'dev', 'eth0')
        self.bed.outside.ip('route', 'add', '10.0.0.0/8', 'via', '192.0.2.1')
        self.bed.write('')
        self.bed.start()

    def apply(self, what, text):
        self.bed.write(text)
        begun = time.monotonic()
        status, out, err = self.bed.netctl('apply', '--force')
        self.seconds[what] = time.monotonic() - begun
        assert status == 0, out + err

    def changes(self):
        text = configuration(self.n)
        self.apply('all', text)
        self.apply('unchanged', text)
        self.apply('add one', text + MORE)
        self.apply('remove one', text)
        self.apply('change one', text.replace('forward = nat\n', 'forward = nat\nhost_access = services\n', 1))
        self.bed.inside.run('nft', 'flush', 'ruleset')
        begun = time.monotonic()
        bed.eventually(lambda: f'from_br{self.n - 1} ' in self.bed.inside.run('nft', 'list', 'chains'), 60)
        self.seconds['flushed: mended'] = time.monotonic() - begun

    def place(self):
        """The guest, and sockets at both ends."""
        i = max(i for i in range(self.n) if KINDS[i % 3] == 'nat')
        self.guest = new_namespace()
        self.bed.ip('link', 'add', 'tap', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.guest.path)
        self.bed.ip('link', 'set', 'tap', 'master', f'br{i}', 'up')
        self.guest.ip('addr', 'add', f'{subnet(i)}.10/24', 'dev', 'eth0')
        self.guest.ip('link', 'set', 'eth0', 'up')
        self.guest.ip('route', 'add', 'default', 'via', f'{subnet(i)}.1')
        with self.bed.outside.entered():
            self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.server.bind((OUT, 7))
        with self.guest.entered():
            self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.client.connect((OUT, 7))
        for s in (self.client, self.server):
            s.settimeout(1)
        # Not before the kernel has seen the cable, for which it waits for whoever else changes links.
        bed.eventually(self.reaches, 60)
        for s in (self.client, self.server):
            s.settimeout(20)

    def reaches(self):
        try:
            return self.trips(1)
        except TimeoutError:
            return None

    def trips(self, count):
        """Microseconds of one: there and back, through the rules twice, the forwarding host and two cables."""
        client, server = self.client, self.server
        begun = time.monotonic()
        for _ in range(count):
            client.send(b'ping')
            _, peer = server.recvfrom(16)
            server.sendto(b'pong', peer)
            client.recv(16)
        return (time.monotonic() - begun) / count * 1e6


def serve(n, pipe):
    host = Host(n)
    host.changes()
    host.place()
    pipe.send(host.seconds)
    while pipe.recv():
        pipe.send(host.trips(TRIPS))
    host.bed.close()


def main():
    sizes = [int(a) for a in sys.argv[1:]] or [1, 100, 500]
    compiled_library('count-writes')  # not within what is timed
    context = multiprocessing.get_context('fork')
    hosts, seconds = [], {}
    for n in sizes:
        pipe, end = context.Pipe()
        process = context.Process(target=serve, args=(n, end), daemon=True)
        process.start()
        hosts.append((n, pipe, process))
        seconds[n] = pipe.recv()
    # One after the other, round by round, so that what else the machine does falls on all of them.
    trips = {n: [] for n in sizes}
    for _ in range(ROUNDS):
        for n, pipe, _ in hosts:
            pipe.send(True)
            trips[n].append(pipe.recv())
    for _, pipe, process in hosts:
        pipe.send(False)
        process.join()
    print('| networks | ' + ' | '.join(str(n) for n in sizes) + ' |\n| --- |' + ' --- |' * len(sizes))
    for what in seconds[sizes[0]]:
        print(f'| {what}, s | ' + ' | '.join(f'{seconds[n][what]:.2f}' for n in sizes) + ' |')
    print('| UDP there and back, us | ' + ' | '.join(f'{min(trips[n]):.1f} (median {statistics.median(trips[n]):.1f})'
                                                     for n in sizes) + ' |')
    least = min(trips[sizes[0]])
    print('| the least, over that of the first | ' + ' | '.join(f'{min(trips[n]) / least:.2f}' for n in sizes) + ' |')


if __name__ == '__main__':
    main()
