// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/load_private.h"

static void digest_is_the_rfc_s(void **state)
{
	char out[TD_LOAD_HEX];

	/* RFC 7616 3.9.1 */
	assert_int_equal(td_load_digest("Mufasa", "http-auth@example.org",
		"Circle of Life", "GET", "/dir/index.html",
		"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
		"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", out), 0);
	assert_string_equal(out, "8ca523f5e9506fed4657c9700eebdbec");
}

static void a_request_says_whose_contact_and_counts_its_nonce(void **state)
{
	struct td_load_auth auth = { 0 };
	struct td_load_request r = {
		.domain = "tandem.lab", .user = 2000,
		.local = "10.0.0.1:4000", .contact = "sip:2000@10.0.0.1:10000",
		.branch = 0xabc, .run = 0x12, .cseq = 7, .expires_s = 600,
	};
	char msg[TD_LOAD_MSG];

	assert_true(td_load_write(&r, &auth, msg, sizeof(msg)) > 0);
	assert_non_null(strstr(msg, "branch=z9hG4bKtl00000012-abc;rport"));
	assert_non_null(strstr(msg, "Contact: <sip:2000@10.0.0.1:10000>\r\n"));
	assert_non_null(strstr(msg, "CSeq: 7 REGISTER\r\n"));
	assert_null(strstr(msg, "Authorization"));
	strcpy(auth.nonce, "n1");
	assert_true(td_load_write(&r, &auth, msg, sizeof(msg)) > 0);
	assert_non_null(strstr(msg, "nc=00000001\r\n"));
	r.contact = "*";
	assert_true(td_load_write(&r, &auth, msg, sizeof(msg)) > 0);
	assert_non_null(strstr(msg, "nc=00000002\r\n"));
	assert_non_null(strstr(msg, "Contact: *\r\n"));
	assert_int_equal(td_load_write(&r, &auth, msg, 100), -EMSGSIZE);
}

static void answers_are_read_or_refused(void **state)
{
	static const char good[] =
		"SIP/2.0 401 Unauthorized\r\n"
		"Via: SIP/2.0/UDP 10.0.0.1:4000;branch=z9hG4bKtl00000012-abc"
		";rport=4000\r\n"
		"WWW-Authenticate: Digest realm=\"t\",nonce=\"0123\"\r\n\r\n";
	static const char *const bad[] = {
		"", "SIP/2.0 2", "REGISTER sip:t SIP/2.0\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bKother\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bKtl12\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bKtl12-xyz\r\n\r\n",
		"SIP/2.0 999 OK\r\nVia: x;branch=z9hG4bKtl12-a\r\n\r\n",
	};
	struct td_load_answer a;

	assert_int_equal(td_load_read(good, strlen(good), &a), 0);
	assert_int_equal(a.status, 401);
	assert_int_equal(a.run, 0x12);
	assert_int_equal(a.branch, 0xabc);
	assert_string_equal(a.nonce, "0123");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(td_load_read(bad[i], strlen(bad[i]), &a),
				 -EBADMSG);
	/* cut anywhere, it is never read beyond its end */
	for (size_t n = 0; n < strlen(good); n++)
		td_load_read(good, n, &a);
}

static void a_list_with_a_longer_port_is_not_ours(void **state)
{
	static const char m[] = "Contact: <sip:1@10.0.0.1:10000>;expires=60";

	assert_true(td_load_lists(m, strlen(m), "sip:1@10.0.0.1:10000"));
	assert_false(td_load_lists(m, strlen(m), "sip:1@10.0.0.1:1000"));
}

/* what 200s promised and what the plan asks for go together for ever */
static void plan_never_touches_what_nobody_knows(void **state)
{
	struct user u = { .next_contact = 1 };
	bool bound[4000] = { false }, dead[4000] = { false };
	int n[TD_LOAD_OPS] = { 0 }, contact = 0;

	for (int i = 0; i < 3000; i++) {
		enum td_load_op op = td_load_plan(&u, &contact);
		bool ok = i % 7 != 0;

		if (op == TD_LOAD_PUT)
			contact = u.next_contact++;
		else
			assert_true(bound[contact]);
		assert_false(dead[contact]);
		td_load_learn(&u, op, contact, ok);
		bound[contact] = ok && op != TD_LOAD_DELETE;
		dead[contact] = !bound[contact];
		n[op]++;
		assert_in_range(u.contacts, 0, LOAD_CONTACTS);
	}
	assert_true(n[TD_LOAD_PUT] > 900);
	assert_true(n[TD_LOAD_REFRESH] > 200);
	assert_true(n[TD_LOAD_DELETE] > 200);
}

static void vias_are_addresses_with_or_without_ports(void **state)
{
	struct td_load_conf c;

	assert_int_equal(td_load_vias("10.0.0.1,10.0.0.2:5070", &c), 0);
	assert_int_equal(c.vias, 2);
	assert_int_equal(ntohs(c.via[0].sin_port), 5060);
	assert_int_equal(ntohs(c.via[1].sin_port), 5070);
	assert_int_equal(td_load_vias("", &c), -EINVAL);
	assert_int_equal(td_load_vias("host", &c), -EINVAL);
	assert_int_equal(td_load_vias("10.0.0.1:0", &c), -EINVAL);
	assert_int_equal(td_load_vias("1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
				      &c), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_is_the_rfc_s),
		cmocka_unit_test(
			a_request_says_whose_contact_and_counts_its_nonce),
		cmocka_unit_test(answers_are_read_or_refused),
		cmocka_unit_test(a_list_with_a_longer_port_is_not_ours),
		cmocka_unit_test(plan_never_touches_what_nobody_knows),
		cmocka_unit_test(vias_are_addresses_with_or_without_ports),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
