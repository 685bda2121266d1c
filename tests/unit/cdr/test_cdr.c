// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/cdr/rows.h"

static void each_leg_is_a_row_with_its_times_and_causes(void **state)
{
	json_t *rows = json_array();
	const json_t *a, *b;
	struct half h;

	half_init(&h, 0x0100000200000003);
	half_end(&h, 5000);
	h.log[1].sip_status = 0;
	half_rows(&h, 77, true, rows);
	assert_int_equal(json_array_size(rows), 2);
	a = json_array_get(rows, 0);
	b = json_array_get(rows, 1);
	assert_string_equal(text_of(a, "call_id"), "0100000200000003");
	assert_int_equal(int_of(a, "leg"), 16);
	assert_int_equal(int_of(b, "leg"), 17);
	assert_string_equal(text_of(a, "direction"), "in");
	assert_string_equal(text_of(b, "direction"), "out");
	assert_string_equal(text_of(a, "kind"), "sip");
	assert_string_equal(text_of(b, "kind"), "isdn");
	assert_string_equal(text_of(a, "number"), "95550005");
	assert_string_equal(text_of(b, "number"), "5550005");
	assert_string_equal(text_of(b, "called"), "95550005");
	assert_string_equal(text_of(b, "span"), "s3");
	assert_int_equal(int_of(b, "timeslot"), 7);
	assert_true(json_is_null(json_object_get(a, "timeslot")));
	assert_int_equal(int_of(a, "talk_ms"), 3000);
	assert_int_equal(int_of(a, "duration_ms"), 4000);
	assert_int_equal(int_of(b, "cause"), 16);
	assert_string_equal(text_of(a, "cleared_by"), "peer");
	assert_string_equal(text_of(b, "cleared_by"), "other");
	assert_int_equal(int_of(a, "generation"), 7);
	assert_int_equal(int_of(a, "epoch"), 77);
	assert_true(json_is_true(json_object_get(a, "own")));
	assert_string_equal(text_of(a, "nodes"), "n1");
	json_decref(rows);
}

static void survivors_end_what_had_not_ended_with_cause_41(void **state)
{
	json_t *rows = json_array();
	const json_t *a, *b;
	struct half h;

	half_init(&h, 5);
	h.log[1].ended_ms = 2500;	/* that leg was over before */
	h.log[1].cause = 31;
	h.log[1].cleared_by = TD__CLEARED_BY__CLEARED_BY_PEER;
	half_rows(&h, 78, false, rows);
	a = json_array_get(rows, 0);
	b = json_array_get(rows, 1);
	assert_int_equal(int_of(a, "cause"), 41);
	assert_string_equal(text_of(a, "cleared_by"), "death");
	assert_int_equal(int_of(a, "ended_ms"), 9000);
	assert_int_equal(int_of(a, "talk_ms"), 7000);
	assert_false(json_is_true(json_object_get(a, "own")));
	assert_int_equal(int_of(b, "cause"), 31);
	assert_string_equal(text_of(b, "cleared_by"), "peer");
	assert_int_equal(int_of(b, "ended_ms"), 2500);
	json_decref(rows);
}

static void a_row_without_a_log_still_makes_a_record(void **state)
{
	json_t *rows = json_array();
	const json_t *a;
	struct half h;

	half_init(&h, 5);
	h.leg[0].log = NULL;
	h.leg[0].since_ms = 1500;
	half_rows(&h, 78, false, rows);
	a = json_array_get(rows, 0);
	assert_int_equal(int_of(a, "start_ms"), 1500);
	assert_true(json_is_null(json_object_get(a, "answered_ms")));
	assert_int_equal(int_of(a, "talk_ms"), 0);
	json_decref(rows);
}

static void times_never_run_backwards(void **state)
{
	json_t *rows = json_array();
	const json_t *a;
	struct half h;

	/* a Tick may set agreed time back against what was noted before it */
	half_init(&h, 5);
	half_end(&h, 1990);
	h.log[0].alerting_ms = 900;
	half_rows(&h, 78, true, rows);
	a = json_array_get(rows, 0);
	assert_int_equal(int_of(a, "alerting_ms"), 1000);
	assert_int_equal(int_of(a, "ended_ms"), 2000);
	assert_int_equal(int_of(a, "talk_ms"), 0);
	json_decref(rows);
}

static void all_survivors_make_the_same_octets(void **state)
{
	uint8_t *a, *b, ka[TD_CDR_KEY_OCTETS], kb[TD_CDR_KEY_OCTETS];
	struct half x, y;
	size_t na, nb;

	half_init(&x, 9);
	half_init(&y, 9);
	assert_int_equal(td_cdr_pack(&x.call, 5, false, 7000, &a, &na), 0);
	assert_int_equal(td_cdr_pack(&y.call, 5, false, 7000, &b, &nb), 0);
	assert_int_equal(na, nb);
	assert_memory_equal(a, b, na);
	assert_true(na < 400);		/* what a call costs on each disk */
	td_cdr_key(&x.call, 5, false, ka);
	td_cdr_key(&y.call, 5, false, kb);
	assert_memory_equal(ka, kb, sizeof(ka));
	td_cdr_key(&y.call, 5, true, kb);
	assert_memory_not_equal(ka, kb, sizeof(ka));
	td_cdr_key(&y.call, 6, false, kb);
	assert_memory_not_equal(ka, kb, sizeof(ka));
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_leg_is_a_row_with_its_times_and_causes),
		cmocka_unit_test(
			survivors_end_what_had_not_ended_with_cause_41),
		cmocka_unit_test(a_row_without_a_log_still_makes_a_record),
		cmocka_unit_test(times_never_run_backwards),
		cmocka_unit_test(all_survivors_make_the_same_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
