// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "spanctl/core/crc.h"
#include "spanctl/core/hdlc.h"

/* The reference works on a line written out as bits, one an element, and
 * looks at it as a whole: it finds the flags first, then what lies between
 * them. It shares no code and no way of working with core/. */

enum { BITS_MAX = 1 << 20, FRAMES_MAX = 2048 };

struct frames {
	size_t n;
	struct {
		size_t n;
		uint8_t data[TD_HDLC_FRAME_MAX];
	} f[FRAMES_MAX];
	struct td_hdlc_counters c;
};

struct world {
	size_t n;
	uint8_t bit[BITS_MAX];
	struct frames got, want;
};

static uint32_t rnd(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* x^16 + x^12 + x^5 + 1 by long division, bits in the order of the line */
static uint16_t ref_fcs(const uint8_t *data, size_t n)
{
	uint32_t reg = 0xffff, out = 0;

	for (size_t i = 0; i < n * 8; i++) {
		uint32_t in = data[i / 8] >> (i % 8) & 1;
		uint32_t top = reg >> 15 & 1;

		reg = reg << 1 & 0xffff;
		if (top ^ in)
			reg ^= 0x1021;
	}
	reg = ~reg & 0xffff;
	/* its highest power goes first, which is an octet's low bit */
	for (int i = 0; i < 16; i++)
		out |= (reg >> (15 - i) & 1) << i;
	return (uint16_t)out;
}

static void put(struct world *w, int bit)
{
	assert_true(w->n < BITS_MAX);
	w->bit[w->n++] = (uint8_t)bit;
}

static void put_flag(struct world *w)
{
	put(w, 0);
	for (int i = 0; i < 6; i++)
		put(w, 1);
	put(w, 0);
}

static void put_frame(struct world *w, const uint8_t *data, size_t n)
{
	uint16_t fcs = ref_fcs(data, n);
	int ones = 0;

	for (size_t i = 0; i < (n + 2) * 8; i++) {
		int bit = i < n * 8 ? data[i / 8] >> (i % 8) & 1 :
			fcs >> (i - n * 8) & 1;

		put(w, bit);
		ones = bit ? ones + 1 : 0;
		if (ones == 5) {
			put(w, 0);
			ones = 0;
		}
	}
}

static void ref_between(struct frames *out, const uint8_t *bit, size_t n)
{
	static uint8_t data[(TD_HDLC_FRAME_MAX + 4) * 8];
	const size_t over = (TD_HDLC_FRAME_MAX + 3) * 8;
	uint8_t octets[TD_HDLC_FRAME_MAX + 2] = { 0 };
	size_t k = 0, ones = 0;

	for (size_t i = 0; i < n; i++) {
		ones = bit[i] ? ones + 1 : ones;
		if (ones == 7) {
			out->c.abort += k > 7;
			return;
		}
		if (bit[i] || ones != 5)
			data[k++] = bit[i];
		if (!bit[i])
			ones = 0;
		if (k == over) {
			out->c.long_++;
			return;
		}
	}
	if (!k)
		return;
	if (k + 7 >= over) {
		out->c.long_++;
		return;
	}
	if (k / 8 < 4) {
		out->c.short_++;
		return;
	}
	for (size_t i = 0; i < k; i++)
		octets[i / 8] |= (uint8_t)(data[i] << (i % 8));
	k = k % 8 ? 0 : k / 8;
	if (!k || ref_fcs(octets, k - 2) !=
	    (octets[k - 2] | octets[k - 1] << 8)) {
		out->c.crc++;
		return;
	}
	out->c.good++;
	out->f[out->n].n = k - 2;
	memcpy(out->f[out->n++].data, octets, k - 2);
}

static bool is_flag(const struct world *w, size_t at)
{
	static const uint8_t flag[8] = { 0, 1, 1, 1, 1, 1, 1, 0 };

	return at + 8 <= w->n && !memcmp(w->bit + at, flag, 8);
}

static void ref_decode(struct world *w)
{
	size_t end = 0;		/* of the flag before, 0: none yet */

	for (size_t i = 0; i < w->n; i++) {
		if (!is_flag(w, i))
			continue;
		if (end && i >= end)
			ref_between(&w->want, w->bit + end, i - end);
		end = i + 8;
	}
	/* the tail, which no flag has ended, may only show an abort or be
	 * too long */
	if (end) {
		struct frames tail = { 0 };

		ref_between(&tail, w->bit + end, w->n - end);
		w->want.c.abort += tail.c.abort;
	}
}

static void on_frame(void *arg, const uint8_t *data, size_t n)
{
	struct frames *f = arg;

	assert_true(f->n < FRAMES_MAX && n <= TD_HDLC_FRAME_MAX);
	f->f[f->n].n = n;
	memcpy(f->f[f->n++].data, data, n);
}

/* most significant bit first on the line (G.704) */
static size_t to_octets(const struct world *w, uint8_t *out)
{
	memset(out, 0, w->n / 8);
	for (size_t i = 0; i < w->n / 8 * 8; i++)
		out[i / 8] |= (uint8_t)(w->bit[i] << (7 - i % 8));
	return w->n / 8;
}

static void decode(struct world *w, uint32_t *seed)
{
	uint8_t *line = malloc(w->n / 8 + 1);
	size_t n, at = 0, k;
	struct td_hdlc_rx rx;

	assert_non_null(line);
	n = to_octets(w, line);
	td_hdlc_rx_init(&rx, on_frame, &w->got);
	while (at < n) {
		k = rnd(seed) % 40;
		k = k < n - at ? k : n - at;
		td_hdlc_rx_octets(&rx, line + at, k);
		at += k;
	}
	w->got.c = rx.counters;
	free(line);
}

static void same(const struct world *w)
{
	assert_int_equal(w->got.n, w->want.n);
	for (size_t i = 0; i < w->got.n; i++) {
		assert_int_equal(w->got.f[i].n, w->want.f[i].n);
		assert_memory_equal(w->got.f[i].data, w->want.f[i].data,
				    w->got.f[i].n);
	}
	assert_int_equal(w->got.c.good, w->want.c.good);
	assert_int_equal(w->got.c.crc, w->want.c.crc);
	assert_int_equal(w->got.c.abort, w->want.c.abort);
	assert_int_equal(w->got.c.short_, w->want.c.short_);
	assert_int_equal(w->got.c.long_, w->want.c.long_);
}

static struct world *new_world(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	return w;
}

static size_t random_frame(uint32_t *seed, uint8_t *data, size_t max)
{
	size_t n = rnd(seed) % max;
	int kind = rnd(seed) % 4;

	for (size_t i = 0; i < n; i++)
		data[i] = kind == 0 ? 0xff : kind == 1 ? 0x7e :
			(uint8_t)rnd(seed);
	return n;
}

static void between_frames(struct world *w, uint32_t *seed)
{
	int k = rnd(seed) % 10;

	if (k == 0) {		/* idle line */
		for (uint32_t i = rnd(seed) % 30; i; i--)
			put(w, 1);
		put_flag(w);
	} else if (k == 1) {	/* flags that share their zero */
		w->n--;
		put_flag(w);
	} else if (k == 2) {	/* noise */
		for (uint32_t i = rnd(seed) % 60; i; i--)
			put(w, rnd(seed) & 1);
		put_flag(w);
	} else {
		while (k-- > 4)
			put_flag(w);
	}
}

static void stream(struct world *w, uint32_t *seed, int frames, size_t max)
{
	uint8_t data[TD_HDLC_FRAME_MAX + 64];

	/* ones from the start on are no flag to the reference */
	put(w, 0);
	for (uint32_t i = rnd(seed) % 16; i; i--)
		put(w, rnd(seed) & 1);
	put_flag(w);
	while (frames--) {
		size_t n = random_frame(seed, data, max);

		put_frame(w, data, n);
		put_flag(w);
		between_frames(w, seed);
	}
	while (w->n % 8)
		put(w, 0);
}

static void a_clean_line_gives_every_frame_whatever_the_chunks(void **state)
{
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct world *w = new_world();
		uint32_t s = seed * 2654435761u;

		stream(w, &s, 60, 300);
		ref_decode(w);
		decode(w, &s);
		assert_true(w->got.n > 30);
		same(w);
		free(w);
	}
}

static void bit_errors_give_what_the_reference_gives(void **state)
{
	uint64_t bad = 0, good = 0;

	for (uint32_t seed = 1; seed <= 120; seed++) {
		struct world *w = new_world();
		uint32_t s = seed * 40503u + 7;
		uint32_t rate = 50 << seed % 6;	/* one in 50 … 1600 */

		stream(w, &s, 60, seed % 4 ? 200 : sizeof(w->got.f[0].data) +
		       60);
		for (size_t i = 0; i < w->n; i++)
			w->bit[i] ^= rnd(&s) % rate == 0;
		ref_decode(w);
		decode(w, &s);
		same(w);
		good += w->got.n;
		bad += w->got.c.crc + w->got.c.abort;
		free(w);
	}
	assert_true(good > 1000 && bad > 1000);
}

static void noise_gives_what_the_reference_gives(void **state)
{
	for (uint32_t seed = 1; seed <= 30; seed++) {
		struct world *w = new_world();
		uint32_t s = seed * 77777u;

		put(w, 0);
		while (w->n < 80000)
			put(w, rnd(&s) >> 9 & 1);
		ref_decode(w);
		decode(w, &s);
		same(w);
		assert_true(w->got.c.short_ > 0 && w->got.c.abort > 0);
		free(w);
	}
}

static void lengths_at_the_bounds_are_kept_or_counted(void **state)
{
	static const struct { size_t n; int good, short_, long_; } t[] = {
		{ 1, 0, 1, 0 }, { 2, 1, 0, 0 }, { 3, 1, 0, 0 },
		{ TD_HDLC_FRAME_MAX, 1, 0, 0 },
		{ TD_HDLC_FRAME_MAX + 1, 0, 0, 1 },
		{ TD_HDLC_FRAME_MAX + 40, 0, 0, 1 },
	};
	uint8_t data[TD_HDLC_FRAME_MAX + 64];
	uint32_t seed = 5;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct world *w = new_world();

		for (size_t k = 0; k < t[i].n; k++)
			data[k] = (uint8_t)(k * 3);
		put_flag(w);
		put_frame(w, data, t[i].n);
		put_flag(w);
		put_frame(w, (const uint8_t *)"next", 4);
		put_flag(w);
		while (w->n % 8)
			put(w, 1);
		decode(w, &seed);
		assert_int_equal(w->got.c.good, t[i].good + 1);
		assert_int_equal(w->got.c.short_, t[i].short_);
		assert_int_equal(w->got.c.long_, t[i].long_);
		free(w);
	}
}

static void a_gap_drops_the_frame_it_falls_in(void **state)
{
	struct frames *f = calloc(1, sizeof(*f));
	struct td_hdlc_rx rx;
	struct td_hdlc_tx tx;
	uint8_t o;

	assert_non_null(f);
	td_hdlc_rx_init(&rx, on_frame, f);
	td_hdlc_tx_init(&tx);
	assert_int_equal(td_hdlc_tx_load(&tx, (void *)"lost frame", 10), 0);
	for (int i = 0; i < 8; i++) {
		o = td_hdlc_tx_octet(&tx);
		td_hdlc_rx_octets(&rx, &o, 1);
	}
	td_hdlc_rx_gap(&rx);
	td_hdlc_rx_gap(&rx);
	for (int i = 0; i < 16; i++)
		o = td_hdlc_tx_octet(&tx);
	td_hdlc_rx_octets(&rx, &o, 1);	/* the flag before the next */
	assert_int_equal(td_hdlc_tx_load(&tx, (void *)"good frame", 10), 0);
	for (int i = 0; i < 24; i++) {
		o = td_hdlc_tx_octet(&tx);
		td_hdlc_rx_octets(&rx, &o, 1);
	}
	assert_int_equal(f->n, 1);
	assert_memory_equal(f->f[0].data, "good frame", 10);
	assert_int_equal(rx.counters.abort, 1);
	assert_int_equal(rx.counters.crc, 0);
	free(f);
}

static void bits_leave_as_the_reference_stuffs_them(void **state)
{
	uint8_t data[TD_HDLC_FRAME_MAX];

	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct world *w = new_world();
		uint32_t s = seed * 99991u;
		struct td_hdlc_tx tx;
		size_t at = 0;

		td_hdlc_tx_init(&tx);
		put_flag(w);
		for (int i = 0; i < 60; i++) {
			size_t n = random_frame(&s, data, 300);

			if (n < TD_HDLC_FRAME_MIN)
				continue;
			assert_int_equal(td_hdlc_tx_load(&tx, data, n), 0);
			put_frame(w, data, n);
			put_flag(w);	/* one for the next frame too */
			while (!td_hdlc_tx_ready(&tx)) {
				uint8_t o = td_hdlc_tx_octet(&tx);

				for (int b = 7; b >= 0 && at < w->n; b--)
					assert_int_equal(o >> b & 1,
							 w->bit[at++]);
			}
		}
		for (int i = 0; i < 6; i++)
			put_flag(w);
		while (at + 8 <= w->n) {
			uint8_t o = td_hdlc_tx_octet(&tx);

			for (int b = 7; b >= 0; b--)
				assert_int_equal(o >> b & 1, w->bit[at++]);
		}
		free(w);
	}
}

static void every_octet_value_comes_through_at_every_alignment(void **state)
{
	struct frames *f = calloc(1, sizeof(*f));
	uint8_t data[16], o;
	struct td_hdlc_rx rx;
	struct td_hdlc_tx tx;

	assert_non_null(f);
	td_hdlc_rx_init(&rx, on_frame, f);
	td_hdlc_tx_init(&tx);
	/* stuffed zeros shift each frame against the octets of the line */
	for (int v = 0; v < 256; v++)
		for (size_t n = 2; n <= 9; n++) {
			memset(data, v, n);
			f->n = 0;
			assert_int_equal(td_hdlc_tx_load(&tx, data, n), 0);
			for (int i = 0; i < 20; i++) {
				o = td_hdlc_tx_octet(&tx);
				td_hdlc_rx_octets(&rx, &o, 1);
			}
			assert_int_equal(f->n, 1);
			assert_int_equal(f->f[0].n, n);
			assert_memory_equal(f->f[0].data, data, n);
		}
	free(f);
}

static void an_aligned_0x31_leaves_as_0x8c(void **state)
{
	struct td_hdlc_tx tx;

	td_hdlc_tx_init(&tx);
	assert_int_equal(td_hdlc_tx_octet(&tx), 0x7e);
	assert_int_equal(td_hdlc_tx_load(&tx, (void *)"\x31\x31", 2), 0);
	assert_int_equal(td_hdlc_tx_octet(&tx), 0x8c);
	assert_int_equal(td_hdlc_tx_octet(&tx), 0x8c);
}

static void the_fcs_is_that_of_the_standard(void **state)
{
	/* check value of CRC-16/X.25 */
	assert_int_equal(td_crc_fcs((const uint8_t *)"123456789", 9), 0x906e);
	assert_int_equal(ref_fcs((const uint8_t *)"123456789", 9), 0x906e);
}

static void what_cannot_be_loaded_is_refused(void **state)
{
	uint8_t data[TD_HDLC_FRAME_MAX + 1] = { 0 };
	struct td_hdlc_tx tx;

	td_hdlc_tx_init(&tx);
	assert_int_equal(td_hdlc_tx_load(&tx, data, 1), -EMSGSIZE);
	assert_int_equal(td_hdlc_tx_load(&tx, data, sizeof(data)), -EMSGSIZE);
	assert_int_equal(td_hdlc_tx_load(&tx, data, 2), 0);
	assert_int_equal(td_hdlc_tx_load(&tx, data, 2), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_clean_line_gives_every_frame_whatever_the_chunks),
		cmocka_unit_test(bit_errors_give_what_the_reference_gives),
		cmocka_unit_test(noise_gives_what_the_reference_gives),
		cmocka_unit_test(lengths_at_the_bounds_are_kept_or_counted),
		cmocka_unit_test(a_gap_drops_the_frame_it_falls_in),
		cmocka_unit_test(bits_leave_as_the_reference_stuffs_them),
		cmocka_unit_test(
			every_octet_value_comes_through_at_every_alignment),
		cmocka_unit_test(an_aligned_0x31_leaves_as_0x8c),
		cmocka_unit_test(the_fcs_is_that_of_the_standard),
		cmocka_unit_test(what_cannot_be_loaded_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
