/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_CAUSE_H
#define TD_SIP_CAUSE_H

/** Q.850 cause <-> SIP status, RFC 3398 7.2.4.1 and 8.2.6.1. Pure. */

/** The final status for a cause. */
int td_sip_status_of_cause(int cause);
/** The cause for a final status of 300 or more. */
int td_sip_cause_of_status(int status);
/** Reason phrase of RFC 3261 21. */
const char *td_sip_phrase(int status);
/** Text of a cause, Q.850 2.2. */
const char *td_sip_cause_text(int cause);
/** Q.850 cause in a Reason header value (RFC 3326), 0: none. */
int td_sip_reason_cause(const char *value);

#endif
