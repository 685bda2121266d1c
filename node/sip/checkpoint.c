// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "node/sip/sip_i.h"

/* A leg as its row in the view: what another node goes on with. */

static const Td__SipState states[] = {
	[SIP_NULL] = TD__SIP_STATE__SIP_NULL,
	[SIP_IN] = TD__SIP_STATE__SIP_IN,
	[SIP_IN_ACK] = TD__SIP_STATE__SIP_IN_ACK,
	[SIP_OUT] = TD__SIP_STATE__SIP_OUT,
	[SIP_OUT_OFFERED] = TD__SIP_STATE__SIP_OUT_OFFERED,
	[SIP_UP] = TD__SIP_STATE__SIP_UP,
	[SIP_CLEARING] = TD__SIP_STATE__SIP_CLEARING,
	[SIP_OVER] = TD__SIP_STATE__SIP_OVER,
};

static char *text(char *s)
{
	return s ? s : (char *)"";
}

static void peer(const struct td_sip_peer *p, char *out, size_t size)
{
	*out = '\0';
	if (p->port)
		snprintf(out, size, strchr(p->host, ':') ? "[%s]:%u" : "%s:%u",
			 p->host, p->port);
}

static void put_timer(const struct sip_leg *l, struct sip_checkpoint *c)
{
	td__sip_timer__init(&c->timer);
	if (!l->timer.interval_s && !l->timer.min_s)
		return;
	c->timer.interval_s = l->timer.interval_s;
	c->timer.ours = l->timer.ours;
	c->timer.known = l->timer.known;
	c->timer.min_se_s = l->timer.min_s;
	c->timer.due_ms = l->refresh_at_ms;
	c->timer.end_ms = l->end_at_ms;
	c->dialog.timer = &c->timer;
}

/** The requests that are open: at most one each way counts, for a BYE ends
 *  what else was on its way. */
static void put_requests(struct sip_leg *l, struct sip_checkpoint *c)
{
	td__sip_request__init(&c->theirs);
	td__sip_request__init(&c->ours);
	if (l->re_in) {
		c->theirs.method = (char *)(l->re_update ? "UPDATE" : "INVITE");
		c->theirs.cseq = l->remote_cseq;
		c->theirs.raw.data = (uint8_t *)l->re_raw;
		c->theirs.raw.len = l->re_raw ? l->n_re_raw : 0;
		c->dialog.theirs = &c->theirs;
	}
	if (l->bye_tr) {
		c->ours.method = (char *)"BYE";
		c->ours.cseq = l->bye_cseq;
		c->ours.branch = l->bye_branch;
		c->dialog.ours = &c->ours;
	} else if (l->re_out) {
		c->ours.method = (char *)"INVITE";
		c->ours.cseq = l->re_cseq;
		c->ours.branch = l->re_branch;
		c->dialog.ours = &c->ours;
	}
}

/** The INVITE itself, for as long as its transaction must be made again. */
static bool invite_counts(const struct sip_leg *l)
{
	return l->invite && (l->st == SIP_IN || l->st == SIP_IN_ACK ||
			     l->st == SIP_OUT ||
			     (l->st == SIP_CLEARING && l->tr));
}

void sip_dialog_checkpoint(struct td_leg *leg, Td__CallLeg *out)
{
	struct sip_leg *l = (struct sip_leg *)leg;
	static const char *const transports[] = { "udp", "tcp" };
	struct sip_checkpoint *c = l->cp;
	Td__SipDialog *d = &c->dialog;

	td__sip_dialog__init(d);
	d->call_id = l->call_id;
	d->local = l->local;
	d->remote = l->remote;
	d->local_tag = l->local_tag;
	d->remote_tag = l->remote_tag;
	d->local_cseq = l->local_cseq;
	d->remote_cseq = l->remote_cseq;
	for (unsigned int i = 0; i < l->n_routes; i++)
		c->route[i] = l->route[i];
	d->route = c->route;
	d->n_route = l->n_routes;
	d->target = l->target;
	d->branch = l->branch;
	d->uac = l->uac;
	d->sdp_local = text(l->sdp_local);
	d->sdp_remote = text(l->sdp_remote);
	d->transport = (char *)transports[l->to.transport];
	d->contact = l->contact;
	if (invite_counts(l)) {
		d->invite.data = (uint8_t *)l->invite;
		d->invite.len = l->n_invite;
	}
	/* where its requests go: the source it came from, or the flow */
	peer(&l->to, l->received, sizeof(l->received));
	d->received = l->received;
	peer(&l->other, c->other, sizeof(c->other));
	d->other = c->other;
	d->state = states[l->st];
	d->invite_cseq = l->invite_cseq;
	d->flow = l->flow;
	d->offered = l->offered;
	d->early_sdp = l->early_sdp;
	d->ringing = l->ringing;
	d->update = l->update;
	if (l->must_bye || l->st == SIP_CLEARING)
		d->clear_cause = l->clear_cause;
	put_requests(l, c);
	put_timer(l, c);
	out->kind = TD__LEG_KIND__LEG_SIP;
	out->peer = l->peer;
	out->unit = l->unit;
	out->internal = l->internal;
	out->sip = d;
}
