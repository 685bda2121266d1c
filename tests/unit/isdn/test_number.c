// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "node/isdn/number.h"

static void the_house_number_becomes_digits_and_a_type(void **state)
{
	static const struct {
		const char *number;
		int rc;
		uint8_t ton;
		const char *digits;
	} t[] = {
		{ "5550002", 0, TD_TON_UNKNOWN, "5550002" },
		{ "+493012345", 0, TD_TON_INTERNATIONAL, "493012345" },
		{ "*43#", 0, TD_TON_UNKNOWN, "*43#" },
		{ "", 0, TD_TON_UNKNOWN, "" },
		{ "+", 0, TD_TON_INTERNATIONAL, "" },
		{ "30 12", -EINVAL, 0, NULL },
		{ "alice", -EINVAL, 0, NULL },
		{ "1+2", -EINVAL, 0, NULL },
		{ "1234567890123456789012345678901", 0, TD_TON_UNKNOWN,
		  "1234567890123456789012345678901" },
		{ "12345678901234567890123456789012", -ENAMETOOLONG, 0, NULL },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct td_isdn_number n = { .ton = 99 };

		assert_int_equal(td_isdn_number_split(t[i].number, &n),
				 t[i].rc);
		if (t[i].rc) {
			assert_int_equal(n.ton, 99);
			continue;
		}
		assert_int_equal(n.ton, t[i].ton);
		assert_int_equal(n.npi, TD_NPI_E164);
		assert_string_equal(n.digits, t[i].digits);
	}
}

static void a_line_number_becomes_the_house_form(void **state)
{
	static const struct {
		struct td_isdn_number n;
		const char *want;
	} t[] = {
		{ { .ton = 1, .digits = "4930" }, "+4930" },
		{ { .ton = 2, .digits = "2012345" }, "2012345" },
		{ { .ton = 4, .digits = "1000" }, "1000" },
		{ { .ton = 1, .digits = "" }, "" },
		{ { .ton = 0, .digits = "1a\x80 2" }, "12" },
	};
	char out[64];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		td_isdn_number_join(&t[i].n, out, sizeof(out));
		assert_string_equal(out, t[i].want);
	}
	td_isdn_number_join(&t[0].n, out, 3);	/* cut, never over */
	assert_string_equal(out, "+4");
	strcpy(out, "x");
	td_isdn_number_join(&t[0].n, out, 0);
	assert_string_equal(out, "x");
}

static void a_name_is_always_utf8_without_control_codes(void **state)
{
	char out[64];

	td_isdn_name("Caf\xe9\x01 4", out, sizeof(out));
	assert_string_equal(out, "Caf\xc3\xa9 4");
	td_isdn_name("\xe9\xe9", out, 4);	/* no half character */
	assert_string_equal(out, "\xc3\xa9");
	td_isdn_name("\x80\x9f\x7f", out, sizeof(out));
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_house_number_becomes_digits_and_a_type),
		cmocka_unit_test(a_line_number_becomes_the_house_form),
		cmocka_unit_test(a_name_is_always_utf8_without_control_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
