// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/sip/cause.h"
#include "node/sip/sip_i.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* What all SIP legs share: life, sending behind a checkpoint, clearing. */

enum {
	CLEAR_GUARD_MS = 5000,	/* beyond the stack's own timers */
	TIDY_MS = 1000,
};

int sip_leg_make(struct td_sip *s, struct sip_leg **out)
{
	struct sip_leg *l;

	if (td_map_count(s->legs) >= s->cfg.max_legs)
		return -EAGAIN;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->leg.ops = &sip_leg_ops;
	l->leg.up = s->cfg.up;
	l->sip = s;
	l->st = SIP_NULL;
	l->id = ++s->next_id;
	if (td_map_set(s->legs, &l->id, sizeof(l->id), l, NULL)) {
		free(l);
		return -ENOMEM;
	}
	*out = l;
	return 0;
}

int td_sip_leg_new(void *room, struct td_leg **out)
{
	struct sip_leg *l;
	int rc = sip_leg_make(room, &l);

	if (!rc)
		*out = &l->leg;
	return rc;
}

static size_t dialog_key(const struct sip_leg *l, char *key, size_t size)
{
	return snprintf(key, size, "%s\n%s", l->call_id, l->local_tag);
}

int sip_leg_index(struct sip_leg *l)
{
	char key[384];
	size_t n = dialog_key(l, key, sizeof(key));

	return td_map_set(l->sip->dialogs, key, n, l, NULL);
}

uint64_t sip_tr_new(struct sip_leg *l)
{
	uint64_t id = ++l->sip->next_tr;

	if (td_map_set(l->sip->trs, &id, sizeof(id), l, NULL))
		return 0;
	return id;
}

void sip_tr_done(struct td_sip *s, uint64_t *tr)
{
	if (*tr)
		td_map_del(s->trs, tr, sizeof(*tr));
	*tr = 0;
}

/** A transaction that nobody will answer, or whose answer nobody waits for:
 *  a phone that rings on after a CANCEL would keep it for ever. */
static void forget(struct td_sip *s, uint64_t *tr)
{
	struct td_sip_down *d = *tr ? calloc(1, sizeof(*d) + 1) : NULL;

	if (d) {
		d->type = TD_SIP_DOWN_FORGET;
		d->tr = *tr;
		sip_put(s, d);
	}
	sip_tr_done(s, tr);
}

void sip_leg_free(struct td_leg *leg)
{
	struct sip_leg *l = (struct sip_leg *)leg;
	struct td_sip *s;
	char key[384];
	size_t n;

	if (!l)
		return;
	s = l->sip;
	td_timer_stop(&l->no_answer);
	td_timer_stop(&l->later);
	td_timer_stop(&l->glare);
	td_timer_stop(&l->tidy);
	sip_timer_stop(l);
	n = dialog_key(l, key, sizeof(key));
	if (td_map_get(s->dialogs, key, n) == l)
		td_map_del(s->dialogs, key, n);
	/* a 2xx of ours is repeated by the stack until its ACK comes */
	if (l->st != SIP_IN_ACK)
		forget(s, &l->tr);
	sip_tr_done(s, &l->tr);
	forget(s, &l->re_in);
	forget(s, &l->re_out);
	sip_tr_done(s, &l->bye_tr);
	sip_tr_done(s, &l->ping);
	td_map_del(s->legs, &l->id, sizeof(l->id));
	free(l->invite);
	free(l->headers);
	free(l->re_raw);
	free(l->sdp_local);
	free(l->sdp_remote);
	free(l->pending);
	free(l);
}

void sip_leg_event(struct sip_leg *l, enum td_leg_event_type type, int cause,
		   int status, const struct td_session *s)
{
	struct td_leg_event ev = { .type = type, .cause = cause,
				   .sip_status = status, .session = s,
				   .inband = s && s->kind == TD_MEDIA_RTP };

	l->leg.up->event(l->leg.up->arg, &l->leg, &ev);
}

static void on_over(void *arg)
{
	struct sip_leg *l = arg;

	/* the call may free the leg in this */
	sip_leg_event(l, TD_LEV_CLEARED, l->clear_cause, l->clear_status,
		      NULL);
}

void sip_leg_over(struct sip_leg *l, int cause)
{
	if (l->st == SIP_OVER)
		return;
	l->st = SIP_OVER;
	l->clear_cause = cause;
	td_timer_stop(&l->no_answer);
	td_timer_stop(&l->glare);
	td_timer_stop(&l->tidy);
	sip_timer_stop(l);
	td_timer_start(l->sip->cfg.loop, &l->later, 0, on_over, l);
}

static void on_tidy(void *arg)
{
	struct sip_leg *l = arg;

	/* nothing waits for it: when it is refused, the next one says it */
	l->leg.up->checkpoint(l->leg.up->arg, &l->leg);
}

void sip_leg_tidy(struct sip_leg *l)
{
	if (l->st != SIP_OVER && !td_timer_running(&l->tidy))
		td_timer_start(l->sip->cfg.loop, &l->tidy, TIDY_MS, on_tidy,
			       l);
}

/* ---- sending behind a checkpoint ---- */

struct effect {
	struct td_sip *sip;
	uint64_t leg;
	struct td_sip_down *d;
};

static void lost_effect(struct effect *e, int status)
{
	struct sip_leg *l = td_map_get_u64(e->sip->legs, e->leg);

	e->sip->st.effects_cancelled++;
	/* a minority says nothing about its calls; who asked may ask again */
	if (e->d->type == TD_SIP_DOWN_REPLY) {
		sip_put(e->sip, sip_busy_record(e->d->tr, e->d->tag));
	}
	free(e->d);
	if (l && l->st != SIP_OVER) {
		td_warn("sip", "SIP-CANCELLED", "call_id=%s what should leave "
			"was cancelled: %s", l->call_id, strerror(-status));
		if (l->st == SIP_IN)
			sip_tr_done(l->sip, &l->tr);
		sip_leg_over(l, 41);
	}
}

static void on_effect(void *arg, int status)
{
	struct effect *e = arg;

	if (!sip_effect_done(e->sip)) {
		free(e->d);
	} else if (status) {
		lost_effect(e, status);
	} else if (sip_put(e->sip, e->d)) {
		struct sip_leg *l = td_map_get_u64(e->sip->legs, e->leg);

		if (l)
			sip_leg_over(l, 42);
	}
	free(e);
}

int sip_leg_send(struct sip_leg *l, struct td_sip_down *d)
{
	struct effect *e;
	int rc;

	if (!d)
		return -ENOMEM;
	e = malloc(sizeof(*e));
	if (!e) {
		free(d);
		return -ENOMEM;
	}
	*e = (struct effect){ .sip = l->sip, .leg = l->id, .d = d };
	rc = l->leg.up->checkpoint(l->leg.up->arg, &l->leg);
	l->sip->effects++;
	if (!rc)
		rc = td_cluster_effect_urgent(l->sip->cfg.cluster,
					      on_effect, e);
	if (rc) {
		l->sip->effects--;
		l->sip->st.checkpoints_refused++;
		free(d);
		free(e);
	}
	return rc;
}

int sip_leg_reply(struct sip_leg *l, uint64_t tr, int status,
		  const char *headers, const char *body)
{
	char h[1024];

	/* dialog-establishing and target-refreshing answers carry Contact */
	snprintf(h, sizeof(h), "%s%s%s%s%s%s%s",
		 status > 100 && status < 300 ? "Contact: " : "",
		 status > 100 && status < 300 ? l->contact : "",
		 status > 100 && status < 300 ? "\r\n" : "",
		 status >= 200 && status < 300 ? "Allow: " TD_SIP_ALLOW "\r\n" :
						 "",
		 headers ? headers : "",
		 body ? "Content-Type: application/sdp\r\n" : "",
		 "Server: Tandem\r\n");
	return sip_leg_send(l, sip_reply_record(tr, status, l->local_tag, h,
						body));
}

/* ---- clearing ---- */

static void on_guard(void *arg)
{
	struct sip_leg *l = arg;

	td_warn("sip", "SIP-NO-END", "call_id=%s the far end did not confirm "
		"the end of the call", l->call_id);
	sip_leg_over(l, l->clear_cause);
}

static void guard(struct sip_leg *l)
{
	uint32_t ms = l->sip->cfg.t1x64_ms;

	td_timer_start(l->sip->cfg.loop, &l->later,
		       (ms ? ms : 32000) + CLEAR_GUARD_MS, on_guard, l);
}

static void reason_header(int cause, char *out, size_t size)
{
	snprintf(out, size, "Reason: Q.850;cause=%d;text=\"%s\"\r\n", cause,
		 td_sip_cause_text(cause));
}

int sip_leg_bye(struct sip_leg *l, int cause)
{
	struct td_sip_down *d;
	char h[128];
	int rc;

	l->clear_cause = cause;
	l->st = SIP_CLEARING;
	td_timer_stop(&l->glare);
	sip_timer_stop(l);
	reason_header(cause, h, sizeof(h));
	d = sip_dialog_request(l, "BYE", ++l->local_cseq, h, NULL, NULL);
	if (d) {
		l->bye_tr = sip_tr_new(l);
		l->bye_cseq = l->local_cseq;
		d->type = TD_SIP_DOWN_REQUEST;
		d->tr = l->bye_tr;
		sip_random_hex(l->bye_branch, 24);
		memcpy(d->branch, l->bye_branch, sizeof(d->branch));
	}
	rc = sip_leg_send(l, d);
	if (rc)
		sip_leg_over(l, cause);
	else
		guard(l);
	return rc;
}

void sip_leg_dead(struct sip_leg *l, int cause)
{
	if (l->st == SIP_UP)
		sip_leg_bye(l, cause);
	sip_leg_over(l, cause);
}

static void refuse(struct sip_leg *l, int cause, unsigned int retry_after_s)
{
	int status = retry_after_s ? 503 : td_sip_status_of_cause(cause);
	char h[256], r[128], after[32] = "";

	l->clear_status = status;
	reason_header(cause, r, sizeof(r));
	if (retry_after_s)
		sip_retry_after(retry_after_s, after, sizeof(after));
	snprintf(h, sizeof(h), "%s%s", after, r);
	if (sip_leg_reply(l, l->tr, status, h, NULL)) {
		/* no checkpoint, but the phone must not be left waiting */
		sip_put(l->sip, sip_busy_record(l->tr, l->local_tag));
	}
	sip_tr_done(l->sip, &l->tr);
	sip_leg_over(l, cause);
}

static void cancel(struct sip_leg *l, int cause)
{
	struct td_sip_down *d;
	char text[128];

	/* so that a phone shows no missed call, RFC 3326 2 */
	if (cause == 26)
		snprintf(text, sizeof(text), "SIP;cause=200;text=\"Call "
			 "completed elsewhere\"");
	else
		snprintf(text, sizeof(text), "Q.850;cause=%d;text=\"%s\"",
			 cause, td_sip_cause_text(cause));
	l->clear_cause = cause;
	l->st = SIP_CLEARING;
	td_timer_stop(&l->no_answer);
	d = calloc(1, sizeof(*d) + sizeof(text));
	if (d) {
		d->type = TD_SIP_DOWN_CANCEL;
		d->tr = l->tr;
		d->n = strlen(text);
		strcpy(d->text, text);
	}
	if (sip_leg_send(l, d))
		sip_leg_over(l, cause);
	else
		guard(l);
}

static void leg_clear(struct td_leg *leg, int cause,
		      unsigned int retry_after_s)
{
	struct sip_leg *l = (struct sip_leg *)leg;

	switch (l->st) {
	case SIP_NULL:
		sip_leg_over(l, cause);
		break;
	case SIP_IN:
		refuse(l, cause, retry_after_s);
		break;
	case SIP_IN_ACK:	/* RFC 3261 15: not before the ACK */
		l->must_bye = true;
		l->clear_cause = cause;
		break;
	case SIP_OUT:
		cancel(l, cause);
		break;
	case SIP_OUT_OFFERED:
		sip_offer_reply(l, cause, NULL);
		break;
	case SIP_UP:
		sip_leg_bye(l, cause);
		break;
	case SIP_CLEARING:
	case SIP_OVER:
		break;
	}
}

/* ---- commands of an incoming leg ---- */

static int leg_proceeding(struct td_leg *leg)
{
	return 0;		/* the stack sends 100 after 200 ms */
}

static int leg_more_digits(struct td_leg *leg)
{
	struct sip_leg *l = (struct sip_leg *)leg;

	/* SIP numbers are complete (RFC 3578 is not spoken): 484 */
	if (l->st != SIP_IN)
		return -EINVAL;
	refuse(l, 28, 0);
	return 0;
}

static int provisional(struct sip_leg *l, int status,
		       const struct td_session *s)
{
	char *sdp;
	int rc;

	if (l->st != SIP_IN)
		return -EINVAL;
	rc = sip_dialog_sdp(l, s, l->sdp_remote, &sdp);
	if (rc)
		return rc;
	/* a late offer is made once, in the 200 */
	if (sdp && !l->sdp_remote) {
		free(sdp);
		sdp = NULL;
	}
	if (sdp)
		sip_set_text(&l->sdp_local, sdp);
	l->ringing = true;
	rc = sip_leg_reply(l, l->tr, status, NULL, sdp);
	free(sdp);
	return rc;
}

static int leg_progress(struct td_leg *leg, const struct td_session *s)
{
	return provisional((struct sip_leg *)leg, 183, s);
}

static int leg_alerting(struct td_leg *leg, const struct td_session *s)
{
	return provisional((struct sip_leg *)leg, 180, s);
}

static int leg_answer(struct td_leg *leg, const struct td_session *s)
{
	struct sip_leg *l = (struct sip_leg *)leg;
	char *sdp, h[128];
	int rc;

	if (l->st != SIP_IN)
		return -EINVAL;
	rc = sip_dialog_sdp(l, s, l->sdp_remote, &sdp);
	if (rc)
		return rc;
	l->offered = sdp && !l->sdp_remote;
	if (sdp)
		sip_set_text(&l->sdp_local, sdp);
	l->st = SIP_IN_ACK;
	sip_timer_start(l, &l->timer_next);
	sip_timer_answer(&l->timer, h, sizeof(h));
	rc = sip_leg_reply(l, l->tr, 200, h, sdp);
	if (rc) {
		l->st = SIP_IN;
		sip_timer_stop(l);
	}
	free(sdp);
	return rc;
}

/* ---- commands of both ---- */

static int leg_offer(struct td_leg *leg, const struct td_session *s)
{
	return sip_offer((struct sip_leg *)leg, s);
}

static int leg_offer_reply(struct td_leg *leg, int cause,
			   const struct td_session *s)
{
	return sip_offer_reply((struct sip_leg *)leg, cause, s);
}

/** A digit that came out of band elsewhere, as INFO: the widespread
 *  application/dtmf-relay. */
static int leg_dtmf(struct td_leg *leg, char digit)
{
	struct sip_leg *l = (struct sip_leg *)leg;
	struct td_sip_down *d;
	char body[64];

	if (l->st != SIP_UP || !digit || !strchr("0123456789*#ABCD", digit))
		return -EINVAL;
	snprintf(body, sizeof(body), "Signal=%c\r\nDuration=160\r\n", digit);
	d = sip_dialog_request(l, "INFO", ++l->local_cseq, NULL,
			       "application/dtmf-relay", body);
	if (d) {
		d->type = TD_SIP_DOWN_REQUEST;
		d->tr = ++l->sip->next_tr;	/* its answer changes nothing */
		sip_random_hex(d->branch, 24);
	}
	return sip_leg_send(l, d);
}

const struct td_leg_ops sip_leg_ops = {
	.kind = "sip",
	.setup = sip_setup,
	.more_digits = leg_more_digits,
	.proceeding = leg_proceeding,
	.progress = leg_progress,
	.alerting = leg_alerting,
	.answer = leg_answer,
	.offer = leg_offer,
	.offer_reply = leg_offer_reply,
	.dtmf = leg_dtmf,
	.probe = sip_probe,
	.clear = leg_clear,
	.checkpoint = sip_dialog_checkpoint,
	.free = sip_leg_free,
};
