// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/instr/xces.h"

static void the_control_word_is_that_of_rfc_5086(void **state)
{
	static const struct {
		struct td_xces_word w;
		uint8_t o[4];
	} table[] = {
		{ { .seq = 0 }, { 0, 0, 0, 0 } },
		{ { .seq = 0x1234 }, { 0, 0, 0x12, 0x34 } },
		{ { .l = true, .seq = 65535 }, { 0x08, 0, 0xff, 0xff } },
		{ { .r = true }, { 0x04, 0, 0, 0 } },
		{ { .m = 2 }, { 0x02, 0, 0, 0 } },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t p[TD_XCES_PACKET] = { 0 };
		struct td_xces_word w;
		const uint8_t *payload;

		td_xces_put_word(p, &table[i].w);
		assert_memory_equal(p, table[i].o, 4);
		assert_int_equal(td_xces_parse(p, sizeof(p), &w, &payload), 0);
		assert_int_equal(w.seq, table[i].w.seq);
		assert_int_equal(w.l, table[i].w.l);
		assert_int_equal(w.r, table[i].w.r);
		assert_int_equal(w.m, table[i].w.m);
		assert_ptr_equal(payload, p + 4);
	}
}

static void what_is_no_such_packet_is_refused(void **state)
{
	static const struct {
		const char *what;
		uint8_t o[4];
		size_t n;
		int rc;
	} table[] = {
		{ "no packet", { 0 }, 0, -EINVAL },
		{ "half a control word", { 0x08 }, 3, -EINVAL },
		{ "only a control word", { 0x08 }, 4, 0 },
		{ "that, with its length", { 0x08, 4 }, 4, 0 },
		{ "that, with a wrong length", { 0x08, 5 }, 4, -EINVAL },
		{ "that, without L", { 0 }, 4, -EINVAL },
		{ "an octet short", { 0 }, TD_XCES_PACKET - 1, -EINVAL },
		{ "an octet long", { 0 }, TD_XCES_PACKET + 1, -EINVAL },
		{ "an IP packet", { 0x45 }, TD_XCES_PACKET, -EINVAL },
		{ "an associated channel", { 0x10 }, TD_XCES_PACKET, -EINVAL },
		{ "a fragment", { 0, 0x40 }, TD_XCES_PACKET, -EINVAL },
		{ "a length over 63", { 0, 63 }, TD_XCES_PACKET, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t p[TD_XCES_PACKET + 1] = { 0 };
		const uint8_t *payload;
		struct td_xces_word w;

		memcpy(p, table[i].o, 4);
		assert_int_equal(td_xces_parse(p, table[i].n, &w, &payload),
				 table[i].rc);
		if (!table[i].rc)
			assert_null(payload);
	}
}

static void slots_stand_frame_by_frame(void **state)
{
	uint8_t payload[TD_XCES_PAYLOAD], o[8];

	for (int i = 0; i < TD_XCES_PAYLOAD; i++)
		payload[i] = i;
	td_xces_get_slot(payload, 1, o);
	assert_int_equal(o[0], 0);
	assert_int_equal(o[1], 31);
	td_xces_get_slot(payload, 31, o);
	assert_int_equal(o[0], 30);
	assert_int_equal(o[7], 247);
	memset(payload, 0, sizeof(payload));
	for (int ts = 1; ts < 32; ts++) {
		memset(o, ts, 8);
		td_xces_put_slot(payload, ts, o);
	}
	for (int i = 0; i < TD_XCES_PAYLOAD; i++)
		assert_int_equal(payload[i], i % 31 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_control_word_is_that_of_rfc_5086),
		cmocka_unit_test(what_is_no_such_packet_is_refused),
		cmocka_unit_test(slots_stand_frame_by_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
