/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SITE_KEYS_H
#define TD_SITE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "cluster/store/site.h"
#include "cluster/store/yaml.h"

/* The one table of the site document: sections and their keys, from which it
 * is parsed, formatted, copied and freed, and put into tables. A section's
 * first key tells its items apart. */

enum site_sect {
	SECT_SITE,
	SECT_NODES,	/* before those that name nodes */
	SECT_CLASSES,
	SECT_LINES,
	SECT_ADDRESSES,
	SECT_EXTENSIONS,
	SECT_DDI,
	SECT_ROUTES,
	SECT_SERVICES,
	SECT_N,
};

enum site_type {
	TYPE_TEXT,	/* char[] */
	TYPE_U32,
	TYPE_BOOL,
	TYPE_WORD,	/* an enum, by site_key.words */
	TYPE_NODES,	/* uint32_t[16], then unsigned int: their count */
	TYPE_CHANNELS,	/* uint32_t, a bit a timeslot: "1-15,17-31" */
	TYPE_NUMBER,	/* char[2][TD_NUMBER_MAX]: first = last */
	TYPE_RANGE,	/* the same, "first-last" */
	TYPE_LINES,	/* char[16][TD_NAME_MAX], then unsigned int */
	TYPE_PREFIXES,	/* the same, of what can be dialled */
};

struct site_key {
	const char *name;	/* NULL ends the list */
	enum site_type type;
	size_t offset, size;
	bool required;
	const char *const *words;	/* NULL ends the list */
	const char *column;	/* in the table, NULL: name */
	const char *child;	/* a list's own table: TABLE_CHILD */
};

enum {
	SITE_MAX_KEYS = 12,
	SITE_MAX_LIST = 16,
	SITE_LINE_BAD = -1,
	SITE_TIMESLOTS_TEXT = 96,	/* octets that any set needs */
};

struct site_section {
	const char *name, *one;		/* "lines", "line"; the table, too */
	size_t offset, n_offset;	/* of the array and its count */
	size_t item;			/* octets of an element */
	unsigned int max;
	const struct site_key *keys;
	const void *defaults;		/* an element, NULL: all zero */
};

extern const struct site_section site_sections[SECT_N];

/* The array of a section (of struct td_site itself for SECT_SITE). */
void *site_items(const struct td_site *s, enum site_sect sect);
size_t site_count(const struct td_site *s, enum site_sect sect);
void site_set(struct td_site *s, enum site_sect sect, void *items, size_t n);

/* What tells item i apart: its name, number, prefix. */
const char *site_item_name(const struct td_site *s, enum site_sect sect,
			   size_t i);

/* Where each value was written: [item][0] the item's line, [item][k + 1] that
 * of key k; 0 not given, SITE_LINE_BAD: complained about already. */
struct site_where {
	const char *file;
	int (*line[SECT_N])[SITE_MAX_KEYS + 1];
};

/* td_site_check with lines; where may be NULL. */
int site_check(const struct td_site *s, const struct site_where *where,
	       struct td_problems *problems);
/* "1-15,17" <-> the bits of the timeslots */
int site_timeslots(const char *s, uint32_t *bits);
void site_timeslots_text(uint32_t bits, char *out, size_t size);
/* One value. problems gets what is wrong with it.
 * @return 0, -EINVAL, -ENOMEM */
int site_value(const struct td_site *s, const char *file,
	       const struct site_key *k, const struct td_yaml *y, void *item,
	       struct td_problems *problems);

/* Digits only, at least one. */
bool site_digits(const char *s);
/* By length, then by digits: the order of numbers. */
int site_number_cmp(const char *a, const char *b);
/* All sections. */
void site_sort(struct td_site *s);
/* In that order, by what tells items apart; not of SECT_SITE. */
int site_item_cmp(enum site_sect sect, const void *a, const void *b);

/* Never shown but in an export. */
bool site_key_secret(const struct site_key *k);
/* A value, an item (without secrets) as the canonical text has it; malloc'ed,
 * NULL: no memory. */
char *site_key_text(const struct td_site *s, const struct site_key *k,
		    const char *item);
char *site_item_text(const struct td_site *s, enum site_sect sect,
		     const char *item);

#endif
