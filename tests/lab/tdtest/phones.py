# SPDX-License-Identifier: GPL-2.0-or-later
"""Phones and the exchange, as the cases use them."""
import glob
import json
import os
import time

from .bench import TREE
from .tap import Failure, check, until

A1, A2 = "10.77.0.11", "10.77.0.12"


class Baresip:
    """Debian's baresip in the machine p, driven by its standard input."""

    def __init__(self, bench, ext, via=A1, transport="udp", **env):
        self.bench = bench
        self.dir = os.path.join(bench.tmp, "baresip-%s-%d"
                                % (ext, time.monotonic_ns()))
        self.p = bench.spawn("p", os.path.join(TREE, "deploy/lab/phone"),
                             ext, via, transport, name="baresip",
                             env=dict(DIR=self.dir, **env))
        until(15, "baresip registers " + ext, self.registered, 0.1)

    def registered(self):
        check(self.p.poll() is None, "baresip ended: %s",
              self.text()[-800:])
        return "200 OK" in self.text()

    def text(self):
        return self.bench.output(self.p)

    def press(self, keys):
        self.p.stdin.write(keys)
        self.p.stdin.flush()

    def dial(self, number, seconds=10):
        before = self.text().count("Call established")
        self.press("d%s\n" % number)
        until(seconds, "baresip's call to %s is answered" % number,
              lambda: self.text().count("Call established") > before, 0.1)

    def recording(self):
        """What it has heard in its (only) call."""
        found = glob.glob(self.dir + "/dump-*-dec.wav")
        check(len(found) == 1, "recordings: %r", found)
        return found[0]

    def quit(self):
        self.press("b")
        time.sleep(0.3)
        self.press("q")
        try:
            self.bench.finished(self.p, 5)
        except Failure:
            pass


def parse(text, what):
    """The last JSON document that an instrument printed."""
    at = text.find("{")
    try:
        return json.loads(text[at:])
    except ValueError:
        raise Failure("%s: no JSON: %.500s" % (what, text))
