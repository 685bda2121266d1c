/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_LAPD_H
#define TD_ISDN_LAPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A look at a received LAPD frame before libpri gets it: libpri reads the
 *  header without looking at the length. Pure. */
enum td_lapd_verdict {
	TD_LAPD_GOOD,
	TD_LAPD_SHORT,		/* Q.921 2.9 c, d */
	TD_LAPD_LONG,		/* more than N201 = 260 octets, Q.921 5.9.3 */
	TD_LAPD_ADDRESS,	/* extension bits wrong, Q.921 3.3.1 */
	TD_LAPD_FOREIGN,	/* not SAPI 0 TEI 0, or a UI frame: no such
				 * thing on a primary rate line, Q.921 A.1 */
	TD_LAPD_VERDICTS,
};

/** @param n octets without the FCS */
enum td_lapd_verdict td_lapd_check(const uint8_t *frame, size_t n);
/** SABME: the far end begins anew, what was sent and not acknowledged is
 *  lost, Q.921 5.5.1.2. Of a good frame. */
bool td_lapd_is_sabme(const uint8_t *frame);
const char *td_lapd_verdict_name(enum td_lapd_verdict v);

#endif
