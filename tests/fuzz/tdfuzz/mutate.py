# SPDX-License-Identifier: GPL-2.0-or-later
"""Mutations; the same seed gives the same octets."""

EXTREMES = [b"0", b"-1", b"1", b"65535", b"65536", b"2147483648",
            b"4294967296", b"18446744073709551616", b"99999999999999999999",
            b"", b"%n%s", b"\0", b"\xff\xfe", b"A" * 300]


def octets(rnd, data, times=None):
    """Flips, drops, repeats, inserts octets; cuts the end off."""
    d = bytearray(data)
    for _ in range(times or rnd.choice((1, 1, 2, 4, 16))):
        at = rnd.randrange(len(d) + 1)
        kind = rnd.randrange(7)
        if kind == 0 and at < len(d):
            d[at] ^= 1 << rnd.randrange(8)
        elif kind == 1 and at < len(d):
            d[at] = rnd.choice((0, 1, 0x7f, 0x80, 0xff, rnd.randrange(256)))
        elif kind == 2:
            del d[at:at + rnd.randrange(1, 9)]
        elif kind == 3:
            d[at:at] = d[at:at + rnd.randrange(1, 33)]
        elif kind == 4:
            d[at:at] = bytes(rnd.randrange(256)
                             for _ in range(rnd.randrange(1, 9)))
        elif kind == 5 and rnd.randrange(4) == 0:
            del d[at:]
        elif at + 1 < len(d):
            other = rnd.randrange(len(d))
            d[at], d[other] = d[other], d[at]
    return bytes(d)


def text(rnd, message, times=None):
    """The same for a protocol of lines and tokens."""
    for _ in range(times or rnd.choice((1, 1, 2, 3, 6))):
        lines = message.split(b"\r\n")
        at = rnd.randrange(len(lines))
        kind = rnd.randrange(9)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[rnd.randrange(len(lines))])
        elif kind == 2:
            lines[at] = number(rnd, lines[at])
        elif kind == 3:
            lines[at] = octets(rnd, lines[at], 1)
        elif kind == 4:
            lines[at] += rnd.choice((b";", b",", b"<", b'"', b" \t", b":",
                                     b";x=" + b"y" * rnd.randrange(2000)))
        elif kind == 5:
            lines[at] = lines[at] * rnd.randrange(1, 40)
        elif kind == 6:
            lines[at:at] = [lines[at]] * rnd.randrange(1, 80)
        elif kind == 7:
            a, _, b = lines[at].partition(b":")
            lines[at] = a + b":\r\n " + b
        else:
            rnd.shuffle(lines)
        message = b"\r\n".join(lines)[:65000]
    return message


def number(rnd, line):
    """Another value for one of a line's numbers."""
    spots = [i for i, c in enumerate(line) if 48 <= c <= 57]
    if not spots:
        return line
    a = b = rnd.choice(spots)
    while a > 0 and 48 <= line[a - 1] <= 57:
        a -= 1
    while b < len(line) and 48 <= line[b] <= 57:
        b += 1
    return line[:a] + rnd.choice(EXTREMES) + line[b:]
