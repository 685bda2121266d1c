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

/* Single situations, step by step, on the bus of simbus.h. */

struct outcome {
	int calls, status;
};

static void on_effect(void *arg, int status)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = status;
}

static void start_all(struct sim *s)
{
	sim_init(s, 1);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		sim_daemon_start(s, i);
		sim_drain(s);
	}
}

static struct td_cluster *at(struct sim *s, uint32_t id)
{
	return s->machine[id].c;
}

static void assert_same_views(struct sim *s, uint32_t a, uint32_t b)
{
	uint8_t *pa, *pb;
	size_t na, nb;

	assert_int_equal(td_view_pack(td_cluster_view(at(s, a)), &pa, &na), 0);
	assert_int_equal(td_view_pack(td_cluster_view(at(s, b)), &pb, &nb), 0);
	assert_int_equal(na, nb);
	assert_memory_equal(pa, pb, na);
	free(pa);
	free(pb);
}

static bool has(struct sim *s, uint32_t id, const char *uri)
{
	return td_view_contact(td_cluster_view(at(s, id)), "1000", uri);
}

static void submit(struct sim *s, uint32_t id, const char *uri,
		   struct outcome *o)
{
	struct test_op t;

	assert_int_equal(td_cluster_submit(at(s, id), op_contact(&t, "1000",
			 uri, 1800000000000)), 0);
	*o = (struct outcome){ 0 };
	assert_int_equal(td_cluster_effect(at(s, id), on_effect, o), 0);
}

/* a machine that hangs: it takes nothing and says nothing */
static void drain_without(struct sim *s, uint32_t frozen)
{
	for (int round = 0; round < 20; round++)
		for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
			struct sim_machine *m = &s->machine[i];

			if (!m->c || i == frozen)
				continue;
			td_cluster_turn(m->c);
			while (m->out.count)
				sim_order(s, m);
			while (sim_deliver(m))
				;
		}
}

static void nodes_that_start_at_once_agree_on_one_lineage(void **state)
{
	struct sim s;

	sim_init(&s, 1);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++)
		sim_daemon_start(&s, i);
	sim_drain(&s);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		const Td__Node *n = td_view_node(td_cluster_view(at(&s, 1)),
						 i);

		assert_int_equal(td_cluster_state(at(&s, i)),
				 TD_CLUSTER_RUNNING);
		assert_int_equal(td_cluster_in_sync(at(&s, i)),
				 0xe & ~(1U << i));
		assert_true(n && n->synced);
		assert_same_views(&s, 1, i);
	}
	sim_end(&s);
}

static void an_effect_waits_for_every_mate(void **state)
{
	struct sim s;
	struct outcome o;

	start_all(&s);
	submit(&s, 1, "sip:a", &o);
	drain_without(&s, 3);
	assert_true(has(&s, 1, "sip:a") && has(&s, 2, "sip:a"));
	assert_int_equal(o.calls, 0);
	sim_drain(&s);
	assert_true(has(&s, 3, "sip:a"));
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, 0);
	/* nothing pending: at once */
	o = (struct outcome){ 0 };
	td_cluster_effect(at(&s, 1), on_effect, &o);
	assert_int_equal(o.calls, 1);
	sim_end(&s);
}

static void an_effect_without_an_op_of_its_own_keeps_its_place(void **state)
{
	struct sim s;
	struct outcome o, later;

	start_all(&s);
	submit(&s, 1, "sip:a", &o);
	later = (struct outcome){ 0 };
	td_cluster_effect(at(&s, 1), on_effect, &later);
	assert_int_equal(later.calls, 0);
	/* delivered here, not yet acknowledged: still waits */
	drain_without(&s, 3);
	assert_int_equal(later.calls + o.calls, 0);
	sim_drain(&s);
	assert_int_equal(later.calls + o.calls, 2);
	sim_end(&s);
}

static void a_member_that_leaves_is_not_waited_for(void **state)
{
	struct sim s;
	struct outcome o;

	start_all(&s);
	submit(&s, 1, "sip:a", &o);
	drain_without(&s, 3);
	assert_int_equal(o.calls, 0);
	sim_daemon_stop(&s, 3);
	sim_drain(&s);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, 0);
	assert_int_equal(td_view_node(td_cluster_view(at(&s, 1)), 3)->state,
			 TD__NODE_STATE__NODE_DOWN);
	sim_end(&s);
}

static void a_mate_that_hangs_is_waited_for(void **state)
{
	struct sim s;
	struct outcome o;

	start_all(&s);
	submit(&s, 1, "sip:a", &o);
	drain_without(&s, 2);
	s.now_ms += 10 * TD_ACK_SLOW_MS;
	drain_without(&s, 2);
	assert_int_equal(o.calls, 0);
	assert_int_equal(td_cluster_in_sync(at(&s, 1)), 1U << 2 | 1U << 3);
	sim_drain(&s);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, 0);
	assert_same_views(&s, 1, 2);
	sim_end(&s);
}

static void a_minority_cancels_and_refuses(void **state)
{
	struct sim s;
	struct outcome o;
	struct test_op t;

	start_all(&s);
	submit(&s, 3, "sip:a", &o);
	td_cluster_turn(at(&s, 3));
	s.machine[3].group = 1;
	sim_reform(&s);
	sim_drain(&s);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, -ECANCELED);
	assert_int_equal(td_cluster_state(at(&s, 3)), TD_CLUSTER_MINORITY);
	assert_int_equal(td_cluster_submit(at(&s, 3), op_tick(&t, 1)),
			 -ENOTCONN);
	o = (struct outcome){ 0 };
	td_cluster_effect(at(&s, 3), on_effect, &o);
	assert_int_equal(o.status, -ECANCELED);
	assert_int_equal(td_cluster_state(at(&s, 1)), TD_CLUSTER_RUNNING);
	/* back: with the others' view, and its own word is nobody's */
	submit(&s, 1, "sip:b", &o);
	s.machine[3].group = 0;
	sim_reform(&s);
	sim_drain(&s);
	assert_int_equal(o.status, 0);
	assert_int_equal(td_cluster_state(at(&s, 3)), TD_CLUSTER_RUNNING);
	assert_true(has(&s, 3, "sip:b"));
	assert_false(has(&s, 1, "sip:a"));
	assert_same_views(&s, 1, 3);
	sim_end(&s);
}

static void what_is_under_way_at_a_split_is_sent_again(void **state)
{
	struct sim s;
	struct outcome o[3];

	start_all(&s);
	/* submitted; handed to the transport; put in order */
	submit(&s, 1, "sip:a", &o[0]);
	td_cluster_turn(at(&s, 1));
	sim_order(&s, &s.machine[1]);
	submit(&s, 1, "sip:b", &o[1]);
	td_cluster_turn(at(&s, 1));
	submit(&s, 1, "sip:c", &o[2]);
	sim_power(&s, 3, false);
	sim_drain(&s);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(o[i].calls, 1);
		assert_int_equal(o[i].status, 0);
	}
	assert_true(has(&s, 2, "sip:a") && has(&s, 2, "sip:b") &&
		    has(&s, 2, "sip:c"));
	assert_same_views(&s, 1, 2);
	sim_end(&s);
}

static void who_comes_back_brings_nothing_deleted_back(void **state)
{
	struct sim s;
	struct outcome o;
	struct test_op t;

	start_all(&s);
	submit(&s, 1, "sip:a", &o);
	td_cluster_submit(at(&s, 3), op_call(&t, 77, 3, "s3", 4));
	sim_drain(&s);
	assert_non_null(td_view_call(td_cluster_view(at(&s, 1)), 77, 3));
	/* 3 hangs in another part, still with its call and the contact */
	s.machine[3].group = 1;
	sim_reform(&s);
	sim_drain(&s);
	td_cluster_submit(at(&s, 1), op_contact_del(&t, "1000", ""));
	sim_drain(&s);
	assert_null(td_view_call(td_cluster_view(at(&s, 1)), 77, 3));
	assert_non_null(td_view_call(td_cluster_view(at(&s, 3)), 77, 3));
	s.machine[3].group = 0;
	sim_reform(&s);
	sim_drain(&s);
	assert_null(td_view_call(td_cluster_view(at(&s, 3)), 77, 3));
	assert_false(has(&s, 3, "sip:a"));
	assert_same_views(&s, 1, 3);
	sim_end(&s);
}

static void a_cluster_that_lost_quorum_goes_on_with_the_newest(
	void **state)
{
	struct sim s;
	struct outcome o;

	start_all(&s);
	submit(&s, 2, "sip:a", &o);
	sim_drain(&s);
	/* each alone: nobody goes on */
	s.machine[2].group = 1;
	s.machine[3].group = 2;
	sim_reform(&s);
	sim_drain(&s);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(td_cluster_state(at(&s, i)),
				 TD_CLUSTER_MINORITY);
	s.machine[2].group = s.machine[3].group = 0;
	sim_reform(&s);
	sim_drain(&s);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(td_cluster_state(at(&s, i)),
				 TD_CLUSTER_RUNNING);
		assert_true(has(&s, i, "sip:a"));
		assert_same_views(&s, 1, i);
	}
	sim_end(&s);
}

/* as with no_quorum_policy and the like: both parts went on */
static void of_two_parts_that_went_on_the_later_one_stays(void **state)
{
	struct sim s;
	struct outcome a, b;

	start_all(&s);
	s.quorum = 1;
	s.machine[1].group = 1;
	sim_reform(&s);
	sim_drain(&s);
	submit(&s, 1, "sip:a", &a);
	submit(&s, 2, "sip:b", &b);
	sim_drain(&s);
	assert_int_equal(a.status + b.status, 0);
	assert_int_equal(a.calls + b.calls, 2);
	s.machine[1].group = 0;
	sim_reform(&s);
	sim_drain(&s);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		assert_int_equal(td_cluster_state(at(&s, i)),
				 TD_CLUSTER_RUNNING);
		assert_true(has(&s, i, "sip:b"));
		assert_false(has(&s, i, "sip:a"));
		assert_same_views(&s, 1, i);
	}
	sim_end(&s);
}

/* votes come and go within one ring */
static void a_ring_that_loses_and_finds_its_quorum_goes_on(void **state)
{
	uint64_t was[SIM_MACHINES + 1];
	struct sim s;
	struct outcome o;

	start_all(&s);
	submit(&s, 1, "sip:a", &o);
	sim_drain(&s);
	for (int q = -1; q <= 0; q++) {
		s.quorum = q;
		for (uint32_t i = 1; i <= SIM_MACHINES; i++)
			was[i] = s.machine[i].ring;
		for (uint32_t i = 1; i <= SIM_MACHINES; i++)
			sim_tell(&s, &s.machine[i], was, 0);
		submit(&s, 2, q ? "sip:b" : "sip:c", &o);
		sim_drain(&s);
		assert_int_equal(o.calls, 1);
		if (!q)
			break;
		assert_int_equal(o.status, -ECANCELED);
		/* refused until it is back */
		assert_int_equal(td_cluster_state(at(&s, 2)),
				 TD_CLUSTER_MINORITY);
		s.quorum = 0;
		for (uint32_t i = 1; i <= SIM_MACHINES; i++)
			sim_tell(&s, &s.machine[i], was, 0);
		sim_drain(&s);
	}
	assert_int_equal(o.status, 0);
	for (uint32_t i = 1; i <= SIM_MACHINES; i++) {
		assert_true(has(&s, i, "sip:a") && has(&s, i, "sip:c"));
		assert_same_views(&s, 1, i);
	}
	sim_end(&s);
}

static void a_giver_that_dies_is_replaced(void **state)
{
	struct sim s;
	struct outcome o;
	uint64_t n;

	sim_init(&s, 1);
	sim_daemon_start(&s, 1);
	sim_daemon_start(&s, 2);
	sim_drain(&s);
	submit(&s, 1, "sip:a", &o);
	sim_drain(&s);
	for (unsigned int steps = 0; steps < 12; steps++) {
		/* the joiner's Hello is answered by 1 ... */
		sim_daemon_start(&s, 3);
		for (unsigned int k = 0; k < steps; k++) {
			struct sim_machine *m = &s.machine[k % 2 ? 1 : 3];

			td_cluster_turn(m->c);
			sim_order(&s, m);
			sim_deliver(m);
		}
		/* ... who dies at any point */
		sim_daemon_stop(&s, 1);
		sim_drain(&s);
		assert_int_equal(td_cluster_state(at(&s, 3)),
				 TD_CLUSTER_RUNNING);
		assert_true(has(&s, 3, "sip:a"));
		assert_same_views(&s, 2, 3);
		sim_daemon_start(&s, 1);
		sim_drain(&s);
		n = td_view_index(td_cluster_view(at(&s, 2))).n;
		assert_int_equal(td_view_index(td_cluster_view(at(&s, 1))).n,
				 n);
		sim_daemon_stop(&s, 3);
		sim_drain(&s);
	}
	sim_end(&s);
}

static void a_large_view_comes_in_pieces_with_the_ops_meanwhile(void **state)
{
	struct sim s;
	struct outcome o;
	struct test_op t;
	char user[16];
	struct td_cluster_stats st;

	sim_init(&s, 1);
	sim_daemon_start(&s, 1);
	sim_daemon_start(&s, 2);
	sim_drain(&s);
	for (int i = 0; i < 12000; i++) {
		snprintf(user, sizeof(user), "%d", i);
		op_contact(&t, user, "sip:some.user@10.77.0.101:5060",
			   1800000000000);
		assert_int_equal(td_cluster_submit(at(&s, 1), &t.op), 0);
		if (i % 1000 == 0)
			sim_drain(&s);
	}
	sim_drain(&s);
	s.machine[1].out_limit = 1;	/* the transport is full all the time */
	sim_daemon_start(&s, 3);
	for (int i = 0; i < 8; i++) {
		for (uint32_t k = 1; k <= 3; k++) {
			td_cluster_turn(at(&s, k));
			sim_order(&s, &s.machine[k]);
			while (sim_deliver(&s.machine[k]))
				;
		}
		if (i == 4)
			submit(&s, 2, "sip:meanwhile", &o);
	}
	assert_int_equal(td_cluster_state(at(&s, 3)), TD_CLUSTER_JOINING);
	sim_drain(&s);
	assert_int_equal(td_cluster_state(at(&s, 3)), TD_CLUSTER_RUNNING);
	assert_int_equal(o.calls, 1);
	assert_true(has(&s, 3, "sip:meanwhile"));
	assert_same_views(&s, 1, 3);
	td_cluster_stats(at(&s, 3), &st);
	assert_int_equal(st.snapshots_in, 1);
	sim_end(&s);
}

static void back_pressure_is_an_answer_and_ends(void **state)
{
	struct sim s;
	struct outcome o = { 0 };
	struct test_op t;
	int n = 0, rc;

	start_all(&s);
	s.machine[1].out_limit = 0;
	while (!(rc = td_cluster_submit(at(&s, 1), op_contact(&t, "1000",
				       "sip:a", 1800000000000))))
		n++;
	assert_int_equal(rc, -EAGAIN);
	assert_int_equal(n, 16384);
	td_cluster_effect(at(&s, 1), on_effect, &o);
	s.machine[1].out_limit = 64;
	sim_drain(&s);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, 0);
	assert_same_views(&s, 1, 3);
	sim_end(&s);
}

/* a message of a later level, and junk */
static void who_does_not_understand_leaves_and_junk_is_counted(void **state)
{
	struct sim s;
	Td__Envelope e = TD__ENVELOPE__INIT;
	struct td_cluster_stats st;
	struct outcome o;
	uint8_t *buf;
	size_t n;

	start_all(&s);
	for (uint32_t i = 1; i <= 3; i++)
		td_cluster_on_deliver(at(&s, i), 2, "\xff\xff junk", 7);
	td_cluster_stats(at(&s, 1), &st);
	assert_int_equal(st.bad_messages, 1);
	submit(&s, 1, "sip:a", &o);
	e.feature_level = TD_FEATURE_LEVEL + 1;
	assert_int_equal(td_envelope_pack(&e, &buf, &n), 0);
	td_cluster_on_deliver(at(&s, 1), 2, buf, n);
	free(buf);
	assert_true(td_cluster_lost(at(&s, 1)));
	assert_int_equal(td_cluster_state(at(&s, 1)), TD_CLUSTER_MINORITY);
	assert_int_equal(o.status, -ECANCELED);
	sim_end(&s);
}

/* one node's clock jumps: agreed time goes on with the monotonic clock */
static void agreed_time_goes_on_and_expires(void **state)
{
	struct sim s;
	struct outcome o;
	struct test_op t;
	int64_t now;

	start_all(&s);
	now = td_view_now_ms(td_cluster_view(at(&s, 1)));
	assert_true(now >= 1750000100000);
	td_cluster_submit(at(&s, 2), op_contact(&t, "1000", "sip:a",
					       (uint64_t)now + 3000));
	submit(&s, 2, "sip:b", &o);
	for (int i = 0; i < 20; i++) {
		s.now_ms += 200;
		sim_drain(&s);
	}
	assert_false(has(&s, 3, "sip:a"));
	assert_true(has(&s, 3, "sip:b"));
	assert_true(td_view_now_ms(td_cluster_view(at(&s, 3))) - now > 2500);
	assert_true(td_view_now_ms(td_cluster_view(at(&s, 3))) - now < 4500);
	assert_same_views(&s, 1, 3);
	sim_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_that_start_at_once_agree_on_one_lineage),
		cmocka_unit_test(an_effect_waits_for_every_mate),
		cmocka_unit_test(
			an_effect_without_an_op_of_its_own_keeps_its_place),
		cmocka_unit_test(a_member_that_leaves_is_not_waited_for),
		cmocka_unit_test(a_mate_that_hangs_is_waited_for),
		cmocka_unit_test(a_minority_cancels_and_refuses),
		cmocka_unit_test(what_is_under_way_at_a_split_is_sent_again),
		cmocka_unit_test(who_comes_back_brings_nothing_deleted_back),
		cmocka_unit_test(
			a_cluster_that_lost_quorum_goes_on_with_the_newest),
		cmocka_unit_test(of_two_parts_that_went_on_the_later_one_stays),
		cmocka_unit_test(
			a_ring_that_loses_and_finds_its_quorum_goes_on),
		cmocka_unit_test(a_giver_that_dies_is_replaced),
		cmocka_unit_test(
			a_large_view_comes_in_pieces_with_the_ops_meanwhile),
		cmocka_unit_test(back_pressure_is_an_answer_and_ends),
		cmocka_unit_test(
			who_does_not_understand_leaves_and_junk_is_counted),
		cmocka_unit_test(agreed_time_goes_on_and_expires),
	};

	/* members come and go all the time here: no word about it */
	td_log_level_set((enum td_log_level)-1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
