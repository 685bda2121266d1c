// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/plc.h"

#include <math.h>
#include <string.h>

#include "node/media/g711.h"

enum {
	PITCH_MIN = 40,		/* 200 Hz */
	PITCH_MAX = 120,	/* 66 Hz */
	LIKE = 160,		/* samples compared to find it */
	MERGE = 32,		/* 4 ms */
	SEAM = 16,
	FULL = 80,		/* 10 ms at full level, */
	FADED = 480,		/* then down to nothing */
};

int td_pitch_find(const int16_t *x, int w, int lo, int hi, float *likeness)
{
	float best = -2, ex = 1, power = 1;
	int lag = lo;

	for (int i = 0; i < w; i++)
		ex += (float)x[i] * x[i];
	for (int i = 0; i < w; i++)
		power += (float)x[i - lo] * x[i - lo];
	for (int l = lo; l <= hi; l++) {
		float dot = 0, like;

		for (int i = 0; i < w; i++)
			dot += (float)x[i] * x[i - l];
		like = dot / sqrtf(ex * power);
		if (like > best) {
			best = like;
			lag = l;
		}
		if (l == hi)
			break;
		/* the window moves one back */
		power += (float)x[-l - 1] * x[-l - 1] -
			 (float)x[w - 1 - l] * x[w - 1 - l];
		if (power < 1)
			power = 1;
	}
	if (likeness)
		*likeness = best;
	return lag;
}

void td_plc_init(struct td_plc *p)
{
	memset(p, 0, sizeof(*p));
}

static void remember(struct td_plc *p, const uint8_t *alaw, size_t n)
{
	if (p->filled < TD_PLC_PAST)
		p->filled = p->filled + n < TD_PLC_PAST ? p->filled + n :
							  TD_PLC_PAST;
	while (n) {
		size_t k = TD_PLC_PAST - p->at;

		if (k > n)
			k = n;
		memcpy(p->past + p->at, alaw, k);
		p->at = (p->at + k) % TD_PLC_PAST;
		alaw += k;
		n -= k;
	}
}

void td_plc_past(const struct td_plc *p, int16_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t back = n - i;

		out[i] = back > p->filled ? 0 :
			td_alaw_linear(p->past[(p->at + TD_PLC_PAST - back) %
					       TD_PLC_PAST]);
	}
}

static void begin(struct td_plc *p)
{
	const int16_t *end = p->work + TD_PLC_WORK;
	float like;

	p->pitch = 0;
	p->gone = 0;
	if (p->filled < TD_PLC_WORK)
		return;		/* nothing yet to go on with */
	td_plc_past(p, p->work, TD_PLC_WORK);
	p->pitch = td_pitch_find(end - LIKE, LIKE, PITCH_MIN, PITCH_MAX - 1,
				 &like);
	p->pos = p->loop = -p->pitch;
	p->step = end[-1] - end[-1 - p->pitch];
}

static int next(struct td_plc *p)
{
	const int16_t *end = p->work + TD_PLC_WORK;
	int s, quarter = p->pitch / 4;

	if (!p->pitch || p->gone >= FADED) {
		p->gone++;
		return 0;
	}
	s = end[p->pos];
	if (p->pos >= -quarter) {	/* towards the seam */
		int w = p->pos + quarter + 1;

		s += (end[p->pos + p->loop] - s) * w / (quarter + 1);
	}
	if (p->gone < SEAM)
		s += p->step * (int)(SEAM - p->gone) / (SEAM + 1);
	if (p->gone > FULL)
		s = s * (int)(FADED - p->gone) / (FADED - FULL);
	p->gone++;
	if (++p->pos == 0) {
		p->pos = p->loop;
		/* one period for long would sound like a buzzer */
		p->loop = p->gone < FULL ? -p->pitch : p->gone < 2 * FULL ?
			  -2 * p->pitch : -3 * p->pitch;
	}
	return s;
}

void td_plc_lost(struct td_plc *p, uint8_t *alaw, size_t n)
{
	if (!p->gone)
		begin(p);
	for (size_t i = 0; i < n; i++)
		alaw[i] = td_linear_alaw(next(p));
	p->merging = p->pitch ? MERGE : 0;
	remember(p, alaw, n);
}

void td_plc_break(struct td_plc *p)
{
	if (!p->gone)
		begin(p);
	p->gone++;
	p->merging = p->pitch ? MERGE : 0;
}

void td_plc_good(struct td_plc *p, uint8_t *alaw, size_t n)
{
	for (size_t i = 0; i < n && p->merging; i++, p->merging--) {
		int s = next(p), r = td_alaw_linear(alaw[i]);
		int w = p->merging;

		alaw[i] = td_linear_alaw(r + (s - r) * w / (MERGE + 1));
	}
	if (!p->merging)
		p->gone = 0;
	remember(p, alaw, n);
}
