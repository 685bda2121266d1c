// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/cause.h"
#include "node/sip/sip_i.h"
#include "proto/base/log.h"

/* re-INVITEs of ours: offers, and refreshes where UPDATE is not known. */

static void on_glare(void *arg)
{
	sip_send_pending(arg);
}

static void drop_pending(struct sip_leg *l)
{
	free(l->pending);
	l->pending = NULL;
}

static void on_accepted(struct sip_leg *l, const struct td_sip_msg *m)
{
	bool refresh = l->refreshing, same;
	struct td_session *s;

	sip_dialog_target(l, m);
	s = sip_response_session(l, m, &same);
	sip_timer_2xx(l, m);
	l->refreshing = false;
	sip_ack(l, l->re_cseq, l->re_branch, NULL);
	drop_pending(l);
	/* a refresh asked for nothing new, unless the answer is */
	if (l->st == SIP_UP && (!refresh || (s && !same)))
		sip_leg_event(l, TD_LEV_OFFER_REPLY, s ? 0 : 127, 200, s);
	free(s);
}

/** RFC 3261 14.1: the owner of the Call-ID waits longer. */
static void wait_for_turn(struct sip_leg *l)
{
	char hex[9];
	uint32_t ms;

	sip_random_hex(hex, 8);
	ms = strtoul(hex, NULL, 16) % 190 * 10;
	td_timer_start(l->sip->cfg.loop, &l->glare,
		       l->uac ? 2100 + ms : ms, on_glare, l);
}

void sip_on_reinvite(struct sip_leg *l, int status, const struct td_sip_msg *m)
{
	bool refresh = l->refreshing;

	if (status < 200)
		return;
	l->offered = l->probing = false;
	sip_tr_done(l->sip, &l->re_out);
	if (status < 300 && m) {
		on_accepted(l, m);
		return;
	}
	l->refreshing = false;
	if (l->st != SIP_UP)
		return;
	if (status == 408 || status == 481) {	/* RFC 3261 12.2.1.2 */
		drop_pending(l);
		sip_leg_dead(l, status == 408 ? 102 : 41);
	} else if (refresh) {
		sip_timer_retry(l, status == 422 && m && sip_timer_422(l, m));
		sip_send_pending(l);
	} else if (status == 491 ||
		   (status == 422 && m && sip_timer_422(l, m))) {
		wait_for_turn(l);
	} else {
		drop_pending(l);
		sip_leg_event(l, TD_LEV_OFFER_REPLY,
			      td_sip_cause_of_status(status), status, NULL);
	}
}

int sip_reinvite(struct sip_leg *l, const char *sdp)
{
	struct td_sip_down *d = sip_dialog_request(l, "INVITE",
		l->local_cseq + 1, NULL, "application/sdp", sdp);
	int rc;

	if (!d)
		return -EINVAL;
	l->re_cseq = ++l->local_cseq;
	l->re_out = sip_tr_new(l);
	l->offered = true;
	sip_set_text(&l->sdp_local, sdp);
	d->type = TD_SIP_DOWN_REQUEST;
	d->tr = l->re_out;
	sip_random_hex(l->re_branch, 24);
	memcpy(d->branch, l->re_branch, sizeof(d->branch));
	rc = sip_leg_send(l, d);
	if (rc) {
		sip_tr_done(l->sip, &l->re_out);
		l->offered = false;
	}
	return rc;
}

void sip_send_pending(struct sip_leg *l)
{
	char *sdp = NULL;
	int rc;

	if (!l->pending || l->st != SIP_UP || l->re_out || l->re_in)
		return;
	rc = sip_dialog_sdp(l, l->pending, NULL, &sdp);
	if (!rc)
		rc = sdp ? sip_reinvite(l, sdp) : -EINVAL;
	free(sdp);
	if (!rc)
		return;
	drop_pending(l);
	td_warn("sip", "SIP-OFFER", "call_id=%s a re-INVITE could not leave",
		l->call_id);
}

int sip_offer(struct sip_leg *l, const struct td_session *s)
{
	if (l->st != SIP_UP && l->st != SIP_IN_ACK)
		return -EINVAL;
	if (l->pending)
		return -EBUSY;
	l->pending = malloc(sizeof(*l->pending));
	if (!l->pending)
		return -ENOMEM;
	*l->pending = *s;
	/* before the ACK, or while one of theirs is open, it waits */
	if (l->st != SIP_UP || l->re_in)
		return 0;
	sip_send_pending(l);
	return l->pending ? 0 : -EAGAIN;
}
