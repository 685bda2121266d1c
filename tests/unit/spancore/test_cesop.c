// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "spanctl/core/cesop.h"

static void the_control_word_is_that_of_rfc_5086(void **state)
{
	static const struct {
		struct td_cesop h;
		uint8_t wire[4];
	} t[] = {
		{ { .seq = 0x1234 }, { 0x00, 0, 0x12, 0x34 } },
		{ { .seq = 1, .l = true }, { 0x08, 0, 0, 1 } },
		{ { .seq = 2, .r = true }, { 0x04, 0, 0, 2 } },
		{ { .seq = 0xffff, .rdi = true }, { 0x02, 0, 0xff, 0xff } },
		{ { .r = true, .rdi = true }, { 0x06, 0, 0, 0 } },
	};
	uint8_t packet[TD_CESOP_PACKET] = { 0 };
	const uint8_t *payload;
	struct td_cesop h;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		td_cesop_put(&t[i].h, packet);
		assert_memory_equal(packet, t[i].wire, 4);
		assert_int_equal(td_cesop_get(packet, sizeof(packet), &h,
					      &payload), 0);
		assert_int_equal(h.seq, t[i].h.seq);
		assert_int_equal(h.l, t[i].h.l);
		assert_int_equal(h.r, t[i].h.r);
		assert_int_equal(h.rdi, t[i].h.rdi);
		assert_ptr_equal(payload, packet + 4);
	}
}

/* Every value of the two octets that say something, at every length. */
static void every_header_is_taken_or_refused_as_the_standard_says(void **state)
{
	uint8_t packet[TD_CESOP_PACKET + 8] = { 0 };
	const uint8_t *payload;
	struct td_cesop h;
	int taken = 0;

	for (int v = 0; v < 65536; v++)
		for (size_t n = 0; n <= sizeof(packet);
		     n += n >= 8 && n < 248 ? 40 : 1) {
			int l = v >> 11 & 1, m = v >> 8 & 3, len = v & 0x3f;
			bool right = (n == 252 || (n == 4 && l)) &&
				!(v >> 12) && !(v >> 6 & 3) &&
				(len == 0 || (size_t)len == n) &&
				(m == 0 || (m == 2 && !l));

			packet[0] = (uint8_t)(v >> 8);
			packet[1] = (uint8_t)v;
			assert_int_equal(td_cesop_get(packet, n, &h, &payload),
					 right ? 0 : -EBADMSG);
			taken += right;
			if (right)
				assert_int_equal(payload != NULL, n == 252);
		}
	/* 252 octets: L 0 with M 00 and 10, L 1 with M 00, each with R; 4
	 * octets: L 1, R, LEN 0 or 4 */
	assert_int_equal(taken, 6 + 4);
}

static void octets_go_frame_by_frame_from_timeslot_1(void **state)
{
	uint8_t packet[TD_CESOP_PAYLOAD], back[TD_CESOP_PAYLOAD];
	td_cesop_cells cells;

	for (int i = 0; i < TD_CESOP_PAYLOAD; i++)
		packet[i] = (uint8_t)i;
	td_cesop_unpack(packet, cells);
	assert_int_equal(cells[1][0], 0);
	assert_int_equal(cells[31][0], 30);
	assert_int_equal(cells[1][1], 31);
	assert_int_equal(cells[16][7], 7 * 31 + 15);
	td_cesop_pack(cells, back);
	assert_memory_equal(packet, back, sizeof(packet));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_control_word_is_that_of_rfc_5086),
		cmocka_unit_test(
		    every_header_is_taken_or_refused_as_the_standard_says),
		cmocka_unit_test(octets_go_frame_by_frame_from_timeslot_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
