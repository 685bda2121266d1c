// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/map.h"

/* against a plain array, seeded: set, get, delete, and deletion in a walk */
static void behaves_like_an_array(void **state)
{
	enum { N = 500 };
	static int shadow[N];
	struct td_map *m;
	unsigned int seed = 7;
	size_t pos = 0, live = 0, seen = 0;
	void *v;

	assert_int_equal(td_map_new(&m), 0);
	for (int i = 0; i < 20000; i++) {
		uint64_t k = rand_r(&seed) % N;

		if (rand_r(&seed) % 3) {
			shadow[k] = i + 1;
			assert_int_equal(td_map_set(m, &k, sizeof(k),
					 (void *)(intptr_t)(i + 1), NULL), 0);
		} else {
			v = td_map_del(m, &k, sizeof(k));
			assert_int_equal((intptr_t)v, shadow[k]);
			shadow[k] = 0;
		}
		k = rand_r(&seed) % N;
		assert_int_equal((intptr_t)td_map_get_u64(m, k), shadow[k]);
	}
	for (int i = 0; i < N; i++)
		live += shadow[i] != 0;
	assert_int_equal(td_map_count(m), live);
	while ((v = td_map_next(m, &pos))) {
		seen++;
		for (uint64_t k = 0; k < N; k++)
			if (shadow[k] == (intptr_t)v) {
				assert_ptr_equal(td_map_del(m, &k, sizeof(k)),
						 v);
				shadow[k] = 0;
				break;
			}
	}
	assert_int_equal(seen, live);
	assert_int_equal(td_map_count(m), 0);
	td_map_free(m, NULL);
}

static void an_empty_map_walks_nowhere(void **state)
{
	struct td_map *m;
	size_t pos = 0;

	assert_int_equal(td_map_new(&m), 0);
	assert_null(td_map_next(m, &pos));
	assert_null(td_map_next(m, &pos));
	td_map_free(m, NULL);
	td_map_free(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behaves_like_an_array),
		cmocka_unit_test(an_empty_map_walks_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
