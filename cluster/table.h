/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TABLE_H
#define TD_TABLE_H

#include <stddef.h>

/** Ordered table: an AVL tree whose nodes are embedded in the rows, so that
 *  insertion cannot fail and walking in key order costs nothing extra. The
 *  table owns nothing. */
struct td_table_node {
	struct td_table_node *left, *right, *up;
	int height;
};

struct td_table {
	struct td_table_node *root;
	size_t count;
	/** Order of a key against the key of a row: <0, 0, >0. */
	int (*cmp)(const void *key, const struct td_table_node *row);
};

/** @return the row with this key or NULL */
struct td_table_node *td_table_find(const struct td_table *t, const void *key);
/** @return the first row whose key is not below this one, or NULL */
struct td_table_node *td_table_from(const struct td_table *t, const void *key);
struct td_table_node *td_table_first(const struct td_table *t);
struct td_table_node *td_table_next(const struct td_table_node *n);
/** The key must not be in the table yet. */
void td_table_add(struct td_table *t, const void *key,
		  struct td_table_node *row);
void td_table_del(struct td_table *t, struct td_table_node *row);

#endif
