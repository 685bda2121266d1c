// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/simbus.h"
#include "cluster/ops.h"
#include "cluster/view_priv.h"
#include "proto/base/log.h"
#include "proto/base/map.h"

/* Three nodes, seeded, with daemons killed, machines powered off, networks
 * split, at any point between two messages. Checked:
 *  - at equal (lineage, index) views are equal octet by octet;
 *  - an effect runs once, in order, and when it is released every member of
 *    the in-sync set has applied its op;
 *  - with one fault at a time: what was released is there in the end, and a
 *    node that stays in the majority loses no op;
 *  - at the end all have one view.
 * SIM_SEED=n runs that one only and is what a failure names. */

enum { MAX_OPS = 4000 };

struct own_op {
	struct world *w;
	uint32_t node, life;
	uint64_t order;		/* of this life's effects */
	uint64_t n;		/* index here, 0: not applied yet */
	char uri[32];
	int calls, status;
	bool excused;		/* its node was cut off or died */
};
struct world {
	struct sim s;
	bool gentle;		/* one fault at a time */
	unsigned int seed;
	struct td_map *history;	/* (lineage, index) -> struct seen */
	struct own_op ops[MAX_OPS];
	unsigned int n_ops;
	uint64_t asked[SIM_MACHINES + 1], ran[SIM_MACHINES + 1];
	struct watcher {
		struct world *w;
		uint32_t node;
	} watcher[SIM_MACHINES + 1];
	bool ending;
};

#define CHECK(w, cond)                                                         \
	do {                                                                   \
		if (!(cond))                                                   \
			fail_msg("SIM_SEED=%u: %s", (w)->seed, #cond);         \
	} while (0)

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct watcher *x = arg;
	struct world *w = x->w;
	struct td_cluster *c = w->s.machine[x->node].c;

	if (!op || from != x->node || !c ||
	    op->what_case != TD__OP__WHAT_CONTACT_PUT)
		return;
	for (unsigned int i = w->n_ops; i-- > 0;)
		if (w->ops[i].node == from &&
		    !strcmp(w->ops[i].uri, op->contact_put->uri)) {
			w->ops[i].n = td_view_index(td_cluster_view(c)).n;
			break;
		}
}

static void on_effect(void *arg, int status)
{
	struct own_op *o = arg;
	struct world *w = o->w;
	struct td_cluster *c = w->s.machine[o->node].c;

	CHECK(w, o->calls++ == 0);
	CHECK(w, o->order == ++w->ran[o->node]);
	o->status = status;
	if (status || !c)
		return;
	CHECK(w, o->n);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		struct td_cluster *mate = w->s.machine[i].c;
		const Td__Node *row = td_view_node(td_cluster_view(c), i);

		if (!(td_cluster_in_sync(c) >> i & 1) || !mate)
			continue;
		/* it had, and has been started anew since */
		if (row->incarnation != w->s.machine[i].pid)
			continue;
		CHECK(w, td_view_index(td_cluster_view(mate)).n >= o->n);
		CHECK(w, td_view_contact(td_cluster_view(mate), o->uri + 4,
				   o->uri) ||
			 w->s.machine[i].ring != w->s.machine[o->node].ring);
	}
}

static void submit(struct world *w, uint32_t node)
{
	struct td_cluster *c = w->s.machine[node].c;
	struct own_op *o = &w->ops[w->n_ops];
	struct test_op t;
	int rc;

	if (!c || w->n_ops == MAX_OPS)
		return;
	if (sim_rand(&w->s, 3)) {
		/* something else, to have rows of all kinds */
		td_cluster_submit(c, op_random(&t, &w->s.seed, node));
		return;
	}
	*o = (struct own_op){ .w = w, .node = node };
	snprintf(o->uri, sizeof(o->uri), "sip:op%u", w->n_ops);
	rc = td_cluster_submit(c, op_contact(&t, o->uri + 4, o->uri,
					     1900000000000));
	if (rc) {
		CHECK(w, rc == -ENOTCONN || rc == -EAGAIN);
		return;
	}
	w->n_ops++;
	o->order = ++w->asked[node];
	/* cut off, and only not told yet, or it is just being decided */
	o->excused = c->waiting;
	for (const struct sim_event *e = w->s.machine[node].in.head; e;
	     e = e->next)
		o->excused |= !e->seq && (!e->quorate || e->skipped);
	CHECK(w, td_cluster_effect(c, on_effect, o) == 0);
}

struct seen {
	uint64_t hash;
	uint32_t node, pid;
};

static uint64_t hash(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h | 1;
}

static void check_history(struct world *w, const struct sim_machine *m)
{
	struct td_index key;
	struct seen *was;
	uint64_t h;
	uint8_t *buf;
	size_t n;

	/* it is just being decided whether its view goes on */
	if (!m || !m->c || td_cluster_state(m->c) != TD_CLUSTER_RUNNING ||
	    m->c->waiting)
		return;
	/* cut off and not told yet: what only the other part has is missing,
	 * and from the telling on this history has another name */
	if (m->c->ring != m->ring)
		return;
	key = td_view_index(td_cluster_view(m->c));
	CHECK(w, td_view_pack(td_cluster_view(m->c), &buf, &n) == 0);
	h = hash(buf, n);
	free(buf);
	was = td_map_get(w->history, &key, sizeof(key));
	if (!was) {
		was = calloc(1, sizeof(*was));
		td_map_set(w->history, &key, sizeof(key), was, NULL);
	} else if (was->hash != h) {
		const struct sim_machine *o = &w->s.machine[was->node];

		/* a daemon may die with a message that nobody else got */
		if (o->c && o->pid == was->pid)
			fail_msg("SIM_SEED=%u: nodes %u and %u differ at "
				 "%llu/%llu", w->seed, m->id, o->id,
				 (unsigned long long)key.lineage,
				 (unsigned long long)key.n);
	}
	*was = (struct seen){ h, m->id, m->pid };
}

static void start(struct world *w, uint32_t node)
{
	sim_daemon_start(&w->s, node);
	w->asked[node] = w->ran[node] = 0;
	w->watcher[node] = (struct watcher){ w, node };
	td_cluster_watch(w->s.machine[node].c, on_applied, &w->watcher[node]);
}

static bool all_well(struct world *w)
{
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		const struct sim_machine *m = &w->s.machine[i];
		uint32_t others = 0xe & ~(1U << i);

		if (!m->c || td_cluster_state(m->c) != TD_CLUSTER_RUNNING ||
		    td_cluster_in_sync(m->c) != others)
			return false;
		/* nor is it about to hear that it is not so */
		for (const struct sim_event *e = m->in.head; e; e = e->next)
			if (!e->seq)
				return false;
	}
	return true;
}

static void excuse(struct world *w, uint32_t node)
{
	for (unsigned int i = 0; i < w->n_ops; i++)
		if (w->ops[i].node == node && !w->ops[i].calls)
			w->ops[i].excused = true;
}

static void repair(struct world *w)
{
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (!w->s.machine[i].power) {
			sim_power(&w->s, i, true);
			return;
		}
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (w->s.machine[i].group) {
			w->s.machine[i].group = 0;
			sim_reform(&w->s);
			return;
		}
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		if (!w->s.machine[i].c) {
			start(w, i);
			return;
		}
}

static void fault(struct world *w)
{
	uint32_t i = 1 + sim_rand(&w->s, SIM_MACHINES);
	struct sim_machine *m = &w->s.machine[i];

	if (w->gentle && !all_well(w)) {
		repair(w);
		return;
	}
	if (!w->gentle && sim_rand(&w->s, 2)) {
		repair(w);
		return;
	}
	excuse(w, i);
	switch (sim_rand(&w->s, 3)) {
	case 0:
		if (m->c)
			sim_daemon_stop(&w->s, i);
		break;
	case 1:
		if (m->power)
			sim_power(&w->s, i, false);
		break;
	default:
		m->group = !m->group;
		sim_reform(&w->s);
	}
}

static void settle(struct world *w)
{
	for (int i = 0; i < 20; i++)
		repair(w);
	for (int round = 0; round < 40; round++) {
		w->s.now_ms += 100;
		sim_drain(&w->s);
	}
	CHECK(w, all_well(w));
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		check_history(w, &w->s.machine[i]);
	for (uint32_t i = 2; i <= SIM_MACHINES; i++)
		CHECK(w, td_view_index(td_cluster_view(w->s.machine[i].c)).n ==
			 td_view_index(td_cluster_view(w->s.machine[1].c)).n);
}

static void check_outcomes(struct world *w)
{
	const struct td_view *v = td_cluster_view(w->s.machine[1].c);
	unsigned int released = 0;

	for (unsigned int i = 0; i < w->n_ops; i++) {
		const struct own_op *o = &w->ops[i];

		CHECK(w, o->calls == 1);
		CHECK(w, o->status == 0 || o->status == -ECANCELED ||
			 o->status == -ESTALE);
		if (!w->gentle || o->status == -ESTALE)
			continue;
		if (!o->excused && o->status)
			fail_msg("SIM_SEED=%u: %s of node %u is lost: %d",
				 w->seed, o->uri, o->node, o->status);
		if (!o->status) {
			released++;
			CHECK(w, td_view_contact(v, o->uri + 4, o->uri));
		}
	}
	if (w->gentle)
		CHECK(w, released > 20);
}

static void run(unsigned int seed, bool gentle)
{
	struct world *w = calloc(1, sizeof(*w));

	w->seed = seed;
	w->gentle = gentle;
	td_map_new(&w->history);
	sim_init(&w->s, seed);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		start(w, i);
	for (int step = 0; step < 4000; step++) {
		check_history(w, sim_step(&w->s));
		if (!sim_rand(&w->s, gentle ? 20 : 5))
			w->s.now_ms += 1 + sim_rand(&w->s, gentle ? 2 : 40);
		if (!sim_rand(&w->s, 6))
			submit(w, 1 + sim_rand(&w->s, SIM_MACHINES));
		if (!sim_rand(&w->s, gentle ? 60 : 90))
			fault(w);
	}
	settle(w);
	check_outcomes(w);
	sim_end(&w->s);
	td_map_free(w->history, free);
	free(w);
}

static void many(bool gentle, unsigned int n)
{
	const char *one = getenv("SIM_SEED"), *more = getenv("SIM_SEEDS");

	if (one) {
		run((unsigned int)atoi(one), gentle);
		return;
	}
	if (more)
		n = (unsigned int)atoi(more);
	for (unsigned int seed = 1; seed <= n; seed++)
		run(seed, gentle);
}

static void one_fault_at_a_time_loses_nothing(void **state)
{
	many(true, 15);
}

static void any_faults_leave_one_history(void **state)
{
	many(false, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fault_at_a_time_loses_nothing),
		cmocka_unit_test(any_faults_leave_one_history),
	};

	td_log_level_set(getenv("SIM_SEED") ? TD_LOG_INFO :
					      (enum td_log_level)-1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
