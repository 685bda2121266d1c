// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/call/voice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "node/media/count.h"
#include "node/media/media_priv.h"
#include "node/media/sockets.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"

enum {
	TRIES = 32,		/* ports that somebody else may have */
	JITTER_MS = 60,
	CNAME_OCTETS = 12,	/* 96 bits, RFC 7022 4.2 */
};

static struct td_command *command(enum td_command_kind kind)
{
	struct td_command *c = calloc(1, sizeof(*c));

	if (c)
		c->kind = kind;
	return c;
}

static int post(struct td_media *m, struct td_command *c, bool must)
{
	int rc;

	if (!c)
		return -ENOMEM;
	rc = td_media_send(m, c, must);
	if (rc)
		free(c);
	return rc;
}

/* ---- streams ---- */

static int address_of(struct td_media *m, const char *text,
		      struct td_media_address **out)
{
	struct td_media_address *a;
	struct td_addr addr;
	uint32_t seed;

	if (td_addr_parse(text, 0, &addr))
		return -EADDRNOTAVAIL;
	for (unsigned int i = 0; i < m->n_addresses; i++)
		if (td_addr_same_host(&m->address[i]->addr, &addr)) {
			*out = m->address[i];
			return 0;
		}
	if (m->n_addresses == TD_MEDIA_ADDRESSES)
		return -ENOSPC;
	a = calloc(1, sizeof(*a));
	if (!a || getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		free(a);
		return -ENOMEM;
	}
	a->addr = addr;
	td_ports_init(&a->ports, seed);
	m->address[m->n_addresses++] = a;
	*out = a;
	return 0;
}

static int open_pair(const struct td_addr *host, uint16_t port, int *fd,
		     int *fd_rtcp)
{
	struct td_addr a = *host;
	int rc;

	td_addr_port_set(&a, port);
	rc = td_socket_open(&a, fd);
	if (rc)
		return rc;
	td_addr_port_set(&a, port + 1);
	rc = td_socket_open(&a, fd_rtcp);
	if (rc)
		close(*fd);
	return rc;
}

static int open_sockets(struct td_media_address *a, struct td_stream *s)
{
	uint16_t port;
	int rc;

	for (int i = 0; i < TRIES; i++) {
		rc = td_ports_take(&a->ports, td_clock_boot_ms(), &port);
		if (rc)
			return rc;
		rc = open_pair(&a->addr, port, &s->fd, &s->fd_rtcp);
		if (!rc) {
			s->ctl.ports = &a->ports;
			s->ctl.port = port;
			s->ctl.local = a->addr;
			td_addr_port_set(&s->ctl.local, port);
			return 0;
		}
		/* one that somebody else has rests too */
		td_ports_give(&a->ports, td_clock_boot_ms(), port);
		if (rc != -EADDRINUSE)
			return rc;
	}
	return -ENOSPC;
}

static int make_random(struct td_stream *s)
{
	uint8_t cname[CNAME_OCTETS];
	struct {
		uint32_t ssrc, ts;
		uint16_t seq;
	} r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r) ||
	    getrandom(cname, sizeof(cname), 0) != sizeof(cname))
		return -EIO;
	s->ssrc = r.ssrc;
	s->ts_base = r.ts;
	s->seq = s->ctl.seq = r.seq;
	for (int i = 0; i < CNAME_OCTETS; i++)
		snprintf(s->cname + 2 * i, 3, "%02x", cname[i]);
	return 0;
}

static void new_id(struct td_media *m, struct td_stream *s)
{
	do
		s->id = ++m->next_id;
	while (!s->id || td_media_stream(m, s->id));
}

static int announce(struct td_media *m, struct td_stream *s)
{
	struct td_command *c = command(TD_COMMAND_ADD);
	int rc;

	s->ctl.close = command(TD_COMMAND_CLOSE);
	if (!c || !s->ctl.close) {
		free(c);
		return -ENOMEM;
	}
	rc = td_map_set(m->streams, &s->id, sizeof(s->id), s, NULL);
	if (rc) {
		free(c);
		return rc;
	}
	c->stream = s->ctl.close->stream = s;
	rc = post(m, c, false);
	if (rc)
		td_map_del(m->streams, &s->id, sizeof(s->id));
	return rc;
}

static int rtp_open(void *arg, const char *address, uint32_t *id,
		    uint16_t *port)
{
	struct td_media *m = arg;
	struct td_media_address *a;
	struct td_stream *s;
	int rc;

	if (m->n_streams >= m->cfg.max_streams)
		return -ENOSPC;
	rc = address_of(m, address, &a);
	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->end.kind = TD_END_STREAM;
	s->set = (struct td_voice_rtp){
		.codec = 8, .ptime_ms = TD_PTIME_DEFAULT,
		.jitter_ms = JITTER_MS,
	};
	s->ctl.set = s->set;
	td_jitter_init(&s->jitter, JITTER_MS * 8);
	rc = make_random(s);
	if (!rc)
		rc = open_sockets(a, s);
	if (rc) {
		free(s);
		return rc;
	}
	m->n_streams++;
	new_id(m, s);
	rc = announce(m, s);
	if (rc) {
		td_media_stream_free(m, s);
		return rc;
	}
	*id = s->id;
	*port = s->ctl.port;
	return 0;
}

/* an address of one host, or none at all */
static int remote_of(const struct td_voice_rtp *p, struct td_addr *out)
{
	struct td_addr a;

	*out = (struct td_addr){ 0 };
	if (!p->remote[0] || !p->remote_port)
		return 0;
	if (!memchr(p->remote, 0, sizeof(p->remote)) ||
	    td_addr_parse(p->remote, p->remote_port, &a))
		return -EINVAL;
	if (a.sa.sa_family == AF_INET) {
		in_addr_t ip = ntohl(a.in.sin_addr.s_addr);

		if (ip == INADDR_ANY)	/* hold, RFC 3264 8.4 */
			return 0;
		if (IN_MULTICAST(ip) || ip == INADDR_BROADCAST)
			return -EINVAL;
	} else {
		if (IN6_IS_ADDR_UNSPECIFIED(&a.in6.sin6_addr))
			return 0;
		if (IN6_IS_ADDR_MULTICAST(&a.in6.sin6_addr))
			return -EINVAL;
	}
	*out = a;
	return 0;
}

static int rtp_set(void *arg, uint32_t id, const struct td_voice_rtp *p)
{
	struct td_media *m = arg;
	struct td_stream *s = td_media_stream(m, id);
	struct td_voice_rtp set = *p;
	struct td_command *c;
	struct td_addr remote;
	int rc;

	if (!s)
		return -ENOENT;
	if (set.codec != 0 && set.codec != 8)
		return -EINVAL;
	if (set.ptime_ms < 10 || set.ptime_ms > 60 || set.ptime_ms % 10)
		set.ptime_ms = TD_PTIME_DEFAULT;
	if (!set.jitter_ms)
		set.jitter_ms = JITTER_MS;
	rc = remote_of(p, &remote);
	if (rc)
		return rc;
	c = command(TD_COMMAND_SET);
	if (!c)
		return -ENOMEM;
	c->stream = s;
	c->set = set;
	c->remote = remote;
	rc = post(m, c, false);
	if (rc)
		return rc;
	if (set.dscp != s->ctl.set.dscp) {
		td_socket_dscp(s->fd, s->ctl.local.sa.sa_family, set.dscp);
		td_socket_dscp(s->fd_rtcp, s->ctl.local.sa.sa_family,
			       set.dscp);
	}
	if (!s->ctl.set.silence_s != !set.silence_s)
		td_silence_set(s, td_clock_boot_ms());
	s->ctl.set = set;
	return 0;
}

/* ---- joins ---- */

/* What is joined to what, as far as this thread has said; the media thread
 * follows. */
static struct td_voice_end *note_of(struct td_end *e)
{
	return e->kind == TD_END_SLOT ? &((struct td_slot *)e)->ctl.peer :
					&((struct td_stream *)e)->ctl.peer;
}

static int end_of(struct td_media *m, const struct td_voice_end *v,
		  struct td_end **out)
{
	struct td_stream *s;
	struct td_slot *slot;

	switch (v->kind) {
	case TD_VOICE_RTP:
		s = td_media_stream(m, v->rtp);
		if (!s)
			return -ENOENT;
		*out = &s->end;
		return 0;
	case TD_VOICE_SLOT:
		slot = td_media_slot(m, v->port, v->timeslot);
		if (!slot)
			return -ENODEV;
		*out = &slot->end;
		return 0;
	default:
		return -EINVAL;
	}
}

static void xconn_off(struct td_media *m, struct td_end *e)
{
	struct td_slot *s = (struct td_slot *)e;

	if (e->kind != TD_END_SLOT || !s->ctl.xconn)
		return;
	m->cfg.span->xconn_off(td_media_port(m, s), s->timeslot);
	s->ctl.xconn = false;
}

/* e and its partner are free; ends what the card did between them */
static void unnote(struct td_media *m, struct td_end *e)
{
	struct td_voice_end *note = note_of(e), none = { 0 };
	struct td_end *other;

	xconn_off(m, e);
	if (note->kind && !end_of(m, note, &other)) {
		xconn_off(m, other);
		*note_of(other) = none;
	}
	*note = none;
}

static int post_part(struct td_media *m, struct td_end *e)
{
	struct td_command *c = command(TD_COMMAND_PART);

	if (c)
		c->a = e;
	return post(m, c, true);
}

/* Here and not in the media thread: the card is asked and answers. */
static int connect_slots(struct td_media *m, struct td_slot *a,
			 struct td_slot *b)
{
	const struct td_media_span_ops *span = m->cfg.span;
	struct td_port *pa = td_media_port(m, a), *pb = td_media_port(m, b);
	int rc;

	if (!pa || !pb)
		return 0;	/* when there is a card: td_media_reconnect */
	rc = span->xconn(pa, a->timeslot, pb, b->timeslot);
	if (rc)
		return rc;
	rc = span->xconn(pb, b->timeslot, pa, a->timeslot);
	if (rc) {
		span->xconn_off(pb, b->timeslot);
		return rc;
	}
	a->ctl.xconn = b->ctl.xconn = true;
	return 0;
}

void td_media_reconnect(struct td_media *m)
{
	for (uint32_t i = 0; i < TD_MEDIA_SLOTS; i++)
		m->slots[i].ctl.xconn = false;	/* it went with its card */
	for (uint32_t i = 0; i < m->ports * TD_SPAN_SLOTS; i++) {
		struct td_slot *s = &m->slots[i], *o;
		int rc;

		if (!m->cfg.card || s->ctl.peer.kind != TD_VOICE_SLOT)
			continue;
		o = td_media_slot(m, s->ctl.peer.port, s->ctl.peer.timeslot);
		if (!o || o < s)	/* each pair once */
			continue;
		rc = connect_slots(m, s, o);
		if (rc)
			td_warn("media", "MEDIA-SLOT", "port=%u timeslot=%u "
				"not connected by the new card: %s", s->port,
				s->timeslot, strerror(-rc));
	}
}

static int join_slots(struct td_media *m, struct td_end *a, struct td_end *b)
{
	struct td_end *ends[] = { a, b };

	for (int i = 0; i < 2; i++) {
		int rc = note_of(ends[i])->kind ? post_part(m, ends[i]) : 0;

		if (rc)
			return rc;
		unnote(m, ends[i]);
	}
	return connect_slots(m, (struct td_slot *)a, (struct td_slot *)b);
}

static int join_by_thread(struct td_media *m, struct td_end *a,
			  struct td_end *b)
{
	struct td_command *c = command(TD_COMMAND_JOIN);
	int rc;

	if (c) {
		c->a = a;
		c->b = b;
		c->echo = !b;
	}
	rc = post(m, c, false);
	if (rc)
		return rc;
	unnote(m, a);
	if (b)
		unnote(m, b);
	return 0;
}

static int join(void *arg, const struct td_voice_end *a,
		const struct td_voice_end *b)
{
	struct td_media *m = arg;
	struct td_end *ea, *eb = NULL;
	int rc;

	if (a->kind == TD_VOICE_ECHO) {
		const struct td_voice_end *swap = a;

		a = b;
		b = swap;
	}
	rc = end_of(m, a, &ea);
	if (!rc && b->kind != TD_VOICE_ECHO)
		rc = end_of(m, b, &eb);
	if (rc)
		return rc;
	if (ea == eb)
		return -EINVAL;
	if (eb && ea->kind == TD_END_SLOT && eb->kind == TD_END_SLOT)
		rc = join_slots(m, ea, eb);
	else
		rc = join_by_thread(m, ea, eb);
	if (rc)
		return rc;
	*note_of(ea) = *b;
	if (eb)
		*note_of(eb) = *a;
	return 0;
}

static void part(void *arg, const struct td_voice_end *a)
{
	struct td_media *m = arg;
	struct td_end *e;

	if (end_of(m, a, &e) || !note_of(e)->kind)
		return;
	if (!post_part(m, e))
		unnote(m, e);
}

static void rtp_close(void *arg, uint32_t id)
{
	struct td_media *m = arg;
	struct td_stream *s = td_media_stream(m, id);

	if (!s)
		return;
	unnote(m, &s->end);
	td_map_del(m->streams, &id, sizeof(id));
	/* there is room for one close a stream, see media_priv.h */
	if (td_media_send(m, s->ctl.close, true))
		abort();
}

/* ---- figures ---- */

static int stats(void *arg, const struct td_voice_end *e,
		 struct td_voice_stats *out)
{
	const struct td_voice_stats *p;
	struct td_end *end;
	int rc = end_of(arg, e, &end);

	if (rc)
		return rc;
	p = end->kind == TD_END_SLOT ? &((struct td_slot *)end)->pub :
				       &((struct td_stream *)end)->pub;
	*out = (struct td_voice_stats){
		.rx_packets = td_counted(&p->rx_packets),
		.tx_packets = td_counted(&p->tx_packets),
		.rx_lost = td_counted(&p->rx_lost),
		.rx_late = td_counted(&p->rx_late),
		.rx_duplicate = td_counted(&p->rx_duplicate),
		.rx_malformed = td_counted(&p->rx_malformed),
		.rx_foreign = td_counted(&p->rx_foreign),
		.concealed_ms = td_counted(&p->concealed_ms),
		.slips_ms = td_counted(&p->slips_ms),
		.jitter_us = td_counted32(&p->jitter_us),
		.depth_ms = td_counted32(&p->depth_ms),
		.rtt_us = td_counted32(&p->rtt_us),
		.ssrc = td_counted32(&p->ssrc),
	};
	return 0;
}

static int start(void *arg, uint32_t id, struct td_voice_start *out)
{
	const struct td_stream *s = td_media_stream(arg, id);

	if (!s)
		return -ENOENT;
	*out = (struct td_voice_start){
		.ssrc = s->ssrc, .seq = s->ctl.seq,
		.ts = s->ts_base + td_rtp_clock(td_clock_boot_ns()),
	};
	return 0;
}

void td_media_ops(struct td_media *m, struct td_voice_ops *out)
{
	*out = (struct td_voice_ops){
		.rtp_open = rtp_open,
		.rtp_set = rtp_set,
		.rtp_close = rtp_close,
		.join = join,
		.part = part,
		.stats = stats,
		.start = start,
		.watch = td_silence_watch,
		.m = m,
	};
}
