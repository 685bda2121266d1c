/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLI_H
#define TD_CLI_H

#include <stdio.h>

/** tandem(1) as a function.
 *  @return the exit status: 0 done, 1 failed, 2 usage */
int td_cli_main(int argc, char *const *argv, FILE *out, FILE *err);

#endif
