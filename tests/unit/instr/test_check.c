// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/instr/check.h"

enum { LEN = 4000, OCTET_NS = 125000 };

/* a stretch of the pattern, and what becomes of it on the way */
struct bench {
	struct td_prbs_map *map;
	uint8_t sent[3 * LEN];
	struct td_check c;
	int64_t t;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct td_prbs p;

	*state = b;
	if (td_prbs_map_new(&b->map))
		return -1;
	p.s = td_prbs_at(b->map, 1234567);
	for (int i = 0; i < 3 * LEN; i++)
		b->sent[i] = td_prbs_next(&p);
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	td_prbs_map_free(b->map);
	free(b);
	return 0;
}

static void begin(struct bench *b)
{
	b->t = 1000000000;
	td_check_init(&b->c, b->map, b->t);
}

static void feed(struct bench *b, const uint8_t *o, size_t n)
{
	td_check_feed(&b->c, o, n, b->t);
	b->t += (int64_t)n * OCTET_NS;
}

static void miss(struct bench *b, size_t n)
{
	td_check_miss(&b->c, n, b->t);
	b->t += (int64_t)n * OCTET_NS;
}

static void synchronises_anywhere_and_follows(void **state)
{
	struct bench *b = *state;

	for (int from = 0; from < 50; from++) {
		begin(b);
		feed(b, b->sent + from, LEN);
		assert_true(b->c.synced);
		assert_int_equal(b->c.n_gaps, 0);
		assert_int_equal(b->c.checked, LEN);
	}
}

static void octets_by_ones_and_by_eights_are_the_same(void **state)
{
	struct bench *b = *state;

	begin(b);
	for (int i = 0; i < LEN; i++)
		feed(b, b->sent + i, 1);
	assert_int_equal(b->c.checked, LEN);
	assert_int_equal(b->c.n_gaps, 0);
}

static void never_synchronises_on_something_else(void **state)
{
	static const uint8_t fill[] = { 0x00, 0xff, 0xd5, 0x55, 0x7e };
	struct bench *b = *state;
	unsigned int seed = 5;
	uint8_t o[LEN];

	for (size_t i = 0; i < sizeof(fill); i++) {
		memset(o, fill[i], LEN);
		begin(b);
		feed(b, o, LEN);
		assert_false(b->c.synced);
	}
	for (int r = 0; r < 50; r++) {
		for (int i = 0; i < LEN; i++)
			o[i] = rand_r(&seed) >> 8;
		begin(b);
		feed(b, o, LEN);
		assert_false(b->c.synced);
	}
}

static void one_wrong_bit_is_one_altered_octet(void **state)
{
	struct bench *b = *state;
	uint8_t o[LEN];

	for (int bit = 0; bit < 8; bit++) {
		memcpy(o, b->sent, LEN);
		o[1000] ^= 1 << bit;
		begin(b);
		feed(b, o, LEN);
		assert_int_equal(b->c.n_gaps, 1);
		assert_int_equal(b->c.altered, 1);
		assert_int_equal(b->c.lost + b->c.repeated + b->c.missing, 0);
		assert_int_equal(b->c.gaps[0].span, 1);
		assert_int_equal(b->c.gaps[0].at_ns,
				 1000000000 + 1000LL * OCTET_NS);
	}
}

static void any_number_of_lost_octets_is_found(void **state)
{
	struct bench *b = *state;

	for (int n = 1; n < 2000; n++) {
		begin(b);
		feed(b, b->sent, 500);
		feed(b, b->sent + 500 + n, 500);
		assert_int_equal(b->c.n_gaps, 1);
		assert_int_equal(b->c.lost, n);
		assert_int_equal(b->c.altered + b->c.repeated, 0);
		assert_int_equal(td_check_gap_octets(&b->c.gaps[0]), n);
	}
}

static void any_number_of_repeated_octets_is_found(void **state)
{
	struct bench *b = *state;

	for (int n = 1; n < 2000; n++) {
		begin(b);
		feed(b, b->sent, 2500);
		feed(b, b->sent + 2500 - n, 500);
		assert_int_equal(b->c.n_gaps, 1);
		assert_int_equal(b->c.repeated, n);
		assert_int_equal(b->c.altered + b->c.lost, 0);
		assert_int_equal(td_check_gap_octets(&b->c.gaps[0]), n);
	}
}

/* seeded: rubbish of any length in place of octets, then on where it should
 * be, or somewhere else */
static void rubbish_and_slips_together_are_counted_exactly(void **state)
{
	struct bench *b = *state;
	unsigned int seed = 11;
	uint8_t junk[400];

	for (int r = 0; r < 2000; r++) {
		int n = 1 + rand_r(&seed) % 400;
		int slip = rand_r(&seed) % 3 ? rand_r(&seed) % 601 - 300 : 0;
		int32_t d;

		/* every octet of it is wrong, so the count is exact */
		for (int i = 0; i < n; i++)
			junk[i] = b->sent[1000 + i] ^
				  (1 + rand_r(&seed) % 255);
		begin(b);
		feed(b, b->sent, 1000);
		feed(b, junk, n);
		feed(b, b->sent + 1000 + n + slip, 500);
		assert_int_equal(b->c.n_gaps, 1);
		d = b->c.lost - b->c.repeated;
		assert_int_equal(d, slip);
		/* the last junk octet may happen to fit the new place */
		if (slip)
			assert_in_range(b->c.gaps[0].span + 2, n, n + 2);
		else
			assert_int_equal(b->c.gaps[0].span, n);
		if (!slip)
			assert_int_equal(b->c.altered, n);
	}
}

static void missing_octets_keep_the_place(void **state)
{
	struct bench *b = *state;

	begin(b);
	feed(b, b->sent, 800);
	miss(b, 160);
	feed(b, b->sent + 960, 800);
	assert_int_equal(b->c.n_gaps, 1);
	assert_int_equal(b->c.missing, 160);
	assert_int_equal(b->c.altered + b->c.lost + b->c.repeated, 0);
	assert_int_equal(b->c.gaps[0].span, 160);
	/* and with a place that moved meanwhile */
	miss(b, 80);
	feed(b, b->sent + 1760 + 80 + 24, 400);
	assert_int_equal(b->c.n_gaps, 2);
	assert_int_equal(b->c.lost, 24);
	assert_int_equal(td_check_gap_octets(&b->c.gaps[1]), 104);
}

static void a_long_outage_is_one_gap(void **state)
{
	struct bench *b = *state;
	uint8_t idle[2400];

	memset(idle, 0xd5, sizeof(idle));
	begin(b);
	feed(b, b->sent, 1000);
	feed(b, idle, sizeof(idle));
	feed(b, b->sent + 1000 + sizeof(idle), 1000);
	assert_int_equal(b->c.n_gaps, 1);
	assert_in_range(b->c.altered, sizeof(idle) - 40, sizeof(idle));
	assert_int_equal(td_check_gap_octets(&b->c.gaps[0]), sizeof(idle));
}

static void a_tail_is_no_gap_a_dead_end_is(void **state)
{
	struct td_pauses p;
	struct bench *b = *state;
	json_t *j;

	td_pauses_init(&p, 5, 20);
	begin(b);
	feed(b, b->sent, 1000);
	miss(b, 8 * 20);
	td_check_end(&b->c);
	j = td_check_json(&b->c, &p, 0);
	assert_true(json_is_true(json_object_get(j, "clean")));
	assert_true(json_real_value(json_object_get(j, "tail_ms")) == 20);
	json_decref(j);

	begin(b);
	feed(b, b->sent, 1000);
	miss(b, 8 * 600);
	td_check_end(&b->c);
	j = td_check_json(&b->c, &p, 0);
	assert_false(json_is_true(json_object_get(j, "clean")));
	assert_true(json_real_value(json_object_get(j, "gap_ms_max")) == 600);
	json_decref(j);
}

static void the_longest_of_many_gaps_are_kept(void **state)
{
	struct bench *b = *state;
	uint32_t longest = 0;

	begin(b);
	for (int i = 0; i < 100; i++) {
		feed(b, b->sent + i * 100, 100 - i % 70 - 1);
		miss(b, i % 70 + 1);
	}
	feed(b, b->sent + 100 * 100, 100);
	assert_int_equal(b->c.n_gaps, 100);
	for (int i = 0; i < TD_CHECK_GAPS; i++)
		if (td_check_gap_octets(&b->c.gaps[i]) > longest)
			longest = td_check_gap_octets(&b->c.gaps[i]);
	assert_int_equal(longest, 70);
	assert_int_equal(b->c.missing, 70 * 71 / 2 + 30 * 31 / 2);
}

static void only_pauses_that_long_and_that_near_excuse_a_gap(void **state)
{
	static const struct {
		int64_t start_ms, len_ms;
		bool excused;
	} table[] = {
		{ 1100, 30, true },	/* just before */
		{ 900, 30, true },	/* heard as much later as allowed */
		{ 700, 30, false },	/* long ago */
		{ 1100, 10, false },	/* buffers must ride over it */
		{ 1300, 30, false },	/* after it */
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct td_pauses p;
		json_t *j;

		td_pauses_init(&p, 5, 20);
		td_pauses_add(&p, table[i].start_ms * 1000000,
			      table[i].len_ms * 1000000);
		begin(b);
		feed(b, b->sent, 8 * 150);	/* from 1000 to 1150 ms */
		miss(b, 8 * 20);
		feed(b, b->sent + 8 * 170, 800);
		td_check_end(&b->c);
		j = td_check_json(&b->c, &p, 300000000);
		assert_int_equal(json_array_size(json_object_get(j, "gaps")),
				 !table[i].excused);
		assert_int_equal(json_array_size(json_object_get(j,
					"gaps_machine")), table[i].excused);
		json_decref(j);
	}
}

static void delay_and_phase_come_from_the_place(void **state)
{
	struct bench *b = *state;
	double delay;
	int phase;

	assert_int_equal(td_check_delay(&(struct td_check){ 0 }, &phase,
					&delay), -EAGAIN);
	for (int k = 0; k < TD_PHASES; k += 3)
		for (int ms = 0; ms < 9999; ms += 431) {
			/* near the wrap of the period too */
			int64_t t = (int64_t)k * 777 * 1000000000 + 125000;
			uint8_t o[160];
			struct td_prbs p;

			p.s = td_prbs_at(b->map, td_check_phase(t, k));
			for (int i = 0; i < 160; i++)
				o[i] = td_prbs_next(&p);
			td_check_init(&b->c, b->map, t);
			td_check_feed(&b->c, o, 160, t + ms * 1000000LL);
			assert_int_equal(td_check_delay(&b->c, &phase, &delay),
					 0);
			assert_int_equal(phase, k);
			assert_true(fabs(delay - ms) < 0.2);
		}
}

static void again_forgets_the_place_but_not_the_counts(void **state)
{
	struct bench *b = *state;

	begin(b);
	feed(b, b->sent, 1000);
	td_check_again(&b->c);
	b->t += 5000000000;
	feed(b, b->sent + 3333, 1000);
	td_check_end(&b->c);
	assert_int_equal(b->c.n_gaps, 0);
	assert_int_equal(b->c.checked, 2000);
	assert_true(b->c.sync_ns < 1100000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(synchronises_anywhere_and_follows),
		cmocka_unit_test(octets_by_ones_and_by_eights_are_the_same),
		cmocka_unit_test(never_synchronises_on_something_else),
		cmocka_unit_test(one_wrong_bit_is_one_altered_octet),
		cmocka_unit_test(any_number_of_lost_octets_is_found),
		cmocka_unit_test(any_number_of_repeated_octets_is_found),
		cmocka_unit_test(
			rubbish_and_slips_together_are_counted_exactly),
		cmocka_unit_test(missing_octets_keep_the_place),
		cmocka_unit_test(a_long_outage_is_one_gap),
		cmocka_unit_test(a_tail_is_no_gap_a_dead_end_is),
		cmocka_unit_test(the_longest_of_many_gaps_are_kept),
		cmocka_unit_test(
			only_pauses_that_long_and_that_near_excuse_a_gap),
		cmocka_unit_test(delay_and_phase_come_from_the_place),
		cmocka_unit_test(again_forgets_the_place_but_not_the_counts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
