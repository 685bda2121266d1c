// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/phone/rtp.h"

/* Two streams of phones, and a wire between them with a will of its own. */
enum { FIRST = 5000000, QUEUE = 256 };

struct bench {
	struct td_prtp *a, *b;		/* a sends, b checks */
	struct td_prbs_map *map;
	struct td_check c;
	uint64_t turn;
	struct {
		uint64_t at;
		size_t n;
		uint8_t o[TD_PRTP_PACKET];
	} q[QUEUE];
	int head, tail;
	int delay_ms, drop, twice;
};

static void hello(struct bench *b, int ptime, uint32_t ssrc)
{
	int64_t t_ns = b->turn * 1000000;

	td_prtp_init(b->a, 8, ptime, ssrc, b->turn);
	td_xchan_pattern(&b->a->chan, td_prbs_at(b->map,
						 td_check_phase(t_ns, 7)));
	b->a->sending = true;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	*state = b;
	b->a = calloc(1, sizeof(*b->a));
	b->b = calloc(1, sizeof(*b->b));
	b->turn = FIRST;
	b->delay_ms = 5;
	if (td_prbs_map_new(&b->map))
		return -1;
	hello(b, 20, 99);
	td_prtp_init(b->b, 8, 20, 5, b->turn);
	td_xchan_idle(&b->b->chan);
	td_check_init(&b->c, b->map, FIRST * 1000000LL);
	b->b->chan.check = &b->c;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	td_prbs_map_free(b->map);
	free(b->a);
	free(b->b);
	free(b);
	return 0;
}

static void run(struct bench *b, int ms)
{
	while (ms--) {
		size_t n = td_prtp_turn(b->a, b->turn);

		if (n && b->drop) {
			b->drop--;
		} else if (n) {
			int i = b->tail++ % QUEUE;

			b->q[i].at = b->turn + b->delay_ms;
			b->q[i].n = n;
			memcpy(b->q[i].o, b->a->tx, n);
		}
		while (b->head < b->tail &&
		       b->q[b->head % QUEUE].at <= b->turn) {
			int i = b->head++ % QUEUE;

			for (int k = 0; k <= b->twice; k++)
				td_prtp_receive(b->b, b->q[i].o, b->q[i].n,
						0x0100007f, 4000);
		}
		td_prtp_turn(b->b, b->turn);
		b->turn++;
	}
}

static void the_pattern_arrives_whole_at_any_ptime(void **state)
{
	static const int ptime[] = { 10, 20, 30, 40, 60 };
	struct bench *b = *state;
	double delay;
	int phase;

	for (size_t i = 0; i < sizeof(ptime) / sizeof(ptime[0]); i++) {
		hello(b, ptime[i], i);
		td_prtp_init(b->b, 8, 20, 5, b->turn);
		td_xchan_idle(&b->b->chan);
		td_check_init(&b->c, b->map, b->turn * 1000000);
		b->b->chan.check = &b->c;
		run(b, 2000);
		assert_true(b->c.synced);
		assert_int_equal(b->c.n_gaps, 0);
		assert_true(b->c.checked > 8 * 1700);
		assert_int_equal(b->b->seq_lost + b->b->late, 0);
		assert_int_equal(td_check_delay(&b->c, &phase, &delay), 0);
		assert_int_equal(phase, 7);
		/* a packet's octets, the wire, the window */
		assert_in_range((int)delay, TD_PRTP_PLAY_MS + 4 + ptime[i] - 1,
				TD_PRTP_PLAY_MS + 6 + ptime[i]);
	}
}

static void jitter_within_the_window_is_not_heard(void **state)
{
	struct bench *b = *state;
	unsigned int seed = 2;

	b->delay_ms = 5;
	run(b, 500);
	for (int i = 0; i < 200; i++) {
		b->delay_ms = 5 + rand_r(&seed) % 80;
		run(b, 20);
	}
	assert_int_equal(b->c.n_gaps, 0);
	assert_int_equal(b->b->late, 0);
	assert_int_equal(b->b->anchors, 1);
}

static void a_lost_packet_is_its_octets_missing(void **state)
{
	struct bench *b = *state;

	run(b, 1000);
	b->drop = 1;
	run(b, 1000);
	assert_int_equal(b->c.n_gaps, 1);
	assert_int_equal(b->c.missing, 160);
	assert_int_equal(b->b->seq_lost, 1);
}

static void packets_sent_twice_are_counted(void **state)
{
	struct bench *b = *state;

	run(b, 500);
	b->twice = 1;
	run(b, 500);
	assert_int_equal(b->c.n_gaps, 0);
	assert_in_range(b->b->duplicate, 24, 26);
}

static void a_longer_way_is_late_then_found_again(void **state)
{
	struct bench *b = *state;

	run(b, 1000);
	b->delay_ms = 300;
	run(b, 3000);
	assert_true(b->b->late >= 24);
	assert_int_equal(b->b->anchors, 2);
	assert_int_equal(b->c.n_gaps, 1);
	assert_false(b->c.bad);
	assert_true(b->c.repeated > 0);
}

static void a_new_sender_is_followed_at_once(void **state)
{
	struct bench *b = *state;

	run(b, 1000);
	hello(b, 20, 123456);
	run(b, 1000);
	assert_int_equal(b->b->ssrcs, 2);
	assert_int_equal(b->b->anchors, 2);
	assert_false(b->c.bad);
	/* the change costs at most the packet that was being filled */
	assert_in_range(b->c.n_gaps, 0, 1);
	if (b->c.n_gaps)
		assert_in_range(td_check_gap_octets(&b->c.gaps[0]), 1, 320);
}

static void a_time_stamp_that_jumps_is_believed_to_the_octet(void **state)
{
	struct bench *b = *state;

	run(b, 1000);
	b->a->tx_ts += 13;
	run(b, 1000);
	/* 13 octets of silence, and the sender went on where it was */
	assert_int_equal(b->c.n_gaps, 1);
	assert_int_equal(b->c.missing, 13);
	assert_int_equal(b->c.repeated, 13);
	assert_int_equal(b->b->anchors, 1);
}

static void what_is_not_rtp_of_ours_is_counted(void **state)
{
	static const uint8_t v2[12] = { 0x80, 8 };
	struct bench *b = *state;
	uint8_t p[TD_PRTP_PACKET] = { 0x80, 8 };
	unsigned int seed = 6;

	td_prtp_receive(b->b, p, 0, 1, 1);
	td_prtp_receive(b->b, v2, 11, 1, 1);
	td_prtp_receive(b->b, v2, 12, 1, 1);		/* no payload */
	p[0] = 0x40;
	td_prtp_receive(b->b, p, 172, 1, 1);		/* version */
	p[0] = 0x90;
	p[14] = 0xff;
	td_prtp_receive(b->b, p, 172, 1, 1);		/* extension */
	p[0] = 0xa0;
	p[171] = 200;
	td_prtp_receive(b->b, p, 172, 1, 1);		/* padding */
	assert_int_equal(b->b->malformed, 6);
	p[0] = 0x80;
	p[1] = 101;
	td_prtp_receive(b->b, p, 172, 1, 1);
	assert_int_equal(b->b->other_pt, 1);
	assert_int_equal(b->b->received, 0);
	for (int i = 0; i < 100000; i++) {
		size_t n = rand_r(&seed) % sizeof(p);

		for (size_t k = 0; k < n; k++)
			p[k] = rand_r(&seed) >> 4;
		p[0] = 0x80 | (p[0] & 0x3f);
		td_prtp_receive(b->b, p, n, i % 20, 1);
		td_prtp_turn(b->b, b->turn++);
	}
	assert_true(b->b->more_sources > 0);
}

static void who_may_not_send_does_not(void **state)
{
	struct bench *b = *state;

	b->a->sending = false;
	run(b, 500);
	assert_int_equal(b->a->sent, 0);
	b->a->sending = true;
	run(b, 500);
	assert_int_equal(b->a->sent, 25);
	assert_int_equal(b->c.n_gaps, 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_pattern_arrives_whole_at_any_ptime),
		CASE(jitter_within_the_window_is_not_heard),
		CASE(a_lost_packet_is_its_octets_missing),
		CASE(packets_sent_twice_are_counted),
		CASE(a_longer_way_is_late_then_found_again),
		CASE(a_new_sender_is_followed_at_once),
		CASE(a_time_stamp_that_jumps_is_believed_to_the_octet),
		CASE(what_is_not_rtp_of_ours_is_counted),
		CASE(who_may_not_send_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
