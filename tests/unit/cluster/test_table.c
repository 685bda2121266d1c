// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/table.h"

struct row {
	struct td_table_node at;	/* first */
	int key;
	int in;
};

static int cmp(const void *key, const struct td_table_node *n)
{
	int a = *(const int *)key, b = ((const struct row *)n)->key;

	return a < b ? -1 : a > b;
}

/* @return height; fails on a wrong link, height or balance */
static int check(const struct td_table_node *n, const struct td_table_node *up)
{
	int l, r;

	if (!n)
		return 0;
	assert_ptr_equal(n->up, up);
	l = check(n->left, n);
	r = check(n->right, n);
	assert_true(l - r <= 1 && r - l <= 1);
	assert_int_equal(n->height, (l > r ? l : r) + 1);
	return n->height;
}

static void behaves_like_a_sorted_array(void **state)
{
	enum { N = 300 };
	static struct row rows[N];
	struct td_table t = { .cmp = cmp };
	unsigned int seed = 5, live = 0;

	for (int i = 0; i < N; i++)
		rows[i].key = i * 2;
	for (int i = 0; i < 10000; i++) {
		int k = rand_r(&seed) % N, key = rand_r(&seed) % (2 * N), next;
		struct row *from;

		if (!rows[k].in)
			td_table_add(&t, &rows[k].key, &rows[k].at);
		else
			td_table_del(&t, &rows[k].at);
		rows[k].in = !rows[k].in;
		live += rows[k].in ? 1 : -1;
		assert_int_equal(t.count, live);
		for (next = (key + 1) / 2; next < N && !rows[next].in; next++)
			;
		from = (struct row *)td_table_from(&t, &key);
		assert_ptr_equal(from, next < N ? &rows[next] : NULL);
		if (i % 50)
			continue;
		check(t.root, NULL);
		from = (struct row *)td_table_first(&t);
		for (k = 0; k < N; k++) {
			assert_ptr_equal(td_table_find(&t, &rows[k].key),
					 rows[k].in ? &rows[k].at : NULL);
			if (!rows[k].in)
				continue;
			assert_ptr_equal(from, &rows[k]);
			from = (struct row *)td_table_next(&from->at);
		}
		assert_null(from);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(behaves_like_a_sorted_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
