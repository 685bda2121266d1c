// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanlib/rig.h"

#include "spanctl/core/hdlc.h"
#include "spanctl/spand/port.h"

/* The exchange's data link on timeslot 16: its frames go into the packets it
 * sends, what the card answers is taken apart. core/hdlc is held to a
 * reference of its own in tests/unit/spancore. */
struct link {
	struct rig rig;
	struct td_hdlc_tx tx;
	struct td_hdlc_rx rx;
	uint16_t seq;
	uint64_t sent;
	size_t n;		/* frames got from the card */
	struct {
		size_t n;
		uint8_t data[TD_HDLC_MAX];
	} got[64];
};

static void on_frame(void *arg, const uint8_t *data, size_t n)
{
	struct link *l = arg;

	assert_true(l->n < 64);
	l->got[l->n].n = n;
	memcpy(l->got[l->n++].data, data, n);
}

static int setup(void **state)
{
	struct link *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	rig_start(&l->rig);
	td_hdlc_tx_init(&l->tx);
	td_hdlc_rx_init(&l->rx, on_frame, l);
	assert_int_equal(td_port_hdlc(l->rig.port[1], 16), 0);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct link *l = *state;

	rig_stop(&l->rig);
	free(l);
	return 0;
}

/* One packet each way; none back while the card is off. */
static void turn(struct link *l, bool answered)
{
	uint8_t packet[RIG_PACKET];

	rig_packet(l->seq, packet);
	for (int f = 0; f < 8; f++)
		*rig_at(packet, f, 16) = td_hdlc_tx_octet(&l->tx);
	rig_send_raw(&l->rig, 1, packet, sizeof(packet));
	l->sent++;
	if (answered) {
		assert_int_equal(rig_answer(&l->rig, 1, packet), l->seq);
		for (int f = 0; f < 8; f++)
			td_hdlc_rx_octets(&l->rx, rig_at(packet, f, 16), 1);
	} else {
		rig_dealt(&l->rig, 1, l->sent);
	}
	l->seq++;
}

static void frame(uint8_t *out, size_t n, uint32_t no)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(no * 41 + i * i);
}

static void frames_go_both_ways_at_once(void **state)
{
	struct link *l = *state;
	struct td_port *p = l->rig.port[1];
	uint8_t out[300], in[TD_HDLC_MAX];
	size_t lengths[] = { 2, 3, 4, 5, 17, 260, 299, 6 }, n;

	rig_lease(&l->rig, 1, 1);
	turn(l, true);
	for (uint32_t i = 0; i < 8; i++) {
		frame(out, lengths[i], i);
		assert_int_equal(td_port_hdlc_send(p, out, lengths[i]), 0);
		while (!td_hdlc_tx_ready(&l->tx))
			turn(l, true);
		frame(out, lengths[i], 100 + i);
		assert_int_equal(td_hdlc_tx_load(&l->tx, out, lengths[i]), 0);
	}
	while (l->n < 8)
		turn(l, true);
	turn(l, true);
	rig_dealt(&l->rig, 1, l->sent);
	for (uint32_t i = 0; i < 8; i++) {
		frame(out, lengths[i], i);
		assert_int_equal(l->got[i].n, lengths[i]);
		assert_memory_equal(l->got[i].data, out, lengths[i]);
		frame(out, lengths[i], 100 + i);
		assert_int_equal(td_port_hdlc_recv(p, in, sizeof(in), &n), 0);
		assert_int_equal(n, lengths[i]);
		assert_memory_equal(in, out, n);
	}
	assert_int_equal(td_port_hdlc_recv(p, in, sizeof(in), &n), -EAGAIN);
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_rx, 8);
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_tx, 8);
	assert_int_equal(l->rx.counters.crc + l->rx.counters.abort, 0);
}

static void a_standby_hears_and_cannot_send(void **state)
{
	struct link *l = *state;
	struct td_port *p = l->rig.port[1];
	struct pollfd pfd = { .fd = td_port_event_fd(p), .events = POLLIN };
	uint8_t in[TD_HDLC_MAX];
	size_t n;

	td_port_event_clear(p);
	assert_int_equal(td_port_hdlc_send(p, "abc", 3), -ENOLINK);
	for (int i = 0; i < 12; i++)
		turn(l, false);
	rig_until(rig_status(&l->rig, 1).alarms == 0);
	td_port_event_clear(p);
	assert_int_equal(td_hdlc_tx_load(&l->tx, (void *)"setup", 5), 0);
	turn(l, false);
	turn(l, false);
	turn(l, false);
	rig_until(poll(&pfd, 1, 0) == 1);
	assert_int_equal(td_port_hdlc_recv(p, in, sizeof(in), &n), 0);
	assert_int_equal(n, 5);
	assert_memory_equal(in, "setup", 5);
	assert_true(rig_silent(&l->rig, 1));
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_tx_refused, 1);
}

static void a_full_queue_refuses_and_tells_of_space(void **state)
{
	struct link *l = *state;
	struct td_port *p = l->rig.port[1];
	struct pollfd pfd = { .fd = td_port_event_fd(p), .events = POLLIN };
	uint8_t out[TD_HDLC_MAX + 1] = { 0 };
	int queued = 0;

	rig_lease(&l->rig, 1, 1);
	assert_int_equal(td_port_hdlc_send(p, out, 1), -EMSGSIZE);
	assert_int_equal(td_port_hdlc_send(p, out, sizeof(out)), -EMSGSIZE);
	while (td_port_hdlc_send(p, out, 500) == 0)
		queued++;
	assert_int_equal(td_port_hdlc_send(p, out, 500), -EAGAIN);
	assert_int_equal(queued, TD_SPAN_HDLC_TX / (16 + 504));
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_tx_refused, 2);
	td_port_event_clear(p);
	while (td_port_hdlc_send(p, out, 500) == -EAGAIN)
		turn(l, true);
	rig_until(poll(&pfd, 1, 0) == 1);
	while (l->n < (size_t)queued + 1)
		turn(l, true);
	rig_dealt(&l->rig, 1, l->sent);
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_tx,
			 queued + 1);
}

static void what_an_epoch_queued_leaves_in_it_or_never(void **state)
{
	struct link *l = *state;
	struct td_port *p = l->rig.port[1];

	rig_lease(&l->rig, 1, 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(td_port_hdlc_send(p, "old epoch", 9), 0);
	turn(l, true);
	assert_int_equal(td_port_lease_end(p, 1), 0);
	rig_lease(&l->rig, 1, 2);
	assert_int_equal(td_port_hdlc_send(p, "new epoch", 9), 0);
	for (int i = 0; i < 30; i++)
		turn(l, true);
	/* the first of the old was on its way and is cut off */
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_tx_refused, 4);
	assert_int_equal(l->n, 1);
	assert_memory_equal(l->got[0].data, "new epoch", 9);
	/* a newer epoch straight after an older, and by the operator */
	assert_int_equal(td_port_hdlc_send(p, "epoch two", 9), 0);
	rig_lease(&l->rig, 1, 3);
	assert_int_equal(td_port_hdlc_send(p, "by hand 1", 9), 0);
	assert_int_equal(td_port_inhibit(p, true), 0);
	assert_int_equal(td_port_hdlc_send(p, "by hand 2", 9), -ENOLINK);
	assert_int_equal(td_port_inhibit(p, false), 0);
	assert_int_equal(td_port_hdlc_send(p, "epoch 3..", 9), 0);
	for (int i = 0; i < 30; i++)
		turn(l, true);
	assert_int_equal(l->n, 2);
	assert_memory_equal(l->got[1].data, "epoch 3..", 9);
}

static void a_lost_block_costs_its_frame_only(void **state)
{
	struct link *l = *state;
	struct td_port *p = l->rig.port[1];
	uint8_t in[TD_HDLC_MAX], out[100];
	size_t n;

	frame(out, sizeof(out), 1);
	for (int i = 0; i < 3; i++) {
		turn(l, false);
		assert_int_equal(td_hdlc_tx_load(&l->tx, out, sizeof(out)), 0);
		while (!td_hdlc_tx_ready(&l->tx)) {
			if (i == 1 && l->tx.pos > 30 && l->tx.pos < 40) {
				for (int f = 0; f < 8; f++)
					td_hdlc_tx_octet(&l->tx);
				l->seq++;	/* never comes */
			}
			turn(l, false);
		}
	}
	turn(l, false);
	turn(l, false);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(td_port_hdlc_recv(p, in, sizeof(in), &n), 0);
		assert_memory_equal(in, out, sizeof(out));
	}
	assert_int_equal(td_port_hdlc_recv(p, in, sizeof(in), &n), -EAGAIN);
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_abort, 1);
	assert_int_equal(rig_status(&l->rig, 1).counters.hdlc_crc, 0);
}

static void readers_see_both_directions_and_any_overrun(void **state)
{
	struct link *l = *state;
	struct td_card *monitor;
	struct td_span_frame f;
	struct td_port *m, *p = l->rig.port[1];
	uint8_t in[TD_HDLC_MAX], out[1000];
	size_t n;

	rig_lease(&l->rig, 1, 1);
	assert_int_equal(td_card_open(l->rig.sock, TD_CARD_MONITOR, &monitor),
			 0);
	m = td_card_port(monitor, 1);
	assert_int_equal(td_port_hdlc_send(p, "from us", 7), 0);
	turn(l, true);
	turn(l, true);
	turn(l, true);
	assert_int_equal(td_hdlc_tx_load(&l->tx, (void *)"to us", 5), 0);
	turn(l, true);
	turn(l, true);
	turn(l, true);
	rig_dealt(&l->rig, 1, l->sent);
	assert_int_equal(td_port_frame_recv(m, &f, in, sizeof(in), &n), 0);
	assert_int_equal(f.dir, TD_SPAN_TX);
	assert_int_equal(f.timeslot, 16);
	assert_memory_equal(in, "from us", n);
	assert_int_equal(td_port_frame_recv(m, &f, in, sizeof(in), &n), 0);
	assert_int_equal(f.dir, TD_SPAN_RX);
	assert_true(f.block >= 65536 + 3 && f.block <= 65536 + 4);
	assert_memory_equal(in, "to us", n);
	assert_int_equal(td_port_frame_recv(m, &f, in, sizeof(in), &n),
			 -EAGAIN);
	/* too small a buffer loses the frame, not the place */
	assert_int_equal(td_port_hdlc_recv(p, in, 3, &n), -EMSGSIZE);
	assert_int_equal(td_port_hdlc_recv(p, in, 5, &n), 0);
	for (int i = 0; i < 70; i++) {
		memset(out, i, sizeof(out));
		assert_int_equal(td_hdlc_tx_load(&l->tx, out, sizeof(out)), 0);
		while (!td_hdlc_tx_ready(&l->tx))
			turn(l, true);
	}
	turn(l, true);
	rig_dealt(&l->rig, 1, l->sent);
	assert_int_equal(td_port_frame_recv(m, &f, in, sizeof(in), &n),
			 -EAGAIN);
	assert_int_equal(td_hdlc_tx_load(&l->tx, (void *)"again", 5), 0);
	turn(l, true);
	turn(l, true);
	rig_dealt(&l->rig, 1, l->sent);
	assert_int_equal(td_port_frame_recv(m, &f, in, sizeof(in), &n), 0);
	assert_memory_equal(in, "again", n);
	{
		struct td_port_status st;

		td_port_status(m, &st);
		assert_int_equal(st.counters.hdlc_overrun, 1);
	}
	td_card_close(monitor);
}

static void the_timeslot_can_be_moved_and_switched_off(void **state)
{
	struct link *l = *state;
	struct td_port *p = l->rig.port[1];
	uint8_t packet[RIG_PACKET];

	rig_lease(&l->rig, 1, 1);
	assert_int_equal(td_port_hdlc(p, 32), -EINVAL);
	assert_int_equal(td_port_tx_open(p, 16), -EBUSY);
	assert_int_equal(td_port_xconn(p, 1, p, 16), -EBUSY);
	assert_int_equal(td_port_hdlc(p, 31), 0);
	assert_int_equal(rig_status(&l->rig, 1).hdlc_timeslot, 31);
	rig_send(&l->rig, 1, 0);
	rig_answer(&l->rig, 1, packet);
	assert_int_equal(*rig_at(packet, 3, 16), 0xd5);
	assert_int_equal(*rig_at(packet, 3, 31), 0x7e);
	assert_int_equal(td_port_hdlc(p, 0), 0);
	assert_int_equal(td_port_hdlc_send(p, "abc", 3), -ENOLINK);
	rig_send(&l->rig, 1, 1);
	rig_answer(&l->rig, 1, packet);
	assert_int_equal(*rig_at(packet, 3, 31), 0xd5);
	assert_int_equal(td_port_tx_open(p, 16), 0);
}

#define WITH_LINK(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LINK(frames_go_both_ways_at_once),
		WITH_LINK(a_standby_hears_and_cannot_send),
		WITH_LINK(a_full_queue_refuses_and_tells_of_space),
		WITH_LINK(what_an_epoch_queued_leaves_in_it_or_never),
		WITH_LINK(a_lost_block_costs_its_frame_only),
		WITH_LINK(readers_see_both_directions_and_any_overrun),
		WITH_LINK(the_timeslot_can_be_moved_and_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
