// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/outbox.h"

static int put(struct td_outbox *o, size_t n)
{
	uint8_t *buf = calloc(1, n);
	int rc = td_outbox_put(o, buf, n);

	if (rc)
		free(buf);
	return rc;
}

static void batches_are_bounded_and_numbered(void **state)
{
	struct td_outbox o;
	ProtobufCBinaryData ops[TD_ENVELOPE_MAX_OPS];
	uint64_t first;

	td_outbox_init(&o, 5000);
	assert_int_equal(td_outbox_last(&o), 0);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(put(&o, 10), 0);
	assert_int_equal(td_outbox_last(&o), 3000);
	assert_int_equal(td_outbox_batch(&o, ops, TD_ENVELOPE_MAX_OPS, &first),
			 TD_ENVELOPE_MAX_OPS);
	assert_int_equal(first, 1);
	td_outbox_sent(&o, TD_ENVELOPE_MAX_OPS);
	td_outbox_batch(&o, ops, TD_ENVELOPE_MAX_OPS, &first);
	assert_int_equal(first, 1 + TD_ENVELOPE_MAX_OPS);
	td_outbox_clear(&o);
	/* numbers go on, they never come twice */
	assert_int_equal(td_outbox_last(&o), 3000);
	assert_int_equal(o.octets + o.unsent_octets, 0);
	/* by octets; one huge op goes alone */
	assert_int_equal(put(&o, TD_OUTBOX_BATCH_OCTETS - 10), 0);
	assert_int_equal(put(&o, 10), 0);
	assert_int_equal(put(&o, TD_CONFIG_MAX_OCTETS), 0);
	assert_int_equal(td_outbox_batch(&o, ops, 100, &first), 2);
	assert_int_equal(first, 3001);
	td_outbox_sent(&o, 2);
	assert_int_equal(td_outbox_batch(&o, ops, 100, &first), 1);
	td_outbox_sent(&o, 1);
	assert_false(td_outbox_unsent(&o));
	td_outbox_clear(&o);
}

static void what_did_not_come_back_goes_again(void **state)
{
	struct td_outbox o;
	ProtobufCBinaryData ops[8];
	uint64_t first;

	td_outbox_init(&o, 100);
	for (int i = 0; i < 5; i++)
		put(&o, 10);
	td_outbox_sent(&o, 4);
	assert_true(td_outbox_delivered(&o, 1));
	assert_true(td_outbox_delivered(&o, 2));
	assert_false(td_outbox_delivered(&o, 2));
	assert_false(td_outbox_delivered(&o, 6));
	assert_int_equal(td_outbox_batch(&o, ops, 8, &first), 1);
	assert_int_equal(first, 5);
	td_outbox_again(&o);
	assert_int_equal(td_outbox_batch(&o, ops, 8, &first), 3);
	assert_int_equal(first, 3);
	assert_int_equal(o.unsent_octets, 30);
	td_outbox_clear(&o);
}

static void a_full_box_refuses_and_counts(void **state)
{
	struct td_outbox o;

	td_outbox_init(&o, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put(&o, 1), 0);
	assert_int_equal(put(&o, 1), -EAGAIN);
	assert_int_equal(o.refused_full, 1);
	td_outbox_clear(&o);
	td_outbox_init(&o, 1000);
	while (!put(&o, TD_CONFIG_MAX_OCTETS))
		;
	assert_true(o.octets <= TD_OUTBOX_MAX_OCTETS);
	assert_true(o.octets + TD_CONFIG_MAX_OCTETS > TD_OUTBOX_MAX_OCTETS);
	td_outbox_clear(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_are_bounded_and_numbered),
		cmocka_unit_test(what_did_not_come_back_goes_again),
		cmocka_unit_test(a_full_box_refuses_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
