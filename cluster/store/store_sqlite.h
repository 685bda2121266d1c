/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_STORE_SQLITE_H
#define TD_STORE_SQLITE_H

#include "cluster/store/store_job.h"

/* Inside the SQLite store: the tables of the configuration, in its thread and
 * within a transaction. SQLite's type without its header: */
typedef struct sqlite3 sqlite3;

/* Negative errno of a result code. */
int store_sqlite_errno(int rc);
/* STORE_TABLES, STORE_PUT, STORE_REFUSE, STORE_REFUSALS: fills the answer in.
 * A put that fails leaves nothing behind.
 * @return the job's status */
int store_sqlite_config(sqlite3 *db, struct store_job *job);

/* STORE_CDR_*, likewise. */
int store_sqlite_cdr(sqlite3 *db, struct store_job *job);

#endif
