/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_CRC_H
#define TD_CORE_CRC_H

#include "spanctl/core/compat.h"

/** Frame check sequence of LAPD and MTP2 (Q.921 2.7, Q.703 4.2; "CRC-16/X.25":
 *  x^16+x^12+x^5+1, least significant bit first, preset and inverted). */
enum {
	TD_CRC_INIT = 0xffff,
	TD_CRC_GOOD = 0xf0b8,	/* over a frame with its FCS */
};

uint16_t td_crc_octet(uint16_t crc, uint8_t octet);
/** @return the FCS of n octets; its low octet is sent first */
uint16_t td_crc_fcs(const uint8_t *data, size_t n);

#endif
