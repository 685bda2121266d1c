/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_VERBS_H
#define TD_VERBS_H

#include <stdbool.h>

/** The one table of tandem(1): help, man page, completion, argument check
 *  and text columns come from it, in the CLI and in the daemon. */

struct td_verb_arg {
	const char *name;	/* "NUMBER"; NULL ends the list */
	const char *help;
	bool optional;
};
struct td_verb_option {
	const char *name;	/* "from": --from EXT; NULL ends the list */
	const char *value;	/* "EXT"; NULL: a flag */
	const char *help;
};
/** A column of the text form: key of the JSON object, dotted for nesting; a
 *  list on the way gives a line for each of its elements. */
enum td_verb_form {
	TD_FORM_PLAIN,		/* true and false as yes and no */
	TD_FORM_UP,		/* true and false as up and down */
	TD_FORM_AGE,		/* a time, shown as what has passed since */
	TD_FORM_TIME,		/* a time of the day, with its date */
	TD_FORM_MS,		/* a duration in ms */
	TD_FORM_S,		/* a duration in s */
};
struct td_verb_column {
	const char *key;	/* NULL ends the list */
	const char *title;
	enum td_verb_form form;
};

struct td_verb {
	const char *name;	/* "call list"; NULL ends the table */
	const char *help;	/* one sentence */
	const char *details;	/* a paragraph for the man page, or NULL */
	struct td_verb_arg args[4];
	struct td_verb_option options[8];
	struct td_verb_column columns[10];	/* of a list */
	const char *done;	/* of an object: a sentence, {key} stands for
				 * a value of it; what it does not name comes
				 * in lines of its own */
	const char *sentence;	/* of a list: the key whose text stands for an
				 * element, instead of columns */
	const char *none;	/* what stands for an empty list of those */
	bool local;		/* the CLI does it by itself */
	bool body_in;		/* the last arg is a file, sent as body; one
				 * that is optional may be a number instead */
	bool body_out;		/* prints reply.body */
};

extern const struct td_verb td_verbs[];

/** Longest match of argv's first words. *used: words taken. NULL: none. */
const struct td_verb *td_verb_find(int argc, char *const *argv, int *used);

#endif
