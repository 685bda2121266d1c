// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/instr/opts.h"
#include "tests/instr/pauses.h"
#include "tests/instr/sums.h"

static void options_are_taken_and_the_rest_is_left(void **state)
{
	const char *text = "normal";
	bool flag = false;
	double real = 1;
	int n = 7;
	const struct td_opt table[] = {
		{ TD_OPT_FLAG, "flag", &flag, NULL, "" },
		{ TD_OPT_TEXT, "text", &text, "T", "" },
		{ TD_OPT_INT, "int", &n, "N", "" },
		{ TD_OPT_REAL, "real", &real, "R", "" },
		{ TD_OPT_END },
	};
	char *good[] = { "a", "--flag", "--text", "x y", "--int=-3", "b",
			 "--real", "0.25", "c" };
	static char *const bad[][2] = {
		{ "--what", "1" }, { "--flag=1", "x" }, { "--int", "3x" },
		{ "--int", "" }, { "--real=", "x" }, { "x", "--text" },
		{ "--int", "99999999999999999999" },
	};

	assert_int_equal(td_opts_parse(table, 9, good), 3);
	assert_true(flag);
	assert_string_equal(text, "x y");
	assert_int_equal(n, -3);
	assert_true(real == 0.25);
	assert_string_equal(good[0], "a");
	assert_string_equal(good[1], "b");
	assert_string_equal(good[2], "c");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *argv[2] = { bad[i][0], bad[i][1] };

		assert_int_equal(td_opts_parse(table, 2, argv), -EINVAL);
	}
}

static void the_newest_pauses_are_kept_and_all_are_counted(void **state)
{
	struct td_pauses p;
	json_t *j;

	td_pauses_init(&p, 5, 20);
	td_pauses_add(&p, 1000000, 4999999);
	assert_int_equal(p.count, 0);
	for (int i = 0; i < 2 * TD_PAUSES_KEPT; i++)
		td_pauses_add(&p, i * 1000000000LL, 25000000 + i);
	assert_int_equal(p.count, 2 * TD_PAUSES_KEPT);
	/* one that went is no excuse any more */
	assert_false(td_pauses_explain(&p, 0, 1000000, 0));
	assert_true(td_pauses_explain(&p, (2 * TD_PAUSES_KEPT - 1) *
				      1000000000LL, INT64_MAX, 0));
	j = td_pauses_json(&p, (2 * TD_PAUSES_KEPT - 2) * 1000000000LL);
	assert_int_equal(json_integer_value(json_object_get(j, "count")), 2);
	json_decref(j);
}

static void sums_count_what_is_there(void **state)
{
	json_t *calls = json_loads(
		"[{\"cause\":16,\"setup_ms\":10,\"pattern\":{\"synced\":true,"
		"\"clean\":true,\"checked\":100,\"gap_ms_max\":0.0}},"
		"{\"cause\":16,\"setup_ms\":30,\"pattern\":{\"synced\":true,"
		"\"clean\":false,\"checked\":50,\"missing\":8,"
		"\"gaps\":[{}],\"gap_ms_max\":1.5}},"
		"{\"cause\":0,\"setup_ms\":null}]", 0, NULL);
	json_t *c = td_sums_count(calls, "cause");
	json_t *ms = td_sums_ms(calls, "setup_ms");
	json_t *p = td_sums_pattern(calls);

	assert_int_equal(json_object_size(c), 1);
	assert_int_equal(json_integer_value(json_object_get(c, "16")), 2);
	assert_int_equal(json_integer_value(json_object_get(ms, "n")), 2);
	assert_true(json_real_value(json_object_get(ms, "max")) == 30);
	assert_int_equal(json_integer_value(json_object_get(p, "calls")), 2);
	assert_int_equal(json_integer_value(json_object_get(p, "clean")), 1);
	assert_int_equal(json_integer_value(json_object_get(p, "octets")),
			 150);
	assert_int_equal(json_integer_value(json_object_get(p, "gaps")), 1);
	assert_true(json_real_value(json_object_get(p, "gap_ms_max")) == 1.5);
	json_decref(c);
	json_decref(ms);
	json_decref(p);
	json_decref(calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_and_the_rest_is_left),
		cmocka_unit_test(
			the_newest_pauses_are_kept_and_all_are_counted),
		cmocka_unit_test(sums_count_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
