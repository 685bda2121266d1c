# SPDX-License-Identifier: GPL-2.0-or-later
"""Single calls in the duplex lab, as they are heard and as they are seen."""
import os
import signal
import time

from tdtest import audio, pcap
from tdtest.pauses import Pauses
from tdtest.phones import (A1, A2, Answering, Baresip, answered, clean,
                           exchange_call, exchange_idle, exchange_status,
                           gaps, parse, phone_call)
from tdtest.tap import case, check, until

CLICKS_A_PAUSE = 6
N1, N2, P, X = "10.77.0.1", "10.77.0.2", "10.77.0.101", "10.77.0.201"


def hear_tone(b, seconds, **how):
    """baresip dials 95550002. @return what it heard, shortly"""
    phone = Baresip(b, "1000", **how)
    phone.dial("95550002")
    with Pauses() as pauses:
        time.sleep(seconds)
    phone.quit()
    rate, heard = audio.read_wav(phone.recording())
    check(len(heard) > 4 * rate, "only %.1f s recorded", len(heard) / rate)
    heard = heard[rate:]
    found = audio.tones(heard, rate)
    check(found, "silence")
    hz, level = found[0]
    check(abs(hz - 1004) <= 1, "%.2f Hz", hz)
    check(abs(level + 10) <= 1, "%.2f dBm0", level)
    others = [t for t in found[1:] if t[1] > -40]
    check(not others, "other tones: %r", others)
    clicks = audio.clicks(heard, rate, hz)
    # a pause of this machine may empty a buffer, and the frames around it
    excused = CLICKS_A_PAUSE * len(pauses.seen)
    check(len(clicks) <= excused, "%d unsteady frames of 20 ms, and pauses of "
          "this machine: %r; frames (s, dB): %r", len(clicks), pauses.seen,
          clicks[:12])
    return "%.2f Hz, %.2f dBm0, %d unsteady frames of 20 ms, %d pauses" % (
        hz, level, len(clicks), len(pauses.seen))


@case("baresip registers as 1000 at a1, dials 95550002 and hears 1004 Hz at "
      "-10 dBm0, no other tone and no click")
def tone(b):
    return hear_tone(b, 6)


@case("so it does by TCP and with µ-law at a2")
def tone_mulaw(b):
    return hear_tone(b, 6, via=A2, transport="tcp", CODEC="pcmu")


@case("a phone and 95550005 exchange the pattern bit for bit, both ways")
def continuity(b):
    hold = 60 if b.long else 10
    before = exchange_status(b)["mono_ms"]
    mine = phone_call(b, "95550005", hold=hold)
    theirs = their_report(b, before)
    return "; ".join((clean(mine, 1, hold, "heard by the phone"),
                      clean(theirs, 1, hold, "heard by the exchange")))


def their_report(b, since_mono_ms):
    """The exchange's word on the calls that came to it since then."""

    r = parse(b.ok("x", "tandem-exchange", "report", "--json"), "report")
    up = exchange_status(b)
    start = up["mono_ms"] - up["uptime_ms"]
    calls = [c for c in r["calls"] if c["direction"] == "in"
             and c["start_ms"] + start >= since_mono_ms]
    s = {k: 0 for k in ("synced", "octets", "gaps", "gaps_machine")}
    longest = 0.0
    for c in calls:
        p = c.get("pattern")
        if p:
            s["synced"] += bool(p["synced"])
            s["octets"] += p["checked"]
            s["gaps"] += len(p["gaps"])
            s["gaps_machine"] += len(p["gaps_machine"])
            longest = max(longest, p["gap_ms_max"])
    s["gap_ms_max"] = longest
    return {"calls": calls, "summary": {
        "answered": sum(c["result"] == "answered" for c in calls),
        "pattern": s}}


@case("the exchange and the echo service 5552943 exchange the pattern bit "
      "for bit")
def echo(b):
    hold = 60 if b.long else 10
    return clean(exchange_call(b, "5552943", hold=hold, pattern=True), 1,
                 hold, "heard by the exchange")


@case("tshark decodes a line's packets and the traced D-channel without a "
      "malformed mark")
def decoded(b):
    trace = os.path.join(b.tmp, "dchannel.pcap")
    t = b.spawn("n1", "spanctl", "trace", "1", "-w", trace, name="trace")
    until(5, "the trace begins", lambda: os.path.exists(trace))
    with b.capture("n1", "udp port 21401") as line:
        exchange_call(b, "5552943", hold=1, line="s1")
    b.stop(t, signal.SIGINT)

    def lines(*args):
        out = b.run("p", "tshark", "-n", *args)
        check(out.returncode == 0, "tshark: %s", out.stderr)
        return out.stdout.splitlines()
    as_pw = ("-d", "udp.port==21401,pwcesopsn")
    n = len(lines("-r", line, *as_pw, "-Y", "pwcesopsn"))
    check(n > 1000, "%d pseudowire packets", n)
    bad = lines("-r", line, *as_pw, "-Y",
                "_ws.malformed or (udp.port==21401 and not pwcesopsn)")
    check(not bad, "malformed: %r", bad[:3])
    q931 = lines("-r", trace, "-Y", "q931", "-T", "fields", "-e",
                 "q931.message_type")
    for message in ("0x05", "0x07", "0x45"):    # SETUP CONNECT DISCONNECT
        check(message in q931, "no message %s in the trace: %r", message,
              sorted(set(q931)))
    bad = lines("-r", trace, "-Y", "_ws.malformed or not lapd")
    check(not bad, "malformed in the trace: %r", bad[:3])
    return "%d packets, %d messages" % (n, len(q931))


@case("with 1 % loss on the LAN a call stays; what was lost is concealed and "
      "counted")
def lossy(b):
    hold = 30 if b.long else 10
    b.lab_do("loss", "p", "n1", "1", "--net", "lan")
    try:
        order = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                        "--call", "95550005", "--hold", str(hold), "--json")

        def counted():
            up = [c for c in b.calls() if c["state"] == "up"]
            if not up:
                return None
            v = b.tandem("n1", "call", "show", up[0]["id"])["voice_here"][0]
            return v if v["rx_lost"] and v["concealed_ms"] else None
        v = until(hold, "a lost packet is counted", counted, 0.3)
        r = parse(b.finished(order, hold + 30)[1], "tandem-phone")
    finally:
        b.lab_do("heal")
    check(answered(r) == 1, "%r", r["summary"])
    pattern = r["summary"]["pattern"]
    check(pattern["synced"] == 1, "%r", pattern)
    longest = pattern["gap_ms_max"]
    check(longest < 200, "a gap of %.0f ms: %r", longest, gaps(r))
    return "node: %d packets lost by then, %d ms concealed; phone: %d gaps, " \
        "longest %.1f ms" % (v["rx_lost"], v["concealed_ms"],
                             pattern["gaps"], longest)


@case("a call that is put on hold and taken back goes on")
def hold(b):
    c = phone_call(b, "95550005", hold=6, more=(
        "--hold-at", "2", "--hold-for", "2"))["calls"][0]
    check(c["result"] == "answered" and c["held"], "%r", c)
    check(c["cleared_by"] == "us" and c["duration_ms"] >= 5900, "%r", c)
    # 2 s before it and 2 s behind: more than the first alone, and whole
    p = c["pattern"]
    check(p["synced"] and not p["gaps"], "not heard, or with gaps: %r", p)
    check(p["checked"] >= 8000 * 3 or p["gaps_machine"],
          "only %d octets heard: nothing after the hold?", p["checked"])
    b.idle()
    exchange_idle(b)


@case("a call from the exchange to 5551000 is heard both ways; cleared by "
      "the exchange it is cause 16 at the phone")
def incoming(b):
    hold = 5
    with Answering(b, "1000", "pattern") as phone:
        r = exchange_call(b, "5551000", hold=hold, pattern=True)
    note = clean(r, 1, hold, "heard by the exchange")
    note += "; " + clean(phone.report, 1, hold, "heard by the phone")
    c = phone.report["calls"][0]
    check(c["cause"] == 16, "the phone was told cause %r", c["cause"])
    return note


@case("cleared by the phone it is cause 16 at the exchange")
def cleared_by_phone(b):
    with Answering(b, "1000", "pattern"):
        order = b.spawn("x", "tandem-exchange", "call", "--to", "5551000",
                        "--hold", "20", "--json", name="order")
        until(5, "the call is up", lambda: [
            c for c in b.calls() if c["state"] == "up"])
    # a phone that ends says BYE
    r = parse(b.finished(order, 10)[1], "tandem-exchange call")
    c = r["calls"][0]
    check((c["cleared_by"], c["cause"]) == ("peer", 16), "%r", c)


@case("95550003 is 486, 95550007 is 404, an own number nobody has is 404")
def refused(b):
    for number, status in (("95550003", 486), ("95550007", 404),
                           ("3999", 404)):
        c = phone_call(b, number)["calls"][0]
        check(c["status"] == status, "%s: %r", number, c)


@case("95550004 rings, and CANCEL clears the channel")
def cancelled(b):
    c = phone_call(b, "95550004", more=("--cancel-after", "2"))["calls"][0]
    check(c["status"] == 487, "%r", c)
    check(c["alerting_ms"] is not None, "it never rang: %r", c)
    b.idle()
    exchange_idle(b)


@case("an unknown extension gives the exchange cause 1, a phone that is busy "
      "cause 17, one that is not there cause 20")
def causes(b):
    # 3999 is no extension: a DDI outside the ranges
    r = exchange_call(b, "5553999")["calls"][0]
    check(r["cause"] == 1, "5553999: %r", r)
    with Answering(b, "1003", "busy"):
        r = exchange_call(b, "5551003")["calls"][0]
        check(r["cause"] == 17, "busy: %r", r)
    r = exchange_call(b, "5551999")["calls"][0]
    check(r["cause"] in (18, 20), "not registered: %r", r)


@case("1000 at a1 calls 1001 at a2: RTP goes from phone to phone, both nodes "
      "list the call")
def direct(b):
    hold = 6
    with Answering(b, "1001", "pattern", via=A2) as phone, \
            b.capture("n1", "udp portrange 20000-29999") as at1, \
            b.capture("n2", "udp portrange 20000-29999") as at2:
        caller = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                         "--sip-port", "5070", "--call", "1001",
                         "--count", "1", "--hold", str(hold), "--json")
        for node in ("n1", "n2"):
            calls = until(5, node + " lists the call", lambda: [
                c for c in b.calls(node) if c["state"] == "up"])
            check(len(calls) == 1, "%s lists %r", node, calls)
            check(calls[0]["voice"] == "direct", "%r", calls)
            check([leg["peer"] for leg in calls[0]["legs"]] ==
                  ["1000", "1001"], "%r", calls)

        rc, out = b.finished(caller, 40)
    r = parse(out, "tandem-phone")
    for node, file in (("n1", at1), ("n2", at2)):
        flows = {k: v for k, v in pcap.rtp_flows(file).items() if v > 10}
        check(not flows, "RTP at %s: %r", node, flows)
    return clean(r, 1, hold, "caller") + "; " + \
        clean(phone.report, 1, hold, "called")


@case("1000 at a1 over s3: its RTP goes to n2 without touching n1")
def over_s3(b):
    hold = 6
    # a route to s3 alone, for this call
    b.ok("n1", "tandem", "route", "add", "8", "--strip", "1", "--lines", "s3")
    try:
        with b.capture("n1", "udp portrange 20000-29999") as at1, \
                b.capture("n2", "udp portrange 20000-29999") as at2:
            r = phone_call(b, "85550005", hold=hold)
    finally:
        b.ok("n1", "tandem", "route", "del", "8")
    one = {k: v for k, v in pcap.rtp_flows(at1).items() if v > 10}
    two = pcap.rtp_flows(at2)
    check(not one, "RTP at n1: %r", one)
    check(min(two.get((P, A2), 0), two.get((A2, P), 0)) > 40 * hold,
          "RTP at n2: %r", two)
    return clean(r, 1, hold, "phone")


def transit(b, prefix, line, voice):
    """A call of the exchange on s1 that leaves on another line."""
    hold = 6
    b.ok("n1", "tandem", "route", "add", prefix, "--strip", "7", "--add",
         "5550005", "--lines", line, "--transit")
    try:
        x = b.spawn("x", "tandem-exchange", "call", "--to", prefix + "000",
                    "--line", "s1", "--count", "1", "--hold", str(hold),
                    "--pattern", "--json")
        up = until(5, "n2 lists the call", lambda: [
            c for c in b.calls("n2") if c["state"] == "up"])
        rc, out = b.finished(x, 40)
    finally:
        b.ok("n1", "tandem", "route", "del", prefix)
    check([leg["span"] for leg in up[0]["legs"]] == ["s1", line], "%r", up)
    check(up[0]["voice"] == voice, "%r", up)
    return clean(parse(out, "tandem-exchange"), 1, hold, "exchange")


@case("from line to line of one node the card connects the timeslots")
def transit_local(b):
    return transit(b, "5557", "s2", "xconn")


@case("from n1's line to n2's the voice crosses between the nodes")
def transit_between(b):
    return transit(b, "5558", "s3", "bundle")
