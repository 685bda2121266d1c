// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/ops.h"
#include "proto/base/clock.h"

/* One node on bus_local, in a real loop. */
struct solo {
	struct td_loop *loop;
	struct td_cluster *c;
	int applied, effects, last_status;
	bool seen_at_effect;
};

static void on_effect(void *arg, int status)
{
	struct solo *s = arg;

	s->effects++;
	s->last_status = status;
	s->seen_at_effect =
		td_view_contact(td_cluster_view(s->c), "1000", "sip:a");
	td_loop_stop(s->loop);
}

static void on_state(void *arg)
{
	struct solo *s = arg;
	struct test_op t;

	if (td_cluster_state(s->c) != TD_CLUSTER_RUNNING || s->applied)
		return;
	s->applied = 1;
	assert_int_equal(td_cluster_submit(s->c, op_contact(&t, "1000",
			 "sip:a", td_view_now_ms(td_cluster_view(s->c)) +
			 60000)), 0);
	assert_int_equal(td_cluster_effect(s->c, on_effect, s), 0);
	assert_int_equal(s->effects, 0);
}

static void a_node_alone_runs_and_releases_on_its_own_word(void **state)
{
	struct solo s = { 0 };
	struct td_cluster_cfg cfg = { .node_id = 1, .name = "n1",
				      .version = "0", .incarnation = 7 };
	struct test_op t;
	const Td__Node *row;
	json_t *dump;

	assert_int_equal(td_loop_new(&s.loop), 0);
	assert_int_equal(td_bus_local_new(s.loop, 1, &cfg.bus), 0);
	assert_int_equal(td_cluster_new(s.loop, &cfg, &s.c), 0);
	assert_int_equal(td_cluster_state(s.c), TD_CLUSTER_JOINING);
	assert_int_equal(td_cluster_submit(s.c, op_tick(&t, 1)), -ENOTCONN);
	td_cluster_watch_state(s.c, on_state, &s);
	td_loop_run(s.loop);
	assert_int_equal(s.effects, 1);
	assert_int_equal(s.last_status, 0);
	assert_true(s.seen_at_effect);
	row = td_view_node(td_cluster_view(s.c), 1);
	assert_true(row && row->synced && row->incarnation == 7);
	assert_true(llabs(td_view_now_ms(td_cluster_view(s.c)) -
			  td_clock_wall_ms()) < 60000);
	/* nothing pending: at once */
	assert_int_equal(td_cluster_effect(s.c, on_effect, &s), 0);
	assert_int_equal(s.effects, 2);
	/* a refused op spoils its effect */
	assert_int_equal(td_cluster_submit(s.c, op_call_del(&t, 1, 2)), 0);
	assert_int_equal(td_cluster_effect(s.c, on_effect, &s), 0);
	td_loop_run(s.loop);
	assert_int_equal(s.effects, 3);
	assert_int_equal(s.last_status, -ESTALE);
	/* an op that no codec would pass */
	assert_int_equal(td_cluster_submit(s.c, op_call_del(&t, 1, 99)),
			 -EINVAL);
	dump = td_cluster_dump(s.c);
	assert_non_null(dump);
	assert_string_equal(json_string_value(json_object_get(dump, "state")),
			    "running");
	json_decref(dump);
	/* what waits at the end is cancelled */
	assert_int_equal(td_cluster_submit(s.c, op_call_del(&t, 1, 1)), 0);
	assert_int_equal(td_cluster_effect(s.c, on_effect, &s), 0);
	td_cluster_free(s.c);
	assert_int_equal(s.effects, 4);
	assert_int_equal(s.last_status, -ECANCELED);
	td_loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_node_alone_runs_and_releases_on_its_own_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
