# SPDX-License-Identifier: GPL-2.0-or-later
"""Call detail records, as SQL finds them: no word of the product is asked."""
import json

from .tap import check, until

PSQL = ("/usr/lib/postgresql/15/bin/psql", "-qAtX", "-v", "ON_ERROR_STOP=1",
        "-h", "/run/postgresql", "-U", "postgres", "tandem", "-c")


def sql(b, query):
    """@return what psql prints"""
    return b.ok("db", *PSQL, query).strip()


def number(b, query):
    return int(sql(b, query) or 0)


def newest(b):
    """Start of the newest record, ms; records after it are newer."""
    return number(b, "SELECT coalesce(max(start_ms), 0) FROM cdr")


def rows(b, where):
    """@return rows of cdr, in order of their start"""
    return json.loads(sql(b, "SELECT coalesce(json_agg(row_to_json(c) ORDER BY"
                          " start_ms, leg), '[]') FROM cdr c WHERE " + where))


def calls_since(b, start_ms):
    """@return (calls, answered) that began after that"""
    out = sql(b, "SELECT count(*), count(*) FILTER (WHERE answered) FROM "
              "cdr_call WHERE start_ms > %d" % start_ms)
    return tuple(int(n) for n in out.split("|"))


def broken(b, start_ms=0):
    """Calls whose records cannot be: more than one caller's leg, none, or a
    leg written twice. @return their ids"""
    return sql(b, "SELECT call_id FROM cdr WHERE start_ms > %d GROUP BY "
               "call_id HAVING count(*) FILTER (WHERE direction = 'in' AND "
               "NOT internal) <> 1 OR count(*) <> count(DISTINCT leg)"
               % start_ms).split()


def waiting(b, nodes=("n1", "n2")):
    """Records on the nodes' disks that are not known to be written."""
    return sum(b.json(n, "tandem", "cdr", "spool", "--json")
               ["spool"]["records"] for n in nodes)


def written(b, seconds=60, nodes=("n1", "n2")):
    """Waits until nothing waits any more."""
    until(seconds, "all records are in the database",
          lambda: waiting(b, nodes) == 0, 0.2)
    check(not sql(b, "SELECT count(*) FROM cdr_refused").strip("0"),
          "refused by a check: %s", sql(b, "SELECT reason FROM cdr_refused "
                                        "LIMIT 3"))
