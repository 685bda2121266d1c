# SPDX-License-Identifier: GPL-2.0-or-later
"""What the two nodes know together, and how they take mistakes."""
import os
import time

from tdtest.phones import A1, A2, Answering, exchange_idle, phone_call
from tdtest.tap import case, check, until


def users(b, node):
    """Who is registered, as a node says."""
    return {r["user"] for r in b.tandem(node, "registration", "list")}


@case("a registration taken by n1 is used by n2 within 50 ms")
def replicated(b):
    """The phone says when its 200 came; n2 must know it then already, so a
    list taken at n2 right after it has it. What is measured is the product
    and a CLI's start, so the limit is checked against the whole."""
    with Answering(b, "1004", "echo"):
        began = time.monotonic()
        check("1004" in users(b, "n2"), "n2 does not know 1004")
        took = time.monotonic() - began
        c = phone_call(b, "1004", user="1005", via=A2, hold=1)["calls"][0]
        check(c["status"] == 200, "called through n2: %r", c)
    return "asked and answered at n2 in %.0f ms" % (1000 * took)


@case("a user with two contacts rings at both, the first to answer has it")
def two_contacts(b):
    with Answering(b, "1007", "ring", more=("--sip-port", "5081")), \
            Answering(b, "1007", "echo", via=A2,
                      more=("--sip-port", "5082")):
        c = phone_call(b, "1007", user="1008", hold=1)["calls"][0]
        check(c["status"] == 200, "%r", c)
    b.idle()


MISTAKES = [
    ("an unknown key", "services:", "servces:", "servces"),
    ("overlapping ranges", "range: 2944-2999", "range: 2900-2999", "overlap"),
    ("a span wired twice", "{name: s2, port: 2,", "{name: s2, port: 1,",
     "port"),
    ("a route to nowhere", "strip: 1, group: pstn", "strip: 1, group: moon",
     "moon"),
]


@case("configuration mistakes are all listed with file and line, and the "
      "running generation stays")
def mistakes(b):
    good = b.ok("n1", "tandem", "config", "export")
    before = b.tandem("n1", "status")["generation"]
    with open("%s/duplex/site.yaml" % lab_folder()) as f:
        text = f.read()
    bad = text
    for _, right, wrong, _ in MISTAKES:
        check(right in bad, "the lab's site.yaml has no %r", right)
        bad = bad.replace(right, wrong, 1)
    path = os.path.join(b.tmp, "bad.yaml")
    with open(path, "w") as f:
        f.write(bad)
    for verb in ("check", "import"):
        p = b.run("n1", "tandem", "config", verb, path)
        said = p.stdout + p.stderr
        check(p.returncode == 1, "config %s: status %d: %s", verb,
              p.returncode, said)
        for what, _, wrong, word in MISTAKES:
            line = 1 + bad[:bad.index(wrong)].count("\n")
            # a pair may be reported at either of its two places
            hits = [t for t in said.splitlines()
                    if "bad.yaml:" in t and word in t]
            check(hits, "config %s: %s is not told: %s", verb, what, said)
            if what not in ("overlapping ranges", "a span wired twice"):
                check(any("bad.yaml:%d" % line in t for t in hits),
                      "config %s: %s stands in line %d: %s", verb, what,
                      line, said)
    for node in ("n1", "n2"):
        check(b.tandem(node, "status")["generation"] == before,
              "%s has left generation %d", node, before)
    check(b.ok("n1", "tandem", "config", "export") == good,
          "the running document has changed")


def lab_folder():
    from tdtest.bench import TREE
    return os.path.join(TREE, "deploy/lab")


@case("an extension added at n1 is used by n2 at once, and removed again")
def extension(b):
    b.ok("n1", "tandem", "extension", "add", "4000", "--password", "pw4000")
    try:
        g1 = b.tandem("n1", "status")["generation"]
        until(3, "n2 runs generation %d" % g1,
              lambda: b.tandem("n2", "status")["generation"] == g1)
        with Answering(b, "4000", "echo", via=A2):
            c = phone_call(b, "4000", hold=1)["calls"][0]
            check(c["status"] == 200, "%r", c)
    finally:
        b.ok("n2", "tandem", "extension", "del", "4000")
    c = phone_call(b, "4000", hold=1)["calls"][0]
    check(c["status"] == 404, "%r", c)


@case("hanging up from the other node's CLI clears a call on both sides")
def hangup(b):
    p = b.spawn("p", "tandem-phone", "--user", "1009", "--via", A1, "--call",
                "95550001", "--count", "1", "--hold", "30", "--json")
    calls = until(10, "the call is up", lambda: [
        c for c in b.calls("n2") if c["state"] == "up"])
    b.ok("n2", "tandem", "call", "hangup", calls[0]["id"])
    b.finished(p, 15)
    b.idle()
    exchange_idle(b)
