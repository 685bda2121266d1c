/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XWIRING_H
#define TD_XWIRING_H

#include "tests/exchange/engine.h"

/** How the lines of a lab are wired, from the words of a command line. */
struct td_xwiring {
	const char *local;	/* "10.77.0.201" */
	const char *lines;	/* "s1-s4", "s1,s3", "s1=21401,s2=21402" */
	const char *nodes;	/* "n1=10.77.0.1,n2=10.77.0.2" */
	const char *line_nodes;	/* "s1-s4:n1,n2;s5-s8:n3,n4", NULL: all have
				 * the first two nodes */
};

/** @param[out] out   written only on success
 *  @param[out] bad   the word that is wrong, borrowed from @p w
 *  @return 0, -EINVAL */
int td_xwiring_parse(const struct td_xwiring *w, struct td_xengine_conf *out,
		     const char **bad);

#endif
