# SPDX-License-Identifier: GPL-2.0-or-later
"""UDP packets out of a capture file (libpcap format, Ethernet)."""
import struct
from collections import Counter, namedtuple

Packet = namedtuple("Packet", "at src sport dst dport payload")


def packets(path):
    """@return the file's UDP over IPv4 packets; a torn last one is left
    out"""
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < 24:
        return []
    magic = data[:4]
    order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    nano = magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    if struct.unpack(order + "I", data[20:24])[0] & 0xffff != 1:
        raise ValueError(path + ": not Ethernet")
    found, pos = [], 24
    while pos + 16 <= len(data):
        sec, frac, n, _ = struct.unpack(order + "IIII", data[pos:pos + 16])
        frame = data[pos + 16:pos + 16 + n]
        pos += 16 + n
        if len(frame) < n:
            break
        p = udp(sec + frac / (1e9 if nano else 1e6), frame)
        if p:
            found.append(p)
    return found


def udp(at, frame):
    if len(frame) < 42 or frame[12:14] != b"\x08\x00":
        return None
    ihl = (frame[14] & 15) * 4
    ip = frame[14:14 + struct.unpack(">H", frame[16:18])[0]]
    if ip[9] != 17 or len(ip) < ihl + 8:
        return None
    if struct.unpack(">H", ip[6:8])[0] & 0x1fff:
        return None             # a later fragment has no ports
    sport, dport = struct.unpack(">HH", ip[ihl:ihl + 4])
    dotted = [".".join(str(b) for b in ip[k:k + 4]) for k in (12, 16)]
    return Packet(at, dotted[0], sport, dotted[1], dport, ip[ihl + 8:])


def is_rtp(p):
    """An RTP packet by its looks (version 2, a payload type of audio) on a
    port that is none of the lab's others; RTCP is not counted."""
    pt = p.payload[1] & 127 if len(p.payload) >= 12 else 255
    return (p.payload[:1] and p.payload[0] >> 6 == 2 and not 64 <= pt <= 95
            and pt < 128 and min(p.sport, p.dport) >= 10000
            and not 21400 <= p.dport <= 21416)


def rtp_flows(path):
    """@return Counter of (src, dst): RTP packets"""
    return Counter((p.src, p.dst) for p in packets(path) if is_rtp(p))
