// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/plan.h"

#include <string.h>

/* Until ha/plan.c is there: the first of the list that can, an owner that can
 * stays. */

static bool can(const struct td_plan_in *in, uint32_t id)
{
	for (unsigned int i = 0; i < in->n_nodes; i++) {
		const struct td_plan_node *n = &in->nodes[i];

		if (n->id == id)
			return n->up && n->in_sync && !n->draining &&
			       !n->witness;
	}
	return false;
}

void td_plan(const struct td_plan_in *in, struct td_plan_answer *out)
{
	for (unsigned int i = 0; i < in->n_units; i++) {
		const struct td_plan_unit *u = &in->units[i];

		out[i] = (struct td_plan_answer){ 0 };
		if (u->owner && can(in, u->owner))
			out[i].node = u->owner;
		for (unsigned int k = 0; k < u->n_nodes && !out[i].node; k++)
			if (can(in, u->nodes[k]))
				out[i].node = u->nodes[k];
	}
}
