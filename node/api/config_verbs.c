// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/config_i.h"
#include "node/api/views_i.h"

/* config import, check, export, log. */

enum { LOG_ROWS = 100 };

/* @return 0: *site is the caller's; else req is answered */
static int parse(struct td_control_req *req, struct td_site **site)
{
	const Td__Request *r = td_control_request(req);
	const char *file = td_control_arg(req, 0);
	struct td_problems p = { 0 };
	int rc;

	if (!strcmp(file, "-"))
		file = "standard input";
	rc = td_site_parse(file, (const char *)r->body.data, r->body.len, site,
			   &p);
	if (rc == -EINVAL)
		td_control_reply_problems(req, &p);
	else if (rc)
		td_control_reply_error(req, 1, "%s: %s", file, strerror(-rc));
	td_problems_free(&p);
	return rc;
}

static void on_check(void *arg, struct td_control_req *req)
{
	struct td_site *s;
	uint64_t numbers = 0;

	if (parse(req, &s))
		return;
	for (size_t i = 0; i < s->n_extensions; i++)
		numbers += strtoull(s->extensions[i].last, NULL, 10) -
			   strtoull(s->extensions[i].first, NULL, 10) + 1;
	td_control_reply_json(req, json_pack(
		"{s:b, s:i, s:i, s:i, s:I, s:i}", "ok", 1, "nodes",
		(int)s->n_nodes, "lines", (int)s->n_lines, "addresses",
		(int)s->n_addresses, "extensions", (json_int_t)numbers,
		"routes", (int)s->n_routes));
	td_site_free(s);
}

static void on_import(void *arg, struct td_control_req *req)
{
	const Td__Request *r = td_control_request(req);
	const char *comment = td_control_option(req, "comment");
	struct td_config *c = arg;
	struct td_site *s;
	uint8_t sum[32];
	char *content;

	if (parse(req, &s))
		return;
	td_site_free(s);
	td_generation_hash(r->body.data, r->body.len, sum);
	if (c->gen.content && !memcmp(sum, c->gen.sha256, sizeof(sum))) {
		td_control_reply_json(req, json_pack(
			"{s:I, s:b}", "generation",
			(json_int_t)c->gen.number, "unchanged", 1));
		return;
	}
	content = malloc(r->body.len + 1);
	if (!content) {
		td_control_reply_error(req, 1, "%s", strerror(ENOMEM));
		return;
	}
	memcpy(content, r->body.data, r->body.len);
	content[r->body.len] = '\0';
	config_change_start(c, req, content, r->body.len,
			    comment ? comment : "config import", NULL, false);
}

static void on_exported(void *arg, int status, const struct td_generation *g,
			size_t n)
{
	struct td_control_req *req = arg;

	if (!status)
		td_control_reply_body(req, g->content, g->n);
	else if (status == -ENOENT)
		td_control_reply_error(req, 1, "there is no generation %s",
				       td_control_option(req, "generation"));
	else
		td_control_reply_error(req, 1,
				       "the database cannot be read: %s",
				       strerror(-status));
}

static void on_export(void *arg, struct td_control_req *req)
{
	const char *text = td_control_option(req, "generation");
	struct td_config *c = arg;
	unsigned long long number = c->gen.number;
	int end = 0, rc;

	if (text && (sscanf(text, "%19llu%n", &number, &end) != 1 ||
		     text[end] || *text == '-')) {
		td_control_reply_error(req, 2, "--generation %s: a number is "
					       "expected", text);
		return;
	}
	if (number == c->gen.number) {
		if (c->gen.content)
			td_control_reply_body(req, c->gen.content, c->gen.n);
		else
			td_control_reply_error(req, 1, "no configuration yet: "
						       "`tandem config import "
						       "site.yaml'");
		return;
	}
	rc = c->cfg.store && c->started ?
		     td_store_generation_get(c->cfg.store, number, on_exported,
					     req) : -ENOTCONN;
	if (rc)
		td_control_reply_error(req, 1, "the database cannot be "
					       "reached: %s",
				       c->cfg.store ?
					       td_store_error(c->cfg.store) :
					       "none is configured");
}

struct log {
	struct td_control_req *req;
	uint64_t running;
};

static void on_listed(void *arg, int status, const struct td_generation *g,
		      size_t n)
{
	struct log *l = arg;
	json_t *list = json_array();

	if (status) {
		json_decref(list);
		td_control_reply_error(l->req, 1,
				       "the database cannot be read: %s",
				       strerror(-status));
		free(l);
		return;
	}
	for (size_t i = 0; list && i < n; i++)
		json_array_append_new(list, json_pack(
			"{s:I, s:o, s:s, s:s, s:b}", "generation",
			(json_int_t)g[i].number, "at", views_time(g[i].at_ms),
			"author", g[i].author, "comment", g[i].comment,
			"running", g[i].number == l->running));
	td_control_reply_json(l->req, list);
	free(l);
}

static void on_log(void *arg, struct td_control_req *req)
{
	struct td_config *c = arg;
	struct log *l = malloc(sizeof(*l));
	int rc = -ENOMEM;

	if (l) {
		*l = (struct log){ req, c->gen.number };
		rc = c->cfg.store && c->started ?
			     td_store_generation_list(c->cfg.store, LOG_ROWS,
						      on_listed, l) : -ENOTCONN;
	}
	if (!rc)
		return;
	free(l);
	td_control_reply_error(req, 1, "the database cannot be reached: %s",
			       c->cfg.store ? td_store_error(c->cfg.store)
					    : "none is configured");
}

int config_verbs_register(struct td_config *c)
{
	struct td_control *k = c->cfg.control;
	int rc = td_control_register(k, "config import", on_import, c);

	if (!rc)
		rc = td_control_register(k, "config check", on_check, c);
	if (!rc)
		rc = td_control_register(k, "config export", on_export, c);
	if (!rc)
		rc = td_control_register(k, "config log", on_log, c);
	return rc ? rc : config_edit_register(c);
}
