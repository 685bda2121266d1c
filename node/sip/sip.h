/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_H
#define TD_SIP_H

#include <jansson.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"
#include "node/call/leg.h"
#include "proto/base/loop.h"

/** The SIP side of a node: registrar, and SIP dialogs as legs. Everything
 *  here runs in the control loop; the SIP stack has a thread of its own and
 *  keeps nothing that a takeover needs (README.md). */
struct td_sip;

struct td_sip_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	uint32_t node_id;
	const struct td_leg_up *up;	/* outlives the room */
	/** What the 200 to a REGISTER waits for; NULL: td_cluster_effect of
	 *  cluster. A solo node has a disk to wait for. */
	int (*effect)(void *arg, td_effect_fn fn, void *fn_arg);
	void *effect_arg;
	const char *internal_address;	/* cluster network, "10.78.0.1"; NULL:
					 * no internal legs */
	uint8_t key[32];	/* of the cluster: for nonces that any node
				 * can check; equal on all nodes */
	/* 0 takes what stands behind it; tests set others */
	uint16_t port;		/* 5060 */
	uint16_t internal_port;	/* 5066 */
	uint32_t no_answer_ms;	/* 180000: then cause 19 */
	uint32_t t1x64_ms;	/* 32000: timers B, F and H */
	uint32_t second_ms;	/* 1000: of session timers */
	uint32_t max_legs;	/* 8192 */
	uint32_t max_tcp;	/* 4096 connections that others opened */
	uint32_t max_tcp_source;	/* 256 of one address */
	uint32_t tcp_first_ms;	/* 30000 until a first message */
	uint32_t max_kept;	/* 50000: transactions of an address that the
				 * stack keeps for 32 s; then 503 */
};

int td_sip_new(const struct td_sip_cfg *cfg, struct td_sip **out);
/** All legs must have been freed; effects that still wait in the cluster are
 *  dropped when they come back. */
void td_sip_free(struct td_sip *s);

/** The generation to work with from now on; it outlives the next set. Listens
 *  on the floating addresses whose first node is this one, and keeps trying
 *  those that are not here yet.
 *  @return 0, -EAGAIN: the stack takes no orders now, set it again */
int td_sip_set_site(struct td_sip *s, const struct td_site *site);

/** The cluster's secret from now on. Nonces given out under the keys before
 *  are good until they expire, so no phone is challenged for the change.
 *  @return 0, -ENOMEM: the one before goes on */
int td_sip_set_key(struct td_sip *s, const uint8_t key[32]);

/** A td_leg_new_fn: room is the td_sip. Of td_setup an outgoing leg reads
 *  target (an internal leg: "sip:NUMBER@NODE:5066"), route, received,
 *  transport, address, called, calling*, call_id, user, internal, session. */
int td_sip_leg_new(void *room, struct td_leg **out);

/** Are all addresses that it should listen on bound? */
bool td_sip_listening(const struct td_sip *s);

/** New reference: listeners, legs, counters. */
json_t *td_sip_dump(const struct td_sip *s);

#endif
