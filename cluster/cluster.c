// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/apply.h"
#include "cluster/cluster_priv.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

enum { DEFAULT_MAX_PENDING = 16384 };

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

void td_cluster_stir_in(struct td_cluster *c, int ms)
{
	if (c->env.loop)
		td_timer_start(c->env.loop, &c->turn, ms, on_turn, c);
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
	c->witness = cfg->witness;
	td_cluster_set_authority(c, cfg->authority);
	c->can_level = TD_FEATURE_LEVEL;
	for (int q = 0; q < TD_QUEUES; q++)
		td_ack_init(&c->ack[q], limit * 4);
	/* what runs already is not refused for what is new */
	td_outbox_init(&c->out[TD_LANE_URGENT], limit * 4);
	td_outbox_init(&c->out[TD_LANE_USERS], limit);
	td_outbox_init(&c->out[TD_LANE_BULK], limit);
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
	for (int q = 0; q < TD_QUEUES; q++)
		td_ack_cancel(&c->ack[q], c->gating);
	if (c->bus)
		c->bus->ops->free(c->bus);
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_sync_give_stop(&c->give[i]);
	td_sync_take_stop(&c->take);
	td_cluster_say_clear(c);
	for (int lane = 0; lane < TD_LANES; lane++)
		td_outbox_clear(&c->out[lane]);
	for (int q = 0; q < TD_QUEUES; q++)
		td_ack_clear(&c->ack[q]);
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
	return c->live || c->waiting ? TD_CLUSTER_RUNNING : TD_CLUSTER_JOINING;
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
	return c->synced;
}

uint64_t td_cluster_floor(const struct td_cluster *c)
{
	if (td_cluster_bug(c, TD_CBUG_OWN_APPLY) ||
	    td_cluster_bug(c, TD_CBUG_ANY_ACK))
		return td_cluster_bug_floor(c);
	return c->live ? td_holders_floor(&c->holders) : 0;
}

void td_cluster_release(struct td_cluster *c)
{
	uint64_t floor = td_cluster_floor(c);

	if (!c->live)
		return;
	td_ack_release(&c->ack[TD_QUEUE_URGENT], floor);
	td_ack_release(&c->ack[TD_QUEUE_ALL], floor);
	td_cluster_release_durable(c);
}

void td_cluster_send_again(struct td_cluster *c)
{
	for (int lane = 0; lane < TD_LANES; lane++)
		td_outbox_again(&c->out[lane]);
}

bool td_cluster_unsent(const struct td_cluster *c)
{
	for (int lane = 0; lane < TD_LANES; lane++)
		if (td_outbox_unsent(&c->out[lane]))
			return c->live;
	return false;
}

uint32_t td_cluster_pending_ops(const struct td_cluster *c)
{
	uint32_t n = 0;

	for (int lane = 0; lane < TD_LANES; lane++)
		n += c->out[lane].count;
	return n;
}

/* also before this node has told anybody that it runs */
int td_cluster_submit_own(struct td_cluster *c, const Td__Op *op)
{
	const struct td_op_info *info = td_op_info(op->what_case);
	struct td_outbox *out;
	Td__Op copy = *op;
	uint8_t *buf;
	size_t n;
	int rc;

	if (!info)
		return -EINVAL;
	if (!copy.at_ms)
		copy.at_ms = (uint64_t)c->env.wall_ms(c->env.arg);
	rc = td_op_pack(&copy, &buf, &n);
	if (rc)
		return rc == -ENOMEM ? -EAGAIN : -EINVAL;
	out = &c->out[info->lane];
	rc = td_outbox_put(out, buf, n);
	if (rc) {
		free(buf);
		return rc;
	}
	if (info->durability != TD_VOLATILE)
		c->gating[info->lane] = td_outbox_last(out);
	c->stats.submitted++;
	if (c->live && out->unsent_octets >= TD_OUTBOX_BATCH_OCTETS)
		td_cluster_flush(c);
	else
		td_cluster_stir(c);
	return 0;
}

int td_cluster_submit(struct td_cluster *c, const Td__Op *op)
{
	const struct td_op_info *info = td_op_info(op->what_case);

	if (td_cluster_state(c) != TD_CLUSTER_RUNNING)
		return -ENOTCONN;
	if (info && info->level > td_view_feature_level(c->view))
		return -ENOTSUP;
	return td_cluster_submit_own(c, op);
}

static int effect(struct td_cluster *c, enum td_queue_of q, uint64_t floor,
		  td_effect_fn fn, void *arg)
{
	uint64_t need[TD_LANES] = { 0 };
	int rc;

	if (td_cluster_state(c) != TD_CLUSTER_RUNNING) {
		c->stats.cancelled++;
		fn(arg, -ECANCELED);
		return 0;
	}
	for (int lane = 0; lane < TD_LANES; lane++)
		if (q != TD_QUEUE_URGENT || lane == TD_LANE_URGENT)
			need[lane] = c->gating[lane];
	rc = td_ack_add(&c->ack[q], need, floor, fn, arg);
	if (rc < 0)
		return rc;
	c->stats.effects++;
	if (rc > 0)
		fn(arg, 0);
	return 0;
}

int td_cluster_effect(struct td_cluster *c, td_effect_fn fn, void *arg)
{
	return effect(c, TD_QUEUE_ALL, td_cluster_floor(c), fn, arg);
}

int td_cluster_effect_urgent(struct td_cluster *c, td_effect_fn fn, void *arg)
{
	return effect(c, TD_QUEUE_URGENT, td_cluster_floor(c), fn, arg);
}

int td_cluster_effect_durable(struct td_cluster *c, td_effect_fn fn, void *arg)
{
	int rc = effect(c, TD_QUEUE_DURABLE, 0, fn, arg);

	/* maybe at once, but by its disks and not by its index alone */
	if (!rc && c->live)
		td_cluster_release_durable(c);
	return rc;
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

void td_cluster_set_health(struct td_cluster *c, uint32_t health)
{
	c->health = health;
	if (c->live)
		td_cluster_put_own_row(c);
}

void td_cluster_stats(const struct td_cluster *c, struct td_cluster_stats *out)
{
	*out = c->stats;
	out->pending_ops = td_cluster_pending_ops(c);
	for (int q = 0; q < TD_QUEUES; q++) {
		out->pending_effects += c->ack[q].count;
		out->cancelled += c->ack[q].cancelled;
	}
	out->pending_limit = c->out[TD_LANE_USERS].limit;
}
