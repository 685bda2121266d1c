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

json_t *config_summary(const struct td_site *s)
{
	uint64_t numbers = 0;

	for (size_t i = 0; i < s->n_extensions; i++)
		numbers += strtoull(s->extensions[i].last, NULL, 10) -
			   strtoull(s->extensions[i].first, NULL, 10) + 1;
	return json_pack("{s:b, s:i, s:i, s:i, s:I, s:i}", "ok", 1, "nodes",
			 (int)s->n_nodes, "lines", (int)s->n_lines,
			 "addresses", (int)s->n_addresses, "extensions",
			 (json_int_t)numbers, "routes", (int)s->n_routes);
}

static void on_check(void *arg, struct td_control_req *req)
{
	struct td_site *s;

	if (!td_control_arg(req, 0)) {
		config_tables_check(arg, req);
		return;
	}
	if (parse(req, &s))
		return;
	td_control_reply_json(req, config_summary(s));
	td_site_free(s);
}

static void on_import(void *arg, struct td_control_req *req)
{
	const Td__Request *r = td_control_request(req);
	const char *comment = td_control_option(req, "comment");
	struct config_want want = {
		.req = req, .author = td_control_who(req), .n = r->body.len,
		.comment = comment ? comment : "config import",
	};
	struct td_config *c = arg;
	uint8_t sum[32];

	if (parse(req, &want.site))
		return;
	td_generation_hash(r->body.data, r->body.len, sum);
	if (c->gen.content && !memcmp(sum, c->gen.sha256, sizeof(sum))) {
		td_control_reply_json(req, json_pack(
			"{s:I, s:b}", "generation",
			(json_int_t)c->gen.number, "unchanged", 1));
		td_site_free(want.site);
		return;
	}
	want.content = malloc(r->body.len + 1);
	if (!want.content) {
		td_control_reply_error(req, 1, "%s", strerror(ENOMEM));
		td_site_free(want.site);
		return;
	}
	memcpy(want.content, r->body.data, r->body.len);
	want.content[r->body.len] = '\0';
	config_change_start(c, &want);
}

void config_no_store(struct td_config *c, struct td_control_req *req)
{
	td_control_reply_error(req, 1, "the database cannot be reached: %s",
			       c->cfg.store ? td_store_error(c->cfg.store)
					    : "none is configured");
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

int config_number(const char *text, unsigned long long *out)
{
	unsigned long long n;
	int end = 0;

	if (strspn(text, "0123456789") != strlen(text) ||
	    sscanf(text, "%18llu%n", &n, &end) != 1 || text[end])
		return -EINVAL;
	*out = n;
	return 0;
}

static void on_export(void *arg, struct td_control_req *req)
{
	const char *text = td_control_option(req, "generation");
	struct td_config *c = arg;
	unsigned long long number = c->gen.number;
	int rc;

	if (text && config_number(text, &number)) {
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
		config_no_store(c, req);
}

/* Generations and refused edits by time, the newest first. */
struct log {
	struct td_config *c;
	struct td_control_req *req;
	json_t *list;
};

static void log_failed(struct log *l, int status)
{
	td_control_reply_error(l->req, 1, "the database cannot be read: %s",
			       strerror(-status));
	json_decref(l->list);
	free(l);
}

static json_t *log_refusal(const struct td_refusal *r)
{
	char text[sizeof(r->where) + sizeof(r->what) + 16];

	snprintf(text, sizeof(text), "refused: %s: %s", r->where, r->what);
	return json_pack("{s:n, s:o, s:s, s:s, s:b}", "generation", "at",
			 views_time(r->at_ms), "author", r->by, "comment",
			 text, "running", 0);
}

static void on_refusals(void *arg, int status, const struct td_refusal *r,
			size_t n)
{
	struct log *l = arg;
	size_t at = 0;

	if (status) {
		log_failed(l, status);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		json_t *o = log_refusal(&r[i]);
		const char *t = json_string_value(json_object_get(o, "at"));

		/* times are written alike: their text has their order */
		while (t && at < json_array_size(l->list) &&
		       strcmp(json_string_value(json_object_get(
				      json_array_get(l->list, at), "at")),
			      t) >= 0)
			at++;
		json_array_insert_new(l->list, at++, o);
	}
	td_control_reply_json(l->req, l->list);
	free(l);
}

static void on_listed(void *arg, int status, const struct td_generation *g,
		      size_t n)
{
	struct log *l = arg;

	for (size_t i = 0; !status && i < n; i++)
		if (json_array_append_new(l->list, json_pack(
			    "{s:I, s:o, s:s, s:s, s:b}", "generation",
			    (json_int_t)g[i].number, "at",
			    views_time(g[i].at_ms), "author", g[i].author,
			    "comment", g[i].comment, "running",
			    g[i].number == l->c->gen.number)))
			status = -ENOMEM;
	if (!status)
		status = l->c->started ?
				 td_store_refusals(l->c->cfg.store, LOG_ROWS,
						   on_refusals, l) :
				 -ENOTCONN;
	if (status)
		log_failed(l, status);
}

static void on_log(void *arg, struct td_control_req *req)
{
	struct td_config *c = arg;
	struct log *l = malloc(sizeof(*l));
	int rc = -ENOMEM;

	if (l) {
		*l = (struct log){ c, req, json_array() };
		rc = c->cfg.store && c->started ?
			     td_store_generation_list(c->cfg.store, LOG_ROWS,
						      on_listed, l) : -ENOTCONN;
	}
	if (!rc)
		return;
	if (l)
		json_decref(l->list);
	free(l);
	config_no_store(c, req);
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
	if (!rc)
		rc = config_tables_register(c);
	if (!rc)
		rc = config_rollback_register(c);
	if (!rc)
		rc = config_diff_register(c);
	return rc ? rc : config_edit_register(c);
}
