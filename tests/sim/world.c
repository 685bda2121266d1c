// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/load.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

enum {
	FOUND_LIMIT_MS = 15000,
	HEAL_LIMIT_MS = 30000,
	LOOK_MS = 100,
	MAX_EVENTS = 1000000,
	MAX_WAITING = 50000,
	QUIET_MS = 1500,
};

void sim_after(struct sim *s, int64_t us, sim_fn fn, struct sim_arg a)
{
	sim_events_add(&s->events, s->now_us + us, fn, a);
}

void sim_story(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	printf("%9.1f  ", (double)s->now_us / SIM_MS);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	sim_tell(s, "FAILED: %s", s->why);
}

struct sim *sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->oracle = sim_oracle_new();
	s->load = sim_load_new();
	return s;
}

void sim_free(struct sim *s)
{
	if (!s)
		return;
	sim_oracle_free(s->oracle);
	sim_views_free(s);
	sim_load_free(s->load);
	for (uint32_t i = 0; i < SIM_MACHINES; i++)
		free(s->m[i].outq);
	free(s->events.heap);
	free(s);
}

/* What each says of itself, at the end of a story that went wrong. */
static void tell_all(struct sim *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_machine *m = &s->m[i];
		const Td__Record *r;
		struct td_unit_view v;

		sim_story(s, "%s (%u): %s%s%s, ring %llu%s", m->name, i,
			  m->up ? "up" : "down", m->frozen_us ? ", frozen" : "",
			  m->corosync ? "" : ", corosync hangs",
			  (unsigned long long)m->ring->seq,
			  m->ring->broken ? ", broken" : "");
		if (!m->d)
			continue;
		r = td_lease_record(m->d->l);
		sim_story(s, "  life %llx state %d record %llu.%llu needed %x "
			  "in sync %x view %llx/%llu%s",
			  (unsigned long long)m->d->incarnation,
			  (int)td_cluster_state(m->d->c),
			  (unsigned long long)r->epoch,
			  (unsigned long long)r->version,
			  td_lease_needed(m->d->l), td_lease_in_sync(m->d->l),
			  (unsigned long long)td_view_index(
				  td_cluster_view(m->d->c)).lineage,
			  (unsigned long long)td_view_index(
				  td_cluster_view(m->d->c)).n,
			  m->d->stopped_us ? ", stopped" : "");
		for (unsigned int u = 0; !td_lease_unit_at(
			     m->d->l, sim_clock_ms(m), u, &v); u++)
			sim_story(s, "  %s: state %d owner %u epoch %llu%s",
				  v.unit, (int)v.state, v.owner,
				  (unsigned long long)v.epoch,
				  v.ours ? ", ours" : "");
	}
}

/* --- the beginning --- */

static void machine_init(struct sim *s, uint32_t i, uint32_t *ids)
{
	struct sim_machine *m = &s->m[i];
	struct sim_msg **outq = m->outq;
	uint32_t size = m->out_size;

	*m = (struct sim_machine){
		.s = s, .i = i, .outq = outq, .out_size = size,
		.witness = i == s->k.nodes, .up = true, .corosync = true,
		.rate = 1 + (double)sim_between(&s->rng, -1000, 1000) * 1e-6,
		.off_us = sim_between(&s->rng, 1, 10000) * 1000 * SIM_MS,
		.disk.latency_us = s->k.disk_us,
	};
	do {
		m->id = 1 + sim_below(&s->rng, 16);
	} while (*ids >> m->id & 1);
	*ids |= 1U << m->id;
	snprintf(m->name, sizeof(m->name), m->witness ? "w%u" : "n%u", m->id);
}

static void begin(struct sim *s, uint64_t seed)
{
	uint32_t ids = 0;

	s->seed = seed;
	s->rng.s = seed * 0x2545f4914f6cdd1dULL + 88172645463325252ULL;
	s->now_us = 1000 * SIM_MS;
	s->digest = seed;
	s->forming = s->failed = s->load_off = s->founded_again = false;
	s->judging = s->ending = false;
	s->pids = s->drained = 0;
	s->incarnations = s->cuts_made = s->cuts_mended = 0;
	memset(s->cut, 0, sizeof(s->cut));
	sim_climate(s);
	s->n = s->k.nodes + s->k.witness;
	s->want_voters = 0;
	sim_oracle_reset(s);
	sim_views_reset(s);
	for (uint32_t i = 0; i < s->n; i++)
		machine_init(s, i, &ids);
	s->want_voters = sim_voters(s, 0);
	for (uint32_t i = 0; i < s->n; i++) {
		s->m[i].ring = sim_ring_new(s, 1U << i);
		sim_daemon_start(&s->m[i]);
	}
	sim_load_reset(s);
	sim_topo(s);
}

static void end(struct sim *s)
{
	struct sim_event e;

	s->ending = true;
	for (uint32_t i = 0; i < s->n; i++) {
		s->m[i].up = false;
		sim_daemon_kill(&s->m[i]);
		while (s->m[i].n_out)
			sim_msg_unref(s->m[i].outq[--s->m[i].n_out]);
		sim_disk_clear(&s->m[i].disk);
	}
	while (sim_events_next(&s->events, INT64_MAX, &e))
		if (e.arg.own)
			free(e.arg.p);
	sim_events_clear(&s->events);
	sim_rings_clear(s);
}

/* --- the course --- */

static void run_until(struct sim *s, int64_t until_us)
{
	struct sim_event e;

	while (!s->failed && sim_events_next(&s->events, until_us, &e)) {
		s->now_us = e.at_us;
		s->cover.events++;
		sim_note(s, e.order);
		e.fn(s, &e.arg);
		if (s->events.order > MAX_EVENTS || s->events.n > MAX_WAITING)
			sim_fail(s, "a storm of events: %u wait",
				 s->events.n);
	}
	if (!s->failed)
		s->now_us = until_us;
}

static bool record_stands(const struct sim *s, const struct sim_daemon *d,
			  uint64_t *epoch, uint64_t *version)
{
	const Td__Record *r = td_lease_record(d->l);
	uint32_t in = 0, nodes = 0;

	for (uint32_t i = 0; i < s->k.nodes; i++)
		nodes |= 1U << s->m[i].id;
	for (size_t i = 0; i < r->n_in_sync; i++)
		in |= 1U << r->in_sync[i]->id;
	if (!*epoch) {
		*epoch = r->epoch;
		*version = r->version;
	}
	return in == nodes && !r->n_voters_next &&
	       r->n_voters == s->n && r->epoch == *epoch &&
	       r->version == *version;
}

/* @return NULL: all is well; else what is not */
static const char *ill(const struct sim *s)
{
	uint64_t epoch = 0, version = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct sim_machine *m = &s->m[i];

		if (!sim_awake(m))
			return "a daemon does not run";
		if (m->ring->broken || m->ring->members != (1U << s->n) - 1)
			return "no common ring";
#ifndef SIM_PLAIN
		if (!record_stands(s, m->d, &epoch, &version))
			return "no common record with all in sync and voting";
#endif
		if (!m->witness &&
		    td_cluster_state(m->d->c) != TD_CLUSTER_RUNNING)
			return "a view does not go on";
	}
#ifdef SIM_PLAIN
	return NULL;
#endif
	for (unsigned int u = 0; u < SIM_UNITS; u++) {
		unsigned int owners = 0;

		for (uint32_t i = 0; i < s->n; i++)
			owners += sim_tx(&s->m[i], u);
		if (owners != 1)
			return "a unit has no owner";
	}
	return NULL;
}

static void until_well(struct sim *s, int64_t limit_ms, const char *when)
{
	int64_t end_us = s->now_us + limit_ms * SIM_MS;
	const char *what;

	while ((what = ill(s)) && !s->failed) {
		if (s->now_us >= end_us) {
			sim_fail(s, "%s for %lld s: %s", when,
				 (long long)(limit_ms / 1000), what);
			return;
		}
		run_until(s, s->now_us + LOOK_MS * SIM_MS);
	}
}

static void storm(struct sim *s)
{
	for (unsigned int i = 0; i < s->k.faults && !s->failed; i++) {
		int64_t us = sim_pick(&s->rng, 5, 100, 400, 900) * SIM_MS;

		sim_fault(s);
		run_until(s, s->now_us + sim_between(&s->rng, us / 5, us));
	}
	run_until(s, s->now_us + sim_between(&s->rng, 0, 1500 * SIM_MS));
}

/* between two Ticks, for instance */
static bool quiet(const struct sim *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->k.nodes; i++) {
		const struct sim_daemon *d = s->m[i].d;
		uint64_t x = td_view_index(td_cluster_view(d->c)).n;
		struct td_cluster_stats st;

		td_cluster_stats(d->c, &st);
		if (st.pending_ops || st.pending_effects || d->held ||
		    (n && x != n))
			return false;
		n = x;
	}
	return true;
}

static void judge(struct sim *s)
{
	for (uint32_t i = 0; i < s->k.nodes && !s->failed; i++) {
		const struct sim_daemon *d = s->m[i].d;
		const char *wrong = sim_load_check(s, td_cluster_view(d->c));
		struct td_cluster_stats st;

		td_cluster_stats(d->c, &st);
		if (wrong)
			sim_fail(s, "I2 in the end at %s: %s", d->m->name,
				 wrong);
		else if (st.pending_ops || st.pending_effects)
			sim_fail(s, "in the end %u ops, %u effects wait at %s",
				 st.pending_ops, st.pending_effects,
				 d->m->name);
		else if (d->held)
			sim_fail(s, "in the end words wait for the disk");
	}
	if (!s->failed)
		sim_views_end(s);
	if (!s->failed && !sim_load_idle(s))
		sim_fail(s, "in the end an effect was never run");
}

bool sim_run(struct sim *s, uint64_t seed)
{
	int64_t healing;

	begin(s, seed);
	sim_tell(s, "seed %llu: %u nodes%s", (unsigned long long)seed,
		 s->k.nodes, s->k.witness ? " and a witness" : "");
	if (!s->k.under_fire)
		until_well(s, FOUND_LIMIT_MS, "not founded");
	storm(s);
	if (!s->failed)
		sim_mend_all(s);
	healing = s->now_us;
	until_well(s, HEAL_LIMIT_MS, "not healed");
	s->load_off = true;
	for (int i = 0; i < 20 && !s->failed && !sim_load_idle(s); i++)
		run_until(s, s->now_us + LOOK_MS * SIM_MS);
	/* time for a Tick after the last op */
	if (!s->failed)
		run_until(s, s->now_us + QUIET_MS * SIM_MS);
	for (int i = 0; i < 100 && !s->failed && !quiet(s); i++)
		run_until(s, s->now_us + 13 * SIM_MS);
	s->judging = true;
	if (!s->failed)
		judge(s);
	if (s->failed && s->trace)
		tell_all(s);
	s->cover.healed += !s->failed;
	s->cover.heal_ms += (uint64_t)(s->now_us - healing) / SIM_MS;
	s->cover.seeds++;
	s->cover.virtual_s += (uint64_t)s->now_us / SIM_MS / 1000;
	end(s);
	return !s->failed;
}
