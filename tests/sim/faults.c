// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "tests/sim/world.h"

/* What befalls a world, and how long it lasts. Each seed has a climate of its
 * own: which faults are frequent in it, which never come, so that the rare
 * ones get their chance to meet. */

static struct sim_machine *any(struct sim *s)
{
	return &s->m[sim_below(&s->rng, s->n)];
}

static int64_t how_long(struct sim *s)
{
	int64_t us = sim_pick(&s->rng, 60, 300, 450, 700, 1500) * SIM_MS;

	return sim_between(&s->rng, us * 7 / 10, us * 12 / 10);
}

/* --- networks --- */

static void cut_by(struct sim *s, int net, uint32_t a, uint32_t b, int by)
{
	if (net != SIM_BOTH) {
		s->cut[net][a][b] += by;
		return;
	}
	for (int k = 0; k < SIM_NETS; k++)
		s->cut[k][a][b] += by;
}

static void mend(struct sim *s, const struct sim_arg *a)
{
	int net = (int)a->v - 1;

	if (s->cuts_mended > a->u)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t j = 0; j < s->n; j++)
			if (a->w >> i & 1 && (uintptr_t)a->p >> j & 1 && i != j)
				cut_by(s, net, i, j, -1);
	sim_tell(s, "*** a cut is mended");
	sim_topo(s);
}

static void cut(struct sim *s, int net, uint32_t from, uint32_t to,
		int64_t us)
{
	sim_tell(s, "*** cut of %s from %x to %x, %lld ms",
		 net == SIM_NETS ? "heartbeats" :
		 net == SIM_BOTH ? "both networks" : "one network", from, to,
		 (long long)(us / SIM_MS));
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t j = 0; j < s->n; j++)
			if (from >> i & 1 && to >> j & 1 && i != j)
				cut_by(s, net, i, j, 1);
	sim_after(s, us, mend, (struct sim_arg){
		.p = (void *)(uintptr_t)to, .u = s->cuts_made++,
		.v = (uint32_t)(net + 1), .w = from });
	sim_topo(s);
}

static void fault_cut(struct sim *s, int net)
{
	uint32_t one = 1U << sim_below(&s->rng, s->n);
	uint32_t all = (1U << s->n) - 1, other = all & ~one;
	int64_t us = how_long(s);

	if (sim_below(&s->rng, 3) == 0)
		other = 1U << sim_below(&s->rng, s->n);
	if (other == one)
		other = all & ~one;
	s->cover.cuts++;
	s->cover.heartbeat_cuts += net == SIM_NETS;
	switch (sim_below(&s->rng, 4)) {
	case 0:
		s->cover.one_way_cuts++;
		cut(s, net, one, other, us);
		return;
	case 1:
		s->cover.one_way_cuts++;
		cut(s, net, other, one, us);
		return;
	default:
		cut(s, net, one, other, us);
		cut(s, net, other, one, us);
	}
}

static void fault_cut_both(struct sim *s)
{
	fault_cut(s, SIM_BOTH);
}
static void fault_cut_heartbeats(struct sim *s)
{
	fault_cut(s, SIM_NETS);
}
static void fault_cut_one(struct sim *s)
{
	fault_cut(s, (int)sim_below(&s->rng, SIM_NETS));
}

/* --- machines --- */

static void on(struct sim *s, const struct sim_arg *a)
{
	if (!s->m[a->v].up)
		sim_tell(s, "*** %s is powered on", s->m[a->v].name);
	sim_power_on(&s->m[a->v], false);
}

static void fault_power(struct sim *s)
{
	struct sim_machine *m = any(s);
	int64_t us = how_long(s);

	if (!m->up)
		return;
	s->cover.power_offs++;
	sim_tell(s, "*** %s is powered off, %lld ms", m->name,
		 (long long)(us / SIM_MS));
	sim_power_off(m);
	sim_after(s, us, on, (struct sim_arg){ .v = m->i });
}

static void thaw(struct sim *s, const struct sim_arg *a)
{
	if (s->m[a->v].frozen_us != (int64_t)a->u)
		return;
	sim_tell(s, "*** %s thaws", s->m[a->v].name);
	sim_thaw(&s->m[a->v]);
}

static void fault_freeze(struct sim *s)
{
	struct sim_machine *m = any(s);
	int64_t us = how_long(s);

	if (!m->up || m->frozen_us)
		return;
	s->cover.freezes++;
	sim_tell(s, "*** %s freezes, %lld ms", m->name,
		 (long long)(us / SIM_MS));
	sim_freeze(m);
	sim_after(s, us, thaw, (struct sim_arg){ .u = (uint64_t)m->frozen_us,
						 .v = m->i });
}

static void cont(struct sim *s, const struct sim_arg *a)
{
	if (!s->m[a->v].d || s->m[a->v].d->pid != a->w)
		return;
	sim_tell(s, "*** %s's daemon continues", s->m[a->v].name);
	sim_daemon_cont(&s->m[a->v]);
}

static void fault_stop(struct sim *s)
{
	struct sim_machine *m = any(s);
	int64_t us = how_long(s);

	if (!m->d || m->d->stopped_us)
		return;
	s->cover.stops++;
	sim_tell(s, "*** %s's daemon is stopped, %lld ms", m->name,
		 (long long)(us / SIM_MS));
	sim_daemon_stop(m);
	sim_after(s, us, cont,
		  (struct sim_arg){ .v = m->i, .w = m->d->pid });
}

static void fault_kill(struct sim *s)
{
	struct sim_machine *m = any(s);

	if (!m->d || m->frozen_us)
		return;
	s->cover.kills++;
	sim_tell(s, "*** %s's daemon is killed", m->name);
	sim_kill(m, how_long(s) / 3);
}

static void unhang(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];

	if (m->corosync)
		return;
	sim_tell(s, "*** %s's corosync goes on", m->name);
	m->corosync = true;
	sim_topo(s);
}

static void fault_hang(struct sim *s)
{
	struct sim_machine *m = any(s);

	if (!m->up || !m->corosync)
		return;
	s->cover.hangs++;
	sim_tell(s, "*** %s's corosync hangs", m->name);
	m->corosync = false;
	sim_after(s, how_long(s), unhang, (struct sim_arg){ .v = m->i });
	sim_topo(s);
}

static void fault_regroup(struct sim *s)
{
	uint32_t groups[2] = { 0 }, cut_at = sim_below(&s->rng, 64);

	for (uint32_t i = 0; i < s->n; i++)
		if (sim_runs(&s->m[i]))
			groups[cut_at >> i & 1] |= 1U << i;
	s->cover.regroups++;
	sim_tell(s, "*** out of nothing: %x and %x", groups[0], groups[1]);
	sim_regroup(s, groups, 2);
}

/* A voter comes back at once, and finds itself in another company. */
static void fault_restart(struct sim *s)
{
	struct sim_machine *m = any(s);
	uint32_t out = sim_below(&s->rng, s->n), groups[2] = { 0 };

	if (!m->d || m->frozen_us || out == m->i)
		return;
	s->cover.kills++;
	sim_tell(s, "*** %s's daemon restarts, %s alone", m->name,
		 s->m[out].name);
	sim_kill(m, sim_between(&s->rng, 8, 60) * SIM_MS);
	for (uint32_t i = 0; i < s->n; i++)
		if (sim_runs(&s->m[i]))
			groups[i == out] |= 1U << i;
	s->cover.regroups++;
	sim_regroup(s, groups, 2);
}

/* --- clocks and disks --- */

static void fault_clock(struct sim *s)
{
	struct sim_machine *m = any(s);
	int64_t ms = sim_pick(&s->rng, 500, 60000, 3600000, 86400000);

	if (sim_below(&s->rng, 2))
		ms = -ms;
	s->cover.clock_jumps++;
	sim_tell(s, "*** %s's wall clock jumps by %lld ms", m->name,
		 (long long)ms);
	m->wall_us += ms * SIM_MS;
}

static void fault_slow_disk(struct sim *s)
{
	struct sim_machine *m = any(s);

	s->cover.slow_disks++;
	m->disk.latency_us = sim_pick(&s->rng, 20, 100, 600) * SIM_MS;
	sim_tell(s, "*** %s's disk takes %lld ms", m->name,
		 (long long)(m->disk.latency_us / SIM_MS));
}

static void unstick(struct sim *s, const struct sim_arg *a)
{
	s->m[a->v].disk.stuck = false;
}

static void fault_stuck_disk(struct sim *s)
{
	struct sim_machine *m = any(s);

	s->cover.stuck_disks++;
	sim_tell(s, "*** %s's disk is stuck", m->name);
	m->disk.stuck = true;
	sim_after(s, how_long(s), unstick, (struct sim_arg){ .v = m->i });
}

/* --- what operators do --- */

static void undrain(struct sim *s, const struct sim_arg *a)
{
	s->drained &= ~(1U << a->v);
}

static void fault_drain(struct sim *s)
{
	struct sim_machine *m = &s->m[sim_below(&s->rng, s->k.nodes)];

	s->cover.drains++;
	sim_tell(s, "*** %s is drained", m->name);
	s->drained |= 1U << m->i;
	sim_after(s, how_long(s), undrain, (struct sim_arg){ .v = m->i });
}

uint32_t sim_voters(const struct sim *s, uint32_t without)
{
	uint32_t mask = 0;

	/* of two nodes the one that remains votes alone */
	for (uint32_t i = 0; i < s->n; i++)
		if (!(without >> i & 1) &&
		    !(without && s->k.nodes == 2 && s->m[i].witness))
			mask |= 1U << s->m[i].id;
	return mask;
}

static bool voters_are(const Td__Record *r, uint32_t want)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < r->n_voters; i++)
		mask |= 1U << r->voters[i];
	return mask == want && !r->n_voters_next;
}

static void maintained(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];
	/* a voter's memory may be lost only while it does not vote */
	bool new_disk = !m->up && !sim_below(&s->rng, 3);

	s->drained &= ~(1U << a->v);
	s->want_voters = sim_voters(s, 0);
	s->cover.new_disks += new_disk;
	sim_tell(s, "*** maintenance of %s is over%s", m->name,
		 new_disk ? ", with a new disk" : "");
	sim_power_on(m, new_disk);
}

/* Off only when the others vote without it. */
static void leave(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];
	bool ready = false;

	if (s->want_voters != sim_voters(s, 1U << m->i))
		return;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct sim_daemon *d = s->m[i].d;

		if (i != m->i && d && sim_awake(&s->m[i]) &&
		    sim_tx(&s->m[i], 0) &&
		    voters_are(td_lease_record(d->l), s->want_voters))
			ready = true;
	}
	if (ready && m->up) {
		int64_t us = how_long(s);

		s->cover.maintenances++;
		sim_tell(s, "*** %s goes into maintenance, %lld ms", m->name,
			 (long long)(us / SIM_MS));
		sim_power_off(m);
		sim_after(s, us, maintained, (struct sim_arg){ .v = m->i });
	} else if (a->w) {
		sim_after(s, 50 * SIM_MS, leave,
			  (struct sim_arg){ .v = m->i, .w = a->w - 1 });
	} else {
		maintained(s, a);
	}
}

static void fault_maintain(struct sim *s)
{
	struct sim_machine *m = &s->m[sim_below(&s->rng, s->k.nodes)];

	if (s->want_voters != sim_voters(s, 0) || !m->up)
		return;
	sim_tell(s, "*** %s is to be taken out", m->name);
	s->drained |= 1U << m->i;
	s->want_voters = sim_voters(s, 1U << m->i);
	sim_after(s, 50 * SIM_MS, leave,
		  (struct sim_arg){ .v = m->i, .w = 40 });
}

/* --- choice --- */

static void (*const faults[])(struct sim *s) = {
	fault_cut_both, fault_cut_heartbeats, fault_cut_one, fault_power,
	fault_freeze, fault_stop, fault_kill, fault_hang, fault_regroup,
	fault_clock, fault_slow_disk, fault_stuck_disk, fault_drain,
	fault_maintain, fault_restart,
};
enum { N_FAULTS = sizeof(faults) / sizeof(*faults) };

void sim_fault(struct sim *s)
{
	uint32_t sum = 0, k;

	for (unsigned int i = 0; i < N_FAULTS; i++)
		sum += s->k.weight[i];
	if (!sum)
		return;
	k = sim_below(&s->rng, sum);
	for (unsigned int i = 0; i < N_FAULTS; i++) {
		if (k < s->k.weight[i]) {
			faults[i](s);
			return;
		}
		k -= s->k.weight[i];
	}
}

void sim_climate(struct sim *s)
{
	struct sim_rng *r = &s->rng;
	struct sim_climate *k = &s->k;

	*k = (struct sim_climate){
		.nodes = (unsigned int)sim_pick(r, 2, 2, 2, 2, 2, 3, 3, 3, 4,
						5),
		.witness = true,
		.loss = (uint32_t)sim_pick(r, 0, 0, 50, 300),
		.far = (uint32_t)sim_pick(r, 0, 20, 200),
		.disk_us = sim_pick(r, 300, 2000, 30000),
		.skew_us = sim_pick(r, 1, 20, 400) * SIM_MS,
		.quorum_us = sim_pick(r, 1, 5, 200) * SIM_MS,
		.turn_us = sim_pick(r, 50, 500, 5000),
		.out_limit = (uint32_t)sim_pick(r, 4, 64, 256),
		.pace_us = sim_pick(r, 20, 60, 200) * SIM_MS,
		.faults = 2 + sim_below(r, 6),
		.under_fire = !sim_below(r, 12),
		.compare = 8,
	};
	if (k->nodes > 2 && !sim_below(r, 4))
		k->witness = false;
	if (!sim_below(r, 40)) {
		k->big_octets = (size_t)sim_pick(r, 60, 200, 480) * 1024;
		k->compare = 64;
	}
	for (unsigned int i = 0; i < N_FAULTS; i++)
		k->weight[i] = (uint32_t)sim_pick(r, 0, 1, 1, 2, 8);
}

/* Everything is repaired, and nothing more happens. */
void sim_mend_all(struct sim *s)
{
	sim_tell(s, "*** all is mended");
	memset(s->cut, 0, sizeof(s->cut));
	s->cuts_mended = s->cuts_made;
	s->k.calm = true;
	s->k.loss = s->k.far = 0;
	s->k.form_us = 200 * SIM_MS;
	s->k.quorum_us = s->k.turn_us = SIM_MS;
	s->k.out_limit = 256;
	s->drained = 0;
	s->want_voters = sim_voters(s, 0);
	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_machine *m = &s->m[i];

		m->corosync = true;
		m->disk.stuck = false;
		m->disk.latency_us = SIM_MS;
		sim_power_on(m, false);
		sim_thaw(m);
		sim_daemon_cont(m);
		if (!m->d)
			sim_daemon_start(m);
	}
	sim_topo(s);
}
