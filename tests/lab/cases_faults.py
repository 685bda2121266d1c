# SPDX-License-Identifier: GPL-2.0-or-later
"""Cut, deaf, stopped: the rules of failover.md while it lasts, and nothing
lost or returned afterwards. LAB_PARTITIONS=10 plays that many."""
import os
import random
import signal
import time

from tdtest import cdr, pcap
from tdtest.book import Book, silence_ms
from tdtest.load import (Callees, Load, clear, cleared, in_sync, recorded,
                         settled, views_equal)
from tdtest.phones import A1, A2, answered, exchange_status
from tdtest.tap import Failure, case, check, until
from tdtest.watch import Watch, at_home

LEASE_MS = 400          # failover.md, "Leases" rule 2
DETECT_MS = 800         # corosync's, at the lab's settings
MARGIN_MS = 150         # a heartbeat, a turn of the loop, a scheduler
ONCE_MS = 300           # a daemon that does not hang, and what a probe costs


def mended(b, book):
    """Everything is as if nothing had been."""
    took = in_sync(b)
    for n in ("n1", "n2"):
        until(10, "nothing is under way at " + n,
              lambda: settled(b, n) is None, 0.2)
    b.idle(seconds=15)
    views_equal(b)
    book.check(b, ["n1", "n2"], time.time)
    return took


def last_packet(path, source):
    """unix s of the last packet of a line from there; 0: none"""
    return max((p.at for p in pcap.packets(path) if p.src == source),
               default=0)


def partition(b, seconds, book):
    """n1 alone on one side. @return note"""
    begin = cdr.newest(b)
    load = Load(b, seconds + 4)
    load.until(2)
    with b.capture("x", "udp and src host 10.77.0.1 and portrange "
                   "21401-21404") as wire, Watch(b) as w:
        cut = time.time()
        b.lab_do("cut", "n1", "n2,w")
        both = time.time()      # the cut was made in between
        load.until(2 + seconds)
        healed = time.time()
    b.lab_do("heal")
    r, entries, calls = load.result()
    book.enter(entries)
    took = mended(b, book)
    recorded(b, begin, calls)
    home = at_home(w, cut, healed, ONCE_MS)
    refused = [e for e in entries if e.via == 0 and e.status == 503
               and both < e.at / 1000 < healed]
    wrong = [e for e in entries if e.via == 0 and e.status == 200
             and both + 0.2 < e.at / 1000 < healed]
    at_n2 = [e for e in entries if e.via == 1 and e.status == 200
             and both < e.at / 1000 < healed]
    sent_ms = (last_packet(wire, "10.77.0.1") - both) * 1000
    pauses = w.paused_ms(cut, both + 1.5)
    check(not wrong, "n1 said 200 in a minority: %r", wrong[:3])
    check(refused, "n1 refused nobody")
    check(len(at_n2) > 50 * seconds, "n2 took only %d registrations",
          len(at_n2))
    check(sent_ms < LEASE_MS + MARGIN_MS + pauses,
          "n1 transmitted for %.0f ms after the cut", sent_ms)
    silent = silence_ms(entries, 1, cut, healed)
    check(silent < DETECT_MS + LEASE_MS + MARGIN_MS + pauses,
          "n2's phones waited for %.0f ms", silent)
    return "%d registrations at n2, %d refused at n1, n1 sent for %.0f ms, " \
        "n2's phones waited for %.0f ms, in sync %.1f s after, %s" % (
            len(at_n2), len(refused), sent_ms, silent, took, home)


@case("n1 cut off from n2 and w for 30 s under load: it refuses and falls "
      "silent in time, n2 goes on, nothing is lost, nothing returns")
@cleared
def partitions(b):
    n = int(os.environ.get("LAB_PARTITIONS", "1"))
    stop = float(os.environ.get("LAB_UNTIL", "inf"))
    notes = []
    with Callees(b):
        for k in range(n):
            if time.time() > stop:
                break
            notes.append(partition(b, 30, Book()))
            lines_ready(b)
            clear(b)            # a user has 16 contacts at most
    return "%d of %d: %s" % (len(notes), n, "; ".join(notes))


@case("the database stopped for a minute under load: no registration and no "
      "call is refused; all calls are caught up in SQL within a minute, once "
      "each")
@cleared
def database(b):
    seconds = float(os.environ.get("LAB_DB_S", "60"))
    book, begin = Book(), cdr.newest(b)
    with Callees(b):
        load = Load(b, seconds + 6)
        load.until(2)
        b.service("db", "kill", "postgres")
        load.until(2 + seconds)
        b.service("db", "start", "postgres")
        started = time.monotonic()
        until(60, "the configuration can be changed again", lambda: b.run(
            "n1", "tandem", "extension", "add", "4100").returncode == 0, 0.5)
        took = time.monotonic() - started
        b.ok("n1", "tandem", "extension", "del", "4100")
        r, entries, calls = load.result()
        check(not r["refused"] and not r["no_answer"], "refused: %r", r)
        for c in calls:
            check(set(c["summary"]["results"]) == {"answered"},
                  "calls: %r", c["summary"])
        # caught up within a minute of the database's return
        cdr.written(b, 60)
        caught = time.monotonic() - started
        n = sum(answered(c) for c in calls)
        found = cdr.calls_since(b, begin)
        check(found == (n, n), "%r calls in SQL, %d answered", found, n)
        book.enter(entries)
        mended(b, book)
        recorded(b, begin, calls)
    return "%.0f s without it: %d registrations, %d calls answered; used " \
        "again after %.1f s, all records in SQL %.1f s after its start" % (
            seconds, len(entries), n, took, caught)


def lines_ready(b):
    until(30, "all D-channels are ready", lambda: all(
        x["ready"] and x["heard"] for x in exchange_status(b)["lines"]
        if x["name"] in ("s1", "s2", "s3", "s4")), 0.2)


class Cut:
    """One way, on one network or both."""
    seconds = 3

    def __init__(self, a, b, net=None):
        self.args = [a, b, "--oneway"] + (["--net", net] if net else [])
        self.text = "%s deaf to %s%s" % (b, a, " on " + net if net else "")

    def begin(self, b):
        b.lab_do("cut", *self.args)

    def end(self, b):
        b.lab_do("heal")


class Stopped:
    """corosync hangs: CPG is full, or blocked, for the others too."""

    def __init__(self, node, seconds):
        self.node, self.seconds = node, seconds
        self.text = "corosync of %s stopped for %g s" % (node, seconds)

    def begin(self, b):
        self.pid = int(b.ok(self.node, "td-service", "pid", "corosync"))
        os.kill(self.pid, signal.SIGSTOP)

    def end(self, b):
        os.kill(self.pid, signal.SIGCONT)


class Lossy:
    """Tokens are lost: a fifth of everything between the nodes."""
    text = "a fifth of all packets between n1, n2 and w lost"
    seconds = 3

    def begin(self, b):
        for x, y in (("n1", "n2"), ("n1", "w"), ("n2", "w")):
            b.lab_do("loss", x, y, "20")

    def end(self, b):
        b.lab_do("heal")


class Witness:
    """It freezes, and is switched off and on."""

    def __init__(self, seconds, off):
        self.seconds, self.off = seconds, off
        self.text = "w %s for %g s" % ("off" if off else "frozen", seconds)

    def begin(self, b):
        b.lab_do("kill" if self.off else "freeze", "w")

    def end(self, b):
        b.lab_do("start" if self.off else "thaw", "w")


def play(b, fault, book):
    """@return note. The daemons answer all the time; phones at both nodes may
    be refused for as long as it takes, but are told so."""
    load = Load(b, 3 + fault.seconds, rate=100, calls=0)
    with Watch(b) as w:
        load.until(1)
        start = time.time()
        fault.begin(b)
        try:
            time.sleep(fault.seconds)
        finally:
            fault.end(b)
        end = time.time()
        took = in_sync(b)
    r, entries, _ = load.result()
    book.enter(entries)
    mended(b, book)
    wait = at_home(w, start, end, ONCE_MS)
    late = max((e.ms for e in entries if e.status), default=0)
    unheard = sum(e.status == 0 for e in entries)
    limit = (end - start) * 1000 + DETECT_MS + LEASE_MS + \
        w.paused_ms(start, end)
    check(late < limit and not unheard, "REGISTERs waited for %d ms (limit "
          "%.0f), %d in vain", late, limit, unheard)
    return "%s: %s, REGISTER answered in %d ms at most, %d never; %d of 503; " \
        "silent %.0f and %.0f ms; in sync after %.1f s" % (
            fault.text, wait, late, unheard,
            r["refused"].get("503", 0), silence_ms(entries, 0, start, end),
            silence_ms(entries, 1, start, end), took)


def several(b, faults):
    book, notes = Book(), []
    for f in faults:
        try:
            notes.append(play(b, f, book))
        except Failure as e:
            raise Failure("%s: %s\n%s" % (f.text, e, "\n".join(notes)))
    return "\n".join([""] + notes)


@case("deaf one way, on one network and on both: nobody hangs, nothing is "
      "lost")
@cleared
def one_way(b):
    long = [Cut("n2", "n1", "lan"), Cut("n2", "n1"), Cut("w", "n2")]
    return several(b, [Cut("n1", "n2", "cluster"), Cut("n1", "n2"),
                       Cut("n1", "w")] + (long if b.long else []))


@case("corosync stopped, tokens lost, the witness frozen and off: nobody "
      "hangs, nothing is lost")
@cleared
def stopped(b):
    long = [Stopped("n2", 1), Stopped("n2", 10), Witness(30, False)]
    return several(b, [Stopped("n1", 3), Lossy(), Witness(5, False),
                       Witness(3, True)] + (long if b.long else []))
