// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said about a unit, and switching it off (failover.md, "Leases",
 * rules 2 to 5). */
#include "ha/lease_priv.h"

static void say(struct td_lease *l, Td__Ha *ha)
{
	l->cfg.ops.say(l->cfg.ops.arg, ha);
}

/* --- off --- */

static void stop(struct td_lease *l, struct unit *u, uint64_t epoch)
{
	bool was = u->active || u->taking;

	u->active = u->taking = false;
	u->lease_epoch = 0;
	l->dirty = true;
	if (was && !td_lease_bug(l, TD_BUG_REVOKE))
		l->cfg.ops.off(l->cfg.ops.arg, u->name, epoch);
}

static void say_released(struct td_lease *l, struct unit *u)
{
	Td__Released r = TD__RELEASED__INIT;
	Td__Ha ha = TD__HA__INIT;

	r.unit = u->name;
	r.epoch = u->epoch;
	r.node = l->cfg.node_id;
	ha.what_case = TD__HA__WHAT_RELEASED;
	ha.released = &r;
	l->st.releases++;
	u->released_ms = l->now_ms;
	say(l, &ha);
}

/** Off, and the others know it. */
void release(struct td_lease *l, struct unit *u)
{
	stop(l, u, u->epoch);
	say_released(l, u);
}

/** It came to nothing: others get their turn before we try again. */
void give_up(struct td_lease *l, struct unit *u)
{
	unsigned int n = u->failed < 4 ? u->failed++ : 4;

	u->shy_ms = l->now_ms + (100LL << n) + 20 * l->cfg.node_id;
	release(l, u);
}

/** A majority grants us more: never after it has lapsed. */
void renew(struct td_lease *l, struct unit *u)
{
	if (u->lease_until_ms <= u->until_ms)
		return;
	if (u->until_ms <= l->now_ms && !td_lease_bug(l, TD_BUG_NO_REVIVE))
		return;		/* the next tick gives it up */
	u->until_ms = u->lease_until_ms;
	l->cfg.ops.hold(l->cfg.ops.arg, u->name, u->own_epoch, u->until_ms);
}

/* --- promises --- */

/** From now on no grant for older claims; an owner stops. */
void promise(struct td_lease *l, struct unit *u, uint64_t epoch, uint32_t to)
{
	u->epoch = epoch;
	u->to = to;
	u->heard_ms = u->promised_ms = l->now_ms;
	u->heard_held = false;
	for (unsigned int i = 0; i <= MAX_ID; i++)
		u->miss_ms[i] = NEVER;
	if (epoch > l->top)
		l->top = epoch;
	if (to != l->cfg.node_id)
		stop(l, u, epoch - 1);
	u->taking = to == l->cfg.node_id;
	u->lease_epoch = 0;
	if (!td_lease_bug(l, TD_BUG_TAKE_PROMISED))
		for (unsigned int i = 0; i <= MAX_ID; i++)
			u->report[i].valid = false;
	l->dirty = true;
	save(l);
}

void say_take(struct td_lease *l, struct unit *u, uint64_t epoch)
{
	Td__Take t = TD__TAKE__INIT;
	Td__Ha ha = TD__HA__INIT;

	if (epoch > EPOCH_MAX)
		return;
	u->tried_ms = l->now_ms;
	t.unit = u->name;
	t.epoch = epoch;
	ha.what_case = TD__HA__WHAT_TAKE;
	ha.take = &t;
	l->st.takes++;
	say(l, &ha);
}

void say_report(struct td_lease *l, struct unit *u, uint64_t epoch,
		bool granted, uint32_t taker)
{
	Td__Granted g[MAX_ID], *gp[MAX_ID];
	Td__Report r = TD__REPORT__INIT;
	Td__Ha ha = TD__HA__INIT;
	struct rec none = rec_blank(l);
	struct rec_pb pb, stood;

	r.acked = gp;
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		int64_t at = u->acked[i].at_ms;

		if (i == taker || at == NEVER || !u->acked[i].epoch ||
		    l->now_ms - at > AGE_LISTED_MS)
			continue;
		td__granted__init(&g[r.n_acked]);
		g[r.n_acked].node = i;
		g[r.n_acked].epoch = u->acked[i].epoch;
		g[r.n_acked].age_ms = at > l->now_ms ? 0 : l->now_ms - at;
		gp[r.n_acked] = &g[r.n_acked];
		r.n_acked++;
	}
	r.unit = u->name;
	r.epoch = epoch;
	r.granted = granted;
	r.promised = u->epoch;
	r.holds = l->synced;
	r.record = &l->rec_pb.r;
	if (l->stood.key.epoch && key_cmp(&l->stood.key, &l->rec.key)) {
		rec_to_pb(&l->stood, &stood);
		r.stands = &stood.r;
	}
	if (td_lease_bug(l, TD_BUG_W_HOLDS) && l->cfg.witness) {
		rec_to_pb(&none, &pb);
		r.record = &pb.r;
	}
	ha.what_case = TD__HA__WHAT_REPORT;
	ha.report = &r;
	l->st.reports++;
	say(l, &ha);
}

void on_take(struct td_lease *l, uint32_t from, const Td__Take *m)
{
	struct unit *u = m->epoch && m->epoch <= EPOCH_MAX ?
		unit_get(l, m->unit) : NULL;
	bool ok;

	if (!u || !(l->cfg.nodelist & BIT(from))) {
		l->st.refused++;
		return;
	}
	ok = m->epoch > u->epoch;
	if (ok)
		promise(l, u, m->epoch, from);
	if (!td_lease_bug(l, TD_BUG_TAKE_PROMISED))
		say_report(l, u, m->epoch, ok, from);
	if (ok && u->taking)
		beat_for(l);
	try_take(l, u);
}

static bool report_read(struct td_lease *l, const Td__Report *m,
			struct report *out)
{
	struct report r = { .valid = true, .epoch = m->epoch,
			    .holds = m->holds };

	if (m->epoch > EPOCH_MAX || m->promised > EPOCH_MAX ||
	    m->n_acked > MAX_ID)
		return false;
	if (!m->record)
		r.rec = rec_blank(l);
	else if (!rec_from_pb(m->record, &r.rec))
		return false;
	if (m->stands && !rec_from_pb(m->stands, &r.stood))
		return false;
	for (size_t i = 0; i < m->n_acked; i++) {
		const Td__Granted *g = m->acked[i];

		if (!g->node || g->node > MAX_ID || g->age_ms > AGE_MAX_MS ||
		    g->epoch > EPOCH_MAX || r.claim[g->node].epoch)
			return false;
		r.claim[g->node].epoch = g->epoch;
		r.claim[g->node].ready_ms =
			l->now_ms + TD_LEASE_WAIT_MS - (int64_t)g->age_ms;
	}
	*out = r;
	return true;
}

void on_report(struct td_lease *l, uint32_t from, uint64_t inc,
	       const Td__Report *m)
{
	struct unit *u = unit_find(l, m->unit);
	struct report r;

	if (!report_read(l, m, &r)) {
		l->st.refused++;
		return;
	}
	if (!u)
		return;
	if (m->promised > u->seen)
		u->seen = m->promised;
	if (m->promised > l->top)
		l->top = m->promised;
	r.inc = inc;
	if (m->granted && ((u->taking && m->epoch == u->epoch) ||
			   td_lease_bug(l, TD_BUG_TAKE_PROMISED))) {
		u->report[from] = r;
		if (from != l->cfg.node_id)
			beat_for(l);	/* it will grant this one */
	}
	try_take(l, u);
	think(l, u);
}

void on_released(struct td_lease *l, uint32_t from, const Td__Released *m)
{
	struct unit *u = unit_find(l, m->unit);

	if (from != m->node || !m->epoch || m->epoch > EPOCH_MAX) {
		l->st.refused++;
		return;
	}
	if (!u)
		return;
	if (m->epoch > u->released[from])
		u->released[from] = m->epoch;
	if (m->epoch > u->over)
		u->over = m->epoch;
	if (m->epoch > u->seen)
		u->seen = m->epoch;
	/* our guard has switched off what we thought was ours */
	if (from == l->cfg.node_id && u->active && u->own_epoch <= m->epoch)
		stop(l, u, m->epoch);
	l->dirty = true;
	try_take(l, u);
	think(l, u);
}

/* --- an owner that is not heard --- */

void say_miss(struct td_lease *l)
{
	Td__Miss m = TD__MISS__INIT;
	Td__Ha ha = TD__HA__INIT;

	if (l->now_ms - l->miss_ms < MISS_MS)
		return;
	for (unsigned int i = 0; i < l->n_units; i++) {
		struct unit *u = l->unit[i];

		if (u->to && u->to != l->cfg.node_id && u->epoch > u->over &&
		    (l->members & BIT(u->to)) &&
		    l->now_ms - u->heard_ms > TD_LEASE_MISSED_MS)
			l->names[m.n_units++] = u->name;
	}
	if (!m.n_units)
		return;
	l->miss_ms = l->now_ms;
	m.units = l->names;
	ha.what_case = TD__HA__WHAT_MISS;
	ha.miss = &m;
	say(l, &ha);
}

void on_miss(struct td_lease *l, uint32_t from, const Td__Miss *m)
{
	for (size_t i = 0; i < m->n_units; i++) {
		struct unit *u = unit_find(l, m->units[i]);

		if (!u)
			continue;
		u->miss_ms[from] = l->now_ms;
		/* they wait for us, and did not hear that we have stopped */
		if (u->to == l->cfg.node_id && !u->active && !u->taking &&
		    l->now_ms - u->released_ms >= MISSED_SAY_MS)
			say_released(l, u);
		if (td_lease_bug(l, TD_BUG_TAKE_PROMISED))
			say_report(l, u, 0, true, l->cfg.node_id);
		think(l, u);
	}
}
