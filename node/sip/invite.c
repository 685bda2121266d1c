// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/cause.h"
#include "node/sip/sip_i.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* An INVITE that begins a dialog. */

/** RFC 3261 8.2.3 and 20.1: can we answer in a format it takes? */
static bool accepts_sdp(const struct td_sip_msg *m)
{
	const char *v = td_sip_value(m, TD_SIP_H_ACCEPT, 0);

	return !v || !*v || td_sip_lists(m, TD_SIP_H_ACCEPT, "*/*") ||
	       td_sip_lists(m, TD_SIP_H_ACCEPT, "application/*") ||
	       td_sip_lists(m, TD_SIP_H_ACCEPT, "application/sdp");
}

/** To and From as the dialog's, display names that no op can hold dropped. */
static int party(const char *value, const char *tag, char *out, size_t size,
		 char *out_tag, size_t tag_size)
{
	struct td_sip_addr_spec a;
	int n;

	if (td_sip_addr_parse(value, &a))
		return -EINVAL;
	if (out_tag) {
		*out_tag = '\0';
		td_sip_param(a.params, "tag", out_tag, tag_size);
		tag = NULL;
	}
	if (td_sip_is_text(value) && a.angle)
		n = snprintf(out, size, "%s%s%s", value, tag ? ";tag=" : "",
			     tag ? tag : "");
	else if (td_sip_is_text(a.uri) && td_sip_is_text(a.params))
		n = snprintf(out, size, "<%s>%s%s%s", a.uri, a.params,
			     tag ? ";tag=" : "", tag ? tag : "");
	else
		return -EINVAL;
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/** One Via: it comes from the phone itself, and what its Contact says is of
 *  no use when a NAT or a connection is between. */
static bool needs_flow(const struct td_sip_up *u, const struct td_sip_msg *m)
{
	const char *v = td_sip_value(m, TD_SIP_H_CONTACT, 0);
	struct td_sip_addr_spec a;
	struct td_sip_uri uri;
	char one[TD_SIP_MAX_VALUE];

	if (td_sip_count(m, TD_SIP_H_VIA) > 1 ||
	    td_sip_value(m, TD_SIP_H_RECORD_ROUTE, 0))
		return false;
	return u->from.transport == TD_SIP_TCP || !v ||
	       !td_sip_next(&v, one, sizeof(one)) ||
	       td_sip_addr_parse(one, &a) || td_sip_uri_parse(a.uri, &uri) ||
	       strcmp(uri.host, u->from.host);
}

static int take_dialog(struct sip_leg *l, const struct td_sip_up *u,
		       const struct td_sip_msg *m,
		       const struct sip_listener *at, const char *called)
{
	struct td_sip_walk w = { 0 };
	char user[TD_NUMBER_MAX * 2];
	size_t o = 0;

	l->listener = at->id;
	l->internal = at->internal;
	td_str_cut(l->unit, sizeof(l->unit), at->name);
	td_str_cut(l->local_tag, sizeof(l->local_tag), u->tag);
	l->remote_cseq = l->invite_cseq = td_sip_cseq(m);
	if (td_str_copy(l->call_id, sizeof(l->call_id),
			td_sip_value(m, TD_SIP_H_CALL_ID, 0)) ||
	    !td_sip_is_text(l->call_id) ||
	    party(td_sip_value(m, TD_SIP_H_TO, 0), u->tag, l->local,
		  sizeof(l->local), NULL, 0) ||
	    party(td_sip_value(m, TD_SIP_H_FROM, 0), NULL, l->remote,
		  sizeof(l->remote), l->remote_tag, sizeof(l->remote_tag)))
		return -EINVAL;
	while (td_sip_walk(m, TD_SIP_H_RECORD_ROUTE, &w,
			   l->route[l->n_routes], sizeof(l->route[0])))
		if (!td_sip_is_text(l->route[l->n_routes]) ||
		    ++l->n_routes == SIP_MAX_ROUTES)
			return -EINVAL;
	l->to = u->from;
	l->flow = needs_flow(u, m);
	td_str_cut(l->target, sizeof(l->target), "sip:unknown.invalid");
	if (sip_dialog_target(l, m))
		return -EINVAL;
	for (const char *p = called; *p && o + 4 < sizeof(user); p++)
		if (strchr("0123456789*+abcdefghijklmnopqrstuvwxyz", *p))
			user[o++] = *p;
	user[o] = '\0';
	snprintf(l->contact, sizeof(l->contact), strchr(at->at.host, ':') ?
		 "<sip:%s%s[%s]:%u%s>" : "<sip:%s%s%s:%u%s>", user,
		 *user ? "@" : "", at->at.host, at->at.port,
		 u->from.transport == TD_SIP_TCP ? ";transport=tcp" : "");
	return sip_leg_index(l);
}

static void identity(const struct td_sip_msg *m, enum td_sip_hdr id,
		     char *number, size_t n_number, char *name, size_t n_name)
{
	const char *v = td_sip_value(m, id, 0);
	struct td_sip_addr_spec a;
	struct td_sip_uri u;
	char one[TD_SIP_MAX_VALUE];

	if (!v || !td_sip_next(&v, one, sizeof(one)) ||
	    td_sip_addr_parse(one, &a) || td_sip_uri_parse(a.uri, &u))
		return;
	if (number && td_sip_is_text(u.user))
		td_str_cut(number, n_number, u.user);
	if (td_sip_is_text(a.display))
		td_str_cut(name, n_name, a.display);
	td_str_trim_utf8(name);
}

static bool withheld(const struct td_sip_msg *m)
{
	struct td_sip_addr_spec a;
	struct td_sip_uri u;
	const char *v = td_sip_value(m, TD_SIP_H_PRIVACY, 0);

	if (v && (strstr(v, "id") || strstr(v, "user") || strstr(v, "header")))
		return true;
	return !td_sip_addr_parse(td_sip_value(m, TD_SIP_H_FROM, 0), &a) &&
	       !td_sip_uri_parse(a.uri, &u) &&
	       !strcasecmp(u.host, "anonymous.invalid");
}

/** "0100000000000001;user=1000;inband" between two nodes. */
static int internal_setup(const struct td_sip_msg *m, struct td_setup *s)
{
	const char *v = td_sip_value(m, TD_SIP_H_X_TANDEM_CALL, 0);
	const char *params;
	char *end;

	if (!v)
		return -EINVAL;
	s->call_id = strtoull(v, &end, 16);
	params = end;
	if (!s->call_id || end - v != 16 || (*end && *end != ';'))
		return -EINVAL;
	td_sip_param(params, "user", s->user, sizeof(s->user));
	s->inband = td_sip_param(params, "inband", NULL, 0);
	s->internal = true;
	identity(m, TD_SIP_H_P_ASSERTED_IDENTITY, s->calling,
		 sizeof(s->calling), s->calling_name, sizeof(s->calling_name));
	return 0;
}

static void external_setup(struct td_sip *sip, const struct td_sip_msg *m,
			   const char *user, struct td_setup *s)
{
	const struct td_site_extension *e = td_site_extension(sip->site, user);

	td_str_cut(s->user, sizeof(s->user), user);
	td_str_cut(s->calling, sizeof(s->calling), user);
	identity(m, TD_SIP_H_FROM, NULL, 0, s->calling_name,
		 sizeof(s->calling_name));
	if (e && (!s->calling_name[0] ||
		  !strcmp(s->calling_name, s->calling)))
		td_str_cut(s->calling_name, sizeof(s->calling_name), e->name);
}

static bool format_ok(struct td_sip *s, const struct td_sip_up *u,
		      const struct td_sip_msg *m, struct td_session **sess,
		      struct td_stimer *timer)
{
	const char *headers;
	char min[32];
	int rc, status;

	if (!accepts_sdp(m)) {
		sip_answer(s, u, 406, "Accept: application/sdp\r\n");
		return false;
	}
	if (u->n > SIP_MAX_INVITE) {
		sip_answer(s, u, 413, NULL);
		return false;
	}
	status = sip_timer_ask(s, m, timer);
	if (status) {
		snprintf(min, sizeof(min), "Min-SE: %u\r\n", TD_STIMER_MIN_S);
		sip_answer(s, u, status, status == 422 ? min : NULL);
		return false;
	}
	rc = sip_body_session(m, u->from.host, sess);
	if (!rc || rc == -ENODATA)
		return true;
	status = sip_body_status(rc, &headers);
	sip_answer(s, u, status, headers);
	return false;
}

/** The internal port is for the nodes of the site, from that same port. */
static bool trusted(const struct td_sip *s, const struct td_sip_up *u)
{
	return sip_is_node(s, u->from.host) &&
	       (u->from.transport == TD_SIP_TCP ||
		u->from.port == s->cfg.internal_port);
}

static void begin_call(struct td_sip *s, const struct td_sip_up *u,
		       const struct td_sip_msg *m,
		       const struct sip_listener *at, struct td_setup *set,
		       const struct td_stimer *timer)
{
	struct sip_leg *l;
	uint64_t tr = u->tr;
	int rc = sip_leg_make(s, &l);

	if (rc) {
		sip_answer_busy(s, u);
		return;
	}
	td_str_cut(l->peer, sizeof(l->peer), set->calling);
	l->invite = malloc(u->n + 1);
	if (l->invite)
		memcpy(l->invite, u->text, u->n);
	l->n_invite = u->n;
	l->timer_next = *timer;
	l->update = td_sip_lists(m, TD_SIP_H_ALLOW, "UPDATE");
	if (set->session.kind == TD_MEDIA_RTP)
		sip_set_text(&l->sdp_remote, set->session.raw);
	rc = l->invite ? take_dialog(l, u, m, at, set->called) : -ENOMEM;
	if (!rc)
		rc = td_map_set(s->trs, &tr, sizeof(tr), l, NULL);
	if (rc) {
		sip_answer(s, u, rc == -ENOMEM ? 503 : 400, NULL);
		sip_leg_free(&l->leg);
		return;
	}
	l->tr = tr;
	l->st = SIP_IN;
	rc = s->cfg.up->incoming(s->cfg.up->arg, &l->leg, set);
	if (!rc) {
		s->st.legs_in++;
		return;
	}
	if (rc == -EEXIST)
		sip_answer(s, u, 482, NULL);
	else
		sip_answer_busy(s, u);
	l->st = SIP_OVER;	/* it has its answer */
	sip_leg_free(&l->leg);
}

void sip_on_invite(struct td_sip *s, const struct td_sip_up *u,
		   const struct td_sip_msg *m)
{
	const struct sip_listener *at = sip_listener(s, u->listener);
	struct td_session *sess = NULL;
	struct td_stimer timer = { 0 };
	struct td_setup *set;
	struct td_sip_uri uri;
	char user[TD_NUMBER_MAX] = "";

	s->st.invites++;
	if (!at)
		return;
	if (at->internal && !trusted(s, u)) {
		s->st.forbidden++;
		sip_answer(s, u, 403, NULL);
		return;
	}
	if (!format_ok(s, u, m, &sess, &timer))
		return;
	if (!at->internal && !sip_authenticate(s, u, m, user)) {
		free(sess);
		return;
	}
	set = calloc(1, sizeof(*set));
	if (!set) {
		free(sess);
		sip_answer_busy(s, u);
		return;
	}
	if (sess)
		set->session = *sess;
	free(sess);
	set->complete = true;
	set->calling_restricted = withheld(m);
	td_str_cut(set->address, sizeof(set->address), at->name);
	if (at->internal ? internal_setup(m, set) :
			   (external_setup(s, m, user, set), 0))
		sip_answer(s, u, 400, NULL);
	else if (td_sip_uri_parse(m->uri, &uri) || !uri.user[0] ||
		 !td_sip_is_text(uri.user) ||
		 td_str_copy(set->called, sizeof(set->called), uri.user))
		sip_answer(s, u, 404, NULL);
	else
		begin_call(s, u, m, at, set, &timer);
	free(set);
}
