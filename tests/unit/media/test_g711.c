// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/media/g711.h"

/* mu-law by its definition, full scale 32124 */
static int ulaw_linear(uint8_t u)
{
	int x = ~u & 0xff, v = ((x & 15) << 3) + 0x84;

	v = (v << (x >> 4 & 7)) - 0x84;
	return x & 0x80 ? -v : v;
}

static uint8_t to_alaw(uint8_t u)
{
	td_ulaw_to_alaw(&u, &u, 1);
	return u;
}

static uint8_t to_ulaw(uint8_t a)
{
	td_alaw_to_ulaw(&a, &a, 1);
	return a;
}

static void every_alaw_octet_survives_linear(void **state)
{
	for (int a = 0; a < 256; a++)
		assert_int_equal(td_linear_alaw(td_alaw_linear(a)), a);
	assert_int_equal(td_alaw_linear(TD_ALAW_IDLE), 8);
	assert_int_equal(td_alaw_linear(0xaa), 32256);
	assert_int_equal(td_alaw_linear(0x2a), -32256);
}

static void linear_is_coded_to_a_near_value(void **state)
{
	for (int x = -32768; x <= 32767; x++) {
		int v = td_alaw_linear(td_linear_alaw(x));
		int step = abs(x) < 512 ? 16 : abs(x) / 16;

		assert_true(abs(v - x) <= step / 2 + 8 || abs(x) > 32256);
	}
	assert_int_equal(td_linear_alaw(100000), 0xaa);
	assert_int_equal(td_linear_alaw(-100000), 0x2a);
}

/* all 256 of both tables: sign, order, and as near as the other law allows */
static void the_laws_are_converted_by_the_tables(void **state)
{
	for (int x = 0; x < 256; x++) {
		int u = ulaw_linear(x), a = td_alaw_linear(x);
		int near_a = 100000, near_u = 100000;

		for (int y = 0; y < 256; y++) {
			int da = abs(td_alaw_linear(y) - u);
			int du = abs(ulaw_linear(y) - a);

			near_a = da < near_a ? da : near_a;
			near_u = du < near_u ? du : near_u;
		}
		/* the recommendation's scales differ by a hair */
		assert_true(abs(td_alaw_linear(to_alaw(x)) - u) <=
			    near_a + 8);
		assert_true(abs(ulaw_linear(to_ulaw(x)) - a) <=
			    near_u + 8);
		assert_int_equal(to_alaw(x) & 0x80, x & 0x80);
		assert_int_equal(to_ulaw(x) & 0x80, x & 0x80);
		/* converting again changes nothing more */
		assert_int_equal(to_alaw(to_ulaw(to_alaw(x))), to_alaw(x));
	}
}

static void known_values_of_the_tables(void **state)
{
	/* G.711 tables 3 and 4, by the value numbers printed there */
	static const struct {
		int ulaw, alaw;
	} u_to_a[] = {
		{ 0, 1 }, { 1, 1 }, { 2, 2 }, { 15, 8 }, { 16, 9 },
		{ 32, 25 }, { 33, 27 }, { 34, 29 }, { 35, 31 }, { 36, 33 },
		{ 47, 44 }, { 48, 46 }, { 63, 62 }, { 64, 64 }, { 80, 80 },
		{ 81, 82 }, { 127, 128 },
	}, a_to_u[] = {
		{ 1, 1 }, { 3, 2 }, { 15, 8 }, { 16, 9 }, { 31, 24 },
		{ 32, 25 }, { 32, 26 }, { 35, 31 }, { 35, 32 }, { 36, 33 },
		{ 48, 45 }, { 48, 46 }, { 49, 47 }, { 64, 63 }, { 64, 64 },
		{ 79, 79 }, { 80, 80 }, { 80, 81 }, { 127, 128 },
	};

	for (unsigned int i = 0; i < sizeof(u_to_a) / sizeof(u_to_a[0]); i++)
		assert_int_equal(to_alaw(0xff - u_to_a[i].ulaw),
				 (0x80 | (u_to_a[i].alaw - 1)) ^ 0x55);
	for (unsigned int i = 0; i < sizeof(a_to_u) / sizeof(a_to_u[0]); i++)
		assert_int_equal(to_ulaw((0x80 | (a_to_u[i].alaw - 1)) ^ 0x55),
				 0xff - a_to_u[i].ulaw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alaw_octet_survives_linear),
		cmocka_unit_test(linear_is_coded_to_a_near_value),
		cmocka_unit_test(the_laws_are_converted_by_the_tables),
		cmocka_unit_test(known_values_of_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
