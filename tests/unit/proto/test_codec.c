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

#include "proto/codec_scan.h"
#include "proto/td_codec.h"

static bool listed(int rc)
{
	return rc == 0 || rc == -EBADMSG || rc == -EMSGSIZE || rc == -E2BIG ||
	       rc == -EPROTONOSUPPORT;
}

/* --- samples: one of each op, and one of each other message --- */

static Td__Node node = TD__NODE__INIT;
static Td__Span span = TD__SPAN__INIT;
static Td__Contact contact = TD__CONTACT__INIT;
static Td__ContactDel contact_del = TD__CONTACT_DEL__INIT;
static Td__Call call = TD__CALL__INIT;
static Td__CallLeg leg[2] = { TD__CALL_LEG__INIT, TD__CALL_LEG__INIT };
static Td__CallLeg *legs[2] = { &leg[0], &leg[1] };
static Td__SipDialog sip = TD__SIP_DIALOG__INIT;
static Td__IsdnCall isdn = TD__ISDN_CALL__INIT;
static Td__Rtp rtp = TD__RTP__INIT;
static Td__CallDel call_del = TD__CALL_DEL__INIT;
static Td__Config config = TD__CONFIG__INIT;
static Td__ConfigSwitch config_switch = TD__CONFIG_SWITCH__INIT;
static Td__Tick tick = TD__TICK__INIT;
static Td__NodeGone node_gone = TD__NODE_GONE__INIT;
static Td__LevelRaise level_raise = TD__LEVEL_RAISE__INIT;
static Td__CallHangup call_hangup = TD__CALL_HANGUP__INIT;

enum { N_OPS = 12 };

static void fill(void)
{
	static char *routes[] = { "<sip:a@b;lr>", "<sip:c@d;lr>" };

	node.id = 3;
	node.name = "n3";
	node.incarnation = 77;
	node.state = TD__NODE_STATE__NODE_UP;
	node.synced = true;
	span.span = "s1";
	span.node = 1;
	span.epoch = 1ULL << 40;
	span.owner = true;
	contact.user = "1000";
	contact.uri = "sip:1000@10.77.0.101:5070";
	contact.user_agent = "b\xc3\xa4resip \xe2\x82\xac \xf0\x9f\x93\x9e";
	contact.expires_ms = 1750000000000ULL;
	contact.cseq = UINT32_MAX;
	contact.node = 1;
	contact_del.user = "1000";
	sip.call_id = "abc";
	sip.n_route = 2;
	sip.route = routes;
	sip.invite.data = (uint8_t *)"INVITE \0 \xff";
	sip.invite.len = 10;
	isdn.span = "s1";
	isdn.timeslot = 31;
	rtp.local = "10.77.0.11:20000";
	leg[0].kind = TD__LEG_KIND__LEG_SIP;
	leg[0].sip = &sip;
	leg[0].rtp = &rtp;
	leg[1].kind = TD__LEG_KIND__LEG_ISDN;
	leg[1].state = TD__LEG_STATE__LEG_UP;
	leg[1].isdn = &isdn;
	call.id = 0x0102030405060708ULL;
	call.node = 2;
	call.n_legs = 2;
	call.legs = legs;
	call_del.id = 9;
	call_del.node = 16;
	config.generation = 42;
	config.sha256.data = (uint8_t *)"01234567890123456789012345678901";
	config.sha256.len = 32;
	config.content.data = (uint8_t *)"site: {}";
	config.content.len = 8;
	config_switch.generation = 42;
	config_switch.sha256 = config.sha256;
	node_gone.id = 2;
	level_raise.level = 2;
}

static Td__Op op_of(int i)
{
	Td__Op op = TD__OP__INIT;

	fill();
	op.at_ms = 5;
	op.what_case = (Td__Op__WhatCase)(TD__OP__WHAT_NODE + i);
	switch (op.what_case) {
	case TD__OP__WHAT_NODE: op.node = &node; break;
	case TD__OP__WHAT_SPAN: op.span = &span; break;
	case TD__OP__WHAT_CONTACT_PUT: op.contact_put = &contact; break;
	case TD__OP__WHAT_CONTACT_DEL: op.contact_del = &contact_del; break;
	case TD__OP__WHAT_CALL_PUT: op.call_put = &call; break;
	case TD__OP__WHAT_CALL_DEL: op.call_del = &call_del; break;
	case TD__OP__WHAT_CONFIG_PREPARE: op.config_prepare = &config; break;
	case TD__OP__WHAT_CONFIG_SWITCH:
		op.config_switch = &config_switch;
		break;
	case TD__OP__WHAT_TICK: op.tick = &tick; break;
	case TD__OP__WHAT_NODE_GONE: op.node_gone = &node_gone; break;
	case TD__OP__WHAT_LEVEL_RAISE: op.level_raise = &level_raise; break;
	case TD__OP__WHAT_CALL_HANGUP: op.call_hangup = &call_hangup; break;
	default: fail();
	}
	return op;
}

static void pack_op(int i, uint8_t **buf, size_t *n)
{
	Td__Op op = op_of(i);

	assert_int_equal(td_op_pack(&op, buf, n), 0);
}

static void pack_envelope(uint8_t **buf, size_t *n)
{
	Td__Envelope e = TD__ENVELOPE__INIT;
	Td__Ack ack = TD__ACK__INIT;
	Td__Hello hello = TD__HELLO__INIT;
	Td__SyncChunk sync = TD__SYNC_CHUNK__INIT;
	ProtobufCBinaryData ops[2];

	for (int i = 0; i < 2; i++)
		pack_op(i, &ops[i].data, &ops[i].len);
	ack.index = 7;
	hello.node = &node;
	sync.data = ops[0];
	sync.to_node = 2;
	e.ops = ops;
	e.n_ops = 2;
	e.ack = &ack;
	e.hello = &hello;
	e.sync = &sync;
	assert_int_equal(td_envelope_pack(&e, buf, n), 0);
	free(ops[0].data);
	free(ops[1].data);
}

static void pack_snapshot(uint8_t **buf, size_t *n)
{
	Td__Snapshot s = TD__SNAPSHOT__INIT;
	Td__Node *nodes[] = { &node, &node };
	Td__Span *spans[] = { &span };
	Td__Contact *contacts[] = { &contact, &contact, &contact };
	Td__Call *calls[] = { &call, &call };

	fill();
	s.n_nodes = 2;
	s.nodes = nodes;
	s.n_spans = 1;
	s.spans = spans;
	s.n_contacts = 3;
	s.contacts = contacts;
	s.n_calls = 2;
	s.calls = calls;
	s.config = &config;
	assert_int_equal(td_snapshot_pack(&s, buf, n), 0);
}

static void pack_request(uint8_t **buf, size_t *n)
{
	Td__Request r = TD__REQUEST__INIT;
	Td__Option o = TD__OPTION__INIT, *options[] = { &o, &o };
	char *args[] = { "1000", "", "x" };

	o.name = "from";
	o.value = "1001";
	r.verb = "route test";
	r.n_args = 3;
	r.args = args;
	r.n_options = 2;
	r.options = options;
	assert_int_equal(td_request_pack(&r, buf, n), 0);
}

static void pack_reply(uint8_t **buf, size_t *n)
{
	Td__Reply r = TD__REPLY__INIT;
	Td__Problem p = TD__PROBLEM__INIT, *problems[] = { &p };

	p.where = "site.yaml:12";
	r.status = -1;
	r.n_problems = 1;
	r.problems = problems;
	r.json = "[]";
	assert_int_equal(td_reply_pack(&r, buf, n), 0);
}

/* unpack, and pack again when that worked */
#define AGAIN(name, Type)                                                      \
	static int again_##name(const uint8_t *buf, size_t n, uint8_t **out,   \
				size_t *size)                                  \
	{                                                                      \
		Type *m = NULL;                                                \
		int rc = td_##name##_unpack(buf, n, &m);                       \
                                                                               \
		if (rc)                                                        \
			assert_null(m);                                        \
		else                                                           \
			assert_int_equal(td_##name##_pack(m, out, size), 0);   \
		td_##name##_free(m);                                           \
		return rc;                                                     \
	}
AGAIN(op, Td__Op)
AGAIN(envelope, Td__Envelope)
AGAIN(snapshot, Td__Snapshot)
AGAIN(request, Td__Request)
AGAIN(reply, Td__Reply)

typedef int (*again_fn)(const uint8_t *, size_t, uint8_t **, size_t *);
struct sample {
	uint8_t *buf;
	size_t n;
	again_fn again;
};
enum { N_SAMPLES = N_OPS + 4 };

static void samples_make(struct sample *s)
{
	int i;

	for (i = 0; i < N_OPS; i++) {
		pack_op(i, &s[i].buf, &s[i].n);
		s[i].again = again_op;
	}
	pack_envelope(&s[i].buf, &s[i].n);
	s[i++].again = again_envelope;
	pack_snapshot(&s[i].buf, &s[i].n);
	s[i++].again = again_snapshot;
	pack_request(&s[i].buf, &s[i].n);
	s[i++].again = again_request;
	pack_reply(&s[i].buf, &s[i].n);
	s[i++].again = again_reply;
}

static void samples_free(struct sample *s)
{
	for (int i = 0; i < N_SAMPLES; i++)
		free(s[i].buf);
}

/* --- cases --- */

static void what_was_packed_comes_back_octet_by_octet(void **state)
{
	struct sample s[N_SAMPLES];

	samples_make(s);
	for (int i = 0; i < N_SAMPLES; i++) {
		uint8_t *buf;
		size_t n;

		assert_int_equal(s[i].again(s[i].buf, s[i].n, &buf, &n), 0);
		assert_int_equal(n, s[i].n);
		assert_memory_equal(buf, s[i].buf, n);
		free(buf);
	}
	samples_free(s);
}

static void every_truncation_is_an_error_or_a_message(void **state)
{
	struct sample s[N_SAMPLES];

	samples_make(s);
	for (int i = 0; i < N_SAMPLES; i++)
		for (size_t n = 0; n < s[i].n; n++) {
			/* exact size, so that a read beyond is seen */
			uint8_t *cut = malloc(n ? n : 1), *buf = NULL;
			size_t size;

			memcpy(cut, s[i].buf, n);
			assert_true(listed(s[i].again(cut, n, &buf, &size)));
			free(buf);
			free(cut);
		}
	samples_free(s);
}

static size_t mutate(uint8_t *b, size_t n, size_t room, unsigned int *seed)
{
	int times = 1 + rand_r(seed) % 4;

	while (times--) {
		size_t at = n ? rand_r(seed) % n : 0;

		switch (rand_r(seed) % 5) {
		case 0:
			if (n)
				b[at] ^= 1 << rand_r(seed) % 8;
			break;
		case 1:
			if (n)
				b[at] = rand_r(seed);
			break;
		case 2:		/* delete */
			if (n) {
				memmove(b + at, b + at + 1, n - at - 1);
				n--;
			}
			break;
		case 3:		/* insert */
			if (n < room) {
				memmove(b + at + 1, b + at, n - at);
				b[at] = rand_r(seed);
				n++;
			}
			break;
		default:	/* repeat a piece */
			if (n && n + 16 <= room) {
				size_t k = 1 + rand_r(seed) % 16;

				if (at + k > n)
					k = n - at;
				memmove(b + at + k, b + at, n - at);
				n += k;
			}
		}
	}
	return n;
}

static void random_mutations_give_a_listed_error_or_a_message(void **state)
{
	struct sample s[N_SAMPLES];
	unsigned int seed = 17, good = 0, bad = 0;

	samples_make(s);
	for (int round = 0; round < 30000; round++) {
		struct sample *x = &s[rand_r(&seed) % N_SAMPLES];
		uint8_t work[4096], *exact, *buf = NULL;
		size_t n, size;
		int rc;

		assert_true(x->n + 64 <= sizeof(work));
		memcpy(work, x->buf, x->n);
		n = mutate(work, x->n, x->n + 64, &seed);
		exact = malloc(n ? n : 1);
		memcpy(exact, work, n);
		rc = x->again(exact, n, &buf, &size);
		if (!listed(rc))
			fail_msg("round %d: %d", round, rc);
		rc ? bad++ : good++;
		free(buf);
		free(exact);
	}
	/* the test means something only when both happen */
	assert_true(good > 1000 && bad > 1000);
	samples_free(s);
}

static void random_octets_never_crash(void **state)
{
	unsigned int seed = 3;
	const again_fn fns[] = { again_op, again_envelope, again_snapshot,
				 again_request, again_reply };

	for (int round = 0; round < 20000; round++) {
		uint8_t b[64], *exact, *buf = NULL;
		size_t n = rand_r(&seed) % sizeof(b), size;

		for (size_t i = 0; i < n; i++)
			b[i] = rand_r(&seed);
		exact = malloc(n ? n : 1);
		memcpy(exact, b, n);
		assert_true(listed(fns[round % 5](exact, n, &buf, &size)));
		free(buf);
		free(exact);
	}
}

static int unpack_op(const void *b, size_t n)
{
	Td__Op *op = NULL;
	int rc = td_op_unpack(b, n, &op);

	td_op_free(op);
	return rc;
}

static void an_op_has_exactly_one_member(void **state)
{
	/* at_ms only; tick and level_raise; tick twice */
	assert_int_equal(unpack_op("\x09\1\0\0\0\0\0\0\0", 9), -EBADMSG);
	assert_int_equal(unpack_op("\x92\1\0", 3), 0);
	assert_int_equal(unpack_op("\x92\1\0\xa2\1\0", 6), -EBADMSG);
	assert_int_equal(unpack_op("\x92\1\0\x92\1\0", 6), -EBADMSG);
	assert_int_equal(unpack_op("", 0), -EBADMSG);
}

static void what_a_later_level_says_is_told_apart(void **state)
{
	Td__Request *r;

	/* field 99 in an op; an unknown node state */
	assert_int_equal(unpack_op("\x9a\6\0\x92\1\0", 6), -EPROTONOSUPPORT);
	assert_int_equal(unpack_op("\x52\4\x08\1\x28\x63", 6),
			 -EPROTONOSUPPORT);
	/* a request drops it */
	assert_int_equal(td_request_unpack("\x0a\1x\x9a\6\3abc", 9, &r), 0);
	assert_string_equal(r->verb, "x");
	assert_int_equal(r->base.n_unknown_fields, 0);
	td_request_free(r);
}

static int unpack_ha(const void *b, size_t n, size_t *voters)
{
	Td__Ha *ha = NULL;
	int rc = td_ha_unpack(b, n, &ha);

	if (!rc)
		*voters = ha->record->n_voters;
	td_ha_free(ha);
	return rc;
}

/* a record's voters */
static void numbers_in_one_piece_are_bounded_too(void **state)
{
	uint8_t many[] = { 0x1a, 19, 0x22, 17, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
			   1, 1, 1, 1, 1, 1 };
	size_t n = 0;

	assert_int_equal(unpack_ha("\x1a\5\x22\3\1\2\x09", 7, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(unpack_ha("\x1a\4\x20\1\x20\2", 6, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(unpack_ha(many, sizeof(many), &n), -E2BIG);
	/* a number that does not end; more than there is; too large a one */
	assert_int_equal(unpack_ha("\x1a\4\x22\2\1\x82", 6, &n), -EBADMSG);
	assert_int_equal(unpack_ha("\x1a\4\x22\3\1\2", 6, &n), -EBADMSG);
	assert_int_equal(unpack_ha("\x1a\7\x22\5\xff\xff\xff\xff\x7f", 9,
				   &n), -EBADMSG);
}

static void node_ids_and_timeslots_have_their_range(void **state)
{
	Td__Op op = op_of(0);
	uint8_t *b;
	size_t n;

	node.id = 0;
	assert_int_equal(td_op_pack(&op, &b, &n), -EBADMSG);
	node.id = 17;
	assert_int_equal(td_op_pack(&op, &b, &n), -EBADMSG);
	op = op_of(4);
	isdn.timeslot = 32;
	assert_int_equal(td_op_pack(&op, &b, &n), -EBADMSG);
	isdn.timeslot = 0;
	assert_int_equal(td_op_pack(&op, &b, &n), 0);
	free(b);
	/* 2^32 + 1 must not be taken for 1 */
	assert_int_equal(unpack_op("\x52\6\x08\x81\x80\x80\x80\x10", 8),
			 -EBADMSG);
}

static void strings_are_utf8_without_nul(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		bool ok;
	} t[] = {
		{ "plain", 5, true },	   { "a\0b", 3, false },
		{ "\xc3\xa4", 2, true },   { "\xc3", 1, false },
		{ "\xc0\x80", 2, false },  { "\xe0\x80\x80", 3, false },
		{ "\xed\xa0\x80", 3, false }, { "\xf4\x8f\xbf\xbf", 4, true },
		{ "\xf4\x90\x80\x80", 4, false }, { "\xff", 1, false },
		{ "\xe2\x82\xac", 3, true }, { "\xe2\x82", 2, false },
		{ "\x80", 1, false },	   { "\xe2(\xac", 3, false },
	};
	Td__Op op = op_of(2);
	uint8_t *b;
	size_t n;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_int_equal(td_codec_utf8_ok((const uint8_t *)t[i].s,
						  t[i].n), t[i].ok);
	contact.user_agent = "Tel\xe9phone";
	assert_int_equal(td_op_pack(&op, &b, &n), -EBADMSG);
}

static void counts_and_lengths_are_bounded(void **state)
{
	Td__Op op = op_of(4);
	Td__CallLeg *many[TD_CALL_MAX_LEGS + 1];
	char big[TD_STRING_MAX_OCTETS + 2];
	uint8_t *b, *zeros = calloc(1, TD_CONFIG_MAX_OCTETS + 1);
	size_t n;

	for (int i = 0; i <= TD_CALL_MAX_LEGS; i++)
		many[i] = &leg[1];
	call.legs = many;
	call.n_legs = TD_CALL_MAX_LEGS;
	assert_int_equal(td_op_pack(&op, &b, &n), 0);
	free(b);
	call.n_legs++;
	assert_int_equal(td_op_pack(&op, &b, &n), -E2BIG);
	memset(big, 'x', sizeof(big));
	big[TD_STRING_MAX_OCTETS + 1] = 0;
	op = op_of(2);
	contact.path = big;
	assert_int_equal(td_op_pack(&op, &b, &n), -EMSGSIZE);
	big[TD_STRING_MAX_OCTETS] = 0;
	assert_int_equal(td_op_pack(&op, &b, &n), 0);
	free(b);
	/* 512 KiB are for a configuration, not for a call */
	op = op_of(6);
	config.content.data = zeros;
	config.content.len = TD_CONFIG_MAX_OCTETS;
	assert_int_equal(td_op_pack(&op, &b, &n), 0);
	assert_int_equal(unpack_op(b, n), 0);
	free(b);
	config.content.len++;
	assert_int_equal(td_op_pack(&op, &b, &n), -EMSGSIZE);
	op = op_of(4);
	sip.invite.data = zeros;
	sip.invite.len = TD_BYTES_MAX_OCTETS;
	assert_int_equal(td_op_pack(&op, &b, &n), -EMSGSIZE);
	free(zeros);
}

/* a million empty elements in 2 MiB must not become 100 MiB of structs */
static void empty_elements_cost_the_sender_not_us(void **state)
{
	size_t n = 2 << 20, need;
	uint8_t *b = malloc(n);
	Td__Reply *r = NULL;

	for (size_t i = 0; i < n; i += 2)
		memcpy(b + i, "\x1a\0", 2);
	assert_int_equal(td_reply_unpack(b, n, &r), -E2BIG);
	assert_null(r);
	assert_int_equal(td_codec_scan(&td__reply__descriptor, b, 200, false,
				       &need), 0);
	assert_true(need < 64 * 1024);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_back_octet_by_octet),
		cmocka_unit_test(every_truncation_is_an_error_or_a_message),
		cmocka_unit_test(
			random_mutations_give_a_listed_error_or_a_message),
		cmocka_unit_test(random_octets_never_crash),
		cmocka_unit_test(an_op_has_exactly_one_member),
		cmocka_unit_test(what_a_later_level_says_is_told_apart),
		cmocka_unit_test(numbers_in_one_piece_are_bounded_too),
		cmocka_unit_test(node_ids_and_timeslots_have_their_range),
		cmocka_unit_test(strings_are_utf8_without_nul),
		cmocka_unit_test(counts_and_lengths_are_bounded),
		cmocka_unit_test(empty_elements_cost_the_sender_not_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
