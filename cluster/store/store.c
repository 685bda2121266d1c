// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_rows.h"
#include "cluster/store/store_job.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

int td_store_open(struct td_loop *loop, const char *uri,
		  struct td_store **out)
{
	if (!strncmp(uri, "sqlite:", 7) && uri[7])
		return store_sqlite_open(loop, uri + 7, out);
	if (!strncmp(uri, "postgresql://", 13) ||
	    !strncmp(uri, "postgres://", 11))
		return store_pg_open(loop, uri, out);
	return -EINVAL;
}

void td_store_close(struct td_store *s)
{
	if (s)
		s->ops->close(s);
}

bool td_store_ready(const struct td_store *s)
{
	return s->ready;
}

const char *td_store_error(const struct td_store *s)
{
	return s->error;
}

void td_store_watch(struct td_store *s, void (*fn)(void *arg), void *arg)
{
	s->watch = fn;
	s->watch_arg = arg;
}

void store_state(struct td_store *s, bool ready, const char *error)
{
	bool changed = ready != s->ready;
	bool news = strcmp(s->error, error) != 0;

	s->ready = ready;
	td_str_cut(s->error, sizeof(s->error), error);
	td_str_trim_utf8(s->error);
	if (ready && changed)
		td_info("store", "state=ready");
	else if (!ready && news)
		td_warn("store", "STORE-AWAY", "error=\"%s\"", s->error);
	if (changed && s->watch)
		s->watch(s->watch_arg);
}

void store_job_free(struct store_job *job)
{
	for (size_t i = 0; i < job->n_gens; i++)
		td_generation_clear(&job->gens[i]);
	for (size_t i = 0; i < job->n_contacts; i++)
		td_contact_free(job->contacts[i]);
	json_decref(job->tables.rows);
	free(job->refusals);
	free(job->gens);
	free(job->contacts);
	free(job->gen.content);
	free(job->who);
	free(job->rows);
	free(job->user);
	free(job->uri);
	free(job->packed);
	free(job->text);
	free(job);
}

void store_job_finish(struct td_store *s, struct store_job *job)
{
	int status = job->status;

	s->n_jobs--;
	if (*job->why)
		td_str_cut(s->error, sizeof(s->error), job->why);
	if (job->on_generation) {
		if (!status && job->what != STORE_LIST && !job->n_gens)
			status = -ENOENT;
		job->on_generation(job->arg, status, status ? NULL : job->gens,
				   status ? 0 : job->n_gens);
	} else if (job->on_tables) {
		job->on_tables(job->arg, status,
			       status ? NULL : &job->tables);
	} else if (job->on_refusals) {
		job->on_refusals(job->arg, status,
				 status ? NULL : job->refusals,
				 status ? 0 : job->n_refusals);
	} else if (job->on_contacts) {
		job->on_contacts(job->arg, status,
				 status ? NULL : job->contacts,
				 status ? 0 : job->n_contacts);
	} else if (job->on_text) {
		job->on_text(job->arg, status, status ? NULL : job->text);
	} else if (job->on_done) {
		job->on_done(job->arg, status);
	}
	store_job_free(job);
}

struct td_generation *store_job_row(struct store_job *job)
{
	struct td_generation *p;

	if (!(job->n_gens & (job->n_gens - 1))) {
		p = realloc(job->gens, (job->n_gens ? 2 * job->n_gens : 1) *
					       sizeof(*p));
		if (!p)
			return NULL;
		job->gens = p;
	}
	p = &job->gens[job->n_gens++];
	*p = (struct td_generation){ 0 };
	return p;
}

struct td_refusal *store_job_refusal(struct store_job *job)
{
	struct td_refusal *p;

	if (!(job->n_refusals & (job->n_refusals - 1))) {
		p = realloc(job->refusals,
			    (job->n_refusals ? 2 * job->n_refusals : 1) *
				    sizeof(*p));
		if (!p)
			return NULL;
		job->refusals = p;
	}
	p = &job->refusals[job->n_refusals++];
	*p = (struct td_refusal){ 0 };
	return p;
}

static uint64_t counter(const json_t *o, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(o, name));
}

int store_job_tables(struct store_job *job, const char *json, size_t n)
{
	struct td_tables *t = &job->tables;
	json_t *o = json_loadb(json, n, 0, NULL);
	const char *by = json_string_value(json_object_get(o, "edited_by"));

	if (!json_is_object(json_object_get(o, "rows"))) {
		json_decref(o);
		return -EBADMSG;
	}
	t->serial = counter(o, "serial");
	t->applied = counter(o, "applied");
	t->refused = counter(o, "refused");
	t->generation = counter(o, "generation");
	t->last = counter(o, "last");
	t->edited_ms = (int64_t)counter(o, "edited_ms");
	td_str_cut(t->edited_by, sizeof(t->edited_by), by ? by : "");
	td_str_trim_utf8(t->edited_by);
	t->rows = json_incref(json_object_get(o, "rows"));
	json_decref(o);
	return 0;
}

int store_job_contact(struct store_job *job, const void *packed, size_t n)
{
	Td__Contact **p, *c;
	int rc;

	rc = td_contact_unpack(packed, n, &c);
	if (rc)
		return rc;
	if (!(job->n_contacts & (job->n_contacts - 1))) {
		p = realloc(job->contacts,
			    (job->n_contacts ? 2 * job->n_contacts : 1) *
				    sizeof(*p));
		if (!p) {
			td_contact_free(c);
			return -ENOMEM;
		}
		job->contacts = p;
	}
	job->contacts[job->n_contacts++] = c;
	return 0;
}

struct store_job *store_job_new(int what, void *arg)
{
	struct store_job *job = calloc(1, sizeof(*job));

	if (job) {
		job->what = what;
		job->arg = arg;
	}
	return job;
}

int store_job_submit(struct td_store *s, struct store_job *job)
{
	int rc = -ENOMEM;

	if (!job)
		return rc;
	if (!s->ready) {
		rc = -ENOTCONN;
	} else if (s->n_jobs >= STORE_MAX_JOBS) {
		s->refused++;
		rc = -EAGAIN;
	} else {
		rc = s->ops->submit(s, job);
	}
	if (rc)
		store_job_free(job);
	else
		s->n_jobs++;
	return rc;
}

int td_store_generation_last(struct td_store *s, td_store_generation_fn fn,
			     void *arg)
{
	struct store_job *job = store_job_new(STORE_LAST, arg);

	if (job)
		job->on_generation = fn;
	return store_job_submit(s, job);
}

int td_store_generation_get(struct td_store *s, uint64_t number,
			    td_store_generation_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_GET, arg);

	if (number > INT64_MAX) {	/* no such row in any database */
		free(job);
		return -EINVAL;
	}
	if (job) {
		job->on_generation = fn;
		job->number = number;
	}
	return store_job_submit(s, job);
}

int td_store_generation_list(struct td_store *s, unsigned int limit,
			     td_store_generation_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_LIST, arg);

	if (job) {
		job->on_generation = fn;
		job->limit = limit < STORE_MAX_LIST ? limit : STORE_MAX_LIST;
	}
	return store_job_submit(s, job);
}

int td_store_tables(struct td_store *s, td_store_tables_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_TABLES, arg);

	if (job)
		job->on_tables = fn;
	return store_job_submit(s, job);
}

static int put_generation(struct store_job *job, const struct td_generation *g)
{
	if (!g->number || g->number > INT64_MAX ||
	    g->n > TD_CONFIG_MAX_OCTETS || memchr(g->content, 0, g->n))
		return -EINVAL;
	job->gen = *g;
	job->gen.content = malloc(g->n + 1);
	if (!job->gen.content)
		return -ENOMEM;
	memcpy(job->gen.content, g->content, g->n);
	job->gen.content[g->n] = '\0';
	job->base = g->number;
	return 0;
}

static int put_rows(struct store_job *job, const struct td_site *site)
{
	json_t *rows;
	int rc = td_site_to_rows(site, &rows);

	if (rc)
		return rc;
	job->rows = json_dumps(rows, JSON_COMPACT);
	json_decref(rows);
	return job->rows ? 0 : -ENOMEM;
}

int td_store_put(struct td_store *s, const struct td_store_put *p,
		 td_store_done_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_PUT, arg);
	int rc = 0;

	if (!job)
		return -ENOMEM;
	job->on_done = fn;
	job->base = p->base;
	job->serial = p->serial;
	job->force = p->force;
	job->who = strdup(p->who);
	if (!job->who)
		rc = -ENOMEM;
	if (!rc && p->gen)
		rc = put_generation(job, p->gen);
	if (!rc && p->site)
		rc = put_rows(job, p->site);
	if (rc) {
		store_job_free(job);
		return rc;
	}
	return store_job_submit(s, job);
}

int td_store_refuse(struct td_store *s, uint64_t serial,
		    const struct td_problems *p, td_store_done_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_REFUSE, arg);
	json_t *list = json_array();

	if (!job || !list) {
		free(job);
		json_decref(list);
		return -ENOMEM;
	}
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, json_pack(
			"{s:s, s:s}", "where", p->p[i].where, "what",
			p->p[i].what));
	job->on_done = fn;
	job->serial = serial;
	job->rows = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	if (!job->rows) {
		free(job);
		return -ENOMEM;
	}
	return store_job_submit(s, job);
}

int td_store_refusals(struct td_store *s, unsigned int limit,
		      td_store_refusals_fn fn, void *arg)
{
	struct store_job *job = store_job_new(STORE_REFUSALS, arg);

	if (job) {
		job->on_refusals = fn;
		job->limit = limit < STORE_MAX_LIST ? limit : STORE_MAX_LIST;
	}
	return store_job_submit(s, job);
}

static int contact_job(struct td_store *s, int what, const char *user,
		       const char *uri, td_store_done_fn fn, void *arg,
		       struct store_job **out)
{
	struct store_job *job;

	if (!s->ops->contacts)
		return -ENOSYS;
	job = store_job_new(what, arg);
	if (!job)
		return -ENOMEM;
	job->on_done = fn;
	job->user = strdup(user);
	job->uri = strdup(uri ? uri : "");
	if (!job->user || !job->uri) {
		store_job_free(job);
		return -ENOMEM;
	}
	*out = job;
	return 0;
}

int td_store_contact_put(struct td_store *s, const Td__Contact *c,
			 td_store_done_fn fn, void *arg)
{
	struct store_job *job;
	int rc = contact_job(s, STORE_CONTACT_PUT, c->user, c->uri, fn, arg,
			     &job);

	if (rc)
		return rc;
	job->expires_ms = c->expires_ms;
	rc = td_contact_pack(c, &job->packed, &job->n_packed);
	if (rc) {
		store_job_free(job);
		return rc;
	}
	return store_job_submit(s, job);
}

int td_store_contact_del(struct td_store *s, const char *user, const char *uri,
			 td_store_done_fn fn, void *arg)
{
	struct store_job *job;
	int rc = contact_job(s, STORE_CONTACT_DEL, user, uri, fn, arg, &job);

	return rc ? rc : store_job_submit(s, job);
}

int td_store_contacts(struct td_store *s, td_store_contacts_fn fn, void *arg)
{
	struct store_job *job;

	if (!s->ops->contacts)
		return -ENOSYS;
	job = store_job_new(STORE_CONTACTS, arg);
	if (job)
		job->on_contacts = fn;
	return store_job_submit(s, job);
}

int td_store_contacts_expire(struct td_store *s, int64_t now_ms,
			     td_store_done_fn fn, void *arg)
{
	struct store_job *job;

	if (!s->ops->contacts)
		return -ENOSYS;
	job = store_job_new(STORE_EXPIRE, arg);
	if (job) {
		job->on_done = fn;
		job->expires_ms = now_ms;
	}
	return store_job_submit(s, job);
}
