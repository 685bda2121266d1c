// SPDX-License-Identifier: GPL-2.0-or-later
/* The record: who is in sync, who votes, and when a change of that counts
 * (failover.md, "Leases", rules 1, 6 and 7). Only the owner of `lead` writes
 * one; it binds the writer from sending, the others from delivery. */
#include "ha/lease_priv.h"

static bool leads(const struct td_lease *l)
{
	return l->lead->active;
}

static const struct rec *last(const struct td_lease *l)
{
	return &l->bound[l->n_bound - 1];
}

static void keep_bound(struct td_lease *l, const struct rec *r)
{
	if (l->n_bound && !key_cmp(&last(l)->key, &r->key))
		l->n_bound--;
	if (l->n_bound == MAX_BOUND) {
		/* more than anybody keeps: until the lead says what counts,
		 * nothing of ours does */
		memmove(l->bound, l->bound + 1,
			(MAX_BOUND - 1) * sizeof(l->bound[0]));
		l->n_bound--;
		l->base = false;
	}
	l->bound[l->n_bound++] = *r;
}

/* --- standing by a record --- */

/* A lease that we granted to somebody by an older record may still run. One
 * that other voters can end without us: any. */
static int64_t newest_grant(const struct td_lease *l)
{
	int64_t at = NEVER;

	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (l->peer[i].grant_ms > at)
			at = l->peer[i].grant_ms;
	return at;
}

/* One whom the record excludes, who may own a unit still: not if that life is
 * over, or it holds the record itself, for then it has stopped. */
static bool excluded_may_act(const struct td_lease *l, uint32_t id)
{
	const struct peer *p = &l->peer[id];

	if (id == l->cfg.node_id || p->grant_ms == NEVER ||
	    l->now_ms - p->grant_ms >= TD_LEASE_WAIT_MS ||
	    rec_names(&l->rec, id, p->grant_inc))
		return false;
	return p->gone != p->grant_inc &&
	       !(p->here && p->inc != p->grant_inc) &&
	       !(p->held_inc == p->grant_inc &&
		 key_cmp(&p->held, &l->rec.key) >= 0);
}

/** The record that we say we hold: the newest under which nobody can act any
 *  more who was granted something before it, against it. */
struct key stands_by(struct td_lease *l)
{
	bool ok = l->now_ms >= l->stand_ms;

	for (uint32_t i = 1; i <= MAX_ID && ok; i++)
		ok = !excluded_may_act(l, i);
	if ((ok || td_lease_bug(l, TD_BUG_STAND_BY)) &&
	    key_cmp(&l->stood.key, &l->rec.key)) {
		l->stood = l->rec;
		if (l->stood_saved)
			save(l);
	}
	return l->stood.key;
}

/* Who is not in the set any more stops, wherever it was told. */
static void stop_if_out(struct td_lease *l)
{
	if (l->cfg.witness || !l->rec.key.epoch ||
	    td_lease_bug(l, TD_BUG_OUT_STOPS) ||
	    rec_names(&l->rec, l->cfg.node_id, l->cfg.incarnation))
		return;
	for (unsigned int i = 0; i < l->n_units; i++)
		if (l->unit[i]->active && !l->unit[i]->lead)
			release(l, l->unit[i]);
}

/** Makes it ours: on disk before anything else is said. */
void adopt(struct td_lease *l, const struct rec *r)
{
	bool fewer = l->rec.key.epoch &&
		     !(r->voters == l->rec.voters &&
		       (!r->next || r->next == l->rec.next)) &&
		     !(l->rec.next && r->voters == l->rec.next && !r->next);
	int64_t at = newest_grant(l);

	/* leases without the new voters must be over before the old ones
	 * may be left out */
	if (fewer && at != NEVER && at + TD_LEASE_WAIT_MS > l->stand_ms)
		l->stand_ms = at + TD_LEASE_WAIT_MS;
	stands_by(l);
	l->rec = *r;
	rec_to_pb(&l->rec, &l->rec_pb);
	save(l);
	l->dirty = true;
	stop_if_out(l);
}

/* --- the lead --- */

static void say_record(struct td_lease *l)
{
	struct rec_pb pb;
	Td__Ha ha = TD__HA__INIT;

	rec_to_pb(last(l), &pb);
	ha.what_case = TD__HA__WHAT_RECORD;
	ha.record = &pb.r;
	l->said_ms = l->now_ms;
	l->cfg.ops.say(l->cfg.ops.arg, &ha);
}

/* What the others may rely on: this record binds alone. */
static void say_committed(struct td_lease *l)
{
	Td__Committed c = TD__COMMITTED__INIT;
	Td__Ha ha = TD__HA__INIT;

	if (l->n_bound != 1 || l->lead->until_ms <= l->now_ms)
		return;
	c.epoch = last(l)->key.epoch;
	c.version = last(l)->key.version;
	c.ring = l->ring;
	ha.what_case = TD__HA__WHAT_COMMITTED;
	ha.committed = &c;
	l->cfg.ops.say(l->cfg.ops.arg, &ha);
}

/** To those who have just come. */
void record_tell(struct td_lease *l)
{
	say_record(l);
	say_committed(l);
}

static void tell_again(struct td_lease *l)
{
	if (l->now_ms - l->said_ms >= SAY_AGAIN_MS)
		record_tell(l);
}

static void write_record(struct td_lease *l, struct rec *r)
{
	r->key.epoch = l->lead->own_epoch;
	r->key.version = l->n_bound ? last(l)->key.version + 1 : 1;
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		if (!(r->in_sync & BIT(i))) {
			r->inc[i] = 0;
			r->since[i] = (struct key){ 0 };
		} else if (!r->since[i].epoch) {
			r->since[i] = r->key;
		}
	}
	keep_bound(l, r);
	l->said_again = 0;
	l->st.records++;
	adopt(l, r);
	say_record(l);
}

/* Has a majority the founding record? Not before is there another: who reports
 * no record beside a later one may have lost it, and does not count. */
static bool founded(const struct td_lease *l)
{
	const struct rec *r = last(l);
	uint32_t by = BIT(l->cfg.node_id);

	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (key_cmp(&l->peer[i].have, &r->key) >= 0)
			by |= BIT(i);
	return r->key.version > 1 || quorum(l, by, r, 1);
}

/** A new record of ours; binds us from now on. */
void record_change(struct td_lease *l, uint32_t sync, uint32_t voters,
		   uint32_t next)
{
	struct rec r = *last(l);

	r.in_sync = sync;
	if (r.next && !next && l->top > r.floor &&
	    !td_lease_bug(l, TD_BUG_FLOOR))
		r.floor = l->top;
	r.voters = voters;
	r.next = next;
	write_record(l, &r);
}

static int by_key(const struct rec *a, const struct rec *b)
{
	return key_cmp(&a->key, &b->key);
}

/* in order of keys, each once */
static void bind(struct td_lease *l, const struct rec *r)
{
	unsigned int i = 0;

	if (!r->key.epoch)
		return;
	while (i < l->n_bound && by_key(&l->bound[i], r) < 0)
		i++;
	if ((i < l->n_bound && !by_key(&l->bound[i], r)) ||
	    l->n_bound == MAX_BOUND - 1)
		return;
	memmove(&l->bound[i + 1], &l->bound[i],
		(l->n_bound - i) * sizeof(l->bound[0]));
	l->bound[i] = *r;
	l->n_bound++;
}

static void bind_report(struct td_lease *l, const struct report *r)
{
	if (!r->valid)
		return;
	bind(l, &r->rec);
	bind(l, &r->stood);
}

/* Who led before has records of its own that no majority took: what they
 * replaced binds still, though nobody else may know it any more. */
static void keep_own(struct td_lease *l, const struct rec *newest, bool alone)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n_bound && !alone; i++)
		if (l->bound[i].voters == newest->voters &&
		    l->bound[i].next == newest->next)
			l->bound[kept++] = l->bound[i];
	l->n_bound = kept;
}

/** `lead` has just become ours: all records that were reported bind until a
 *  majority holds our first.
 *  @param alone  nobody else holds what was: founding, or a cold start */
void record_begin(struct td_lease *l, const struct rec *newest, bool alone)
{
	uint32_t me = l->cfg.node_id;
	struct rec r = *newest;

	keep_own(l, newest, alone);
	for (uint32_t i = 1; i <= MAX_ID; i++)
		bind_report(l, &l->lead->report[i]);
	bind(l, newest);
	for (uint32_t i = 0; i <= MAX_ID; i++)
		l->peer[i].have = (struct key){ 0 };
	l->own_back = (struct key){ 0 };
	l->base = l->synced = true;
	if (alone) {
		r.in_sync = BIT(me);
		memset(r.inc, 0, sizeof(r.inc));
		memset(r.since, 0, sizeof(r.since));
		r.inc[me] = l->cfg.incarnation;
	}
	write_record(l, &r);
}

/* Our own word: what came back to us is on our disk. */
static void hold_own(struct td_lease *l)
{
	struct key k = stands_by(l);

	l->peer[l->cfg.node_id].have =
		key_cmp(&k, &l->own_back) < 0 ? k : l->own_back;
}

/** What a majority holds binds alone. */
void record_settle(struct td_lease *l)
{
	uint64_t epoch = l->lead->own_epoch;

	if (!leads(l))
		return;
	hold_own(l);
	for (unsigned int k = l->n_bound; k-- > 1;) {
		uint32_t by = 0;

		for (uint32_t i = 1; i <= MAX_ID; i++) {
			const struct key *h = &l->peer[i].have;

			if (key_cmp(h, &l->bound[k].key) >= 0 &&
			    ((h->epoch == epoch &&
			      l->bound[k].key.epoch == epoch) ||
			     td_lease_bug(l, TD_BUG_OWN_EPOCH)))
				by |= BIT(i);
		}
		if (!quorum(l, by, l->bound, k + 1))
			continue;
		memmove(l->bound, l->bound + k,
			(l->n_bound - k) * sizeof(l->bound[0]));
		l->n_bound -= k;
		l->dirty = true;
		say_committed(l);
		return;
	}
}

/* members that cannot, or do not, acknowledge any more */
static uint32_t bad_members(const struct td_lease *l)
{
	const struct rec *r = last(l);
	uint32_t bad = 0;

	for (uint32_t i = 1; i <= MAX_ID; i++) {
		const struct peer *p = &l->peer[i];

		if (!(r->in_sync & BIT(i)) || i == l->cfg.node_id)
			continue;
		if (!(l->members & BIT(i)) || p->gone == r->inc[i] ||
		    (p->here && p->inc != r->inc[i]) ||
		    (p->slow_ms != NEVER &&
		     l->now_ms - p->slow_ms < UNACKED_MS))
			bad |= BIT(i);
	}
	return bad;
}

/* May the voters change to these now? Only if the new ones can say so: a
 * change that a majority of the new ones does not hold ends our own lease. */
static bool voters_can(const struct td_lease *l, uint32_t want)
{
	struct rec to = { .voters = want };
	uint32_t have = 0;

	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (!key_cmp(&l->peer[i].have, &last(l)->key))
			have |= BIT(i);
	return quorum(l, have & l->members, &to, 1);
}

/** The lead's duties: see who must leave the set, carry on a change of voters,
 *  tell who does not know. */
void record_mind(struct td_lease *l)
{
	const struct rec *r;
	uint32_t bad, want = l->want_voters;
	int64_t again = l->said_again < 10 ? SAY_AGAIN_MS : 10 * SAY_AGAIN_MS;

	if (!leads(l))
		return;
	record_settle(l);
	r = last(l);
	bad = bad_members(l);
	if (l->n_bound >= MAX_BOUND - 1 || !founded(l))
		bad = 0;
	if (bad) {
		record_change(l, r->in_sync & ~bad, r->voters, r->next);
	} else if (r->next && l->n_bound == 1) {
		record_change(l, r->in_sync, r->next, 0);
	} else if (!r->next && want && want != r->voters && l->n_bound == 1 &&
		   founded(l) && !td_lease_bug(l, TD_BUG_VOTERS) &&
		   voters_can(l, want)) {
		record_change(l, r->in_sync, r->voters, want);
	} else if (l->now_ms - l->said_ms > again) {
		for (uint32_t i = 1; i <= MAX_ID; i++)
			if ((l->members & BIT(i)) &&
			    key_cmp(&l->peer[i].have, &r->key) < 0) {
				l->said_again++;
				say_record(l);
				return;
			}
	}
}

/* --- everybody --- */

/* Does a newer record that names us mean that we hold all? Only if it has
 * named us without a break since one under which we did. */
static bool still_holds(const struct td_lease *l, const struct rec *r)
{
	uint32_t me = l->cfg.node_id;

	return l->synced && rec_names(r, me, l->cfg.incarnation) &&
	       (key_cmp(&r->since[me], &l->rec.key) <= 0 ||
		td_lease_bug(l, TD_BUG_SINCE));
}

void on_record(struct td_lease *l, uint32_t from, const Td__Record *m)
{
	bool named, held;
	struct rec r;
	int cmp;

	if (!rec_from_pb(m, &r) || !r.key.epoch) {
		l->st.refused++;
		return;
	}
	if (r.key.epoch < l->lead->epoch)
		return;
	if (leads(l) && from != l->cfg.node_id &&
	    r.key.epoch == l->lead->own_epoch) {
		l->st.refused++;
		return;
	}
	/* whoever writes at an epoch has a majority's promise for it */
	if (r.key.epoch > l->lead->epoch || l->lead->to != from)
		promise(l, l->lead, r.key.epoch, from);
	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (r.in_sync & BIT(i))
			l->peer[i].joining = false;
	named = rec_names(&r, l->cfg.node_id, l->cfg.incarnation);
	held = still_holds(l, &r);
	cmp = key_cmp(&r.key, &l->rec.key);
	if (cmp > 0 || (!cmp && from != l->cfg.node_id &&
			!rec_equal(&r, &l->rec))) {
		if (!cmp && l->n_bound)
			l->base = false;
		if (from != l->cfg.node_id)
			keep_bound(l, &r);
		adopt(l, &r);
		l->synced = held;
	}
	if (cmp >= 0 && named && l->live && !l->cfg.witness && !l->synced) {
		l->synced = true;
		l->dirty = true;
	}
	if (from != l->cfg.node_id)
		return;
	if (td_lease_bug(l, TD_BUG_MAJ_SET))
		for (unsigned int k = 1; k < l->n_bound; k++)
			if (!key_cmp(&l->bound[k].key, &r.key)) {
				memmove(l->bound, l->bound + k, (l->n_bound -
					k) * sizeof(l->bound[0]));
				l->n_bound -= k;
			}
	l->own_back = r.key;
	record_settle(l);
}

void on_committed(struct td_lease *l, uint32_t from, const Td__Committed *m)
{
	struct key key = { m->epoch, m->version };

	if (m->epoch < l->lead->epoch || from != l->lead->to || leads(l) ||
	    m->ring != l->ring)
		return;
	for (unsigned int k = 0; k < l->n_bound; k++) {
		if (key_cmp(&l->bound[k].key, &key))
			continue;
		memmove(l->bound, l->bound + k,
			(l->n_bound - k) * sizeof(l->bound[0]));
		l->n_bound -= k;
		l->base = true;
		l->dirty = true;
		return;
	}
}

/** Says that we are not in, and what we promised: the lead takes more. Who is
 * in but does not know which record binds asks for that. */
void lease_join(struct td_lease *l)
{
	Td__Join join = TD__JOIN__INIT;
	Td__Caught caught = TD__CAUGHT__INIT;
	Td__Ha ha = TD__HA__INIT;
	bool in;

	if (l->cfg.witness || leads(l) || !l->ring ||
	    l->now_ms - l->join_ms < JOIN_MS ||
	    l->members == BIT(l->cfg.node_id))
		return;
	in = l->synced &&
	     rec_names(&l->rec, l->cfg.node_id, l->cfg.incarnation);
	if (in && (l->base || !l->live))
		return;
	l->join_ms = l->now_ms;
	join.promised = l->lead->epoch;
	ha.what_case = TD__HA__WHAT_JOIN;
	ha.join = &join;
	if (!in)
		l->cfg.ops.say(l->cfg.ops.arg, &ha);
	if (!l->live)
		return;
	caught.ring = l->ring;
	ha.what_case = TD__HA__WHAT_CAUGHT;
	ha.caught = &caught;
	l->cfg.ops.say(l->cfg.ops.arg, &ha);
}

void on_join(struct td_lease *l, uint32_t from, const Td__Join *m)
{
	l->peer[from].joining = true;
	if (!leads(l) || from == l->cfg.node_id)
		return;
	if (m->promised > EPOCH_MAX) {
		l->st.refused++;
		return;
	}
	if (m->promised > l->lead->epoch) {
		if (l->lead->tried_ms == NEVER ||
		    l->now_ms - l->lead->tried_ms >= SAY_AGAIN_MS)
			say_take(l, l->lead, m->promised + 1);
		return;
	}
	tell_again(l);
}

/* Its view goes on in this ring: from now on what is released binds it. */
void on_caught(struct td_lease *l, uint32_t from, uint64_t inc,
	       const Td__Caught *m)
{
	struct rec r;

	if (td_lease_bug(l, TD_BUG_OWNER_ADDS) && m->ring == l->ring &&
	    l->rec.key.epoch && !rec_names(&l->rec, from, inc)) {
		r = l->rec;
		r.key.version++;
		r.in_sync |= BIT(from);
		r.inc[from] = inc;
		r.since[from] = r.key;
		l->n_bound = 0;
		keep_bound(l, &r);
		adopt(l, &r);
		l->synced |= from == l->cfg.node_id;
		return;
	}
	if (!leads(l) || m->ring != l->ring || from == l->cfg.node_id ||
	    !(l->members & BIT(from)) || l->peer[from].gone == inc ||
	    l->n_bound >= MAX_BOUND - 1 || !founded(l))
		return;
	/* it was taken out for being slow: not in and out all the time */
	if (l->peer[from].slow_ms != NEVER &&
	    l->now_ms - l->peer[from].slow_ms < SLOW_OUT_MS)
		return;
	if (rec_names(last(l), from, inc)) {
		tell_again(l);
		return;
	}
	r = *last(l);
	r.in_sync |= BIT(from);
	r.inc[from] = inc;
	r.since[from] = (struct key){ 0 };
	l->peer[from].slow_ms = NEVER;
	write_record(l, &r);
}

void on_slow(struct td_lease *l, uint32_t from, const Td__Slow *m)
{
	struct peer *p;

	if (!m->node || m->node > MAX_ID) {
		l->st.refused++;
		return;
	}
	p = &l->peer[m->node];
	if (!leads(l) || from == m->node ||
	    !rec_names(last(l), from, l->peer[from].inc))
		return;
	if (m->node == l->cfg.node_id) {
		/* the others move on and we do not: who does may lead */
		if (m->incarnation != l->cfg.incarnation || l->live)
			return;
		l->lead->shy_ms = l->now_ms + 1000;
		release(l, l->lead);
		return;
	}
	if (!rec_names(last(l), m->node, m->incarnation))
		return;
	p->slow_ms = l->now_ms;
	record_mind(l);
}
