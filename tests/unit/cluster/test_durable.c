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
#include "proto/base/log.h"

/* Classes, lanes, levels: each node has a disk that is asked by hand. */

struct outcome {
	int calls, status;
};
struct disk {
	struct world *w;
	uint32_t id;
	int sink;
	unsigned int taken, kept;	/* records: in memory, on the platter */
	uint64_t n;			/* index of the newest taken */
};
struct world {
	struct sim s;
	struct disk disk[SIM_MACHINES + 1];
};

static void on_effect(void *arg, int status)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = status;
}

static struct td_cluster *at(struct world *w, uint32_t id)
{
	return w->s.machine[id].c;
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct disk *d = arg;

	if (!op || op->what_case != TD__OP__WHAT_SPOOL_PUT)
		return;
	d->taken++;
	d->n = td_view_index(td_cluster_view(at(d->w, d->id))).n;
}

static void sync_disk(struct world *w, uint32_t id)
{
	struct disk *d = &w->disk[id];

	if (!at(w, id) || d->kept == d->taken)
		return;
	d->kept = d->taken;
	td_cluster_on_disk(at(w, id), d->sink, d->n);
}

static void start(struct world *w, uint32_t id)
{
	const Td__Op__WhatCase types[] = { TD__OP__WHAT_SPOOL_PUT,
					   TD__OP__WHAT_CALL_END };
	struct disk *d = &w->disk[id];

	sim_daemon_start(&w->s, id);
	*d = (struct disk){ .w = w, .id = id };
	d->sink = td_cluster_sink(at(w, id), types, 2);
	assert_true(d->sink >= 0);
	td_cluster_watch(at(w, id), on_applied, d);
}

static void start_all(struct world *w)
{
	memset(w, 0, sizeof(*w));
	sim_init(&w->s, 1);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		start(w, i);
		sim_drain(&w->s);
	}
	assert_int_equal(td_view_feature_level(td_cluster_view(at(w, 1))),
			 TD_FEATURE_LEVEL);
}

/* the k-th thing that happens: each machine's turn, its next message takes its
 * place, one is delivered to it, its disk comes round */
static void one_thing(struct world *w, unsigned int k)
{
	uint32_t id = 1 + k / 4 % SIM_MACHINES;
	struct sim_machine *m = &w->s.machine[id];

	if (!m->c)
		return;
	switch (k % 4) {
	case 0:
		td_cluster_turn(m->c);
		break;
	case 1:
		sim_order(&w->s, m);
		break;
	case 2:
		sim_deliver(m);
		break;
	default:
		sync_disk(w, id);
	}
}

typedef int (*effect_fn)(struct td_cluster *c, td_effect_fn fn, void *arg);

/* Submits at 1, kills after k things; @return the effect had been released. */
static bool killed_after(const Td__Op *op, effect_fn effect, unsigned int k,
			 uint32_t victim, struct world *w)
{
	struct outcome o = { 0 };
	bool released;

	start_all(w);
	assert_int_equal(td_cluster_submit(at(w, 1), op), 0);
	assert_int_equal(effect(at(w, 1), on_effect, &o), 0);
	for (unsigned int i = 0; i < k; i++)
		one_thing(w, i);
	released = o.calls && !o.status;
	sim_power(&w->s, victim, false);
	for (int i = 0; i < 3; i++) {
		sim_drain(&w->s);
		for (uint32_t id = 1; id <= SIM_MACHINES; id++)
			sync_disk(w, id);
	}
	assert_int_equal(o.calls, 1);
	if (victim != 1)
		assert_int_equal(o.status, 0);
	return released;
}

static void a_replicated_op_outlives_its_node_at_every_point(void **state)
{
	unsigned int before = 0, after = 0;
	struct test_op t;
	struct world w;

	op_contact(&t, "1000", "sip:a", 1800000000000);
	for (unsigned int k = 0; k < 60; k++) {
		bool released = killed_after(&t.op, td_cluster_effect, k, 1,
					     &w);

		for (uint32_t i = 2; i <= 3 && released; i++)
			assert_non_null(td_view_contact(
				td_cluster_view(at(&w, i)), "1000", "sip:a"));
		before += !released;
		after += released;
		sim_end(&w.s);
		/* a mate's death loses nothing and ends the wait */
		killed_after(&t.op, td_cluster_effect, k, 2, &w);
		assert_non_null(td_view_contact(td_cluster_view(at(&w, 3)),
						"1000", "sip:a"));
		sim_end(&w.s);
	}
	assert_true(before > 10 && after > 10);
}

static void a_durable_op_is_on_two_disks_at_every_point(void **state)
{
	unsigned int before = 0, after = 0;
	struct test_op t;
	struct world w;

	op_record(&t, "call 1 leg 0");
	for (unsigned int k = 0; k < 90; k++) {
		bool released = killed_after(&t.op, td_cluster_effect_durable,
					     k, 1, &w);
		unsigned int disks = 0;

		for (uint32_t i = 1; i <= 3; i++)
			disks += w.disk[i].kept;
		if (released)
			assert_true(disks >= 2);
		before += !released;
		after += released;
		sim_end(&w.s);
	}
	assert_true(before > 10 && after > 10);
}

static void a_volatile_op_gates_nothing(void **state)
{
	struct outcome o = { 0 };
	struct test_op t;
	struct world w;

	start_all(&w);
	sim_drain(&w.s);
	assert_int_equal(td_cluster_submit(at(&w, 1), op_hangup(&t, 7)), 0);
	td_cluster_effect(at(&w, 1), on_effect, &o);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, 0);
	sim_end(&w.s);
}

static void no_effect_but_a_durable_one_waits_for_a_disk(void **state)
{
	struct outcome o = { 0 }, d = { 0 };
	struct test_op t;
	struct world w;

	start_all(&w);
	td_cluster_submit(at(&w, 1), op_record(&t, "k"));
	td_cluster_effect(at(&w, 1), on_effect, &o);
	td_cluster_effect_durable(at(&w, 1), on_effect, &d);
	sim_drain(&w.s);
	assert_int_equal(o.calls, 1);
	assert_int_equal(d.calls, 0);
	sync_disk(&w, 3);
	sim_drain(&w.s);
	assert_int_equal(d.calls, 0);
	sync_disk(&w, 2);
	sim_drain(&w.s);
	assert_int_equal(d.calls, 1);
	assert_int_equal(d.status, 0);
	sim_end(&w.s);
}

static void the_only_disk_of_a_set_of_one_is_enough_and_marked(void **state)
{
	struct outcome d = { 0 };
	struct test_op t;
	struct world w;

	memset(&w, 0, sizeof(w));
	sim_init(&w.s, 1);
	start(&w, 1);
	sim_drain(&w.s);
	td_cluster_submit(at(&w, 1), op_record(&t, "k"));
	td_cluster_effect_durable(at(&w, 1), on_effect, &d);
	sim_drain(&w.s);
	assert_int_equal(d.calls, 0);
	sync_disk(&w, 1);
	assert_int_equal(d.calls, 1);
	assert_int_equal(d.status, TD_EFFECT_ONE_DISK);
	sim_end(&w.s);
}

static void what_nobody_takes_is_on_no_disk(void **state)
{
	const Td__Op__WhatCase wrong[] = { TD__OP__WHAT_CONTACT_PUT };
	struct outcome d = { 0 };
	struct test_op t;
	struct world w;

	memset(&w, 0, sizeof(w));
	sim_init(&w.s, 1);
	sim_daemon_start(&w.s, 1);
	assert_int_equal(td_cluster_sink(at(&w, 1), wrong, 1), -EINVAL);
	sim_drain(&w.s);
	td_cluster_submit(at(&w, 1), op_record(&t, "k"));
	td_cluster_effect_durable(at(&w, 1), on_effect, &d);
	sim_drain(&w.s);
	assert_int_equal(d.calls, 0);
	sim_end(&w.s);
	assert_int_equal(d.status, -ECANCELED);
}

/* --- lanes --- */

static void calls_overtake_registrations(void **state)
{
	struct outcome user = { 0 }, call = { 0 };
	char uri[32];
	struct test_op t;
	struct world w;

	start_all(&w);
	w.s.machine[1].out_limit = 0;
	for (int i = 0; i < 300; i++) {
		snprintf(uri, sizeof(uri), "%d", i);
		td_cluster_submit(at(&w, 1), op_contact(&t, uri, "sip:a",
							1800000000000));
	}
	td_cluster_effect(at(&w, 1), on_effect, &user);
	td_cluster_submit(at(&w, 1), op_call(&t, 7, 1, "s1", 3));
	td_cluster_effect_urgent(at(&w, 1), on_effect, &call);
	w.s.machine[1].out_limit = 1;
	td_cluster_turn(at(&w, 1));
	sim_order(&w.s, &w.s.machine[1]);
	for (uint32_t i = 1; i <= 3; i++)
		while (sim_deliver(&w.s.machine[i]))
			;
	assert_non_null(td_view_call(td_cluster_view(at(&w, 2)), 7, 1));
	assert_null(td_view_contact(td_cluster_view(at(&w, 2)), "0",
				    "sip:a"));
	for (uint32_t i = 2; i <= 3; i++) {
		td_cluster_turn(at(&w, i));
		sim_order(&w.s, &w.s.machine[i]);
	}
	while (sim_deliver(&w.s.machine[1]))
		;
	assert_int_equal(call.calls, 1);
	assert_int_equal(user.calls, 0);
	sim_drain(&w.s);
	assert_int_equal(user.calls, 1);
	sim_end(&w.s);
}

static void under_load_one_message_carries_many(void **state)
{
	struct test_op t;
	struct world w;
	uint64_t sent;

	start_all(&w);
	sim_drain(&w.s);
	sent = at(&w, 1)->sent;
	for (int i = 0; i < 64; i++) {
		char user[16];

		snprintf(user, sizeof(user), "%d", i);
		td_cluster_submit(at(&w, 1), op_contact(&t, user, "sip:a",
							1800000000000));
		td_cluster_turn(at(&w, 1));
	}
	/* the first one at once, the others gather behind it */
	assert_int_equal(at(&w, 1)->sent - sent, 1);
	sim_drain(&w.s);
	assert_true(at(&w, 1)->sent - sent <= 3);
	assert_non_null(td_view_contact(td_cluster_view(at(&w, 3)), "63",
					"sip:a"));
	sim_end(&w.s);
}

static void what_a_lane_refuses_is_counted_there(void **state)
{
	struct test_op t;
	struct world w;
	json_t *dump, *lanes;

	start_all(&w);
	w.s.machine[1].out_limit = 0;
	while (!td_cluster_submit(at(&w, 1), op_contact(&t, "1", "sip:a",
							1800000000000)))
		;
	assert_int_equal(td_cluster_submit(at(&w, 1), op_call(&t, 7, 1, "s1",
							      3)), 0);
	dump = td_cluster_dump(at(&w, 1));
	lanes = json_object_get(dump, "lanes");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(
			 lanes, "users"), "refused")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(
			 lanes, "urgent"), "refused")), 0);
	json_decref(dump);
	sim_end(&w.s);
}

/* --- levels, health --- */

static void an_op_waits_for_the_level_of_the_oldest_member(void **state)
{
	struct test_op t;
	struct world w;

	memset(&w, 0, sizeof(w));
	sim_init(&w.s, 1);
	for (uint32_t i = SIM_MACHINES; i; i--) {
		start(&w, i);
		if (i == 3)
			at(&w, i)->can_level = 1;
		sim_drain(&w.s);
	}
	assert_int_equal(td_view_feature_level(td_cluster_view(at(&w, 1))), 1);
	assert_int_equal(td_cluster_submit(at(&w, 1), op_user(&t, "1000", true,
							      "")), -ENOTSUP);
	td_cluster_set_health(at(&w, 1), TD__NODE_HEALTH__HEALTH_NO_CARD);
	sim_drain(&w.s);
	assert_int_equal(td_view_node(td_cluster_view(at(&w, 2)), 1)->health,
			 0);
	sim_daemon_stop(&w.s, 3);
	sim_drain(&w.s);
	assert_int_equal(td_view_feature_level(td_cluster_view(at(&w, 1))), 2);
	assert_int_equal(td_cluster_submit(at(&w, 1), op_user(&t, "1000", true,
							      "")), 0);
	sim_drain(&w.s);
	assert_true(td_view_user(td_cluster_view(at(&w, 2)), "1000")->dnd);
	assert_int_equal(td_view_node(td_cluster_view(at(&w, 2)), 1)->health,
			 TD__NODE_HEALTH__HEALTH_NO_CARD);
	td_cluster_set_health(at(&w, 1), 0);
	sim_drain(&w.s);
	assert_int_equal(td_view_node(td_cluster_view(at(&w, 2)), 1)->health,
			 0);
	sim_end(&w.s);
}

/* --- the table for people --- */

static bool names_op(const char *line, const char *op)
{
	size_t n = strlen(op);

	for (const char *p = line; (p = strstr(p, op)); p += n)
		if (strchr(" ,|", p[-1]) && strchr(" ,|", p[n]))
			return true;
	return false;
}

static void the_readme_has_the_table_of_the_code(void **state)
{
	FILE *f = fopen("cluster/README.md", "r");
	unsigned int lines = 0;
	char line[1024];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		int class = -1;

		for (int d = TD_VOLATILE; d <= TD_DURABLE; d++) {
			char head[32];

			snprintf(head, sizeof(head), "| %s |",
				 td_durability_name(d));
			if (!strncmp(line, head, strlen(head)))
				class = d;
		}
		if (class < 0)
			continue;
		lines++;
		for (int i = 0; i < TD_OP_MAX; i++) {
			const struct td_op_info *info = td_op_info(i);

			if (info && names_op(line, info->name) !=
				    ((int)info->durability == class))
				fail_msg("%s is %s", info->name,
					 td_durability_name(info->durability));
		}
	}
	fclose(f);
	assert_int_equal(lines, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_replicated_op_outlives_its_node_at_every_point),
		cmocka_unit_test(a_durable_op_is_on_two_disks_at_every_point),
		cmocka_unit_test(a_volatile_op_gates_nothing),
		cmocka_unit_test(no_effect_but_a_durable_one_waits_for_a_disk),
		cmocka_unit_test(
			the_only_disk_of_a_set_of_one_is_enough_and_marked),
		cmocka_unit_test(what_nobody_takes_is_on_no_disk),
		cmocka_unit_test(calls_overtake_registrations),
		cmocka_unit_test(under_load_one_message_carries_many),
		cmocka_unit_test(what_a_lane_refuses_is_counted_there),
		cmocka_unit_test(
			an_op_waits_for_the_level_of_the_oldest_member),
		cmocka_unit_test(the_readme_has_the_table_of_the_code),
	};

	td_log_level_set((enum td_log_level)-1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
