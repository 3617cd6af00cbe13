# SPDX-License-Identifier: GPL-2.0-or-later
"""
A random walk from topology to topology. Each step edits the configuration at one place and applies it; after it the plan is
empty and the state kept from events is what a dump shows. Now and then the daemon is restarted or killed, which must send
nothing, or someone else changes what is declared, which must be put back. At the end the walk goes all the way back, and the
kernel must show at each milestone what it showed on the way there.

SEED repeats a walk (it is printed), STEPS is its length: 200, and 10,000 with SOAK.
"""
import json
import os
import random
import signal
import time
import unittest

import bed
from walk_edits import Edits, ForeignHand
from walk_host import Host, NICS

MILESTONE = 10  # steps

# What passes, or counts, or only tells when a thing was made.
PASSING = {
    'ifindex', 'link_index', 'flags', 'operstate', 'qdisc', 'gso_max_size', 'gso_max_segs', 'tso_max_size', 'tso_max_segs',
    'gro_max_size', 'gso_ipv4_max_size', 'gro_ipv4_max_size', 'valid_life_time', 'preferred_life_time', 'tentative', 'optimistic', 'hello_timer',
    'tcn_timer', 'topology_change_timer', 'gc_timer', 'hold_timer', 'message_age_timer', 'forward_delay_timer',
    'topology_change', 'topology_change_detected', 'topology_change_ack', 'state', 'mii_status', 'link_failure_count', 'ad_info',
    'active_slave', 'allmulti', 'ad_aggregator_id', 'ad_actor_oper_port_state', 'ad_partner_oper_port_state',
    'ad_actor_oper_port_state_str', 'ad_partner_oper_port_state_str', 'no', 'id', 'designated_port', 'config_pending',
    'root_port', 'root_path_cost', 'multicast_router_port', 'cost_auto', 'mcast_n_groups', 'inet6_addr_gen_mode_unset',
    # Of a bond's ports the active one has `allmulti`. A VLAN that a balance-tlb bond lets go leaves the bond's MAC with its parent, whoever takes it out (ip does, too).
    'promiscuity',
}
# A bond or bridge keeps the address and MTU that it once got from a port, and VLANs take theirs from below when they are
# made; a port has the path cost of the speed it had when it joined. These depend on the way, except where they are declared,
# and then the plan is empty only if they are right. A bond's port keeps a prio that the bond's mode has no use for,
# and a bridge whose STP is switched off during a topology change the ageing time of that (__br_set_topology_change()).
OF_THE_WAY = {'ageing_time', 'prio', 'address', 'mtu', 'cost', 'bridge_id', 'root_id', 'designated_root', 'designated_bridge', 'designated_cost', 'perm_hwaddr', 'permaddr', 'linkmode'}


def strip(value, names):
    if isinstance(value, list):
        return [strip(v, names) for v in value]
    if not isinstance(value, dict):
        return value
    result = {k: strip(v, names) for k, v in value.items() if k not in names}
    if 'ifname' in value and 'flags' in value:
        result['up'] = 'UP' in value['flags']
    return result


def dump(b, also=frozenset()):
    """The network of the bed: {(what, of which): text}."""
    names = PASSING | also
    result = {}
    for link in b.ip_json('-d', 'link'):
        result['link', link['ifname']] = strip(link, names)
    for link in b.ip_json('addr'):
        result['addresses', link['ifname']] = sorted(
            json.dumps(strip(a, names), sort_keys=True) for a in link['addr_info'] if a.get('scope') != 'link')
    for family in '-4', '-6':
        for route in b.ip_json(family, 'route', 'show', 'table', 'all'):
            if route.get('protocol') not in ('kernel', 'ra'):
                result['route', json.dumps(strip(route, names), sort_keys=True)] = {}
    for entry in b.bridge_json('vlan'):
        result['vlans', entry['ifname']] = entry.get('vlans')
    return result


def differences(before, after):
    """In words, only what differs."""
    out = []
    for key in sorted(before.keys() | after.keys(), key=str):
        a, b = before.get(key), after.get(key)
        if a == b:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            a, b = flat(a), flat(b)
            out += [f'{key} {k}: {a.get(k)} -> {b.get(k)}' for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]
        else:
            out.append(f'{key}: {a} -> {b}')
    return out


def flat(value, prefix=''):
    if not isinstance(value, dict):
        return {prefix: value}
    result = {}
    for k, v in value.items():
        result.update(flat(v, f'{prefix}.{k}' if prefix else k))
    return result


class Walk(bed.TestCase):
    def walk(self, seed, steps):
        self.rng = random.Random(seed)
        self.done, self.texts = [], ['']
        b = self.bed
        for i, nic in enumerate(NICS):
            b.nic(nic, up=i % 2 == 0)
        b.ip('link', 'set', 'eth1', 'mtu', '1700')
        b.ip('link', 'set', 'eth2', 'txqueuelen', '500')
        b.write('')
        b.start()
        start, milestones = dump(b), {}
        host, hosts, edits = Host(), [], Edits(self.rng)
        try:
            for step in range(steps):
                what, host = edits.edit(host)
                self.note(f'step {step}: {what}', host)
                hosts.append(host)
                self.take(host)
                self.disturb(host)
                if step % MILESTONE == 0:
                    milestones[step] = dump(b, OF_THE_WAY)
            for step in reversed(range(steps - 1)):
                self.note(f'back to step {step}', hosts[step])
                self.take(hosts[step])
                if step in milestones:
                    self.assertEqual(differences(milestones[step], dump(b, OF_THE_WAY)), [], 'on the way there -> on the way back')
            self.note('back to nothing', None)
            self.take(None)
            self.assertEqual(differences(start, dump(b)), [], 'at the start -> at the end')
        except Exception:
            self.report(seed, steps)
            raise

    def note(self, what, host):
        self.done.append(what)
        self.texts.append(host.text() if host else '')

    def take(self, host):
        """Applies it; then there is nothing left to do, and the daemon knows the kernel as it is."""
        self.bed.write(self.texts[-1])
        self.bed.varlink('Apply', more=True)
        self.settled()

    def plan(self):
        try:
            return [s['text'] for s in self.bed.varlink('Plan')['steps']]
        except bed.VarlinkError as e:
            if e.name != 'io.kvmnetd.Network.Busy':
                raise
            return ['a repair is being made']

    def settled(self):
        # An event of the change itself may make the daemon look again, and find nothing to do.
        plans = []
        bed.eventually(lambda: plans.append(self.plan()) or plans[-1] != ['a repair is being made'])
        self.assertEqual(plans[-1], [], 'plan after apply')
        self.assertVerified()

    def disturb(self, host):
        dice = self.rng.random()
        if dice < 0.08:
            self.restart(self.rng.choice([signal.SIGTERM, signal.SIGKILL]))
        elif dice < 0.20:
            self.change_from_outside(host)

    def restart(self, how):
        self.done.append(f'restart by signal {how}')
        if how == signal.SIGKILL:
            self.bed.kill()
        else:
            self.bed.stop()
        self.bed.sent()
        self.bed.start()
        self.assertEqual(self.bed.sent(), [], f'messages of a restart after signal {how}')
        self.settled()

    def change_from_outside(self, host):
        command = ForeignHand(self.rng, host).command()
        if not command:
            return
        self.done.append(f'foreign: {" ".join(command)}')
        bed.run(*command)
        deadline = time.monotonic() + bed.PATIENCE
        while True:
            steps = self.plan()
            if not steps and self.bed.at_rest():
                break
            if time.monotonic() > deadline:
                self.fail(f'not put back after {bed.PATIENCE} s: {" ".join(command)}: {steps} {self.bed.status()["daemon"]}')
            time.sleep(0.1)
        self.settled()

    def report(self, seed, steps):
        print(f'    walk: failed with SEED={seed} STEPS={steps} after: {self.done[-4:]}\n'
              f'    -- the configuration before\n{indent(self.texts[-2])}\n    -- the configuration\n{indent(self.texts[-1])}', flush=True)

    def run_walk(self, number):
        # The same walk at every check, another one at every soak.
        seed = int(os.environ.get('SEED') or (random.SystemRandom().randrange(1 << 32) if os.environ.get('SOAK') else 11)) + number
        steps = int(os.environ.get('STEPS') or (10000 if os.environ.get('SOAK') else 200)) // 2
        print(f'    walk: SEED={seed - number} ({seed}), {steps} steps', flush=True)
        self.walk(seed, steps)

    # Two of half the length, so that two processors have something to do.

    def test_every_step_ends_in_an_empty_plan_and_the_way_back_in_the_start(self):
        self.run_walk(0)

    def test_another_walk(self):
        self.run_walk(1)

    test_every_step_ends_in_an_empty_plan_and_the_way_back_in_the_start.cost = 100
    test_another_walk.cost = 100


def indent(text):
    return '\n'.join('        ' + line for line in text.splitlines())


if __name__ == '__main__':
    unittest.main()
