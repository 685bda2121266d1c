/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_REJECT_H
#define TD_SIP_REJECT_H

#include "node/sip/parse.h"
#include "node/sip/record.h"

/** Stateless answer to a malformed request that came by UDP, RFC 3261 8.2.7.
 *  Copies Via, From, To, Call-ID and CSeq as they came, however bad they are.
 *  Pure.
 *  @param from where it came from
 *  @param tag To tag to add when there is none
 *  @param[out] to where the answer goes, RFC 3261 18.2.2, RFC 3581 4: never a
 *  name, never maddr
 *  @return octets in out, or -EMSGSIZE */
int td_sip_reject(const struct td_sip_msg *m, int status, const char *reason,
		  const struct td_sip_peer *from, const char *tag, char *out,
		  size_t size, struct td_sip_peer *to);

#endif
