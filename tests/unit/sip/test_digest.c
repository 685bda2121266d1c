// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/sip/digest.h"

static const uint8_t key[32] = { 1, 2, 3 };
static const uint8_t other_key[32] = { 9 };

/* RFC 7616 3.9.1: the same request by both algorithms */
static void the_examples_of_rfc_7616_come_out(void **state)
{
	struct td_digest_cred c = {
		.username = "Mufasa", .realm = "http-auth@example.org",
		.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		.uri = "/dir/index.html", .nc = "00000001", .qop = "auth",
		.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	};
	char out[72];

	assert_int_equal(td_digest_response(&c, "GET", "Circle of Life", out),
			 0);
	assert_string_equal(out, "8ca523f5e9506fed4657c9700eebdbec");
	c.alg = TD_DIGEST_SHA256;
	assert_int_equal(td_digest_response(&c, "GET", "Circle of Life", out),
			 0);
	assert_string_equal(out, "753927fa0e85d155564e2e272a28d1802ca10daf449"
			    "6794697cf8db5856cb6c1");
}

/* RFC 2617 3.5 */
static void the_example_of_rfc_2617_comes_out(void **state)
{
	struct td_digest_cred c = {
		.username = "Mufasa", .realm = "testrealm@host.com",
		.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
		.uri = "/dir/index.html", .nc = "00000001", .qop = "auth",
		.cnonce = "0a4f113b",
	};
	char out[72];

	assert_int_equal(td_digest_response(&c, "GET", "Circle Of Life", out),
			 0);
	assert_string_equal(out, "6629fae49393a05397450978507c4ef1");
}

static void credentials_are_taken_apart_or_refused(void **state)
{
	static const struct {
		const char *v;
		int rc;
	} t[] = {
		{ "Digest username=\"1000\", realm=\"x\", nonce=\"n\","
		  " uri=\"sip:x\", response=\"r\"", 0 },
		{ "digest username=\"a\\\"b\",realm=\"x, y\",nonce=\"n\","
		  "uri=\"sip:x;a=b\",response=\"r\",algorithm=SHA-256,"
		  "qop=auth,nc=0000000a,cnonce=\"c\"", 0 },
		{ "Digest username=\"1000\", realm=\"x\", nonce=\"n\","
		  " uri=\"sip:x\", response=\"r\", algorithm=MD5-sess",
		  -EPROTONOSUPPORT },
		{ "Digest username=\"1000\", realm=\"x\", nonce=\"n\","
		  " uri=\"sip:x\", response=\"r\", qop=auth-int",
		  -EPROTONOSUPPORT },
		{ "Digest username=\"1000\", realm=\"x\", nonce=\"n\","
		  " uri=\"sip:x\", response=\"r\", qop=auth, nc=1,"
		  " cnonce=\"c\"", -EINVAL },
		{ "Digest username=\"1000\"", -EINVAL },
		{ "Digest username=\"1000", -EINVAL },
		{ "NoOneKnowsThisScheme opaque-data=here", -EPROTONOSUPPORT },
		{ "Digest", -EPROTONOSUPPORT }, { "", -EPROTONOSUPPORT },
	};
	struct td_digest_cred c;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(td_digest_parse(t[i].v, &c), t[i].rc);
	assert_int_equal(td_digest_parse(t[1].v, &c), 0);
	assert_string_equal(c.username, "a\"b");
	assert_string_equal(c.realm, "x, y");
	assert_string_equal(c.uri, "sip:x;a=b");
	assert_int_equal(c.alg, TD_DIGEST_SHA256);
}

static struct td_digest *make(const uint8_t *k, uint32_t max)
{
	struct td_digest *d;

	assert_int_equal(td_digest_new(k, max, &d), 0);
	return d;
}

/** Credentials for a fresh challenge of d. */
static void answer(struct td_digest *d, enum td_digest_algorithm alg,
		   const char *nc, int64_t now, struct td_digest_cred *c)
{
	char v[256], *n;

	assert_int_equal(td_digest_challenge(d, "tandem.lab", alg, false, now,
					     v, sizeof(v)), 0);
	memset(c, 0, sizeof(*c));
	strcpy(c->username, "1000");
	strcpy(c->realm, "tandem.lab");
	strcpy(c->uri, "sip:tandem.lab");
	c->alg = alg;
	n = strstr(v, "nonce=\"") + 7;
	memcpy(c->nonce, n, strcspn(n, "\""));
	if (nc) {
		strcpy(c->nc, nc);
		strcpy(c->cnonce, "abc");
		strcpy(c->qop, "auth");
	}
	td_digest_response(c, "REGISTER", "pw1000", c->response);
}

static int verify(struct td_digest *d, const struct td_digest_cred *c,
		  int64_t now)
{
	return td_digest_verify(d, c, "tandem.lab", "REGISTER", "pw1000", now);
}

static void recount(struct td_digest_cred *c, unsigned int nc)
{
	snprintf(c->nc, sizeof(c->nc), "%08x", nc);
	td_digest_response(c, "REGISTER", "pw1000", c->response);
}

static void a_right_answer_passes_once(void **state)
{
	struct td_digest *d = make(key, 10);
	struct td_digest_cred c;

	for (int alg = 0; alg < 2; alg++) {
		answer(d, alg, "00000001", 1000000, &c);
		assert_int_equal(verify(d, &c, 1000100), 0);
		assert_int_equal(verify(d, &c, 1000200), -ESTALE);
	}
	answer(d, TD_DIGEST_MD5, NULL, 1000000, &c);	/* RFC 2069 form */
	assert_int_equal(verify(d, &c, 1000100), 0);
	assert_int_equal(verify(d, &c, 1000100), -ESTALE);
	td_digest_free(d);
}

static void a_wrong_password_realm_or_method_is_refused(void **state)
{
	struct td_digest *d = make(key, 10);
	struct td_digest_cred c;

	answer(d, TD_DIGEST_MD5, "00000001", 1000, &c);
	assert_int_equal(td_digest_verify(d, &c, "tandem.lab", "REGISTER",
					  "pw1001", 1000), -EACCES);
	assert_int_equal(td_digest_verify(d, &c, "tandem.lab", "INVITE",
					  "pw1000", 1000), -EACCES);
	assert_int_equal(td_digest_verify(d, &c, "other", "REGISTER",
					  "pw1000", 1000), -EACCES);
	c.response[0] = '\0';
	assert_int_equal(verify(d, &c, 1000), -EACCES);
	td_digest_free(d);
}

static void a_nonce_of_another_node_passes_and_a_foreign_one_is_stale(
	void **state)
{
	struct td_digest *n1 = make(key, 10), *n2 = make(key, 10);
	struct td_digest *alien = make(other_key, 10);
	struct td_digest_cred c;

	answer(n1, TD_DIGEST_MD5, "00000001", 1000000, &c);
	assert_int_equal(verify(n2, &c, 1000500), 0);
	assert_int_equal(verify(alien, &c, 1000500), -ESTALE);
	strcpy(c.nonce, "made up");
	recount(&c, 1);
	assert_int_equal(verify(n1, &c, 1000500), -ESTALE);
	td_digest_free(n1);
	td_digest_free(n2);
	td_digest_free(alien);
}

static void a_new_key_leaves_the_nonces_of_the_one_before_good(void **state)
{
	static const uint8_t third[32] = { 3 };
	struct td_digest *d = make(key, 10);
	struct td_digest_cred c;
	int64_t now = 1000000;

	answer(d, TD_DIGEST_MD5, "00000001", now, &c);
	assert_int_equal(td_digest_set_key(d, other_key, now + 1000), 0);
	assert_int_equal(td_digest_set_key(d, other_key, now + 1001), 0);
	assert_int_equal(td_digest_set_key(d, third, now + 2000), 0);
	assert_int_equal(verify(d, &c, now + 3000), 0);
	/* a key may come back, with the one between still good */
	answer(d, TD_DIGEST_MD5, "00000001", now + 3000, &c);
	assert_int_equal(td_digest_set_key(d, key, now + 4000), 0);
	assert_int_equal(verify(d, &c, now + 5000), 0);
	/* keys are bounded: behind many, an old one is forgotten */
	for (uint8_t i = 0; i < 9; i++) {
		uint8_t k[32] = { 100, i };

		assert_int_equal(td_digest_set_key(d, k, now + 6000), 0);
	}
	recount(&c, 2);
	assert_int_equal(verify(d, &c, now + 7000), -ESTALE);
	td_digest_free(d);
}

static void a_nonce_grows_stale_after_five_minutes(void **state)
{
	struct td_digest *d = make(key, 10);
	struct td_digest_cred c;

	answer(d, TD_DIGEST_MD5, "00000001", 1000000, &c);
	assert_int_equal(verify(d, &c, 1000000 + 300001), -ESTALE);
	assert_int_equal(verify(d, &c, 1000000 - 60001), -ESTALE);
	assert_int_equal(verify(d, &c, 1000000 + 300000), 0);
	td_digest_free(d);
}

static void counts_may_come_out_of_order_but_only_once(void **state)
{
	static const struct {
		unsigned int nc;
		int rc;
	} t[] = {
		{ 3, 0 }, { 1, 0 }, { 2, 0 }, { 2, -ESTALE }, { 10, 0 },
		{ 3, -ESTALE }, { 9, 0 }, { 100, 0 }, { 36, -ESTALE },
		{ 37, 0 }, { 37, -ESTALE }, { 0, -ESTALE },
		{ 0xffffffff, 0 }, { 100, -ESTALE },
	};
	struct td_digest *d = make(key, 10);
	struct td_digest_cred c;

	answer(d, TD_DIGEST_MD5, "00000001", 1000000, &c);
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		recount(&c, t[i].nc);
		assert_int_equal(verify(d, &c, 1000000), t[i].rc);
	}
	td_digest_free(d);
}

static void windows_are_bounded_and_a_forgotten_one_does_not_replay(
	void **state)
{
	struct td_digest *d = make(key, 4);
	struct td_digest_cred c[8];

	for (int i = 0; i < 8; i++) {
		answer(d, TD_DIGEST_MD5, "00000001", 1000000 + i, &c[i]);
		assert_int_equal(verify(d, &c[i], 1000010), 0);
	}
	assert_int_equal(td_digest_nonces(d), 4);
	for (int i = 0; i < 8; i++)
		assert_int_equal(verify(d, &c[i], 1000010), -ESTALE);
	td_digest_free(d);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(the_examples_of_rfc_7616_come_out),
		cmocka_unit_test(the_example_of_rfc_2617_comes_out),
		cmocka_unit_test(credentials_are_taken_apart_or_refused),
		cmocka_unit_test(a_right_answer_passes_once),
		cmocka_unit_test(a_wrong_password_realm_or_method_is_refused),
		cmocka_unit_test(
		    a_nonce_of_another_node_passes_and_a_foreign_one_is_stale),
		cmocka_unit_test(
			a_new_key_leaves_the_nonces_of_the_one_before_good),
		cmocka_unit_test(a_nonce_grows_stale_after_five_minutes),
		cmocka_unit_test(counts_may_come_out_of_order_but_only_once),
		cmocka_unit_test(
		    windows_are_bounded_and_a_forgotten_one_does_not_replay),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
