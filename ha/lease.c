// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/lease.h"

#include <errno.h>
#include <stdlib.h>

#include "ha/lease_priv.h"

/* --- life --- */

/* What a restarted member knows is on its disk; it may have granted what it
 * promised until now. */
static bool load(struct td_lease *l, const Td__LeaseState *s)
{
	if (s->record && !rec_from_pb(s->record, &l->rec))
		return false;
	l->stood = l->rec;
	if (s->stands && !rec_from_pb(s->stands, &l->stood))
		return false;
	l->stood_saved = s->stands != NULL;
	for (size_t i = 0; i < s->n_promises; i++) {
		const Td__Promise *p = s->promises[i];
		struct unit *u;

		if (!p->epoch || p->epoch > EPOCH_MAX || !p->to ||
		    p->to > MAX_ID)
			return false;
		u = unit_get(l, p->unit);
		if (!u)
			return false;
		u->epoch = u->seen = p->epoch;
		u->to = p->to;
		u->promised_ms = l->now_ms;
		if (p->epoch > l->top)
			l->top = p->epoch;
		for (uint32_t k = 1; k <= MAX_ID &&
		     !td_lease_bug(l, TD_BUG_START_IS_ACK); k++) {
			if (!((l->cfg.nodelist | l->rec.voters |
			       l->rec.in_sync) & BIT(k)))
				continue;
			u->acked[k].at_ms = l->now_ms;
			u->acked[k].epoch = p->epoch;
		}
	}
	return true;
}

/* the life before may have granted anything until now; which life of the
 * other that was is not known */
static void granted_before(struct td_lease *l)
{
	for (uint32_t i = 1; i <= MAX_ID && l->top; i++)
		l->peer[i].grant_ms = l->now_ms;
}

int td_lease_new(const struct td_lease_cfg *cfg, int64_t now_ms,
		 struct td_lease **out)
{
	struct td_lease *l;
	int rc = -EINVAL;

	if (!cfg->node_id || cfg->node_id > MAX_ID ||
	    cfg->nodelist & ~0x1fffeU || !cfg->incarnation ||
	    !(cfg->nodelist & BIT(cfg->node_id)))
		return -EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	l->cfg.disk = NULL;
	l->now_ms = now_ms;
	l->rec = rec_blank(l);
	for (unsigned int i = 0; i <= MAX_ID; i++)
		l->peer[i].grant_ms = l->peer[i].slow_ms =
			l->peer[i].slow_said_ms = NEVER;
	if (cfg->disk && !td_lease_bug(l, TD_BUG_DURABLE) &&
	    !load(l, cfg->disk))
		goto fail;
	rc = -ENOMEM;
	l->lead = unit_get(l, TD_UNIT_LEAD);
	if (!l->lead)
		goto fail;
	granted_before(l);
	rec_to_pb(&l->rec, &l->rec_pb);
	l->stand_ms = now_ms + (l->top ? TD_LEASE_WAIT_MS : 0);
	l->bound[l->n_bound++] = l->rec;
	l->beat_ms = NEVER;
	l->ring_ms = l->join_ms = l->miss_ms = l->said_ms = now_ms - JOIN_MS;
	*out = l;
	return 0;
fail:
	td_lease_free(l);
	return rc;
}

void td_lease_free(struct td_lease *l)
{
	if (!l)
		return;
	units_free(l);
	free(l);
}

/* every call from outside begins and ends so */
static void enter(struct td_lease *l, int64_t now_ms)
{
	if (now_ms > l->now_ms)
		l->now_ms = now_ms;
}

static void leave(struct td_lease *l)
{
	if (!l->dirty)
		return;
	l->dirty = false;
	if (l->cfg.ops.changed)
		l->cfg.ops.changed(l->cfg.ops.arg);
}

/* --- time --- */

static void mind_unit(struct td_lease *l, struct unit *u)
{
	if (u->taking && !u->active &&
	    l->now_ms - u->promised_ms > NOTHING_MS)
		give_up(l, u);
	if (u->active && td_lease_bug(l, TD_BUG_HB_LEASE) &&
	    quorum(l, l->members, &l->rec, 1)) {
		u->lease_epoch = u->own_epoch;
		u->lease_until_ms = l->now_ms + TD_LEASE_LEASE_MS;
		renew(l, u);
	}
	if (u->active && u->until_ms <= l->now_ms &&
	    !td_lease_bug(l, TD_BUG_NO_REVIVE)) {
		l->st.lapsed++;
		release(l, u);
	}
}

void td_lease_tick(struct td_lease *l, int64_t now_ms)
{
	enter(l, now_ms);
	if (!l->cfg.witness &&
	    (l->beat_soon || l->beat_ms == NEVER ||
	     l->now_ms - l->beat_ms >= TD_LEASE_HEARTBEAT_MS - 10))
		beat(l);
	for (unsigned int i = 0; i < l->n_units; i++)
		mind_unit(l, l->unit[i]);
	for (unsigned int i = 0; i < l->n_units; i++)
		try_take(l, l->unit[i]);
	say_miss(l);
	record_mind(l);
	lease_join(l);
	think_all(l);
	leave(l);
}

int64_t td_lease_due_ms(const struct td_lease *l)
{
	int64_t due = INT64_MAX;

	if (l->beat_soon)
		due = l->beat_ms + 2;
	for (unsigned int i = 0; i < l->n_units; i++) {
		const struct unit *u = l->unit[i];

		if (u->taking && u->ready_ms > l->now_ms && u->ready_ms < due)
			due = u->ready_ms;
	}
	if (l->lead->active && l->stand_ms > l->now_ms && l->stand_ms < due)
		due = l->stand_ms;
	return due;
}

/* --- what happens --- */

/* A life is over: what it owned is nobody's, what it was granted ends when the
 * card and the guard say so. */
static void life_over(struct td_lease *l, uint32_t id)
{
	struct peer *p = &l->peer[id];

	p->gone = p->inc;
	p->joining = false;
	for (unsigned int i = 0; i < l->n_units; i++) {
		struct unit *u = l->unit[i];

		if (u->to == id && u->epoch > u->over)
			u->over = u->epoch;
	}
}

void td_lease_ring(struct td_lease *l, int64_t now_ms, uint64_t ring,
		   uint32_t members, uint32_t left, bool quorate)
{
	uint32_t fresh = members & ~l->members;
	bool leading, new_ring = ring != l->ring;

	enter(l, now_ms);
	leading = l->lead->active && l->lead->until_ms > l->now_ms;
	if (new_ring) {
		l->live = false;
		l->ring_ms = l->now_ms;
		for (unsigned int i = 0; i <= MAX_ID; i++)
			l->peer[i].joining = false;
	}
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		if (left & BIT(i))
			life_over(l, i);
		/* in another ring each may be another life */
		if (new_ring || (left | fresh) & BIT(i))
			l->peer[i].here = false;
	}
	/* who comes may bring a record that we do not know */
	if (fresh && !leading)
		l->base = false;
	l->ring = ring;
	l->members = members;
	l->quorate = quorate;
	for (unsigned int i = 0; i < l->n_units; i++) {
		struct unit *u = l->unit[i];

		u->tried_ms = NEVER;
		for (unsigned int k = 0; k <= MAX_ID; k++)
			u->miss_ms[k] = NEVER;
		if (td_lease_bug(l, TD_BUG_TAKE_PROMISED)) {
			for (unsigned int k = 0; k <= MAX_ID; k++)
				u->report[k].valid = false;
			say_report(l, u, 0, true, l->cfg.node_id);
		}
	}
	/* others may have been in rings that we have not seen */
	if ((fresh || new_ring) && leading)
		record_tell(l);
	record_mind(l);
	think_all(l);
	l->dirty = true;
	leave(l);
}

static void dispatch(struct td_lease *l, uint32_t from, uint64_t inc,
		     const Td__Ha *m)
{
	switch (m->what_case) {
	case TD__HA__WHAT_TAKE:
		on_take(l, from, m->take);
		break;
	case TD__HA__WHAT_REPORT:
		on_report(l, from, inc, m->report);
		break;
	case TD__HA__WHAT_RECORD:
		on_record(l, from, m->record);
		break;
	case TD__HA__WHAT_RELEASED:
		on_released(l, from, m->released);
		break;
	case TD__HA__WHAT_MISS:
		on_miss(l, from, m->miss);
		break;
	case TD__HA__WHAT_SLOW:
		on_slow(l, from, m->slow);
		break;
	case TD__HA__WHAT_COMMITTED:
		on_committed(l, from, m->committed);
		break;
	case TD__HA__WHAT_JOIN:
		on_join(l, from, m->join);
		break;
	case TD__HA__WHAT_CAUGHT:
		on_caught(l, from, inc, m->caught);
		break;
	default:
		l->st.refused++;
	}
}

void td_lease_deliver(struct td_lease *l, int64_t now_ms, uint32_t from,
		      uint64_t incarnation, const Td__Ha *m)
{
	enter(l, now_ms);
	/* the guard speaks for its node, whatever life its daemon is in */
	if (!from || from > MAX_ID || (from == l->cfg.node_id &&
				       incarnation != l->cfg.incarnation &&
				       m->what_case != TD__HA__WHAT_RELEASED)) {
		l->st.refused++;
		return;
	}
	if (incarnation && m->what_case != TD__HA__WHAT_RELEASED) {
		if (l->peer[from].inc && l->peer[from].inc != incarnation)
			life_over(l, from);
		l->peer[from].inc = incarnation;
		l->peer[from].here = true;
	}
	dispatch(l, from, incarnation, m);
	leave(l);
}

void td_lease_udp(struct td_lease *l, int64_t now_ms, const Td__Heartbeat *m)
{
	enter(l, now_ms);
	heard(l, m);
	leave(l);
}

void td_lease_live(struct td_lease *l, int64_t now_ms, bool live)
{
	enter(l, now_ms);
	l->live = live && !l->cfg.witness;
	if (l->live) {
		l->join_ms = l->now_ms - JOIN_MS;
		lease_join(l);
		think_all(l);
	}
	l->dirty = true;
	leave(l);
}

void td_lease_slow(struct td_lease *l, int64_t now_ms, uint32_t node)
{
	Td__Slow s = TD__SLOW__INIT;
	Td__Ha ha = TD__HA__INIT;

	enter(l, now_ms);
	if (!node || node > MAX_ID || !(l->rec.in_sync & BIT(node)))
		return;
	s.node = node;
	s.incarnation = l->rec.inc[node];
	ha.what_case = TD__HA__WHAT_SLOW;
	ha.slow = &s;
	if (!l->lead->active) {
		if (l->now_ms < l->peer[node].slow_said_ms)
			return;
		l->peer[node].slow_said_ms = l->now_ms + SAY_AGAIN_MS;
		l->cfg.ops.say(l->cfg.ops.arg, &ha);
	} else if (node != l->cfg.node_id) {
		l->peer[node].slow_ms = l->now_ms;
		record_mind(l);
	}
	leave(l);
}

void td_lease_saved(struct td_lease *l, int64_t now_ms)
{
	enter(l, now_ms);
	l->st.saved++;
}

/* --- what plan.c wants --- */

int td_lease_want(struct td_lease *l, int64_t now_ms, const char *unit,
		  bool wanted)
{
	size_t n = strlen(unit);
	struct unit *u;

	enter(l, now_ms);
	if (!n || n > TD_UNIT_NAME_OCTETS)
		return -EINVAL;
	u = unit_get(l, unit);
	if (!u)
		return l->n_units >= TD_VIEW_MAX_UNITS ? -ENOSPC : -ENOMEM;
	if (u->wanted && !wanted && (u->active || u->taking))
		release(l, u);
	u->wanted = wanted;
	think(l, u);
	leave(l);
	return 0;
}

void td_lease_want_voters(struct td_lease *l, int64_t now_ms, uint32_t mask)
{
	enter(l, now_ms);
	if (mask & ~l->cfg.nodelist) {
		l->st.refused++;
		return;
	}
	l->want_voters = mask;
	record_mind(l);
	leave(l);
}

void td_lease_force(struct td_lease *l, int64_t now_ms)
{
	enter(l, now_ms);
	l->force_ms = l->now_ms + FORCE_MS;
	think(l, l->lead);
	leave(l);
}
