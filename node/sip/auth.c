// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "node/sip/sip_i.h"
#include "node/sip/text.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* Who is it? Extensions by digest. INVITE is challenged with 407, as by a
 * proxy (it may be passed on), REGISTER with 401, as by the registrar that it
 * is meant for (RFC 3261 22.2, 22.3). */

static const struct td_site_extension *claimed(const struct td_sip *s,
					       const struct td_sip_msg *m)
{
	struct td_sip_addr_spec a;
	struct td_sip_uri u;

	if (td_sip_addr_parse(td_sip_value(m, TD_SIP_H_FROM, 0), &a) ||
	    td_sip_uri_parse(a.uri, &u))
		return NULL;
	return td_site_extension(s->site, u.user);
}

static void challenge(struct td_sip *s, const struct td_sip_up *u,
		      const struct td_sip_msg *m, bool is_register, bool stale)
{
	const struct td_site_extension *e = claimed(s, m);
	const char *name = is_register ? "WWW-Authenticate" :
					 "Proxy-Authenticate";
	int64_t now = td_clock_wall_ms();
	char v[512], headers[1200];
	struct td_text t = { .p = headers, .size = sizeof(headers) };

	s->st.challenges++;
	/* strongest first; not to others, whose phones break on it */
	if (e && e->sha256 &&
	    !td_digest_challenge(s->digest, s->site->domain, TD_DIGEST_SHA256,
				 stale, now, v, sizeof(v)))
		td_text_put(&t, "%s: %s\r\n", name, v);
	if (!td_digest_challenge(s->digest, s->site->domain, TD_DIGEST_MD5,
				 stale, now, v, sizeof(v)))
		td_text_put(&t, "%s: %s\r\n", name, v);
	sip_answer(s, u, is_register ? 401 : 407, t.n ? headers : NULL);
}

/** The credentials that are for us, if any. */
static int find(const struct td_sip *s, const struct td_sip_msg *m,
		enum td_sip_hdr id, struct td_digest_cred *c)
{
	const char *v;

	for (unsigned int i = 0; (v = td_sip_value(m, id, i)); i++)
		if (!td_digest_parse(v, c) &&
		    !strcmp(c->realm, s->site->domain))
			return 0;
	return -ENOENT;
}

bool sip_authenticate(struct td_sip *s, const struct td_sip_up *u,
		      const struct td_sip_msg *m, char user[TD_NUMBER_MAX])
{
	bool reg = !strcmp(m->method, "REGISTER");
	const struct td_site_extension *e;
	struct td_digest_cred c;
	char password[160];
	bool known;
	int rc;

	if (find(s, m, reg ? TD_SIP_H_AUTHORIZATION :
			     TD_SIP_H_PROXY_AUTHORIZATION, &c)) {
		challenge(s, u, m, reg, false);
		return false;
	}
	e = td_site_extension(s->site, c.username);
	known = e && strlen(c.username) < TD_NUMBER_MAX &&
		!td_site_password(s->site, c.username, password,
				  sizeof(password)) &&
		(c.alg == TD_DIGEST_MD5 || e->sha256);
	if (!known)	/* as much work, and the same answer, as a wrong one */
		snprintf(password, sizeof(password), "no such extension");
	rc = td_digest_verify(s->digest, &c, s->site->domain, m->method,
			      password, td_clock_wall_ms());
	if (known && rc == -ESTALE) {
		challenge(s, u, m, reg, true);
		return false;
	}
	if (!known || rc) {
		s->st.forbidden++;
		td_warn("sip", "SIP-AUTH", "peer=%s:%u method=%s wrong "
			"credentials", u->from.host, u->from.port, m->method);
		sip_answer(s, u, 403, NULL);
		return false;
	}
	td_str_cut(user, TD_NUMBER_MAX, c.username);
	return true;
}
