# SPDX-License-Identifier: GPL-2.0-or-later
"""dns and search: what the host's resolver is told of a link, by way of resolvconf or of /etc/resolv.conf itself."""
import os
import time
import unittest

import bed
from bed import eventually

FOUND = '# by hand\nnameserver 203.0.113.53\noptions rotate\n'

# What resolvconf(8) promises of -a and -d, with the directory of openresolv.
RESOLVCONF = '''#!/bin/sh
echo "$1 $2" >>{log}
[ "$2" != refused.kvmnetd ] || exit 1
# For longer than it is waited for.
[ "$2" != still.kvmnetd ] || {{ kill -STOP $PPID; sleep 5.5; kill -CONT $PPID; }}
mkdir -p /run/resolvconf/interfaces
case $1 in
-a) cat >/run/resolvconf/interfaces/"$2" ;;
-d) rm -f /run/resolvconf/interfaces/"$2" ;;
esac
'''


# In a mount namespace that ends with the daemon: however a test ends, the machine's own /etc and /run are not to be seen.
MOUNTS = '''
set -e
for number in 0 1; do
	directory=$(test $number = 0 && echo /etc || echo /run)
	mount --rbind "$directory" "$0/real$number"
	mount --rbind "$0/mine$number" "$directory"
done
if test -d /var/lib/dhcpcd; then
	mkdir -p "$0/dhcpcd"
	mount --bind "$0/dhcpcd" /var/lib/dhcpcd
fi
path=$1
shift
exec /usr/bin/env PATH="$path" "$@"
'''


class HostCase(bed.TestCase):
    """The daemon has an /etc and a /run of its own, of which only resolv.conf and what is told are other than the machine's."""

    needs = bed.BRIDGES

    def setUp(self):
        super().setUp()
        for number, directory in enumerate(('/etc', '/run')):
            real, mine = self.bed.dir / f'real{number}', self.bed.dir / f'mine{number}'
            real.mkdir()
            mine.mkdir()
            for entry in os.listdir(directory):
                if entry not in ('resolv.conf', 'resolvconf', 'dhcpcd', 'dbus'):
                    (mine / entry).symlink_to(real / entry)
        self.etc, self.run_dir = self.bed.dir / 'mine0', self.bed.dir / 'mine1'
        self.resolv_conf = self.etc / 'resolv.conf'
        self.resolv_conf.write_text(FOUND)
        self.path('/nowhere')
        self.bed.nics('eth0', 'eth1')

    def path(self, path):
        """Where the daemon looks for programs."""
        self.bed.wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', MOUNTS, str(self.bed.dir), path]

    def shown(self, link):
        return {k: v for k, v in self.bed.status(link)['links'][link]['options'].items() if k in ('dns', 'search')}


class ResolvConf(HostCase):
    CONFIG = '[daemon]\nresolv_conf = yes\n[bridge br0]\nports = eth0\n{}\n[ethernet eth1]\n{}\n'

    def servers(self):
        return [l for l in self.resolv_conf.read_text().splitlines() if l and not l.startswith('#')]

    def test_servers_of_all_links_are_written_and_taken_back_with_the_last(self):
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1 2001:db8::1\nsearch = Example.ORG.', ''))
        self.bed.start()
        self.assertEqual(self.servers(), ['nameserver 192.0.2.1', 'nameserver 2001:db8::1', 'search example.org'])
        self.assertEqual(self.shown('br0'), {'dns': '192.0.2.1 2001:db8::1', 'search': 'example.org'})
        self.assertSettled()
        out = self.bed.apply(self.CONFIG.format('dns = 192.0.2.1', 'dns = 192.0.2.9 192.0.2.1\nsearch = lan'))
        self.assertIn('set br0: dns 192.0.2.1 2001:db8::1 -> 192.0.2.1', out)
        self.assertIn('set eth1: dns none -> 192.0.2.9 192.0.2.1, search none -> lan', out)
        self.assertEqual(self.servers(), ['nameserver 192.0.2.1', 'nameserver 192.0.2.9', 'search lan'])
        self.bed.restart()
        self.assertSettled()
        # One link says nothing any more, the other is not declared any more.
        self.bed.apply(self.CONFIG.format('', 'dns = 192.0.2.9'))
        self.assertEqual(self.servers(), ['nameserver 192.0.2.9'])
        self.bed.apply('[daemon]\nresolv_conf = yes\n')
        self.assertEqual(self.resolv_conf.read_text(), FOUND)
        self.assertEqual(os.listdir(self.bed.state), ['generations'])

    def test_a_look_at_other_files_changes_nothing(self):
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1', ''))
        self.bed.start()
        written = self.resolv_conf.read_text()
        draft = self.bed.dir / 'draft'
        draft.mkdir()
        (draft / 'none.ini').write_text('')
        self.bed.netctl('plan', draft)
        self.assertEqual(self.resolv_conf.read_text(), written)
        self.assertSettled()

    def test_a_change_by_someone_else_is_seen_and_put_back(self):
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1', ''))
        self.bed.start()
        ours = self.resolv_conf.read_text()
        self.resolv_conf.write_text(ours + 'nameserver 198.51.100.1\n')
        eventually(lambda: self.assertEqual(self.resolv_conf.read_text(), ours) or True)
        # An edit in our own file is nothing to lead back to, and not lost.
        edited = self.bed.state / 'resolv.conf.edited'
        self.assertEqual(edited.read_text(), ours + 'nameserver 198.51.100.1\n')
        self.assertEqual((self.bed.state / 'resolv.conf.before').read_text(), FOUND)
        # As others do it: another file takes its name.
        beside = self.resolv_conf.with_suffix('.new')
        beside.write_text('nameserver 198.51.100.1\n')
        beside.rename(self.resolv_conf)
        eventually(lambda: self.assertEqual(self.resolv_conf.read_text(), ours) or True)
        eventually(lambda: 'repair: set br0: dns none -> 192.0.2.1' in self.bed.log())
        self.bed.apply('[daemon]\nresolv_conf = yes\n')
        self.assertEqual(self.resolv_conf.read_text(), 'nameserver 198.51.100.1\n', 'what was found last')

    def test_a_rollback_puts_the_servers_back(self):
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1', ''))
        self.bed.start()
        before = self.resolv_conf.read_text()
        self.bed.apply(self.CONFIG.format('dns = 192.0.2.2\nsearch = lan', 'dns = 192.0.2.3'), '--confirm', '600')
        self.assertNotEqual(self.resolv_conf.read_text(), before)
        self.assertEqual(self.bed.netctl('rollback')[0], 0)
        eventually(lambda: self.assertEqual(self.resolv_conf.read_text(), before) or True)

    def test_a_crash_before_the_confirmation_puts_the_servers_back(self):
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1', ''))
        self.bed.start()
        before = self.resolv_conf.read_text()
        self.bed.apply(self.CONFIG.format('dns = 192.0.2.2', ''), '--confirm', '1')
        self.bed.kill()
        time.sleep(1.1)
        self.bed.start()
        eventually(lambda: self.assertEqual(self.resolv_conf.read_text(), before) or True)

    def test_a_boot_begins_with_what_was_there_and_nothing_is_written_unasked(self):
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1', 'dns = 192.0.2.9'))
        self.bed.start()
        self.bed.kill()
        (self.bed.runtime / 'ledger.json').unlink()
        self.bed.write(self.CONFIG.format('dns = 192.0.2.1', ''))
        self.bed.start()
        self.assertEqual(self.servers(), ['nameserver 192.0.2.1'])
        # Without the permission it is given back, and status says that nobody takes the servers.
        self.bed.apply('[bridge br0]\nports = eth0\ndns = 192.0.2.1\n')
        self.assertEqual(self.resolv_conf.read_text(), FOUND)
        self.assertIn('nobody takes it now', ' '.join(self.bed.status()['daemon']['problems']))
        self.assertSettled()


class Resolvconf(HostCase):
    def setUp(self):
        super().setUp()
        program = self.bed.dir / 'bin' / 'resolvconf'
        program.parent.mkdir()
        self.calls = self.bed.dir / 'calls'
        program.write_text(RESOLVCONF.format(log=self.calls))
        program.chmod(0o755)
        self.path(f'{program.parent}:{os.environ["PATH"]}')
        self.entries = self.run_dir / 'resolvconf' / 'interfaces'

    def told(self):
        return {e.name: e.read_text() for e in self.entries.iterdir()} if self.entries.exists() else {}

    def test_it_is_told_by_link_and_only_of_changes(self):
        config = '[bridge br0]\nports = eth0\n{}\n[daemon]\nresolv_conf = yes\n'
        self.bed.write(config.format('dns = 192.0.2.1 192.0.2.2\nsearch = a.example b.example'))
        self.bed.start()
        self.assertEqual(self.told(), {
            'br0.kvmnetd': 'nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch a.example b.example\n'})
        self.assertEqual(self.resolv_conf.read_text(), FOUND, 'resolvconf keeps the file')
        self.assertSettled()
        self.bed.restart()
        self.assertEqual(self.calls.read_text().splitlines(), ['-a br0.kvmnetd'])
        self.bed.apply(config.format(''))
        self.assertEqual(self.told(), {})
        # A link that goes takes its servers along.
        self.bed.apply(config.format('dns = 192.0.2.1'))
        self.assertEqual(len(self.told()), 1)
        self.bed.apply('')
        eventually(lambda: self.assertEqual(self.told(), {}) or True)

    def test_time_for_which_the_daemon_stood_still_is_not_held_against_it(self):
        self.bed.nic('still')
        self.bed.write('')
        self.bed.start()
        self.bed.apply('[ethernet still]\ndns = 192.0.2.1\n')
        self.assertEqual(list(self.told()), ['still.kvmnetd'])

    def test_a_refusal_undoes_an_apply_and_does_not_stop_a_start(self):
        self.bed.nic('refused')
        self.bed.write('[bridge br0]\nports = eth0\n')
        self.bed.start()
        before = self.bed.dump()
        self.bed.write('[bridge br0]\nports = eth0 eth1\n[ethernet refused]\ndns = 192.0.2.1\n')
        status, out, err = self.bed.netctl('apply')
        self.assertEqual(status, 1, out + err)
        self.assertIn('resolvconf', out + err)
        self.assertSame(before, self.bed.dump())
        self.bed.kill()
        (self.bed.runtime / 'ledger.json').unlink()
        self.bed.start()
        self.assertEqual(self.bed.ports('br0'), ['eth0', 'eth1'])
        self.assertIn('refused: resolvconf', ' '.join(self.bed.status()['daemon']['problems']))


if __name__ == '__main__':
    unittest.main()
