// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/instr/xces.h"
#include "tests/instr/xg711.h"
#include "tests/instr/xtone.h"

static void laws_give_back_their_own_octets(void **state)
{
	for (int o = 0; o < 256; o++) {
		assert_int_equal(td_xg711_alaw(td_xg711_from_alaw(o)), o);
		if (o != 0x7f)		/* mu-law's minus zero */
			assert_int_equal(td_xg711_ulaw(td_xg711_from_ulaw(o)),
					 o);
	}
}

/* G.711, table 1a and 2a: some of the character signals */
static void laws_agree_with_the_tables(void **state)
{
	static const struct {
		int linear;
		uint8_t a, u;
	} table[] = {
		{ 0, 0xd5, 0xff }, { 32767, 0xaa, 0x80 },
		{ -32768, 0x2a, 0x00 }, { 8, 0xd5, 0xfe },
		{ -8, 0x55, 0x7e }, { 1000, 0xfa, 0xce },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(td_xg711_alaw(table[i].linear), table[i].a);
		assert_int_equal(td_xg711_ulaw(table[i].linear), table[i].u);
	}
}

/* G.711, table 5: the periodic sequence that makes 1 kHz at 0 dBm0 */
static void the_digital_milliwatt_is_0_dbm0(void **state)
{
	static const uint8_t seq[8] = { 0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1,
					0xa1, 0xb4 };
	double power = 0;

	for (int i = 0; i < 8; i++)
		power += pow(td_xg711_from_alaw(seq[i]), 2) / 8;
	assert_true(fabs(20 * log10(sqrt(2 * power) / td_xg711_peak(0))) <
		    0.05);
}

static void laws_never_err_by_more_than_half_a_step(void **state)
{
	for (int v = -32768; v < 32768; v++) {
		int a = td_xg711_from_alaw(td_xg711_alaw(v)) - v;
		int u = td_xg711_from_ulaw(td_xg711_ulaw(v)) - v;

		assert_true(abs(a) <= 8 + abs(v) / 32);
		if (abs(v) < 32000)
			assert_true(abs(u) <= 8 + abs(v) / 32);
	}
}

/* amplitude of one frequency over a second, dBm0 */
static double level(const uint8_t *o, int hz)
{
	double re = 0, im = 0;

	for (int i = 0; i < 8000; i++) {
		re += td_xg711_from_alaw(o[i]) * cos(2 * M_PI * hz * i / 8000);
		im += td_xg711_from_alaw(o[i]) * sin(2 * M_PI * hz * i / 8000);
	}
	return 20 * log10(sqrt(re * re + im * im) / 4000 / 32768 + 1e-9) +
	       3.14;
}

static void a_tone_has_its_level_and_nothing_else(void **state)
{
	struct td_xtone *t;
	uint8_t o[8000];

	assert_int_equal(td_xtone_new(1004, -10, 0, 0, 0, &t), 0);
	for (int i = 0; i < 8000; i++)
		o[i] = td_xtone_at(t, 123456 + i);
	assert_true(fabs(level(o, 1004) + 10) < 0.1);
	for (int hz = 4; hz < 4000; hz += 4)
		if (hz != 1004)
			assert_true(level(o, hz) < -45);
	td_xtone_free(t);
	td_xtone_free(NULL);
}

static void a_cadence_starts_waits_and_repeats(void **state)
{
	struct td_xtone *t;

	assert_int_equal(td_xtone_new(425, -10, 1000, 4000, 500, &t), 0);
	for (uint32_t i = 0; i < 100000; i++) {
		bool on = i >= 4000 && (i - 4000) % 40000 < 8000;

		if (!on)
			assert_int_equal(td_xtone_at(t, i), TD_XCES_IDLE);
	}
	assert_int_not_equal(td_xtone_at(t, 4005), TD_XCES_IDLE);
	td_xtone_free(t);
}

static void every_digit_is_heard_once(void **state)
{
	static const char digits[] = "1234567890*#ABCD11";
	struct td_xdtmf d;
	char heard[32] = "";
	int n = 0;

	td_xdtmf_init(&d);
	for (const char *p = digits; *p; p++)
		for (int i = 0; i < 1600; i++) {
			char c = td_xdtmf_feed(&d, i < 800 ?
					td_xdtmf_tone(*p, i) : TD_XCES_IDLE);

			if (c)
				heard[n++] = c;
		}
	assert_string_equal(heard, digits);
}

static void tones_and_noise_are_no_digits(void **state)
{
	unsigned int seed = 4;
	struct td_xtone *t;
	struct td_xdtmf d;

	td_xdtmf_init(&d);
	for (int i = 0; i < 80000; i++)
		assert_int_equal(td_xdtmf_feed(&d, rand_r(&seed) >> 5), 0);
	for (int hz = 400; hz < 2200; hz += 7) {
		assert_int_equal(td_xtone_new(hz, -10, 0, 0, 0, &t), 0);
		for (int i = 0; i < 800; i++)
			assert_int_equal(td_xdtmf_feed(&d, td_xtone_at(t, i)),
					 0);
		td_xtone_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(laws_give_back_their_own_octets),
		cmocka_unit_test(laws_agree_with_the_tables),
		cmocka_unit_test(the_digital_milliwatt_is_0_dbm0),
		cmocka_unit_test(laws_never_err_by_more_than_half_a_step),
		cmocka_unit_test(a_tone_has_its_level_and_nothing_else),
		cmocka_unit_test(a_cadence_starts_waits_and_repeats),
		cmocka_unit_test(every_digit_is_heard_once),
		cmocka_unit_test(tones_and_noise_are_no_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
