/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLI_ARGS_H
#define TD_CLI_ARGS_H

#include <stdbool.h>
#include <stdio.h>

#include "proto/verbs.h"

/* What the command line says, checked against the table of verbs. */
struct cli_args {
	const struct td_verb *verb;	/* NULL: none, see help */
	const char *topic;		/* first word without a verb */
	bool json, help;
	const char *socket;
	const char *args[4];
	unsigned int n_args;
	struct {
		const char *name, *value;	/* value "": a flag */
	} options[8];
	unsigned int n_options;
};

#define CLI_SOCKET "/run/tandem/control.sock"

/* @return 0, or 2: told on err */
int cli_parse(int argc, char *const *argv, struct cli_args *out, FILE *err);
/* NULL: not given. */
const char *cli_option(const struct cli_args *a, const char *name);
/* "call": is it the first word of some verbs? */
bool cli_is_topic(const char *word);

#endif
