// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/sip/stimer.h"

#define NONE TD_REFRESHER_NONE
#define UAC TD_REFRESHER_UAC
#define UAS TD_REFRESHER_UAS

static const struct td_stimer_want want = { 1800, TD_STIMER_MIN_S };

static int read_headers(const char *headers, struct td_stimer_said *out)
{
	char text[1024];
	struct td_sip_msg *m;
	int rc;

	snprintf(text, sizeof(text), "UPDATE sip:a@b SIP/2.0\r\n%s\r\n",
		 headers);
	assert_int_equal(td_sip_parse(text, strlen(text), &m), 0);
	rc = td_stimer_read(m, out);
	td_sip_msg_free(m);
	return rc;
}

static void headers_are_read_or_refused(void **state)
{
	static const struct {
		const char *h;
		int rc;
		struct td_stimer_said s;
	} t[] = {
		{ "To: x\r\n", 0, { 0 } },
		{ "Supported: 100rel, timer\r\n", 0, { .supported = true } },
		{ "Require: timer\r\nx: 90;refresher=UAC\r\n", 0,
		  { true, 90, 0, UAC } },
		{ "Session-Expires: 1800 ;a=b;refresher=uas\r\nMin-SE: 120;x"
		  "\r\nk: timer\r\n", 0, { true, 1800, 120, UAS } },
		{ "Session-Expires: 99999999999999\r\n", 0,
		  { false, 86400, 0, NONE } },
		{ "Session-Expires: soon\r\n", -EINVAL, { 0 } },
		{ "Session-Expires: 0\r\n", -EINVAL, { 0 } },
		{ "Session-Expires: 90x\r\n", -EINVAL, { 0 } },
		{ "Session-Expires: \r\n", -EINVAL, { 0 } },
		{ "Min-SE: -1\r\n", -EINVAL, { 0 } },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct td_stimer_said s = { 0 };

		assert_int_equal(read_headers(t[i].h, &s), t[i].rc);
		assert_int_equal(s.supported, t[i].s.supported);
		assert_int_equal(s.interval_s, t[i].s.interval_s);
		assert_int_equal(s.min_s, t[i].s.min_s);
		assert_int_equal(s.refresher, t[i].s.refresher);
	}
}

/* RFC 4028 9 and its table 2 */
static void a_request_is_answered_by_the_rules(void **state)
{
	static const struct {
		const char *what;
		struct td_stimer_said said;
		int rc;
		uint32_t interval_s;
		bool ours, known;
	} t[] = {
		{ "knows nothing: we ask it", { false, 0, 0, NONE }, 0,
		  1800, true, false },
		{ "knows, wants none: we add it", { true, 0, 0, NONE }, 0,
		  1800, true, true },
		{ "leaves the choice to us", { true, 600, 0, NONE }, 0,
		  600, true, true },
		{ "refreshes itself", { true, 600, 0, UAC }, 0,
		  600, false, true },
		{ "wants us to", { true, 600, 0, UAS }, 0, 600, true, true },
		{ "more than we want", { true, 7200, 0, UAC }, 0,
		  1800, false, true },
		{ "never below its Min-SE", { true, 7200, 3600, UAC }, 0,
		  3600, false, true },
		{ "too small", { true, 89, 0, UAC }, 422, 0, false, false },
		{ "too small, a proxy's", { false, 30, 0, UAC }, 0,
		  90, true, false },
		{ "as small as can be", { true, 90, 90, UAC }, 0,
		  90, false, true },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct td_stimer s = { 0 };

		if (td_stimer_answer(&want, &t[i].said, &s) != t[i].rc ||
		    s.interval_s != t[i].interval_s || s.ours != t[i].ours ||
		    s.known != t[i].known)
			fail_msg("%s: %u %d %d", t[i].what, s.interval_s,
				 s.ours, s.known);
	}
}

static void a_site_without_timers_starts_none(void **state)
{
	static const struct td_stimer_want off = { 0, TD_STIMER_MIN_S };
	static const struct td_stimer_said said = { true, 600, 0, UAC };
	struct td_stimer s = { 0 };

	assert_int_equal(td_stimer_answer(&off, &said, &s), 0);
	assert_int_equal(s.interval_s, 0);
	td_stimer_agreed(&off, &said, &s);
	assert_int_equal(s.interval_s, 0);
	assert_int_equal(td_stimer_offer(&off, &s), 0);
	assert_true(td_stimer_end_ms(&s) == UINT32_MAX);
	assert_true(td_stimer_refresh_ms(&s) == UINT32_MAX);
}

static void a_2xx_fixes_who_refreshes(void **state)
{
	static const struct td_stimer_said silent = { 0 };
	static const struct td_stimer_said we = { true, 900, 0, UAC };
	static const struct td_stimer_said they = { true, 900, 0, UAS };
	static const struct td_stimer_said tiny = { true, 1, 0, UAS };
	struct td_stimer s = { .min_s = 3600 };

	assert_int_equal(td_stimer_offer(&want, &s), 3600);
	td_stimer_agreed(&want, &silent, &s);
	assert_int_equal(s.interval_s, 3600);
	assert_true(s.ours && !s.known);
	td_stimer_agreed(&want, &we, &s);
	assert_int_equal(s.interval_s, 900);
	assert_true(s.ours && s.known);
	assert_int_equal(td_stimer_refresh_ms(&s), 450000);
	assert_int_equal(td_stimer_end_ms(&s), 900000);
	td_stimer_agreed(&want, &they, &s);
	assert_false(s.ours);
	assert_true(td_stimer_refresh_ms(&s) == UINT32_MAX);
	/* RFC 4028 10: min(32, interval / 3) before the end */
	assert_int_equal(td_stimer_end_ms(&s), 868000);
	td_stimer_agreed(&want, &tiny, &s);
	assert_int_equal(s.interval_s, 32);
	assert_int_equal(td_stimer_end_ms(&s), 22000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read_or_refused),
		cmocka_unit_test(a_request_is_answered_by_the_rules),
		cmocka_unit_test(a_site_without_timers_starts_none),
		cmocka_unit_test(a_2xx_fixes_who_refreshes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
