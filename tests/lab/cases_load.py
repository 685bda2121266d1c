# SPDX-License-Identifier: GPL-2.0-or-later
"""Many calls, full lines, and what is left afterwards."""
import os
import time

from tdtest.phones import (A1, A2, Answering, answered, clean, exchange_call,
                           exchange_idle, exchange_status, parse, phone_call)
from tdtest.tap import Failure, case, check, until

CHANNELS = 120


def usage(b):
    """{node: (descriptors, kB resident)} of the daemons"""
    out = {}
    for node in ("n1", "n2"):
        pid = b.pids(node, "tandemd")[0]
        with open("/proc/%d/status" % pid) as f:
            rss = [x for x in f if x.startswith("VmRSS")][0].split()[1]
        out[node] = (len(os.listdir("/proc/%d/fd" % pid)), int(rss))
    return out


def many(b, hold, rate=10):
    """120 calls: 60 from the exchange, 60 from phones, 60 at each node.
    @return (exchange's report, phones' reports)"""
    half = CHANNELS // 4
    with Answering(b, "1100", "pattern", via=A1, users=half,
                   more=("--sip-port", "5090")) as in1, \
            Answering(b, "1200", "pattern", via=A2, users=half,
                      more=("--sip-port", "5091")) as in2:
        orders = []
        for user, via, number, port in (("1300", A1, "71", "5092"),
                                        ("1400", A2, "72", "5093")):
            orders.append(b.spawn(
                "p", "tandem-phone", "--user", user, "--users", str(half),
                "--via", via, "--sip-port", port, "--call",
                number + "5550005", "--count", str(half), "--rate",
                str(rate), "--hold", str(hold + 6), "--json", name="out"))
        for first, line in (("5551100", "s1"), ("5551115", "s2"),
                            ("5551200", "s3"), ("5551215", "s4")):
            last = str(int(first) + half // 2 - 1)
            orders.append(b.spawn(
                "x", "tandem-exchange", "call", "--to", first, "--to-last",
                last, "--count", str(half // 2), "--rate", str(rate / 2),
                "--hold", str(hold + 6), "--line", line, "--pattern",
                "--json", name="in"))
        until(30, "%d calls are up at once" % CHANNELS, lambda: sum(
            c["state"] == "up" for c in b.calls()) == CHANNELS, 0.3)
        nodes = [n["calls"] for n in b.tandem("n2", "status")["nodes"]]
        reports = [parse(b.finished(p, hold + 60)[1], p.cmd) for p in orders]
    return reports, [in1.report, in2.report], nodes


@case("120 calls at once, from both sides, 60 at each node: every pattern "
      "is clean, and nothing is left of them")
def full(b):
    hold = 60 if b.long else 10
    # routes that keep each node's phones on its own lines, half and half
    b.ok("n1", "tandem", "route", "add", "71", "--strip", "2", "--lines",
         "s1,s2")
    b.ok("n1", "tandem", "route", "add", "72", "--strip", "2", "--lines",
         "s3,s4")
    try:
        # once for what is allocated once, then measured
        before = usage(b)
        reports, phones, nodes = many(b, hold)
    finally:
        for prefix in ("71", "72"):
            b.ok("n1", "tandem", "route", "del", prefix)
    half = CHANNELS // 4
    notes, bad = [], []
    for r, n, what in (
            [(r, half, "phones out") for r in reports[:2]]
            + [(r, half // 2, "exchange out") for r in reports[2:]]
            + [(r, half, "phones in") for r in phones]):
        try:
            notes.append(clean(r, n, hold, what))
        except Failure as e:
            bad.append(str(e))
    b.idle()
    exchange_idle(b)
    for row in b.tandem("n1", "span", "list"):
        check(row["busy"] == 0, "%r", row)
    after = usage(b)
    for node, (fds, rss) in after.items():
        check(fds <= before[node][0] + 4, "%s: %d descriptors, %d before",
              node, fds, before[node][0])
    check(not bad, "%s", "\n".join(bad))
    check(nodes == [CHANNELS // 2] * 2, "calls at the nodes: %r", nodes)
    return "; ".join(notes) + "; nodes %r; usage %r then %r" % (
        nodes, before, after)


@case("all channels of all lines busy: a phone gets 503, with cause 34")
def all_busy(b):
    fill = b.spawn("p", "tandem-phone", "--user", "1500", "--users", "120",
                   "--via", A1, "--sip-port", "5094", "--call", "95550001",
                   "--count", "120", "--rate", "20", "--hold", "25",
                   "--json", name="fill")
    try:
        until(30, "all channels are busy", lambda: sum(
            row["busy"] for row in b.tandem("n1", "span", "list"))
            >= CHANNELS, 0.3)
        c = phone_call(b, "95550001", user="1700")["calls"][0]
        check((c["status"], c["cause"]) == (503, 34), "a phone: %r", c)
        s = exchange_status(b)
        check(all(x["busy_channels"] == 30 for x in s["lines"]
                  if x["name"] in ("s1", "s2", "s3", "s4")), "%r", s["lines"])
    finally:
        b.stop(fill)
        b.run("n1", "tandem", "call", "hangup", "all")
    b.idle(seconds=20)
    exchange_idle(b, 20)


@case("no line ever had two transmitters, no D-channel went down")
def lines_stood(b):
    for x in exchange_status(b)["lines"]:
        check(x["collisions"]["count"] == 0, "%s: %r", x["name"],
              x["collisions"])
        check(x["dchannel_downs"] == 0 and x["dchannel_ups"] >= 1,
              "%s: D-channel up %d, down %d times", x["name"],
              x["dchannel_ups"], x["dchannel_downs"])


@case("rounds of short calls leave neither memory nor descriptors behind")
def rounds(b):
    """SIP transactions stay for 32 s (64 * T1, RFC 3261 17.2.2) and take
    memory: so the first rounds last longer than that, and what they needed
    must be enough for the second ones."""
    count = 60 if b.long else 18

    def play():
        began = time.monotonic()
        for k in range(count):
            r = exchange_call(b, "5551800", to_last="5551819", count=20,
                              rate=40, hold=0.5)
            check(answered(r) == 20, "round %d: %r", k, r["summary"])
            left = began + 2 * (k + 1) - time.monotonic()
            if left > 0:
                time.sleep(left)
        b.idle()
        exchange_idle(b)
    with Answering(b, "1800", "echo", users=20, more=("--sip-port", "5095")):
        play()
        before = usage(b)
        play()
    after = usage(b)
    for node in after:
        fds, rss = after[node]
        check(fds <= before[node][0] + 2, "%s: %d descriptors, %d before",
              node, fds, before[node][0])
        check(rss <= before[node][1] + 2048, "%s: %d kB, %d before", node,
              rss, before[node][1])
    return "usage %r then %r" % (before, after)
