/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_TEXT_H
#define TD_SIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Text that grows into a buffer of fixed size; too much sets full and writes
 *  nothing more, so that one check at the end is enough. */
struct td_text {
	char *p;
	size_t n, size;
	bool full;
};

__attribute__((format(printf, 2, 3)))
void td_text_put(struct td_text *t, const char *fmt, ...);

/** Length of the UTF-8 sequence at p, 1 to 4; 0: none that is valid (RFC 3629
 *  4). p ends with a NUL. */
unsigned int td_utf8_length(const char *p);

#endif
