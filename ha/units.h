/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_UNITS_H
#define TD_UNITS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/nodelist.h"
#include "cluster/store/site.h"
#include "proto/base/loop.h"
#include "spanctl/lib/span.h"

/** A member's part in who owns what: the lease machine (lease.h) with its
 *  clock, disk, datagrams and place in the cluster, and the plan (plan.h)
 *  that tells it what to want. Nodes and the witness alike. */
struct td_units;

#define TD_ROLE_SPOOL "spool"	/* writes what the database is owed */

struct td_units_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	uint32_t node_id;
	uint64_t incarnation;
	bool witness;
	const char *state_dir;
	/** All that may vote; a solo node: itself alone, without addresses. */
	const struct td_peer *peers;
	unsigned int n_peers;
	const uint8_t *key;	/* of the heartbeats; NULL: none */
	size_t n_key;
	/** A line's transmitter is on, or not any more. */
	void (*line)(void *arg, const char *span, bool on, uint64_t epoch);
	/** An address or a role is ours at this epoch, or not any more. */
	void (*owned)(void *arg, const char *unit, bool on, uint64_t epoch);
	void *arg;
};
/** Becomes the cluster's authority. To be called before the loop turns.
 *  @return 0; -EBADMSG: the voter's memory is damaged (logged: HA-STATE);
 *  -errno */
int td_units_new(const struct td_units_cfg *cfg, struct td_units **out);
/** Switches off and releases what is ours. */
void td_units_free(struct td_units *u);
/** NULL: no card, or it went away. */
void td_units_set_card(struct td_units *u, struct td_card *card);
/** site lives until the next call. */
void td_units_set_site(struct td_units *u, const struct td_site *site);

/** Epoch at which the unit is ours now, 0: it is not. */
uint64_t td_units_owns(const struct td_units *u, const char *unit);
/** The operator says that the rest of the in-sync set will never come back:
 *  td_lease_force. */
void td_units_force(struct td_units *u);

/** New reference: an array of {"name","kind","owner","epoch","state","ours",
 *  "health","reason"}. */
json_t *td_units_list(const struct td_units *u);
/** New reference: record, leases, heartbeats, counters. */
json_t *td_units_dump(const struct td_units *u);

#endif
