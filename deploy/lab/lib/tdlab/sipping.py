#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sipping.py ADDRESS...: does SIP answer there? Sends OPTIONS over UDP."""
import os
import socket
import sys

bad = []
for address in sys.argv[1:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.5)
    tag = os.urandom(4).hex()
    try:
        s.connect((address, 5060))
        me = "%s:%d" % s.getsockname()
        s.send(("OPTIONS sip:%s SIP/2.0\r\n"
                "Via: SIP/2.0/UDP %s;branch=z9hG4bK%s;rport\r\n"
                "Max-Forwards: 70\r\n"
                "From: <sip:lab@%s>;tag=%s\r\n"
                "To: <sip:%s>\r\n"
                "Call-ID: %s@lab\r\nCSeq: 1 OPTIONS\r\n"
                "Content-Length: 0\r\n\r\n"
                % (address, me, tag, me, tag, address, tag)).encode())
        if not s.recv(4096).startswith(b"SIP/2.0 "):
            bad.append(address + " answers, but not in SIP")
    except OSError as e:
        bad.append("%s:5060 does not answer SIP (%s)" % (address, e))
if bad:
    print("; ".join(bad))
sys.exit(1 if bad else 0)
