# SPDX-License-Identifier: GPL-2.0-or-later
"""Call detail records of a node by itself."""
from tdtest.phones import phone_call
from tdtest.tap import case, check, until


@case("solo: a call's detail record is in its database, also when it ended "
      "just before the daemon was killed")
def written(b):
    phone_call(b, "2943", hold=2)
    b.kill_process("n1", "tandemd")

    def found():
        p = b.run("n1", "tandem", "cdr", "list", "--json")
        return p.returncode == 0 and [
            # other cases have called before
            c for c in b.tandem("n1", "cdr", "list")
            if (c["calling"], c["called"]) == ("1000", "2943")]
    call = until(20, "the record is there", found, 0.2)[0]
    check(call["cause"] == 16, "%r", call)
    check(1500 <= call["talk_ms"] <= 2500, "%r", call)
    check(len(b.tandem("n1", "cdr", "show", call["id"])) == 2, "cdr show")
