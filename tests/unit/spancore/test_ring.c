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

#include "spanctl/core/ring.h"

static void octets_wrap_around_the_end(void **state)
{
	uint8_t ring[16], in[16], out[16];

	for (uint64_t pos = 0; pos < 64; pos++)
		for (uint32_t n = 0; n <= 16; n++) {
			memset(ring, 0xee, sizeof(ring));
			for (int i = 0; i < 16; i++)
				in[i] = (uint8_t)(pos + i);
			td_ring_put(ring, 16, pos, in, n);
			td_ring_get(ring, 16, pos, out, n);
			assert_memory_equal(in, out, n);
			for (uint32_t i = n; i < 16; i++)
				assert_int_equal(ring[(pos + i) % 16], 0xee);
		}
}

static void positions_that_cannot_be_are_found_out(void **state)
{
	assert_int_equal(td_ring_used(10, 10, 16), 0);
	assert_int_equal(td_ring_used(26, 10, 16), 16);
	assert_int_equal(td_ring_used(27, 10, 16), -1);
	assert_int_equal(td_ring_used(9, 10, 16), -1);
	assert_int_equal(td_ring_used(3, UINT64_MAX - 4, 16), 8);
}

static void what_may_be_read_ends_before_the_writer(void **state)
{
	assert_false(td_ring_readable(1000, 1000, 256, 8));
	assert_true(td_ring_readable(999, 1000, 256, 8));
	assert_true(td_ring_readable(752, 1000, 256, 8));
	assert_false(td_ring_readable(751, 1000, 256, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_wrap_around_the_end),
		cmocka_unit_test(positions_that_cannot_be_are_found_out),
		cmocka_unit_test(what_may_be_read_ends_before_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
