// SPDX-License-Identifier: GPL-2.0-or-later
/* Taking a unit and giving it up (failover.md, "Leases", rules 2 to 5). */
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
	struct rec_pb pb;

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

/* --- shall we take? --- */

/** All who held what was released are lost: another life of each is here, or
 *  says that it does not hold it. */
static bool lost(const struct td_lease *l, const struct rec *r,
		 const struct unit *u)
{
	if (!r->in_sync)
		return false;
	if (l->now_ms < l->force_ms)
		return true;
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		const struct report *rep = &u->report[i];
		uint64_t inc = l->peer[i].inc;
		bool holds;

		if (!(r->in_sync & BIT(i)))
			continue;
		if (i == l->cfg.node_id)
			inc = l->cfg.incarnation;
		else if (!l->peer[i].here || !(l->members & BIT(i)))
			return false;
		if (inc != r->inc[i])
			continue;
		if (i == l->cfg.node_id)
			holds = l->synced;
		else if (rep->valid && rep->epoch == u->epoch &&
			 rep->inc == inc)
			holds = rep->holds;
		else
			holds = !l->peer[i].joining;
		if (holds)
			return false;
	}
	return true;
}

/* A cluster without a lead stands still, whatever the plan says of who should
 * lead: after a while whoever lives tries, and finds out whether it may. */
static bool late(const struct td_lease *l, const struct unit *u)
{
	return u->lead && u->ownerless_ms != NEVER &&
	       l->now_ms - u->ownerless_ms > LATE_MS + 100 * l->cfg.node_id;
}

static bool able(const struct td_lease *l, const struct unit *u)
{
	bool in = l->synced &&
		  rec_names(&l->rec, l->cfg.node_id, l->cfg.incarnation);

	if (in && (l->live || (u->lead && l->now_ms - l->ring_ms > 600)))
		return true;
	return u->lead && l->live && (!l->rec.key.epoch ||
				      lost(l, &l->rec, u) || late(l, u));
}

/* Nobody who lives owns it. */
static bool ownerless(const struct td_lease *l, const struct unit *u)
{
	uint32_t miss = 0;

	if (u->epoch <= u->over || !(l->members & BIT(u->to)))
		return true;
	if (u->to == l->cfg.node_id)	/* it came to nothing */
		return l->now_ms - u->heard_ms > TD_LEASE_MISSED_MS;
	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (u->miss_ms[i] != NEVER &&
		    l->now_ms - u->miss_ms[i] < MISS_VALID_MS)
			miss |= BIT(i);
	return quorum(l, miss, &l->rec, 1);
}

static uint64_t next_epoch(const struct td_lease *l, const struct unit *u)
{
	uint64_t e = u->epoch > u->seen ? u->epoch : u->seen;

	if (!u->lead && l->rec.floor > e)
		e = l->rec.floor;
	return e + 1;
}

void think(struct td_lease *l, struct unit *u)
{
	int64_t again = u->taking ? 600 : 100 + 10 * l->cfg.node_id;
	unsigned int reports = 0;
	bool free = ownerless(l, u);

	if (!free || u->active)
		u->ownerless_ms = NEVER;
	else if (u->ownerless_ms == NEVER)
		u->ownerless_ms = l->now_ms;
	if (l->cfg.witness || !free || u->active ||
	    !(u->wanted || late(l, u)) || l->now_ms < u->shy_ms ||
	    (u->tried_ms != NEVER && l->now_ms - u->tried_ms < again) ||
	    !(l->members & BIT(l->cfg.node_id)) ||
	    (!l->rec.key.epoch && !l->quorate) || !able(l, u) ||
	    !quorum(l, l->members, &l->rec, 1))
		return;
	if (td_lease_bug(l, TD_BUG_TAKE_PROMISED)) {
		for (uint32_t i = 1; i <= MAX_ID; i++)
			if (u->report[i].valid)
				reports |= BIT(i);
		if (!quorum(l, reports, &l->rec, 1))
			return;
	}
	say_take(l, u, next_epoch(l, u));
}

void think_all(struct td_lease *l)
{
	for (unsigned int i = 0; i < l->n_units; i++)
		think(l, l->unit[i]);
}

/* --- taking --- */

struct votes {
	uint32_t ids;		/* who reported */
	uint32_t knowing;	/* and knows of a record */
	struct rec newest;
	uint32_t sure;		/* named by that, and holds what was released */
	uint32_t missing;	/* named by one that may bind, and not here */
};

/* By the record r, does a member hold all that was released, if it did by the
 * record that it has? Only if r names it without a break since then. */
static bool unbroken(const struct td_lease *l, const struct rec *r,
		     uint32_t id, uint64_t inc, const struct key *has)
{
	return rec_names(r, id, inc) &&
	       (key_cmp(&r->since[id], has) <= 0 ||
		td_lease_bug(l, TD_BUG_SINCE));
}

static bool counts(const struct td_lease *l, const struct unit *u, uint32_t id)
{
	const struct report *r = &u->report[id];

	return r->valid && (r->epoch == u->epoch ||
			    td_lease_bug(l, TD_BUG_TAKE_PROMISED));
}

/* A removal that no majority is seen to hold may not have bound: then whom
 * older records name may hold everything. */
static void see_missing(const struct td_lease *l, const struct unit *u,
			struct votes *v)
{
	uint32_t by = 0;
	bool binds;

	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (counts(l, u, i) &&
		    !key_cmp(&u->report[i].rec.key, &v->newest.key))
			by |= BIT(i);
	binds = quorum(l, by, &v->newest, 1);
	v->missing = v->newest.in_sync;
	for (uint32_t i = 1; i <= MAX_ID && !binds; i++)
		if (counts(l, u, i))
			v->missing |= u->report[i].rec.in_sync;
	v->missing &= ~l->members;
	if (l->now_ms < l->force_ms)
		v->missing = 0;
}

static struct votes count(const struct td_lease *l, const struct unit *u)
{
	struct votes v = { .newest = l->rec };

	for (uint32_t i = 1; i <= MAX_ID; i++) {
		const struct report *r = &u->report[i];

		if (!counts(l, u, i))
			continue;
		v.ids |= BIT(i);
		if (r->rec.key.epoch)
			v.knowing |= BIT(i);
		if (key_cmp(&r->rec.key, &v.newest.key) > 0 &&
		    !td_lease_bug(l, TD_BUG_FRESH_SET))
			v.newest = r->rec;
	}
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		const struct report *r = &u->report[i];

		if (i == l->cfg.node_id ? l->synced &&
		    unbroken(l, &v.newest, i, l->cfg.incarnation,
			     &l->rec.key) :
		    counts(l, u, i) && r->holds &&
		    unbroken(l, &v.newest, i, r->inc, &r->rec.key))
			v.sure |= BIT(i);
	}
	see_missing(l, u, &v);
	return v;
}

/* A voter that knows of no record may have lost one: its word counts beside a
 * first record only. */
static bool enough(const struct td_lease *l, const struct votes *v)
{
	bool first = v->newest.key.epoch <= 1 && v->newest.key.version <= 1;
	uint32_t ids = first || l->now_ms < l->force_ms ||
		       td_lease_bug(l, TD_BUG_W_HOLDS) ||
		       td_lease_bug(l, TD_BUG_DURABLE) ? v->ids : v->knowing;

	if (!v->newest.key.epoch &&
	    (!l->quorate || l->members & l->cfg.nodelist & ~v->ids))
		return false;
	return quorum(l, ids, &v->newest, 1);
}

/** When the last lease that anybody granted is over for certain. */
static int64_t ready(const struct td_lease *l, const struct unit *u)
{
	bool any = td_lease_bug(l, TD_BUG_TAKE_PROMISED);
	int64_t at = l->now_ms;

	for (uint32_t i = 1; i <= MAX_ID; i++) {
		const struct report *r = &u->report[i];

		if (!r->valid || (r->epoch != u->epoch && !any))
			continue;
		for (uint32_t k = 1; k <= MAX_ID; k++) {
			uint64_t off = u->released[k];

			if (td_lease_bug(l, TD_BUG_ALL_CLAIMS) &&
			    u->over + 1 >= u->epoch)
				off = UINT64_MAX;
			if (k != l->cfg.node_id && r->claim[k].epoch > off &&
			    r->claim[k].ready_ms > at &&
			    !td_lease_bug(l, TD_BUG_WAIT))
				at = r->claim[k].ready_ms;
		}
	}
	return at;
}

/* What was reported is newer than ours: from now on it is ours too, or our
 * claims would not be granted. Not if its writer may count on us where we have
 * promised another: for units but the lead it may write on. */
static void learn(struct td_lease *l, const struct unit *u,
		  const struct votes *v)
{
	bool held = v->sure & BIT(l->cfg.node_id);

	if (key_cmp(&v->newest.key, &l->rec.key) <= 0 ||
	    (!u->lead && v->newest.key.epoch < l->lead->epoch))
		return;
	l->base = false;
	if (l->n_bound < MAX_BOUND - 1)
		l->bound[l->n_bound++] = v->newest;
	adopt(l, &v->newest);
	l->synced = held;
}

enum right { NEVER_OURS, NOT_YET, OURS, ALONE };

/* We hold all that was released, and nobody knows a newer set without us; or
 * nobody holds it any more, and our view goes on. */
static enum right right_to(const struct td_lease *l, const struct unit *u,
			   const struct votes *v)
{
	uint32_t all = l->members & l->cfg.nodelist;

	if (v->newest.key.epoch && v->sure & BIT(l->cfg.node_id))
		return OURS;
	if (v->sure || !u->lead)
		return NEVER_OURS;
	if (all & ~v->ids && l->now_ms >= l->force_ms)
		return NOT_YET;
	return v->missing || !l->live ? NEVER_OURS : ALONE;
}

/** It came to nothing: others get their turn before we try again. */
void give_up(struct td_lease *l, struct unit *u)
{
	unsigned int n = u->failed < 4 ? u->failed++ : 4;

	u->shy_ms = l->now_ms + (100LL << n) + 20 * l->cfg.node_id;
	release(l, u);
}

static void take(struct td_lease *l, struct unit *u, const struct rec *newest,
		 bool alone)
{
	u->taking = false;
	u->active = true;
	u->own_epoch = u->epoch;
	u->until_ms = u->lease_until_ms;
	u->ready_ms = 0;
	u->failed = 0;
	l->dirty = true;
	l->cfg.ops.hold(l->cfg.ops.arg, u->name, u->own_epoch, u->until_ms);
	if (!u->lead)
		return;
	record_begin(l, newest, alone);
	if (alone)
		l->force_ms = 0;
	record_mind(l);
}

void try_take(struct td_lease *l, struct unit *u)
{
	enum right right;
	struct votes v;

	u->ready_ms = 0;
	if (!u->taking)
		return;
	v = count(l, u);
	right = right_to(l, u, &v);
	learn(l, u, &v);
	if (right == NEVER_OURS ||
	    (right == OURS && key_cmp(&v.newest.key, &l->rec.key))) {
		give_up(l, u);
		return;
	}
	if (right == NOT_YET || !enough(l, &v) ||
	    (td_lease_bug(l, TD_BUG_TAKE_PROMISED) &&
	     !quorum(l, l->members, &l->rec, 1)))
		return;
	u->ready_ms = ready(l, u);
	if (l->now_ms >= u->ready_ms && u->lease_epoch == u->epoch &&
	    u->lease_until_ms > l->now_ms)
		take(l, u, &v.newest, right == ALONE);
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
