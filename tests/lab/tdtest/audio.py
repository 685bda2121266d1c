# SPDX-License-Identifier: GPL-2.0-or-later
"""What is to be heard in a recording: tones with frequency and level."""
import cmath
import math
import wave

# G.711: a sine that just reaches the decoder's full scale is at +3.14 dBm0
# (A-law); in 16 bits, full scale is 32768.
FULL_SCALE_DBM0 = 3.14


def read_wav(path):
    """@return (rate, samples from -1 to 1) of a 16-bit mono file"""
    with wave.open(path, "rb") as w:
        if w.getsampwidth() != 2 or w.getnchannels() != 1:
            raise ValueError("%s: not 16 bits, mono" % path)
        raw = w.readframes(w.getnframes())
        rate = w.getframerate()
    n = len(raw) // 2
    return rate, [int.from_bytes(raw[2 * i:2 * i + 2], "little", signed=True)
                  / 32768 for i in range(n)]


def fft(x):
    """Radix 2, in place order; len(x) a power of two."""
    n = len(x)
    if n == 1:
        return list(x)
    even, odd = fft(x[0::2]), fft(x[1::2])
    step = cmath.exp(-2j * cmath.pi / n)
    out, w = [0] * n, 1
    for k in range(n // 2):
        if k % 64 == 0:         # no drift of the running factor
            w = cmath.exp(-2j * cmath.pi * k / n)
        t = w * odd[k]
        out[k], out[k + n // 2] = even[k] + t, even[k] - t
        w *= step
    return out


# Blackman-Harris, four terms: side lobes 92 dB down.
WINDOW = (0.35875, 0.48829, 0.14128, 0.01168)


def tones(samples, rate, floor_dbm0=-60.0, n=16384):
    """@return [(hz, dbm0)] of the spectrum's peaks, loudest first, from the
    first n samples given. Frequencies by interpolation between bins."""
    if len(samples) < n:
        raise ValueError("%d samples, %d are needed" % (len(samples), n))
    a = WINDOW
    x = [samples[i] * (a[0] - a[1] * math.cos(2 * math.pi * i / n)
                       + a[2] * math.cos(4 * math.pi * i / n)
                       - a[3] * math.cos(6 * math.pi * i / n))
         for i in range(n)]
    power = [abs(v) for v in fft(x)[:n // 2]]
    found = []
    for k in range(4, n // 2 - 4):
        if power[k] < max(power[k - 4:k + 5]) or not power[k]:
            continue
        # a parabola through the logarithms of three bins
        l, c, r = (math.log(max(power[j], 1e-12)) for j in (k - 1, k, k + 1))
        d = 0.5 * (l - r) / (l - 2 * c + r) if l - 2 * c + r else 0.0
        peak = math.exp(c - 0.25 * (l - r) * d)
        amplitude = 2 * peak / (a[0] * n)
        level = 20 * math.log10(amplitude) + FULL_SCALE_DBM0
        if level > floor_dbm0:
            found.append(((k + d) * rate / n, level))
    return sorted(found, key=lambda t: -t[1])


def longest_silence_ms(samples, rate, below=0.01):
    """Longest stretch in which no sample reaches below."""
    longest = run = 0
    for s in samples:
        run = run + 1 if abs(s) < below else 0
        longest = max(longest, run)
    return 1000 * longest / rate


def clicks(samples, rate, hz, frame_ms=20, worst_db=-25):
    """Frames in which what is left after the best fitting sine of hz is
    louder than worst_db under that sine: a jump in phase, a gap, a click.
    A-law's own noise is 38 dB under. @return [(seconds, dB)]"""
    n = rate * frame_ms // 1000
    w = 2 * math.pi * hz / rate
    cos = [math.cos(w * i) for i in range(n)]
    sin = [math.sin(w * i) for i in range(n)]
    cc = sum(c * c for c in cos)
    ss = sum(v * v for v in sin)
    cs = sum(c * v for c, v in zip(cos, sin))
    det = cc * ss - cs * cs
    bad = []
    for at in range(0, len(samples) - n + 1, n):
        x = samples[at:at + n]
        xc = sum(a * b for a, b in zip(x, cos))
        xs = sum(a * b for a, b in zip(x, sin))
        a = (xc * ss - xs * cs) / det
        b = (xs * cc - xc * cs) / det
        left = sum((v - a * c - b * q) ** 2
                   for v, c, q in zip(x, cos, sin)) / n
        level = (a * a + b * b) / 2
        db = 10 * math.log10(left / level) if left and level else \
            (0.0 if not level else -200.0)
        if db > worst_db:
            bad.append((at / rate, db))
    return bad
