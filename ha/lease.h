/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LEASE_H
#define TD_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** Who may own a unit, and since when: the agreement of failover.md, "Leases",
 *  as one member's machine. Pure: time is an argument (CLOCK_BOOTTIME, ms,
 *  whatever origin), what is to be done comes out through td_lease_ops, which
 *  must not call back in. A node and the witness run the same machine.
 *
 *  There is one record for the whole cluster, because there is one view: it
 *  belongs to the unit TD_UNIT_LEAD, whose owner alone writes it. Every other
 *  unit has an owner and an epoch of its own and is taken by the same
 *  messages, with the same voters, by members of the record's in-sync set.
 *
 *  The writer of the record is not the owner of every unit: what that asks for
 *  beyond the one-unit model stands in ha/README.md, "Leases". */
struct td_lease;

#define TD_UNIT_LEAD "lead"

enum {
	TD_LEASE_HEARTBEAT_MS = 50,
	TD_LEASE_LEASE_MS = 400,	/* from the heartbeat's sending */
	TD_LEASE_WAIT_MS = 450,		/* the taker's */
	TD_LEASE_MISSED_MS = 400,	/* then an owner counts as hanging */
};

struct td_lease_ops {
	/** In the one order: td_cluster_say. */
	void (*say)(void *arg, const Td__Ha *m);
	/** One datagram to a peer, on all networks. */
	void (*udp)(void *arg, uint32_t to, const Td__Heartbeat *m);
	/** To be on disk before anything that is said or sent by `say` and
	 *  `udp` after this call leaves. The caller holds those back. */
	void (*save)(void *arg, const Td__LeaseState *s);
	/** The unit is ours at this epoch until the time given: the first time
	 *  (taken), and each time that it is renewed. */
	void (*hold)(void *arg, const char *unit, uint64_t epoch,
		     int64_t until_ms);
	/** Off for this epoch and all before, for good. When it returns the
	 *  transmitter is off; RELEASED may follow. */
	void (*off)(void *arg, const char *unit, uint64_t epoch);
	/** What td_lease_needed or td_lease_quorum answers, or an owner that
	 *  td_lease_unit tells of, has changed. */
	void (*changed)(void *arg);
	void *arg;
};

struct td_lease_cfg {
	uint32_t node_id;
	uint64_t incarnation;
	bool witness;			/* never takes, is never in sync */
	const Td__LeaseState *disk;	/* NULL: a new machine; copied */
	uint32_t nodelist;		/* bit id: all that may ever vote; the
					 * founder's voters */
	uint64_t bugs;			/* ha/lease_bug.h: of the simulator */
	struct td_lease_ops ops;
};
int td_lease_new(const struct td_lease_cfg *cfg, int64_t now_ms,
		 struct td_lease **out);
void td_lease_free(struct td_lease *l);

/* --- what happens --- */

/** Every TD_LEASE_HEARTBEAT_MS. */
void td_lease_tick(struct td_lease *l, int64_t now_ms);
/** When the next call of td_lease_tick would do something before that: the
 *  taker's wait. INT64_MAX: nothing. */
int64_t td_lease_due_ms(const struct td_lease *l);
/** As td_authority.ring tells it: `left` are daemons that left while the ring
 *  stayed. */
void td_lease_ring(struct td_lease *l, int64_t now_ms, uint64_t ring,
		   uint32_t members, uint32_t left, bool quorate);
void td_lease_deliver(struct td_lease *l, int64_t now_ms, uint32_t from,
		      uint64_t incarnation, const Td__Ha *m);
void td_lease_udp(struct td_lease *l, int64_t now_ms, const Td__Heartbeat *m);
/** The view goes on here, in this ring, without a hole; or not. */
void td_lease_live(struct td_lease *l, int64_t now_ms, bool live);
/** A needed member does not acknowledge ops. */
void td_lease_slow(struct td_lease *l, int64_t now_ms, uint32_t node);
/** The last save is on disk. Only for td_lease_stats: who holds messages back
 *  is the caller. */
void td_lease_saved(struct td_lease *l, int64_t now_ms);

/* --- what plan.c wants --- */

/** Wanted: takes the unit when nobody living owns it, or its owner has
 *  released it, or never came to hold it; not wanted: releases it if it is
 *  ours. A unit that nobody here ever wanted is followed all the same.
 *  @return 0, -ENOSPC: TD_VIEW_MAX_UNITS, -EINVAL: the name */
int td_lease_want(struct td_lease *l, int64_t now_ms, const char *unit,
		  bool wanted);
/** Who should vote (bit id), when nothing speaks against it: the lead changes
 *  the record towards it. 0: as it is. */
void td_lease_want_voters(struct td_lease *l, int64_t now_ms, uint32_t mask);
/** An epoch of this unit that was seen elsewhere (a card that is still up, a
 *  row of the view): the next Take is above it. */
void td_lease_seen(struct td_lease *l, const char *unit, uint64_t epoch);
/** An operator's word that the members of the in-sync set are lost for good:
 *  the next that takes `lead` may found on what it has. */
void td_lease_force(struct td_lease *l, int64_t now_ms);
/** struct td_authority: forced. Good for half a minute, or until it is used. */
bool td_lease_forced(const struct td_lease *l, int64_t now_ms);

/* --- what stands --- */

enum td_unit_state {
	TD_UNIT_FREE,		/* released, or never owned */
	TD_UNIT_OWNED,		/* by a member that is heard */
	TD_UNIT_DEAD,		/* its owner is gone or hangs */
	TD_UNIT_TAKING,		/* somebody is taking it */
};
struct td_unit_view {
	const char *unit;
	enum td_unit_state state;
	uint32_t owner;		/* promised to; 0: nobody ever */
	uint64_t epoch;		/* promised */
	bool ours;		/* we hold it now at this epoch */
	int64_t until_ms;	/* ours: end of the lease */
};
/** @return 0, -ENOENT */
int td_lease_unit(const struct td_lease *l, int64_t now_ms, const char *unit,
		  struct td_unit_view *out);
/** Walks all units that were ever heard of, by name. i from 0.
 *  @return -ENOENT: no more */
int td_lease_unit_at(const struct td_lease *l, int64_t now_ms, unsigned int i,
		     struct td_unit_view *out);
/** The newest record that this member holds; never NULL. */
const Td__Record *td_lease_record(const struct td_lease *l);
/** This member holds all that was released while its record named it. */
bool td_lease_synced(const struct td_lease *l);
/** In td_lease_needed: nobody's word is enough now (no record yet; after a
 *  merge, until the lead has said which record binds; a member of a binding
 *  set is here in another life). */
#define TD_LEASE_NOBODY 1U
/** struct td_authority: needed, quorum. */
uint32_t td_lease_needed(const struct td_lease *l);
bool td_lease_quorum(const struct td_lease *l, uint32_t members, bool quorate);
/** Bit id: members of the newest record's in-sync set that live in the ring. */
uint32_t td_lease_in_sync(const struct td_lease *l);

struct td_lease_stats {
	uint64_t heartbeats_in, heartbeats_out, stale_acks, takes, reports,
		records, releases, lapsed, saves, saved, refused;
};
void td_lease_stats(const struct td_lease *l, struct td_lease_stats *out);

#endif
