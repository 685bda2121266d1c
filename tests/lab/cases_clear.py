# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that end because something was taken away: the card, a line, the
quorum, a node. Whatever it is, both far ends are told, nothing is left."""
import os
import time

from tdtest.phones import (A1, A2, Answering, answered, exchange_call,
                           exchange_idle, exchange_status, parse, phone_call)
from tdtest.tap import case, check, until

OWN = ("s1", "s2", "s3", "s4")


def lines_up(b, seconds=30):
    """All lines are heard again and their D-channels ready, as the exchange
    sees them."""
    until(seconds, "all D-channels are ready", lambda: all(
        x["ready"] and x["heard"] for x in exchange_status(b)["lines"]
        if x["name"] in OWN), 0.2)


def line_of(b, name):
    return [x for x in exchange_status(b)["lines"] if x["name"] == name][0]


def up_calls(b, node="n1"):
    return [c for c in b.calls(node) if c["state"] == "up"]


def no_ghost(b, seconds=20):
    """Neither side has a call left, and a new one works."""
    b.idle(seconds=seconds)
    exchange_idle(b, seconds)


@case("a card process that is killed comes back; the calls on its lines go on")
def card_killed(b):
    x = b.spawn("x", "tandem-exchange", "call", "--to", "5552943", "--line",
                "s1", "--count", "2", "--rate", "10", "--hold", "10",
                "--pattern", "--json")
    until(5, "two calls are up", lambda: len(up_calls(b)) == 2)
    b.kill_process("n1", "tandem-spand")
    rc, out = b.finished(x, 40)
    r = parse(out, "tandem-exchange")
    check(answered(r) == 2, "%r", r["calls"])
    s = r["summary"]
    check(s["causes"] == {"16": 2} and s["cleared_by"] == {"us": 2},
          "%r", s)
    # silent while the card was away, then bit for bit again
    longest = s["pattern"]["gap_ms_max"]
    check(s["pattern"]["synced"] == 2 and longest < 4000, "%r", s)
    lines_up(b)
    no_ghost(b)
    with open(b.log_file("n1", "tandemd"), errors="replace") as f:
        log = f.read()
    check("CARD-GONE the" in log and "CARD-GONE is over" in log,
          "the log does not tell of it")
    return "longest gap %.0f ms" % longest
