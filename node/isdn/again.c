// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/room.h"
#include "proto/base/log.h"

/* RESTART of channels, Q.931 5.5: what the exchange may still have up on a
 * channel that is free here. restart.c decides, this performs. */

static uint32_t busy(const struct td_isdn_line *line)
{
	uint32_t set = 0;

	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++)
		if (line->slot[t])
			set |= 1u << t;
	return set;
}

void td_line_part(struct td_isdn_leg *leg)
{
	struct td_isdn_line *line = leg->line;

	if (!line || !leg->timeslot || !leg->told || leg->let_go)
		return;
	line->st.unsure++;
	td_info("isdn", "span=%s timeslot=%u cref=%u cleared, but the far end "
		"never said so", line->conf.name, leg->timeslot, leg->cref);
	td_restart_unsure(&line->restart, leg->timeslot, leg->cref, leg->ours);
}

void td_line_hear(struct td_isdn_line *line, const uint8_t *frame, size_t n,
		  const struct td_q931_head *h)
{
	if (!td_q931_lets_go(frame, n, h))
		return;
	for (struct td_isdn_leg *leg = line->legs; leg; leg = leg->next)
		if (leg->call && leg->cref == h->cref &&
		    leg->ours == h->to_originator) {
			leg->let_go = true;
			return;
		}
	td_restart_released(&line->restart, h->cref, h->to_originator);
}

uint32_t td_line_shut(struct td_isdn_line *line, uint32_t t)
{
	/* where a call of ours is, both ends must agree first (glare) */
	if (t && t < TD_LINE_SLOTS && !line->slot[t])
		td_restart_setup(&line->restart, t);
	return td_restart_blocked(&line->restart);
}

static void on_t316(void *arg)
{
	struct td_isdn_line *line = arg;
	uint32_t t = 0;

	td_line_enter(line);
	switch (td_restart_expired(&line->restart, &t)) {
	case TD_RESTART_NONE:
	case TD_RESTART_AGAIN:
		break;
	case TD_RESTART_OUT:
		line->st.restarts_failed++;
		td_err("isdn", "ISDN-CHANNEL-OUT", "span=%s timeslot=%u: %d "
		       "RESTARTs were not acknowledged; out of service until "
		       "the far end restarts it or the D-channel comes up "
		       "anew", line->conf.name, t, TD_RESTART_TRIES);
		break;
	case TD_RESTART_LEFT:
		line->st.restarts_failed++;
		td_warn("isdn", "ISDN-NO-RESTART", "span=%s timeslot=%u: %d "
			"RESTARTs were not acknowledged; what the far end has "
			"up from before this start, if anything, stays there",
			line->conf.name, t, TD_RESTART_TRIES);
		break;
	}
	td_line_leave(line);
}

void td_line_restart(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	uint32_t t;

	if (!td_line_up(line) || line->leaving)
		return;
	t = td_restart_next(&line->restart, busy(line));
	if (!t)
		return;
	if (!td_pri_restart(line->pri, t))
		line->st.restarts_sent++;
	env->timer_start(env->arg, &line->t316,
			 td_isdn_timers[TD_T316].default_ms, on_t316, line);
}

void td_line_restart_acked(struct td_isdn_line *line, uint32_t t)
{
	const struct td_isdn_env *env = &line->isdn->env;

	if (td_restart_acked(&line->restart, t))
		env->timer_stop(env->arg, &line->t316);
}

void td_line_restart_stop(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;

	env->timer_stop(env->arg, &line->t316);
	td_restart_down(&line->restart);
}

/* A libpri that starts from nothing knows of no call, so what the exchange
 * still has up from before is a ghost. When the view has a call on the line,
 * this is no cold start but a take-over, and no RESTART must be sent
 * (failover.md). */
void td_line_restart_cold(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	uint32_t channels = line->conf.channels & ~1u;

	line->cold = false;
	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++)
		if (channels & 1u << t &&
		    env->busy(env->arg, line->conf.name, t))
			return;
	td_restart_cold(&line->restart, channels);
}
