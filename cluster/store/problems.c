// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site.h"
#include "proto/base/str.h"

enum { MAX_PROBLEMS = 500 };

void td_problems_free(struct td_problems *p)
{
	if (!p)
		return;
	free(p->p);
	*p = (struct td_problems){ 0 };
}

int td_problems_add(struct td_problems *p, const char *where, const char *fmt,
		    ...)
{
	struct td_problem *q;
	va_list ap;

	if (p->n > MAX_PROBLEMS)
		return -ENOSPC;
	if (!(p->n & (p->n - 1))) {
		q = realloc(p->p, (p->n ? 2 * p->n : 1) * sizeof(*q));
		if (!q)
			return -ENOMEM;
		p->p = q;
	}
	q = &p->p[p->n++];
	td_str_cut(q->where, sizeof(q->where), where);
	td_str_trim_utf8(q->where);
	if (p->n > MAX_PROBLEMS) {
		td_str_cut(q->what, sizeof(q->what),
			   "and more: mend these first");
		return -ENOSPC;
	}
	va_start(ap, fmt);
	vsnprintf(q->what, sizeof(q->what), fmt, ap);
	va_end(ap);
	td_str_trim_utf8(q->what);
	return 0;
}
