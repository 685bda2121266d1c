// SPDX-License-Identifier: GPL-2.0-or-later
#include "rig.h"

/* REGISTER against a real registrar on 127.0.0.1. */

static const char contact[] = "Contact: <sip:1000@127.0.0.1:4444>\r\n";

/** Registers; @return the final answer. */
static struct td_sip_msg *do_register(struct rig *r, const char *user,
				      const char *headers, unsigned int cseq,
				      int status)
{
	char uri[64] = "sip:tandem.lab", to[64], pw[32];
	struct rig_req q = { .method = "REGISTER", .uri = uri, .user = user,
			     .to = to, .call_id = "reg@rig", .cseq = cseq,
			     .headers = headers };
	struct td_sip_msg *m;

	snprintf(to, sizeof(to), "sip:%s@tandem.lab", user);
	snprintf(pw, sizeof(pw), "pw%s", user);
	rig_request(r, &q);
	m = rig_expect(r, 401);
	rig_again(r, &q, m, pw);
	td_sip_msg_free(m);
	return rig_expect(r, status);
}

static void a_phone_registers_and_sees_its_bindings(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct td_view_iter it = { 0 };
	const Td__Contact *c;
	struct td_sip_msg *m = do_register(r, "1000",
		"Contact: <sip:1000@127.0.0.1:4444>;expires=600;q=0.5\r\n"
		"User-Agent: rig\r\nPath: <sip:127.0.0.1:5;lr>\r\n", 1, 200);

	assert_non_null(strstr(td_sip_value(m, TD_SIP_H_CONTACT, 0),
			       "<sip:1000@127.0.0.1:4444>;expires=600"));
	assert_string_equal(td_sip_value(m, TD_SIP_H_PATH, 0),
			    "<sip:127.0.0.1:5;lr>");
	td_sip_msg_free(m);
	c = td_view_user_contacts(td_cluster_view(r->cluster), "1000", &it);
	assert_non_null(c);
	assert_string_equal(c->uri, "sip:1000@127.0.0.1:4444");
	assert_int_equal(c->q_milli, 500);
	assert_string_equal(c->user_agent, "rig");
	assert_string_equal(c->address, "a1");
	assert_string_equal(c->transport, "udp");
	assert_int_equal(c->node, 1);
	/* a second one beside it */
	m = do_register(r, "1000", "Contact: <sip:1000@127.0.0.1:4445>\r\n",
			3, 200);
	assert_int_equal(td_sip_count(m, TD_SIP_H_CONTACT), 2);
	td_sip_msg_free(m);
	/* no Contact: a question only */
	m = do_register(r, "1000", NULL, 5, 200);
	assert_int_equal(td_sip_count(m, TD_SIP_H_CONTACT), 2);
	td_sip_msg_free(m);
	m = do_register(r, "1000", "Contact: <sip:1000@127.0.0.1:4445>;"
			"expires=0\r\n", 7, 200);
	assert_int_equal(td_sip_count(m, TD_SIP_H_CONTACT), 1);
	td_sip_msg_free(m);
	m = do_register(r, "1000", "Contact: *\r\nExpires: 0\r\n", 9, 200);
	assert_int_equal(td_sip_count(m, TD_SIP_H_CONTACT), 0);
	td_sip_msg_free(m);
	rig_free(r);
}

struct ops {
	unsigned int puts, refreshes;
};

static void on_op(void *arg, const Td__Op *op, uint32_t from)
{
	struct ops *o = arg;

	o->puts += op && op->what_case == TD__OP__WHAT_CONTACT_PUT;
	o->refreshes += op && op->what_case == TD__OP__WHAT_CONTACT_REFRESH;
}

static void what_changes_nothing_but_its_time_is_a_small_op(void **state)
{
	static const char first[] = "User-Agent: rig\r\n"
		"Contact: <sip:1000@127.0.0.1:4444>;expires=600\r\n";
	static const char longer[] = "User-Agent: rig\r\n"
		"Contact: <sip:1000@127.0.0.1:4444>;expires=1200\r\n";
	static const char other[] = "User-Agent: other\r\n"
		"Contact: <sip:1000@127.0.0.1:4444>;expires=600\r\n";
	struct rig *r = rig_new("tandem.lab", false);
	const struct td_view *v = td_cluster_view(r->cluster);
	struct ops n = { 0 };
	const Td__Contact *c;
	int64_t left;

	assert_int_equal(td_cluster_watch(r->cluster, on_op, &n), 0);
	td_sip_msg_free(do_register(r, "1000", first, 1, 200));
	assert_int_equal(n.puts, 1);
	td_sip_msg_free(do_register(r, "1000", longer, 3, 200));
	assert_int_equal(n.puts, 1);
	assert_int_equal(n.refreshes, 1);
	c = td_view_contact(v, "1000", "sip:1000@127.0.0.1:4444");
	assert_non_null(c);
	assert_int_equal(c->cseq, 4);		/* with its credentials */
	left = (int64_t)c->expires_ms - td_view_now_ms(v);
	assert_in_range(left, 1000000, 1200000);
	assert_string_equal(c->user_agent, "rig");
	assert_string_equal(c->call_id, "reg@rig");
	/* anything else is a whole one */
	td_sip_msg_free(do_register(r, "1000", other, 5, 200));
	assert_int_equal(n.puts, 2);
	assert_int_equal(n.refreshes, 1);
	rig_free(r);
}

static void a_phone_registers_by_tcp(void **state)
{
	struct rig *r = rig_new("tandem.lab", true);
	struct td_view_iter it = { 0 };
	const Td__Contact *c;

	td_sip_msg_free(do_register(r, "1001",
		"Contact: <sip:1001@127.0.0.1:9;transport=tcp>\r\n", 1, 200));
	c = td_view_user_contacts(td_cluster_view(r->cluster), "1001", &it);
	assert_non_null(c);
	assert_string_equal(c->transport, "tcp");
	rig_free(r);
}

static void only_its_own_user_and_a_right_password_get_in(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q = { .method = "REGISTER", .uri = "sip:tandem.lab",
			     .user = "1000", .to = "sip:1001@tandem.lab",
			     .call_id = "a@rig", .cseq = 1,
			     .headers = contact };
	struct td_sip_msg *m;

	/* somebody else's address-of-record */
	rig_request(r, &q);
	m = rig_expect(r, 401);
	rig_again(r, &q, m, "pw1000");
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect(r, 403));
	/* a wrong password, and a user that does not exist: the same */
	q.to = "sip:1000@tandem.lab";
	q.cseq = 5;
	rig_request(r, &q);
	m = rig_expect(r, 401);
	rig_again(r, &q, m, "wrong");
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect(r, 403));
	q.user = "7777";
	q.to = "sip:7777@tandem.lab";
	q.cseq = 9;
	rig_request(r, &q);
	m = rig_expect(r, 401);
	rig_again(r, &q, m, "pw7777");
	td_sip_msg_free(m);
	td_sip_msg_free(rig_expect(r, 403));
	rig_free(r);
}

static void a_used_count_is_answered_with_stale(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q = { .method = "REGISTER", .uri = "sip:tandem.lab",
			     .user = "1000", .to = "sip:1000@tandem.lab",
			     .call_id = "a@rig", .cseq = 1,
			     .headers = contact };
	struct td_sip_msg *m, *again;
	bool stale = false;

	rig_request(r, &q);
	m = rig_expect(r, 401);
	rig_again(r, &q, m, "pw1000");
	td_sip_msg_free(rig_expect(r, 200));
	rig_again(r, &q, m, "pw1000");
	td_sip_msg_free(m);
	again = rig_expect(r, 401);
	for (unsigned int i = 0; i < again->n; i++)
		stale |= strstr(again->f[i].value, "stale=true") != NULL;
	assert_true(stale);
	rig_again(r, &q, again, "pw1000");
	td_sip_msg_free(again);
	td_sip_msg_free(rig_expect(r, 200));
	rig_free(r);
}

static unsigned int challenges(const struct td_sip_msg *m, const char *alg)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n; i++)
		n += strstr(m->f[i].name, "-Authenticate") &&
		     strstr(m->f[i].value, alg);
	return n;
}

static void sha_256_is_offered_to_those_who_want_it_only(void **state)
{
	struct rig *r = rig_new("tandem.lab", false);
	struct rig_req q = { .method = "REGISTER", .uri = "sip:tandem.lab",
			     .user = "1000", .to = "sip:1000@tandem.lab",
			     .call_id = "a@rig", .cseq = 1 };
	struct td_sip_msg *m;
	char *cred;

	rig_request(r, &q);
	m = rig_expect(r, 401);
	assert_int_equal(challenges(m, "SHA-256"), 0);
	assert_int_equal(challenges(m, "algorithm=MD5"), 1);
	td_sip_msg_free(m);
	q.user = "1099";
	q.to = "sip:1099@tandem.lab";
	q.cseq++;
	rig_request(r, &q);
	m = rig_expect(r, 401);
	assert_int_equal(challenges(m, "SHA-256"), 1);
	assert_int_equal(challenges(m, "algorithm=MD5"), 1);
	/* the strongest stands first; take it */
	m->n = 0;
	while (!strstr(m->f[m->n].name, "-Authenticate"))
		m->n++;
	m->n++;
	assert_non_null(strstr(m->f[m->n - 1].value, "SHA-256"));
	cred = rig_credentials(m, "REGISTER", q.uri, "1099", "pw1099");
	q.headers = cred;
	q.cseq++;
	rig_request(r, &q);
	td_sip_msg_free(m);
	free(cred);
	td_sip_msg_free(rig_expect(r, 200));
	rig_free(r);
}

static void what_the_registrar_refuses_has_the_right_status(void **state)
{
	static const struct {
		const char *headers;
		int status;
	} t[] = {
		{ "Contact: <sip:1000@127.0.0.1>;expires=59\r\n", 423 },
		{ "Contact: <sip:1000@127.0.0.1>\r\nExpires: 1\r\n", 423 },
		{ "Contact: *\r\n", 400 },
		{ "Contact: *\r\nExpires: 60\r\n", 400 },
		{ "Contact: *, <sip:1000@127.0.0.1>\r\nExpires: 0\r\n", 400 },
		{ "Contact: <tel:+4930>\r\n", 400 },
	};
	struct rig *r = rig_new("tandem.lab", false);
	unsigned int cseq = 1;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++, cseq += 2) {
		struct td_sip_msg *m = do_register(r, "1000", t[i].headers,
						   cseq, t[i].status);
		bool min = false;

		for (unsigned int k = 0; k < m->n; k++)
			min |= !strcmp(m->f[k].name, "Min-Expires");
		assert_int_equal(min, t[i].status == 423);
		td_sip_msg_free(m);
	}
	/* an older CSeq of the same Call-ID, 10.3 step 7 */
	td_sip_msg_free(do_register(r, "1000", contact, 50, 200));
	td_sip_msg_free(do_register(r, "1000", contact, 30, 500));
	rig_free(r);
}

static void a_flood_is_answered_without_being_remembered(void **state)
{
	struct rig *r = rig_new_timed("tandem.lab", false,
		&(struct rig_times){ .t1x64_ms = 8000, .max_kept = 40 });
	struct rig_req q = { .method = "OPTIONS", .uri = "sip:tandem.lab",
			     .user = "1000", .call_id = "f@rig" };
	unsigned int good = 0, refused = 0;

	for (q.cseq = 1; q.cseq <= 200; q.cseq++) {
		struct td_sip_msg *m;

		rig_request(r, &q);
		m = rig_recv(r);
		good += m->status == 200;
		refused += m->status == 503 &&
			   td_sip_count(m, TD_SIP_H_RETRY_AFTER);
		td_sip_msg_free(m);
	}
	assert_int_equal(good + refused, 200);
	assert_in_range(good, 40, 96);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(a_phone_registers_and_sees_its_bindings),
		cmocka_unit_test(
			what_changes_nothing_but_its_time_is_a_small_op),
		cmocka_unit_test(a_phone_registers_by_tcp),
		cmocka_unit_test(only_its_own_user_and_a_right_password_get_in),
		cmocka_unit_test(a_used_count_is_answered_with_stale),
		cmocka_unit_test(sha_256_is_offered_to_those_who_want_it_only),
		cmocka_unit_test(
			what_the_registrar_refuses_has_the_right_status),
		cmocka_unit_test(a_flood_is_answered_without_being_remembered),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
