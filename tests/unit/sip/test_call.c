// SPDX-License-Identifier: GPL-2.0-or-later
#include "dialogs.h"

/* Dialogs as legs, against a phone written by hand. */

static void a_phone_calls_rings_is_answered_and_hangs_up(void **state)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		struct rig *r = rig_new("tandem.lab", tcp);
		struct rig_req q;
		struct td_leg *l = invite(r, &q, RIG_SDP);
		struct td_session s = answer_session();
		struct td_sip_msg *m;
		struct rig_event e;
		char tag[64], t180[64];

		assert_string_equal(r->setup.called, "1001");
		assert_string_equal(r->setup.calling, "1000");
		assert_string_equal(r->setup.calling_name, "Ann");
		assert_string_equal(r->setup.user, "1000");
		assert_string_equal(r->setup.address, "a1");
		assert_int_equal(r->setup.session.port, 4000);
		assert_false(r->setup.session.nat);
		assert_false(r->setup.internal);
		assert_int_equal(l->ops->proceeding(l), 0);
		assert_int_equal(l->ops->alerting(l, NULL), 0);
		m = rig_expect(r, 180);
		rig_tag(m, t180, sizeof(t180));
		assert_int_equal(m->n_body, 0);
		td_sip_msg_free(m);
		assert_int_equal(l->ops->progress(l, &s), 0);
		m = rig_expect(r, 183);
		assert_true(m->n_body > 0);
		td_sip_msg_free(m);
		assert_int_equal(l->ops->answer(l, &s), 0);
		m = rig_expect(r, 200);
		rig_tag(m, tag, sizeof(tag));
		assert_string_equal(tag, t180);
		td_sip_msg_free(m);
		request(r, &q, "ACK", tag, q.cseq, NULL);
		request(r, &q, "BYE", tag, q.cseq + 1, NULL);
		td_sip_msg_free(rig_expect(r, 200));
		e = rig_next(r, TD_LEV_CLEARED);
		assert_int_equal(e.cause, 16);
		assert_int_equal(r->freed, 1);
		/* its dialog is gone with it */
		request(r, &q, "BYE", tag, q.cseq + 2, NULL);
		td_sip_msg_free(rig_expect(r, 481));
		free((char *)q.headers);
		rig_free(r);
	}
}

static void we_hang_up_with_bye_and_a_reason(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_sip_msg *m;
	struct rig_req q;
	char tag[64];
	struct td_leg *l = answered(r, &q, tag, sizeof(tag));

	l->ops->clear(l, 31, 0);
	m = rig_expect_request(r, "BYE");
	assert_int_equal(td_sip_reason_cause(td_sip_value(m, TD_SIP_H_REASON,
							  0)), 31);
	rig_respond(r, m, "200 OK", NULL, NULL, NULL);
	td_sip_msg_free(m);
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 31);
	free((char *)q.headers);
	rig_free(r);
}

static void a_call_that_is_refused_gets_the_status_of_its_cause(void **state)
{
	static const struct {
		int cause;
		unsigned int retry;
		int status;
	} t[] = {
		{ 17, 0, 486 }, { 1, 0, 404 }, { 34, 0, 503 },
		{ 42, 5, 503 }, { 21, 0, 403 }, { 20, 0, 480 },
	};
	struct rig *r = rig_new("tandem.lab", false);

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct rig_req q;
		struct td_leg *l = invite(r, &q, RIG_SDP);
		struct td_sip_msg *m;
		char tag[64];

		l->ops->clear(l, t[i].cause, t[i].retry);
		m = rig_expect(r, t[i].status);
		rig_tag(m, tag, sizeof(tag));
		assert_int_equal(td_sip_reason_cause(
			td_sip_value(m, TD_SIP_H_REASON, 0)), t[i].cause);
		assert_int_equal(td_sip_count(m, TD_SIP_H_RETRY_AFTER),
				 t[i].retry != 0);
		td_sip_msg_free(m);
		assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause,
				 t[i].cause);
		free((char *)q.headers);
		/* a new socket: copies of the answer go to the old one */
		td_loop_fd_del(r->loop, r->fd);
		close(r->fd);
		rig_socket(r, false);
		r->n_rx = 0;
	}
	rig_free(r);
}

static void a_cancelled_call_ends_with_487(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q;
	struct td_leg *l = invite(r, &q, RIG_SDP);
	struct td_sip_msg *m;
	char branch[64];
	int seen = 0;

	assert_int_equal(l->ops->alerting(l, NULL), 0);
	td_sip_msg_free(rig_expect(r, 180));
	snprintf(branch, sizeof(branch), "z9hG4bKrig%u", r->branch);
	q.branch = branch;
	request(r, &q, "CANCEL", NULL, q.cseq, NULL);
	while (seen != 3) {		/* in either order */
		m = rig_recv(r);
		assert_true(m->status == 200 || m->status == 487);
		seen |= m->status == 200 ? 1 : 2;
		td_sip_msg_free(m);
	}
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 16);
	free((char *)q.headers);
	rig_free(r);
}

static void an_overloaded_call_room_gives_503(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q = { .method = "INVITE", .uri = USER_URI,
			     .user = "1000", .call_id = "o@rig", .cseq = 1,
			     .body = RIG_SDP };
	struct td_sip_msg *m;

	r->refuse = -EAGAIN;
	rig_request(r, &q);
	m = rig_expect(r, 407);
	rig_again(r, &q, m, "pw1000");
	td_sip_msg_free(m);
	do {			/* copies of the 407 may come between */
		m = rig_recv(r);
		if (m->status == 503)
			break;
		td_sip_msg_free(m);
	} while (true);
	assert_int_equal(td_sip_count(m, TD_SIP_H_RETRY_AFTER), 1);
	td_sip_msg_free(m);
	rig_free(r);
}

static void hold_comes_as_an_offer_and_is_answered(void **state)
{
	static const char hold[] = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\n"
		"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
		"a=sendonly\r\n";
	struct rig *r = rig_new("tandem.lab", false);
	struct td_session s = answer_session();
	struct td_sip_msg *m;
	struct rig_event e;
	struct rig_req q;
	char tag[64];
	struct td_leg *l = answered(r, &q, tag, sizeof(tag));

	request(r, &q, "INVITE", tag, q.cseq + 1, hold);
	e = rig_next(r, TD_LEV_OFFER);
	assert_int_equal(e.dir, TD_DIR_SENDONLY);
	/* a second one meanwhile, RFC 3261 14.2 */
	request(r, &q, "UPDATE", tag, q.cseq + 2, hold);
	m = rig_expect(r, 500);
	assert_int_equal(td_sip_count(m, TD_SIP_H_RETRY_AFTER), 1);
	td_sip_msg_free(m);
	s.dir = TD_DIR_RECVONLY;
	assert_int_equal(l->ops->offer_reply(l, 0, &s), 0);
	m = rig_expect(r, 200);
	assert_non_null(memmem(m->body, m->n_body, "a=recvonly", 10));
	/* one origin, its version one further */
	assert_non_null(memmem(m->body, m->n_body, " 2 IN IP4", 9));
	td_sip_msg_free(m);
	request(r, &q, "ACK", tag, q.cseq + 1, NULL);
	/* and by UPDATE, refused */
	request(r, &q, "UPDATE", tag, q.cseq + 3, RIG_SDP);
	e = rig_next(r, TD_LEV_OFFER);
	assert_int_equal(l->ops->offer_reply(l, 88, NULL), 0);
	td_sip_msg_free(rig_expect(r, 488));
	/* an older CSeq */
	request(r, &q, "UPDATE", tag, q.cseq, RIG_SDP);
	td_sip_msg_free(rig_expect(r, 500));
	free((char *)q.headers);
	rig_free(r);
}

static void our_offer_survives_glare(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_session s = answer_session();
	struct td_sip_msg *m;
	struct rig_event e;
	struct rig_req q;
	char tag[64];
	struct td_leg *l = answered(r, &q, tag, sizeof(tag));

	request(r, &q, "OPTIONS", tag, q.cseq + 1, NULL);
	td_sip_msg_free(rig_expect(r, 200));	/* the ACK is in, too */
	s.port = 20002;
	assert_int_equal(l->ops->offer(l, &s), 0);
	assert_int_equal(l->ops->offer(l, &s), -EBUSY);
	m = rig_expect_request(r, "INVITE");
	/* theirs at the same time */
	request(r, &q, "INVITE", tag, q.cseq + 2, RIG_SDP);
	td_sip_msg_free(rig_expect(r, 491));
	rig_respond(r, m, "491 Request Pending", NULL, NULL, NULL);
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	m = rig_recv(r);		/* copies of our 491 are possible */
	while (!m->request) {
		td_sip_msg_free(m);
		m = rig_recv(r);
	}
	assert_string_equal(m->method, "INVITE");
	rig_respond(r, m, "200 OK", NULL, NULL, RIG_SDP);
	td_sip_msg_free(m);
	e = rig_next(r, TD_LEV_OFFER_REPLY);
	assert_int_equal(e.cause, 0);
	assert_int_equal(e.port, 4000);
	free((char *)q.headers);
	rig_free(r);
}

static void a_late_offer_is_answered_in_the_ack(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_session s = answer_session();
	struct td_sip_msg *m;
	struct rig_req q;
	struct td_leg *l = invite(r, &q, NULL);
	char tag[64];

	assert_int_equal(r->setup.session.kind, TD_MEDIA_NONE);
	assert_int_equal(l->ops->answer(l, &s), 0);
	m = rig_expect(r, 200);
	assert_true(m->n_body > 0);
	rig_tag(m, tag, sizeof(tag));
	td_sip_msg_free(m);
	request(r, &q, "ACK", tag, q.cseq, RIG_SDP);
	assert_int_equal(rig_next(r, TD_LEV_OFFER_REPLY).port, 4000);
	free((char *)q.headers);
	rig_free(r);
}

static void digits_come_by_info(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_sip_msg *m;
	struct rig_req q;
	char tag[64];
	struct td_leg *l = answered(r, &q, tag, sizeof(tag));
	struct rig_req i = q;

	i.method = "INFO";
	i.to_tag = tag;
	i.cseq = q.cseq + 1;
	i.headers = "Content-Type: application/dtmf-relay\r\n";
	i.body = "Signal=5\r\nDuration=160\r\n";
	rig_request(r, &i);
	td_sip_msg_free(rig_expect(r, 200));
	assert_string_equal(rig_next(r, TD_LEV_DTMF).digits, "5");
	assert_int_equal(l->ops->dtmf(l, '#'), 0);
	m = rig_expect_request(r, "INFO");
	assert_non_null(memmem(m->body, m->n_body, "Signal=#", 8));
	td_sip_msg_free(m);
	free((char *)q.headers);
	rig_free(r);
}

static void a_minority_says_nothing_about_its_calls(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_session s = answer_session();
	struct rig_req q;
	struct td_leg *l = invite(r, &q, RIG_SDP);

	r->checkpoint_rc = -ENOTCONN;
	assert_int_equal(l->ops->answer(l, &s), -ENOTCONN);
	l->ops->clear(l, 41, 0);
	td_sip_msg_free(rig_expect(r, 503));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 41);
	free((char *)q.headers);
	rig_free(r);
}

static void what_went_round_is_a_loop(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q = { .method = "OPTIONS", .uri = "sip:tandem.lab",
			     .user = "1000", .call_id = "l@rig", .cseq = 1 };
	char via[128];

	snprintf(via, sizeof(via), "Via: SIP/2.0/UDP 127.0.0.1:%u;"
		 "branch=z9hG4bKours\r\n", r->port);
	q.headers = via;
	rig_request(r, &q);
	td_sip_msg_free(rig_expect(r, 482));
	/* and the same request by two ways, RFC 3261 8.2.2.2 */
	q.headers = NULL;
	q.from_tag = "other";
	rig_request(r, &q);
	td_sip_msg_free(rig_expect(r, 200));
	rig_request(r, &q);
	td_sip_msg_free(rig_expect(r, 482));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(a_phone_calls_rings_is_answered_and_hangs_up),
		cmocka_unit_test(we_hang_up_with_bye_and_a_reason),
		cmocka_unit_test(
		    a_call_that_is_refused_gets_the_status_of_its_cause),
		cmocka_unit_test(a_cancelled_call_ends_with_487),
		cmocka_unit_test(an_overloaded_call_room_gives_503),
		cmocka_unit_test(hold_comes_as_an_offer_and_is_answered),
		cmocka_unit_test(our_offer_survives_glare),
		cmocka_unit_test(a_late_offer_is_answered_in_the_ack),
		cmocka_unit_test(digits_come_by_info),
		cmocka_unit_test(what_went_round_is_a_loop),
		cmocka_unit_test(a_minority_says_nothing_about_its_calls),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
