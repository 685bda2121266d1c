// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanlib/rig.h"

#include "spanctl/core/xconn.h"

static int setup(void **state)
{
	static struct rig r;

	rig_start(&r);
	*state = &r;
	return 0;
}

static int teardown(void **state)
{
	rig_stop(*state);
	return 0;
}

static void one(struct rig *r, int port, uint16_t seq, uint8_t *got)
{
	rig_send(r, port, seq);
	assert_int_equal(rig_answer(r, port, got), seq);
	rig_until(rig_status(r, port).tx_block % 65536 ==
		  (uint16_t)(seq + 1));
}

static void a_slot_is_idle_before_its_first_block_and_after(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint64_t next;

	memset(cell, 0x11, sizeof(cell));
	rig_lease(r, 1, 1);
	one(r, 1, 0, got);
	next = rig_status(r, 1).tx_block;
	assert_int_equal(td_port_tx(r->port[1], next, 3, cell), -EINVAL);
	assert_int_equal(td_port_tx_open(r->port[1], 0), -EINVAL);
	assert_int_equal(td_port_tx_open(r->port[1], 32), -EINVAL);
	assert_int_equal(td_port_tx_open(r->port[1], 3), 0);
	one(r, 1, 1, got);
	assert_int_equal(*rig_at(got, 0, 3), 0xd5);
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 0);
	assert_int_equal(td_port_tx(r->port[1], next + 2, 3, cell), 0);
	one(r, 1, 2, got);
	assert_int_equal(*rig_at(got, 0, 3), 0xd5);
	one(r, 1, 3, got);
	assert_int_equal(*rig_at(got, 0, 3), 0x11);
	assert_int_equal(*rig_at(got, 7, 3), 0x11);
	assert_int_equal(*rig_at(got, 7, 4), 0xd5);
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 0);
	/* not written in time: idle, and counted */
	one(r, 1, 4, got);
	assert_int_equal(*rig_at(got, 0, 3), 0xd5);
	rig_dealt(r, 1, 5);
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 1);
	assert_int_equal(td_port_tx(r->port[1], next + 4, 3, cell), 0);
	td_port_tx_close(r->port[1], 3);
	one(r, 1, 5, got);
	assert_int_equal(*rig_at(got, 0, 3), 0xd5);
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 1);
}

static void what_one_call_wrote_ahead_the_next_never_sends(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint64_t next;
	uint16_t seq = 0;

	rig_lease(r, 1, 1);
	one(r, 1, seq++, got);
	/* more openings than the stamps can tell apart */
	for (int call = 0; call < 300; call++) {
		memset(cell, call % 200, sizeof(cell));
		next = rig_status(r, 1).tx_block;
		assert_int_equal(td_port_tx_open(r->port[1], 7), 0);
		for (int b = 0; b < 3; b++)
			assert_int_equal(td_port_tx(r->port[1], next + b, 7,
						    cell), 0);
		one(r, 1, seq++, got);
		assert_int_equal(*rig_at(got, 5, 7), call % 200);
		td_port_tx_close(r->port[1], 7);
		assert_int_equal(td_port_tx_open(r->port[1], 7), 0);
		one(r, 1, seq++, got);
		assert_int_equal(*rig_at(got, 5, 7), 0xd5);
		td_port_tx_close(r->port[1], 7);
	}
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 0);
}

static void a_cross_connect_is_exact_between_unrelated_numbers(void **state)
{
	enum { A = 100, B = 60000, N = 3000 };
	struct rig *r = *state;
	uint8_t got[RIG_PACKET];
	int first = -1;

	rig_lease(r, 1, 1);
	rig_lease(r, 2, 1);
	assert_int_equal(td_port_xconn(r->port[1], 9, r->port[2], 20), 0);
	assert_int_equal(td_port_xconn(r->port[1], 9, r->port[2], 20), -EBUSY);
	assert_int_equal(td_port_xconn(r->port[1], 0, r->port[2], 2), -EINVAL);
	assert_int_equal(td_port_xconn(r->port[1], 1, r->port[2], 32),
			 -EINVAL);
	for (int i = 0; i < N; i++) {
		/* now the one, now the other comes first in a tick */
		if (i % 2) {
			rig_send(r, 1, (uint16_t)(A + i));
			rig_answer(r, 1, got);
		}
		rig_send(r, 2, (uint16_t)(B + i));
		assert_int_equal(rig_answer(r, 2, got), (uint16_t)(B + i));
		if (i % 2 == 0) {
			rig_send(r, 1, (uint16_t)(A + i));
			rig_answer(r, 1, (uint8_t[RIG_PACKET]){ 0 });
		}
		if (i < 20)
			continue;
		if (first < 0)
			for (first = i - 20; first < i; first++)
				if (rig_octet((uint16_t)(A + first), 2, 9) ==
				    *rig_at(got, 2, 20) &&
				    rig_octet((uint16_t)(A + first), 3, 9) ==
				    *rig_at(got, 3, 20))
					break;
		if (i == 20) {
			/* 8 blocks stand between, give or take the order */
			assert_in_range(i - first, 7, 9);
			first = i - first;
		}
		for (int f = 0; f < 8; f++)
			assert_int_equal(*rig_at(got, f, 20), rig_octet(
				(uint16_t)(A + i - first), f, 9));
	}
	assert_int_equal(rig_status(r, 2).counters.slips, 0);
	assert_int_equal(td_port_xconn_off(r->port[2], 20), 0);
	one(r, 2, (uint16_t)(B + N), got);
	assert_int_equal(*rig_at(got, 0, 20), 0xd5);
}

static void the_wake_up_comes_every_so_many_blocks(void **state)
{
	struct rig *r = *state;
	struct pollfd pfd = { .fd = td_card_wake_fd(r->owner),
			      .events = POLLIN };
	uint16_t seq = 0;
	uint64_t n = 0;
	int wakes = 0;

	assert_int_equal(td_card_wake_every(r->owner, 1000), -EINVAL);
	assert_int_equal(td_card_wake_every(r->owner, 5), 0);
	for (int i = 0; i < 100; i++) {
		rig_send(r, 1, seq);
		rig_dealt(r, 1, ++n);
		rig_send(r, 2, seq++);
		rig_dealt(r, 2, n);
		if (i % 5 == 4) {
			/* raised after what it tells of is shown */
			assert_int_equal(poll(&pfd, 1, RIG_PATIENCE_MS), 1);
			td_card_wake_clear(r->owner);
			wakes++;
		} else {
			assert_int_equal(poll(&pfd, 1, 0), 0);
		}
	}
	assert_int_equal(wakes, 20);
	/* the port that was counted stands still: another takes over */
	for (int i = 0; i < 100; i++) {
		rig_send(r, 2, seq++);
		rig_dealt(r, 2, ++n);
	}
	assert_int_equal(poll(&pfd, 1, RIG_PATIENCE_MS), 1);
}

#define WITH_CARD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CARD(a_slot_is_idle_before_its_first_block_and_after),
		WITH_CARD(what_one_call_wrote_ahead_the_next_never_sends),
		WITH_CARD(a_cross_connect_is_exact_between_unrelated_numbers),
		WITH_CARD(the_wake_up_comes_every_so_many_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
