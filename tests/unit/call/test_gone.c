// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "tests/unit/api/pairbus.h"

/* Two nodes of one cluster, each with a call room of its own; the internal
 * leg between them is made of two fakes, one at each. Then one is gone. */

static const char site_text[] =
	"site: {name: t, domain: tandem.lab, jitter_ms: 60}\n"
	"nodes:\n"
	"  - {name: n1, id: 1, address: 10.77.0.1, cluster_address: 10.78.0.1}\n"
	"  - {name: n2, id: 2, address: 10.77.0.2, cluster_address: 10.78.0.2}\n"
	"lines:\n"
	"  - {name: s1, port: 1, nodes: [n1, n2], group: near}\n"
	"  - {name: s3, port: 3, nodes: [n2, n1], group: far}\n"
	"addresses:\n"
	"  - {name: a1, address: 10.77.0.11, nodes: [n1, n2]}\n"
	"  - {name: a2, address: 10.77.0.12, nodes: [n2, n1]}\n"
	"extensions:\n"
	"  - {range: 1000-1099, password: \"pw{number}\"}\n"
	"ddi:\n"
	"  - {range: 5551000-5552999, keep: 4}\n"
	"routes:\n"
	"  - {prefix: \"9\", strip: 1, group: far}\n"
	"  - {prefix: \"8\", strip: 1, group: near}\n";

struct node {
	struct world w;			/* its rooms; first */
	uint32_t id;
	uint64_t incarnation;
};

struct two {
	struct td_loop *loop;
	struct pair pair;
	struct td_site *site;
	struct node n[3];		/* by id */
};

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct node *n = arg;

	if (!n->w.calls)
		return;
	if (!op)
		td_calls_resync(n->w.calls);
	else if (op->what_case == TD__OP__WHAT_NODE ||
		 op->what_case == TD__OP__WHAT_NODE_GONE)
		td_calls_node_ended(n->w.calls);
}

static void start(struct two *t, uint32_t id)
{
	struct node *n = &t->n[id];
	struct td_cluster_cfg cc = { .node_id = id, .name = id == 1 ? "n1" :
								      "n2",
				     .version = "test",
				     .incarnation = ++n->incarnation,
				     .bus = pair_join(&t->pair, id) };
	struct td_calls_cfg cfg = { .loop = t->loop, .node_id = id,
				    .boot_count = 1 };

	n->id = id;
	n->w.solo.loop = t->loop;
	assert_int_equal(td_cluster_new(t->loop, &cc, &n->w.solo.cluster), 0);
	td_cluster_watch(n->w.solo.cluster, on_applied, n);
	cfg.cluster = n->w.solo.cluster;
	cfg.voice = (struct td_voice_ops){
		.rtp_open = fake_rtp_open, .rtp_set = fake_rtp_set,
		.rtp_close = fake_rtp_close, .join = fake_join,
		.part = fake_part, .stats = fake_stats, .start = fake_start,
		.watch = fake_watch, .m = &n->w,
	};
	assert_int_equal(td_calls_new(&cfg, &n->w.calls), 0);
	td_calls_set_rooms(n->w.calls, fake_leg_new, &n->w, fake_leg_new,
			   &n->w);
	td_calls_set_site(n->w.calls, t->site);
	solo_settle(&n->w.solo);
	td_calls_node_ended(n->w.calls);
}

static void forget_legs(struct node *n)
{
	for (unsigned int i = 0; i < n->w.n_made; i++)
		free(n->w.made[i]);
	n->w.n_made = 0;
}

/* kill -9: nobody is told */
static void die(struct two *t, uint32_t id)
{
	struct node *n = &t->n[id];

	td_calls_free(n->w.calls);
	n->w.calls = NULL;
	td_cluster_free(n->w.solo.cluster);
	n->w.solo.cluster = NULL;
	forget_legs(n);
	memset(&n->w, 0, sizeof(n->w));
}

static void settle(struct two *t)
{
	for (int id = 1; id <= 2; id++)
		if (t->n[id].w.solo.cluster)
			solo_settle(&t->n[id].w.solo);
}

static int setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));
	struct td_problems problems = { 0 };

	assert_int_equal(td_loop_new(&t->loop), 0);
	t->pair.loop = t->loop;
	if (td_site_parse("t.yaml", site_text, strlen(site_text), &t->site,
			  &problems))
		fail_msg("%s: %s", problems.p[0].where, problems.p[0].what);
	start(t, 1);
	start(t, 2);
	settle(t);
	solo_put_contact(&t->n[1].w.solo, "1001", "sip:1001@10.77.0.101:5071",
			 "10.77.0.101:5071", "a1");
	solo_put_contact(&t->n[1].w.solo, "1002", "sip:1002@10.77.0.101:5072",
			 "10.77.0.101:5072", "a2");
	/* each node owns its line: node 2's row by its own word */
	solo_put_span(&t->n[1].w.solo, "s1", true);
	{
		Td__Span row = TD__SPAN__INIT;
		Td__Op op = TD__OP__INIT;

		row.span = "s3";
		row.node = 2;
		row.owner = row.layer1_up = row.dchannel_up = true;
		op.what_case = TD__OP__WHAT_SPAN;
		op.span = &row;
		solo_submit(&t->n[2].w.solo, &op);
	}
	settle(t);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct two *t = *state;

	for (uint32_t id = 1; id <= 2; id++)
		if (t->n[id].w.calls)
			die(t, id);
	pair_end(&t->pair);
	td_site_free(t->site);
	td_loop_free(t->loop);
	free(t);
	return 0;
}

static struct fake_leg *comes(struct node *n, const char *number,
			      const char *user, const char *span,
			      uint64_t internal_id)
{
	struct fake_leg *a = fake_new(&n->w);
	struct td_setup s = { .complete = true, .call_id = internal_id,
			      .internal = internal_id != 0 };

	strcpy(s.called, number);
	strcpy(s.calling, "1000");
	strcpy(s.user, user);
	strcpy(s.span, span);
	s.session.kind = *span ? TD_MEDIA_SLOT : TD_MEDIA_RTP;
	strcpy(s.session.span, span);
	s.session.timeslot = *span ? 5 : 0;
	if (!*span) {
		s.session.port = 4000;
		s.session.n_codecs = 1;
		s.session.codecs[0] = TD_CODEC_PCMA;
		strcpy(s.session.address, "10.77.0.101");
		strcpy(s.session.raw, "v=0");
	}
	assert_int_equal(a->leg.up->incoming(a->leg.up->arg, &a->leg, &s), 0);
	return a;
}

static struct td_session *rtp(void)
{
	static struct td_session s;

	s = (struct td_session){ .kind = TD_MEDIA_RTP, .port = 5000,
				 .codecs = { TD_CODEC_PCMA }, .n_codecs = 1 };
	strcpy(s.address, "10.78.0.2");
	strcpy(s.raw, "v=0");
	return &s;
}

static struct td_session *slot(const char *span)
{
	static struct td_session s;

	s = (struct td_session){ .kind = TD_MEDIA_SLOT, .timeslot = 7 };
	strcpy(s.span, span);
	return &s;
}

enum { TRYING, RINGING, UP };

/* A call with its caller at node 1 and its called at node 2. */
struct halves {
	struct fake_leg *a, *a_out;	/* at node 1: caller, internal */
	struct fake_leg *b_in, *b;	/* at node 2: internal, called */
};

static struct halves begin(struct two *t, bool a_line, bool b_line, int how)
{
	struct halves h;
	const char *number = b_line ? (a_line ? "" : "95550002") : "1002";

	if (a_line)
		h.a = comes(&t->n[1], "5551002", "", "s1", 0);
	else
		h.a = comes(&t->n[1], number, "1000", "", 0);
	assert_int_equal(t->n[1].w.n_made, 2);
	h.a_out = t->n[1].w.made[1];
	assert_true(h.a_out->setup.internal);
	settle(t);	/* an INVITE waits until the mate holds its op */
	h.b_in = comes(&t->n[2], h.a_out->setup.called, "", "",
		       h.a_out->setup.call_id);
	assert_int_equal(t->n[2].w.n_made, 2);
	h.b = t->n[2].w.made[1];
	assert_false(h.b->setup.internal);
	if (how >= RINGING) {
		say(h.b, TD_LEV_ALERTING, 0, NULL);
		say(h.a_out, TD_LEV_ALERTING, 0, NULL);
	}
	if (how >= UP) {
		say(h.b, TD_LEV_ANSWERED, 0, b_line ? slot("s3") : rtp());
		say(h.a_out, TD_LEV_ANSWERED, 0, rtp());
	}
	settle(t);
	return h;
}

static void nothing_is_left(struct two *t, uint32_t id)
{
	struct td_view_counts n;

	settle(t);
	td_view_counts(td_cluster_view(t->n[id].w.solo.cluster), &n);
	assert_int_equal(n.calls, 0);
	assert_int_equal(td_calls_count(t->n[id].w.calls), 0);
	assert_int_equal(t->n[id].w.open_rtp, 0);
	for (unsigned int i = 0; i < t->n[id].w.n_made; i++)
		assert_true(t->n[id].w.made[i]->freed);
	forget_legs(&t->n[id]);
}

/* SIP to SIP, SIP to ISDN, ISDN to SIP; trying, ringing, up */
static void the_callers_half_is_cleared(void **state)
{
	for (int kind = 0; kind <= 2; kind++)
		for (int how = TRYING; how <= UP; how++) {
			struct two *t;
			struct halves h;

			setup((void **)&t);
			h = begin(t, kind == 2, kind == 1, how);
			die(t, 2);
			settle(t);
			assert_true(h.a->cleared);
			assert_int_equal(h.a->cause, 41);
			/* nobody waits for the dead node's word */
			assert_false(h.a_out->cleared);
			say(h.a, TD_LEV_CLEARED, 41, NULL);
			nothing_is_left(t, 1);
			teardown((void **)&t);
		}
}

static void the_calleds_half_is_cleared(void **state)
{
	for (int kind = 0; kind <= 2; kind++)
		for (int how = TRYING; how <= UP; how++) {
			struct two *t;
			struct halves h;

			setup((void **)&t);
			h = begin(t, kind == 2, kind == 1, how);
			die(t, 1);
			settle(t);
			assert_true(h.b->cleared);
			assert_int_equal(h.b->cause, 41);
			assert_false(h.b_in->cleared);
			say(h.b, TD_LEV_CLEARED, 41, NULL);
			nothing_is_left(t, 2);
			teardown((void **)&t);
		}
}

static void a_node_that_comes_back_first_is_a_new_one(void **state)
{
	struct two *t = *state;
	struct halves h = begin(t, false, true, UP);

	/* its new life is told before anybody said that the old one ended */
	die(t, 2);
	start(t, 2);
	settle(t);
	assert_true(h.a->cleared);
	assert_int_equal(h.a->cause, 41);
	say(h.a, TD_LEV_CLEARED, 41, NULL);
	nothing_is_left(t, 1);
	settle(t);
}

static void a_late_request_for_an_ended_half_is_refused(void **state)
{
	struct two *t = *state;
	struct fake_leg *a = fake_new(&t->n[2].w);
	struct td_setup s = { .complete = true, .internal = true,
			      .call_id = 1ULL << 56 | 7, .called = "1002" };

	assert_int_equal(a->leg.up->incoming(a->leg.up->arg, &a->leg, &s),
			 -EAGAIN);
	assert_int_equal(td_calls_count(t->n[2].w.calls), 0);
	a->freed = true;	/* it stays its room's */
}

static void another_contact_on_a_living_node_goes_on_ringing(void **state)
{
	struct two *t = *state;
	struct fake_leg *a;

	solo_put_contact(&t->n[1].w.solo, "1001", "sip:1001@10.77.0.101:5079",
			 "10.77.0.101:5079", "a2");
	a = comes(&t->n[1], "1001", "1000", "", 0);
	assert_int_equal(t->n[1].w.n_made, 3);
	die(t, 2);
	settle(t);
	assert_false(a->cleared);
	for (int i = 1; i < 3; i++) {
		struct fake_leg *f = t->n[1].w.made[i];

		if (f->setup.internal)
			continue;
		say(f, TD_LEV_ANSWERED, 0, rtp());
		say(f, TD_LEV_CLEARED, 16, NULL);
	}
	assert_true(a->cleared);
	assert_int_equal(a->cause, 16);
	say(a, TD_LEV_CLEARED, 16, NULL);
	nothing_is_left(t, 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_callers_half_is_cleared),
		cmocka_unit_test(the_calleds_half_is_cleared),
		CASE(a_node_that_comes_back_first_is_a_new_one),
		CASE(a_late_request_for_an_ended_half_is_refused),
		CASE(another_contact_on_a_living_node_goes_on_ringing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
