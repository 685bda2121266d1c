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
uint64_t td_cluster_next_lineage(const struct td_cluster *c, uint64_t was,
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

/* Members of the ring whose rows say that they hold the view. */
static uint32_t rows_in_sync(const struct td_cluster *c,
			     uint64_t life[TD_NODE_MAX_ID + 1])
{
	uint32_t synced = 0;

	for (uint32_t i = 1; i <= TD_NODE_MAX_ID && c->live; i++) {
		const Td__Node *n = td_view_node(c->view, i);

		if (!n || i == c->id || !n->synced ||
		    n->state == TD__NODE_STATE__NODE_DOWN ||
		    !(c->members & BIT(i)))
			continue;
		synced |= BIT(i);
		life[i] = n->incarnation;
	}
	return synced;
}

/* Which life of each is meant: as the newest record that named it says. */
static uint32_t named_by_record(struct td_cluster *c,
				uint64_t life[TD_NODE_MAX_ID + 1])
{
	const Td__Record *r = td_cluster_record(c);
	uint32_t need = c->auth.needed(c->auth.arg) & ~BIT(c->id);

	for (size_t i = 0; i < r->n_in_sync; i++)
		if (r->in_sync[i]->id <= TD_NODE_MAX_ID)
			c->named[r->in_sync[i]->id] =
				r->in_sync[i]->incarnation;
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (need & BIT(i))
			life[i] = c->named[i];
	return need;
}

void td_cluster_count_synced(struct td_cluster *c)
{
	uint64_t life[TD_NODE_MAX_ID + 1] = { 0 };
	uint32_t synced = rows_in_sync(c, life);
	uint32_t need = synced;

	if (synced != c->synced)
		c->state_changed = true;
	c->synced = synced;
	if (c->live)
		c->together |= synced | BIT(c->id);
	if (td_cluster_founded(c))
		need = named_by_record(c, life);
	else if (c->has_auth)
		need |= c->auth.needed(c->auth.arg) & 1;
	for (uint32_t i = 1; td_cluster_bug(c, TD_CBUG_ANY_LIFE) &&
			     i <= TD_NODE_MAX_ID; i++)
		life[i] = c->holders.by[i].life;
	td_holders_need(&c->holders, need, life);
}

/* what waits will not happen */
void td_cluster_drop_waiting(struct td_cluster *c)
{
	for (int lane = 0; lane < TD_LANES; lane++)
		td_outbox_clear(&c->out[lane]);
	for (int q = 0; q < TD_QUEUES; q++) {
		if (td_cluster_bug(c, TD_CBUG_MINORITY))
			td_ack_release(&c->ack[q], UINT64_MAX);
		td_ack_cancel(&c->ack[q], c->gating);
	}
	td_holders_forget(&c->holders);
	memset(c->gone_told, 0, sizeof(c->gone_told));
	c->probe = 0;
	c->level_told = 0;
}

void td_cluster_demote(struct td_cluster *c)
{
	c->live = c->waiting = false;
	td_cluster_tell_live(c, false);
	td_sync_take_stop(&c->take);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
	c->state_changed = true;
	td_cluster_drop_waiting(c);
	td_cluster_count_synced(c);
}

void td_cluster_tell_gone(struct td_cluster *c, uint32_t id)
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
	uint32_t min = c->can_level, now = td_view_feature_level(c->view);
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
			td_cluster_tell_gone(c, i);
	raise_level(c);
}

void td_cluster_put_own_row(struct td_cluster *c)
{
	const Td__Node *row = td_view_node(c->view, c->id);
	Td__Node me = TD__NODE__INIT;
	Td__Op op = TD__OP__INIT;

	uint32_t health = td_view_feature_level(c->view) >= 2 ? c->health : 0;

	if (row && row->incarnation == c->incarnation && row->synced &&
	    row->state != TD__NODE_STATE__NODE_DOWN && row->health == health)
		return;
	me.health = health;
	me.id = c->id;
	me.name = c->name;
	me.incarnation = c->incarnation;
	me.feature_level = c->can_level;
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
	c->waiting = false;
	c->missing = c->missing_warned = 0;
	td_sync_take_stop(&c->take);
	td_cluster_tell_live(c, true);
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

void td_cluster_suspend(struct td_cluster *c)
{
	if (!c->live)
		return;
	c->live = false;
	c->waiting = true;
	td_cluster_tell_live(c, false);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
}

/* --- a change of membership --- */

/* Our part has lost somebody who may go on without us: from here on the
 * history has another name, and what is under way is sent under that. */
static void new_lineage(struct td_cluster *c, uint32_t moved)
{
	struct td_index i = td_view_index(c->view);

	td_view_lineage_set(c->view, td_cluster_next_lineage(
				     c, i.lineage, __builtin_ctz(moved)));
	td_cluster_send_again(c);
	c->need_ack = true;
}

static void quorate_change(struct td_cluster *c, uint32_t moved, uint32_t lost,
			   bool new_ring)
{
	uint32_t fresh = c->members & ~moved;

	if (c->live && new_ring && (c->has_auth || (lost && fresh)) &&
	    !td_cluster_bug(c, TD_CBUG_UNHEARD))
		/* whoever is fresh may come from the part that went on: first
		 * hear them; what waits goes on waiting */
		td_cluster_suspend(c);
	else if (c->live && new_ring && lost)
		new_lineage(c, moved);
	c->need_hello = fresh || !c->live;
}

static void minority_change(struct td_cluster *c, uint32_t lost)
{
	if (c->live || c->waiting)
		td_warn("cluster", "CLUSTER-MINORITY",
			"node=%s lost=%x: nothing is released until a majority "
			"is back", c->name, lost);
	/* somebody may know a newer record, by which it is none */
	c->need_hello = c->has_auth;
	td_cluster_demote(c);
}

/* Who is in now, and which of them did not come here with us. */
static uint32_t read_members(const struct td_cluster *c,
			     const struct td_bus_member *m, unsigned int n,
			     uint32_t *fresh)
{
	uint32_t now = BIT(c->id);

	for (unsigned int i = 0; i < n; i++) {
		if (!m[i].node_id || m[i].node_id > TD_NODE_MAX_ID)
			continue;
		now |= BIT(m[i].node_id);
		if (m[i].fresh && m[i].node_id != c->id)
			*fresh |= BIT(m[i].node_id);
	}
	return now;
}

void td_cluster_on_members(void *arg, uint64_t ring, bool quorate,
			   const struct td_bus_member *m, unsigned int n)
{
	struct td_cluster *c = arg;
	uint32_t was = c->members, now, fresh = 0, lost, moved;
	bool new_ring = ring != c->ring;

	if (c->dead)
		return;
	now = read_members(c, m, n, &fresh);
	moved = now & ~fresh;
	lost = was & ~moved;
	c->together = (c->together & moved) | BIT(c->id);
	c->members = now;
	c->ring = ring;
	c->bus_quorate = quorate;
	td_info("cluster", "node=%s ring=%llu members=%x quorate=%d", c->name,
		(unsigned long long)ring, now, quorate);
	if (c->has_auth)
		c->auth.ring(c->auth.arg, ring, now, new_ring ? 0 : lost,
			     quorate);
	c->quorate = td_cluster_quorum(c);
	td_cluster_round_start(c, round_of(ring, m, n));
	td_sync_take_stop(&c->take);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
	c->state_changed = true;
	if (c->quorate)
		quorate_change(c, moved, lost, new_ring);
	else
		minority_change(c, lost);
	td_cluster_count_synced(c);
	td_cluster_reconcile(c);
	td_cluster_release(c);
	td_cluster_tell_state(c);
	td_cluster_stir(c);
}

void td_cluster_on_lost(void *arg)
{
	td_cluster_leave(arg, "CLUSTER-LOST", "the transport is gone");
}
