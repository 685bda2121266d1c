// SPDX-License-Identifier: GPL-2.0-or-later
/* Heartbeats and their answers (failover.md, "Leases", rule 2): the right to
 * go on is 400 ms from the sending of what a majority has granted. */
#include "ha/lease_priv.h"

static uint32_t peers(const struct td_lease *l)
{
	uint32_t all = l->cfg.nodelist | l->rec.voters | l->rec.next |
		       l->rec.in_sync;

	return all & ~BIT(l->cfg.node_id) & ~BIT(0);
}

/* what of this heartbeat is granted by a majority extends the lease */
static void granted(struct td_lease *l, struct unit *u, uint64_t seq)
{
	unsigned int k = seq % BEATS;
	int64_t from = td_lease_bug(l, TD_BUG_FROM_SEND) ? l->now_ms :
		       l->sent_ms[k];
	uint64_t epoch = u->beat[k].epoch;

	if (u->beat[k].seq != seq || u->to != l->cfg.node_id ||
	    (epoch != u->epoch && !td_lease_bug(l, TD_BUG_EPOCH_ACKS)) ||
	    !quorum_bound(l, u->beat[k].by))
		return;
	if (u->lease_epoch != u->epoch) {
		u->lease_epoch = u->epoch;
		u->lease_until_ms = NEVER;
	}
	if (from + TD_LEASE_LEASE_MS > u->lease_until_ms)
		u->lease_until_ms = from + TD_LEASE_LEASE_MS;
	if (u->active && u->own_epoch == u->lease_epoch)
		renew(l, u);
	if (u->taking)
		try_take(l, u);
}

/** One heartbeat to each peer, with all that we own or are taking. */
void beat(struct td_lease *l)
{
	unsigned int k = ++l->seq % BEATS;
	Td__Heartbeat m = TD__HEARTBEAT__INIT;
	Td__RecordKey held = TD__RECORD_KEY__INIT;

	l->sent_ms[k] = l->beat_ms = l->now_ms;
	l->beat_soon = false;
	for (unsigned int i = 0; i < l->n_units; i++) {
		struct unit *u = l->unit[i];
		Td__Claim *c = &l->claim[m.n_claims];

		if (u->to != l->cfg.node_id || !(u->active || u->taking))
			continue;
		u->beat[k].seq = l->seq;
		u->beat[k].epoch = u->epoch;
		u->beat[k].by = BIT(l->cfg.node_id);
		td__claim__init(c);
		c->unit = u->name;
		c->epoch = u->epoch;
		c->held = u->active && u->own_epoch == u->epoch;
		l->claims[m.n_claims++] = c;
	}
	if (m.n_claims) {
		l->peer[l->cfg.node_id].grant_ms = l->now_ms;
		l->peer[l->cfg.node_id].grant_inc = l->cfg.incarnation;
	}
	held.epoch = l->rec.key.epoch;
	held.version = l->rec.key.version;
	m.from = l->cfg.node_id;
	m.incarnation = l->cfg.incarnation;
	m.seq = l->seq;
	m.claims = l->claims;
	m.held = &held;
	for (uint32_t i = 1; i <= MAX_ID; i++) {
		if (!(peers(l) & BIT(i)))
			continue;
		l->st.heartbeats_out++;
		l->cfg.ops.udp(l->cfg.ops.arg, i, &m);
	}
	for (unsigned int i = 0; i < l->n_units; i++)
		granted(l, l->unit[i], l->seq);
}

/** Somebody would grant now what it did not before: do not wait for the next
 *  tick, but do not send one for each of many units either. */
void beat_for(struct td_lease *l)
{
	if (l->beat_ms == NEVER || l->now_ms - l->beat_ms >= 2)
		beat(l);
	else
		l->beat_soon = true;
}

/* --- another's heartbeat --- */

static bool grants(struct td_lease *l, uint32_t from, const struct unit *u,
		   const Td__Claim *c, const struct key *held)
{
	if (td_lease_bug(l, TD_BUG_EPOCH_ACKS))
		return true;
	/* by its older record it might count us where we do not count */
	if (key_cmp(&l->rec.key, held) > 0 &&
	    !td_lease_bug(l, TD_BUG_NEWER_RECORD))
		return false;
	return c->epoch && c->epoch == u->epoch && from == u->to;
}

/* Who was away when a unit changed hands learns it from the owner: a majority
 * has promised that epoch to it, so nobody else ever holds it. The lead's
 * comes with its record. */
static struct unit *learn(struct td_lease *l, uint32_t from,
			  const Td__Claim *c)
{
	struct unit *u = unit_find(l, c->unit);

	if (!u && c->held)
		u = unit_get(l, c->unit);
	if (u && !u->lead && c->held && c->epoch > u->epoch &&
	    c->epoch <= EPOCH_MAX)
		promise(l, u, c->epoch, from);
	return u;
}

static void heard_claims(struct td_lease *l, const Td__Heartbeat *m,
			 const struct key *held, Td__Heartbeat *answer)
{
	struct peer *p = &l->peer[m->from];

	for (size_t i = 0; i < m->n_claims; i++) {
		const Td__Claim *c = m->claims[i];
		struct unit *u = learn(l, m->from, c);
		Td__Claim *g = &l->claim[answer->n_granted];
		uint64_t top = c->epoch;

		if (!u)
			continue;
		u->heard_ms = l->now_ms;
		u->heard_held = c->held;
		if (!grants(l, m->from, u, c, held))
			continue;
		if (u->to == m->from && u->epoch > top)
			top = u->epoch;
		u->acked[m->from].at_ms = l->now_ms;
		u->acked[m->from].epoch = top;
		p->grant_ms = l->now_ms;
		p->grant_inc = m->incarnation;
		td__claim__init(g);
		g->unit = u->name;
		g->epoch = c->epoch;
		l->claims[answer->n_granted++] = g;
	}
}

static void heard_beat(struct td_lease *l, const Td__Heartbeat *m,
		       const struct key *held)
{
	Td__Heartbeat a = TD__HEARTBEAT__INIT;
	Td__RecordKey mine = TD__RECORD_KEY__INIT;
	struct peer *p = &l->peer[m->from];
	struct key k;

	if (p->held_inc != m->incarnation) {
		p->held_inc = m->incarnation;
		p->held = *held;
	} else if (key_cmp(held, &p->held) > 0) {
		p->held = *held;
	}
	a.granted = l->claims;
	heard_claims(l, m, held, &a);
	k = stands_by(l);
	mine.epoch = k.epoch;
	mine.version = k.version;
	a.from = l->cfg.node_id;
	a.incarnation = l->cfg.incarnation;
	a.to_incarnation = m->incarnation;
	a.to_seq = m->seq;
	a.held = &mine;
	a.top = l->top;
	l->cfg.ops.udp(l->cfg.ops.arg, m->from, &a);
}

/* --- an answer to one of ours --- */

static void heard_answer(struct td_lease *l, const Td__Heartbeat *m,
			 const struct key *held)
{
	struct peer *p = &l->peer[m->from];
	unsigned int k = m->to_seq % BEATS;

	/* another life may have another disk */
	if (key_cmp(held, &p->have) > 0 || p->have_inc != m->incarnation)
		p->have = *held;
	p->have_inc = m->incarnation;
	if (m->top > l->top)
		l->top = m->top;
	if (m->to_incarnation == l->cfg.incarnation && m->to_seq &&
	    m->to_seq <= l->seq && l->seq - m->to_seq < BEATS) {
		for (size_t i = 0; i < m->n_granted; i++) {
			struct unit *u = unit_find(l, m->granted[i]->unit);

			if (!u || u->beat[k].seq != m->to_seq ||
			    u->beat[k].epoch != m->granted[i]->epoch)
				continue;
			u->beat[k].by |= BIT(m->from);
			granted(l, u, m->to_seq);
		}
	} else {
		l->st.stale_acks++;
	}
	record_settle(l);
}

static bool sound(const struct td_lease *l, const Td__Heartbeat *m)
{
	if (!m->from || m->from > MAX_ID || m->from == l->cfg.node_id ||
	    !(BIT(m->from) & peers(l)) || m->top > EPOCH_MAX ||
	    (m->held && (m->held->epoch > EPOCH_MAX ||
			 m->held->version > EPOCH_MAX)) ||
	    m->n_claims > TD_VIEW_MAX_UNITS ||
	    m->n_granted > TD_VIEW_MAX_UNITS)
		return false;
	for (size_t i = 0; i < m->n_claims; i++)
		if (m->claims[i]->epoch > EPOCH_MAX)
			return false;
	return true;
}

void heard(struct td_lease *l, const Td__Heartbeat *m)
{
	struct key held = { 0 };

	l->st.heartbeats_in++;
	if (!sound(l, m)) {
		l->st.refused++;
		return;
	}
	if (m->held)
		held = (struct key){ m->held->epoch, m->held->version };
	if (m->seq)
		heard_beat(l, m, &held);
	else
		heard_answer(l, m, &held);
}
