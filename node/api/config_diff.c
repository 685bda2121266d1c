// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_rows.h"
#include "node/api/config_i.h"

/* config diff [A] [B]: generations by number, a file, the edits that pend.
 *     nothing   what runs -> the tables       A      A -> what runs
 *     A B       A -> B                        FILE   what runs -> FILE
 *     A FILE    A -> FILE
 * Each side is got in its turn, the answer comes when both are there. */

enum side_kind { RUNNING, NUMBER, TABLES, BODY };

struct diff {
	struct td_config *c;
	struct td_control_req *req;
	enum side_kind kind[2];
	unsigned long long number[2];
	struct td_site *site[2];
	int at;			/* the side that is being got */
};

static void next(struct diff *d);

static void diff_free(struct diff *d)
{
	td_site_free(d->site[0]);
	td_site_free(d->site[1]);
	free(d);
}

static void fail(struct diff *d, const char *what)
{
	td_control_reply_error(d->req, 1, "%s", what);
	diff_free(d);
}

static void problems(struct diff *d, struct td_problems *p)
{
	td_control_reply_problems(d->req, p);
	td_problems_free(p);
	diff_free(d);
}

static void got(struct diff *d, struct td_site *s)
{
	d->site[d->at++] = s;
	next(d);
}

static void on_generation(void *arg, int status, const struct td_generation *g,
			  size_t n)
{
	struct diff *d = arg;
	struct td_problems p = { 0 };
	struct td_site *s;

	if (status == -ENOENT) {
		td_control_reply_error(d->req, 1, "there is no generation "
				       "%llu: see `tandem config log'",
				       d->number[d->at]);
		diff_free(d);
	} else if (status) {
		fail(d, "the database cannot be read");
	} else if (td_site_parse("generation", g->content, g->n, &s, &p)) {
		problems(d, &p);
	} else {
		got(d, s);
	}
}

static void on_tables(void *arg, int status, const struct td_tables *t)
{
	struct diff *d = arg;
	struct td_problems p = { 0 };
	struct td_site *s;

	if (status)
		fail(d, "the database cannot be read");
	else if (td_site_from_rows(t->rows, &s, &p))
		problems(d, &p);
	else
		got(d, s);
}

static void body(struct diff *d)
{
	const Td__Request *r = td_control_request(d->req);
	const char *file = r->args[r->n_args - 1];
	struct td_problems p = { 0 };
	struct td_site *s;

	if (td_site_parse(strcmp(file, "-") ? file : "standard input",
			  (const char *)r->body.data, r->body.len, &s, &p))
		problems(d, &p);
	else
		got(d, s);
}

static void running(struct diff *d)
{
	struct td_site *s;

	if (!d->c->site)
		fail(d, "no configuration yet: `tandem config import "
			"site.yaml'");
	else if (td_site_copy(d->c->site, &s))
		fail(d, strerror(ENOMEM));
	else
		got(d, s);
}

static void answer(struct diff *d)
{
	json_t *list;

	if (td_site_diff(d->site[0], d->site[1], &list))
		list = NULL;
	td_control_reply_json(d->req, list);
	diff_free(d);
}

static void next(struct diff *d)
{
	struct td_config *c = d->c;
	int rc = 0;

	if (d->at == 2) {
		answer(d);
		return;
	}
	switch (d->kind[d->at]) {
	case NUMBER:
		if (d->number[d->at] != c->gen.number) {
			rc = c->cfg.store && c->started ?
				     td_store_generation_get(
					     c->cfg.store, d->number[d->at],
					     on_generation, d) : -ENOTCONN;
			break;
		}
		running(d);
		break;
	case RUNNING:
		running(d);
		break;
	case TABLES:
		rc = c->cfg.store && c->started ?
			     td_store_tables(c->cfg.store, on_tables, d) :
			     -ENOTCONN;
		break;
	case BODY:
		body(d);
		break;
	}
	if (rc) {
		config_no_store(c, d->req);
		diff_free(d);
	}
}

/* @return false: answered */
static bool sides(struct diff *d)
{
	const Td__Request *r = td_control_request(d->req);
	bool file = r->n_args &&
		    config_number(r->args[r->n_args - 1], &d->number[1]);

	if (r->n_args == 2 && config_number(r->args[0], &d->number[0])) {
		td_control_reply_error(d->req, 2, "`%s' is no generation: a "
				       "number is expected", r->args[0]);
		return false;
	}
	if (!r->n_args) {
		d->kind[1] = TABLES;
	} else if (file) {
		d->kind[0] = r->n_args == 2 ? NUMBER : RUNNING;
		d->kind[1] = BODY;
	} else if (r->n_args == 2) {
		d->kind[0] = d->kind[1] = NUMBER;
	} else {
		d->kind[0] = NUMBER;
		d->number[0] = d->number[1];
	}
	return true;
}

static void on_diff(void *arg, struct td_control_req *req)
{
	struct diff *d = calloc(1, sizeof(*d));

	if (!d) {
		td_control_reply_error(req, 1, "%s", strerror(ENOMEM));
		return;
	}
	d->c = arg;
	d->req = req;
	if (sides(d))
		next(d);
	else
		diff_free(d);
}

int config_diff_register(struct td_config *c)
{
	return td_control_register(c->cfg.control, "config diff", on_diff, c);
}
