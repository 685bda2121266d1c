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

unsigned int td_utf8_length(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char min = 0x80, max = 0xbf;
	unsigned int n;

	if (*p < 0x80)
		return 1;
	n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	/* no longer than need be, no surrogates, none above U+10FFFF */
	if (*p == 0xe0)
		min = 0xa0;
	else if (*p == 0xed)
		max = 0x9f;
	else if (*p == 0xf0)
		min = 0x90;
	else if (*p == 0xf4)
		max = 0x8f;
	if (p[1] < min || p[1] > max)
		return 0;
	for (unsigned int i = 2; i < n; i++)
		if (p[i] >> 6 != 2)
			return 0;
	return n;
}
