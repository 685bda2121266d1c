/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_SDP_H
#define TD_SIP_SDP_H

#include <stddef.h>
#include <stdint.h>

#include "node/call/leg.h"

/** Session descriptions, RFC 4566 / RFC 8866, and offer/answer, RFC 3264.
 *  Pure. Of all streams one counts: the first audio stream over RTP/AVP that
 *  is not refused; the others are answered with port 0. */

enum { TD_SDP_MAX_MEDIA = 16 };

/** @param out kind RTP; raw is the text itself, with octets that are not
 *  UTF-8 replaced by '?'
 *  @return 0; -EBADMSG malformed (400); -EMSGSIZE more than TD_SDP_MAX - 1
 *  octets or TD_SDP_MAX_MEDIA streams (413); -ENOPROTOOPT no audio stream that
 *  could be used, or an address that is no number (488) */
int td_sdp_parse(const char *text, size_t n, struct td_session *out);

/** Writes from the fields of s (raw is not looked at).
 *  @param offer the offer this answers: its streams are answered in its
 *  order (RFC 3264 6); NULL: this is an offer
 *  @param id origin's session id
 *  @return 0, -EMSGSIZE, -EINVAL: s is no RTP session */
int td_sdp_write(const struct td_session *s, const char *offer, uint64_t id,
		 char *out, size_t size);

/** Number of streams, in order to see whether an answer fits an offer. */
unsigned int td_sdp_streams(const char *sdp);

/** A side's descriptions keep one origin, and its version goes up by one
 *  with each change (RFC 3264 8): rewrites the o= line of sdp in that sense.
 *  @param last what was sent before, "" nothing
 *  @return 0, -EMSGSIZE */
int td_sdp_continue(const char *last, char *sdp, size_t size);

#endif
