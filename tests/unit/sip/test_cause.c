// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/sip/cause.h"

/* RFC 3398 7.2.4.1 and the numbers that the labs ask for */
static void causes_become_the_statuses_of_rfc_3398(void **state)
{
	static const int t[][2] = {
		{ 1, 404 }, { 2, 404 }, { 3, 404 }, { 17, 486 }, { 18, 408 },
		{ 19, 480 }, { 20, 480 }, { 21, 403 }, { 22, 410 },
		{ 26, 404 }, { 27, 502 }, { 28, 484 }, { 29, 501 },
		{ 31, 480 }, { 34, 503 }, { 38, 503 }, { 41, 503 },
		{ 42, 503 }, { 47, 503 }, { 55, 403 }, { 57, 403 },
		{ 58, 503 }, { 65, 488 }, { 70, 488 }, { 79, 501 },
		{ 87, 403 }, { 88, 488 }, { 102, 504 }, { 111, 500 },
		{ 127, 500 }, { 0, 500 }, { 126, 500 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(td_sip_status_of_cause(t[i][0]), t[i][1]);
}

static void statuses_become_the_causes_of_rfc_3398(void **state)
{
	static const int t[][2] = {
		{ 400, 41 }, { 401, 21 }, { 403, 21 }, { 404, 1 },
		{ 405, 63 }, { 406, 79 }, { 407, 21 }, { 408, 102 },
		{ 410, 22 }, { 413, 127 }, { 415, 79 }, { 420, 127 },
		{ 480, 18 }, { 481, 41 }, { 482, 25 }, { 483, 25 },
		{ 484, 28 }, { 485, 1 }, { 486, 17 }, { 487, 16 },
		{ 500, 41 }, { 501, 79 }, { 502, 38 }, { 503, 41 },
		{ 504, 102 }, { 505, 127 }, { 600, 17 }, { 603, 21 },
		{ 604, 1 }, { 606, 88 }, { 302, 23 }, { 499, 127 },
		{ 599, 41 }, { 699, 21 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(td_sip_cause_of_status(t[i][0]), t[i][1]);
}

static void each_status_and_cause_has_a_partner_and_text(void **state)
{
	for (int i = 0; i < 128; i++) {
		assert_in_range(td_sip_status_of_cause(i), 400, 699);
		assert_non_null(td_sip_cause_text(i));
	}
	for (int i = 300; i < 700; i++) {
		assert_in_range(td_sip_cause_of_status(i), 1, 127);
		assert_non_null(td_sip_phrase(i));
	}
}

static void the_cause_in_a_reason_header_is_found(void **state)
{
	static const struct {
		const char *v;
		int cause;
	} t[] = {
		{ "Q.850;cause=17;text=\"User busy\"", 17 },
		{ "q.850 ; text=\"a, b\"; cause = 34", 34 },
		{ "SIP;cause=200;text=\"Call completed elsewhere\"", 0 },
		{ "SIP;cause=486, Q.850;cause=16", 16 },
		{ "Q.850;cause=999", 0 }, { "Q.850", 0 }, { "", 0 },
		{ "Q.850;cause=-1", 0 }, { "Q.8500;cause=3", 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(td_sip_reason_cause(t[i].v), t[i].cause);
	assert_int_equal(td_sip_reason_cause(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(causes_become_the_statuses_of_rfc_3398),
		cmocka_unit_test(statuses_become_the_causes_of_rfc_3398),
		cmocka_unit_test(each_status_and_cause_has_a_partner_and_text),
		cmocka_unit_test(the_cause_in_a_reason_header_is_found),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
