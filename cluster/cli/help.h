/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLI_HELP_H
#define TD_CLI_HELP_H

#include <stdio.h>

#include "proto/verbs.h"

/* All from the table of verbs. */
void help_all(FILE *f);
/* The verbs that begin with this word. */
void help_topic(FILE *f, const char *word);
void help_verb(FILE *f, const struct td_verb *v);
/* roff, tandem(1) */
void help_man(FILE *f);
void help_completion(FILE *f);

#endif
