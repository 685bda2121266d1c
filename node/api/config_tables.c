// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_rows.h"
#include "node/api/config_i.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* The tables of the store are looked at when it says that they were edited,
 * when it comes back, and when another generation runs. Every node does that,
 * each later than the one before it in rank: the lowest that reaches the
 * database acts, and the others then find nothing left to do. */

enum {
	DEBOUNCE_MS = 100,	/* one commit seldom comes alone */
	RANK_MS = 1000,
	RETRY_MS = 1000,
	BUSY_MS = 300,
	LOG_PROBLEMS = 10,
};

struct config_tables {
	struct td_config *c;
	struct td_timer timer;
	bool busy;		/* the store is asked or told */
	bool again;		/* look once more afterwards */
	struct td_control_req *apply;	/* `config apply' waits for a look */
	bool held;		/* warned of tables that cannot be followed */
	uint64_t serial;	/* of the edit at hand */
	uint64_t fills, edits, refusals;
};

enum what { NOTHING, FILL, CHECK, STALE };

/* What is to be done about tables that look like this.
 * @param running 0: no generation runs
 * @param asked also an edit that was refused already */
static enum what what_to_do(const struct td_tables *t, uint64_t running,
			    uint64_t bad, bool asked)
{
	bool pending = t->serial != t->applied;

	/* another is on its way here, and then this comes again */
	if (t->last > running && t->last != bad)
		return NOTHING;
	if (pending && t->serial == t->refused && !asked)
		return NOTHING;
	if (t->generation != running && running)
		return pending ? STALE : FILL;
	/* generations were taken out of the database, the tables were not */
	if (t->last < running && !pending)
		return FILL;
	return pending ? CHECK : NOTHING;
}

static void on_time(void *arg);

static void schedule(struct config_tables *t, uint64_t ms)
{
	struct td_config *c = t->c;

	if (!c->started || td_timer_running(&t->timer))
		return;
	if (td_timer_start(c->cfg.loop, &t->timer, ms, on_time, t))
		td_warn("config", "CONFIG-MEMORY", "no memory for a timer");
}

void config_tables_look(struct config_tables *t, bool later)
{
	if (t->busy)
		t->again = true;
	else
		schedule(t, (later ? RETRY_MS : DEBOUNCE_MS) +
				    (uint64_t)RANK_MS * config_rank(t->c));
}

static struct td_control_req *take_apply(struct config_tables *t)
{
	struct td_control_req *req = t->apply;

	t->apply = NULL;
	return req;
}

/* @param status of what was asked of the store; a lost race is no failure */
static void done(struct config_tables *t, int status)
{
	t->busy = false;
	if (!t->c->started)
		return;
	if (t->apply)
		schedule(t, 0);
	else if (status && status != -ENOTCONN) {
		td_info("config", "tables: %s", strerror(-status));
		schedule(t, RETRY_MS);
	} else if (t->again) {
		config_tables_look(t, false);
	}
	t->again = false;
}

int config_text(const struct td_site *s, char **text, size_t *n,
		struct td_problems *p)
{
	struct td_site *again;
	int rc = td_site_format(s, text, n);

	if (rc)
		return rc;
	if (*n > TD_CONFIG_MAX_OCTETS) {
		td_problems_add(p, "site", "longer than %d KiB",
				TD_CONFIG_MAX_OCTETS / 1024);
		rc = -EINVAL;
	} else {
		rc = td_site_parse("generation", *text, *n, &again, p);
		if (!rc)
			td_site_free(again);
	}
	if (rc) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

/* ---- tables that are behind ---- */

static void on_filled(void *arg, int status)
{
	struct config_tables *t = arg;

	/* somebody edited or filled them meanwhile: look again */
	if (status == -EBUSY || status == -EEXIST) {
		t->again = true;
		status = 0;
	}
	if (status == -EINVAL && !t->held)
		td_warn("config", "CONFIG-TABLES", "the tables cannot be "
			"brought to generation %llu: %s",
			(unsigned long long)t->c->gen.number,
			td_store_error(t->c->cfg.store));
	t->held = status == -EINVAL;
	done(t, status);
}

static int fill(struct config_tables *t, const struct td_tables *now)
{
	struct td_config *c = t->c;
	struct td_generation gen = c->gen;
	bool behind = now->last < gen.number;
	struct td_store_put p = { .gen = behind ? &gen : NULL,
				  .base = gen.number, .site = c->site,
				  .who = "tandemd" };

	if (behind && now->last)
		td_warn("config", "CONFIG-RESTORED", "the database's newest "
			"generation is %llu, generation %llu runs and is "
			"written to it again", (unsigned long long)now->last,
			(unsigned long long)gen.number);
	if (!*gen.comment)
		td_str_cut(gen.comment, sizeof(gen.comment),
			   "as it runs: the database did not have it");
	t->fills++;
	return td_store_put(c->cfg.store, &p, on_filled, t);
}

/* ---- an edit ---- */

static void on_refused(void *arg, int status)
{
	done(arg, status);
}

static int refuse(struct config_tables *t, const struct td_tables *now,
		  const struct td_problems *p)
{
	if (now->serial == now->refused)
		return -EALREADY;
	t->refusals++;
	for (size_t i = 0; i < p->n && i < LOG_PROBLEMS; i++)
		td_warn("config", "CONFIG-REFUSED",
			"edit=%llu by=\"%s\" %s: %s",
			(unsigned long long)now->serial, now->edited_by,
			p->p[i].where, p->p[i].what);
	return td_store_refuse(t->c->cfg.store, now->serial, p, on_refused, t);
}

static void stale(const struct td_tables *now, uint64_t running,
		  struct td_problems *p)
{
	td_problems_add(p, "tables", "edited as of generation %llu, but "
			"generation %llu runs: `tandem config rollback' drops "
			"the edits and brings the tables to it",
			(unsigned long long)now->generation,
			(unsigned long long)running);
}

/* @param[out] text the document that the edit makes
 * @return 0; -EALREADY: it is what runs; -EINVAL: *p says why; -ENOMEM */
static int document(struct td_config *c, const struct td_tables *now,
		    char **text, size_t *n, struct td_problems *p)
{
	struct td_site *s;
	char *running = NULL;
	size_t m;
	int rc = td_site_from_rows(now->rows, &s, p);

	if (rc)
		return rc;
	rc = config_text(s, text, n, p);
	td_site_free(s);
	if (rc || !c->site)
		return rc;
	rc = td_site_format(c->site, &running, &m);
	if (!rc && m == *n && !memcmp(*text, running, m))
		rc = -EALREADY;
	free(running);
	if (rc)
		free(*text);
	return rc;
}

static void on_settled(void *arg, int status)
{
	struct config_tables *t = arg;

	if (status == -ESTALE) {
		t->again = true;
		status = 0;
	}
	done(t, status);
}

/* The edit changed nothing in the end. */
static int settle(struct config_tables *t, const struct td_tables *now)
{
	struct td_store_put p = { .base = t->c->gen.number,
				  .serial = now->serial, .who = "tandemd" };

	return td_store_put(t->c->cfg.store, &p, on_settled, t);
}

/* req is answered, unless it is NULL.
 * @return 0: the store was asked, on_… follows; else negative errno */
static int check(struct config_tables *t, const struct td_tables *now,
		 struct td_control_req *req)
{
	struct config_want want = {
		.req = req, .author = now->edited_by, .edit = true,
		.comment = "edited in the database", .serial = now->serial,
	};
	struct td_config *c = t->c;
	struct td_problems p = { 0 };
	int rc = document(c, now, &want.content, &want.n, &p);

	if (!rc) {
		t->edits++;
		config_change_start(c, &want);
		return -EALREADY;	/* the change looks again */
	}
	if (rc == -EALREADY && req)
		td_control_reply_json(req, json_pack(
			"{s:I, s:b}", "generation", (json_int_t)c->gen.number,
			"unchanged", 1));
	else if (req && p.n)
		td_control_reply_problems(req, &p);
	else if (req)
		td_control_reply_error(req, 1, "%s", strerror(-rc));
	if (rc == -EALREADY)
		rc = settle(t, now);
	else if (p.n)
		rc = refuse(t, now, &p);
	td_problems_free(&p);
	return rc;
}

/* ---- looking ---- */

static void nothing_to_apply(struct config_tables *t,
			     const struct td_tables *now,
			     struct td_control_req *req)
{
	struct td_config *c = t->c;

	if (now->last > c->gen.number && now->last != c->bad)
		td_control_reply_error(req, 1, "generation %llu is stored and "
				       "being switched to: try again",
				       (unsigned long long)now->last);
	else if (!c->gen.content)
		td_control_reply_error(req, 1, "no configuration yet: `tandem "
					       "config import site.yaml'");
	else
		td_control_reply_json(req, json_pack(
			"{s:I, s:b}", "generation", (json_int_t)c->gen.number,
			"unchanged", 1));
}

static void act(struct config_tables *t, const struct td_tables *now)
{
	struct td_config *c = t->c;
	struct td_control_req *req = take_apply(t);
	struct td_problems p = { 0 };
	int rc = -EALREADY;

	t->serial = now->serial;
	switch (what_to_do(now, c->gen.number, c->bad, req != NULL)) {
	case NOTHING:
		if (req)
			nothing_to_apply(t, now, req);
		break;
	case FILL:
		if (req)
			nothing_to_apply(t, now, req);
		rc = fill(t, now);
		break;
	case CHECK:
		rc = check(t, now, req);
		break;
	case STALE:
		stale(now, c->gen.number, &p);
		if (req)
			td_control_reply_problems(req, &p);
		rc = refuse(t, now, &p);
		td_problems_free(&p);
		break;
	}
	if (rc)
		done(t, rc == -EALREADY ? 0 : rc);
}

/* Only who runs what the cluster runs may speak for it: a node that could not
 * take the newest generation must not bring the tables back. */
static bool may_act(const struct td_config *c)
{
	const Td__Config *row;

	if (!c->started ||
	    td_cluster_state(c->cfg.cluster) != TD_CLUSTER_RUNNING)
		return false;
	row = td_view_config(td_cluster_view(c->cfg.cluster));
	return (row ? row->generation : 0) == c->gen.number;
}

static void on_looked(void *arg, int status, const struct td_tables *now)
{
	struct config_tables *t = arg;
	struct td_config *c = t->c;

	if (status || !may_act(c)) {
		if (t->apply && status)
			config_no_store(c, take_apply(t));
		else if (t->apply)
			td_control_reply_error(take_apply(t), 1,
					       "this node does not run the "
					       "cluster's generation yet: try "
					       "again");
		done(t, status);
	} else if (c->change || c->propose.busy) {
		/* its end looks again; so does the one of another's */
		t->busy = false;
		schedule(t, BUSY_MS);
	} else {
		act(t, now);
	}
}

static void on_time(void *arg)
{
	struct config_tables *t = arg;
	struct td_config *c = t->c;
	int rc;

	if (!c->started || t->busy)
		return;
	/* each of these is told when it changes, and looks again */
	rc = td_cluster_state(c->cfg.cluster) == TD_CLUSTER_RUNNING ?
		     td_store_tables(c->cfg.store, on_looked, t) : -ENOTCONN;
	t->busy = !rc;
	if (!rc)
		return;
	if (t->apply)
		config_no_store(c, take_apply(t));
	done(t, rc);
}

static void on_apply(void *arg, struct td_control_req *req)
{
	struct td_config *c = arg;
	struct config_tables *t = c->tables;
	const char *why = config_obstacle(c);

	if (!why && t->apply)
		why = "the same is asked for already";
	if (why) {
		td_control_reply_error(req, 1, "%s", why);
		return;
	}
	t->apply = req;
	if (t->busy)
		return;		/* after it */
	td_timer_stop(&t->timer);
	schedule(t, 0);
}

int config_tables_register(struct td_config *c)
{
	return td_control_register(c->cfg.control, "config apply", on_apply, c);
}

int config_tables_new(struct td_config *c, struct config_tables **out)
{
	struct config_tables *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->c = c;
	*out = t;
	return 0;
}

void config_tables_stop(struct config_tables *t)
{
	td_timer_stop(&t->timer);
	if (t->apply)
		td_control_reply_error(take_apply(t), 1,
				       "the daemon is ending");
}

json_t *config_tables_dump(const struct config_tables *t)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "edit", (json_int_t)t->serial,
			 "fills", (json_int_t)t->fills, "edits",
			 (json_int_t)t->edits, "refusals",
			 (json_int_t)t->refusals);
}

void config_tables_free(struct config_tables *t)
{
	if (!t)
		return;
	td_timer_stop(&t->timer);
	free(t);
}
