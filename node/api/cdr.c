// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/api/cdr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/views_i.h"

enum { DEFAULT_LIMIT = 20, MAX_LIMIT = 10000, MAX_NUMBER = 64 };

struct td_cdr_verbs {
	struct td_cdr_verbs_cfg cfg;
};

static json_int_t waiting(const struct td_cdr_verbs *v)
{
	json_t *o = v->cfg.spool ? v->cfg.spool(v->cfg.arg) : NULL;
	json_int_t n = json_integer_value(json_object_get(
		json_object_get(o, "spool"), "records"));

	json_decref(o);
	return n;
}

/* @return true: it is answered */
static bool no_database(const struct td_cdr_verbs *v,
			struct td_control_req *req)
{
	if (!v->cfg.store) {
		td_control_reply_error(req, 1, "no database is configured: "
				       "`database:' in node.yaml");
		return true;
	}
	if (td_store_ready(v->cfg.store))
		return false;
	td_control_reply_error(req, 1, "the database is away (%s); %lld "
			       "records wait on this node's disk",
			       td_store_error(v->cfg.store),
			       (long long)waiting(v));
	return true;
}

/* Times for people beside those in ms. */
static void add_times(json_t *list)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o) {
		json_int_t ms = json_integer_value(json_object_get(o,
							"start_ms"));

		json_object_set_new(o, "start", views_time(ms));
	}
}

static void on_text(void *arg, int status, const char *text)
{
	struct td_control_req *req = arg;
	json_t *list = status ? NULL : json_loads(text, 0, NULL);

	if (!list) {
		td_control_reply_error(req, 1, "the database: %s",
				       strerror(status ? -status : EBADMSG));
		return;
	}
	add_times(list);
	td_control_reply_json(req, list);
}

static void on_show_text(void *arg, int status, const char *text)
{
	if (!status && !strcmp(text, "[]"))
		td_control_reply_error(arg, 1, "the database has no record of "
				       "that call (yet)");
	else
		on_text(arg, status, text);
}

static void answer_failed(struct td_control_req *req, int rc)
{
	if (rc)
		td_control_reply_error(req, 1, "the database: %s",
				       strerror(-rc));
}

static void on_list(void *arg, struct td_control_req *req)
{
	const char *limit = td_control_option(req, "limit");
	const char *number = td_control_option(req, "number");
	struct td_cdr_verbs *v = arg;
	unsigned long n = DEFAULT_LIMIT;
	char *end = NULL;

	if (limit)
		n = strtoul(limit, &end, 10);
	if (limit && (!*limit || *end || *limit == '-' || !n ||
		      n > MAX_LIMIT)) {
		td_control_reply_error(req, 2, "--limit: a number from 1 to "
				       "%d", MAX_LIMIT);
		return;
	}
	if (number && strlen(number) > MAX_NUMBER) {
		td_control_reply_error(req, 2, "--number: too long");
		return;
	}
	if (!no_database(v, req))
		answer_failed(req, td_store_cdr_list(v->cfg.store, n,
						     number ? number : "",
						     on_text, req));
}

static void on_show(void *arg, struct td_control_req *req)
{
	const char *id = td_control_arg(req, 0);
	struct td_cdr_verbs *v = arg;

	if (strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16) {
		td_control_reply_error(req, 2, "a call's id has 16 hexadecimal "
				       "digits");
		return;
	}
	if (!no_database(v, req))
		answer_failed(req, td_store_cdr_show(v->cfg.store, id,
						     on_show_text, req));
}

static void on_spool(void *arg, struct td_control_req *req)
{
	struct td_cdr_verbs *v = arg;

	td_control_reply_json(req, v->cfg.spool(v->cfg.arg));
}

int td_cdr_verbs_new(struct td_control *control,
		     const struct td_cdr_verbs_cfg *cfg,
		     struct td_cdr_verbs **out)
{
	struct td_cdr_verbs *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->cfg = *cfg;
	rc = td_control_register(control, "cdr list", on_list, v);
	if (!rc)
		rc = td_control_register(control, "cdr show", on_show, v);
	if (!rc)
		rc = td_control_register(control, "cdr spool", on_spool, v);
	if (rc) {
		free(v);
		return rc;
	}
	*out = v;
	return 0;
}

void td_cdr_verbs_free(struct td_cdr_verbs *v)
{
	free(v);
}
