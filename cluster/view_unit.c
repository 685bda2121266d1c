// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

int td_view_unit_cmp(const void *key, const struct td_table_node *n)
{
	return strcmp(key, td_row_of(n, const struct td_unit_row, at)->u->unit);
}

static struct td_unit_row *find(const struct td_view *v, const char *unit)
{
	struct td_table_node *n = td_table_find(&v->units, unit);

	return n ? td_row_of(n, struct td_unit_row, at) : NULL;
}

const Td__Unit *td_view_unit(const struct td_view *v, const char *unit)
{
	struct td_unit_row *r = find(v, unit);

	return r ? r->u : NULL;
}

int td_view_put_unit(struct td_view *v, Td__Unit *u)
{
	struct td_unit_row *r = find(v, u->unit);

	if (r) {
		td_view_touch(v, TD_ROWS_UNITS, &r->at);
		protobuf_c_message_free_unpacked(&r->u->base, NULL);
		r->u = u;
		return 0;
	}
	if (v->units.count >= TD_VIEW_MAX_UNITS)
		return -ENOSPC;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->u = u;
	td_view_born(v, &r->stamp);
	td_table_add(&v->units, u->unit, &r->at);
	return 0;
}

void td_view_release_units(struct td_view *v, uint32_t node)
{
	for (struct td_table_node *n = td_table_first(&v->units); n;
	     n = td_table_next(n)) {
		Td__Unit *u = td_row_of(n, struct td_unit_row, at)->u;

		if (u->node != node)
			continue;
		td_view_touch(v, TD_ROWS_UNITS, n);
		u->node = 0;
		u->since_ms = (uint64_t)v->now_ms;
	}
}

void td_view_del_units(struct td_view *v)
{
	struct td_table_node *n;

	while ((n = td_table_first(&v->units))) {
		struct td_unit_row *r = td_row_of(n, struct td_unit_row, at);

		td_table_del(&v->units, n);
		protobuf_c_message_free_unpacked(&r->u->base, NULL);
		free(r);
	}
}
