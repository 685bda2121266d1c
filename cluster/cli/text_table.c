// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "cluster/cli/text.h"
#include "proto/base/str.h"

enum {
	MAX_COLUMNS = sizeof(((struct td_verb *)0)->columns) /
		      sizeof(struct td_verb_column),
	MAX_CELL = 256,
	GAP = 2,
};

struct table {
	const struct text_style *st;
	const struct td_verb_column *col;
	unsigned int n_col;
	int width[MAX_COLUMNS];
	bool number[MAX_COLUMNS];	/* all of it: to the right */
};

/* The value at a dotted key; at a list on the way, that of its element
 * `line`. *lines grows to the longest such list. */
static const json_t *at(const json_t *row, const char *key, size_t line,
			size_t *lines)
{
	bool listed = false;
	char part[64];

	while (row) {
		size_t n = strcspn(key, ".");

		if (n >= sizeof(part))
			return NULL;
		memcpy(part, key, n);
		part[n] = '\0';
		row = json_object_get(row, part);
		if (!key[n])
			break;
		if (json_is_array(row)) {
			if (json_array_size(row) > *lines)
				*lines = json_array_size(row);
			row = json_array_get(row, line);
			listed = true;
		}
		key += n + 1;
	}
	/* plain columns stand in an entry's first line only */
	return listed || !line ? row : NULL;
}

static void cell(const struct table *t, const json_t *row, unsigned int c,
		 size_t line, size_t *lines, char *buf)
{
	const json_t *v = at(row, t->col[c].key, line, lines);

	if (!v && line)
		*buf = '\0';
	else
		text_scalar(t->st, v, t->col[c].form, buf, MAX_CELL);
}

static void measure(struct table *t, const json_t *list)
{
	char buf[MAX_CELL];
	json_t *row;
	size_t i;

	for (unsigned int c = 0; c < t->n_col; c++) {
		t->width[c] = text_width(t->col[c].title);
		t->number[c] = json_array_size(list) > 0;
	}
	json_array_foreach(list, i, row) {
		size_t lines = 1;

		for (size_t l = 0; l < lines; l++)
			for (unsigned int c = 0; c < t->n_col; c++) {
				const json_t *v = at(row, t->col[c].key, l,
						     &lines);

				cell(t, row, c, l, &lines, buf);
				if (text_width(buf) > t->width[c])
					t->width[c] = text_width(buf);
				t->number[c] = t->number[c] &&
					       (!v || json_is_integer(v));
			}
	}
}

static const char *colour(const char *text)
{
	static const char *const good[] = { "up", "quorate" };
	static const char *const bad[] = { "down", "alarm", "unowned",
					   "dchannel-down" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!strcmp(text, good[i]))
			return "\033[32m";
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!strcmp(text, bad[i]))
			return "\033[31m";
	return NULL;
}

static void put(FILE *f, const struct table *t, unsigned int c,
		const char *text, bool last)
{
	int pad = t->width[c] - text_width(text);
	const char *paint = t->st->colour ? colour(text) : NULL;

	fprintf(f, "%*s%s%s%s", t->number[c] ? pad : 0, "",
		paint ? paint : "", text, paint ? "\033[0m" : "");
	if (!last)
		fprintf(f, "%*s", (t->number[c] ? 0 : pad) + GAP, "");
}

/* No blanks at a line's end: what follows may be empty. */
static unsigned int last_cell(char (*cells)[MAX_CELL], unsigned int n)
{
	while (n > 1 && !*cells[n - 1])
		n--;
	return n - 1;
}

static void line_out(FILE *f, const struct table *t, char (*cells)[MAX_CELL])
{
	unsigned int last = last_cell(cells, t->n_col);

	for (unsigned int c = 0; c <= last; c++)
		put(f, t, c, cells[c], c == last);
	fputc('\n', f);
}

void text_table(FILE *f, const struct text_style *st, const json_t *list,
		const struct td_verb_column *columns)
{
	struct table t = { .st = st, .col = columns };
	char cells[MAX_COLUMNS][MAX_CELL];
	json_t *row;
	size_t i;

	while (t.n_col < MAX_COLUMNS && columns[t.n_col].key)
		t.n_col++;
	measure(&t, list);
	for (unsigned int c = 0; c < t.n_col; c++)
		td_str_cut(cells[c], MAX_CELL, columns[c].title);
	if (st->colour)
		fputs("\033[1m", f);
	line_out(f, &t, cells);
	if (st->colour)
		fputs("\033[0m", f);
	json_array_foreach(list, i, row) {
		size_t lines = 1;

		for (size_t l = 0; l < lines; l++) {
			for (unsigned int c = 0; c < t.n_col; c++)
				cell(&t, row, c, l, &lines, cells[c]);
			line_out(f, &t, cells);
		}
	}
}

static void head(FILE *f, const struct text_style *st, const json_t *s)
{
	bool quorate = json_is_true(json_object_get(s, "quorate"));
	const char *on = !st->colour ? "" : quorate ? "\033[32m" : "\033[31m";
	double ratio = json_number_value(json_object_get(s, "crossing_ratio"));
	char name[MAX_CELL], gen[32], calls[32], regs[32];

	text_scalar(st, json_object_get(s, "cluster"), TD_FORM_PLAIN, name,
		    sizeof(name));
	text_scalar(st, json_object_get(s, "generation"), TD_FORM_PLAIN, gen,
		    sizeof(gen));
	text_scalar(st, json_object_get(s, "calls"), TD_FORM_PLAIN, calls,
		    sizeof(calls));
	text_scalar(st, json_object_get(s, "registrations"), TD_FORM_PLAIN,
		    regs, sizeof(regs));
	fprintf(f, "Cluster %s: %s%s%s, generation %s\n",
		*name ? name : "(not configured)", on,
		quorate ? "quorate" : "NOT QUORATE", *on ? "\033[0m" : "",
		strcmp(gen, "0") ? gen : "none yet");
	fprintf(f, "%s call%s, %s registered user%s, %.1f %% of voice crosses "
		   "nodes\n", calls, strcmp(calls, "1") ? "s" : "", regs,
		strcmp(regs, "1") ? "s" : "", 100 * ratio);
}

void text_status(FILE *f, const struct text_style *st, const json_t *s)
{
	static const struct td_verb_column nodes[MAX_COLUMNS] = {
		{ "name", "NODE" }, { "state", "STATE" },
		{ "calls", "CALLS" }, { "since", "SINCE", TD_FORM_AGE },
		{ "version", "VERSION" },
	};
	static const struct td_verb_column units[MAX_COLUMNS] = {
		{ "name", "UNIT" }, { "kind", "KIND" }, { "owner", "OWNER" },
		{ "epoch", "EPOCH" }, { "health", "HEALTH" },
	};
	const json_t *list = json_object_get(s, "nodes");

	head(f, st, s);
	if (json_array_size(list)) {
		fputc('\n', f);
		text_table(f, st, list, nodes);
	}
	list = json_object_get(s, "units");
	if (json_array_size(list)) {
		fputc('\n', f);
		text_table(f, st, list, units);
	}
}
