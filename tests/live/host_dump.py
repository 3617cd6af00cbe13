# SPDX-License-Identifier: GPL-2.0-or-later
"""What `ip` and `bridge` show of everything on a host, to be compared: without what a change that was undone may leave different."""
import json
import time

import bed

# What `ip -d -j` and `bridge -d -j` show that a change that was undone may leave different.
LINK_LEFT_OUT = {
    'ifindex', 'link_index', 'operstate', 'ifalias',
    # what the link below could when this one was made; nobody can set it
    'tso_max_size', 'tso_max_segs',
    # timers, and what spanning tree found out
    'hello_timer', 'tcn_timer', 'topology_change_timer', 'gc_timer', 'hold_timer', 'message_age_timer',
    'forward_delay_timer', 'topology_change', 'topology_change_detected', 'topology_change_ack', 'root_id', 'root_port',
    'root_path_cost', 'designated_port', 'designated_cost', 'designated_bridge', 'designated_root', 'config_pending',
    'fdb_n_learned', 'mcast_n_groups',
    # what the bond found out
    'mii_status', 'link_failure_count', 'ad_info', 'active_slave', 'ad_aggregator_id', 'ad_actor_oper_port_state',
    'ad_partner_oper_port_state', 'ad_actor_oper_port_state_str', 'ad_partner_oper_port_state_str',
}
PORT_LEFT_OUT = {'state', 'id', 'no', 'bridge_id'}  # these are something else elsewhere: a VLAN's id, a bridge's own bridge_id
FLAGS_LEFT_OUT = {'NO-CARRIER', 'LOWER_UP', 'M-DOWN'}
ADDRESS_LEFT_OUT = {'valid_life_time', 'preferred_life_time', 'tentative', 'dadfailed', 'optimistic'}
ROUTE_LEFT_OUT = {'flags', 'cache', 'expires', 'hoplimit'}


def _without(value, keys):
    return {k: v for k, v in value.items() if k not in keys}


def _comparable_link(link):
    link = _without(link, LINK_LEFT_OUT)
    if 'UP' not in link['flags']:
        link.pop('qdisc', None)  # one that was up once has another than one that never was
    link['flags'] = sorted(set(link.get('flags', [])) - FLAGS_LEFT_OUT)
    info = dict(link.get('linkinfo', {}))
    if info.get('info_slave_kind') == 'bond':
        # A bond that a bridge makes promiscuous passes that on to its active port.
        link = _without(link, {'promiscuity', 'allmulti'})
    if 'info_data' in info:
        info['info_data'] = _without(info['info_data'], LINK_LEFT_OUT)
        if info['info_data'].get('stp_state'):
            # While spanning tree sees a change of topology this is twice forward_delay (net/bridge/br_stp.c).
            del info['info_data']['ageing_time']
    if 'info_slave_data' in info:
        info['info_slave_data'] = _without(info['info_slave_data'], LINK_LEFT_OUT | PORT_LEFT_OUT)
        if info['info_slave_data'].get('cost') in (1, 2, 100):
            # By the speed of what is a bond's, or on one: that of the ports whose carrier had come by then.
            del info['info_slave_data']['cost']
    link['linkinfo'] = info
    return link


def _without_lent_macs(links):
    """A bond that balances by the MACs of its ports gives its own to the active one; so which has which is no more a setting than that."""
    balancing = {link['ifname'] for link in links
                 if link.get('linkinfo', {}).get('info_data', {}).get('mode') in ('balance-tlb', 'balance-alb')}
    return [_without(link, {'address'}) if link.get('master') in balancing else link for link in links]


def _spanning(links):
    """
    The bridges with spanning tree. They have no carrier, and so no link-local address yet, until a port forwards: twice
    forward_delay after it came (br_port_state_selection() in net/bridge/br_stp.c).
    """
    return {link['ifname'] for link in links if link.get('linkinfo', {}).get('info_data', {}).get('stp_state')}


def dump():
    """All links, addresses, routes (both families, all tables), rules, ports and VLANs, as text by object, to be compared."""
    shown = bed.run('ip', '-d', '-j', '-batch', '-', text='link show\naddr show\nroute show table all\nrule show\n')
    links, addresses, routes, rules = bed.parse_documents(shown)
    delayed = _spanning(links)
    routes = [r for r in routes if not (r.get('dev') in delayed and r['dst'].startswith('fe80:'))]
    ports, vlans = [], []
    if any('vlan_default_pvid' in link.get('linkinfo', {}).get('info_data', {}) for link in links):
        ports, vlans = bed.parse_documents(bed.run('bridge', '-d', '-j', '-batch', '-', text='link show\nvlan show\n'))
    elif any(link.get('linkinfo', {}).get('info_kind') == 'bridge' for link in links):
        # A kernel without VLANs in bridges, which some transitions do without.
        ports = json.loads(bed.run('bridge', '-d', '-j', 'link', 'show'))
    result = {}
    for link in _without_lent_macs(links):
        result[f'link {link["ifname"]}'] = _comparable_link(link)
    for link in addresses:
        result[f'addresses {link["ifname"]}'] = [_without(a, ADDRESS_LEFT_OUT) for a in link['addr_info']
                                                 if a and not (link['ifname'] in delayed and a['local'].startswith('fe80:'))]
    # A link's ff00::/8 follows its carrier.
    result['routes'] = sorted(json.dumps(_without(r, ROUTE_LEFT_OUT), sort_keys=True) for r in routes
                              if r.get('type') != 'multicast')
    result['rules'] = rules
    for port in ports:
        left_out = PORT_LEFT_OUT | ({'cost'} if port.get('cost') in (1, 2, 100) else set())
        result[f'port {port["ifname"]}'] = _without(_comparable_link(port), left_out)
    for port in vlans:
        result[f'vlans {port["ifname"]}'] = port['vlans']
    return result


def at_rest(timeout=2 * bed.PATIENCE):
    """A dump that has stayed the same for longer than the kernel puts off a carrier's consequences (net/core/link_watch.c: 1 s)."""
    shown, since = dump(), time.monotonic()
    deadline = since + timeout
    while True:
        time.sleep(0.1)
        # By the time before the look: after it the machine may stand still, and the kernel with it.
        now = time.monotonic()
        again = dump()
        if again != shown:
            if now > deadline:
                raise AssertionError(f'the host does not come to rest: {differences(shown, again)}')
            shown, since = again, time.monotonic()
        elif now - since > 1.3:
            return shown


def differences(before, after):
    """In words, a line each."""
    lines = []
    for what in sorted(set(before) | set(after)):
        a, b = before.get(what), after.get(what)
        if a == b:
            continue
        if isinstance(a, list) and isinstance(b, list):
            lines += [f'{what}: gone: {x}' for x in a if x not in b] + [f'{what}: new: {x}' for x in b if x not in a]
            if sorted(map(str, a)) == sorted(map(str, b)):
                lines.append(f'{what}: in another order: {a}, then {b}')
        elif isinstance(a, dict) and isinstance(b, dict):
            lines += _differences_in(what, a, b)
        else:
            lines.append(f'{what}: {"gone" if b is None else "new"}')
    return lines


def _differences_in(what, a, b):
    lines = []
    for k in sorted(set(a) | set(b)):
        if a.get(k) == b.get(k):
            continue
        if isinstance(a.get(k), dict) and isinstance(b.get(k), dict):
            lines += _differences_in(f'{what} {k}', a[k], b[k])
        else:
            lines.append(f'{what}: {k}: {a.get(k)}, then {b.get(k)}')
    return lines
