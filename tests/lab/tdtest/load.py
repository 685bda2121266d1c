# SPDX-License-Identifier: GPL-2.0-or-later
"""500 REGISTER/s and 20 calls/s over a1 and a2, and the state of a cluster
that has to keep what they were promised."""
import contextlib
import os
import time

from . import cdr
from .book import lines
from .phones import A1, A2, answered, parse
from .tap import Failure, check, until

USERS, CALLERS, CALLEES = ("2000", 900), ("2900", "2920"), ("2960", "2970")


def register(b, rate, seconds, port, book, *more):
    return b.spawn("p", "tandem-phone", "--register-load", str(rate),
                   "--user", USERS[0], "--users", str(USERS[1]), "--via",
                   A1 + "," + A2, "--timeout", "4", "--contact-port",
                   str(port), "--for", str(seconds), "--log", book, "--json",
                   *more, name="registers")


def clear(b, seconds=60):
    """Everybody's registrations are removed."""
    out = b.ok("p", "tandem-phone", "--register-load", "300", "--clear",
               "--user", USERS[0], "--users", str(USERS[1]), "--via",
               A1 + "," + A2, "--timeout", "4", "--json", timeout=seconds)
    r = parse(out, "tandem-phone")
    check(r["clear"] == USERS[1], "not all registrations are removed: %r", r)


def cleared(fn):
    """A case whose registrations do not stay, whatever becomes of it."""
    def play(b):
        try:
            note = fn(b)
        except BaseException:
            for p in list(b.children):
                b.stop(p)
            b.tandem_lab("heal")
            with contextlib.suppress(Failure):
                clear(b)
            raise
        clear(b)
        return note
    return play


class Callees:
    """with Callees(b): ten phones at each address, which answer."""

    def __init__(self, bench):
        self.bench, self.p = bench, []

    def __enter__(self):
        ready = []
        for user, via in zip(CALLEES, (A1, A2)):
            ready.append(os.path.join(self.bench.tmp, "ready-%s-%d" % (
                user, time.monotonic_ns())))
            self.p.append(self.bench.spawn(
                "p", "tandem-phone", "--user", user, "--users", "10", "--via",
                via, "--answer", "nothing", "--lines", "100", "--ready",
                ready[-1], "--json", name="callees"))
        until(15, "the callees register",
              lambda: all(os.path.exists(f) for f in ready))
        return self

    def __exit__(self, *_):
        for p in self.p:
            self.bench.stop(p)


class Load:
    """Runs for so many seconds; result() waits for its end."""
    port = 10000

    def __init__(self, bench, seconds, rate=500, calls=20, hold=2):
        self.bench, self.seconds = bench, seconds
        self.file = os.path.join(bench.tmp, "book-%d" % time.monotonic_ns())
        self.callers = []
        for user, via in zip(CALLERS, (A1, A2)) if calls else ():
            self.callers.append(bench.spawn(
                "p", "tandem-phone", "--user", user, "--users", "20", "--via",
                via, "--media", "nothing", "--call", CALLEES[0],
                "--call-last", str(int(CALLEES[1]) + 9), "--count",
                str(int(calls * seconds / 2)), "--rate", str(calls / 2),
                "--hold", str(hold), "--timeout", "3", "--for",
                str(seconds + hold + 4), "--json", name="callers"))
        self.registers = register(bench, rate, seconds, Load.port, self.file)
        # of contacts that nobody has used yet in this lab
        Load.port += 4 + int(seconds * rate / USERS[1])
        if Load.port > 50000:
            Load.port = 10000
        until(5, "the load begins", lambda: os.path.exists(self.file))
        self.start = time.time()

    def until(self, second):
        """Waits for a moment of it."""
        time.sleep(max(0, self.start + second - time.time()))

    def result(self):
        """@return (register report, book's lines, callers' reports)"""
        rc, out = self.bench.finished(self.registers, self.seconds + 20)
        check(rc == 0, "the register load: status %d: %s", rc, out[-400:])
        r = parse(out, "tandem-phone")
        calls = [parse(self.bench.finished(p, self.seconds + 40)[1], "callers")
                 for p in self.callers]
        check(r["wrong_200"] == 0 and r["strange"] == 0,
              "answers contradict their requests: %r", r)
        return r, lines(self.file), calls


def settled(b, node):
    """Does the node say that nothing is under way? @return what is, or
    None"""
    p = b.run(node, "tandem", "cluster", "dump", "--json")
    if p.returncode:
        return (p.stdout + p.stderr).strip()[-200:]
    c = parse(p.stdout, "cluster dump")["cluster"]
    if c["state"] != "running" or c["pending_ops"] or c["pending_effects"]:
        return {k: c[k] for k in ("state", "pending_ops", "pending_effects")}
    return None


def in_sync(b, nodes=("n1", "n2"), seconds=40):
    """Every node is there, up, and waited for by the others."""
    def all_there():
        status = b.json_at_once(nodes, "tandem", "status", "--json")
        if not all(s and s["quorate"] and set(nodes) <= {
                n["name"] for n in s["nodes"] if n["state"] == "up"}
                for s in status):
            return False
        dumps = b.json_at_once(nodes, "tandem", "cluster", "dump", "--json")
        return all(d and len(d["cluster"]["in_sync"]) >= len(nodes) - 1
                   for d in dumps)
    began = time.monotonic()
    until(seconds, "all nodes are in sync again", all_there, 0.1)
    return time.monotonic() - began


def recorded(b, begin, reports):
    """Every call that a phone saw answered stands once in the database, each
    leg of it once; who was killed has its calls ended by those who outlived
    it. @param begin cdr.newest() before the calls. @return calls in SQL"""
    cdr.written(b)
    calls, up = cdr.calls_since(b, begin)
    seen = sum(answered(r) for r in reports)
    placed = sum(len(r["calls"]) for r in reports)
    check(seen <= up <= placed, "%d calls answered in SQL, %d seen by the "
          "phones, of %d", up, seen, placed)
    bad = cdr.broken(b, begin)
    check(not bad, "%d calls whose records cannot be: %r", len(bad), bad[:5])
    return calls


def views_equal(b, nodes=("n1", "n2"), seconds=30):
    """Octets of the views at the same place of the same history. The clock's
    ticks move the place once a second, so it is asked until they meet."""
    seen = []

    def meet():
        v = b.json_at_once(nodes, "tandem", "cluster", "view", "--json")
        seen[:] = v
        return None not in v and len({
            (x["lineage"], x["index"]) for x in v}) == 1
    until(seconds, "the nodes' views stand at the same place", meet, 0)
    if len({x["sha256"] for x in seen}) != 1:
        raise Failure("views differ at (%s, %d): %r" % (
            seen[0]["lineage"], seen[0]["index"],
            [(x["sha256"][:16], x["octets"]) for x in seen]))
    return seen[0]
