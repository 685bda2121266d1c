// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "node/media/latch.h"

static const int64_t s = 1000000000;

static struct td_addr addr(const char *text, uint16_t port)
{
	struct td_addr a;

	assert_int_equal(td_addr_parse(text, port, &a), 0);
	return a;
}

static bool from(struct td_latch *l, const char *text, uint16_t port,
		 int64_t now_s)
{
	struct td_addr a = addr(text, port);
	bool moved;

	return td_latch_accept(l, &a, now_s * s, &moved);
}

static void set(struct td_latch *l, const char *text, uint16_t port,
		bool symmetric)
{
	struct td_addr a = addr(text, port);

	td_latch_set(l, &a, symmetric);
}

static void goes_to(const struct td_latch *l, const char *text)
{
	char buf[TD_ADDR_TEXT];

	assert_non_null(td_latch_to(l));
	assert_string_equal(td_addr_text(td_latch_to(l), buf), text);
}

static void a_phone_behind_nat_is_answered_where_it_is(void **state)
{
	struct td_latch l = { 0 };

	assert_null(td_latch_to(&l));
	set(&l, "192.168.1.5", 4000, true);
	goes_to(&l, "192.168.1.5:4000");
	assert_true(from(&l, "198.51.100.7", 61000, 1));
	goes_to(&l, "198.51.100.7:61000");
	assert_true(from(&l, "198.51.100.7", 61000, 2));
}

static void a_living_stream_can_not_be_taken(void **state)
{
	struct td_latch l = { 0 };

	set(&l, "192.168.1.5", 4000, true);
	for (int i = 1; i < 100; i++) {
		assert_true(from(&l, "198.51.100.7", 61000, i));
		assert_false(from(&l, "203.0.113.9", 1000 + i, i));
		assert_false(from(&l, "198.51.100.7", 61001, i));
	}
	goes_to(&l, "198.51.100.7:61000");
	/* five seconds of silence, and it may have moved */
	assert_false(from(&l, "198.51.100.7", 61002, 103));
	assert_true(from(&l, "198.51.100.7", 61002, 104));
	assert_false(from(&l, "198.51.100.7", 61000, 104));
}

static void the_signalled_address_is_always_right(void **state)
{
	struct td_latch l = { 0 };

	set(&l, "10.77.0.101", 4000, true);
	/* somebody was faster */
	assert_true(from(&l, "203.0.113.9", 1000, 1));
	assert_true(from(&l, "10.77.0.101", 4000, 1));
	goes_to(&l, "10.77.0.101:4000");
	assert_false(from(&l, "203.0.113.9", 1000, 1));
}

static void else_only_the_signalled_host_counts(void **state)
{
	struct td_latch l = { 0 };

	td_latch_set(&l, NULL, false);
	assert_false(from(&l, "10.77.0.101", 4000, 1));
	set(&l, "10.77.0.101", 4000, false);
	assert_false(from(&l, "203.0.113.9", 4000, 1));
	assert_true(from(&l, "10.77.0.101", 5000, 1));
	goes_to(&l, "10.77.0.101:4000");
}

static void signalling_that_differs_opens_the_lock(void **state)
{
	struct td_latch l = { 0 };

	set(&l, "192.168.1.5", 4000, true);
	assert_true(from(&l, "198.51.100.7", 61000, 1));
	set(&l, "192.168.1.5", 4000, true);	/* hold, say */
	goes_to(&l, "198.51.100.7:61000");
	assert_false(from(&l, "203.0.113.9", 1, 1));
	set(&l, "192.168.1.5", 4002, true);
	goes_to(&l, "192.168.1.5:4002");
	assert_true(from(&l, "198.51.100.7", 61004, 1));
}

static void both_address_families_are_known(void **state)
{
	char buf[TD_ADDR_TEXT];
	struct td_addr a = addr("::1", 9), b;

	assert_string_equal(td_addr_text(&a, buf), "[::1]:9");
	td_addr_port_set(&a, 10);
	assert_int_equal(td_addr_port(&a), 10);
	b = addr("127.0.0.1", 10);
	assert_false(td_addr_same_host(&a, &b));
	assert_string_equal(td_addr_text(&b, buf), "127.0.0.1:10");
	assert_int_equal(td_addr_parse("localhost", 1, &b), -EINVAL);
	assert_string_equal(td_addr_text(&b, buf), "127.0.0.1:10");
	assert_string_equal(td_addr_text(&(struct td_addr){ 0 }, buf), "-");
	assert_false(td_addr_equal(&(struct td_addr){ 0 },
				   &(struct td_addr){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone_behind_nat_is_answered_where_it_is),
		cmocka_unit_test(a_living_stream_can_not_be_taken),
		cmocka_unit_test(the_signalled_address_is_always_right),
		cmocka_unit_test(else_only_the_signalled_host_counts),
		cmocka_unit_test(signalling_that_differs_opens_the_lock),
		cmocka_unit_test(both_address_families_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
