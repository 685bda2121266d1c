// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/sip_i.h"
#include "node/sip/text.h"
#include "proto/base/log.h"

/* Is the far end still there? Session timers of a leg (RFC 4028; stimer.c has
 * the rules), and the question that a silent one is asked. */

enum {
	BUSY_S = 2,		/* another request is on its way: later */
	RETRY_S = 8,		/* it was refused: once more */
};

static struct td_stimer_want want(const struct sip_leg *l)
{
	return (struct td_stimer_want){
		.interval_s = l->sip->site ? l->sip->site->session_expires_s :
					     0,
		.min_s = TD_STIMER_MIN_S,
	};
}

/** Seconds of a session timer as ms of this machine. */
static uint64_t scaled(const struct sip_leg *l, uint64_t ms)
{
	return ms * l->sip->cfg.second_ms / 1000;
}

int sip_timer_ask(struct td_sip *s, const struct td_sip_msg *m,
		  struct td_stimer *t)
{
	struct td_stimer_want w = { .interval_s = s->site->session_expires_s,
				    .min_s = TD_STIMER_MIN_S };
	struct td_stimer_said said;

	if (td_stimer_read(m, &said))
		return 400;
	return td_stimer_answer(&w, &said, t);
}

void sip_timer_answer(const struct td_stimer *t, char *out, size_t size)
{
	struct td_text h = { .p = out, .size = size };

	*out = '\0';
	td_text_put(&h, "Supported: timer\r\n");
	if (!t->interval_s)
		return;
	td_text_put(&h, "%sSession-Expires: %" PRIu32 ";refresher=%s\r\n",
		    t->known ? "Require: timer\r\n" : "", t->interval_s,
		    t->ours ? "uas" : "uac");
}

void sip_timer_request(const struct sip_leg *l, struct td_text *h)
{
	struct td_stimer_want w = want(l);
	uint32_t interval_s = td_stimer_offer(&w, &l->timer);

	td_text_put(h, "Supported: timer\r\n");
	if (!interval_s)
		return;
	td_text_put(h, "Session-Expires: %" PRIu32 "%s\r\n", interval_s,
		    !l->timer.interval_s ? "" :
		    l->timer.ours ? ";refresher=uac" : ";refresher=uas");
	if (l->timer.min_s > TD_STIMER_MIN_S)
		td_text_put(h, "Min-SE: %" PRIu32 "\r\n", l->timer.min_s);
}

bool sip_timer_422(struct sip_leg *l, const struct td_sip_msg *m)
{
	struct td_stimer_said said;

	/* one that does not go up would have us ask for ever */
	if (td_stimer_read(m, &said) || said.min_s <= l->timer.min_s ||
	    said.min_s <= TD_STIMER_MIN_S)
		return false;
	l->timer.min_s = said.min_s;
	return true;
}

/* ---- asking ---- */

/** UPDATE or OPTIONS within the dialog, without a body. */
static int ping(struct sip_leg *l, const char *method)
{
	struct td_sip_down *d = sip_dialog_request(l, method,
		l->local_cseq + 1, NULL, NULL, NULL);
	int rc;

	if (!d)
		return -EINVAL;
	l->local_cseq++;
	l->ping = sip_tr_new(l);
	l->ping_update = !strcmp(method, "UPDATE");
	d->type = TD_SIP_DOWN_REQUEST;
	d->tr = l->ping;
	sip_random_hex(d->branch, 24);
	rc = sip_leg_send(l, d);
	if (rc)
		sip_tr_done(l->sip, &l->ping);
	return rc;
}

int sip_probe(struct td_leg *leg)
{
	struct sip_leg *l = (struct sip_leg *)leg;
	int rc;

	if (l->st != SIP_UP)
		return -EALREADY;	/* its own timers run */
	if (l->ping || l->re_out) {
		l->probing = true;
		return -EALREADY;
	}
	rc = ping(l, "OPTIONS");
	l->probing = !rc;
	return rc == -EAGAIN || rc == -ENOTCONN ? -EALREADY : rc;
}

static void on_refresh(void *arg)
{
	struct sip_leg *l = arg;
	int rc;

	if (l->st == SIP_OVER || l->st == SIP_CLEARING)
		return;
	if (l->st != SIP_UP || l->ping || l->re_in || l->re_out ||
	    l->pending) {
		/* a re-INVITE of ours refreshes by itself */
		td_timer_start(l->sip->cfg.loop, &l->refresh,
			       scaled(l, BUSY_S * 1000), on_refresh, l);
		return;
	}
	l->sip->st.refreshes++;
	if (!l->timer.known || (!l->update && !l->sdp_local)) {
		rc = ping(l, "OPTIONS");
	} else if (l->update) {
		rc = ping(l, "UPDATE");
	} else {
		l->refreshing = true;
		rc = sip_reinvite(l, l->sdp_local);
		l->refreshing = !rc;
	}
	if (rc)
		sip_timer_retry(l, false);
}

void sip_timer_retry(struct sip_leg *l, bool now)
{
	if (l->timer.interval_s && l->timer.ours)
		td_timer_start(l->sip->cfg.loop, &l->refresh,
			       now ? 0 : scaled(l, RETRY_S * 1000),
			       on_refresh, l);
}

static void on_expiry(void *arg)
{
	struct sip_leg *l = arg;

	if (l->st == SIP_OVER || l->st == SIP_CLEARING)
		return;
	td_warn("sip", "SIP-SESSION", "call_id=%s the session was not "
		"refreshed for %u s: the far end is taken for dead",
		l->call_id, l->timer.interval_s);
	l->sip->st.expired++;
	sip_leg_dead(l, 102);
}

/* ---- life of a session ---- */

void sip_timer_start(struct sip_leg *l, const struct td_stimer *t)
{
	int64_t now = td_view_now_ms(td_cluster_view(l->sip->cfg.cluster));
	uint32_t refresh_ms, end_ms;

	l->timer = *t;
	refresh_ms = td_stimer_refresh_ms(t);
	end_ms = td_stimer_end_ms(t);
	td_timer_stop(&l->refresh);
	td_timer_stop(&l->expiry);
	l->refresh_at_ms = refresh_ms == UINT32_MAX ? 0 : now + refresh_ms;
	l->end_at_ms = end_ms == UINT32_MAX ? 0 : now + end_ms;
	if (refresh_ms != UINT32_MAX)
		td_timer_start(l->sip->cfg.loop, &l->refresh,
			       scaled(l, refresh_ms), on_refresh, l);
	if (end_ms != UINT32_MAX)
		td_timer_start(l->sip->cfg.loop, &l->expiry,
			       scaled(l, end_ms), on_expiry, l);
}

void sip_timer_stop(struct sip_leg *l)
{
	td_timer_stop(&l->refresh);
	td_timer_stop(&l->expiry);
}

void sip_timer_2xx(struct sip_leg *l, const struct td_sip_msg *m)
{
	struct td_stimer_want w = want(l);
	struct td_stimer_said said = { 0 };
	struct td_stimer t = l->timer;

	/* one that cannot be read is as none: then we ask, it need not */
	if (td_stimer_read(m, &said))
		said = (struct td_stimer_said){ 0 };
	td_stimer_agreed(&w, &said, &t);
	sip_timer_start(l, &t);
}

static bool is_dead(int status, const struct td_sip_msg *m, bool probing)
{
	/* our own 503: the connection is gone. That alone proves nothing, a
	 * phone may make another; with silence it does */
	return status == 408 || status == 481 ||
	       (!m && status == 503 && probing);
}

void sip_on_ping(struct sip_leg *l, int status, const struct td_sip_msg *m)
{
	bool update = l->ping_update, probing = l->probing;

	if (status < 200)
		return;
	sip_tr_done(l->sip, &l->ping);
	l->probing = false;
	if (l->st != SIP_UP)
		return;
	if (is_dead(status, m, probing)) {
		td_warn("sip", "SIP-DEAD", "call_id=%s status=%d the far end "
			"does not answer, or knows nothing of the call",
			l->call_id, status);
		sip_leg_dead(l, status == 481 ? 41 : 27);
	} else if (update && status < 300 && m) {
		sip_dialog_target(l, m);
		sip_timer_2xx(l, m);
		sip_leg_tidy(l);
	} else if (update) {
		l->update = status != 405 && status != 501;
		sip_timer_retry(l, !l->update ||
				   (status == 422 && m && sip_timer_422(l, m)));
	} else if (!l->timer.known && m) {
		sip_timer_start(l, &l->timer);	/* any answer is a life sign */
		sip_leg_tidy(l);
	} else if (!l->timer.known) {
		sip_timer_retry(l, false);
	}
	sip_send_pending(l);
}
