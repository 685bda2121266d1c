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

static void same(const struct td_site *a, const struct td_site *b)
{
	char *x, *y;
	size_t n, m;

	assert_int_equal(td_site_format(a, &x, &n), 0);
	assert_int_equal(td_site_format(b, &y, &m), 0);
	assert_string_equal(x, y);
	free(x);
	free(y);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->jitter_ms, b->jitter_ms);
	assert_int_equal(a->rtp_timeout_s, b->rtp_timeout_s);
	assert_int_equal(a->session_expires_s, b->session_expires_s);
	assert_int_equal(a->n_extensions, b->n_extensions);
	assert_int_equal(a->n_lines, b->n_lines);
#define SAME(list)                                                             \
	assert_int_equal(a->n_##list, b->n_##list);                            \
	if (a->n_##list)                                                       \
		assert_memory_equal(a->list, b->list,                          \
				    a->n_##list * sizeof(*a->list))
	SAME(nodes);
	SAME(lines);
	SAME(addresses);
	SAME(extensions);
	SAME(ddi);
	SAME(routes);
	SAME(services);
}

static void the_lab_survives_a_round_trip(void **state)
{
	struct td_site *s = parse(lab), *t, *u;
	char *text;
	size_t n;

	assert_int_equal(td_site_format(s, &text, &n), 0);
	assert_int_equal(strlen(text), n);
	t = parse(text);
	same(s, t);
	assert_int_equal(td_site_copy(t, &u), 0);
	same(t, u);
	free(text);
	td_site_free(s);
	td_site_free(t);
	td_site_free(u);
	td_site_free(NULL);
}

static unsigned int rnd(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

/* A site that the checks accept, or not: whatever chance brings. */
static struct td_site *random_site(unsigned int *seed)
{
	static const char *const texts[] = {
		"x", "true", "0x1f", "1e5", "- x", "a: b", "#no", "'", "\"",
		"\\", "{number}", "pw{number}", " lead", "trail ", "\xc3\xa4",
		"null", "~", "*a", "&a", "!t", "|", "%", "@", "`", "a,b",
	};
	struct td_site *s = parse(lab);
	struct td_site_extension e;
	struct td_site_route r;

	s->jitter_ms = 20 + rnd(seed, 381);
	s->rtp_timeout_s = rnd(seed, 2) * (5 + rnd(seed, 3596));
	s->session_expires_s = rnd(seed, 2) * (90 + rnd(seed, 86311));
	for (unsigned int i = rnd(seed, 12); i; i--) {
		memset(&e, 0, sizeof(e));
		snprintf(e.first, sizeof(e.first), "%05u", rnd(seed, 90000));
		td_number_last(e.first, 1 + rnd(seed, 300), e.last,
			       sizeof(e.last));
		strcpy(e.password, texts[rnd(seed, 25)]);
		strcpy(e.name, texts[rnd(seed, 25)]);
		e.sha256 = rnd(seed, 2);
		assert_int_equal(td_site_extension_put(s, &e), 0);
	}
	for (unsigned int i = rnd(seed, 6); i; i--) {
		memset(&r, 0, sizeof(r));
		snprintf(r.prefix, sizeof(r.prefix), "%u", rnd(seed, 999));
		r.strip = rnd(seed, 4);
		r.transit = rnd(seed, 2);
		snprintf(r.add, sizeof(r.add), "%u", rnd(seed, 99));
		if (rnd(seed, 2)) {
			strcpy(r.group, "pstn");
		} else {
			strcpy(r.lines[0], "s1");
			strcpy(r.lines[1], "s3");
			r.n_lines = 1 + rnd(seed, 2);
			if (r.n_lines == 1)
				memset(r.lines[1], 0, sizeof(r.lines[1]));
		}
		assert_int_equal(td_site_route_put(s, &r), 0);
	}
	s->lines[0].channels = 0xfffefffe & ((uint32_t)rand_r(seed) << 1);
	s->lines[0].channels |= 2;
	s->lines[1].side = rnd(seed, 2);
	s->lines[1].overlap = rnd(seed, 2);
	return s;
}

static void random_sites_survive_a_round_trip(void **state)
{
	for (unsigned int i = 1; i <= 300; i++) {
		unsigned int seed = i;
		struct td_site *s = random_site(&seed), *t;
		struct td_problems p = { 0 };
		char *text;
		size_t n;

		if (td_site_check(s, &p))
			fail_msg("seed %u: %s: %s", i, p.p[0].where,
				 p.p[0].what);
		assert_int_equal(td_site_format(s, &text, &n), 0);
		t = parse(text);
		same(s, t);
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
