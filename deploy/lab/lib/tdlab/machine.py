# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine: its namespaces' holder, its processes, its power."""
import os
import shutil
import signal
import subprocess
import time

from . import net
from .conf import LabError

LIB = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TREE = os.path.dirname(os.path.dirname(os.path.dirname(LIB)))
PRIVATE = ("run", "dev/shm", "var/lib", "etc/tandem")


def bin_dir():
    return os.environ.get("TANDEM_BIN") or os.path.join(
        TREE, "build", os.environ.get("VARIANT", "gcc"), "bin")


def create(state, name):
    """Starts the holder. @return its process id"""
    os.makedirs(state.machine_dir(name), exist_ok=True)
    os.makedirs("/etc/tandem", exist_ok=True)
    p = subprocess.Popen(
        ["nsenter", "--net=" + state.netns_file(name), "unshare", "--mount",
         "--uts", "--propagation", "private", os.path.join(LIB, "holder.sh"),
         name, state.machine_dir(name), os.path.dirname(state.dir)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True)
    if p.stdout.readline() != "ready\n":
        raise LabError("machine %s: %s" % (name, p.stderr.read().strip()))
    p.stdout.close()
    p.stderr.close()
    return p.pid


def environment(state, st, name):
    env = dict(os.environ)
    env.update(LAB=st["lab"], LAB_DIR=st["folder"], LAB_LIB=LIB,
               LAB_MACHINE=name, TANDEM_LAB_PREFIX=state.prefix,
               TANDEM_BIN=st["bin"])
    path = [st["bin"], os.path.join(TREE, "deploy/lab"),
            env.get("PATH", ""), "/usr/local/sbin:/usr/sbin:/sbin",
            "/usr/local/bin:/usr/bin:/bin"]
    # an empty element would be the current folder
    env["PATH"] = ":".join(p for p in ":".join(path).split(":") if p)
    return env


def inside(state, st, name, cmd):
    """The command line that runs cmd in the machine, in this folder.
    --root and --wd: where the whole lab runs in a chroot, entering a mount
    namespace alone would leave it."""
    holder = st["machines"][name]["holder"]
    if not os.path.exists("/proc/%d/ns/net" % holder) or \
            os.stat("/proc/%d/ns/net" % holder).st_ino != \
            os.stat(state.netns_file(name)).st_ino:
        raise LabError("machine %s is gone; tandem-lab down cleans up" % name)
    return ["nsenter", "--target=%d" % holder, "--mount", "--uts", "--root",
            "--wd", "--net=" + state.netns_file(name), "--", "/bin/bash", "-c",
            'cd "$1" 2>/dev/null || cd /; shift; '
            'ulimit -n 65536 2>/dev/null || ulimit -Sn hard; exec "$@"',
            "tandem-lab", os.getcwd()] + list(cmd)


def place_files(lab, state, name):
    """The machine's folder, copied into place."""
    base = state.machine_dir(name)
    where = {"var/lib": base + "/lib", "etc/tandem": base + "/etc"}
    for folder in lab.files(name):
        for dirpath, _, files in os.walk(folder):
            rel = os.path.relpath(dirpath, folder)
            for f in files:
                for private, real in where.items():
                    if (rel + "/").startswith(private + "/"):
                        target = real + rel[len(private):]
                        os.makedirs(target, exist_ok=True)
                        shutil.copy2(os.path.join(dirpath, f), target)
                        break
                else:
                    raise LabError(
                        "%s/%s/%s: only /var/lib and /etc/tandem are the "
                        "machine's own" % (folder, rel, f))


def startup(state, st, lab, name):
    """Starts the machine's start-up files, one after the other, in the
    background. @return the Popen"""
    log = open(os.path.join(state.machine_dir(name), "log/startup.log"), "a")
    script = "set -e\n" + "".join("/bin/bash '%s'\n" % f
                                  for f in lab.startups(name))
    with log:
        return subprocess.Popen(
            inside(state, st, name, ["/bin/bash", "-c", script]),
            env=environment(state, st, name), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True)


def processes(state, names):
    """{pid} of all processes in the machines' network namespaces."""
    inodes = set()
    for name in names:
        try:
            inodes.add(os.stat(state.netns_file(name)).st_ino)
        except FileNotFoundError:
            pass
    found = set()
    for p in os.listdir("/proc"):
        if not p.isdigit():
            continue
        try:
            if os.stat("/proc/%s/ns/net" % p).st_ino in inodes:
                found.add(int(p))
        except OSError:
            pass
    # a tool of the lab that runs inside it does not act on itself
    found.discard(os.getpid())
    return found


def kill_all(state, names, spare=()):
    """SIGKILL to everything in the machines, until nothing is left: who
    forks faster than the first round is met by the next."""
    end = time.monotonic() + 10
    while True:
        pids = processes(state, names) - set(spare)
        living = [p for p in pids if _alive(p)]
        if not living:
            return
        for p in living:
            _signal(p, signal.SIGKILL)
        if time.monotonic() > end:
            raise LabError("processes do not end: %s" % living)
        time.sleep(0.002)


def stop_all(state, name, spare, sig):
    """SIGSTOP or SIGCONT to everything, until a round finds nothing new."""
    done = set()
    while True:
        new = processes(state, [name]) - set(spare) - done
        if not new:
            return
        for p in new:
            _signal(p, sig)
        done |= new


def _alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _signal(pid, sig):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def power_off(state, st, lab, name):
    """Cables first, so that no dying process's last words are heard."""
    net.links(state, lab, name, False)
    kill_all(state, [name], [st["machines"][name]["holder"]])
    clean = ("find /run /dev/shm -xdev -mindepth 1 "
             "-not -path '/run/netns*' -not -path '/run/tandem-lab*' "
             "-not -path '/run/log*' -not -path /run/lock "
             "-not -path /run/postgresql -delete")
    subprocess.run(inside(state, st, name, ["/bin/bash", "-c", clean]),
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tails(state, name):
    """The ends of a machine's logs, for a person to see why."""
    folder = os.path.join(state.machine_dir(name), "log")
    out = []
    for f in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        lines = 15 if f.startswith("tandem") else 6
        with open(os.path.join(folder, f), errors="replace") as fd:
            text = fd.read().splitlines()[-lines:]
        if text:
            out.append("--- %s: %s" % (name, os.path.join(folder, f)))
            out += ["    " + t for t in text]
    return out
