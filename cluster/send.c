// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/cluster_priv.h"
#include "proto/base/log.h"

/* The turn: what has gathered goes out, in this order: the lease protocol,
 * Hellos, ops with their acknowledgement, pieces of snapshots. */

int td_cluster_send_envelope(struct td_cluster *c, Td__Envelope *e)
{
	uint8_t *buf;
	size_t n;
	int rc;

	e->feature_level = td_view_feature_level(c->view);
	e->incarnation = c->incarnation;
	e->serial = c->sent + 1;
	rc = td_envelope_pack(e, &buf, &n);
	if (rc)
		return rc;
	rc = c->bus->ops->send(c->bus, buf, n);
	free(buf);
	if (!rc) {
		c->sent++;
		c->sent_ms = td_cluster_boot_ms(c);
	}
	return rc;
}

static int send_hello(struct td_cluster *c)
{
	Td__Envelope e = TD__ENVELOPE__INIT;
	Td__Hello h = TD__HELLO__INIT;
	Td__Node me = TD__NODE__INIT;
	struct td_index i = td_view_index(c->view);
	int rc;

	me.id = c->id;
	me.name = c->name;
	me.incarnation = c->incarnation;
	me.feature_level = c->can_level;
	me.state = TD__NODE_STATE__NODE_JOINING;
	me.version = c->version;
	h.node = &me;
	h.want_snapshot = !c->live && !c->witness;
	h.witness = c->witness;
	h.lacks = c->has_auth && c->auth.holds && !c->auth.holds(c->auth.arg);
	h.ask = c->ask;
	h.silent = c->silent_told;
	h.forced = td_cluster_forced(c);
	h.record = (Td__Record *)td_cluster_record(c);
	h.round = c->round;
	h.lineage = i.lineage;
	h.index = i.n;
	h.together = c->together;
	h.request = c->request + 1;
	e.hello = &h;
	rc = td_cluster_send_envelope(c, &e);
	if (rc)
		return rc;
	c->request++;
	c->need_hello = c->ask = false;
	c->hello_ms = td_cluster_boot_ms(c);
	if (h.record) {
		c->said_epoch = h.record->epoch;
		c->said_version = h.record->version;
	}
	c->said_forced = h.forced;
	return 0;
}

/* While nothing of ours is under way, what there is goes at once; else it
 * gathers until that has come back, or is much: so a single op does not wait,
 * and under load one message carries many. */
static bool may_go(const struct td_cluster *c, enum td_lane lane)
{
	uint64_t under_way = c->sent - c->returned;

	if (lane == TD_LANE_URGENT && under_way < TD_URGENT_UNDER_WAY)
		return true;
	return !under_way || c->out[lane].unsent_octets >= TD_GATHER_OCTETS ||
	       td_cluster_boot_ms(c) - c->sent_ms >= TD_GATHER_MS;
}

static void fill_ack(const struct td_cluster *c, Td__Ack *ack)
{
	struct td_index i = td_view_index(c->view);

	td__ack__init(ack);
	ack->lineage = i.lineage;
	ack->index = i.n + td_cluster_bug(c, TD_CBUG_ACK_AHEAD);
	ack->durable = td_cluster_disk_n(c);
	ack->durable_since = c->disk_since;
}

static int send_lane(struct td_cluster *c, enum td_lane lane)
{
	ProtobufCBinaryData ops[TD_ENVELOPE_MAX_OPS];
	struct td_outbox *out = &c->out[lane];

	while (td_outbox_unsent(out) && may_go(c, lane)) {
		Td__Envelope e = TD__ENVELOPE__INIT;
		Td__Ack ack;
		int rc;

		e.lineage = td_view_index(c->view).lineage;
		e.ops = ops;
		e.n_ops = td_outbox_batch(out, ops, TD_ENVELOPE_MAX_OPS,
					  &e.first_seq);
		e.first_seq |= (uint64_t)lane << TD_SEQ_LANE_SHIFT;
		if (c->need_ack) {
			fill_ack(c, &ack);
			e.ack = &ack;
		}
		rc = td_cluster_send_envelope(c, &e);
		if (rc)
			return rc;
		c->need_ack = false;
		td_outbox_sent(out, e.n_ops);
	}
	return 0;
}

static int send_ack(struct td_cluster *c)
{
	Td__Envelope e = TD__ENVELOPE__INIT;
	Td__Ack ack;
	int rc;

	if (!c->need_ack || !may_go(c, TD_LANE_URGENT))
		return 0;
	fill_ack(c, &ack);
	e.lineage = ack.lineage;
	e.ack = &ack;
	rc = td_cluster_send_envelope(c, &e);
	if (!rc)
		c->need_ack = false;
	return rc;
}

static int send_ops(struct td_cluster *c)
{
	int rc = 0;

	for (int lane = 0; lane < TD_LANES && !rc; lane++)
		rc = send_lane(c, lane);
	return rc ? rc : send_ack(c);
}

/* One part a turn, when nothing else waits: what is live goes first. */
static int send_part(struct td_cluster *c)
{
	Td__Envelope e = TD__ENVELOPE__INIT;
	Td__SyncChunk s = TD__SYNC_CHUNK__INIT;
	struct td_sync_give *g = NULL;
	uint32_t last = c->gave;
	int rc = 0;

	if (td_cluster_unsent(c) ||
	    c->sent - c->returned >= TD_URGENT_UNDER_WAY)
		return 0;
	for (unsigned int k = 1; k <= TD_NODE_MAX_ID + 1 && rc <= 0; k++) {
		unsigned int i = (last + k) % (TD_NODE_MAX_ID + 1);

		g = &c->give[i];
		rc = g->cut ? td_sync_give_next(g, &s) : 0;
		if (rc < 0) {
			td_warn("cluster", "CLUSTER-SNAPSHOT",
				"to=%u status=%d: given up", i, rc);
			td_sync_give_stop(g);
		}
		c->gave = i;
	}
	if (rc <= 0)
		return 0;
	e.sync = &s;
	rc = td_cluster_send_envelope(c, &e);
	if (rc)
		return rc;
	if (td_sync_give_sent(g))
		td_sync_give_stop(g);
	td_cluster_stir(c);
	return 0;
}

static int send_sync_ack(struct td_cluster *c)
{
	Td__Envelope e = TD__ENVELOPE__INIT;
	Td__SyncAck a = TD__SYNC_ACK__INIT;
	int rc;

	a.to_node = c->take_from;
	a.request = c->take.request;
	a.offset = c->take.got;
	e.sync_ack = &a;
	rc = td_cluster_send_envelope(c, &e);
	if (!rc)
		c->need_sync_ack = false;
	return rc;
}

void td_cluster_flush(struct td_cluster *c)
{
	int rc = 0;

	if (!c->members)
		return;		/* no ring stands yet */
	rc = td_cluster_send_say(c);
	if (!rc && c->need_hello)
		rc = send_hello(c);
	if (!rc && c->live)
		rc = send_ops(c);
	if (!rc && c->live)
		rc = send_part(c);
	if (!rc && c->need_sync_ack)
		rc = send_sync_ack(c);
	if (rc == -EAGAIN) {
		td_cluster_stir_in(c, TD_SEND_RETRY_MS);
	} else if (rc && rc != -EAGAIN) {
		/* the bus tells by lost() when it is gone; else this is ours */
		c->stats.bad_messages++;
		td_debug("cluster", "send status=%d", rc);
	}
}

void td_cluster_turn(struct td_cluster *c)
{
	int64_t boot = td_cluster_boot_ms(c);

	if (c->dead)
		return;
	td_cluster_ask_authority(c);
	td_cluster_look_for_silent(c, boot);
	td_cluster_replay(c);
	if (c->live) {
		td_cluster_tick(c, boot);
		td_cluster_look_for_slow(c, boot);
		td_cluster_reconcile(c);	/* what was refused before */
	}
	td_cluster_flush(c);
	td_cluster_tell_state(c);
}
