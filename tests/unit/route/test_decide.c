// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/route/route.h"
#include "solo.h"

/* Node 1 decides. n1 owns s1, s2, a1; n2 owns s3, a2. */
static const char site_text[] =
	"site: {name: t, domain: tandem.lab, jitter_ms: 60}\n"
	"nodes:\n"
	"  - {name: n1, id: 1, address: 10.77.0.1, cluster_address: 10.78.0.1}\n"
	"  - {name: n2, id: 2, address: 10.77.0.2, cluster_address: 10.78.0.2}\n"
	"classes:\n"
	"  - {name: house}\n"
	"  - {name: national, allow: [\"9\", \"90190\"], deny: [\"90\"]}\n"
	"  - {name: most, otherwise: allow, deny: [\"983\"]}\n"
	"  - {name: trunk, allow: [\"95\", \"5557\"], deny: [\"959\"]}\n"
	"lines:\n"
	"  - {name: s1, port: 1, nodes: [n1, n2], group: pstn}\n"
	"  - {name: s2, port: 2, nodes: [n1, n2], group: pstn}\n"
	"  - {name: s3, port: 3, nodes: [n2, n1], group: pstn}\n"
	"  - {name: s4, port: 4, nodes: [n1], class: trunk}\n"
	"addresses:\n"
	"  - {name: a1, address: 10.77.0.11, nodes: [n1, n2]}\n"
	"  - {name: a2, address: 10.77.0.12, nodes: [n2, n1]}\n"
	"extensions:\n"
	"  - {range: 1000-1999, password: x}\n"
	"  - {number: 2001, password: x, class: house}\n"
	"  - {number: 2002, password: x, class: national}\n"
	"  - {number: 2003, password: x, class: most}\n"
	"ddi:\n"
	"  - {range: 5551000-5552999, keep: 4}\n"
	"routes:\n"
	"  - {prefix: \"9\", strip: 1, group: pstn}\n"
	"  - {prefix: \"983\", strip: 3, add: \"0\", lines: [s3]}\n"
	"  - {prefix: \"5557\", lines: [s2], transit: true}\n"
	"  - {prefix: \"5558\", lines: [s3], transit: true}\n"
	"services:\n"
	"  - {number: \"*43\", service: echo}\n"
	"  - {number: \"2943\", service: echo}\n";

/** Puts calls on the first n channels of a line. */
static void fill(struct solo *w, const char *span, unsigned int n)
{
	static uint64_t id;

	for (unsigned int ts = 1; ts < 32 && n; ts++) {
		Td__IsdnCall isdn = TD__ISDN_CALL__INIT;
		Td__CallLeg leg = TD__CALL_LEG__INIT, *legs[] = { &leg };
		Td__Call call = TD__CALL__INIT;
		Td__Op op = TD__OP__INIT;

		if (ts == 16)
			continue;
		n--;
		isdn.span = (char *)span;
		isdn.timeslot = ts;
		leg.kind = TD__LEG_KIND__LEG_ISDN;
		leg.state = TD__LEG_STATE__LEG_UP;
		leg.isdn = &isdn;
		call.id = ++id;
		call.node = 1;
		call.n_legs = 1;
		call.legs = legs;
		op.what_case = TD__OP__WHAT_CALL_PUT;
		op.call_put = &call;
		solo_submit(w, &op);
	}
}

static int setup(void **state)
{
	struct solo *w = calloc(1, sizeof(*w));

	solo_start(w, site_text);
	solo_put_contact(w, "1001", "sip:1001@10.77.0.101:5071", "", "a1");
	solo_put_contact(w, "1002", "sip:1002@10.77.0.101:5072", "", "a2");
	solo_put_contact(w, "1003", "sip:1003@10.77.0.101:5073", "", "a1");
	solo_put_contact(w, "1003", "sip:1003@10.77.0.102:5073", "", "a2");
	solo_put_contact(w, "1003", "sip:1003@10.77.0.103:5073", "", "a2");
	solo_put_span(w, "s1", true);
	solo_put_span(w, "s2", true);
	solo_put_span(w, "s3", true);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct solo *w = *state;

	solo_end(w);
	free(w);
	return 0;
}

/** The decision in words: "rank:kind(detail)" each, or "error/cause". */
static void words(struct solo *w, const struct td_route_ask *ask, char *out)
{
	struct td_target t[TD_ROUTE_MAX_TARGETS];
	unsigned int n = 0;
	int cause = 0;
	int rc = td_route_decide(w->site, td_cluster_view(w->cluster), ask, t,
				 &n, &cause);

	*out = '\0';
	if (rc)
		out += sprintf(out, "%s/%d", rc == -ENOENT ? "none" :
			       rc == -EBUSY ? "busy" :
			       rc == -EAGAIN ? "more" :
			       rc == -EACCES ? "denied" : "away", cause);
	for (unsigned int i = 0; !rc && i < n; i++) {
		out += sprintf(out, "%s%u:", i ? " " : "", t[i].rank);
		if (t[i].kind == TD_TARGET_CONTACT)
			out += sprintf(out, "contact(%s)", t[i].uri + 9);
		else if (t[i].kind == TD_TARGET_NODE)
			out += sprintf(out, "node(%u,%s)", t[i].node,
				       t[i].number);
		else if (t[i].kind == TD_TARGET_SERVICE)
			out += sprintf(out, "service");
		else {
			out += sprintf(out, "lines(%s", t[i].number);
			for (unsigned int k = 0; k < t[i].n_lines; k++)
				out += sprintf(out, ",%s", t[i].lines[k]);
			out += sprintf(out, ")");
		}
	}
}

static const struct row {
	const char *what, *called, *user, *span;
	bool internal, incomplete;
	uint32_t up;
	const char *words;
} rows[] = {
	{ "a phone of this node", "1001", "1000", "", 0, 0, 6,
	  "0:contact(10.77.0.101:5071)" },
	{ "a phone of the other node", "1002", "1000", "", 0, 0, 6,
	  "0:node(2,1002)" },
	{ "… which is away", "1002", "1000", "", 0, 0, 2, "away/20" },
	{ "one leg for all contacts there", "1003", "1000", "", 0, 0, 6,
	  "0:contact(10.77.0.101:5073) 0:node(2,1003)" },
	{ "a call from the other node makes no second hop", "1002", "", "", 1,
	  0, 6, "away/20" },
	{ "nobody registered", "1005", "1000", "", 0, 0, 6, "away/20" },
	{ "no such number", "3000", "1000", "", 0, 0, 6, "none/3" },
	{ "own lines first, then the other node's", "95550001", "1000", "", 0,
	  0, 6, "0:lines(5550001,s1,s2) 1:node(2,95550001)" },
	{ "the other node is away", "95550001", "1000", "", 0, 0, 2,
	  "0:lines(5550001,s1,s2)" },
	{ "the longest prefix wins, digits are changed", "98371", "1000", "",
	  0, 0, 6, "0:node(2,98371)" },
	{ "a prefix alone is no number", "9", "1000", "", 0, 0, 6,
	  "none/28" },
	{ "the exchange calls an extension", "5551001", "", "s1", 0, 0, 6,
	  "0:contact(10.77.0.101:5071)" },
	{ "the exchange calls a service", "5552943", "", "s1", 0, 0, 6,
	  "0:service" },
	{ "an extension that is none", "5552000", "", "s1", 0, 0, 6,
	  "none/1" },
	{ "a number outside of the range", "5559999", "", "s1", 0, 0, 6,
	  "none/1" },
	{ "the exchange gets no line", "95550001", "", "s1", 0, 0, 6,
	  "none/1" },
	{ "transit from line to line", "5557123", "", "s1", 0, 0, 6,
	  "0:lines(5557123,s2)" },
	{ "transit to the other node's line", "5558123", "", "s1", 0, 0, 6,
	  "0:node(2,5558123)" },
	{ "transit waits for the whole number", "5557", "", "s1", 0, 1, 6,
	  "more/28" },
	{ "what may become transit waits", "555", "", "s1", 0, 1, 6,
	  "more/28" },
	{ "overlap: not enough yet", "5551", "", "s1", 0, 1, 6, "more/28" },
	{ "overlap: cannot become one of ours", "777", "", "s1", 0, 1, 6,
	  "none/1" },
	{ "en bloc and too short", "5551", "", "s1", 0, 0, 6, "none/28" },
	{ "nothing dialled yet", "", "", "s1", 0, 1, 6, "more/28" },
	{ "the echo service", "*43", "1000", "", 0, 0, 6, "0:service" },
	{ "a class that allows no route", "95", "2001", "", 0, 0, 6,
	  "denied/57" },
	{ "… but the house", "1001", "2001", "", 0, 0, 6,
	  "0:contact(10.77.0.101:5071)" },
	{ "… and services", "*43", "2001", "", 0, 0, 6, "0:service" },
	{ "… and what is no number at all stays that", "3000", "2001", "", 0, 0,
	  6, "none/3" },
	{ "a class that allows the prefix", "95", "2002", "", 0, 0, 6,
	  "0:lines(5,s1,s2) 1:node(2,95)" },
	{ "… not what it denies", "9012", "2002", "", 0, 0, 6, "denied/57" },
	{ "… but the longer prefix that it allows", "901901", "2002", "", 0, 0,
	  6, "0:lines(01901,s1,s2) 1:node(2,901901)" },
	{ "a class that denies a prefix only", "95", "2003", "", 0, 0, 6,
	  "0:lines(5,s1,s2) 1:node(2,95)" },
	{ "… that one", "98371", "2003", "", 0, 0, 6, "denied/57" },
	{ "the class was asked for at the node before", "95", "2001", "", 1, 0,
	  6, "0:lines(5,s1,s2)" },
	{ "a line's class opens routes", "95", "", "s4", 0, 0, 6,
	  "0:lines(5,s1,s2) 1:node(2,95)" },
	{ "… not those that it denies", "9591", "", "s4", 0, 0, 6, "none/1" },
	{ "… nor marked ones that it does not allow", "5558123", "", "s4", 0,
	  0, 6, "none/1" },
	{ "… waits for what it may allow", "9", "", "s4", 0, 1, 6, "more/28" },
	{ "… not for what it never will", "5551001", "", "s4", 0, 1, 6,
	  "0:contact(10.77.0.101:5071)" },
};

static void each_call_goes_where_the_table_says(void **state)
{
	char out[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct td_route_ask ask = {
			.called = r->called, .user = r->user, .span = r->span,
			.internal = r->internal, .complete = !r->incomplete,
			.node = 1, .up_nodes = r->up };

		words(*state, &ask, out);
		if (strcmp(out, r->words))
			fail_msg("%s: %s, not %s", r->what, out, r->words);
	}
}

static void the_emptier_line_comes_first_and_a_full_one_not_at_all(void **state)
{
	struct td_route_ask ask = { .called = "95", .user = "1000",
				    .span = "", .complete = true, .node = 1,
				    .up_nodes = 6 };
	char out[512];

	fill(*state, "s1", 10);
	words(*state, &ask, out);
	assert_string_equal(out, "0:lines(5,s2,s1) 1:node(2,95)");
	fill(*state, "s2", 30);
	words(*state, &ask, out);
	assert_string_equal(out, "0:lines(5,s1) 1:node(2,95)");
	solo_put_span(*state, "s1", false);
	words(*state, &ask, out);
	assert_string_equal(out, "0:node(2,95)");
	ask.up_nodes = 2;
	words(*state, &ask, out);
	assert_string_equal(out, "busy/34");
	solo_put_span(*state, "s2", false);
	words(*state, &ask, out);
	assert_string_equal(out, "busy/27");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void put_user(struct solo *w, const char *user, bool dnd,
		     const char *all, const char *unreachable)
{
	Td__User u = TD__USER__INIT;
	Td__Op op = TD__OP__INIT;

	u.user = (char *)user;
	u.dnd = dnd;
	u.forward_all = (char *)all;
	u.forward_unreachable = (char *)unreachable;
	op.what_case = TD__OP__WHAT_USER_PUT;
	op.user_put = &u;
	solo_submit(w, &op);
}

static void a_user_s_wishes_come_before_his_phones(void **state)
{
	struct td_route_ask ask = { .called = "1001", .user = "1000",
				    .span = "", .complete = true, .node = 1,
				    .up_nodes = 6 };
	char out[512];

	put_user(*state, "1001", true, "", "");
	words(*state, &ask, out);
	assert_string_equal(out, "busy/17");
	/* asked for by the node that asks us */
	ask.internal = true;
	words(*state, &ask, out);
	assert_string_equal(out, "0:contact(10.77.0.101:5071)");
	ask.internal = false;
	ask.called = "5551001";
	ask.span = "s1";
	words(*state, &ask, out);
	assert_string_equal(out, "busy/17");
	put_user(*state, "1001", true, "95550001", "");
	words(*state, &ask, out);
	assert_string_equal(out, "0:lines(5550001,s1,s2) 1:node(2,95550001)");
	put_user(*state, "1001", false, "", "1002");
	words(*state, &ask, out);
	assert_string_equal(out, "0:contact(10.77.0.101:5071)");
	put_user(*state, "1001", false, "", "");
}

static void a_user_without_a_phone_is_somewhere_else(void **state)
{
	struct td_route_ask ask = { .called = "1005", .user = "1000",
				    .span = "", .complete = true, .node = 1,
				    .up_nodes = 6 };
	char out[512];

	put_user(*state, "1005", false, "", "*43");
	words(*state, &ask, out);
	assert_string_equal(out, "0:service");
	put_user(*state, "1005", false, "", "1006");
	put_user(*state, "1006", false, "", "1005");
	words(*state, &ask, out);
	assert_string_equal(out, "none/25");
	/* his class, not the caller's */
	put_user(*state, "2001", false, "95", "");
	ask.called = "2001";
	words(*state, &ask, out);
	assert_string_equal(out, "denied/57");
	put_user(*state, "1005", false, "", "");
	put_user(*state, "1006", false, "", "");
	put_user(*state, "2001", false, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_call_goes_where_the_table_says),
		CASE(the_emptier_line_comes_first_and_a_full_one_not_at_all),
		CASE(a_user_s_wishes_come_before_his_phones),
		CASE(a_user_without_a_phone_is_somewhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
