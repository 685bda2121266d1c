// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/instr/xhdlc.h"

struct bench {
	struct td_xhdlc_tx tx;
	struct td_xhdlc_rx rx;
	uint8_t got[TD_XHDLC_FRAME];
	size_t n_got;
	int frames;
};

static void on_frame(void *arg, const uint8_t *o, size_t n)
{
	struct bench *b = arg;

	assert_in_range(n, 2, TD_XHDLC_FRAME - 2);
	memcpy(b->got, o, n);
	b->n_got = n;
	b->frames++;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	td_xhdlc_tx_init(&b->tx);
	td_xhdlc_rx_init(&b->rx, on_frame, b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void run(struct bench *b, int octets)
{
	uint8_t o;

	while (octets--) {
		td_xhdlc_tx_fill(&b->tx, &o, 1);
		td_xhdlc_rx_feed(&b->rx, &o, 1);
	}
}

static void the_fcs_is_that_of_x_25(void **state)
{
	/* the check value of CRC-16/IBM-SDLC */
	assert_int_equal(td_xhdlc_fcs((const uint8_t *)"123456789", 9),
			 0x906e);
}

static void idle_is_flags(void **state)
{
	struct bench *b = *state;
	uint8_t o[16];

	td_xhdlc_tx_fill(&b->tx, o, sizeof(o));
	for (size_t i = 0; i < sizeof(o); i++)
		assert_int_equal(o[i], 0x7e);
}

static void the_least_significant_bit_leaves_first(void **state)
{
	struct bench *b = *state;
	uint8_t o[4];

	td_xhdlc_tx_put(&b->tx, (uint8_t[]){ 0x31, 0x00, 0x31 }, 3);
	td_xhdlc_tx_fill(&b->tx, o, 4);
	assert_int_equal(o[0], 0x7e);
	assert_int_equal(o[1], 0x8c);
	assert_int_equal(o[2], 0x00);
	assert_int_equal(o[3], 0x8c);
}

static void five_ones_are_followed_by_a_zero(void **state)
{
	struct bench *b = *state;
	uint8_t o[3];

	td_xhdlc_tx_put(&b->tx, (uint8_t[]){ 0xff, 0xff }, 2);
	td_xhdlc_tx_fill(&b->tx, o, 3);
	/* 11111 0 11111 0 11111 0 … */
	assert_int_equal(o[1], 0xfb);
	assert_int_equal(o[2], 0xef);
}

static void every_frame_comes_back_as_it_was(void **state)
{
	struct bench *b = *state;
	unsigned int seed = 9;

	for (int r = 0; r < 3000; r++) {
		uint8_t f[TD_XHDLC_FRAME];
		size_t n = 2 + rand_r(&seed) % (TD_XHDLC_FRAME - 3);

		for (size_t i = 0; i < n; i++)	/* many ones */
			f[i] = rand_r(&seed) % 3 ? 0xff : rand_r(&seed);
		assert_int_equal(td_xhdlc_tx_put(&b->tx, f, n), 0);
		run(b, n + n / 4 + 10 + rand_r(&seed) % 3);
		assert_int_equal(b->frames, r + 1);
		assert_int_equal(b->n_got, n);
		assert_memory_equal(b->got, f, n);
	}
	assert_int_equal(b->rx.crc + b->rx.aborted + b->rx.unaligned +
			 b->rx.too_short + b->rx.too_long, 0);
}

static void frames_back_to_back_share_nothing_but_flags(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 50; i++)
		td_xhdlc_tx_put(&b->tx, (uint8_t[]){ 2, 1, i, 0 }, 4);
	run(b, 50 * 9);
	assert_int_equal(b->frames, 50);
	assert_int_equal(b->got[2], 49);
}

static void any_wrong_bit_loses_the_frame_and_only_it(void **state)
{
	struct bench *b = *state;
	uint8_t o[32];

	for (int bit = 8; bit < 7 * 8; bit++) {
		int before = b->frames;

		td_xhdlc_tx_put(&b->tx, (uint8_t[]){ 2, 1, 0x55, 0x0f }, 4);
		td_xhdlc_tx_fill(&b->tx, o, sizeof(o));
		o[bit / 8] ^= 0x80 >> bit % 8;
		td_xhdlc_rx_feed(&b->rx, o, sizeof(o));
		assert_int_equal(b->frames, before);
		td_xhdlc_tx_put(&b->tx, (uint8_t[]){ 2, 1, 0x55, 0x0f }, 4);
		run(b, 20);
		assert_int_equal(b->frames, before + 1);
	}
}

static void bad_frames_are_counted_by_kind(void **state)
{
	struct bench *b = *state;
	uint8_t o[400];

	run(b, 4);
	memset(o, 0xff, 8);			/* abort */
	td_xhdlc_rx_feed(&b->rx, o, 8);
	assert_int_equal(b->rx.aborted, 1);
	run(b, 4);
	memset(o, 0x55, sizeof(o));		/* never ends */
	td_xhdlc_rx_feed(&b->rx, o, sizeof(o));
	assert_int_equal(b->rx.too_long, 1);
	run(b, 4);
	td_xhdlc_rx_feed(&b->rx, (uint8_t[]){ 0x00, 0x00 }, 2);
	run(b, 4);
	assert_int_equal(b->rx.too_short, 1);
	assert_int_equal(b->frames, 0);
}

static void a_full_queue_and_a_wrong_size_are_refused(void **state)
{
	struct bench *b = *state;
	uint8_t f[TD_XHDLC_FRAME] = { 0 };

	assert_int_equal(td_xhdlc_tx_put(&b->tx, f, 1), -EMSGSIZE);
	assert_int_equal(td_xhdlc_tx_put(&b->tx, f, TD_XHDLC_FRAME - 1),
			 -EMSGSIZE);
	for (int i = 0; i < TD_XHDLC_QUEUE; i++)
		assert_int_equal(td_xhdlc_tx_put(&b->tx, f, 4), 0);
	assert_int_equal(td_xhdlc_tx_put(&b->tx, f, 4), -ENOSPC);
	assert_int_equal(b->tx.refused, 1);
}

static void random_octets_never_harm(void **state)
{
	struct bench *b = *state;
	unsigned int seed = 21;

	for (int i = 0; i < 500000; i++) {
		uint8_t o = rand_r(&seed) >> 7;

		td_xhdlc_rx_feed(&b->rx, &o, 1);
	}
	assert_true(b->rx.crc > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fcs_is_that_of_x_25),
		cmocka_unit_test_setup_teardown(idle_is_flags, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			the_least_significant_bit_leaves_first, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			five_ones_are_followed_by_a_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			every_frame_comes_back_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			frames_back_to_back_share_nothing_but_flags, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			any_wrong_bit_loses_the_frame_and_only_it, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(bad_frames_are_counted_by_kind,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_full_queue_and_a_wrong_size_are_refused, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(random_octets_never_harm,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
