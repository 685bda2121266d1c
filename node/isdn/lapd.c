// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/lapd.h"

enum { N201 = 260, I_HEADER = 4, UI = 0x03, UI_MASK = 0xef,
       SABME = 0x6f, POLL = 0x10 };

enum td_lapd_verdict td_lapd_check(const uint8_t *f, size_t n)
{
	if (n < 3)
		return TD_LAPD_SHORT;
	if (f[0] & 1 || !(f[1] & 1))
		return TD_LAPD_ADDRESS;
	if (f[0] >> 2 || f[1] >> 1)
		return TD_LAPD_FOREIGN;
	if (n > I_HEADER + N201)
		return TD_LAPD_LONG;
	if ((f[2] & 3) != 3)	/* I and S frames: two control octets */
		return n < I_HEADER ? TD_LAPD_SHORT : TD_LAPD_GOOD;
	return (f[2] & UI_MASK) == UI ? TD_LAPD_FOREIGN : TD_LAPD_GOOD;
}

const char *td_lapd_verdict_name(enum td_lapd_verdict v)
{
	static const char *const name[TD_LAPD_VERDICTS] = {
		[TD_LAPD_GOOD] = "good",
		[TD_LAPD_SHORT] = "short",
		[TD_LAPD_LONG] = "long",
		[TD_LAPD_ADDRESS] = "address",
		[TD_LAPD_FOREIGN] = "foreign",
	};

	return v < TD_LAPD_VERDICTS ? name[v] : "?";
}

bool td_lapd_is_sabme(const uint8_t *f)
{
	return (f[2] & ~POLL) == SABME;
}
