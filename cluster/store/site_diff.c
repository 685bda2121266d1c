// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"
#include "cluster/store/site_rows.h"

/* Two sites by their sorted sections, item by item, key by key. A value is
 * compared as it would be written. */

struct diff {
	const struct td_site *a, *b;
	json_t *out;
};

/* "extension 1000-1999", "site" */
static void object_name(enum site_sect sect, const char *item, char *out,
			size_t size)
{
	const struct site_section *se = &site_sections[sect];
	const char *first = item + se->keys[0].offset;
	const char *last = first + TD_NUMBER_MAX;

	if (sect == SECT_SITE)
		snprintf(out, size, "%s", se->one);
	else if (se->keys[0].type == TYPE_NUMBER && strcmp(first, last))
		snprintf(out, size, "%s %s-%s", se->one, first, last);
	else
		snprintf(out, size, "%s %s", se->one, first);
}

static int add(struct diff *d, const char *object, const char *change,
	       const char *key, const char *old, const char *new,
	       const char *sentence)
{
	return json_array_append_new(d->out, json_pack(
		"{s:s, s:s, s:s?, s:s?, s:s?, s:s}", "object", object, "change",
		change, "key", key, "old", old, "new", new, "text", sentence))
		       ? -ENOMEM : 0;
}

/* A key that is in both. */
static int key_changed(struct diff *d, const char *object,
		       const struct site_key *k, const char *old,
		       const char *new)
{
	char *sentence;
	int rc;

	if (site_key_secret(k)) {
		old = new = NULL;
		rc = asprintf(&sentence, "%s: %s changed", object, k->name);
	} else {
		rc = asprintf(&sentence, "%s: %s %s -> %s", object, k->name,
			      *old ? old : "none", *new ? new : "none");
	}
	if (rc < 0)
		return -ENOMEM;
	rc = add(d, object, "changed", k->name, old, new, sentence);
	free(sentence);
	return rc;
}

static int compare(struct diff *d, enum site_sect sect, const char *a,
		   const char *b)
{
	const struct site_section *se = &site_sections[sect];
	char object[2 * TD_NUMBER_MAX + 32];
	int rc = 0;

	object_name(sect, a, object, sizeof(object));
	for (const struct site_key *k = se->keys; !rc && k->name; k++) {
		char *old, *new;

		/* number and range are one value, told as the range */
		if (k->type == TYPE_NUMBER)
			continue;
		old = site_key_text(d->a, k, a);
		new = site_key_text(d->b, k, b);
		if (!old || !new)
			rc = -ENOMEM;
		else if (strcmp(old, new))
			rc = key_changed(d, object, k, old, new);
		free(old);
		free(new);
	}
	return rc;
}

/* An item that is in one of them only. */
static int alone(struct diff *d, enum site_sect sect, const char *item,
		 bool added)
{
	const struct td_site *s = added ? d->b : d->a;
	char object[2 * TD_NUMBER_MAX + 32], *sentence = NULL, *whole;
	const char *change = added ? "added" : "removed";
	int rc = -ENOMEM;

	object_name(sect, item, object, sizeof(object));
	whole = site_item_text(s, sect, item);
	if (whole && asprintf(&sentence, "%s: %s %s", object, change, whole) < 0)
		sentence = NULL;
	if (sentence)
		rc = add(d, object, change, NULL, added ? NULL : whole,
			 added ? whole : NULL, sentence);
	free(sentence);
	free(whole);
	return rc;
}

static int section(struct diff *d, enum site_sect sect)
{
	const struct site_section *se = &site_sections[sect];
	const char *a = site_items(d->a, sect), *b = site_items(d->b, sect);
	size_t n = site_count(d->a, sect), m = site_count(d->b, sect);
	size_t i = 0, j = 0;
	int rc = 0;

	while (!rc && (i < n || j < m)) {
		const char *x = i < n ? a + i * se->item : NULL;
		const char *y = j < m ? b + j * se->item : NULL;
		int c = sect == SECT_SITE ? 0 : i == n ? 1 : j == m ? -1 :
			site_item_cmp(sect, x, y);

		if (!c) {
			rc = compare(d, sect, x, y);
			i++;
			j++;
		} else if (c < 0) {
			rc = alone(d, sect, x, false);
			i++;
		} else {
			rc = alone(d, sect, y, true);
			j++;
		}
	}
	return rc;
}

int td_site_diff(const struct td_site *a, const struct td_site *b, json_t **out)
{
	struct diff d = { a, b, json_array() };
	int rc = d.out ? 0 : -ENOMEM;

	for (int i = 0; !rc && i < SECT_N; i++)
		rc = section(&d, i);
	if (rc) {
		json_decref(d.out);
		return rc;
	}
	*out = d.out;
	return 0;
}
