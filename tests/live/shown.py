# SPDX-License-Identifier: GPL-2.0-or-later
"""What other tools show of the kernel, as JSON: without what is no setting, and compared."""
import json
from pathlib import Path


def differences(before, after, path=''):
    """What differs between two dumps, a line each."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [line for key in sorted({*before, *after}, key=str)
                for line in differences(before.get(key), after.get(key), f'{path}/{key}')]
    if isinstance(before, list) and isinstance(after, list):
        return [f'{path}: gone: {x}' for x in before if x not in after] + [f'{path}: new: {x}' for x in after if x not in before]
    return [] if before == after else [f'{path}: {before!r}, then {after!r}']


# What `ip -d -j` shows that is no setting: states that follow carrier and time, numbers that count.
VOLATILE = {
    'qdisc', 'tso_max_size', 'promiscuity', 'tentative', 'nodad', 'dadfailed', 'root_id', 'bridge_id', 'designated_root', 'designated_bridge', 'root',
    'ifindex', 'operstate', 'flags', 'linkmode', 'qdisc', 'tentative', 'gso_max_size', 'link_index', 'valid_life_time', 'preferred_life_time',
    'hello_timer', 'tcn_timer', 'topology_change_timer', 'gc_timer', 'hold_timer', 'message_age_timer',
    'forward_delay_timer', 'topology_change', 'topology_change_detected', 'state', 'mii_status', 'link_failure_count',
    'ad_info', 'active_slave', 'ad_aggregator_id', 'ad_actor_oper_port_state', 'ad_partner_oper_port_state',
    'ad_actor_oper_port_state_str', 'ad_partner_oper_port_state_str', 'no', 'designated_port', 'id', 'port_no',
    'config_pending', 'topology_change_ack', 'root_port', 'mcast_n_groups', 'multicast_router_port',
}


def strip(value):
    """Without the volatile, but for the flags that someone sets: up, promiscuous."""
    if isinstance(value, list):
        return [strip(v) for v in value]
    if not isinstance(value, dict):
        return value
    result = {k: strip(v) for k, v in value.items() if k not in VOLATILE}
    if 'ifname' in value:
        result['up'] = 'UP' in value.get('flags', [])
    if value.get('linkinfo', {}).get('info_kind') == 'vlan':
        result['vlan_id'] = value['linkinfo']['info_data'].get('id')
    return result


def proc_bonding(name):
    """/proc/net/bonding/NAME as (what is about the bond, {port: what is about the port}), each a dict of text to text."""
    bond, ports = {}, {}
    where = bond
    for line in Path('/proc/self/net/bonding', name).read_text().splitlines():
        key, colon, value = line.partition(':')
        if not colon:
            continue
        if key == 'Slave Interface':
            where = ports.setdefault(value.strip(), {})
        where.setdefault(key.strip(), value.strip())
    return bond, ports


def parse_documents(text):
    """JSON documents that follow each other."""
    decoder, documents, at = json.JSONDecoder(), [], 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return documents
        document, at = decoder.raw_decode(text, at)
        documents.append(document)
