# SPDX-License-Identifier: GPL-2.0-or-later
"""Bonds: every option in every mode that has it, changes of mode with all that stands on the bond, ports, taking over."""
import socket

import bed
from shown import proc_bonding

MODES = ['balance-rr', 'active-backup', 'balance-xor', 'broadcast', '802.3ad', 'balance-tlb', 'balance-alb']
ALL, ARP, PRIMARY, LB = set(range(7)), {0, 1, 2, 3}, {1, 5, 6}, {5, 6}

# Key, modes that have it, what sysfs shows by default, then two settings: as written and as sysfs shows it.
OPTIONS = [
    ('updelay', ALL, '0', ('200', '200'), ('400ms', '400')),
    ('downdelay', ALL, '0', ('400', '400'), ('1s', '1000')),
    ('peer_notif_delay', ALL, '0', ('200', '200'), ('600', '600')),
    ('miimon', ALL, '100', ('50', '50'), ('200ms', '200')),
    ('arp_all_targets', ALL, 'any 0', ('all', 'all 1'), ('0', 'any 0')),
    ('primary', PRIMARY, '', ('p0', 'p0'), ('p1', 'p1')),
    ('primary_reselect', ALL, 'always 0', ('better', 'better 1'), ('2', 'failure 2')),
    ('fail_over_mac', ALL, 'none 0', ('active', 'active 1'), ('2', 'follow 2')),
    ('xmit_hash_policy', ALL, 'layer2 0', ('layer3+4', 'layer3+4 1'), ('5', 'vlan+srcmac 5')),
    ('resend_igmp', ALL, '1', ('0', '0'), ('255', '255')),
    ('num_grat_arp', ALL, '1', ('0', '0'), ('255', '255')),
    ('all_slaves_active', ALL, '0', ('yes', '1'), ('no', '0')),
    ('min_links', ALL, '0', ('1', '1'), ('2', '2')),
    ('lp_interval', ALL, '1', ('5', '5'), ('2147483647', '2147483647')),
    ('packets_per_slave', {0}, '1', ('0', '0'), ('65535', '65535')),
    ('lacp_active', {4}, 'on 1', ('no', 'off 0'), ('yes', 'on 1')),
    ('lacp_rate', {4}, 'slow 0', ('fast', 'fast 1'), ('0', 'slow 0')),
    ('ad_select', ALL, 'stable 0', ('bandwidth', 'bandwidth 1'), ('2', 'count 2')),
    ('ad_actor_sys_prio', {4}, '65535', ('1', '1'), ('1000', '1000')),
    ('ad_user_port_key', {4}, '0', ('1023', '1023'), ('5', '5')),
    ('ad_actor_system', {4}, '00:00:00:00:00:00', ('52:54:00:aa:00:01', '52:54:00:aa:00:01'),
     ('02:00:00:00:00:01', '02:00:00:00:00:01')),
    ('tlb_dynamic_lb', LB, '1', ('no', '0'), ('yes', '1')),
    ('coupled_control', {4}, '1', ('no', '0'), ('yes', '1')),
]

# The same for a bond that watches its ports by ARP. arp_interval is never unset, for then MII monitoring begins.
ARP_OPTIONS = [
    ('arp_interval', ARP, '0', ('100', '100'), ('2s', '2000')),
    ('arp_ip_target', ARP, '', ('192.0.2.1 192.0.2.2', '192.0.2.1 192.0.2.2'), ('192.0.2.3 192.0.2.1', '192.0.2.3 192.0.2.1')),
    ('ns_ip6_target', ARP, '', ('2001:db8::1', '2001:db8::1'), ('2001:db8::2 2001:db8::1', '2001:db8::2 2001:db8::1')),
    ('arp_validate', ARP, 'none 0', ('active', 'active 1'), ('6', 'filter_backup 6')),
    ('arp_missed_max', ARP, '2', ('1', '1'), ('255', '255')),
]

# What sysfs does not have.
IFLA_BOND_NS_IP6_TARGET, IFLA_BOND_COUPLED_CONTROL = 31, 32


def bonding(b, name, key):
    if key == 'coupled_control':
        return str(b.attributes(name)[IFLA_BOND_COUPLED_CONTROL][0])
    if key == 'ns_ip6_target':
        targets = b.attributes(name).get(IFLA_BOND_NS_IP6_TARGET, b'')
        # A nest: a header of four bytes before each address.
        return ' '.join(socket.inet_ntop(socket.AF_INET6, targets[i + 4:i + 20]) for i in range(0, len(targets), 20))
    return b.sysfs(name, f'bonding/{key}')


def section(mode, values, ports='p0 p1'):
    return f'[bond bond0]\nports = {ports}\nmode = {mode}\n' + ''.join(f'{k} = {v}\n' for k, v in values.items())


class Options(bed.TestCase):
    """Every option of a mode: all set at creation; then, one by one and with ports attached, changed; then unset."""

    def walk(self, mode, options, keep=()):
        b = self.bed
        options = [o for o in options if mode in o[1]]
        b.nics('p0', 'p1')
        values = {key: first[0] for key, _, _, first, _ in options}
        shown = {key: first[1] for key, _, _, first, _ in options}
        b.write(section(MODES[mode], values))
        b.start()
        self.see(mode, shown, 'set at creation')
        index = b.link('bond0')['ifindex']
        for key, _, _, _, (text, expected) in options:
            values[key], shown[key] = text, expected
            b.change(section(mode, values))
            self.see(mode, shown, f'{key} changed to {text}')
        for key, _, default, _, _ in options:
            if key in keep:
                continue
            if key == 'miimon':
                # Delays are unset already: miimon = 100 is what a bond without a monitor gets.
                default = '100'
            del values[key]
            shown[key] = default
            b.change(section(MODES[mode], values))
            self.see(mode, shown, f'{key} unset')
        self.assertEqual(b.link('bond0')['ifindex'], index, 'the bond was made anew')
        self.assertSettled()

    def see(self, mode, shown, when):
        b = self.bed
        found = {key: bonding(b, 'bond0', key) for key in shown}
        self.assertShows(found, shown, when)
        self.assertEqual(b.sysfs('bond0', 'bonding/mode'), f'{MODES[mode]} {mode}', when)
        self.assertEqual(sorted(b.sysfs('bond0', 'bonding/slaves').split()), ['p0', 'p1'], when)
        if mode != 4 and 'arp_interval' not in shown:
            # Without a partner, LACP has no aggregate of two ports, as min_links = 2 wants it; and nobody answers for the
            # targets, so that ports watched by ARP go down when the driver has missed enough (bond_loadbalance_arp_mon()).
            bed.eventually(lambda: b.sysfs('bond0', 'bonding/mii_status') == 'up')


def _add_option_tests():
    for number, name in enumerate(MODES):
        identifier = name.replace('-', '_').replace('.', '_')

        def mii(self, number=number):
            self.walk(number, OPTIONS)

        def arp(self, number=number):
            self.walk(number, ARP_OPTIONS, keep=('arp_interval', 'arp_ip_target'))

        mii.cost = 20
        setattr(Options, f'test_{identifier}', mii)
        if number in ARP:
            setattr(Options, f'test_{identifier}_watched_by_arp', arp)


_add_option_tests()


class Monitors(bed.TestCase):
    def values(self, *keys):
        return [bonding(self.bed, 'bond0', key) for key in keys]

    def test_from_mii_to_arp_and_back(self):
        b = self.bed
        b.nics('p0', 'p1')
        mii = section(1, {'miimon': '50', 'updelay': '100'})
        arp = section(1, {'arp_interval': '200', 'arp_ip_target': '192.0.2.1', 'arp_validate': 'all'})
        keys = 'miimon', 'updelay', 'arp_interval', 'arp_ip_target', 'arp_validate'
        b.write(mii)
        b.start()
        self.assertEqual(self.values(*keys), ['50', '100', '0', '', 'none 0'])
        for _ in range(2):
            b.change(arp)
            self.assertEqual(self.values('miimon', *keys[2:]), ['0', '200', '192.0.2.1', 'all 3'])
            self.assertEqual(b.ports('bond0'), ['p0', 'p1'])
            b.change(mii)
            self.assertEqual(self.values(*keys), ['50', '100', '0', '', 'none 0'])
        self.assertSettled()

    def test_delays_are_rounded_as_the_kernel_does_and_that_is_no_drift(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(section(1, {'miimon': '100', 'updelay': '250', 'downdelay': '99', 'peer_notif_delay': '199'}))
        b.start()
        self.assertEqual(self.values('updelay', 'downdelay', 'peer_notif_delay'), ['200', '0', '100'])
        self.assertSettled()

    def test_delays_stay_when_miimon_changes(self):
        # The kernel keeps them as multiples of miimon and would scale them.
        b = self.bed
        b.nics('p0', 'p1')
        values = {'miimon': '100', 'updelay': '300', 'downdelay': '600', 'peer_notif_delay': '900'}
        b.write(section(1, values))
        b.start()
        for miimon in '50', '300', '10', '150':
            b.change(section(1, {**values, 'miimon': miimon}))
            self.assertEqual(self.values('miimon', 'updelay', 'downdelay', 'peer_notif_delay'), [miimon, '300', '600', '900'])
        self.assertSettled()

    def test_delays_without_miimon_are_refused_before_anything_is_sent(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(section(1, {}))
        b.start()
        b.sent()
        b.write(section(1, {'miimon': '0', 'updelay': '200'}))
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertRegex(out + err, r'host\.ini:5: (error: )?\[bond bond0\] updelay: needs miimon')
        self.assertEqual(b.sent(), [])
        self.assertEqual(self.values('miimon'), ['100'])

    def test_a_bond_without_a_monitor_gets_one_and_a_zero_is_obeyed(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(section(0, {}))
        b.start()
        self.assertEqual(self.values('miimon'), ['100'])
        b.change(section(0, {'miimon': '0'}))
        self.assertEqual(self.values('miimon'), ['0'])
        self.assertSettled()


class ModeChange(bed.TestCase):
    """Every mode to every other, with a VLAN, a bridge, addresses and routes on top: nothing of them is lost or made anew."""

    FILES = '''
[bond bond0]
ports = p0 p1
mode = {mode}
address = 192.0.2.2/24 2001:db8:1::2/64
gateway = 192.0.2.1
route = 2001:db8:a::/48 via 2001:db8:1::1 metric 50

[vlan bond0.10]
parent = bond0
id = 10
address = 198.51.100.2/24 2001:db8:2::2/64
route = 203.0.113.0/24 via 198.51.100.1
gateway = 2001:db8:2::1

[bond bond1]
ports = p2 p3
mode = {mode}

[bridge br0]
ports = bond1
address = 10.0.0.1/24
'''

    @staticmethod
    def circuit():
        """Modes in an order in which each follows each other one exactly once."""
        edges = {m: [n for n in range(7) if n != m] for m in range(7)}
        stack, order = [0], []
        while stack:
            if edges[stack[-1]]:
                stack.append(edges[stack[-1]].pop())
            else:
                order.append(stack.pop())
        return order[::-1]

    def state(self):
        b = self.bed
        links = b.links()
        return {
            'links': {n: (l['ifindex'], l['address'], l.get('master'), l['mtu'], 'UP' in l['flags'])
                      for n, l in links.items() if not n.startswith('p')},
            'ports': {n: l.get('master') for n, l in links.items() if n.startswith('p')},
            'addresses': {n: sorted(b.addresses(n)) for n in ('bond0', 'bond0.10', 'br0')},
            'routes': b.routes(),
        }

    def walk(self, part):
        b = self.bed
        order = self.circuit()
        self.assertEqual(len(set(zip(order, order[1:]))), 42)
        order = order[part * 14:(part + 1) * 14 + 1]
        b.nics('p0', 'p1', 'p2', 'p3')
        b.write(self.FILES.format(mode=order[0]))
        b.start()
        before = self.state()
        self.assertEqual(before['ports'], {'p0': 'bond0', 'p1': 'bond0', 'p2': 'bond1', 'p3': 'bond1'})
        self.assertEqual(before['addresses']['bond0.10'], ['198.51.100.2/24', '2001:db8:2::2/64'])
        self.assertEqual(len(before['routes']), 4)
        for old, new in zip(order, order[1:]):
            b.change(self.FILES.format(mode=MODES[new] if new % 2 else new))
            for bond in 'bond0', 'bond1':
                self.assertEqual(b.sysfs(bond, 'bonding/mode'), f'{MODES[new]} {new}', f'from mode {old}')
                self.assertEqual(b.sysfs(bond, 'bonding/miimon'), '100', f'from mode {old} to {new}')
            self.assertEqual(self.state(), before, f'from mode {old} to {new}')
        self.assertSettled()

    def test_first_third(self):
        self.walk(0)

    def test_second_third(self):
        self.walk(1)

    def test_last_third(self):
        self.walk(2)

    test_first_third.cost = test_second_third.cost = test_last_third.cost = 30

    def test_options_of_the_old_mode_give_way_to_those_of_the_new(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(section('802.3ad', {'lacp_rate': 'fast', 'ad_user_port_key': '7', 'xmit_hash_policy': 'layer3+4'}))
        b.start()
        b.change(section('active-backup', {'primary': 'p1', 'arp_interval': '100', 'arp_ip_target': '192.0.2.1',
                                           'arp_validate': 'active'}))
        self.assertEqual(b.sysfs('bond0', 'bonding/primary'), 'p1')
        self.assertEqual(b.sysfs('bond0', 'bonding/arp_validate'), 'active 1')
        self.assertEqual(b.sysfs('bond0', 'bonding/miimon'), '0')
        self.assertEqual(b.sysfs('bond0', 'bonding/xmit_hash_policy'), 'layer2 0')
        b.change(section('balance-alb', {'tlb_dynamic_lb': 'no'}))
        self.assertEqual(b.sysfs('bond0', 'bonding/tlb_dynamic_lb'), '0')
        self.assertEqual(b.sysfs('bond0', 'bonding/miimon'), '100')
        b.change(section('802.3ad', {}))
        self.assertEqual(b.sysfs('bond0', 'bonding/lacp_rate'), 'slow 0')
        self.assertEqual(b.sysfs('bond0', 'bonding/ad_user_port_key'), '0')
        self.assertSettled()

    def test_a_foreign_port_stays_through_a_change_of_mode(self):
        b = self.bed
        b.nics('p0', 'p1', 'x0')
        b.write(section(0, {}))
        b.start()
        b.ip('link', 'set', 'x0', 'master', 'bond0')
        # The mode changes only without ports: not without being told to.
        b.write(section(5, {}))
        b.sent()
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        self.assertIn('x0', out + err)
        self.assertEqual(b.sent(), [])
        b.change(section(5, {}), force=True)
        self.assertEqual(b.ports('bond0'), ['p0', 'p1', 'x0'])
        self.assertEqual(b.sysfs('bond0', 'bonding/mode'), 'balance-tlb 5')
        self.assertSettled()


class Ports(bed.TestCase):
    def test_port_options_set_changed_unset(self):
        b = self.bed
        b.nics('p0', 'p1')
        head = section(1, {})
        b.write(head + '[port p0]\nqueue_id = 3\nprio = -5\n[port p*]\nprio = 10\n')
        b.start()

        def see(queues, prios):
            self.assertEqual([b.sysfs(p, 'bonding_slave/queue_id') for p in ('p0', 'p1')], queues)
            self.assertEqual([b.port_data(p).get('prio') for p in ('p0', 'p1')], prios)

        see(['3', '0'], [-5, 10])
        b.change(head + '[port p0]\nqueue_id = 4\nprio = 2147483647\n[port p1]\nqueue_id = 3\n')
        see(['4', '3'], [2147483647, 0])
        # Two ports exchange their queues: the kernel allows no queue twice, also not on the way.
        b.change(head + '[port p0]\nqueue_id = 3\n[port p1]\nqueue_id = 4\n')
        see(['3', '4'], [0, 0])
        b.change(head)
        see(['0', '0'], [0, 0])
        self.assertSettled()

    def test_port_options_survive_a_change_of_mode(self):
        b = self.bed
        b.nics('p0', 'p1')
        port = '[port p1]\nqueue_id = 2\n'
        b.write(section(1, {}) + port)
        b.start()
        b.change(section(4, {}) + port)
        self.assertEqual(b.sysfs('p1', 'bonding_slave/queue_id'), '2')
        self.assertSettled()

    def test_prio_chooses_the_active_port(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(section(1, {}) + '[port p1]\nprio = 10\n')
        b.start()
        bed.eventually(lambda: b.sysfs('bond0', 'bonding/active_slave') == 'p1')

    def test_primary_and_port_options_of_a_nic_that_comes_later(self):
        b = self.bed
        b.nic('p0')
        b.write('[daemon]\nboot_wait = 0s\n' + section(1, {'primary': 'p1'}) + '[port p1]\nqueue_id = 5\n')
        b.start()
        self.assertEqual(b.ports('bond0'), ['p0'])
        self.assertEqual(b.status()['daemon']['missing'], ['p1'])
        b.nic('p1')
        bed.eventually(lambda: b.ports('bond0') == ['p0', 'p1'])
        bed.eventually(lambda: b.sysfs('bond0', 'bonding/primary') == 'p1')
        bed.eventually(lambda: b.sysfs('p1', 'bonding_slave/queue_id') == '5')
        bed.eventually(lambda: b.sysfs('bond0', 'bonding/active_slave') == 'p1')
        self.assertSettles()

    def test_added_removed_reordered_and_the_mac_stays(self):
        b = self.bed
        macs = [b.nic(p, up=True) for p in ('p0', 'p1', 'p2')]
        b.write(section(4, {}))
        b.start()
        self.assertEqual(b.link('bond0')['address'], macs[0])
        index = b.link('bond0')['ifindex']
        for ports in 'p1 p0', 'p2 p1 p0', 'p2 p1', 'p2', 'p0', 'p1 p2':
            b.change(section(4, {}, ports))
            self.assertEqual(b.ports('bond0'), sorted(ports.split()), ports)
            self.assertEqual(b.link('bond0')['address'], macs[0], ports)
        # The one that left last has its own MAC back, and is up as it was found.
        b.change(section(4, {}, 'p1'))
        self.assertEqual(b.link('p2')['address'], macs[2])
        self.assertIn('UP', b.link('p2')['flags'])
        self.assertEqual(b.link('bond0')['ifindex'], index)
        self.assertSettled()

    def test_a_bond_without_ports_takes_the_mac_of_the_first_declared_one(self):
        b = self.bed
        b.write('[bond bond0]\nmode = 1\n')
        b.start()
        stable = b.link('bond0')['address']
        self.assertNotEqual(stable, '00:00:00:00:00:00')
        b.restart()
        self.assertEqual(b.link('bond0')['address'], stable)
        mac = b.nic('p0')
        b.change(section(1, {}, 'p0'))
        self.assertEqual(b.link('bond0')['address'], mac)
        self.assertSettled()

    def test_mac_explicit_changed_unset(self):
        b = self.bed
        macs = b.nics('p0', 'p1')
        b.write(section(1, {'mac': '52:54:00:bb:00:01'}))
        b.start()
        self.assertEqual([b.link(n)['address'] for n in ('bond0', 'p0', 'p1')], ['52:54:00:bb:00:01'] * 3)
        b.change(section(1, {'mac': '52:54:00:bb:00:02'}))
        self.assertEqual([b.link(n)['address'] for n in ('bond0', 'p0', 'p1')], ['52:54:00:bb:00:02'] * 3)
        b.change(section(1, {'mac': 'inherit'}))
        self.assertEqual(b.link('bond0')['address'], macs[0])
        self.assertSettled()
        b.change('')
        self.assertEqual([b.link(p)['address'] for p in ('p0', 'p1')], macs)

    def test_fail_over_mac_leaves_every_port_its_own(self):
        b = self.bed
        macs = b.nics('p0', 'p1')
        b.write(section(1, {'fail_over_mac': 'active', 'primary': 'p0'}))
        b.start()
        bed.eventually(lambda: b.sysfs('bond0', 'bonding/active_slave') == 'p0')
        self.assertEqual([b.link(p)['address'] for p in ('p0', 'p1')], macs)
        self.assertSettled()
        # The bond takes the active port's: that is its nature and no drift.
        b.outside.ip('link', 'set', 'p0', 'down')
        bed.eventually(lambda: b.link('bond0')['address'] == macs[1])
        bed.eventually(b.at_rest)
        b.sent()
        b.apply()
        self.assertEqual(b.sent(), [])

    def test_mtu_goes_to_the_ports_and_back(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        b.write(section(1, {'mtu': '9000'}))
        b.start()
        self.assertEqual([b.link(n)['mtu'] for n in ('bond0', 'p0', 'p1')], [9000] * 3)
        b.change(section(1, {'mtu': '9000'}, 'p0 p1 p2'))
        self.assertEqual(b.link('p2')['mtu'], 9000)
        b.change(section(1, {'mtu': '2000'}, 'p0 p1'))
        self.assertEqual([b.link(n)['mtu'] for n in ('bond0', 'p0', 'p1', 'p2')], [2000] * 3 + [1500])
        b.change(section(1, {}, 'p0 p1'))
        self.assertEqual([b.link(n)['mtu'] for n in ('bond0', 'p0', 'p1')], [1500] * 3)
        self.assertSettled()

    def test_a_nic_changes_bonds(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        two = '[bond bond0]\nports = {}\nmode = 1\n[bond bond1]\nports = {}\nmode = 4\n'
        b.write(two.format('p0 p1', 'p2'))
        b.start()
        b.change(two.format('p0', 'p1 p2'))
        self.assertEqual([b.ports('bond0'), b.ports('bond1')], [['p0'], ['p1', 'p2']])
        b.change(two.format('p2', 'p0 p1'))
        self.assertEqual([b.ports('bond0'), b.ports('bond1')], [['p2'], ['p0', 'p1']])
        self.assertSettled()


class TakenOver(bed.TestCase):
    def test_options_are_corrected_and_foreign_things_left(self):
        b = self.bed
        b.nics('p0', 'p1', 'x0')
        b.ip_batch('link add bond0 type bond mode balance-xor miimon 70 xmit_hash_policy layer3+4 resend_igmp 9\n'
                   'link set x0 master bond0\nlink set p0 master bond0\nlink set bond0 up\naddr add 198.51.100.9/24 dev bond0\n')
        before = b.link('bond0')
        b.write(section(1, {'resend_igmp': '5', 'num_grat_arp': '4'}) + 'address = 192.0.2.2/24\n')
        b.start()
        after = b.link('bond0')
        self.assertEqual((after['ifindex'], after['address']), (before['ifindex'], before['address']))
        self.assertEqual(b.sysfs('bond0', 'bonding/mode'), 'active-backup 1')
        self.assertEqual(b.sysfs('bond0', 'bonding/resend_igmp'), '5')
        # Not declared: neither the monitor that it had nor the hash is touched.
        self.assertEqual(b.sysfs('bond0', 'bonding/miimon'), '70')
        self.assertEqual(b.sysfs('bond0', 'bonding/xmit_hash_policy'), 'layer3+4 1')
        self.assertEqual(b.ports('bond0'), ['p0', 'p1', 'x0'])
        self.assertEqual(sorted(b.addresses('bond0')), ['192.0.2.2/24', '198.51.100.9/24'])
        self.assertSettled()
        # A key that is unset goes back to what was found, not to the kernel's default.
        b.change(section(1, {'num_grat_arp': '4'}) + 'address = 192.0.2.2/24\n')
        self.assertEqual(b.sysfs('bond0', 'bonding/resend_igmp'), '9')
        # What leaves the configuration and was there before stays there. Its mode goes back, for which its ports, which
        # are others', must be let go for a moment.
        b.change('', force=True)
        self.assertEqual(b.link('bond0').get('ifindex'), before['ifindex'])
        self.assertEqual(b.sysfs('bond0', 'bonding/num_grat_arp'), '1')
        self.assertEqual(b.addresses('bond0'), ['198.51.100.9/24'])
        self.assertIn('x0', b.ports('bond0'))
        self.assertEqual(b.sysfs('bond0', 'bonding/mode'), 'balance-xor 2')

    def test_a_stray_empty_bond0_is_taken_over(self):
        # As the bonding module makes it unless it is loaded with max_bonds=0: balance-rr, down, without ports.
        b = self.bed
        b.nics('p0', 'p1')
        b.ip('link', 'add', 'bond0', 'type', 'bond')
        b.write(section('802.3ad', {'lacp_rate': 'fast'}))
        b.start()
        self.assertEqual(b.sysfs('bond0', 'bonding/mode'), '802.3ad 4')
        self.assertEqual(b.sysfs('bond0', 'bonding/lacp_rate'), 'fast 1')
        self.assertEqual(b.ports('bond0'), ['p0', 'p1'])
        self.assertSettled()

    def test_no_stray_bond_appears(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write('[bond uplink]\nports = p0 p1\n')
        b.start()
        self.assertEqual([n for n, l in b.links().items() if l.get('linkinfo', {}).get('info_kind') == 'bond'], ['uplink'])

    def test_a_nic_with_addresses_comes_up_in_the_bond_without_losing_them(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.ip_batch('link set p0 up\naddr add 192.0.2.2/24 dev p0\nroute add default via 192.0.2.1\n')
        b.write('[ethernet p0]\naddress = 192.0.2.2/24\ngateway = 192.0.2.1\n')
        b.start()
        b.change(section(1, {'address': '192.0.2.2/24', 'gateway': '192.0.2.1'}))
        self.assertEqual(b.addresses('bond0'), ['192.0.2.2/24'])
        self.assertEqual(b.addresses('p0'), [])
        self.assertEqual(b.routes(), [('default', '192.0.2.1', 'bond0')])
        self.assertSettled()


class Status(bed.TestCase):
    def test_status_tells_of_lacp_what_proc_does(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write(section('802.3ad', {}))
        b.start()
        self.assertEqual([p['name'] for p in b.varlink('Status', {'link': 'bond0'})['links'][0]['lacp']], ['p0', 'p1'])
        # Keys and churn change by the driver's own clock: between the two looks, too.
        bed.eventually(self.lacp_is_the_same)
        # It is in the words, too, and of other bonds there is nothing.
        self.assertIn('\nLACP\n', b.netctl('status', 'bond0')[1])
        b.change(section('active-backup', {}))
        self.assertIsNone(b.varlink('Status', {'link': 'bond0'})['links'][0].get('lacp'))

    def lacp_is_the_same(self):
        told = {p['name']: p for p in self.bed.varlink('Status', {'link': 'bond0'})['links'][0]['lacp']}
        for name, port in proc_bonding('bond0')[1].items():
            actor, partner = told[name]['actor'], told[name]['partner']
            self.assertEqual([actor['system'], *(str(actor[k]) for k in ('system_priority', 'key', 'port', 'port_priority', 'churn'))],
                             [port[k] for k in ('system mac address', 'system priority', 'port key', 'port number', 'port priority',
                                                'Actor Churn State')])
            self.assertEqual([str(partner['key']), partner['churn']], [port['oper key'], port['Partner Churn State']])
        return True
