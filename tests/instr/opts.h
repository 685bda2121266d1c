/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_OPTS_H
#define TD_OPTS_H

#include <stdio.h>

/** Command line options as a table, from which the help is printed too:
 *  --name VALUE, --name=VALUE, --flag. */
enum td_opt_type { TD_OPT_END, TD_OPT_FLAG, TD_OPT_TEXT, TD_OPT_INT,
		   TD_OPT_REAL };

struct td_opt {
	enum td_opt_type type;
	const char *name;	/* without the dashes */
	void *to;		/* bool, const char *, int, double */
	const char *value;	/* its name in the help */
	const char *help;
};

/** Leaves the others, in order, in argv[0 …].
 *  @return how many; -EINVAL: it has said on stderr what is wrong */
int td_opts_parse(const struct td_opt *table, int argc, char **argv);
void td_opts_help(FILE *f, const struct td_opt *table);

#endif
