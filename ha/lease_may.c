// SPDX-License-Identifier: GPL-2.0-or-later
/* Shall we take a unit, and may we? (failover.md, "Leases", rules 3, 4, 6.) */
#include "ha/lease_priv.h"

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
	bool first = v->newest.key.version <= 1;
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
	/* asked for before the voters changed: by those of before it may be
	 * promised to another */
	if (!u->lead && u->epoch <= l->rec.floor) {
		give_up(l, u);
		return;
	}
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
