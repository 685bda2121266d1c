// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "node/sip/check.h"
#include "node/sip/parse.h"
#include "node/sip/reject.h"

static void addresses_are_read_to_the_letter(void **state)
{
	static const struct {
		const char *v;
		int rc;
		const char *display, *uri, *params;
	} t[] = {
		{ "<sip:a@b>", 0, "", "sip:a@b", "" },
		{ "sip:a@b;tag=1", 0, "", "sip:a@b", ";tag=1" },
		{ "sip:a@b ; tag = 1", 0, "", "sip:a@b", "; tag = 1" },
		{ "<sip:a@b;x=y>;tag=1", 0, "", "sip:a@b;x=y", ";tag=1" },
		{ "\"A \\\"B\\\"\" <sip:a@b>", 0, "A \"B\"", "sip:a@b", "" },
		{ "A B <sip:a@b>", 0, "A B", "sip:a@b", "" },
		{ "caller<sip:a@b>", 0, "caller", "sip:a@b", "" },
		{ "A, B <sip:a@b>", -EINVAL, NULL, NULL, NULL },
		{ "\"A <sip:a@b>", -EINVAL, NULL, NULL, NULL },
		{ "\"A\" < sip:a@b>", -EINVAL, NULL, NULL, NULL },
		{ "<sip:a@b", -EINVAL, NULL, NULL, NULL },
		{ "<>", -EINVAL, NULL, NULL, NULL },
		{ "", -EINVAL, NULL, NULL, NULL },
		{ "sip:a@b?Route=x", -EINVAL, NULL, NULL, NULL },
		{ "<sip:a@b>;;", -EINVAL, NULL, NULL, NULL },
		{ "<sip:a@b>;=x", -EINVAL, NULL, NULL, NULL },
		{ "<sip:a@b>;a=", -EINVAL, NULL, NULL, NULL },
		{ "<sip:a@b> x", -EINVAL, NULL, NULL, NULL },
	};
	struct td_sip_addr_spec a;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(td_sip_addr_parse(t[i].v, &a), t[i].rc);
		if (t[i].rc)
			continue;
		assert_string_equal(a.display, t[i].display);
		assert_string_equal(a.uri, t[i].uri);
		assert_string_equal(a.params, t[i].params);
	}
}

static void uris_are_taken_apart(void **state)
{
	static const struct {
		const char *v;
		int rc;
		const char *user, *host;
		uint16_t port;
		bool numeric, headers;
	} t[] = {
		{ "sip:1000@10.0.0.1:5070;transport=tcp", 0, "1000",
		  "10.0.0.1", 5070, true, false },
		{ "sip:tandem.lab", 0, "", "tandem.lab", 0, false, false },
		{ "SIPS:a:secret@[::1]:1", 0, "a", "::1", 1, true, false },
		{ "sip:a%40b%2A@c", 0, "a@b*", "c", 0, false, false },
		{ "sip:null-%00-null@c", 0, "null-%00-null", "c", 0, false,
		  false },
		{ "sip:user;par=u%40x@c", 0, "user;par=u@x", "c", 0, false,
		  false },
		{ "sip:a@b?Route=x", 0, "a", "b", 0, false, true },
		{ "tel:+4930", -EPROTONOSUPPORT, NULL, NULL, 0, 0, 0 },
		{ "sip:", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:@b", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@b:0", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@b:65536", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@b:x", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@[::1", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@b c", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "sip:a@b_c!", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "1sip:a@b", -EINVAL, NULL, NULL, 0, 0, 0 },
		{ "nothing", -EINVAL, NULL, NULL, 0, 0, 0 },
	};
	struct td_sip_uri u;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(td_sip_uri_parse(t[i].v, &u), t[i].rc);
		if (t[i].rc)
			continue;
		assert_string_equal(u.user, t[i].user);
		assert_string_equal(u.host, t[i].host);
		assert_int_equal(u.port, t[i].port);
		assert_int_equal(u.numeric, t[i].numeric);
		assert_int_equal(u.headers, t[i].headers);
	}
}

static void parameters_are_found_and_unquoted(void **state)
{
	static const char p[] = ";a;B=2; c = \"x;y\\\"\" ;d=[::1]";
	char v[32];

	assert_true(td_sip_params_ok(p));
	assert_true(td_sip_param(p, "a", v, sizeof(v)));
	assert_string_equal(v, "");
	assert_true(td_sip_param(p, "b", v, sizeof(v)));
	assert_string_equal(v, "2");
	assert_true(td_sip_param(p, "C", v, sizeof(v)));
	assert_string_equal(v, "x;y\"");
	assert_true(td_sip_param(p, "d", v, sizeof(v)));
	assert_false(td_sip_param(p, "e", v, sizeof(v)));
	assert_false(td_sip_param(p, "c", v, 3));
}

static void lists_are_split_outside_of_quotes_and_angles(void **state)
{
	const char *pos = "\"a, b\" <sip:x,y@h> ,, <sip:z>;q=1 ,c";
	char v[64];

	assert_true(td_sip_next(&pos, v, sizeof(v)));
	assert_string_equal(v, "\"a, b\" <sip:x,y@h>");
	assert_true(td_sip_next(&pos, v, sizeof(v)));
	assert_string_equal(v, "<sip:z>;q=1");
	assert_true(td_sip_next(&pos, v, sizeof(v)));
	assert_string_equal(v, "c");
	assert_false(td_sip_next(&pos, v, sizeof(v)));
}

#define MSG "OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n ;branch=z9hG4bKx" \
	    "\r\nf: <sip:a@b>;tag=1\r\nt : <sip:c@d>\r\ni: 1\r\n" \
	    "CSeq: 0009\r\n\t OPTIONS\r\nSubject:\r\nl: 2\r\n\r\nabc"

static struct td_sip_msg *parse(const char *s, size_t n)
{
	struct td_sip_msg *m;

	assert_int_equal(td_sip_parse(s, n, &m), 0);
	return m;
}

static void a_message_is_read_with_folds_and_short_names(void **state)
{
	struct td_sip_msg *m = parse(MSG, sizeof(MSG) - 1);
	const char *why;

	assert_true(m->request);
	assert_string_equal(m->method, "OPTIONS");
	assert_string_equal(m->uri, "sip:b@c");
	assert_string_equal(m->version, "SIP/2.0");
	assert_int_equal(m->n, 7);
	assert_string_equal(td_sip_value(m, TD_SIP_H_TO, 0), "<sip:c@d>");
	assert_int_equal(td_sip_cseq(m), 9);
	assert_int_equal(m->n_body, 2);
	assert_memory_equal(m->body, "ab", 2);
	assert_int_equal(td_sip_check(m, &why), 0);
	td_sip_msg_free(m);
}

static void what_is_cut_short_anywhere_is_no_crash(void **state)
{
	struct td_sip_msg *m;
	const char *why;

	for (size_t n = 0; n < sizeof(MSG); n++) {
		if (td_sip_parse(MSG, n, &m))
			continue;
		td_sip_check(m, &why);
		td_sip_msg_free(m);
	}
}

static void too_many_headers_are_counted_and_refused(void **state)
{
	char text[4096] = "OPTIONS sip:b@c SIP/2.0\r\n";
	struct td_sip_msg *m;
	const char *why;

	for (int i = 0; i < TD_SIP_MAX_HEADERS + 3; i++)
		strcat(text, "X: y\r\n");
	strcat(text, "\r\n");
	m = parse(text, strlen(text));
	assert_int_equal(m->n, TD_SIP_MAX_HEADERS);
	assert_int_equal(m->dropped, 3);
	assert_int_equal(td_sip_check(m, &why), 400);
	td_sip_msg_free(m);
}

/* RFC 3261 18.2.2, RFC 3581 4 */
static void a_refusal_goes_where_the_via_says_but_never_to_a_name(void **state)
{
	static const struct {
		const char *via;
		uint16_t port;
	} t[] = {
		{ "SIP/2.0/UDP host.example.com;branch=z9hG4bKx", 5060 },
		{ "SIP/2.0/UDP 10.0.0.9:5070;branch=z9hG4bKx", 5070 },
		{ "SIP / 2.0 / UDP h : 77 ;branch=z9hG4bKx", 77 },
		{ "SIP/2.0/UDP h:77;rport;branch=z9hG4bKx", 4444 },
		{ "SIP/2.0/UDP h;maddr=evil.example.com", 5060 },
		{ "SIP/2.0/UDP h;;,;,,", 4444 },
		{ "rubbish", 4444 },
	};
	const struct td_sip_peer from = { .host = "10.0.0.1", .port = 4444 };
	struct td_sip_peer to;
	char text[512], out[1024];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct td_sip_msg *m;
		int n = snprintf(text, sizeof(text), "INVITE sip:a SIP/2.0\r\n"
			"Via: %s\r\nTo: <sip:a@b>\r\n\r\n", t[i].via);

		m = parse(text, n);
		n = td_sip_reject(m, 400, "Bad", &from, "tt", out,
				  sizeof(out), &to);
		assert_true(n > 0);
		assert_string_equal(to.host, "10.0.0.1");
		assert_int_equal(to.port, t[i].port);
		assert_non_null(strstr(out, ";received=10.0.0.1\r\n"));
		assert_non_null(strstr(out, "To: <sip:a@b>;tag=tt\r\n"));
		assert_int_equal(td_sip_reject(m, 400, "Bad", &from, "tt", out,
					       20, &to), -EMSGSIZE);
		td_sip_msg_free(m);
	}
}

static void only_clean_utf_8_may_go_into_an_op(void **state)
{
	assert_true(td_sip_is_text("a\tb \xc3\xbc \xe2\x82\xac"));
	assert_false(td_sip_is_text("\xfc"));
	assert_false(td_sip_is_text("\xc3"));
	assert_false(td_sip_is_text("\xc0\x80"));
	assert_false(td_sip_is_text("\xed\xa0\x80"));
	assert_false(td_sip_is_text("a\x01"));
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(addresses_are_read_to_the_letter),
		cmocka_unit_test(uris_are_taken_apart),
		cmocka_unit_test(parameters_are_found_and_unquoted),
		cmocka_unit_test(lists_are_split_outside_of_quotes_and_angles),
		cmocka_unit_test(a_message_is_read_with_folds_and_short_names),
		cmocka_unit_test(what_is_cut_short_anywhere_is_no_crash),
		cmocka_unit_test(too_many_headers_are_counted_and_refused),
		cmocka_unit_test(
		    a_refusal_goes_where_the_via_says_but_never_to_a_name),
		cmocka_unit_test(only_clean_utf_8_may_go_into_an_op),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
