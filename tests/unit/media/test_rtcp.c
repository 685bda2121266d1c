// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>

#include <cmocka.h>

#include "node/media/rtcp.h"

static const struct td_rtcp_out full = {
	.ssrc = 0x11111111, .sr = true, .ntp = 0x0123456789abcdefull,
	.ts = 160000, .packets = 1000, .octets = 160000, .has_block = true,
	.block = {
		.ssrc = 0x22222222, .fraction = 25, .lost = -3,
		.highest = 0x10005, .jitter = 80, .lsr = 0x45678900,
		.dlsr = 0x8000,
	},
	.cname = "0123456789abcdef01234567", .bye = true,
};

static void a_report_is_read_as_it_was_written(void **state)
{
	uint8_t buf[TD_RTCP_MAX];
	struct td_rtcp_in in;
	size_t n = td_rtcp_build(&full, buf);

	assert_true(n > 0 && n % 4 == 0);
	assert_int_equal(td_rtcp_parse(buf, n, 0x22222222, &in), 0);
	assert_int_equal(in.ssrc, 0x11111111);
	assert_true(in.sr);
	assert_true(in.ntp == full.ntp);
	assert_int_equal(in.ts, 160000);
	assert_true(in.has_block);
	assert_int_equal(in.block.ssrc, full.block.ssrc);
	assert_int_equal(in.block.fraction, full.block.fraction);
	assert_int_equal(in.block.lost, full.block.lost);
	assert_int_equal(in.block.highest, full.block.highest);
	assert_int_equal(in.block.jitter, full.block.jitter);
	assert_int_equal(in.block.lsr, full.block.lsr);
	assert_int_equal(in.block.dlsr, full.block.dlsr);
	assert_true(in.bye);
	/* about somebody else */
	assert_int_equal(td_rtcp_parse(buf, n, 0x33333333, &in), 0);
	assert_false(in.has_block);
}

static void a_listener_sends_a_receiver_report(void **state)
{
	struct td_rtcp_out r = full;
	uint8_t buf[TD_RTCP_MAX];
	struct td_rtcp_in in;
	size_t n;

	r.sr = r.bye = r.has_block = false;
	r.cname = "x";
	n = td_rtcp_build(&r, buf);
	assert_int_equal(n, 8 + 12);
	assert_memory_equal(buf, "\x80\xc9\x00\x01\x11\x11\x11\x11"
			    "\x81\xca\x00\x02\x11\x11\x11\x11\x01\x01x\0", 20);
	assert_int_equal(td_rtcp_parse(buf, n, 1, &in), 0);
	assert_false(in.sr || in.bye);
}

static void the_name_is_always_ended_by_a_null(void **state)
{
	char name[70];
	struct td_rtcp_out r = full;
	uint8_t buf[TD_RTCP_MAX];
	struct td_rtcp_in in;

	for (size_t len = 0; len <= 64; len++) {
		size_t n;

		memset(name, 'a', sizeof(name));
		name[len] = 0;
		r.cname = name;
		n = td_rtcp_build(&r, buf);
		assert_true(n && n <= TD_RTCP_MAX);
		assert_int_equal(td_rtcp_parse(buf, n, 1, &in), 0);
	}
	memset(name, 'a', 65);
	name[65] = 0;
	assert_int_equal(td_rtcp_build(&r, buf), 0);
}

static void cut_or_bent_compounds_are_refused(void **state)
{
	uint8_t buf[TD_RTCP_MAX];
	struct td_rtcp_in in = { .ssrc = 5 };
	size_t n = td_rtcp_build(&full, buf);

	for (size_t k = 0; k < n; k++)
		if (k != 52 && k != 52 + 36)	/* whole packets */
			assert_int_equal(td_rtcp_parse(buf, k, 1, &in),
					 -EBADMSG);
	assert_int_equal(in.ssrc, 5);
	buf[0] = 0x40 | 1;			/* version */
	assert_int_equal(td_rtcp_parse(buf, n, 1, &in), -EBADMSG);
	buf[0] = 0x80 | 2;			/* more blocks than octets */
	assert_int_equal(td_rtcp_parse(buf, n, 1, &in), -EBADMSG);
	buf[0] = 0xa0 | 1;			/* padded first packet */
	assert_int_equal(td_rtcp_parse(buf, n, 1, &in), -EBADMSG);
	buf[0] = 0x80 | 1;
	buf[1] = 202;				/* begins with SDES */
	assert_int_equal(td_rtcp_parse(buf, n, 1, &in), -EBADMSG);
	buf[1] = 200;
	buf[3]++;				/* length */
	assert_int_equal(td_rtcp_parse(buf, n, 1, &in), -EBADMSG);
}

static void mutated_compounds_stay_inside(void **state)
{
	uint8_t good[TD_RTCP_MAX];
	size_t n = td_rtcp_build(&full, good);
	unsigned int seed = 5;

	for (int i = 0; i < 200000; i++) {
		size_t len = rand_r(&seed) % 4 ? n : rand_r(&seed) % (n + 1);
		uint8_t *buf = malloc(len + 1);
		struct td_rtcp_in in;

		memcpy(buf, good, len);
		for (int k = rand_r(&seed) % 6; k && len; k--)
			buf[rand_r(&seed) % len] = rand_r(&seed);
		td_rtcp_parse(buf, len, 0x22222222, &in);
		free(buf);
	}
}

static void a_block_tells_loss_of_its_interval(void **state)
{
	struct td_rtp_source s = { 0 };
	struct td_rtcp_block b;

	for (uint32_t i = 0; i < 100; i++) {
		struct td_rtp_packet p = { .seq = 65500 + i, .ssrc = 9 };

		if (i % 4 != 1)
			td_rtp_receive(&s, &p, i);
	}
	td_rtcp_block(&s, &b);
	assert_int_equal(b.ssrc, 9);
	assert_int_equal(b.lost, 25);
	assert_int_equal(b.fraction, 64);
	assert_int_equal(b.highest, 65500 + 99);
	for (uint32_t i = 100; i < 200; i++) {
		struct td_rtp_packet p = { .seq = 65500 + i, .ssrc = 9 };

		td_rtp_receive(&s, &p, i);
	}
	td_rtcp_block(&s, &b);
	assert_int_equal(b.lost, 25);
	assert_int_equal(b.fraction, 0);
	td_rtcp_block(&s, &b);		/* nothing came since */
	assert_int_equal(b.fraction, 0);
}

static void the_round_trip_is_that_of_the_standard(void **state)
{
	/* RFC 3550 figure 2: 46864.500 - 46853.125 - 5.250 = 6.125 s */
	struct td_rtcp_block b = { .lsr = 0xb7058000 - 0x000b6000,
				   .dlsr = 0x00054000 };
	uint32_t us = 1;

	b.lsr = 0xb7052000;
	assert_int_equal(td_rtcp_rtt_us(&b, 0xb7108000, &us), 0);
	assert_int_equal(us, 6125000);
	b.lsr = 0;
	assert_int_equal(td_rtcp_rtt_us(&b, 0xb7108000, &us), -ENODATA);
	b.lsr = 0xb7108000;		/* an answer from the future */
	assert_int_equal(td_rtcp_rtt_us(&b, 0xb7108000, &us), -ENODATA);
	assert_int_equal(us, 6125000);
}

static void wall_time_is_ntp_time(void **state)
{
	assert_true(td_rtcp_ntp(0) == 2208988800ull << 32);
	assert_true(td_rtcp_ntp(500000000) ==
		    (2208988800ull << 32 | 0x80000000));
	assert_int_equal(td_rtcp_middle(0x1122334455667788ull), 0x33445566);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_read_as_it_was_written),
		cmocka_unit_test(a_listener_sends_a_receiver_report),
		cmocka_unit_test(the_name_is_always_ended_by_a_null),
		cmocka_unit_test(cut_or_bent_compounds_are_refused),
		cmocka_unit_test(mutated_compounds_stay_inside),
		cmocka_unit_test(a_block_tells_loss_of_its_interval),
		cmocka_unit_test(the_round_trip_is_that_of_the_standard),
		cmocka_unit_test(wall_time_is_ntp_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
