#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
plot.py OUT.svg RESULTS.json...: how the time grows with N, one panel a workload, one line a tool, both axes logarithmic. Medians,
with a bar from the least to the most.
"""
import json
import math
import statistics
import sys

PANELS = [('bring-up', 'bring-up from nothing'), ('remove-all', 'remove all'), ('add-one', 'add one'),
          ('unchanged', 'apply again, unchanged'), ('change-all', 'change one option on all'), ('status', 'status of all')]
COLOURS = {'kvmnetd': '#c0392b', 'ip': '#2c3e50', 'floor': '#7f8c8d', 'networkd': '#2980b9', 'ifupdown2': '#27ae60', 'nm': '#8e44ad'}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM, ACROSS = 360, 250, 48, 34, 24, 34, 3
# What the floor program does in place of a workload.
INSTEAD = {'unchanged': 'dump'}


class Axis:
    """Of a logarithmic scale over whole decades."""

    def __init__(self, values, low, high):
        self.first = math.floor(math.log10(min(values)))
        self.last = max(math.ceil(math.log10(max(values))), self.first + 1)
        self.low, self.high = low, high

    def at(self, value):
        return self.low + (math.log10(value) - self.first) / (self.last - self.first) * (self.high - self.low)

    def decades(self):
        return [10.0 ** e for e in range(self.first, self.last + 1)]


def text(x, y, what, anchor='middle', **more):
    style = ''.join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{what}</text>'


def line(x1, y1, x2, y2, colour, **more):
    style = ''.join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{style}/>'


def points(cells, work):
    """{tool: {n: [seconds]}}"""
    found = {}
    for c in cells:
        if c['work'] in (work, INSTEAD.get(work)) and c.get('seconds'):
            found.setdefault(c['tool'], {}).setdefault(c['n'], []).append(c['seconds'])
    return found


def panel(cells, work, title, x0, y0):
    tools = points(cells, work)
    if not tools:
        return []
    x = Axis([n for t in tools.values() for n in t], x0 + LEFT, x0 + WIDTH - RIGHT)
    y = Axis([s for t in tools.values() for values in t.values() for s in values], y0 + HEIGHT - BOTTOM, y0 + TOP)
    out = [text(x0 + WIDTH / 2, y0 + 20, title, font_size=14)]
    for n in x.decades():
        out += [line(x.at(n), y.low, x.at(n), y.high, '#ddd'), text(x.at(n), y.low + 16, f'{n:g}')]
    for s in y.decades():
        out += [line(x.low, y.at(s), x.high, y.at(s), '#ddd'), text(x.low - 5, y.at(s) + 4, f'{s:g} s', 'end')]
    for tool, sizes in tools.items():
        colour = COLOURS.get(tool, '#000')
        medians = [(x.at(n), y.at(statistics.median(values))) for n, values in sorted(sizes.items())]
        out.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in medians)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (a, b), (_, values) in zip(medians, sorted(sizes.items())):
            out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>', line(a, y.at(min(values)), a, y.at(max(values)), colour)]
    return out


def main():
    cells = []
    for path in sys.argv[2:]:
        with open(path, encoding='utf-8') as f:
            found = json.load(f)
        if not found['udevd'] and found['stack'] == 'vlans':
            cells += found['cells']
    rows = math.ceil(len(PANELS) / ACROSS)
    width, height = WIDTH * ACROSS, HEIGHT * rows + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
           f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for i, (work, title) in enumerate(PANELS):
        out += panel(cells, work, title, i % ACROSS * WIDTH, i // ACROSS * HEIGHT)
    shown = [tool for tool in COLOURS if any(c['tool'] == tool for c in cells)]
    for i, tool in enumerate(shown):
        out += [line(60 + i * 110, height - 14, 80 + i * 110, height - 14, COLOURS[tool], stroke_width=2),
                text(86 + i * 110, height - 10, tool, 'start')]
    out.append(text(width - 12, height - 10, 'seconds over N (pairs of a VLAN and a bridge), without udevd', 'end'))
    with open(sys.argv[1], 'w', encoding='utf-8') as f:
        f.write('\n'.join(out) + '\n</svg>\n')


main()
