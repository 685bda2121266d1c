/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_CHECK_H
#define TD_SIP_CHECK_H

#include "node/sip/parse.h"

/** Is a request well-formed, to the letter of RFC 3261 25.1 (RFC 4475 is the
 *  test)? Pure. The SIP library is laxer in places and silent in others, so
 *  every request passes here first.
 *  @param[out] why a reason phrase; untouched when all is well
 *  @return 0, or the status to answer: 400, 405 (with TD_SIP_ALLOW), 505 */
int td_sip_check(const struct td_sip_msg *m, const char **why);

#define TD_SIP_ALLOW                                                           \
	"INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, UPDATE, INFO"

#endif
