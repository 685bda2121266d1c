# SPDX-License-Identifier: GPL-2.0-or-later
"""When is a lab up? Each check answers None, or what is missing."""
import json
import os
import subprocess
import sys
import time

from . import machine
from .conf import LabError

LIB = os.path.dirname(os.path.abspath(__file__))
MAX_RESTARTS = 5


class Ready:
    def __init__(self, state, st, lab):
        self.state, self.st, self.lab = state, st, lab
        self.up_since = None
        self.imported = False

    def ask(self, name, *cmd, timeout=10):
        """@return (status, output) of cmd inside the machine"""
        try:
            p = subprocess.run(
                machine.inside(self.state, self.st, name, cmd),
                env=machine.environment(self.state, self.st, name),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, errors="replace",
                timeout=timeout)
        except subprocess.TimeoutExpired:
            return 124, "%s: no answer in %d s" % (cmd[0], timeout)
        return p.returncode, p.stdout or p.stderr

    def ask_json(self, name, *cmd):
        """@return (value, None) or (None, what was wrong)"""
        rc, out = self.ask(name, *cmd)
        if rc:
            return None, "%s on %s: %s" % (" ".join(cmd), name,
                                           out.strip().split("\n")[-1])
        try:
            return json.loads(out), None
        except ValueError:
            return None, "%s on %s: no JSON: %.60r" % (" ".join(cmd), name,
                                                       out)

    def daemons(self):
        """A program that a start-up file started and that has ended; a
        service may end a few times, while what it needs comes up."""
        for name in self.lab.machines:
            run = "/proc/%d/root/run/lab" % self.st["machines"][name]["holder"]
            if self.st["machines"][name]["power"] != "on":
                continue
            for what in sorted({f.rsplit(".", 1)[0] for f in os.listdir(run)
                                if f.endswith((".pid", ".cmd"))}):
                pid = self.number(run, what + ".pid")
                ends = self.number(run, what + ".restarts")
                gone = not os.path.exists("/proc/%d" % (pid or -1))
                service = os.path.exists(os.path.join(run, what + ".sup"))
                if ends >= MAX_RESTARTS or gone and not service:
                    return "%s on %s has ended%s" % (
                        what, name, " %d times" % ends if ends else "")
                if gone:
                    return "%s on %s is started again" % (what, name)
        return None

    @staticmethod
    def number(*path):
        try:
            with open(os.path.join(*path)) as f:
                return int(f.read())
        except (OSError, ValueError):
            return 0

    def cluster(self):
        nodes = self.lab.words("LAB_NODES")
        for name in nodes:
            status, why = self.ask_json(name, "tandem", "status", "--json")
            if why:
                return why
            if not status.get("quorate"):
                return "the cluster is not quorate, says " + name
            up = [n["name"] for n in status.get("nodes", [])
                  if n.get("state") == "up"]
            missing = [n for n in nodes if n not in up]
            if missing:
                return "%s does not see %s up" % (name, " ".join(missing))
        return None

    def site(self):
        """The site's file becomes the first generation."""
        path = os.path.join(self.lab.folder, "site.yaml")
        nodes = self.lab.words("LAB_NODES")
        if not nodes or not os.path.exists(path):
            return None
        for name in nodes:
            status, why = self.ask_json(name, "tandem", "status", "--json")
            if why:
                return why
            if status.get("generation", 0) > 0:
                continue
            if not self.imported:
                rc, out = self.ask(nodes[0], "tandem", "config", "import",
                                   path, "--comment", "lab " + self.lab.name)
                if rc:
                    return "tandem config import: " + out.strip()
                self.imported = True
            return "%s does not use the imported configuration yet" % name
        return None

    def addresses(self):
        want = self.lab.words("LAB_ADDRESSES")
        asker = self.lab.settings.get("LAB_PHONES")
        if not want or not asker:
            return None
        rc, out = self.ask(asker, sys.executable or "python3",
                           os.path.join(LIB, "sipping.py"), *want)
        return None if rc == 0 else out.strip()

    def lines(self):
        """D-channels must have been up for 2 s: a SETUP right after the
        first DL-ESTABLISH can be lost when SABME is repeated."""
        want = set(self.lab.words("LAB_LINES"))
        if not want:
            return None
        rows, why = self.ask_json(self.lab.words("LAB_NODES")[0], "tandem",
                                  "span", "list", "--json")
        up = set() if why else {r["span"] for r in rows
                                if r.get("dchannel") in (True, "up")}
        if not want <= up:
            self.up_since = None
            return why or "D-channel down: " + " ".join(sorted(want - up))
        if self.up_since is None:
            self.up_since = time.monotonic()
        if time.monotonic() < self.up_since + 2:
            return "D-channels are up, but not for 2 s yet"
        return self.exchange(want)

    def exchange(self, want):
        """It has a clock of its own for the same 2 s."""
        name = self.lab.settings.get("LAB_EXCHANGE")
        if not name:
            return None
        status, why = self.ask_json(name, "tandem-exchange", "status",
                                    "--json")
        if why:
            return why
        late = want - {r["name"] for r in status["lines"] if r["ready"]}
        return "%s does not use %s yet" % (name, " ".join(sorted(late))) \
            if late else None

    def missing(self):
        """The first thing that is not there, in order of dependence."""
        for check in (self.daemons, self.cluster, self.site, self.addresses,
                      self.lines):
            why = check()
            if why:
                return why
        return None

    def wait(self, seconds, say):
        end = time.monotonic() + seconds
        said = None
        while True:
            why = self.missing()
            if why is None:
                return
            # an ended daemon does not come back, a refused file stays wrong
            final = "has ended" in why or "site.yaml:" in why
            if final or time.monotonic() > end:
                raise LabError("lab %s is not up: %s" % (self.lab.name, why))
            if why != said:
                say(why)
                said = why
            time.sleep(0.2)
