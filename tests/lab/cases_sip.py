# SPDX-License-Identifier: GPL-2.0-or-later
"""What SIP owes to phones that die, and to a node that may not answer."""
import os
import re
import signal
import tempfile
import time

from tdtest.phones import A1, phone_call
from tdtest.tap import case, check, until

SILENCE_S, TIMER_F_S = 5, 32


class Site:
    """with Site(b, key="value"): … of the site section; put back in the end."""

    def __init__(self, b, **keys):
        self.b, self.keys = b, keys
        self.was = b.ok("n1", "tandem", "config", "export")

    def put(self, text):
        with tempfile.NamedTemporaryFile("w", dir=self.b.tmp, suffix=".yaml",
                                         delete=False) as f:
            f.write(text)
        before = self.b.tandem("n1", "status")["generation"]
        self.b.ok("n1", "tandem", "config", "import", f.name)
        for node in ("n1", "n2"):
            until(10, node + " runs it", lambda: self.b.tandem(
                node, "status")["generation"] > before, 0.1)

    def __enter__(self):
        more = "".join(", %s: %s" % x for x in self.keys.items())
        text, n = re.subn(r"(?m)^site: *\{(.*)\}$", r"site: {\1%s}" % more,
                          self.was)
        if not n:
            more = "".join("  %s: %s\n" % x for x in self.keys.items())
            text, n = re.subn(r"(?m)^site:\n", "site:\n" + more, self.was)
        check(n == 1, "no site section in %s", self.was[:400])
        self.put(text)

    def __exit__(self, *_):
        self.put(self.was)


@case("sip: a phone that dies in a call without a BYE is found out, and its "
      "line is free again")
def dead_phone(b):
    with Site(b, rtp_timeout_s=SILENCE_S):
        b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1, "--call",
                "95550005", "--hold", "0", name="dying")
        until(15, "the call is up", lambda: [
            c for c in b.calls() if c["state"] == "up"])
        pids = b.pids("p", "tandem-phone")
        check(len(pids) == 1, "%r", pids)
        os.kill(pids[0], signal.SIGKILL)
        began = time.monotonic()
        until(SILENCE_S + TIMER_F_S + 20, "the call is cleared",
              lambda: not b.calls(), 0.5)
        took = time.monotonic() - began
        check(took > SILENCE_S - 2, "cleared after %.1f s: not for its "
              "silence", took)
        # the line carries calls as before
        c = phone_call(b, "95550006", hold=1)["calls"][0]
        check(c["status"] == 200, "%r", c)
    return "cleared %.1f s after its death" % took


@case("sip: a muted phone that answers when it is asked keeps its call")
def muted_phone(b):
    with Site(b, rtp_timeout_s=SILENCE_S):
        p = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                    "--call", "95550002", "--media", "nothing", "--hold",
                    str(4 * SILENCE_S), name="muted")
        until(15, "the call is up", lambda: [
            c for c in b.calls() if c["state"] == "up"])
        time.sleep(3 * SILENCE_S)
        calls = b.calls()
        check(len(calls) == 1 and calls[0]["state"] == "up", "%r", calls)
        b.finished(p, 60)


@case("sip: a node without a majority answers at once that it cannot, and a "
      "phone ends on it")
def minority(b):
    b.tandem_lab("cut", "n1", "n2")
    b.tandem_lab("cut", "n1", "w")
    try:
        until(20, "n1 knows that it is alone", lambda: not b.tandem(
            "n1", "status")["quorate"], 0.3)
        began = time.monotonic()
        p = b.spawn("p", "tandem-phone", "--user", "1000", "--via", A1,
                    "--call", "1001", "--timeout", "6", "--json",
                    name="refused")
        rc, out = b.finished(p, 30)
        check('"status":503' in out.replace(" ", ""), "%s", out[-600:])
        check(time.monotonic() - began < 25, "it took too long")
    finally:
        b.tandem_lab("heal")
    until(30, "n1 is back", lambda: b.tandem("n1", "status")["quorate"], 0.5)
