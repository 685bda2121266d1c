// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/reject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/check.h"
#include "node/sip/text.h"

static void put_all(struct td_text *o, const struct td_sip_msg *m,
		    enum td_sip_hdr id, const char *name)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (m->f[i].id == id)
			td_text_put(o, "%s: %s\r\n", name, m->f[i].value);
}

/** The port in a sent-by, 5060 when there is none. */
static uint16_t sent_by_port(const char *via)
{
	const char *p = strchr(via, '/');
	char hostport[160], host[128];
	uint16_t port;
	size_t n = 0;

	p = p ? strchr(p + 1, '/') : NULL;
	if (!p)
		return 0;
	p += 1 + strspn(p + 1, " \t");
	p += strcspn(p, " \t");
	for (; *p && *p != ';' && n + 1 < sizeof(hostport); p++)
		if (*p != ' ' && *p != '\t')
			hostport[n++] = *p;
	hostport[n] = '\0';
	return td_sip_hostport(hostport, host, sizeof(host), &port) ?
	       5060 : port;
}

static void put_via(struct td_text *o, const char *via,
		    const struct td_sip_peer *from, struct td_sip_peer *to)
{
	const char *params = via + strcspn(via, ";");
	char rport[8];

	*to = *from;
	td_text_put(o, "Via: %s;received=%s\r\n", via, from->host);
	if (!td_sip_params_ok(params))
		return;
	if (!td_sip_param(params, "rport", rport, sizeof(rport)) &&
	    sent_by_port(via))
		to->port = sent_by_port(via);
}

int td_sip_reject(const struct td_sip_msg *m, int status, const char *reason,
		  const struct td_sip_peer *from, const char *tag, char *out,
		  size_t size, struct td_sip_peer *to)
{
	struct td_text o = { .p = out, .size = size };
	struct td_sip_walk w = { 0 };
	char via[TD_SIP_MAX_VALUE];
	bool first = true;

	td_text_put(&o, "SIP/2.0 %d %s\r\n", status, reason);
	*to = *from;
	while (td_sip_walk(m, TD_SIP_H_VIA, &w, via, sizeof(via))) {
		if (first)
			put_via(&o, via, from, to);
		else
			td_text_put(&o, "Via: %s\r\n", via);
		first = false;
	}
	put_all(&o, m, TD_SIP_H_FROM, "From");
	for (unsigned int i = 0; i < m->n; i++) {
		const char *v = m->f[i].value;
		struct td_sip_addr_spec a;

		if (m->f[i].id != TD_SIP_H_TO)
			continue;
		if (!td_sip_addr_parse(v, &a) &&
		    !td_sip_param(a.params, "tag", NULL, 0))
			td_text_put(&o, "To: %s;tag=%s\r\n", v, tag);
		else
			td_text_put(&o, "To: %s\r\n", v);
	}
	put_all(&o, m, TD_SIP_H_CALL_ID, "Call-ID");
	put_all(&o, m, TD_SIP_H_CSEQ, "CSeq");
	if (status == 405)
		td_text_put(&o, "Allow: " TD_SIP_ALLOW "\r\n");
	td_text_put(&o, "Content-Length: 0\r\n\r\n");
	return o.full ? -EMSGSIZE : (int)o.n;
}
