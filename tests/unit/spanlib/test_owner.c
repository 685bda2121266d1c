// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanlib/rig.h"

#include <sys/mman.h>
#include <sys/un.h>

#include "spanctl/lib/card.h"

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

static void send_some(struct rig *r, uint16_t *seq, int n)
{
	uint64_t before = rig_status(r, 1).counters.rx_packets;

	for (int i = 0; i < n; i++)
		rig_send(r, 1, (*seq)++);
	rig_dealt(r, 1, before + (uint64_t)n);
}

static int answers(struct rig *r)
{
	int n = 0;

	while (!rig_silent(r, 1))
		n++;
	return n;
}

static void it_sends_between_lease_and_its_end_only(void **state)
{
	struct rig *r = *state;
	uint16_t seq = 0;

	send_some(r, &seq, 30);
	assert_int_equal(answers(r), 0);
	assert_false(rig_status(r, 1).tx_on);
	rig_lease(r, 1, 4);
	assert_true(rig_status(r, 1).tx_on);
	assert_int_equal(rig_status(r, 1).epoch, 4);
	send_some(r, &seq, 30);
	assert_int_equal(answers(r), 30);
	assert_int_equal(td_port_lease_end(r->port[1], 4), 0);
	assert_false(rig_status(r, 1).tx_on);
	send_some(r, &seq, 30);
	assert_int_equal(answers(r), 0);
	assert_int_equal(rig_status(r, 1).counters.tx_blocked, 60);
	assert_int_equal(td_port_lease(r->port[1], 4,
				       rig_now_ns() + 1000000000), -ESTALE);
	assert_int_equal(td_port_lease(r->port[1], 3,
				       rig_now_ns() + 1000000000), -ESTALE);
	/* the other port has a lease of its own */
	assert_int_equal(td_port_lease(r->port[2], 3,
				       rig_now_ns() + 1000000000), 0);
	assert_int_equal(rig_status(r, 1).counters.lease_lapsed, 0);
}

static void the_clock_ends_a_lease_and_its_epoch(void **state)
{
	struct rig *r = *state;
	int64_t end = rig_now_ns() + 30000000;
	uint16_t seq = 0;

	assert_int_equal(td_port_lease(r->port[1], 9, end), 0);
	while (rig_now_ns() < end)
		rig_nap();
	assert_false(rig_status(r, 1).tx_on);
	send_some(r, &seq, 30);
	assert_int_equal(answers(r), 0);
	assert_int_equal(rig_status(r, 1).counters.lease_lapsed, 1);
	/* whoever takes next is told what is too old */
	assert_int_equal(rig_status(r, 1).epoch, 9);
	assert_int_equal(rig_status(r, 1).lease_end_ns, 0);
	assert_int_equal(td_port_lease(r->port[1], 9,
				       rig_now_ns() + 1000000000), -ESTALE);
	assert_int_equal(td_port_lease(r->port[1], 10, end), -ESTALE);
	rig_lease(r, 1, 11);
	send_some(r, &seq, 5);
	assert_int_equal(answers(r), 5);
}

static void a_lease_that_ends_while_nothing_comes_raises_the_event(void **state)
{
	struct rig *r = *state;
	struct pollfd pfd = { .fd = td_port_event_fd(r->port[1]),
			      .events = POLLIN };

	assert_int_equal(td_port_lease(r->port[1], 9,
				       rig_now_ns() + 30000000), 0);
	rig_until(poll(&pfd, 1, 0) == 1);
	td_port_event_clear(r->port[1]);
	rig_until(rig_status(r, 1).lease_end_ns == 0);
	rig_until(poll(&pfd, 1, 0) == 1);
	assert_int_equal(rig_status(r, 1).counters.lease_lapsed, 1);
}

static void a_card_that_stood_still_past_the_end_sends_nothing(void **state)
{
	struct rig *r = *state;
	int64_t end, t0;
	uint16_t seq = 0;

	send_some(r, &seq, 1);
	end = rig_now_ns() + 200000000;
	assert_int_equal(td_port_lease(r->port[1], 2, end), 0);
	kill(r->pid, SIGSTOP);
	for (int i = 0; i < 40; i++)
		rig_send(r, 1, seq++);
	/* its user waits once, and not again while it stands */
	t0 = rig_now_ns();
	assert_int_equal(td_port_lease(r->port[1], 2, end), -ETIMEDOUT);
	assert_true(rig_now_ns() - t0 >= TD_CARD_WAIT_MS * 1000000LL);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(td_port_lease(r->port[1], 2, end),
				 -ETIMEDOUT);
	assert_true(rig_now_ns() - t0 < 100 * TD_CARD_WAIT_MS * 1000000LL);
	while (rig_now_ns() < end)
		rig_nap();
	assert_false(rig_status(r, 1).tx_on);
	kill(r->pid, SIGCONT);
	rig_dealt(r, 1, 41);
	assert_int_equal(answers(r), 0);
	assert_int_equal(rig_status(r, 1).counters.tx_blocked, 41);
	/* and its socket is in step again */
	rig_until(td_port_lease(r->port[1], 3, rig_now_ns() + 9000000000) ==
		  0);
	send_some(r, &seq, 3);
	assert_int_equal(answers(r), 3);
}

static void an_owner_that_is_killed_leaves_silence(void **state)
{
	struct rig *r = *state;
	struct td_card *mine = r->owner, *monitor;
	uint16_t seq = 0;
	int ready[2];
	char c;
	pid_t pid;

	td_card_close(mine);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		while (rig_open(r))
			rig_nap();
		if (td_port_lease(r->port[1], 6, rig_now_ns() + 50000000000) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(td_card_open(r->sock, TD_CARD_MONITOR, &monitor), 0);
	r->port[1] = td_card_port(monitor, 1);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 10);
	assert_true(rig_status(r, 1).tx_on);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 0);
	assert_false(rig_status(r, 1).tx_on);
	td_card_close(monitor);
	rig_until(rig_open(r) == 0);
	assert_int_equal(rig_status(r, 1).epoch, 6);
	assert_int_equal(td_port_lease(r->port[1], 6,
				       rig_now_ns() + 1000000000), -ESTALE);
	rig_lease(r, 1, 7);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 10);
	close(ready[0]);
	close(ready[1]);
}

static void one_owner_and_a_bounded_number_of_monitors(void **state)
{
	struct rig *r = *state;
	struct td_card *m[TD_SPAN_MONITORS_MAX], *more = NULL;
	struct td_port *p;
	uint8_t cell[8] = { 0 };

	assert_int_equal(td_card_open(r->sock, TD_CARD_OWNER, &more), -EBUSY);
	for (int i = 0; i < TD_SPAN_MONITORS_MAX; i++)
		assert_int_equal(td_card_open(r->sock, TD_CARD_MONITOR, &m[i]),
				 0);
	assert_int_equal(td_card_open(r->sock, TD_CARD_MONITOR, &more),
			 -EBUSY);
	assert_null(more);
	assert_int_equal(td_card_ports(m[0]), RIG_PORTS);
	assert_null(td_card_port(m[0], 0));
	assert_null(td_card_port(m[0], RIG_PORTS + 1));
	p = td_card_port(m[0], 1);
	assert_int_equal(td_port_lease(p, 9, rig_now_ns() + 1000000000),
			 -EPERM);
	assert_int_equal(td_port_lease_end(p, 9), -EPERM);
	assert_int_equal(td_port_hdlc(p, 16), -EPERM);
	assert_int_equal(td_port_hdlc_send(p, "abc", 3), -EPERM);
	assert_int_equal(td_port_tx_open(p, 1), -EPERM);
	td_port_tx_close(p, 1);
	assert_int_equal(td_port_tx(p, 1, 1, cell), -EPERM);
	assert_int_equal(td_port_xconn(p, 1, p, 2), -EPERM);
	/* its memory cannot be written even on purpose */
	assert_int_not_equal(mprotect(m[0]->base, m[0]->length,
				      PROT_READ | PROT_WRITE), 0);
	for (int i = 0; i < TD_SPAN_MONITORS_MAX; i++)
		td_card_close(m[i]);
	rig_until(td_card_open(r->sock, TD_CARD_MONITOR, &more) == 0);
	td_card_close(more);
}

static void the_operators_switch_is_over_every_lease(void **state)
{
	struct rig *r = *state;
	struct td_card *monitor;
	uint16_t seq = 0;

	assert_int_equal(td_card_open(r->sock, TD_CARD_MONITOR, &monitor), 0);
	rig_lease(r, 1, 1);
	assert_int_equal(td_port_inhibit(td_card_port(monitor, 1), true), 0);
	assert_false(rig_status(r, 1).tx_on);
	assert_true(rig_status(r, 1).tx_inhibited);
	rig_lease(r, 1, 1);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 0);
	assert_int_equal(rig_status(r, 1).counters.tx_inhibited, 10);
	assert_int_equal(td_port_inhibit(td_card_port(monitor, 1), false), 0);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 10);
	/* it gives no lease */
	assert_int_equal(td_port_lease_end(r->port[1], 1), 0);
	assert_int_equal(td_port_inhibit(td_card_port(monitor, 1), false), 0);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 0);
	td_card_close(monitor);
}

static void a_card_that_ends_is_seen(void **state)
{
	struct rig *r = *state;
	struct pollfd pfd = { .fd = td_card_fd(r->owner), .events = POLLIN };

	rig_lease(r, 1, 1);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	assert_int_equal(poll(&pfd, 1, 0), 1);
	assert_int_equal(rig_status(r, 1).alarms, TD_ALARM_LOS);
	assert_false(rig_status(r, 1).tx_on);
	assert_int_equal(td_port_lease(r->port[1], 1,
				       rig_now_ns() + 1000000000), -ENOTCONN);
	td_card_close(r->owner);
	/* the next one takes the place of the socket that is left */
	rig_spawn(r);
	rig_until(rig_open(r) == 0);
}

static int raw_connect(struct rig *r)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", r->sock);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void requests_that_make_no_sense_are_refused(void **state)
{
	struct rig *r = *state;
	struct td_span_req req = { .size = sizeof(req), .abi = TD_SPAN_ABI + 1,
				   .op = TD_SPAN_HELLO, .a = 1 };
	struct td_span_rep rep;
	uint32_t s = 1;
	char c;
	int fd = raw_connect(r);

	assert_int_equal(write(fd, &req, sizeof(req)), sizeof(req));
	assert_int_equal(read(fd, &rep, sizeof(rep)), sizeof(rep));
	assert_int_equal(rep.status, -EPROTO);
	req.op = TD_SPAN_LEASE;		/* without having said hello */
	assert_int_equal(write(fd, &req, sizeof(req)), sizeof(req));
	assert_int_equal(read(fd, &rep, sizeof(rep)), sizeof(rep));
	assert_int_equal(rep.status, -EPROTO);
	assert_int_equal(write(fd, &req, 7), 7);
	assert_int_equal(read(fd, &c, 1), 0);	/* hung up */
	close(fd);
	for (int i = 0; i < 3000; i++) {
		uint32_t *w = (uint32_t *)&req;

		for (size_t k = 0; k < sizeof(req) / 4; k++)
			w[k] = (s = s * 1664525 + 1013904223) >> 8 & 0x1f;
		req.op = 2 + req.op % 9;
		if (req.op == TD_SPAN_INHIBIT || req.op == TD_SPAN_WAKE)
			continue;
		td_card_request(r->owner, &req);
	}
	rig_lease(r, 1, 1ull << 40);
}

static void an_owner_that_scribbles_harms_only_itself(void **state)
{
	struct rig *r = *state;
	uint16_t seq = 0;
	uint32_t s = 99;

	assert_int_equal(td_port_hdlc(r->port[1], 16), 0);
	rig_lease(r, 1, 1);
	for (int round = 0; round < 40; round++) {
		uint32_t *w = r->owner->base;
		size_t n = r->owner->length / 4;

		for (size_t k = 0; k < n; k += 1 + s % 7)
			w[k] = (s = s * 1664525 + 1013904223);
		/* the harder case: values that are nearly right */
		r->port[1]->owner->hdlc_head =
			r->port[1]->status->hdlc_tail + s % 9000;
		for (int i = 0; i < 10; i++)
			rig_send(r, 1, seq++);
		for (int i = 0; i < 10; i++) {
			uint8_t got[RIG_PACKET];

			assert_int_equal(rig_answer(r, 1, got),
					 (uint16_t)(seq - 10 + i));
		}
	}
	/* the next owner finds all in order */
	td_card_close(r->owner);
	rig_until(rig_open(r) == 0);
	rig_lease(r, 1, 2);
	send_some(r, &seq, 10);
	assert_int_equal(answers(r), 10);
	assert_int_equal(rig_status(r, 1).rx_block, 65536 + seq);
}

#define WITH_CARD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CARD(it_sends_between_lease_and_its_end_only),
		WITH_CARD(the_clock_ends_a_lease_and_its_epoch),
		WITH_CARD(
		    a_lease_that_ends_while_nothing_comes_raises_the_event),
		WITH_CARD(a_card_that_stood_still_past_the_end_sends_nothing),
		WITH_CARD(an_owner_that_is_killed_leaves_silence),
		WITH_CARD(one_owner_and_a_bounded_number_of_monitors),
		WITH_CARD(the_operators_switch_is_over_every_lease),
		WITH_CARD(a_card_that_ends_is_seen),
		WITH_CARD(requests_that_make_no_sense_are_refused),
		WITH_CARD(an_owner_that_scribbles_harms_only_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
