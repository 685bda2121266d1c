// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/xces.h"

#include <errno.h>

void td_xces_put_word(uint8_t p[4], const struct td_xces_word *w)
{
	/* FRG = 0; LEN = 0, since the packet has 64 octets or more */
	p[0] = w->l << 3 | w->r << 2 | (w->m & 3);
	p[1] = 0;
	p[2] = w->seq >> 8;
	p[3] = w->seq & 0xff;
}

int td_xces_parse(const uint8_t *p, size_t n, struct td_xces_word *w,
		  const uint8_t **payload)
{
	bool bare = n == 4;
	uint8_t len;

	if (!bare && n != TD_XCES_PACKET)
		return -EINVAL;
	if (p[0] & 0xf0 || p[1] & 0xc0)
		return -EINVAL;		/* not a control word; a fragment */
	len = p[1] & 0x3f;
	if (len && len != n)
		return -EINVAL;
	if (bare && !(p[0] & 8))
		return -EINVAL;
	w->l = p[0] >> 3 & 1;
	w->r = p[0] >> 2 & 1;
	w->m = p[0] & 3;
	w->seq = p[2] << 8 | p[3];
	*payload = bare ? NULL : p + 4;
	return 0;
}

void td_xces_get_slot(const uint8_t *payload, int ts, uint8_t o[8])
{
	for (int f = 0; f < TD_XCES_FRAMES; f++)
		o[f] = payload[f * TD_XCES_SLOTS + ts - 1];
}

void td_xces_put_slot(uint8_t *payload, int ts, const uint8_t o[8])
{
	for (int f = 0; f < TD_XCES_FRAMES; f++)
		payload[f * TD_XCES_SLOTS + ts - 1] = o[f];
}
