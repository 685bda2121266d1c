// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/store_pg.h"
#include "proto/base/str.h"

/* Generations and tables: what is asked, how the answer is read. The logic is
 * the database's own: deploy/sql/pg. */

#define COLUMNS "SELECT number, at_ms, author, comment, encode(sha256, 'hex')"
#define WHOLE COLUMNS ", content, encode(secret, 'hex') FROM generation "

/* NULL leaves out as it is. */
static void hex(const PGresult *r, int row, int col, uint8_t *out, size_t size)
{
	const char *s = PQgetvalue(r, row, col);
	size_t n = PQgetlength(r, row, col);

	for (size_t i = 0; i < size && 2 * i + 1 < n; i++) {
		unsigned int v = 0;

		sscanf(s + 2 * i, "%2x", &v);
		out[i] = v;
	}
}

static void text(const PGresult *r, int row, int col, char *out, size_t size)
{
	td_str_cut(out, size, PQgetvalue(r, row, col));
	td_str_trim_utf8(out);
}

static int read_generations(struct store_job *job, const PGresult *r)
{
	for (int i = 0; i < PQntuples(r); i++) {
		struct td_generation *g = store_job_row(job);

		if (!g)
			return -ENOMEM;
		g->number = strtoull(PQgetvalue(r, i, 0), NULL, 10);
		g->at_ms = strtoll(PQgetvalue(r, i, 1), NULL, 10);
		text(r, i, 2, g->author, sizeof(g->author));
		text(r, i, 3, g->comment, sizeof(g->comment));
		hex(r, i, 4, g->sha256, sizeof(g->sha256));
		if (job->what == STORE_LIST)
			continue;
		if (PQgetlength(r, i, 5) > TD_CONFIG_MAX_OCTETS)
			return -EMSGSIZE;
		g->n = PQgetlength(r, i, 5);
		g->content = malloc(g->n + 1);
		if (!g->content)
			return -ENOMEM;
		memcpy(g->content, PQgetvalue(r, i, 5), g->n + 1);
		hex(r, i, 6, g->secret, sizeof(g->secret));
	}
	return 0;
}

static int send_last(PGconn *conn, const struct store_job *job)
{
	return PQsendQuery(conn, WHOLE "ORDER BY number DESC LIMIT 1");
}

static int send_one_number(PGconn *conn, const char *sql, uint64_t n)
{
	char number[24];
	const char *v[] = { number };

	snprintf(number, sizeof(number), "%" PRIu64, n);
	return PQsendQueryParams(conn, sql, 1, NULL, v, NULL, NULL, 0);
}

static int send_get(PGconn *conn, const struct store_job *job)
{
	return send_one_number(conn, WHOLE "WHERE number = $1::bigint",
			       job->number);
}

static int send_list(PGconn *conn, const struct store_job *job)
{
	return send_one_number(conn, COLUMNS " FROM generation ORDER BY "
				     "number DESC LIMIT $1::bigint",
			       job->limit);
}

static int send_tables(PGconn *conn, const struct store_job *job)
{
	return PQsendQuery(conn, "SELECT config_read()");
}

static int read_tables(struct store_job *job, const PGresult *r)
{
	if (PQntuples(r) != 1)
		return -EBADMSG;
	return store_job_tables(job, PQgetvalue(r, 0, 0),
				PQgetlength(r, 0, 0));
}

static int send_put(PGconn *conn, const struct store_job *job)
{
	const struct td_generation *g = &job->gen;
	char number[24], at[24], base[24], serial[24];
	const char *v[] = {
		number, at, g->author, g->comment, (const char *)g->sha256,
		g->content, (const char *)g->secret, base, job->rows, serial,
		job->force ? "true" : "false", job->who,
	};
	int len[12] = { [4] = sizeof(g->sha256), [6] = sizeof(g->secret) };
	int binary[12] = { [4] = 1, [6] = 1 };

	snprintf(number, sizeof(number), "%" PRIu64, g->number);
	snprintf(at, sizeof(at), "%" PRId64, g->at_ms);
	snprintf(base, sizeof(base), "%" PRIu64, job->base);
	snprintf(serial, sizeof(serial), "%" PRIu64, job->serial);
	return PQsendQueryParams(conn, "SELECT config_put($1::bigint, "
				 "$2::bigint, $3::text, $4::text, $5::bytea, "
				 "$6::text, $7::bytea, $8::bigint, $9::jsonb, "
				 "$10::bigint, $11::boolean, $12::text)", 12,
				 NULL, v, len, binary, 0);
}

static int read_put(struct store_job *job, const PGresult *r)
{
	static const struct {
		const char *text;
		int status;
	} t[] = {
		{ "done", 0 }, { "exists", -EEXIST }, { "moved", -ESTALE },
		{ "pending", -EBUSY },
	};

	for (size_t i = 0; PQntuples(r) == 1 && i < sizeof(t) / sizeof(*t); i++)
		if (!strcmp(PQgetvalue(r, 0, 0), t[i].text))
			return t[i].status;
	return -EBADMSG;
}

static int send_refuse(PGconn *conn, const struct store_job *job)
{
	char serial[24];
	const char *v[] = { serial, job->rows };

	snprintf(serial, sizeof(serial), "%" PRIu64, job->serial);
	return PQsendQueryParams(conn, "SELECT config_refused($1::bigint, "
				       "$2::jsonb)", 2, NULL, v, NULL, NULL, 0);
}

static int read_nothing(struct store_job *job, const PGresult *r)
{
	return 0;
}

static int send_refusals(PGconn *conn, const struct store_job *job)
{
	return send_one_number(conn,
			       "SELECT (extract(epoch FROM at) * 1000)::bigint,"
			       " serial, by_whom, place, what FROM "
			       "config_refusal ORDER BY id DESC LIMIT "
			       "$1::bigint", job->limit);
}

static int read_refusals(struct store_job *job, const PGresult *r)
{
	for (int i = 0; i < PQntuples(r); i++) {
		struct td_refusal *f = store_job_refusal(job);

		if (!f)
			return -ENOMEM;
		f->at_ms = strtoll(PQgetvalue(r, i, 0), NULL, 10);
		f->serial = strtoull(PQgetvalue(r, i, 1), NULL, 10);
		text(r, i, 2, f->by, sizeof(f->by));
		text(r, i, 3, f->where, sizeof(f->where));
		text(r, i, 4, f->what, sizeof(f->what));
	}
	return 0;
}

const struct pg_job store_pg_last = { send_last, read_generations };
const struct pg_job store_pg_get = { send_get, read_generations };
const struct pg_job store_pg_list = { send_list, read_generations };
const struct pg_job store_pg_tables = { send_tables, read_tables };
const struct pg_job store_pg_put = { send_put, read_put };
const struct pg_job store_pg_refuse = { send_refuse, read_nothing };
const struct pg_job store_pg_refusals = { send_refusals, read_refusals };
