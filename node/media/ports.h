/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PORTS_H
#define TD_PORTS_H

#include <stdint.h>

/** The RTP ports of one address: even ones of 20000-29999, the odd one above
 *  goes with it (RTCP). A port rests for 60 s after use, so that late packets
 *  of a call never reach the next one. Pure. */

enum {
	TD_PORTS_FIRST = 20000,
	TD_PORTS_COUNT = 5000,
	TD_PORTS_REST_MS = 60000,
};

struct td_ports {
	uint32_t next;			/* where to look first */
	uint32_t used;
	int64_t free_at_ms[TD_PORTS_COUNT];	/* INT64_MAX: in use */
};

/** @param seed  where to begin */
void td_ports_init(struct td_ports *p, uint32_t seed);
/** @return 0, -ENOSPC: all in use or resting */
int td_ports_take(struct td_ports *p, int64_t now_ms, uint16_t *port);
void td_ports_give(struct td_ports *p, int64_t now_ms, uint16_t port);

#endif
