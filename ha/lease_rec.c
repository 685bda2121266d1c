// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/lease_priv.h"

static bool ids(const uint32_t *id, size_t n, uint32_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (!id[i] || id[i] > MAX_ID || (*out & BIT(id[i])))
			return false;
		*out |= BIT(id[i]);
	}
	return true;
}

/** @return false: nobody of sound mind says that */
bool rec_from_pb(const Td__Record *m, struct rec *out)
{
	struct rec r = { .key = { m->epoch, m->version }, .floor = m->floor };

	if (m->epoch > EPOCH_MAX || m->version > EPOCH_MAX ||
	    m->floor > EPOCH_MAX || !m->n_voters ||
	    !ids(m->voters, m->n_voters, &r.voters) ||
	    !ids(m->voters_next, m->n_voters_next, &r.next) ||
	    (m->epoch && !m->n_in_sync) || (!m->epoch && m->n_in_sync))
		return false;
	for (size_t i = 0; i < m->n_in_sync; i++) {
		const Td__Member *x = m->in_sync[i];

		if (!x->id || x->id > MAX_ID || (r.in_sync & BIT(x->id)) ||
		    x->since_epoch > m->epoch)
			return false;
		r.in_sync |= BIT(x->id);
		r.inc[x->id] = x->incarnation;
		r.since[x->id] = (struct key){ x->since_epoch,
					       x->since_version };
	}
	*out = r;
	return true;
}

static size_t list(uint32_t mask, uint32_t *out)
{
	size_t n = 0;

	for (uint32_t i = 1; i <= MAX_ID; i++)
		if (mask & BIT(i))
			out[n++] = i;
	return n;
}

void rec_to_pb(const struct rec *r, struct rec_pb *out)
{
	size_t n = 0;

	td__record__init(&out->r);
	out->r.epoch = r->key.epoch;
	out->r.version = r->key.version;
	out->r.floor = r->floor;
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		if (!(r->in_sync & BIT(i)))
			continue;
		td__member__init(&out->member[n]);
		out->member[n].id = i;
		out->member[n].incarnation = r->inc[i];
		out->member[n].since_epoch = r->since[i].epoch;
		out->member[n].since_version = r->since[i].version;
		out->members[n] = &out->member[n];
		n++;
	}
	out->r.in_sync = out->members;
	out->r.n_in_sync = n;
	out->r.voters = out->voters;
	out->r.n_voters = list(r->voters, out->voters);
	out->r.voters_next = out->next;
	out->r.n_voters_next = list(r->next, out->next);
}

struct rec rec_blank(const struct td_lease *l)
{
	return (struct rec){ .voters = l->cfg.nodelist };
}

bool rec_equal(const struct rec *a, const struct rec *b)
{
	return !key_cmp(&a->key, &b->key) && a->floor == b->floor &&
	       a->in_sync == b->in_sync && a->voters == b->voters &&
	       a->next == b->next && !memcmp(a->inc, b->inc, sizeof(a->inc));
}

static bool majority(uint32_t votes, uint32_t of)
{
	return 2 * __builtin_popcount(votes & of) > __builtin_popcount(of);
}

/** A majority of the voters of each of n records; of old and new voters where
 *  a change is on its way. */
bool quorum(const struct td_lease *l, uint32_t votes, const struct rec *r,
	    unsigned int n)
{
	if (td_lease_bug(l, TD_BUG_VOTERS)) {
		uint32_t of = l->want_voters ? l->want_voters :
			l->cfg.nodelist;

		return 2 * __builtin_popcount(votes) > __builtin_popcount(of);
	}
	for (unsigned int i = 0; i < n; i++) {
		if (td_lease_bug(l, TD_BUG_JOINT)) {
			if (!majority(votes, r[i].next ? r[i].next :
				      r[i].voters))
				return false;
			continue;
		}
		if (!majority(votes, r[i].voters) ||
		    (r[i].next && !majority(votes, r[i].next)))
			return false;
	}
	return true;
}

bool quorum_bound(const struct td_lease *l, uint32_t votes)
{
	return quorum(l, votes, l->bound, l->n_bound);
}

/** Record and promises, to be on disk before what is said from now on. */
void save(struct td_lease *l)
{
	Td__LeaseState s = TD__LEASE_STATE__INIT;
	struct rec_pb stood;
	size_t n = 0;

	for (unsigned int i = 0; i < l->n_units; i++) {
		struct unit *u = l->unit[i];

		if (!u->epoch)
			continue;
		td__promise__init(&l->promise[n]);
		l->promise[n].unit = u->name;
		l->promise[n].epoch = u->epoch;
		l->promise[n].to = u->to;
		l->promises[n] = &l->promise[n];
		n++;
	}
	if (l->rec.key.epoch)
		s.record = &l->rec_pb.r;
	l->stood_saved = l->stood.key.epoch &&
			 key_cmp(&l->stood.key, &l->rec.key);
	if (l->stood_saved) {
		rec_to_pb(&l->stood, &stood);
		s.stands = &stood.r;
	}
	s.promises = l->promises;
	s.n_promises = n;
	l->st.saves++;
	l->cfg.ops.save(l->cfg.ops.arg, &s);
}
