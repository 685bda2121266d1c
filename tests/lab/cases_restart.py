# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon that ends and comes back. Played last: what it may leave broken
is not the other cases' fault."""
import time

from tdtest.phones import (Answering, answered, exchange_call,
                           exchange_status, parse)
from tdtest.tap import case, check, until


def users(b, node):
    return {r["user"] for r in b.tandem(node, "registration", "list")}


@case("registrations are still there after n1's daemon restarts")
def restart(b):
    with Answering(b, "1006", "echo"):
        old = b.kill_process("n1", "tandemd")
        check("1006" in users(b, "n2"), "n2 has lost it")
        until(5, "tandemd at n1 is another",
              lambda: b.pids("n1", "tandemd") not in ([], [old]))

        def back():
            p = b.run("n1", "tandem", "registration", "list", "--json")
            return p.returncode == 0 and '"1006"' in p.stdout
        until(20, "n1 knows 1006 again", back, 0.2)
        lines_up(b)
        r = exchange_call(b, "5551006", hold=1)
        check(answered(r) == 1, "%r", r["calls"])


@case("a daemon that is told to end clears its calls at both far ends, and "
      "comes back")
def ended(b):
    x = b.spawn("x", "tandem-exchange", "call", "--to", "5552943", "--line",
                "s1", "--count", "2", "--rate", "10", "--hold", "20", "--json")
    until(5, "two calls are up", lambda: len(
        [c for c in b.calls("n2") if c["state"] == "up"]) == 2)
    b.service("n1", "stop", "tandemd")
    check(not b.pids("n1", "tandemd"), "tandemd at n1 goes on")
    rc, out = b.finished(x, 10)
    causes = parse(out, "tandem-exchange")["summary"]["causes"]
    check(causes == {"41": 2}, "causes: %r", causes)
    b.service("n1", "start", "tandemd")
    lines_up(b)
    status = exchange_status(b)
    check(status["calls"] == 0 and status["ghosts"] == 0, "%r", status)


def lines_up(b):
    """All lines heard again and their D-channels ready, as the exchange sees
    them; it notices a dead peer later than it hears a silent line."""
    until(30, "all D-channels are ready", lambda: all(
        x["ready"] and x["heard"] for x in exchange_status(b)["lines"]
        if x["name"] in ("s1", "s2", "s3", "s4")), 0.2)
    time.sleep(2)
