// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cluster/cluster_priv.h"
#include "cluster/view_priv.h"
#include "proto/base/log.h"

#define BIT(id) (1U << (id))

/* A lineage names one history: the ring in which this part of the cluster
 * last went on, and its lowest member, since two parts of a split may name
 * the same later ring. Always above what was; and what is founded anew in the
 * same ring, by another life of the founder, differs by the round. */
static uint64_t next_lineage(const struct td_cluster *c, uint64_t was,
			     uint32_t id)
{
	uint64_t base = c->ring << 20, after = (was & ~31ULL) + 32;

	if (!was)
		base |= (c->round & 0x7fff) << 5;
	return (base > was ? base : after) | id;
}

static uint64_t round_of(uint64_t ring, const struct td_bus_member *m,
			 unsigned int n)
{
	uint64_t sum = ring * 0x9e3779b97f4a7c15ULL;

	/* the order of the list must not matter */
	for (unsigned int i = 0; i < n; i++) {
		uint64_t h = ((uint64_t)m[i].node_id << 32 | m[i].pid) + 1;

		h *= 0xff51afd7ed558ccdULL;
		h ^= h >> 33;
		sum += h * 0xc4ceb9fe1a85ec53ULL;
	}
	return sum ? sum : 1;
}

void td_cluster_count_synced(struct td_cluster *c)
{
	uint32_t synced = 0;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID && c->live; i++) {
		const Td__Node *n = td_view_node(c->view, i);

		if (n && i != c->id && n->synced &&
		    n->state != TD__NODE_STATE__NODE_DOWN &&
		    (c->members & BIT(i)))
			synced |= BIT(i);
	}
	if (synced != c->synced)
		c->state_changed = true;
	c->synced = synced;
	if (c->live)
		c->together |= synced | BIT(c->id);
	td_ack_in_sync(&c->ack, synced);
}

/* what waits will not happen */
static void drop_waiting(struct td_cluster *c)
{
	td_outbox_clear(&c->out);
	td_ack_cancel(&c->ack);
	td_ack_forget(&c->ack);
	memset(c->gone_told, 0, sizeof(c->gone_told));
	c->probe = 0;
	c->level_told = 0;
}

void td_cluster_demote(struct td_cluster *c)
{
	c->live = false;
	td_sync_take_stop(&c->take);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
	c->state_changed = true;
	drop_waiting(c);
	td_cluster_count_synced(c);
}

static void tell_gone(struct td_cluster *c, uint32_t id)
{
	Td__NodeGone gone = TD__NODE_GONE__INIT;
	Td__Op op = TD__OP__INIT;
	const Td__Node *n = td_view_node(c->view, id);

	if (!n || n->state == TD__NODE_STATE__NODE_DOWN ||
	    c->gone_told[id] == n->incarnation)
		return;
	gone.id = id;
	gone.incarnation = n->incarnation;
	op.what_case = TD__OP__WHAT_NODE_GONE;
	op.node_gone = &gone;
	if (!td_cluster_submit_own(c, &op))
		c->gone_told[id] = n->incarnation;
}

/* raises the feature level once all that run have announced more */
static void raise_level(struct td_cluster *c)
{
	uint32_t min = TD_FEATURE_LEVEL, now = td_view_feature_level(c->view);
	Td__LevelRaise raise = TD__LEVEL_RAISE__INIT;
	Td__Op op = TD__OP__INIT;
	struct td_view_iter i = { 0 };
	const Td__Node *n;

	while ((n = td_view_nodes(c->view, &i)))
		if (n->state != TD__NODE_STATE__NODE_DOWN &&
		    n->feature_level < min)
			min = n->feature_level;
	if (min <= now || c->level_told == min)
		return;
	raise.level = min;
	op.what_case = TD__OP__WHAT_LEVEL_RAISE;
	op.level_raise = &raise;
	if (!td_cluster_submit_own(c, &op))
		c->level_told = min;
}

void td_cluster_reconcile(struct td_cluster *c)
{
	/* one does it: the lowest that is in */
	if (!c->live || c->synced & (BIT(c->id) - 1))
		return;
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (!(c->members & BIT(i)))
			tell_gone(c, i);
	raise_level(c);
}

void td_cluster_put_own_row(struct td_cluster *c)
{
	const Td__Node *row = td_view_node(c->view, c->id);
	Td__Node me = TD__NODE__INIT;
	Td__Op op = TD__OP__INIT;

	if (row && row->incarnation == c->incarnation && row->synced &&
	    row->state != TD__NODE_STATE__NODE_DOWN)
		return;
	me.id = c->id;
	me.name = c->name;
	me.incarnation = c->incarnation;
	me.feature_level = TD_FEATURE_LEVEL;
	me.state = TD__NODE_STATE__NODE_UP;
	me.version = c->version;
	me.synced = true;
	op.what_case = TD__OP__WHAT_NODE;
	op.node = &me;
	/* the outbox is bounded by what was submitted before: here that is
	 * next to nothing */
	if (td_cluster_submit_own(c, &op))
		td_cluster_leave(c, "CLUSTER-JOIN", "cannot say that it is up");
}

void td_cluster_go_live(struct td_cluster *c)
{
	struct td_index i = td_view_index(c->view);

	c->live = true;
	td_sync_take_stop(&c->take);
	c->need_ack = true;
	c->need_hello = c->members != BIT(c->id);
	c->tick_seen_ms = td_cluster_boot_ms(c);
	c->tick_sent_ms = 0;
	c->state_changed = true;
	td_info("cluster", "node=%s view=%llu/%llu goes on", c->name,
		(unsigned long long)i.lineage, (unsigned long long)i.n);
	td_cluster_count_synced(c);
	td_cluster_put_own_row(c);
	td_cluster_reconcile(c);
	td_cluster_stir(c);
}

/* --- a change of membership --- */

/* Our part has lost somebody who may go on without us: from here on the
 * history has another name, and what is under way is sent under that. */
static void new_lineage(struct td_cluster *c, uint32_t moved)
{
	struct td_index i = td_view_index(c->view);

	td_view_lineage_set(c->view, next_lineage(c, i.lineage,
						  __builtin_ctz(moved)));
	td_outbox_again(&c->out);
	c->need_ack = true;
}

static void quorate_change(struct td_cluster *c, uint32_t moved, uint32_t lost,
			   bool new_ring)
{
	uint32_t fresh = c->members & ~moved;

	if (c->live && new_ring && lost && fresh)
		/* whoever is fresh may come from the part that went on: first
		 * hear them; what waits goes on waiting */
		c->live = false;
	else if (c->live && new_ring && lost)
		new_lineage(c, moved);
	c->need_hello = fresh || !c->live;
}

void td_cluster_on_members(void *arg, uint64_t ring, bool quorate,
			   const struct td_bus_member *m, unsigned int n)
{
	struct td_cluster *c = arg;
	uint32_t was = c->members, now = BIT(c->id), fresh = 0, lost, moved;
	bool new_ring = ring != c->ring;
	uint64_t round = round_of(ring, m, n);

	if (c->dead)
		return;
	for (unsigned int i = 0; i < n; i++) {
		if (!m[i].node_id || m[i].node_id > TD_NODE_MAX_ID)
			continue;
		now |= BIT(m[i].node_id);
		if (m[i].fresh && m[i].node_id != c->id)
			fresh |= BIT(m[i].node_id);
	}
	moved = now & ~fresh;
	lost = was & ~moved;
	c->together = (c->together & moved) | BIT(c->id);
	c->members = now;
	c->ring = ring;
	c->quorate = quorate;
	if (round != c->round)
		memset(c->claims, 0, sizeof(c->claims));
	c->round = round;
	c->request |= 0xff;	/* the next attempt is the first */
	td_sync_take_stop(&c->take);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
	c->state_changed = true;
	td_info("cluster", "node=%s ring=%llu members=%x quorate=%d", c->name,
		(unsigned long long)ring, now, quorate);
	if (quorate) {
		quorate_change(c, moved, lost, new_ring);
	} else {
		if (c->live)
			td_warn("cluster", "CLUSTER-MINORITY",
				"node=%s lost=%x: nothing is released until "
				"a majority is back", c->name, lost);
		c->need_hello = false;
		td_cluster_demote(c);
	}
	td_cluster_count_synced(c);
	td_cluster_reconcile(c);
	if (c->live)
		td_ack_release(&c->ack);
	td_cluster_tell_state(c);
	td_cluster_stir(c);
}

void td_cluster_on_lost(void *arg)
{
	td_cluster_leave(arg, "CLUSTER-LOST", "the transport is gone");
}

/* --- Hellos: who goes on, who needs a view --- */

static void give_start(struct td_cluster *c, uint32_t to, uint64_t incarnation,
		       uint32_t request)
{
	struct td_sync_give *g = &c->give[to];
	struct td_index i = td_view_index(c->view);
	uint8_t *buf;
	size_t n;
	int rc = td_view_pack(c->view, &buf, &n);

	td_sync_give_stop(g);
	if (rc) {
		td_err("cluster", "CLUSTER-SNAPSHOT", "to=%u status=%d", to,
		       rc);
		return;
	}
	*g = (struct td_sync_give){
		.to_node = to, .to_incarnation = incarnation,
		.request = request, .lineage = i.lineage, .n = i.n,
		.buf = buf, .octets = n,
	};
	c->stats.snapshots_out++;
	td_cluster_stir(c);
}

static void live_hears(struct td_cluster *c, uint32_t from, const Td__Hello *h)
{
	struct td_index i = td_view_index(c->view);
	uint32_t can = c->synced | BIT(c->id);

	if (from == c->id)
		return;
	if (!h->want_snapshot) {
		if (h->lineage <= i.lineage)
			return;
		/* two parts went on, which a quorum should have prevented */
		td_err("cluster", "CLUSTER-SPLIT",
		       "node=%s lineage=%llu against %u's %llu: ours is "
		       "dropped", c->name, (unsigned long long)i.lineage, from,
		       (unsigned long long)h->lineage);
		td_cluster_demote(c);
		c->need_hello = true;
		return;
	}
	for (uint32_t k = 1; k <= TD_NODE_MAX_ID; k++)
		if (k == from || (c->claims[k].said && !c->claims[k].live))
			can &= ~BIT(k);
	if (td_sync_donor(can | BIT(c->id), h->request & 0xff) != c->id)
		return;
	/* an older life of it, or its part that did not go on */
	tell_gone(c, from);
	give_start(c, from, h->node->incarnation, h->request);
}

static void elected(struct td_cluster *c, uint32_t mask, uint32_t winner)
{
	const struct td_claim *best = &c->claims[winner];
	uint64_t lineage = next_lineage(c, best->lineage, winner);

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (mask & BIT(i))
			c->claims[i].live = true;
	if (!(mask & BIT(c->id))) {
		drop_waiting(c);
		/* the winner's snapshot for all is of this place */
		td_sync_take_start(&c->take, 0);
		return;
	}
	if (best->lineage)
		td_view_lineage_set(c->view, lineage);
	else
		td_view_found(c->view, lineage, c->env.wall_ms(c->env.arg));
	td_outbox_again(&c->out);
	td_cluster_go_live(c);
	if (winner != c->id || !(c->members & ~mask))
		return;
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (c->members & ~mask & BIT(i))
			tell_gone(c, i);
	give_start(c, 0, 0, 0);
}

void td_cluster_on_hello(struct td_cluster *c, uint32_t from,
			 const Td__Hello *h)
{
	uint32_t mask, winner;

	if (h->round != c->round || !(c->members & BIT(from)) || !h->node ||
	    h->node->id != from)
		return;
	c->claims[from] = (struct td_claim){
		.said = true, .live = !h->want_snapshot,
		.lineage = h->lineage, .n = h->index, .together = h->together,
	};
	if (from == c->id && !c->live &&
	    h->node->incarnation == c->incarnation)
		td_sync_take_start(&c->take, h->request);
	if (!c->quorate)
		return;
	if (c->live) {
		live_hears(c, from, h);
		return;
	}
	mask = td_sync_elect(c->claims, c->members, &winner);
	if (mask)
		elected(c, mask, winner);
	else if (!h->want_snapshot)
		drop_waiting(c);	/* others went on without us */
}
