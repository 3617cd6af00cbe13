# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the way back share: a host with two NICs, one of them in use, that is started, changed and booted again."""
import shutil
import tempfile
from pathlib import Path

import bed
from host_dump import differences, dump

# No gateway answers here; it is not asked for longer than need be.
QUICK = '[daemon]\nprobe_timeout = 1s\n'
NIC = QUICK + '[ethernet eth0]\naddress = 192.0.2.10/24\ngateway = 192.0.2.1\n'
BRIDGE = QUICK + '[bridge br0]\nports = eth0\naddress = 192.0.2.10/24\ngateway = 192.0.2.1\n'


class Case(bed.TestCase):
    def begin(self, files=NIC, nics=('eth0', 'eth1'), env=None):
        """The daemon runs with these files; returns the bed."""
        b = self.bed
        for which in ('all', 'default'):
            Path('/proc/sys/net/ipv6/conf', which, 'accept_dad').write_text('0')
        b.nics(*nics)
        b.write(files)
        b.start(env=env)
        return b

    def settled(self):
        """
        A dump when two in a row are the same; a NIC's link-local address comes with its carrier, up to a second late, and the route to
        it later still, as that to a guest's.
        """
        def complete():
            local = {route['dst'] for route in self.bed.ip_json('-6', 'route', 'show', 'table', 'local')}
            for link in self.bed.ip_json('addr', 'show', 'up'):
                own = [a['local'] for a in link.get('addr_info', []) if a.get('scope') == 'link']
                if link.get('ifname', 'lo') != 'lo' and not (own or 'master' in link) or not local.issuperset(own):
                    return False
            return True
        bed.eventually(complete)
        shown = [dump()]

        def again():
            shown.append(dump())
            return shown[-1] == shown[-2]
        bed.eventually(again)
        return shown[-1]

    def assertBack(self, before, timeout=bed.PATIENCE):
        """The kernel shows this again."""
        def back():
            wrong = differences(before, dump())
            assert not wrong, '\n'.join(wrong)
            return True
        bed.eventually(back, timeout)

    def reboot(self):
        """Another namespace and an empty runtime directory; files and state as they were. Starts nothing."""
        old = self.bed
        if old.daemon:
            old.kill()
        with tempfile.TemporaryDirectory() as kept:
            for d in (old.config, old.state):
                shutil.copytree(d, Path(kept, d.name))
            old.close()
            self.bed = bed.Bed()
            for d in (self.bed.config, self.bed.state):
                shutil.copytree(Path(kept, d.name), d, dirs_exist_ok=True)
        return self.bed

    def problems(self):
        return ' | '.join(self.bed.status()['daemon']['problems'])
