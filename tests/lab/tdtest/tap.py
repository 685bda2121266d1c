# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases are functions with a sentence; what they return is their note."""
import time
import traceback


class Skip(Exception):
    """The case cannot be run here; says why."""


class Failure(Exception):
    """What was seen instead."""


CASES = []


def case(sentence):
    def register(fn):
        CASES.append((sentence, fn))
        return fn
    return register


def check(condition, text, *args):
    if not condition:
        raise Failure(text % args if args else text)


def until(seconds, text, fn, step=0.05):
    """Asks fn until it answers something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        value = fn()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("%s: not within %g s (last: %.300r)"
                          % (text, seconds, value))
        time.sleep(step)


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def line(self, ok, sentence, note=""):
        self.n += 1
        self.failed += not ok
        print("%sok %d - %s%s" % ("" if ok else "not ", self.n, sentence,
                                  note), flush=True)

    def note(self, text):
        for t in str(text).splitlines():
            print("# " + t, flush=True)

    def run(self, sentence, fn, bench, after=None):
        began = time.monotonic()
        try:
            note = fn(bench)
        except Skip as e:
            self.line(True, sentence, " # SKIP " + str(e))
            return
        except Failure as e:
            self.line(False, sentence)
            self.note(e)
        except Exception:
            self.line(False, sentence)
            self.note(traceback.format_exc())
        else:
            self.line(True, sentence)
            self.note("%.1f s%s" % (time.monotonic() - began,
                                    ": " + str(note) if note else ""))
            return
        if after:
            self.note(after())
