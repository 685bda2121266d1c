/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_GATE_H
#define TD_ISDN_GATE_H

#include "node/isdn/env.h"

/** Frames on their way to the line. Whatever libpri sends in one turn is
 *  collected; when the turn ends, and with it the ops that its events made
 *  are submitted, all of it waits for td_cluster_effect as one batch
 *  (failover.md, "Every effect waits for its op"). Order is kept; what is
 *  dropped is counted and LAPD repeats it. */
struct td_isdn_gate;

enum { TD_GATE_LIMIT = 256, TD_GATE_FRAME = 512 };

struct td_gate_stats {
	uint64_t sent;
	uint64_t refused;	/* over the limit, or too long */
	uint64_t cancelled;	/* the op was not held: minority, leaving */
	uint64_t off;		/* gate closed, or the transmitter was off */
	uint32_t waiting;	/* frames that wait for an op */
	uint32_t queued;	/* released, but the card was full */
};

int td_isdn_gate_new(const struct td_isdn_env *env, void *port,
		     struct td_isdn_gate **out);
void td_isdn_gate_free(struct td_isdn_gate *g);
/** The gate must be shut. */
void td_isdn_gate_port(struct td_isdn_gate *g, void *port);
/** Off: frames that come, wait or are queued are dropped. */
void td_isdn_gate_open(struct td_isdn_gate *g, bool open);
void td_isdn_gate_put(struct td_isdn_gate *g, const uint8_t *frame, size_t n);
/** End of a turn. */
void td_isdn_gate_flush(struct td_isdn_gate *g);
/** The card has room again. */
void td_isdn_gate_retry(struct td_isdn_gate *g);
void td_isdn_gate_stats(const struct td_isdn_gate *g,
			struct td_gate_stats *out);

#endif
