# SPDX-License-Identifier: GPL-2.0-or-later
"""One node by itself."""

from tdtest.phones import Answering, clean, exchange_call, phone_call
from tdtest.tap import case, check, until


@case("solo: a phone and the exchange reach each other and the echo")
def works(b):
    note = clean(exchange_call(b, "5552943", hold=4, pattern=True), 1, 4,
                 "echo")
    with Answering(b, "1000", "pattern") as phone:
        r = exchange_call(b, "5551000", hold=4, pattern=True)
    note += "; " + clean(r, 1, 4, "exchange")
    return note + "; " + clean(phone.report, 1, 4, "phone")


@case("solo: registrations and configuration survive a restart")
def restart(b):
    p = b.spawn("p", "tandem-phone", "--user", "1001", "--via", "10.77.0.11",
                "--answer", "echo", "--json")

    def there():
        out = b.run("n1", "tandem", "registration", "list", "--json")
        return out.returncode == 0 and '"1001"' in out.stdout
    until(10, "1001 registers", there, 0.1)
    generation = b.tandem("n1", "status")["generation"]
    old = b.kill_process("n1", "tandemd")
    until(5, "tandemd is another",
          lambda: b.pids("n1", "tandemd") not in ([], [old]))
    until(15, "1001 is still registered", there, 0.1)
    check(b.tandem("n1", "status")["generation"] == generation,
          "another generation")
    c = phone_call(b, "1001", user="1002", hold=1)["calls"][0]
    check(c["status"] == 200, "%r", c)
    b.stop(p)
