/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_LEASE_WORLD_H
#define TEST_LEASE_WORLD_H

#include "cluster/sync.h"
#include "ha/lease_net.h"

/* The daemons of lease_net.h's world: the lease machine under a cluster of
 * three lines (a view is a set of ops), driver and guard; and what must hold:
 *  I1 never two transmitters of a unit
 *  I2 whoever transmits knows every effect that was released
 *  I3 nobody takes, or goes on, whom a record that counts leaves out
 *  I4 epochs grow in the order of transmission */

enum { W_UNITS = 3, W_PENDING = 64 };
static const char *const w_unit[W_UNITS] = { "lead", "s1", "s2" };

struct daemon {
	struct machine *m;
	struct td_lease *l;
	uint64_t inc;
	bool in;			/* corosync has told it so itself */
	int64_t stopped_us;		/* 0: it runs */
	bool late;			/* a tick is due since */
	struct queue udpq, cpgq;
	/* the cluster */
	struct ring *ring;
	uint32_t members;
	uint64_t incs[W_MAX + 1], round, lineage;
	bool live, elected, cold;
	struct msg *hello[W_MAX + 1];
	struct queue early;		/* ops that a snapshot may not have */
	struct opset known;
	struct {
		uint64_t op;
		int64_t at_ms;
		uint32_t by;
	} pending[W_PENDING];
	unsigned int n_pending;
	int64_t shy_us, hello_ms;
};

static inline bool knows(const struct opset *s, uint64_t op)
{
	return s->bit[op / 64] >> (op % 64) & 1;
}
static inline void learn(struct opset *s, uint64_t op)
{
	s->bit[op / 64] |= 1ULL << (op % 64);
}
static inline unsigned int size_of(const struct opset *s)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < W_OPS / 64; i++)
		n += (unsigned int)__builtin_popcountll(s->bit[i]);
	return n;
}

static uint64_t joined_inc(const struct machine *m)
{
	return m->d && m->d->in ? m->d->inc : 0;
}

/* --- driver and oracle --- */

static inline bool m_tx(const struct machine *m, int u)
{
	return m->up && !m->frozen_us && m->drv[u].until_ms > m_clock(m);
}

/* m transmits: does it know all, is it in? */
static inline void check_standing(struct machine *m, int u)
{
	struct world *w = m->w;

	if (!m->d)
		return;
	for (unsigned int i = 0; i < W_OPS / 64; i++) {
		uint64_t lost = w->released.bit[i] & ~m->d->known.bit[i];

		if (!lost)
			continue;
		w_fail(w, "I2 %u has %s without effect %u", m->id, w_unit[u],
		       i * 64 + (unsigned int)__builtin_ctzll(lost));
		return;
	}
	/* an addition counts once it is delivered */
	if (w->committed.key.epoch &&
	    !rec_names(&w->committed, m->id, m->d->inc) &&
	    (key_cmp(&m->d->l->rec.key, &w->committed.key) <= 0 ||
	     !rec_names(&m->d->l->rec, m->id, m->d->inc)))
		w_fail(w, "I3 %u has %s, out of the set", m->id, w_unit[u]);
}

static inline void on_air(struct machine *m, int u)
{
	struct world *w = m->w;
	uint64_t epoch = m->drv[u].epoch;

	for each_machine(w, o)
		if (o != m && m_tx(o, u))
			w_fail(w, "I1 %s at %u, epoch %llu, beside %u's %llu",
			       w_unit[u], m->id, (unsigned long long)epoch,
			       o->id, (unsigned long long)o->drv[u].epoch);
	if (w->air[u].epoch == epoch && w->air[u].owner == m->id)
		return;
	w_tell(w, "%u transmits %s at epoch %llu", m->id, w_unit[u],
	       (unsigned long long)epoch);
	if (epoch <= w->air[u].epoch)
		w_fail(w, "I4 %s: epoch %llu of %u after %llu", w_unit[u],
		       (unsigned long long)epoch, m->id,
		       (unsigned long long)w->air[u].epoch);
	w->air[u].epoch = epoch;
	w->air[u].owner = m->id;
	w->cover.takes++;
	if (u)			/* the lead's: once its first record is said */
		check_standing(m, u);
}

static inline void drv_renew(struct machine *m, int u, uint64_t epoch,
			     int64_t until)
{
	struct driver *x = &m->drv[u];

	if (epoch <= x->dead ||
	    (epoch == x->epoch && x->until_ms <= m_clock(m)) ||
	    epoch < x->epoch)
		return;
	x->until_ms = epoch == x->epoch && until < x->until_ms ? x->until_ms :
		      until;
	x->epoch = epoch;
	if (m_tx(m, u))
		on_air(m, u);
}

static inline void drv_revoke(struct machine *m, int u, uint64_t epoch)
{
	struct driver *x = &m->drv[u];

	if (epoch > x->dead)
		x->dead = epoch;
	if (x->epoch <= epoch)
		x->until_ms = NEVER;
}

static inline int unit_nr(const char *name)
{
	for (int u = 0; u < W_UNITS; u++)
		if (!strcmp(name, w_unit[u]))
			return u;
	abort();
}

/* --- what the lease machine does --- */

static inline void op_say(void *arg, const Td__Ha *ha)
{
	struct daemon *d = arg;
	struct msg *m = msg_new(d->m->w, M_HA, d->m->id, d->inc);

	if (td_ha_pack(ha, &m->buf, &m->n)) {
		w_fail(d->m->w, "the codec refuses what %u says", d->m->id);
		return;
	}
	if (ha->what_case == TD__HA__WHAT_RECORD &&
	    rec_from_pb(ha->record, &m->rec)) {
		struct world *w = d->m->w;
		const struct rec *r = &m->rec;
		bool first = r->key.epoch > w->committed.key.epoch &&
			     !key_cmp(&r->since[d->m->id], &r->key) &&
			     r->in_sync == BIT(d->m->id);

		w->cover.records++;
		w_tell(w, "%u says record %llu/%llu sync=%x voters=%x/%x",
		       d->m->id, (unsigned long long)r->key.epoch,
		       (unsigned long long)r->key.version, r->in_sync,
		       r->voters, r->next);
		if (first) {	/* founding, or cold: what was is lost */
			memset(&w->released, 0, sizeof(w->released));
			w->committed = (struct rec){ 0 };
			w->cover.cold++;
		}
		if (r->key.epoch == d->m->drv[0].epoch && m_tx(d->m, 0))
			check_standing(d->m, 0);
	} else {
		w_tell(d->m->w, "%u says %d", d->m->id, ha->what_case);
	}
	w_mcast(d->m, m);
}

static inline void op_udp(void *arg, uint32_t to, const Td__Heartbeat *hb)
{
	struct daemon *d = arg;
	struct msg *m = msg_new(d->m->w, M_UDP, d->m->id, d->inc);

	m->to = to;
	if (td_heartbeat_pack(hb, &m->buf, &m->n))
		w_fail(d->m->w, "the codec refuses a heartbeat");
	else
		w_udp(d->m->w, m);
}

static inline void op_save(void *arg, const Td__LeaseState *s)
{
	struct machine *m = ((struct daemon *)arg)->m;

	free(m->disk);
	m->disk = NULL;
	if (td_lease_state_pack(s, &m->disk, &m->n_disk))
		w_fail(m->w, "the codec refuses what is to be saved");
}

static inline void op_hold(void *arg, const char *unit, uint64_t epoch,
			   int64_t until_ms)
{
	drv_renew(((struct daemon *)arg)->m, unit_nr(unit), epoch, until_ms);
}

static inline void op_off(void *arg, const char *unit, uint64_t epoch)
{
	drv_revoke(((struct daemon *)arg)->m, unit_nr(unit), epoch);
}

static inline void cl_release(struct daemon *d);

static inline void op_changed(void *arg)
{
	struct daemon *d = arg;
	struct world *w = d->m->w;
	const struct td_lease *l = d->l;

	if (l->lead->active && l->n_bound == 1 && m_tx(d->m, 0) &&
	    key_cmp(&l->bound[0].key, &w->committed.key) > 0) {
		w->committed = l->bound[0];
		w_tell(w, "committed %llu/%llu sync=%x",
		       (unsigned long long)w->committed.key.epoch,
		       (unsigned long long)w->committed.key.version,
		       w->committed.in_sync);
		for each_machine(w, m)
			for (int u = 0; u < W_UNITS; u++)
				if (m_tx(m, u))
					check_standing(m, u);
	}
}

/* --- the cluster: Hellos, a view, ops and effects --- */

static inline struct msg *cl_msg(struct daemon *d, enum msg_kind kind)
{
	struct msg *m = msg_new(d->m->w, kind, d->m->id, d->inc);

	m->lineage = d->lineage;
	m->round = d->round;
	return m;
}

static inline void cl_live(struct daemon *d, bool live)
{
	if (!live)
		d->n_pending = 0;
	d->live = live;
	td_lease_live(d->l, m_clock(d->m), live);
}

static inline void cl_snap(struct daemon *d)
{
	struct msg *m = cl_msg(d, M_SNAP);

	m->known = malloc(sizeof(*m->known));
	*m->known = d->known;
	w_mcast(d->m, m);
}

static inline void cl_decide(struct daemon *d)
{
	struct td_claim claims[TD_NODE_MAX_ID + 1] = { 0 };
	struct td_verdict v;
	uint32_t live = 0;

	for (uint32_t i = 1; i <= d->m->w->n; i++) {
		const struct msg *h = d->hello[i];
		struct rec_pb pb;

		if (!(d->members & BIT(i)))
			continue;
		if (!h)
			return;
		if (h->live)
			live |= BIT(i);
		claims[i] = (struct td_claim){
			.said = true, .live = h->live, .lineage = 1,
			.n = 1 + size_of(h->known), .together = BIT(i),
			.lacks = h->lacks, .witness = i == d->m->w->n &&
			i > 1, .life = h->inc,
		};
		rec_to_pb(&h->rec, &pb);
		td_sync_record_read(&pb.r, &claims[i].record);
	}
	if (d->m->id == d->m->w->n && d->m->w->n > 1)
		return;			/* the witness */
	if (live) {
		if (live & BIT(d->m->id) && !(live & (BIT(d->m->id) - 1)) &&
		    live != d->members)
			cl_snap(d);
		return;
	}
	td_sync_decide(claims, d->members, 0,
		       2 * __builtin_popcount(d->members) > (int)d->m->w->n,
		       &v);
	d->elected = v.what == TD_VERDICT_GO;
	d->lineage = d->round;
	if (!d->elected || v.winner != d->m->id)
		return;
	cl_live(d, true);
	cl_snap(d);
}

static inline void cl_hello(struct daemon *d)
{
	struct msg *m = cl_msg(d, M_HELLO);

	d->hello_ms = m_clock(d->m);
	m->live = d->live;
	m->lacks = !td_lease_synced(d->l);
	m->rec = d->l->rec;
	m->known = malloc(sizeof(*m->known));
	*m->known = d->known;
	w_mcast(d->m, m);
}

static inline void cl_members(struct daemon *d, const struct msg *m)
{
	uint32_t left = d->ring == m->ring ? m->left : 0;
	bool fresh = d->ring != m->ring || (m->members & ~d->members);

	if (d->ring != m->ring)
		d->n_pending = 0;
	if (d->ring != m->ring && d->live)
		d->live = false;
	d->ring = m->ring;
	d->members = m->members;
	for (uint32_t i = 1; i <= d->m->w->n; i++)
		for (unsigned int k = 0; k < d->n_pending; k++)
			if (d->incs[i] != m->incs[i])
				d->pending[k].by &= ~BIT(i);
	memcpy(d->incs, m->incs, sizeof(d->incs));
	d->round = m->ring->id * 1000003;
	for (uint32_t i = 1; i <= d->m->w->n; i++)
		if (m->members & BIT(i))
			d->round = (d->round + i * 7919 + m->incs[i]) *
				   0x9e3779b97f4a7c15ULL;
	memset(d->hello, 0, sizeof(d->hello));
	d->elected = false;
	d->early.n = 0;
	td_lease_ring(d->l, m_clock(d->m), m->ring->id, m->members, left,
		      2 * __builtin_popcount(m->members) > (int)d->m->w->n);
	if (d->live && !td_lease_quorum(d->l, d->members, true))
		cl_live(d, false);
	if (fresh || !d->live)
		cl_hello(d);
	cl_release(d);
}

static inline void cl_release(struct daemon *d)
{
	uint32_t need = td_lease_needed(d->l);
	struct world *w = d->m->w;

	for (unsigned int i = 0; i < d->n_pending && d->live;) {
		if (!d->pending[i].at_ms || need & ~d->pending[i].by) {
			i++;
			continue;
		}
		learn(&w->released, d->pending[i].op);
		w->cover.effects++;
		d->pending[i] = d->pending[--d->n_pending];
		for each_machine(w, m)
			for (int u = 0; u < W_UNITS; u++)
				if (m_tx(m, u))
					check_standing(m, u);
	}
}

static inline void cl_op(struct daemon *d, const struct msg *m)
{
	struct msg *ack;

	if (!d->live) {
		q_add(&d->early, (struct msg *)m);
		return;
	}
	if (m->lineage != d->lineage)
		return;
	learn(&d->known, m->op);
	for (unsigned int i = 0; i < d->n_pending; i++)
		if (d->pending[i].op == m->op && m->from == d->m->id)
			d->pending[i].at_ms = m_clock(d->m);
	if (m->from == d->m->id)
		return;
	ack = cl_msg(d, M_ACK);
	ack->op = m->op;
	w_mcast(d->m, ack);
}

/* an acknowledgement counts from the life that is in the ring; that another
 * one is named makes nobody's word enough */
static inline void cl_ack(struct daemon *d, const struct msg *m)
{
	for (unsigned int i = 0; i < d->n_pending; i++)
		if (d->pending[i].op == m->op && m->lineage == d->lineage &&
		    m->inc == d->incs[m->from])
			d->pending[i].by |= BIT(m->from);
}

static inline void cl_snapped(struct daemon *d, const struct msg *m)
{
	if (d->live || m->round != d->round || m->from == d->m->id ||
	    (d->m->id == d->m->w->n && d->m->w->n > 1))
		return;
	d->known = *m->known;
	d->lineage = m->lineage;
	for (unsigned int i = 0; i < d->early.n; i++)
		if (d->early.m[i]->lineage == m->lineage)
			learn(&d->known, d->early.m[i]->op);
	d->early.n = 0;
	cl_live(d, true);
}

static inline void cl_tick(struct daemon *d)
{
	struct world *w = d->m->w;
	int64_t now = m_clock(d->m);
	uint32_t need = td_lease_needed(d->l), slow = 0;

	if (d->live && w->ops + 1 < W_OPS && d->n_pending < W_PENDING) {
		struct msg *m = cl_msg(d, M_OP);

		m->op = ++w->ops;
		d->pending[d->n_pending].op = m->op;
		d->pending[d->n_pending].at_ms = 0;
		d->pending[d->n_pending++].by = 0;
		w_mcast(d->m, m);
	}
	/* as the cluster does: a record that came later may decide */
	if (!d->live && d->ring && now - d->hello_ms >= 1000) {
		d->elected = false;
		cl_hello(d);
	}
	for (unsigned int i = 0; i < d->n_pending; i++)
		if (d->pending[i].at_ms && now - d->pending[i].at_ms > 300)
			slow |= need & ~d->pending[i].by;
	for (uint32_t k = 1; k <= w->n; k++)
		if (slow & BIT(k))
			td_lease_slow(d->l, now, k);
}

/* --- a daemon --- */

static inline void d_handle(struct daemon *d, struct msg *m)
{
	int64_t now = m_clock(d->m);
	Td__Heartbeat *hb;
	Td__Ha *ha;

	switch (m->kind) {
	case M_UDP:
		if (!td_heartbeat_unpack(m->buf, m->n, &hb)) {
			td_lease_udp(d->l, now, hb);
			td_heartbeat_free(hb);
		}
		break;
	case M_HA:
		if (!td_ha_unpack(m->buf, m->n, &ha)) {
			td_lease_deliver(d->l, now, m->from, m->inc, ha);
			td_ha_free(ha);
		}
		break;
	case M_CONF:
		cl_members(d, m);
		break;
	case M_HELLO:
		if (m->round != d->round)
			break;
		d->hello[m->from] = m;
		if (!d->elected)
			cl_decide(d);
		break;
	case M_SNAP:
		cl_snapped(d, m);
		break;
	case M_OP:
		cl_op(d, m);
		break;
	case M_ACK:
		cl_ack(d, m);
		break;
	default:
		break;
	}
	cl_release(d);
}

static void cpg_in(struct machine *m, struct msg *msg)
{
	struct daemon *d = m->d;

	if (!d)
		return;
	if (msg->kind == M_CONF && msg->from == m->id && msg->inc == d->inc)
		d->in = true;
	if (!d->in)
		return;
	if (d->stopped_us)
		q_add(&d->cpgq, msg);
	else
		d_handle(d, msg);
}

static void udp_in(struct world *w, struct ev *e)
{
	struct machine *m = &w->m[e->a];
	struct msg *msg = e->p;

	if (!m->up || !m->d || (m->frozen_us && w_below(w, 2)))
		return;
	if (m->d->stopped_us || m->frozen_us)
		q_add(&m->d->udpq, msg);
	else
		d_handle(m->d, msg);
}

#endif
