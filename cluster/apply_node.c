// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

/* Rows of nodes, the feature level. */

bool td_apply_is_up(const struct td_view *v, uint32_t node)
{
	const Td__Node *n = td_view_node(v, node);

	return n && n->state != TD__NODE_STATE__NODE_DOWN;
}

/* The node's calls and spans end with it. Its contacts stay: the phone is
 * still there. */
static void end_share(struct td_view *v, uint32_t node)
{
	struct td_table_node *n, *next;

	for (n = td_table_first(&v->calls); n; n = next) {
		struct td_call_row *r = td_row_of(n, struct td_call_row, at);

		next = td_table_next(n);
		if (r->c->node == node)
			td_view_end_call(v, r);
	}
	for (n = td_table_first(&v->spans); n; n = next) {
		struct td_span_row *r = td_row_of(n, struct td_span_row, at);

		next = td_table_next(n);
		if (r->s->node == node)
			td_view_del_span(v, r);
	}
	td_view_release_units(v, node);
}

int td_apply_node(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	Td__Node *n = op->node;
	const Td__Node *old = td_view_node(v, n->id);
	const Td__Node *same_name = td_view_node_by_name(v, n->name);

	if (n->id != from || !*n->name || (same_name && same_name->id != n->id))
		return -EINVAL;
	if (n->feature_level < v->level)
		return -EINVAL;
	/* a new life whose predecessor's end nobody has told yet */
	if (old && old->incarnation != n->incarnation)
		end_share(v, n->id);
	/* not the node's to say: an operator drains it */
	n->drain = old && old->drain;
	if (n->drain && n->state == TD__NODE_STATE__NODE_UP)
		n->state = TD__NODE_STATE__NODE_DRAINING;
	n->since_ms = old && old->state == n->state &&
		      old->incarnation == n->incarnation ?
			      old->since_ms :
			      (uint64_t)v->now_ms;
	td_view_put_node(v, n);
	*moved = true;
	return 0;
}

int td_apply_node_gone(struct td_view *v, Td__Op *op, uint32_t from,
		       bool *moved)
{
	const Td__NodeGone *g = op->node_gone;
	Td__Node *n = (Td__Node *)td_view_node(v, g->id);

	if (!n || n->incarnation != g->incarnation || !td_apply_is_up(v, g->id))
		return -ESTALE;
	end_share(v, g->id);
	n->state = TD__NODE_STATE__NODE_DOWN;
	n->synced = false;
	n->since_ms = (uint64_t)v->now_ms;
	return 0;
}

int td_apply_level_raise(struct td_view *v, Td__Op *op, uint32_t from,
			 bool *moved)
{
	uint32_t level = op->level_raise->level;
	struct td_view_iter i = { 0 };
	const Td__Node *n;

	if (level <= v->level || !td_apply_is_up(v, from))
		return -ESTALE;
	while ((n = td_view_nodes(v, &i)))
		if (td_apply_is_up(v, n->id) && n->feature_level < level)
			return -EINVAL;
	v->level = level;
	return 0;
}

int td_apply_drain(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	const Td__Drain *d = op->drain;
	Td__Node *n = (Td__Node *)td_view_node(v, d->node);

	if (!n)
		return -EINVAL;
	n->drain = d->on;
	if (n->state != (d->on ? TD__NODE_STATE__NODE_UP :
				 TD__NODE_STATE__NODE_DRAINING))
		return 0;
	n->state = d->on ? TD__NODE_STATE__NODE_DRAINING :
			   TD__NODE_STATE__NODE_UP;
	n->since_ms = (uint64_t)v->now_ms;
	return 0;
}
