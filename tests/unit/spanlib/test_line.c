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
	rig_dealt(r, 1, 600);
	assert_int_equal(rig_status(r, 1).rx_block, 65536 + 65300 + 600);
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


static void a_burst_after_a_pause_gets_the_right_blocks(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint64_t next;

	rig_lease(r, 1, 1);
	rig_send(r, 1, 9);
	rig_answer(r, 1, got);
	rig_dealt(r, 1, 1);
	next = rig_status(r, 1).tx_block;
	assert_int_equal(td_port_tx_open(r->port[1], 5), 0);
	for (int b = 0; b < 100; b++) {
		memset(cell, 100 + b, sizeof(cell));
		assert_int_equal(td_port_tx(r->port[1], next + b, 5, cell), 0);
	}
	/* 40, and 100 more than a batch of the card's holds */
	for (int from = 0; from < 100; from += 40) {
		int n = from == 80 ? 20 : 40;

		kill(r->pid, SIGSTOP);
		for (int b = from; b < from + n; b++)
			rig_send(r, 1, (uint16_t)(10 + b));
		kill(r->pid, SIGCONT);
		for (int b = from; b < from + n; b++) {
			assert_int_equal(rig_answer(r, 1, got), 10 + b);
			for (int f = 0; f < 8; f++)
				assert_int_equal(*rig_at(got, f, 5), 100 + b);
		}
	}
	assert_int_equal(rig_status(r, 1).counters.tx_underrun, 0);
	assert_int_equal(rig_status(r, 1).counters.rx_lost, 0);
	assert_true(rig_silent(r, 1));
}

static void what_is_lost_is_filled_flagged_and_answered_too(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint64_t base = 65536 + 500;
	int lost = 0;

	rig_lease(r, 1, 1);
	for (int i = 0; i < 200; i++) {
		if (i % 50 == 20) {
			lost++;
			continue;
		}
		rig_send(r, 1, (uint16_t)(500 + i));
		if (i % 50 == 21)	/* the missed number first */
			assert_int_equal(rig_answer(r, 1, got), 500 + i - 1);
		assert_int_equal(rig_answer(r, 1, got), 500 + i);
	}
	rig_dealt(r, 1, 196);
	assert_int_equal(rig_status(r, 1).rx_block, base + 200);
	assert_int_equal(rig_status(r, 1).counters.rx_lost, lost);
	assert_int_equal(rig_status(r, 1).counters.tx_packets, 200);
	for (int i = 0; i < 200; i++) {
		bool gone = i % 50 == 20;

		assert_int_equal(td_port_rx(r->port[1], base + i, 9, cell),
				 gone ? TD_BLOCK_LOST : 0);
		for (int f = 0; f < 8; f++)
			assert_int_equal(cell[f], gone ? 0xd5 : rig_octet(
				(uint16_t)(500 + i), f, 9));
	}
}

static void a_long_gap_is_not_filled_in_our_direction(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET];

	rig_lease(r, 1, 1);
	for (int i = 0; i < 120; i++) {
		rig_send(r, 1, (uint16_t)i);
		rig_answer(r, 1, got);
	}
	assert_int_equal(got[0], 0);
	rig_send(r, 1, 117 + 15);	/* twelve missed */
	assert_int_equal(rig_answer(r, 1, got), 132);
	assert_int_equal(got[0], 0x04);	/* R: we lose packets */
	rig_dealt(r, 1, 121);
	assert_int_equal(rig_status(r, 1).counters.tx_skipped, 12);
	rig_send(r, 1, 132 + 9);	/* eight missed */
	for (int i = 133; i <= 141; i++)
		assert_int_equal(rig_answer(r, 1, got), i);
	rig_dealt(r, 1, 122);
	assert_int_equal(rig_status(r, 1).counters.tx_skipped, 12);
	/* what comes late is not answered again */
	rig_send(r, 1, 121);
	rig_dealt(r, 1, 123);
	assert_true(rig_silent(r, 1));
	assert_int_equal(rig_status(r, 1).counters.rx_late, 1);
	/* R goes when all has come for a while */
	for (int i = 142; i < 142 + 110; i++) {
		rig_send(r, 1, (uint16_t)i);
		rig_answer(r, 1, got);
	}
	assert_int_equal(got[0], 0);
}

static void reordered_and_repeated_packets_leave_no_trace(void **state)
{
	static const uint16_t order[] = { 0, 1, 3, 2, 4, 4, 7, 6, 5, 8, 3, 9 };
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	size_t n = sizeof(order) / sizeof(order[0]);

	rig_lease(r, 1, 1);
	for (size_t i = 0; i < n; i++)
		rig_send(r, 1, (uint16_t)(100 + order[i]));
	for (int i = 0; i < 10; i++)
		assert_int_equal(rig_answer(r, 1, got), 100 + i);
	rig_dealt(r, 1, n);
	assert_true(rig_silent(r, 1));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(td_port_rx(r->port[1], 65636 + i, 31, cell),
				 0);
		assert_int_equal(cell[7], rig_octet((uint16_t)(100 + i), 7,
						    31));
	}
	assert_int_equal(rig_status(r, 1).counters.rx_reordered, 3);
	assert_int_equal(rig_status(r, 1).counters.rx_duplicate, 2);
	assert_int_equal(rig_status(r, 1).counters.rx_lost, 0);
	assert_int_equal(rig_status(r, 1).counters.tx_packets, 10);
}

static void malformed_and_foreign_packets_are_counted_drops(void **state)
{
	struct rig *r = *state;
	struct td_span_counters c;
	struct sockaddr_in sa;
	uint8_t packet[2000];
	int fd = rig_bind(&sa), sent = 0;

	rig_lease(r, 1, 1);
	for (size_t n = 0; n <= 300; n++)
		if (n != RIG_PACKET) {
			memset(packet, 0, sizeof(packet));
			rig_send_raw(r, 1, packet, n);
			if (++sent % 50 == 0)
				rig_until(rig_status(r, 1).counters
					  .rx_malformed == (uint64_t)sent);
		}
	rig_send_raw(r, 1, packet, sizeof(packet));
	rig_packet(1, packet);
	packet[0] = 0x50;
	rig_send_raw(r, 1, packet, RIG_PACKET);
	sent += 2;
	rig_packet(1, packet);
	sendto(fd, packet, RIG_PACKET, 0, (struct sockaddr *)&r->card[1],
	       sizeof(r->card[1]));
	rig_until(rig_status(r, 1).counters.rx_foreign == 1);
	c = rig_status(r, 1).counters;
	assert_int_equal(c.rx_malformed, sent);
	assert_int_equal(c.rx_packets, 0);
	assert_int_equal(c.tx_packets, 0);
	assert_true(rig_silent(r, 1));
	close(fd);
}

static void an_exchange_that_restarts_is_followed(void **state)
{
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint64_t jumped;

	rig_lease(r, 1, 1);
	for (int i = 0; i < 20; i++) {
		rig_send(r, 1, (uint16_t)(50000 + i));
		rig_answer(r, 1, got);
	}
	/* the first of a new sequence is not believed yet */
	for (int i = 0; i < 20; i++)
		rig_send(r, 1, (uint16_t)(300 + i));
	for (int i = 1; i < 20; i++)
		assert_int_equal(rig_answer(r, 1, got), 300 + i);
	rig_dealt(r, 1, 40);
	jumped = 2 * 65536 + 301;
	assert_int_equal(rig_status(r, 1).rx_block, jumped + 19);
	assert_int_equal(rig_status(r, 1).counters.rx_resync, 1);
	assert_int_equal(rig_status(r, 1).counters.rx_stray, 1);
	assert_int_equal(rig_status(r, 1).counters.rx_lost, 0);
	/* nothing old is found between */
	assert_int_equal(td_port_rx(r->port[1], jumped - 1, 1, cell),
			 TD_BLOCK_LOST);
	assert_int_equal(td_port_rx(r->port[1], jumped - 200, 1, cell),
			 TD_BLOCK_LOST);
	assert_int_equal(td_port_rx(r->port[1], jumped, 1, cell), 0);
	assert_int_equal(rig_status(r, 1).counters.tx_packets, 39);
}

static void l_m_and_r_bits_become_alarms_and_l_is_ais(void **state)
{
	struct rig *r = *state;
	uint8_t packet[RIG_PACKET], cell[8];
	uint16_t seq = 0;

	for (int i = 0; i < 20; i++)
		rig_send(r, 1, seq++);
	rig_until(rig_status(r, 1).alarms == 0);
	/* the control word alone, with and without its length */
	for (int i = 0; i < 12; i++, seq++) {
		uint8_t cw[4] = { 0x08, i % 2 ? 4 : 0, seq >> 8,
				  seq & 0xff };

		rig_send_raw(r, 1, cw, sizeof(cw));
	}
	rig_until(rig_status(r, 1).alarms == TD_ALARM_AIS);
	rig_dealt(r, 1, 32);
	assert_int_equal(td_port_rx(r->port[1], 65536 + 25, 3, cell),
			 TD_BLOCK_ALARM);
	for (int f = 0; f < 8; f++)
		assert_int_equal(cell[f], 0xff);
	for (int i = 0; i < 12; i++) {
		rig_packet(seq++, packet);
		packet[0] = 0x06;
		rig_send_raw(r, 1, packet, sizeof(packet));
	}
	rig_until(rig_status(r, 1).alarms == (TD_ALARM_RAI | TD_ALARM_RDI));
	rig_dealt(r, 1, 44);
	assert_int_equal(rig_status(r, 1).counters.rx_lbit, 12);
	assert_int_equal(rig_status(r, 1).counters.rx_rbit, 12);
	assert_int_equal(rig_status(r, 1).counters.rx_mbits, 12);
	/* and when nothing comes any more */
	rig_until(rig_status(r, 1).alarms == TD_ALARM_LOS);
	assert_int_equal(rig_status(r, 1).counters.los, 1);
}

static void one_in_a_hundred_lost_is_lost_and_nothing_else(void **state)
{
	enum { N = 4000, FIRST = 30000 };
	struct rig *r = *state;
	uint8_t got[RIG_PACKET], cell[8];
	uint32_t s = 4711;
	int lost = 0, due = 0, sent = 0;
	static uint8_t gone[N];

	rig_lease(r, 1, 1);
	for (int i = 0; i < N; i++) {
		s = s * 1664525 + 1013904223;
		gone[i] = i && i < N - 10 && (s >> 8) % 100 == 0;
		lost += gone[i];
		if (gone[i])
			continue;
		rig_send(r, 1, (uint16_t)(FIRST + i));
		sent++;
		for (; due <= i; due++)
			assert_int_equal(rig_answer(r, 1, got),
					 (uint16_t)(FIRST + due));
		if (sent % 50)
			continue;
		rig_dealt(r, 1, (uint64_t)sent);
		for (int b = i < 200 ? 0 : i - 200; b <= i - 8; b++) {
			assert_int_equal(td_port_rx(r->port[1],
						    65536 + FIRST + b, 11,
						    cell),
					 gone[b] ? TD_BLOCK_LOST : 0);
			if (!gone[b])
				assert_int_equal(cell[4], rig_octet(
					(uint16_t)(FIRST + b), 4, 11));
		}
	}
	rig_dealt(r, 1, (uint64_t)sent);
	assert_in_range(lost, 20, 80);
	assert_int_equal(rig_status(r, 1).counters.rx_lost, lost);
	assert_int_equal(rig_status(r, 1).counters.tx_packets, N);
	assert_int_equal(rig_status(r, 1).alarms, 0);
	assert_true(rig_silent(r, 1));
}

/* Seeded packets of any length, most of them nearly right. The sanitizer build
 * runs this too. */
static void packets_of_any_kind_are_survived(void **state)
{
	struct rig *r = *state;
	uint8_t packet[400], got[RIG_PACKET];
	struct td_span_counters c = { 0 };
	uint32_t s = 12345;
	uint16_t seq = 0;
	uint64_t sent = 0;

	assert_int_equal(td_port_hdlc(r->port[1], 16), 0);
	assert_int_equal(td_port_xconn(r->port[1], 1, r->port[1], 2), 0);
	rig_lease(r, 1, 1);
	for (int i = 0; i < 20000; i++) {
		size_t n = RIG_PACKET;

		rig_packet(seq++, packet);
		for (int k = s >> 28; k > 0; k--) {
			s = s * 1664525 + 1013904223;
			packet[(s >> 8) % (s & 1 ? 6 : RIG_PACKET)] ^=
				(uint8_t)(1u << (s >> 24 & 7));
		}
		s = s * 1664525 + 1013904223;
		if ((s >> 16) % 10 == 0)
			n = (s >> 8) % sizeof(packet);
		if ((s >> 16) % 100 == 1)
			seq = (uint16_t)(s >> 9);
		rig_send_raw(r, 1, packet, n);
		sent++;
		while (!rig_silent(r, 1))
			;
		if (i % 50 == 49)
			rig_until((c = rig_status(r, 1).counters,
				   c.rx_packets + c.rx_malformed == sent));
	}
	assert_true(c.rx_malformed > 1000 && c.rx_resync > 50 &&
		    c.rx_stray > 50 && c.rx_lost > 50 && c.rx_lbit > 50);
	/* and the line goes on */
	rig_send(r, 1, 5);
	rig_send(r, 1, 6);
	rig_send(r, 1, 7);
	do {
		seq = rig_answer(r, 1, got);
	} while (seq != 7);
}

#define WITH_CARD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CARD(packet_s_is_answered_with_packet_s),
		WITH_CARD(received_octets_are_exact),
		WITH_CARD(transmitted_octets_are_exact),
		WITH_CARD(a_burst_after_a_pause_gets_the_right_blocks),
		WITH_CARD(what_is_lost_is_filled_flagged_and_answered_too),
		WITH_CARD(one_in_a_hundred_lost_is_lost_and_nothing_else),
		WITH_CARD(a_long_gap_is_not_filled_in_our_direction),
		WITH_CARD(reordered_and_repeated_packets_leave_no_trace),
		WITH_CARD(malformed_and_foreign_packets_are_counted_drops),
		WITH_CARD(packets_of_any_kind_are_survived),
		WITH_CARD(an_exchange_that_restarts_is_followed),
		WITH_CARD(l_m_and_r_bits_become_alarms_and_l_is_ais),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
