/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LOAD_MSG_H
#define TD_LOAD_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The texts of the register load, and what it needs of the answers. Pure. */
enum { TD_LOAD_MSG = 1400, TD_LOAD_NONCE = 96, TD_LOAD_HEX = 33 };

/** A server's challenge that an earlier answer brought. */
struct td_load_auth {
	char nonce[TD_LOAD_NONCE];	/* empty: none yet */
	uint32_t nc;			/* how often it was used */
};

struct td_load_request {
	const char *domain;
	long long user;
	const char *local;		/* "10.77.0.101:40000" */
	const char *contact;		/* "sip:…", "*" */
	uint64_t branch;		/* comes back by the answer */
	uint32_t run, cseq;
	int expires_s;
};

/** A REGISTER (RFC 3261 10.2), with credentials (RFC 7616, MD5, qop auth)
 *  when @p auth has a nonce, whose count it raises.
 *  @return octets; -EMSGSIZE */
int td_load_write(const struct td_load_request *r, struct td_load_auth *auth,
		  char *out, size_t size);

struct td_load_answer {
	int status;
	uint64_t branch;
	uint32_t run;
	char nonce[TD_LOAD_NONCE];	/* of a challenge, else empty */
};

/** @return 0, -EBADMSG: not an answer to one of ours */
int td_load_read(const char *msg, size_t n, struct td_load_answer *out);

/** Does the answer's Contact list have this URI, bracketed? */
bool td_load_lists(const char *msg, size_t n, const char *uri);

/** Digest response, RFC 7616 3.4.1, for qop auth. */
int td_load_digest(const char *user, const char *realm, const char *password,
		   const char *method, const char *uri, const char *nonce,
		   const char *nc, const char *cnonce, char out[TD_LOAD_HEX]);

#endif
