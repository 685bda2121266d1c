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


def exchange_call(bench, to, count=1, rate=10, hold=5, pattern=False,
                  to_last=None, line=None, more=(), seconds=None):
    """Calls placed by the exchange. @return its report"""
    cmd = ["tandem-exchange", "call", "--to", to, "--count", str(count),
           "--rate", str(rate), "--hold", str(hold), "--json", *more]
    cmd += ["--pattern"] if pattern else []
    cmd += ["--to-last", to_last] if to_last else []
    cmd += ["--line", line] if line else []
    out = bench.ok("x", *cmd, timeout=seconds or
                   30 + hold + count / rate)
    return parse(out, "tandem-exchange call")


def exchange_status(bench):
    return parse(bench.ok("x", "tandem-exchange", "status", "--json"),
                 "tandem-exchange status")


def exchange_idle(bench, seconds=8):
    """Nothing is left on the exchange's side: no call, no ghost, no busy
    channel."""
    def left():
        s = exchange_status(bench)
        busy = sum(x["busy_channels"] for x in s["lines"])
        return s["calls"] == 0 and s["ghosts"] == 0 and busy == 0
    until(seconds, "the exchange has calls left", left, 0.2)


def phone_call(bench, number, user="1000", via=A1, count=1, rate=10, hold=5,
               more=(), seconds=None):
    """Calls placed by tandem-phone. @return its report"""
    out = bench.run("p", "tandem-phone", "--user", user, "--via", via,
                    "--call", number, "--count", str(count), "--rate",
                    str(rate), "--hold", str(hold), "--json", *more,
                    timeout=seconds or 40 + hold + count / rate)
    check("{" in out.stdout, "tandem-phone: status %d: %s%s",
          out.returncode, out.stdout[-500:], out.stderr[-500:])
    return parse(out.stdout, "tandem-phone")


class Answering:
    """with Answering(bench, "1000", "pattern") as phone: …
    phone.report afterwards is what it tells at its end."""

    def __init__(self, bench, user, mode, via=A1, users=1, more=()):
        self.bench, self.report = bench, None
        self.user, self.via = user, via
        self.cmd = ["tandem-phone", "--user", user, "--users", str(users),
                    "--via", via, "--answer", mode, "--json", *more]

    def __enter__(self):
        ready = os.path.join(self.bench.tmp, "ready-%d" % time.monotonic_ns())
        self.p = self.bench.spawn("p", *self.cmd, "--ready", ready,
                                  name="phone")

        def registered():
            check(self.p.poll() is None, "tandem-phone ended: %s",
                  self.bench.output(self.p)[-500:])
            return os.path.exists(ready)
        until(15, "%s registers at %s" % (self.user, self.via), registered)
        return self

    def __exit__(self, kind, *_):
        out = self.bench.stop(self.p)
        if kind is None:
            self.report = parse(out, "tandem-phone")


def clean(report, calls, seconds, what):
    """Every call carried the pattern without a fault of the product; what a
    pause of this machine did is told apart and does not count."""
    p = report["summary"]["pattern"]
    check(answered(report) == calls, "%s: %d of %d answered: %r", what,
          answered(report), calls, report["summary"])
    check(p["synced"] == calls, "%s: pattern found in %d of %d: %r", what,
          p["synced"], calls, p)
    check(p["gaps"] == 0, "%s: %d gaps, longest %.1f ms: %r", what,
          p["gaps"], p["gap_ms_max"], gaps(report))
    wanted = 8000 * calls * seconds * 0.9
    check(p["octets"] >= wanted or p["gaps_machine"],
          "%s: only %d octets checked, %d expected", what, p["octets"],
          wanted)
    return "%s: %d octets, %d gaps by pauses of this machine" % (
        what, p["octets"], p["gaps_machine"])


def answered(report):
    return sum(c["result"] == "answered" for c in report["calls"])


def gaps(report):
    """(call, its gaps that are no pause of this machine), shortly"""
    return [(c["id"], c.get("line", c.get("user")), g["at_ms"], g["ms"],
             {k: g[k] for k in ("wrong", "missing", "lost", "repeated")
              if g[k]})
            for c in report["calls"]
            for g in c.get("pattern", {}).get("gaps", [])][:12]
