// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/apply.h"

#include <errno.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

typedef int (*apply_fn)(struct td_view *v, Td__Op *op, uint32_t from,
			bool *moved);

#define CLASS_VOLATILE TD_VOLATILE, false
#define CLASS_REPLICATED TD_REPLICATED, false
#define CLASS_DURABLE TD_DURABLE, false
#define CLASS_COMMITTED TD_DURABLE, true

static const struct {
	struct td_op_info info;
	apply_fn fn;
} table[] = {
#define OP(NAME, name, class, level, lane, spoils)                             \
	[TD__OP__WHAT_##NAME] = { { #name, CLASS_##class, level,               \
				    TD_LANE_##lane, TD_SPOILS_##spoils },      \
				  td_apply_##name },
	TD_OPS(OP)
#undef OP
};

const struct td_op_info *td_op_info(Td__Op__WhatCase what)
{
	if ((size_t)what >= sizeof(table) / sizeof(*table) || !table[what].fn)
		return NULL;
	return &table[what].info;
}

const char *td_durability_name(enum td_durability d)
{
	static const char *const names[] = {
		[TD_VOLATILE] = "volatile",
		[TD_REPLICATED] = "replicated",
		[TD_DURABLE] = "durable",
	};

	return names[d];
}

const char *td_lane_name(enum td_lane lane)
{
	static const char *const names[] = {
		[TD_LANE_URGENT] = "urgent",
		[TD_LANE_USERS] = "users",
		[TD_LANE_BULK] = "bulk",
	};

	return names[lane];
}

int td_apply(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	*moved = false;
	v->index.n++;
	td_view_forget_ended(v);
	if (!td_op_info(op->what_case) ||
	    table[op->what_case].info.level > v->level)
		return -EINVAL;
	return table[op->what_case].fn(v, op, from, moved);
}

void td_apply_release(Td__Op *op, bool moved)
{
	if (op && moved)
		op->what_case = TD__OP__WHAT__NOT_SET;
	td_op_free(op);
}
