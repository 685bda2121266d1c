// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/plan.h"

static const struct td_plan_node *node_of(const struct td_plan_in *in,
					  uint32_t id)
{
	for (unsigned int i = 0; i < in->n_nodes; i++)
		if (in->nodes[i].id == id)
			return &in->nodes[i];
	return NULL;
}

static bool can(const struct td_plan_in *in, const struct td_plan_unit *u,
		uint32_t id)
{
	const struct td_plan_node *n = node_of(in, id);

	return n && n->up && n->in_sync && !n->witness && !n->draining &&
	       !(u->unfit >> id & 1);
}

static struct td_plan_answer one(const struct td_plan_in *in,
				 const struct td_plan_unit *u)
{
	unsigned int n = u->fixed && u->n_nodes ? 1 : u->n_nodes;

	if (!in->quorum)
		return (struct td_plan_answer){ u->owner, u->owner ?
			TD_PLAN_STAYS : TD_PLAN_NOBODY };
	if (u->owner && u->locked)
		return (struct td_plan_answer){ u->owner, TD_PLAN_LOCKED };
	if (u->owner && u->kind == TD_PLAN_ROLE && can(in, u, u->owner))
		return (struct td_plan_answer){ u->owner, TD_PLAN_STAYS };
	for (unsigned int i = 0; i < n; i++)
		if (can(in, u, u->nodes[i]))
			return (struct td_plan_answer){ u->nodes[i], i ?
				TD_PLAN_ONLY : TD_PLAN_FIRST };
	return (struct td_plan_answer){ 0, TD_PLAN_NOBODY };
}

void td_plan(const struct td_plan_in *in, struct td_plan_answer *out)
{
	for (unsigned int i = 0; i < in->n_units; i++)
		out[i] = one(in, &in->units[i]);
}
