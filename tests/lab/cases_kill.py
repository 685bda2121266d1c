# SPDX-License-Identifier: GPL-2.0-or-later
"""Sudden ends under 500 REGISTER/s and 20 calls/s: nothing that a phone was
promised may be lost. LAB_KILLS=200 plays more of them, LAB_SEED=N the same
again, LAB_UNTIL (unix s) is when to stop."""
import os
import random
import time

from tdtest import cdr
from tdtest.book import Book, silence_ms
from tdtest.load import (Callees, Load, clear, cleared, in_sync, recorded,
                         settled, views_equal)
from tdtest.phones import answered
from tdtest.tap import Failure, case, check, until

KINDS = [(what, node) for what in ("daemon", "corosync", "machine")
         for node in ("n1", "n2")]
LOAD_S = 7
OTHER = {"n1": "n2", "n2": "n1"}


def rounds(n, rng):
    """Each kind as often as the others, in any order."""
    out = []
    while len(out) < n:
        some = KINDS[:]
        rng.shuffle(some)
        out += some
    return out[:n]


def hit(b, what, node):
    if what == "machine":
        b.lab_do("kill", node)
    else:
        b.kill_process(node, {"daemon": "tandemd"}.get(what, what))


def one(b, rng, what, node, book):
    """@return (200s, calls answered, ms without a 200 at the survivor)"""
    survivor, begin = OTHER[node], cdr.newest(b)
    back_s = rng.choice((None, rng.uniform(0.5, 1.5)))
    load = Load(b, LOAD_S)
    load.until(rng.uniform(1.0, 4.0))
    at = time.time()
    hit(b, what, node)
    if what == "machine" and back_s:
        # back under load
        time.sleep(1.2 + back_s)
        b.lab_do("start", node)
    r, entries, calls = load.result()
    end = load.start + LOAD_S
    book.enter(entries)
    book.check(b, [survivor], time.time)
    if what == "machine" and not back_s:
        b.lab_do("start", node)
    in_sync(b)
    until(10, "nothing is under way at " + survivor,
          lambda: settled(b, survivor) is None, 0.2)
    b.idle(seconds=15)
    views_equal(b)
    book.check(b, [node], time.time)
    recorded(b, begin, calls)
    ok = r["put"] + r["refresh"] + r["delete"]
    check(ok > 0.3 * LOAD_S * 500, "only %d registrations: %r", ok, r)
    return ok, sum(answered(c) for c in calls), silence_ms(
        entries, {"n1": 0, "n2": 1}[survivor], at, end)


@case("killed at random moments under load (daemon, corosync, machine): every "
      "registration that got its 200 is there, every call stands once in SQL, "
      "views are equal afterwards")
@cleared
def kills(b):
    n = int(os.environ.get("LAB_KILLS", "6"))
    seed = int(os.environ.get("LAB_SEED", "0")) or random.randrange(1, 10 ** 9)
    stop = float(os.environ.get("LAB_UNTIL", "inf"))
    rng, book = random.Random(seed), Book()
    played, oks, calls, longest = 0, 0, 0, {}
    with Callees(b):
        for what, node in rounds(n, rng):
            if time.time() > stop:
                break
            try:
                ok, up, silent = one(b, rng, what, node, book)
            except Failure as e:
                raise Failure("LAB_SEED=%d, round %d, %s of %s: %s"
                              % (seed, played + 1, what, node, e))
            played, oks, calls = played + 1, oks + ok, calls + up
            longest[what] = max(longest.get(what, 0), silent)
            if played % 6 == 0:
                clear(b)        # a user has 16 contacts at most
                book = Book()
    return "seed %d: %d rounds of %d, %d registrations, %d calls answered; " \
        "longest wait at the survivor: %s" % (
            seed, played, n, oks, calls, ", ".join(
                "%s %.0f ms" % x for x in sorted(longest.items())))
