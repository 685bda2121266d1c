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

#endif
