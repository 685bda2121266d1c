// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/sip_i.h"
#include "node/sip/text.h"

/* Every request that the stack lets through comes in here: RFC 3261 8.2. */

/** RFC 3261 8.2.2.3: of extensions only timers (RFC 4028) are known. */
static bool refuse_extensions(struct td_sip *s, const struct td_sip_up *u,
			      const struct td_sip_msg *m)
{
	struct td_sip_walk w = { 0 };
	char one[128], list[512];
	struct td_text t = { .p = list, .size = sizeof(list) };
	unsigned int n = 0, known = 0;

	if (!td_sip_value(m, TD_SIP_H_REQUIRE, 0))
		return false;
	td_text_put(&t, "Unsupported: ");
	while (td_sip_walk(m, TD_SIP_H_REQUIRE, &w, one, sizeof(one))) {
		if (!strcasecmp(one, "timer"))
			known++;
		else
			td_text_put(&t, "%s%s", n++ ? ", " : "", one);
	}
	/* without one that could be read, it is not known either */
	if (!n && known)
		return false;
	td_text_put(&t, "\r\n");
	sip_answer(s, u, 420, t.full ? NULL : list);
	return true;
}

/** A Via of ours below the top one: it went round in a circle. */
static bool looped(struct td_sip *s, const struct td_sip_msg *m)
{
	struct td_sip_walk w = { 0 };
	char via[TD_SIP_MAX_VALUE], by[80];
	bool first = true;

	while (td_sip_walk(m, TD_SIP_H_VIA, &w, via, sizeof(via))) {
		size_t n = strcspn(via, ";");

		via[n] = '\0';
		for (unsigned int i = 0; !first && i < s->n_listeners; i++) {
			snprintf(by, sizeof(by), " %s:%u", s->l[i].at.host,
				 s->l[i].at.port);
			if (n > strlen(by) &&
			    !strcmp(via + n - strlen(by), by))
				return true;
		}
		first = false;
	}
	return false;
}

static bool has_to_tag(const struct td_sip_msg *m)
{
	struct td_sip_addr_spec a;

	return !td_sip_addr_parse(td_sip_value(m, TD_SIP_H_TO, 0), &a) &&
	       td_sip_param(a.params, "tag", NULL, 0);
}

static bool preliminaries_ok(struct td_sip *s, const struct td_sip_up *u,
			     const struct td_sip_msg *m)
{
	const char *mf = td_sip_value(m, TD_SIP_H_MAX_FORWARDS, 0);
	struct td_sip_uri uri;

	if (td_sip_uri_parse(m->uri, &uri) || strcmp(uri.scheme, "sip")) {
		sip_answer(s, u, 416, NULL);	/* sips: no TLS yet */
		return false;
	}
	if (refuse_extensions(s, u, m))
		return false;
	if (looped(s, m)) {
		sip_answer(s, u, 482, NULL);
		return false;
	}
	/* what would go on from here would have made one hop too many */
	if (mf && atoi(mf) == 0 && !strcmp(m->method, "INVITE") &&
	    !has_to_tag(m)) {
		sip_answer(s, u, 483, NULL);
		return false;
	}
	return true;
}

void sip_on_request(struct td_sip *s, const struct td_sip_up *u,
		    const struct td_sip_msg *m)
{
	if (!s->site) {
		sip_answer_busy(s, u);
		return;
	}
	if (!strcmp(m->method, "ACK")) {	/* never answered */
		if (has_to_tag(m))
			sip_on_within(s, u, m);
		return;
	}
	if (!preliminaries_ok(s, u, m))
		return;
	if (has_to_tag(m)) {
		sip_on_within(s, u, m);
	} else if (!strcmp(m->method, "INVITE")) {
		if (sip_admit(s, u))
			sip_on_invite(s, u, m);
	} else if (!strcmp(m->method, "REGISTER")) {
		if (sip_admit(s, u))
			sip_on_register(s, u, m);
	} else if (!strcmp(m->method, "OPTIONS")) {
		sip_answer(s, u, 200, "Allow: " TD_SIP_ALLOW "\r\n"
			   "Accept: application/sdp\r\n"
			   "Accept-Encoding: identity\r\n"
			   "Supported: timer\r\n");
	} else {
		sip_answer(s, u, 481, NULL);
	}
}
