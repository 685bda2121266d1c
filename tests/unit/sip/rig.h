/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_SIP_RIG_H
#define TEST_SIP_RIG_H

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "node/sip/cause.h"
#include "node/sip/digest.h"
#include "node/sip/parse.h"
#include "node/sip/sip.h"

/* A real td_sip on 127.0.0.1 with a one-node cluster, a stand-in for the call
 * room that does what the test says, and a phone: a UDP or TCP socket and a
 * few ways to write SIP by hand. */

/* not each test needs each */
#define RIG_FN static __attribute__((unused))

enum { RIG_WAIT_MS = 20000, RIG_MAX_EVENTS = 32 };

#define RIG_SDP "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n" \
		"c=IN IP4 127.0.0.1\r\nt=0 0\r\n" \
		"m=audio 4000 RTP/AVP 8 0 101\r\n" \
		"a=rtpmap:101 telephone-event/8000\r\n"

struct rig_event {
	enum td_leg_event_type type;
	int cause, status;
	bool session;
	enum td_direction dir;
	uint16_t port;
	char digits[8];
};

struct rig {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_bus *bus;
	const struct td_bus_ops *bus_ops;	/* its own */
	struct td_site *site;
	struct td_leg_up up;
	struct td_sip *sip;
	uint16_t port, internal_port;
	/* the call room's stand-in */
	struct td_leg *in;		/* last incoming leg */
	struct td_setup setup;
	int refuse;			/* what incoming returns */
	int checkpoint_rc;
	unsigned int checkpoints, freed;
	struct rig_event ev[RIG_MAX_EVENTS];
	unsigned int n_ev, read_ev;
	/* the phone */
	int fd;
	uint16_t phone_port;
	bool tcp;
	char rx[70000];
	size_t n_rx;
	bool late;
	unsigned int branch;
};

RIG_FN int rig_incoming(void *arg, struct td_leg *l, const struct td_setup *s)
{
	struct rig *r = arg;

	if (r->refuse)
		return r->refuse;
	r->in = l;
	l->call = r;
	r->setup = *s;
	td_loop_stop(r->loop);
	return 0;
}

RIG_FN void rig_event(void *arg, struct td_leg *l,
		      const struct td_leg_event *e)
{
	struct rig *r = arg;
	struct rig_event *x;

	assert_true(r->n_ev < RIG_MAX_EVENTS);
	x = &r->ev[r->n_ev++];
	*x = (struct rig_event){ .type = e->type, .cause = e->cause,
		.status = e->sip_status, .session = e->session != NULL };
	if (e->session) {
		x->dir = e->session->dir;
		x->port = e->session->port;
	}
	memcpy(x->digits, e->digits, sizeof(x->digits) - 1);
	if (e->type == TD_LEV_CLEARED) {	/* as the call room does */
		l->ops->free(l);
		r->freed++;
		if (r->in == l)
			r->in = NULL;
	}
	td_loop_stop(r->loop);
}

/** An op for each checkpoint, as the call room would. */
RIG_FN int rig_checkpoint(void *arg, struct td_leg *l)
{
	struct rig *r = arg;
	Td__CallLeg leg = TD__CALL_LEG__INIT, *legs[] = { &leg };
	Td__Call call = TD__CALL__INIT;
	Td__Op op = TD__OP__INIT;

	r->checkpoints++;
	if (r->checkpoint_rc)
		return r->checkpoint_rc;
	l->ops->checkpoint(l, &leg);
	assert_non_null(leg.sip);
	call.id = 0x0100000000000001;
	call.node = 1;
	call.state = (char *)"up";
	call.calling = call.called = call.voice = (char *)"";
	call.legs = legs;
	call.n_legs = 1;
	op.what_case = TD__OP__WHAT_CALL_PUT;
	op.call_put = &call;
	return td_cluster_submit(r->cluster, &op);
}

/* ---- the phone's socket ---- */

RIG_FN uint16_t rig_free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (void *)&a, &n), 0);
	close(fd);
	return ntohs(a.sin_port);
}

RIG_FN void rig_on_rx(void *arg, int fd, int revents)
{
	struct rig *r = arg;
	ssize_t n = recv(fd, r->rx + r->n_rx, sizeof(r->rx) - 1 - r->n_rx,
			 MSG_DONTWAIT);

	if (n > 0)
		r->n_rx += n;
	r->rx[r->n_rx] = '\0';
	td_loop_fd_mod(r->loop, fd, 0);		/* one at a time */
	td_loop_stop(r->loop);
}

RIG_FN void rig_socket(struct rig *r, bool tcp)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);

	r->tcp = tcp;
	r->fd = socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) |
		       SOCK_CLOEXEC, 0);
	assert_int_equal(bind(r->fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(r->fd, (void *)&a, &n), 0);
	r->phone_port = ntohs(a.sin_port);
	a.sin_port = htons(r->port);
	assert_int_equal(connect(r->fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(td_loop_fd_add(r->loop, r->fd, 0, rig_on_rx, r), 0);
}

RIG_FN void rig_on_late(void *arg)
{
	struct rig *r = arg;

	r->late = true;
	td_loop_stop(r->loop);
}

/** Runs the loop until ready says so; fails after RIG_WAIT_MS. */
RIG_FN void rig_until(struct rig *r, bool (*ready)(struct rig *r))
{
	struct td_timer t = { 0 };

	r->late = false;
	td_timer_start(r->loop, &t, RIG_WAIT_MS, rig_on_late, r);
	while (!ready(r) && !r->late)
		td_loop_run(r->loop);
	td_timer_stop(&t);
	assert_false(r->late);
}

RIG_FN bool rig_got_text(struct rig *r)
{
	return r->n_rx && (!r->tcp || strstr(r->rx, "\r\n\r\n"));
}

/** Next message to the phone; the caller frees. */
RIG_FN struct td_sip_msg *rig_recv(struct rig *r)
{
	struct td_sip_msg *m;
	size_t used;

	for (;;) {
		if (!rig_got_text(r)) {
			td_loop_fd_mod(r->loop, r->fd, POLLIN);
			rig_until(r, rig_got_text);
		}
		assert_int_equal(td_sip_parse(r->rx, r->n_rx, &m), 0);
		if (!m->truncated)
			break;
		td_sip_msg_free(m);	/* TCP: more is to come */
		r->n_rx = r->n_rx;
		td_loop_fd_mod(r->loop, r->fd, POLLIN);
		td_loop_run(r->loop);
	}
	used = r->tcp ? (size_t)(strstr(r->rx, "\r\n\r\n") + 4 - r->rx) +
			m->n_body : r->n_rx;
	memmove(r->rx, r->rx + used, r->n_rx - used);
	r->n_rx -= used;
	r->rx[r->n_rx] = '\0';
	return m;
}

/** As rig_recv, for a response with this status; a 100 is passed over. */
RIG_FN struct td_sip_msg *rig_expect(struct rig *r, int status)
{
	struct td_sip_msg *m;

	for (;;) {
		m = rig_recv(r);
		if (m->status != 100 || status == 100)
			break;
		td_sip_msg_free(m);
	}
	if (m->status != status)
		print_error("expected %d, got: %s\n", status, m->first_line);
	assert_int_equal(m->status, status);
	return m;
}

RIG_FN struct td_sip_msg *rig_expect_request(struct rig *r,
					     const char *method)
{
	struct td_sip_msg *m = rig_recv(r);

	if (!m->request || strcmp(m->method, method))
		print_error("expected %s, got: %s\n", method, m->first_line);
	assert_true(m->request);
	assert_string_equal(m->method, method);
	return m;
}

RIG_FN void rig_send(struct rig *r, const char *text, size_t n)
{
	assert_int_equal(send(r->fd, text, n, 0), n);
}

/** Next event of the legs. */
RIG_FN bool rig_got_event(struct rig *r)
{
	return r->read_ev < r->n_ev;
}

RIG_FN struct rig_event rig_next(struct rig *r, enum td_leg_event_type type)
{
	struct rig_event e;

	rig_until(r, rig_got_event);
	e = r->ev[r->read_ev++];
	if (r->read_ev == r->n_ev)
		r->read_ev = r->n_ev = 0;
	assert_int_equal(e.type, type);
	return e;
}

RIG_FN bool rig_got_call(struct rig *r)
{
	return r->in != NULL;
}

RIG_FN struct td_leg *rig_call(struct rig *r)
{
	rig_until(r, rig_got_call);
	return r->in;
}

/* ---- messages ---- */

/** What one request of a phone says. */
struct rig_req {
	const char *method, *uri, *user, *call_id, *to_tag, *headers, *body;
	const char *from_tag, *branch, *to;
	unsigned int cseq;
};

RIG_FN void rig_request(struct rig *r, const struct rig_req *q)
{
	char to[256], branch[64], *text = malloc(65000);
	int n;

	snprintf(branch, sizeof(branch), "z9hG4bKrig%u", ++r->branch);
	snprintf(to, sizeof(to), "<%s>", q->to ? q->to : q->uri);
	n = snprintf(text, 65000, "%s %s SIP/2.0\r\n"
		"Via: SIP/2.0/%s 127.0.0.1:%u;branch=%s;rport\r\n"
		"Max-Forwards: 70\r\nFrom: \"Ann\" <sip:%s@tandem.lab>;tag=%s"
		"\r\nTo: %s%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s", q->method, q->uri,
		r->tcp ? "TCP" : "UDP", r->phone_port,
		q->branch ? q->branch : branch, q->user,
		q->from_tag ? q->from_tag : "ft", to,
		q->to_tag ? ";tag=" : "", q->to_tag ? q->to_tag : "",
		q->call_id, q->cseq, q->method, q->headers ? q->headers : "",
		q->body && !strstr(q->headers ? q->headers : "",
				   "Content-Type") ?
			"Content-Type: application/sdp\r\n" : "",
		q->body ? strlen(q->body) : 0, q->body ? q->body : "");
	rig_send(r, text, n);
	free(text);
}

/** Authorization line for the challenge in m; the caller frees. */
RIG_FN char *rig_credentials(const struct td_sip_msg *m, const char *method,
			     const char *uri, const char *user,
			     const char *password)
{
	struct td_digest_cred c = { .nc = "00000001", .cnonce = "rig",
				    .qop = "auth" };
	const char *v = NULL, *p;
	char *out = malloc(2048);

	for (unsigned int i = 0; i < m->n; i++)
		if (strstr(m->f[i].name, "-Authenticate"))
			v = m->f[i].value;
	assert_non_null(v);
	snprintf(c.username, sizeof(c.username), "%s", user);
	snprintf(c.uri, sizeof(c.uri), "%s", uri);
	p = strstr(v, "realm=\"") + 7;
	memcpy(c.realm, p, strcspn(p, "\""));
	p = strstr(v, "nonce=\"") + 7;
	memcpy(c.nonce, p, strcspn(p, "\""));
	c.alg = strstr(v, "SHA-256") ? TD_DIGEST_SHA256 : TD_DIGEST_MD5;
	td_digest_response(&c, method, password, c.response);
	snprintf(out, 2048, "%sAuthorization: Digest username=\"%s\", "
		"realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
		"algorithm=%s, qop=auth, nc=%s, cnonce=\"%s\"\r\n",
		m->status == 407 ? "Proxy-" : "", c.username, c.realm, c.nonce,
		c.uri, c.response, c.alg ? "SHA-256" : "MD5", c.nc, c.cnonce);
	return out;
}

/** The request again with credentials: q->headers are added to. */
RIG_FN void rig_again(struct rig *r, struct rig_req *q,
		      const struct td_sip_msg *challenge, const char *password)
{
	char *cred = rig_credentials(challenge, q->method, q->uri, q->user,
				     password);
	const char *was = q->headers;
	char *h = malloc(8192);

	snprintf(h, 8192, "%s%s", cred, was ? was : "");
	q->headers = h;
	q->cseq++;
	rig_request(r, q);
	q->headers = was;
	free(h);
	free(cred);
}

RIG_FN void rig_tag(const struct td_sip_msg *m, char *tag, size_t size)
{
	struct td_sip_addr_spec a;

	assert_int_equal(td_sip_addr_parse(td_sip_value(m, TD_SIP_H_TO, 0),
					   &a), 0);
	assert_true(td_sip_param(a.params, "tag", tag, size));
}

/** Answers a request that the phone got. */
RIG_FN void rig_respond(struct rig *r, const struct td_sip_msg *m,
			const char *status, const char *tag,
			const char *headers, const char *body)
{
	char *text = malloc(16384);
	size_t n = 0;

	n += snprintf(text, 16384, "SIP/2.0 %s\r\n", status);
	for (unsigned int i = 0; i < m->n; i++) {
		const struct td_sip_field *f = &m->f[i];

		if (f->id == TD_SIP_H_VIA || f->id == TD_SIP_H_FROM ||
		    f->id == TD_SIP_H_CALL_ID || f->id == TD_SIP_H_CSEQ)
			n += snprintf(text + n, 16384 - n, "%s: %s\r\n",
				      f->name, f->value);
		if (f->id == TD_SIP_H_TO)
			n += snprintf(text + n, 16384 - n, "To: %s%s%s\r\n",
				f->value, strstr(f->value, ";tag=") || !tag ?
				"" : ";tag=", strstr(f->value, ";tag=") ||
				!tag ? "" : tag);
	}
	n += snprintf(text + n, 16384 - n, "Contact: <sip:phone@127.0.0.1:%u>"
		"\r\n%s%sContent-Length: %zu\r\n\r\n%s", r->phone_port,
		headers ? headers : "",
		body ? "Content-Type: application/sdp\r\n" : "",
		body ? strlen(body) : 0, body ? body : "");
	rig_send(r, text, n);
	free(text);
}

/* ---- set-up ---- */

RIG_FN bool rig_ready(struct rig *r)
{
	return td_sip_listening(r->sip) &&
	       td_cluster_state(r->cluster) == TD_CLUSTER_RUNNING;
}

RIG_FN void rig_tick(void *arg)
{
	td_loop_stop(((struct rig *)arg)->loop);
}

RIG_FN void rig_new_site(struct rig *r, const char *domain)
{
	struct td_problems p = { 0 };
	char text[1024];
	int n = snprintf(text, sizeof(text),
		"site: {name: rig, domain: %s}\n"
		"nodes:\n"
		"  - {name: n1, id: 1, address: 127.0.0.2, "
		"cluster_address: 127.0.0.3}\n"
		"  - {name: n2, id: 2, address: 127.0.0.5, "
		"cluster_address: 127.0.0.4}\n"
		"addresses: [{name: a1, address: 127.0.0.1, nodes: [n1]}]\n"
		"extensions:\n"
		"  - {range: 1000-1098, password: \"pw{number}\"}\n"
		"  - {number: 1099, password: pw1099, sha256: true}\n",
		domain);

	if (td_site_parse("rig", text, n, &r->site, &p))
		print_error("%s: %s\n", p.p[0].where, p.p[0].what);
	assert_non_null(r->site);
}

/* What a rig is made with; tests of timers set less. */
struct rig_times {
	uint32_t t1x64_ms, no_answer_ms, max_kept, second_ms, max_pending;
	uint32_t max_tcp_source, tcp_first_ms;
};

RIG_FN struct rig *rig_new_timed(const char *domain, bool tcp,
				 const struct rig_times *times)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct td_cluster_cfg cc = { .node_id = 1, .name = "n1",
				     .version = "0", .incarnation = 1 };
	struct td_sip_cfg cfg = { .node_id = 1, .key = { 1 },
				  .internal_address = "127.0.0.3",
				  .t1x64_ms = times->t1x64_ms,
				  .no_answer_ms = times->no_answer_ms,
				  .max_kept = times->max_kept,
				  .second_ms = times->second_ms,
				  .max_tcp_source = times->max_tcp_source,
				  .tcp_first_ms = times->tcp_first_ms };
	struct td_timer tick = { 0 };

	assert_int_equal(td_loop_new(&r->loop), 0);
	assert_int_equal(td_bus_local_new(r->loop, 1, &cc.bus), 0);
	cc.max_pending = times->max_pending;
	r->bus = cc.bus;
	r->bus_ops = cc.bus->ops;
	assert_int_equal(td_cluster_new(r->loop, &cc, &r->cluster), 0);
	r->up = (struct td_leg_up){ .incoming = rig_incoming,
		.event = rig_event, .checkpoint = rig_checkpoint, .arg = r };
	rig_new_site(r, domain);
	r->port = rig_free_port();
	do
		r->internal_port = rig_free_port();
	while (r->internal_port == r->port);
	cfg.loop = r->loop;
	cfg.cluster = r->cluster;
	cfg.up = &r->up;
	cfg.port = r->port;
	cfg.internal_port = r->internal_port;
	assert_int_equal(td_sip_new(&cfg, &r->sip), 0);
	assert_int_equal(td_sip_set_site(r->sip, r->site), 0);
	for (int i = 0; i < 2000 && !rig_ready(r); i++) {
		td_timer_start(r->loop, &tick, 10, rig_tick, r);
		td_loop_run(r->loop);
	}
	td_timer_stop(&tick);
	assert_true(rig_ready(r));
	rig_socket(r, tcp);
	return r;
}

RIG_FN struct rig *rig_new(const char *domain, bool tcp)
{
	return rig_new_timed(domain, tcp,
			     &(struct rig_times){ .t1x64_ms = 8000 });
}

RIG_FN void rig_free(struct rig *r)
{
	td_loop_fd_del(r->loop, r->fd);
	close(r->fd);
	if (r->in)
		r->in->ops->free(r->in);
	td_sip_free(r->sip);
	td_cluster_free(r->cluster);
	td_site_free(r->site);
	td_loop_free(r->loop);
	free(r);
}

#endif
