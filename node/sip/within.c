// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/cause.h"
#include "node/sip/sip_i.h"
#include "proto/base/log.h"

/* Requests within a dialog, RFC 3261 12.2.2. */

static struct sip_leg *find(struct td_sip *s, const struct td_sip_msg *m)
{
	struct td_sip_addr_spec a;
	char tag[256], key[600];
	struct sip_leg *l;
	int n;

	if (td_sip_addr_parse(td_sip_value(m, TD_SIP_H_TO, 0), &a) ||
	    !td_sip_param(a.params, "tag", tag, sizeof(tag)))
		return NULL;
	n = snprintf(key, sizeof(key), "%s\n%s",
		     td_sip_value(m, TD_SIP_H_CALL_ID, 0), tag);
	l = td_map_get(s->dialogs, key, n);
	if (!l || td_sip_addr_parse(td_sip_value(m, TD_SIP_H_FROM, 0), &a))
		return NULL;
	tag[0] = '\0';
	td_sip_param(a.params, "tag", tag, sizeof(tag));
	/* an early dialog of ours may have several far ends */
	if (strcmp(tag, l->remote_tag) && !(l->uac && l->st == SIP_OUT))
		return NULL;
	return l;
}

static int reply(struct sip_leg *l, uint64_t tr, int status, const char *h,
		 const char *body)
{
	int rc = sip_leg_reply(l, tr, status, h, body);

	if (rc)
		sip_put(l->sip, sip_busy_record(tr, l->local_tag));
	return rc;
}

static int reason_of(const struct td_sip_msg *m)
{
	int c = td_sip_reason_cause(td_sip_value(m, TD_SIP_H_REASON, 0));

	return c ? c : 16;
}

static void on_bye(struct sip_leg *l, const struct td_sip_up *u,
		   const struct td_sip_msg *m)
{
	if (l->st == SIP_IN) {		/* a caller may, RFC 3261 15 */
		reply(l, l->tr, 487, NULL, NULL);
		sip_tr_done(l->sip, &l->tr);
	}
	if (l->re_in) {
		reply(l, l->re_in, 487, NULL, NULL);
		sip_tr_done(l->sip, &l->re_in);
	}
	reply(l, u->tr, 200, NULL, NULL);
	/* when ours has crossed it, the call is over none the less */
	sip_leg_over(l, l->st == SIP_CLEARING ? l->clear_cause :
						reason_of(m));
}

/** Is it not the time for an offer? RFC 3261 14.2, RFC 3311 5.2. */
static bool glares(struct sip_leg *l, const struct td_sip_up *u)
{
	char h[32];

	if (l->re_in || l->st == SIP_IN) {	/* theirs of before is open */
		sip_random_hex(h, 8);
		snprintf(h, sizeof(h), "Retry-After: %lu\r\n",
			 strtoul(h, NULL, 16) % 11);
		reply(l, u->tr, 500, h, NULL);
		return true;
	}
	if (l->re_out || l->st != SIP_UP) {
		reply(l, u->tr, 491, NULL, NULL);
		return true;
	}
	return false;
}

/** UPDATE without a body: a refresh, or no more than a question. */
static void on_refresh(struct sip_leg *l, const struct td_sip_up *u)
{
	char h[128];

	if (l->st == SIP_UP)		/* before that there is no session */
		sip_timer_start(l, &l->timer_next);
	sip_timer_answer(l->st == SIP_UP ? &l->timer : &(struct td_stimer){ 0 },
			 h, sizeof(h));
	reply(l, u->tr, 200, h, NULL);
}

static int keep_request(struct sip_leg *l, const struct td_sip_up *u,
			bool update)
{
	char *raw = malloc(u->n + 1);

	if (!raw || td_map_set(l->sip->trs, &u->tr, sizeof(u->tr), l, NULL)) {
		free(raw);
		return -ENOMEM;
	}
	memcpy(raw, u->text, u->n);
	free(l->re_raw);
	l->re_raw = raw;
	l->n_re_raw = u->n;
	l->re_in = u->tr;
	l->re_update = update;
	return 0;
}

/** re-INVITE or UPDATE with an offer, or a re-INVITE that asks for one. */
static void take_offer(struct sip_leg *l, const struct td_sip_up *u,
		       struct td_session *s, bool update)
{
	if (keep_request(l, u, update)) {
		reply(l, u->tr, 500, NULL, NULL);
		return;
	}
	/* our offer of before has gone: what comes is compared to theirs */
	if (s)
		sip_set_text(&l->sdp_remote, s->raw);
	l->offered = !s;
	sip_leg_event(l, TD_LEV_OFFER, 0, 0, s);
}

static void on_offer(struct sip_leg *l, const struct td_sip_up *u,
		     const struct td_sip_msg *m, bool update)
{
	struct td_stimer t = l->timer;
	struct td_session *s = NULL;
	const char *headers = NULL;
	char min[32];
	int rc, status;

	if (!(update && !m->n_body) && glares(l, u))
		return;
	if (u->n > SIP_MAX_INVITE) {
		reply(l, u->tr, 413, NULL, NULL);
		return;
	}
	status = sip_timer_ask(l->sip, m, &t);
	if (status == 422) {
		snprintf(min, sizeof(min), "Min-SE: %u\r\n", TD_STIMER_MIN_S);
		headers = min;
	} else if (!status && sip_dialog_target(l, m)) {
		status = 400;
	}
	if (!status) {
		rc = sip_body_session(m, u->from.host, &s);
		if (rc && rc != -ENODATA)
			status = sip_body_status(rc, &headers);
	}
	if (status) {
		reply(l, u->tr, status, headers, NULL);
		return;
	}
	l->timer_next = t;
	if (td_sip_value(m, TD_SIP_H_ALLOW, 0))
		l->update = td_sip_lists(m, TD_SIP_H_ALLOW, "UPDATE");
	if (!s && update)
		on_refresh(l, u);
	else
		take_offer(l, u, s, update);
	free(s);
}

int sip_offer_reply(struct sip_leg *l, int cause, const struct td_session *s)
{
	char *sdp = NULL, h[128];
	int rc = 0, status;

	if (l->st == SIP_OUT_OFFERED)
		return sip_ack_offer(l, cause, s);
	if (!l->re_in || (l->st != SIP_UP && l->st != SIP_CLEARING))
		return -EINVAL;
	if (!cause)
		rc = sip_dialog_sdp(l, s, l->offered ? NULL : l->sdp_remote,
				    &sdp);
	if (!cause && (rc || !sdp))
		cause = 88;
	if (cause) {
		status = td_sip_status_of_cause(cause);
		/* a busy peer may be free again: try later, RFC 3261 14.2 */
		if (status == 503 || status == 486)
			status = 491;
		reply(l, l->re_in, status, NULL, NULL);
	} else {
		sip_set_text(&l->sdp_local, sdp);
		if (l->st == SIP_UP)
			sip_timer_start(l, &l->timer_next);
		sip_timer_answer(&l->timer_next, h, sizeof(h));
		rc = reply(l, l->re_in, 200, h, sdp);
	}
	free(sdp);
	if (cause || l->re_update)	/* else it is open until its ACK */
		sip_tr_done(l->sip, &l->re_in);
	if (cause || l->re_update)
		sip_send_pending(l);
	return rc;
}

/** application/dtmf-relay and application/dtmf: widespread, in no RFC. */
static void on_info(struct sip_leg *l, const struct td_sip_up *u,
		    const struct td_sip_msg *m)
{
	const char *type = td_sip_value(m, TD_SIP_H_CONTENT_TYPE, 0);
	struct td_leg_event ev = { .type = TD_LEV_DTMF };
	char body[128], *p;
	size_t n = m->n_body < sizeof(body) - 1 ? m->n_body : sizeof(body) - 1;

	if (m->n_body && (!type || strncasecmp(type, "application/dtmf", 16))) {
		reply(l, u->tr, 415, "Accept: application/dtmf-relay\r\n",
		      NULL);
		return;
	}
	/* its number is checkpointed with it: no digit comes twice */
	reply(l, u->tr, 200, NULL, NULL);
	memcpy(body, m->body, n);
	body[n] = '\0';
	p = strcasestr(body, "Signal=");
	p = p ? p + 7 : body;
	while (*p == ' ')
		p++;
	if (!*p || !strchr("0123456789*#ABCDabcd", *p) || l->st != SIP_UP)
		return;
	ev.digits[0] = *p;
	l->leg.up->event(l->leg.up->arg, &l->leg, &ev);
}

static void on_stray_ack(struct sip_leg *l, const struct td_sip_msg *m)
{
	/* its transaction is another process's or long gone; the dialog is
	 * what counts */
	if (l->st == SIP_IN_ACK || l->re_in)
		sip_on_ack(l, m);
}

void sip_on_within(struct td_sip *s, const struct td_sip_up *u,
		   const struct td_sip_msg *m)
{
	struct sip_leg *l = find(s, m);
	uint32_t cseq = td_sip_cseq(m);
	bool ack = !strcmp(m->method, "ACK");

	if (!l || (l->st == SIP_OVER && strcmp(m->method, "BYE"))) {
		if (ack)
			s->st.stray++;
		else
			sip_answer(s, u, 481, NULL);
		return;
	}
	if (ack) {
		on_stray_ack(l, m);
		return;
	}
	if (l->remote_cseq && cseq < l->remote_cseq) {
		sip_answer(s, u, 500, NULL);	/* RFC 3261 12.2.2 */
		return;
	}
	l->remote_cseq = cseq;
	if (!strcmp(m->method, "BYE"))
		on_bye(l, u, m);
	else if (!strcmp(m->method, "INVITE"))
		on_offer(l, u, m, false);
	else if (!strcmp(m->method, "UPDATE"))
		on_offer(l, u, m, true);
	else if (!strcmp(m->method, "INFO"))
		on_info(l, u, m);
	else if (!strcmp(m->method, "OPTIONS"))
		sip_answer(s, u, 200, "Allow: " TD_SIP_ALLOW "\r\n"
			   "Supported: timer\r\nAccept: application/sdp\r\n");
	else
		sip_answer(s, u, 405, "Allow: " TD_SIP_ALLOW "\r\n");
}

/** The answer to an offer that our 2xx made. */
static void ack_answer(struct sip_leg *l, const struct td_sip_msg *m)
{
	struct td_session *s = NULL;

	l->offered = false;
	if (sip_body_session(m, l->to.host, &s)) {
		/* no answer to our offer: there is no session */
		sip_leg_bye(l, 88);
		return;
	}
	sip_set_text(&l->sdp_remote, s->raw);
	sip_leg_event(l, TD_LEV_OFFER_REPLY, 0, 0, s);
	free(s);
}

void sip_on_ack(struct sip_leg *l, const struct td_sip_msg *m)
{
	bool offered = l->offered;

	if (l->st == SIP_IN_ACK) {
		sip_tr_done(l->sip, &l->tr);
		l->st = SIP_UP;
		if (l->must_bye) {
			sip_leg_bye(l, l->clear_cause);
			return;
		}
	} else if (l->re_in) {
		sip_tr_done(l->sip, &l->re_in);
	} else {
		return;
	}
	l->offered = false;
	if (offered && l->st == SIP_UP)
		ack_answer(l, m);
	if (l->st == SIP_UP)
		sip_send_pending(l);
	if (l->st == SIP_UP)
		sip_leg_tidy(l);
}

void sip_on_no_ack(struct sip_leg *l)
{
	if (l->st == SIP_IN_ACK)
		l->st = SIP_UP;
	sip_tr_done(l->sip, &l->tr);
	sip_tr_done(l->sip, &l->re_in);
	if (l->st == SIP_UP) {		/* RFC 3261 13.3.1.4 */
		td_warn("sip", "SIP-NO-ACK", "call_id=%s no ACK came for the "
			"2xx", l->call_id);
		sip_leg_bye(l, l->must_bye ? l->clear_cause : 102);
	}
}

void sip_on_cancel(struct sip_leg *l, const struct td_sip_msg *m)
{
	if (l->st == SIP_IN) {
		reply(l, l->tr, 487, NULL, NULL);
		sip_tr_done(l->sip, &l->tr);
		l->clear_status = 487;
		sip_leg_over(l, reason_of(m));
	} else if (l->re_in && !l->re_update) {
		reply(l, l->re_in, 487, NULL, NULL);
		sip_tr_done(l->sip, &l->re_in);
	}
}
