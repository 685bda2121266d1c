# SPDX-License-Identifier: GPL-2.0-or-later
"""A running lab and what a case does with it."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from .tap import Failure, check, until

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
LAB = os.path.join(TREE, "deploy/lab/tandem-lab")


class Bench:
    def __init__(self, lab="duplex", prefix=None):
        self.lab = lab
        self.prefix = prefix or os.environ.get("TANDEM_LAB_PREFIX", "tdchk")
        self.env = dict(os.environ, TANDEM_LAB_PREFIX=self.prefix)
        self.long = bool(os.environ.get("LAB_LONG"))
        self.tmp = tempfile.mkdtemp(prefix="tandem-lab-check.")
        self.children = []
        self.lock = None

    # ---- the lab

    def up(self, *args):
        """One run at a time under a prefix; what a killed run left behind
        is cleaned up first."""
        self.lock = open("/tmp/tandem-lab-%s.lock" % self.prefix, "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failure("another lab check runs as %s; "
                          "TANDEM_LAB_PREFIX gives this one a name of its own"
                          % self.prefix)
        self.tandem_lab("down")
        p = self.tandem_lab("up", self.lab, *args)
        check(p.returncode == 0, "tandem-lab up: %s", p.stdout)

    def down(self):
        for p in list(self.children):
            self.stop(p)
        self.tandem_lab("down")
        shutil.rmtree(self.tmp, ignore_errors=True)
        if self.lock:
            self.lock.close()
            with contextlib.suppress(OSError):
                os.unlink(self.lock.name)

    def tandem_lab(self, *args, timeout=150):
        return subprocess.run([LAB, *args], env=self.env, text=True,
                              stdin=subprocess.DEVNULL, errors="replace",
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout)

    def lab_do(self, *args):
        p = self.tandem_lab(*args)
        check(p.returncode == 0, "tandem-lab %s: %s", " ".join(args), p.stdout)

    def log_file(self, node, name):
        return "/run/tandem-lab/%s/%s/log/%s.log" % (self.prefix, node, name)

    def log_tails(self, lines=8):
        out = []
        for node, name in (("n1", "tandemd"), ("n2", "tandemd"),
                           ("x", "tandem-exchange")):
            with contextlib.suppress(OSError):
                with open(self.log_file(node, name), errors="replace") as f:
                    out.append("%s %s:" % (node, name))
                    out += ["  " + t for t in
                            f.read().splitlines()[-lines:]]
        return "\n".join(out)

    # ---- commands in a machine

    def run(self, node, *cmd, timeout=30, stdin=None):
        """@return CompletedProcess with stdout and stderr apart"""
        kw = {"input": stdin} if stdin is not None else \
            {"stdin": subprocess.DEVNULL}
        try:
            return subprocess.run(
                [LAB, "exec", node, *cmd], env=self.env, text=True,
                errors="replace", stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, timeout=timeout, cwd=self.tmp, **kw)
        except subprocess.TimeoutExpired:
            raise Failure("%s on %s: not done in %d s"
                          % (" ".join(cmd), node, timeout))

    def ok(self, node, *cmd, **kw):
        p = self.run(node, *cmd, **kw)
        check(p.returncode == 0, "%s on %s: status %d: %s%s", " ".join(cmd),
              node, p.returncode, p.stdout[-800:], p.stderr[-800:])
        return p.stdout

    def json(self, node, *cmd, **kw):
        out = self.ok(node, *cmd, **kw)
        try:
            return json.loads(out)
        except ValueError:
            raise Failure("%s on %s: no JSON: %.300s"
                          % (" ".join(cmd), node, out))

    def tandem(self, node, *verb):
        return self.json(node, "tandem", *verb, "--json")

    def json_at_once(self, nodes, *cmd):
        """The same asked at several machines at the same moment.
        @return a list in their order, None where there was no answer"""
        asked = [subprocess.Popen([LAB, "exec", n, *cmd], env=self.env,
                                  text=True, errors="replace", cwd=self.tmp,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) for n in nodes]
        out = []
        for p in asked:
            try:
                text = p.communicate(timeout=30)[0]
                out.append(json.loads(text) if p.returncode == 0 else None)
            except (ValueError, subprocess.TimeoutExpired):
                p.kill()
                p.wait()
                out.append(None)
        return out

    def spawn(self, node, *cmd, name="out", env=None):
        """In the background; p.out is the file its output goes to."""
        out = tempfile.NamedTemporaryFile("w+", dir=self.tmp, delete=False,
                                          prefix=name + ".")
        p = subprocess.Popen([LAB, "exec", node, *cmd], text=True,
                             env=dict(self.env, **(env or {})), stdout=out,
                             stderr=subprocess.STDOUT, stdin=subprocess.PIPE,
                             cwd=self.tmp, start_new_session=True)
        p.out, p.cmd = out.name, " ".join(cmd)
        self.children.append(p)
        return p

    def output(self, p):
        with open(p.out, errors="replace") as f:
            return f.read()

    def stop(self, p, sig=signal.SIGTERM, seconds=10):
        """Ends what spawn started. @return its output"""
        if p in self.children:
            self.children.remove(p)
        if p.poll() is None:
            p.send_signal(sig)
            try:
                p.wait(seconds)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        return self.output(p)

    def finished(self, p, seconds):
        """Waits for what spawn started. @return (status, output)"""
        try:
            rc = p.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure("%s: not done in %d s: %s"
                          % (p.cmd, seconds, self.stop(p)[-500:]))
        self.children.remove(p)
        return rc, self.output(p)

    # ---- captures

    @contextlib.contextmanager
    def capture(self, node, what, dev="eth0"):
        """with bench.capture("n1", "udp") as file: … ; the file is whole
        when the block ends."""
        path = os.path.join(self.tmp, "%s-%s-%d.pcap"
                            % (node, dev, time.monotonic_ns()))
        p = self.spawn(node, "tcpdump", "-i", dev, "-s", "0", "-B", "8192",
                       "-Z", "root", "-U", "-w", path, what, name="tcpdump")
        until(10, "tcpdump on " + node,
              lambda: "listening on" in self.output(p))
        try:
            yield path
        finally:
            time.sleep(0.3)     # what the kernel still has buffered
            self.stop(p, signal.SIGINT)

    # ---- the product's own word

    def calls(self, node="n1"):
        return self.tandem(node, "call", "list")

    def idle(self, nodes=("n1", "n2"), seconds=5):
        """No call left anywhere."""
        for n in nodes:
            try:
                until(seconds, "calls are left on " + n,
                      lambda: self.calls(n) == [])
            except Failure as e:
                raise Failure("%s: %.1500r" % (e, self.calls(n)))

    def between(self):
        """After a case: its processes end, its calls are cleared."""
        for p in list(self.children):
            self.stop(p)
        self.tandem_lab("heal")
        if self.pids("n1", "tandemd"):
            p = self.run("n1", "tandem", "call", "list", "--json")
            if p.returncode or p.stdout.strip() not in ("[]", ""):
                self.run("n1", "tandem", "call", "hangup", "all")
                time.sleep(1)

    def service(self, node, verb, name, *more):
        """td-service in a machine: stop, kill, start, restart."""
        self.ok(node, "td-service", verb, name, *more)

    def kill_process(self, node, name):
        """SIGKILL to a service's process, which is started again. @return
        its process id"""
        pid = int(self.ok(node, "td-service", "pid", name))
        os.kill(pid, signal.SIGKILL)
        return pid

    def pids(self, node, program):
        """Process ids of a program in a machine."""
        ns = os.stat("/run/netns/%s-%s" % (self.prefix, node)).st_ino
        found = []
        for p in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if p.isdigit() and \
                        os.stat("/proc/%s/ns/net" % p).st_ino == ns and \
                        open("/proc/%s/comm" % p).read().strip() == \
                        program[:15]:
                    found.append(int(p))
        return found
