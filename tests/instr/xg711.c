// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/xg711.h"

#include <math.h>

int td_xg711_from_alaw(uint8_t o)
{
	int v, seg;

	o ^= 0x55;
	seg = o >> 4 & 7;
	v = (o & 15) << 4 | 8;		/* 16-bit scale, middle of the step */
	if (seg)
		v = (v + 0x100) << (seg - 1);
	return o & 0x80 ? v : -v;
}

uint8_t td_xg711_alaw(int linear)
{
	int v = linear < 0 ? -linear - 1 : linear;
	int seg = 0;
	uint8_t o;

	if (v > 32767)
		v = 32767;
	while (seg < 7 && v >= 0x100 << seg)
		seg++;
	o = seg < 2 ? v >> 4 & 15 : v >> (seg + 3) & 15;
	o |= seg << 4;
	return (linear < 0 ? o : o | 0x80) ^ 0x55;
}

int td_xg711_from_ulaw(uint8_t o)
{
	int v;

	o = ~o;
	v = ((o & 15) << 3 | 0x84) << (o >> 4 & 7);
	v -= 0x84;
	return o & 0x80 ? -v : v;
}

uint8_t td_xg711_ulaw(int linear)
{
	int v = linear < 0 ? -linear : linear;
	int seg = 0;
	uint8_t o;

	v += 0x84;
	if (v > 0x7fff)
		v = 0x7fff;
	while (seg < 7 && v >= 0x100 << seg)
		seg++;
	o = seg << 4 | (v >> (seg + 3) & 15);
	return ~(linear < 0 ? o | 0x80 : o);
}

double td_xg711_peak(double dbm0)
{
	return 32768.0 * pow(10, (dbm0 - 3.14) / 20);
}
