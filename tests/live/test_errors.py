# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel refuses, or takes and ignores: told with object, option, its own words and the line; and undone."""
import os
import shutil
import time

import bed


class Refused(bed.TestCase):
    BEFORE = ('[bridge br0]\nports = p0\naddress = 192.0.2.1/24\ngateway = 192.0.2.254\nageing_time = 60s\n'
              '[bond bond0]\nports = p1 p2\nmode = active-backup\n[vlan bond0.5]\nparent = bond0\nid = 5\naddress = 203.0.113.5/24\n')
    # Much is done before what fails: a mode, ports, a MAC, addresses, a removal.
    AFTER = ('[bridge br0]\nports = p0\naddress = 192.0.2.2/24\ngateway = 192.0.2.253\nageing_time = 70s\nmac = 52:54:00:00:ff:01\n'
             '[bond bond0]\nports = p2 p1\nmode = balance-xor\nxmit_hash_policy = layer3+4\n[bridge new]\nports = bond0\naddress = 203.0.113.5/24\n')

    def refuse(self, failing, *words, line):
        """Applies AFTER and what fails; returns what netctl says."""
        b = self.bed
        before = b.dump()
        b.write({'10-good.ini': self.AFTER, '20-bad.ini': failing})
        status, out, err = b.netctl('apply')
        text = out + err
        self.assertEqual(status, 1, text)
        for word in *words, f'20-bad.ini:{line}':
            self.assertIn(word, text)
        for word in words:
            self.assertIn(word, b.varlink('History')['undone'][0]['why'])
        self.assertSame(before, b.dump(), text)
        self.assertVerified()
        self.assertTrue(b.in_sync(), 'what was applied before is what runs')
        b.sent()
        time.sleep(0.5)
        self.assertEqual(b.sent(), [], 'it goes on trying')
        return text

    def host(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2', 'p3')
        b.write(self.BEFORE)
        b.start()
        b.tap('vnet0', master='br0')

    def test_a_bridge_port_in_use_by_a_macvlan(self):
        self.host()
        self.bed.ip_batch('link add mv0 link p3 type macvlan\n')
        self.refuse('\n[bridge br9]\nports = p3\n', 'p3', 'busy', line=3)

    def test_a_bond_port_in_use_by_a_macvlan(self):
        self.host()
        self.bed.ip_batch('link add mv0 link p3 type macvlan\n')
        self.refuse('[bond bond9]\nports = p3\n', 'p3', 'Device is in use and cannot be enslaved', line=2)

    def test_a_vlan_on_a_device_that_takes_none(self):
        self.host()
        self.bed.ip('link', 'add', 'vrf0', 'type', 'vrf', 'table', '10')
        self.refuse('[vlan v]\nparent = vrf0\nid = 5\n', 'create vlan v', 'VLANs not supported on device', line=1)

    def test_a_vlan_id_that_someone_else_has(self):
        self.host()
        self.bed.ip('link', 'add', 'other', 'link', 'p3', 'type', 'vlan', 'id', '7')
        self.refuse('[vlan v]\nparent = p3\nid = 7\n', 'create vlan v', 'VLAN device already exists', line=1)

    def test_an_mtu_beyond_the_device(self):
        self.host()
        self.bed.ip('link', 'add', 'vx0', 'type', 'vxlan', 'id', '5', 'dstport', '4789', 'dev', 'p3', 'remote', '192.0.2.9')
        self.refuse('[ethernet vx0]\nmtu = 9000\n', 'vx0', 'mtu', line=2)

    def test_a_queue_beyond_the_bonds(self):
        self.host()
        self.refuse('[port p1]\nqueue_id = 17\n', 'p1', 'queue_id', 'Operation not permitted', line=2)

    def test_the_first_start_leaves_out_what_fails_and_brings_up_the_rest(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2', 'p3')
        b.ip('link', 'add', 'vrf0', 'type', 'vrf', 'table', '10')
        b.write(self.BEFORE + '[vlan bad]\nparent = vrf0\nid = 5\n[vlan on-bad]\nparent = bad\nid = 6\n')
        b.start()
        self.assertEqual(b.ports('br0'), ['p0'])
        self.assertEqual(b.ports('bond0'), ['p1', 'p2'])
        self.assertEqual(b.addresses('bond0.5'), ['203.0.113.5/24'])
        self.assertEqual(b.link('bad'), {})
        problems = '\n'.join(b.status()['daemon']['problems'])
        for word in 'bad', 'VLANs not supported on device':
            self.assertIn(word, problems)
            self.assertIn(word, b.log())
        b.sent()
        time.sleep(0.5)
        self.assertEqual(b.sent(), [], 'it goes on trying')


class OtherKind(bed.TestCase):
    def test_a_link_of_that_name_and_another_kind(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.ip_batch('link add br0 type dummy\nlink set br0 up\n')
        b.write('[bridge br1]\nports = p1\n')
        b.start()
        before = b.dump()
        b.sent()
        b.write('[bridge br1]\nports = p1\n\n[bridge br0]\nports = p0\n')
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('host.ini:4', out + err)
        self.assertIn('there already is a dummy of that name', out + err)
        self.assertEqual(b.sent(), [])
        self.assertSame(before, b.dump())

    def test_at_the_first_start_it_is_left_out(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.ip('link', 'add', 'br0', 'type', 'dummy')
        b.write('[bridge br1]\nports = p1\n[bridge br0]\nports = p0\n')
        b.start()
        self.assertEqual(b.data('br1')['stp_state'], 0)
        self.assertEqual(b.link('br0')['linkinfo']['info_kind'], 'dummy')
        self.assertIn('there already is a dummy of that name', '\n'.join(b.status()['daemon']['problems']))

    def test_a_link_of_ours_changes_its_kind(self):
        b = self.bed
        b.nics('p0', 'p1')
        b.write('[bridge x]\nports = p0\naddress = 192.0.2.1/24\n')
        b.start()
        b.change('[bond x]\nports = p0\nmode = 1\naddress = 192.0.2.1/24\n')
        self.assertEqual(b.link('x')['linkinfo']['info_kind'], 'bond')
        self.assertEqual((b.ports('x'), b.addresses('x')), (['p0'], ['192.0.2.1/24']))
        self.assertSettled()


class Ignored(bed.TestCase):
    """Options younger than the running kernel: it accepts them without a word, and the read-back shows it."""

    BRIDGE = '[bridge br0]\nports = p0\n'
    BOND = '[bond bond0]\nports = p1 p2\nmode = 802.3ad\n'
    # Section, lines, key, and attribute in which a kernel that has it shows it.
    OPTIONS = [
        ('br0', BRIDGE + 'fdb_max_learned = 100\n', 'fdb_max_learned', 49),
        ('br0', BRIDGE + 'mdb_offload_fail_notification = yes\n', 'mdb_offload_fail_notification', None),
        ('br0', BRIDGE + 'fdb_local_vlan_0 = yes\n', 'fdb_local_vlan_0', None),
        ('bond0', BOND + 'broadcast_neighbor = yes\n', 'broadcast_neighbor', 33),
        ('bond0', BOND + 'lacp_strict = yes\n', 'lacp_strict', 34),
        ('p0', BRIDGE + '[port p0]\nlocked = yes\nmab = yes\n', 'mab', 40),
        ('p0', BRIDGE + '[port p0]\nmcast_max_groups = 5\n', 'mcast_max_groups', 42),
        ('p0', BRIDGE + '[port p0]\nneigh_vlan_suppress = yes\n', 'neigh_vlan_suppress', 43),
        ('p0', BRIDGE + '[port p0]\nbackup_nhid = 7\n', 'backup_nhid', 44),
        ('p1', BOND + '[port p1]\nactor_port_prio = 7\n', 'actor_port_prio', 10),
    ]

    def is_known(self, link, attribute):
        if attribute is None:
            return False
        return attribute in self.bed.attributes(link, port=link.startswith('p'))

    def see(self, text, key, files):
        line = next(i for i, l in enumerate(files.splitlines(), 1) if l.startswith(key))
        for word in key, f'host.ini:{line}', os.uname().release:
            self.assertIn(word, text)

    def test_on_links_that_exist(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        plain = self.BRIDGE + self.BOND
        b.write(plain)
        b.start()
        before = b.dump()
        unknown = 0
        for link, section, key, attribute in self.OPTIONS:
            files = section + (self.BOND if link in ('br0', 'p0') else self.BRIDGE)
            b.write(files)
            status, out, err = b.netctl('apply')
            if self.is_known(link, attribute):
                self.assertEqual(status, 0, out + err)
                b.change(plain)
                continue
            unknown += 1
            with self.subTest(key):
                self.assertEqual(status, 1, out + err)
                self.see(out + err, key, files)
                self.assertSame(before, b.dump())
                b.sent()
                time.sleep(0.3)
                self.assertEqual(b.sent(), [], 'it goes on trying')
        if not unknown:
            self.skipTest('this kernel knows every option')

    def test_at_the_first_start(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        files = self.BRIDGE + '[port p0]\nlocked = yes\nmab = yes\n' + self.BOND
        b.write(files)
        b.start()
        if self.is_known('p0', 40):
            self.skipTest('this kernel knows mab')
        self.assertEqual(b.ports('br0'), ['p0'])
        self.assertEqual(b.ports('bond0'), ['p1', 'p2'])
        self.see('\n'.join(b.status()['daemon']['problems']), 'mab', files)
        b.sent()
        time.sleep(0.5)
        self.assertEqual(b.sent(), [], 'it goes on trying')


class Checked(bed.TestCase):
    """What the files alone show to be wrong: all of it in one go, and not one message."""

    needs = bed.BRIDGES

    FILES = '''
[bond bond0]
ports = p0 p1
mode = balance-xor
lacp_rate = fast
miimom = 100

[bridge br0]
ports = p0 br1
[bridge br1]
ports = br0
[vlan a]
parent = p2
id = 10
[vlan b]
parent = p2
id = 10
[vlan c]
parent = p2
id = 5000
'''

    def test_all_errors_at_once_with_both_places_and_nothing_is_sent(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        b.write('')
        b.start()
        before = b.dump()
        b.sent()
        b.write(self.FILES)
        for verb in ('apply',), ('plan',), ('check', b.config):
            status, out, err = b.netctl(*verb)
            text = out + err
            self.assertEqual(status, 1, text)
            for word in ('lacp_rate', 'option not supported in mode', 'miimom', "miimon", 'host.ini:3', 'host.ini:9', 'host.ini:14', 'host.ini:17',
                         '5000', 'host.ini:20'):
                self.assertIn(word, text, verb)
        self.assertEqual(b.sent(), [])
        self.assertSame(before, b.dump())

    def test_a_start_with_bad_files_runs_the_last_applied_ones_and_says_so(self):
        b = self.bed
        b.nics('p0', 'p1', 'p2')
        b.write('[bridge br0]\nports = p0\n')
        b.start()
        b.stop()
        # Another boot: what was of the runtime directory is gone, and so are the links.
        shutil.rmtree(b.runtime)
        b.runtime.mkdir()
        b.ip('link', 'del', 'br0')
        b.write(self.FILES)
        b.start()
        self.assertEqual(b.ports('br0'), ['p0'])
        self.assertIn('degraded', '\n'.join(b.status()['daemon']['problems']))
        self.assertIn('degraded', '\n'.join(b.notified))
