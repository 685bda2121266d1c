// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/store_pg.h"

/* Call detail records; the logic is deploy/sql/pg's cdr_put. */

static int send_put(PGconn *conn, const struct store_job *job)
{
	char epoch[24];
	const char *v[] = { epoch, job->who, job->rows,
			    job->force ? "true" : "false" };

	snprintf(epoch, sizeof(epoch), "%" PRIu64, job->number);
	return PQsendQueryParams(conn, "SELECT cdr_put($1::bigint, $2::text, "
				 "$3::json, $4::boolean)", 4, NULL, v, NULL,
				 NULL, 0);
}

static int read_nothing(struct store_job *job, const PGresult *r)
{
	return 0;
}

static int send_list(PGconn *conn, const struct store_job *job)
{
	char limit[16];
	const char *v[] = { limit, job->user };

	snprintf(limit, sizeof(limit), "%u", job->limit);
	return PQsendQueryParams(conn,
		"SELECT coalesce(json_agg(row_to_json(t) ORDER BY t.start_ms "
		"DESC), '[]') FROM (SELECT call_id AS id, start_ms, calling, "
		"called, reached, answered, talk_ms, duration_ms, cause, "
		"sip_status, cleared_by, from_kind, from_unit, to_kind, "
		"to_unit, to_timeslot, voice FROM cdr_call WHERE $2::text = "
		"'' OR calling = $2::text OR called = $2::text OR reached = "
		"$2::text ORDER BY start_ms DESC LIMIT $1::bigint) t", 2, NULL,
		v, NULL, NULL, 0);
}

static int send_show(PGconn *conn, const struct store_job *job)
{
	const char *v[] = { job->user };

	return PQsendQueryParams(conn,
		"SELECT coalesce(json_agg(row_to_json(t) ORDER BY t.start_ms, "
		"t.leg), '[]') FROM cdr t WHERE call_id = $1::text", 1, NULL,
		v, NULL, NULL, 0);
}

static int read_text(struct store_job *job, const PGresult *r)
{
	if (PQntuples(r) != 1)
		return -EBADMSG;
	job->text = strdup(PQgetvalue(r, 0, 0));
	return job->text ? 0 : -ENOMEM;
}

const struct pg_job store_pg_cdr_put = { send_put, read_nothing };
const struct pg_job store_pg_cdr_list = { send_list, read_text };
const struct pg_job store_pg_cdr_show = { send_show, read_text };
