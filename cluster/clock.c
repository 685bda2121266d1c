// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cluster_priv.h"
#include "proto/base/log.h"

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

void td_cluster_tick(struct td_cluster *c, int64_t boot)
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

static void tell_slow(struct td_cluster *c, uint32_t behind)
{
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++) {
		if (!(behind >> i & 1))
			continue;
		if (!(c->slow_warned >> i & 1))
			td_warn("cluster", "CLUSTER-MATE-SLOW",
				"node=%u index=%llu: does not acknowledge, "
				"what is asked for waits", i,
				(unsigned long long)c->probe_n);
		if (c->has_auth)
			c->auth.slow(c->auth.arg, i);
	}
	c->slow_warned = behind;
}

static uint64_t overdue(const struct td_cluster *c, int64_t boot)
{
	uint64_t n = 0;

	for (int q = 0; q < TD_QUEUES && !n; q++)
		n = td_ack_overdue(&c->ack[q], td_cluster_floor(c), boot);
	return n;
}

/* A member that does not acknowledge, although the ring moves: our probe has
 * come back and its word has not. */
void td_cluster_look_for_slow(struct td_cluster *c, int64_t boot)
{
	uint64_t n = overdue(c, boot);

	if (!n) {
		c->probe = 0;
		c->slow_warned = 0;
		return;
	}
	if (!c->probe && boot - c->slow_ms >= TD_SLOW_REPEAT_MS) {
		c->need_ack = true;
		c->probe = c->sent + 1;
		c->probe_n = n;
	} else if (c->probe && c->returned >= c->probe) {
		c->probe = 0;
		c->slow_ms = boot;
		tell_slow(c, td_holders_behind(&c->holders, c->probe_n));
	}
}
