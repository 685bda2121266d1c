// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_rows.h"
#include "node/api/config_i.h"

/* config rollback, and config check of the tables. */

struct ask {
	struct td_config *c;
	struct td_control_req *req;
	uint64_t number;
};

static struct ask *ask_new(struct td_config *c, struct td_control_req *req)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (a)
		*a = (struct ask){ .c = c, .req = req };
	else
		td_control_reply_error(req, 1, "%s", strerror(ENOMEM));
	return a;
}

/* The database did not do what was asked. */
static void sorry(struct ask *a, int status)
{
	if (status == -ENOTCONN || !a->c->cfg.store)
		config_no_store(a->c, a->req);
	else
		td_control_reply_error(a->req, 1,
				       "the database did not answer: %s",
				       strerror(-status));
}

/* ---- check ---- */

static void on_checked(void *arg, int status, const struct td_tables *t)
{
	struct ask *a = arg;
	struct td_problems p = { 0 };
	struct td_site *s;
	json_t *o;

	if (status) {
		sorry(a, status);
	} else if (!t->generation && t->serial == t->applied) {
		td_control_reply_error(a->req, 1, "the tables are empty: "
				       "`tandem config import site.yaml'");
	} else if (td_site_from_rows(t->rows, &s, &p)) {
		td_control_reply_problems(a->req, &p);
	} else {
		o = config_summary(s);
		json_object_set_new(o, "pending",
				    json_boolean(t->serial != t->applied));
		td_control_reply_json(a->req, o);
		td_site_free(s);
	}
	td_problems_free(&p);
	free(a);
}

void config_tables_check(struct td_config *c, struct td_control_req *req)
{
	struct ask *a = ask_new(c, req);
	int rc;

	if (!a)
		return;
	rc = c->cfg.store && c->started ?
		     td_store_tables(c->cfg.store, on_checked, a) : -ENOTCONN;
	if (rc) {
		sorry(a, rc);
		free(a);
	}
}

/* ---- rollback ---- */

static void on_got(void *arg, int status, const struct td_generation *g,
		   size_t n)
{
	struct ask *a = arg;
	char comment[64];
	struct config_want want = {
		.req = a->req, .author = td_control_who(a->req),
		.comment = comment, .force = true,
	};
	struct td_problems p = { 0 };

	snprintf(comment, sizeof(comment), "rollback to generation %llu",
		 (unsigned long long)a->number);
	if (status == -ENOENT) {
		td_control_reply_error(a->req, 1, "there is no generation "
				       "%llu: see `tandem config log'",
				       (unsigned long long)a->number);
	} else if (status) {
		sorry(a, status);
	} else if (td_site_parse("generation", g->content, g->n, &want.site,
				 &p)) {
		td_control_reply_problems(a->req, &p);
	} else {
		want.n = g->n;
		want.content = strndup(g->content, g->n);
		if (want.content) {
			config_change_start(a->c, &want);
		} else {
			td_control_reply_error(a->req, 1, "%s",
					       strerror(ENOMEM));
			td_site_free(want.site);
		}
	}
	td_problems_free(&p);
	free(a);
}

static void on_dropped(void *arg, int status)
{
	struct ask *a = arg;

	if (status == -ETXTBSY)
		td_control_reply_error(a->req, 1, "somebody's transaction "
				       "holds the database's tables: try again "
				       "when it has ended");
	else if (status)
		sorry(a, status);
	else
		td_control_reply_json(a->req, json_pack(
			"{s:I, s:b}", "generation",
			(json_int_t)a->c->gen.number, "dropped", 1));
	free(a);
}

/* Edits that are no generation: the tables become what runs. */
static void on_pending(void *arg, int status, const struct td_tables *t)
{
	struct ask *a = arg;
	struct td_config *c = a->c;
	struct td_store_put p = { .base = c->gen.number, .site = c->site,
				  .force = true,
				  .who = td_control_who(a->req) };

	if (!status && t->serial == t->applied) {
		td_control_reply_error(a->req, 1, "no edits wait in the "
				       "tables; to go back to a generation "
				       "name it: see `tandem config log'");
		free(a);
		return;
	}
	if (!status)
		status = c->started ? td_store_put(c->cfg.store, &p,
						   on_dropped, a) : -ENOTCONN;
	if (status) {
		sorry(a, status);
		free(a);
	}
}

static void on_rollback(void *arg, struct td_control_req *req)
{
	const char *text = td_control_arg(req, 0);
	struct td_config *c = arg;
	const char *why = config_obstacle(c);
	unsigned long long number = 0;
	struct ask *a;
	int rc;

	if (text && config_number(text, &number)) {
		td_control_reply_error(req, 2, "`%s' is no generation: a "
					       "number is expected", text);
		return;
	}
	if (!why && !text && !c->gen.content)
		why = "no configuration yet: `tandem config import site.yaml'";
	if (why) {
		td_control_reply_error(req, 1, "%s", why);
		return;
	}
	a = ask_new(c, req);
	if (!a)
		return;
	a->number = number;
	rc = text ? td_store_generation_get(c->cfg.store, number, on_got, a)
		  : td_store_tables(c->cfg.store, on_pending, a);
	if (rc) {
		sorry(a, rc);
		free(a);
	}
}

int config_rollback_register(struct td_config *c)
{
	return td_control_register(c->cfg.control, "config rollback",
				   on_rollback, c);
}
