// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/text.h"

#include <stdarg.h>
#include <stdio.h>

void td_text_put(struct td_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->size - t->n)
		t->full = true;
	else
		t->n += n;
}
