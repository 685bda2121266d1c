// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "node/media/slot.h"
#include "node/media/sockets.h"
#include "node/media/stream.h"
#include "proto/base/queue.h"
#include "tests/unit/media/fake_card.h"
#include "tests/unit/media/signal.h"

/* The engine with a card in virtual time; RTP goes over real sockets of
 * 127.0.0.1, which deliver at once, but the clock is ours. */

enum { TS = 7, STREAMS = 2 };

struct rig {
	struct td_card *card;
	struct td_queue *commands, *done;
	struct td_engine *engine;
	struct td_slot slot;
	struct td_stream *stream[STREAMS];
	struct td_addr at[STREAMS];	/* where the streams receive */
	int phone;			/* the far end of stream 0 */
	int64_t now_ns;
	/* the exchange: sends `from`, has heard `heard` octets right */
	uint64_t from;
	uint64_t heard_base, heard, heard_wrong, heard_idle;
	bool (*lost)(uint64_t block);
	bool alarm;
	/* the phone */
	uint8_t ptime_ms, codec;
	uint64_t sent;			/* octets */
	uint16_t seq;
	uint64_t got, got_wrong, got_packets;
	uint32_t got_ts;
	uint16_t got_seq;
	bool got_any;
};

static uint8_t down(uint64_t i)		/* exchange to phone */
{
	return (i * 2654435761u >> 13 ^ i >> 5) & 0xff;
}

static uint8_t up(uint64_t i)		/* phone to exchange */
{
	return (i * 2246822519u >> 11 ^ i >> 3) & 0xff;
}

static void source(void *arg, unsigned int ts, uint64_t block, uint8_t out[8])
{
	struct rig *r = arg;

	for (int i = 0; i < 8; i++)
		out[i] = down(r->from++);
}

static void sink(void *arg, unsigned int ts, uint64_t block,
		 const uint8_t in[8])
{
	struct rig *r = arg;

	for (int i = 0; i < 8; i++) {
		uint8_t want = up(r->heard_base + r->heard);

		if (r->codec == 0)
			td_ulaw_to_alaw(&want, &want, 1);
		if (in[i] == want && (r->heard || in[i] != TD_ALAW_IDLE)) {
			r->heard++;
		} else if (in[i] == TD_ALAW_IDLE && !r->heard) {
			r->heard_idle++;
		} else {
			r->heard++;
			r->heard_wrong++;
		}
	}
}

static int flag(void *arg, uint64_t block)
{
	struct rig *r = arg;

	if (r->alarm)
		return TD_BLOCK_ALARM;
	return r->lost && r->lost(block) ? TD_BLOCK_LOST : 0;
}

static void command(struct rig *r, struct td_command *c)
{
	td_engine_do(r->engine, c, r->now_ns);
}

static void add_stream(struct rig *r, int i)
{
	struct td_stream *s = calloc(1, sizeof(*s));
	struct td_command c = { .kind = TD_COMMAND_ADD, .stream = s };
	socklen_t n = sizeof(r->at[i].in6);
	struct td_addr any;

	assert_int_equal(td_addr_parse("127.0.0.1", 0, &any), 0);
	s->end.kind = TD_END_STREAM;
	s->id = i + 1;
	s->ssrc = 0x5555;
	strcpy(s->cname, "x");
	assert_int_equal(td_socket_open(&any, &s->fd), 0);
	assert_int_equal(td_socket_open(&any, &s->fd_rtcp), 0);
	assert_int_equal(getsockname(s->fd, &r->at[i].sa, &n), 0);
	r->at[i].len = n;
	td_jitter_init(&s->jitter, 480);
	r->stream[i] = s;
	command(r, &c);
}

static void set_stream(struct rig *r, int i, bool send, bool recv)
{
	struct td_command c = {
		.kind = TD_COMMAND_SET, .stream = r->stream[i],
		.set = {
			.codec = r->codec, .ptime_ms = r->ptime_ms,
			.send = send, .recv = recv, .symmetric = true,
			.jitter_ms = 60,
		},
	};
	socklen_t n = sizeof(c.remote.in6);

	assert_int_equal(getsockname(r->phone, &c.remote.sa, &n), 0);
	c.remote.len = n;
	command(r, &c);
}

static void join(struct rig *r, struct td_end *a, struct td_end *b)
{
	struct td_command c = { .kind = TD_COMMAND_JOIN, .a = a, .b = b,
				.echo = !b };

	command(r, &c);
}

static void part(struct rig *r, struct td_end *a)
{
	struct td_command c = { .kind = TD_COMMAND_PART, .a = a };

	command(r, &c);
}

static void init_slot(struct rig *r, struct td_slot *s, unsigned int port,
		      unsigned int ts)
{
	s->end.kind = TD_END_SLOT;
	s->port = port;
	s->timeslot = ts;
	s->line = td_engine_line(r->engine, port);
}

static void new_card(struct rig *r)
{
	r->card = fake_new();
	r->card->ts = TS;
	r->card->source = source;
	r->card->sink = sink;
	r->card->flag = flag;
	r->card->arg = r;
}

static int set_up(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct td_addr any;

	new_card(r);
	r->now_ns = 1000000000;
	r->ptime_ms = 20;
	r->codec = 8;
	assert_int_equal(td_queue_new(16, &r->commands), 0);
	assert_int_equal(td_queue_new(16, &r->done), 0);
	assert_int_equal(td_engine_new(&fake_span, r->card, r->commands,
				       r->done, &r->engine), 0);
	assert_int_equal(td_addr_parse("127.0.0.1", 0, &any), 0);
	assert_int_equal(td_socket_open(&any, &r->phone), 0);
	init_slot(r, &r->slot, 1, TS);
	for (int i = 0; i < STREAMS; i++) {
		add_stream(r, i);
		set_stream(r, i, true, true);
	}
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *r = *state;

	for (int i = 0; i < STREAMS; i++) {
		struct td_command c = { .kind = TD_COMMAND_CLOSE,
					.stream = r->stream[i] };

		command(r, &c);
		close(r->stream[i]->fd);
		close(r->stream[i]->fd_rtcp);
		free(r->stream[i]);
	}
	assert_false(r->card->port[0].slot[TS].open);
	td_engine_free(r->engine);
	td_queue_free(r->commands);
	td_queue_free(r->done);
	close(r->phone);
	fake_free(r->card);
	free(r);
	return 0;
}

static void phone_sends(struct rig *r)
{
	unsigned int n = r->ptime_ms * 8;
	struct td_rtp_packet p = { .payload_type = r->codec, .seq = r->seq++,
				   .ts = r->sent + 77, .ssrc = 1 };
	uint8_t buf[TD_RTP_HEADER + 480];

	td_rtp_header(buf, &p);
	for (unsigned int i = 0; i < n; i++)
		buf[TD_RTP_HEADER + i] = up(r->sent++);
	assert_int_equal(sendto(r->phone, buf, TD_RTP_HEADER + n, 0,
				&r->at[0].sa, r->at[0].len),
			 TD_RTP_HEADER + n);
}

static void phone_hears(struct rig *r)
{
	uint8_t buf[2048];
	struct td_rtp_packet p;
	ssize_t n;

	while ((n = recv(r->phone, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		assert_int_equal(td_rtp_parse(buf, n, &p), 0);
		assert_int_equal(p.n, r->ptime_ms * 8);
		assert_int_equal(p.payload_type, r->codec);
		assert_int_equal(p.marker, !r->got_any);
		if (r->got_any) {
			assert_int_equal(p.seq, (uint16_t)(r->got_seq + 1));
			assert_int_equal(p.ts, r->got_ts + p.n);
		}
		r->got_any = true;
		r->got_seq = p.seq;
		r->got_ts = p.ts;
		r->got_packets++;
		for (size_t i = 0; i < p.n; i++) {
			uint8_t want = down(r->got++);

			if (r->codec == 0)
				td_alaw_to_ulaw(&want, &want, 1);
			r->got_wrong += p.payload[i] != want;
		}
	}
}

/* ms pass, 5 at a time; everybody's first comes `late` ms late */
static void pass(struct rig *r, unsigned int ms, unsigned int late)
{
	while (ms) {
		unsigned int step = late ? late : 5;

		late = 0;
		step = step < ms ? step : ms;
		ms -= step;
		r->now_ns += step * 1000000ll;
		fake_advance(r->card, step);
		while ((int64_t)(r->sent / 8 + r->ptime_ms) * 1000000 +
		       1000000000 <= r->now_ns)
			phone_sends(r);
		td_engine_tick(r->engine, r->now_ns);
		phone_hears(r);
	}
}

/* ---- cases ---- */

static void all_is_right(struct rig *r, unsigned int ms)
{
	assert_int_equal(r->heard_wrong, 0);
	assert_int_equal(r->got_wrong, 0);
	assert_true(r->heard + r->heard_idle <= (uint64_t)ms * 8);
	assert_true(r->heard + 120 * 8 >= (uint64_t)ms * 8);
	assert_true(r->got + 45 * 8 >= (uint64_t)ms * 8);
	assert_int_equal(r->slot.n.tx_skipped, 0);
	assert_int_equal(r->slot.n.tx_refused, 0);
	assert_int_equal(r->stream[0]->jitter.n.concealed, 0);
	/* the first block after the join may be sent before we wrote it */
	assert_true(r->card->port[0].slot[TS].underruns <= 1);
}

static void a_call_is_bit_exact_both_ways(void **state)
{
	struct rig *r = *state;

	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 120000, 0);
	all_is_right(r, 120000);
}

static void every_ptime_is_bit_exact(void **state)
{
	static const uint8_t ptime[] = { 10, 30, 40, 60 };
	struct rig *r = *state;
	unsigned int total = 0;

	for (int i = 0; i < 4; i++) {
		r->ptime_ms = ptime[i];
		r->got_any = false;
		set_stream(r, 0, true, true);
		join(r, &r->slot.end, &r->stream[0]->end);
		/* each join begins with the octets of now */
		r->got = r->from;
		r->heard = 0;
		r->heard_idle = 0;
		r->sent = r->now_ns / 125000 - 8000;
		r->heard_base = r->sent;
		total += 6000;
		r->heard_wrong = 0;
		pass(r, 6000, 0);
		assert_int_equal(r->got_wrong, 0);
		assert_int_equal(r->heard_wrong, 0);
		assert_true(r->heard > 5800 * 8);
		assert_true(r->got + ptime[i] * 8 >= r->from);
		assert_int_equal(r->stream[0]->jitter.n.late, 0);
		assert_int_equal(r->stream[0]->jitter.n.concealed, 0);
	}
	assert_int_equal(total, 24000);
}

static void mu_law_is_converted_both_ways(void **state)
{
	struct rig *r = *state;

	r->codec = 0;
	set_stream(r, 0, true, true);
	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 5000, 0);
	all_is_right(r, 5000);
}

static void pauses_of_40_ms_change_no_octet(void **state)
{
	struct rig *r = *state;

	join(r, &r->stream[0]->end, &r->slot.end);
	for (int i = 0; i < 40; i++)
		pass(r, 500 + 7 * i, i ? 40 : 0);
	assert_int_equal(r->heard_wrong, 0);
	assert_int_equal(r->got_wrong, 0);
	assert_int_equal(r->slot.n.tx_skipped, 0);
	assert_int_equal(r->stream[0]->jitter.n.concealed, 0);
}

static void a_pause_of_200_ms_loses_nothing_from_the_line(void **state)
{
	struct rig *r = *state;

	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 5000, 0);
	pass(r, 5000, 200);
	pass(r, 5000, 240);
	assert_int_equal(r->got_wrong, 0);
	assert_true(r->got + 160 >= r->from);
	assert_int_equal(r->slot.n.rx_overrun, 0);
	/* nor does what the phone sent meanwhile get lost */
	assert_int_equal(r->stream[0]->jitter.n.late, 0);
	assert_int_equal(r->stream[0]->jitter.n.dropped, 0);
}

static bool now_and_then(uint64_t block)
{
	return block > 3000 && block % 1000 < 3;
}

static void blocks_that_the_line_lost_are_concealed(void **state)
{
	struct rig *r = *state;

	r->lost = now_and_then;
	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 10000, 0);
	assert_in_range(r->slot.n.rx_lost, 20, 27);
	/* 24 octets of each gap and 32 of cross-fade at most */
	assert_in_range(r->got_wrong, 1, r->slot.n.rx_lost * 19);
	assert_true(r->got + 160 >= r->from);
}

static void an_alarm_is_silence_to_the_phone(void **state)
{
	struct rig *r = *state;
	uint8_t buf[2048];
	struct td_rtp_packet p;

	r->alarm = true;
	join(r, &r->stream[0]->end, &r->slot.end);
	fake_advance(r->card, 20);
	td_engine_tick(r->engine, r->now_ns);
	assert_true(recv(r->phone, buf, sizeof(buf), MSG_DONTWAIT) == 172);
	assert_int_equal(td_rtp_parse(buf, 172, &p), 0);
	for (size_t i = 0; i < p.n; i++)
		assert_int_equal(p.payload[i], TD_ALAW_IDLE);
	assert_int_equal(r->slot.n.rx_alarm, 20);
}

static void after_an_overrun_timestamps_show_the_hole(void **state)
{
	struct rig *r = *state;
	uint8_t buf[2048];
	struct td_rtp_packet a = { 0 }, b;
	ssize_t n;

	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 100, 0);
	a.ts = r->got_ts;
	a.seq = r->got_seq;
	fake_advance(r->card, 400);
	r->now_ns += 400 * 1000000ll;
	td_engine_tick(r->engine, r->now_ns);
	n = recv(r->phone, buf, sizeof(buf), MSG_DONTWAIT);
	assert_int_equal(td_rtp_parse(buf, n, &b), 0);
	assert_int_equal(b.seq, (uint16_t)(a.seq + 1));
	assert_int_equal(b.ts - a.ts - 160, 152 * 8);
	assert_int_equal(r->slot.n.rx_overrun, 152);
}

static void held_streams_neither_send_nor_play(void **state)
{
	struct rig *r = *state;
	uint64_t packets;

	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 1000, 0);
	packets = r->got_packets;
	set_stream(r, 0, false, false);
	pass(r, 500, 0);
	assert_int_equal(r->got_packets, packets);
	r->heard = r->heard_idle = 0;
	pass(r, 500, 0);
	assert_int_equal(r->heard, 0);
	assert_int_equal(r->heard_idle, 500 * 8);
	/* back: the talk spurt is marked, time went on */
	r->got_any = false;
	set_stream(r, 0, true, true);
	pass(r, 100, 0);
	assert_true(r->got_packets >= packets + 4);
}

static uint64_t echo_at;

static void echo_sink(void *arg, unsigned int ts, uint64_t block,
		      const uint8_t in[8])
{
	struct rig *r = arg;

	for (int i = 0; i < 8; i++) {
		if (in[i] == down(r->heard + echo_at))
			r->heard++;
		else if (!r->heard && in[i] == TD_ALAW_IDLE)
			r->heard_idle++;
		else
			r->heard_wrong++;
	}
}

static void the_echo_of_a_line_is_bit_exact(void **state)
{
	struct rig *r = *state;

	pass(r, 50, 0);
	echo_at = r->from;
	r->card->sink = echo_sink;
	r->heard = r->heard_idle = r->heard_wrong = 0;
	join(r, &r->slot.end, NULL);
	for (int i = 0; i < 20; i++)
		pass(r, 1000, i ? 40 : 0);
	assert_int_equal(r->heard_wrong, 0);
	assert_true(r->heard > 19900 * 8);
	assert_int_equal(r->slot.n.tx_skipped, 0);
	part(r, &r->slot.end);
	assert_false(r->card->port[0].slot[TS].open);
}

static void a_slot_moves_from_stream_to_stream(void **state)
{
	struct rig *r = *state;
	struct fake_slot *a = &r->card->port[0].slot[TS];

	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 100, 0);
	assert_true(r->stream[0]->in_ticked);
	join(r, &r->stream[1]->end, &r->slot.end);
	assert_null(r->stream[0]->end.peer);
	assert_ptr_equal(r->slot.end.peer, &r->stream[1]->end);
	assert_true(a->open);
	assert_false(r->stream[0]->in_ticked);
	assert_true(r->stream[1]->in_ticked);
	part(r, &r->slot.end);
	part(r, &r->slot.end);
	assert_null(r->stream[1]->end.peer);
	assert_false(a->open);
	/* the card refuses: nobody is joined, and nothing stays open */
	r->card->port[0].tx_open_rc = -EBUSY;
	join(r, &r->stream[0]->end, &r->slot.end);
	assert_null(r->stream[0]->end.peer);
	assert_null(r->slot.end.peer);
	r->card->port[0].tx_open_rc = 0;
	/* closing a stream parts it */
	join(r, &r->stream[0]->end, &r->slot.end);
	r->got_any = false;
	pass(r, 20, 0);
}

static void change_card(struct rig *r, struct td_card *card)
{
	struct td_command c = { .kind = TD_COMMAND_CARD, .card = card };

	command(r, &c);
}

static void a_slot_waits_for_the_next_card_and_goes_on(void **state)
{
	struct rig *r = *state;
	struct td_card *old = r->card;

	join(r, &r->stream[0]->end, &r->slot.end);
	pass(r, 400, 0);
	change_card(r, NULL);
	assert_false(r->slot.open || old->port[0].slot[TS].open);
	for (int i = 0; i < 100; i++) {
		r->now_ns += 20000000;
		phone_sends(r);
		td_engine_tick(r->engine, r->now_ns);
	}
	new_card(r);
	r->card->port[0].rx_block = r->card->port[0].tx_block = 5;
	change_card(r, r->card);
	fake_free(old);
	r->heard = r->heard_wrong = r->heard_idle = r->got = 0;
	r->heard_base = r->sent;	/* where the phone is by now */
	r->got_any = false;
	pass(r, 400, 0);
	assert_true(r->heard > 8 * 250 && !r->heard_wrong);
	assert_true(r->got > 8 * 250);
}

static void a_slot_may_be_joined_and_parted_without_a_card(void **state)
{
	struct rig *r = *state;

	change_card(r, NULL);
	join(r, &r->stream[0]->end, &r->slot.end);
	assert_false(r->slot.open);
	change_card(r, r->card);
	pass(r, 400, 0);
	assert_true(r->heard > 8 * 250 && !r->heard_wrong);
	change_card(r, NULL);
	part(r, &r->slot.end);
	change_card(r, r->card);
	assert_false(r->slot.open);
	join(r, &r->slot.end, NULL);	/* echo */
	change_card(r, NULL);
	change_card(r, r->card);
	assert_true(r->slot.open && r->slot.end.echo);
	part(r, &r->slot.end);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_call_is_bit_exact_both_ways),
		CASE(every_ptime_is_bit_exact),
		CASE(mu_law_is_converted_both_ways),
		CASE(pauses_of_40_ms_change_no_octet),
		CASE(a_pause_of_200_ms_loses_nothing_from_the_line),
		CASE(blocks_that_the_line_lost_are_concealed),
		CASE(an_alarm_is_silence_to_the_phone),
		CASE(after_an_overrun_timestamps_show_the_hole),
		CASE(held_streams_neither_send_nor_play),
		CASE(the_echo_of_a_line_is_bit_exact),
		CASE(a_slot_moves_from_stream_to_stream),
		CASE(a_slot_waits_for_the_next_card_and_goes_on),
		CASE(a_slot_may_be_joined_and_parted_without_a_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
