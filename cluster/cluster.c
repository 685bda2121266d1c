// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster_priv.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

enum { DEFAULT_MAX_PENDING = 65536 };

static int64_t real_boot_ms(void *arg)
{
	return td_clock_boot_ms();
}

static int64_t real_wall_ms(void *arg)
{
	return td_clock_wall_ms();
}

int64_t td_cluster_boot_ms(const struct td_cluster *c)
{
	return c->env.boot_ms(c->env.arg);
}

/* --- life --- */

static void on_turn(void *arg)
{
	td_cluster_turn(arg);
}

static void on_beat(void *arg)
{
	struct td_cluster *c = arg;

	td_timer_start(c->env.loop, &c->beat, TD_BEAT_MS, on_beat, c);
	td_cluster_turn(c);
}

void td_cluster_stir(struct td_cluster *c)
{
	if (c->env.loop && !td_timer_running(&c->turn))
		td_timer_start(c->env.loop, &c->turn, 0, on_turn, c);
}

int td_cluster_new_in(const struct td_cluster_env *env,
		      const struct td_cluster_cfg *cfg,
		      struct td_cluster **out)
{
	uint32_t limit = cfg->max_pending ? cfg->max_pending :
					    DEFAULT_MAX_PENDING;
	struct td_cluster *c;
	int rc;

	if (!cfg->node_id || cfg->node_id > TD_NODE_MAX_ID || !cfg->bus ||
	    !cfg->name || !*cfg->name || !cfg->incarnation)
		return -EINVAL;
	if (cfg->bus->node_id != cfg->node_id) {
		td_err("cluster", "CLUSTER-ID",
		       "node=%s id=%u but the transport says %u", cfg->name,
		       cfg->node_id, cfg->bus->node_id);
		return -EINVAL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	rc = td_str_copy(c->name, sizeof(c->name), cfg->name);
	if (!rc)
		rc = td_view_new(&c->view);
	if (rc) {
		free(c);
		return rc;
	}
	td_str_cut(c->version, sizeof(c->version),
		   cfg->version ? cfg->version : "");
	c->env = *env;
	c->id = cfg->node_id;
	c->incarnation = cfg->incarnation;
	td_ack_init(&c->ack, limit);
	td_outbox_init(&c->out, limit);
	c->bus = cfg->bus;
	c->bus->ev = (struct td_bus_events){
		.deliver = td_cluster_on_deliver,
		.members = td_cluster_on_members,
		.lost = td_cluster_on_lost,
	};
	c->bus->ev_arg = c;
	if (env->loop)
		td_timer_start(env->loop, &c->beat, TD_BEAT_MS, on_beat, c);
	*out = c;
	return 0;
}

int td_cluster_new(struct td_loop *loop, const struct td_cluster_cfg *cfg,
		   struct td_cluster **out)
{
	const struct td_cluster_env env = {
		.loop = loop, .boot_ms = real_boot_ms, .wall_ms = real_wall_ms,
	};

	return td_cluster_new_in(&env, cfg, out);
}

void td_cluster_free(struct td_cluster *c)
{
	if (!c)
		return;
	c->dead = true;
	td_timer_stop(&c->turn);
	td_timer_stop(&c->beat);
	td_ack_cancel(&c->ack);
	if (c->bus)
		c->bus->ops->free(c->bus);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
	td_sync_take_stop(&c->take);
	td_outbox_clear(&c->out);
	td_ack_clear(&c->ack);
	td_view_free(c->view);
	free(c);
}

void td_cluster_leave(struct td_cluster *c, const char *code, const char *why)
{
	if (c->dead)
		return;
	td_err("cluster", code, "node=%s %s", c->name, why);
	c->dead = true;
	td_cluster_demote(c);
	td_cluster_tell_state(c);
}

/* --- what rooms call --- */

const struct td_view *td_cluster_view(const struct td_cluster *c)
{
	return c->view;
}

uint32_t td_cluster_node_id(const struct td_cluster *c)
{
	return c->id;
}

int64_t td_cluster_now_ms(const struct td_cluster *c)
{
	int64_t now = td_view_now_ms(c->view);

	return now ? now + td_cluster_boot_ms(c) - c->tick_seen_ms : 0;
}

enum td_cluster_state td_cluster_state(const struct td_cluster *c)
{
	if (c->dead || (c->members && !c->quorate))
		return TD_CLUSTER_MINORITY;
	return c->live ? TD_CLUSTER_RUNNING : TD_CLUSTER_JOINING;
}

bool td_cluster_lost(const struct td_cluster *c)
{
	return c->dead;
}

uint32_t td_cluster_members(const struct td_cluster *c)
{
	return c->members;
}

uint32_t td_cluster_in_sync(const struct td_cluster *c)
{
	return c->ack.in_sync & ~c->ack.slow;
}

static void flush(struct td_cluster *c);

/* also before this node has told anybody that it runs */
int td_cluster_submit_own(struct td_cluster *c, const Td__Op *op)
{
	Td__Op copy = *op;
	uint8_t *buf;
	size_t n;
	int rc;

	if (!copy.at_ms)
		copy.at_ms = (uint64_t)c->env.wall_ms(c->env.arg);
	rc = td_op_pack(&copy, &buf, &n);
	if (rc)
		return rc == -ENOMEM ? -EAGAIN : -EINVAL;
	rc = td_outbox_put(&c->out, buf, n);
	if (rc) {
		free(buf);
		return rc;
	}
	c->stats.submitted++;
	if (c->live && c->out.unsent_octets >= TD_OUTBOX_BATCH_OCTETS)
		flush(c);
	else
		td_cluster_stir(c);
	return 0;
}

int td_cluster_submit(struct td_cluster *c, const Td__Op *op)
{
	if (td_cluster_state(c) != TD_CLUSTER_RUNNING)
		return -ENOTCONN;
	return td_cluster_submit_own(c, op);
}

int td_cluster_effect(struct td_cluster *c, td_effect_fn fn, void *arg)
{
	int rc;

	if (td_cluster_state(c) != TD_CLUSTER_RUNNING) {
		c->stats.cancelled++;
		fn(arg, -ECANCELED);
		return 0;
	}
	rc = td_ack_add(&c->ack, td_outbox_last(&c->out), c->out.count > 0, fn,
			arg);
	if (rc < 0)
		return rc;
	c->stats.effects++;
	if (rc > 0)
		fn(arg, 0);
	return 0;
}

int td_cluster_watch(struct td_cluster *c, td_applied_fn fn, void *arg)
{
	if (c->n_watch == TD_WATCH_MAX)
		return -ENOSPC;
	c->watch[c->n_watch].fn = fn;
	c->watch[c->n_watch++].arg = arg;
	return 0;
}

int td_cluster_watch_state(struct td_cluster *c, void (*fn)(void *arg),
			   void *arg)
{
	if (c->n_watch_state == TD_WATCH_MAX)
		return -ENOSPC;
	c->watch_state[c->n_watch_state].fn = fn;
	c->watch_state[c->n_watch_state++].arg = arg;
	return 0;
}

void td_cluster_tell_state(struct td_cluster *c)
{
	if (!c->state_changed)
		return;
	c->state_changed = false;
	for (unsigned int i = 0; i < c->n_watch_state; i++)
		c->watch_state[i].fn(c->watch_state[i].arg);
}

/* --- sending --- */

static int send_envelope(struct td_cluster *c, Td__Envelope *e)
{
	uint8_t *buf;
	size_t n;
	int rc;

	e->feature_level = td_view_feature_level(c->view);
	e->incarnation = c->incarnation;
	rc = td_envelope_pack(e, &buf, &n);
	if (rc)
		return rc;
	rc = c->bus->ops->send(c->bus, buf, n);
	free(buf);
	if (!rc)
		c->sent++;
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
	me.feature_level = TD_FEATURE_LEVEL;
	me.state = TD__NODE_STATE__NODE_JOINING;
	me.version = c->version;
	h.node = &me;
	h.want_snapshot = !c->live;
	h.round = c->round;
	h.lineage = i.lineage;
	h.index = i.n;
	h.together = c->together;
	h.request = c->request + 1;
	e.hello = &h;
	rc = send_envelope(c, &e);
	if (rc)
		return rc;
	c->request++;
	c->need_hello = false;
	c->hello_ms = td_cluster_boot_ms(c);
	return 0;
}

static int send_ops(struct td_cluster *c)
{
	ProtobufCBinaryData ops[TD_ENVELOPE_MAX_OPS];
	struct td_index i = td_view_index(c->view);
	int rc = 0;

	while (!rc && (td_outbox_unsent(&c->out) || c->need_ack)) {
		Td__Envelope e = TD__ENVELOPE__INIT;
		Td__Ack ack = TD__ACK__INIT;

		e.lineage = i.lineage;
		e.ops = ops;
		e.n_ops = td_outbox_batch(&c->out, ops, TD_ENVELOPE_MAX_OPS,
					  &e.first_seq);
		if (c->need_ack) {
			ack.lineage = i.lineage;
			ack.index = i.n;
			e.ack = &ack;
		}
		rc = send_envelope(c, &e);
		if (rc)
			break;
		c->need_ack = false;
		td_outbox_sent(&c->out, e.n_ops);
	}
	return rc;
}

static int send_pieces(struct td_cluster *c)
{
	unsigned int budget = TD_SYNC_CHUNKS_A_TURN;
	int rc = 0;

	for (unsigned int i = 0; i <= TD_NODE_MAX_ID && !rc; i++) {
		struct td_sync_give *g = &c->give[i];

		while (g->buf && !rc) {
			Td__Envelope e = TD__ENVELOPE__INIT;
			Td__SyncChunk s = TD__SYNC_CHUNK__INIT;

			if (!budget--)
				return -EAGAIN;
			if (!td_sync_give_next(g, &s)) {
				td_sync_give_stop(g);
				break;
			}
			e.sync = &s;
			rc = send_envelope(c, &e);
			if (rc)
				break;
			g->offset += s.data.len;
			if (g->offset == g->octets)
				td_sync_give_stop(g);
		}
	}
	return rc;
}

static void flush(struct td_cluster *c)
{
	int rc = 0;

	if (c->need_hello)
		rc = send_hello(c);
	if (!rc && c->live)
		rc = send_ops(c);
	if (!rc && c->live)
		rc = send_pieces(c);
	if (rc == -EAGAIN && c->env.loop) {
		td_timer_start(c->env.loop, &c->turn, TD_SEND_RETRY_MS, on_turn,
			       c);
	} else if (rc && rc != -EAGAIN) {
		/* the bus tells by lost() when it is gone; else this is ours */
		c->stats.bad_messages++;
		td_debug("cluster", "send status=%d", rc);
	}
}

/* --- clocks --- */

/* Agreed time goes on with the monotonic clock and leans towards the wall
 * clock by a tenth at most, so that a jump of one node's clock moves it
 * neither far nor back. */
static uint64_t next_tick_ms(const struct td_cluster *c, int64_t boot)
{
	int64_t wall = c->env.wall_ms(c->env.arg);
	int64_t now = td_view_now_ms(c->view);
	int64_t gone = boot - c->tick_seen_ms;
	int64_t step = wall - now;

	if (!now)
		return (uint64_t)wall;
	if (step > gone + gone / 10)
		step = gone + gone / 10;
	if (step < gone - gone / 10)
		step = gone - gone / 10;
	return (uint64_t)(now + step);
}

static void tick(struct td_cluster *c, int64_t boot)
{
	Td__Op op = TD__OP__INIT;
	Td__Tick t = TD__TICK__INIT;

	/* one node does it: the lowest that is in */
	if (!c->live || c->synced & ((1U << c->id) - 1))
		return;
	if (boot - c->tick_sent_ms < TD_TICK_MS ||
	    boot - c->tick_seen_ms < TD_TICK_MS)
		return;
	op.what_case = TD__OP__WHAT_TICK;
	op.tick = &t;
	op.at_ms = next_tick_ms(c, boot);
	if (!td_cluster_submit_own(c, &op))
		c->tick_sent_ms = boot;
}

/* A member that does not acknowledge, although the ring moves: our probe has
 * come back and its word has not. */
static void look_for_slow(struct td_cluster *c, int64_t boot)
{
	uint64_t n = td_ack_overdue(&c->ack, boot);
	uint32_t out;

	if (!n) {
		c->probe = 0;
		return;
	}
	if (!c->probe) {
		c->need_ack = true;
		c->probe = c->sent + 1;
		c->probe_n = n;
		return;
	}
	if (c->returned < c->probe)
		return;
	c->probe = 0;
	out = td_ack_take_out(&c->ack, c->probe_n);
	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		if (out >> i & 1)
			td_warn("cluster", "CLUSTER-MATE-SLOW",
				"node=%u index=%llu: does not acknowledge, "
				"redundancy is lost until it does", i,
				(unsigned long long)c->probe_n);
	if (out)
		c->state_changed = true;
	td_ack_release(&c->ack);
}

void td_cluster_turn(struct td_cluster *c)
{
	int64_t boot = td_cluster_boot_ms(c);

	if (c->dead)
		return;
	if (!c->live && c->quorate && c->members && !c->need_hello &&
	    boot - c->hello_ms >= TD_HELLO_RETRY_MS)
		c->need_hello = true;
	if (c->live) {
		tick(c, boot);
		look_for_slow(c, boot);
		td_cluster_reconcile(c);	/* what was refused before */
	}
	flush(c);
	td_cluster_tell_state(c);
}

void td_cluster_stats(const struct td_cluster *c, struct td_cluster_stats *out)
{
	*out = c->stats;
	out->pending_ops = c->out.count;
	out->pending_effects = c->ack.count;
	out->cancelled += c->ack.cancelled;
}
