/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_PARSE_H
#define TD_SIP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** SIP messages as plain values (RFC 3261 7 and 25). The message is taken
 *  apart once, into a private copy in which folded lines are joined and every
 *  value is a C string; header fields keep their order. Nothing here knows
 *  the SIP library. */

enum td_sip_hdr {
	TD_SIP_H_OTHER = 0,
	TD_SIP_H_ACCEPT,
	TD_SIP_H_ALLOW,
	TD_SIP_H_AUTHORIZATION,
	TD_SIP_H_CALL_ID,
	TD_SIP_H_CONTACT,
	TD_SIP_H_CONTENT_ENCODING,
	TD_SIP_H_CONTENT_LENGTH,
	TD_SIP_H_CONTENT_TYPE,
	TD_SIP_H_CSEQ,
	TD_SIP_H_DATE,
	TD_SIP_H_EXPIRES,
	TD_SIP_H_FROM,
	TD_SIP_H_MAX_FORWARDS,
	TD_SIP_H_MIN_SE,
	TD_SIP_H_PATH,
	TD_SIP_H_P_ASSERTED_IDENTITY,
	TD_SIP_H_PRIVACY,
	TD_SIP_H_PROXY_AUTHORIZATION,
	TD_SIP_H_PROXY_REQUIRE,
	TD_SIP_H_REASON,
	TD_SIP_H_RECORD_ROUTE,
	TD_SIP_H_REQUIRE,
	TD_SIP_H_RETRY_AFTER,
	TD_SIP_H_ROUTE,
	TD_SIP_H_SESSION_EXPIRES,
	TD_SIP_H_SUPPORTED,
	TD_SIP_H_TO,
	TD_SIP_H_USER_AGENT,
	TD_SIP_H_VIA,
	TD_SIP_H_X_TANDEM_CALL,
};

enum {
	TD_SIP_MAX_OCTETS = 65535,	/* of a message */
	TD_SIP_MAX_HEADERS = 128,	/* header fields of a message */
	TD_SIP_MAX_VALUE = 2048,	/* of what is kept of one value */
};

struct td_sip_field {
	enum td_sip_hdr id;
	const char *name, *value;
};

struct td_sip_msg {
	bool request;
	bool bad_line;		/* a line that is no header field was met */
	const char *method, *uri;
	const char *version;	/* as it stood: "SIP/2.0" */
	int status;
	const char *reason;
	const char *first_line;
	struct td_sip_field f[TD_SIP_MAX_HEADERS];
	unsigned int n;
	unsigned int dropped;	/* header fields beyond the limit */
	const char *body;	/* not a C string: n_body octets */
	size_t n_body;
	bool truncated;		/* Content-Length promises more */
	char *copy;
};

/** @return 0; -EBADMSG: not even a first line and a header; -EMSGSIZE;
 *  -ENOMEM. What is wrong with the parts is td_sip_check's to say. */
int td_sip_parse(const char *raw, size_t n, struct td_sip_msg **out);
void td_sip_msg_free(struct td_sip_msg *m);

/** nth value of a header field (0: the first), NULL: none. */
const char *td_sip_value(const struct td_sip_msg *m, enum td_sip_hdr id,
			 unsigned int nth);
unsigned int td_sip_count(const struct td_sip_msg *m, enum td_sip_hdr id);
/** The number in a CSeq value, 0: none. */
uint32_t td_sip_cseq(const struct td_sip_msg *m);

/** Walks the comma-separated elements of a value, minding quotes and <>.
 *  *pos starts at the value. @return false: no more (or one that does not
 *  fit size, which ends the walk with *pos NULL) */
bool td_sip_next(const char **pos, char *out, size_t size);

/** Walks all elements of all header fields of a kind. */
struct td_sip_walk {
	unsigned int nth;
	const char *pos;
};
bool td_sip_walk(const struct td_sip_msg *m, enum td_sip_hdr id,
		 struct td_sip_walk *w, char *out, size_t size);

/** Is token an element of the list header, case-insensitively? */
bool td_sip_lists(const struct td_sip_msg *m, enum td_sip_hdr id,
		  const char *token);

/** name-addr or addr-spec with its header parameters, RFC 3261 25.1. */
struct td_sip_addr_spec {
	char display[128];	/* unescaped, cut to fit */
	char uri[1024];
	char params[1024];	/* ";tag=1;x", "" none */
	bool angle;
};
/** Strict. @return 0, -EINVAL: grammar, -ENAMETOOLONG */
int td_sip_addr_parse(const char *value, struct td_sip_addr_spec *out);

struct td_sip_uri {
	char scheme[16];
	char user[128];		/* unescaped; "" none */
	char host[128];		/* IPv6 without brackets */
	uint16_t port;		/* 0: none given */
	char params[512];	/* ";transport=tcp" */
	bool headers;		/* ?… */
	bool numeric;		/* host is an IP address */
};
/** @return 0; -EPROTONOSUPPORT: a scheme that is not sip or sips (only
 *  scheme is written); -EINVAL */
int td_sip_uri_parse(const char *text, struct td_sip_uri *out);

/** Looks a parameter up in ";a=1;b". @return false: not there. A value in
 *  quotes loses them. out "" when it has no value. */
bool td_sip_param(const char *params, const char *name, char *out,
		  size_t size);
/** Grammar of ";a=b;c": each a token, each value a token, host or quoted
 *  string; an empty one is refused. */
bool td_sip_params_ok(const char *params);

bool td_sip_is_token(const char *s, size_t n);
/** Valid UTF-8 without controls: what may go into an op. */
bool td_sip_is_text(const char *s);
/** "10.0.0.1:5060", "[::1]:5060". @return 0 or -EINVAL */
int td_sip_hostport(const char *text, char *host, size_t size,
		    uint16_t *port);

#endif
