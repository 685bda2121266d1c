// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/isdn/q931.h"

static void an_element_that_does_not_fit_is_cut_off(void **state)
{
	static const struct {
		const char *what;
		uint8_t b[24];
		size_t n, want;
	} t[] = {
		{ "whole", { 2, 1, 0, 0, 8, 2, 0, 1, 5, 4, 1, 0x80 }, 12, 12 },
		{ "one too long", { 2, 1, 0, 0, 8, 2, 0, 1, 5, 4, 2, 0x80 },
		  12, 9 },
		{ "length missing", { 2, 1, 0, 0, 8, 2, 0, 1, 5, 4 }, 10, 9 },
		{ "second too long",
		  { 2, 1, 0, 0, 8, 2, 0, 1, 5, 4, 1, 0x80, 0x18, 9 }, 14, 12 },
		{ "single octets", { 2, 1, 0, 0, 8, 2, 0, 1, 5, 0xa1, 0x96 },
		  11, 11 },
		{ "empty element", { 2, 1, 0, 0, 8, 2, 0, 1, 5, 4, 0 }, 11,
		  11 },
		{ "reference beyond the end", { 2, 1, 0, 0, 8, 15, 0 }, 7, 7 },
		{ "no message", { 2, 1, 0, 0 }, 4, 4 },
		{ "an RR", { 2, 1, 1, 0, 8, 2, 0, 1, 5, 4, 2 }, 11, 11 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (td_q931_fit(t[i].b, t[i].n) != t[i].want)
			fail_msg("%s: %zu", t[i].what,
				 td_q931_fit(t[i].b, t[i].n));
}

static void a_head_is_read_within_bounds(void **state)
{
	struct td_q931_head h = { 0 };
	uint8_t two[] = { 2, 1, 0, 0, 8, 2, 0x81, 0x23, 0x75 };
	uint8_t one[] = { 2, 1, 0, 0, 8, 1, 0x7f, 0x05 };
	uint8_t none[] = { 2, 1, 0, 0, 8, 0, 0x62, 0 };
	uint8_t three[] = { 2, 1, 0, 0, 8, 3, 1, 2, 3, 5 };

	assert_true(td_q931_head(two, sizeof(two), &h));
	assert_int_equal(h.cref, 0x123);
	assert_true(h.to_originator);
	assert_int_equal(h.type, 0x75);
	assert_true(td_q931_head(one, sizeof(one), &h));
	assert_int_equal(h.cref, 0x7f);
	assert_false(h.to_originator);
	assert_int_equal(h.type, 5);
	for (size_t n = 0; n < sizeof(two); n++)
		assert_false(td_q931_head(two, n, &h));
	assert_false(td_q931_head(none, sizeof(none), &h));
	assert_false(td_q931_head(three, sizeof(three), &h));
}

static void only_some_messages_may_begin(void **state)
{
	unsigned int call = 0, global = 0;

	for (int type = 0; type < 256; type++) {
		struct td_q931_head h = { 7, false, (uint8_t)type };

		call += td_q931_may_begin(&h);
		h.cref = 0;
		global += td_q931_may_begin(&h);
	}
	assert_int_equal(call, 4);
	assert_int_equal(global, 3);
}

static void a_message_becomes_an_enquiry_or_is_muted(void **state)
{
	uint8_t f[] = { 2, 1, 0, 0, 8, 2, 0, 1, 0x6e, 0x27, 1, 0xf9 };
	uint8_t service[] = { 2, 1, 0, 0, 3, 2, 0, 0, 0x0f };
	struct td_q931_head h;

	assert_false(td_q931_mute_foreign(f, sizeof(f)));
	assert_int_equal(td_q931_to_enquiry(f), 9);
	assert_int_equal(f[8], 0x75);
	assert_true(td_q931_mute_foreign(service, sizeof(service)));
	assert_false(td_q931_head(service, sizeof(service), &h));
	assert_false(td_q931_mute_foreign(service, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_element_that_does_not_fit_is_cut_off),
		cmocka_unit_test(a_head_is_read_within_bounds),
		cmocka_unit_test(only_some_messages_may_begin),
		cmocka_unit_test(a_message_becomes_an_enquiry_or_is_muted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
