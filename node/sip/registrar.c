// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/registrar.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/base/str.h"

/** delta-seconds; one that is too large is as large as can be, 10.3. */
static bool seconds(const char *v, uint32_t *out)
{
	uint64_t n = 0;

	if (!*v)
		return false;
	for (; *v; v++) {
		if (!isdigit((unsigned char)*v))
			return false;
		n = n * 10 + *v - '0';
		if (n > UINT32_MAX)
			n = UINT32_MAX;
	}
	*out = n;
	return true;
}

/** "0.5" -> 500, RFC 3261 25.1 qvalue. 1000 when it is none. */
static uint32_t q_value(const char *params)
{
	char v[16];
	uint32_t q = 0;
	int digits = 3;

	if (!td_sip_param(params, "q", v, sizeof(v)) ||
	    (*v != '0' && *v != '1') || (v[1] && v[1] != '.'))
		return 1000;
	q = (*v - '0') * 1000;
	for (const char *p = v + 1 + (v[1] == '.'); *p && digits; p++) {
		static const uint32_t scale[] = { 0, 1, 10, 100 };

		if (!isdigit((unsigned char)*p))
			return 1000;
		q += (*p - '0') * scale[digits--];
	}
	return q > 1000 ? 1000 : q;
}

static int read_contact(const char *text, uint32_t expires,
			struct td_reg_contact *c)
{
	struct td_sip_addr_spec a;
	struct td_sip_uri u;
	char v[32];
	uint32_t e = expires;

	/* registered are SIP URIs: what we would send an INVITE to */
	if (td_sip_addr_parse(text, &a) || td_sip_uri_parse(a.uri, &u) ||
	    !td_sip_is_text(a.uri) ||
	    td_str_copy(c->uri, sizeof(c->uri), a.uri))
		return 400;
	/* one that cannot be read counts as the default, 10.2.1.1 */
	if (td_sip_param(a.params, "expires", v, sizeof(v)) && !seconds(v, &e))
		e = TD_REG_DEFAULT_S;
	if (e && e < TD_REG_MIN_S)
		return 423;
	c->expires_s = e > TD_REG_MAX_S ? TD_REG_MAX_S : e;
	c->q_milli = q_value(a.params);
	if (!td_sip_param(a.params, "+sip.instance", c->instance,
			  sizeof(c->instance)) || !td_sip_is_text(c->instance))
		c->instance[0] = '\0';
	c->reg_id = td_sip_param(a.params, "reg-id", NULL, 0);
	return 0;
}

int td_reg_read(const struct td_sip_msg *m, struct td_reg_request *out)
{
	const char *e = td_sip_value(m, TD_SIP_H_EXPIRES, 0);
	uint32_t expires = TD_REG_DEFAULT_S;
	struct td_sip_walk w = { 0 };
	char one[TD_SIP_MAX_VALUE];
	bool has_expires = e && seconds(e, &expires);
	int rc;

	memset(out, 0, sizeof(*out));
	out->cseq = td_sip_cseq(m);
	if (td_str_copy(out->call_id, sizeof(out->call_id),
			td_sip_value(m, TD_SIP_H_CALL_ID, 0)) ||
	    !td_sip_is_text(out->call_id))
		return 400;
	while (td_sip_walk(m, TD_SIP_H_CONTACT, &w, one, sizeof(one))) {
		if (!strcmp(one, "*")) {
			out->star = true;
			continue;
		}
		if (out->n == TD_REG_MAX_CONTACTS)
			return 403;
		rc = read_contact(one, expires, &out->c[out->n]);
		if (rc)
			return rc;
		out->n++;
	}
	/* the wildcard stands alone and only removes, 10.3 step 6 */
	if (out->star && (out->n || !has_expires || expires ||
			  td_sip_count(m, TD_SIP_H_CONTACT) != 1))
		return 400;
	return 0;
}

/** RFC 3261 19.1.4, to the extent that a phone uses one form of its own:
 *  scheme and host without case, the rest as it is. */
static bool same_uri(const char *a, const char *b)
{
	struct td_sip_uri x, y;

	if (!strcmp(a, b))
		return true;
	if (td_sip_uri_parse(a, &x) || td_sip_uri_parse(b, &y))
		return false;
	return !strcmp(x.scheme, y.scheme) && !strcmp(x.user, y.user) &&
	       !strcasecmp(x.host, y.host) && x.port == y.port &&
	       !strcasecmp(x.params, y.params);
}

/** 10.3 step 7: within one Call-ID the CSeq must go up. */
static bool stale(const struct td_reg_request *r, const Td__Contact *c)
{
	return !strcmp(c->call_id, r->call_id) && r->cseq <= c->cseq;
}

static int plan_star(const struct td_reg_request *r,
		     const Td__Contact *const *have, size_t n_have,
		     struct td_reg_change *out, unsigned int *n)
{
	for (size_t i = 0; i < n_have; i++)
		if (stale(r, have[i]))
			return 500;
	if (n_have)	/* one op that removes them all */
		out[(*n)++] = (struct td_reg_change){ .put = -1, .del = "" };
	return 0;
}

/** What one contact of the request does to the bindings. gone marks those that
 *  were removed, *more counts those that came and went. @return 0 or 500 */
static int plan_one(const struct td_reg_request *r, unsigned int put,
		    const Td__Contact *const *have, size_t n_have, bool *gone,
		    struct td_reg_change *out, unsigned int *n, int *more)
{
	const struct td_reg_contact *c = &r->c[put];
	bool replaced = false;

	for (size_t k = 0; k < n_have; k++) {
		const Td__Contact *h = have[k];
		bool same = same_uri(h->uri, c->uri);
		/* a device that came back with another address */
		bool moved = !same && c->expires_s && c->instance[0] &&
			     !c->reg_id && !strcmp(h->instance, c->instance);

		if (gone[k] || (!same && !moved))
			continue;
		if (same && stale(r, h))
			return 500;
		/* another spelling is another key of the view */
		if (c->expires_s && !strcmp(h->uri, c->uri)) {
			replaced = true;
			continue;
		}
		gone[k] = true;
		--*more;
		out[(*n)++] = (struct td_reg_change){ .put = -1,
						      .del = h->uri };
	}
	if (!c->expires_s)
		return 0;
	*more += !replaced;
	out[(*n)++] = (struct td_reg_change){ .put = put };
	return 0;
}

int td_reg_plan(const struct td_reg_request *r, const Td__Contact *const *have,
		size_t n_have, struct td_reg_change *out, unsigned int *n)
{
	bool gone[TD_REG_MAX_HAVE] = { false };
	int more = 0, rc = 0;

	*n = 0;
	if (n_have > TD_REG_MAX_HAVE)
		return 500;
	if (r->star)
		return plan_star(r, have, n_have, out, n);
	for (unsigned int i = 0; !rc && i < r->n; i++)
		rc = plan_one(r, i, have, n_have, gone, out, n, &more);
	if (!rc && more > 0 && (int)n_have + more > TD_REG_MAX_CONTACTS)
		rc = 403;
	if (rc)
		*n = 0;
	return rc;
}
