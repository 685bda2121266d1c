// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "node/media/join.h"
#include "node/media/sockets.h"
#include "node/media/spanops.h"
#include "node/media/stream.h"
#include "proto/base/queue.h"

/* two streams in the engine, no card; datagrams are handed in, what is sent
 * goes to sockets of 127.0.0.1, the clock is ours */

enum { RTP, RTCP };

struct rig {
	struct td_queue *commands, *done;
	struct td_engine *engine;
	struct td_stream *stream[2];
	int phone[2][2];		/* RTP, RTCP sockets */
	struct td_addr phone_at[2][2];
	int64_t now_ns;
};

static void bind_any(int *fd, struct td_addr *at)
{
	socklen_t n = sizeof(at->in6);
	struct td_addr any;

	assert_int_equal(td_addr_parse("127.0.0.1", 0, &any), 0);
	assert_int_equal(td_socket_open(&any, fd), 0);
	assert_int_equal(getsockname(*fd, &at->sa, &n), 0);
	at->len = n;
}

static void command(struct rig *r, struct td_command c)
{
	td_engine_do(r->engine, &c, r->now_ns);
}

static void set(struct rig *r, int i, uint8_t codec, uint8_t dtmf)
{
	struct td_command c = {
		.kind = TD_COMMAND_SET, .stream = r->stream[i],
		.remote = r->phone_at[i][RTP],
		.set = {
			.codec = codec, .dtmf_payload = dtmf, .ptime_ms = 20,
			.send = true, .recv = true, .symmetric = true,
			.jitter_ms = 60,
		},
	};

	command(r, c);
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	r->now_ns = 5000000000;
	assert_int_equal(td_queue_new(16, &r->commands), 0);
	assert_int_equal(td_queue_new(16, &r->done), 0);
	assert_int_equal(td_engine_new(&td_media_span, NULL, r->commands,
				       r->done, &r->engine), 0);
	for (int i = 0; i < 2; i++) {
		struct td_stream *s = calloc(1, sizeof(*s));
		struct td_addr at;

		s->end.kind = TD_END_STREAM;
		s->id = s->ssrc = i + 1;
		s->seq = 65530;
		strcpy(s->cname, "cname");
		bind_any(&s->fd, &at);
		bind_any(&s->fd_rtcp, &at);
		bind_any(&r->phone[i][RTP], &r->phone_at[i][RTP]);
		bind_any(&r->phone[i][RTCP], &r->phone_at[i][RTCP]);
		td_jitter_init(&s->jitter, 480);
		r->stream[i] = s;
		command(r, (struct td_command){ .kind = TD_COMMAND_ADD,
						.stream = s });
		set(r, i, 8, 101);
	}
	*state = r;
	return 0;
}

static void close_stream(struct rig *r, int i)
{
	struct td_stream *s = r->stream[i];

	if (!s)
		return;
	command(r, (struct td_command){ .kind = TD_COMMAND_CLOSE,
					.stream = s });
	close(s->fd);
	close(s->fd_rtcp);
	free(s);
	r->stream[i] = NULL;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < 2; i++) {
		close_stream(r, i);
		close(r->phone[i][RTP]);
		close(r->phone[i][RTCP]);
	}
	td_engine_free(r->engine);
	td_queue_free(r->commands);
	td_queue_free(r->done);
	free(r);
	return 0;
}

static void join(struct rig *r)
{
	command(r, (struct td_command){
		.kind = TD_COMMAND_JOIN, .a = &r->stream[0]->end,
		.b = &r->stream[1]->end });
}

/* a packet from phone i */
static void hand_in(struct rig *r, int i, uint8_t type, uint16_t seq,
		    uint32_t ts, uint32_t ssrc)
{
	struct td_rtp_packet p = { .payload_type = type, .seq = seq,
				   .ts = ts, .ssrc = ssrc };
	struct td_turn *t = td_engine_now(r->engine, r->now_ns);
	uint8_t buf[TD_RTP_HEADER + 160];

	td_rtp_header(buf, &p);
	memset(buf + TD_RTP_HEADER, (uint8_t)seq, 160);
	td_stream_packet(r->stream[i], t, &r->phone_at[i][RTP], buf,
			 type == 101 ? TD_RTP_HEADER + 4 : sizeof(buf));
	td_outbox_flush(t->out);
}

/* @return false: nothing came */
static bool heard(struct rig *r, int i, struct td_rtp_packet *p)
{
	static uint8_t buf[2048];
	ssize_t n = recv(r->phone[i][RTP], buf, sizeof(buf), MSG_DONTWAIT);

	if (n <= 0)
		return false;
	assert_int_equal(td_rtp_parse(buf, n, p), 0);
	return true;
}

static void holes_and_order_are_passed_on(void **state)
{
	static const int order[] = { 0, 1, 3, 2, 2, 5, 6, 9, 8 };
	struct rig *r = *state;
	struct td_rtp_packet p, first = { 0 };

	join(r);
	/* one that is older than the first can not be placed */
	for (unsigned int k = 0; k < 9; k++) {
		hand_in(r, 0, 8, 100 + order[k], 160 * order[k], 77);
		if (k == 4) {		/* the duplicate is not passed on */
			assert_false(heard(r, 1, &p));
			continue;
		}
		assert_true(heard(r, 1, &p));
		if (!k)
			first = p;
		assert_int_equal((uint16_t)(p.seq - first.seq), order[k]);
		assert_int_equal(p.ts - first.ts, 160 * order[k]);
		assert_int_equal(p.ssrc, 2);
		assert_int_equal(p.marker, k == 0);
		assert_int_equal(p.payload[0], 100 + order[k]);
		r->now_ns += 20000000;
	}
	assert_int_equal(first.seq, 65530);
	hand_in(r, 0, 8, 99, -160, 77);
	assert_false(heard(r, 1, &p));
}

static void a_new_source_goes_on_in_the_same_numbers(void **state)
{
	struct rig *r = *state;
	struct td_rtp_packet p, last;

	join(r);
	for (int k = 0; k < 10; k++) {
		hand_in(r, 0, 8, 100 + k, 160 * k, 77);
		assert_true(heard(r, 1, &last));
		r->now_ns += 20000000;
	}
	/* transfer at the far end: another SSRC after a pause of 2 s */
	r->now_ns += 2000000000;
	hand_in(r, 0, 8, 30000, 123456, 78);
	assert_true(heard(r, 1, &p));
	assert_int_equal(p.seq, (uint16_t)(last.seq + 1));
	assert_in_range(p.ts - last.ts, 16000, 16400);
	assert_true(p.marker);
	assert_int_equal(p.ssrc, last.ssrc);
}

static void digits_keep_their_meaning_under_another_number(void **state)
{
	struct rig *r = *state;
	struct td_rtp_packet p;

	set(r, 1, 0, 96);
	join(r);
	hand_in(r, 0, 101, 1, 0, 77);
	assert_true(heard(r, 1, &p));
	assert_int_equal(p.payload_type, 96);
	assert_int_equal(p.n, 4);
	hand_in(r, 0, 13, 2, 160, 77);		/* comfort noise */
	assert_true(heard(r, 1, &p));
	assert_int_equal(p.payload_type, 13);
	hand_in(r, 0, 18, 3, 320, 77);		/* was never agreed */
	assert_false(heard(r, 1, &p));
	set(r, 1, 0, 0);			/* takes no digits */
	hand_in(r, 0, 101, 4, 480, 77);
	assert_false(heard(r, 1, &p));
	assert_int_equal(r->stream[0]->n.rx_events, 2);
	assert_int_equal(r->stream[0]->n.rx_other, 2);
}

static void strangers_are_counted_and_not_heard(void **state)
{
	struct rig *r = *state;
	struct td_rtp_packet p;

	join(r);
	hand_in(r, 0, 8, 1, 0, 77);
	assert_true(heard(r, 1, &p));
	/* the same packets from another socket */
	r->phone_at[0][RTP] = r->phone_at[0][RTCP];
	hand_in(r, 0, 8, 2, 160, 77);
	hand_in(r, 0, 8, 3, 320, 77);
	assert_false(heard(r, 1, &p));
	assert_int_equal(r->stream[0]->n.rx_foreign, 2);
}

/* ---- RTCP ---- */

static size_t reported(struct rig *r, int i, uint8_t buf[2048])
{
	ssize_t n = recv(r->phone[i][RTCP], buf, 2048, MSG_DONTWAIT);

	return n > 0 ? n : 0;
}

static void hand_in_report(struct rig *r, int i, bool sr)
{
	struct td_rtcp_out out = {
		.ssrc = 77, .sr = sr, .ntp = 0x1122334455667788ull,
		.packets = 3, .cname = "phone",
	};
	uint8_t buf[TD_RTCP_MAX];
	size_t n = td_rtcp_build(&out, buf);

	td_report_packet(r->stream[i], r->now_ns, &r->phone_at[i][RTCP], buf,
			 n);
}

static void reports_are_sent_every_few_seconds(void **state)
{
	struct rig *r = *state;
	uint8_t buf[2048];
	struct td_rtp_packet p;
	struct td_rtcp_in in;
	int64_t last_ns = r->now_ns;
	unsigned int reports = 0;
	size_t n;

	join(r);
	hand_in_report(r, 1, true);	/* shows the phone's RTCP port */
	for (int k = 0; k < 3000; k++) {
		if (k % 10)
			hand_in(r, 0, 8, k, 160 * k, 77);
		hand_in(r, 1, 8, k, 160 * k, 77);
		while (heard(r, 1, &p) || heard(r, 0, &p))
			;
		if (k % 5 == 0)
			td_engine_house(r->engine, r->now_ns);
		n = reported(r, 1, buf);
		if (n) {
			int64_t gap = (r->now_ns - last_ns) / 1000000;

			assert_in_range(gap, reports ? 2500 : 1250,
					reports ? 7600 : 3850);
			last_ns = r->now_ns;
			reports++;
			assert_int_equal(td_rtcp_parse(buf, n, 77, &in), 0);
			assert_true(in.sr);
		}
		r->now_ns += 20000000;
	}
	assert_in_range(reports, 8, 24);
}

static void a_report_says_what_was_received_and_sent(void **state)
{
	struct rig *r = *state;
	uint8_t buf[2048];
	struct td_rtcp_in in;
	size_t n;

	join(r);
	for (int k = 0; k < 40; k++)
		if (k % 4)
			hand_in(r, 0, 8, k, 160 * k, 77);
	hand_in(r, 1, 8, 9, 0, 66);
	hand_in_report(r, 0, true);
	r->now_ns += 4000000000;
	td_engine_house(r->engine, r->now_ns);
	n = reported(r, 0, buf);
	assert_int_equal(td_rtcp_parse(buf, n, 77, &in), 0);
	assert_true(in.sr);		/* one packet went to phone 0 */
	assert_int_equal(in.ssrc, 1);
	assert_true(in.has_block);
	assert_int_equal(in.block.lost, 9);	/* the first came as 1 */
	assert_int_equal(in.block.highest, 39);
	assert_int_equal(in.block.lsr, 0x33445566);
	assert_int_equal(in.block.dlsr, 4 << 16);
	/* nothing was sent since: a receiver report, then the end */
	r->now_ns += 8000000000;
	td_engine_house(r->engine, r->now_ns);
	n = reported(r, 0, buf);
	assert_int_equal(td_rtcp_parse(buf, n, 77, &in), 0);
	assert_false(in.sr || in.bye);
	close_stream(r, 0);
	n = reported(r, 0, buf);
	assert_int_equal(td_rtcp_parse(buf, n, 77, &in), 0);
	assert_true(in.bye);
}

static void foreign_and_broken_reports_are_counted(void **state)
{
	struct rig *r = *state;
	struct td_addr other;
	uint8_t buf[64] = { 0 };

	assert_int_equal(td_addr_parse("127.0.0.2", 9, &other), 0);
	td_report_packet(r->stream[0], r->now_ns, &r->phone_at[0][RTCP], buf,
			 sizeof(buf));
	assert_int_equal(r->stream[0]->n.rtcp_bad, 1);
	r->phone_at[0][RTCP] = other;
	hand_in_report(r, 0, true);
	assert_int_equal(r->stream[0]->n.rx_foreign, 1);
	assert_int_equal(r->stream[0]->n.rtcp_in, 0);
}

/* seeded: mutated packets from the right address, relayed, echoed; every
 * packet that leaves is well formed */
static void mutated_packets_do_no_harm(void **state)
{
	struct rig *r = *state;
	struct td_turn *t = td_engine_now(r->engine, r->now_ns);
	unsigned int seed = 42;
	struct td_rtp_packet p;

	join(r);
	for (int i = 0; i < 20000; i++) {
		size_t n = rand_r(&seed) % 4 ? 172 : rand_r(&seed) % 2100;
		struct td_rtp_packet h = {
			.payload_type = rand_r(&seed) % 8 ? 8 : rand_r(&seed),
			.seq = i, .ts = 160 * i, .ssrc = 77,
		};
		uint8_t *buf = malloc(n + TD_RTP_HEADER);

		td_rtp_header(buf, &h);
		for (size_t k = TD_RTP_HEADER; k < n; k++)
			buf[k] = rand_r(&seed);
		for (int k = rand_r(&seed) % 4; k && n; k--)
			buf[rand_r(&seed) % (n < 16 ? n : 16)] =
				rand_r(&seed);
		t->now_ns += 1000000;
		td_stream_packet(r->stream[0], t, &r->phone_at[0][RTP], buf,
				 n);
		td_report_packet(r->stream[0], t->now_ns,
				 &r->phone_at[0][RTCP], buf, n);
		td_outbox_flush(t->out);
		while (heard(r, 1, &p))
			assert_int_equal(p.ssrc, 2);
		free(buf);
	}
	assert_true(r->stream[0]->n.rx_malformed > 100);
	assert_true(r->stream[0]->n.rx_packets > 1000);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(holes_and_order_are_passed_on),
		CASE(a_new_source_goes_on_in_the_same_numbers),
		CASE(digits_keep_their_meaning_under_another_number),
		CASE(strangers_are_counted_and_not_heard),
		CASE(reports_are_sent_every_few_seconds),
		CASE(a_report_says_what_was_received_and_sent),
		CASE(foreign_and_broken_reports_are_counted),
		CASE(mutated_packets_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
