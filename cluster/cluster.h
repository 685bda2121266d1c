/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLUSTER_H
#define TD_CLUSTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/authority.h"
#include "cluster/bus.h"
#include "cluster/view.h"
#include "proto/base/loop.h"

/** One node's part in the cluster: bus, view, acknowledgements. All calls
 *  from the control loop's thread. */
struct td_cluster;

struct td_cluster_cfg {
	uint32_t node_id;	/* 1..16 */
	const char *name;	/* "n1" */
	const char *version;
	uint64_t incarnation;	/* differs at every start */
	struct td_bus *bus;	/* bus_cpg or bus_local; the cluster owns it */
	uint32_t max_pending;	/* ops of a lane under way; of the urgent one,
				 * and effects, four times it; 0: 16384 */
	/** Copied. NULL: none. May be set later by td_cluster_set_authority,
	 *  before the loop turns. */
	const struct td_authority *authority;
	bool witness;		/* holds no view: state stays JOINING */
};
/** @return 0; -EINVAL: a part of cfg, or the bus has another node id;
 *  -ENAMETOOLONG, -ENOMEM. On failure the bus stays the caller's. */
int td_cluster_new(struct td_loop *loop, const struct td_cluster_cfg *cfg,
		   struct td_cluster **out);
/** Leaves the group, cancels waiting effects with -ECANCELED. */
void td_cluster_free(struct td_cluster *c);

void td_cluster_set_authority(struct td_cluster *c,
			      const struct td_authority *a);
/** Says something of the lease protocol (copied) in the one order, before all
 *  ops that wait; also from a minority, then when a ring stands. Not kept
 *  over the end of this daemon.
 *  @return 0, -EAGAIN: 1024 wait (counted), -EINVAL: the codec refuses it */
int td_cluster_say(struct td_cluster *c, const Td__Ha *m);
/** What authority->needed or ->quorum says has changed. */
void td_cluster_authority_changed(struct td_cluster *c);

const struct td_view *td_cluster_view(const struct td_cluster *c);
uint32_t td_cluster_node_id(const struct td_cluster *c);
/** Agreed time, finer than the Ticks by this node's monotonic clock: for
 *  records, not for what nodes must decide alike. Up to 0.1 s back at a
 *  Tick. */
int64_t td_cluster_now_ms(const struct td_cluster *c);

/** Puts an op (copied) into the one order. It is applied here and elsewhere
 *  later, when the bus delivers it.
 *  @return 0; -EAGAIN: too much is pending (counted: answer 503 with
 *  Retry-After); -ENOTCONN: not joined yet, or a minority; -ENOTSUP: the op
 *  is of a later feature level than the cluster's; -EINVAL: the codec
 *  would refuse it (td_codec.h): not UTF-8, too long, an id out of range */
int td_cluster_submit(struct td_cluster *c, const Td__Op *op);

/** status 0: release; -ECANCELED: drop the effect and clear what it was for
 *  (minority, leaving); -ESTALE: apply() refused one of the ops it waited
 *  for. A refused registration concerns only the first effect that was asked
 *  for after it. */
typedef void (*td_effect_fn)(void *arg, int status);

/** Runs fn when every op submitted by this node up to now has been applied
 *  here and is held by the in-sync set (architecture.md, "Checkpoint before
 *  send"). In order of the calls. With nothing pending fn runs before this
 *  returns. Unless the state is RUNNING nothing may leave the node: fn runs at
 *  once with -ECANCELED. fn must not free the cluster.
 *  @return 0, -EAGAIN: too many wait (counted), fn is not called */
int td_cluster_effect(struct td_cluster *c, td_effect_fn fn, void *arg);

/** The same, but waits only for ops of the urgent lane (apply.h): calls,
 *  units, nodes. In order among its own kind. */
int td_cluster_effect_urgent(struct td_cluster *c, td_effect_fn fn, void *arg);

/** Waits in addition until all durable ops up to here are on disk at two
 *  members of the in-sync set, or at its only one: status
 *  TD_EFFECT_ONE_DISK then. In order among its own kind. No effect on a wire
 *  may wait so. */
enum { TD_EFFECT_ONE_DISK = 1 };
int td_cluster_effect_durable(struct td_cluster *c, td_effect_fn fn,
			      void *arg);
/** The caller takes applied ops of these types, all of class durable, to this
 *  node's disk, and says up to which index it has. What nobody takes is held
 *  to be on no disk of this node.
 *  @return the sink's number, -EINVAL: not a durable op, -ENOSPC */
int td_cluster_sink(struct td_cluster *c, const Td__Op__WhatCase *types,
		    unsigned int n);
/** All of the sink's ops up to index n (of td_view_index when it was told of
 *  the op) are on disk. */
void td_cluster_on_disk(struct td_cluster *c, int sink, uint64_t n);

/** Told after each applied op, in order; also for ops of this node.
 *  @param op NULL: the view was replaced as a whole (a snapshot)
 *  @param from node id of the sender */
typedef void (*td_applied_fn)(void *arg, const Td__Op *op, uint32_t from);
int td_cluster_watch(struct td_cluster *c, td_applied_fn fn, void *arg);

enum td_cluster_state {
	TD_CLUSTER_JOINING,	/* no view yet */
	TD_CLUSTER_RUNNING,
	TD_CLUSTER_MINORITY,	/* no quorum: nothing is released */
};
enum td_cluster_state td_cluster_state(const struct td_cluster *c);
/** For good: the transport is gone, or this program must not go on (an op of
 *  a later feature level). The process should end and be started anew. The
 *  state is MINORITY then, and the watchers of the state have been told. */
bool td_cluster_lost(const struct td_cluster *c);
/** fn after each change of state or of membership. */
int td_cluster_watch_state(struct td_cluster *c, void (*fn)(void *arg),
			   void *arg);
/** Bit id: the ring's members, with this node; 0: no ring yet. */
uint32_t td_cluster_members(const struct td_cluster *c);
/** Ring's members that finished joining, besides this node (bit id). */
uint32_t td_cluster_in_sync(const struct td_cluster *c);

struct td_cluster_stats {
	uint64_t submitted, applied, refused, effects, cancelled, snapshots_in,
		snapshots_out, bad_messages;
	uint32_t pending_ops, pending_effects;
	uint32_t pending_limit;	/* of the shortest lane */
};
void td_cluster_stats(const struct td_cluster *c, struct td_cluster_stats *out);
/** What this node cannot do now (NodeHealth bits, 0: all well); stands in its
 *  row once the feature level is 2. */
void td_cluster_set_health(struct td_cluster *c, uint32_t health);

/** New reference: the table of ops, each {op, class, level, lane, applied,
 *  refused} since this daemon's start. */
json_t *td_cluster_ops(const struct td_cluster *c);
/** New reference: everything above as an object. */
json_t *td_cluster_dump(const struct td_cluster *c);

#endif
