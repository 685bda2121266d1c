# SPDX-License-Identifier: GPL-2.0-or-later
"""HDLC and LAPD for the far end of a fuzzed line; slow and obvious."""


def crc16(data):
    """CRC of X.25, as in Q.921 2.7."""
    crc = 0xffff
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc ^ 0xffff


class Sender:
    """Frames become the bits of one timeslot: least significant bit of an
    octet first; a line octet's first bit is its most significant."""

    def __init__(self):
        self.bits = []

    def raw(self, bits):
        self.bits += bits

    def frame(self, data, spoil=False):
        crc = crc16(data) ^ (0x0101 if spoil else 0)
        ones = 0
        self.bits += [0, 1, 1, 1, 1, 1, 1, 0]
        for b in data + bytes((crc & 255, crc >> 8)):
            for i in range(8):
                bit = b >> i & 1
                self.bits.append(bit)
                ones = ones + 1 if bit else 0
                if ones == 5:
                    self.bits.append(0)
                    ones = 0
        self.bits += [0, 1, 1, 1, 1, 1, 1, 0]

    def octets(self, n):
        out = bytearray()
        while len(out) < n:
            if len(self.bits) < 8:
                self.bits += [0, 1, 1, 1, 1, 1, 1, 0]
            v = 0
            for bit in self.bits[:8]:
                v = v << 1 | bit
            del self.bits[:8]
            out.append(v)
        return bytes(out)


class Receiver:
    def __init__(self):
        self.ones, self.bits, self.open = 0, [], False

    def feed(self, octets):
        """@return frames with a right FCS, without it"""
        found = []
        for o in octets:
            for i in range(7, -1, -1):
                f = self._bit(o >> i & 1)
                if f is not None:
                    found.append(f)
        return found

    def _bit(self, bit):
        if bit:
            self.ones += 1
            if self.ones < 7:
                self.bits.append(1)
            else:
                self.open = False
            return None
        ones, self.ones = self.ones, 0
        if ones == 5:
            return None
        if ones == 6:
            bits, was = self.bits[:-7], self.open
            self.bits, self.open = [], True
            return self._frame(bits) if was else None
        self.bits.append(0)
        if len(self.bits) > 20000:
            self.open, self.bits = False, []
        return None

    @staticmethod
    def _frame(bits):
        if len(bits) < 32 or len(bits) % 8:
            return None
        d = bytes(sum(bits[8 * k + i] << i for i in range(8))
                  for k in range(len(bits) // 8))
        return d[:-2] if crc16(d[:-2]) == d[-2] | d[-1] << 8 else None


class Link:
    """LAPD's network side, just enough to keep a user side listening:
    SAPI 0, TEI 0, modulo 128 (Q.921 3.6)."""

    def __init__(self, send):
        self.send = send
        self.up = False
        self.vs = self.va = self.vr = 0
        self.acked_at = 0.0
        self.asked_at = 0.0

    def establish(self, now):
        if now - self.asked_at > 1:
            self.asked_at = now
            self.send(b"\x02\x01\x7f")

    def _reset(self, now):
        self.up, self.vs, self.va, self.vr = True, 0, 0, 0
        self.acked_at = now

    def information(self, data, now):
        """@return False: the window is full"""
        if not self.up or (self.vs - self.va) % 128 >= 7:
            if self.up and now - self.acked_at > 2:
                self.up = False
            return False
        self.send(bytes((2, 1, self.vs << 1, self.vr << 1)) + data)
        self.vs = (self.vs + 1) % 128
        return True

    def hear(self, f, now):
        """@return the information of an I-frame in its order, or None"""
        if len(f) < 3:
            return None
        if f[2] & 0xef == 0x6f:                 # SABME
            self.send(b"\x00\x01" + bytes((0x63 | f[2] & 0x10,)))
            self._reset(now)
        elif f[2] & 0xef == 0x63:               # UA
            self._reset(now)
        elif f[2] & 0xef in (0x0f, 0x43, 0x87):  # DM, DISC, FRMR
            if f[2] & 0xef == 0x43:
                self.send(b"\x00\x01" + bytes((0x63 | f[2] & 0x10,)))
            self.up = False
        elif len(f) >= 4 and not f[2] & 1:      # I
            self._ack(f[3] >> 1, now)
            if f[2] >> 1 == self.vr:
                self.vr = (self.vr + 1) % 128
                self.send(bytes((0, 1, 1, self.vr << 1 | f[3] & 1)))
                return f[4:]
            self.send(bytes((0, 1, 1, self.vr << 1 | f[3] & 1)))
        elif len(f) >= 4 and f[2] & 3 == 1:     # RR, RNR, REJ
            self._ack(f[3] >> 1, now)
            if f[2] == 9:
                self.vs = f[3] >> 1
            if f[0] == 0 and f[3] & 1:          # a command with P
                self.send(bytes((0, 1, 1, self.vr << 1 | 1)))
        return None

    def _ack(self, nr, now):
        self.va = nr
        self.acked_at = now
