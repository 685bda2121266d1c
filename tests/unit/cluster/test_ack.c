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

static void effects_run_in_order_when_all_hold_the_op(void **state)
{
	struct ran r = { 0 };
	struct one o[4] = { { &r, 0 }, { &r, 1 }, { &r, 2 }, { &r, 3 } };
	struct td_ack a;

	td_ack_init(&a, 100);
	td_ack_in_sync(&a, 1U << 2 | 1U << 3);
	/* nothing pending */
	assert_int_equal(td_ack_add(&a, 0, false, on_effect, &o[0]), 1);
	assert_int_equal(td_ack_add(&a, 1, true, on_effect, &o[0]), 0);
	assert_int_equal(td_ack_add(&a, 1, true, on_effect, &o[1]), 0);
	assert_int_equal(td_ack_add(&a, 2, true, on_effect, &o[2]), 0);
	td_ack_held(&a, 2, 50);
	td_ack_held(&a, 3, 50);
	td_ack_release(&a);
	assert_int_equal(r.n, 0);
	td_ack_delivered(&a, 1, 51, TD_SPOILS_NOTHING, 1);
	td_ack_held(&a, 2, 51);
	td_ack_release(&a);
	assert_int_equal(r.n, 0);
	td_ack_held(&a, 3, 51);
	td_ack_release(&a);
	assert_int_equal(r.n, 2);
	/* delivered, not held: who comes now waits behind it */
	td_ack_delivered(&a, 2, 53, TD_SPOILS_NOTHING, 2);
	assert_int_equal(td_ack_add(&a, 2, false, on_effect, &o[3]), 0);
	td_ack_held(&a, 2, 60);
	td_ack_held(&a, 3, 40);	/* goes not back */
	td_ack_release(&a);
	assert_int_equal(r.n, 2);
	/* 3 leaves */
	td_ack_in_sync(&a, 1U << 2);
	td_ack_release(&a);
	assert_int_equal(r.n, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(r.what[i], i * 1000);
	td_ack_clear(&a);
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
		td_ack_add(&a, (uint64_t)i + 1, true, on_effect, &o[i]);
	}
	td_ack_delivered(&a, 1, 1, TD_SPOILS_NOTHING, 1);
	td_ack_delivered(&a, 2, 2, TD_SPOILS_NEXT, 1);
	td_ack_delivered(&a, 3, 3, TD_SPOILS_NOTHING, 1);
	td_ack_delivered(&a, 4, 4, TD_SPOILS_ALL, 1);
	td_ack_delivered(&a, 5, 5, TD_SPOILS_NOTHING, 1);
	/* nobody waits: nobody is spoilt */
	td_ack_delivered(&a, 6, 6, TD_SPOILS_NEXT, 1);
	td_ack_release(&a);
	assert_int_equal(r.n, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(r.what[i], want[i]);
	td_ack_clear(&a);
}

static void who_is_overdue_is_taken_out_and_taken_back_near_enough(void **state)
{
	struct ran r = { 0 };
	struct one o = { &r, 1 };
	struct td_ack a;

	td_ack_init(&a, 100);
	td_ack_in_sync(&a, 1U << 2 | 1U << 3);
	td_ack_add(&a, 1, true, on_effect, &o);
	/* not delivered here: the ring's fault, not the mate's */
	assert_int_equal(td_ack_overdue(&a, 10000), 0);
	td_ack_delivered(&a, 1, 1000, TD_SPOILS_NOTHING, 10000);
	td_ack_held(&a, 3, 1000);
	assert_int_equal(td_ack_overdue(&a, 10000 + TD_ACK_SLOW_MS - 1), 0);
	assert_int_equal(td_ack_overdue(&a, 10000 + TD_ACK_SLOW_MS), 1000);
	assert_int_equal(td_ack_take_out(&a, 1000), 1U << 2);
	td_ack_release(&a);
	assert_int_equal(r.n, 1);
	assert_false(td_ack_held(&a, 2, 1000 - TD_ACK_CAUGHT_UP - 1));
	assert_int_equal(a.slow, 1U << 2);
	assert_true(td_ack_held(&a, 2, 1000 - TD_ACK_CAUGHT_UP));
	assert_int_equal(a.slow, 0);
	/* waited for again */
	td_ack_add(&a, 1, false, on_effect, &o);
	td_ack_release(&a);
	assert_int_equal(r.n, 1);
	td_ack_held(&a, 2, 1000);
	td_ack_release(&a);
	assert_int_equal(r.n, 2);
	td_ack_clear(&a);
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
		td_ack_add(&a, 1, true, on_effect, &o[i]);
	}
	td_ack_delivered(&a, 1, 1, TD_SPOILS_NOTHING, 1);
	td_ack_release(&a);
	assert_int_equal(r.n, 30);
	r.n = 0;
	for (int i = 0; i < 200; i++) {
		o[i] = (struct one){ &r, i };
		assert_int_equal(td_ack_add(&a, 2, true, on_effect, &o[i]), 0);
	}
	assert_int_equal(td_ack_add(&a, 2, true, on_effect, &o[200]), -EAGAIN);
	assert_int_equal(a.refused_full, 1);
	td_ack_cancel(&a);
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
		cmocka_unit_test(
			who_is_overdue_is_taken_out_and_taken_back_near_enough),
		cmocka_unit_test(
			the_queue_grows_to_its_limit_and_cancels_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
