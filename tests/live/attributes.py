# SPDX-License-Identifier: GPL-2.0-or-later
"""Netlink attributes, written and read by hand."""
import struct


def attribute(number, data):
    return struct.pack('=HH', 4 + len(data), number) + data + bytes(-len(data) % 4)


def attributes(data):
    result, at = {}, 0
    while at + 4 <= len(data):
        length, number = struct.unpack_from('=HH', data, at)
        result[number & 0x3FFF] = data[at + 4:at + length]
        at += max((length + 3) & ~3, 4)
    return result
