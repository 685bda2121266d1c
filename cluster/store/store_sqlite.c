// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/migrations.h"
#include "cluster/store/store_sqlite.h"
#include "proto/base/queue.h"
#include "proto/base/str.h"

/* SQLite in a thread of its own: jobs go down by one queue and come up by
 * another. Jobs that wait together share a transaction, so that a burst of
 * registrations costs one fsync. */

enum { JOB_STOP = STORE_INTERNAL, JOB_STATE, JOB_EDITED };
enum { RETRY_MS = 1000, LOOK_MS = 1000, BATCH = 256, SPARE = 16 };

struct sqlite {
	struct td_store base;
	char *path;
	struct td_queue *down, *up;
	pthread_t thread;
	struct store_job stop_job;
	/* the thread's own: */
	sqlite3 *db;
	int64_t version;
	bool stop;
};

int store_sqlite_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return -EIO;
	}
}

/* Tells the loop; the text goes as the job's user. */
static void post_state(struct sqlite *q, bool ready, const char *error)
{
	struct store_job *job = calloc(1, sizeof(*job));

	if (!job)
		return;		/* tried again at the next change */
	job->what = JOB_STATE;
	job->status = ready ? 0 : -EIO;
	job->user = strdup(error);
	if (!job->user || td_queue_put(q->up, job))
		store_job_free(job);
}

static int exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int one_number(sqlite3 *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc)
		return rc;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc;
}

/* Somebody else has committed something since the last look? It counts every
 * other connection's commits, and no own ones. */
static void look(struct sqlite *q)
{
	struct store_job *job;
	int64_t v = q->version;

	if (one_number(q->db, "PRAGMA data_version", &v) || v == q->version)
		return;
	job = calloc(1, sizeof(*job));
	if (!job)
		return;		/* the next look sees it, too */
	job->what = JOB_EDITED;
	if (td_queue_put(q->up, job))
		store_job_free(job);
	else
		q->version = v;
}

static int migrate(sqlite3 *db)
{
	const struct store_migration *m = store_migrations_sqlite;
	int64_t have = 0;
	char note[200];
	int rc;

	rc = exec(db, "BEGIN IMMEDIATE;"
		      "CREATE TABLE IF NOT EXISTS schema_migration ("
		      "number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
		      "at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)");
	if (!rc)
		rc = one_number(db, "SELECT coalesce(max(number), 0) "
				    "FROM schema_migration", &have);
	for (; !rc && m->number; m++) {
		if (m->number <= have)
			continue;
		snprintf(note, sizeof(note),
			 "INSERT INTO schema_migration (number, name) "
			 "VALUES (%u, '%s')", m->number, m->name);
		rc = exec(db, m->sql);
		if (!rc)
			rc = exec(db, note);
	}
	return rc ? rc : exec(db, "COMMIT");
}

static int open_db(struct sqlite *q)
{
	char text[256];
	int rc = sqlite3_open_v2(q->path, &q->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					 SQLITE_OPEN_NOMUTEX, NULL);

	if (!rc)
		rc = sqlite3_busy_timeout(q->db, 5000);
	if (!rc)
		rc = exec(q->db, "PRAGMA journal_mode=WAL;"
				 "PRAGMA synchronous=FULL");
	if (!rc)
		rc = migrate(q->db);
	if (!rc)
		rc = one_number(q->db, "PRAGMA data_version", &q->version);
	if (!rc) {
		post_state(q, true, "");
		return 0;
	}
	snprintf(text, sizeof(text), "%s: %s", q->path,
		 q->db ? sqlite3_errmsg(q->db) : sqlite3_errstr(rc));
	sqlite3_close(q->db);
	q->db = NULL;
	post_state(q, false, text);
	return -EIO;
}

static void column_text(sqlite3_stmt *st, int i, char *out, size_t size)
{
	td_str_cut(out, size, (const char *)sqlite3_column_text(st, i));
	td_str_trim_utf8(out);
}

static int generation_row(sqlite3_stmt *st, struct store_job *job)
{
	struct td_generation *g = store_job_row(job);
	const void *sum = sqlite3_column_blob(st, 4);
	int n;

	if (!g)
		return -ENOMEM;
	g->number = sqlite3_column_int64(st, 0);
	g->at_ms = sqlite3_column_int64(st, 1);
	column_text(st, 2, g->author, sizeof(g->author));
	column_text(st, 3, g->comment, sizeof(g->comment));
	if (!sum || sqlite3_column_bytes(st, 4) != sizeof(g->sha256))
		return -EBADMSG;
	memcpy(g->sha256, sum, sizeof(g->sha256));
	if (job->what == STORE_LIST)
		return 0;
	n = sqlite3_column_bytes(st, 5);
	if (n < 0 || n > TD_CONFIG_MAX_OCTETS)
		return -EMSGSIZE;
	g->content = malloc(n + 1);
	if (!g->content)
		return -ENOMEM;
	if (n)
		memcpy(g->content, sqlite3_column_blob(st, 5), n);
	g->content[n] = '\0';
	g->n = n;
	if (sqlite3_column_bytes(st, 6) == sizeof(g->secret))
		memcpy(g->secret, sqlite3_column_blob(st, 6),
		       sizeof(g->secret));
	return 0;
}

static int contact_row(sqlite3_stmt *st, struct store_job *job)
{
	int rc = store_job_contact(job, sqlite3_column_blob(st, 0),
				   sqlite3_column_bytes(st, 0));

	/* one bad row must not hide the others: that phone registers again */
	return rc == -ENOMEM ? rc : 0;
}

static void bind_text(sqlite3_stmt *st, int i, const char *s)
{
	sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
}

static void bind_job(sqlite3_stmt *st, const struct store_job *job)
{
	switch (job->what) {
	case STORE_GET:
		sqlite3_bind_int64(st, 1, job->number);
		break;
	case STORE_LIST:
		sqlite3_bind_int64(st, 1, job->limit);
		break;
	case STORE_CONTACT_PUT:
		bind_text(st, 1, job->user);
		bind_text(st, 2, job->uri);
		sqlite3_bind_int64(st, 3, job->expires_ms);
		sqlite3_bind_blob(st, 4, job->packed, job->n_packed,
				  SQLITE_STATIC);
		break;
	case STORE_CONTACT_DEL:
		bind_text(st, 1, job->user);
		bind_text(st, 2, job->uri);
		break;
	case STORE_EXPIRE:
		sqlite3_bind_int64(st, 1, job->expires_ms);
		break;
	default:
		break;
	}
}

static int run(struct sqlite *q, struct store_job *job)
{
	static const char *const sql[STORE_INTERNAL] = {
		[STORE_LAST] =
			"SELECT number, at_ms, author, comment, sha256, "
			"content, secret FROM generation "
			"ORDER BY number DESC LIMIT 1",
		[STORE_GET] =
			"SELECT number, at_ms, author, comment, sha256, "
			"content, secret FROM generation WHERE number = ?1",
		[STORE_LIST] =
			"SELECT number, at_ms, author, comment, sha256 "
			"FROM generation ORDER BY number DESC LIMIT ?1",
		[STORE_CONTACT_PUT] =
			"INSERT OR REPLACE INTO contact (user, uri, "
			"expires_ms, contact) VALUES (?1, ?2, ?3, ?4)",
		[STORE_CONTACT_DEL] =
			"DELETE FROM contact WHERE user = ?1 AND "
			"(uri = ?2 OR ?2 = '')",
		[STORE_CONTACTS] =
			"SELECT contact FROM contact ORDER BY user, uri",
		[STORE_EXPIRE] = "DELETE FROM contact WHERE expires_ms <= ?1",
	};
	sqlite3_stmt *st;
	int rc, err;

	if (job->what >= STORE_CDR_PUT && job->what <= STORE_CDR_SHOW)
		return store_sqlite_cdr(q->db, job);
	if (!sql[job->what])
		return store_sqlite_config(q->db, job);
	rc = sqlite3_prepare_v2(q->db, sql[job->what], -1, &st, NULL);
	if (rc)
		return store_sqlite_errno(rc);
	bind_job(st, job);
	err = 0;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = job->what == STORE_CONTACTS ? contact_row(st, job)
						  : generation_row(st, job);
	sqlite3_finalize(st);
	if (err)
		return err;
	return store_sqlite_errno(rc);
}

/* All that waits, in one transaction. */
static void work(struct sqlite *q)
{
	struct store_job *batch[BATCH], *job;
	unsigned int n = 0;
	bool fine = q->db && !exec(q->db, "BEGIN IMMEDIATE");
	int rc;

	while (n < BATCH && (job = td_queue_get(q->down))) {
		if (job->what == JOB_STOP) {
			q->stop = true;
			break;
		}
		batch[n++] = job;
		job->status = fine ? run(q, job) : -EIO;
	}
	rc = fine ? exec(q->db, "COMMIT") : 0;
	if (rc)
		exec(q->db, "ROLLBACK");
	for (unsigned int i = 0; i < n; i++) {
		if (rc && !batch[i]->status)
			batch[i]->status = store_sqlite_errno(rc);
		td_queue_put(q->up, batch[i]);
	}
}

static void *thread(void *arg)
{
	struct sqlite *q = arg;

	while (!q->stop) {
		struct pollfd p = { td_queue_fd(q->down), POLLIN, 0 };

		if (!q->db)
			open_db(q);
		/* nothing is submitted before the database is open */
		if (poll(&p, 1, q->db ? LOOK_MS : RETRY_MS) > 0)
			work(q);
		if (q->db && !q->stop)
			look(q);
	}
	sqlite3_close(q->db);
	return NULL;
}

static void on_up(void *arg, int fd, int revents)
{
	struct sqlite *q = arg;
	struct store_job *job;

	while ((job = td_queue_get(q->up))) {
		if (job->what == JOB_STATE) {
			store_state(&q->base, !job->status, job->user);
			store_job_free(job);
		} else if (job->what == JOB_EDITED) {
			store_job_free(job);
			if (q->base.watch)
				q->base.watch(q->base.watch_arg);
		} else {
			store_job_finish(&q->base, job);
		}
	}
}

static int sqlite_submit(struct td_store *s, struct store_job *job)
{
	return td_queue_put(((struct sqlite *)s)->down, job) ? -EAGAIN : 0;
}

static void sqlite_close_store(struct td_store *s)
{
	struct sqlite *q = (struct sqlite *)s;

	s->watch = NULL;
	q->stop_job.what = JOB_STOP;
	/* there is room: n_jobs is bounded below the queue's limit */
	td_queue_put(q->down, &q->stop_job);
	pthread_join(q->thread, NULL);
	on_up(q, 0, 0);		/* what was asked is done: tell it */
	td_loop_fd_del(s->loop, td_queue_fd(q->up));
	td_queue_free(q->down);
	td_queue_free(q->up);
	free(q->path);
	free(q);
}

static const struct td_store_ops sqlite_ops = {
	.submit = sqlite_submit,
	.close = sqlite_close_store,
	.contacts = true,
};

/* Signals are the control loop's. */
static int start_thread(struct sqlite *q)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&q->thread, NULL, thread, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

int store_sqlite_open(struct td_loop *loop, const char *path,
		      struct td_store **out)
{
	struct sqlite *q = calloc(1, sizeof(*q));
	int rc = -ENOMEM;

	if (!q)
		return rc;
	q->base.ops = &sqlite_ops;
	q->base.loop = loop;
	td_str_cut(q->base.error, sizeof(q->base.error), "not open yet");
	q->path = strdup(path);
	if (!q->path)
		goto err;
	rc = td_queue_new(STORE_MAX_JOBS + SPARE, &q->down);
	if (!rc)
		rc = td_queue_new(STORE_MAX_JOBS + SPARE, &q->up);
	if (!rc)
		rc = td_loop_fd_add(loop, td_queue_fd(q->up), POLLIN, on_up, q);
	if (rc)
		goto err;
	rc = start_thread(q);
	if (rc) {
		td_loop_fd_del(loop, td_queue_fd(q->up));
		goto err;
	}
	*out = &q->base;
	return 0;

err:
	td_queue_free(q->down);
	td_queue_free(q->up);
	free(q->path);
	free(q);
	return rc;
}
