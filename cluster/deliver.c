// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/apply.h"
#include "cluster/cluster_priv.h"
#include "cluster/view_priv.h"
#include "proto/base/log.h"

static void tell_applied(struct td_cluster *c, const Td__Op *op, uint32_t from)
{
	for (unsigned int i = 0; i < c->n_watch; i++)
		c->watch[i].fn(c->watch[i].arg, op, from);
}

/* An op that cannot be read is refused by all alike, unless it is of a later
 * level: then our view would differ from now on. */
static void no_op(struct td_cluster *c, int rc)
{
	if (rc == -ENOMEM)
		td_cluster_leave(c, "CLUSTER-MEMORY", "no memory for an op");
	else if (rc == -EPROTONOSUPPORT)
		td_cluster_leave(c, "CLUSTER-LEVEL",
				 "an op of a later feature level");
	else
		td_view_skip(c->view);
}

static void after_op(struct td_cluster *c, const Td__Op *op, uint32_t from)
{
	switch (op->what_case) {
	case TD__OP__WHAT_NODE_GONE:
		c->gone_told[op->node_gone->id] = 0;
		/* a late word about a time when we were cut off */
		if (op->node_gone->id == c->id && c->live)
			td_cluster_put_own_row(c);
		/* fall through */
	case TD__OP__WHAT_NODE:
		/* it is here again, and may go again in the same life */
		c->gone_told[from] = 0;
		td_cluster_count_synced(c);
		c->state_changed = true;
		break;
	case TD__OP__WHAT_LEVEL_RAISE:
		/* what its row could not say before */
		if (c->live)
			td_cluster_put_own_row(c);
		break;
	case TD__OP__WHAT_TICK:
		c->tick_seen_ms = td_cluster_boot_ms(c);
		break;
	default:
		break;
	}
	tell_applied(c, op, from);
}

/* Phones can make registrations be refused (a CSeq out of order, too many
 * contacts), which must not touch other rooms' effects; what the cluster
 * tells itself concerns none: the table says so. */
static enum td_spoils spoils(const Td__Op *op, int rc)
{
	const struct td_op_info *info;

	if (!rc)
		return TD_SPOILS_NOTHING;
	info = op ? td_op_info(op->what_case) : NULL;
	return info ? info->spoils : TD_SPOILS_ALL;
}

static void count_op(struct td_cluster *c, const Td__Op *op, int rc)
{
	unsigned int what;

	if (rc)
		c->stats.refused++;
	else
		c->stats.applied++;
	what = op ? (unsigned int)op->what_case : TD_OP_MAX;
	if (what >= TD_OP_MAX)
		return;
	if (rc)
		c->ops[what].refused++;
	else
		c->ops[what].applied++;
}

/* Ours has come back: its effects wait for the others only. */
static void own_op(struct td_cluster *c, uint64_t seq, const Td__Op *op,
		   int rc)
{
	const struct td_op_info *info = op ? td_op_info(op->what_case) : NULL;
	uint64_t lane = seq >> TD_SEQ_LANE_SHIFT;

	seq &= (1ULL << TD_SEQ_LANE_SHIFT) - 1;
	if (lane >= TD_LANES || !td_outbox_delivered(&c->out[lane], seq))
		return;
	if (info && info->durability == TD_VOLATILE)
		return;
	for (int q = 0; q < TD_QUEUES; q++)
		td_ack_delivered(&c->ack[q], lane, seq,
				 td_view_index(c->view).n, spoils(op, rc),
				 td_cluster_boot_ms(c));
}

static void one_op(struct td_cluster *c, uint32_t from, uint64_t seq, bool own,
		   const ProtobufCBinaryData *packed)
{
	const struct td_op_info *info;
	bool moved = false;
	Td__Op *op = NULL;
	int rc = td_op_unpack(packed->data, packed->len, &op);

	if (td_cluster_bug(c, TD_CBUG_LOCAL_TIME) && op &&
	    op->what_case == TD__OP__WHAT_TICK)
		op->at_ms = (uint64_t)c->env.wall_ms(c->env.arg);
	if (rc)
		no_op(c, rc);
	else
		rc = td_apply(c->view, op, from, &moved);
	if (rc == -ENOMEM)
		td_cluster_leave(c, "CLUSTER-MEMORY", "no memory for a row");
	if (c->dead) {
		td_apply_release(op, moved);
		return;
	}
	count_op(c, op, rc);
	info = op ? td_op_info(op->what_case) : NULL;
	if (!rc && info->durability == TD_DURABLE && !info->committed)
		td_cluster_to_disk(c, op->what_case);
	if (own)
		own_op(c, seq, op, rc);
	else
		c->need_ack = true;
	if (!rc)
		after_op(c, op, from);
	td_apply_release(op, moved);
}

static void on_ops(struct td_cluster *c, uint32_t from, const Td__Envelope *e)
{
	bool own = from == c->id && e->incarnation == c->incarnation;

	/* sent before a split or by a part that does not go on; the sender
	 * knows and sends again what is still meant */
	if (e->lineage != td_view_index(c->view).lineage &&
	    !td_cluster_bug(c, TD_CBUG_STALE_LINEAGE)) {
		c->stale_lineage++;
		return;
	}
	for (size_t i = 0; i < e->n_ops && !c->dead; i++)
		one_op(c, from, e->first_seq + i, own, &e->ops[i]);
}

static void on_ack(struct td_cluster *c, uint32_t from, uint64_t incarnation,
		   const Td__Ack *a)
{
	struct td_index i = td_view_index(c->view);

	if (!c->live || from == c->id || a->lineage != i.lineage ||
	    a->index > i.n)
		return;
	td_holders_heard(&c->holders, from, incarnation, a);
}

/* --- taking a view --- */

/* A part of what was kept at a time, for it may be much; what comes meanwhile
 * is kept behind it. */
void td_cluster_replay(struct td_cluster *c)
{
	bool skip = td_cluster_bug(c, TD_CBUG_OFF_BY_ONE) && !c->take.begun;
	struct td_sync_held *h;
	size_t octets = 0;

	if (!c->take.whole || c->live)
		return;
	c->take.begun = true;
	while (!c->dead && !c->take.overrun && octets < TD_REPLAY_OCTETS &&
	       (h = td_sync_take_pop(&c->take))) {
		Td__Envelope *e;

		octets += h->n;
		/* it was whole when it was kept */
		if (!td_envelope_unpack(h->buf, h->n, &e)) {
			if (!skip)
				on_ops(c, h->from, e);
			skip = skip && !e->n_ops;
			if (td_cluster_bug(c, TD_CBUG_TWICE))
				on_ops(c, h->from, e);
			td_envelope_free(e);
		}
		free(h);
	}
	if (c->dead)
		return;
	if (c->take.overrun)
		td_sync_take_stop(&c->take);	/* and asks again */
	else if (c->take.head)
		td_cluster_stir(c);
	else
		td_cluster_go_live(c);
}

static void activate(struct td_cluster *c)
{
	if (td_cluster_bug(c, TD_CBUG_KEEPS_ROWS))
		td_cluster_bug_keep_rows(c->view, c->take.view);
	td_view_free(c->view);
	c->view = c->take.view;
	c->take.view = NULL;
	c->stats.snapshots_in++;
	c->disk_since = td_view_index(c->view).n;
	c->no_disk_n = 0;
	tell_applied(c, NULL, 0);
	td_cluster_replay(c);
}

static void on_part(struct td_cluster *c, uint32_t from,
		    const Td__SyncChunk *s)
{
	uint32_t had = c->take.got;
	int rc;

	if (c->live || !c->take.waiting || s->request != c->take.request ||
	    s->to_node != c->id || s->to_incarnation != c->incarnation)
		return;
	if (td_cluster_bug(c, TD_CBUG_EARLY))
		td_cluster_tell_live(c, true);
	rc = td_sync_take_part(&c->take, s);
	if (rc == -EPROTONOSUPPORT) {
		td_cluster_leave(c, "CLUSTER-LEVEL",
				 "the cluster's feature level is later");
		return;
	}
	if (rc < 0) {
		td_warn("cluster", "CLUSTER-SNAPSHOT", "node=%s status=%d",
			c->name, rc);
		c->stats.bad_messages++;
		td_sync_take_stop(&c->take);
		return;
	}
	if (c->take.got == had)
		return;
	c->hello_ms = td_cluster_boot_ms(c);
	c->take_from = from;
	c->need_sync_ack = true;
	if (rc)
		activate(c);
}

static void on_sync_ack(struct td_cluster *c, uint32_t from,
			uint64_t incarnation, const Td__SyncAck *a)
{
	struct td_sync_give *g = &c->give[from];

	if (a->to_node != c->id || !g->cut || a->request != g->request ||
	    incarnation != g->to_incarnation || a->offset > g->offset)
		return;
	if (a->offset > g->acked)
		g->acked = a->offset;
	td_cluster_stir(c);
}

/* --- what the bus brings --- */

static void on_envelope(struct td_cluster *c, uint32_t from,
			const Td__Envelope *e, const void *buf, size_t n)
{
	/* they come in order: what is missing below was lost with a ring */
	if (from == c->id && e->incarnation == c->incarnation)
		c->returned = e->serial;
	for (size_t i = 0; i < e->n_ha && c->has_auth; i++)
		c->auth.deliver(c->auth.arg, from, e->incarnation, e->ha[i]);
	if (e->hello)
		td_cluster_on_hello(c, from, e->hello);
	if (e->sync)
		on_part(c, from, e->sync);
	if (e->sync_ack)
		on_sync_ack(c, from, e->incarnation, e->sync_ack);
	if (e->n_ops && c->live)
		on_ops(c, from, e);
	else if (e->n_ops && !c->witness &&
		 td_sync_take_keep(&c->take, from, buf, n))
		td_warn("cluster", "CLUSTER-SNAPSHOT",
			"node=%s: too much came meanwhile, asking again",
			c->name);
	if (e->ack)
		on_ack(c, from, e->incarnation, e->ack);
}

/* A part may follow. */
static bool own_returned(const struct td_cluster *c, uint32_t from)
{
	for (unsigned int i = 1; i <= TD_NODE_MAX_ID && from == c->id; i++)
		if (c->give[i].cut)
			return true;
	return false;
}

void td_cluster_on_deliver(void *arg, uint32_t from, const void *buf, size_t n)
{
	struct td_cluster *c = arg;
	Td__Envelope *e;
	int rc;

	if (c->dead || !from || from > TD_NODE_MAX_ID)
		return;
	rc = td_envelope_unpack(buf, n, &e);
	if (rc == -ENOMEM) {
		td_cluster_leave(c, "CLUSTER-MEMORY", "no memory for a message");
		return;
	}
	if (rc) {
		c->stats.bad_messages++;
		return;
	}
	if (e->feature_level > TD_FEATURE_LEVEL && !c->witness)
		td_cluster_leave(c, "CLUSTER-LEVEL",
				 "a message of a later feature level");
	else
		on_envelope(c, from, e, buf, n);
	td_envelope_free(e);
	if (c->dead)
		return;
	td_cluster_ask_authority(c);
	td_cluster_release(c);
	td_cluster_tell_state(c);
	if (c->need_ack || c->need_hello || c->need_sync_ack ||
	    td_cluster_unsent(c) || own_returned(c, from))
		td_cluster_stir(c);
}
