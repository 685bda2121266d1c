// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig.h"

#include "proto/base/log.h"
#include "proto/base/str.h"

/* Seeded mutations of SIP messages and their SDP, sent to a real instance from
 * the place of a trusted node, so that they get past the digest and into the
 * dialogs. It must go on answering OPTIONS; the sanitizers see the rest.
 * TD_FUZZ_N and TD_FUZZ_SEED make longer or other runs. */

enum { MAX_LEGS = 64, PROBE_EVERY = 20 };

struct fuzz {
	struct rig *r;
	unsigned int seed, n, probes;
	struct td_leg *leg[MAX_LEGS];
	unsigned int n_legs;
	char last[65536];	/* last request that came to us */
	char tag[64], call_id[128];	/* of the last 2xx or 18x */
};

static unsigned int pick(struct fuzz *f, unsigned int n)
{
	return rand_r(&f->seed) % n;
}

static struct td_session a_session(struct fuzz *f)
{
	return (struct td_session){ .kind = pick(f, 8) ? TD_MEDIA_RTP :
							 TD_MEDIA_NONE,
		.address = "127.0.0.1", .port = 20000, .codecs = { 8 },
		.n_codecs = 1, .dir = pick(f, 4) };
}

/** What a call room might do, at random. */
static void do_something(struct fuzz *f, struct td_leg *l)
{
	struct td_session s = a_session(f);

	switch (pick(f, 9)) {
	case 0:
		l->ops->alerting(l, pick(f, 2) ? &s : NULL);
		break;
	case 1:
		l->ops->progress(l, &s);
		break;
	case 2:
	case 3:
	case 4:
		l->ops->answer(l, &s);
		break;
	case 5:
		l->ops->offer(l, &s);
		break;
	case 6:
		l->ops->offer_reply(l, pick(f, 3) ? 0 : 88, &s);
		break;
	case 7:
		l->ops->dtmf(l, '1');
		break;
	default:
		if (!pick(f, 3))
			l->ops->clear(l, 1 + pick(f, 127), pick(f, 2));
	}
}

static int on_incoming(void *arg, struct td_leg *l, const struct td_setup *s)
{
	struct fuzz *f = arg;

	if (f->n_legs == MAX_LEGS || !pick(f, 30))
		return -EAGAIN;
	f->leg[f->n_legs++] = l;
	l->call = f;
	do_something(f, l);
	return 0;
}

static void on_event(void *arg, struct td_leg *l,
		     const struct td_leg_event *ev)
{
	struct fuzz *f = arg;

	if (ev->type != TD_LEV_CLEARED) {
		if (ev->type == TD_LEV_OFFER && pick(f, 4)) {
			struct td_session s = a_session(f);

			l->ops->offer_reply(l, 0, &s);
		}
		return;
	}
	for (unsigned int i = 0; i < f->n_legs; i++)
		if (f->leg[i] == l)
			f->leg[i] = f->leg[--f->n_legs];
	l->ops->free(l);
}

static int on_checkpoint(void *arg, struct td_leg *l)
{
	struct fuzz *f = arg;

	f->r->checkpoint_rc = pick(f, 50) ? 0 : -EAGAIN;
	return rig_checkpoint(f->r, l);
}

static const char *const bodies[] = {
	"", RIG_SDP,
	"v=0\r\no=x 5 6 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\n"
	"m=video 3000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\n"
	"c=IN IP4 10.0.0.1\r\na=sendonly\r\n",
	"v=0\r\nm=image 5000 udptl (\r\n",
};

static int a_request(struct fuzz *f, char *out, size_t size)
{
	static const char *const methods[] = {
		"INVITE", "INVITE", "INVITE", "ACK", "BYE", "CANCEL",
		"OPTIONS", "REGISTER", "UPDATE", "INFO", "PRACK", "FOO",
	};
	const char *m = methods[pick(f, 12)], *b = bodies[pick(f, 4)];
	bool within = f->tag[0] && pick(f, 2);
	char own[32];

	snprintf(own, sizeof(own), "f%u@x", pick(f, 50) ? f->n : f->n - 1);
	return snprintf(out, size, "%s sip:%u@127.0.0.3 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.4:%u;branch=z9hG4bKf%u;rport\r\n"
		"Max-Forwards: 70\r\nFrom: \"A B\" <sip:1000@tandem.lab>;tag=f"
		"\r\nTo: <sip:1001@tandem.lab>%s%s\r\nCall-ID: %s\r\n"
		"CSeq: %u %s\r\nContact: <sip:1000@127.0.0.4:%u>;q=0.5\r\n"
		"Record-Route: <sip:127.0.0.4:%u;lr>\r\nExpires: 600\r\n"
		"P-Asserted-Identity: \"C\" <sip:1000@tandem.lab>\r\n"
		"X-Tandem-Call: %016x;user=1000;inband\r\nPrivacy: id\r\n"
		"Authorization: Digest username=\"1000\",realm=\"tandem.lab\","
		"nonce=\"00\",uri=\"sip:x\",response=\"00\",qop=auth,"
		"nc=00000001,cnonce=\"c\"\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n"
		"%s", m, pick(f, 2000), f->r->internal_port,
		f->n - (pick(f, 20) ? 0 : 1), within ? ";tag=" : "",
		within ? f->tag : "", within ? f->call_id : own, 1 + f->n, m,
		f->r->phone_port, f->r->phone_port, 1 + f->n, strlen(b), b);
}

static int a_response(struct fuzz *f, char *out, size_t size)
{
	static const char *const lines[] = {
		"100 Trying", "180 Ringing", "183 Progress", "200 OK",
		"200 OK", "200 OK", "302 Moved", "404 Not Found",
		"486 Busy", "487 Terminated", "491 Pending", "603 Decline",
	};
	struct td_sip_msg *m;
	size_t n;

	if (!f->last[0] || td_sip_parse(f->last, strlen(f->last), &m))
		return a_request(f, out, size);
	n = snprintf(out, size, "SIP/2.0 %s\r\n", lines[pick(f, 12)]);
	for (unsigned int i = 0; i < m->n && n < size; i++)
		if (m->f[i].id == TD_SIP_H_VIA || m->f[i].id == TD_SIP_H_TO ||
		    m->f[i].id == TD_SIP_H_FROM ||
		    m->f[i].id == TD_SIP_H_CALL_ID ||
		    m->f[i].id == TD_SIP_H_CSEQ)
			n += snprintf(out + n, size - n, "%s: %s%s\r\n",
				m->f[i].name, m->f[i].value,
				m->f[i].id == TD_SIP_H_TO &&
				!strstr(m->f[i].value, "tag=") ? ";tag=z" :
				"");
	td_sip_msg_free(m);
	if (n < size)
		n += snprintf(out + n, size - n, "Contact: <sip:127.0.0.4:%u>"
			"\r\nContent-Type: application/sdp\r\n\r\n%s",
			f->r->phone_port, bodies[pick(f, 4)]);
	return n < size ? (int)n : 0;
}

static size_t mutate(struct fuzz *f, char *p, size_t n, size_t size)
{
	static const char special[] = "\r\n\t <>;:,@=\"\\%/?*0\0\xff";

	for (unsigned int k = pick(f, 5); k && n > 2; k--) {
		size_t at = pick(f, n), len = 1 + pick(f, 30);

		switch (pick(f, 6)) {
		case 0:
			p[at] = special[pick(f, sizeof(special) - 1)];
			break;
		case 1:
			p[at] = pick(f, 256);
			break;
		case 2:		/* take out */
			len = len < n - at ? len : n - at;
			memmove(p + at, p + at + len, n - at - len);
			n -= len;
			break;
		case 3:		/* repeat */
			len = len < n - at ? len : n - at;
			if (n + len < size) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
			break;
		case 4:		/* long runs */
			if (n + 600 < size) {
				memmove(p + at + 600, p + at, n - at);
				memset(p + at, special[pick(f, 19)], 600);
				n += 600;
			}
			break;
		default:
			if (!pick(f, 4))
				n = at;
		}
	}
	return n;
}

/** A right ACK, most of the time: else no dialog would get far. */
static void ack(struct fuzz *f, const struct td_sip_msg *m)
{
	char text[8192];
	int n;

	if (!pick(f, 5))
		return;
	n = snprintf(text, sizeof(text), "ACK sip:127.0.0.3 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKa%u;rport\r\n"
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u ACK\r\n"
		"Content-Type: application/sdp\r\n\r\n%s", f->n,
		td_sip_value(m, TD_SIP_H_FROM, 0),
		td_sip_value(m, TD_SIP_H_TO, 0),
		td_sip_value(m, TD_SIP_H_CALL_ID, 0), td_sip_cseq(m),
		bodies[pick(f, 3)]);
	if (n < (int)sizeof(text))
		rig_send(f->r, text, n);
}

/** A call to the phone, which answers as it likes. */
static void call_out(struct fuzz *f)
{
	struct td_setup *s;
	struct td_leg *l;

	if (f->n_legs == MAX_LEGS || td_sip_leg_new(f->r->sip, &l))
		return;
	s = calloc(1, sizeof(*s));
	s->internal = true;
	s->call_id = f->n;
	strcpy(s->calling, "1000");
	snprintf(s->target, sizeof(s->target), "sip:1@127.0.0.4:%u",
		 f->r->phone_port);
	s->session = a_session(f);
	if (l->ops->setup(l, s)) {
		l->ops->free(l);
	} else {
		l->call = f;
		f->leg[f->n_legs++] = l;
	}
	free(s);
}

static void take(struct fuzz *f, const struct td_sip_msg *m, const char *text)
{
	struct td_sip_addr_spec a;
	const char *to = td_sip_value(m, TD_SIP_H_TO, 0);
	const char *id = td_sip_value(m, TD_SIP_H_CALL_ID, 0);

	if (m->request) {
		td_str_cut(f->last, sizeof(f->last), text);
	} else if (m->status > 100 && m->status < 300 && to && id &&
		   !td_sip_addr_parse(to, &a)) {
		if (m->status >= 200 &&
		    strstr(td_sip_value(m, TD_SIP_H_CSEQ, 0), "INVITE"))
			ack(f, m);
		td_sip_param(a.params, "tag", f->tag, sizeof(f->tag));
		snprintf(f->call_id, sizeof(f->call_id), "%s", id);
	}
}

static bool any(struct rig *r)
{
	return r->n_rx > 0;
}

/** It still answers. */
static void probe(struct fuzz *f)
{
	char text[512], id[32];
	struct td_sip_msg *m;
	bool mine = false;
	int n;

	/* one that no mutation of an earlier one comes to */
	f->probes++;
	snprintf(id, sizeof(id), "probe.%08x", f->probes * 2654435761u);
	n = snprintf(text, sizeof(text), "OPTIONS sip:x@127.0.0.3 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKp%u;rport\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: %s\r\n"
		"CSeq: 1 OPTIONS\r\n\r\n", f->probes, id);
	rig_send(f->r, text, n);
	while (!mine) {
		td_loop_fd_mod(f->r->loop, f->r->fd, POLLIN);
		rig_until(f->r, any);
		assert_int_equal(td_sip_parse(f->r->rx, f->r->n_rx, &m), 0);
		take(f, m, f->r->rx);
		mine = td_sip_value(m, TD_SIP_H_CALL_ID, 0) &&
		       !strcmp(td_sip_value(m, TD_SIP_H_CALL_ID, 0), id);
		if (mine && m->status != 200)
			print_error("%s\n", f->r->rx);
		if (mine)
			assert_int_equal(m->status, 200);
		f->r->n_rx = 0;
		td_sip_msg_free(m);
	}
}

static void become_node(struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(r->internal_port) };

	td_loop_fd_del(r->loop, r->fd);
	close(r->fd);
	r->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	a.sin_addr.s_addr = inet_addr("127.0.0.4");
	assert_int_equal(bind(r->fd, (void *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = inet_addr("127.0.0.3");
	assert_int_equal(connect(r->fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(td_loop_fd_add(r->loop, r->fd, 0, rig_on_rx, r), 0);
	r->phone_port = r->internal_port;
}

static void it_goes_on_whatever_comes(void **state)
{
	const char *n = getenv("TD_FUZZ_N"), *seed = getenv("TD_FUZZ_SEED");
	struct fuzz *f = calloc(1, sizeof(*f));
	char *buf = malloc(32768);
	unsigned int count = n ? atoi(n) : 3000;

	f->seed = seed ? atoi(seed) : 3261;
	td_log_level_set(TD_LOG_ERR);
	f->r = rig_new("tandem.lab", false);
	f->r->up = (struct td_leg_up){ .incoming = on_incoming,
		.event = on_event, .checkpoint = on_checkpoint, .arg = f };
	become_node(f->r);
	for (f->n = 1; f->n <= count; f->n++) {
		int len = pick(f, 3) ? a_request(f, buf, 30000) :
				       a_response(f, buf, 30000);
		size_t m = mutate(f, buf, len, 32768);

		if (m && send(f->r->fd, buf, m, 0) < 0)
			assert_int_equal(errno, EAGAIN);
		if (f->n % PROBE_EVERY)
			continue;
		probe(f);
		for (unsigned int i = f->n_legs; i-- > 0;)
			do_something(f, f->leg[i]);
		if (pick(f, 2))
			call_out(f);
	}
	if (getenv("TD_FUZZ_SHOW")) {
		json_t *j = td_sip_dump(f->r->sip);
		char *text = json_dumps(json_object_get(j, "counters"), 0);

		print_message("%s\n", text);
		free(text);
		json_decref(j);
	}
	while (f->n_legs) {
		f->n_legs--;
		f->leg[f->n_legs]->ops->free(f->leg[f->n_legs]);
	}
	rig_free(f->r);
	free(buf);
	free(f);
}

/** The same by TCP, where the stack does the framing. */
static void a_stream_may_be_anything(void **state)
{
	struct fuzz *f = calloc(1, sizeof(*f));
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char *buf = malloc(32768);

	f->seed = 7540;
	td_log_level_set(TD_LOG_ERR);
	f->r = rig_new("tandem.lab", false);
	f->r->up = (struct td_leg_up){ .incoming = on_incoming,
		.event = on_event, .checkpoint = on_checkpoint, .arg = f };
	a.sin_port = htons(f->r->port);
	for (f->n = 1; f->n <= 300; f->n++) {
		int len = a_request(f, buf, 30000);
		size_t m = mutate(f, buf, len, 32768);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_int_equal(connect(fd, (void *)&a, sizeof(a)), 0);
		for (size_t at = 0; at < m;) {	/* in pieces */
			size_t k = 1 + pick(f, 900);
			ssize_t w = send(fd, buf + at, k < m - at ? k : m - at,
					 MSG_NOSIGNAL);

			if (w <= 0)
				break;
			at += w;
		}
		close(fd);
		if (f->n % PROBE_EVERY == 0)
			probe(f);
	}
	rig_free(f->r);
	free(buf);
	free(f);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(it_goes_on_whatever_comes),
		cmocka_unit_test(a_stream_may_be_anything),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
