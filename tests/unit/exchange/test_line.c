// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/exchange/line.h"
#include "tests/exchange/wiring.h"

/* The first turn is near the wrap of the sequence number. */
enum { FIRST = 3 * 65536 - 50 };

struct bench {
	struct td_xline *l;
	uint64_t turn;
	int transmit;		/* bit set of nodes that answer */
	uint8_t fill;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->l = malloc(sizeof(*b->l));
	td_xline_init(b->l, "s1", 21401, 2);
	b->turn = FIRST;
	b->fill = 0x2a;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	free(b->l);
	free(b);
	return 0;
}

static void answer(struct bench *b, int node, uint64_t turn)
{
	struct td_xces_word w = { .seq = turn & 0xffff };
	uint8_t p[TD_XCES_PACKET];

	td_xces_put_word(p, &w);
	memset(p + 4, b->fill, TD_XCES_PAYLOAD);
	td_xline_receive(b->l, node, p, sizeof(p));
}

static void run(struct bench *b, int ms)
{
	while (ms--) {
		td_xline_turn(b->l, b->turn);
		for (int n = 0; n < 2; n++)
			if (b->transmit & 1 << n)
				answer(b, n, b->turn);
		b->turn++;
	}
}

static void packets_are_numbered_by_turns_through_zero(void **state)
{
	struct bench *b = *state;
	const uint8_t *payload;
	struct td_xces_word w;

	for (int i = 0; i < 200; i++) {
		run(b, 1);
		assert_int_equal(td_xces_parse(td_xline_packet(b->l, 0),
				 TD_XCES_PACKET, &w, &payload), 0);
		assert_int_equal(w.seq, (FIRST + i) & 0xffff);
	}
	assert_int_equal(b->l->node[0].sent, 200);
}

static void the_r_bit_says_that_nobody_is_heard(void **state)
{
	struct bench *b = *state;
	const uint8_t *payload;
	struct td_xces_word w;

	b->transmit = 1;
	run(b, 300);
	td_xces_parse(td_xline_packet(b->l, 0), TD_XCES_PACKET, &w, &payload);
	assert_false(w.r);
	b->transmit = 0;
	run(b, TD_XLINE_PLAY_MS + TD_XLINE_LOPS_MS + 1);
	td_xces_parse(td_xline_packet(b->l, 1), TD_XCES_PACKET, &w, &payload);
	assert_true(w.r);
}

static void the_node_that_answers_is_the_one_heard(void **state)
{
	struct bench *b = *state;

	run(b, 200);
	assert_int_equal(b->l->heard, -1);
	b->transmit = 2;
	run(b, 300);
	assert_int_equal(b->l->heard, 1);
	assert_int_equal(b->l->n_breaks, 1);
	assert_int_equal(b->l->breaks[0].from, -1);
	assert_int_equal(b->l->breaks[0].to, 1);
	assert_int_equal(b->l->lost, 0);
}

static void a_switch_tells_its_gap(void **state)
{
	struct bench *b = *state;

	b->transmit = 1;
	run(b, 300);
	b->transmit = 0;
	run(b, 37);
	b->transmit = 2;
	run(b, 300);
	assert_int_equal(b->l->n_breaks, 2);
	assert_int_equal(b->l->breaks[1].gap_ms, 37);
	assert_int_equal(b->l->breaks[1].from, 0);
	assert_int_equal(b->l->breaks[1].to, 1);
	assert_int_equal(b->l->lost, 0);
	assert_int_equal(b->l->n_collisions, 0);
	/* make before break: not a block is missing, none is there twice */
	b->transmit = 1;
	run(b, 200);
	assert_int_equal(b->l->breaks[2].gap_ms, 0);
	assert_int_equal(b->l->n_collisions, 0);
}

static void lost_blocks_of_one_node_are_counted(void **state)
{
	struct bench *b = *state;

	b->transmit = 1;
	run(b, 300);
	for (int i = 0; i < 10; i++) {
		b->transmit = 0;
		run(b, 2);
		b->transmit = 1;
		run(b, 50);
	}
	run(b, 100);
	assert_int_equal(b->l->lost, 20);
}

static void two_transmitters_are_a_collision_of_that_length(void **state)
{
	struct bench *b = *state;

	b->transmit = 1;
	run(b, 300);
	b->transmit = 3;
	run(b, 12);
	b->transmit = 2;
	run(b, 300);
	b->transmit = 3;
	run(b, 5);
	b->transmit = 0;
	run(b, 300);
	assert_int_equal(b->l->n_collisions, 2);
	assert_int_equal(b->l->collision_ms, 17);
	assert_int_equal(b->l->collision_ms_max, 12);
	assert_int_equal(b->l->collisions[0].ms, 12);
	assert_int_equal(b->l->collisions[0].at, FIRST + 300);
}

static void what_collides_is_not_heard(void **state)
{
	struct bench *b = *state;

	b->transmit = 3;
	td_xchan_echo(&b->l->chan[5]);
	run(b, 300);
	assert_true(b->l->chan[5].silent);
	b->transmit = 1;
	run(b, 200);
	assert_false(b->l->chan[5].silent);
	assert_int_equal(b->l->chan[5].heard[7], 0x2a);
}

static void late_strange_and_double_packets_are_counted(void **state)
{
	struct bench *b = *state;

	b->transmit = 1;
	run(b, 300);
	answer(b, 0, b->turn - 1);
	assert_int_equal(b->l->node[0].duplicate, 1);
	answer(b, 0, b->turn - 1 - TD_XLINE_PLAY_MS);
	assert_int_equal(b->l->node[0].late, 1);
	answer(b, 0, b->turn);
	answer(b, 1, b->turn + 1000);
	assert_int_equal(b->l->node[0].strange, 1);
	assert_int_equal(b->l->node[1].strange, 1);
	td_xline_receive(b->l, 0, (uint8_t[]){ 1, 2, 3 }, 3);
	assert_int_equal(b->l->node[0].malformed, 1);
	assert_int_equal(b->l->n_collisions, 0);
}

static void a_burst_in_any_order_is_played_in_order(void **state)
{
	struct bench *b = *state;

	td_xchan_echo(&b->l->chan[1]);
	run(b, 60);
	for (int i = 50; i > 0; i--) {
		b->fill = i;
		answer(b, 0, b->turn - i);
	}
	run(b, TD_XLINE_PLAY_MS - 50);
	for (int i = 50; i > 0; i--) {
		run(b, 1);
		assert_int_equal(b->l->chan[1].heard[0], i);
	}
	assert_int_equal(b->l->lost, 0);
}

static void modes_change_what_a_node_gets(void **state)
{
	struct bench *b = *state;
	const uint8_t *payload, *p;
	enum td_xline_mode m;
	struct td_xces_word w;
	int wrong = 0;

	assert_int_equal(td_xline_mode_parse("noise", &m), 0);
	assert_int_equal(m, TD_XLINE_NOISE);
	assert_int_equal(td_xline_mode_parse("x", &m), -EINVAL);
	td_xline_mode(b->l, 1, TD_XLINE_DOWN, 0);
	run(b, 1);
	assert_non_null(td_xline_packet(b->l, 0));
	assert_null(td_xline_packet(b->l, 1));
	td_xline_mode(b->l, -1, TD_XLINE_AIS, 0);
	td_xces_parse(td_xline_packet(b->l, 1), TD_XCES_PACKET, &w, &payload);
	assert_true(w.l);
	assert_int_equal(payload[0], 0xff);
	td_xline_mode(b->l, -1, TD_XLINE_RAI, 0);
	td_xces_parse(td_xline_packet(b->l, 1), TD_XCES_PACKET, &w, &payload);
	assert_int_equal(w.m, 2);
	td_xline_mode(b->l, 0, TD_XLINE_NOISE, 1e-3);
	for (int i = 0; i < 500; i++) {
		run(b, 1);
		p = td_xline_packet(b->l, 0);
		for (int k = 0; k < TD_XCES_PACKET; k++)
			wrong += __builtin_popcount(p[k] ^ b->l->packet[k]);
	}
	/* 500 * 1984 bits: 992 expected */
	assert_in_range(wrong, 850, 1150);
	td_xline_mode(b->l, -1, TD_XLINE_UP, 0);
	assert_ptr_equal(td_xline_packet(b->l, 0), b->l->packet);
}

static void wiring_is_read_from_words(void **state)
{
	static const struct {
		struct td_xwiring w;
		int rc, lines, first_port, last_nodes;
	} table[] = {
		{ { "10.77.0.201", "s1-s4", "n1=10.77.0.1,n2=10.77.0.2" },
		  0, 4, 21401, 2 },
		{ { "10.77.0.201", "s2,s4", "n1=10.77.0.1" }, 0, 2, 21402, 1 },
		{ { "10.77.0.201", "s7=5007", "n1=10.77.0.1" }, 0, 1, 5007, 1 },
		{ { "10.77.0.201", "s1-s8",
		    "n1=10.77.0.1,n2=10.77.0.2,n3=10.77.0.3,n4=10.77.0.4",
		    "s1-s4:n1,n2;s5-s8:n2,n3,n4" }, 0, 8, 21401, 3 },
		{ { "10.77.0.201", "s1-s9", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0.201", "s1,s1", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0.201", "s0", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0.201", "t1", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0.201", "", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0.201", "s1=99999", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0", "s1", "n1=10.77.0.1" }, -EINVAL },
		{ { "10.77.0.201", "s1", "n1" }, -EINVAL },
		{ { "10.77.0.201", "s1", "n1=x" }, -EINVAL },
		{ { "10.77.0.201", "s1", "n1=10.77.0.1", "s1:n9" }, -EINVAL },
		{ { "10.77.0.201", "s1", "n1=10.77.0.1", "s2:n1" }, -EINVAL },
		{ { "10.77.0.201", "s1", "n1=10.77.0.1", "n1" }, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct td_xengine_conf c = { .n_lines = -1 };
		const char *bad;

		assert_int_equal(td_xwiring_parse(&table[i].w, &c, &bad),
				 table[i].rc);
		if (table[i].rc) {
			assert_non_null(bad);
			assert_int_equal(c.n_lines, -1);
			continue;
		}
		assert_int_equal(c.n_lines, table[i].lines);
		assert_int_equal(c.line[0].port, table[i].first_port);
		assert_int_equal(c.line[c.n_lines - 1].n_nodes,
				 table[i].last_nodes);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(packets_are_numbered_by_turns_through_zero),
		CASE(the_r_bit_says_that_nobody_is_heard),
		CASE(the_node_that_answers_is_the_one_heard),
		CASE(a_switch_tells_its_gap),
		CASE(lost_blocks_of_one_node_are_counted),
		CASE(two_transmitters_are_a_collision_of_that_length),
		CASE(what_collides_is_not_heard),
		CASE(late_strange_and_double_packets_are_counted),
		CASE(a_burst_in_any_order_is_played_in_order),
		CASE(modes_change_what_a_node_gets),
		cmocka_unit_test(wiring_is_read_from_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
