# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes that ask all the time while something is done to a cluster."""
import os
import sys

from .phones import A1, A2, parse
from .tap import check

PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe.py")


class Watch:
    """with Watch(b) as w: … ; then w.sip[A1], w.control["n1"]: lists of
    (unix s, ms or None, status)"""

    def __init__(self, bench, nodes=("n1", "n2")):
        self.bench, self.nodes = bench, nodes
        self.sip, self.control, self.pauses = {}, {}, []

    def __enter__(self):
        python = sys.executable or "python3"
        self.p = [self.bench.spawn("p", python, PROBE, "sip", A1, A2,
                                   name="probe")]
        for n in self.nodes:
            self.p.append(self.bench.spawn(n, python, PROBE, "control",
                                           name="probe"))
        return self

    def __exit__(self, kind, *_):
        out = [self.bench.stop(p) for p in self.p]
        if kind:
            return
        r = [parse(t, "probe") for t in out]
        self.sip, self.pauses = r[0]["asked"], r[0]["pauses"]
        for x in r[1:]:
            self.control.update(x["asked"])
            self.pauses += x["pauses"]
        check(all(len(v) > 10 for v in self.sip.values()), "few probes: %r",
              {k: len(v) for k, v in self.sip.items()})

    def paused_ms(self, start, end):
        """What this machine did not run between two moments; a pause is told
        when it is over."""
        return sum(ms for at, ms in self.pauses
                   if start <= at and at - ms / 1000 - 0.2 <= end)

    def waits(self, asked, start, end):
        """(unix s, ms): how long nobody was at home, from a question to the
        first answer to it or to a later one."""
        since = None
        for at, ms, _ in asked:
            if not start <= at <= end:
                continue
            if ms is None:
                since = at if since is None else since
                continue
            if since is not None:
                yield since, (at - since) * 1000 + ms
            yield at, ms
            since = None
        if since is not None:
            yield since, (min(end, asked[-1][0]) - since) * 1000


def at_home(w, start, end, limit_ms, sip=(A1, A2), nodes=("n1", "n2")):
    """Everybody answers within the limit; what this machine paused meanwhile
    is taken off. @return what was seen, as text"""
    asked = [(a, w.sip[a]) for a in sip]
    asked += [(n + " control", w.control[n]) for n in nodes]
    bad, worst = [], 0
    for name, a in asked:
        for at, ms in w.waits(a, start, end):
            paused = w.paused_ms(at, at + ms / 1000)
            worst = max(worst, ms)
            if ms - paused > limit_ms:
                bad.append("%s %.0f ms (%.0f paused)" % (name, ms, paused))
    check(not bad, "no answer for more than %.0f ms: %s", limit_ms,
          ", ".join(bad[:6]))
    return "longest wait %.0f ms" % worst
