/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_BUS_H
#define TD_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/loop.h"

/** Totally ordered multicast with membership: the simulator's seam. Members
 *  are known by node id (1..16); at most one member a node. */
struct td_bus;

struct td_bus_member {
	uint32_t node_id;
	uint32_t pid;		/* tells two lives of a daemon apart */
	bool fresh;		/* did not come here together with this node:
				 * what it was sent before may differ */
};

struct td_bus_events {
	/** A message in the one order, the sender's own too. */
	void (*deliver)(void *arg, uint32_t from, const void *buf, size_t n);
	/** A new configuration, at its place in the order.
	 *  @param ring of the transport: changes when the transport's
	 *  membership does (not when a daemon comes or goes on a node that
	 *  stays), differs between any two parts of a partition, and a later
	 *  ring has a higher number; below 2^44, 0 is none
	 *  @param quorate the quorum view of the same ring */
	void (*members)(void *arg, uint64_t ring, bool quorate,
			const struct td_bus_member *m, unsigned int n);
	/** The transport is gone (corosync died): no more events. */
	void (*lost)(void *arg);
};

struct td_bus_ops {
	/** Never delivers before it returns.
	 *  @return 0, -EAGAIN: the transport is full, try at the next turn;
	 *  -ENOTCONN: it is gone */
	int (*send)(struct td_bus *b, const void *buf, size_t n);
	void (*free)(struct td_bus *b);
};
struct td_bus {
	const struct td_bus_ops *ops;
	struct td_bus_events ev;
	void *ev_arg;
	uint32_t node_id;
};

/** The receiver sets ev and ev_arg before the loop turns. One node without
 *  corosync; delivers in the loop's next turn. */
int td_bus_local_new(struct td_loop *loop, uint32_t node_id,
		     struct td_bus **out);
/** corosync CPG and quorum, in the group `group`. bus_cpg.c is the only file
 *  that knows corosync.
 *  @return 0, -ECONNREFUSED: corosync does not run */
int td_bus_cpg_new(struct td_loop *loop, const char *group,
		   struct td_bus **out);

#endif
