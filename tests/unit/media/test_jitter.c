// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/media/jitter.h"
#include "tests/unit/media/signal.h"

/* A sender, a network and a line in virtual time. The unit is the octet of
 * the line, 125 us. */

enum {
	MS = 8,
	SECOND = 8000,
	PACKET = 160,
	LEAD = 10 * MS,
	AHEAD = 120 * MS,
	TICK = 5 * MS,
	FLIGHT = 4096,
	START_TS = 4294900000u,	/* wraps on the way */
};

struct flight {
	uint64_t at;		/* arrives */
	uint64_t first;		/* its first octet */
};

struct sim {
	struct td_jitter j;
	uint8_t (*octet)(uint64_t i);
	double ppm;		/* the sender's clock is faster by */
	/* the network: ticks of delay for packet i, < 0: lost */
	int64_t (*delay)(struct sim *s, uint64_t i);
	/* the line stands still for some time and then makes up for it */
	uint64_t (*pause)(uint64_t now);
	unsigned int seed;
	uint64_t sent;		/* packets */
	uint64_t now, written;	/* line: sent, handed out */
	struct flight flight[FLIGHT];
	unsigned int n_flight;
	/* what came out */
	void (*out)(struct sim *s, const uint8_t *octets, size_t n);
	uint64_t outs;
	/* for checks */
	uint64_t good, expect, wrong;
	int last;
	int step_max;
	bool any;
	int32_t slack_min, slack_max;
};

static void sim_init(struct sim *s, uint8_t (*octet)(uint64_t), int depth_ms)
{
	memset(s, 0, sizeof(*s));
	td_jitter_init(&s->j, depth_ms * MS);
	s->octet = octet;
	s->seed = 1;
	s->now = 1000;
	s->written = s->now;
	s->slack_min = INT32_MAX;
	s->slack_max = INT32_MIN;
}

static void send_due(struct sim *s, uint64_t real)
{
	for (;;) {
		double at = s->sent * PACKET / (1 + s->ppm * 1e-6);
		int64_t d;

		if (at > real)
			return;
		d = s->delay ? s->delay(s, s->sent) : 0;
		if (d >= 0) {
			assert_true(s->n_flight < FLIGHT);
			s->flight[s->n_flight++] = (struct flight){
				(uint64_t)at + d, s->sent * PACKET,
			};
		}
		s->sent++;
	}
}

static void deliver(struct sim *s, uint64_t real)
{
	for (;;) {
		unsigned int best = s->n_flight;
		uint8_t buf[PACKET];

		for (unsigned int i = 0; i < s->n_flight; i++)
			if (s->flight[i].at <= real &&
			    (best == s->n_flight ||
			     s->flight[i].at < s->flight[best].at))
				best = i;
		if (best == s->n_flight)
			return;
		for (int i = 0; i < PACKET; i++)
			buf[i] = s->octet(s->flight[best].first + i);
		td_jitter_put(&s->j, s->now, s->written - s->now,
			      START_TS + s->flight[best].first, buf, PACKET);
		if (s->j.slack < s->slack_min)
			s->slack_min = s->j.slack;
		if (s->j.slack > s->slack_max)
			s->slack_max = s->j.slack;
		s->flight[best] = s->flight[--s->n_flight];
	}
}

/* as the slot does it */
static void fill(struct sim *s)
{
	uint8_t buf[AHEAD];

	while (s->written < s->now + AHEAD) {
		size_t n = td_jitter_ready(&s->j) / 8 * 8;

		if (!n && s->written >= s->now + LEAD)
			return;
		if (!n)
			n = 8;
		if (n > s->now + AHEAD - s->written)
			n = s->now + AHEAD - s->written;
		td_jitter_get(&s->j, buf, n);
		s->out(s, buf, n);
		s->outs += n;
		s->written += n;
	}
}

static void sim_run(struct sim *s, uint64_t octets)
{
	for (uint64_t end = s->now + octets; s->now < end;) {
		uint64_t real = s->now + TICK;

		/* a pause of the machine: nobody runs, then everybody does */
		if (s->pause)
			real += s->pause(s->now);
		s->now = real;
		if (s->written < s->now + 8) {
			uint64_t n = s->now + 8 - s->written;
			uint64_t grown = s->j.n.grown;

			/* idle on the line, in the place of octets or (when
			 * it made the delay grow) between them */
			td_jitter_skip(&s->j, n);
			if (s->any)
				s->expect += n - (s->j.n.grown - grown);
			s->written = s->now + 8;
		}
		send_due(s, real - 1000);
		deliver(s, real - 1000);
		fill(s);
	}
}

/* ---- signals and checks ---- */

static uint8_t noise(uint64_t i)
{
	uint64_t x = i * 0x9e3779b97f4a7c15ull;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ull;
	return x >> 32;
}

/* 1004 Hz: no whole number of samples is its period */
static uint8_t tone(uint64_t i)
{
	return sine_at(i, 1004, 8000);
}

static uint8_t speech_like(uint64_t i)
{
	/* a second of tone, a second of nearly nothing */
	return i / SECOND % 2 ? (i % 3 ? 0xd5 : 0x55) : sine_at(i, 437, 9000);
}

/* the octets of the sender, from the first to the last, and nothing else
 * but silence before them */
static void must_be_noise(struct sim *s, const uint8_t *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!s->good && o[i] != noise(0)) {
			assert_int_equal(o[i], TD_ALAW_IDLE);
			continue;
		}
		if (o[i] != noise(s->good))
			s->wrong++;
		s->good++;
	}
}

/* octets of the sender in their places, some replaced */
static void count_noise(struct sim *s, const uint8_t *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!s->any && o[i] == TD_ALAW_IDLE)
			continue;
		s->any = true;
		if (o[i] == noise(s->expect++))
			s->good++;
		else
			s->wrong++;
	}
}

static void watch_steps(struct sim *s, const uint8_t *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int v = td_alaw_linear(o[i]), d = abs(v - s->last);

		if (s->any && d > s->step_max)
			s->step_max = d;
		s->last = v;
		s->any = s->any || abs(v) > 2000;
	}
}

/* ---- networks ---- */

static int64_t jittery(struct sim *s, uint64_t i)
{
	return rand_r(&s->seed) % (30 * MS);	/* reorders, too */
}

static int64_t lossy(struct sim *s, uint64_t i)
{
	return rand_r(&s->seed) % 100 < 1 ? -1 : 0;
}

/* two lines of Ethernet, one slower: every 50th packet overtaken by two */
static int64_t reordering(struct sim *s, uint64_t i)
{
	return i % 50 == 49 ? 45 * MS : 2 * MS;
}

static uint64_t pauses_40(uint64_t now)
{
	return now / TICK % 997 == 0 ? 40 * MS : 0;
}

/* ---- cases ---- */

static void minutes_without_drift_are_bit_exact(void **state)
{
	struct sim s;

	sim_init(&s, noise, 60);
	s.out = must_be_noise;
	sim_run(&s, 600 * SECOND);
	assert_int_equal(s.wrong, 0);
	assert_true(s.good > 599 * SECOND);
	assert_int_equal(s.j.n.concealed, 0);
	assert_int_equal(s.j.n.corrections, 0);
	assert_int_equal(s.j.n.late, 0);
}

static void jitter_below_the_depth_is_bit_exact(void **state)
{
	struct sim s;

	sim_init(&s, noise, 60);
	s.out = must_be_noise;
	s.delay = jittery;
	sim_run(&s, 600 * SECOND);
	assert_int_equal(s.wrong, 0);
	assert_true(s.good > 599 * SECOND);
	assert_int_equal(s.j.n.corrections, 0);
}

static void reordering_is_put_right(void **state)
{
	struct sim s;

	sim_init(&s, noise, 60);
	s.out = must_be_noise;
	s.delay = reordering;
	sim_run(&s, 60 * SECOND);
	assert_int_equal(s.wrong, 0);
	assert_true(s.good > 59 * SECOND);
}

static void pauses_of_40_ms_are_bit_exact(void **state)
{
	struct sim s;

	sim_init(&s, noise, 60);
	s.out = must_be_noise;
	s.pause = pauses_40;
	sim_run(&s, 600 * SECOND);
	assert_int_equal(s.wrong, 0);
	assert_true(s.good > 599 * SECOND);
	assert_int_equal(s.j.n.concealed, 0);
	assert_int_equal(s.j.n.corrections, 0);
}

static void a_lost_packet_costs_what_it_held_and_no_more(void **state)
{
	struct sim s;
	uint64_t lost;

	sim_init(&s, noise, 60);
	s.out = count_noise;
	s.delay = lossy;
	sim_run(&s, 600 * SECOND);
	lost = s.j.n.concealed;
	assert_int_equal(lost % PACKET, 0);
	assert_in_range(lost / PACKET, 200, 400);
	/* a loss: 160 octets, and 32 of cross-fade after it */
	assert_in_range(s.wrong, lost * 9 / 10, lost / PACKET * 192);
	assert_int_equal(s.j.n.corrections, 0);
	assert_int_equal(s.j.n.grown, 0);
}

/* everybody stands still for 200 ms, the line is the first to go on */
static uint64_t pause_200_at_10_s(uint64_t now)
{
	return now >= 10 * SECOND && now < 10 * SECOND + TICK ? 200 * MS : 0;
}

static void a_pause_of_200_ms_loses_no_octet(void **state)
{
	struct sim s;

	sim_init(&s, noise, 60);
	s.out = count_noise;
	s.pause = pause_200_at_10_s;
	sim_run(&s, 11 * SECOND);
	assert_int_equal(s.j.n.late, 0);
	assert_int_equal(s.j.n.dropped, 0);
	assert_in_range(s.j.slack, 190 * MS, 220 * MS);
	/* what came during the pause was played after it, all of it: the
	 * octets stand where they belong when the wait is counted in */
	s.expect = s.written - s.j.n.grown - 1000 - 60 * MS - TICK;
	s.wrong = 0;
	sim_run(&s, 5 * SECOND);
	assert_int_equal(s.wrong, 0);
	/* and later the delay is taken back, a pitch period at a time */
	sim_run(&s, 60 * SECOND);
	assert_true(s.j.n.removed > 60 * MS);
	assert_true(s.j.slack < 60 * MS + 40 * MS + 5 * MS);
	assert_int_equal(s.j.n.late, 0);
}

/* a pitch period more or less every time the band is left */
static void drift(double ppm, uint8_t (*signal)(uint64_t), int seconds,
		  struct sim *s)
{
	double octets = fabs(ppm) * 1e-6 * seconds * SECOND;
	uint64_t moved;

	sim_init(s, signal, 60);
	s->out = watch_steps;
	s->ppm = ppm;
	sim_run(s, (uint64_t)seconds * SECOND);
	moved = ppm > 0 ? s->j.n.removed : s->j.n.inserted;
	assert_int_equal(ppm > 0 ? s->j.n.inserted : s->j.n.removed, 0);
	/* all of it, but for what the band holds */
	assert_in_range(moved, octets - 50 * MS, octets + 50 * MS);
	assert_true(s->j.n.corrections >= moved / 120);
	assert_true(s->j.n.corrections <= moved / 20);
	assert_true(s->slack_min >= 60 * MS - 50 * MS);
	assert_true(s->slack_max <= 60 * MS + 50 * MS);
	assert_int_equal(s->j.n.concealed, 0);
	assert_int_equal(s->j.n.late, 0);
}

static void drift_is_corrected_without_a_click(void **state)
{
	/* the largest step of the sine itself, and A-law's own error */
	const int bound = 2 * 8000 * sin(M_PI * 1004 / 8000) + 2 * 256 + 100;
	struct sim s;

	drift(100, tone, 1200, &s);
	assert_true(s.step_max < bound);
	drift(-100, tone, 1200, &s);
	assert_true(s.step_max < bound);
}

static void drift_of_noise_is_corrected_too(void **state)
{
	struct sim s;

	drift(100, noise, 900, &s);
	drift(-100, noise, 900, &s);
}

static void silence_is_where_speech_is_corrected(void **state)
{
	struct sim s;

	drift(100, speech_like, 600, &s);
	/* long before the band's end */
	assert_true(s.slack_max < 60 * MS + 20 * MS);
	drift(-100, speech_like, 600, &s);
	assert_true(s.slack_min > 60 * MS - 20 * MS);
}

/* loss, jitter with overtaking, bursts, and the machine's pauses */
static int64_t rough(struct sim *s, uint64_t i)
{
	if (rand_r(&s->seed) % 50 == 0)
		return -1;
	if (i % 300 >= 290)		/* a router that held ten back */
		return (300 - i % 300) * 20 * MS / 4;
	return rand_r(&s->seed) % (25 * MS);
}

static void a_rough_network_alters_only_what_it_lost(void **state)
{
	struct sim s;
	uint64_t holes;

	sim_init(&s, noise, 80);
	s.out = count_noise;
	s.delay = rough;
	s.pause = pauses_40;
	/* it takes a few held-back bursts until the delay fits */
	sim_run(&s, 120 * SECOND);
	s.expect = s.j.next - START_TS;
	memset(&s.j.n, 0, sizeof(s.j.n));
	s.wrong = 0;
	sim_run(&s, 300 * SECOND);
	holes = s.j.n.concealed / PACKET + 1;
	assert_int_equal(s.j.n.late, 0);
	assert_in_range(s.j.n.grown, 0, 40 * MS);
	assert_int_equal(s.j.n.corrections, 0);
	assert_in_range(holes, 200, 400);
	assert_in_range(s.wrong, s.j.n.concealed * 9 / 10,
			s.j.n.concealed + 32 * holes);
}

static int64_t late_at_times(struct sim *s, uint64_t i)
{
	return i % 100 < 3 ? 100 * MS : 0;
}

static void packets_that_come_late_make_it_grow(void **state)
{
	struct sim s;
	uint64_t late, concealed;

	sim_init(&s, noise, 40);
	s.out = count_noise;
	s.delay = late_at_times;
	sim_run(&s, 60 * SECOND);
	late = s.j.n.late;
	concealed = s.j.n.concealed;
	sim_run(&s, 60 * SECOND);
	assert_int_equal(s.j.n.late, late);
	assert_int_equal(s.j.n.concealed, concealed);
	assert_true(s.j.slack > 80 * MS);
}

static int64_t gone_for_a_while(struct sim *s, uint64_t i)
{
	return i >= 100 && i < 200 ? -1 : 0;
}

static void a_sender_that_pauses_comes_back_at_its_depth(void **state)
{
	struct sim s;

	sim_init(&s, noise, 60);
	s.out = count_noise;
	s.delay = gone_for_a_while;
	sim_run(&s, 3 * SECOND);
	assert_false(s.j.playing);
	sim_run(&s, 3 * SECOND);
	assert_true(s.j.playing);
	assert_in_range(s.j.slack, 55 * MS, 65 * MS);
	/* 300 ms of waiting were concealed, then it was silence */
	assert_in_range(s.j.n.concealed, 300 * MS, 302 * MS);
}

static void a_line_that_stands_still_does_not_fill_it_for_ever(void **state)
{
	uint8_t p[PACKET] = { 0 };
	struct td_jitter j;

	td_jitter_init(&j, 60 * MS);
	for (uint32_t i = 0; i < 1000; i++) {
		td_jitter_put(&j, 5000, LEAD, i * PACKET, p, PACKET);
		assert_true(td_jitter_level(&j) + LEAD <= 360 * MS);
	}
	assert_true(j.n.dropped > 0);
}

static void new_timestamps_are_believed_at_the_second_packet(void **state)
{
	uint8_t p[PACKET], out[PACKET];
	struct td_jitter j;

	memset(p, 0x11, sizeof(p));
	td_jitter_init(&j, 0);
	td_jitter_put(&j, 0, 0, 1000, p, PACKET);
	td_jitter_get(&j, out, PACKET);
	td_jitter_put(&j, 160, 0, 900000, p, PACKET);	/* one stray packet */
	td_jitter_put(&j, 160, 0, 1160, p, PACKET);
	td_jitter_get(&j, out, PACKET);
	assert_memory_equal(out, p, PACKET);
	assert_int_equal(j.n.jumps, 0);
	td_jitter_put(&j, 320, 0, 700000, p, PACKET);
	td_jitter_put(&j, 320, 0, 700160, p, PACKET);
	assert_int_equal(j.n.jumps, 1);
	td_jitter_get(&j, out, PACKET);
	assert_memory_equal(out + 40, p, PACKET - 40);
}

/* whatever is put in: what comes out is as long as asked for, the figures
 * stay in their bounds, nothing is read or written elsewhere (sanitizers) */
static void any_input_leaves_it_sane(void **state)
{
	static uint8_t in[1600], out[960];
	struct td_jitter j;
	unsigned int seed = 3;
	uint64_t now = 0;
	uint32_t ts = 0;

	td_jitter_init(&j, 60 * MS);
	for (int i = 0; i < 100000; i++) {
		size_t n = rand_r(&seed) % 8 ? 160 : rand_r(&seed) % 1700;
		int what = rand_r(&seed) % 100;

		if (what < 2)
			ts = rand_r(&seed) * 3u;
		else if (what < 10)
			ts += (int)(rand_r(&seed) % 8000) - 4000;
		else if (what < 90)
			ts += 160;
		if (n <= 1600)
			td_jitter_put(&j, now, rand_r(&seed) % 1000, ts, in, n);
		assert_true(td_jitter_level(&j) <= TD_JITTER_CAP);
		n = rand_r(&seed) % 330;
		if (what == 50)
			td_jitter_skip(&j, n);
		else
			td_jitter_get(&j, out, n);
		if (what == 51)
			td_jitter_restart(&j);
		assert_true(td_jitter_ready(&j) <= 2 * TD_JITTER_CAP);
		now += n;
	}
}

#define CASE(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(minutes_without_drift_are_bit_exact),
		CASE(jitter_below_the_depth_is_bit_exact),
		CASE(reordering_is_put_right),
		CASE(pauses_of_40_ms_are_bit_exact),
		CASE(a_lost_packet_costs_what_it_held_and_no_more),
		CASE(a_pause_of_200_ms_loses_no_octet),
		CASE(drift_is_corrected_without_a_click),
		CASE(drift_of_noise_is_corrected_too),
		CASE(silence_is_where_speech_is_corrected),
		CASE(a_rough_network_alters_only_what_it_lost),
		CASE(packets_that_come_late_make_it_grow),
		CASE(a_sender_that_pauses_comes_back_at_its_depth),
		CASE(a_line_that_stands_still_does_not_fill_it_for_ever),
		CASE(new_timestamps_are_believed_at_the_second_packet),
		CASE(any_input_leaves_it_sane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
