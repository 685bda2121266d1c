// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanlib/rig.h"

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

static void packet_s_is_answered_with_packet_s(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET];

	rig_lease(r, 1, 7);
	/* through 0, where the sequence counts on */
	for (int i = 0; i < 600; i++) {
		uint16_t seq = (uint16_t)(65300 + i);

		rig_send(r, 1, seq);
		assert_int_equal(rig_answer(r, 1, got), seq);
		assert_int_equal(got[0] & 0xfb, 0);	/* but R at first */
		assert_int_equal(got[1], 0);
		for (int k = 4; k < RIG_PACKET; k++)
			assert_int_equal(got[k], 0xd5);
	}
	rig_until(rig_status(r, 1).rx_block ==
		  65536ull + 65300 + 600);
	assert_int_equal(rig_status(r, 1).counters.rx_packets, 600);
	assert_int_equal(rig_status(r, 1).counters.tx_packets, 600);
	assert_int_equal(rig_status(r, 1).counters.rx_lost, 0);
	assert_int_equal(rig_status(r, 1).alarms, 0);
	assert_true(rig_silent(r, 1));
	assert_true(rig_silent(r, 2));
}

static void received_octets_are_exact(void **state)
{
	struct rig *r = *state;
	uint64_t base = 65536 + 40000;
	uint8_t got[8];

	for (int i = 0; i < 1000; i++) {
		rig_send(r, 1, (uint16_t)(40000 + i));
		if (i % 50 == 49)
			rig_dealt(r, 1, i + 1);
		if (i % 200 != 199)
			continue;
		for (int b = i - 199; b <= i; b++)
			for (int ts = 1; ts < 32; ts++) {
				assert_int_equal(td_port_rx(r->port[1],
							    base + b, ts,
							    got), 0);
				for (int f = 0; f < 8; f++)
					assert_int_equal(got[f], rig_octet(
						(uint16_t)(40000 + b), f, ts));
			}
	}
	/* the ring's two ends */
	assert_int_equal(td_port_rx(r->port[1], base + 1000, 1, got), -ERANGE);
	assert_int_equal(td_port_rx(r->port[1], base + 1000 - 248, 1, got), 0);
	assert_int_equal(td_port_rx(r->port[1], base + 1000 - 249, 1, got),
			 -ERANGE);
	assert_int_equal(td_port_rx(r->port[1], base, 0, got), -ERANGE);
	assert_int_equal(td_port_rx(r->port[1], base, 32, got), -ERANGE);
	/* a standby hears and is silent */
	assert_true(rig_silent(r, 1));
	assert_int_equal(rig_status(r, 1).counters.tx_blocked, 1000);
}

static void transmitted_octets_are_exact(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint64_t block, done;

	rig_lease(r, 1, 1);
	rig_send(r, 1, 100);
	rig_answer(r, 1, got);
	rig_dealt(r, 1, 1);
	done = rig_status(r, 1).tx_block;
	assert_int_equal(done, 65536 + 101);
	for (int ts = 1; ts < 32; ts++)
		assert_int_equal(td_port_tx_open(r->port[1], ts), 0);
	memset(cell, 0, sizeof(cell));
	assert_int_equal(td_port_tx(r->port[1], done - 1, 1, cell), -ERANGE);
	assert_int_equal(td_port_tx(r->port[1], done + 128, 1, cell), -ERANGE);
	/* always 100 ahead */
	for (block = done; block < done + 700; block++) {
		for (int ts = 1; ts < 32; ts++) {
			for (int f = 0; f < 8; f++)
				cell[f] = rig_octet((uint16_t)~block, f, ts);
			assert_int_equal(td_port_tx(r->port[1], block, ts,
						    cell), 0);
		}
		if (block < done + 100)
			continue;
		rig_send(r, 1, (uint16_t)(block - 100));
		assert_int_equal(rig_answer(r, 1, got),
				 (uint16_t)(block - 100));
		for (int ts = 1; ts < 32; ts++)
			for (int f = 0; f < 8; f++)
				assert_int_equal(*rig_at(got, f, ts),
					rig_octet((uint16_t)~(block - 100), f,
						  ts));
		rig_until(rig_status(r, 1).tx_block == block - 99);
	}
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			packet_s_is_answered_with_packet_s, setup, teardown),
		cmocka_unit_test_setup_teardown(
			received_octets_are_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(
			transmitted_octets_are_exact, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
