// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/xtone.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/instr/xces.h"
#include "tests/instr/xg711.h"

enum { RATE = 8000, BLOCK = 102 };

static const int dtmf_hz[8] = { 697, 770, 852, 941, 1209, 1336, 1477, 1633 };
static const char dtmf_key[4][5] = { "123A", "456B", "789C", "*0#D" };

static uint32_t gcd(uint32_t a, uint32_t b)
{
	return b ? gcd(b, a % b) : a;
}

int td_xtone_new(int hz, double dbm0, int on_ms, int off_ms, int wait_ms,
		 struct td_xtone **out)
{
	struct td_xtone *t = calloc(1, sizeof(*t));
	double peak = td_xg711_peak(dbm0);

	if (!t)
		return -ENOMEM;
	t->n = RATE / gcd(hz, RATE);
	t->on = on_ms * 8;
	t->off = off_ms * 8;
	t->wait = wait_ms * 8;
	t->o = malloc(t->n);
	if (!t->o) {
		free(t);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < t->n; i++)
		t->o[i] = td_xg711_alaw(lrint(peak *
				sin(2 * M_PI * hz * i / RATE)));
	*out = t;
	return 0;
}

void td_xtone_free(struct td_xtone *t)
{
	if (!t)
		return;
	free(t->o);
	free(t);
}

uint8_t td_xtone_at(const struct td_xtone *t, uint64_t pos)
{
	if (pos < t->wait)
		return TD_XCES_IDLE;
	pos -= t->wait;
	if (t->off) {
		pos %= t->on + t->off;
		if (pos >= t->on)
			return TD_XCES_IDLE;
	}
	return t->o[pos % t->n];
}

void td_xdtmf_init(struct td_xdtmf *d)
{
	memset(d, 0, sizeof(*d));
	for (int i = 0; i < 8; i++)
		d->coef[i] = 2 * cos(2 * M_PI * dtmf_hz[i] / RATE);
}

/* the digit of this block, 0: none */
static char block_digit(const struct td_xdtmf *d)
{
	double p[8], low, high;
	int r = 0, c = 4;

	for (int i = 0; i < 8; i++)
		p[i] = d->s1[i] * d->s1[i] + d->s2[i] * d->s2[i] -
		       d->coef[i] * d->s1[i] * d->s2[i];
	for (int i = 1; i < 4; i++) {
		if (p[i] > p[r])
			r = i;
		if (p[i + 4] > p[c])
			c = i + 4;
	}
	low = p[r];
	high = p[c];
	/* a sine of peak A gives (A * n / 2)^2; -30 dBm0 at least */
	if (low < pow(td_xg711_peak(-30) * BLOCK / 2, 2) ||
	    high < pow(td_xg711_peak(-30) * BLOCK / 2, 2))
		return 0;
	if (low > 8 * high || high > 8 * low)	/* twist, 9 dB */
		return 0;
	/* the two must be nearly all there is: speech is not a digit */
	if ((low + high) * 2 / BLOCK < 0.75 * d->energy)
		return 0;
	return dtmf_key[r][c - 4];
}

char td_xdtmf_feed(struct td_xdtmf *d, uint8_t alaw)
{
	double x = td_xg711_from_alaw(alaw);
	char now, out = 0;

	for (int i = 0; i < 8; i++) {
		double s = x + d->coef[i] * d->s1[i] - d->s2[i];

		d->s2[i] = d->s1[i];
		d->s1[i] = s;
	}
	d->energy += x * x;
	if (++d->fill < BLOCK)
		return 0;
	now = block_digit(d);
	if (now && now == d->last && now != d->said)
		d->said = out = now;
	d->quiet = now ? 0 : d->quiet + 1;
	if (d->quiet >= 2)
		d->said = 0;
	d->last = now;
	d->fill = 0;
	d->energy = 0;
	memset(d->s1, 0, sizeof(d->s1));
	memset(d->s2, 0, sizeof(d->s2));
	return out;
}

uint8_t td_xdtmf_tone(char digit, uint32_t pos)
{
	double peak = td_xg711_peak(-8), v;

	for (int r = 0; r < 4; r++) {
		const char *k = digit ? strchr(dtmf_key[r], digit) : NULL;

		if (!k)
			continue;
		v = sin(2 * M_PI * dtmf_hz[r] * pos / RATE) +
		    sin(2 * M_PI * dtmf_hz[4 + (k - dtmf_key[r])] * pos / RATE);
		return td_xg711_alaw(lrint(peak * v));
	}
	return TD_XCES_IDLE;
}
