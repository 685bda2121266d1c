// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/sip/registrar.h"

/* The rules alone: bindings before, a REGISTER, what it does. */

static int read_text(const char *headers, struct td_reg_request *r)
{
	struct td_sip_msg *m;
	char text[4096];
	int n = snprintf(text, sizeof(text), "REGISTER sip:d SIP/2.0\r\n"
			 "Call-ID: c1\r\nCSeq: 10 REGISTER\r\n%s\r\n",
			 headers);
	int rc;

	assert_int_equal(td_sip_parse(text, n, &m), 0);
	rc = td_reg_read(m, r);
	td_sip_msg_free(m);
	return rc;
}

static void contacts_are_read_as_the_table_says(void **state)
{
	static const struct {
		const char *headers;
		int rc;
		unsigned int n;
		uint32_t expires, q;
	} t[] = {
		{ "", 0, 0, 0, 0 },
		{ "Contact: <sip:a@1.1.1.1>\r\n", 0, 1, 3600, 1000 },
		{ "Contact: <sip:a@1.1.1.1>;expires=60\r\n", 0, 1, 60, 1000 },
		{ "Contact: <sip:a@1.1.1.1>;expires=59\r\n", 423, 0, 0, 0 },
		{ "Contact: <sip:a@1.1.1.1>;expires=0\r\n", 0, 1, 0, 1000 },
		{ "Contact: <sip:a@1.1.1.1>;expires=9999999\r\n", 0, 1, 7200,
		  1000 },
		{ "Contact: <sip:a@1.1.1.1>;expires=280297596632815\r\n", 0, 1,
		  7200, 1000 },
		{ "Contact: <sip:a@1.1.1.1>;expires=soon\r\n", 0, 1, 3600,
		  1000 },
		{ "Expires: 90\r\nContact: <sip:a@1.1.1.1>;q=0.25\r\n", 0, 1,
		  90, 250 },
		{ "Contact: sip:a@1.1.1.1;q=1.000\r\n", 0, 1, 3600, 1000 },
		{ "Contact: <sip:a@1.1.1.1>;q=0\r\n", 0, 1, 3600, 0 },
		{ "Contact: <sip:a@1.1.1.1>;q=2\r\n", 0, 1, 3600, 1000 },
		{ "Contact: <sip:a@1.1.1.1>, <sip:b@1.1.1.1>\r\n"
		  "m: <sip:c@1.1.1.1>\r\n", 0, 3, 3600, 1000 },
		{ "Contact: *\r\nExpires: 0\r\n", 0, 0, 0, 0 },
		{ "Contact: *\r\n", 400, 0, 0, 0 },
		{ "Contact: *\r\nExpires: 5\r\n", 400, 0, 0, 0 },
		{ "Contact: *\r\nContact: <sip:a@b>\r\nExpires: 0\r\n", 400,
		  0, 0, 0 },
		{ "Contact: <name:John_Smith>\r\n", 400, 0, 0, 0 },
		{ "Contact: <sip:a@1.1.1.1?Route=%3Csip:x%3E>\r\n", 0, 1, 3600,
		  1000 },
	};
	struct td_reg_request *r = malloc(sizeof(*r));

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(read_text(t[i].headers, r), t[i].rc);
		if (t[i].rc)
			continue;
		assert_int_equal(r->n, t[i].n);
		if (r->n) {
			assert_int_equal(r->c[0].expires_s, t[i].expires);
			assert_int_equal(r->c[0].q_milli, t[i].q);
		}
	}
	free(r);
}

/* RFC 4475 3.3.12 to 14: what is the URI's, what is the header's */
static void parameters_stay_where_they_belong(void **state)
{
	struct td_reg_request *r = malloc(sizeof(*r));

	assert_int_equal(read_text("Contact: sip:+1972@gw1.example.net;"
				   "unknownparam\r\n", r), 0);
	assert_string_equal(r->c[0].uri, "sip:+1972@gw1.example.net");
	assert_int_equal(read_text("Contact: <sip:+1972@gw1.example.net;"
				   "unknownparam>\r\n", r), 0);
	assert_string_equal(r->c[0].uri,
			    "sip:+1972@gw1.example.net;unknownparam");
	assert_int_equal(read_text("M: <sip:user@example.com?Route="
				   "%3Csip:sip.example.com%3E>\r\n", r), 0);
	assert_string_equal(r->c[0].uri, "sip:user@example.com?Route="
			    "%3Csip:sip.example.com%3E");
	free(r);
}

struct have {
	const char *uri, *call_id, *instance;
	uint32_t cseq;
};

static const struct {
	const char *name;
	struct have have[3];
	const char *headers;
	int rc;
	const char *acts;	/* "-URI" removed, "+URI" put, "-*" all */
} plans[] = {
	{ "the first", { { NULL } }, "Contact: <sip:a@h>\r\n", 0, "+sip:a@h" },
	{ "a question", { { "sip:a@h", "c1", "", 1 } }, "", 0, "" },
	{ "a refresh", { { "sip:a@h", "c1", "", 9 } },
	  "Contact: <sip:a@h>\r\n", 0, "+sip:a@h" },
	{ "an old one", { { "sip:a@h", "c1", "", 10 } },
	  "Contact: <sip:a@h>\r\n", 500, "" },
	{ "old, but of another Call-ID", { { "sip:a@h", "c2", "", 99 } },
	  "Contact: <sip:a@h>\r\n", 0, "+sip:a@h" },
	{ "old for one of two: nothing happens",
	  { { "sip:b@h", "c1", "", 10 } },
	  "Contact: <sip:a@h>, <sip:b@h>\r\n", 500, "" },
	{ "a removal", { { "sip:a@h", "c1", "", 9 } },
	  "Contact: <sip:a@h>;expires=0\r\n", 0, "-sip:a@h" },
	{ "a removal of nothing", { { NULL } },
	  "Contact: <sip:a@h>;expires=0\r\n", 0, "" },
	{ "all", { { "sip:a@h", "c1", "", 9 }, { "sip:b@h", "c2", "", 99 } },
	  "Contact: *\r\nExpires: 0\r\n", 0, "-*" },
	{ "all, but late", { { "sip:a@h", "c1", "", 10 } },
	  "Contact: *\r\nExpires: 0\r\n", 500, "" },
	{ "another spelling of the same URI", { { "sip:a@H", "c1", "", 9 } },
	  "Contact: <sip:a@h>\r\n", 0, "-sip:a@H+sip:a@h" },
	{ "another port is another contact",
	  { { "sip:a@h:1", "c1", "", 9 } }, "Contact: <sip:a@h:2>\r\n", 0,
	  "+sip:a@h:2" },
	{ "a device that moved", { { "sip:a@h:1", "c0", "<urn:x>", 9 } },
	  "Contact: <sip:a@h:2>;+sip.instance=\"<urn:x>\"\r\n", 0,
	  "-sip:a@h:1+sip:a@h:2" },
	{ "a second flow of it", { { "sip:a@h:1", "c0", "<urn:x>", 9 } },
	  "Contact: <sip:a@h:2>;reg-id=2;+sip.instance=\"<urn:x>\"\r\n", 0,
	  "+sip:a@h:2" },
};

static void bindings_change_as_the_table_says(void **state)
{
	struct td_reg_request *r = malloc(sizeof(*r));

	for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++) {
		struct td_reg_change ch[TD_REG_MAX_CHANGES];
		Td__Contact c[3];
		const Td__Contact *have[3];
		size_t n_have = 0;
		unsigned int n;
		char acts[512] = "";

		for (; n_have < 3 && plans[i].have[n_have].uri; n_have++) {
			const struct have *h = &plans[i].have[n_have];

			td__contact__init(&c[n_have]);
			c[n_have].uri = (char *)h->uri;
			c[n_have].call_id = (char *)h->call_id;
			c[n_have].instance = (char *)h->instance;
			c[n_have].cseq = h->cseq;
			have[n_have] = &c[n_have];
		}
		assert_int_equal(read_text(plans[i].headers, r), 0);
		assert_int_equal(td_reg_plan(r, have, n_have, ch, &n),
				 plans[i].rc);
		for (unsigned int k = 0; k < n; k++) {
			strcat(acts, ch[k].del ? "-" : "+");
			strcat(acts, !ch[k].del ? r->c[ch[k].put].uri :
			       *ch[k].del ? ch[k].del : "*");
		}
		assert_string_equal(acts, plans[i].acts);
	}
	free(r);
}

static void there_is_a_limit_for_each_user(void **state)
{
	struct td_reg_request *r = malloc(sizeof(*r));
	struct td_reg_change ch[TD_REG_MAX_CHANGES];
	static char uri[TD_REG_MAX_CONTACTS][32];
	Td__Contact c[TD_REG_MAX_CONTACTS];
	const Td__Contact *have[TD_REG_MAX_CONTACTS];
	char many[1024] = "Contact: <sip:z@h>";
	unsigned int n;

	for (int i = 0; i < TD_REG_MAX_CONTACTS; i++) {
		snprintf(uri[i], sizeof(uri[i]), "sip:%d@h", i);
		td__contact__init(&c[i]);
		c[i].uri = uri[i];
		have[i] = &c[i];
		strcat(many, ", <sip:y@h>");
	}
	strcat(many, "\r\n");
	assert_int_equal(read_text(many, r), 403);
	assert_int_equal(read_text("Contact: <sip:new@h>\r\n", r), 0);
	assert_int_equal(td_reg_plan(r, have, TD_REG_MAX_CONTACTS - 1, ch, &n),
			 0);
	assert_int_equal(td_reg_plan(r, have, TD_REG_MAX_CONTACTS, ch, &n),
			 403);
	assert_int_equal(n, 0);
	/* a refresh and a removal are always possible */
	assert_int_equal(read_text("Contact: <sip:3@h>\r\n", r), 0);
	assert_int_equal(td_reg_plan(r, have, TD_REG_MAX_CONTACTS, ch, &n), 0);
	assert_int_equal(read_text("Contact: <sip:3@h>;expires=0, <sip:new@h>"
				   "\r\n", r), 0);
	assert_int_equal(td_reg_plan(r, have, TD_REG_MAX_CONTACTS, ch, &n), 0);
	assert_int_equal(n, 2);
	free(r);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(contacts_are_read_as_the_table_says),
		cmocka_unit_test(parameters_stay_where_they_belong),
		cmocka_unit_test(bindings_change_as_the_table_says),
		cmocka_unit_test(there_is_a_limit_for_each_user),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
