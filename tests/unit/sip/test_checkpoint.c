// SPDX-License-Identifier: GPL-2.0-or-later
#include "dialogs.h"

/* Whatever of a leg has left the node, the view knew it before: at each
 * message that the phone gets, the row in the view is the live leg. */

static const Td__SipDialog *row(struct rig *r)
{
	const Td__Call *c = td_view_call(td_cluster_view(r->cluster),
					 0x0100000000000001, 1);

	assert_non_null(c);
	assert_int_equal(c->n_legs, 1);
	assert_non_null(c->legs[0]->sip);
	return c->legs[0]->sip;
}

static const Td__SipDialog *same(struct rig *r, struct td_leg *l)
{
	Td__CallLeg live = TD__CALL_LEG__INIT;
	const Td__SipDialog *d = row(r);
	size_t n, m;
	uint8_t *a, *b;

	l->ops->checkpoint(l, &live);
	n = td__sip_dialog__get_packed_size(live.sip);
	m = td__sip_dialog__get_packed_size(d);
	a = malloc(n);
	b = malloc(m);
	td__sip_dialog__pack(live.sip, a);
	td__sip_dialog__pack(d, b);
	if (n != m || memcmp(a, b, n))
		fail_msg("the view has another leg: state %d/%d cseq %u/%u "
			 "%u/%u theirs %d/%d ours %d/%d invite %zu/%zu",
			 live.sip->state, d->state, live.sip->local_cseq,
			 d->local_cseq, live.sip->remote_cseq, d->remote_cseq,
			 live.sip->theirs != NULL, d->theirs != NULL,
			 live.sip->ours != NULL, d->ours != NULL,
			 live.sip->invite.len, d->invite.len);
	free(a);
	free(b);
	return d;
}

static void has(const ProtobufCBinaryData *b, const char *text)
{
	assert_non_null(b->data);
	assert_non_null(memmem(b->data, b->len, text, strlen(text)));
}

static bool up(struct rig *r)
{
	return row(r)->state == TD__SIP_STATE__SIP_UP;
}

static void tick(void *arg)
{
	td_loop_stop(arg);
}

static void until_up(struct rig *r)
{
	struct td_timer t = { 0 };

	for (int i = 0; i < 2000 && !up(r); i++) {
		td_timer_start(r->loop, &t, 10, tick, r->loop);
		td_loop_run(r->loop);
	}
	td_timer_stop(&t);
}

static void each_step_of_a_call_from_a_phone(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_session s = answer_session();
	const Td__SipDialog *d;
	struct td_sip_msg *m;
	struct rig_req q;
	char tag[64];
	struct td_leg *l = invite_with(r, &q, RIG_SDP, "Supported: timer\r\n"
				       "Allow: UPDATE\r\n");

	assert_int_equal(l->ops->alerting(l, NULL), 0);
	m = rig_expect(r, 180);
	rig_tag(m, tag, sizeof(tag));
	td_sip_msg_free(m);
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_IN);
	assert_true(d->ringing && d->update && !d->uac);
	has(&d->invite, "INVITE sip:1001@tandem.lab");
	has(&d->invite, "branch=z9hG4bKrig");
	assert_string_equal(d->local_tag, tag);
	assert_string_equal(d->remote_tag, "ft");
	assert_string_equal(d->sdp_remote, RIG_SDP);
	assert_int_equal(d->invite_cseq, q.cseq);
	assert_int_equal(d->remote_cseq, q.cseq);
	assert_null(d->timer);
	assert_int_equal(l->ops->progress(l, &s), 0);
	td_sip_msg_free(rig_expect(r, 183));
	assert_non_null(strstr(same(r, l)->sdp_local, "m=audio 20000"));
	assert_int_equal(l->ops->answer(l, &s), 0);
	td_sip_msg_free(rig_expect(r, 200));
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_IN_ACK);
	has(&d->invite, "INVITE sip:1001@tandem.lab");
	assert_non_null(d->timer);
	assert_int_equal(d->timer->interval_s, 1800);
	assert_true(d->timer->ours && d->timer->known);
	assert_int_equal(d->timer->end_ms - d->timer->due_ms, 900000);
	free((char *)q.headers);
	rig_free(r);
}

static void each_step_within_a_call_from_a_phone(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_session s = answer_session();
	const Td__SipDialog *d;
	struct td_sip_msg *m;
	struct rig_req q;
	char tag[64];
	struct td_leg *l = answered(r, &q, tag, sizeof(tag));

	/* a re-INVITE: open until its ACK */
	request(r, &q, "INVITE", tag, q.cseq + 1, RIG_SDP "a=sendonly\r\n");
	rig_next(r, TD_LEV_OFFER);
	assert_int_equal(l->ops->offer_reply(l, 0, &s), 0);
	td_sip_msg_free(rig_expect(r, 200));
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_UP);
	assert_int_equal(d->invite.len, 0);
	assert_non_null(d->theirs);
	assert_string_equal(d->theirs->method, "INVITE");
	assert_int_equal(d->theirs->cseq, q.cseq + 1);
	has(&d->theirs->raw, "a=sendonly");
	assert_non_null(strstr(d->sdp_remote, "a=sendonly"));
	request(r, &q, "ACK", tag, q.cseq + 1, NULL);
	request(r, &q, "UPDATE", tag, q.cseq + 2, NULL);
	td_sip_msg_free(rig_expect(r, 200));
	d = same(r, l);
	assert_null(d->theirs);
	assert_int_equal(d->remote_cseq, q.cseq + 2);
	request(r, &q, "INFO", tag, q.cseq + 3, NULL);
	td_sip_msg_free(rig_expect(r, 200));
	assert_int_equal(same(r, l)->remote_cseq, q.cseq + 3);
	l->ops->clear(l, 31, 0);
	m = rig_expect_request(r, "BYE");
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_CLEARING);
	assert_int_equal(d->clear_cause, 31);
	assert_string_equal(d->ours->method, "BYE");
	assert_int_equal(d->ours->cseq, td_sip_cseq(m));
	has(&(ProtobufCBinaryData){ strlen(td_sip_value(m, TD_SIP_H_VIA, 0)),
		(uint8_t *)td_sip_value(m, TD_SIP_H_VIA, 0) },
	    d->ours->branch);
	rig_respond(r, m, "200 OK", NULL, NULL, NULL);
	rig_next(r, TD_LEV_CLEARED);
	td_sip_msg_free(m);
	free((char *)q.headers);
	rig_free(r);
}

/** Nothing leaves after an ACK came; the view is told all the same. */
static void the_ack_frees_the_view_of_the_invite(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q;
	char tag[64];
	struct td_leg *l = answered(r, &q, tag, sizeof(tag));

	until_up(r);
	assert_int_equal(same(r, l)->invite.len, 0);
	free((char *)q.headers);
	rig_free(r);
}

static void each_step_of_a_call_to_a_phone(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	const Td__SipDialog *d;
	struct td_sip_msg *m;
	struct td_leg *l;
	char branch[64];

	snprintf(s->route, sizeof(s->route), "<sip:127.0.0.1:%u;lr>",
		 r->phone_port);
	m = start(r, s, &l);
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_OUT);
	assert_true(d->uac && d->offered);
	has(&d->invite, "INVITE sip:1001@127.0.0.1");
	snprintf(branch, sizeof(branch), "branch=z9hG4bK%s", d->branch);
	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_VIA, 0), branch));
	assert_int_equal(d->local_cseq, td_sip_cseq(m));
	assert_int_equal(d->n_route, 1);
	assert_non_null(strstr(d->sdp_local, "m=audio 20000"));
	rig_respond(r, m, "183 Session Progress", "ph", NULL, RIG_SDP);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_next(r, TD_LEV_PROGRESS);
	rig_respond(r, m, "200 OK", "ph", "Allow: UPDATE\r\n"
		    "Session-Expires: 1800;refresher=uas\r\n"
		    "Record-Route: <sip:127.0.0.1:9;lr>\r\n", RIG_SDP);
	/* the ACK goes by the new route, past this phone */
	rig_next(r, TD_LEV_ANSWERED);
	until_up(r);
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_UP);
	assert_string_equal(d->remote_tag, "ph");
	assert_string_equal(d->route[0], "<sip:127.0.0.1:9;lr>");
	assert_true(d->early_sdp && d->update && !d->offered);
	assert_int_equal(d->timer->interval_s, 1800);
	assert_false(d->timer->ours);
	assert_int_equal(d->timer->due_ms, 0);
	assert_int_equal(d->invite.len, 0);
	assert_int_equal(d->invite_cseq, td_sip_cseq(m));
	td_sip_msg_free(m);
	l->ops->free(l);
	free(s);
	rig_free(r);
}

static void each_step_within_a_call_to_a_phone(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	const Td__SipDialog *d;
	struct td_sip_msg *m, *x;
	struct td_leg *l;
	char branch[64];

	m = start(r, s, &l);
	rig_respond(r, m, "200 OK", "ph", NULL, RIG_SDP);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	same(r, l);
	rig_next(r, TD_LEV_ANSWERED);
	s->session.dir = TD_DIR_SENDONLY;
	assert_int_equal(l->ops->offer(l, &s->session), 0);
	x = rig_expect_request(r, "INVITE");
	d = same(r, l);
	assert_string_equal(d->ours->method, "INVITE");
	assert_int_equal(d->ours->cseq, td_sip_cseq(x));
	snprintf(branch, sizeof(branch), "branch=z9hG4bK%s", d->ours->branch);
	assert_non_null(strstr(td_sip_value(x, TD_SIP_H_VIA, 0), branch));
	assert_true(d->offered);
	assert_non_null(strstr(d->sdp_local, "a=sendonly"));
	rig_respond(r, x, "200 OK", "ph", NULL, RIG_SDP);
	td_sip_msg_free(x);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	d = same(r, l);
	assert_null(d->ours);
	assert_false(d->offered);
	rig_next(r, TD_LEV_OFFER_REPLY);
	within(r, m, "BYE", 1, NULL, NULL);
	td_sip_msg_free(rig_expect(r, 200));
	rig_next(r, TD_LEV_CLEARED);
	td_sip_msg_free(m);
	free(s);
	rig_free(r);
}

static void a_cancelled_attempt_keeps_its_invite_until_it_is_over(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_setup *s = new_setup(r);
	struct td_sip_msg *m, *c;
	const Td__SipDialog *d;
	struct td_leg *l;

	m = start(r, s, &l);
	rig_respond(r, m, "180 Ringing", "ph", NULL, NULL);
	rig_next(r, TD_LEV_PROCEEDING);
	rig_next(r, TD_LEV_ALERTING);
	l->ops->clear(l, 26, 0);
	c = rig_expect_request(r, "CANCEL");
	d = same(r, l);
	assert_int_equal(d->state, TD__SIP_STATE__SIP_CLEARING);
	assert_int_equal(d->clear_cause, 26);
	has(&d->invite, "INVITE ");
	rig_respond(r, c, "200 OK", "ph", NULL, NULL);
	rig_respond(r, m, "487 Request Terminated", "ph", NULL, NULL);
	td_sip_msg_free(rig_expect_request(r, "ACK"));
	rig_next(r, TD_LEV_CLEARED);
	td_sip_msg_free(c);
	td_sip_msg_free(m);
	free(s);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_of_a_call_from_a_phone),
		cmocka_unit_test(each_step_within_a_call_from_a_phone),
		cmocka_unit_test(each_step_within_a_call_to_a_phone),
		cmocka_unit_test(the_ack_frees_the_view_of_the_invite),
		cmocka_unit_test(each_step_of_a_call_to_a_phone),
		cmocka_unit_test(
			a_cancelled_attempt_keeps_its_invite_until_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
