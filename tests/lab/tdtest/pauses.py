# SPDX-License-Identifier: GPL-2.0-or-later
"""The pauses of this machine, as somebody who only sleeps sees them."""
import threading
import time


class Pauses:
    """with Pauses() as p: …; p.seen: [(seconds since the start, ms)] of each
    sleep of 5 ms that took more than worst_ms longer."""

    def __init__(self, worst_ms=15):
        self.worst_ms = worst_ms
        self.seen = []
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        began = last = time.monotonic()
        while not self.end.is_set():
            time.sleep(0.005)
            now = time.monotonic()
            late = 1000 * (now - last) - 5
            if late > self.worst_ms:
                self.seen.append((round(now - began, 3), round(late, 1)))
            last = now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
