#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""probe.py sip ADDRESS... | control: asks all the time, until SIGTERM, and
then prints what came back, as JSON: {"asked": {what: [[unix s, ms or null,
status]...]}, "pauses": [[unix s, ms]...]}. sip: OPTIONS every 50 ms to each
address. control: `tandem node list` every 100 ms, as a person would. Pauses:
when the processors did not run the probe, or the node's daemon though it had
something to do (its run delay), for more than 20 ms."""
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time

STEP_S = 0.005
PAUSE_S = 0.020


class Sip:
    """A socket an address: an answer names its question by the branch."""
    every_s = 0.05

    def __init__(self, address):
        self.address, self.n = address, 0
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.connect((address, 5060))
        self.s.setblocking(False)
        self.me = "%s:%d" % self.s.getsockname()
        self.asked = []

    def ask(self):
        text = ("OPTIONS sip:%s SIP/2.0\r\n"
                "Via: SIP/2.0/UDP %s;branch=z9hG4bKprobe%d;rport\r\n"
                "Max-Forwards: 70\r\nFrom: <sip:probe@%s>;tag=%d\r\n"
                "To: <sip:%s>\r\nCall-ID: %d@%s\r\nCSeq: 1 OPTIONS\r\n"
                "Content-Length: 0\r\n\r\n" % (
                    self.address, self.me, self.n, self.me, self.n,
                    self.address, self.n, self.me))
        self.asked.append([time.time(), None, 0])
        self.n += 1
        try:
            self.s.send(text.encode())
        except OSError:
            pass                # nobody listens; the next one may be heard

    def read(self):
        while True:
            try:
                msg = self.s.recv(4096)
            except OSError:
                return
            at = msg.find(b"branch=z9hG4bKprobe")
            if at < 0 or not msg.startswith(b"SIP/2.0 "):
                continue
            n = int(msg[at + 19:].split(b";")[0].split(b"\r")[0])
            q = self.asked[n] if n < self.n else None
            if q and q[1] is None and int(msg[8:11]) >= 200:
                q[1] = round((time.time() - q[0]) * 1000, 1)
                q[2] = int(msg[8:11])


def sip(addresses, ended):
    probes = [Sip(a) for a in addresses]
    sel = selectors.DefaultSelector()
    for p in probes:
        sel.register(p.s, selectors.EVENT_READ, p)
    pauses, due, last = [], time.monotonic(), time.monotonic()
    end = None
    while end is None or time.monotonic() < end:
        if ended and end is None:
            end = time.monotonic() + 0.5    # for the last answers
        for key, _ in sel.select(STEP_S):
            key.data.read()
        now = time.monotonic()
        if now - last > PAUSE_S:
            pauses.append([time.time(), round((now - last) * 1000, 1)])
        last = now
        if now >= due and end is None:
            due = max(due + Sip.every_s, now)
            for p in probes:
                p.ask()
    return {"asked": {p.address: p.asked for p in probes}, "pauses": pauses}


def run_delay_s():
    """Seconds for which the daemon's threads waited for a processor, ever."""
    total = 0
    try:
        with open("/run/lab/tandemd.pid") as f:
            folder = "/proc/%d/task/" % int(f.read())
        for t in os.listdir(folder):
            with open(folder + t + "/schedstat") as f:
                total += int(f.read().split()[1])
    except (OSError, ValueError):
        pass                    # it is being started again
    return total / 1e9


def control(ended):
    asked, due, pauses, before = [], time.monotonic(), [], run_delay_s()
    while not ended:
        began, at = time.monotonic(), time.time()
        p = subprocess.run(["tandem", "node", "list", "--json"],
                           stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        asked.append([at, round((time.monotonic() - began) * 1000, 1),
                      p.returncode])
        due += 0.1
        time.sleep(max(0.0, due - time.monotonic()))
        now = run_delay_s()
        if now - before > PAUSE_S:
            pauses.append([time.time(), round((now - before) * 1000, 1)])
        before = now
    return {"asked": {os.environ.get("LAB_MACHINE", "control"): asked},
            "pauses": pauses}


def main():
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    print(json.dumps(control(ended) if sys.argv[1] == "control" else
                     sip(sys.argv[2:], ended)))


if __name__ == "__main__":
    main()
