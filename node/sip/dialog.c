// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "node/sip/sdp.h"
#include "node/sip/sip_i.h"
#include "node/sip/text.h"
#include "proto/base/str.h"

/* The texts of a dialog: requests, descriptions, the checkpoint. */

void sip_random_hex(char *out, size_t digits)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t b[32];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();	/* cannot happen for so few octets */
	for (size_t i = 0; i < digits; i++)
		out[i] = hex[b[i % sizeof(b)] >> (i / sizeof(b) * 4) & 15];
	out[digits] = '\0';
}

void sip_set_text(char **p, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(*p);
	*p = copy;
}

static bool is_loose(const char *route)
{
	struct td_sip_addr_spec a;
	struct td_sip_uri u;

	return !td_sip_addr_parse(route, &a) &&
	       !td_sip_uri_parse(a.uri, &u) &&
	       td_sip_param(u.params, "lr", NULL, 0);
}

/** Request-URI and Route lines, RFC 3261 12.2.1.1. */
static void put_first(struct td_text *t, const struct sip_leg *l,
		      const char *method)
{
	struct td_sip_addr_spec a;

	if (!l->n_routes || is_loose(l->route[0])) {
		td_text_put(t, "%s %s SIP/2.0\r\n", method, l->target);
		for (unsigned int i = 0; i < l->n_routes; i++)
			td_text_put(t, "Route: %s\r\n", l->route[i]);
		return;
	}
	/* a strict router: its URI is the Request-URI, ours comes last */
	if (td_sip_addr_parse(l->route[0], &a))
		t->full = true;
	td_text_put(t, "%s %s SIP/2.0\r\n", method, a.uri);
	for (unsigned int i = 1; i < l->n_routes; i++)
		td_text_put(t, "Route: %s\r\n", l->route[i]);
	td_text_put(t, "Route: <%s>\r\n", l->target);
}

static struct td_sip_peer next_hop(const struct sip_leg *l)
{
	struct td_sip_peer p = l->to;
	struct td_sip_addr_spec a;
	struct td_sip_uri u;
	char tp[8];

	if (!l->n_routes || td_sip_addr_parse(l->route[0], &a) ||
	    td_sip_uri_parse(a.uri, &u) || !u.numeric)
		return p;
	td_str_cut(p.host, sizeof(p.host), u.host);
	p.port = u.port ? u.port : 5060;
	p.transport = td_sip_param(u.params, "transport", tp, sizeof(tp)) &&
		      !strcasecmp(tp, "tcp") ? TD_SIP_TCP : TD_SIP_UDP;
	return p;
}

struct td_sip_down *sip_dialog_request(struct sip_leg *l, const char *method,
				       uint32_t cseq, const char *headers,
				       const char *type, const char *body)
{
	enum { SIZE = 16384 };
	struct td_sip_down *d = calloc(1, sizeof(*d) + SIZE);
	struct td_text t = { .p = d ? d->text : NULL, .size = SIZE };

	if (!d)
		return NULL;
	put_first(&t, l, method);
	td_text_put(&t, "Max-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"
		    "Call-ID: %s\r\nCSeq: %" PRIu32 " %s\r\n", l->local,
		    l->remote, l->call_id, cseq, method);
	if (strcmp(method, "BYE"))
		td_text_put(&t, "Contact: %s\r\n", l->contact);
	if (!strcmp(method, "INVITE") || !strcmp(method, "UPDATE"))
		sip_timer_request(l, &t);
	if (headers)
		td_text_put(&t, "%s", headers);
	td_text_put(&t, "User-Agent: Tandem\r\n");
	if (body)
		td_text_put(&t, "Content-Type: %s\r\n", type);
	td_text_put(&t, "Content-Length: %zu\r\n\r\n%s",
		    body ? strlen(body) : 0, body ? body : "");
	if (t.full) {
		free(d);
		return NULL;
	}
	d->n = t.n;
	d->listener = l->listener;
	d->to = next_hop(l);
	return d;
}

int sip_dialog_sdp(struct sip_leg *l, const struct td_session *s,
		   const char *offer, char **out)
{
	char *buf;
	uint64_t id;
	int rc = 0;

	*out = NULL;
	if (!s || s->kind != TD_MEDIA_RTP)
		return 0;
	buf = malloc(TD_SDP_MAX);
	if (!buf)
		return -ENOMEM;
	if (s->raw[0] && (!offer || !*offer ||
			  td_sdp_streams(s->raw) == td_sdp_streams(offer))) {
		memcpy(buf, s->raw, strlen(s->raw) + 1);
	} else {
		memcpy(&id, l->local_tag, sizeof(id));
		rc = td_sdp_write(s, offer, id & INT64_MAX, buf, TD_SDP_MAX);
	}
	if (!rc && l->sdp_local)
		rc = td_sdp_continue(l->sdp_local, buf, TD_SDP_MAX);
	if (rc) {
		free(buf);
		return rc;
	}
	*out = buf;
	return 0;
}

/** Takes the remote target from a Contact, RFC 3261 12.1 and 12.2. Where
 *  requests go follows it, unless they must go back over the flow. */
int sip_dialog_target(struct sip_leg *l, const struct td_sip_msg *m)
{
	const char *v = td_sip_value(m, TD_SIP_H_CONTACT, 0);
	struct td_sip_addr_spec a;
	struct td_sip_uri u;
	char one[TD_SIP_MAX_VALUE], tp[8];

	if (!v)
		return 0;
	if (!td_sip_next(&v, one, sizeof(one)) || td_sip_addr_parse(one, &a) ||
	    td_sip_uri_parse(a.uri, &u) || !td_sip_is_text(a.uri) ||
	    td_str_copy(l->target, sizeof(l->target), a.uri))
		return -EINVAL;
	if (l->flow || !u.numeric)
		return 0;
	td_str_cut(l->to.host, sizeof(l->to.host), u.host);
	l->to.port = u.port ? u.port : 5060;
	l->to.transport = td_sip_param(u.params, "transport", tp, sizeof(tp)) &&
			  !strcasecmp(tp, "tcp") ? TD_SIP_TCP : TD_SIP_UDP;
	return 0;
}

int sip_body_session(const struct td_sip_msg *m, const char *from,
		     struct td_session **out)
{
	const char *type = td_sip_value(m, TD_SIP_H_CONTENT_TYPE, 0);
	const char *enc = td_sip_value(m, TD_SIP_H_CONTENT_ENCODING, 0);
	struct td_session *s;
	int rc;

	if (!m->n_body)
		return -ENODATA;
	if (!type || strncasecmp(type, "application/sdp", 15) ||
	    (type[15] && !strchr("; \t", type[15])) ||
	    (enc && *enc && strcasecmp(enc, "identity")))
		return -EPROTO;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	rc = td_sdp_parse(m->body, m->n_body, s);
	if (rc) {
		free(s);
		return rc;
	}
	s->nat = strcmp(s->address, from) != 0;
	*out = s;
	return 0;
}

int sip_body_status(int err, const char **headers)
{
	*headers = NULL;
	switch (err) {
	case -EPROTO:
		*headers = "Accept: application/sdp\r\n"
			   "Accept-Encoding: identity\r\n";
		return 415;
	case -EBADMSG:
		*headers = "Warning: 399 tandem \"Malformed session "
			   "description\"\r\n";
		return 400;
	case -EMSGSIZE:
		return 413;
	case -ENOPROTOOPT:
		*headers = "Warning: 304 tandem \"No audio stream over "
			   "RTP/AVP with an address in numbers\"\r\n";
		return 488;
	default:
		return 500;
	}
}
