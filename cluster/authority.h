/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_AUTHORITY_H
#define TD_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** The agreement beside corosync's (failover.md, "Leases"; ha/lease.h is the
 *  only one there is): who must hold an op before its effect, and who may go
 *  on. The cluster asks; it never calls back from within a question. Without
 *  one (a solo node, tests of this room) the membership's word counts: all
 *  members that have joined are needed, and quorate is what the bus says. */
struct td_authority {
	/** The record this member holds; valid during the turn. Never NULL;
	 *  epoch 0: none yet. Goes into each Hello. */
	const Td__Record *(*record)(void *arg);
	/** Bit id: members whose word each effect needs, without this node:
	 *  of every record that binds. Those of another life than the ring's
	 *  member of that id count as never acknowledging.
	 *  Bit 0 (no node has it): nobody's word is enough now. */
	uint32_t (*needed)(void *arg);
	/** Do these members (bit id) hold a majority of the voters, of all
	 *  sets that bind? corosync's own word is `quorate`: before a cluster
	 *  is founded it is the only one. */
	bool (*quorum)(void *arg, uint32_t members, bool quorate);
	/** This node holds all that was released while its record named it
	 *  (td_lease_synced): only then does a record that names it without a
	 *  break since then entitle it. May be NULL: always. */
	bool (*holds)(void *arg);
	/** An operator's word that who does not come is lost for good
	 *  (td_lease_force). May be NULL: never. */
	bool (*forced)(void *arg);

	/* --- told by the cluster, from its turn --- */

	/** A change of membership, at its place in the order.
	 *  @param left  bit id: daemons that left while the ring stayed */
	void (*ring)(void *arg, uint64_t ring, uint32_t members, uint32_t left,
		     bool quorate);
	/** A message of the protocol, at its place in the order; own ones
	 *  too. Also in a minority and before there is a view. */
	void (*deliver)(void *arg, uint32_t from, uint64_t incarnation,
			const Td__Ha *m);
	/** The view goes on in this ring (true), or does not (false): this
	 *  node misses ops from now on. */
	void (*live)(void *arg, bool live);
	/** Needed, and has not acknowledged for 300 ms although the ring
	 *  moves. Repeated every 100 ms while it is so. */
	void (*slow)(void *arg, uint32_t node);
	void *arg;
};

#endif
