// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/isdn/channel.h"

enum { ALL = (int)0xfffefffe };
#define B(t) (1u << (t))

static void the_two_sides_hunt_towards_each_other(void **state)
{
	assert_int_equal(td_isdn_channel_hunt(0xfffefffe, false), 31);
	assert_int_equal(td_isdn_channel_hunt(0xfffefffe, true), 1);
	assert_int_equal(td_isdn_channel_hunt(B(7), false), 7);
	assert_int_equal(td_isdn_channel_hunt(B(7), true), 7);
	assert_int_equal(td_isdn_channel_hunt(0, false), 0);
	assert_int_equal(td_isdn_channel_hunt(1, true), 0);
}

static void an_incoming_setup_gets_a_channel_or_a_cause(void **state)
{
	static const struct {
		const char *what;
		struct td_isdn_channel_ask ask;
		int cause;
		uint32_t channel;
		bool yield;
	} t[] = {
		{ "free: taken", { false, ALL, 0, 0, 5, true }, 0, 5 },
		{ "any: the user side hunts from the top",
		  { false, ALL, 0, 0, 0, false }, 0, 31 },
		{ "any: the network side from the bottom",
		  { true, ALL, 0, 0, 0, false }, 0, 1 },
		{ "busy and exclusive: 44",
		  { false, ALL, B(5), 0, 5, true }, 44 },
		{ "busy, preferred: another",
		  { false, ALL, B(5) | B(31), 0, 5, false }, 0, 30 },
		{ "nothing free: 34",
		  { false, ALL, ALL, 0, 5, false }, 34 },
		{ "nothing free, any: 34", { false, ALL, ALL, 0, 0, false },
		  34 },
		{ "no such channel: 82",
		  { false, ALL, 0, 0, 16, true }, 82 },
		{ "no such channel, preferred: another",
		  { false, ALL, 0, 0, 16, false }, 0, 31 },
		{ "channel beyond the line: 82",
		  { false, ALL, 0, 0, 77, true }, 82 },
		{ "glare: the user side yields, exclusive",
		  { false, ALL, 0, B(9), 9, true }, 0, 9, true },
		{ "glare: the user side yields, preferred",
		  { false, ALL, 0, B(9), 9, false }, 0, 9, true },
		{ "glare: the network side keeps it, 44",
		  { true, ALL, 0, B(9), 9, true }, 44 },
		{ "glare: the network side gives another",
		  { true, ALL, B(1), B(9), 9, false }, 0, 2 },
		{ "an offered channel is no alternative",
		  { false, B(3) | B(4), B(4), B(3), 4, false }, 34 },
		{ "a busy channel that was offered too is busy",
		  { false, ALL, B(9), B(9), 9, true }, 44 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct td_isdn_channel out = { 99, false };
		int cause = td_isdn_channel_incoming(&t[i].ask, &out);

		if (cause != t[i].cause)
			fail_msg("%s: %d", t[i].what, cause);
		if (cause) {
			assert_int_equal(out.channel, 99);
			continue;
		}
		if (out.channel != t[i].channel || out.yield != t[i].yield)
			fail_msg("%s: %u", t[i].what, out.channel);
	}
}

static void an_answer_keeps_moves_or_conflicts(void **state)
{
	assert_int_equal(td_isdn_channel_answer(5, 0, 5), TD_CHANNEL_KEEP);
	assert_int_equal(td_isdn_channel_answer(5, 0, 0), TD_CHANNEL_KEEP);
	assert_int_equal(td_isdn_channel_answer(5, B(6), 6), TD_CHANNEL_MOVE);
	assert_int_equal(td_isdn_channel_answer(5, B(7), 6),
			 TD_CHANNEL_CONFLICT);
	assert_int_equal(td_isdn_channel_answer(5, ALL, 99),
			 TD_CHANNEL_CONFLICT);
	/* it yielded */
	assert_int_equal(td_isdn_channel_answer(0, B(6), 6), TD_CHANNEL_MOVE);
	assert_int_equal(td_isdn_channel_answer(0, B(6), 5),
			 TD_CHANNEL_CONFLICT);
	assert_int_equal(td_isdn_channel_answer(0, ALL, 0),
			 TD_CHANNEL_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_two_sides_hunt_towards_each_other),
		cmocka_unit_test(an_incoming_setup_gets_a_channel_or_a_cause),
		cmocka_unit_test(an_answer_keeps_moves_or_conflicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
