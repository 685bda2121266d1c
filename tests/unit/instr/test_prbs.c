// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/instr/prbs.h"

static int new_map(void **state)
{
	return td_prbs_map_new((struct td_prbs_map **)state);
}

static int free_map(void **state)
{
	td_prbs_map_free(*state);
	return 0;
}

/* straight from the polynomial, bit by bit */
static void octets_follow_the_polynomial(void **state)
{
	enum { BITS = 8 * 4000 };
	static uint8_t b[BITS + 23];
	struct td_prbs p = { 1 };

	b[22] = 1;		/* register 1: the newest bit is 1 */
	for (int i = 23; i < BITS + 23; i++)
		b[i] = b[i - 18] ^ b[i - 23];
	for (int i = 23; i < BITS + 23; i += 8) {
		uint8_t o = td_prbs_next(&p);

		for (int k = 0; k < 8; k++)
			assert_int_equal(o >> (7 - k) & 1, b[i + k]);
	}
}

static void the_period_is_2_to_23_minus_1_octets(void **state)
{
	struct td_prbs p = { 1 };
	uint32_t n = 0;

	do {
		td_prbs_next(&p);
		n++;
	} while (p.s != 1);
	assert_int_equal(n, TD_PRBS_PERIOD);
}

static void back_undoes_next(void **state)
{
	struct td_prbs p = { 0x123456 };

	for (int i = 0; i < 10000; i++) {
		struct td_prbs q = p;
		uint8_t o = td_prbs_next(&q);
		struct td_prbs r = q;

		td_prbs_back(&r);
		assert_int_equal(r.s, p.s);
		assert_int_equal(td_prbs_next(&r), o);
		p = q;
	}
}

static void place_and_register_lead_to_each_other(void **state)
{
	const struct td_prbs_map *m = *state;
	unsigned int seed = 3;
	struct td_prbs p;

	assert_int_equal(td_prbs_at(m, 0), 1);
	assert_int_equal(td_prbs_place(m, 1), 0);
	assert_int_equal(td_prbs_at(m, TD_PRBS_PERIOD), 1);
	for (int i = 0; i < 3000; i++) {
		uint32_t place = ((uint32_t)rand_r(&seed) << 12 ^
				  rand_r(&seed)) % TD_PRBS_PERIOD;

		p.s = td_prbs_at(m, place);
		assert_int_equal(td_prbs_place(m, p.s), place);
		td_prbs_next(&p);
		assert_int_equal(td_prbs_place(m, p.s),
				 (place + 1) % TD_PRBS_PERIOD);
	}
	p.s = td_prbs_at(m, TD_PRBS_PERIOD - 1);
	td_prbs_next(&p);
	assert_int_equal(p.s, 1);
}

static void three_octets_give_the_register_or_none(void **state)
{
	struct td_prbs p = { 77 };
	uint8_t o[3];
	int wrong = 0;

	for (int i = 0; i < 3; i++)
		o[i] = td_prbs_next(&p);
	assert_int_equal(td_prbs_from_octets(o), p.s);
	for (int bit = 0; bit < 24; bit++) {
		uint8_t e[3] = { o[0], o[1], o[2] };

		e[bit / 8] ^= 0x80 >> bit % 8;
		wrong += td_prbs_from_octets(e) == p.s;
	}
	/* the first bit is only checked, never part of the register */
	assert_int_equal(wrong, 0);
	assert_int_equal(td_prbs_from_octets((uint8_t[]){ 0, 0, 0 }), 0);
	assert_int_equal(td_prbs_from_octets((uint8_t[]){ 255, 255, 255 }),
			 0);
}

static void distance_is_the_short_way_round(void **state)
{
	assert_int_equal(td_prbs_distance(5, 3), 2);
	assert_int_equal(td_prbs_distance(3, 5), -2);
	assert_int_equal(td_prbs_distance(1, TD_PRBS_PERIOD - 1), 2);
	assert_int_equal(td_prbs_distance(TD_PRBS_PERIOD - 1, 1), -2);
	assert_int_equal(td_prbs_distance(TD_PRBS_PERIOD / 2, 0),
			 TD_PRBS_PERIOD / 2);
	assert_int_equal(td_prbs_distance(0, TD_PRBS_PERIOD / 2),
			 -(TD_PRBS_PERIOD / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_follow_the_polynomial),
		cmocka_unit_test(the_period_is_2_to_23_minus_1_octets),
		cmocka_unit_test(back_undoes_next),
		cmocka_unit_test(place_and_register_lead_to_each_other),
		cmocka_unit_test(three_octets_give_the_register_or_none),
		cmocka_unit_test(distance_is_the_short_way_round),
	};

	return cmocka_run_group_tests(tests, new_map, free_map);
}
