/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLI_TEXT_H
#define TD_CLI_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "proto/verbs.h"

/* JSON for people. What phones and peers sent may stand in it: control
 * characters are shown as '?'. */

struct text_style {
	bool colour;
	long long now_ms;	/* wall clock: ages are counted from it */
};

/* A list of objects by the verb's columns; numbers to the right. */
void text_table(FILE *f, const struct text_style *st, const json_t *list,
		const struct td_verb_column *columns);
/* Anything, with indentation; objects of an object as paragraphs. */
void text_value(FILE *f, const struct text_style *st, const json_t *v,
		int indent);
/* verb.done, filled in. */
void text_done(FILE *f, const struct text_style *st, const char *sentence,
	       const json_t *object);
/* verb.sentence of each element, or verb.none. */
void text_sentences(FILE *f, const struct text_style *st, const json_t *list,
		    const struct td_verb *verb);
/* `tandem status`. */
void text_status(FILE *f, const struct text_style *st, const json_t *status);

/* One value into buf. @return buf */
const char *text_scalar(const struct text_style *st, const json_t *v,
			enum td_verb_form form, char *buf, size_t size);
/* "2d 03h", "1h 02m", "3m 04s", "5s" */
const char *text_duration(long long ms, char *buf, size_t size);
/* Columns that a UTF-8 text takes. */
int text_width(const char *s);

#endif
