/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_ALARM_H
#define TD_CORE_ALARM_H

#include "spanctl/core/compat.h"

/** Alarms of a pseudowire line, with integration. Pure: time is an argument
 *  (any monotone clock, ns).
 *
 *  LOS: no packet for los_ms. RFC 5086 6.2 leaves the figure to
 *  configuration; G.775's 255 pulse intervals (0.1 ms) suit a receiver chip.
 *  Here it must ride over the pauses of a machine (10 to 50 ms seen), so 100
 *  ms. Cleared by TD_ALARM_COUNT blocks without a loss between them.
 *  AIS (L bit), RAI (M = 10), RDI (R bit): raised by TD_ALARM_COUNT packets
 *  one after the other that show it, cleared by as many that do not; LOS
 *  clears them, it says more.
 *
 *  Packet loss state, sent to the far end as R (RFC 5086 4.3, 6.2): entered
 *  by TD_ALARM_LOSS lost one after the other, or LOS; left after
 *  TD_ALARM_GOOD received ones. A single lost packet is not a defect. */
enum {
	TD_ALARM_COUNT = 10,
	TD_ALARM_LOSS = 8,
	TD_ALARM_GOOD = 100,
	TD_ALARM_LOS_MS = 100,
};

struct td_alarm_run {
	uint8_t n;
	bool on;
};

struct td_alarm {
	int64_t last_ns;	/* of the newest packet */
	uint32_t los_ms;
	bool los;
	uint8_t good;		/* towards clearing LOS */
	uint8_t lost;		/* one after the other */
	uint16_t loss_left;	/* packets until the loss state ends */
	struct td_alarm_run ais, rai, rdi;
	uint64_t los_count;
};

/** Starts with LOS raised (not counted): nothing has come yet. */
void td_alarm_init(struct td_alarm *a, uint32_t los_ms, int64_t now_ns);
/** Nothing came for los_ms (whether tick has said so yet or not). */
bool td_alarm_silent(const struct td_alarm *a, int64_t now_ns);
/** A packet came, in whatever order. */
void td_alarm_packet(struct td_alarm *a, bool l, bool rdi, bool r,
		     int64_t now_ns);
/** The next block of the line is known to have come or to be lost. */
void td_alarm_block(struct td_alarm *a, bool lost);
/** @return true: LOS has just been raised */
bool td_alarm_tick(struct td_alarm *a, int64_t now_ns);
/** @return set of TD_ALARM_… of uapi/td_span.h */
uint32_t td_alarm_bits(const struct td_alarm *a);
/** To be sent as R, and as M = 10. */
bool td_alarm_send_r(const struct td_alarm *a);
bool td_alarm_send_rdi(const struct td_alarm *a);

#endif
