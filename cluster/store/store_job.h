/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_STORE_JOB_H
#define TD_STORE_JOB_H

#include <stdbool.h>

#include "cluster/store/store.h"

/* Inside the store: what store.c makes of each call and a backend works off.
 * A job is owned by the backend from submit to store_job_finish. */

enum store_what {
	STORE_LAST,
	STORE_GET,
	STORE_LIST,
	STORE_PUT,
	STORE_TABLES,
	STORE_REFUSE,
	STORE_REFUSALS,
	STORE_CONTACT_PUT,
	STORE_CONTACT_DEL,
	STORE_CONTACTS,
	STORE_EXPIRE,
	STORE_CDR_PUT,
	STORE_CDR_LIST,
	STORE_CDR_SHOW,
	STORE_INTERNAL,		/* first of a backend's own */
};

enum { STORE_MAX_JOBS = 1024, STORE_MAX_LIST = 10000 };

struct store_job {
	struct store_job *next;
	int what;
	/* asked */
	uint64_t number;		/* GET; CDR_PUT: epoch of the writer */
	unsigned int limit;		/* LIST, REFUSALS, CDR_LIST */
	struct td_generation gen;	/* PUT; content is the job's own;
					 * number 0: none */
	uint64_t base, serial;		/* PUT, REFUSE */
	bool force;			/* PUT; CDR_PUT: careful */
	char *who;			/* PUT, CDR_PUT */
	char *rows;			/* PUT: JSON, NULL none; REFUSE: an
					 * array of {where, what}; CDR_PUT: an
					 * array of rows of cdr */
	char *user, *uri;		/* contacts; user: CDR_LIST a number,
					 * CDR_SHOW a call's id */
	uint8_t *packed;		/* a Contact */
	size_t n_packed;
	int64_t expires_ms;
	/* answered */
	int status;
	char why[160];			/* the database's own words */
	struct td_generation *gens;
	size_t n_gens;
	struct td_tables tables;
	struct td_refusal *refusals;
	size_t n_refusals;
	Td__Contact **contacts;
	size_t n_contacts;
	char *text;			/* CDR_LIST, CDR_SHOW: JSON */
	/* whom */
	td_store_generation_fn on_generation;
	td_store_contacts_fn on_contacts;
	td_store_tables_fn on_tables;
	td_store_refusals_fn on_refusals;
	td_store_done_fn on_done;
	td_store_text_fn on_text;
	void *arg;
};

struct td_store_ops {
	/* @return 0: the job is taken; else negative errno */
	int (*submit)(struct td_store *s, struct store_job *job);
	void (*close)(struct td_store *s);
	bool contacts;			/* keeps registrations */
};

struct td_store {
	const struct td_store_ops *ops;
	struct td_loop *loop;
	bool ready;
	unsigned int n_jobs;		/* taken, not finished */
	uint64_t refused;		/* jobs beyond STORE_MAX_JOBS */
	char error[256];
	void (*watch)(void *arg);
	void *watch_arg;
};

int store_pg_open(struct td_loop *loop, const char *uri,
		  struct td_store **out);
int store_sqlite_open(struct td_loop *loop, const char *path,
		      struct td_store **out);

/* NULL: no memory. */
struct store_job *store_job_new(int what, void *arg);
/* Takes the job over, also when it fails. @return 0, -ENOMEM (job NULL),
 * -ENOTCONN, -EAGAIN, … */
int store_job_submit(struct td_store *s, struct store_job *job);
/* Room for one row more, zeroed, NULL: no memory. */
struct td_generation *store_job_row(struct store_job *job);
struct td_refusal *store_job_refusal(struct store_job *job);
/* Reads what config_read() gives (deploy/sql/pg). */
int store_job_tables(struct store_job *job, const char *json, size_t n);
/* Unpacks and appends; 0 or negative errno. */
int store_job_contact(struct store_job *job, const void *packed, size_t n);
/* Tells the caller, frees the job. */
void store_job_finish(struct td_store *s, struct store_job *job);
/* Only frees. */
void store_job_free(struct store_job *job);
/* Changes ready and the error text, tells the watcher. */
void store_state(struct td_store *s, bool ready, const char *error);

#endif
