// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/call/calls_i.h"
#include "proto/base/str.h"

/* Voice is direct (both SDPs passed through, RTP never touches us) whenever
 * both ends speak RTP and neither is behind a NAT; else it is anchored: each
 * RTP end gets a port of ours, and the media room joins the ends. */

static bool same_host(const char *uri, const char *received)
{
	const char *h = strchr(uri, '@');
	size_t n = strcspn(received, ":");

	if (!*received)
		return true;
	h = h ? h + 1 : strchr(uri, ':') ? strchr(uri, ':') + 1 : uri;
	return strcspn(h, ":;>?") == n && !strncmp(h, received, n);
}

static bool is_rtp(const struct party *p)
{
	return p->sess && p->sess->kind == TD_MEDIA_RTP;
}

static bool b_speaks_rtp(const struct party *b)
{
	return b->target.kind == TD_TARGET_CONTACT ||
	       b->target.kind == TD_TARGET_NODE;
}

static bool can_be_direct(const struct call *c, const struct party *b)
{
	const struct party *a = &c->a;

	if (!is_rtp(a) || !a->sess->raw[0] || !b_speaks_rtp(b))
		return false;
	/* A has one dialog, in which the first SDP is the answer for good (RFC
	 * 3261 13.2.1): where several may speak it must be ours */
	if (c->n_targets > 1)
		return false;
	if (a->sess->nat && !c->setup.internal)
		return false;
	return b->target.kind == TD_TARGET_NODE ||
	       same_host(b->target.uri, b->target.received);
}

bool bridge_is_direct(const struct call *c, const struct party *b)
{
	return b->direct;
}

/* ---- addresses and ports ---- */

static const struct td_site_node *own_node(const struct call *c)
{
	return td_site_node(c->room->site, c->room->cfg.node_id);
}

static bool is_cluster_address(const struct call *c, const char *address)
{
	for (size_t i = 0; i < c->room->site->n_nodes; i++)
		if (!strcmp(c->room->site->nodes[i].cluster_address, address))
			return true;
	return false;
}

/** Does the voice of this end come from, or go to, another node's slot? */
static bool between_nodes(const struct call *c, const struct party *p)
{
	if (p->outgoing)
		return p->target.kind == TD_TARGET_NODE && p->target.far_slot;
	return c->setup.internal && is_rtp(p) &&
	       is_cluster_address(c, p->sess->address);
}

/** Phones are always given a service address; nodes among themselves use
 *  their own. */
static const char *local_address(const struct call *c, const struct party *p)
{
	const struct td_site *s = c->room->site;
	const struct td_site_node *n = own_node(c);
	const char *wanted = p->outgoing ? p->target.address :
					   c->setup.address;

	if (n && between_nodes(c, p))
		return n->cluster_address;
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->addresses[i].n_nodes &&
		    s->addresses[i].nodes[0] == c->room->cfg.node_id &&
		    !strcmp(s->addresses[i].name, wanted))
			return s->addresses[i].address;
	for (size_t i = 0; i < s->n_addresses; i++)
		if (s->addresses[i].n_nodes &&
		    s->addresses[i].nodes[0] == c->room->cfg.node_id)
			return s->addresses[i].address;
	return n ? n->address : "";
}

static int need_port(struct call *c, struct party *p)
{
	struct td_voice_ops *v = &c->room->cfg.voice;
	const char *address = local_address(c, p);
	int rc;

	if (p->rtp)
		return 0;
	td_str_cut(p->rtp_address, sizeof(p->rtp_address), address);
	p->codec = TD_CODEC_PCMA;
	rc = v->rtp_open(v->m, address, &p->rtp, &p->rtp_port);
	if (rc)
		return rc;
	p->rtp_at_ms = td_view_now_ms(td_cluster_view(c->room->cfg.cluster));
	if (v->start)
		v->start(v->m, p->rtp, &p->rtp_start);
	return 0;
}

void bridge_release(struct call *c, struct party *p)
{
	struct td_voice_ops *v = &c->room->cfg.voice;

	if (!p->rtp)
		return;
	v->part(v->m, &(struct td_voice_end){ .kind = TD_VOICE_RTP,
					      .rtp = p->rtp });
	v->rtp_close(v->m, p->rtp);
	for (int i = 0; i < 2; i++)
		if (c->joined[i].kind == TD_VOICE_RTP &&
		    c->joined[i].rtp == p->rtp) {
			memset(c->joined, 0, sizeof(c->joined));
			break;
		}
	p->rtp = 0;
	memset(&p->rtp_told, 0, sizeof(p->rtp_told));
}

/* ---- sessions ---- */

/** A-law first: a timeslot carries it, so octets pass unchanged. */
static int choose_codec(const struct td_session *s, uint8_t *out)
{
	bool ulaw = false;

	for (unsigned int i = 0; i < s->n_codecs; i++) {
		if (s->codecs[i] == TD_CODEC_PCMA) {
			*out = TD_CODEC_PCMA;
			return 0;
		}
		ulaw |= s->codecs[i] == TD_CODEC_PCMU;
	}
	if (!ulaw)
		return -EINVAL;
	*out = TD_CODEC_PCMU;
	return 0;
}

static enum td_direction reversed(enum td_direction d)
{
	return d == TD_DIR_SENDONLY ? TD_DIR_RECVONLY :
	       d == TD_DIR_RECVONLY ? TD_DIR_SENDONLY : d;
}

/** telephone-event is taken only where both ends speak RTP: a timeslot wants
 *  the tones themselves, so there the phone must send them in-band. */
static uint8_t dtmf_of(const struct call *c, const struct party *b)
{
	return is_rtp(&c->a) && b && b_speaks_rtp(b) ? 101 : 0;
}

static void write_offer(const struct call *c, const struct party *p,
			uint8_t dtmf, struct td_session *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = TD_MEDIA_RTP;
	memcpy(out->address, p->rtp_address, sizeof(out->address));
	out->port = p->rtp_port;
	out->codecs[0] = TD_CODEC_PCMA;
	out->codecs[1] = TD_CODEC_PCMU;
	out->n_codecs = 2;
	out->dtmf_payload = dtmf;
}

static void write_answer(const struct party *p, uint8_t dtmf,
			 struct td_session *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = TD_MEDIA_RTP;
	memcpy(out->address, p->rtp_address, sizeof(out->address));
	out->port = p->rtp_port;
	out->codecs[0] = p->codec;
	out->n_codecs = 1;
	out->dtmf_payload = dtmf ? p->sess->dtmf_payload : 0;
	out->ptime_ms = p->sess->ptime_ms;
	out->dir = reversed(p->sess->dir);
}

/** Tells the media room what the far end of p's RTP wants. */
static int apply_remote(struct call *c, struct party *p)
{
	struct td_voice_ops *v = &c->room->cfg.voice;
	const struct td_session *s = p->sess;
	struct td_voice_rtp r;
	int rc = choose_codec(s, &p->codec);

	memset(&r, 0, sizeof(r));	/* padding too: it is compared */

	if (rc)
		return rc;
	td_str_cut(r.remote, sizeof(r.remote), s->address);
	r.remote_port = s->port;
	r.codec = p->codec;
	r.dtmf_payload = s->dtmf_payload;
	r.ptime_ms = s->ptime_ms ? s->ptime_ms : 20;
	r.send = s->dir == TD_DIR_SENDRECV || s->dir == TD_DIR_RECVONLY;
	r.recv = s->dir == TD_DIR_SENDRECV || s->dir == TD_DIR_SENDONLY;
	r.symmetric = true;
	r.dscp = 46;		/* no reservation stands behind it (RFC 5865) */
	r.jitter_ms = c->room->site->jitter_ms;
	r.silence_s = r.recv ? c->room->site->rtp_timeout_s : 0;
	/* early media that is answered goes on as it is */
	if (!memcmp(&r, &p->rtp_told, sizeof(r)))
		return 0;
	rc = v->rtp_set(v->m, p->rtp, &r);
	if (!rc)
		p->rtp_told = r;
	return rc;
}

int bridge_offer_b(struct call *c, struct party *b, struct td_session *out)
{
	int rc;

	memset(out, 0, sizeof(*out));
	if (!b_speaks_rtp(b))
		return 0;
	b->direct = can_be_direct(c, b);
	if (b->direct) {
		*out = *c->a.sess;
		return 0;
	}
	rc = need_port(c, b);
	if (!rc)
		write_offer(c, b, dtmf_of(c, b), out);
	return rc;
}

int bridge_session_a(struct call *c, struct party *b, struct td_session *out)
{
	struct party *a = &c->a;
	int rc;

	memset(out, 0, sizeof(*out));
	if (bridge_is_direct(c, b)) {
		if (!is_rtp(b))
			return -EINVAL;
		*out = *b->sess;
		return 0;
	}
	if (a->sess && a->sess->kind == TD_MEDIA_SLOT)
		return 0;
	rc = need_port(c, a);
	if (rc)
		return rc;
	if (!is_rtp(a)) {		/* late offer: ours; the ACK answers */
		write_offer(c, a, 0, out);
		return 0;
	}
	rc = choose_codec(a->sess, &a->codec);
	if (!rc)
		write_answer(a, dtmf_of(c, b), out);
	return rc;
}

/* ---- joining ---- */

static int end_of(struct call *c, struct party *p, struct td_voice_end *e)
{
	const struct td_site_line *l;
	int rc;

	memset(e, 0, sizeof(*e));
	if (p->sess && p->sess->kind == TD_MEDIA_SLOT) {
		l = td_site_line(c->room->site, p->sess->span);
		if (!l)
			return -ENOENT;
		e->kind = TD_VOICE_SLOT;
		e->port = l->port;
		e->timeslot = p->sess->timeslot;
		return 0;
	}
	if (p->sess && p->sess->kind == TD_MEDIA_ECHO) {
		e->kind = TD_VOICE_ECHO;
		return 0;
	}
	rc = need_port(c, p);
	if (rc)
		return rc;
	if (is_rtp(p)) {
		rc = apply_remote(c, p);
		if (rc)
			return rc;
	}
	e->kind = TD_VOICE_RTP;
	e->rtp = p->rtp;
	return 0;
}

static bool same_end(const struct td_voice_end *a,
		     const struct td_voice_end *b)
{
	return a->kind == b->kind && a->rtp == b->rtp && a->port == b->port &&
	       a->timeslot == b->timeslot;
}

int bridge_join(struct call *c, struct party *b)
{
	struct td_voice_ops *v = &c->room->cfg.voice;
	struct td_voice_end ea, eb;
	int rc;

	if (bridge_is_direct(c, b)) {
		c->voice = "direct";
		return 0;
	}
	rc = end_of(c, &c->a, &ea);
	if (!rc)
		rc = end_of(c, b, &eb);
	if (rc)
		return rc;
	if (ea.kind == TD_VOICE_SLOT && eb.kind == TD_VOICE_SLOT)
		c->voice = "xconn";
	else if (between_nodes(c, &c->a) || between_nodes(c, b))
		c->voice = "bundle";
	else
		c->voice = "local";
	if (same_end(&ea, &c->joined[0]) && same_end(&eb, &c->joined[1]))
		return 0;
	rc = v->join(v->m, &ea, &eb);
	if (!rc) {
		c->joined[0] = ea;
		c->joined[1] = eb;
	}
	return rc;
}

bool bridge_early(struct call *c, struct party *b)
{
	/* a 180 that is sent again must not take the ear from another one */
	if (c->early && c->early != b && c->early->alive && !b->news)
		return false;
	c->early = b;
	return true;
}

void bridge_early_gone(struct call *c, struct party *b)
{
	if (c->early != b)
		return;
	c->early = NULL;
	for (unsigned int i = c->n_b; i-- > 0 && !c->early;) {
		struct party *p = &c->b[i];

		if (p->alive && !p->told_clear && p->sess &&
		    !bridge_join(c, p))
			c->early = p;
	}
}

/* What was joined, not what the site now says of it: the line may be gone
 * from it. */
void bridge_part(struct call *c)
{
	struct td_voice_ops *v = &c->room->cfg.voice;

	for (int i = 0; i < 2; i++)
		if (c->joined[i].kind && c->joined[i].kind != TD_VOICE_ECHO)
			v->part(v->m, &c->joined[i]);
	memset(c->joined, 0, sizeof(c->joined));
}

/* ---- re-INVITE ---- */

void bridge_take(struct party *p, const struct td_session *s)
{
	*p->sess = *s;
	p->held = s->dir == TD_DIR_SENDONLY || s->dir == TD_DIR_INACTIVE;
}

int bridge_offer(struct call *c, struct party *p, const struct td_session *s,
		 struct td_session *reply)
{
	struct party *o = call_other(c, p), *b = call_winner(c);
	bool empty = !s || s->kind != TD_MEDIA_RTP;
	uint8_t codec;
	int rc;

	if (!o || !b || !is_rtp(p))
		return -EINVAL;
	if (bridge_is_direct(c, b)) {
		if (empty) {		/* what the other side last said */
			*reply = *o->sess;
			return 0;
		}
		if (c->offerer)
			return -EBUSY;
		if (!c->offered)
			c->offered = malloc(sizeof(*c->offered));
		if (!c->offered)
			return -ENOMEM;
		*c->offered = *s;
		c->offerer = p;
		rc = o->leg->ops->offer(o->leg, s);
		if (!rc)
			return -EINPROGRESS;
		c->offerer = NULL;
		return rc;
	}
	if (!p->rtp)
		return -EINVAL;
	if (empty) {
		write_offer(c, p, dtmf_of(c, b), reply);
		return 0;
	}
	rc = choose_codec(s, &codec);	/* refused: all stays as it was */
	if (rc)
		return rc;
	bridge_take(p, s);
	rc = apply_remote(c, p);
	if (!rc)
		write_answer(p, dtmf_of(c, b), reply);
	return rc;
}

void bridge_answered_late(struct call *c, struct party *p,
			  const struct td_session *s)
{
	struct party *o = call_other(c, p);

	if (!p->rtp) {
		/* direct: it answered the other side's last SDP, which may
		 * have moved or held it; the other side has to know */
		if (!o || !o->alive || !is_rtp(p) || c->offerer ||
		    !strcmp(p->sess->raw, s->raw))
			return;
		bridge_take(p, s);
		if (!o->leg->ops->offer(o->leg, s))
			c->relayed = o;
		return;
	}
	if (!p->sess)
		p->sess = malloc(sizeof(*p->sess));
	if (!p->sess)
		return;
	*p->sess = *s;
	apply_remote(c, p);
}
