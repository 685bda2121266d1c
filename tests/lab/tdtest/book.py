# SPDX-License-Identifier: GPL-2.0-or-later
"""What 200s have promised to phones, and whether nodes keep it."""
from collections import namedtuple

from .tap import Failure

Line = namedtuple("Line", "at user uri op status expires cseq ms via")

# Agreed time stands still while a death is being found out, and then makes up
# for it: a promise of 600 s may end some seconds early. A lost refresh shows as
# 100 s.
SLACK_S = 15


def lines(path):
    """tandem-phone's register book; a torn last line is left out."""
    out = []
    with open(path) as f:
        for text in f:
            v = text.split()
            if not text.endswith("\n") or len(v) != 9:
                continue
            out.append(Line(int(v[0]), v[1], v[2], v[3], *map(int, v[4:])))
    return out


class Book:
    """Contacts by (user, uri): bound until a time (unix s), gone, or nobody
    knows, since the last request had no 200."""

    def __init__(self):
        self.bound, self.gone, self.unknown = {}, set(), set()

    def enter(self, entries):
        for e in entries:
            if e.op == "clear":
                self._clear(e)
                continue
            key = (e.user, e.uri)
            self.bound.pop(key, None)
            self.gone.discard(key)
            self.unknown.discard(key)
            if e.status != 200:
                self.unknown.add(key)
            elif e.op == "delete":
                self.gone.add(key)
            else:
                self.bound[key] = e.at / 1000 + e.expires

    def _clear(self, e):
        mine = [k for k in list(self.bound) + list(self.unknown) +
                list(self.gone) if k[0] == e.user]
        for k in mine:
            self.bound.pop(k, None)
            self.unknown.discard(k)
            self.gone.discard(k)
            (self.gone if e.status == 200 else self.unknown).add(k)

    def faults(self, registrations, now):
        """What a node's `registration list` owes: texts, [] if nothing."""
        there = {(r["user"], c["uri"]): c["expires_s"]
                 for r in registrations for c in r["contacts"]}
        bad = []
        for key, until in self.bound.items():
            left = until - now
            if left < SLACK_S:
                continue        # expires soon
            if key not in there:
                bad.append("%s %s: promised, not there" % key)
            elif abs(there[key] - left) > SLACK_S:
                bad.append("%s %s: expires in %d s, promised %.1f"
                           % (*key, there[key], left))
        bad += ["%s %s: removed, there again" % k for k in self.gone
                if k in there]
        return bad

    def check(self, bench, nodes, now):
        """@param now() unix s, asked after the list: what is promised then is
        not more than what was promised when the list was made"""
        for node in nodes:
            rows = bench.tandem(node, "registration", "list")
            bad = self.faults(rows, now())
            if bad:
                raise Failure("%s: %d of %d registrations are wrong: %s" % (
                    node, len(bad), len(self.bound) + len(self.gone),
                    "; ".join(bad[:5])))


def silence_ms(entries, via, start, end):
    """The longest time without a 200 from an address, between two moments
    (unix s): what phones there had to wait."""
    at = sorted(e.at / 1000 for e in entries
                if e.status == 200 and e.via == via and start <= e.at / 1000
                <= end)
    at = [start] + at + [end]
    return max(b - a for a, b in zip(at, at[1:])) * 1000
