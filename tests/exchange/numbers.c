// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/numbers.h"

#include <string.h>

static const struct td_xnumber table[] = {
	{ "5550001", TD_XSVC_ECHO, "echo" },
	{ "5550002", TD_XSVC_TONE, "tone" },
	{ "5550003", TD_XSVC_BUSY, "busy" },
	{ "5550004", TD_XSVC_RING, "ring" },
	{ "5550005", TD_XSVC_PATTERN, "pattern" },
	{ "5550006", TD_XSVC_HANGUP, "hangup" },
	{ "5550007", TD_XSVC_NONE, "unallocated" },
	{ "5550008", TD_XSVC_FAX, "fax" },
	{ "5550009", TD_XSVC_DTMF, "dtmf" },
};

enum { N = sizeof(table) / sizeof(table[0]), DIGITS = 7 };

const struct td_xnumber *td_xnumber_find(const char *digits)
{
	static const struct td_xnumber none = { "", TD_XSVC_NONE,
						"unallocated" };
	size_t n = strlen(digits);

	for (int i = 0; i < N && n >= DIGITS; i++)
		if (!strcmp(digits + n - DIGITS, table[i].digits))
			return &table[i];
	return &none;
}

bool td_xnumber_partial(const char *digits)
{
	size_t n = strlen(digits);

	if (n >= DIGITS)
		return false;
	for (int i = 0; i < N; i++)
		if (!strncmp(digits, table[i].digits, n))
			return true;
	return false;
}
