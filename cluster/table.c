// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/table.h"

#include <assert.h>

static int height(const struct td_table_node *n)
{
	return n ? n->height : 0;
}

static void measure(struct td_table_node *n)
{
	int l = height(n->left), r = height(n->right);

	n->height = (l > r ? l : r) + 1;
}

static void put_in_place(struct td_table *t, struct td_table_node *old,
			 struct td_table_node *up, struct td_table_node *new)
{
	if (!up)
		t->root = new;
	else if (up->left == old)
		up->left = new;
	else
		up->right = new;
	if (new)
		new->up = up;
}

static struct td_table_node *rotate(struct td_table *t,
				    struct td_table_node *n, int to_left)
{
	struct td_table_node *c = to_left ? n->right : n->left, *inner;

	put_in_place(t, n, n->up, c);
	if (to_left) {
		inner = c->left;
		c->left = n;
		n->right = inner;
	} else {
		inner = c->right;
		c->right = n;
		n->left = inner;
	}
	n->up = c;
	if (inner)
		inner->up = n;
	measure(n);
	measure(c);
	return c;
}

static void rebalance(struct td_table *t, struct td_table_node *n)
{
	for (; n; n = n->up) {
		int b = height(n->left) - height(n->right);

		if (b > 1) {
			if (height(n->left->left) < height(n->left->right))
				rotate(t, n->left, 1);
			n = rotate(t, n, 0);
		} else if (b < -1) {
			if (height(n->right->right) < height(n->right->left))
				rotate(t, n->right, 0);
			n = rotate(t, n, 1);
		} else {
			measure(n);
		}
	}
}

struct td_table_node *td_table_find(const struct td_table *t, const void *key)
{
	struct td_table_node *n = t->root;

	while (n) {
		int c = t->cmp(key, n);

		if (!c)
			return n;
		n = c < 0 ? n->left : n->right;
	}
	return NULL;
}

struct td_table_node *td_table_from(const struct td_table *t, const void *key)
{
	struct td_table_node *n = t->root, *best = NULL;

	while (n) {
		if (t->cmp(key, n) <= 0) {
			best = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct td_table_node *td_table_first(const struct td_table *t)
{
	struct td_table_node *n = t->root;

	while (n && n->left)
		n = n->left;
	return n;
}

struct td_table_node *td_table_next(const struct td_table_node *n)
{
	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct td_table_node *)n;
	}
	while (n->up && n->up->right == n)
		n = n->up;
	return n->up;
}

void td_table_add(struct td_table *t, const void *key,
		  struct td_table_node *row)
{
	struct td_table_node **at = &t->root, *up = NULL;

	while (*at) {
		int c = t->cmp(key, *at);

		assert(c);
		up = *at;
		at = c < 0 ? &up->left : &up->right;
	}
	*row = (struct td_table_node){ .up = up, .height = 1 };
	*at = row;
	t->count++;
	rebalance(t, up);
}

void td_table_del(struct td_table *t, struct td_table_node *row)
{
	struct td_table_node *s, *from;

	t->count--;
	if (!row->left || !row->right) {
		put_in_place(t, row, row->up,
			     row->left ? row->left : row->right);
		rebalance(t, row->up);
		return;
	}
	/* two children: the next row takes this one's place */
	for (s = row->right; s->left; s = s->left)
		;
	from = s->up == row ? s : s->up;
	if (s->up != row) {
		put_in_place(t, s, s->up, s->right);
		s->right = row->right;
		s->right->up = s;
	}
	s->left = row->left;
	s->left->up = s;
	put_in_place(t, row, row->up, s);
	rebalance(t, from);
}
