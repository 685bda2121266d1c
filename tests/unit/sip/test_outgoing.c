// SPDX-License-Identifier: GPL-2.0-or-later
#include "dialogs.h"

/* Outgoing legs, and the internal one between two nodes. */

static void it_rings_with_early_media_answers_and_ends(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *x;
	struct rig_event e;
	struct td_leg *l;
	char bye[1024];
	int n;

	m = start(r, s, &l);
	assert_string_equal(m->uri, s->target);
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_FROM, 0),
			       "\"Ann \\\"A\\\"\" <sip:1000@tandem.lab>"));
	assert_null(td_sip_value(m, TD_SIP_H_X_TANDEM_CALL, 0));
	assert_non_null(memmem(m->body, m->n_body, "m=audio 20000", 13));
	rig_respond(r, m, "100 Trying", NULL, NULL, NULL);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_respond(r, m, "180 Ringing", "ph", NULL, NULL);
	assert_false(rig_next(r, TD_LEV_ALERTING).session);
	rig_respond(r, m, "183 Session Progress", "ph", NULL, RIG_SDP);
	assert_true(rig_next(r, TD_LEV_PROGRESS).session);
	rig_respond(r, m, "200 OK", "ph", NULL, RIG_SDP);
	x = rig_expect_request(r, "ACK");
	assert_int_equal(td_sip_cseq(x), td_sip_cseq(m));
	td_sip_msg_free(x);
	e = rig_next(r, TD_LEV_ANSWERED);
	assert_int_equal(e.port, 4000);
	/* the 200 again: the ACK again */
	rig_respond(r, m, "200 OK", "ph", NULL, RIG_SDP);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	n = snprintf(bye, sizeof(bye), "BYE sip:x@127.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKb;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:1001@tandem.lab>;tag=ph\r\n"
		"To: %s\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\n"
		"Reason: Q.850;cause=31\r\nContent-Length: 0\r\n\r\n",
		r->phone_port, td_sip_value(m, TD_SIP_H_FROM, 0),
		td_sip_value(m, TD_SIP_H_CALL_ID, 0));
	rig_send(r, bye, n);
	td_sip_msg_free(rig_expect(r, 200));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 31);
	td_sip_msg_free(m);
	free(s);
	rig_free(r);
}

static void a_refusal_becomes_its_cause(void **state)
{
	static const struct {
		const char *status, *headers;
		int cause, sip;
	} t[] = {
		{ "486 Busy Here", NULL, 17, 486 },
		{ "404 Not Found", NULL, 1, 404 },
		{ "480 Temporarily Unavailable", NULL, 18, 480 },
		{ "603 Decline", "Reason: Q.850;cause=22\r\n", 22, 603 },
		{ "302 Moved", NULL, 23, 302 },
		{ "503 Service Unavailable", NULL, 41, 503 },
	};
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct rig_event e;
		struct td_leg *l;
		struct td_sip_msg *m = start(r, s, &l);

		rig_respond(r, m, t[i].status, "ph", t[i].headers, NULL);
		td_sip_msg_free(rig_expect_request(r, "ACK"));
		e = rig_next(r, TD_LEV_CLEARED);
		assert_int_equal(e.cause, t[i].cause);
		assert_int_equal(e.status, t[i].sip);
		td_sip_msg_free(m);
	}
	free(s);
	rig_free(r);
}

static void a_cleared_attempt_is_cancelled(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *c;
	struct td_leg *l;

	m = start(r, s, &l);
	rig_respond(r, m, "180 Ringing", "ph", NULL, NULL);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_next(r, TD_LEV_ALERTING);
	l->ops->clear(l, 26, 0);
	c = rig_expect_request(r, "CANCEL");
	assert_non_null(strstr(td_sip_value(c, TD_SIP_H_REASON, 0),
			       "completed elsewhere"));
	rig_respond(r, c, "200 OK", "ph", NULL, NULL);
	rig_respond(r, m, "487 Request Terminated", "ph", NULL, NULL);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 26);
	td_sip_msg_free(c);
	td_sip_msg_free(m);
	/* the answer crosses the CANCEL: ACK, then BYE */
	m = start(r, s, &l);
	rig_respond(r, m, "180 Ringing", "ph", NULL, NULL);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_next(r, TD_LEV_ALERTING);
	l->ops->clear(l, 16, 0);
	c = rig_expect_request(r, "CANCEL");
	rig_respond(r, m, "200 OK", "ph", NULL, RIG_SDP);
	rig_respond(r, c, "200 OK", "ph", NULL, NULL);
	td_sip_msg_free(c);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	c = rig_expect_request(r, "BYE");
	rig_respond(r, c, "200 OK", "ph", NULL, NULL);
	td_sip_msg_free(c);
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 16);
	td_sip_msg_free(m);
	free(s);
	rig_free(r);
}

static void the_first_of_several_answers_wins(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *x;
	struct td_leg *l;
	int ack = 0, bye = 0;

	m = start(r, s, &l);
	rig_respond(r, m, "180 Ringing", "one", NULL, NULL);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_next(r, TD_LEV_ALERTING);
	rig_respond(r, m, "180 Ringing", "two", NULL, NULL);
	rig_next(r, TD_LEV_ALERTING);
	rig_respond(r, m, "200 OK", "two", NULL, RIG_SDP);
	x = rig_expect_request(r, "ACK");
	assert_non_null(strstr(td_sip_value(x, TD_SIP_H_TO, 0), "tag=two"));
	td_sip_msg_free(x);
	rig_next(r, TD_LEV_ANSWERED);
	rig_respond(r, m, "200 OK", "one", NULL, RIG_SDP);
	while (!ack || !bye) {
		x = rig_recv(r);
		assert_true(x->request);
		assert_non_null(strstr(td_sip_value(x, TD_SIP_H_TO, 0),
				       "tag=one"));
		ack += !strcmp(x->method, "ACK");
		bye += !strcmp(x->method, "BYE");
		td_sip_msg_free(x);
	}
	td_sip_msg_free(m);
	l->ops->clear(l, 16, 0);
	m = rig_expect_request(r, "BYE");
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_TO, 0), "tag=two"));
	rig_respond(r, m, "200 OK", NULL, NULL, NULL);
	td_sip_msg_free(m);
	rig_next(r, TD_LEV_CLEARED);
	free(s);
	rig_free(r);
}

static void record_routes_are_followed_backwards(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *x;
	struct td_leg *l;
	char rr[256];

	m = start(r, s, &l);
	snprintf(rr, sizeof(rr), "Record-Route: <sip:10.9.9.9;lr>, "
		 "<sip:127.0.0.1:%u;lr>\r\n", r->phone_port);
	rig_respond(r, m, "200 OK", "ph", rr, RIG_SDP);
	td_sip_msg_free(m);
	x = rig_expect_request(r, "ACK");
	snprintf(rr, sizeof(rr), "<sip:127.0.0.1:%u;lr>", r->phone_port);
	assert_string_equal(td_sip_value(x, TD_SIP_H_ROUTE, 0), rr);
	assert_string_equal(td_sip_value(x, TD_SIP_H_ROUTE, 1),
			    "<sip:10.9.9.9;lr>");
	td_sip_msg_free(x);
	rig_next(r, TD_LEV_ANSWERED);
	l->ops->free(l);
	free(s);
	rig_free(r);
}

static void a_withheld_number_is_not_shown_to_a_phone(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m;
	struct td_leg *l;

	s->calling_restricted = true;
	m = start(r, s, &l);
	for (unsigned int i = 0; i < m->n; i++)
		assert_null(strstr(m->f[i].value, "1000"));
	assert_string_equal(td_sip_value(m, TD_SIP_H_PRIVACY, 0), "id");
	td_sip_msg_free(m);
	l->ops->free(l);
	free(s);
	rig_free(r);
}

static void a_phone_on_tcp_is_reached_over_its_connection(void **state)
{
	struct rig *r = rig_new("tandem.lab", true);
	struct td_setup *s = new_setup(r);
	struct rig_req q = { .method = "OPTIONS", .uri = "sip:tandem.lab",
			     .user = "1001", .call_id = "t@rig", .cseq = 1 };
	struct td_sip_msg *m;
	struct td_leg *l;

	rig_request(r, &q);		/* opens the flow */
	td_sip_msg_free(rig_expect(r, 200));
	/* where it says it listens nobody does */
	strcpy(s->target, "sip:1001@127.0.0.1:9;transport=tcp");
	m = start(r, s, &l);
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_VIA, 0), "TCP"));
	rig_respond(r, m, "200 OK", "ph", NULL, RIG_SDP);
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	rig_next(r, TD_LEV_ANSWERED);
	l->ops->clear(l, 16, 0);
	m = rig_expect_request(r, "BYE");
	rig_respond(r, m, "200 OK", NULL, NULL, NULL);
	td_sip_msg_free(m);
	rig_next(r, TD_LEV_CLEARED);
	free(s);
	rig_free(r);
}

static void a_dead_peer_gives_cause_102_or_27(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct rig_event e;
	struct td_leg *l;
	uint16_t dead = rig_free_port();

	strcpy(s->transport, "tcp");	/* refused at once */
	s->received[0] = '\0';
	snprintf(s->target, sizeof(s->target),
		 "sip:1001@127.0.0.1:%u;transport=tcp", dead);
	assert_int_equal(td_sip_leg_new(r->sip, &l), 0);
	assert_int_equal(l->ops->setup(l, s), 0);
	e = rig_next(r, TD_LEV_CLEARED);
	assert_int_equal(e.cause, 27);
	assert_int_equal(e.status, 503);
	/* a name is never looked up */
	assert_int_equal(td_sip_leg_new(r->sip, &l), 0);
	strcpy(s->target, "sip:1001@phone.example.com");
	assert_int_equal(l->ops->setup(l, s), -EINVAL);
	l->ops->free(l);
	free(s);
	rig_free(r);
}

static void a_silent_peer_gives_cause_102(void **state)
{
	struct rig *r = rig_new_timed("tandem.lab", false,
				      &(struct rig_times){ .t1x64_ms = 400 });
	struct td_setup *s = new_setup(r);
	struct rig_event e;
	struct td_leg *l;

	td_sip_msg_free(start(r, s, &l));
	e = rig_next(r, TD_LEV_CLEARED);	/* timer B */
	assert_int_equal(e.cause, 102);
	assert_int_equal(e.status, 408);
	free(s);
	rig_free(r);
}

static void nobody_answers_and_it_is_cancelled_with_cause_19(void **state)
{
	struct rig *r = rig_new_timed("tandem.lab", false,
		&(struct rig_times){ .t1x64_ms = 8000, .no_answer_ms = 1200 });
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *c;
	struct td_leg *l;

	m = start(r, s, &l);
	rig_respond(r, m, "180 Ringing", "ph", NULL, NULL);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_next(r, TD_LEV_ALERTING);
	c = rig_expect_request(r, "CANCEL");
	rig_respond(r, c, "200 OK", "ph", NULL, NULL);
	rig_respond(r, m, "487 Request Terminated", "ph", NULL, NULL);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 19);
	td_sip_msg_free(c);
	td_sip_msg_free(m);
	free(s);
	rig_free(r);
}

/* RFC 3261 18.1.1 wants TCP for it; a phone that has none gets it by UDP */
static void a_big_invite_reaches_a_phone_that_has_udp_only(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m;
	struct td_leg *l;

	strcpy(s->session.raw, RIG_SDP);
	for (int i = 0; i < 60; i++)
		strcat(s->session.raw, "a=x-filler:0123456789012345678901234"
		       "567890123456789\r\n");
	m = start(r, s, &l);
	assert_int_equal(m->n_body, strlen(s->session.raw));
	assert_memory_equal(m->body, s->session.raw, m->n_body);
	td_sip_msg_free(m);
	l->ops->free(l);
	free(s);
	rig_free(r);
}

static void it_can_end_while_effects_wait(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_leg *l;

	assert_int_equal(td_sip_leg_new(r->sip, &l), 0);
	assert_int_equal(l->ops->setup(l, s), 0);
	l->ops->clear(l, 16, 0);
	l->ops->free(l);
	free(s);
	rig_free(r);
}

static bool can_accept(struct rig *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void when_the_flow_is_gone_the_contact_is_tried(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	struct rig *r = rig_new("tandem.lab", true);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m;
	struct td_leg *l;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (void *)&a, &n), 0);
	assert_int_equal(listen(fd, 1), 0);
	snprintf(s->received, sizeof(s->received), "127.0.0.1:%u",
		 rig_free_port());
	snprintf(s->target, sizeof(s->target),
		 "sip:1001@127.0.0.1:%u;transport=tcp", ntohs(a.sin_port));
	assert_int_equal(td_sip_leg_new(r->sip, &l), 0);
	assert_int_equal(l->ops->setup(l, s), 0);
	/* the rig's socket is now the one that accepts */
	td_loop_fd_del(r->loop, r->fd);
	close(r->fd);
	r->fd = fd;
	assert_int_equal(td_loop_fd_add(r->loop, fd, POLLIN, rig_on_rx, r), 0);
	rig_until(r, can_accept);
	td_loop_fd_del(r->loop, fd);
	r->fd = accept(fd, NULL, NULL);
	close(fd);
	assert_true(r->fd >= 0);
	assert_int_equal(td_loop_fd_add(r->loop, r->fd, 0, rig_on_rx, r), 0);
	m = rig_expect_request(r, "INVITE");
	rig_respond(r, m, "486 Busy Here", "ph", NULL, NULL);
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 17);
	free(s);
	rig_free(r);
}

/** The phone's socket becomes the other node's. */
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

static void two_nodes_share_a_call_over_an_internal_leg(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m;
	struct td_leg *l;
	struct rig_req q = { .method = "INVITE", .uri = "sip:95550002@x",
			     .user = "1000", .call_id = "i@rig", .cseq = 1,
			     .body = RIG_SDP, .headers =
		"P-Asserted-Identity: \"Bob\" <sip:1007@tandem.lab>\r\n"
		"Privacy: id\r\n"
		"X-Tandem-Call: 0200000000000abc;user=1007;inband\r\n" };

	become_node(r);
	/* out */
	s->internal = true;
	s->call_id = 0x0100000100000007;
	s->calling_restricted = true;
	strcpy(s->user, "1000");
	s->received[0] = s->address[0] = s->transport[0] = '\0';
	snprintf(s->target, sizeof(s->target), "sip:95550002@127.0.0.4:%u",
		 r->internal_port);
	strcpy(s->session.raw, RIG_SDP);
	m = start(r, s, &l);
	assert_string_equal(td_sip_value(m, TD_SIP_H_X_TANDEM_CALL, 0),
			    "0100000100000007;user=1000");
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_P_ASSERTED_IDENTITY,
					    0), "<sip:1000@tandem.lab>"));
	assert_int_equal(m->n_body, strlen(RIG_SDP));	/* unchanged */
	assert_memory_equal(m->body, RIG_SDP, m->n_body);
	td_sip_msg_free(m);
	l->ops->free(l);
	/* in: no digest */
	rig_request(r, &q);
	l = rig_call(r);
	assert_true(r->setup.internal);
	assert_int_equal(r->setup.call_id, 0x0200000000000abc);
	assert_string_equal(r->setup.called, "95550002");
	assert_string_equal(r->setup.calling, "1007");
	assert_string_equal(r->setup.calling_name, "Bob");
	assert_string_equal(r->setup.user, "1007");
	assert_true(r->setup.calling_restricted);
	assert_true(r->setup.inband);
	l->ops->clear(l, 34, 0);
	td_sip_msg_free(rig_expect(r, 503));
	rig_next(r, TD_LEV_CLEARED);
	free(s);
	rig_free(r);
}

static void the_internal_port_is_for_nodes_only(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = inet_addr("127.0.0.3"),
		.sin_port = htons(r->internal_port) };
	struct rig_req q = { .method = "INVITE", .uri = "sip:1@x",
			     .user = "1000", .call_id = "i@rig", .cseq = 1,
			     .headers = "X-Tandem-Call: 0200000000000abc\r\n" };

	assert_int_equal(connect(r->fd, (void *)&a, sizeof(a)), 0);
	rig_request(r, &q);
	td_sip_msg_free(rig_expect(r, 403));
	q.method = "REGISTER";
	q.call_id = "j@rig";
	do {		/* copies of the 403 to the INVITE have CSeq INVITE */
		struct td_sip_msg *m;
		bool mine;

		rig_request(r, &q);
		q.cseq++;
		m = rig_expect(r, 403);
		mine = strstr(td_sip_value(m, TD_SIP_H_CSEQ, 0), "REGISTER");
		td_sip_msg_free(m);
		if (mine)
			break;
	} while (true);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(it_rings_with_early_media_answers_and_ends),
		cmocka_unit_test(a_refusal_becomes_its_cause),
		cmocka_unit_test(a_cleared_attempt_is_cancelled),
		cmocka_unit_test(the_first_of_several_answers_wins),
		cmocka_unit_test(record_routes_are_followed_backwards),
		cmocka_unit_test(a_withheld_number_is_not_shown_to_a_phone),
		cmocka_unit_test(a_phone_on_tcp_is_reached_over_its_connection),
		cmocka_unit_test(when_the_flow_is_gone_the_contact_is_tried),
		cmocka_unit_test(a_dead_peer_gives_cause_102_or_27),
		cmocka_unit_test(a_silent_peer_gives_cause_102),
		cmocka_unit_test(
			nobody_answers_and_it_is_cancelled_with_cause_19),
		cmocka_unit_test(
			a_big_invite_reaches_a_phone_that_has_udp_only),
		cmocka_unit_test(it_can_end_while_effects_wait),
		cmocka_unit_test(two_nodes_share_a_call_over_an_internal_leg),
		cmocka_unit_test(the_internal_port_is_for_nodes_only),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
