# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces, mounts of one's own, programs run in them, and patience with what happens there."""
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import time

# A guest without hardware virtualization is 10 to 30 times slower than the machine it runs on.
PATIENCE = 60

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MNT_DETACH, MS_REC, MS_PRIVATE = 2, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def must(result):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def eventually(condition, timeout=PATIENCE):
    """Calls condition until it returns something true and raises no AssertionError; returns that. Else fails with its last word."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            result = condition()
            if result:
                return result
            failure = AssertionError(f'still {result!r} after {timeout} s')
        except AssertionError as e:
            failure = e
        if time.monotonic() > deadline:
            raise failure
        time.sleep(0.05)


def pid_files(directory):
    """{name: process} of the files NAME.pid in it, which come and go."""
    result = {}
    for path in directory.glob('*.pid'):
        with contextlib.suppress(FileNotFoundError):
            words = path.read_text().split()
            if words:
                result[path.stem] = int(words[0])
    return result


class Namespace:
    """A network namespace, held open by a descriptor."""

    def __init__(self):
        """Takes the one that the process is in."""
        self.fd = os.open('/proc/self/ns/net', os.O_RDONLY)
        self.path = f'/proc/{os.getpid()}/fd/{self.fd}'

    @contextlib.contextmanager
    def entered(self):
        """For the calling thread, for sockets and for programs started; /sys stays that of the bed."""
        back = os.open('/proc/self/ns/net', os.O_RDONLY)
        must(libc.setns(self.fd, CLONE_NEWNET))
        try:
            yield self
        finally:
            must(libc.setns(back, CLONE_NEWNET))
            os.close(back)

    def run(self, *command, check=True):
        """Runs a program in it and returns what it prints."""
        with self.entered():
            return run(*command, check=check)

    def ip(self, *args, check=True):
        return self.run('ip', *args, check=check)

    def ip_json(self, *args):
        return json.loads(self.ip('-j', *args) or '[]')

    def close(self):
        os.close(self.fd)


def run(*command, check=True, text=None):
    """Runs a program and returns its standard output; a failure is an AssertionError with what it said."""
    done = subprocess.run([str(c) for c in command], input=text, capture_output=True, text=True, timeout=PATIENCE * 2)
    if check and done.returncode:
        raise AssertionError(f'{" ".join(map(str, command))}: exit status {done.returncode}: {done.stderr}{done.stdout}')
    return done.stdout


def enter_new_namespace():
    must(libc.unshare(CLONE_NEWNET))
    run('ip', 'link', 'set', 'lo', 'up')
    return Namespace()


def new_namespace():
    """One more machine, for tests: the caller closes it. The calling thread stays where it is."""
    back = os.open('/proc/self/ns/net', os.O_RDONLY)
    try:
        return enter_new_namespace()
    finally:
        must(libc.setns(back, CLONE_NEWNET))
        os.close(back)


def own_mounts():
    """Once per process: mounts of a bed are seen by it and its children alone."""
    if getattr(own_mounts, 'done', False):
        return
    must(libc.unshare(CLONE_NEWNS))
    must(libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None))
    own_mounts.done = True
