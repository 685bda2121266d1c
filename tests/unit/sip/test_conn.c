// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/sip/conn.h"

static const char two[] =
	"\r\n\r\nOPTIONS sip:a SIP/2.0\r\nContent-Length: 4\r\nX: y\r\n\r\nab\r\n"
	"INFO sip:a SIP/2.0\r\nl : 3\r\nA-Long-Name-Before: Content-Length: 9"
	"\r\n\r\n\n\n\nBYE sip:a SIP/2.0\r\nTo: x\r\n\r\n";

static void messages_are_counted_however_they_are_cut(void **state)
{
	size_t n = sizeof(two) - 1;

	for (size_t a = 0; a <= n; a++)
		for (size_t b = a; b <= n; b += 7) {
			struct td_frame f = { 0 };
			unsigned int done = td_frame_feed(&f, two, a);

			done += td_frame_feed(&f, two + a, b - a);
			done += td_frame_feed(&f, two + b, n - b);
			assert_int_equal(done, 3);
			assert_int_equal(f.state, TD_FRAME_BETWEEN);
		}
}

static void random_octets_are_no_harm(void **state)
{
	unsigned int seed = 7;
	struct td_frame f = { 0 };
	char buf[512];

	for (int i = 0; i < 20000; i++) {
		size_t n = rand_r(&seed) % sizeof(buf);

		for (size_t k = 0; k < n; k++)
			buf[k] = "\r\n :lL5\0x"[rand_r(&seed) % 9];
		td_frame_feed(&f, buf, n);
	}
}

static struct td_conns *make(uint32_t all, uint32_t source)
{
	struct td_conns_cfg cfg = { .max_all = all, .max_source = source,
		.first_ms = 30000, .frame_ms = 20000, .idle_ms = 7500000 };
	struct td_conns *c;

	assert_int_equal(td_conns_new(&cfg, &c), 0);
	return c;
}

static void a_source_and_all_together_have_a_limit_told_once(void **state)
{
	struct td_conns *c = make(4, 2);
	bool tell;

	assert_int_equal(td_conns_open(c, 10, "10.0.0.1", 1, 0, &tell), 0);
	assert_int_equal(td_conns_open(c, 11, "10.0.0.1", 2, 0, &tell), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(td_conns_open(c, 12, "10.0.0.1", 3, i, &tell),
				 TD_CONNS_SOURCE);
		assert_int_equal(tell, i == 0);
	}
	assert_int_equal(td_conns_open(c, 12, "10.0.0.2", 1, 0, &tell), 0);
	assert_int_equal(td_conns_open(c, 13, "10.0.0.3", 1, 0, &tell), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(td_conns_open(c, 14, "10.0.0.4", 1, i, &tell),
				 TD_CONNS_ALL);
		assert_int_equal(tell, i == 0);
	}
	assert_int_equal(td_conns_count(c), 4);
	/* room again; a descriptor that comes back was closed meanwhile */
	td_conns_close(c, 11);
	td_conns_close(c, 99);
	assert_int_equal(td_conns_open(c, 10, "10.0.0.1", 9, 0, &tell), 0);
	assert_int_equal(td_conns_open(c, 11, "10.0.0.1", 9, 0, &tell), 0);
	assert_int_equal(td_conns_count(c), 4);
	td_conns_free(c);
}

static bool due(struct td_conns *c, int64_t now, struct td_conns_due *d)
{
	size_t pos = 0;

	return td_conns_due(c, now, &pos, d);
}

static void who_never_finishes_a_message_is_due(void **state)
{
	struct td_conns *c = make(10, 10);
	struct td_conns_due d;
	bool tell;
	int64_t t;

	/* half-open: it says nothing, or keep-alives only */
	td_conns_open(c, 5, "10.0.0.1", 7, 1000, &tell);
	td_conns_data(c, 5, "\r\n\r\n", 4, 29000);
	assert_false(due(c, 30999, &d));
	assert_true(due(c, 31000, &d));
	assert_int_equal(d.fd, 5);
	assert_int_equal(d.why, TD_CONNS_SLOW);
	assert_string_equal(d.host, "10.0.0.1");
	assert_int_equal(d.port, 7);
	assert_true(d.tell);
	assert_false(due(c, 99000, &d));	/* said once */
	td_conns_close(c, 5);
	/* an octet now and then: it counts from the first one */
	td_conns_open(c, 6, "10.0.0.1", 8, 1000, &tell);
	td_conns_data(c, 6, two, sizeof(two) - 1, 2000);
	for (t = 5000; t < 25000; t += 1000)
		td_conns_data(c, 6, "x", 1, t);
	assert_false(due(c, 24999, &d));
	assert_true(due(c, 25000, &d));
	assert_int_equal(d.why, TD_CONNS_SLOW);
	assert_false(d.tell);			/* of this source: told */
	td_conns_close(c, 6);
	/* forgotten ten minutes later, and told again */
	td_conns_tidy(c, 24000 + 599999);
	td_conns_tidy(c, 24000 + 600000);
	td_conns_open(c, 5, "10.0.0.1", 7, 1000000, &tell);
	assert_true(due(c, 1030000, &d));
	assert_true(d.tell);
	td_conns_free(c);
}

static void a_phone_that_registered_may_be_idle_for_long(void **state)
{
	struct td_conns *c = make(10, 10);
	struct td_conns_due d;
	bool tell;

	td_conns_open(c, 5, "10.0.0.1", 7, 0, &tell);
	td_conns_data(c, 5, two, sizeof(two) - 1, 1000);
	td_conns_data(c, 5, "\r\n", 2, 5000000);
	assert_false(due(c, 12499999, &d));
	assert_true(due(c, 12500000, &d));
	assert_int_equal(d.why, TD_CONNS_IDLE);
	assert_false(d.tell);
	td_conns_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_counted_however_they_are_cut),
		cmocka_unit_test(random_octets_are_no_harm),
		cmocka_unit_test(
			a_source_and_all_together_have_a_limit_told_once),
		cmocka_unit_test(who_never_finishes_a_message_is_due),
		cmocka_unit_test(a_phone_that_registered_may_be_idle_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
