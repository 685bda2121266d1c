// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/store/lab.h"
#include "tests/unit/store/random_site.h"

static void the_lab_survives_a_round_trip(void **state)
{
	struct td_site *s = parse(lab), *t, *u;
	char *text;
	size_t n;

	assert_int_equal(td_site_format(s, &text, &n), 0);
	assert_int_equal(strlen(text), n);
	t = parse(text);
	same_site(s, t);
	assert_int_equal(td_site_copy(t, &u), 0);
	same_site(t, u);
	free(text);
	td_site_free(s);
	td_site_free(t);
	td_site_free(u);
	td_site_free(NULL);
}

static void random_sites_survive_a_round_trip(void **state)
{
	for (unsigned int i = 1; i <= 300; i++) {
		struct td_site *s = random_site(i), *t;
		char *text;
		size_t n;

		assert_int_equal(td_site_format(s, &text, &n), 0);
		t = parse(text);
		same_site(s, t);
		free(text);
		td_site_free(s);
		td_site_free(t);
	}
}

/* against a plain array of numbers */
static void edits_of_ranges_behave_like_an_array(void **state)
{
	enum { N = 400 };
	const char *owner[N] = { NULL };
	struct td_site *s = parse(lab);
	struct td_problems p = { 0 };
	unsigned int seed = 5;

	for (int i = 0; i < 400; i++) {
		unsigned int from = rnd(&seed, N), k;
		unsigned int n = 1 + rnd(&seed, N - from < 40 ? N - from : 40);
		struct td_site_extension e = { .password = "x" };

		snprintf(e.first, sizeof(e.first), "8%04u", from);
		assert_int_equal(td_number_last(e.first, n, e.last,
						sizeof(e.last)), 0);
		strcpy(e.name, i % 2 ? "odd" : "even");
		switch (rnd(&seed, 3)) {
		case 0:
			assert_int_equal(td_site_extension_put(s, &e), 0);
			for (k = from; k < from + n; k++)
				owner[k] = i % 2 ? "odd" : "even";
			break;
		case 1:
			assert_int_equal(td_site_extension_cut(s, e.first,
							       e.last), 0);
			for (k = from; k < from + n; k++)
				owner[k] = NULL;
			break;
		default:
			assert_int_equal(td_site_extension_del(s, e.first),
					 owner[from] ? 0 : -ENOENT);
			owner[from] = NULL;
		}
		for (k = 0; k < N; k++) {
			const struct td_site_extension *got;
			char num[16];

			snprintf(num, sizeof(num), "8%04u", k);
			got = td_site_extension(s, num);
			assert_int_equal(!got, !owner[k]);
			if (got)
				assert_string_equal(got->name, owner[k]);
		}
		assert_int_equal(td_site_check(s, &p), 0);
	}
	td_site_free(s);
}

static void a_check_after_edits_names_the_thing(void **state)
{
	struct td_site *s = parse(lab);
	struct td_problems p = { 0 };
	struct td_site_route r = { .prefix = "4", .group = "gone" };
	struct td_site_extension e = { "2943", "2943", "x", "", false };
	char last[TD_NUMBER_MAX];

	assert_int_equal(td_site_route_put(s, &r), 0);
	assert_int_equal(td_site_extension_put(s, &e), 0);
	assert_int_equal(td_site_check(s, &p), -EINVAL);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.p[0].where, "service 2943");
	assert_string_equal(p.p[1].where, "route 4");
	td_problems_free(&p);
	assert_int_equal(td_site_route_del(s, "4"), 0);
	assert_int_equal(td_site_route_del(s, "4"), -ENOENT);
	assert_int_equal(td_number_last("0998", 3, last, sizeof(last)), 0);
	assert_string_equal(last, "1000");
	assert_int_equal(td_number_last("9998", 3, last, sizeof(last)),
			 -ERANGE);
	assert_int_equal(td_number_last("99x8", 3, last, sizeof(last)),
			 -EINVAL);
	td_site_free(s);
}

static void a_hundred_thousand_extensions_are_the_limit(void **state)
{
	struct td_site *s = parse(lab);
	struct td_problems p = { 0 };
	struct td_site_extension e = { "500000", "", "x", "", false };

	/* the lab has 2000 of its own */
	td_number_last(e.first, 98000, e.last, sizeof(e.last));
	assert_int_equal(td_site_extension_put(s, &e), 0);
	assert_int_equal(td_site_check(s, &p), 0);
	td_number_last(e.first, 98001, e.last, sizeof(e.last));
	assert_int_equal(td_site_extension_put(s, &e), 0);
	assert_int_equal(td_site_check(s, &p), -EINVAL);
	assert_int_equal(p.n, 1);
	td_problems_free(&p);
	td_site_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lab_survives_a_round_trip),
		cmocka_unit_test(random_sites_survive_a_round_trip),
		cmocka_unit_test(edits_of_ranges_behave_like_an_array),
		cmocka_unit_test(a_check_after_edits_names_the_thing),
		cmocka_unit_test(a_hundred_thousand_extensions_are_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
