/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_Q931_H
#define TD_ISDN_Q931_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A look into the Q.931 message of a received I-frame before libpri gets it,
 *  for what libpri 1.6.0 keeps a call record for, for ever. An I-frame cannot
 *  be left out (LAPD counts them), so the message in it is changed. Pure. */

/** An information element that is longer than what is left is cut off, so
 *  that the rest is treated by Q.931 5.8.6 and 5.8.7.
 *  @return octets of the frame to keep, n: nothing is wrong */
size_t td_q931_fit(const uint8_t *frame, size_t n);

enum { TD_Q931_DISCONNECT = 0x45, TD_Q931_RELEASE = 0x4d };

struct td_q931_head {
	uint32_t cref;		/* without the flag; 0: global */
	bool to_originator;	/* flag 1: the receiver gave it out */
	uint8_t type;
};

/** @return false: no Q.931 message with a call reference */
bool td_q931_head(const uint8_t *frame, size_t n, struct td_q931_head *out);

/** May a message of this type come for a reference that we do not know?
 *  SETUP begins a call; clearing is answered rightly. For all others Q.931
 *  5.8.3.2 a wants RELEASE COMPLETE with cause 81; for the global reference
 *  only the restart procedure and STATUS are left. */
bool td_q931_may_begin(const struct td_q931_head *h);

/** Does the message say that the far end has no such call any more: RELEASE,
 *  RELEASE COMPLETE, or STATUS with the call state Null (Q.931 5.3, 5.8.11)? */
bool td_q931_lets_go(const uint8_t *frame, size_t n,
		     const struct td_q931_head *h);

/** A message of another protocol, Q.931 5.8.1: ignored. libpri sends SERVICE
 *  messages back with another type, and two of it do so for ever.
 *  @return true: it was one, and is now one that libpri ignores */
bool td_q931_mute_foreign(uint8_t *frame, size_t n);

/** Turns the message into a STATUS ENQUIRY, which libpri answers so.
 *  @return octets of the frame now */
size_t td_q931_to_enquiry(uint8_t *frame);

#endif
