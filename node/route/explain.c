// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "node/route/route.h"

static json_t *target_json(const struct td_site *site,
			   const struct td_target *t)
{
	static const char *const kinds[] = {
		[TD_TARGET_CONTACT] = "contact",
		[TD_TARGET_LINES] = "lines",
		[TD_TARGET_NODE] = "node",
		[TD_TARGET_SERVICE] = "service",
	};
	json_t *o = json_pack("{s:s, s:i, s:s}", "kind", kinds[t->kind],
			      "rank", (int)t->rank, "number", t->number);
	json_t *lines;

	if (!o)
		return NULL;
	if (t->kind == TD_TARGET_CONTACT) {
		json_object_set_new(o, "uri", json_string(t->uri));
		json_object_set_new(o, "address", json_string(t->address));
	}
	if (t->kind == TD_TARGET_NODE) {
		const struct td_site_node *n = td_site_node(site, t->node);

		json_object_set_new(o, "node",
				    json_string(n ? n->name : "?"));
	}
	if (t->kind == TD_TARGET_SERVICE)
		json_object_set_new(o, "service", json_string("echo"));
	if (t->n_lines) {
		lines = json_array();
		for (unsigned int i = 0; i < t->n_lines; i++)
			json_array_append_new(lines, json_string(t->lines[i]));
		json_object_set_new(o, "lines", lines);
	}
	return o;
}

json_t *td_route_explain(const struct td_site *site,
			 const struct td_view *view,
			 const struct td_route_ask *ask)
{
	struct td_target t[TD_ROUTE_MAX_TARGETS];
	unsigned int n = 0;
	int cause = 0;
	int rc = td_route_decide(site, view, ask, t, &n, &cause);
	json_t *o = json_pack("{s:s, s:b}", "called", ask->called, "found",
			      rc == 0);
	json_t *list = json_array();

	for (unsigned int i = 0; !rc && i < n; i++)
		json_array_append_new(list, target_json(site, &t[i]));
	json_object_set_new(o, "targets", list);
	if (rc) {
		json_object_set_new(o, "cause", json_integer(cause));
		json_object_set_new(o, "reason", json_string(
			rc == -EACCES ?
				"the caller's class does not allow it" :
			rc == -EHOSTDOWN ? "the user is not registered" :
			rc == -EBUSY ? cause == 34 ?
				"no free channel on any of the lines" :
				"all lines of the route are down" :
			rc == -EAGAIN ? "more digits are needed" :
			cause == 3 ? "no route has such a prefix" :
			cause == 28 ? "the number is incomplete" :
				      "nobody has this number"));
	}
	return o;
}
