/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLI_CLIENT_H
#define TD_CLI_CLIENT_H

#include <stddef.h>

#include "proto/td_codec.h"

/* One connection to a daemon's control socket; blocking, with time limits. */

/* @param[out] why  what, where, what to do; only on failure
 * @return descriptor or negative errno */
int cli_connect(const char *path, char *why, size_t size);
/* Sends and waits for the answer.
 * @return 0 or negative errno, with why */
int cli_ask(int fd, const Td__Request *r, Td__Reply **out, char *why,
	    size_t size);

#endif
