#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
table.py RESULTS.json...: what measure.py found, as tables in Markdown: medians, in parentheses the least and the most, and the
ratios that have a target.
"""
import json
import statistics
import sys

WORKS = [('bring-up', 'bring-up from nothing'), ('taps-join', '500 taps join each bridge'),
         ('unchanged', 'apply again, unchanged'), ('add-one', 'add one'), ('remove-one', 'remove one'), ('change-all', 'change one option on all'), ('restart', 'restart on it'),
         ('status', 'status of all'), ('status-json', 'status of all, --json'), ('remove-all', 'remove all')]

LINKS = 2  # to each of the N parts, a VLAN and a bridge

# What is measured of kvmnetd, against what of whom, and the most it should be; and beside udevd, where that is another figure.
TARGETS = [('bring-up', 'bring-up', 'floor', 1.1), ('bring-up', 'bring-up', 'ip', 0.6, 0.7), ('unchanged', 'dump', 'floor', 2),
           ('status', 'status', 'ip', 2), ('remove-all', 'remove-all', 'floor', 1.1), ('remove-all', 'remove-all', 'ip', 0.65)]


class Results:
    def __init__(self, cells):
        self.cells = cells

    def sizes(self):
        return sorted({c['n'] for c in self.cells})

    def rounds(self, n):
        return max(c['round'] for c in self.cells if c['n'] == n)

    def values(self, work, tool, n, key='seconds'):
        return [c[key] for c in self.cells if (c['work'], c['tool'], c['n']) == (work, tool, n) and c.get(key) is not None]

    def median(self, work, tool, n, key='seconds'):
        values = self.values(work, tool, n, key)
        return statistics.median(values) if values else None

    def text(self, work, tool, n, key='seconds', form='.2f'):
        values = self.values(work, tool, n, key)
        if not values:
            return '-'
        return f'{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})'

    def ratio(self, work, against, tool, n):
        """Of the medians; noise that a round had, its other tools had, too."""
        ours, theirs = self.median(work, 'kvmnetd', n), self.median(against, tool, n)
        return ours / theirs if ours and theirs else None

    def apart_from_files(self, work, n):
        """Seconds of an apply less those of reading and checking the files, which `netctl check` does and nothing else."""
        ours, check = self.median(work, 'kvmnetd', n), self.median('check', 'kvmnetd', n)
        return max(ours - check, 0) if ours and check else None


def row(*cells):
    print('| ' + ' | '.join(str(c) for c in cells) + ' |')


def header(*cells):
    row(*cells)
    row(*['---'] * len(cells))


def verdict(ratio, most):
    return '-' if ratio is None else f'{ratio:.2f}{"" if ratio <= most else " **above**"}'


def seconds(r):
    for n in r.sizes():
        print(f'\nN = {n}: seconds\n')
        header('workload', 'kvmnetd', 'ip -batch', 'floor')
        for work, title in WORKS:
            if work != 'taps-join' or r.values(work, 'ip', n):
                row(title, *(r.text(work, tool, n) for tool in ('kvmnetd', 'ip', 'floor')))
        row('reading and checking the files (netctl check)', r.text('check', 'kvmnetd', n), '-', '-')
        row('one raw dump of everything', '-', '-', r.text('dump', 'floor', n))
        row('longest wait for the rtnl lock while all is removed, ms',
            *(r.text('remove-all', tool, n, 'stall', '.0f') for tool in ('kvmnetd', 'ip', 'floor')))
        row('99 of 100 such waits are shorter than, ms',
            *(r.text('remove-all', tool, n, 'stall99', '.0f') for tool in ('kvmnetd', 'ip', 'floor')))


def ratios(r, udevd):
    sizes = r.sizes()
    print('\nRatios of the medians\n')
    header('kvmnetd', 'over', 'target', *(f'N = {n}' for n in sizes))
    for work, against, tool, *mosts in TARGETS:
        most = mosts[-1 if udevd else 0]
        row(work, f'{against} of {tool}', f'<= {most}', *(verdict(r.ratio(work, against, tool, n), most) for n in sizes))
    for work in 'add-one', 'remove-one':
        found = []
        for n in sizes:
            ours, theirs = r.apart_from_files(work, n), r.median(work, 'ip', n)
            found.append(ours / theirs if ours is not None and theirs else None)
        row(f'{work}, apart from reading and checking the files', f'{work} of ip', '<= 1.5', *(verdict(f, 1.5) for f in found))


def memory(r, stack):
    sizes = r.sizes()

    def resident(n):
        return r.median('at-rest', 'kvmnetd', n, 'rss')
    print('\nkvmnetd: memory, processor time\n')
    header('', *(f'N = {n}' for n in sizes))
    row('resident after bring-up and at rest, KiB', *(r.text('at-rest', 'kvmnetd', n, 'rss', '.0f') for n in sizes))
    first = resident(sizes[0])
    if stack == 'vlans' and first and all(resident(n) for n in sizes):
        row('of that for each further link, bytes', '-', *(f'{(resident(n) - first) * 1024 / (LINKS * (n - sizes[0])):.0f}' for n in sizes[1:]))
    for work, title in ('bring-up', 'after bring-up'), ('change-all', 'after all of the above'), ('restart', 'after a restart'):
        row(f'peak {title}, KiB', *(r.text(work, 'kvmnetd', n, 'peak', '.0f') for n in sizes))
        row(f'processor {title}, s', *(r.text(work, 'kvmnetd', n, 'cpu') for n in sizes))
    row('wake-ups a minute at rest', *(r.text('at-rest', 'kvmnetd', n, 'wakeups', '.0f') for n in sizes))
    row('processor s a minute at rest', *(r.text('at-rest', 'kvmnetd', n, 'cpu') for n in sizes))
    row('while foreign taps come and go: taps a second', *(r.text('taps', 'kvmnetd', n, 'taps', '.0f') for n in sizes))
    row('wake-ups a minute meanwhile', *(r.text('taps', 'kvmnetd', n, 'wakeups', '.0f') for n in sizes))
    row('processor s a minute meanwhile', *(r.text('taps', 'kvmnetd', n, 'cpu') for n in sizes))


PEERS = ['networkd', 'ifupdown2', 'nm']


def peer_table(r):
    """A boot with a peer in it: seconds, and in brackets how many times what `ip` and what kvmnetd took."""
    peer = next((tool for tool in PEERS if any(c['tool'] == tool for c in r.cells)), None)
    if not peer:
        return
    sizes = r.sizes()
    print(f'\n{peer}: seconds [over ip, over kvmnetd]\n')
    header('workload', *(f'N = {n}' for n in sizes))
    for work, title in WORKS:
        if not any(r.values(work, peer, n) for n in sizes):
            continue
        row(title, *(against(r, work, peer, n) for n in sizes))
        if work == 'bring-up':
            row('the same, by the daemon that runs already', *(against(r, work, f'{peer}-reload', n) for n in sizes))
    for c in r.cells:
        if c['work'] == 'failed':
            print(f"\nN = {c['n']}: {c['tool']} did not finish: {c['why'][:200]}")


def against(r, work, peer, n):
    found = r.median(work, peer, n)
    others = [r.median(work, tool, n) for tool in ('ip', 'kvmnetd')]
    return '-' if not found else f'{r.text(work, peer, n)} [{", ".join(f"{found / o:.1f}" if o else "-" for o in others)}]'


def main():
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8') as f:
            found = json.load(f)
        results = Results(found['cells'])
        if not results.sizes():
            continue
        print(f"\n### {found['stack']}, {'with' if found['udevd'] else 'without'} udevd\n")
        print(f"{found['date']}, Linux {found['kernel']}, {found['cpus']} processors, "
              f"{', '.join(f'{results.rounds(n)} rounds at N = {n}' for n in results.sizes())}, {found['took'] // 60} minutes; end states "
              f"{'DIFFER' if found['differences'] else 'the same'}.")
        seconds(results)
        ratios(results, found['udevd'])
        memory(results, found['stack'])
        peer_table(results)


main()
