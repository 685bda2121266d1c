// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/migrations.h"
#include "cluster/store/store_pg.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* PostgreSQL, never blocking: one connection, one query in flight, driven by
 * its socket. It connects, migrates, listens, then works off the jobs. */

enum state {
	AWAY,		/* the timer tries again */
	CONNECTING,
	SETUP,		/* step by step: pg_step */
	READY,
};

/* SETUP's steps; from STEP_MIGRATE on, one query a migration */
enum { STEP_LOCK, STEP_VERSION, STEP_MIGRATE };

enum {
	BACKOFF_MIN_MS = 500,
	BACKOFF_MAX_MS = 5000,
	CONNECT_MS = 10000,	/* TCP, TLS, login, another's migration */
	QUERY_MS = 10000,
	LOCK_KEY = 0x74646d67,	/* "tdmg": whoever migrates holds it */
};

struct pg {
	struct td_store base;
	char *uri;
	PGconn *conn;
	int fd;				/* watched, -1 none */
	enum state state;
	unsigned int backoff_ms;
	struct td_timer timer;
	unsigned int step;
	const struct store_migration *migration;
	bool listening;			/* the last query of SETUP is out */
	PGresult *res;			/* of the query in flight */
	struct store_job *head, **tail;	/* first in flight, if `busy` */
	bool busy;
};

static void connect_now(void *arg);
static void on_socket(void *arg, int fd, int revents);
static void next_job(struct pg *q);

static void unwatch(struct pg *q)
{
	if (q->fd >= 0)
		td_loop_fd_del(q->base.loop, q->fd);
	q->fd = -1;
}

static int watch(struct pg *q, int events)
{
	int fd = PQsocket(q->conn);

	if (q->fd == fd)
		return td_loop_fd_mod(q->base.loop, fd, events);
	unwatch(q);
	if (fd < 0 || td_loop_fd_add(q->base.loop, fd, events, on_socket, q))
		return -EIO;
	q->fd = fd;
	return 0;
}

static void fail_jobs(struct pg *q, int in_flight)
{
	bool busy = q->busy;

	q->busy = false;
	while (q->head) {
		struct store_job *job = q->head;

		q->head = job->next;
		if (!q->head)
			q->tail = &q->head;
		job->status = busy ? in_flight : -ENOTCONN;
		busy = false;
		store_job_finish(&q->base, job);
	}
}

static void hang_up(struct pg *q)
{
	td_timer_stop(&q->timer);
	unwatch(q);
	PQclear(q->res);
	q->res = NULL;
	PQfinish(q->conn);
	q->conn = NULL;
	q->state = AWAY;
}

/* libpq's messages have several lines. */
static void error_text(const char *msg, char *out, size_t size)
{
	td_str_cut(out, size, msg);
	for (size_t n = strlen(out); n && out[n - 1] == '\n'; n--)
		out[n - 1] = '\0';
	for (char *p = out; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
}

/* The connection is lost or of no use. in_flight: status of the job that was
 * out: whether it was done nobody knows. */
static void lost(struct pg *q, const char *why, int in_flight)
{
	char text[256];

	error_text(why ? why : PQerrorMessage(q->conn), text, sizeof(text));
	hang_up(q);
	if (td_timer_start(q->base.loop, &q->timer, q->backoff_ms, connect_now,
			   q))
		td_err("store", "STORE-AWAY", "no memory for a timer");
	q->backoff_ms *= 2;
	if (q->backoff_ms > BACKOFF_MAX_MS)
		q->backoff_ms = BACKOFF_MAX_MS;
	store_state(&q->base, false, text);
	fail_jobs(q, in_flight);
}

static void on_connect_time(void *arg)
{
	lost(arg, "the server does not answer", -ETIMEDOUT);
}

static void on_query_time(void *arg)
{
	lost(arg, "the server does not answer a query", -ETIMEDOUT);
}

static void quiet(void *arg, const PGresult *res)
{
}

static void connect_now(void *arg)
{
	struct pg *q = arg;
	/* what the uri says comes later and wins */
	static const char *const keys[] = {
		"client_encoding", "gssencmode", "keepalives_idle",
		"keepalives_interval", "keepalives_count", "tcp_user_timeout",
		"application_name", "dbname", NULL,
	};
	const char *const values[] = { "UTF8", "disable", "5", "2", "2", "5000",
				       "tandemd", q->uri, NULL };

	q->conn = PQconnectStartParams(keys, values, 1);
	q->state = CONNECTING;
	if (!q->conn) {
		lost(q, "no memory", -ENOMEM);
		return;
	}
	if (PQstatus(q->conn) == CONNECTION_BAD ||
	    PQsetnonblocking(q->conn, 1) || watch(q, POLLOUT) ||
	    td_timer_start(q->base.loop, &q->timer, CONNECT_MS,
			   on_connect_time, q)) {
		lost(q, NULL, -EIO);
		return;
	}
	PQsetNoticeReceiver(q->conn, quiet, NULL);
}

/* After a query was handed to libpq. ok: what PQsend… said. */
static void sent(struct pg *q, int ok)
{
	int more = ok ? PQflush(q->conn) : -1;

	if (more < 0 || watch(q, more ? POLLIN | POLLOUT : POLLIN))
		lost(q, NULL, -EIO);
}

/* One query of SETUP. */
static void setup(struct pg *q)
{
	char *sql = NULL;

	if (q->step == STEP_LOCK) {
		if (asprintf(&sql,
			     "BEGIN; SELECT pg_advisory_xact_lock(%d); "
			     "CREATE TABLE IF NOT EXISTS schema_migration ("
			     "number integer PRIMARY KEY, name text NOT NULL, "
			     "at timestamptz NOT NULL DEFAULT now())",
			     LOCK_KEY) < 0)
			sql = NULL;
	} else if (q->step == STEP_VERSION) {
		sql = strdup("SELECT coalesce(max(number), 0) "
			     "FROM schema_migration");
	} else if (q->migration->number) {
		if (asprintf(&sql,
			     "%s; INSERT INTO schema_migration (number, name) "
			     "VALUES (%u, '%s')", q->migration->sql,
			     q->migration->number, q->migration->name) < 0)
			sql = NULL;
	} else {
		q->listening = true;
		sql = strdup("COMMIT; LISTEN tandem_config");
	}
	if (sql)
		sent(q, PQsendQuery(q->conn, sql));
	else
		lost(q, "no memory", -ENOMEM);
	free(sql);
}

static void setup_done(struct pg *q)
{
	unsigned int have;

	if (q->step == STEP_VERSION) {
		have = strtoul(PQgetvalue(q->res, 0, 0), NULL, 10);
		q->migration = store_migrations_pg;
		while (q->migration->number && q->migration->number <= have)
			q->migration++;
	} else if (q->step >= STEP_MIGRATE && !q->listening) {
		td_info("store", "migration=%s", q->migration->name);
		q->migration++;
	}
	if (q->listening) {
		td_timer_stop(&q->timer);
		q->state = READY;
		q->backoff_ms = BACKOFF_MIN_MS;
		store_state(&q->base, true, "");
		next_job(q);
		return;
	}
	q->step++;
	setup(q);
}

static bool failed(const PGresult *r)
{
	return PQresultStatus(r) != PGRES_TUPLES_OK &&
	       PQresultStatus(r) != PGRES_COMMAND_OK;
}

/* Only the message itself: the server's details show whole rows, passwords
 * among them. */
static int job_failed(struct pg *q, struct store_job *job)
{
	static const struct {
		const char *state;
		int status;
	} t[] = {
		{ "23505", -EEXIST },	/* unique_violation: two at once */
		{ "55P03", -ETXTBSY },	/* lock_not_available */
		{ "40P01", -ETXTBSY },	/* deadlock_detected */
		{ "TD001", -ESTALE },	/* ours: a stale writer */
	};
	const char *state = PQresultErrorField(q->res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(q->res,
					      PG_DIAG_MESSAGE_PRIMARY);

	error_text(text ? text : PQresultErrorMessage(q->res), job->why,
		   sizeof(job->why));
	for (size_t i = 0; state && i < sizeof(t) / sizeof(*t); i++)
		if (!strcmp(state, t[i].state))
			return t[i].status;
	/* what the database's own rules do not allow */
	return state && (!strncmp(state, "22", 2) || !strncmp(state, "23", 2) ||
			 !strncmp(state, "P0", 2)) ? -EINVAL : -EIO;
}

static void job_done(struct pg *q)
{
	struct store_job *job = q->head;

	q->busy = false;
	td_timer_stop(&q->timer);
	q->head = job->next;
	if (!q->head)
		q->tail = &q->head;
	job->status = failed(q->res) ? job_failed(q, job) :
			store_pg_job(job->what)->read(job, q->res);
	PQclear(q->res);
	q->res = NULL;
	store_job_finish(&q->base, job);
	next_job(q);
}

const struct pg_job *store_pg_job(int what)
{
	static const struct pg_job *const jobs[STORE_INTERNAL] = {
		[STORE_LAST] = &store_pg_last,
		[STORE_GET] = &store_pg_get,
		[STORE_LIST] = &store_pg_list,
		[STORE_TABLES] = &store_pg_tables,
		[STORE_PUT] = &store_pg_put,
		[STORE_REFUSE] = &store_pg_refuse,
		[STORE_REFUSALS] = &store_pg_refusals,
		[STORE_CDR_PUT] = &store_pg_cdr_put,
		[STORE_CDR_LIST] = &store_pg_cdr_list,
		[STORE_CDR_SHOW] = &store_pg_cdr_show,
	};

	return what >= 0 && what < STORE_INTERNAL ? jobs[what] : NULL;
}

static int send_job(struct pg *q)
{
	return store_pg_job(q->head->what)->send(q->conn, q->head);
}

static void next_job(struct pg *q)
{
	if (q->state != READY || q->busy || !q->head)
		return;
	q->busy = true;
	if (td_timer_start(q->base.loop, &q->timer, QUERY_MS, on_query_time,
			   q)) {
		lost(q, "no memory", -ENOMEM);
		return;
	}
	sent(q, send_job(q));
}

/* The results of the query in flight; the first error of several counts.
 * @return true: a query ended, and what follows it was started */
static bool results(struct pg *q)
{
	PGresult *r;

	while (!PQisBusy(q->conn)) {
		r = PQgetResult(q->conn);
		if (r) {
			if (q->res && failed(q->res)) {
				PQclear(r);
				continue;
			}
			PQclear(q->res);
			q->res = r;
			continue;
		}
		if (!q->res)
			return false;	/* nothing was asked */
		if (q->state == READY) {
			job_done(q);
			return true;
		}
		if (failed(q->res)) {
			lost(q, PQresultErrorMessage(q->res), -EIO);
			return true;
		}
		setup_done(q);
		if (q->state == SETUP || q->state == READY) {
			PQclear(q->res);
			q->res = NULL;
		}
		return true;
	}
	return false;
}

static void notifies(struct pg *q)
{
	PGnotify *n;
	bool news = false;

	while (q->conn && (n = PQnotifies(q->conn))) {
		news = news || n->be_pid != PQbackendPID(q->conn);
		PQfreemem(n);
	}
	if (news && q->base.watch)
		q->base.watch(q->base.watch_arg);
}

static void on_connecting(struct pg *q)
{
	PostgresPollingStatusType st;

	/* it may close this socket and open another */
	unwatch(q);
	st = PQconnectPoll(q->conn);
	if (st == PGRES_POLLING_OK) {
		q->state = SETUP;
		q->step = STEP_LOCK;
		q->listening = false;
		setup(q);
	} else if (st == PGRES_POLLING_FAILED ||
		   watch(q, st == PGRES_POLLING_WRITING ? POLLOUT : POLLIN)) {
		lost(q, NULL, -EIO);
	}
}

static void on_socket(void *arg, int fd, int revents)
{
	struct pg *q = arg;
	int more;

	if (q->state == CONNECTING) {
		on_connecting(q);
		return;
	}
	if (!PQconsumeInput(q->conn)) {
		lost(q, NULL, -EIO);
		return;
	}
	more = PQflush(q->conn);
	if (more < 0 || watch(q, more ? POLLIN | POLLOUT : POLLIN)) {
		lost(q, NULL, -EIO);
		return;
	}
	results(q);
	notifies(q);
}

static int pg_submit(struct td_store *s, struct store_job *job)
{
	struct pg *q = (struct pg *)s;

	if (!store_pg_job(job->what))
		return -ENOSYS;
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
	/* callbacks never run before the call returns, so a query that cannot
	 * be sent is found out by the socket */
	if (!q->busy && q->head == job) {
		q->busy = true;
		if (td_timer_start(s->loop, &q->timer, QUERY_MS, on_query_time,
				   q) ||
		    !send_job(q) || PQflush(q->conn) < 0) {
			q->busy = false;
			q->head = NULL;
			q->tail = &q->head;
			return -EIO;
		}
		td_loop_fd_mod(s->loop, q->fd, POLLIN | POLLOUT);
	}
	return 0;
}

static void pg_close(struct td_store *s)
{
	struct pg *q = (struct pg *)s;

	s->watch = NULL;
	s->ready = false;
	hang_up(q);
	for (struct store_job *j = q->head; j; j = j->next)
		j->status = -ECANCELED;
	while (q->head) {
		struct store_job *job = q->head;

		q->head = job->next;
		store_job_finish(s, job);
	}
	free(q->uri);
	free(q);
}

static const struct td_store_ops pg_ops = {
	.submit = pg_submit,
	.close = pg_close,
};

static bool numeric_hosts(const char *list)
{
	char copy[256], *save = NULL;
	unsigned char buf[16];

	if (td_str_copy(copy, sizeof(copy), list))
		return false;
	for (char *h = strtok_r(copy, ",", &save); h;
	     h = strtok_r(NULL, ",", &save))
		if (*h != '/' && *h != '@' && inet_pton(AF_INET, h, buf) != 1 &&
		    inet_pton(AF_INET6, h, buf) != 1)
			return false;
	return true;
}

/* libpq would resolve a name here and now, and a name server that is away
 * would stop the control loop. */
static int check_uri(const char *uri)
{
	char *why = NULL;
	PQconninfoOption *o = PQconninfoParse(uri, &why);
	const char *host = NULL;
	bool addr = false;

	if (!o) {
		td_err("store", "STORE-URI", "%s", why ? why : "no memory");
		PQfreemem(why);
		return -EINVAL;
	}
	for (const PQconninfoOption *p = o; p->keyword; p++) {
		if (!strcmp(p->keyword, "host"))
			host = p->val;
		addr = addr || (!strcmp(p->keyword, "hostaddr") && p->val);
	}
	if (!addr && host && !numeric_hosts(host)) {
		td_err("store", "STORE-URI",
		       "host=%s: give its address, names are not resolved "
		       "here", host);
		PQconninfoFree(o);
		return -EINVAL;
	}
	PQconninfoFree(o);
	return 0;
}

int store_pg_open(struct td_loop *loop, const char *uri,
		  struct td_store **out)
{
	struct pg *q;
	int rc = check_uri(uri);

	if (rc)
		return rc;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->base.ops = &pg_ops;
	q->base.loop = loop;
	td_str_cut(q->base.error, sizeof(q->base.error), "not connected yet");
	q->fd = -1;
	q->tail = &q->head;
	q->backoff_ms = BACKOFF_MIN_MS;
	q->uri = strdup(uri);
	rc = q->uri ? td_timer_start(loop, &q->timer, 0, connect_now, q)
		    : -ENOMEM;
	if (rc) {
		free(q->uri);
		free(q);
		return rc;
	}
	*out = &q->base;
	return 0;
}
