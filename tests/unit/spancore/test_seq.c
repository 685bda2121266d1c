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

#include "spanctl/core/seq.h"

enum { N = 3000 };

/* What the caller does with a packet (seq.h); notes each release. */
struct rx {
	struct td_seq s;
	uint64_t first, released;	/* blocks, in order */
	uint8_t lost[200000];
	unsigned int jumps, dup, late, stray, reordered;
	uint64_t jumped_to;
};

static void note(struct rx *r, uint64_t block, bool lost)
{
	if (!r->released)
		r->first = block;
	assert_int_equal(block, r->first + r->released);
	r->lost[r->released++] = lost;
}

static void packet(struct rx *r, uint16_t seq, bool silent)
{
	uint64_t block, b;
	bool lost;

	switch (td_seq_check(&r->s, seq, silent, &block)) {
	case TD_SEQ_DUPLICATE:
		r->dup++;
		return;
	case TD_SEQ_LATE:
		r->late++;
		return;
	case TD_SEQ_STRAY:
		r->stray++;
		return;
	case TD_SEQ_JUMP:
		while (td_seq_flush(&r->s, &b, &lost))
			note(r, b, lost);
		assert_true(block >= r->s.next);
		r->jumps++;
		r->jumped_to = block;
		td_seq_jump(&r->s, block);
		r->released = 0;
		break;
	case TD_SEQ_NEXT:
		while (td_seq_pop(&r->s, block, &b, &lost))
			note(r, b, lost);
		break;
	}
	assert_int_equal((uint16_t)block, seq);
	/* the ring's guard: never more than the window ahead */
	assert_true(block >= r->s.next &&
		    block < r->s.next + r->s.window);
	r->reordered += td_seq_mark(&r->s, block);
	while (td_seq_pop(&r->s, 0, &b, &lost))
		note(r, b, lost);
}

static uint32_t rnd(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void numbers_count_through_0_and_blocks_never_go_back(void **state)
{
	struct rx *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	td_seq_init(&r->s, 4);
	for (uint32_t i = 0; i < 150000; i++)
		packet(r, (uint16_t)(65000 + i), false);
	assert_int_equal(r->first, TD_SEQ_BASE + 65000);
	assert_int_equal(r->released, 150000);
	for (int i = 0; i < 150000; i++)
		assert_false(r->lost[i]);
	assert_int_equal(r->jumps, 1);
	free(r);
}

/* packets in the order of their arrival: lost, repeated, out of order */
static size_t disturb(uint32_t *s, unsigned int window, uint32_t *out)
{
	size_t n = 0;

	for (uint32_t i = 0; i < N; i++) {
		if (i > 0 && rnd(s) % 20 == 0)
			continue;
		out[n++] = i;
		if (rnd(s) % 30 == 0)
			out[n++] = i;
	}
	for (size_t i = 2; i < n; i++) {
		size_t j = i - rnd(s) % (window + 2);
		uint32_t t = out[i];

		if (rnd(s) % 6 || j < 1 || j > i)
			continue;
		memmove(out + j + 1, out + j, (i - j) * sizeof(*out));
		out[j] = t;
	}
	return n;
}

static void lost_is_what_did_not_come_inside_the_window(void **state)
{
	static uint32_t in[2 * N];
	static uint8_t came[N];
	struct rx *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	for (uint32_t seed = 1; seed <= 200; seed++) {
		uint32_t s = seed * 2654435761u, top = 0, base = rnd(&s);
		unsigned int window = 1 + seed % TD_SEQ_WINDOW_MAX;
		size_t n = disturb(&s, window, in);
		unsigned int useless = 0;

		memset(came, 0, sizeof(came));
		memset(r, 0, sizeof(*r));
		td_seq_init(&r->s, window);
		for (size_t i = 0; i < n; i++) {
			packet(r, (uint16_t)(base + in[i]), false);
			/* a block is given up when window later came */
			if (came[in[i]] || in[i] + window <= top)
				useless++;
			else
				came[in[i]] = 1;
			top = in[i] > top ? in[i] : top;
		}
		assert_int_equal(r->jumps, 1);
		assert_int_equal(r->stray, 0);
		assert_int_equal(r->dup + r->late, useless);
		assert_true(r->released + window > top);
		for (uint64_t b = 0; b < r->released; b++)
			assert_int_equal(r->lost[b], !came[b]);
	}
	free(r);
}

static void nothing_waits_when_nothing_is_missing(void **state)
{
	struct rx *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	td_seq_init(&r->s, 4);
	packet(r, 10, false);
	assert_int_equal(r->released, 1);
	packet(r, 12, false);
	packet(r, 13, false);
	packet(r, 14, false);
	assert_int_equal(r->released, 1);
	packet(r, 11, false);		/* it was only late */
	assert_int_equal(r->released, 5);
	assert_int_equal(r->reordered, 1);
	packet(r, 11, false);
	assert_int_equal(r->dup, 1);
	packet(r, 16, false);
	packet(r, 17, false);
	packet(r, 18, false);
	assert_int_equal(r->released, 5);
	packet(r, 19, false);		/* four later: 15 is given up */
	assert_int_equal(r->released, 10);
	assert_true(r->lost[5]);
	packet(r, 15, false);
	assert_int_equal(r->late, 1);
	free(r);
}

static void a_single_stray_moves_nothing_and_two_are_a_restart(void **state)
{
	struct rx *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	td_seq_init(&r->s, 4);
	for (int i = 0; i < 50; i++)
		packet(r, (uint16_t)(1000 + i), false);
	packet(r, 30000, false);
	packet(r, 1050, false);
	packet(r, 30001, false);	/* not next to a stray any more */
	assert_int_equal(r->stray, 2);
	assert_int_equal(r->released, 51);
	packet(r, 7, false);
	packet(r, 8, false);
	assert_int_equal(r->stray, 3);
	assert_int_equal(r->jumps, 2);
	/* later than all before, same low bits */
	assert_int_equal(r->jumped_to, 2 * 65536 + 8);
	packet(r, 9, false);
	assert_int_equal(r->released, 2);
	free(r);
}

static void after_silence_one_packet_is_enough(void **state)
{
	struct rx *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	td_seq_init(&r->s, 4);
	packet(r, 500, false);
	packet(r, 480, true);		/* restarted a little lower */
	assert_int_equal(r->jumps, 2);
	assert_int_equal(r->jumped_to, 2 * 65536 + 480);
	packet(r, 40000, true);
	assert_int_equal(r->jumped_to, 2 * 65536 + 40000);
	packet(r, 40020, true);		/* went on: these are lost */
	assert_int_equal(r->jumps, 3);
	assert_int_equal(r->released, 17);
	free(r);
}

static void a_hole_up_to_the_bound_is_loss_and_beyond_a_jump(void **state)
{
	struct rx *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	td_seq_init(&r->s, 1);
	packet(r, 0, false);
	packet(r, 1 + TD_SEQ_NEAR, false);
	assert_int_equal(r->jumps, 1);
	assert_int_equal(r->released, 2 + TD_SEQ_NEAR);
	packet(r, 3 + 2 * TD_SEQ_NEAR, false);
	assert_int_equal(r->stray, 1);
	packet(r, 4 + 2 * TD_SEQ_NEAR, false);
	assert_int_equal(r->jumps, 2);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			numbers_count_through_0_and_blocks_never_go_back),
		cmocka_unit_test(lost_is_what_did_not_come_inside_the_window),
		cmocka_unit_test(nothing_waits_when_nothing_is_missing),
		cmocka_unit_test(
			a_single_stray_moves_nothing_and_two_are_a_restart),
		cmocka_unit_test(after_silence_one_packet_is_enough),
		cmocka_unit_test(
			a_hole_up_to_the_bound_is_loss_and_beyond_a_jump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
