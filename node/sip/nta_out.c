// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/nta_i.h"

static void say_failed(struct td_nta *n, const struct td_sip_down *d)
{
	struct td_sip_up u = { .type = TD_SIP_UP_RESPONSE, .tr = d->tr,
			       .listener = d->listener, .status = 503 };

	nta_up(n, &u, NULL);
}

static int on_response(struct nta_tr *t, nta_outgoing_t *orq,
		       sip_t const *sip)
{
	struct td_nta *n = t->l->nta;
	struct td_sip_up u = { .type = TD_SIP_UP_RESPONSE,
			       .listener = t->l->id, .tr = t->id,
			       .status = nta_outgoing_status(orq) };
	bool own = !sip || nta_sip_is_internal(sip);

	if (own)
		NTA_COUNT(n, timeouts);
	else
		NTA_COUNT(n, rx_responses);
	nta_up(n, &u, own ? NULL : sip);
	if (u.status >= 200) {
		nta_outgoing_destroy(orq);
		nta_tr_free(t);
	}
	return 0;
}

/** The destination is always a number: the library never resolves a name. */
static void route_url(const struct td_sip_peer *p, char *out, size_t size)
{
	snprintf(out, size, strchr(p->host, ':') ?
		 "sip:[%s]:%u;transport=%s" : "sip:%s:%u;transport=%s",
		 p->host, p->port, p->transport == TD_SIP_TCP ? "tcp" : "udp");
}

static msg_t *make_message(const struct td_sip_down *d)
{
	msg_t *msg = msg_make(sip_default_mclass(), 0, d->text, d->n);
	sip_t *sip = msg ? sip_object(msg) : NULL;

	if (!sip || !sip->sip_request || !sip->sip_from || !sip->sip_to ||
	    !sip->sip_call_id || !sip->sip_cseq) {
		msg_destroy(msg);
		return NULL;
	}
	return msg;
}

void nta_request(struct td_nta *n, const struct td_sip_down *d)
{
	struct nta_listener *l = nta_listener(n, d->listener);
	struct nta_tr *t = l && l->agent ? nta_tr_new(l, d->tr) : NULL;
	msg_t *msg = t ? make_message(d) : NULL;
	char url[80], branch[64];

	if (!msg)
		goto fail;
	NTA_COUNT(n, tx_requests);
	route_url(&d->to, url, sizeof(url));
	snprintf(branch, sizeof(branch), "z9hG4bK%s", d->branch);
	t->invite = sip_object(msg)->sip_request->rq_method ==
		    sip_method_invite;
	t->orq = nta_outgoing_mcreate(l->agent, on_response, t,
				      (url_string_t *)url, msg,
				      NTATAG_BRANCH_KEY(branch), TAG_END());
	if (t->orq)
		return;
	msg_destroy(msg);
fail:
	if (t)
		nta_tr_free(t);
	say_failed(n, d);
}

void nta_ack(struct td_nta *n, const struct td_sip_down *d)
{
	struct nta_listener *l = nta_listener(n, d->listener);
	msg_t *msg = l && l->agent ? make_message(d) : NULL;
	nta_outgoing_t *ack;
	char url[80], branch[64];

	if (!msg)
		return;
	route_url(&d->to, url, sizeof(url));
	snprintf(branch, sizeof(branch), "z9hG4bK%s", d->branch);
	/* the INVITE's branch draws further copies of the 2xx to this ACK;
	 * without it the library asserts that the INVITE is still there */
	ack = nta_outgoing_mcreate(l->agent, NULL, NULL, (url_string_t *)url,
				   msg, NTATAG_ACK_BRANCH(branch), TAG_END());
	if (ack)
		nta_outgoing_destroy(ack);
	else
		msg_destroy(msg);
}

void nta_cancel(struct td_nta *n, const struct td_sip_down *d)
{
	struct nta_tr *t = td_map_get_u64(n->trs, d->tr);

	if (!t || !t->orq || !t->invite)
		return;
	/* held back by the library until a 1xx has come, RFC 3261 9.1; its
	 * own default callback takes care of the CANCEL's answer */
	nta_outgoing_tcancel(t->orq, NULL, NULL,
			     TAG_IF(d->n, SIPTAG_REASON_STR(d->text)),
			     TAG_END());
}
