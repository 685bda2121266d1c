// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/ack.h"

/* what has run, in order: number * 1000 - status */
struct ran {
	int n, what[256];
};
struct one {
	struct ran *ran;
	int number;
};

static void on_effect(void *arg, int status)
{
	struct one *o = arg;

	o->ran->what[o->ran->n++] = o->number * 1000 - status;
}

static const uint64_t none[TD_LANES];
static const uint64_t life[TD_NODE_MAX_ID + 1] = { [2] = 22, [3] = 33 };

static void heard(struct td_holders *h, uint32_t node, uint64_t of, uint64_t n)
{
	Td__Ack a = TD__ACK__INIT;

	a.index = n;
	td_holders_heard(h, node, of, &a);
}

static void held(struct td_holders *h, uint32_t node, uint64_t n)
{
	heard(h, node, life[node], n);
}

/* all in one lane: the newest op of ours */
static int add(struct td_ack *a, uint64_t seq, uint64_t floor, struct one *o)
{
	const uint64_t need[TD_LANES] = { [TD_LANE_USERS] = seq };

	return td_ack_add(a, need, floor, on_effect, o);
}

static void delivered(struct td_ack *a, uint64_t seq, uint64_t n,
		      enum td_spoils spoils, int64_t now_ms)
{
	td_ack_delivered(a, TD_LANE_USERS, seq, n, spoils, now_ms);
}

static void effects_run_in_order_when_all_hold_the_op(void **state)
{
	struct ran r = { 0 };
	struct one o[4] = { { &r, 0 }, { &r, 1 }, { &r, 2 }, { &r, 3 } };
	struct td_holders h = { 0 };
	struct td_ack a;

	td_ack_init(&a, 100);
	assert_true(td_holders_floor(&h) == UINT64_MAX);
	td_holders_need(&h, 1U << 2 | 1U << 3, life);
	assert_int_equal(td_holders_floor(&h), 0);
	/* nothing pending, nobody needed */
	assert_int_equal(add(&a, 0, UINT64_MAX, &o[0]), 1);
	assert_int_equal(add(&a, 1, 0, &o[0]), 0);
	assert_int_equal(add(&a, 1, 0, &o[1]), 0);
	assert_int_equal(add(&a, 2, 0, &o[2]), 0);
	held(&h, 2, 50);
	held(&h, 3, 50);
	td_ack_release(&a, td_holders_floor(&h));
	assert_int_equal(r.n, 0);
	delivered(&a, 1, 51, TD_SPOILS_NOTHING, 1);
	held(&h, 2, 51);
	assert_int_equal(td_holders_behind(&h, 51), 1U << 3);
	td_ack_release(&a, td_holders_floor(&h));
	assert_int_equal(r.n, 0);
	held(&h, 3, 51);
	td_ack_release(&a, td_holders_floor(&h));
	assert_int_equal(r.n, 2);
	/* delivered, not held: who comes now waits behind it */
	delivered(&a, 2, 53, TD_SPOILS_NOTHING, 2);
	assert_int_equal(add(&a, 2, td_holders_floor(&h), &o[3]), 0);
	held(&h, 2, 60);
	held(&h, 3, 40);	/* goes not back */
	td_ack_release(&a, td_holders_floor(&h));
	assert_int_equal(r.n, 2);
	/* 3 leaves */
	td_holders_need(&h, 1U << 2, life);
	td_ack_release(&a, td_holders_floor(&h));
	assert_int_equal(r.n, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(r.what[i], i * 1000);
	td_ack_clear(&a);
}

static void the_word_of_another_life_is_nobodys(void **state)
{
	uint64_t later[TD_NODE_MAX_ID + 1] = { [2] = 23 };
	struct td_holders h = { 0 };

	td_holders_need(&h, 1U << 2, life);
	heard(&h, 2, 23, 90);
	assert_int_equal(td_holders_floor(&h), 0);
	assert_int_equal(td_holders_behind(&h, 1), 1U << 2);
	td_holders_need(&h, 1U << 2, later);
	assert_int_equal(td_holders_floor(&h), 90);
	/* what the one life held the next does not */
	heard(&h, 2, 24, 10);
	assert_int_equal(td_holders_floor(&h), 0);
	later[2] = 24;
	td_holders_need(&h, 1U << 2, later);
	assert_int_equal(td_holders_floor(&h), 10);
	td_holders_forget(&h);
	assert_int_equal(td_holders_floor(&h), 0);
}

static void a_refused_op_spoils_what_it_concerns(void **state)
{
	struct ran r = { 0 };
	struct one o[5];
	struct td_ack a;
	const int want[5] = { 0, 1000 + ESTALE, 2000, 3000 + ESTALE,
			      4000 + ESTALE };

	td_ack_init(&a, 100);
	for (int i = 0; i < 5; i++) {
		o[i] = (struct one){ &r, i };
		add(&a, (uint64_t)i + 1, 0, &o[i]);
	}
	delivered(&a, 1, 1, TD_SPOILS_NOTHING, 1);
	delivered(&a, 2, 2, TD_SPOILS_NEXT, 1);
	delivered(&a, 3, 3, TD_SPOILS_NOTHING, 1);
	delivered(&a, 4, 4, TD_SPOILS_ALL, 1);
	delivered(&a, 5, 5, TD_SPOILS_NOTHING, 1);
	/* nobody waits: nobody is spoilt */
	delivered(&a, 6, 6, TD_SPOILS_NEXT, 1);
	td_ack_release(&a, UINT64_MAX);
	assert_int_equal(r.n, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(r.what[i], want[i]);
	td_ack_clear(&a);
}

static void what_waits_too_long_for_a_mate_is_told(void **state)
{
	struct ran r = { 0 };
	struct one o = { &r, 1 };
	struct td_ack a;

	td_ack_init(&a, 100);
	add(&a, 1, 0, &o);
	/* not delivered here: the ring's fault, not the mate's */
	assert_int_equal(td_ack_overdue(&a, 0, 10000), 0);
	delivered(&a, 1, 1000, TD_SPOILS_NOTHING, 10000);
	assert_int_equal(td_ack_overdue(&a, 999, 10000 + TD_ACK_SLOW_MS - 1),
			 0);
	assert_int_equal(td_ack_overdue(&a, 999, 10000 + TD_ACK_SLOW_MS),
			 1000);
	assert_int_equal(td_ack_overdue(&a, 1000, 10000 + TD_ACK_SLOW_MS), 0);
	/* added when its op was there: from the first look on */
	td_ack_release(&a, 1000);
	assert_int_equal(r.n, 1);
	add(&a, 1, 999, &o);
	assert_int_equal(td_ack_overdue(&a, 999, 20000), 0);
	assert_int_equal(td_ack_overdue(&a, 999, 20000 + TD_ACK_SLOW_MS),
			 1000);
	td_ack_clear(&a);
}

static void an_effect_waits_for_its_lanes_and_keeps_its_place(void **state)
{
	const uint64_t both[TD_LANES] = { 1, 1, 0 }, urgent[TD_LANES] = { 2 };
	struct ran r = { 0 };
	struct one o[2] = { { &r, 1 }, { &r, 2 } };
	struct td_ack a;

	td_ack_init(&a, 100);
	td_ack_add(&a, both, 0, on_effect, &o[0]);
	td_ack_add(&a, urgent, 0, on_effect, &o[1]);
	td_ack_delivered(&a, TD_LANE_URGENT, 1, 10, TD_SPOILS_NOTHING, 1);
	td_ack_delivered(&a, TD_LANE_URGENT, 2, 11, TD_SPOILS_NOTHING, 1);
	td_ack_release(&a, UINT64_MAX);
	assert_int_equal(r.n, 0);
	/* refused: what the other lane waits for is spoilt, what came later
	 * in time and not in this lane is not */
	td_ack_delivered(&a, TD_LANE_USERS, 1, 12, TD_SPOILS_NEXT, 1);
	td_ack_release(&a, 11);
	assert_int_equal(r.n, 0);
	td_ack_release(&a, 12);
	assert_int_equal(r.n, 2);
	assert_int_equal(r.what[0], 1000 + ESTALE);
	assert_int_equal(r.what[1], 2000);
	td_ack_clear(&a);
}

static void a_disk_counts_from_where_its_member_came_in(void **state)
{
	struct td_holders h = { 0 };
	Td__Ack a = TD__ACK__INIT;

	td_holders_need(&h, 1U << 2 | 1U << 3, life);
	a.index = 20;
	a.durable = 15;
	td_holders_heard(&h, 2, life[2], &a);
	a.durable_since = 12;
	td_holders_heard(&h, 3, life[3], &a);
	assert_int_equal(td_holders_disks(&h, 12), 1);
	assert_int_equal(td_holders_disks(&h, 13), 2);
	assert_int_equal(td_holders_disks(&h, 15), 2);
	assert_int_equal(td_holders_disks(&h, 16), 0);
	/* another life's disk is nobody's */
	td_holders_heard(&h, 3, life[3] + 1, &a);
	assert_int_equal(td_holders_disks(&h, 13), 1);
}

static void the_queue_grows_to_its_limit_and_cancels_in_order(void **state)
{
	struct ran r = { 0 };
	struct one o[201];
	struct td_ack a;

	td_ack_init(&a, 200);
	/* the ring's start is somewhere in the middle when it grows */
	for (int i = 0; i < 30; i++) {
		o[i] = (struct one){ &r, i };
		add(&a, 1, 0, &o[i]);
	}
	delivered(&a, 1, 1, TD_SPOILS_NOTHING, 1);
	td_ack_release(&a, UINT64_MAX);
	assert_int_equal(r.n, 30);
	r.n = 0;
	for (int i = 0; i < 200; i++) {
		o[i] = (struct one){ &r, i };
		assert_int_equal(add(&a, 2, 0, &o[i]),
				 0);
	}
	assert_int_equal(add(&a, 2, 0, &o[200]),
			 -EAGAIN);
	assert_int_equal(a.refused_full, 1);
	td_ack_cancel(&a, none);
	assert_int_equal(r.n, 200);
	for (int i = 0; i < 200; i++)
		assert_int_equal(r.what[i], i * 1000 + ECANCELED);
	td_ack_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(effects_run_in_order_when_all_hold_the_op),
		cmocka_unit_test(a_refused_op_spoils_what_it_concerns),
		cmocka_unit_test(the_word_of_another_life_is_nobodys),
		cmocka_unit_test(what_waits_too_long_for_a_mate_is_told),
		cmocka_unit_test(
			an_effect_waits_for_its_lanes_and_keeps_its_place),
		cmocka_unit_test(a_disk_counts_from_where_its_member_came_in),
		cmocka_unit_test(
			the_queue_grows_to_its_limit_and_cancels_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
