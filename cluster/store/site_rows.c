// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/store/site_rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"
#include "proto/base/str.h"

/* site_keys.c says which key is which column: a section is a table, a list in
 * it a table of its own. */

static const char *column(const struct site_key *k)
{
	return k->column ? k->column : k->name;
}

static const char *child_table(const struct site_section *se,
			       const struct site_key *k, char *out, size_t size)
{
	snprintf(out, size, "%s_%s", se->one, k->child);
	return out;
}

/* ---- site -> rows ---- */

static json_t *text(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *scalar(const struct site_key *k, const void *at)
{
	char slots[SITE_TIMESLOTS_TEXT];
	uint32_t u;

	switch (k->type) {
	case TYPE_TEXT:
		return text(at);
	case TYPE_BOOL:
		return json_boolean(*(const bool *)at);
	case TYPE_CHANNELS:
		memcpy(&u, at, sizeof(u));
		site_timeslots_text(u, slots, sizeof(slots));
		return json_string(slots);
	case TYPE_WORD:
		memcpy(&u, at, sizeof(u));
		return json_string(k->words[u]);
	default:
		memcpy(&u, at, sizeof(u));
		return json_integer(u);
	}
}

/* The rows of a list; @return false: no memory */
static bool list_rows(const struct td_site *s, const struct site_section *se,
		      const struct site_key *k, const char *item, json_t *rows)
{
	const char (*names)[TD_NAME_MAX] = (const void *)(item + k->offset);
	const uint32_t *ids = (const void *)(item + k->offset);
	bool nodes = k->type == TYPE_NODES;
	const void *count = nodes ? (const void *)(ids + SITE_MAX_LIST)
				  : (const void *)(names + SITE_MAX_LIST);
	const char *owner = item + se->keys[0].offset;
	char table[64];
	unsigned int n;
	json_t *list;

	memcpy(&n, count, sizeof(n));
	list = json_object_get(rows, child_table(se, k, table, sizeof(table)));
	for (unsigned int i = 0; i < n; i++) {
		const struct td_site_node *node =
			nodes ? td_site_node(s, ids[i]) : NULL;

		if (json_array_append_new(list, json_pack(
			    "{s:s, s:i, s:s}", se->one, owner, "pos",
			    (int)i + 1, column(k), !nodes ? names[i] :
			    node ? node->name : "?")))
			return false;
	}
	return true;
}

static json_t *item_row(const struct td_site *s, const struct site_section *se,
			const char *item, json_t *rows)
{
	json_t *row = json_object();
	int bad = !row;

	for (const struct site_key *k = se->keys; !bad && k->name; k++) {
		const char *at = item + k->offset;

		if (k->child) {
			bad = !list_rows(s, se, k, item, rows);
		} else if (k->type == TYPE_NUMBER) {
			bad = json_object_set_new(row, "first", text(at)) ||
			      json_object_set_new(row, "last",
						  text(at + TD_NUMBER_MAX));
		} else if (k->type != TYPE_RANGE) {
			bad = json_object_set_new(row, column(k),
						  scalar(k, at));
		}
	}
	if (bad) {
		json_decref(row);
		return NULL;
	}
	return row;
}

/* An empty array for each table. */
static int add_tables(json_t *rows)
{
	char table[64];

	for (int i = 0; i < SECT_N; i++) {
		const struct site_section *se = &site_sections[i];

		if (json_object_set_new(rows, se->one, json_array()))
			return -ENOMEM;
		for (const struct site_key *k = se->keys; k->name; k++)
			if (k->child && json_object_set_new(
					rows, child_table(se, k, table,
							  sizeof(table)),
					json_array()))
				return -ENOMEM;
	}
	return 0;
}

int td_site_to_rows(const struct td_site *s, json_t **out)
{
	json_t *rows = json_object();

	if (!rows || add_tables(rows))
		goto err;
	for (int i = 0; i < SECT_N; i++) {
		const struct site_section *se = &site_sections[i];
		json_t *table = json_object_get(rows, se->one);
		const char *items = site_items(s, i);

		for (size_t k = 0; k < site_count(s, i); k++)
			if (json_array_append_new(table, item_row(
				    s, se, items + k * se->item, rows)))
				goto err;
	}
	*out = rows;
	return 0;
err:
	json_decref(rows);
	return -ENOMEM;
}

/* ---- rows -> site ---- */

struct loader {
	struct td_site *site;
	struct td_problems *problems;
};

static void complain(struct loader *l, const struct site_section *se,
		     const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void complain(struct loader *l, const struct site_section *se,
		     const char *name, const char *fmt, ...)
{
	char where[128], what[256];
	va_list ap;

	snprintf(where, sizeof(where), "%s%s%.60s", se->one, *name ? " " : "",
		 name);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	td_problems_add(l->problems, where, "%s", what);
}

static int load_text(const json_t *v, char *at, size_t size)
{
	const char *s = json_is_null(v) ? "" : json_string_value(v);

	return s ? td_str_copy(at, size, s) : -EINVAL;
}

static int load_word(const struct site_key *k, const json_t *v, void *at)
{
	const char *s = json_string_value(v);

	for (int i = 0; s && k->words[i]; i++) {
		if (strcmp(k->words[i], s))
			continue;
		memcpy(at, &i, sizeof(i));
		return 0;
	}
	return -EINVAL;
}

static int load_u32(const json_t *v, void *at)
{
	json_int_t i = json_integer_value(v);
	uint32_t u = i;

	if (!json_is_integer(v) || i < 0 || i > UINT32_MAX)
		return -EINVAL;
	memcpy(at, &u, sizeof(u));
	return 0;
}

/* SQLite has 0 and 1 */
static int load_bool(const json_t *v, bool *at)
{
	json_int_t i = json_integer_value(v);

	if (!json_is_boolean(v) && (!json_is_integer(v) || i < 0 || i > 1))
		return -EINVAL;
	*at = json_is_true(v) || i == 1;
	return 0;
}

static int load_scalar(const struct site_key *k, const json_t *v, char *item)
{
	char *at = item + k->offset;
	uint32_t bits;
	int rc;

	switch (k->type) {
	case TYPE_TEXT:
		return load_text(v, at, k->size);
	case TYPE_BOOL:
		return load_bool(v, (bool *)at);
	case TYPE_WORD:
		return load_word(k, v, at);
	case TYPE_U32:
		return load_u32(v, at);
	case TYPE_CHANNELS:
		rc = json_is_string(v) ?
			     site_timeslots(json_string_value(v), &bits) :
			     -EINVAL;
		if (!rc)
			memcpy(at, &bits, sizeof(bits));
		return rc;
	default:
		return -EINVAL;
	}
}

static const struct site_key *key_of(const struct site_section *se,
				     const char *name)
{
	for (const struct site_key *k = se->keys; k->name; k++)
		if (!k->child && k->type != TYPE_NUMBER &&
		    k->type != TYPE_RANGE && !strcmp(column(k), name))
			return k;
	return NULL;
}

static void load_row(struct loader *l, const struct site_section *se,
		     const json_t *row, char *item)
{
	bool range = se->keys[0].type == TYPE_NUMBER;
	char name[TD_NUMBER_MAX] = "";
	const char *col;
	json_t *v;
	int rc;

	/* what the row is called, for what may be wrong with it */
	v = json_object_get(row, range ? "first" : column(&se->keys[0]));
	if (v && json_is_string(v) && strcmp(se->one, "site"))
		td_str_cut(name, sizeof(name), json_string_value(v));
	json_object_foreach((json_t *)row, col, v) {
		const struct site_key *k = key_of(se, col);

		if (range && (!strcmp(col, "first") || !strcmp(col, "last")))
			rc = load_text(v, item + se->keys[0].offset +
						  (*col == 'l' ? TD_NUMBER_MAX
							       : 0),
				       TD_NUMBER_MAX);
		else if (k)
			rc = load_scalar(k, v, item);
		else	/* a later version's, and used */
			rc = json_is_null(v) ? 0 : -ENOTSUP;
		if (rc == -ENOTSUP)
			complain(l, se, name, "%s: this version does not know "
					      "that column", col);
		else if (rc)
			complain(l, se, name, "%s: not a value that fits", col);
	}
}

static int load_table(struct loader *l, enum site_sect sect,
		      const json_t *rows)
{
	const struct site_section *se = &site_sections[sect];
	const json_t *table = json_object_get(rows, se->one), *row;
	size_t n = json_array_size(table), i;
	char *items;

	if (n > se->max) {
		complain(l, se, "", "%zu rows, at most %u are possible", n,
			 se->max);
		n = se->max;
	}
	if (sect == SECT_SITE) {
		if (n)
			load_row(l, se, json_array_get(table, 0),
				 (char *)l->site);
		else
			complain(l, se, "", "the table has no row");
		return 0;
	}
	items = calloc(n + 1, se->item);
	if (!items)
		return -ENOMEM;
	site_set(l->site, sect, items, n);
	for (i = 0; i < n; i++) {
		char *item = items + i * se->item;

		if (se->defaults)
			memcpy(item, se->defaults, se->item);
		row = json_array_get(table, i);
		load_row(l, se, row, item);
	}
	return 0;
}

/* Of a sorted section whose items begin with their name. */
static char *item_by_name(const struct td_site *s, enum site_sect sect,
			  const char *name)
{
	const struct site_section *se = &site_sections[sect];
	size_t lo = 0, hi = site_count(s, sect);
	char *items = site_items(s, sect);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = site_item_cmp(sect, name, items + mid * se->item);

		if (!c)
			return items + mid * se->item;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static int by_pos(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(
			   *(json_t *const *)a, "pos")),
		   y = json_integer_value(json_object_get(
			   *(json_t *const *)b, "pos"));

	return x < y ? -1 : x > y;
}

/* One more in the list of an item. */
static void load_element(struct loader *l, const struct site_section *se,
			 const struct site_key *k, char *item,
			 const char *value)
{
	char (*names)[TD_NAME_MAX] = (void *)(item + k->offset);
	uint32_t *ids = (void *)(item + k->offset);
	bool nodes = k->type == TYPE_NODES;
	unsigned int *count = nodes ? (void *)(ids + SITE_MAX_LIST)
				    : (void *)(names + SITE_MAX_LIST);
	const char *name = item + se->keys[0].offset;
	const struct td_site_node *node;

	if (*count == SITE_MAX_LIST) {
		complain(l, se, name, "%s: more than %d", k->name,
			 SITE_MAX_LIST);
		return;
	}
	if (!nodes) {
		if (td_str_copy(names[*count], TD_NAME_MAX, value))
			complain(l, se, name, "%s: not a value that fits",
				 k->name);
		++*count;
		return;
	}
	node = td_site_node_by_name(l->site, value);
	if (node)
		ids[(*count)++] = node->id;
	else
		complain(l, se, name, "nodes: there is no node \"%.40s\"",
			 value);
}

static int load_lists(struct loader *l, enum site_sect sect,
		      const struct site_key *k, const json_t *rows)
{
	const struct site_section *se = &site_sections[sect];
	const json_t *table;
	json_t **sorted;
	char name[64];
	size_t n;

	table = json_object_get(rows, child_table(se, k, name, sizeof(name)));
	n = json_array_size(table);
	sorted = malloc((n + 1) * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(table, i);
	qsort(sorted, n, sizeof(*sorted), by_pos);
	for (size_t i = 0; i < n; i++) {
		const char *owner = json_string_value(
			json_object_get(sorted[i], se->one));
		const char *value = json_string_value(
			json_object_get(sorted[i], column(k)));
		char *item = owner ? item_by_name(l->site, sect, owner) : NULL;

		if (item && value)
			load_element(l, se, k, item, value);
		else
			complain(l, se, owner ? owner : "",
				 "%s: a row of %s belongs to nothing", k->name,
				 name);
	}
	free(sorted);
	return 0;
}

static int load(struct loader *l, const json_t *rows)
{
	int rc = 0;

	for (int i = 0; !rc && i < SECT_N; i++)
		rc = load_table(l, i, rows);
	if (!rc)
		site_sort(l->site);
	for (int i = 0; !rc && i < SECT_N; i++)
		for (const struct site_key *k = site_sections[i].keys;
		     !rc && k->name; k++)
			if (k->child)
				rc = load_lists(l, i, k, rows);
	if (rc)
		return rc;
	return td_site_check(l->site, l->problems);
}

int td_site_from_rows(const json_t *rows, struct td_site **out,
		      struct td_problems *problems)
{
	struct loader l = { .problems = problems };
	size_t before = problems->n;
	int rc;

	l.site = malloc(sizeof(*l.site));
	if (!l.site)
		return -ENOMEM;
	memcpy(l.site, site_sections[SECT_SITE].defaults, sizeof(*l.site));
	rc = load(&l, rows);
	if (!rc && problems->n > before)
		rc = -EINVAL;
	if (rc) {
		td_site_free(l.site);
		return rc;
	}
	*out = l.site;
	return 0;
}
