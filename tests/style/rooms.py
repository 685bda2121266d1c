# SPDX-License-Identifier: GPL-2.0-or-later
"""The rooms as the Makefile knows them, and what each file may include."""
import os
import re
import subprocess

# Headers that are seams: their types are seen without linking the room.
SEAMS = {"node/call/leg.h", "node/call/voice.h"}
# The ABI between the card and its users belongs to no room.
SHARED_DIRS = {"spanctl/uapi"}
# Systems' own headers, and what style.md allows everywhere.
FREE = re.compile(r"^(jansson\.h|protobuf-c/.*|linux/.*|sys/.*|arpa/.*|net/.*|"
                  r"netinet/.*|netpacket/.*|asm/.*)$")
# Library -> the only files that may see it.
ADAPTERS = [
    (r"corosync/", r"cluster/(bus_cpg|nodelist)\.c"),
    (r"libpq", r"cluster/store/store_pg\w*\.c"),
    (r"sqlite3", r"cluster/store/store_sqlite\w*\.c"),
    (r"yaml\.h", r"cluster/store/yaml\.c"),
    (r"libpri", r"(node/isdn|tests/exchange)/\w*pri\w*\.c"),
    (r"sofia-sip/", r"node/sip/nta\w*\.[ch]"),
    (r"qb/", r"proto/base/loop\.c"),
    (r"speex/", r"node/media/\w+\.c"),
    (r"re/", r"tests/phone/\w+\.[ch]"),
    (r"openssl/", r".*\.c"),
]


def make_rooms():
    """{room: {kind, srcs, uses, test_uses}} by asking make."""
    out = subprocess.run(["make", "-s", "print-rooms"], text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    rooms = {}
    for line in out.splitlines():
        f = line.split("|")
        if len(f) == 5:
            kind, name, srcs, uses, test_uses = f
            rooms[name] = {"kind": kind, "srcs": srcs.split(),
                           "uses": set(uses.split()),
                           "test_uses": set(test_uses.split())}
    return rooms


def folders(rooms):
    """{folder: {rooms whose sources lie there}}"""
    where = {}
    for name, r in rooms.items():
        for s in r["srcs"]:
            if not s.startswith("build/"):
                where.setdefault(os.path.dirname(s), set()).add(name)
    return where


def closure(rooms, names):
    seen, todo = set(), list(names)
    while todo:
        n = todo.pop()
        if n not in seen and n in rooms:
            seen.add(n)
            todo += rooms[n]["uses"]
    return seen


def may_use(rooms, where, path):
    """Rooms that the file's own rooms may use, or None: no room's file."""
    folder = os.path.dirname(path)
    m = re.match(r"tests/unit/(\w+)$", folder)
    if m:
        room = rooms.get(m.group(1))
        if room is None:
            return None
        return closure(rooms, {m.group(1)} | room["test_uses"])
    own = where.get(folder)
    if not own:
        return None
    allowed = set(own)
    for o in own:
        allowed |= rooms[o]["uses"]
    return allowed


def includes(path):
    with open(path, errors="replace") as f:
        for nr, line in enumerate(f, 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if m:
                yield nr, m.group(1) == "<", m.group(2)


def directions(files, rooms):
    """Includes against the rooms' directions."""
    where = folders(rooms)
    bad = []
    for path in files:
        allowed = may_use(rooms, where, path)
        if allowed is None:
            continue
        for nr, system, inc in includes(path):
            folder = os.path.dirname(inc)
            if system or inc in SEAMS or folder in SHARED_DIRS or \
                    folder not in where:
                continue
            if not where[folder] & allowed:
                bad.append("%s:%d: %s is in %s, which this room may not use"
                           % (path, nr, inc, "/".join(sorted(where[folder]))))
    return bad


def libraries(files):
    """Third-party headers in other files than their adapters; a library
    that only its room knows has one adapter a room."""
    bad, seen = [], {}
    for path in files:
        for nr, system, inc in includes(path):
            if not system or FREE.match(inc):
                continue
            for header, adapter in ADAPTERS:
                if not re.match(header, inc):
                    continue
                # a room's tests may play the library's other side
                if path.startswith("tests/unit/"):
                    continue
                if not re.fullmatch(adapter, path):
                    bad.append("%s:%d: <%s> belongs in %s"
                               % (path, nr, inc, adapter))
                elif header in ("speex/", "openssl/"):
                    key = (os.path.dirname(path), header)
                    seen.setdefault(key, set()).add(path)
    for (folder, header), paths in seen.items():
        if len(paths) > 1:
            bad.append("%s: %s is seen by %s" % (
                folder, header, " and ".join(sorted(paths))))
    return bad
