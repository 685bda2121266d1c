# SPDX-License-Identifier: GPL-2.0-or-later
"""What a running lab is made of, written down before it is made, so that
`tandem-lab down` cleans up after any crash."""
import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess

from .conf import LabError

ROOT = "/run/tandem-lab"


def prefix():
    p = os.environ.get("TANDEM_LAB_PREFIX", "td")
    if not re.fullmatch(r"[a-z][a-z0-9]{0,5}", p):
        raise LabError("TANDEM_LAB_PREFIX=%s: one to six small letters "
                       "and digits" % p)
    return p


class State:
    """ROOT/PREFIX/state.json; changed only under the lock."""

    def __init__(self):
        self.prefix = prefix()
        self.dir = os.path.join(ROOT, self.prefix)
        self.file = os.path.join(self.dir, "state.json")

    def load(self):
        """The state, or None when no lab is up."""
        try:
            with open(self.file) as f:
                return json.load(f)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as e:
            raise LabError("%s: %s" % (self.file, e))

    def need(self):
        st = self.load()
        if st is None:
            raise LabError("no lab is up; start one: tandem-lab up")
        return st

    def save(self, st):
        os.makedirs(self.dir, exist_ok=True)
        with open(self.file + ".new", "w") as f:
            json.dump(st, f, indent=1)
        os.rename(self.file + ".new", self.file)

    @contextlib.contextmanager
    def changing(self):
        """with state.changing() as st: … ; saved at the end."""
        os.makedirs(self.dir, exist_ok=True)
        with open(os.path.join(self.dir, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            st = self.need()
            yield st
            self.save(st)

    def forget(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        # another lab's machines have /etc/tandem mounted: taking the folder
        # away would take their mount away, so the last lab does it
        with contextlib.suppress(OSError):
            os.rmdir(ROOT)
            os.rmdir("/etc/tandem")

    def machine_dir(self, name):
        return os.path.join(self.dir, name)

    def netns(self, name):
        return "%s-%s" % (self.prefix, name)

    def netns_file(self, name):
        return "/run/netns/" + self.netns(name)

    def bridge(self, net):
        return "%s-%s" % (self.prefix, net)

    def port(self, name, nr):
        """The host's end of a machine's interface."""
        return "%s-%s-%d" % (self.prefix, name, nr)


def run(*cmd, stdin=None, check=True):
    """Runs a tool; LabError with its own words when it fails."""
    p = subprocess.run(cmd, input=stdin, text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, errors="replace",
                       stdin=None if stdin is not None else subprocess.DEVNULL)
    if check and p.returncode:
        raise LabError("%s: %s" % (" ".join(cmd), p.stdout.strip()
                                   or "status %d" % p.returncode))
    return p.stdout
