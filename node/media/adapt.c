// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/adapt.h"

#include <stdlib.h>
#include <string.h>

#include "node/media/g711.h"

enum {
	SECOND = 8000,
	SOFT_BUCKETS = 8,
	SOFT_BAND = 80,		/* 10 ms: in silence */
	LOW_RANK = 3,		/* so many bad seconds in 30 do not count */
	LATE_SPAN = 10 * SECOND,
	LATE_MANY = 3,
	NEED = 160,		/* octets to correct with */
	LAG_MIN = 20,
	LAG_MAX = 120,
	PATIENCE = 50,		/* packets, then any place will do */
	QUIET = 128,		/* linear: -48 dB of full scale */
};

void td_adapt_restart(struct td_jitter *j, uint64_t now)
{
	j->buckets = 0;
	j->bucket_end = now + SECOND;
	j->bucket_empty = true;
	j->hard = j->soft = 0;
	j->tries = 0;
}

static int compare(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

	return (x > y) - (x < y);
}

/* value of that rank among the newest n buckets */
static int32_t ranked(const int32_t *v, uint32_t count, uint32_t n,
		      uint32_t rank)
{
	int32_t s[TD_JITTER_BUCKETS];

	for (uint32_t i = 0; i < n; i++)
		s[i] = v[(count - 1 - i) % TD_JITTER_BUCKETS];
	qsort(s, n, sizeof(s[0]), compare);
	return s[rank];
}

/* Too long when even the worst packets came early enough; too short when even
 * the best ones came late. */
static void judge(struct td_jitter *j)
{
	int32_t depth = j->depth, band = depth * 2 / 3, v;

	if (band < 2 * SOFT_BAND)
		band = 2 * SOFT_BAND;
	j->soft = 0;
	if (j->buckets < SOFT_BUCKETS)
		return;
	v = ranked(j->los, j->buckets, SOFT_BUCKETS, 0);
	if (v > depth + SOFT_BAND)
		j->soft = depth - v;
	v = ranked(j->his, j->buckets, SOFT_BUCKETS, SOFT_BUCKETS / 2);
	if (v < depth - SOFT_BAND)
		j->soft = depth - v;
	if (j->buckets < TD_JITTER_BUCKETS || j->hard)
		return;
	v = ranked(j->los, j->buckets, TD_JITTER_BUCKETS, LOW_RANK);
	if (v > depth + band)
		j->hard = depth + band / 2 - v;
	v = ranked(j->his, j->buckets, TD_JITTER_BUCKETS,
		   TD_JITTER_BUCKETS / 2);
	if (v < depth - band)
		j->hard = depth - band / 2 - v;
}

void td_adapt_note(struct td_jitter *j, uint64_t now, int32_t slack)
{
	if (now >= j->bucket_end) {
		uint32_t i = j->buckets % TD_JITTER_BUCKETS;

		/* a second without a packet says nothing */
		if (!j->bucket_empty) {
			j->los[i] = j->lo;
			j->his[i] = j->hi;
			j->buckets++;
			judge(j);
		}
		j->bucket_end = now + SECOND;
		j->bucket_empty = true;
	}
	if (j->bucket_empty || slack < j->lo)
		j->lo = slack;
	if (j->bucket_empty || slack > j->hi)
		j->hi = slack;
	j->bucket_empty = false;
	j->slack = slack;
}

void td_adapt_late(struct td_jitter *j, uint64_t now, uint32_t by)
{
	if (!j->late_n || now - j->late_since > LATE_SPAN) {
		j->late_n = j->late_max = 0;
		j->late_since = now;
	}
	j->late_n++;
	if (by > j->late_max)
		j->late_max = by;
	if (j->late_n < LATE_MANY)
		return;
	j->late_n = 0;
	if (j->hard <= 0 && by < TD_JITTER_CAP / 4)
		j->hard = j->late_max + SOFT_BAND / 2;
}

bool td_adapt_waits(const struct td_jitter *j, size_t n)
{
	return j->hard && n && n < NEED;
}

void td_adapt_shift(struct td_jitter *j, int32_t by)
{
	for (int i = 0; i < TD_JITTER_BUCKETS; i++) {
		j->los[i] += by;
		j->his[i] += by;
	}
	j->lo += by;
	j->hi += by;
}

/* what is left to do; a small rest, and having gone too far, is nothing */
static int32_t rest(int32_t want, int32_t done)
{
	int32_t left = want - done;

	if (!want || abs(left) < LAG_MIN || (left < 0) != (want < 0))
		return 0;
	return left;
}

/* x: n samples to come, LAG_MAX + 1 before them. Fades from x to x + lag. */
static void remove_lag(struct td_jitter *j, const int16_t *x, int n, int lag)
{
	uint8_t y[NEED];
	int len = n - lag;

	for (int i = 0; i < len; i++)
		y[i] = td_linear_alaw(x[i] + (x[i + lag] - x[i]) * (i + 1) /
				      (len + 1));
	td_jitter_copy_in(j, j->next + lag, y, len);
	td_jitter_forget(j, lag);
	j->n.removed += lag;
	td_adapt_shift(j, -lag);
}

/* Fades from what comes to what was, and then all of it comes again. */
static void insert_lag(struct td_jitter *j, const int16_t *x, int lag)
{
	uint8_t y[LAG_MAX];

	for (int i = 0; i < lag; i++)
		y[i] = td_linear_alaw(x[i] + (x[i - lag] - x[i]) * (i + 1) /
				      (lag + 1));
	j->next -= lag;
	td_jitter_copy_in(j, j->next, y, lag);
	j->n.inserted += lag;
	td_adapt_shift(j, lag);
}

static bool quiet(const int16_t *x, int n)
{
	for (int i = 0; i < n; i++)
		if (x[i] > QUIET || x[i] < -QUIET)
			return false;
	return true;
}

/* lag at which x[0 ..] and x[lag ..] resemble each other best */
static int find_ahead(const int16_t *x, int n, float *likeness)
{
	int16_t mirror[NEED];

	for (int i = 0; i < n; i++)
		mirror[n - 1 - i] = x[i];
	/* in the mirror the first samples are the last */
	return td_pitch_find(mirror + LAG_MAX, n - LAG_MAX, LAG_MIN, LAG_MAX,
			     likeness);
}

void td_adapt_apply(struct td_jitter *j)
{
	int16_t w[LAG_MAX + 1 + NEED], *x = w + LAG_MAX + 1;
	int32_t want = j->hard;
	uint8_t octets[NEED];
	float like;
	bool still;
	int lag;

	if ((!j->hard && !j->soft) || td_jitter_run(j, NEED) < NEED)
		return;
	td_jitter_copy_out(j, j->next, octets, NEED);
	for (int i = 0; i < NEED; i++)
		x[i] = td_alaw_linear(octets[i]);
	td_plc_past(&j->plc, w, LAG_MAX + 1);
	still = quiet(x, NEED);
	if (still && !want)
		want = j->soft;
	if (!want)
		return;
	if (want < 0)
		lag = find_ahead(x, NEED, &like);
	else
		lag = td_pitch_find(x, NEED / 2, LAG_MIN, LAG_MAX, &like);
	if (still) {
		lag = abs(want) < LAG_MAX ? abs(want) : LAG_MAX;
	} else if (like < 0.8f && j->tries < PATIENCE) {
		j->tries++;
		return;
	}
	if (want < 0)
		remove_lag(j, x, NEED, lag);
	else
		insert_lag(j, x, lag);
	j->n.corrections++;
	j->tries = 0;
	j->hard = rest(j->hard, want < 0 ? -lag : lag);
	j->soft = rest(j->soft, want < 0 ? -lag : lag);
}
