// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/bugs.h"
#include "tests/sim/load.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

/* One life of a daemon: its bus, its loop, its end. */

enum { RETRY_MS = 10, BEAT_TICKS = 2 };

/* --- the bus's end here --- */

static int bus_send(struct td_bus *b, const void *buf, size_t n)
{
	struct sim_bus *x = (struct sim_bus *)b;
	struct sim_machine *m = x->on;
	struct sim *s = m->s;

	if (!m->d || m->d->pid != x->pid)
		return -ENOTCONN;
	if (m->n_out >= s->k.out_limit) {
		s->cover.full_transports++;
		m->d->full = true;
		return -EAGAIN;
	}
	sim_mcast(m, sim_msg_new(SIM_DATA, m->i, x->pid, buf, n));
	return 0;
}

static void bus_free(struct td_bus *b)
{
	free(b);
}

static const struct td_bus_ops bus_ops = { bus_send, bus_free };

static int64_t boot_ms(void *arg)
{
	return sim_clock_ms(arg);
}

static int64_t wall_ms(void *arg)
{
	struct sim_machine *m = arg;

	return 1750000000000 + (m->s->now_us + m->wall_us) / SIM_MS;
}

/* --- the loop --- */

static void on_run(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];

	if (m->d && m->d->pid == a->w && sim_awake(m))
		sim_daemon_run(m->d);
}

static void run_in(struct sim_daemon *d, int64_t us)
{
	sim_after(d->m->s, us, on_run,
		  (struct sim_arg){ .v = d->m->i, .w = d->pid });
}

void sim_daemon_stir(struct sim_daemon *d)
{
	run_in(d, sim_between(&d->m->s->rng, 10, d->m->s->k.turn_us));
}

static void on_due(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];
	struct sim_daemon *d = m->d;

	if (!d || d->pid != a->w)
		return;
	if (d->due_us == s->now_us)
		d->due_us = 0;
	if (!sim_awake(m))
		return;
	td_lease_tick(d->l, sim_clock_ms(m));
	sim_daemon_run(d);
}

/* td_lease_tick sooner than its next turn: the taker's wait is over */
static void arm_due(struct sim_daemon *d)
{
	struct sim *s = d->m->s;
	int64_t due = td_lease_due_ms(d->l), us;

	if (due == INT64_MAX)
		return;
	us = (int64_t)((double)(due * SIM_MS - sim_clock_us(d->m)) /
		       d->m->rate);
	us = us < 0 ? 100 : us + 100;
	if (us > 50 * SIM_MS || (d->due_us && d->due_us <= s->now_us + us))
		return;
	d->due_us = s->now_us + us;
	sim_after(s, us, on_due,
		  (struct sim_arg){ .v = d->m->i, .w = d->pid });
}

/* The end of a turn of its loop. */
static void end_turn(struct sim_daemon *d)
{
	d->authority_changed = false;
	td_cluster_turn(d->c);
	sim_glue_flush(d);
	if (d->full) {
		d->full = false;
		run_in(d, RETRY_MS * SIM_MS);
	}
	arm_due(d);
	sim_oracle_look(d);
}

static void take_word(struct sim_daemon *d)
{
	struct sim_word *w = d->words;

	d->words = w->next;
	if (!d->words)
		d->words_tail = &d->words;
	if (w->msg) {
		td_cluster_on_deliver(d->c, d->m->s->m[w->msg->from].id,
				      w->msg->buf, w->msg->n);
		sim_views_delivered(d, w->in, w->q);
		sim_msg_unref(w->msg);
	} else {
		sim_tell(d->m->s, "%s is told of ring %llu, %u members%s",
			 d->m->name, (unsigned long long)(w->ring >> 5),
			 w->n_members, w->quorate ? ", quorate" : "");
		if (w->ring_change)
			sim_views_ring(d, 2 * (unsigned int)__builtin_popcount(
						  w->moved) > d->m->s->n);
		td_cluster_on_members(d->c, w->ring, w->quorate, w->m,
				      w->n_members);
	}
	free(w);
}

static bool word_ready(const struct sim_daemon *d)
{
	return d->words && d->words->ready_us <= d->m->s->now_us;
}

static void take_dgram(struct sim_daemon *d)
{
	struct sim_dgram *g = d->dgrams;
	Td__Heartbeat *hb;

	d->dgrams = g->next;
	if (!d->dgrams)
		d->dgrams_tail = &d->dgrams;
	d->n_dgrams--;
	if (!td_heartbeat_unpack(g->buf, g->n, &hb)) {
		td_lease_udp(d->l, sim_clock_ms(d->m), hb);
		td_heartbeat_free(hb);
	}
	free(g);
}

void sim_daemon_run(struct sim_daemon *d)
{
	while (d->dgrams)
		take_dgram(d);
	while (word_ready(d))
		take_word(d);
	end_turn(d);
}

void sim_daemon_word(struct sim_daemon *d, struct sim_word *w)
{
	int64_t us = w->ready_us - d->m->s->now_us;

	*d->words_tail = w;
	d->words_tail = &w->next;
	run_in(d, us + sim_between(&d->m->s->rng, 10, d->m->s->k.turn_us));
}

void sim_daemon_dgram(struct sim_daemon *d, const void *buf, size_t n)
{
	struct sim_dgram *g;

	if (d->n_dgrams >= SIM_SOCKET)
		return;
	g = malloc(sizeof(*g) + n);
	g->next = NULL;
	g->n = n;
	memcpy(g->buf, buf, n);
	*d->dgrams_tail = g;
	d->dgrams_tail = &g->next;
	d->n_dgrams++;
	if (!sim_awake(d->m))
		return;
	take_dgram(d);
	if (d->authority_changed)
		end_turn(d);
	else
		arm_due(d);
}

static void on_tick(struct sim *s, const struct sim_arg *a);

static void tick(struct sim_daemon *d)
{
	td_lease_tick(d->l, sim_clock_ms(d->m));
	sim_glue_plan(d);
	if (++d->ticks % BEAT_TICKS == 0 || d->authority_changed)
		end_turn(d);
	sim_after(d->m->s,
		  (int64_t)(TD_LEASE_HEARTBEAT_MS * SIM_MS / d->m->rate),
		  on_tick, (struct sim_arg){ .v = d->m->i, .w = d->pid });
}

static void on_tick(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];

	if (!m->d || m->d->pid != a->w)
		return;
	if (sim_awake(m))
		tick(m->d);
	else
		m->d->tick_late = true;
}

void sim_daemon_saved(struct sim_daemon *d, uint64_t save)
{
	d->saved = save;
	if (!sim_awake(d->m)) {
		d->saved_late = true;
		return;
	}
	d->saved_late = false;
	td_lease_saved(d->l, sim_clock_ms(d->m));
	sim_disk_write(d->m);
	end_turn(d);
}

/* --- SIGSTOP, and what waits afterwards --- */

/* What has waited comes in any order of its sources. */
void sim_daemon_catch_up(struct sim_daemon *d)
{
	struct sim_rng *r = &d->m->s->rng;
	unsigned int words = 0;

	for (const struct sim_word *w = d->words; w; w = w->next)
		words++;
	while (d->tick_late || d->n_dgrams || words || d->saved_late) {
		uint32_t k = sim_below(r, 2 + d->n_dgrams + words);

		if (k < 1 && d->tick_late) {
			d->tick_late = false;
			tick(d);
		} else if (k < 2 && d->saved_late) {
			sim_daemon_saved(d, d->saved);
		} else if (k >= 2 && k < 2 + d->n_dgrams) {
			take_dgram(d);
		} else if (k >= 2) {
			words--;
			if (word_ready(d))
				take_word(d);
			else
				words = 0;
		}
	}
	sim_daemon_run(d);
}

static void on_hang(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];
	uint64_t epochs[SIM_UNITS];

	if (!m->d || m->d->pid != a->w || m->d->stopped_us != (int64_t)a->u)
		return;
	for (unsigned int u = 0; u < SIM_UNITS; u++)
		epochs[u] = m->driver[u].epoch;
	sim_guard(m, epochs);
}

void sim_daemon_stop(struct sim_machine *m)
{
	if (!m->d || m->d->stopped_us)
		return;
	m->d->stopped_us = m->s->now_us;
	sim_after(m->s, SIM_HANG_MS * SIM_MS, on_hang,
		  (struct sim_arg){ .u = (uint64_t)m->s->now_us, .v = m->i,
				    .w = m->d->pid });
}

void sim_daemon_cont(struct sim_machine *m)
{
	if (!m->d || !m->d->stopped_us)
		return;
	m->d->stopped_us = 0;
	if (sim_awake(m))
		sim_daemon_catch_up(m->d);
}

/* --- life --- */

static void clear_queues(struct sim_daemon *d)
{
	while (d->words) {
		struct sim_word *w = d->words;

		d->words = w->next;
		if (w->msg)
			sim_msg_unref(w->msg);
		free(w);
	}
	while (d->dgrams) {
		struct sim_dgram *g = d->dgrams;

		d->dgrams = g->next;
		free(g);
	}
	while (d->held) {
		struct sim_held *h = d->held;

		d->held = h->next;
		free(h);
	}
}

void sim_daemon_start(struct sim_machine *m)
{
	struct sim *s = m->s;
	struct sim_daemon *d = calloc(1, sizeof(*d));
	struct sim_bus *b = calloc(1, sizeof(*b));
	const struct td_cluster_env env = {
		.boot_ms = boot_ms, .wall_ms = wall_ms, .arg = m,
#ifdef TD_SIM
		.bugs = s->bugs[SIM_BUGS_CLUSTER],
#endif
	};
	struct td_cluster_cfg cfg = {
		.node_id = m->id, .name = m->name, .version = "sim",
		.bus = &b->bus, .witness = m->witness,
	};

	d->m = m;
	d->pid = ++s->pids;
	d->incarnation = ++s->incarnations << 16 | sim_below(&s->rng, 65536);
	d->words_tail = &d->words;
	d->dgrams_tail = &d->dgrams;
	d->held_tail = &d->held;
	d->doubts_tail = &d->doubts;
	b->bus.ops = &bus_ops;
	b->bus.node_id = m->id;
	b->on = m;
	b->pid = d->pid;
	cfg.incarnation = d->incarnation;
	if (td_cluster_new_in(&env, &cfg, &d->c))
		abort();
	m->d = d;
	m->last_incarnation = d->incarnation;
	sim_tell(s, "%s starts, life %llx", m->name,
		 (unsigned long long)d->incarnation);
	sim_glue_new(d);
	sim_load_daemon(d);
	sim_mcast(m, sim_msg_new(SIM_JOIN, m->i, d->pid, NULL, 0));
	sim_after(s, sim_between(&s->rng, 0, 50 * SIM_MS), on_tick,
		  (struct sim_arg){ .v = m->i, .w = d->pid });
}

void sim_daemon_kill(struct sim_machine *m)
{
	struct sim_daemon *d = m->d;

	if (!d)
		return;
	if (!m->s->ending)
		sim_tell(m->s, "%s's life %llx ends", m->name,
			 (unsigned long long)d->incarnation);
	d->dying = true;
	td_cluster_free(d->c);
	m->d = NULL;
	td_lease_free(d->l);
	if (m->up)
		sim_mcast(m, sim_msg_new(SIM_LEAVE, m->i, d->pid, NULL, 0));
	sim_oracle_dead(m, d->incarnation);
	clear_queues(d);
	sim_views_drop(d);
	free(d->save_buf);
	free(d);
}
