// SPDX-License-Identifier: GPL-2.0-or-later
#include "dialogs.h"

/* Session timers (RFC 4028), UPDATE (RFC 3311) and the question that a silent
 * phone is asked, on the wire. A second of a session lasts 12 ms here. */

static struct rig *make(uint32_t t1x64_ms)
{
	struct rig *r = rig_new_timed("tandem.lab", false,
		&(struct rig_times){ .t1x64_ms = t1x64_ms, .second_ms = 12 });

	r->site->session_expires_s = 90;
	return r;
}

static void expect_header(const struct td_sip_msg *m, enum td_sip_hdr id,
			  const char *value)
{
	const char *v = td_sip_value(m, id, 0);

	if (!value)
		assert_null(v);
	else
		assert_string_equal(v ? v : "none", value);
}

/** A call from the phone, with these header lines; @return the 200. */
static struct td_sip_msg *call_in(struct rig *r, struct rig_req *q,
				  const char *more)
{
	struct td_session s = answer_session();
	struct td_sip_msg *m;
	struct td_leg *l;
	char tag[64];

	l = invite_with(r, q, RIG_SDP, more);
	assert_int_equal(l->ops->answer(l, &s), 0);
	m = rig_expect(r, 200);
	rig_tag(m, tag, sizeof(tag));
	request(r, q, "ACK", tag, q->cseq, NULL);
	return m;
}

/** The next request that is no re-sent one of before. */
static struct td_sip_msg *next_request(struct rig *r, const char *method,
				       uint32_t after)
{
	struct td_sip_msg *m;

	for (;;) {
		m = rig_expect_request(r, method);
		if (td_sip_cseq(m) > after)
			return m;
		td_sip_msg_free(m);
	}
}

static void end_in(struct rig *r, struct rig_req *q,
		   const struct td_sip_msg *ok, unsigned int cseq)
{
	char tag[64];

	rig_tag(ok, tag, sizeof(tag));
	request(r, q, "BYE", tag, cseq, NULL);
	for (;;) {	/* a refresh may cross it */
		struct td_sip_msg *m = rig_recv(r);
		bool done = m->status == 200 &&
			    strstr(td_sip_value(m, TD_SIP_H_CSEQ, 0), "BYE");

		td_sip_msg_free(m);
		if (done)
			break;
	}
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 16);
	free((char *)q->headers);
}

static void a_session_is_refreshed_by_update_for_as_long_as_it_is_answered(
	void **state)
{
	struct rig *r = make(8000);
	struct td_sip_msg *ok, *m;
	struct rig_req q;
	uint32_t cseq = 0;

	ok = call_in(r, &q, "Supported: timer\r\nAllow: INVITE, UPDATE\r\n"
		     "Session-Expires: 1800\r\n");
	expect_header(ok, TD_SIP_H_SESSION_EXPIRES, "90;refresher=uas");
	expect_header(ok, TD_SIP_H_REQUIRE, "timer");
	for (int i = 0; i < 2; i++) {
		m = next_request(r, "UPDATE", cseq);
		cseq = td_sip_cseq(m);
		assert_int_equal(m->n_body, 0);
		expect_header(m, TD_SIP_H_SESSION_EXPIRES,
			      "90;refresher=uac");
		expect_header(m, TD_SIP_H_SUPPORTED, "timer");
		rig_respond(r, m, "200 OK", NULL,
			    "Session-Expires: 90;refresher=uac\r\n"
			    "Require: timer\r\n", NULL);
		td_sip_msg_free(m);
	}
	end_in(r, &q, ok, 10);
	td_sip_msg_free(ok);
	rig_free(r);
}

static void a_phone_that_knows_no_update_gets_its_own_description_again(
	void **state)
{
	struct rig *r = make(8000);
	struct td_sip_msg *ok, *m;
	struct rig_req q;

	ok = call_in(r, &q, "Supported: timer\r\nAllow: INVITE\r\n");
	m = next_request(r, "INVITE", 0);
	/* RFC 4028 7.4: as it was sent before, the version too */
	assert_int_equal(m->n_body, ok->n_body);
	assert_memory_equal(m->body, ok->body, m->n_body);
	rig_respond(r, m, "200 OK", NULL, "Session-Expires: 90;refresher=uac"
		    "\r\n", RIG_SDP);
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	assert_int_equal(r->n_ev, 0);	/* nothing that the call must hear */
	end_in(r, &q, ok, 10);
	td_sip_msg_free(ok);
	rig_free(r);
}

static void a_phone_without_timers_is_asked_by_options(void **state)
{
	struct rig *r = make(8000);
	struct td_sip_msg *ok, *m;
	struct rig_req q;
	uint32_t cseq;

	ok = call_in(r, &q, NULL);
	expect_header(ok, TD_SIP_H_SESSION_EXPIRES, "90;refresher=uas");
	expect_header(ok, TD_SIP_H_REQUIRE, NULL);
	m = next_request(r, "OPTIONS", 0);
	cseq = td_sip_cseq(m);
	rig_respond(r, m, "405 Method Not Allowed", NULL, NULL, NULL);
	td_sip_msg_free(m);		/* it lives */
	m = next_request(r, "OPTIONS", cseq);
	rig_respond(r, m, "481 Call Does Not Exist", NULL, NULL, NULL);
	td_sip_msg_free(m);		/* it knows of no call */
	m = rig_expect_request(r, "BYE");
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_REASON, 0),
			       "cause=41"));
	td_sip_msg_free(m);
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 41);
	td_sip_msg_free(ok);
	free((char *)q.headers);
	rig_free(r);
}

static void a_phone_that_died_is_cleared_when_no_answer_comes(void **state)
{
	struct rig *r = make(300);
	struct td_sip_msg *ok;
	struct rig_req q;

	ok = call_in(r, &q, "Supported: timer\r\nAllow: UPDATE\r\n");
	/* it says nothing any more; the BYE's answer is not waited for */
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 27);
	td_sip_msg_free(ok);
	free((char *)q.headers);
	rig_free(r);
}

static void who_should_refresh_and_does_not_is_cleared(void **state)
{
	struct rig *r = make(8000);
	struct td_sip_msg *ok, *m;
	struct rig_req q;
	char tag[64];

	ok = call_in(r, &q, "Supported: timer\r\n"
		     "Session-Expires: 90;refresher=uac\r\n");
	expect_header(ok, TD_SIP_H_SESSION_EXPIRES, "90;refresher=uac");
	rig_tag(ok, tag, sizeof(tag));
	/* its UPDATE without a body is a refresh */
	request(r, &q, "UPDATE", tag, 10, NULL);
	m = rig_expect(r, 200);
	assert_int_equal(m->n_body, 0);
	expect_header(m, TD_SIP_H_SESSION_EXPIRES, "90;refresher=uac");
	td_sip_msg_free(m);
	m = rig_expect_request(r, "BYE");
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_REASON, 0),
			       "cause=102"));
	td_sip_msg_free(m);
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 102);
	td_sip_msg_free(ok);
	free((char *)q.headers);
	rig_free(r);
}

static void too_short_an_interval_is_refused(void **state)
{
	struct rig *r = make(8000);
	struct td_sip_msg *ok, *m;
	struct rig_req q, u;
	char tag[64];

	r->site->session_expires_s = 1800;
	ok = call_in(r, &q, "Supported: timer\r\n");
	rig_tag(ok, tag, sizeof(tag));
	u = q;
	u.headers = "Supported: timer\r\nSession-Expires: 60\r\n";
	request(r, &u, "UPDATE", tag, 10, NULL);
	m = rig_expect(r, 422);
	expect_header(m, TD_SIP_H_MIN_SE, "90");
	td_sip_msg_free(m);
	u.headers = "Supported: timer\r\nSession-Expires: many\r\n";
	request(r, &u, "UPDATE", tag, 11, NULL);
	td_sip_msg_free(rig_expect(r, 400));
	/* an UPDATE with an offer is one */
	u.headers = "Supported: timer\r\nSession-Expires: 120;refresher=uac"
		    "\r\n";
	request(r, &u, "UPDATE", tag, 12, RIG_SDP "a=sendonly\r\n");
	assert_int_equal(rig_next(r, TD_LEV_OFFER).dir, TD_DIR_SENDONLY);
	/* and while it is open there is no room for another */
	request(r, &u, "INVITE", tag, 13, RIG_SDP);
	m = rig_expect(r, 500);
	assert_non_null(td_sip_value(m, TD_SIP_H_RETRY_AFTER, 0));
	td_sip_msg_free(m);
	{
		struct td_session s = answer_session();

		assert_int_equal(r->in->ops->offer_reply(r->in, 0, &s), 0);
	}
	m = rig_expect(r, 200);
	assert_true(m->n_body > 0);
	expect_header(m, TD_SIP_H_SESSION_EXPIRES, "120;refresher=uac");
	td_sip_msg_free(m);
	end_in(r, &q, ok, 14);
	td_sip_msg_free(ok);
	rig_free(r);
}

static void an_update_before_the_answer_waits_its_turn(void **state)
{
	struct rig *r = make(8000);
	struct td_session s = answer_session();
	struct td_sip_msg *m;
	struct rig_req q;
	struct td_leg *l = invite(r, &q, RIG_SDP);
	char tag[64];

	assert_int_equal(l->ops->alerting(l, NULL), 0);
	m = rig_expect(r, 180);
	rig_tag(m, tag, sizeof(tag));
	td_sip_msg_free(m);
	request(r, &q, "UPDATE", tag, q.cseq + 1, RIG_SDP);
	td_sip_msg_free(rig_expect(r, 500));	/* RFC 3311 5.2 */
	request(r, &q, "UPDATE", tag, q.cseq + 2, NULL);
	m = rig_expect(r, 200);
	expect_header(m, TD_SIP_H_SESSION_EXPIRES, NULL);
	td_sip_msg_free(m);
	assert_int_equal(l->ops->answer(l, &s), 0);
	m = rig_expect(r, 200);
	request(r, &q, "ACK", tag, q.cseq, NULL);
	end_in(r, &q, m, q.cseq + 3);
	td_sip_msg_free(m);
	rig_free(r);
}

/** An answered call to the phone; @return the INVITE. */
static struct td_sip_msg *call_out(struct rig *r, struct td_leg **l,
				   const char *headers)
{
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m = start(r, s, l);

	rig_respond(r, m, "200 OK", "ph", headers, RIG_SDP);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	rig_next(r, TD_LEV_ANSWERED);
	free(s);
	return m;
}

static void a_422_to_our_invite_is_taken_at_its_word_once(void **state)
{
	struct rig *r = make(8000);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *again;
	struct td_leg *l;

	m = start(r, s, &l);
	expect_header(m, TD_SIP_H_SESSION_EXPIRES, "90");
	expect_header(m, TD_SIP_H_MIN_SE, NULL);
	rig_respond(r, m, "422 Session Interval Too Small", "ph",
		    "Min-SE: 300\r\n", NULL);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	again = rig_expect_request(r, "INVITE");
	expect_header(again, TD_SIP_H_SESSION_EXPIRES, "300");
	expect_header(again, TD_SIP_H_MIN_SE, "300");
	assert_string_equal(td_sip_value(again, TD_SIP_H_CALL_ID, 0),
			    td_sip_value(m, TD_SIP_H_CALL_ID, 0));
	assert_string_equal(td_sip_value(again, TD_SIP_H_FROM, 0),
			    td_sip_value(m, TD_SIP_H_FROM, 0));
	assert_int_equal(td_sip_cseq(again), td_sip_cseq(m) + 1);
	assert_int_equal(again->n_body, m->n_body);
	assert_memory_equal(again->body, m->body, m->n_body);
	rig_respond(r, again, "422 Session Interval Too Small", "ph",
		    "Min-SE: 600\r\n", NULL);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).status, 422);
	td_sip_msg_free(m);
	td_sip_msg_free(again);
	free(s);
	rig_free(r);
}

static void the_called_phone_may_refresh_or_leave_it_to_us(void **state)
{
	struct rig *r = make(8000);
	struct td_sip_msg *m, *x;
	struct td_leg *l;

	m = call_out(r, &l, "Require: timer\r\n"
		     "Session-Expires: 90;refresher=uas\r\n");
	within(r, m, "UPDATE", 1, "Supported: timer\r\n"
	       "Session-Expires: 90;refresher=uac\r\n", NULL);
	x = rig_expect(r, 200);
	expect_header(x, TD_SIP_H_SESSION_EXPIRES, "90;refresher=uac");
	td_sip_msg_free(x);
	x = rig_expect_request(r, "BYE");	/* it stopped */
	rig_respond(r, x, "200 OK", NULL, NULL, NULL);
	td_sip_msg_free(x);
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 102);
	td_sip_msg_free(m);
	m = call_out(r, &l, "Allow: UPDATE\r\n"
		     "Session-Expires: 90;refresher=uac\r\n");
	x = next_request(r, "UPDATE", 1);
	/* the refusal asks to come again, and it does */
	rig_respond(r, x, "500 Server Error", NULL, NULL, NULL);
	{
		struct td_sip_msg *y = next_request(r, "UPDATE",
						    td_sip_cseq(x));

		rig_respond(r, y, "481 Gone", NULL, NULL, NULL);
		td_sip_msg_free(y);
	}
	td_sip_msg_free(x);
	td_sip_msg_free(rig_expect_request(r, "BYE"));
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 41);
	td_sip_msg_free(m);
	rig_free(r);
}

static void a_silent_phone_is_asked_and_cleared_when_it_does_not_answer(
	void **state)
{
	struct rig *r = make(300);
	struct td_sip_msg *m, *x;
	struct td_leg *l;
	int64_t cseq;

	r->site->session_expires_s = 0;
	m = call_out(r, &l, NULL);
	assert_int_equal(l->ops->probe(l), 0);
	assert_int_equal(l->ops->probe(l), -EALREADY);
	x = rig_expect_request(r, "OPTIONS");
	expect_header(x, TD_SIP_H_SESSION_EXPIRES, NULL);
	cseq = td_sip_cseq(x);
	rig_respond(r, x, "200 OK", NULL, NULL, NULL);
	td_sip_msg_free(x);
	/* heard: an INFO's answer shows that the OPTIONS' has been taken */
	within(r, m, "INFO", 1, NULL, NULL);
	td_sip_msg_free(rig_expect(r, 200));
	assert_int_equal(l->ops->probe(l), 0);
	x = next_request(r, "OPTIONS", cseq);
	td_sip_msg_free(x);
	assert_int_equal(rig_next(r, TD_LEV_CLEARED).cause, 27);
	td_sip_msg_free(m);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
	a_session_is_refreshed_by_update_for_as_long_as_it_is_answered),
		cmocka_unit_test(
	a_phone_that_knows_no_update_gets_its_own_description_again),
		cmocka_unit_test(a_phone_without_timers_is_asked_by_options),
		cmocka_unit_test(
			a_phone_that_died_is_cleared_when_no_answer_comes),
		cmocka_unit_test(who_should_refresh_and_does_not_is_cleared),
		cmocka_unit_test(too_short_an_interval_is_refused),
		cmocka_unit_test(an_update_before_the_answer_waits_its_turn),
		cmocka_unit_test(a_422_to_our_invite_is_taken_at_its_word_once),
		cmocka_unit_test(
			the_called_phone_may_refresh_or_leave_it_to_us),
		cmocka_unit_test(
	a_silent_phone_is_asked_and_cleared_when_it_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
