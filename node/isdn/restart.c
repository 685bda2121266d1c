// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/restart.h"

#include <string.h>

static uint32_t bit(uint32_t t)
{
	return t >= 1 && t < 32 ? 1u << t : 0;
}

void td_restart_cold(struct td_restart *r, uint32_t channels)
{
	memset(r, 0, sizeof(*r));
	r->cold = channels & ~1u;
}

void td_restart_unsure(struct td_restart *r, uint32_t t, uint32_t cref,
		       bool ours)
{
	if (!bit(t))
		return;
	r->unsure |= bit(t);
	r->of[t].cref = cref;
	r->of[t].ours = ours;
}

void td_restart_released(struct td_restart *r, uint32_t cref, bool ours)
{
	for (uint32_t t = 1; t < 32; t++)
		if (r->unsure & bit(t) && r->at != t &&
		    r->of[t].cref == cref && r->of[t].ours == ours)
			r->unsure &= ~bit(t);
}

uint32_t td_restart_next(struct td_restart *r, uint32_t busy)
{
	uint32_t want;

	r->cold &= ~busy;
	r->unsure &= ~busy;
	if (r->at)
		return 0;
	/* what is known to be wrong first */
	want = r->unsure & ~r->out;
	if (!want)
		want = r->cold;
	if (!want)
		return 0;
	if (!r->again || !(want & bit(r->again))) {
		r->again = (uint32_t)__builtin_ctz(want);
		r->tries = 0;
	}
	r->at = r->again;
	r->tries++;
	return r->at;
}

static void settled(struct td_restart *r, uint32_t set)
{
	r->cold &= ~set;
	r->unsure &= ~set;
	r->out &= ~set;
}

bool td_restart_acked(struct td_restart *r, uint32_t t)
{
	/* one is under way at a time, so an answer without a channel is its */
	if (!r->at || (t && t != r->at))
		return false;
	settled(r, bit(r->at));
	r->at = 0;
	r->again = 0;
	return true;
}

enum td_restart_expiry td_restart_expired(struct td_restart *r, uint32_t *t)
{
	if (!r->at)
		return TD_RESTART_NONE;
	*t = r->at;
	r->at = 0;
	if (r->tries < TD_RESTART_TRIES)
		return TD_RESTART_AGAIN;
	r->again = 0;
	if (r->unsure & bit(*t)) {
		r->out |= bit(*t);
		return TD_RESTART_OUT;
	}
	r->cold = 0;
	return TD_RESTART_LEFT;
}

void td_restart_down(struct td_restart *r)
{
	r->at = 0;
	r->again = 0;
	r->out = 0;
}

bool td_restart_setup(struct td_restart *r, uint32_t t)
{
	if (!bit(t))
		return true;
	if (r->at == t || r->out & bit(t))
		return false;
	settled(r, bit(t));
	return true;
}

void td_restart_by_peer(struct td_restart *r, uint32_t t)
{
	settled(r, t ? bit(t) : ~0u);
}

uint32_t td_restart_blocked(const struct td_restart *r)
{
	return r->unsure | r->out | bit(r->at);
}
