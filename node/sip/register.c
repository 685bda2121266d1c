// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/registrar.h"
#include "node/sip/sip_i.h"
#include "node/sip/text.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* REGISTER: ask the rules, submit the ops, answer when the mate holds them. */

enum { REFRESH_LEVEL = 2 };	/* feature level that knows ContactRefresh */

struct answer {
	struct td_sip *sip;
	uint64_t tr;
	char tag[24];
	char user[TD_NUMBER_MAX];
	char path[1024];	/* RFC 3327 5.3: echoed */
};

/** All current bindings, with what is left of them by agreed time. */
static void put_contacts(const struct td_sip *s, const char *user,
			 struct td_text *t)
{
	const struct td_view *v = td_cluster_view(s->cfg.cluster);
	int64_t now = td_view_now_ms(v);
	struct td_view_iter it = { 0 };
	const Td__Contact *c;

	while ((c = td_view_user_contacts(v, user, &it))) {
		int64_t left = ((int64_t)c->expires_ms - now + 999) / 1000;

		if (left <= 0)
			continue;
		td_text_put(t, "Contact: <%s>;expires=%" PRId64, c->uri, left);
		if (c->q_milli < 1000)
			td_text_put(t, ";q=0.%03u", c->q_milli);
		if (c->instance && *c->instance)
			td_text_put(t, ";+sip.instance=\"%s\"", c->instance);
		td_text_put(t, "\r\n");
	}
}

static void on_held(void *arg, int status)
{
	enum { SIZE = 12288 };
	struct answer *a = arg;
	char *h = malloc(SIZE);
	struct td_text t = { .p = h, .size = SIZE };
	int code = status || !h ? 503 : 200;

	if (!sip_effect_done(a->sip))
		goto out;
	if (h && code == 200) {
		put_contacts(a->sip, a->user, &t);
		if (a->path[0])
			td_text_put(&t, "Path: %s\r\n", a->path);
		td_text_put(&t, "Server: Tandem\r\n");
		if (t.full)
			code = 500;
	} else {
		a->sip->st.effects_cancelled++;
	}
	sip_put(a->sip, code == 503 ? sip_busy_record(a->tr, a->tag) :
		sip_reply_record(a->tr, code, a->tag, code == 200 ? h : NULL,
				 NULL));
out:
	free(h);
	free(a);
}

static int wait_until_kept(struct td_sip *s, struct answer *a)
{
	return s->cfg.effect ? s->cfg.effect(s->cfg.effect_arg, on_held, a) :
			       td_cluster_effect(s->cfg.cluster, on_held, a);
}

static void join_values(const struct td_sip_msg *m, enum td_sip_hdr id,
			char *out, size_t size)
{
	struct td_text t = { .p = out, .size = size };
	struct td_sip_walk w = { 0 };
	char one[TD_SIP_MAX_VALUE];

	*out = '\0';
	for (int i = 0; td_sip_walk(m, id, &w, one, sizeof(one)); i++)
		td_text_put(&t, "%s%s", i ? "," : "", one);
	if (t.full || !td_sip_is_text(out))
		*out = '\0';
}

/** Nothing but what a ContactRefresh says has changed. */
static bool only_refreshed(const Td__Contact *old, const Td__Contact *k)
{
	return old->q_milli == k->q_milli && !strcmp(old->path, k->path) &&
	       !strcmp(old->user_agent, k->user_agent) &&
	       !strcmp(old->address, k->address) &&
	       !strcmp(old->instance, k->instance);
}

/** Most of all registrations: said in as few octets as can be. */
static int submit_refresh(struct td_sip *s, const Td__Contact *old,
			  const Td__Contact *k)
{
	Td__ContactRefresh r = TD__CONTACT_REFRESH__INIT;
	Td__Op op = TD__OP__INIT;

	r.user = k->user;
	r.uri = k->uri;
	r.expires_ms = k->expires_ms;
	r.cseq = k->cseq;
	if (strcmp(old->call_id, k->call_id))
		r.call_id = k->call_id;
	if (strcmp(old->received, k->received))
		r.received = k->received;
	if (strcmp(old->transport, k->transport))
		r.transport = k->transport;
	if (old->node != k->node)
		r.node = k->node;
	op.what_case = TD__OP__WHAT_CONTACT_REFRESH;
	op.contact_refresh = &r;
	return td_cluster_submit(s->cfg.cluster, &op);
}

static int submit_put(struct td_sip *s, const struct td_sip_up *u,
		      const struct td_sip_msg *m, const struct answer *a,
		      const struct td_reg_request *r,
		      const struct td_reg_contact *c)
{
	const struct sip_listener *at = sip_listener(s, u->listener);
	const char *agent = td_sip_value(m, TD_SIP_H_USER_AGENT, 0);
	const struct td_view *v = td_cluster_view(s->cfg.cluster);
	Td__Contact k = TD__CONTACT__INIT;
	Td__Op op = TD__OP__INIT;
	const Td__Contact *old;
	char received[64], ua[128];

	td_str_cut(ua, sizeof(ua), agent && td_sip_is_text(agent) ? agent : "");
	td_str_trim_utf8(ua);
	snprintf(received, sizeof(received), strchr(u->from.host, ':') ?
		 "[%s]:%u" : "%s:%u", u->from.host, u->from.port);
	k.user = (char *)a->user;
	k.uri = (char *)c->uri;
	k.expires_ms = td_view_now_ms(v) + (int64_t)c->expires_s * 1000;
	k.q_milli = c->q_milli;
	k.call_id = (char *)r->call_id;
	k.cseq = r->cseq;
	k.received = received;
	k.transport = u->from.transport == TD_SIP_TCP ? (char *)"tcp" :
							(char *)"udp";
	k.path = (char *)a->path;
	k.user_agent = ua;
	k.address = at ? (char *)at->name : (char *)"";
	k.node = s->cfg.node_id;
	k.instance = (char *)c->instance;
	old = td_view_contact(v, k.user, k.uri);
	if (old && td_view_feature_level(v) >= REFRESH_LEVEL &&
	    only_refreshed(old, &k))
		return submit_refresh(s, old, &k);
	op.what_case = TD__OP__WHAT_CONTACT_PUT;
	op.contact_put = &k;
	return td_cluster_submit(s->cfg.cluster, &op);
}

static int submit_del(struct td_sip *s, const char *user, const char *uri)
{
	Td__ContactDel del = TD__CONTACT_DEL__INIT;
	Td__Op op = TD__OP__INIT;

	del.user = (char *)user;
	del.uri = (char *)uri;
	op.what_case = TD__OP__WHAT_CONTACT_DEL;
	op.contact_del = &del;
	return td_cluster_submit(s->cfg.cluster, &op);
}

static int apply(struct td_sip *s, const struct td_sip_up *u,
		 const struct td_sip_msg *m, const struct answer *a,
		 const struct td_reg_request *r)
{
	const struct td_view *v = td_cluster_view(s->cfg.cluster);
	struct td_reg_change ch[TD_REG_MAX_CHANGES];
	const Td__Contact *have[TD_REG_MAX_HAVE];
	struct td_view_iter it = { 0 };
	size_t n_have = 0;
	unsigned int n;
	int rc = 0;

	while (n_have < TD_REG_MAX_HAVE &&
	       (have[n_have] = td_view_user_contacts(v, a->user, &it)))
		n_have++;
	rc = td_reg_plan(r, have, n_have, ch, &n);
	for (unsigned int i = 0; !rc && i < n; i++)
		if (ch[i].del ? submit_del(s, a->user, ch[i].del) :
				submit_put(s, u, m, a, r, &r->c[ch[i].put]))
			rc = 503;
	return rc;
}

/** "sip:1000@tandem.lab", or at one of our addresses. */
static bool is_own_domain(const struct td_sip *s, const char *host)
{
	if (!strcasecmp(host, s->site->domain))
		return true;
	for (size_t i = 0; i < s->site->n_addresses; i++)
		if (!strcmp(host, s->site->addresses[i].address))
			return true;
	return false;
}

/** The address-of-record's user. @return 0 or a status */
static int record_of(const struct td_sip *s, const struct td_sip_msg *m,
		     char *user, size_t size)
{
	struct td_sip_addr_spec a;
	struct td_sip_uri u;

	/* RFC 3261 10.3 step 5: a SIP or SIPS URI (RFC 4475 3.3.4) */
	if (td_sip_addr_parse(td_sip_value(m, TD_SIP_H_TO, 0), &a) ||
	    td_sip_uri_parse(a.uri, &u))
		return 400;
	if (!is_own_domain(s, u.host) ||
	    td_str_copy(user, size, u.user))
		return 403;
	return 0;
}

static void refuse(struct td_sip *s, const struct td_sip_up *u, int status)
{
	if (status == 503) {
		sip_answer_busy(s, u);
		return;
	}
	s->st.refused++;
	sip_answer(s, u, status,
		   status == 423 ? "Min-Expires: 60\r\n" : NULL);
}

void sip_on_register(struct td_sip *s, const struct td_sip_up *u,
		     const struct td_sip_msg *m)
{
	const struct sip_listener *at = sip_listener(s, u->listener);
	struct td_reg_request *r;
	struct answer *a;
	char user[TD_NUMBER_MAX], aor[TD_NUMBER_MAX];
	int rc;

	s->st.registers++;
	if (!at || at->internal) {
		s->st.forbidden++;
		sip_answer(s, u, 403, NULL);
		return;
	}
	rc = record_of(s, m, aor, sizeof(aor));
	if (rc == 400) {
		refuse(s, u, 400);
		return;
	}
	/* whoever is unknown gets a challenge like everybody */
	if (!sip_authenticate(s, u, m, user))
		return;
	if (rc || strcmp(user, aor)) {
		s->st.forbidden++;
		sip_answer(s, u, 403, NULL);
		return;
	}
	a = calloc(1, sizeof(*a));
	r = malloc(sizeof(*r));
	if (!a || !r) {
		refuse(s, u, 503);
		goto out;
	}
	a->sip = s;
	a->tr = u->tr;
	td_str_cut(a->tag, sizeof(a->tag), u->tag);
	td_str_cut(a->user, sizeof(a->user), user);
	join_values(m, TD_SIP_H_PATH, a->path, sizeof(a->path));
	rc = td_reg_read(m, r);
	if (!rc)
		rc = apply(s, u, m, a, r);
	s->effects++;
	if (!rc && wait_until_kept(s, a))
		rc = 503;
	if (rc)
		s->effects--;
	if (rc)
		refuse(s, u, rc);
	else
		a = NULL;	/* on_held's */
out:
	free(a);
	free(r);
}
