# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests by name: whom a change would cut off is said before it is done."""
import sys
from pathlib import Path

import bed

DOMAIN = """<domstatus state='running' reason='booted' pid='4711'>
  <domain type='kvm' id='1'>
    <name>{name}</name>
    <devices>
      <interface type='bridge'>
        <source bridge='br0'/>
        <target dev='{tap}'/>
      </interface>
    </devices>
  </domain>
</domstatus>
"""

# What a guest looks like from outside: a process that holds a tap and has its name among its arguments.
HOLDER = """
import fcntl, os, struct, sys, time
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack('16sH22x', sys.argv[1].encode(), 0x1002))
print('held', flush=True)
time.sleep(600)
"""


class Names(bed.TestCase):
    needs = bed.BRIDGES
    def own_run(self):
        """A /run of the bed's own, for what libvirt would write."""
        bed.must(bed.libc.mount(b'tmpfs', b'/run', b'tmpfs', 0, None))
        self.addCleanup(bed.libc.umount2, b'/run', bed.MNT_DETACH)
        domains = Path('/run/libvirt/qemu')
        domains.mkdir(parents=True)
        return domains

    def hold(self, tap, *args):
        child = self.bed.background(sys.executable, '-c', HOLDER, tap, *args)
        self.assertEqual(child.stdout.readline(), 'held\n')
        self.bed.ip('link', 'set', tap, 'master', 'br0', 'up')
        return child.pid

    def test_guests_that_would_be_cut_off_are_named(self):
        b = self.bed
        domains = self.own_run()
        b.nic('eth0')
        b.write('[bridge br0]\nports = eth0\n')
        b.start()
        for n in range(3):
            b.tap(f'vnet{n}', 'br0')
        (domains / 'web.xml').write_text(DOMAIN.format(name='web', tap='vnet0'))
        (domains / 'other.xml').write_text(DOMAIN.format(name='other', tap='vnet17'))
        pid = self.hold('tap9', '-name', 'guest=mail,debug-threads=on')
        names = ['vnet0 (on br0, domain web)', f'tap9 (on br0, guest mail, process {pid} (python3', 'vnet1 (on br0, process ']
        b.write('')
        status, out, err = b.netctl('apply')
        self.assertEqual(status, 4, out + err)
        status, out, _err = b.netctl('plan')
        self.assertEqual(status, 2)
        for name in names:
            self.assertIn(name, err)
            self.assertIn('cuts off ' + name, out)
        steps = [s for s in b.varlink('Plan')['steps'] if s['guests']]
        self.assertEqual([(s['text'], len(s['guests'])) for s in steps], [('delete bridge br0', 4)])
        b.reload()
        for name in names:
            bed.eventually(lambda name=name: f'reload refused: {name}' in b.log())
        self.assertEqual(len(b.ports('br0')), 5)
