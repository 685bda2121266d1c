// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "tests/sim/bugs.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

/* Power, processor, disk, lines. */

/* --- the driver of the lines, and of everything else that is owned: it
 * checks the lease at each block --- */

bool sim_tx(const struct sim_machine *m, unsigned int unit)
{
	const struct sim_driver *v = &m->driver[unit];

	if (!m->up || m->frozen_us || !v->epoch)
		return false;
	return v->until_ms * SIM_MS > sim_clock_us(m) ||
	       m->s->now_us < v->late_us;
}

void sim_drive(struct sim_machine *m, unsigned int unit, uint64_t epoch,
	       int64_t until_ms)
{
	struct sim_driver *v = &m->driver[unit];

	if (epoch <= v->dead || epoch < v->epoch)
		return;
	if (epoch == v->epoch &&
	    (until_ms <= v->until_ms ||
	     v->until_ms * SIM_MS <= sim_clock_us(m)))
		return;
	v->epoch = epoch;
	v->until_ms = until_ms;
	v->pid = m->d->pid;
	if (sim_tx(m, unit))
		sim_oracle_on_air(m, unit);
}

void sim_revoke(struct sim_machine *m, unsigned int unit, uint64_t epoch)
{
	struct sim_driver *v = &m->driver[unit];

	if (v->dead < epoch)
		v->dead = epoch;
	if (v->epoch <= epoch) {
		v->until_ms = INT64_MIN / SIM_MS;
		v->late_us = 0;
	}
}

/* --- the guard: off, and then the word of it --- */

void sim_guard(struct sim_machine *m, const uint64_t *epochs)
{
	if (!m->up || m->frozen_us || m->witness)
		return;
	for (unsigned int u = 0; u < SIM_UNITS; u++) {
		Td__Envelope e = TD__ENVELOPE__INIT;
		Td__Released rel = TD__RELEASED__INIT;
		Td__Ha ha = TD__HA__INIT, *list[] = { &ha };
		uint8_t *buf;
		size_t n;

		if (!epochs[u])
			continue;
		if (!sim_bug(m->s, SIM_BUG_GUARD))
			sim_revoke(m, u, epochs[u]);
		rel.unit = (char *)sim_units[u];
		rel.epoch = epochs[u];
		rel.node = m->id;
		ha.what_case = TD__HA__WHAT_RELEASED;
		ha.released = &rel;
		e.feature_level = 1;
		e.incarnation = m->last_incarnation;
		e.ha = list;
		e.n_ha = 1;
		if (td_envelope_pack(&e, &buf, &n))
			abort();
		m->s->cover.released_words++;
		sim_mcast(m, sim_msg_new(SIM_DATA, m->i, 0, buf, n));
		free(buf);
	}
}

/* --- the disk, which keeps the voter's memory --- */

static void take_over(struct sim_disk *k)
{
	free(k->buf);
	td_lease_state_free(k->state);
	k->state = NULL;
	k->buf = k->next;
	k->n = k->next_n;
	k->next = NULL;
	if (k->buf && td_lease_state_unpack(k->buf, k->n, &k->state))
		abort();
}

static void disk_done(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];
	struct sim_disk *k = &m->disk;

	if (!k->writing || k->pid != a->w || k->save != a->u)
		return;
	if (k->stuck || m->frozen_us) {
		sim_after(s, 20 * SIM_MS, disk_done, *a);
		return;
	}
	take_over(k);
	sim_oracle_disk(m);
	k->writing = false;
	if (m->d && m->d->pid == k->pid)
		sim_daemon_saved(m->d, k->save);
}

void sim_disk_write(struct sim_machine *m)
{
	struct sim_disk *k = &m->disk;
	struct sim_daemon *d = m->d;

	if (k->writing || d->saved == d->saves)
		return;
	k->writing = true;
	k->save = d->saves;
	k->pid = d->pid;
	k->next = malloc(d->save_n + 1);
	if (!k->next)
		abort();
	memcpy(k->next, d->save_buf, d->save_n);
	k->next_n = d->save_n;
	sim_after(m->s, sim_between(&m->s->rng, k->latency_us / 4,
				    k->latency_us), disk_done,
		  (struct sim_arg){ .u = k->save, .v = m->i, .w = k->pid });
}

/* whoever wrote is no more: it is there or it is not */
static void disk_orphan(struct sim_machine *m)
{
	struct sim_disk *k = &m->disk;

	if (!k->writing)
		return;
	k->writing = false;
	if (sim_below(&m->s->rng, 2)) {
		take_over(k);
		sim_oracle_disk(m);
	}
	free(k->next);
	k->next = NULL;
}

void sim_disk_clear(struct sim_disk *k)
{
	free(k->next);
	k->next = NULL;
	take_over(k);
	k->writing = k->stuck = false;
}

/* --- the daemon's end --- */

static void end_daemon(struct sim_machine *m)
{
	if (!m->d)
		return;
	disk_orphan(m);
	sim_daemon_kill(m);
}

static void start_again(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];

	if (m->up && !m->d)
		sim_daemon_start(m);
}

static void guard_speaks(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];

	if (m->up)
		sim_guard(m, a->p);
	free(a->p);
}

/* kill -9: the descriptors are closed, which switches off; the guard knows */
void sim_kill(struct sim_machine *m, int64_t away_us)
{
	uint64_t *epochs = calloc(SIM_UNITS, sizeof(*epochs));

	if (!epochs)
		abort();
	for (unsigned int u = 0; u < SIM_UNITS; u++) {
		epochs[u] = m->driver[u].epoch;
		sim_revoke(m, u, epochs[u]);
	}
	end_daemon(m);
	sim_after(m->s, 5 * SIM_MS, guard_speaks,
		  (struct sim_arg){ .p = epochs, .v = m->i, .own = true });
	sim_after(m->s, away_us, start_again, (struct sim_arg){ .v = m->i });
}

/* --- power --- */

static void drop_queue(struct sim_machine *m)
{
	while (m->n_out)
		sim_msg_unref(m->outq[--m->n_out]);
}

void sim_power_off(struct sim_machine *m)
{
	m->up = false;
	end_daemon(m);
	memset(m->driver, 0, sizeof(m->driver));
	memset(m->group, 0, sizeof(m->group));
	drop_queue(m);
	m->frozen_us = 0;
	m->corosync = true;
	m->forming = NULL;
	m->attached = 0;
	sim_topo(m->s);
}

void sim_power_on(struct sim_machine *m, bool new_disk)
{
	if (m->up)
		return;
	if (new_disk) {
		sim_disk_clear(&m->disk);
		m->ring_seq = 0;
	}
	m->disk.stuck = false;
	m->up = true;
	m->ring = NULL;
	m->ring = sim_ring_new(m->s, 1U << m->i);
	sim_daemon_start(m);
	sim_topo(m->s);
}

/* The whole machine stands still, and goes on with what it remembers. */
void sim_freeze(struct sim_machine *m)
{
	if (!m->up || m->frozen_us)
		return;
	m->frozen_us = m->s->now_us;
	for (unsigned int u = 0; u < SIM_UNITS; u++)
		m->driver[u].was_on = m->driver[u].until_ms * SIM_MS >
				      sim_clock_us(m);
	sim_topo(m->s);
}

void sim_thaw(struct sim_machine *m)
{
	struct sim *s = m->s;
	int64_t since = m->frozen_us;

	if (!m->up || !since)
		return;
	m->frozen_us = 0;
	if (sim_bug(s, SIM_BUG_MONOTONIC))
		m->off_us -= (int64_t)(m->rate * (double)(s->now_us - since));
	for (unsigned int u = 0; u < SIM_UNITS; u++) {
		if (m->driver[u].was_on && sim_bug(s, SIM_BUG_TIMER_ONLY))
			m->driver[u].late_us = s->now_us + 10 * SIM_MS;
		if (sim_tx(m, u))
			sim_oracle_on_air(m, u);
	}
	sim_topo(s);
	if (m->d && !m->d->stopped_us)
		sim_daemon_catch_up(m->d);
}
