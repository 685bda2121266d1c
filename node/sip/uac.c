// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/cause.h"
#include "node/sip/sdp.h"
#include "node/sip/sip_i.h"
#include "node/sip/text.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* Outgoing legs, and requests of ours within a dialog. */

/** Quotes a display name, RFC 3261 25.1 quoted-string. */
static void quoted(const char *s, char *out, size_t size)
{
	size_t o = 0;

	for (; *s && o + 3 < size; s++) {
		if ((unsigned char)*s < ' ' || *s == 127)
			continue;
		if (*s == '"' || *s == '\\')
			out[o++] = '\\';
		out[o++] = *s;
	}
	out[o] = '\0';
	td_str_trim_utf8(out);
}

/** A number as the user part of a URI. */
static void user_part(const char *s, char *out, size_t size)
{
	size_t o = 0;

	for (; *s && o + 4 < size; s++) {
		unsigned char c = *s;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || strchr("-_.!~*'()+", c))
			out[o++] = c;
		else
			o += snprintf(out + o, 4, "%%%02X", c);
	}
	out[o] = '\0';
}

/** From, and who vouches for it to another node (RFC 3323, RFC 3325). */
static int identity(struct sip_leg *l, const struct td_setup *s,
		    struct td_text *h)
{
	const char *domain = l->sip->site->domain;
	char name[160], user[200], disp[170] = "";
	int n;

	quoted(s->calling_name, name, sizeof(name));
	user_part(s->calling, user, sizeof(user));
	if (*name)
		snprintf(disp, sizeof(disp), "\"%s\" ", name);
	if (s->calling_restricted || !*user)
		n = snprintf(l->local, sizeof(l->local), "\"Anonymous\" "
			     "<sip:anonymous@anonymous.invalid>;tag=%s",
			     l->local_tag);
	else
		n = snprintf(l->local, sizeof(l->local), "%s<sip:%s@%s>;tag=%s",
			     disp, user, domain, l->local_tag);
	if (n < 0 || (size_t)n >= sizeof(l->local))
		return -EINVAL;
	if (s->calling_restricted)
		td_text_put(h, "Privacy: id\r\n");
	if (!s->internal)
		return 0;
	if (*user)
		td_text_put(h, "P-Asserted-Identity: %s<sip:%s@%s>\r\n", disp,
			    user, domain);
	user_part(s->user, user, sizeof(user));
	td_text_put(h, "X-Tandem-Call: %016" PRIx64 "%s%s%s\r\n", s->call_id,
		    *user ? ";user=" : "", user,
		    s->inband ? ";inband" : "");
	return 0;
}

/** Where the INVITE goes: over the flow the phone registered by, else to the
 *  host of its URI, which must be a number. */
static int choose_hop(struct sip_leg *l, const struct td_setup *s,
		      const struct td_sip_uri *u)
{
	bool tcp = !strcasecmp(s->transport, "tcp");
	char tp[8];

	if (!s->transport[0])
		tcp = td_sip_param(u->params, "transport", tp, sizeof(tp)) &&
		      !strcasecmp(tp, "tcp");
	if (u->numeric) {
		td_str_cut(l->to.host, sizeof(l->to.host), u->host);
		l->to.port = u->port ? u->port : 5060;
		l->to.transport = tcp ? TD_SIP_TCP : TD_SIP_UDP;
	}
	if (!s->received[0])
		return u->numeric || s->route[0] ? 0 : -EINVAL;
	l->other = l->to;
	if (td_sip_hostport(s->received, l->to.host, sizeof(l->to.host),
			    &l->to.port))
		return -EINVAL;
	l->to.transport = tcp ? TD_SIP_TCP : TD_SIP_UDP;
	/* behind a NAT, or a connection: later requests go back over it too;
	 * else the URI says at which port it listens */
	l->flow = tcp || !u->numeric || strcmp(u->host, l->to.host);
	if (!l->flow)
		l->to = l->other;
	if (!tcp)
		l->other.port = 0;
	return 0;
}

static int take_route(struct sip_leg *l, const char *route)
{
	struct td_sip_addr_spec a;

	while (td_sip_next(&route, l->route[l->n_routes],
			   sizeof(l->route[0]))) {
		if (td_sip_addr_parse(l->route[l->n_routes], &a) ||
		    ++l->n_routes == SIP_MAX_ROUTES)
			return -EINVAL;
	}
	return route ? 0 : -EINVAL;
}

static struct sip_listener *choose_listener(struct td_sip *s,
					    const struct td_setup *set)
{
	struct sip_listener *l;

	for (unsigned int i = 0; set->internal && i < s->n_listeners; i++)
		if (s->l[i].internal)
			return s->l[i].up ? &s->l[i] : NULL;
	l = set->address[0] ? sip_listener_by_name(s, set->address) : NULL;
	if (l && l->up)
		return l;
	/* the address it registered through is not here: any of ours */
	for (unsigned int i = 0; !set->internal && i < s->n_listeners; i++)
		if (!s->l[i].internal && s->l[i].up)
			return &s->l[i];
	return NULL;
}

static int begin(struct sip_leg *l, const struct td_setup *s,
		 const struct sip_listener *at)
{
	struct td_sip_uri u;
	char user[200];
	int rc = td_sip_uri_parse(s->target, &u);

	if (rc || !td_sip_is_text(s->target))
		return -EINVAL;
	l->uac = true;
	l->internal = s->internal;
	l->listener = at->id;
	td_str_cut(l->unit, sizeof(l->unit), at->name);
	td_str_cut(l->peer, sizeof(l->peer),
		   s->called[0] ? s->called : s->target);
	td_str_cut(l->target, sizeof(l->target), s->target);
	rc = take_route(l, s->route);
	if (!rc)
		rc = choose_hop(l, s, &u);
	if (rc)
		return rc;
	sip_random_hex(l->local_tag, 16);
	sip_random_hex(user, 32);
	snprintf(l->call_id, sizeof(l->call_id), "%s@%s", user, at->at.host);
	user_part(u.user, user, sizeof(user));
	snprintf(l->remote, sizeof(l->remote), "<sip:%s@%s>", user,
		 s->internal ? u.host : l->sip->site->domain);
	user_part(s->calling_restricted ? "anonymous" : s->calling, user,
		  sizeof(user));
	snprintf(l->contact, sizeof(l->contact), strchr(at->at.host, ':') ?
		 "<sip:%s%s[%s]:%u%s>" : "<sip:%s%s%s:%u%s>", user,
		 *user ? "@" : "", at->at.host, at->at.port,
		 l->to.transport == TD_SIP_TCP ? ";transport=tcp" : "");
	return sip_leg_index(l);
}

static void on_no_answer(void *arg)
{
	struct sip_leg *l = arg;

	if (l->st == SIP_OUT)
		l->leg.ops->clear(&l->leg, 19, 0);
}

/** With the headers and the offer kept in the leg. */
static int send_invite(struct sip_leg *l)
{
	struct td_sip_down *d = sip_dialog_request(l, "INVITE",
		++l->local_cseq, l->headers, "application/sdp",
		l->sdp_local);

	if (!d)
		return -EINVAL;
	l->invite_cseq = l->local_cseq;
	free(l->invite);
	l->invite = malloc(d->n);
	if (!l->invite) {
		free(d);
		return -ENOMEM;
	}
	memcpy(l->invite, d->text, d->n);
	l->n_invite = d->n;
	d->type = TD_SIP_DOWN_REQUEST;
	l->tr = sip_tr_new(l);
	d->tr = l->tr;
	sip_random_hex(l->branch, 24);
	memcpy(d->branch, l->branch, sizeof(d->branch));
	l->st = SIP_OUT;
	return sip_leg_send(l, d);
}

int sip_setup(struct td_leg *leg, const struct td_setup *s)
{
	struct sip_leg *l = (struct sip_leg *)leg;
	struct sip_listener *at = l->sip->site ?
		choose_listener(l->sip, s) : NULL;
	char headers[1024], *sdp = NULL;
	struct td_text h = { .p = headers, .size = sizeof(headers) };
	int rc;

	if (l->st != SIP_NULL)
		return -EINVAL;
	if (!at)
		return -ENETDOWN;
	rc = begin(l, s, at);
	td_text_put(&h, "Allow: " TD_SIP_ALLOW "\r\n");
	if (!rc)
		rc = identity(l, s, &h);
	if (!rc)
		rc = sip_dialog_sdp(l, &s->session, NULL, &sdp);
	if (!rc && h.full)
		rc = -EINVAL;
	if (!rc && sdp) {
		sip_set_text(&l->sdp_local, sdp);
		l->offered = true;
	}
	sip_set_text(&l->headers, headers);
	if (!rc)
		rc = l->headers && !sdp == !l->sdp_local ? send_invite(l) :
							   -ENOMEM;
	free(sdp);
	if (rc) {
		l->st = SIP_NULL;
		return rc;
	}
	l->sip->st.legs_out++;
	return td_timer_start(l->sip->cfg.loop, &l->no_answer,
			      l->sip->cfg.no_answer_ms, on_no_answer, l);
}

/* ---- responses to the INVITE ---- */

int sip_ack(struct sip_leg *l, uint32_t cseq, const char *branch,
	    const char *sdp)
{
	struct td_sip_down *d = sip_dialog_request(l, "ACK", cseq, NULL,
						   "application/sdp", sdp);

	if (!d)
		return -EINVAL;
	d->type = TD_SIP_DOWN_ACK;
	td_str_cut(d->branch, sizeof(d->branch), branch);
	return sip_leg_send(l, d);
}

/** To tag, Record-Route and Contact of a 2xx, RFC 3261 12.1.2. */
static int confirm(struct sip_leg *l, const struct td_sip_msg *m)
{
	const char *to = td_sip_value(m, TD_SIP_H_TO, 0);
	struct td_sip_walk w = { 0 };
	struct td_sip_addr_spec a;
	char rr[16][256];
	unsigned int n = 0;

	if (!to || td_sip_addr_parse(to, &a) || !td_sip_is_text(to) ||
	    td_str_copy(l->remote, sizeof(l->remote), to))
		return -EINVAL;
	l->remote_tag[0] = '\0';
	td_sip_param(a.params, "tag", l->remote_tag, sizeof(l->remote_tag));
	while (n < 16 && td_sip_walk(m, TD_SIP_H_RECORD_ROUTE, &w, rr[n],
				     sizeof(rr[0])))
		if (td_sip_is_text(rr[n]))
			n++;
	l->n_routes = 0;
	while (n && l->n_routes < SIP_MAX_ROUTES)
		memcpy(l->route[l->n_routes++], rr[--n], sizeof(rr[0]));
	return sip_dialog_target(l, m);
}

struct td_session *sip_response_session(struct sip_leg *l,
					const struct td_sip_msg *m,
					bool *same)
{
	struct td_session *s = NULL;

	*same = false;
	if (!m || sip_body_session(m, l->to.host, &s))
		return NULL;
	*same = l->sdp_remote && !strcmp(l->sdp_remote, s->raw);
	if (!*same)
		sip_set_text(&l->sdp_remote, s->raw);
	return s;
}

static void on_provisional(struct sip_leg *l, int status,
			   const struct td_sip_msg *m)
{
	struct td_session *s;
	bool same;

	if (l->st != SIP_OUT)
		return;
	if (!l->proceeding) {
		l->proceeding = true;
		sip_leg_event(l, TD_LEV_PROCEEDING, 0, status, NULL);
		if (l->st != SIP_OUT)
			return;
	}
	s = l->offered && status != 100 ? sip_response_session(l, m, &same) :
					  NULL;
	l->early_sdp |= s != NULL;
	l->ringing |= status > 100;
	if (status == 180)
		sip_leg_event(l, TD_LEV_ALERTING, 0, status, s);
	else if (status == 183 && s)
		sip_leg_event(l, TD_LEV_PROGRESS, 0, status, s);
	free(s);
}

static void on_answer(struct sip_leg *l, const struct td_sip_msg *m)
{
	bool cancelled = l->st == SIP_CLEARING, same;
	struct td_session *s = NULL;

	td_timer_stop(&l->no_answer);
	sip_tr_done(l->sip, &l->tr);
	if (!m || confirm(l, m)) {
		sip_leg_over(l, 127);	/* no dialog can come of it */
		return;
	}
	if (!cancelled)
		s = sip_response_session(l, m, &same);
	l->update = td_sip_lists(m, TD_SIP_H_ALLOW, "UPDATE");
	sip_timer_2xx(l, m);
	if (cancelled || (!s && !l->early_sdp)) {
		/* too late, or an answer that says nothing about voice */
		l->st = SIP_UP;
		sip_ack(l, l->invite_cseq, l->branch, NULL);
		sip_leg_bye(l, cancelled ? l->clear_cause : 127);
	} else if (!l->offered) {
		l->st = SIP_OUT_OFFERED;
		sip_leg_event(l, TD_LEV_ANSWERED, 0, 200, s);
	} else {
		l->st = SIP_UP;
		l->offered = false;
		if (sip_ack(l, l->invite_cseq, l->branch, NULL))
			sip_leg_over(l, 41);
		else
			sip_leg_event(l, TD_LEV_ANSWERED, 0, 200, s);
	}
	free(s);
}

/** The flow is gone, but its phone said where it listens: one more try. */
static bool try_other(struct sip_leg *l)
{
	struct td_sip_down *d;

	if (l->st != SIP_OUT || !l->other.port || !l->invite)
		return false;
	l->to = l->other;
	l->other.port = 0;
	l->flow = false;
	d = calloc(1, sizeof(*d) + l->n_invite + 1);
	if (!d)
		return false;
	memcpy(d->text, l->invite, l->n_invite);
	d->n = l->n_invite;
	d->type = TD_SIP_DOWN_REQUEST;
	d->listener = l->listener;
	d->to = l->to;
	l->tr = sip_tr_new(l);
	d->tr = l->tr;
	sip_random_hex(l->branch, 24);
	memcpy(d->branch, l->branch, sizeof(d->branch));
	return !sip_leg_send(l, d);
}

/** RFC 4028 7.3: the interval is too small for somebody; once more. */
static bool try_longer(struct sip_leg *l, const struct td_sip_msg *m)
{
	if (l->st != SIP_OUT || l->tried_longer || !sip_timer_422(l, m))
		return false;
	l->tried_longer = true;
	return !send_invite(l);
}

static void on_failure(struct sip_leg *l, int status,
		       const struct td_sip_msg *m)
{
	const char *r = m ? td_sip_value(m, TD_SIP_H_REASON, 0) : NULL;
	int cause = td_sip_reason_cause(r);

	sip_tr_done(l->sip, &l->tr);
	if (!m && status == 503 && try_other(l))
		return;
	if (m && status == 422 && try_longer(l, m))
		return;
	if (l->st == SIP_CLEARING) {
		cause = l->clear_cause;
	} else {
		l->clear_status = status;
		if (!cause)
			cause = m ? td_sip_cause_of_status(status) :
				    status == 408 ? 102 : 27;
	}
	sip_leg_over(l, cause);
}

void sip_on_response(struct sip_leg *l, uint64_t tr, int status,
		     const struct td_sip_msg *m)
{
	if (tr == l->bye_tr) {
		if (status >= 200) {
			sip_tr_done(l->sip, &l->bye_tr);
			sip_leg_over(l, l->clear_cause);
		}
	} else if (tr == l->re_out) {
		sip_on_reinvite(l, status, m);
	} else if (tr == l->ping) {
		sip_on_ping(l, status, m);
	} else if (tr != l->tr) {
		l->sip->st.stray++;
	} else if (status < 200) {
		on_provisional(l, status, m);
	} else if (l->st == SIP_OVER) {
		sip_tr_done(l->sip, &l->tr);
	} else if (status < 300) {
		on_answer(l, m);
	} else {
		on_failure(l, status, m);
	}
}

/** The answer that our ACK carries, after a late offer. */
int sip_ack_offer(struct sip_leg *l, int cause, const struct td_session *s)
{
	char *sdp = NULL;
	int rc = cause ? 0 : sip_dialog_sdp(l, s, l->sdp_remote, &sdp);

	l->st = SIP_UP;
	if (!rc && sdp)
		sip_set_text(&l->sdp_local, sdp);
	if (!rc)
		rc = sip_ack(l, l->invite_cseq, l->branch, sdp);
	free(sdp);
	if (rc || cause)
		sip_leg_bye(l, cause ? cause : 88);
	return rc;
}
