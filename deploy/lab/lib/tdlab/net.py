# SPDX-License-Identifier: GPL-2.0-or-later
"""Bridges, interfaces, and what is done to packets on the way."""
import contextlib
import os
import subprocess

from .state import run

NETS = {"clu": "cluster"}       # also understood


def build(state, lab):
    batch = []
    for net in lab.nets():
        br = state.bridge(net)
        batch.append("link add %s type bridge mcast_snooping 0" % br)
        batch.append("link set %s addrgenmode none up" % br)
    for name in lab.machines:
        run("ip", "netns", "add", state.netns(name))
    for name, m in lab.machines.items():
        for nr, (net, mac) in sorted(m.links.items()):
            port, ns = state.port(name, nr), state.netns(name)
            batch.append("link add %s type veth peer name eth%d netns %s"
                         " address %s" % (port, nr, ns, mac))
            batch.append("link set %s addrgenmode none master %s up"
                         % (port, state.bridge(net)))
    run("ip", "-batch", "-", stdin="\n".join(batch) + "\n")
    firewall(state, lab, True)


def firewall(state, lab, add):
    """A host whose firewall also sees bridged frames (br_netfilter, as
    Docker sets it) would drop the lab's: they are let pass."""
    try:
        with open("/proc/sys/net/bridge/bridge-nf-call-iptables") as f:
            if f.read().strip() != "1":
                return
    except OSError:
        return
    for net in lab.nets():
        rule = ["FORWARD", "-i", state.bridge(net), "-j", "ACCEPT"]
        for tool in ("iptables", "ip6tables"):
            with contextlib.suppress(OSError):
                while not subprocess.run(
                        [tool, "-w", "-D"] + rule, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL).returncode:
                    pass
                if add:
                    subprocess.run([tool, "-w", "-I"] + rule,
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)


def destroy(state, lab):
    """Whatever of it is there."""
    for name in lab.machines:
        if os.path.exists(state.netns_file(name)):
            run("ip", "netns", "del", state.netns(name), check=False)
        for nr in lab.machines[name].links:
            if os.path.exists("/sys/class/net/" + state.port(name, nr)):
                run("ip", "link", "del", state.port(name, nr), check=False)
    for net in lab.nets():
        if os.path.exists("/sys/class/net/" + state.bridge(net)):
            run("ip", "link", "del", state.bridge(net), check=False)
    firewall(state, lab, False)


def links(state, lab, name, up):
    """Pulls or plugs a machine's cables, from inside its network namespace,
    so that a machine of the lab can do it to another too."""
    ns = state.netns(name)
    batch = ["link set eth%d %s" % (nr, "up" if up else "down")
             for nr in sorted(lab.machines[name].links)]
    if up:
        batch = ["addr flush dev eth%d" % nr
                 for nr in lab.machines[name].links] + batch
    run("ip", "-n", ns, "-batch", "-", stdin="\n".join(batch) + "\n")


def apply_faults(state, lab, faults, only=None):
    """faults: list of {src, dst, net or None, ppm}; a packet from src is
    dropped where it enters dst, below everything that reads packets there
    except a capture. only: the machines at which something has changed."""
    for dst, m in lab.machines.items():
        if only is not None and dst not in only:
            continue
        chains = []
        for dev, net, _ in m.macs():
            rules = []
            for f in faults:
                if f["dst"] != dst or f["net"] not in (None, net):
                    continue
                for _, _, mac in lab.machines[f["src"]].macs(net):
                    chance = "" if f["ppm"] >= 1000000 else \
                        "numgen random mod 1000000 < %d " % f["ppm"]
                    rules.append("  ether saddr %s %scounter drop\n"
                                 % (mac, chance))
            if rules:
                chains.append(
                    " chain %s {\n  type filter hook ingress device %s "
                    "priority 0; policy accept;\n%s }\n"
                    % (dev, dev, "".join(rules)))
        text = "table netdev lab {\n}\ndelete table netdev lab\n"
        if chains:
            text += "table netdev lab {\n%s}\n" % "".join(chains)
        run("ip", "netns", "exec", state.netns(dst), "nft", "-f", "-",
            stdin=text)
