// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/opts.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct td_opt *find(const struct td_opt *t, const char *name,
				 size_t n)
{
	for (; t->type != TD_OPT_END; t++)
		if (strlen(t->name) == n && !strncmp(t->name, name, n))
			return t;
	return NULL;
}

static int set(const struct td_opt *o, const char *value)
{
	char *end = NULL;
	long n;

	if (o->type == TD_OPT_FLAG) {
		*(bool *)o->to = true;
		return 0;
	}
	errno = 0;
	if (o->type == TD_OPT_TEXT)
		*(const char **)o->to = value;
	else if (o->type == TD_OPT_REAL)
		*(double *)o->to = strtod(value, &end);
	else if ((n = strtol(value, &end, 10)) >= INT_MIN && n <= INT_MAX)
		*(int *)o->to = n;
	else
		errno = ERANGE;
	if (errno || (end && (end == value || *end))) {
		fprintf(stderr, "--%s: '%s' is not a number\n", o->name, value);
		return -EINVAL;
	}
	return 0;
}

int td_opts_parse(const struct td_opt *table, int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		const char *a = argv[i], *eq, *value = NULL;
		const struct td_opt *o;

		if (strncmp(a, "--", 2)) {
			argv[kept++] = argv[i];
			continue;
		}
		a += 2;
		eq = strchr(a, '=');
		o = find(table, a, eq ? (size_t)(eq - a) : strlen(a));
		if (!o || (eq && o->type == TD_OPT_FLAG)) {
			fprintf(stderr, "unknown option '%s'\n", argv[i]);
			return -EINVAL;
		}
		if (eq)
			value = eq + 1;
		else if (o->type != TD_OPT_FLAG)
			value = i + 1 < argc ? argv[++i] : NULL;
		if (!value && o->type != TD_OPT_FLAG) {
			fprintf(stderr, "--%s needs %s\n", o->name, o->value);
			return -EINVAL;
		}
		if (set(o, value))
			return -EINVAL;
	}
	return kept;
}

void td_opts_help(FILE *f, const struct td_opt *t)
{
	char left[48];

	for (; t->type != TD_OPT_END; t++) {
		snprintf(left, sizeof(left), "--%s%s%s", t->name,
			 t->value ? " " : "", t->value ? t->value : "");
		fprintf(f, "  %-26s %s\n", left, t->help);
	}
}
