/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SITE_CHECK_H
#define TD_SITE_CHECK_H

#include "cluster/store/site_keys.h"

/* Shared by the two files of checks. */
struct site_checker {
	const struct td_site *site;
	const struct site_where *where;	/* NULL: no file */
	struct td_problems *problems;
};

/* A problem of item i, at the line of its key if that was given. Silent when
 * that value was complained about already. */
void site_complain(const struct site_checker *c, enum site_sect sect, size_t i,
		   const char *key, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* "line 12" or "line s1": to point at item i from elsewhere. */
const char *site_at(const struct site_checker *c, enum site_sect sect,
		    size_t i, char *out, size_t size);

/* @return 0 or -ENOMEM */
int site_check_numbers(const struct site_checker *c);

#endif
