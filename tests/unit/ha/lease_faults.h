/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_LEASE_FAULTS_H
#define TEST_LEASE_FAULTS_H

#include "ha/lease_world.h"

/* A daemon's life in lease_world.h's world, what can go wrong, and one random
 * schedule of it. */

/* --- a daemon's life --- */

static inline void d_want(struct daemon *d)
{
	bool want = d->shy_us < d->m->w->now_us;

	for (int u = 0; u < W_UNITS && !d->l->cfg.witness; u++)
		td_lease_want(d->l, m_clock(d->m), w_unit[u], want);
}

static inline void d_tick(struct world *w, struct ev *e)
{
	struct machine *m = &w->m[e->a];
	struct daemon *d = m->d;
	int64_t due;

	if (!d || d->inc != e->x)
		return;
	if (d->stopped_us || m->frozen_us) {
		d->late = true;
		return;
	}
	d->late = false;
	d_want(d);
	cl_tick(d);
	td_lease_tick(d->l, m_clock(m));
	cl_release(d);
	due = td_lease_due_ms(d->l) - m_clock(m);
	w_at(w, (double)(due < 1 ? 1 : due < TD_LEASE_HEARTBEAT_MS ? due :
			 TD_LEASE_HEARTBEAT_MS) / m->rate, d_tick, m->id, 0,
	     d->inc, NULL);
}

static inline void d_start(struct machine *m)
{
	struct world *w = m->w;
	struct daemon *d;
	Td__LeaseState *disk = NULL;
	struct td_lease_cfg cfg = {
		.node_id = m->id, .incarnation = ++w->incs,
		.witness = m->id == w->n && w->n > 1,
		.nodelist = (BIT(w->n + 1) - 1) & ~1U, .bugs = w->bugs,
		.ops = { op_say, op_udp, op_save, op_hold, op_off, op_changed },
	};

	if (!m->up || m->d)
		return;
	d = calloc(1, sizeof(*d));
	d->m = m;
	d->inc = cfg.incarnation;
	cfg.ops.arg = d;
	if (m->disk && td_lease_state_unpack(m->disk, m->n_disk, &disk))
		w_fail(w, "disk of %u", m->id);
	cfg.disk = disk;
	if (td_lease_new(&cfg, m_clock(m), &d->l))
		abort();
	td_lease_state_free(disk);
	m->d = d;
	w_mcast(m, msg_new(w, M_CJOIN, m->id, d->inc));
	w_at(w, w_real(w) * 50, d_tick, m->id, 0, d->inc, NULL);
}

static inline void d_end(struct machine *m)
{
	if (m->d) {
		td_lease_free(m->d->l);
		free(m->d);
	}
	m->d = NULL;
}

/* what has waited comes in any order of its sources */
static inline void d_thaw(struct daemon *d)
{
	struct queue udp = d->udpq, cpg = d->cpgq;
	unsigned int i = 0, k = 0;
	struct ev e = { .a = d->m->id, .x = d->inc };

	d->udpq.n = d->cpgq.n = 0;
	if (d->late && w_below(d->m->w, 2))
		d_tick(d->m->w, &e);
	while (i < udp.n || k < cpg.n) {
		if (i < udp.n && (k == cpg.n || w_below(d->m->w, 2)))
			d_handle(d, udp.m[i++]);
		else
			d_handle(d, cpg.m[k++]);
	}
	if (d->late)
		d_tick(d->m->w, &e);
}

/* --- links --- */

struct cut {
	int net;		/* 0, 1, 2: both, 3: heartbeats alone */
	uint32_t out, in;	/* bit id: pairs (out, in) that carry nothing */
};

static inline void cut_add(struct world *w, const struct cut *c, int by)
{
	for (uint32_t a = 1; a <= w->n; a++)
		for (uint32_t b = 1; b <= w->n; b++) {
			if (a == b || !(c->out & BIT(a)) || !(c->in & BIT(b)))
				continue;
			if (c->net == 3) {
				w->hb_cuts[a][b] += by;
				continue;
			}
			for (int k = 0; k < 2; k++)
				if (c->net == k || c->net == 2)
					w->cuts[k][a][b] += by;
		}
	w_topo(w);
}

static inline void f_mend(struct world *w, struct ev *e)
{
	struct cut c = { (int)e->x, e->a, e->b };

	cut_add(w, &c, -1);
}

static inline void f_cut(struct world *w, int net, uint32_t out, uint32_t in,
			 double ms)
{
	struct cut c = { net, out, in };

	w_tell(w, "*** cut net=%d %x>%x for %.0f", net, out, in, ms);
	cut_add(w, &c, 1);
	w_at(w, ms, f_mend, out, in, (uint64_t)net, NULL);
}

/* --- machines --- */

static inline void f_power_on(struct world *w, struct ev *e)
{
	struct machine *m = &w->m[e->a];

	if (m->up)
		return;
	w_tell(w, "*** power on %u", m->id);
	m->up = true;
	m->ring = ring_new(w, BIT(m->id));
	m->daemons = 0;
	d_start(m);
	w_topo(w);
}

static inline void f_power_off(struct world *w, uint32_t id, double ms)
{
	struct machine *m = &w->m[id];

	if (!m->up)
		return;
	w_tell(w, "*** power off %u for %.0f", id, ms);
	memset(m->drv, 0, sizeof(m->drv));
	m->up = false;
	m->frozen_us = 0;
	m->corosync = true;
	m->forming = NULL;
	m->out.n = 0;
	d_end(m);
	if (ms > 0)
		w_at(w, ms, f_power_on, id, 0, 0, NULL);
	w_topo(w);
}

static inline void f_thaw(struct world *w, struct ev *e)
{
	struct machine *m = &w->m[e->a];

	if ((uint64_t)m->frozen_us != e->x || !m->frozen_us)
		return;
	w_tell(w, "*** thaw %u", m->id);
	m->frozen_us = 0;
	for (int u = 0; u < W_UNITS; u++)
		if (m_tx(m, u))
			on_air(m, u);
	w_topo(w);
	if (m->d && !m->d->stopped_us)
		d_thaw(m->d);
}

static inline void f_freeze(struct world *w, uint32_t id, double ms)
{
	struct machine *m = &w->m[id];

	if (!m->up || m->frozen_us)
		return;
	w_tell(w, "*** freeze %u for %.0f", id, ms);
	m->frozen_us = w->now_us;
	w_at(w, ms, f_thaw, id, 0, (uint64_t)w->now_us, NULL);
	w_topo(w);
}

static inline void f_coro(struct world *w, struct ev *e)
{
	w->m[e->a].corosync = true;
	w_topo(w);
}

static inline void f_hang_corosync(struct world *w, uint32_t id, double ms)
{
	w_tell(w, "*** corosync of %u hangs for %.0f", id, ms);
	w->m[id].corosync = false;
	w_at(w, ms, f_coro, id, 0, 0, NULL);
	w_topo(w);
}

/* --- daemons --- */

static inline void guard_off(struct machine *m)
{
	for (int u = 0; u < W_UNITS; u++) {
		struct driver *x = &m->drv[u];
		Td__Released r = TD__RELEASED__INIT;
		Td__Ha ha = TD__HA__INIT;
		struct msg *msg;

		if (!x->epoch)
			continue;
		drv_revoke(m, u, x->epoch);
		r.unit = (char *)w_unit[u];
		r.epoch = x->epoch;
		r.node = m->id;
		ha.what_case = TD__HA__WHAT_RELEASED;
		ha.released = &r;
		msg = msg_new(m->w, M_HA, m->id, 0);
		if (td_ha_pack(&ha, &msg->buf, &msg->n))
			abort();
		w_mcast(m, msg);
	}
}

/* x 0: at once; else only if it hangs since then */
static inline void f_guard(struct world *w, struct ev *e)
{
	struct machine *m = &w->m[e->a];

	if (m->up && !m->frozen_us && m->id != w->n &&
	    (!e->x || (m->d && (uint64_t)m->d->stopped_us == e->x)))
		guard_off(m);
}

static inline void f_cont(struct world *w, struct ev *e)
{
	struct daemon *d = w->m[e->a].d;

	if (!d || d->inc != e->x)
		return;
	w_tell(w, "*** daemon of %u goes on", e->a);
	d->stopped_us = 0;
	if (!w->m[e->a].frozen_us)
		d_thaw(d);
}

static inline void f_stop(struct world *w, uint32_t id, double ms)
{
	struct daemon *d = w->m[id].d;

	if (!d || d->stopped_us)
		return;
	w_tell(w, "*** daemon of %u stops for %.0f", id, ms);
	d->stopped_us = w->now_us;
	w_at(w, 200, f_guard, id, 0, (uint64_t)w->now_us, NULL);
	w_at(w, ms, f_cont, id, 0, d->inc, NULL);
}

static inline void f_start(struct world *w, struct ev *e)
{
	d_start(&w->m[e->a]);
}

static inline void f_kill(struct world *w, uint32_t id, double ms)
{
	struct machine *m = &w->m[id];
	struct daemon *d = m->d;

	if (!d || m->frozen_us)
		return;
	w_tell(w, "*** daemon of %u is killed, starts in %.0f", id, ms);
	for (int u = 0; u < W_UNITS; u++)	/* closed descriptors */
		drv_revoke(m, u, m->drv[u].epoch);
	w_mcast(m, msg_new(w, M_CLEAVE, id, d->inc));
	d_end(m);
	w_at(w, 5, f_guard, id, 0, 0, NULL);
	w_at(w, ms, f_start, id, 0, 0, NULL);
}

static inline void f_voters(struct world *w, uint32_t mask)
{
	w_tell(w, "*** voters should be %x", mask);
	for each_machine(w, m)
		if (m->d && !m->d->stopped_us && !m->frozen_us)
			td_lease_want_voters(m->d->l, m_clock(m), mask);
}

static inline void f_voters_back(struct world *w, struct ev *e)
{
	f_voters(w, (BIT(w->n + 1) - 1) & ~1U);
}

/* --- a world --- */

static inline struct world *world_new(uint64_t seed, unsigned int n,
				      bool calm)
{
	struct world *w = calloc(1, sizeof(*w));
	static const double losses[] = { 0, .05, .3 }, slows[] = { 0, .02, .2 };

	w->rng = seed * 0x9e3779b97f4a7c15ULL + 0x1234567;
	w->n = n;
	w->calm = calm;
	w->now_us = 1000;
	for (int i = 0; i < 8; i++)
		w_rand(w);
	if (!calm) {
		w->loss = losses[w_below(w, 3)];
		w->slow = slows[w_below(w, 3)];
	}
	for (uint32_t i = 1; i <= n; i++) {
		struct machine *m = &w->m[i];

		*m = (struct machine){ .w = w, .id = i, .up = true,
				       .corosync = true };
		m->rate = 1 + (w_real(w) - .5) * 2e-3;
		m->off_us = (int64_t)(w_real(w) * 1e10);
		m->ring = ring_new(w, BIT(i));
		d_start(m);
	}
	w_topo(w);
	return w;
}

static inline void world_free(struct world *w)
{
	struct msg *m;
	struct ring *r;

	for each_machine(w, x) {
		d_end(x);
		free(x->disk);
	}
	while ((m = w->msgs)) {
		w->msgs = m->next;
		free(m->known);
		free(m->buf);
		free(m);
	}
	while ((r = w->ring_list)) {
		w->ring_list = r->next;
		free(r->log);
		free(r);
	}
	free(w->heap);
	free(w);
}

static inline void f_links(struct world *w, double ms)
{
	uint32_t all = (BIT(w->n + 1) - 1) & ~1U;
	uint32_t a = BIT(1 + w_below(w, w->n)), b = BIT(1 + w_below(w, w->n));
	static const int nets[] = { 2, 2, 3, 0, 1 };
	int net = nets[w_below(w, 5)];

	switch (w_below(w, 5)) {
	case 0:
		f_cut(w, net, a, all, ms);
		f_cut(w, net, all, a, ms);
		break;
	case 1:
		f_cut(w, net, a, all, ms);
		break;
	case 2:
		f_cut(w, net, all, a, ms);
		break;
	case 3:
		f_cut(w, net, a, b, ms);
		f_cut(w, net, b, a, ms);
		break;
	default:
		f_cut(w, net, a, b, ms);
	}
}

static inline void f_any(struct world *w, struct ev *e)
{
	static const int times[] = { 60, 300, 450, 700, 1500 };
	double ms = times[w_below(w, 5)] * (.7 + .5 * w_real(w));
	uint32_t id = 1 + (uint32_t)w_below(w, w->n);

	switch (w_below(w, 15)) {
	default:
		f_links(w, ms);
		break;
	case 5:
		f_power_off(w, id, ms);
		break;
	case 6:
		f_freeze(w, id, ms);
		break;
	case 7: case 8:
		f_stop(w, id, ms);
		break;
	case 9: case 10:
		f_kill(w, id, ms / 3);
		break;
	case 11:
		f_hang_corosync(w, id, ms);
		break;
	case 12:
		w_tell(w, "*** drain %u", id);
		if (w->m[id].d)
			w->m[id].d->shy_us = w->now_us + 1000000;
		break;
	case 13:
		f_voters(w, BIT(id) | (w_below(w, 2) ? 0 :
				       BIT(1 + w_below(w, w->n))));
		w_at(w, 4 * ms, f_voters_back, 0, 0, 0, NULL);
		break;
	case 14:
		w_tell(w, "*** regroup");
		w_at(w, 0, w_form, 0, 0, w_rand(w) & 0x3e, NULL);
	}
}

/** One random schedule; w->failed says what went wrong. */
static inline void world_schedule(struct world *w)
{
	static const int gaps[] = { 5, 100, 400, 900 };
	unsigned int n = 2 + (unsigned int)w_below(w, 6);

	w->loss = w->slow = 0;
	w_run(w, 2500);
	if (!w->calm) {
		static const double losses[] = { 0, .05, .3 };

		w->loss = losses[w_below(w, 3)];
		w->slow = losses[w_below(w, 3)] / 1.5;
	}
	while (n--) {
		struct ev e = { 0 };

		f_any(w, &e);
		w_run(w, gaps[w_below(w, 4)] * (.2 + .8 * w_real(w)));
	}
	w_run(w, 1500);
}

#endif
