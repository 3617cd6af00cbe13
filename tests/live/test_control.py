# SPDX-License-Identifier: GPL-2.0-or-later
"""The socket: what a client may send, how it may behave, and who may do what; and netctl's exit status for each way to end."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import bed

NETWORK = 'io.kvmnetd.Network'
MESSAGE_MAX = 34 << 20
CONNECTIONS_PER_UID = 16
NOBODY = 65534
# Supplementary groups that Debian has, and nobody is in.
STAFF, GAMES = 50, 60


def call(method, parameters=None, interface=NETWORK, **flags):
    return json.dumps({'method': f'{interface}.{method}', 'parameters': parameters or {}, **flags}).encode() + b'\0'


def receive(s):
    """One message of a socket; None when it was closed."""
    data = b''
    while not data.endswith(b'\0'):
        try:
            part = s.recv(1)
        except ConnectionResetError:
            return None
        if not part:
            return None
        data += part
    return json.loads(data[:-1])


def ask(s, method, parameters=None, **flags):
    s.sendall(call(method, parameters, **flags))
    return receive(s)


class Control(bed.TestCase):
    needs = bed.BRIDGES
    def setUp(self):
        super().setUp()
        self.bed.nics('eth0', 'eth1')
        self.bed.write('[bridge br0]\nports = eth0\n')

    def start(self):
        self.bed.start()

    def connect(self):
        s = self.bed.connect()
        self.addCleanup(s.close)
        return s

    def assertServes(self):
        """Somebody else is answered, while there is that client."""
        self.assertEqual(self.bed.varlink('Status')['links'][0]['kind'], 'bridge')


class Introspection(Control):
    def test_a_client_finds_out_what_there_is(self):
        self.start()
        info = self.bed.varlink('GetInfo', interface='org.varlink.service')
        self.assertEqual(info['interfaces'], ['org.varlink.service', NETWORK])
        self.assertEqual(info['product'], 'kvmnetd')
        text = self.bed.varlink('GetInterfaceDescription', {'interface': NETWORK}, interface='org.varlink.service')['description']
        self.assertEqual(text, (bed.SOURCE / 'netd/control/io.kvmnetd.Network.varlink').read_text())
        own = self.bed.varlink('GetInterfaceDescription', {'interface': 'org.varlink.service'}, interface='org.varlink.service')
        self.assertIn('interface org.varlink.service', own['description'])

    def test_every_method_of_the_description_is_there(self):
        self.start()
        text = self.bed.varlink('GetInterfaceDescription', {'interface': NETWORK}, interface='org.varlink.service')['description']
        methods = re.findall(r'^method (\w+)', text, re.M)
        self.assertIn('Status', methods)
        for method in methods:
            # A parameter that no method has, so that nothing is done.
            with self.assertRaises(bed.VarlinkError) as e:
                self.bed.varlink(method, {'no such parameter': 1}, more=True)
            self.assertEqual(e.exception.name, 'org.varlink.service.InvalidParameter', method)

    def test_what_is_not_there_is_an_error_that_names_it(self):
        self.start()
        for method, parameters, interface, error in (
                ('Dance', {}, NETWORK, ('org.varlink.service.MethodNotFound', {'method': f'{NETWORK}.Dance'})),
                ('Status', {}, 'io.example', ('org.varlink.service.InterfaceNotFound', {'interface': 'io.example'})),
                ('Status', {'lnik': 'br0'}, NETWORK, ('org.varlink.service.InvalidParameter', {'parameter': 'lnik'})),
                ('Status', {'link': 7}, NETWORK, ('org.varlink.service.InvalidParameter', {'parameter': 'link'})),
                ('Status', {'link': 'br7'}, NETWORK, (f'{NETWORK}.NoSuchLink', {'name': 'br7'})),
                ('Monitor', {}, NETWORK, ('org.varlink.service.ExpectedMore', {})),
                ('GetInterfaceDescription', {'interface': 'x'}, 'org.varlink.service',
                 ('org.varlink.service.InterfaceNotFound', {'interface': 'x'}))):
            with self.subTest(method=method, parameters=parameters), self.assertRaises(bed.VarlinkError) as e:
                self.bed.varlink(method, parameters, interface=interface)
            self.assertEqual((e.exception.name, e.exception.parameters or {}), error)


class BadClients(Control):
    def test_malformed_messages_end_the_connection_and_nothing_else(self):
        self.start()
        for garbage in (b'\0', b'not json\0', b'[]\0', b'{"method"\0', b'{"method": 7}\0', b'{"parameters": {}}\0', b'"Status"\0',
                        b'{"method": "x", "parameters": []}\0', b'\xff\xfe{}\0', b'{"method": "\xc3"}\0', b'[' * 5000 + b'\0',
                        b'{"method": "Status"}\0', b"{'method': 'x'}\0", b'{"method":"a.b","more":7}\0'):
            with self.subTest(garbage=garbage[:30]):
                s = self.connect()
                s.sendall(garbage)
                answer = receive(s)
                self.assertTrue(answer is None or 'error' in answer, answer)
        self.assertServes()

    def test_a_message_over_the_limit_is_cut_off(self):
        self.start()
        s = self.connect()
        block = b' ' * (1 << 20)
        sent = 0
        with self.assertRaises((BrokenPipeError, ConnectionResetError)):
            s.sendall(b'{"method": "')
            while sent < 3 * MESSAGE_MAX:
                s.sendall(block)
                sent += len(block)
        self.assertLess(sent, MESSAGE_MAX + (8 << 20))
        self.assertServes()

    def test_a_message_byte_by_byte_is_answered(self):
        self.start()
        s = self.connect()
        for byte in call('Status', {'link': 'br0'}):
            s.sendall(bytes([byte]))
        self.assertEqual(receive(s)['parameters']['links'][0]['name'], 'br0')

    def test_calls_sent_ahead_are_answered_in_their_order(self):
        self.start()
        s = self.connect()
        s.sendall(call('Status', {'link': 'br0'}) + call('Dance') + call('Verify') + call('Status', {'link': 'eth0'}))
        self.assertEqual(receive(s)['parameters']['links'][0]['name'], 'br0')
        self.assertEqual(receive(s)['error'], 'org.varlink.service.MethodNotFound')
        self.assertIn('differences', receive(s)['parameters'])
        self.assertEqual(receive(s)['parameters']['links'][0]['name'], 'eth0')

    def test_a_half_sent_message_holds_up_nobody(self):
        self.start()
        half = self.connect()
        half.sendall(call('Status')[:20])
        self.assertServes()
        half.sendall(call('Status')[20:])
        self.assertIn('links', receive(half)['parameters'])

    def test_a_oneway_call_is_not_answered(self):
        self.start()
        s = self.connect()
        s.sendall(call('Status', {'link': 'br0'}, oneway=True) + call('Status', {'link': 'eth0'}))
        self.assertEqual(receive(s)['parameters']['links'][0]['name'], 'eth0')

    def test_a_slow_reader_of_a_long_status_costs_itself_only(self):
        b = self.bed
        b.ip_batch(''.join(f'link add g{i} type bridge\n' for i in range(600)))
        self.start()
        slow = self.connect()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(call('Status', {'all': True}, more=True))
        before = memory(b)
        for _ in range(3):
            self.assertServes()
            time.sleep(0.3)
        self.assertLess(memory(b) - before, 20 << 10, 'KiB kept for a client that does not read')
        names = set()
        while True:
            reply = receive_whole(slow)
            names |= {l['name'] for l in reply['parameters']['links']}
            if not reply.get('continues'):
                break
        self.assertLessEqual({f'g{i}' for i in range(600)}, names)

    @bed.needs(bed.ALL)
    def test_a_client_that_leaves_during_an_apply_does_not_end_it(self):
        b = self.bed
        self.start()
        b.write('[bridge br0]\nports = eth0\n' + ''.join(f'[vlan v{i}]\nparent = eth1\nid = {i}\n' for i in range(1, 151)))
        s = b.connect()
        s.sendall(call('Apply', more=True))
        receive(s)
        s.close()
        bed.eventually(lambda: b.status()['daemon']['state'] == 'ready')
        self.assertEqual(len([n for n in b.links() if n.startswith('v')]), 150)
        self.assertSettled()


def memory(b):
    """Resident KiB of the daemon."""
    with open(f'/proc/{b.daemon.pid}/status', encoding='utf-8') as f:
        return int(re.search(r'VmRSS:\s*(\d+)', f.read()).group(1))


def receive_whole(s, rest={}):  # pylint: disable=dangerous-default-value
    """As receive(), for long messages: what follows is kept for the next call."""
    data = rest.pop(s, b'')
    while b'\0' not in data:
        part = s.recv(1 << 16)
        if not part:
            raise AssertionError(f'closed after {data[-200:]!r}')
        data += part
    message, rest[s] = data.split(b'\0', 1)
    return json.loads(message)


class Crowds(Control):
    def crowd(self, n, uid=0, patience=bed.PATIENCE):
        """n connections that say nothing; returns those that stayed open."""
        sockets = []
        if uid:
            os.setresuid(-1, uid, -1)
        try:
            for _ in range(n):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
                self.addCleanup(s.close)
                s.settimeout(patience)
                with contextlib.suppress(ConnectionError, BlockingIOError):
                    s.connect(str(self.bed.socket))
                    sockets.append(s)
        finally:
            os.setresuid(-1, 0, -1)
        time.sleep(0.5)
        return sockets

    def open_up(self):
        for path in self.bed.dir, self.bed.runtime:
            path.chmod(0o755)

    def test_200_idle_connections_of_a_user_leave_room_for_others(self):
        self.start()
        self.open_up()
        sockets = self.crowd(200, NOBODY)
        self.assertEqual(len(sockets), 200)
        answered = sum(self.is_answered(s) for s in sockets)
        self.assertEqual(answered, CONNECTIONS_PER_UID)
        self.assertServes()

    def test_200_idle_connections_of_a_process_of_root_leave_room_for_others(self):
        self.start()
        sockets = self.crowd(200)
        self.assertEqual(sum(self.is_answered(s) for s in sockets), CONNECTIONS_PER_UID)
        self.assertEqual(self.bed.netctl('status')[0], 0, 'another process')
        for s in sockets:
            s.close()
        bed.eventually(self.serves)

    def test_a_flood_of_connections_keeps_the_operator_waiting_for_a_moment_only(self):
        """They are refused one by one, and who comes after them waits for that: so not many can queue."""
        self.start()
        os.kill(self.bed.daemon.pid, signal.SIGSTOP)
        try:
            self.assertLess(len(self.crowd(1000, patience=0)), 300)
        finally:
            os.kill(self.bed.daemon.pid, signal.SIGCONT)
        self.assertEqual(self.bed.netctl('status')[0], 0)

    def serves(self):
        # Until it has seen those leave, it has no room.
        with contextlib.suppress(ConnectionError):
            self.assertServes()
            return True
        return False

    @staticmethod
    def is_answered(s):
        try:
            s.sendall(call('Verify'))
            return receive(s) is not None
        except (BrokenPipeError, ConnectionResetError):
            return False


class Rights(Control):
    """Rights go by who is at the other end of the socket, supplementary groups included."""

    def as_user(self, *args, uid=NOBODY, gid=NOBODY, groups=()):
        """(exit status, output) of netctl run by another user."""
        for path in self.bed.dir, self.bed.runtime:
            path.chmod(0o755)
        done = subprocess.run(
            ['setpriv', f'--reuid={uid}', f'--regid={gid}', *([f'--groups={",".join(map(str, groups))}'] if groups else ['--clear-groups']),
             str(self.program()), args[0], '--socket', str(self.bed.socket), *args[1:]],
            capture_output=True, text=True, check=False, timeout=bed.PATIENCE)
        return done.returncode, done.stdout + done.stderr

    def program(self):
        """The build directory may be one that only root can look into."""
        path = self.bed.dir / 'netctl'
        if not path.exists():
            path.write_bytes((bed.BUILD / 'netctl').read_bytes())
            path.chmod(0o755)
        return path

    def daemon_options(self, text):
        self.bed.write(f'[daemon]\n{text}\n[bridge br0]\nports = eth0\n')
        self.start()

    def test_an_ordinary_user_may_look_and_not_touch(self):
        self.start()
        self.assertEqual(self.as_user('status')[0], 0)
        self.assertEqual(self.as_user('plan')[0], 0)
        self.bed.write('[bridge br0]\n')
        status, text = self.as_user('apply')
        self.assertEqual(status, 5, text)
        self.assertEqual(self.bed.ports('br0'), ['eth0'])

    def test_a_root_of_another_user_namespace_is_an_ordinary_user(self):
        """Seen from here, it has the uid that it came from."""
        self.start()
        self.open_program()
        self.bed.write('[bridge br0]\n')
        done = subprocess.run(
            ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', 'unshare', '--user', '--map-root-user',
             str(self.program()), 'apply', '--socket', str(self.bed.socket)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertEqual(self.bed.ports('br0'), ['eth0'])

    def open_program(self):
        for path in self.bed.dir, self.bed.runtime:
            path.chmod(0o755)

    def test_admin_group_may_change(self):
        self.daemon_options('admin_group = staff')
        self.bed.write('[daemon]\nadmin_group = staff\n[bridge br0]\n')
        self.assertEqual(self.as_user('apply', groups=[GAMES])[0], 5)
        status, text = self.as_user('apply', groups=[GAMES, STAFF])
        self.assertEqual(status, 0, text)
        self.assertEqual(self.bed.ports('br0'), [])

    def test_admin_group_as_the_primary_group(self):
        self.daemon_options('admin_group = staff')
        status, text = self.as_user('apply', gid=STAFF)
        self.assertEqual(status, 0, text)

    def test_read_group_may_look_and_others_may_not(self):
        self.daemon_options('read_group = games')
        self.assertEqual(self.as_user('status')[0], 5)
        self.assertEqual(self.as_user('plan')[0], 5)
        status, text = self.as_user('status', groups=[GAMES])
        self.assertEqual(status, 0, text)
        self.assertEqual(self.as_user('apply', groups=[GAMES])[0], 5)
        self.assertEqual(self.bed.netctl('status')[0], 0, 'root')

    def test_whoever_may_change_may_look(self):
        self.daemon_options('read_group = games\nadmin_group = staff')
        status, text = self.as_user('status', groups=[STAFF])
        self.assertEqual(status, 0, text)

    def test_introspection_is_everyones(self):
        self.daemon_options('read_group = games')
        for path in self.bed.dir, self.bed.runtime:
            path.chmod(0o755)
        os.setresuid(-1, NOBODY, -1)
        try:
            info = self.bed.varlink('GetInfo', interface='org.varlink.service')
        finally:
            os.setresuid(-1, 0, -1)
        self.assertIn(NETWORK, info['interfaces'])

    def test_a_group_that_does_not_exist_gives_rights_to_nobody(self):
        self.bed.write('[daemon]\nadmin_group = nosuchgroup\n[bridge br0]\nports = eth0\n')
        self.bed.start(ready=False)
        self.bed.wait_notified('READY=1')
        self.assertEqual(self.as_user('apply', groups=[STAFF])[0], 5)
        self.assertIn('nosuchgroup', self.bed.log())


class ExitStatus(Control):
    """DESIGN section 3: what each exit status of netctl says, and a way to get it."""

    def assertExits(self, status, *args, says=None):
        got, out, err = self.bed.netctl(*args)
        self.assertEqual(got, status, f'{args}: {out}{err}')
        if says:
            self.assertRegex(out + err, says)

    def test_0_done_or_nothing_to_do_or_in_sync(self):
        self.start()
        for args in ('status',), ('status', '--check'), ('plan',), ('apply',), ('wait', '--timeout', '60'), ('wait', 'br0'):
            self.assertExits(0, *args)
        self.assertExits(0, 'check', self.bed.config)

    def test_1_files_that_do_not_check(self):
        self.start()
        self.bed.write('[bridge br0]\nprots = eth0\n')
        for args in ('apply',), ('plan',), ('check', self.bed.config):
            self.assertExits(1, *args, says=r'host\.ini:2: .*\[bridge br0\] prots: ')

    @bed.needs(bed.ALL)
    def test_1_the_kernel_refuses_and_all_is_as_before(self):
        # A loop that no check can see, as the VLAN on the bridge is not declared.
        self.start()
        self.bed.ip('link', 'add', 'loop', 'link', 'br0', 'type', 'vlan', 'id', '7')
        self.bed.write('[bridge br0]\nageing_time = 7s\nports = eth0 eth1 loop\n')
        before = self.bed.dump()
        self.assertExits(1, 'apply', says='loop')
        self.assertEqual(self.bed.dump(), before)

    def test_2_changes_pending_or_drift_or_something_missing(self):
        self.start()
        self.bed.write('[bridge br0]\nports = eth0 eth1\n')
        self.assertExits(2, 'plan', says='eth1')
        self.assertExits(2, 'status', '--check')
        self.assertExits(0, 'status')
        self.bed.apply('[daemon]\ndrift = report\n[bridge br0]\nports = eth0 eth1\n')
        self.assertExits(0, 'status', '--check')
        self.bed.ip('link', 'set', 'eth1', 'nomaster')
        bed.eventually(lambda: self.bed.netctl('status', '--check')[0] == 2)
        self.bed.apply('[bridge br0]\nports = eth0 eth9\n')
        self.assertExits(2, 'status', '--check', says='eth9')

    def test_3_the_daemon_is_not_there(self):
        for args in ('status',), ('plan',), ('apply',), ('wait',):
            self.assertExits(3, *args, says=re.escape(str(self.bed.socket)))

    def test_4_guests_would_be_cut_off(self):
        self.start()
        self.bed.tap('vnet0', 'br0')
        self.bed.write('')
        self.assertExits(4, 'apply', says='vnet0')
        self.assertEqual(self.bed.ports('br0'), ['eth0', 'vnet0'])
        self.assertExits(0, 'apply', '--force')
        self.assertEqual(self.bed.link('br0'), {})

    def test_4_things_have_moved_since_the_plan(self):
        self.start()
        self.bed.write('[bridge br0]\nports = eth0 eth1\n')
        plan = self.bed.varlink('Plan')
        self.bed.write('[bridge br0]\nports = eth0 eth1\nageing_time = 8s\n')
        self.assertExits(4, 'apply', '--plan', plan['id'])
        self.assertEqual(self.bed.ports('br0'), ['eth0'])
        self.assertExits(0, 'apply', '--plan', self.bed.varlink('Plan')['id'])

    def test_5_not_permitted(self):
        # Its ways are those of Rights; here, that plain netctl says so.
        self.start()
        for path in self.bed.dir, self.bed.runtime:
            path.chmod(0o755)
        os.setresuid(-1, NOBODY, -1)
        try:
            with self.bed.connect() as s:
                self.assertEqual(ask(s, 'Apply')['error'], 'org.varlink.service.PermissionDenied')
        finally:
            os.setresuid(-1, 0, -1)

    def test_6_timed_out(self):
        self.start()
        self.assertExits(6, 'wait', '--timeout', '1', 'br7', says='br7')
        self.assertExits(6, 'wait', '--timeout', '0', 'br7', says='br7')

    def test_64_usage(self):
        for args in ((), ('dance',), ('status', '--dance'), ('status', 'a', 'b'), ('wait', '--timeout', 'soon'), ('hold', '--for', '10 pints'),
                     ('apply', '--max-impact', 'foo'), ('plan', '--force'), ('release', ''), ('wait', 'br0', '')):
            done = subprocess.run([str(bed.BUILD / 'netctl'), *args], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 64, f'{args}: {done.stdout}{done.stderr}')
            self.assertTrue(done.stderr)

    def test_a_link_local_address_is_not_the_required_one(self):
        self.bed.write('[bridge br0]\nports = eth0\nrequired = address\n')
        self.start()
        bed.eventually(lambda: self.bed.link_local('br0'))
        self.assertEqual(self.bed.varlink('Missing')['missing'], [{'link': 'br0', 'reason': 'has no address'}])
        self.bed.ip('address', 'add', '192.0.2.1/24', 'dev', 'br0')
        bed.eventually(lambda: not self.bed.varlink('Missing')['missing'])

    def test_hold_takes_the_time_words_of_the_files_and_release_says_what_is_held(self):
        self.start()
        self.assertExits(0, 'hold', '--for', '10min', says='600 s')
        self.assertExits(0, 'release', 'br0', says='All links are held still')
        self.assertExits(0, 'release', says='Released')
        self.assertExits(0, 'release', 'br0', says='Nothing was held')

    def test_links_waited_for_are_counted_once_and_not_without_end(self):
        self.start()
        asked = self.bed.varlink('Missing', {'links': ['br9', 'br9', 'br8', 'br9']})
        self.assertEqual([m['link'] for m in asked['missing']], ['br9', 'br8'])
        with self.assertRaises(bed.VarlinkError) as e:
            self.bed.varlink('Missing', {'links': ['x'] * 257})
        self.assertEqual(e.exception.parameters, {'parameter': 'links'})

    def test_help_and_version_need_no_daemon(self):
        for args, says in (('--help',), 'Exit status'), (('--version',), r'\d+\.\d+'), (('status', '--help'), 'status'):
            done = subprocess.run([str(bed.BUILD / 'netctl'), *args], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, says)

    @bed.needs(bed.ALL)
    def test_wait_ends_when_the_link_comes(self):
        self.start()
        timer = threading.Timer(1.5, lambda: self.bed.ip('link', 'add', 'late', 'type', 'dummy'))
        timer.start()
        # Longer than netctl is given here: it ends for the link's sake or is killed.
        self.assertExits(0, 'wait', '--timeout', 10 * bed.PATIENCE, 'late')
        timer.join()


if __name__ == '__main__':
    unittest.main()
