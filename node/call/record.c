// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/call/calls_i.h"
#include "proto/base/str.h"

/* What another node needs in order to carry on with a call. */

struct leg_text {
	char rtp_local[64], rtp_remote[64];
};

static void hostport(char *out, size_t size, const char *host, uint16_t port)
{
	snprintf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		 port);
}

/** Ports, numbers and directions of RTP that ends here. */
static void fill_rtp(const struct party *p, Td__Rtp *rtp, struct leg_text *t)
{
	const struct td_voice_rtp *told = &p->rtp_told;

	td__rtp__init(rtp);
	hostport(t->rtp_local, sizeof(t->rtp_local), p->rtp_address,
		 p->rtp_port);
	rtp->local = t->rtp_local;
	rtp->payload = p->codec;
	rtp->ssrc = p->rtp_start.ssrc;
	rtp->seq = p->rtp_start.seq;
	rtp->ts = p->rtp_start.ts;
	rtp->at_ms = p->rtp_at_ms;
	if (!told->remote[0])
		return;
	hostport(t->rtp_remote, sizeof(t->rtp_remote), told->remote,
		 told->remote_port);
	rtp->remote = t->rtp_remote;
	rtp->dtmf_payload = told->dtmf_payload;
	rtp->ptime_ms = told->ptime_ms;
	rtp->send = told->send;
	rtp->recv = told->recv;
}

static const char *codec_name(const struct party *p)
{
	uint8_t codec = p->codec;

	if (!p->rtp) {		/* voice goes past us: what the SDP says */
		if (!p->sess || p->sess->kind != TD_MEDIA_RTP ||
		    !p->sess->n_codecs)
			return p->sess && p->sess->kind == TD_MEDIA_SLOT ?
				"PCMA" : "";
		codec = p->sess->codecs[0];
	}
	return codec == TD_CODEC_PCMU ? "PCMU" : "PCMA";
}

static void fill_leg(struct party *p, uint32_t index, Td__CallLeg *m,
		     Td__Rtp *rtp, struct leg_text *t)
{
	td__call_leg__init(m);
	if (p->leg)
		p->leg->ops->checkpoint(p->leg, m);
	m->index = index;
	m->state = p->state;
	m->since_ms = p->since_ms;
	m->held = p->held;
	if (m->isdn && m->isdn->timeslot) {
		td_str_cut(p->log_span, sizeof(p->log_span), m->isdn->span);
		p->log.timeslot = m->isdn->timeslot;
	}
	m->log = &p->log;
	p->log.span = p->log_span;
	p->log.number = p->outgoing ? p->target.number : p->call->setup.called;
	m->internal = p->outgoing ? p->target.kind == TD_TARGET_NODE :
				    p->call->setup.internal;
	if (!m->codec || !m->codec[0])
		m->codec = (char *)codec_name(p);
	if (p->rtp) {
		fill_rtp(p, rtp, t);
		m->rtp = rtp;
	}
}

/** The row as an op says it; its parts live here. */
struct row {
	Td__Call m;
	Td__CallLeg leg[TD_CALL_MAX_LEGS], *legs[TD_CALL_MAX_LEGS];
	Td__Rtp rtp[TD_CALL_MAX_LEGS];
	struct leg_text text[TD_CALL_MAX_LEGS];
};

static void fill_row(struct call *c, struct row *r)
{
	Td__Call *m = &r->m;

	td__call__init(m);
	m->id = c->id;
	m->node = c->room->cfg.node_id;
	m->state = (char *)td_call_state_name(c->state);
	m->since_ms = c->since_ms;
	m->answered_ms = c->answered_ms;
	m->calling = c->setup.calling;
	m->called = c->setup.called;
	m->voice = (char *)c->voice;
	m->generation = c->generation;
	m->legs = r->legs;
	for (unsigned int i = 0; i <= c->n_b; i++) {
		r->legs[i] = &r->leg[i];
		fill_leg(i ? &c->b[i - 1] : &c->a, i, &r->leg[i], &r->rtp[i],
			 &r->text[i]);
	}
	m->n_legs = c->n_b + 1;
}

int record_put(struct call *c)
{
	Td__Op op = TD__OP__INIT;
	struct row row;
	uint8_t *buf;
	size_t n;
	int rc;

	if (c->state == TD_CALL_ENDED)
		return 0;
	fill_row(c, &row);
	rc = td_call_pack(&row.m, &buf, &n);
	if (rc)
		return rc;
	if (c->sent && n == c->sent_n && !memcmp(buf, c->sent, n)) {
		free(buf);	/* the mate has exactly this already */
		return 0;
	}
	op.what_case = TD__OP__WHAT_CALL_PUT;
	op.call_put = &row.m;
	rc = td_cluster_submit(c->room->cfg.cluster, &op);
	if (rc) {
		free(buf);
		return rc;
	}
	free(c->sent);
	c->sent = buf;
	c->sent_n = n;
	return 0;
}

int record_del_id(struct td_calls *r, uint64_t id)
{
	Td__CallDel del = TD__CALL_DEL__INIT;
	Td__Op op = TD__OP__INIT;

	del.id = id;
	del.node = r->cfg.node_id;
	op.what_case = TD__OP__WHAT_CALL_DEL;
	op.call_del = &del;
	return td_cluster_submit(r->cfg.cluster, &op);
}

int record_end(struct call *c)
{
	const struct td_calls_cfg *cfg = &c->room->cfg;
	struct row row;
	int rc;

	if (!cfg->end)
		return record_del_id(c->room, c->id);
	for (unsigned int i = 0; i <= c->n_b; i++)
		log_over(i ? &c->b[i - 1] : &c->a);
	fill_row(c, &row);
	rc = cfg->end(cfg->end_arg, &row.m, &c->cdr_epoch);
	/* without a record it must not keep its channels */
	if (rc && rc != -EAGAIN && rc != -ENOTCONN)
		rc = record_del_id(c->room, c->id);
	return rc;
}
