// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig.h"

/* RFC 4475's messages against a real instance: each gets the answer, or the
 * silence, of its section. The octets are the standard's and not kept in the
 * tree: they are read from TD_VECTORS or ../shared/vectors when that is
 * there; the messages of our own below are tried in any case. */

static const struct {
	const char *name, *section;
	int status;		/* 0: silence */
} vectors[] = {
	{ "wsinv", "3.1.1.1", 481 },	/* well-formed, but no such dialog */
	{ "intmeth", "3.1.1.2", 405 },
	{ "esc01", "3.1.1.3", 407 },
	{ "escnull", "3.1.1.4", 401 },
	{ "esc02", "3.1.1.5", 405 },
	{ "lwsdisp", "3.1.1.6", 200 },
	{ "longreq", "3.1.1.7", 407 },
	{ "dblreq", "3.1.1.8", 401 },	/* the octets behind it: nothing */
	{ "semiuri", "3.1.1.9", 200 },
	{ "transports", "3.1.1.10", 200 },
	{ "mpart01", "3.1.1.11", 405 },
	{ "unreason", "3.1.1.12", 0 },
	{ "noreason", "3.1.1.13", 0 },
	{ "badinv01", "3.1.2.1", 400 },
	{ "clerr", "3.1.2.2", 400 },
	{ "ncl", "3.1.2.3", 400 },
	{ "scalar02", "3.1.2.4", 400 },
	{ "scalarlg", "3.1.2.5", 0 },
	{ "quotbal", "3.1.2.6", 400 },
	{ "ltgtruri", "3.1.2.7", 400 },
	{ "lwsruri", "3.1.2.8", 400 },
	{ "lwsstart", "3.1.2.9", 400 },
	{ "trws", "3.1.2.10", 400 },
	{ "escruri", "3.1.2.11", 400 },
	{ "baddate", "3.1.2.12", 400 },
	{ "regbadct", "3.1.2.13", 400 },
	{ "badaspec", "3.1.2.14", 400 },
	{ "baddn", "3.1.2.15", 400 },
	{ "badvers", "3.1.2.16", 505 },
	{ "mismatch01", "3.1.2.17", 400 },
	{ "mismatch02", "3.1.2.18", 400 },
	{ "bigcode", "3.1.2.19", 0 },
	{ "badbranch", "3.2.1", 400 },
	{ "insuf", "3.3.1", 400 },
	{ "unkscm", "3.3.2", 416 },
	{ "novelsc", "3.3.3", 416 },
	{ "unksm2", "3.3.4", 400 },
	{ "bext01", "3.3.5", 420 },
	{ "invut", "3.3.6", 415 },
	{ "regaut01", "3.3.7", 401 },
	{ "multi01", "3.3.8", 400 },
	{ "mcl01", "3.3.9", 400 },
	{ "bcast", "3.3.10", 0 },
	{ "zeromf", "3.3.11", 200 },
	{ "cparam01", "3.3.12", 401 },
	{ "cparam02", "3.3.13", 401 },
	{ "regescrt", "3.3.14", 401 },
	{ "sdp01", "3.3.15", 406 },
	{ "inv2543", "3.4.1", 407 },
};

/** A peer with an address of its own, so that answers to the ports that the
 *  Vias name come here and not to another test of this machine. */
struct peer {
	struct rig *r;
	int fd[3];
	char rx[3][65536];
	unsigned int probes;
};

static const uint16_t ports[3] = { 5060, 5050, 5070 };

static void peer_open(struct peer *p, struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET }, to = a;

	p->r = r;
	to.sin_port = htons(r->port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_addr.s_addr = htonl(0x7f800000 | (getpid() & 0x7fffff));
	for (int i = 0; i < 3; i++) {
		p->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		a.sin_port = htons(ports[i]);
		assert_int_equal(bind(p->fd[i], (void *)&a, sizeof(a)), 0);
		assert_int_equal(connect(p->fd[i], (void *)&to, sizeof(to)),
				 0);
	}
}

static void peer_close(struct peer *p)
{
	for (int i = 0; i < 3; i++)
		close(p->fd[i]);
}

static void wake(void *arg, int fd, int revents)
{
	td_loop_stop(((struct rig *)arg)->loop);
}

/** What is there on any of the sockets already, or NULL. */
static struct td_sip_msg *peer_poll(struct peer *p)
{
	struct td_sip_msg *m = NULL;
	char buf[65536];
	ssize_t n = -1;

	for (int i = 0; i < 3 && n < 0; i++)
		n = recv(p->fd[i], buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0)
		assert_int_equal(td_sip_parse(buf, n, &m), 0);
	return m;
}

/** Next packet on any of the sockets, or NULL after a while. */
static struct td_sip_msg *peer_recv(struct peer *p)
{
	struct td_sip_msg *m = NULL;
	char buf[65536];
	ssize_t n = -1;

	p->r->late = false;
	for (int i = 0; i < 3; i++)
		td_loop_fd_add(p->r->loop, p->fd[i], POLLIN, wake, p->r);
	struct td_timer t = { 0 };
	td_timer_start(p->r->loop, &t, RIG_WAIT_MS, rig_on_late, p->r);
	while (n < 0 && !p->r->late) {
		td_loop_run(p->r->loop);
		for (int i = 0; i < 3 && n < 0; i++)
			n = recv(p->fd[i], buf, sizeof(buf), MSG_DONTWAIT);
	}
	td_timer_stop(&t);
	for (int i = 0; i < 3; i++)
		td_loop_fd_del(p->r->loop, p->fd[i]);
	if (n > 0)
		assert_int_equal(td_sip_parse(buf, n, &m), 0);
	return m;
}

static void probe(struct peer *p, char *call_id, size_t size)
{
	char text[512];
	int n;

	snprintf(call_id, size, "probe%u", ++p->probes);
	n = snprintf(text, sizeof(text), "OPTIONS sip:example.com SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKp%u;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:p@example.com>;tag=1\r\n"
		"To: <sip:example.com>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
		"Content-Length: 0\r\n\r\n", p->probes, call_id);
	assert_int_equal(send(p->fd[0], text, n, 0), n);
}

static void ack(struct peer *p, const struct td_sip_msg *m, const char *uri)
{
	char text[4096];
	const char *cseq = td_sip_value(m, TD_SIP_H_CSEQ, 0);
	int n = snprintf(text, sizeof(text), "ACK %s SIP/2.0\r\nVia: %s\r\n"
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u ACK\r\n"
		"Content-Length: 0\r\n\r\n", uri,
		td_sip_value(m, TD_SIP_H_VIA, 0),
		td_sip_value(m, TD_SIP_H_FROM, 0),
		td_sip_value(m, TD_SIP_H_TO, 0),
		td_sip_value(m, TD_SIP_H_CALL_ID, 0),
		(unsigned int)strtoul(cseq, NULL, 10));

	if (n < (int)sizeof(text))
		assert_int_equal(send(p->fd[0], text, n, 0), n);
}

/** Sends, then a probe; what comes before the probe's answer is the answer.
 *  @return its status, 0: silence, -1: several */
static int ask(struct peer *p, const char *text, size_t n)
{
	char call_id[32];
	struct td_sip_msg *m;
	bool probed = false;
	int status = 0;

	assert_int_equal(send(p->fd[0], text, n, 0), n);
	probe(p, call_id, sizeof(call_id));
	/* an answer may go to another socket than the probe's: what was sent
	 * before the probe's answer is there when that is */
	while ((m = probed ? peer_poll(p) : peer_recv(p))) {
		const char *id = td_sip_value(m, TD_SIP_H_CALL_ID, 0);

		if (id && !strcmp(id, call_id)) {
			assert_int_equal(m->status, 200);
			probed = true;
		} else if (!id || memmem(text, n, id, strlen(id))) {
			/* not a copy of the answer to an INVITE of before */
			status = status && status != m->status ? -1 :
								 m->status;
			if (id && strstr(td_sip_value(m, TD_SIP_H_CSEQ, 0),
					 "INVITE"))
				ack(p, m, "sip:example.com");
		}
		td_sip_msg_free(m);
	}
	assert_true(probed);
	return status;
}

static void each_message_of_rfc_4475_gets_what_it_should(void **state)
{
	const char *dir = getenv("TD_VECTORS");
	struct rig *r;
	struct peer *p;
	char name[512], *buf;
	int wrong = 0, found = 0;

	dir = dir ? dir : "../shared/vectors";
	snprintf(name, sizeof(name), "%s/rfc4475/wsinv.dat", dir);
	if (access(name, R_OK)) {
		print_message("skipped: %s is not there (TD_VECTORS)\n", name);
		skip();
	}
	r = rig_new("example.com", false);
	p = calloc(1, sizeof(*p));
	buf = malloc(65536);
	peer_open(p, r);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		FILE *f;
		size_t n;
		int got;

		snprintf(name, sizeof(name), "%s/rfc4475/%s.dat", dir,
			 vectors[i].name);
		f = fopen(name, "r");
		if (!f)
			continue;
		found++;
		n = fread(buf, 1, 65536, f);
		fclose(f);
		got = ask(p, buf, n);
		if (got != vectors[i].status) {
			print_error("%s (%s): %d, not %d\n", vectors[i].name,
				    vectors[i].section, got,
				    vectors[i].status);
			wrong++;
		}
	}
	peer_close(p);
	rig_free(r);
	free(p);
	free(buf);
	assert_int_equal(wrong, 0);
	assert_int_equal(found, 49);
}

/** First answer over a connection of its own; 0: none before the probe's. */
static int ask_stream(struct rig *r, const char *text, size_t n)
{
	char id[32];
	struct rig_req q = { .method = "OPTIONS", .uri = "sip:example.com",
			     .user = "p", .call_id = id, .cseq = 1 };
	struct td_sip_msg *m;
	int status;

	snprintf(id, sizeof(id), "probe%u", r->branch);
	td_loop_fd_del(r->loop, r->fd);
	close(r->fd);
	r->n_rx = 0;
	rig_socket(r, true);
	rig_send(r, text, n);
	rig_request(r, &q);
	m = rig_recv(r);
	while (m->status == 100) {
		td_sip_msg_free(m);
		m = rig_recv(r);
	}
	status = strcmp(td_sip_value(m, TD_SIP_H_CALL_ID, 0), id) ?
		m->status : 0;
	td_sip_msg_free(m);
	return status;
}

/* those that say TCP, over TCP; "bigcode" says UDP, but garbage is garbage */
static void messages_that_say_tcp_get_the_same_by_tcp(void **state)
{
	static const char wrong_via[] = "OPTIONS sip:b@example.com SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKw\r\n"
		"From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>"
		"\r\nCall-ID: wrong\r\nCSeq: 1 OPTIONS\r\n"
		"Content-Length: 0\r\n\r\n";
	const char *dir = getenv("TD_VECTORS");
	struct rig *r = rig_new("example.com", true);
	char name[512], *buf = malloc(65536);
	int wrong = 0, got, found = 0;

	dir = dir ? dir : "../shared/vectors";
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		FILE *f;
		size_t n;

		snprintf(name, sizeof(name), "%s/rfc4475/%s.dat", dir,
			 vectors[i].name);
		f = fopen(name, "r");
		if (!f)
			continue;
		n = fread(buf, 1, 65536, f);
		fclose(f);
		found++;
		if (!memmem(buf, n, "2.0/TCP", 7) ||
		    !strcmp(vectors[i].name, "transports"))
			continue;
		got = ask_stream(r, buf, n);
		if (got != vectors[i].status) {
			print_error("%s (%s): %d, not %d\n", vectors[i].name,
				    vectors[i].section, got,
				    vectors[i].status);
			wrong++;
		}
	}
	got = ask_stream(r, wrong_via, sizeof(wrong_via) - 1);
	assert_int_equal(got, 200);
	rig_free(r);
	free(buf);
	assert_int_equal(wrong, 0);
	if (!found) {
		print_message("skipped: no vectors in %s\n", dir);
		skip();
	}
}

#define REST "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKo%d\r\n" \
	     "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n" \
	     "Call-ID: own%d\r\n"

static const struct {
	const char *text;	/* two numbers go in: branch, Call-ID */
	int status;
} own[] = {
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\n\r\n", 200 },
	{ "OPTIONS sip:b@example.com  SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/2.0 \r\n" REST
	  "CSeq: 1 OPTIONS\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/3.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\n\r\n", 505 },
	{ "OPTIONS http://example.com SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\n\r\n", 416 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 4294967296 OPTIONS\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 INVITE\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\nMax-Forwards: 256\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\nContent-Length: 1\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\nno header at all\r\n\r\n", 400 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 OPTIONS\r\nRequire: x, 100rel\r\n\r\n", 420 },
	{ "PUBLISH sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 PUBLISH\r\n\r\n", 405 },
	{ "BYE sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 BYE\r\n\r\n", 481 },
	{ "CANCEL sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 CANCEL\r\n\r\n", 481 },
	{ "ACK sip:b@example.com SIP/2.0\r\n" REST "CSeq: 1 ACK\r\n\r\n", 0 },
	{ "ACK sip:b@example.com SIP/9.0\r\n" REST "CSeq: x ACK\r\n\r\n", 0 },
	{ "INVITE sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 INVITE\r\nMax-Forwards: 0\r\n\r\n", 483 },
	{ "INVITE sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=1\r\n",
	  400 },
	{ "INVITE sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\n"
	  "v=0\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\nc=IN IP4 1.1.1.1\r\n"
	  "t=0 0\r\nm=image 5000 udptl (\r\n", 488 },
	{ "INVITE sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 INVITE\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n"
	  "--x\r\n", 415 },
	{ "INVITE sip:b@example.com SIP/2.0\r\n" REST
	  "CSeq: 1 INVITE\r\n\r\n", 407 },
	/* one packet must not stop signalling by looking up a name */
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n"
	  "Via: SIP/2.0/UDP 127.0.0.1;maddr=no.such.name.invalid;"
	  "branch=z9hG4bKo%d\r\nFrom: <sip:a@example.com>;tag=1\r\n"
	  "To: <sip:b@example.com>\r\nCall-ID: own%d\r\n"
	  "CSeq: 1 OPTIONS\r\n\r\n", 0 },
	{ "SIP/2.0 200 OK\r\n" REST "CSeq: 1 INVITE\r\n\r\n", 0 },
	{ "SIP/2.0 2000 OK\r\n" REST "CSeq: 1 INVITE\r\n\r\n", 0 },
	{ "complete nonsense", 0 }, { "\r\n\r\n", 0 }, { "x", 0 },
	{ "OPTIONS sip:b@example.com SIP/2.0\r\n\r\n", 0 },
};

static void messages_of_our_own_get_what_they_should(void **state)
{
	struct rig *r = rig_new("example.com", false);
	struct peer *p = calloc(1, sizeof(*p));
	int wrong = 0;

	peer_open(p, r);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		char buf[2048];
		int n = snprintf(buf, sizeof(buf), own[i].text, (int)i,
				 (int)i);
		int got = ask(p, buf, n);

		if (got != own[i].status) {
			print_error("%s: %d, not %d\n", buf, got,
				    own[i].status);
			wrong++;
		}
	}
	peer_close(p);
	rig_free(r);
	free(p);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(each_message_of_rfc_4475_gets_what_it_should),
		cmocka_unit_test(messages_of_our_own_get_what_they_should),
		cmocka_unit_test(messages_that_say_tcp_get_the_same_by_tcp),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
