// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/jitter.h"

#include <string.h>

#include "node/media/adapt.h"
#include "node/media/g711.h"
#include "node/media/rtp.h"

enum {
	CAP = TD_JITTER_CAP,
	RESYNC = 2400,		/* waited so long: begin anew. 300 ms */
	FAR = CAP - 256,	/* a timestamp so far ahead is a jump */
	OVER = 2400,		/* more than depth + this is dropped */
};

void td_jitter_reset(struct td_jitter *j, uint32_t depth)
{
	struct td_jitter_counts n = j->n;

	memset(j, 0, offsetof(struct td_jitter, ring));
	j->n = n;
	j->depth = depth < TD_JITTER_DEPTH_MAX ? depth : TD_JITTER_DEPTH_MAX;
	td_plc_init(&j->plc);
}

void td_jitter_init(struct td_jitter *j, uint32_t depth)
{
	memset(&j->n, 0, sizeof(j->n));
	td_jitter_reset(j, depth);
}

void td_jitter_restart(struct td_jitter *j)
{
	if (j->playing && (j->hold || j->end != j->next))
		td_plc_break(&j->plc);
	j->playing = false;
}

/* ---- the ring: which octets are there ---- */

/* sets or clears the marks of [ts, ts + n); @return how many changed */
static unsigned int mark(struct td_jitter *j, uint32_t ts, size_t n, bool on)
{
	unsigned int changed = 0;

	while (n) {
		unsigned int at = ts % CAP, bit = at % 64;
		size_t k = 64 - bit < n ? 64 - bit : n;
		uint64_t m = (k == 64 ? ~0ull : (1ull << k) - 1) << bit;
		uint64_t *w = &j->have[at / 64];

		changed += __builtin_popcountll((on ? ~*w : *w) & m);
		*w = on ? *w | m : *w & ~m;
		ts += k;
		n -= k;
	}
	return changed;
}

/* length of the run from ts of octets that are there (or are not), <= max */
static size_t run(const struct td_jitter *j, uint32_t ts, bool there,
		  size_t max)
{
	size_t n = 0;

	while (n < max) {
		unsigned int at = (ts + n) % CAP, bit = at % 64;
		uint64_t w = j->have[at / 64], k;

		w = (there ? ~w : w) >> bit;
		k = w ? (unsigned int)__builtin_ctzll(w) : 64 - bit;
		n += k < 64 - bit ? k : 64 - bit;
		if (w && k < 64 - bit)
			break;
	}
	return n < max ? n : max;
}

void td_jitter_copy_in(struct td_jitter *j, uint32_t ts, const uint8_t *in,
		       size_t n)
{
	size_t at = ts % CAP, k = CAP - at < n ? CAP - at : n;

	memcpy(j->ring + at, in, k);
	memcpy(j->ring, in + k, n - k);
	mark(j, ts, n, true);
}

void td_jitter_copy_out(const struct td_jitter *j, uint32_t ts, uint8_t *out,
			size_t n)
{
	size_t at = ts % CAP, k = CAP - at < n ? CAP - at : n;

	memcpy(out, j->ring + at, k);
	memcpy(out + k, j->ring, n - k);
}

size_t td_jitter_run(const struct td_jitter *j, size_t max)
{
	return j->hold ? 0 : run(j, j->next, true, max);
}

/* leaves n octets out, whatever they are */
void td_jitter_forget(struct td_jitter *j, size_t n)
{
	mark(j, j->next, n, false);
	j->next += n;
	if ((int32_t)(j->end - j->next) < 0)
		j->end = j->next;
}

/* ---- in ---- */

static void start(struct td_jitter *j, uint64_t now, uint32_t lead,
		  uint32_t ts)
{
	memset(j->have, 0, sizeof(j->have));
	j->playing = true;
	j->jumped = false;
	j->hold = lead < j->depth ? j->depth - lead : 0;
	j->next = ts - j->hold;
	j->end = ts;
	j->stall = 0;
	td_adapt_restart(j, now);
}

/* The buffer had run empty: were these octets late, or those before lost? */
static void end_wait(struct td_jitter *j, uint64_t now, uint32_t ts)
{
	uint32_t ahead = ts - j->next;

	if (ahead < j->stall) {
		j->n.grown += j->stall - ahead;
		j->next = ts;
		td_adapt_restart(j, now);
	} else {
		j->next += j->stall;
	}
	j->end = j->next;
	j->stall = 0;
}

/* @return false: this packet is not to be played */
static bool jump(struct td_jitter *j, uint64_t now, uint32_t lead,
		 uint32_t ts, size_t n)
{
	if (!j->jumped || j->jump_next != ts) {
		j->jumped = true;
		j->jump_next = ts + n;
		return false;
	}
	j->n.jumps++;
	start(j, now, lead, ts);
	return true;
}

static void keep_bounded(struct td_jitter *j, uint64_t now, uint32_t lead)
{
	uint32_t level = lead + (j->end - j->next), over;

	if (level <= j->depth + OVER)
		return;
	over = level - j->depth;
	if (over > j->end - j->next)
		over = j->end - j->next;
	j->n.dropped += over;
	j->hold = over < j->hold ? j->hold - over : 0;
	td_jitter_forget(j, over);
	td_plc_break(&j->plc);
	td_adapt_restart(j, now);
}

void td_jitter_put(struct td_jitter *j, uint64_t now, uint32_t lead,
		   uint32_t ts, const uint8_t *alaw, size_t n)
{
	int32_t ahead;

	if (!n || n > TD_RTP_MAX_PAYLOAD)
		return;
	if (!j->playing)
		start(j, now, lead, ts);
	ahead = ts - j->next;
	if ((ahead >= FAR || ahead < -FAR) && !jump(j, now, lead, ts, n))
		return;
	if (j->stall && (int32_t)(ts - j->next) >= 0)
		end_wait(j, now, ts);
	ahead = ts - j->next;
	td_adapt_note(j, now, ahead + (int32_t)lead);
	if (ahead + (int32_t)n <= 0) {
		j->n.late++;
		td_adapt_late(j, now, -ahead);
		return;
	}
	j->jumped = false;
	if (ahead < 0) {
		ts -= ahead;
		alaw -= ahead;
		n += ahead;
		ahead = 0;
	}
	if (ahead + n > CAP) {
		j->n.dropped += n;
		return;
	}
	if (run(j, ts, true, n) == n) {
		j->n.duplicate++;
		return;
	}
	td_jitter_copy_in(j, ts, alaw, n);
	if ((int32_t)(ts + n - j->end) > 0)
		j->end = ts + n;
	keep_bounded(j, now, lead);
	td_adapt_apply(j);
}

/* ---- out ---- */

size_t td_jitter_ready(const struct td_jitter *j)
{
	size_t n;

	if (!j->playing)
		return 0;
	n = run(j, j->next + j->hold, true, 1024);
	if (td_adapt_waits(j, n))
		n = 0;
	return j->hold + n;
}

/* what is not there: n octets at most, 0 < result */
static size_t conceal(struct td_jitter *j, uint8_t *out, size_t n)
{
	uint32_t left = j->end - j->next;

	if (j->hold) {
		n = n < j->hold ? n : j->hold;
		j->hold -= n;
		j->next += n;
	} else if (j->playing && left) {
		n = run(j, j->next, false, n < left ? n : left);
		j->next += n;
		j->n.concealed += n;
	} else if (j->playing) {
		j->stall += n;
		j->n.concealed += n;
		if (j->stall > RESYNC)
			j->playing = false;
	}
	if (out)
		td_plc_lost(&j->plc, out, n);
	return n;
}

void td_jitter_get(struct td_jitter *j, uint8_t *out, size_t n)
{
	while (n) {
		size_t k = j->playing ? td_jitter_run(j, n) : 0;

		if (k) {
			td_jitter_copy_out(j, j->next, out, k);
			td_jitter_forget(j, k);
			td_plc_good(&j->plc, out, k);
		} else {
			k = conceal(j, out, n);
		}
		out += k;
		n -= k;
	}
}

void td_jitter_skip(struct td_jitter *j, size_t n)
{
	while (n && j->playing && !td_jitter_run(j, 1))
		n -= conceal(j, NULL, n);
	/* what is there is not lost: it comes later */
	if (n && j->playing) {
		j->n.grown += n;
		td_adapt_shift(j, n);
	}
}

uint32_t td_jitter_level(const struct td_jitter *j)
{
	return j->playing ? j->end - j->next : 0;
}
