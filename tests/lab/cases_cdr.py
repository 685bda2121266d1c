# SPDX-License-Identifier: GPL-2.0-or-later
"""Call detail records: what stands in the database against what the
instruments saw."""
import time

from tdtest import cdr
from tdtest.phones import (A1, A2, Answering, answered, exchange_call,
                           exchange_status, phone_call)
from tdtest.tap import case, check, until


def near(what, ms, wanted_ms, off_ms=400):
    check(ms is not None and abs(ms - wanted_ms) <= off_ms,
          "%s: %s ms, %d expected", what, ms, wanted_ms)


def since(b, start_ms, legs):
    cdr.written(b)
    got = cdr.rows(b, "start_ms > %d" % start_ms)
    check(len(got) == legs, "%d rows for %d legs: %r", len(got), legs, got)
    check(not cdr.broken(b, start_ms), "records that cannot be")
    return got


@case("detail records: an answered call has both legs with times, channel and "
      "causes")
def both_legs(b):
    begin = cdr.newest(b)
    phone_call(b, "95550005", hold=3)
    a, out = since(b, begin, 2)
    check((a["direction"], a["kind"], a["unit"]) == ("in", "sip", "a1"),
          "%r", a)
    check((out["direction"], out["kind"]) == ("out", "isdn"), "%r", out)
    check(out["span"] in ("s1", "s2") and out["timeslot"], "%r", out)
    check((a["calling"], a["called"], out["number"]) ==
          ("1000", "95550005", "5550005"), "%r", out)
    for leg in (a, out):
        near("talk", leg["talk_ms"], 3000)
        check(leg["start_ms"] <= leg["answered_ms"] <= leg["ended_ms"],
              "%r", leg)
        check((leg["cause"], leg["own"]) == (16, True), "%r", leg)
    check((a["cleared_by"], out["cleared_by"]) == ("peer", "other"), "%r", a)
    wall_ms = int(1000 * time.time())
    near("agreed time", a["ended_ms"], wall_ms, 15000)
    listed = b.tandem("n2", "cdr", "list", "--limit", "1")[0]
    check(listed["id"] == a["call_id"], "%r", listed)
    check(len(b.tandem("n2", "cdr", "show", a["call_id"])) == 2, "cdr show")


@case("detail records: busy, unknown, given up and ringing calls say why they "
      "ended")
def causes(b):
    for target, more, cause, status, by in (
            ("95550003", (), 17, 486, "other"),
            ("95550007", (), 1, 404, "other"),
            ("3999", (), 3, 404, "node"),
            ("95550004", ("--cancel-after", "2"), 16, 487, "peer")):
        begin = cdr.newest(b)
        phone_call(b, target, more=more)
        cdr.written(b)
        a = cdr.rows(b, "start_ms > %d AND direction = 'in'" % begin)
        check(len(a) == 1, "%s: %r", target, a)
        a = a[0]
        check((a["cause"], a["sip_status"], a["cleared_by"]) ==
              (cause, status, by), "%s: %r", target, a)
        check(a["answered_ms"] is None and a["talk_ms"] == 0, "%r", a)
    near("ringing", a["duration_ms"], 2000, 600)
    check(a["alerting_ms"], "%r", a)


@case("detail records: a call over two nodes is one call, with the inner legs "
      "marked")
def two_nodes(b):
    begin = cdr.newest(b)
    with Answering(b, "1000", "pattern", via=A2):
        r = exchange_call(b, "5551000", hold=2, line="s1")
    check(answered(r) == 1, "%r", r["calls"])
    got = since(b, begin, 4)
    check(len({x["call_id"] for x in got}) == 1, "%r", got)
    check(sum(x["internal"] for x in got) == 2, "%r", got)
    check({x["node"] for x in got} == {"n1", "n2"}, "%r", got)
    seen = cdr.calls_since(b, begin)
    check(seen == (1, 1), "%r", seen)
    for leg in got:
        near("talk of leg %d" % leg["leg"], leg["talk_ms"], 2000)


@case("detail records: with the database stopped calls go on, and are caught "
      "up once each when it is back")
def database_away(b):
    rate, hold = 10, 1
    seconds = 60 if b.long else 12
    cdr.written(b)
    begin = cdr.newest(b)
    b.service("db", "stop", "postgres")
    try:
        r = exchange_call(b, "5552943", count=rate * seconds, rate=rate,
                          hold=hold)
        n = rate * seconds
        check(answered(r) == n, "%d of %d answered", answered(r), n)
        held = [cdr.waiting(b, (x,)) for x in ("n1", "n2")]
        check(all(h >= n for h in held), "on the disks: %r of %d", held, n)
    finally:
        b.service("db", "start", "postgres")
    at = time.monotonic()
    until(60, "the database is back", lambda: b.run(
        "db", *cdr.PSQL, "SELECT 1").returncode == 0, 0.2)
    cdr.written(b, 60)
    took = time.monotonic() - at
    calls, up = cdr.calls_since(b, begin)
    check((calls, up) == (n, n), "%d calls, %d answered, of %d", calls, up, n)
    check(not cdr.broken(b, begin), "%r", cdr.broken(b, begin)[:3])
    return "%d calls away, caught up %.1f s after its start" % (n, took)


@case("detail records: a killed daemon's calls are ended with cause 41 by who "
      "outlives it, once")
def killed(b):
    cdr.written(b)
    begin = cdr.newest(b)
    x = b.spawn("x", "tandem-exchange", "call", "--to", "5552943", "--line",
                "s1", "--count", "3", "--rate", "10", "--hold", "30",
                "--json")
    until(5, "three calls are up", lambda: len(
        [c for c in b.calls("n2") if c["state"] == "up"]) == 3)
    # they end at agreed time, which goes by seconds
    time.sleep(3)
    b.kill_process("n1", "tandemd")
    until(20, "their records are there", lambda: cdr.number(
        b, "SELECT count(*) FROM cdr WHERE start_ms > %d" % begin) >= 6, 0.2)
    until(30, "all D-channels are ready", lambda: all(
        line["ready"] and line["heard"] for line in exchange_status(b)["lines"]
        if line["name"] in ("s1", "s2", "s3", "s4")), 0.2)
    b.stop(x)
    b.idle(seconds=20)
    cdr.written(b)
    got = cdr.rows(b, "start_ms > %d AND NOT own" % begin)
    check(len(got) == 6, "%d rows: %r", len(got), got)
    for leg in got:
        check((leg["cause"], leg["cleared_by"], leg["node"]) ==
              (41, "death", "n1"), "%r", leg)
        check(leg["talk_ms"] > 1000, "%r", leg)
    check(not cdr.broken(b, begin), "%r", cdr.broken(b, begin))
