# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration in the database: edited by plain SQL, compared, taken
back, and the database stopped and restored under it."""
import json

from tdtest.phones import A2, Answering, phone_call
from tdtest.tap import case, check, until

BIN = "/usr/lib/postgresql/15/bin"
PSQL = (BIN + "/psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", "10.77.0.5",
        "-U", "tandem", "tandem", "-c")


def sql(b, text):
    """As an operator would, from n1. @return what psql prints."""
    return b.ok("n1", *PSQL, text).strip()


def generation(b, node="n1"):
    return b.tandem(node, "status")["generation"]


def both_run(b, number):
    for node in ("n1", "n2"):
        until(10, "%s runs generation %d" % (node, number),
              lambda: generation(b, node) == number, 0.1)


def newest(b):
    return int(sql(b, "SELECT max(number) FROM generation"))


def export(b, node):
    return b.ok(node, "tandem", "config", "export")


@case("config: an extension put into the tables by psql is called at once, and taken "
      "back by a rollback")
def edited(b):
    before = generation(b)
    sql(b, "INSERT INTO config_extension (first, password) "
           "VALUES ('4001', 'pw4001')")
    both_run(b, before + 1)
    check(newest(b) == before + 1, "generation %d is stored", newest(b))
    with Answering(b, "4001", "echo", via=A2):
        c = phone_call(b, "4001", hold=1)["calls"][0]
        check(c["status"] == 200, "%r", c)
    d = b.tandem("n2", "config", "diff", str(before))
    check([x["text"] for x in d] ==
          ['extension 4001: added {number: "4001"}'], "diff: %r", d)
    check("pw4001" not in json.dumps(d), "the password is shown")
    rows = b.tandem("n1", "config", "log")
    check(rows[0]["author"] == "tandem" and rows[0]["running"],
          "log: %r", rows[0])
    b.ok("n2", "tandem", "config", "rollback", str(before))
    both_run(b, before + 2)
    c = phone_call(b, "4001", hold=1)["calls"][0]
    check(c["status"] == 404, "%r", c)
    check(sql(b, "SELECT count(*) FROM config_extension "
                 "WHERE first = '4001'") == "0", "the tables still have it")


@case("config: a constraint refuses a bad row in psql; a bad whole changes nothing "
      "and its reason is told")
def refused(b):
    before = generation(b)
    for text in ("INSERT INTO config_extension (first, last, password) "
                 "VALUES ('2900', '3100', 'x')",
                 "UPDATE config_line SET port = 1 WHERE name = 's2'",
                 "UPDATE config_route SET line_group = 'moon'"):
        p = b.run("n1", *PSQL, text)
        check(p.returncode != 0, "taken: %s", text)
    noted = int(sql(b, "SELECT count(*) FROM config_refusal"))
    sql(b, "INSERT INTO config_extension (first, last, password) "
           "VALUES ('000000', '100000', 'x')")
    until(10, "the refusal is in its table", lambda: int(
        sql(b, "SELECT count(*) FROM config_refusal")) > noted, 0.1)
    p = b.run("n2", "tandem", "config", "check")
    check(p.returncode == 1 and "100000" in p.stdout + p.stderr,
          "config check: %d %s%s", p.returncode, p.stdout, p.stderr)
    p = b.run("n2", "tandem", "config", "apply")
    check(p.returncode == 1, "config apply: %d %s", p.returncode, p.stdout)
    check(any("refused:" in r["comment"]
              for r in b.tandem("n1", "config", "log")), "log does not tell")
    check(generation(b, "n1") == before and generation(b, "n2") == before,
          "another generation runs")
    b.ok("n1", "tandem", "config", "rollback")
    b.ok("n2", "tandem", "config", "check")
    check(generation(b) == before, "another generation runs")
    p = b.run("n1", "tandem", "route", "test", "")
    check(p.returncode == 2, "route test '': status %d", p.returncode)


@case("config: a phone of a class that has no routes gets 403 for them, not for the "
      "house")
def classes(b):
    before = generation(b)
    sql(b, "BEGIN; INSERT INTO config_class (name) VALUES ('house'); "
           "INSERT INTO config_extension (first, password, class) "
           "VALUES ('4002', 'pw4002', 'house'); COMMIT")
    both_run(b, before + 1)
    try:
        c = phone_call(b, "95550002", user="4002", hold=1)["calls"][0]
        check(c["status"] == 403, "%r", c)
        c = phone_call(b, "2943", user="4002", hold=1)["calls"][0]
        check(c["status"] == 200, "%r", c)
    finally:
        b.ok("n1", "tandem", "config", "rollback", str(before))
        both_run(b, before + 2)


@case("config: with the database stopped calls and generation stay, changes are "
      "refused with a sentence; an older backup does not come back")
def away(b):
    before = generation(b)
    b.ok("n1", "tandem", "route", "add", "7777", "--strip", "4", "--group",
         "pstn")
    both_run(b, before + 1)
    doc = export(b, "n1")
    # the database's content as a backup from before has it
    sql(b, "BEGIN; DELETE FROM generation WHERE number = %d; "
           "DELETE FROM config_route WHERE prefix = '7777'; "
           "UPDATE config_working SET generation = %d, applied = serial; "
           "COMMIT" % (before + 1, before))
    until(10, "the database has generation %d again" % (before + 1),
          lambda: newest(b) == before + 1, 0.1)
    b.service("db", "stop", "postgres", "INT")
    try:
        until(20, "n1 sees it go", lambda: b.run(
            "n1", "tandem", "config", "log").returncode == 1, 0.2)
        for args in (("route", "del", "7777"), ("config", "apply"),
                     ("config", "rollback", str(before))):
            p = b.run("n1", "tandem", *args)
            check(p.returncode == 1 and "database" in p.stderr,
                  "%s: %d %s", " ".join(args), p.returncode, p.stderr)
        with Answering(b, "1010", "echo", via=A2):
            c = phone_call(b, "1010", hold=1)["calls"][0]
            check(c["status"] == 200, "%r", c)
    finally:
        b.service("db", "start", "postgres")
    for node in ("n1", "n2"):
        until(20, node + " has the database again", lambda: b.run(
            node, "tandem", "config", "check").returncode == 0, 0.2)
    check(newest(b) == before + 1, "generation %d is stored", newest(b))
    check(generation(b, "n1") == generation(b, "n2") == before + 1,
          "another generation runs")
    check(export(b, "n1") == export(b, "n2") == doc, "another document")
    check(sql(b, "SELECT count(*) FROM config_route WHERE prefix = '7777'")
          == "1", "the tables are not as what runs")
    b.ok("n2", "tandem", "route", "del", "7777")
    both_run(b, before + 2)
