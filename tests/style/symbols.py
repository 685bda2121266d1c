# SPDX-License-Identifier: GPL-2.0-or-later
"""Two libraries that export the same symbol: which one wins depends on the
order of linking, and nobody is told."""
import glob
import os
import re
import subprocess

ORDINARY = {"_init", "_fini", "_edata", "_end", "__bss_start", "_start",
            "__data_start", "_IO_stdin_used", "main"}


def nm(*args):
    out = subprocess.run(["nm", "--defined-only", *args], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         errors="replace").stdout
    found = set()
    for line in out.splitlines():
        m = re.match(r"[0-9a-f]+ ([TDBRGSC]) (\S+)$", line)
        # a versioned symbol has one meaning whatever library has it
        if m and m.group(2).split("@")[0] not in ORDINARY:
            found.add(m.group(2).split("@")[0])
    return found


def archives(folder):
    """Ours: defined in two objects of any of our static libraries."""
    owner, bad = {}, []
    for a in sorted(glob.glob(folder + "/lib*.a")):
        out = subprocess.run(["nm", "-A", "--defined-only", "-g", a],
                             text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
        for line in out.splitlines():
            m = re.match(r"(\S+?):([^:]+): ?[0-9a-f]+ [TDBRGSC] (\S+)$", line)
            if not m:
                continue
            here = "%s(%s)" % (os.path.basename(m.group(1)), m.group(2))
            if owner.setdefault(m.group(3), here) != here:
                bad.append("%s: in %s and %s"
                           % (m.group(3), owner[m.group(3)], here))
    return bad


def programs(folder):
    """A program and the libraries it asks for by name."""
    bad, cache = set(), {}
    for prog in sorted(glob.glob(folder + "/bin/*")):
        name = os.path.basename(prog)
        need = set(re.findall(r"NEEDED.*\[(.*?)\]", subprocess.run(
            ["readelf", "-d", prog], text=True,
            stdout=subprocess.PIPE).stdout))
        paths = dict(re.findall(r"(\S+) => (\S+)", subprocess.run(
            ["ldd", prog], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL).stdout))
        seen = {s: name for s in nm(prog, "-g")}
        # a library's data that the linker placed in the program is the
        # library's still
        copied = set(re.findall(r"_COPY\s+\S+\s+(\w+)", subprocess.run(
            ["readelf", "-W", "-r", prog], text=True,
            stdout=subprocess.PIPE).stdout))
        for lib in sorted(need):
            path = paths.get(lib)
            # libm is a part of the C library
            if not path or lib.startswith(("libasan", "ld-linux", "libm.")):
                continue
            if path not in cache:
                cache[path] = nm("-D", path)
            for s in cache[path]:
                other = seen.setdefault(s, lib)
                if other != lib and s not in copied and not (
                        other == name and s in DELIBERATE):
                    bad.add("%s: in %s and %s (%s)" % (s, other, lib, name))
    return sorted(bad)


# Replaced on purpose: node/sip/nta_hook.c says why.
DELIBERATE = {"su_getaddrinfo", "su_freeaddrinfo", "su_vrecv", "su_close",
              "accept"}
