# SPDX-License-Identifier: GPL-2.0-or-later
"""foreign_firewall: guests beside other firewalls of the host, whose rules are made by iptables and nft themselves."""
import os
from pathlib import Path

import bed
from network_case import NAT, NAT_GUEST, OUT, UPLINK, NetworkCase

NETWORK = NAT.replace('nat6 = yes\n', '')
# ufw and Docker each leave a policy of drop behind; a chain of a user's own drops by its last rule.
POLICIES = [(program, chain) for program in ('iptables', 'ip6tables') for chain in ('INPUT', 'FORWARD')]

# The program, which does not come to an end the first time.
HANGS = '''#!/bin/sh
[ -e {0} ] || {{ touch {0}; exec sleep 100; }}
exec /usr/sbin/iptables-nft-restore "$@"
'''


def eventually(condition):
    """What another firewall could not be told it is told again, after a minute (netd/host/iptables.c)."""
    return bed.eventually(condition, 3 * bed.PATIENCE)


class Foreign(NetworkCase):
    def tables(self):
        return self.bed.inside.run('nft', 'list', 'ruleset').count('KVMNETD-')

    def drop(self):
        for program, chain in POLICIES:
            self.bed.inside.run(program, '-P', chain, 'DROP')

    def reaches(self, guest):
        return self.ping(guest, OUT) and NAT_GUEST in self.resolve(guest, 'vm1.guests.example')

    def test_guests_are_served_beside_iptables_that_drops_and_nothing_is_left_there(self):
        self.drop()
        before = self.bed.inside.run('iptables-save', '-t', 'filter').splitlines()[1:-1]
        self.bed.write(UPLINK + NETWORK)
        self.bed.start()
        self.assertSettled()
        guest = self.guest('nat', 'brnat', '52:54:00:aa:00:01')
        self.assertEqual(self.lease(guest)[0], NAT_GUEST)
        self.assertTrue(self.reaches(guest))
        # Our own rules are judged by first, all the same.
        self.assertFalse(self.ping(self.bed.outside, NAT_GUEST))
        # Rules that vanish, whether by chain or all of them, come back.
        self.bed.inside.run('iptables', '-F', 'FORWARD')
        eventually(lambda: self.ping(guest, OUT))
        self.bed.inside.run('iptables', '-F', 'KVMNETD-FWD')
        eventually(lambda: self.ping(guest, OUT))
        self.bed.inside.run('nft', 'flush', 'ruleset')
        self.drop()
        eventually(lambda: self.reaches(guest))
        self.assertSettles()
        # A restart finds them.
        self.bed.restart()
        self.assertSettled()
        # Who opens his own firewall needs ours no more; the last network that goes takes the rest along.
        self.bed.inside.run('iptables', '-P', 'INPUT', 'ACCEPT')
        eventually(lambda: 'KVMNETD-IN' not in self.bed.inside.run('iptables', '-S'))
        self.assertIn('KVMNETD-FWD', self.bed.inside.run('iptables', '-S'))
        self.bed.inside.run('iptables', '-P', 'INPUT', 'DROP')
        out = self.bed.apply(UPLINK, '--force')
        self.assertIn('iptables', out)
        self.assertEqual(self.tables(), 0)
        after = self.bed.inside.run('iptables-save', '-t', 'filter').splitlines()[1:-1]
        self.assertEqual([line.split('[')[0] for line in after], [line.split('[')[0] for line in before])

    def test_an_iptables_that_hangs_once_is_soon_told_again(self):
        self.drop()
        slow = self.bed.dir / 'bin' / 'iptables-nft-restore'
        slow.parent.mkdir()
        slow.write_text(HANGS.format(self.bed.dir / 'hung'))
        slow.chmod(0o755)
        self.bed.write(UPLINK + NETWORK)
        self.bed.start(env={'PATH': f'{slow.parent}:{os.environ["PATH"]}'})
        self.assertIn('iptables-nft-restore: Connection timed out', self.bed.log())
        # Sooner than after the minute for what is not to be had.
        bed.eventually(lambda: 'KVMNETD-FWD' in self.bed.inside.run('iptables', '-S'), 50)
        self.assertSettles()

    test_an_iptables_that_hangs_once_is_soon_told_again.cost = 20

    def test_warn_says_what_is_in_the_way_and_off_says_nothing(self):
        self.drop()
        self.bed.inside.run('nft', 'add', 'table', 'inet', 'mine')
        self.bed.inside.run('nft', 'add chain inet mine fw { type filter hook forward priority 5; }')
        self.bed.write(UPLINK + NETWORK + '[daemon]\nforeign_firewall = warn\n')
        self.bed.start()

        def problems():
            return '\n'.join(self.bed.status()['daemon']['problems'])

        self.assertIn('chain FORWARD of nftables\' table ip filter (iptables -I FORWARD -i brnat', problems())
        self.assertEqual(self.tables(), 0)
        self.bed.apply(UPLINK + NETWORK)
        self.assertNotIn('another firewall', problems())
        self.bed.inside.run('nft', 'add rule inet mine fw counter drop')
        eventually(lambda: 'nft insert rule inet mine fw iifname brnat accept' in problems())
        # Somebody's own rules for the bridge are his to get right.
        self.bed.inside.run('nft', 'insert rule inet mine fw iifname brnat accept')
        eventually(lambda: 'another firewall' not in problems())
        self.bed.apply(UPLINK + NETWORK + '[daemon]\nforeign_firewall = off\n')
        self.assertEqual(self.tables(), 0)
        self.assertNotIn('another firewall', problems())

    def test_libvirts_own_networks_are_kept_clear_of(self):
        # In the bed's own mounts.
        bed.must(bed.libc.mount(b'tmpfs', b'/run', b'tmpfs', 0, None))
        self.addCleanup(bed.libc.umount2, b'/run', bed.MNT_DETACH)
        defined = Path('/run/libvirt/network/default.xml')
        defined.parent.mkdir(parents=True)
        defined.write_text("<network><name>default</name><forward mode='nat'/><bridge name='virbr0'/>"
                           "<ip address='192.168.128.1' netmask='255.255.254.0'/></network>")
        self.bed.write('')
        self.bed.start()
        self.bed.write('[network any]\nbridge = virbr0\naddress = auto\nforward = isolated\n')
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1)
        self.assertIn("virbr0 is that of libvirt's network 'default' (to take it over: virsh net-destroy default;", out + err)
        self.bed.apply('[network any]\nbridge = brany\naddress = auto\nforward = isolated\n')
        self.assertEqual(self.bed.addresses('brany'), ['192.168.130.1/24'])
        defined.unlink()
        self.bed.apply('[network any]\nbridge = virbr0\naddress = 192.168.128.1/24\nforward = isolated\n', '--force')
