# SPDX-License-Identifier: GPL-2.0-or-later
"""What live tests stand on: a host network of their own, the daemon in it, and the kernel read by tools that are not ours.

A Bed is one throw-away host: a network namespace with a /sys of its own, NICs whose cables end in a second namespace
(`bed.outside`), and directories for configuration, runtime and state. close() leaves nothing behind. Several processes
can have one each side by side; a process has one at a time.

    class Bonds(bed.TestCase):
        def test_something(self):
            self.bed.nic('eth0')
            self.bed.write('[bridge br0]\\nports = eth0\\n')
            self.bed.start()
            self.assertEqual(self.bed.link('eth0')['master'], 'br0')
"""
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

# Tests find eventually(), run(), PATIENCE, BUILD and SOURCE here.
from attributes import attribute, attributes
from compiled import BUILD, SOURCE, compiled_library
from namespace import (CLONE_NEWNET, MNT_DETACH, PATIENCE, die_with_parent, enter_new_namespace, eventually, libc, must,
                       own_mounts, run)
from shown import differences, parse_documents, strip

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454CA, 1, 2, 0x1000


class VarlinkError(Exception):
    def __init__(self, name, parameters):
        super().__init__(f'{name} {parameters}')
        self.name, self.parameters = name, parameters


class Bed:
    def __init__(self):
        own_mounts()
        self.before = os.open('/proc/self/ns/net', os.O_RDONLY)
        self.outside = enter_new_namespace()
        self.inside = enter_new_namespace()
        must(libc.mount(b'sysfs', b'/sys', b'sysfs', 0, None))
        self.dir = Path(tempfile.mkdtemp(prefix='kvmnetd-'))
        self.config, self.runtime, self.state = (self.dir / d for d in ('config', 'run', 'state'))
        self.config.mkdir()
        self.log_path = self.dir / 'log'
        self.log_path.touch()
        self.socket = self.runtime / 'kvmnetd.sock'
        self.notify_path = self.dir / 'notify'
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.notify.bind(str(self.notify_path))
        self.notified = []  # every sd_notify message since the last start
        self._notified = threading.Condition()
        self._reader = threading.Thread(target=self._read_notify, daemon=True)
        self._reader.start()
        self.daemon = None
        self.wrapper = []  # a command that becomes the daemon: what is put before its own
        self.sent_path = self.dir / 'sent'
        self.sent_path.touch()
        self._sent_read = 0
        self._nics = 0
        self._open = []  # descriptors of taps
        self._children = []

    def close(self):
        """Ends what was started here, and leaves the namespaces, with which they and their links are gone."""
        if self.daemon:
            self.kill()
        for child in self._children:
            child.kill()
            child.wait()
        for fd in self._open:
            os.close(fd)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b'', str(self.notify_path))
        self._reader.join()
        self.notify.close()
        must(libc.umount2(b'/sys', MNT_DETACH))
        must(libc.setns(self.before, CLONE_NEWNET))
        os.close(self.before)
        self.inside.close()
        self.outside.close()
        shutil.rmtree(self.dir)

    # The host's hardware.

    def nic(self, name, mac=None, peer=None, ns=None, up=False):
        """
        A NIC with a cable in it: one end of a veth pair. The other end, `peer` (default NAME), is up in the namespace ns
        (default: bed.outside). Its MAC is 52:54:00:00:00:N by default, N counting from 1. Returns the MAC.
        """
        self._nics += 1
        mac = mac or f'52:54:00:00:00:{self._nics:02x}'
        ns = ns or self.outside
        peer = peer or name
        self.ip('link', 'add', name, 'address', mac, 'type', 'veth', 'peer', 'name', peer, 'netns', ns.path)
        ns.ip('link', 'set', peer, 'up')
        if up:
            self.ip('link', 'set', name, 'up')
        return mac

    def nics(self, *names):
        """Several, with ip started only twice. Returns their MACs."""
        lines, macs = [], []
        for name in names:
            self._nics += 1
            macs.append(f'52:54:00:00:00:{self._nics:02x}')
            lines.append(f'link add {name} address {macs[-1]} type veth peer name {name} netns {self.outside.path}\n')
        self.ip_batch(''.join(lines))
        with self.outside.entered():
            self.ip_batch(''.join(f'link set {name} up\n' for name in names))
        return macs

    def tap(self, name, master=None):
        """A guest's tap, opened, as libvirt and QEMU leave it: up, with a carrier, and in a bridge if `master` says so."""
        self.open_tap(name)
        self.ip('link', 'set', name, *(['master', master] if master else []), 'up')

    def tun(self, name):
        """A device that carries IP and no Ethernet frames."""
        self.open_tap(name, IFF_TUN)

    def open_tap(self, name, layer=IFF_TAP):
        """One that is not up yet."""
        if not os.path.exists('/dev/net/tun'):
            # Without udev nothing makes the node that would load the module.
            run('modprobe', 'tun')
        fd = os.open('/dev/net/tun', os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), layer | IFF_NO_PI))
        self._open.append(fd)

    def background(self, *command, ns=None):
        """Starts a program (in ns, default the bed's own namespace) that ends with the bed; its output is a pipe."""
        with (ns or self.inside).entered():
            child = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, preexec_fn=die_with_parent)
        self._children.append(child)
        return child

    # The daemon.

    def write(self, files):
        """Makes these the configuration: a dict of file name to text, or a text, which becomes host.ini."""
        for old in self.config.glob('*.ini'):
            old.unlink()
        for name, text in ({'host.ini': files} if isinstance(files, str) else files).items():
            (self.config / name).write_text(text)

    def start(self, *args, ready=True, env=None):
        """Starts the daemon, with args after its usual ones, and waits until it says READY=1 (unless ready=False)."""
        assert self.daemon is None, 'the daemon runs already'
        environment = {
            **{k: v for k, v in os.environ.items() if k != 'WATCHDOG_USEC'},
            'NOTIFY_SOCKET': str(self.notify_path),
            'LD_PRELOAD': str(compiled_library('count-writes')),
            'COUNT_WRITES': str(self.sent_path),
            # The sanitizer's runtime wants to be preloaded first.
            'ASAN_OPTIONS': 'verify_asan_link_order=0:detect_leaks=0',
            **(env or {}),
        }
        self.notified = []
        with open(self.log_path, 'a', encoding='utf-8') as log:
            self.daemon = subprocess.Popen(
                [*self.wrapper, str(BUILD / 'kvmnetd'), '--config-dir', str(self.config), '--runtime-dir', str(self.runtime),
                 '--state-dir', str(self.state), '--lib-dir', str(SOURCE / 'netd' / 'host'), *map(str, args)],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        if ready:
            self.wait_notified('READY=1')

    def _read_notify(self):
        """Reads at all times: the daemon waits for a reader when a few of its messages lie unread."""
        while True:
            message = self.notify.recv(4096).decode()
            if not message:
                return
            with self._notified:
                self.notified.append(message)
                self._notified.notify_all()

    def wait_notified(self, line, timeout=PATIENCE, after=0):
        """Waits until the daemon has sent this line to the service manager, in any message but the first `after` ones."""
        deadline = time.monotonic() + timeout
        while True:
            with self._notified:
                found = [m for m in self.notified[after:] if line in m.split('\n')]
                if found:
                    return found[0]
                self._notified.wait(0.2)
            if self.daemon.poll() is not None:
                status, self.daemon = self.daemon.returncode, None
                raise AssertionError(f'kvmnetd ended with status {status}:\n{self.log()}')
            if time.monotonic() > deadline:
                raise AssertionError(f'no {line} from kvmnetd in {timeout} s; it said {self.notified}\n{self.log()}')

    def stop(self, how=signal.SIGTERM):
        """Ends it as systemctl stop does, and returns its exit status; anything but 0 is an error."""
        self.daemon.send_signal(how)
        try:
            status = self.daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f'kvmnetd does not end:\n{self.log()}') from None
        self.daemon = None
        assert status == 0, f'kvmnetd ended with status {status}:\n{self.log()}'
        return status

    def kill(self):
        """Ends it as a crash would."""
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def restart(self):
        """Stop and start within the same boot."""
        self.stop()
        self.start()

    def reload(self):
        """SIGHUP, and waits until that apply is over, whatever came of it."""
        before = len(self.notified)
        self.daemon.send_signal(signal.SIGHUP)
        self.wait_notified('READY=1', after=before)

    def log(self):
        """All that the daemon has logged."""
        return self.log_path.read_text(errors='replace')

    def whereabouts(self):
        """What the daemon hangs in, for messages."""
        proc = Path('/proc', str(self.daemon.pid))
        try:
            return f'{(proc / "wchan").read_text()}\n{(proc / "stack").read_text()}{(proc / "stat").read_text()}'
        except OSError as e:
            return str(e)

    def sent(self):
        """What the daemon has asked the kernel to change since the last call: a line per message or sysctl."""
        with open(self.sent_path, encoding='utf-8') as f:
            f.seek(self._sent_read)
            text = f.read()
            self._sent_read = f.tell()
        return text.splitlines()

    # Its client, and its socket.

    def netctl(self, *args):
        """(exit status, stdout, stderr)"""
        verb = args[:1]
        done = subprocess.run([str(BUILD / 'netctl'), *verb, '--socket', str(self.socket), *map(str, args[1:])],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE * 2)
        return done.returncode, done.stdout, done.stderr

    def netctl_json(self, *args):
        """The last of the JSON documents that it prints."""
        status, out, err = self.netctl(args[0], '--json', *args[1:])
        documents = parse_documents(out)
        if not documents:
            raise AssertionError(f'netctl {args} printed no JSON: exit status {status}, {out!r} {err!r}')
        return documents[-1]

    def apply(self, files=None, *args):
        """Writes the files, if any, and applies them; anything but success fails. Returns what netctl printed."""
        if files is not None:
            self.write(files)
        status, out, err = self.netctl('apply', *args)
        if status:
            raise AssertionError(f'netctl apply: exit status {status}\n{out}{err}\nlog:\n{self.log()[-3000:]}')
        return out

    def change(self, files, force=False):
        """The same without starting netctl, for tests of many steps. Returns the final reply."""
        self.write(files)
        try:
            return self.varlink('Apply', {'force': True} if force else {})
        except VarlinkError as e:
            raise AssertionError(f'{e}\nconfiguration:\n{files}\nlog:\n{self.log()[-3000:]}') from None

    def status(self, link=None, every=False):
        """The Status reply with all its links: {'daemon': ..., 'links': {NAME: ...}}."""
        replies = self.varlink('Status', {**({'link': link} if link else {}), 'all': every}, more=True)
        return {'daemon': replies[0].get('daemon'), 'links': {l['name']: l for r in replies for l in r['links']}}

    def in_sync(self):
        """Does the daemon say that everything is as declared?"""
        return self.status()['daemon']['in_sync']

    def verify(self):
        """Where the state that the daemon keeps from events differs from a fresh dump: a list, empty when right."""
        try:
            return self.varlink('Verify')['differences']
        except VarlinkError as e:
            if e.name != 'io.kvmnetd.Network.Busy':
                raise
            return ['a repair is being made']

    def at_rest(self):
        """Has it taken in all that happened, as in_sync() alone need not have, and is that as declared?"""
        return not self.verify() and self.in_sync()

    def varlink(self, method, parameters=None, more=False, interface='io.kvmnetd.Network'):
        """One call over a connection of its own. Returns the reply's parameters, with more a list of all replies'."""
        with self.connect() as s:
            call = {'method': f'{interface}.{method}', 'parameters': parameters or {}}
            if more:
                call['more'] = True
            s.sendall(json.dumps(call).encode() + b'\0')
            replies, rest = [], b''
            while True:
                try:
                    data = s.recv(1 << 16)
                except socket.timeout:
                    raise AssertionError(f'no reply to {method} in {PATIENCE} s; {self.whereabouts()}') from None
                if not data:
                    raise AssertionError(f'the daemon closed the connection in a reply to {method}; {rest!r}')
                *messages, rest = (rest + data).split(b'\0')
                for message in messages:
                    reply = json.loads(message)
                    if 'error' in reply:
                        raise VarlinkError(reply['error'], reply.get('parameters'))
                    replies.append(reply.get('parameters', {}))
                    if not reply.get('continues'):
                        return replies if more else replies[0]

    def connect(self):
        """A connected socket; the caller closes it."""
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        s.settimeout(PATIENCE)
        s.connect(str(self.socket))
        return s

    # What the kernel shows.

    def ip(self, *args, check=True):
        return run('ip', *args, check=check)

    def ip_batch(self, lines):
        """Many ip commands in one process: a text, a command a line."""
        return run('ip', '-batch', '-', text=lines)

    def ip_json(self, *args):
        return json.loads(run('ip', '-j', *args) or '[]')

    def bridge_json(self, *args):
        return json.loads(run('bridge', '-j', *args) or '[]')

    def links(self):
        """Every link as `ip -d -j link` shows it, by name."""
        return {link['ifname']: link for link in self.ip_json('-d', 'link')}

    def link(self, name):
        """One of them; {} if there is no such link."""
        return self.links().get(name, {})

    def data(self, name):
        """Its options: what its kind shows."""
        return self.link(name).get('linkinfo', {}).get('info_data', {})

    def port_data(self, name):
        """Its options as a port: what its master's kind shows."""
        return self.link(name).get('linkinfo', {}).get('info_slave_data', {})

    def attributes(self, name, port=False):
        """{number: bytes} of its IFLA_INFO_DATA (or IFLA_INFO_SLAVE_DATA): for what this machine's ip does not know."""
        request = struct.pack('=BxHiII', 0, 0, 0, 0, 0) + attribute(3, name.encode() + b'\0')  # IFLA_IFNAME
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:
            s.send(struct.pack('=IHHII', 16 + len(request), 18, 1, 1, 0) + request)  # RTM_GETLINK
            reply = s.recv(1 << 16)
        if struct.unpack_from('=H', reply, 4)[0] != 16:
            return {}
        linkinfo = attributes(attributes(reply[32:]).get(18, b''))
        return attributes(linkinfo.get(5 if port else 2, b''))

    def ports(self, master):
        """Names of the links in a bridge or bond, sorted."""
        return sorted(n for n, l in self.links().items() if l.get('master') == master)

    def addresses(self, name):
        """Its addresses as ADDRESS/PREFIX, without IPv6 link-local ones, in the kernel's order."""
        return [f'{a["local"]}/{a["prefixlen"]}' for link in self.ip_json('addr', 'show', 'dev', name)
                for a in link.get('addr_info', []) if 'local' in a and not a['local'].startswith('fe80:')]

    def link_local(self, name):
        """Its IPv6 link-local addresses."""
        return [a['local'] for link in self.ip_json('-6', 'addr', 'show', 'dev', name, 'scope', 'link')
                for a in link.get('addr_info', []) if 'local' in a]

    def routes(self, *args):
        """Gateway and static routes of both families: (destination, gateway or None, device), sorted."""
        routes = self.ip_json('-4', 'route', *args) + self.ip_json('-6', 'route', *args)
        return sorted((r['dst'], r.get('gateway'), r.get('dev')) for r in routes if r.get('protocol') != 'kernel')

    def port_vlans(self, name):
        """VLANs of a port or bridge: {VID: set of flags}, flags 'PVID' and 'Egress Untagged'."""
        result = {}
        for entry in self.bridge_json('vlan', 'show', 'dev', name):
            for v in entry.get('vlans', []):
                for vid in range(v['vlan'], v.get('vlanEnd', v['vlan']) + 1):
                    result[vid] = set(v.get('flags', []))
        return result

    def sysfs(self, name, attribute):
        """Text of /sys/class/net/NAME/ATTRIBUTE."""
        return Path('/sys/class/net', name, attribute).read_text().strip()

    def sysctl(self, name, key, family='ipv6'):
        return Path('/proc/sys/net', family, 'conf', name, key).read_text().strip()

    def dump(self):
        """
        All links, addresses, routes and bridge VLANs as the kernel shows them, comparable: without counters, timers, what
        a link has by having been up, and what the kernel makes when it sees fit: link-local addresses, and the routes to the
        host's own IPv6 addresses (addrconf_dad_completed(), net/ipv6/addrconf.c). See differences().
        """
        return {
            'links': {n: strip(l) for n, l in self.links().items()},
            'addresses': {l['ifname']: sorted(json.dumps(strip(a), sort_keys=True) for a in l['addr_info']
                                              if not a.get('local', '').startswith('fe80:')) for l in self.ip_json('addr')},
            'routes': sorted(json.dumps(strip(r), sort_keys=True) for family in ('-4', '-6')
                             for r in self.ip_json(family, 'route', 'show', 'table', 'all')
                             if not r['dst'].startswith(('fe80:', 'ff00:')) and r.get('type') not in ('multicast', 'anycast', 'local')),
            'vlans': {v['ifname']: v['vlans'] for v in self.bridge_json('vlan')},
        }


# What a test needs of the kernel: every driver (tests/drivers), or bridges, veths, taps and nftables (tests/drivers bridges).
ALL, BRIDGES = 'all', 'bridges'


def needs(what):
    """For a method that needs something else than its class does."""
    def mark(method):
        method.needs = what
        return method
    return mark


class TestCase(unittest.TestCase):
    """A test with a fresh bed. After a failure, `epilogue` is the end of the daemon's log."""

    needs = ALL

    maxDiff = None
    longMessage = True
    epilogue = ''

    def setUp(self):
        self.bed = Bed()
        self.addCleanup(self._close)

    def _close(self):
        self.epilogue = self.bed.log()[-6000:]
        self.bed.close()

    def assertSame(self, before, after, message=''):
        """Two dumps are equal."""
        changed = differences(before, after)
        if changed:
            self.fail('\n'.join([str(message), *changed]))

    def assertShows(self, shown, expected, message=''):
        """Every key of expected is in shown with its value; names all that are not."""
        wrong = [f'{k}: {shown.get(k, "absent")!r} instead of {v!r}' for k, v in expected.items() if shown.get(k) != v]
        if wrong:
            self.fail(f'{message}{": " if message else ""}{"; ".join(wrong)}')

    def assertSettled(self):
        """The daemon says that all is as declared, a second apply sends nothing, and the kept state is what a dump shows."""
        status = self.bed.status()
        differences = {n: l['differences'] for n, l in status['links'].items() if l['differences']}
        self.assertTrue(status['daemon']['in_sync'], f'{differences} {status["daemon"]}')
        self.assertVerified()
        self.bed.sent()
        self.bed.apply()
        self.assertEqual(self.bed.sent(), [], 'write messages of a second apply')

    def assertSettles(self):
        """The same of what nobody asked for: a repair's last step shows before the daemon has seen that it is over."""
        eventually(self.bed.at_rest)
        self.assertSettled()

    def assertVerified(self):
        """The kept state is what a dump shows; that may be newer than the last event, for the kernel does things of its own."""
        eventually(lambda: self.assertEqual(self.bed.verify(), []) is None)
