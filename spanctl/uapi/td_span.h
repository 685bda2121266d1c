/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
#ifndef TD_SPAN_H
#define TD_SPAN_H

#include <stdint.h>

/* Shared between the kernel driver, the user-mode card and spanctl/lib. Every
 * struct starts with its size; a reader takes what both know. */

enum {
	TD_SPAN_RING = 256,	/* blocks in a ring: 256 ms */
	TD_SPAN_SLOTS = 32,
	TD_SPAN_BLOCK = 8,	/* frames a block: 1 ms */
};

/* G.775, O.162, Q.516; as a bit set */
enum {
	TD_ALARM_LOS = 1 << 0,	/* no packets / no signal */
	TD_ALARM_AIS = 1 << 1,	/* L bit: the attachment circuit is down */
	TD_ALARM_LOF = 1 << 2,
	TD_ALARM_RAI = 1 << 3,	/* M = 10: remote defect */
	TD_ALARM_RDI = 1 << 4,	/* R bit: the far end loses our packets */
};

struct td_span_counters {
	uint32_t size;
	uint32_t reserved;
	uint64_t rx_packets, tx_packets;
	uint64_t rx_lost;	/* sequence numbers that never came */
	uint64_t rx_late;	/* came after their block was released */
	uint64_t rx_reordered;
	uint64_t rx_malformed;	/* bad length or control word */
	uint64_t rx_resync;	/* jumps of the sequence */
	uint64_t rx_lbit, rx_rbit, rx_mbits;
	uint64_t los;		/* times */
	uint64_t tx_blocked;	/* blocks not sent: no lease */
	uint64_t tx_underrun;	/* slot blocks that sent idle in an open slot */
	uint64_t lease_lapsed;
	uint64_t slips;		/* cross-connect */
	uint64_t hdlc_rx, hdlc_tx;
	uint64_t hdlc_crc, hdlc_abort, hdlc_short, hdlc_long, hdlc_overrun;
	uint64_t hdlc_tx_refused;
};

#endif
