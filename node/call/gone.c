// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stddef.h>

#include "node/call/calls_i.h"
#include "proto/base/log.h"

/* A call on two nodes ends when one of them is gone: its internal leg has
 * nobody to talk to, and would wait for ever. */

enum { CAUSE_TEMPORARY = 41 };

static bool is_internal(const struct party *p)
{
	return p->outgoing ? p->target.kind == TD_TARGET_NODE :
			     p->call->setup.internal;
}

/** The node at the other end of an internal leg; who began the call stands in
 *  its id. */
static uint32_t far_node(const struct party *p)
{
	return p->outgoing ? p->target.node : (uint32_t)(p->call->id >> 56);
}

static void end_half(struct party *p)
{
	struct td_leg_event lev = { .type = TD_LEV_CLEARED,
				    .cause = CAUSE_TEMPORARY };

	td_info("call", "call=%016" PRIx64 " its half on node %u is gone",
		p->call->id, far_node(p));
	call_party_gone(p, &lev);
}

static void end_halves(struct td_calls *r, uint32_t node)
{
	size_t pos = 0;
	struct call *c;

	/* a call is freed in a turn of its own, so the walk is safe; but a
	 * half that ends may start another leg, which is none of these */
	while ((c = td_map_next(r->calls, &pos))) {
		unsigned int n = c->n_b;

		for (unsigned int i = 0; i <= n; i++) {
			struct party *p = i ? &c->b[i - 1] : &c->a;

			if (p->alive && is_internal(p) && far_node(p) == node)
				end_half(p);
		}
	}
}

void td_calls_node_ended(struct td_calls *r)
{
	const struct td_view *v = td_cluster_view(r->cfg.cluster);

	for (uint32_t id = 1; id <= TD_NODE_MAX_ID; id++) {
		const Td__Node *n = td_view_node(v, id);
		uint64_t life = n && n->state != TD__NODE_STATE__NODE_DOWN ?
					n->incarnation : 0;
		uint64_t before = r->life[id];

		r->life[id] = life;
		if (before && before != life && id != r->cfg.node_id)
			end_halves(r, id);
	}
}

/* A call that both ends had agreed on has two rows. While it is being set up
 * the other one may still be on its way. */
void gone_check(struct td_calls *r)
{
	const struct td_view *v = td_cluster_view(r->cfg.cluster);
	size_t pos = 0;
	struct call *c;

	while ((c = td_map_next(r->calls, &pos))) {
		struct party *p = c->setup.internal ? &c->a : call_winner(c);

		if (c->state == TD_CALL_UP && p && p->alive &&
		    is_internal(p) && !td_view_call(v, c->id, far_node(p)))
			end_half(p);
	}
	td_calls_node_ended(r);
}
