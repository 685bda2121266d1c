/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_NODELIST_H
#define TD_NODELIST_H

#include <stdint.h>

#include "proto/td_codec.h"

enum { TD_PEER_NETWORKS = 2 };

/** A member that the transport knows of, present or not. */
struct td_peer {
	uint32_t id;		/* 1..16 */
	char name[32];
	/** Numeric, one a network, in the order of corosync's links; ""
	 *  where it has none. */
	char address[TD_PEER_NETWORKS][46];
};

/** What corosync.conf says in its nodelist, by corosync's own word
 *  (libcmap; nodelist.c is the only file that sees it).
 *  @param[out] peers  TD_NODE_MAX_ID of them, by id
 *  @return 0; -ECONNREFUSED: corosync does not run; -EINVAL: an id beyond
 *  1..16 or none at all (logged: CLUSTER-NODELIST) */
int td_nodelist_load(struct td_peer *peers, unsigned int *n);

#endif
