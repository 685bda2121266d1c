# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab as written down: lab.conf, a folder per machine, NAME.startup."""
import os
import re


class LabError(Exception):
    """What is wrong, in words for the person at the terminal."""


class Machine:
    def __init__(self, name):
        self.name = name
        self.links = {}         # interface number -> (net, mac)

    def macs(self, net=None):
        """(interface, net, mac) of the interfaces on net, or on all."""
        return [("eth%d" % i, n, mac) for i, (n, mac) in
                sorted(self.links.items()) if net in (None, n)]


class Lab:
    """lab.conf lines: NAME[N]=NET or NAME[N]=NET/MAC, KEY=VALUE, # comment.
    LAB_IMPORT names the node that the site's file is given to,
    LAB_NODES those that must be up, LAB_ADDRESSES what must answer SIP,
    LAB_LINES the lines whose D-channels must be up."""

    def __init__(self, folder):
        self.folder = folder
        self.name = os.path.basename(folder)
        self.machines = {}
        self.settings = {}
        path = os.path.join(folder, "lab.conf")
        try:
            with open(path) as f:
                lines = f.read().splitlines()
        except OSError as e:
            raise LabError("no lab %s: %s" % (self.name, e.strerror))
        for number, line in enumerate(lines, 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            m = re.fullmatch(r"([a-z][a-z0-9]{0,5})\[(\d)\]\s*=\s*\"?"
                             r"([a-z0-9]{1,7})(?:/([0-9a-fA-F:]{17}))?\"?",
                             line)
            s = re.fullmatch(r"([A-Z_]+)\s*=\s*\"?([^\"]*)\"?", line)
            if m:
                name, nr, net, mac = m.groups()
                machine = self.machines.setdefault(name, Machine(name))
                machine.links[int(nr)] = (net, mac or self._mac(name, nr))
            elif s:
                self.settings[s.group(1)] = s.group(2)
            else:
                raise LabError("%s:%d: not understood: %s"
                               % (path, number, line))
        if not self.machines:
            raise LabError("%s: no machine in it" % path)

    @staticmethod
    def _mac(name, nr):
        h = 0
        for c in name:
            h = (h * 31 + ord(c)) & 0xffff
        return "02:00:%02x:%02x:00:%02x" % (h >> 8, h & 255, int(nr))

    def nets(self):
        return sorted({net for m in self.machines.values()
                       for net, _ in m.links.values()})

    def words(self, key):
        return self.settings.get(key, "").split()

    def machine(self, name):
        try:
            return self.machines[name]
        except KeyError:
            raise LabError("lab %s has no machine %s (it has %s)" % (
                self.name, name, " ".join(self.machines)))

    def files(self, name):
        """Folders to copy into place, the shared one first."""
        found = [os.path.join(self.folder, d) for d in ("shared", name)]
        return [d for d in found if os.path.isdir(d)]

    def startups(self, name):
        found = [os.path.join(self.folder, f + ".startup")
                 for f in ("shared", name)]
        return [f for f in found if os.path.exists(f)]
