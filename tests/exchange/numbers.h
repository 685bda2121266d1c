/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XNUMBERS_H
#define TD_XNUMBERS_H

#include <stdbool.h>

/** What the exchange does with a call to one of its numbers. */
enum td_xservice {
	TD_XSVC_NONE,		/* unallocated: cause 1 */
	TD_XSVC_ECHO, TD_XSVC_TONE, TD_XSVC_BUSY, TD_XSVC_RING,
	TD_XSVC_PATTERN, TD_XSVC_HANGUP, TD_XSVC_FAX, TD_XSVC_DTMF,
};

struct td_xnumber {
	const char *digits;
	enum td_xservice service;
	const char *name;
};

/** The number that these digits end in; an unallocated one if none. */
const struct td_xnumber *td_xnumber_find(const char *digits);
/** Could more digits still make one of our numbers of it? */
bool td_xnumber_partial(const char *digits);

#endif
