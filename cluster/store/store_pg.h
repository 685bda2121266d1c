/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_STORE_PG_H
#define TD_STORE_PG_H

#include "cluster/store/store_job.h"

/* Inside the PostgreSQL store: store_pg.c has the connection and its queue,
 * one query in flight; what a job asks and how its answer is read stands in
 * the files of its subject. libpq's types, without its header: */
typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;

struct pg_job {
	/* Hands the query to libpq, never waits; what PQsend… says. */
	int (*send)(PGconn *conn, const struct store_job *job);
	/* Of a query that succeeded: fills the job's answer.
	 * @return its status: 0 or negative errno */
	int (*read)(struct store_job *job, const PGresult *r);
};

/* By enum store_what; NULL: not for PostgreSQL. */
const struct pg_job *store_pg_job(int what);

extern const struct pg_job store_pg_last, store_pg_get, store_pg_list,
	store_pg_tables, store_pg_put, store_pg_refuse, store_pg_refusals,
	store_pg_cdr_put, store_pg_cdr_list, store_pg_cdr_show;

#endif
