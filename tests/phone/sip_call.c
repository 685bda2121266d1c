// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/str.h"
#include "tests/phone/sip_private.h"

/* Calls of the phones; together with sip.c the only file that sees libre. */

static int auth(char **user, char **pass, const char *realm, void *arg)
{
	const struct td_psip_call *c = arg;
	int err = str_dup(user, c->user);

	return err ? err : re_sdprintf(pass, "pw%s", c->user);
}

int td_psip_tell(struct td_psip_call *c, struct td_psip_event *ev)
{
	struct td_psip *s = c->s;
	int rc;

	if (s->stopping)
		return 486;
	ev->call = c;
	ev->user = -1;
	rc = s->fn(s->arg, ev);
	td_psip_kick(s);
	return rc;
}

static void call_free(void *arg)
{
	struct td_psip_call *c = arg;

	list_unlink(&c->le);
	mem_deref(c->sess);
	mem_deref(c->sdp);	/* the media hangs on it */
}

static int call_new(struct td_psip *s, const char *user, bool out,
		    struct td_psip_call **cp)
{
	struct td_psip_call *c = mem_zalloc(sizeof(*c), call_free);
	struct sa a = s->laddr;
	int err;

	if (!c)
		return ENOMEM;
	list_append(&s->calls, &c->le, c);
	c->s = s;
	c->out = out;
	td_str_cut(c->user, sizeof(c->user), user);
	err = sdp_session_alloc(&c->sdp, &a);
	if (!err)
		err = sdp_media_add(&c->audio, c->sdp, "audio", 9,
				    "RTP/AVP");
	if (!err)
		err = sdp_format_add(NULL, c->audio, false,
				     s->conf.pt ? "8" : "0",
				     s->conf.pt ? "PCMA" : "PCMU", 8000, 1,
				     NULL, NULL, NULL, false, NULL);
	if (!err)
		err = sdp_media_set_lattr(c->audio, true, "ptime", "%d",
					  s->conf.ptime_ms);
	if (err) {
		mem_deref(c);
		return err;
	}
	*cp = c;
	return 0;
}

static void tell(struct td_psip_call *c, enum td_psip_kind kind, int status)
{
	struct td_psip_event ev = { .kind = kind, .status = status };

	td_psip_tell(c, &ev);
}

static int take_sdp(struct td_psip_call *c, const struct sip_msg *msg,
		    bool offer)
{
	size_t pos = msg->mb->pos;
	int err;

	if (!mbuf_get_left(msg->mb))
		return 0;
	err = sdp_decode(c->sdp, msg->mb, offer);
	msg->mb->pos = pos;
	if (err)
		return err;
	c->media = sdp_media_rformat(c->audio, NULL) &&
		   sdp_media_rport(c->audio);
	return c->media || !offer ? 0 : ENOTSUP;
}

static int on_offer(struct mbuf **desc, const struct sip_msg *msg, void *arg)
{
	struct td_psip_call *c = arg;
	bool have = mbuf_get_left(msg->mb) > 0;
	int err = take_sdp(c, msg, true);

	if (err)
		return err;
	if (have)
		tell(c, TD_PSIP_MEDIA, 0);
	return sdp_encode(desc, c->sdp, !have);
}

static int on_answer(const struct sip_msg *msg, void *arg)
{
	struct td_psip_call *c = arg;
	int err = take_sdp(c, msg, false);

	if (!err)
		tell(c, TD_PSIP_MEDIA, 0);
	return err;
}

static void on_progress(const struct sip_msg *msg, void *arg)
{
	struct td_psip_call *c = arg;
	struct td_psip_event ev = {
		.kind = TD_PSIP_PROGRESS, .status = msg->scode,
	};

	if (mbuf_get_left(msg->mb) && !take_sdp(c, msg, false))
		tell(c, TD_PSIP_MEDIA, msg->scode);
	td_psip_tell(c, &ev);
}

static void on_established(const struct sip_msg *msg, void *arg)
{
	struct td_psip_call *c = arg;

	c->answered = true;
	tell(c, TD_PSIP_ANSWERED, 0);
}

static int q850(const struct sip_msg *msg)
{
	const struct sip_hdr *h = msg ? sip_msg_hdr(msg, SIP_HDR_REASON) : NULL;

	return h ? td_psip_q850(h->val.p, h->val.l) : 0;
}

static void on_close(int err, const struct sip_msg *msg, void *arg)
{
	struct td_psip_call *c = arg;
	char reason[64] = "";
	struct td_psip_event ev = {
		.kind = TD_PSIP_CLOSED, .reason = reason, .cause = q850(msg),
	};

	if (msg && msg->req) {
		ev.by_peer = true;
	} else if (msg) {
		ev.status = msg->scode;
		snprintf(reason, sizeof(reason), "%.*s", (int)msg->reason.l,
			 msg->reason.p);
	} else if (err == ECONNRESET) {
		/* BYE and CANCEL come as this, without the message */
		ev.by_peer = true;
		ev.cause = c->wire_cause;
	} else if (err) {
		snprintf(reason, sizeof(reason), "%s", strerror(err));
	}
	c->sess = mem_deref(c->sess);
	td_psip_tell(c, &ev);
}

static void text(const struct pl *pl, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)pl->l, pl->p ? pl->p : "");
}

void td_psip_incoming(const struct sip_msg *msg, void *arg)
{
	struct td_psip *s = arg;
	struct td_psip_call *c;
	char from[64], to[64];
	struct td_psip_event ev = {
		.kind = TD_PSIP_INCOMING, .from = from, .to = to,
	};
	int err, status;

	text(&msg->from.uri.user, from, sizeof(from));
	text(&msg->uri.user, to, sizeof(to));
	err = call_new(s, to, false, &c);
	if (err) {
		sip_treply(NULL, s->sip, msg, 500, "No memory");
		return;
	}
	text(&msg->callid, c->call_id, sizeof(c->call_id));
	if (take_sdp(c, msg, true)) {
		sip_treply(NULL, s->sip, msg, 488, "Not Acceptable Here");
		mem_deref(c);
		return;
	}
	c->we_offer = !mbuf_get_left(msg->mb);
	status = td_psip_tell(c, &ev);
	if (status != 180) {
		sip_treply(NULL, s->sip, msg, status, status == 486 ?
			   "Busy Here" : status == 404 ? "Not Found" :
			   "Unavailable");
		mem_deref(c);
		return;
	}
	err = sipsess_accept(&c->sess, s->sock, msg, 180, "Ringing", c->user,
			     "application/sdp", NULL, auth, c, false, on_offer,
			     on_answer, on_established, NULL, NULL, on_close,
			     c, NULL);
	if (err)
		on_close(err, NULL, c);
}

static int desc_of(struct td_psip_call *c, bool offer, struct mbuf **mb)
{
	return sdp_encode(mb, c->sdp, offer);
}

int td_psip_dial(struct td_psip *s, const char *user, const char *to,
		 uint16_t rtp_port, void *arg, struct td_psip_call **out)
{
	const char *route = s->route;
	char uri[128], from[128];
	struct td_psip_call *c;
	struct mbuf *mb = NULL;
	int err = call_new(s, user, true, &c);

	if (err)
		return -err;
	c->arg = arg;
	sdp_media_set_lport(c->audio, rtp_port);
	snprintf(uri, sizeof(uri), "sip:%s@%s", to, s->conf.domain);
	snprintf(from, sizeof(from), "sip:%s@%s", user, s->conf.domain);
	err = desc_of(c, true, &mb);
	if (!err)
		err = sipsess_connect(&c->sess, s->sock, uri, NULL, from,
				      c->user, &route, 1, "application/sdp",
				      mb, auth, c, false, on_offer, on_answer,
				      on_progress, on_established, NULL, NULL,
				      on_close, c, NULL);
	mem_deref(mb);
	if (err) {
		mem_deref(c);
		return -err;
	}
	td_str_cut(c->call_id, sizeof(c->call_id),
		   sip_dialog_callid(sipsess_dialog(c->sess)));
	*out = c;
	return 0;
}

int td_psip_answer(struct td_psip_call *c, uint16_t rtp_port)
{
	struct mbuf *mb = NULL;
	int err;

	if (!c->sess)
		return -ENOTCONN;
	sdp_media_set_lport(c->audio, rtp_port);
	err = desc_of(c, c->we_offer, &mb);
	if (!err)
		err = sipsess_answer(c->sess, 200, "OK", mb, NULL);
	mem_deref(mb);
	return -err;
}

int td_psip_hold(struct td_psip_call *c, bool hold)
{
	struct mbuf *mb = NULL;
	int err;

	if (!c->sess || !c->answered)
		return -ENOTCONN;
	sdp_media_set_ldir(c->audio, hold ? SDP_SENDONLY : SDP_SENDRECV);
	err = desc_of(c, true, &mb);
	if (!err)
		err = sipsess_modify(c->sess, mb);
	mem_deref(mb);
	return -err;
}

void td_psip_hangup(struct td_psip_call *c)
{
	if (c->sess && !c->out && !c->answered)
		sipsess_reject(c->sess, 480, "Temporarily Unavailable", NULL);
	c->sess = mem_deref(c->sess);
}

void td_psip_call_free(struct td_psip_call *c)
{
	if (!c)
		return;
	td_psip_hangup(c);
	mem_deref(c);
}

void td_psip_call_set(struct td_psip_call *c, void *arg)
{
	c->arg = arg;
}

void *td_psip_call_arg(const struct td_psip_call *c)
{
	return c->arg;
}

const char *td_psip_call_id(const struct td_psip_call *c)
{
	return c->call_id;
}

int td_psip_wire_status(const struct td_psip_call *c)
{
	return c->wire_status;
}

void td_psip_media(const struct td_psip_call *c, struct td_psip_media *m)
{
	const struct sdp_format *f = sdp_media_rformat(c->audio, NULL);
	const struct sa *a = sdp_media_raddr(c->audio);
	enum sdp_dir dir = sdp_media_dir(c->audio);

	memset(m, 0, sizeof(*m));
	if (!c->media || !f || sa_af(a) != AF_INET)
		return;
	m->addr.s_addr = htonl(sa_in(a));
	m->port = sa_port(a);
	m->pt = f->pt;
	/* c=0.0.0.0 is the hold of RFC 2543 */
	m->send = dir & SDP_SENDONLY && m->addr.s_addr;
	m->receive = dir & SDP_RECVONLY;
}
