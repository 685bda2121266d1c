/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_NTA_H
#define TD_SIP_NTA_H

#include <stdint.h>

#include "node/sip/record.h"

/** The adapter to sofia-sip's transaction layer; nta*.c are the only files
 *  that know the library. It has a thread of its own; dialogs, registrations
 *  and everything that a takeover needs live above it. */
struct td_nta;

struct td_nta_cfg {
	uint32_t max_up;	/* records waiting for the control loop */
	uint32_t max_down;
	uint32_t max_server;	/* server transactions without an answer */
	uint32_t max_kept;	/* and with those that have one, an address:
				 * the library keeps each, 10 kB, for 32 s */
	uint32_t t1x64_ms;	/* timers B, F, H; 0: 32 s */
	/* TCP connections that others opened; 0: 4096, 256, 30 s */
	uint32_t max_tcp, max_tcp_source, tcp_first_ms;
};

int td_nta_new(const struct td_nta_cfg *cfg, struct td_nta **out);
/** Ends the thread; records still waiting are freed. */
void td_nta_free(struct td_nta *n);

/** Readable while td_nta_get has something. */
int td_nta_fd(const struct td_nta *n);
/** The caller frees. NULL: none */
struct td_sip_up *td_nta_get(struct td_nta *n);
/** Takes d on success. @return 0, -EAGAIN: full, counted */
int td_nta_put(struct td_nta *n, struct td_sip_down *d);

struct td_nta_stats {
	uint64_t rx_requests, rx_responses, tx_requests, tx_replies;
	uint64_t rejected;	/* malformed, answered with 400 or 505 */
	uint64_t dropped;	/* malformed, no answer possible or due */
	uint64_t stray;		/* responses and ACKs that fit nothing */
	uint64_t overload;	/* answered 503 before the control loop */
	uint64_t lost_up;	/* records the full queue refused */
	uint64_t lost_down;
	uint64_t timeouts;
	uint64_t forgotten;	/* server transactions never answered */
	uint64_t tcp_refused;	/* connections beyond a limit */
	uint64_t tcp_slow;	/* shut: no message for too long, or half of
				 * one */
	uint64_t tcp_idle;
	uint64_t tcp;		/* connections now */
	uint32_t server, client;	/* transactions now */
};
void td_nta_stats(const struct td_nta *n, struct td_nta_stats *out);

#endif
