// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/media/plc.h"
#include "tests/unit/media/signal.h"

enum { PEAK = 8000, MS = 8 };

/* plays `total` octets of a sine in blocks of 8, with a gap */
static void play(double hz, unsigned int gap_at, unsigned int gap,
		 unsigned int total, uint8_t *out)
{
	struct td_plc p;

	td_plc_init(&p);
	for (unsigned int i = 0; i < total; i += 8) {
		if (i >= gap_at && i < gap_at + gap) {
			td_plc_lost(&p, out + i, 8);
			continue;
		}
		for (int k = 0; k < 8; k++)
			out[i + k] = sine_at(i + k, hz, PEAK);
		td_plc_good(&p, out + i, 8);
	}
}

static int largest_step(const uint8_t *o, unsigned int from, unsigned int to)
{
	int max = 0;

	for (unsigned int i = from + 1; i < to; i++) {
		int d = abs(td_alaw_linear(o[i]) - td_alaw_linear(o[i - 1]));

		if (d > max)
			max = d;
	}
	return max;
}

static double power(const uint8_t *o, unsigned int n)
{
	double sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += pow(td_alaw_linear(o[i]), 2);
	return sqrt(sum / n);
}

static void a_gap_in_a_sine_makes_no_step(void **state)
{
	static const double hz[] = { 120, 200, 437, 800, 1004, 1400 };
	uint8_t o[4000];

	for (unsigned int f = 0; f < sizeof(hz) / sizeof(hz[0]); f++)
		for (unsigned int gap = 8; gap <= 60 * MS; gap += 8) {
			int own = 2 * PEAK * sin(M_PI * hz[f] / 8000) + 512;

			play(hz[f], 1200 + 8 * (gap % 7), gap, 4000, o);
			assert_true(largest_step(o, 600, 4000) <= own);
		}
}

static void a_gap_of_20_ms_keeps_its_loudness(void **state)
{
	uint8_t o[4000];

	play(300, 1600, 20 * MS, 4000, o);
	assert_true(power(o + 1600, 20 * MS) > 0.7 * power(o, 1600));
	assert_true(power(o + 1600, 20 * MS) < 1.1 * power(o, 1600));
}

static void a_long_gap_fades_to_silence(void **state)
{
	uint8_t o[4000];

	play(300, 1600, 200 * MS, 4000, o);
	assert_true(power(o + 1600 + 40 * MS, 80) <
		    power(o + 1600 + 10 * MS, 80));
	for (unsigned int i = 1600 + 61 * MS; i < 1600 + 200 * MS; i++)
		assert_int_equal(o[i], TD_ALAW_IDLE);
	/* back in 4 ms */
	assert_true(abs(td_alaw_linear(o[1600 + 200 * MS])) < PEAK / 16);
	for (unsigned int i = 1600 + 204 * MS; i < 4000; i++)
		assert_int_equal(o[i], sine_at(i, 300, PEAK));
}

static void good_octets_are_left_alone(void **state)
{
	uint8_t o[4000], past[160];
	int16_t linear[160];
	struct prbs r = { 1 };
	struct td_plc p;

	play(300, 1600, 20 * MS, 4000, o);
	for (unsigned int i = 0; i < 1600; i++)
		assert_int_equal(o[i], sine_at(i, 300, PEAK));
	/* 4 ms after a gap are cross-faded, then nothing is */
	for (unsigned int i = 1600 + 24 * MS; i < 4000; i++)
		assert_int_equal(o[i], sine_at(i, 300, PEAK));
	td_plc_init(&p);
	for (int i = 0; i < 1000; i++) {
		uint8_t in[160];

		for (int k = 0; k < 160; k++)
			in[k] = past[k] = prbs_next(&r);
		td_plc_good(&p, in, 160);
		assert_memory_equal(in, past, 160);
	}
	td_plc_past(&p, linear, 160);
	for (int k = 0; k < 160; k++)
		assert_int_equal(linear[k], td_alaw_linear(past[k]));
}

static void before_anything_came_a_gap_is_silence(void **state)
{
	struct td_plc p;
	uint8_t o[160];

	td_plc_init(&p);
	td_plc_lost(&p, o, sizeof(o));
	for (int i = 0; i < 160; i++)
		assert_int_equal(o[i], TD_ALAW_IDLE);
	memset(o, 0x2a, sizeof(o));
	td_plc_good(&p, o, sizeof(o));
	for (int i = 0; i < 160; i++)
		assert_int_equal(o[i], 0x2a);
}

static void the_pitch_of_a_sine_is_found(void **state)
{
	for (int lag = 40; lag < 120; lag += 7) {
		int16_t x[400];
		float like;
		int found;

		for (int i = 0; i < 400; i++)
			x[i] = lrint(5000 * sin(2 * M_PI * i / lag) +
				     2500 * sin(4 * M_PI * i / lag));
		found = td_pitch_find(x + 200, 160, 40, 119, &like);
		assert_true(found == lag || found == 2 * lag ||
			    like > 0.999f);
		assert_true(like > 0.99f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gap_in_a_sine_makes_no_step),
		cmocka_unit_test(a_gap_of_20_ms_keeps_its_loudness),
		cmocka_unit_test(a_long_gap_fades_to_silence),
		cmocka_unit_test(good_octets_are_left_alone),
		cmocka_unit_test(before_anything_came_a_gap_is_silence),
		cmocka_unit_test(the_pitch_of_a_sine_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
