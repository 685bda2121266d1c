// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/nta_i.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/su_uniqueid.h>

#include "node/sip/cause.h"
#include "node/sip/check.h"

static void source_of(struct nta_listener *l, msg_t *msg,
		      struct td_sip_peer *out)
{
	const su_sockaddr_t *from = msg_addr(msg);
	tport_t *tp = tport_delivered_by(nta_agent_tports(l->agent), msg);

	memset(out, 0, sizeof(*out));
	su_inet_ntop(from->su_family, SU_ADDR(from), out->host,
		     sizeof(out->host));
	out->port = ntohs(from->su_port);
	out->transport = tp && tport_is_tcp(tp) ? TD_SIP_TCP : TD_SIP_UDP;
}

/** What came by UDP was checked as it came (nta_hook.c); a stream's message
 *  is known only here. @return 0 or a status */
static int check_stream(const sip_t *sip, const char **why)
{
	size_t n = nta_text(sip, NULL, 0);
	char *text = malloc(n + 1);
	struct td_sip_msg *m;
	int rc;

	*why = "Bad Request";
	rc = text ? td_sip_parse(text, nta_text(sip, text, n + 1), &m) :
		    -ENOMEM;
	free(text);
	if (rc)
		return 400;
	rc = td_sip_check(m, why);
	td_sip_msg_free(m);
	return rc;
}

/** Seconds to come back after: spread, so that what was refused together does
 *  not come back so. */
static const char *retry_after(char out[8])
{
	snprintf(out, 8, "%u", (unsigned int)su_randint(3, 8));
	return out;
}

static void refuse(struct nta_listener *l, msg_t *msg, int status,
		   const char *phrase)
{
	char after[8];

	nta_msg_treply(l->agent, msg, status, phrase,
		       TAG_IF(status == 503,
			      SIPTAG_RETRY_AFTER_STR(retry_after(after))),
		       TAG_IF(status == 405, SIPTAG_ALLOW_STR(TD_SIP_ALLOW)),
		       TAG_END());
}

/** ACK of a 2xx or of another final answer, CANCEL, or (sip NULL) timer H. */
static int on_ack_cancel(struct nta_tr *t, nta_incoming_t *irq,
			 sip_t const *sip)
{
	struct td_nta *n = t->l->nta;
	struct td_sip_up u = { .listener = t->l->id, .tr = t->id };

	if (sip && sip->sip_request->rq_method == sip_method_cancel) {
		u.type = TD_SIP_UP_CANCEL;
		nta_up(n, &u, sip);
		return 0;
	}
	u.type = sip ? TD_SIP_UP_ACK : TD_SIP_UP_NO_ACK;
	if (nta_incoming_status(irq) < 300)
		nta_up(n, &u, sip);
	nta_incoming_destroy(irq);
	nta_tr_free(t);
	return 0;
}

/** What belongs to a dialog is let in longer than what would be new. */
static bool overloaded(struct nta_listener *l, bool within)
{
	struct td_nta *n = l->nta;

	if (l->n_requests++ % 32 == 0)
		nta_agent_get_stats(l->agent,
				    NTATAG_S_IRQ_HASH_USED_REF(l->kept),
				    TAG_END());
	if (within)
		return l->kept / 2 >= n->cfg.max_kept;
	return l->kept >= n->cfg.max_kept ||
	       __atomic_load_n(&n->n_up, __ATOMIC_RELAXED) >=
		       n->cfg.max_up / 2 ||
	       __atomic_load_n(&n->st.server, __ATOMIC_RELAXED) >=
		       n->cfg.max_server;
}

static struct nta_tr *make_transaction(struct nta_listener *l, msg_t *msg,
				       sip_t *sip, struct td_sip_up *u)
{
	struct nta_tr *t = nta_tr_new(l, 0);

	if (!t) {
		refuse(l, msg, SIP_503_SERVICE_UNAVAILABLE);
		return NULL;
	}
	t->irq = nta_incoming_create(l->agent, NULL, msg, sip, TAG_END());
	if (!t->irq) {
		nta_tr_free(t);
		return NULL;
	}
	t->invite = nta_incoming_method(t->irq) == sip_method_invite;
	u->tr = t->id;
	if (!sip->sip_to->a_tag) {
		snprintf(u->tag, sizeof(u->tag), "%016" PRIx64,
			 su_random64());
		nta_incoming_tag(t->irq, u->tag);
	}
	nta_incoming_bind(t->irq, on_ack_cancel, t);
	return t;
}

static int take_request(struct nta_listener *l, msg_t *msg, sip_t *sip)
{
	struct td_nta *n = l->nta;
	struct td_sip_up u = { .type = TD_SIP_UP_REQUEST, .listener = l->id };
	bool ack = sip->sip_request->rq_method == sip_method_ack;
	struct nta_tr *t = NULL;
	char after[8];

	source_of(l, msg, &u.from);
	if (!ack) {
		t = make_transaction(l, msg, sip, &u);
		if (!t)
			return 0;
	}
	if (nta_up(n, &u, sip) && t) {
		nta_incoming_treply(t->irq, SIP_503_SERVICE_UNAVAILABLE,
				    SIPTAG_RETRY_AFTER_STR(
					    retry_after(after)), TAG_END());
		nta_incoming_destroy(t->irq);
		nta_tr_free(t);
	}
	if (ack)
		msg_destroy(msg);
	return 0;
}

int nta_on_message(struct nta_listener *l, nta_agent_t *a, msg_t *msg,
		   sip_t *sip)
{
	struct td_nta *n = l->nta;
	sip_method_t method;
	tport_t *tp;
	int status = 0;
	const char *why = NULL;

	if (!sip->sip_request) {	/* a response that nobody waits for */
		NTA_COUNT(n, stray);
		msg_destroy(msg);
		return 0;
	}
	NTA_COUNT(n, rx_requests);
	method = sip->sip_request->rq_method;
	tp = tport_delivered_by(nta_agent_tports(a), msg);
	if (tp && tport_is_tcp(tp))
		status = check_stream(sip, &why);
	if (status && method == sip_method_ack) {
		NTA_COUNT(n, dropped);
		msg_destroy(msg);
	} else if (status) {
		NTA_COUNT(n, rejected);
		refuse(l, msg, status, why);
	} else if (method == sip_method_cancel) {
		refuse(l, msg, SIP_481_NO_TRANSACTION);
	} else if (method != sip_method_ack &&
		   overloaded(l, sip->sip_to && sip->sip_to->a_tag)) {
		NTA_COUNT(n, overload);
		refuse(l, msg, SIP_503_SERVICE_UNAVAILABLE);
	} else {
		return take_request(l, msg, sip);
	}
	return 0;
}

void nta_reply(struct td_nta *n, const struct td_sip_down *d)
{
	struct nta_tr *t = td_map_get_u64(n->trs, d->tr);
	const char *body = d->n_body ? d->text + d->n + 1 : NULL;

	if (!t || !t->irq)
		return;		/* cancelled and answered, or listener gone */
	NTA_COUNT(n, tx_replies);
	if (d->tag[0] && !nta_incoming_gettag(t->irq))
		nta_incoming_tag(t->irq, d->tag);
	nta_incoming_treply(t->irq, d->status, td_sip_phrase(d->status),
			    TAG_IF(d->n, SIPTAG_HEADER_STR(d->text)),
			    TAG_IF(body, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	if (d->status < 200 || (t->invite && d->status < 300))
		return;		/* a 2xx is kept until its ACK */
	nta_incoming_destroy(t->irq);
	nta_tr_free(t);
}

void nta_forget(struct td_nta *n, uint64_t tr)
{
	struct nta_tr *t = td_map_get_u64(n->trs, tr);

	if (!t)
		return;
	if (t->irq)		/* answers 500 */
		nta_incoming_destroy(t->irq);
	else
		nta_outgoing_destroy(t->orq);
	nta_tr_free(t);
}

void nta_sweep(struct td_nta *n, int64_t now_ms)
{
	struct nta_tr *t;
	size_t pos = 0;

	while ((t = td_map_next(n->trs, &pos))) {
		if (!t->irq || nta_incoming_status(t->irq) >= 200 ||
		    now_ms - t->since_ms < (t->invite ? NTA_INVITE_MS :
							NTA_OTHER_MS))
			continue;
		NTA_COUNT(n, forgotten);
		nta_incoming_destroy(t->irq);	/* answers 500 */
		nta_tr_free(t);
	}
}
