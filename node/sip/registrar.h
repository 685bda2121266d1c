/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_REGISTRAR_H
#define TD_SIP_REGISTRAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/sip/parse.h"
#include "proto/td_codec.h"

/** The registrar's rules, RFC 3261 10.3, RFC 3327, as a pure function: what a
 *  REGISTER makes of the bindings that are there. */

enum {
	TD_REG_MIN_S = 60,
	TD_REG_MAX_S = 7200,
	TD_REG_DEFAULT_S = 3600,
	TD_REG_MAX_CONTACTS = 10,	/* of one address-of-record */
	TD_REG_MAX_HAVE = 64,		/* looked at, should there be more */
	TD_REG_MAX_CHANGES = TD_REG_MAX_HAVE + TD_REG_MAX_CONTACTS,
};

struct td_reg_contact {
	char uri[512];
	uint32_t expires_s;	/* 0: remove */
	uint32_t q_milli;
	char instance[128];
	bool reg_id;		/* RFC 5626: several flows of one instance */
};

struct td_reg_request {
	char call_id[256];
	uint32_t cseq;
	bool star;		/* Contact: * with Expires: 0 */
	struct td_reg_contact c[TD_REG_MAX_CONTACTS];
	unsigned int n;
};

/** Reads Contact, Expires, Call-ID and CSeq.
 *  @return 0, or the status to answer: 400; 423 with Min-Expires: 60; 403 more
 *  contacts than TD_REG_MAX_CONTACTS */
int td_reg_read(const struct td_sip_msg *m, struct td_reg_request *out);

/** What to do to one binding. */
struct td_reg_change {
	int put;		/* index into request.c, or -1 */
	const char *del;	/* URI to remove, or NULL */
};

/** All or nothing.
 *  @param have the user's bindings now
 *  @param[out] out room for TD_REG_MAX_CHANGES; dels point into have
 *  @return 0, or the status: 500 out of order (10.3 step 7), 403 too many */
int td_reg_plan(const struct td_reg_request *r, const Td__Contact *const *have,
		size_t n_have, struct td_reg_change *out, unsigned int *n);

#endif
