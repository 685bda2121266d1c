// SPDX-License-Identifier: GPL-2.0-or-later
#include "dialogs.h"

/* Too much to do, or nothing may leave: a 503 at once, and what runs goes
 * on. */

enum { LIMIT = 16 };

static int no_room(struct td_bus *b, const void *buf, size_t n)
{
	return -EAGAIN;
}

static void no_free(struct td_bus *b)
{
}

static const struct td_bus_ops stuck = { no_room, no_free };

/** The bus takes nothing from now on: ops and effects wait. */
static void stall(struct rig *r, bool on)
{
	r->bus->ops = on ? &stuck : r->bus_ops;
}

static json_int_t counter(struct rig *r, const char *name)
{
	json_t *d = td_sip_dump(r->sip);
	json_t *v = json_object_get(json_object_get(d, "counters"), name);
	json_int_t n = json_integer_value(v);

	assert_true(json_is_integer(v));
	json_decref(d);
	return n;
}

static void is_busy(struct td_sip_msg *m)
{
	const char *v = td_sip_value(m, TD_SIP_H_RETRY_AFTER, 0);

	assert_non_null(v);
	assert_in_range(atoi(v), 3, 8);
	td_sip_msg_free(m);
}

static void register_one(struct rig *r, unsigned int n, struct rig_req *q,
			 char *text)
{
	struct td_sip_msg *m;

	sprintf(text, "sip:%u@tandem.lab%c%u%creg%u@rig%cContact: "
		"<sip:%u@127.0.0.1:%u>\r\n", 1000 + n, 0, 1000 + n, 0, n, 0,
		1000 + n, r->phone_port);
	*q = (struct rig_req){ .method = "REGISTER", .uri = "sip:tandem.lab",
			       .to = text, .cseq = 1 };
	q->user = text + strlen(text) + 1;
	q->call_id = q->user + strlen(q->user) + 1;
	q->headers = q->call_id + strlen(q->call_id) + 1;
	rig_request(r, q);
	m = rig_recv(r);
	while (m->status == 100) {
		td_sip_msg_free(m);
		m = rig_recv(r);
	}
	if (m->status == 401) {
		char pw[16];

		snprintf(pw, sizeof(pw), "pw%s", q->user);
		rig_again(r, q, m, pw);
		td_sip_msg_free(m);
		return;
	}
	assert_int_equal(m->status, 503);
	is_busy(m);
	q->method = NULL;
}

static bool effects_wait(struct rig *r)
{
	struct td_cluster_stats s;

	td_cluster_stats(r->cluster, &s);
	return s.pending_effects >= LIMIT / 2;
}

static void on_poll(void *arg)
{
	td_loop_stop(arg);
}

static void until(struct rig *r, bool (*fn)(struct rig *r))
{
	struct td_timer t = { 0 };

	for (int i = 0; i < 2000 && !fn(r); i++) {
		td_timer_start(r->loop, &t, 10, on_poll, r->loop);
		td_loop_run(r->loop);
	}
	td_timer_stop(&t);
	assert_true(fn(r));
}

static void a_full_outbox_refuses_what_is_new_and_lets_calls_go_on(void **state)
{
	struct rig *r = rig_new_timed("tandem.lab", false,
		&(struct rig_times){ .t1x64_ms = 8000, .max_pending = LIMIT });
	struct rig_req call, reg[LIMIT];
	char tag[64], text[LIMIT][256];
	struct td_leg *l = answered(r, &call, tag, sizeof(tag));
	struct td_cluster_stats s;
	unsigned int taken = 0, answered_200 = 0;

	assert_non_null(l);
	request(r, &call, "OPTIONS", tag, call.cseq + 1, NULL);
	td_sip_msg_free(rig_expect(r, 200));	/* the ACK is in, too */
	stall(r, true);
	for (unsigned int i = 0; i < LIMIT; i++) {
		register_one(r, i, &reg[i], text[i]);
		if (!reg[i].method)
			break;
		taken++;
		/* what was refused here was asked too early to be refused */
		if (taken == LIMIT / 2)
			until(r, effects_wait);
	}
	assert_int_equal(taken, LIMIT / 2);
	assert_int_equal(counter(r, "congested"), 1);
	/* a call that runs is not refused: its op finds room */
	request(r, &call, "BYE", tag, call.cseq + 2, NULL);
	rig_next(r, TD_LEV_CLEARED);
	td_cluster_stats(r->cluster, &s);
	assert_true(s.pending_ops > LIMIT / 2);
	assert_true(s.pending_ops <= LIMIT);
	stall(r, false);
	for (unsigned int i = 0; i < taken + 1; i++) {
		struct td_sip_msg *m = rig_expect(r, 200);

		answered_200 += strstr(td_sip_value(m, TD_SIP_H_CSEQ, 0),
				       "REGISTER") != NULL;
		td_sip_msg_free(m);
	}
	assert_int_equal(answered_200, taken);
	free((char *)call.headers);
	rig_free(r);
}

static bool not_running(struct rig *r)
{
	return td_cluster_state(r->cluster) != TD_CLUSTER_RUNNING;
}

/** Only half of the votes are left. */
static void lose_quorum(struct rig *r)
{
	struct td_bus_member me = { 1, 1, false };

	r->bus->ev.members(r->bus->ev_arg, 2, false, &me, 1);
	until(r, not_running);
}

static void without_a_majority_each_request_gets_one_503_at_once(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q = { .method = "INVITE", .uri = USER_URI,
			     .user = "1000", .call_id = "minor@rig", .cseq = 1,
			     .body = RIG_SDP, .branch = "z9hG4bKminor" };
	struct rig_req reg;
	char text[256], tag[64];
	struct td_sip_msg *m;

	lose_quorum(r);
	rig_request(r, &q);
	m = rig_expect(r, 503);		/* no challenge before */
	rig_tag(m, tag, sizeof(tag));
	is_busy(m);
	q.method = "ACK";
	q.to_tag = tag;
	q.body = NULL;
	rig_request(r, &q);
	register_one(r, 0, &reg, text);
	assert_null(reg.method);
	assert_int_equal(counter(r, "not_running"), 2);
	assert_int_equal(counter(r, "challenges"), 0);
	/* nothing else comes: what comes next is the answer to this */
	q = (struct rig_req){ .method = "OPTIONS", .uri = "sip:tandem.lab",
			      .user = "1000", .call_id = "opt@rig",
			      .cseq = 1 };
	rig_request(r, &q);
	td_sip_msg_free(rig_expect(r, 200));
	rig_free(r);
}

static bool both_came(struct rig *r)
{
	return counter(r, "registers") == 2;	/* with its credentials */
}

static void what_waits_when_the_majority_goes_gets_its_503(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req reg;
	char text[256];

	stall(r, true);
	register_one(r, 0, &reg, text);
	assert_non_null(reg.method);
	until(r, both_came);
	lose_quorum(r);
	is_busy(rig_expect(r, 503));
	stall(r, false);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		a_full_outbox_refuses_what_is_new_and_lets_calls_go_on),
		cmocka_unit_test(
		without_a_majority_each_request_gets_one_503_at_once),
		cmocka_unit_test(
			what_waits_when_the_majority_goes_gets_its_503),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
