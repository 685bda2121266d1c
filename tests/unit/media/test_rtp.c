// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "node/media/rtp.h"

static const int64_t ms = 1000000;

static void a_packet_is_read_as_it_was_written(void **state)
{
	struct td_rtp_packet in = {
		.payload_type = 101, .marker = true, .seq = 0xfffe,
		.ts = 0x80000001, .ssrc = 0xdeadbeef,
	}, out;
	uint8_t buf[16] = { 0 };

	td_rtp_header(buf, &in);
	memcpy(buf + 12, "abcd", 4);
	assert_int_equal(td_rtp_parse(buf, 16, &out), 0);
	assert_int_equal(out.payload_type, 101);
	assert_true(out.marker);
	assert_int_equal(out.seq, 0xfffe);
	assert_int_equal(out.ts, 0x80000001);
	assert_int_equal(out.ssrc, 0xdeadbeef);
	assert_int_equal(out.n, 4);
	assert_memory_equal(out.payload, "abcd", 4);
}

struct example {
	const char *what;
	int rc;
	size_t payload, at;
	size_t n;
	uint8_t octets[64];
};

static const struct example examples[] = {
	{ "empty", -EBADMSG, 0, 0, 0, { 0 } },
	{ "eleven octets", -EBADMSG, 0, 0, 11, { 0x80, 8 } },
	{ "version 1", -EBADMSG, 0, 0, 20, { 0x40, 8 } },
	{ "version 0 (STUN)", -EBADMSG, 0, 0, 20, { 0x00, 1 } },
	{ "an RTCP sender report", -EBADMSG, 0, 0, 28, { 0x80, 200 } },
	{ "no payload", 0, 0, 12, 12, { 0x80, 8 } },
	{ "two CSRCs", 0, 4, 20, 24, { 0x82, 8 } },
	{ "CSRCs beyond the end", -EBADMSG, 0, 0, 24, { 0x84, 8 } },
	{ "an extension of one word", 0, 4, 20, 24,
	  { 0x90, 8, [12] = 0xbe, 0xde, 0, 1 } },
	{ "an extension beyond the end", -EBADMSG, 0, 0, 24,
	  { 0x90, 8, [12] = 0xbe, 0xde, 0xff, 0xff } },
	{ "half an extension", -EBADMSG, 0, 0, 14, { 0x90, 8 } },
	{ "padding", 0, 5, 12, 20, { 0xa0, 8, [19] = 3 } },
	{ "all padding", 0, 0, 12, 20, { 0xa0, 8, [19] = 8 } },
	{ "padding of nothing", -EBADMSG, 0, 0, 20, { 0xa0, 8, [19] = 0 } },
	{ "more padding than packet", -EBADMSG, 0, 0, 20,
	  { 0xa0, 8, [19] = 9 } },
	{ "padding without an octet", -EBADMSG, 0, 0, 12, { 0xa0, 8, [11] = 1 } },
};

static void only_well_formed_packets_are_taken(void **state)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *e = &examples[i];
		struct td_rtp_packet p = { .payload = NULL };

		if (td_rtp_parse(e->octets, e->n, &p) != e->rc)
			fail_msg("%s", e->what);
		if (e->rc)
			assert_null(p.payload);
		else
			assert_ptr_equal(p.payload, e->octets + e->at);
		assert_int_equal(p.n, e->payload);
	}
}

static void too_long_is_refused(void **state)
{
	static uint8_t buf[4096] = { 0x80, 8 };
	struct td_rtp_packet p;

	assert_int_equal(td_rtp_parse(buf, 12 + TD_RTP_MAX_PAYLOAD, &p), 0);
	assert_int_equal(td_rtp_parse(buf, 13 + TD_RTP_MAX_PAYLOAD, &p),
			 -EBADMSG);
	assert_int_equal(td_rtp_parse(buf, TD_RTP_MAX + 1, &p), -EBADMSG);
}

/* seeded: random octets behind a plausible start never reach beyond */
static void random_packets_stay_inside(void **state)
{
	unsigned int seed = 11, good = 0;

	for (int i = 0; i < 300000; i++) {
		size_t n = rand_r(&seed) % 80;
		uint8_t *buf = malloc(n + 1);	/* the sanitizer's fence */
		struct td_rtp_packet p;

		for (size_t k = 0; k < n; k++)
			buf[k] = rand_r(&seed);
		if (n)
			buf[0] = 0x80 | (buf[0] & 0x3f);
		if (n > 15 && i % 2)
			buf[14] = 0;	/* short extensions */
		if (!td_rtp_parse(buf, n, &p)) {
			good++;
			assert_true(p.payload >= buf + 12);
			assert_true(p.payload + p.n <= buf + n);
		}
		free(buf);
	}
	assert_true(good > 1000);
}

static struct td_rtp_packet packet(uint16_t seq, uint32_t ssrc)
{
	return (struct td_rtp_packet){ .seq = seq, .ssrc = ssrc };
}

static enum td_rtp_verdict see(struct td_rtp_source *s, uint16_t seq,
			       uint32_t ssrc, int64_t at_ms)
{
	struct td_rtp_packet p = packet(seq, ssrc);

	return td_rtp_receive(s, &p, at_ms * ms);
}

static void order_loss_and_duplicates_are_counted(void **state)
{
	struct td_rtp_source s = { 0 };

	assert_int_equal(td_rtp_lost(&s), 0);
	assert_int_equal(see(&s, 65534, 1, 0), TD_RTP_START);
	assert_int_equal(see(&s, 65535, 1, 20), TD_RTP_NEXT);
	assert_int_equal(see(&s, 2, 1, 40), TD_RTP_NEXT);
	assert_int_equal(td_rtp_lost(&s), 2);
	assert_int_equal(see(&s, 0, 1, 41), TD_RTP_REORDERED);
	assert_int_equal(see(&s, 0, 1, 42), TD_RTP_DUPLICATE);
	assert_int_equal(see(&s, 2, 1, 42), TD_RTP_DUPLICATE);
	assert_int_equal(td_rtp_lost(&s), 1);
	assert_int_equal(see(&s, 1, 1, 43), TD_RTP_REORDERED);
	assert_int_equal(td_rtp_lost(&s), 0);
	/* one from before the first */
	assert_int_equal(see(&s, 65533, 1, 44), TD_RTP_REORDERED);
	assert_int_equal(td_rtp_lost(&s), 0);
	assert_int_equal(s.duplicates, 2);
	assert_int_equal(see(&s, 1000, 1, 60), TD_RTP_NEXT);
	assert_int_equal(see(&s, 930, 1, 61), TD_RTP_OLD);
}

static void a_sequence_may_begin_anew(void **state)
{
	struct td_rtp_source s = { 0 };

	see(&s, 100, 1, 0);
	see(&s, 101, 1, 20);
	/* RFC 3550 A.1: one stray packet is nothing, two in a row are */
	assert_int_equal(see(&s, 40000, 1, 40), TD_RTP_DOUBTFUL);
	assert_int_equal(see(&s, 102, 1, 40), TD_RTP_NEXT);
	assert_int_equal(see(&s, 40001, 1, 60), TD_RTP_DOUBTFUL);
	assert_int_equal(see(&s, 40002, 1, 80), TD_RTP_START);
	assert_int_equal(td_rtp_lost(&s), 0);
}

static void a_living_source_is_not_replaced_by_one_packet(void **state)
{
	struct td_rtp_source s = { 0 };

	see(&s, 100, 1, 0);
	see(&s, 101, 1, 20);
	assert_int_equal(see(&s, 7, 2, 30), TD_RTP_DOUBTFUL);
	assert_int_equal(see(&s, 102, 1, 40), TD_RTP_NEXT);
	assert_int_equal(see(&s, 8, 2, 50), TD_RTP_DOUBTFUL);
	assert_int_equal(see(&s, 9, 2, 70), TD_RTP_START);
	assert_int_equal(s.ssrc, 2);
	/* one that is silent is, at once */
	assert_int_equal(see(&s, 77, 3, 200), TD_RTP_START);
}

static void jitter_follows_the_formula(void **state)
{
	struct td_rtp_source s = { 0 };

	see(&s, 0, 1, 0);
	for (int i = 0; i < 1000; i++)	/* alternately 0 and 10 ms late */
		td_rtp_jitter(&s, 160 * i, (20 * i + i % 2 * 10) * ms);
	assert_in_range(td_rtp_jitter_us(&s), 9000, 11000);
	for (int i = 1000; i < 2000; i++)
		td_rtp_jitter(&s, 160 * i, 20 * i * ms);
	assert_in_range(td_rtp_jitter_us(&s), 0, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_is_read_as_it_was_written),
		cmocka_unit_test(only_well_formed_packets_are_taken),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(random_packets_stay_inside),
		cmocka_unit_test(order_loss_and_duplicates_are_counted),
		cmocka_unit_test(a_sequence_may_begin_anew),
		cmocka_unit_test(a_living_source_is_not_replaced_by_one_packet),
		cmocka_unit_test(jitter_follows_the_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
