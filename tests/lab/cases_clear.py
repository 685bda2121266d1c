# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that end because something was taken away: the card, a line, the
quorum, a node. Whatever it is, both far ends are told, nothing is left."""
import os
import time

from tdtest.phones import (A1, A2, Answering, answered, exchange_call,
                           exchange_idle, exchange_status, parse)
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


@case("a call that the exchange clears while the card is away ends here when "
      "it is back")
def card_away(b):
    phone = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                    "--call", "95550001", "--hold", "60", "--json")
    until(10, "the call is up", lambda: len(up_calls(b)) == 1)
    b.service("n1", "stop", "tandem-spand")
    try:
        b.ok("x", "tandem-exchange", "hangup", "--json")
        time.sleep(1)
        check(len(up_calls(b, "n2")) == 1, "it did not wait for the card")
    finally:
        b.service("n1", "start", "tandem-spand")
    rc, out = b.finished(phone, 30)
    c = parse(out, "tandem-phone")["calls"][0]
    check(c["cleared_by"] == "peer", "%r", c)
    lines_up(b)
    no_ghost(b)
    return "the phone was told cause %r" % c["cause"]


def import_site(b, text):
    path = os.path.join(b.tmp, "site-%d.yaml" % time.monotonic_ns())
    with open(path, "w") as f:
        f.write(text)
    b.ok("n1", "tandem", "config", "import", path)


def rows(b, span):
    return [r for r in b.tandem("n1", "span", "list") if r["span"] == span]


@case("a line that a generation takes out clears its calls at the exchange "
      "(cause 31) and leaves the view; put back, it works again")
def line_removed(b):
    good = b.ok("n1", "tandem", "config", "export")
    line = [t for t in good.splitlines() if "name: s2," in t]
    check(len(line) == 1, "one line of the document is s2: %r", line)
    # nobody may name a line that is not there
    x = b.spawn("x", "tandem-exchange", "call", "--to", "5552943", "--line",
                "s2", "--count", "3", "--rate", "20", "--hold", "30",
                "--json")
    stay = b.spawn("x", "tandem-exchange", "call", "--to", "5552943",
                   "--line", "s1", "--hold", "8", "--pattern", "--json")
    until(5, "four calls are up", lambda: len(up_calls(b)) == 4)
    import_site(b, good.replace(line[0] + "\n", ""))
    try:
        rc, out = b.finished(x, 10)
        r = parse(out, "tandem-exchange")
        check(r["summary"]["causes"] == {"31": 3} and
              r["summary"]["cleared_by"] == {"peer": 3}, "%r", r["summary"])
        until(5, "s2 leaves the view", lambda: not rows(b, "s2"))
        until(5, "the exchange hears nobody on s2",
              lambda: not line_of(b, "s2")["heard"])
    finally:
        import_site(b, good)
    rc, out = b.finished(stay, 40)
    r = parse(out, "tandem-exchange")
    check(answered(r) == 1 and r["summary"]["pattern"]["gaps"] == 0,
          "the call on s1: %r", r)
    lines_up(b)
    check(len(rows(b, "s2")) == 2, "%r", rows(b, "s2"))
    r = exchange_call(b, "5552943", hold=1, line="s2")
    check(answered(r) == 1, "%r", r["calls"])
    no_ghost(b)


@case("no free channel: a call that would go out on a full line is cause 34 "
      "at the exchange")
def cause_34(b):
    b.ok("n1", "tandem", "route", "add", "5559", "--strip", "7", "--add",
         "5550001", "--lines", "s2", "--transit")
    b.ok("n1", "tandem", "route", "add", "72", "--strip", "2", "--lines",
         "s2")
    fill = b.spawn("p", "tandem-phone", "--user", "1500", "--users", "30",
                   "--via", A1, "--sip-port", "5094", "--call", "725550001",
                   "--count", "30", "--rate", "20", "--hold", "20", "--json",
                   name="fill")
    try:
        until(15, "s2 is full", lambda: line_of(b, "s2")["busy_channels"]
              == 30, 0.2)
        c = exchange_call(b, "5559000", line="s1", hold=1)["calls"][0]
        check((c["result"], c["cause"]) == ("failed", 34), "%r", c)
    finally:
        b.stop(fill)
        b.run("n1", "tandem", "call", "hangup", "all")
        for prefix in ("5559", "72"):
            b.ok("n1", "tandem", "route", "del", prefix)
    no_ghost(b)


def cut_all(b):
    """Neither node hears the other or the witness."""
    for one, other in (("n1", "n2"), ("n1", "w"), ("n2", "w")):
        b.lab_do("cut", one, other)


@case("a call that is hung up while neither node has a quorum leaves no ghost "
      "at the exchange")
def no_quorum(b):
    """The gate holds DISCONNECT back; the channel gets RESTART when the line
    is back (Q.931 5.5), the one beside it does not."""
    phone = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                    "--call", "95550001", "--hold", "60", "--json")
    stay = b.spawn("p", "tandem-phone", "--user", "1001", "--via", A1,
                   "--sip-port", "5072", "--call", "95550001", "--hold",
                   "60", "--json")
    until(10, "two calls are up", lambda: len(up_calls(b)) == 2)
    restarts = {x["name"]: x["restarts"] for x in
                exchange_status(b)["lines"]}
    cut_all(b)
    try:
        until(5, "n1 has no quorum",
              lambda: not b.tandem("n1", "status")["quorate"])
        b.stop(phone)           # its BYE is not answered now
        time.sleep(6)           # LAPD gives up after 4 s
    finally:
        b.lab_do("heal")
    until(30, "n1 is back", lambda: b.tandem("n1", "status")["quorate"])
    lines_up(b)

    b.stop(stay)
    b.run("n1", "tandem", "call", "hangup", "all")
    no_ghost(b, 45)
    new = {x["name"]: x["restarts"] - restarts[x["name"]] for x in
           exchange_status(b)["lines"] if x["name"] in OWN}
    check(sum(new.values()) <= 2, "channels were restarted: %r", new)
    r = exchange_call(b, "5552943", hold=1, line="s1")
    check(answered(r) == 1, "%r", r["calls"])
    return "RESTARTs per line: %r" % new


@case("a node that loses its power takes half of three calls along: the other "
      "halves are cleared with cause 41")
def node_dies(b):
    b.ok("n1", "tandem", "route", "add", "8", "--strip", "1", "--lines", "s3")
    try:
        with Answering(b, "1010", "echo", via=A2, more=("--sip-port",
                                                        "5083")):
            out = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                          "--call", "85550001", "--hold", "40", "--json")
            line = b.spawn("x", "tandem-exchange", "call", "--to", "5551010",
                           "--line", "s1", "--hold", "40", "--json")
            sip = b.spawn("p", "tandem-phone", "--user", "1001", "--via", A1,
                          "--sip-port", "5072", "--call", "1010", "--hold",
                          "40", "--json")
            until(10, "three calls are up", lambda: len(up_calls(b)) == 3)
            b.lab_do("kill", "n2")
            began = time.monotonic()
            for p, what in ((out, "tandem-phone"), (sip, "tandem-phone"),
                            (line, "tandem-exchange")):
                rc, text = b.finished(p, 15)
                c = parse(text, what)["calls"][0]
                check((c["cleared_by"], c["cause"]) == ("peer", 41),
                      "%s: %r", p.cmd, c)
            took = time.monotonic() - began
            b.idle(("n1",), 5)
    finally:
        b.lab_do("start", "n2")
        until(30, "n1 sees n2 again", lambda: len(
            [n for n in b.tandem("n1", "status")["nodes"]
             if n["state"] == "up"]) == 2, 0.2)
        b.ok("n1", "tandem", "route", "del", "8")
    lines_up(b, 60)
    no_ghost(b)
    return "all three knew %.1f s after the power went" % took


@case("a daemon whose corosync dies ends at once with status 1 and comes back; "
      "no ghost stays at the exchange")
def cluster_lost(b):
    x = b.spawn("x", "tandem-exchange", "call", "--to", "5552943", "--line",
                "s1", "--count", "2", "--rate", "10", "--hold", "30",
                "--json")
    until(5, "two calls are up", lambda: len(up_calls(b)) == 2)
    old = b.pids("n1", "tandemd")
    b.kill_process("n1", "corosync")
    began = time.monotonic()
    until(3, "tandemd at n1 ends",
          lambda: not set(old) & set(b.pids("n1", "tandemd")), 0.01)
    took = time.monotonic() - began
    with open(b.log_file("n1", "tandemd"), errors="replace") as f:
        log = f.read()
    check("CLUSTER-LOST" in log, "the log does not tell of it")
    check("tandemd ended with status 1" in log, "its status: %s", [
        t for t in log.splitlines() if "ended with status" in t])
    until(40, "n1 is back", lambda: b.run(
        "n1", "tandem", "status", "--json").returncode == 0, 0.2)
    lines_up(b, 60)
    b.stop(x)
    no_ghost(b, 30)
    r = exchange_call(b, "5552943", hold=1, line="s1")
    check(answered(r) == 1, "%r", r["calls"])
    return "ended %.0f ms after its corosync" % (1000 * took)
