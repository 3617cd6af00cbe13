# SPDX-License-Identifier: GPL-2.0-or-later
"""
Of test_faults.py what make check has the time for: transitions that have every kind of message between them, each with a fault
at one message of each sort. SEED says at which (it is printed).
"""
import os

import test_faults

ALWAYS = ['nic_to_bridge', 'bond_mode', 'port_bridge_to_bond', 'vlan_filtering_on', 'remove_everything', 'addresses', 'bond_dissolved']


class Sample(test_faults.Transitions):
    pass


if not os.environ.get('SOAK'):
    test_faults.add_tests(Sample, ALWAYS)
