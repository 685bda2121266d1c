// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/q931.h"

enum { LAPD = 4, PD = LAPD, CREF_AT = LAPD + 1, HEADER = LAPD + 3,
       CREF_LENGTH = 0x0f, ONE_OCTET = 0x80, FLAG = 0x80, Q931_PD = 8,
       NO_PD = 0 };

enum { SETUP = 0x05, DISCONNECT = TD_Q931_DISCONNECT, RESTART = 0x46,
       RELEASE = TD_Q931_RELEASE,
       RESTART_ACK = 0x4e, RELEASE_COMPLETE = 0x5a, STATUS_ENQUIRY = 0x75,
       STATUS = 0x7d };

enum { CALL_STATE = 0x14, STATE_MASK = 0x3f };

size_t td_q931_fit(const uint8_t *f, size_t n)
{
	size_t at = HEADER;

	if (n < at || f[2] & 1)
		return n;
	at += f[CREF_AT] & CREF_LENGTH;
	while (at < n) {
		size_t len = 1;

		if (!(f[at] & ONE_OCTET)) {
			if (at + 2 > n || at + 2 + f[at + 1] > n)
				return at;
			len = 2 + (size_t)f[at + 1];
		}
		at += len;
	}
	return n;
}

bool td_q931_head(const uint8_t *f, size_t n, struct td_q931_head *out)
{
	size_t len;

	if (n < HEADER || f[2] & 1 || f[PD] != Q931_PD)
		return false;
	len = f[CREF_AT] & CREF_LENGTH;
	if (len < 1 || len > 2 || n < HEADER + len)
		return false;
	*out = (struct td_q931_head){
		.cref = f[CREF_AT + 1] & ~FLAG,
		.to_originator = f[CREF_AT + 1] & FLAG,
		.type = f[CREF_AT + 1 + len],
	};
	if (len == 2)
		out->cref = out->cref << 8 | f[CREF_AT + 2];
	return true;
}

bool td_q931_may_begin(const struct td_q931_head *h)
{
	switch (h->type) {
	case SETUP:
	case DISCONNECT:
	case RELEASE:
	case RELEASE_COMPLETE:
		return h->cref != 0;
	case RESTART:
	case RESTART_ACK:
	case STATUS:
		return h->cref == 0;
	}
	return false;
}

bool td_q931_lets_go(const uint8_t *f, size_t n, const struct td_q931_head *h)
{
	size_t at = HEADER + (f[CREF_AT] & CREF_LENGTH);

	if (h->type == RELEASE || h->type == RELEASE_COMPLETE)
		return h->cref != 0;
	if (h->type != STATUS || !h->cref)
		return false;
	while (at + 2 < n) {
		if (f[at] & ONE_OCTET) {
			at++;
			continue;
		}
		if (f[at] == CALL_STATE)
			return f[at + 1] >= 1 && !(f[at + 2] & STATE_MASK);
		at += 2 + (size_t)f[at + 1];
	}
	return false;
}

bool td_q931_mute_foreign(uint8_t *f, size_t n)
{
	if (n <= PD || f[2] & 1 || f[PD] == Q931_PD)
		return false;
	f[PD] = NO_PD;
	return true;
}

size_t td_q931_to_enquiry(uint8_t *f)
{
	size_t at = CREF_AT + 1 + (f[CREF_AT] & CREF_LENGTH);

	f[at] = STATUS_ENQUIRY;
	return at + 1;
}
