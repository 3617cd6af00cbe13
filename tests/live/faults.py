# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults at the messages and files of a daemon: what faults.c, a library that is loaded into it, is told and tells."""
import mmap
import struct
from pathlib import Path

from compiled import compiled_library

# The shared struct of faults.c.
FAULTS = ['none', 'refuse', 'half', 'lose-ack', 'cut', 'file', 'tear', 'stop', 'tear-rules']
HEAD, NOTED = struct.Struct('=4I4I3I'), 8192
SYSCTL, CREATE, SETLINK = 1, 0x4000, 0x8000
RTM_NEWLINK = 16


def sort_name(number):
    """Of a message, for messages to the reader: what it is in rtnetlink's terms."""
    if number == SYSCTL:
        return 'sysctl'
    names = {16: 'link', 17: 'dellink', 19: 'setlink', 20: 'address', 21: 'deladdress', 24: 'route', 25: 'delroute'}
    marks = {CREATE: 'create', SETLINK: 'vlan', 0x2000: 'master', 0x1000: 'flags'}
    return '-'.join([names.get(number & 0xFFF, str(number & 0xFFF))] + [m for bit, m in marks.items() if number & bit])


class Injector:
    """The struct that the library in the daemon reads, in a file that both map."""

    def __init__(self, path):
        path.write_bytes(bytes(HEAD.size + 2 * NOTED))
        with open(path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 0)
        self.environment = {'LD_PRELOAD': str(compiled_library('faults')), 'FAULTS': str(path)}

    def arm(self, *faults):
        """Up to four (fault, n), the next one armed when the one before has happened. Counting begins anew."""
        faults = list(faults) + [('none', 0)] * (4 - len(faults))
        self.map[:HEAD.size] = HEAD.pack(*(FAULTS.index(f) for f, _ in faults), *(n for _, n in faults), 0, 0, 0)

    def fired(self):
        return HEAD.unpack_from(self.map)[8]

    def stopped(self, pid):
        """Does the process stand before the message that 'stop' was armed for?"""
        return self.fired() and Path(f'/proc/{pid}/stat').read_text(encoding='ascii').split()[2] == 'T'

    def messages(self):
        """What was sent since arm(), a number for the sort of each."""
        n = HEAD.unpack_from(self.map)[9]
        assert n <= NOTED
        return list(struct.unpack_from(f'={n}H', self.map, HEAD.size))

    def files(self):
        return HEAD.unpack_from(self.map)[10]

    def close(self):
        self.map.close()
