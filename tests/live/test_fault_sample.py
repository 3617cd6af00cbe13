# SPDX-License-Identifier: GPL-2.0-or-later
"""
Of test_faults.py what make check has the time for: transitions that have every kind of message between them and two others
drawn by lot, each with a fault at one message of each sort. SEED repeats the draw (it is printed).
"""
import os
import random

import test_faults

ALWAYS = ['nic_to_bridge', 'bond_mode', 'port_bridge_to_bond', 'vlan_filtering_on', 'remove_everything', 'addresses']


class Sample(test_faults.Transitions):
    pass


if not os.environ.get('SOAK'):
    others = sorted(set(test_faults.TRANSITIONS) - set(ALWAYS))
    test_faults.add_tests(Sample, ALWAYS + random.Random(test_faults.SEED).sample(others, 2))
