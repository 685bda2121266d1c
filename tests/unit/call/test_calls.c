// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"

static const char site_text[] =
	"site: {name: t, domain: tandem.lab, jitter_ms: 60}\n"
	"nodes:\n"
	"  - {name: n1, id: 1, address: 10.77.0.1, cluster_address: 10.78.0.1}\n"
	"  - {name: n2, id: 2, address: 10.77.0.2, cluster_address: 10.78.0.2}\n"
	"lines:\n"
	"  - {name: s1, port: 1, nodes: [n1, n2], group: pstn}\n"
	"  - {name: s3, port: 3, nodes: [n2, n1], group: pstn}\n"
	"addresses:\n"
	"  - {name: a1, address: 10.77.0.11, nodes: [n1, n2]}\n"
	"  - {name: a2, address: 10.77.0.12, nodes: [n2, n1]}\n"
	"extensions:\n"
	"  - {range: 1000-1099, password: \"pw{number}\"}\n"
	"ddi:\n"
	"  - {range: 5551000-5552999, keep: 4}\n"
	"routes:\n"
	"  - {prefix: \"9\", strip: 1, group: pstn}\n"
	"services:\n"
	"  - {number: \"*43\", service: echo}\n";

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct td_calls_cfg cfg = { .node_id = 1, .boot_count = 1 };

	solo_start(&w->solo, site_text);
	cfg.loop = w->solo.loop;
	cfg.cluster = w->solo.cluster;
	cfg.voice = (struct td_voice_ops){
		.rtp_open = fake_rtp_open, .rtp_set = fake_rtp_set,
		.rtp_close = fake_rtp_close, .join = fake_join,
		.part = fake_part, .stats = fake_stats,
		.start = fake_start, .watch = fake_watch, .m = w,
	};
	assert_int_equal(td_calls_new(&cfg, &w->calls), 0);
	td_calls_set_rooms(w->calls, fake_leg_new, w, fake_leg_new, w);
	td_calls_set_site(w->calls, w->solo.site);
	solo_put_contact(&w->solo, "1001", "sip:1001@10.77.0.101:5071",
		    "10.77.0.101:5071", "a1");
	solo_put_span(&w->solo, "s1", true);
	*state = w;
	return 0;
}

/** After each test: nothing may be left of the calls it made. */
static int teardown(void **state)
{
	struct world *w = *state;
	struct td_view_counts n;

	solo_settle(&w->solo);
	td_view_counts(td_cluster_view(w->solo.cluster), &n);
	assert_int_equal(n.calls, 0);
	assert_int_equal(td_calls_count(w->calls), 0);
	assert_int_equal(w->open_rtp, 0);
	for (unsigned int i = 0; i < w->n_made; i++) {
		if (!w->made[i]->freed)
			fail_msg("leg %c was not freed", w->made[i]->name);
		free(w->made[i]);
	}
	td_calls_free(w->calls);
	solo_end(&w->solo);
	free(w);
	return 0;
}

static struct td_session *rtp(const char *address, uint16_t port,
			      const char *raw)
{
	static struct td_session s[4];
	static int i;
	struct td_session *x = &s[i++ % 4];

	*x = (struct td_session){ .kind = TD_MEDIA_RTP, .port = port,
				  .codecs = { TD_CODEC_PCMU, TD_CODEC_PCMA },
				  .n_codecs = 2, .dtmf_payload = 101 };
	strcpy(x->address, address);
	strcpy(x->raw, raw);
	return x;
}

static struct td_session *slot(const char *span, uint32_t ts)
{
	static struct td_session s;

	s = (struct td_session){ .kind = TD_MEDIA_SLOT, .timeslot = ts };
	strcpy(s.span, span);
	return &s;
}

static struct fake_leg *phone_calls(struct world *w, const char *number)
{
	struct td_setup s = { .complete = true };
	struct fake_leg *a = fake_new(w);

	strcpy(s.called, number);
	strcpy(s.calling, "1000");
	strcpy(s.user, "1000");
	strcpy(s.address, "a1");
	s.session = *rtp("10.77.0.101", 4000, "v=0 offer");
	assert_int_equal(a->leg.up->incoming(a->leg.up->arg, &a->leg, &s), 0);
	return a;
}

static struct fake_leg *line_calls(struct world *w, const char *number,
				   bool complete)
{
	struct td_setup s = { .complete = complete };
	struct fake_leg *a = fake_new(w);

	strcpy(s.called, number);
	strcpy(s.calling, "0301234");
	strcpy(s.span, "s1");
	s.session = *slot("s1", 5);
	assert_int_equal(a->leg.up->incoming(a->leg.up->arg, &a->leg, &s), 0);
	return a;
}

#define TRACE(w, text)                                                         \
	do {                                                                   \
		assert_string_equal((w)->trace, text);                         \
		(w)->trace[0] = '\0';                                          \
	} while (0)

static void phone_to_phone_passes_the_sdp_through(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "1001"), *b = w->made[1];

	TRACE(w, "A.proceeding B.setup");
	assert_string_equal(b->setup.session.raw, "v=0 offer");
	assert_string_equal(b->setup.target, "sip:1001@10.77.0.101:5071");
	say(b, TD_LEV_ALERTING, 0, NULL);
	TRACE(w, "A.alerting");
	say(b, TD_LEV_ANSWERED, 0, rtp("10.77.0.101", 5000, "v=0 answer"));
	TRACE(w, "A.answer+sdp");
	assert_string_equal(a->told.raw, "v=0 answer");
	/* hold, and its answer */
	say(a, TD_LEV_OFFER, 0, rtp("10.77.0.101", 4000, "v=0 hold"));
	TRACE(w, "B.offer+sdp");
	assert_string_equal(b->told.raw, "v=0 hold");
	say(b, TD_LEV_OFFER_REPLY, 0, rtp("10.77.0.101", 5000, "v=0 held"));
	TRACE(w, "A.reply(0)");
	assert_string_equal(a->told.raw, "v=0 held");
	say(b, TD_LEV_CLEARED, 16, NULL);
	TRACE(w, "A.clear(16)");
	say(a, TD_LEV_CLEARED, 16, NULL);
}

static void phone_to_line_is_anchored_at_a_service_address(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550002"), *b = w->made[1];

	TRACE(w, "A.proceeding B.setup");
	assert_string_equal(b->setup.called, "5550002");
	assert_string_equal(b->setup.lines[0], "s1");
	say(b, TD_LEV_PROCEEDING, 0, slot("s1", 31));
	say(b, TD_LEV_ALERTING, 0, NULL);
	TRACE(w, "A.alerting");
	say(b, TD_LEV_ANSWERED, 0, slot("s1", 31));
	TRACE(w, "open(10.77.0.11) set(1,10.77.0.101:4000,8) "
		 "join(rtp1,slot1.31) A.answer+sdp");
	assert_int_equal(a->told.codecs[0], TD_CODEC_PCMA);
	assert_int_equal(a->told.n_codecs, 1);
	assert_int_equal(a->told.dtmf_payload, 0);	/* in-band, please */
	/* hold is answered here: the line knows none of it */
	{
		struct td_session *s = rtp("10.77.0.101", 4000, "v=0 hold");

		s->dir = TD_DIR_SENDONLY;
		say(a, TD_LEV_OFFER, 0, s);
	}
	TRACE(w, "set(1,10.77.0.101:4000,8,mute) A.reply(0)");
	assert_int_equal(a->told.dir, TD_DIR_RECVONLY);
	say(a, TD_LEV_CLEARED, 16, NULL);
	TRACE(w, "B.clear(16)");
	say(b, TD_LEV_CLEARED, 16, NULL);
}

static void in_band_tones_are_heard_before_the_answer(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550004"), *b = w->made[1];
	struct td_leg_event ev = { .type = TD_LEV_ALERTING, .inband = true,
				   .session = slot("s1", 3) };

	w->trace[0] = '\0';
	b->leg.up->event(b->leg.up->arg, &b->leg, &ev);
	TRACE(w, "open(10.77.0.11) set(1,10.77.0.101:4000,8) "
		 "join(rtp1,slot1.3) A.alerting+sdp");
	say(a, TD_LEV_CLEARED, 16, NULL);	/* CANCEL */
	TRACE(w, "B.clear(16)");
	say(b, TD_LEV_CLEARED, 16, NULL);
}

static void an_answer_leaves_early_media_as_it_is(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550005"), *b = w->made[1];
	struct td_leg_event ev = { .type = TD_LEV_ALERTING, .inband = true,
				   .session = slot("s1", 3) };

	b->leg.up->event(b->leg.up->arg, &b->leg, &ev);
	w->trace[0] = '\0';
	say(b, TD_LEV_ANSWERED, 0, slot("s1", 3));
	TRACE(w, "A.answer+sdp");	/* no new stream, no new join */
	say(b, TD_LEV_CLEARED, 16, NULL);
	say(a, TD_LEV_CLEARED, 16, NULL);
}

static void line_to_phone_rings_all_contacts_and_drops_the_losers(void **state)
{
	struct world *w = *state;
	struct fake_leg *a, *b, *c;

	solo_put_contact(&w->solo, "1001", "sip:1001@10.77.0.102:5071",
		    "10.77.0.102:5071", "a1");
	a = line_calls(w, "5551001", true);
	b = w->made[1];
	c = w->made[2];
	TRACE(w, "A.proceeding open(10.77.0.11) B.setup open(10.77.0.11) "
		 "C.setup");
	say(c, TD_LEV_ALERTING, 0, NULL);
	say(b, TD_LEV_ALERTING, 0, NULL);
	TRACE(w, "A.alerting");
	say(c, TD_LEV_ANSWERED, 0, rtp("10.77.0.102", 6000, "v=0"));
	TRACE(w, "B.clear(26) set(2,10.77.0.102:6000,8) join(slot1.5,rtp2) "
		 "A.answer+sdp");
	say(b, TD_LEV_CLEARED, 26, NULL);
	TRACE(w, "");
	say(a, TD_LEV_CLEARED, 16, NULL);
	TRACE(w, "C.clear(16)");
	say(c, TD_LEV_CLEARED, 16, NULL);
}

/** Phone 1000 calls one with two contacts, which have early media both. */
static void the_newest_of_two_early_media_is_heard(void **state)
{
	struct world *w = *state;
	struct fake_leg *a, *b, *c;

	solo_put_contact(&w->solo, "1001", "sip:1001@10.77.0.102:5071",
		    "10.77.0.102:5071", "a1");
	a = phone_calls(w, "1001");
	b = w->made[1];
	c = w->made[2];
	/* one dialog towards A, so its answer is ours for both */
	TRACE(w, "A.proceeding open(10.77.0.11) B.setup open(10.77.0.11) "
		 "C.setup");
	say(b, TD_LEV_ALERTING, 0, rtp("10.77.0.101", 5000, "v=0 b"));
	TRACE(w, "open(10.77.0.11) set(3,10.77.0.101:4000,8) "
		 "set(1,10.77.0.101:5000,8) join(rtp3,rtp1) A.alerting+sdp");
	say(c, TD_LEV_ALERTING, 0, rtp("10.77.0.102", 6000, "v=0 c"));
	TRACE(w, "set(2,10.77.0.102:6000,8) join(rtp3,rtp2) A.progress+sdp");
	assert_int_equal(a->told.port, 20006);
	/* a 180 sent again takes nothing away */
	say(b, TD_LEV_ALERTING, 0, rtp("10.77.0.101", 5000, "v=0 b"));
	TRACE(w, "A.progress+sdp");
	assert_int_equal(a->told.port, 20006);
	/* the one that was heard refuses: the other is heard again */
	say(c, TD_LEV_CLEARED, 17, NULL);
	TRACE(w, "join(rtp3,rtp1)");
	say(b, TD_LEV_ANSWERED, 0, rtp("10.77.0.101", 5000, "v=0 b"));
	TRACE(w, "A.answer+sdp");
	assert_int_equal(a->told.port, 20006);
	say(b, TD_LEV_CLEARED, 16, NULL);
	say(a, TD_LEV_CLEARED, 16, NULL);
}

/** What the view holds of a leg's RTP. */
static const Td__Rtp *rtp_row(struct world *w, uint32_t leg)
{
	struct td_view_iter it = { 0 };
	const Td__Call *c;

	solo_settle(&w->solo);
	c = td_view_calls(td_cluster_view(w->solo.cluster), &it);
	assert_non_null(c);
	assert_true(leg < c->n_legs);
	return c->legs[leg]->rtp;
}

static void another_node_knows_the_numbers_of_rtp(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550002"), *b = w->made[1];
	const Td__Rtp *r;

	say(b, TD_LEV_ANSWERED, 0, slot("s1", 31));
	r = rtp_row(w, 0);
	assert_non_null(r);
	assert_string_equal(r->local, "10.77.0.11:20002");
	assert_string_equal(r->remote, "10.77.0.101:4000");
	assert_int_equal(r->ssrc, 0x5501);
	assert_int_equal(r->seq, 100);
	assert_int_equal(r->ts, 8000);
	assert_int_not_equal(r->at_ms, 0);
	assert_int_equal(r->payload, 8);
	assert_int_equal(r->dtmf_payload, 101);
	assert_int_equal(r->ptime_ms, 20);
	assert_true(r->send && r->recv);
	assert_null(rtp_row(w, 1));
	say(a, TD_LEV_CLEARED, 16, NULL);
	say(b, TD_LEV_CLEARED, 16, NULL);
}

static void a_silent_party_is_asked_and_a_held_one_is_not(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550002"), *b = w->made[1];
	struct td_session *s;

	say(b, TD_LEV_ALERTING, 0, slot("s1", 31));
	w->silent(w->silent_arg, 1, 60000);	/* nobody speaks yet */
	say(b, TD_LEV_ANSWERED, 0, slot("s1", 31));
	assert_int_equal(w->set.silence_s, 60);
	w->trace[0] = '\0';
	w->silent(w->silent_arg, 1, 60000);
	TRACE(w, "A.probe");
	w->silent(w->silent_arg, 99, 60000);	/* closed meanwhile */
	TRACE(w, "");
	/* it listens only: silence is right */
	s = rtp("10.77.0.101", 4000, "v=0 hold");
	s->dir = TD_DIR_INACTIVE;
	say(a, TD_LEV_OFFER, 0, s);
	assert_int_equal(w->set.silence_s, 0);
	w->trace[0] = '\0';
	/* one that cannot be asked has no way to say that it lives */
	w->probe_rc = -ENOSYS;
	w->silent(w->silent_arg, 1, 60000);
	TRACE(w, "A.probe A.clear(41) B.clear(41)");
	say(a, TD_LEV_CLEARED, 41, NULL);
	say(b, TD_LEV_CLEARED, 41, NULL);
}

static void overlap_digits_are_collected(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = line_calls(w, "555", false);
	struct td_leg_event ev = { .type = TD_LEV_DIGITS };

	TRACE(w, "A.more");
	strcpy(ev.digits, "100");
	a->leg.up->event(a->leg.up->arg, &a->leg, &ev);
	TRACE(w, "");
	strcpy(ev.digits, "1");
	a->leg.up->event(a->leg.up->arg, &a->leg, &ev);
	TRACE(w, "A.proceeding open(10.77.0.11) B.setup");
	assert_string_equal(w->made[1]->setup.called, "1001");
	say(w->made[1], TD_LEV_CLEARED, 17, NULL);
	TRACE(w, "A.clear(17)");
	say(a, TD_LEV_CLEARED, 17, NULL);
}

static void causes_come_back_to_the_caller(void **state)
{
	static const struct {
		const char *number;
		int cause;
	} t[] = { { "7777", 3 }, { "1055", 20 }, { "", 28 } };
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct fake_leg *a = phone_calls(w, t[i].number);

		assert_int_equal(a->cause, t[i].cause);
		say(a, TD_LEV_CLEARED, t[i].cause, NULL);
	}
	solo_put_span(&w->solo, "s1", false);
	{
		struct fake_leg *a = phone_calls(w, "95550002");

		assert_int_equal(a->cause, 27);
		say(a, TD_LEV_CLEARED, 27, NULL);
	}
	{
		struct fake_leg *a = line_calls(w, "5559999", true);

		assert_int_equal(a->cause, 1);
		say(a, TD_LEV_CLEARED, 1, NULL);
	}
}

static void a_leg_that_cannot_start_ends_the_call(void **state)
{
	struct world *w = *state;
	struct fake_leg *a;

	w->setup_rc = -EBUSY;
	a = phone_calls(w, "95550002");
	TRACE(w, "A.proceeding B.setup A.clear(34)");
	say(a, TD_LEV_CLEARED, 34, NULL);
	w->setup_rc = 0;
}

static void the_echo_service_answers_by_itself(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "*43");

	solo_settle(&w->solo);
	TRACE(w, "A.proceeding open(10.77.0.11) set(1,10.77.0.101:4000,8) "
		 "join(rtp1,echo) A.answer+sdp");
	say(a, TD_LEV_CLEARED, 16, NULL);
}

static void an_operator_hangs_up_both_sides(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "1001"), *b = w->made[1];
	struct td_view_iter it = { 0 };
	const Td__Call *row;

	solo_settle(&w->solo);
	row = td_view_calls(td_cluster_view(w->solo.cluster), &it);
	assert_non_null(row);
	assert_int_equal(row->n_legs, 2);
	assert_string_equal(row->state, "trying");
	w->trace[0] = '\0';
	assert_int_equal(td_calls_hangup(w->calls, row->id, 31), 0);
	TRACE(w, "A.clear(31) B.clear(31)");
	say(a, TD_LEV_CLEARED, 31, NULL);
	say(b, TD_LEV_CLEARED, 31, NULL);
	assert_int_equal(td_calls_hangup(w->calls, 99, 16), -ENOENT);
}

static void the_end_clears_a_line_and_takes_nothing_new(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550002"), *b = w->made[1];
	struct td_setup s = { .complete = true };
	struct fake_leg *late = fake_new(w);

	say(b, TD_LEV_ANSWERED, 0, slot("s1", 31));
	w->trace[0] = '\0';
	td_calls_end(w->calls, 41);
	TRACE(w, "A.clear(41) B.clear(41)");
	strcpy(s.called, "1001");
	assert_int_equal(late->leg.up->incoming(late->leg.up->arg, &late->leg,
						&s), -EAGAIN);
	late->freed = true;
	say(a, TD_LEV_CLEARED, 41, NULL);
	say(b, TD_LEV_CLEARED, 41, NULL);
}

static void a_refused_offer_changes_nothing(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "1001"), *b = w->made[1];

	say(b, TD_LEV_ANSWERED, 0, rtp("10.77.0.101", 5000, "v=0 answer"));
	say(a, TD_LEV_OFFER, 0, rtp("10.77.0.101", 4020, "v=0 hold"));
	say(b, TD_LEV_OFFER_REPLY, 88, NULL);
	w->trace[0] = '\0';
	/* what B is told when it asks is still what A said first */
	say(b, TD_LEV_OFFER, 0, NULL);
	TRACE(w, "B.reply(0)");
	assert_string_equal(b->told.raw, "v=0 offer");
	say(b, TD_LEV_CLEARED, 16, NULL);
	say(a, TD_LEV_CLEARED, 16, NULL);
}

static void an_answer_in_an_ack_reaches_the_other_phone(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "1001"), *b = w->made[1];

	say(b, TD_LEV_ANSWERED, 0, rtp("10.77.0.101", 5000, "v=0 answer"));
	w->trace[0] = '\0';
	say(a, TD_LEV_OFFER, 0, NULL);		/* a re-INVITE without SDP */
	TRACE(w, "A.reply(0)");
	assert_string_equal(a->told.raw, "v=0 answer");
	say(a, TD_LEV_OFFER_REPLY, 0, rtp("10.77.0.101", 4020, "v=0 moved"));
	TRACE(w, "B.offer+sdp");
	assert_string_equal(b->told.raw, "v=0 moved");
	say(b, TD_LEV_OFFER_REPLY, 0, rtp("10.77.0.101", 5000, "v=0 fine"));
	TRACE(w, "");
	/* the same answer once more moves nothing */
	say(a, TD_LEV_OFFER, 0, NULL);
	TRACE(w, "A.reply(0)");
	assert_string_equal(a->told.raw, "v=0 fine");
	say(a, TD_LEV_OFFER_REPLY, 0, rtp("10.77.0.101", 4020, "v=0 moved"));
	TRACE(w, "");
	say(b, TD_LEV_CLEARED, 16, NULL);
	say(a, TD_LEV_CLEARED, 16, NULL);
}

static void parameters_of_a_number_are_not_dialled(void **state)
{
	struct world *w = *state;
	struct fake_leg *a = phone_calls(w, "95550002;phone-context=x");

	assert_string_equal(w->made[1]->setup.called, "5550002");
	say(a, TD_LEV_CLEARED, 16, NULL);
	say(w->made[1], TD_LEV_CLEARED, 16, NULL);
}

static void a_late_offer_is_answered_by_ours(void **state)
{
	struct world *w = *state;
	struct td_setup s = { .complete = true };
	struct fake_leg *a = fake_new(w), *b;

	strcpy(s.called, "95550001");
	strcpy(s.user, "1000");
	strcpy(s.address, "a1");
	assert_int_equal(a->leg.up->incoming(a->leg.up->arg, &a->leg, &s), 0);
	b = w->made[1];
	w->trace[0] = '\0';
	say(b, TD_LEV_ANSWERED, 0, slot("s1", 7));
	TRACE(w, "open(10.77.0.11) join(rtp1,slot1.7) A.answer+sdp");
	assert_int_equal(a->told.n_codecs, 2);
	say(a, TD_LEV_OFFER_REPLY, 0, rtp("10.77.0.101", 4000, "v=0"));
	TRACE(w, "set(1,10.77.0.101:4000,8)");
	say(b, TD_LEV_CLEARED, 16, NULL);
	say(a, TD_LEV_CLEARED, 16, NULL);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(phone_to_phone_passes_the_sdp_through),
		CASE(phone_to_line_is_anchored_at_a_service_address),
		CASE(in_band_tones_are_heard_before_the_answer),
		CASE(an_answer_leaves_early_media_as_it_is),
		CASE(line_to_phone_rings_all_contacts_and_drops_the_losers),
		CASE(the_newest_of_two_early_media_is_heard),
		CASE(another_node_knows_the_numbers_of_rtp),
		CASE(a_silent_party_is_asked_and_a_held_one_is_not),
		CASE(overlap_digits_are_collected),
		CASE(causes_come_back_to_the_caller),
		CASE(a_leg_that_cannot_start_ends_the_call),
		CASE(the_echo_service_answers_by_itself),
		CASE(an_operator_hangs_up_both_sides),
		CASE(the_end_clears_a_line_and_takes_nothing_new),
		CASE(a_refused_offer_changes_nothing),
		CASE(an_answer_in_an_ack_reaches_the_other_phone),
		CASE(parameters_of_a_number_are_not_dialled),
		CASE(a_late_offer_is_answered_by_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
