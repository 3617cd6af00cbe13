# SPDX-License-Identifier: GPL-2.0-or-later
"""
Failures that users of other tools have reported, and that are no test's subject elsewhere. In brackets whose they were: the
repository and the thread.
"""
import os
import threading
import time
from pathlib import Path

import bed

HOST = '[daemon]\nprobe_timeout = 1s\n[bridge br0]\nports = eth0\naddress = 192.0.2.10/24\ngateway = 192.0.2.1\n'


class Pains(bed.TestCase):
    needs = bed.BRIDGES

    def begin(self, files=HOST):
        b = self.bed
        b.nics('eth0', 'eth1')
        b.write(files)
        b.start()
        return b

    def test_files_that_were_only_touched_flap_nothing(self):
        """[systemd/systemd#25067, #31165: touch and reload took bonds down; #38894: an unattended upgrade did]"""
        b = self.begin()
        b.tap('vnet0', 'br0')
        bed.eventually(b.at_rest)
        path = b.config / 'host.ini'
        b.sent()
        for text in (HOST, f'# one more comment\n{HOST}\n', HOST.replace('ports = eth0\n', '').replace('gateway', 'ports = eth0\ngateway')):
            path.write_text(text)
            os.utime(path, (0, 0))
            for again in (b.reload, b.apply, b.restart):
                again()
                self.assertEqual(b.sent(), [])

    def test_an_apply_of_unchanged_files_mends_what_others_did(self):
        """[canonical/netplan#449: files that had not changed were not applied, whatever the kernel had]"""
        b = self.begin(HOST.replace('[daemon]\n', '[daemon]\ndrift = report\n'))
        b.ip('address', 'delete', '192.0.2.10/24', 'dev', 'br0')
        b.ip('link', 'set', 'eth0', 'nomaster')
        bed.eventually(lambda: not b.in_sync())
        self.assertEqual(b.netctl('plan')[0], 2)
        b.apply()
        self.assertEqual((b.ports('br0'), b.addresses('br0')), (['eth0'], ['192.0.2.10/24']))
        self.assertIn(('default', '192.0.2.1', 'br0'), b.routes())

    def test_links_too_small_for_ipv6_come_up_grow_and_shrink(self):
        """Below 1280 the kernel has no settings of IPv6 for them, and refuses those that every bridge and port gets."""
        small = '[bridge br0]\nports = eth0\nmtu = 1000\n[ethernet eth0]\nmtu = 1000\n'
        b = self.begin(small)
        bed.eventually(b.at_rest)
        self.assertEqual(b.link('br0')['mtu'], 1000)
        large = small.replace('1000', '1500')
        b.apply(large)
        self.assertEqual(b.sysctl('br0', 'accept_ra'), '0')
        bed.eventually(lambda: not b.link_local('eth0'))
        for before, after in (large, small), (small, large):
            b.apply(before)
            bed.eventually(b.at_rest)
            b.write(after)
            self.assertEqual(b.netctl('apply', '--confirm', 60)[0], 0)
            self.assertEqual(b.netctl('rollback')[0], 0)
            self.assertNotIn('not put back', ' '.join(b.status()['daemon']['problems']))
            bed.eventually(b.at_rest)

    def test_a_bridge_keeps_mac_and_address_whoever_comes_and_goes(self):
        """[harvester/harvester#11260: the lowest MAC of a guest became the bridge's; systemd/systemd#11650: no port, no address]"""
        b = self.begin(HOST + '[bridge br1]\naddress = 198.51.100.1/24\n')
        macs = [b.link(name)['address'] for name in ('br0', 'br1')]
        for n, bridge in enumerate(('br0', 'br1')):
            b.tap(f'vnet{n}')
            b.ip('link', 'set', f'vnet{n}', 'address', '02:00:00:00:00:01')
            b.ip('link', 'set', f'vnet{n}', 'master', bridge, 'up')
        bed.eventually(b.at_rest)
        self.assertEqual([b.link(name)['address'] for name in ('br0', 'br1')], macs)
        b.ip('link', 'set', 'vnet1', 'nomaster')
        bed.eventually(b.at_rest)
        self.assertEqual([b.link(name)['address'] for name in ('br0', 'br1')], macs)
        self.assertEqual(b.addresses('br1'), ['198.51.100.1/24'])

    def test_a_guest_that_starts_before_the_confirmation_outlives_the_way_back(self):
        """[NetworkManager's checkpoint with DISCONNECT_NEW_DEVICES takes down every device that came since]"""
        b = self.begin()
        b.write(HOST.replace('ports = eth0\n', 'ports = eth0 eth1\nageing_time = 30s\n'))
        self.assertEqual(b.netctl('apply', '--confirm', 60)[0], 0)
        b.tap('vnet0', 'br0')
        b.ip('link', 'set', 'vnet0', 'type', 'bridge_slave', 'cost', 44, 'isolated', 'on')
        self.assertEqual(b.netctl('rollback')[0], 0)
        self.assertEqual(b.ports('br0'), ['eth0', 'vnet0'])
        self.assertIn('UP', b.link('vnet0')['flags'])
        self.assertShows(b.port_data('vnet0'), {'cost': 44, 'isolated': True})

    def test_rules_and_tables_of_others_stay(self):
        """[systemd/systemd#13555, #29716, acassen/keepalived#1385: addresses, routes and rules of others were removed]"""
        b = self.begin()
        b.ip('rule', 'add', 'from', '203.0.113.0/24', 'table', 77, 'priority', 500)
        b.ip('route', 'add', '198.51.100.0/24', 'via', '192.0.2.7', 'table', 77, 'proto', 66)
        b.ip('address', 'add', '192.0.2.77/32', 'dev', 'br0')
        b.ip('route', 'add', 'blackhole', '203.0.113.0/28')

        def shown():
            routes = b.ip_json('route', 'show', 'table', 77) + b.ip_json('route', 'show', 'type', 'blackhole')
            return [b.ip_json('rule', 'show'), [{**r, 'flags': []} for r in routes], b.addresses('br0')]
        before = shown()
        for text in (HOST.replace('eth0', 'eth1'), HOST + '[ethernet eth1]\naddress = 198.18.0.1/24\n', HOST):
            b.apply(text)
            self.assertEqual(shown(), before)
        for end in (b.stop, b.kill):
            end()
            b.start()
            self.assertEqual(shown(), before)

    def test_a_host_without_a_default_route_can_be_changed_and_confirmed(self):
        """[nmstate/kubernetes-nmstate#316: without a default route nothing was ever applied]"""
        text = HOST.replace('gateway = 192.0.2.1\n', '')
        b = self.begin(text)
        b.write(text + 'ageing_time = 30s\n')
        self.assertEqual(b.netctl('apply', '--confirm', 60)[0], 0)
        self.assertEqual(b.netctl('confirm')[0], 0)
        self.assertEqual(b.data('br0')['ageing_time'], 3000)

    def test_the_routes_of_a_routing_daemon_cost_nothing(self):
        """[systemd/systemd#36347, #12093: a full table, and each change of it, kept a processor busy]"""
        b = self.begin()

        def spent():
            """Seconds of processor time, and KiB."""
            words = Path(f'/proc/{b.daemon.pid}/stat').read_text().rpartition(')')[2].split()
            return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK'), int(words[21]) * 4
        cpu, memory = spent()
        others = os.times()
        b.ip_batch(''.join(f'route add 10.{n >> 8}.{n & 255}.0/24 via 192.0.2.7 proto bird\n' for n in range(8000)))
        b.ip('route', 'flush', 'proto', 'bird')
        b.ip_batch(''.join(f'route add 10.{n >> 8}.{n & 255}.0/24 via 192.0.2.7 proto bird\n' for n in range(8000)))
        b.status()

        def rests():
            begun = spent()
            time.sleep(1)
            self.assertLess(spent()[0] - begun[0], 0.2, 'seconds of processor time in one second of rest')
            return True
        bed.eventually(rests)
        after = spent()
        self.assertLess(after[1] - memory, 8 << 10, 'KiB more than before')
        ip = sum(os.times()[2:4]) - sum(others[2:4])
        self.assertLess(after[0] - cpu, 10 * ip, 'seconds of processor time; ip itself, which put them there, had a tenth')
        self.assertTrue(b.in_sync())

    def test_a_route_that_the_kernel_tells_twice_is_there_once(self):
        """While the tree changes, a dump has the routes of its node again; when such a one went, it stayed in what was known."""
        b = self.begin()
        b.ip('link', 'set', 'eth1', 'up')
        b.ip_batch(''.join(f'route add 2001:db8::/64 dev eth1 metric {n}\n' for n in range(1, 2001)))
        bed.eventually(lambda: not b.verify())
        over = threading.Event()

        def change():
            while not over.is_set():
                b.ip_batch('route add 2001:db8:1::/64 dev eth1\nroute del 2001:db8:1::/64 dev eth1\n')
        changing = threading.Thread(target=change)
        changing.start()
        try:
            for _ in range(5):
                self.assertEqual([d for d in b.verify() if 'number of routes' in d], [])
        finally:
            over.set()
            changing.join()
