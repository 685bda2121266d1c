// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "node/api/views_i.h"

/* Who owns what: by the rows of the view, which the owners write; what this
 * node's lease machine makes of a unit comes beside it. */

static const char *span_health(const struct td_view *view, const char *span,
			       uint32_t owner)
{
	const Td__Span *s = owner ? td_view_span(view, span, owner) : NULL;

	return !s ? "unowned" : s->dchannel_up ? "up" :
	       s->layer1_up ? "dchannel-down" : "alarm";
}

static json_t *unit(const struct td_views *v, const char *name,
		    const char *kind)
{
	const struct td_view *view = views_view(v);
	const Td__Unit *u = td_view_unit(view, name);
	const Td__Node *n = u && u->node ? td_view_node(view, u->node) : NULL;
	const char *health = n ? "up" : "unowned";

	if (!strcmp(kind, "span"))
		health = span_health(view, name, n ? n->id : 0);
	return json_pack("{s:s, s:s, s:o, s:I, s:s}", "name", name, "kind",
			 kind, "owner",
			 n ? views_node_name(v, n->id) : json_null(),
			 "epoch", (json_int_t)(u ? u->epoch : 0), "health",
			 health);
}

json_t *views_units(const struct td_views *v)
{
	const struct td_site *s = views_site(v);
	struct td_view_iter it = { 0 };
	json_t *list = json_array();
	const Td__Unit *u;

	for (size_t i = 0; s && i < s->n_lines; i++)
		json_array_append_new(list, unit(v, s->lines[i].name, "span"));
	for (size_t i = 0; s && i < s->n_addresses; i++)
		json_array_append_new(list, unit(v, s->addresses[i].name,
						 "address"));
	while ((u = td_view_units(views_view(v), &it)))
		if (u->kind == TD__UNIT_KIND__UNIT_ROLE)
			json_array_append_new(list, unit(v, u->unit, "role"));
	return list;
}

static json_t *by_name(json_t *list, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *s = json_string_value(json_object_get(o, "name"));

		if (s && !strcmp(s, name))
			return o;
	}
	return NULL;
}

json_t *td_views_units(const struct td_views *v)
{
	json_t *list = views_units(v), *o, *mine = NULL;
	size_t i;

	if (v->cfg.units)
		mine = v->cfg.units(v->cfg.arg);
	json_array_foreach(list, i, o) {
		json_t *m = by_name(mine, json_string_value(
			json_object_get(o, "name")));

		json_object_set(o, "state", m ? json_object_get(m, "state") :
						json_null());
		json_object_set(o, "reason", m ? json_object_get(m, "reason") :
						 json_null());
	}
	json_decref(mine);
	return list;
}
