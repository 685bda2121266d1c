// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/cesop.h"

enum {
	CW_ZERO = 0xf0, CW_L = 0x08, CW_R = 0x04, CW_M = 0x03, CW_M_RDI = 0x02,
	CW_FRG = 0xc0, CW_LEN = 0x3f,
};

void td_cesop_put(const struct td_cesop *h, uint8_t out[TD_CESOP_HEADER])
{
	/* LEN is 0: 64 octets or more */
	out[0] = (uint8_t)((h->l ? CW_L : 0) | (h->r ? CW_R : 0) |
			   (h->rdi ? CW_M_RDI : 0));
	out[1] = 0;
	out[2] = (uint8_t)(h->seq >> 8);
	out[3] = (uint8_t)h->seq;
}

int td_cesop_get(const uint8_t *packet, size_t n, struct td_cesop *h,
		 const uint8_t **payload)
{
	uint8_t m, len;
	bool l;

	if (n != TD_CESOP_PACKET && n != TD_CESOP_HEADER)
		return -EBADMSG;
	if (packet[0] & CW_ZERO || packet[1] & CW_FRG)
		return -EBADMSG;
	l = packet[0] & CW_L;
	m = packet[0] & CW_M;
	len = packet[1] & CW_LEN;
	if (n == TD_CESOP_HEADER && !l)
		return -EBADMSG;
	/* LEN may be left 0; else it is the length of a short packet */
	if (len && len != n)
		return -EBADMSG;
	if (m && (l || m != CW_M_RDI))
		return -EBADMSG;
	*h = (struct td_cesop){
		.seq = (uint16_t)(packet[2] << 8 | packet[3]),
		.l = l,
		.r = packet[0] & CW_R,
		.rdi = m == CW_M_RDI,
	};
	*payload = n > TD_CESOP_HEADER ? packet + TD_CESOP_HEADER : NULL;
	return 0;
}

void td_cesop_unpack(const uint8_t *payload, td_cesop_cells out)
{
	for (int f = 0; f < TD_CESOP_FRAMES; f++)
		for (int ts = 1; ts <= TD_CESOP_SLOTS; ts++)
			out[ts][f] = *payload++;
}

void td_cesop_pack(td_cesop_cells cells, uint8_t *payload)
{
	for (int f = 0; f < TD_CESOP_FRAMES; f++)
		for (int ts = 1; ts <= TD_CESOP_SLOTS; ts++)
			*payload++ = cells[ts][f];
}
