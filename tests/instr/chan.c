// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/chan.h"

#include <string.h>

#include "tests/instr/xces.h"

enum {
	DTMF_ON = 800, DTMF_OFF = 800,		/* octets: 100 ms each */
	ALL = 0xff,
	OCTET_NS = 125000,
};

void td_xchan_close(struct td_xchan *c)
{
	memset(c, 0, sizeof(*c));
}

static void start(struct td_xchan *c, enum td_xsource s)
{
	c->open = true;
	c->source = s;
	c->pos = 0;
	c->n_digits = c->digit_pos = 0;
	c->silent = true;
	memset(c->heard, TD_XCES_IDLE, sizeof(c->heard));
}

void td_xchan_idle(struct td_xchan *c)
{
	start(c, TD_XSRC_IDLE);
}

void td_xchan_tone(struct td_xchan *c, const struct td_xtone *t)
{
	start(c, TD_XSRC_TONE);
	c->tone = t;
}

void td_xchan_pattern(struct td_xchan *c, uint32_t state)
{
	start(c, TD_XSRC_PATTERN);
	c->tx.s = state;
}

void td_xchan_echo(struct td_xchan *c)
{
	start(c, TD_XSRC_ECHO);
}

void td_xchan_dtmf(struct td_xchan *c)
{
	start(c, TD_XSRC_DTMF);
	td_xdtmf_init(&c->dtmf);
}

static void hear_digits(struct td_xchan *c)
{
	for (int i = 0; i < 8; i++) {
		char d;

		/* our own tones may come back as echo */
		d = td_xdtmf_feed(&c->dtmf, c->n_digits ? TD_XCES_IDLE :
							  c->heard[i]);
		if (d && c->n_digits < sizeof(c->digits))
			c->digits[c->n_digits++] = d;
	}
}

static void check(struct td_check *k, const uint8_t o[8], uint8_t came,
		  int64_t t_ns)
{
	if (came == ALL) {
		td_check_feed(k, o, 8, t_ns);
		return;
	}
	for (int i = 0; i < 8; i++, t_ns += OCTET_NS) {
		if (came >> i & 1)
			td_check_feed(k, o + i, 1, t_ns);
		else
			td_check_miss(k, 1, t_ns);
	}
}

void td_xchan_hear(struct td_xchan *c, const uint8_t o[8], uint8_t came,
		   int64_t t_ns)
{
	if (!c->open)
		return;
	c->silent = !came;
	for (int i = 0; i < 8; i++)
		c->heard[i] = came >> i & 1 ? o[i] : TD_XCES_IDLE;
	if (c->check)
		check(c->check, o, came, t_ns);
	if (c->source == TD_XSRC_DTMF)
		hear_digits(c);
}

static uint8_t say_digit(struct td_xchan *c)
{
	uint8_t o = TD_XCES_IDLE;

	if (!c->n_digits)
		return o;
	if (c->digit_pos >= DTMF_OFF)
		o = td_xdtmf_tone(c->digits[0], c->digit_pos - DTMF_OFF);
	if (++c->digit_pos == DTMF_OFF + DTMF_ON) {
		c->digit_pos = 0;
		c->n_digits--;
		memmove(c->digits, c->digits + 1, c->n_digits);
	}
	return o;
}

void td_xchan_say(struct td_xchan *c, uint8_t o[8])
{
	for (int i = 0; i < 8; i++)
		switch (c->source) {
		case TD_XSRC_TONE:
			o[i] = td_xtone_at(c->tone, c->pos++);
			break;
		case TD_XSRC_PATTERN:
			o[i] = td_prbs_next(&c->tx);
			break;
		case TD_XSRC_ECHO:
			o[i] = c->heard[i];
			break;
		case TD_XSRC_DTMF:
			o[i] = say_digit(c);
			break;
		default:
			o[i] = TD_XCES_IDLE;
		}
}
