/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPOOL_H
#define TD_SPOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/spool/disk.h"

/** The durable spool: records (type, key, data) that every node of the in-sync
 *  set keeps on its own disk until one node has written them into the
 *  database and said so by spool_done. A key stands for one record for ever,
 *  so whatever is offered, written or said twice does no harm.
 *
 *  Time is an argument (CLOCK_BOOTTIME, ms); nothing blocks, nothing is waited
 *  for but by td_spool_save. All calls from the control loop's thread. */
struct td_spool;

enum td_spool_type {
	TD_SPOOL_CDR = 1,	/* node/cdr: a CdrSet */
};

/** What the spool asks of its node; the simulator's seam with disk.h. */
struct td_spool_env {
	uint32_t node_id;
	/** Submits an op. @return as td_cluster_submit */
	int (*say)(void *arg, const Td__Op *op);
	/** td_cluster_effect_durable. @return as td_cluster_effect */
	int (*effect)(void *arg, td_effect_fn fn, void *fn_arg);
	/** Bit id: members that apply what is submitted now, this node too;
	 *  0: the view does not go on here. */
	uint32_t (*in_sync)(void *arg);
	/** All ops with a record up to index n are on this disk. Not said
	 *  while it is full; what it refused then counts as there again once
	 *  there is room. May be NULL. */
	void (*on_disk)(void *arg, uint64_t n);
	void *arg;
};
struct td_spool_limits {
	uint64_t disk_octets;	/* 0: 256 MiB. Then new records are refused:
				 * the old ones are never dropped */
	size_t memory_octets;	/* 0: 16 MiB: what waits for the disk */
};

int td_spool_new(const struct td_spool_env *env,
		 const struct td_spool_limits *limits, struct td_spool **out);
/** What a segment from an earlier life holds; before the disk is set. */
void td_spool_load(struct td_spool *s, uint32_t segment, const uint8_t *buf,
		   size_t n);
/** The spool owns the disk from here on. */
void td_spool_set_disk(struct td_spool *s, struct td_spool_disk *disk);
/** Finishes what the disk was given. */
void td_spool_free(struct td_spool *s);

/** Puts a record onto the own disk, whether the cluster can be told or not;
 *  the caller's op (call_end) carries it to the others, or the spool does by
 *  spool_put when no such op has come round in time. Known already: no effect.
 *  @return 0, -EINVAL (key, or more than TD_SEG_MAX_DATA octets), -ENOSPC (the
 *  spool is full), -EAGAIN (the disk is stuck), -ENOMEM: it is not kept here,
 *  and counted */
int td_spool_put(struct td_spool *s, int64_t now_ms, uint32_t type,
		 const void *key, size_t key_n, const void *data, size_t n);

/** @param status 0; -ECANCELED: no word of the cluster, the record stays on
 *  this disk and will be offered; -EIO: this disk does not take it
 *  @param disks  how many have it: 1 is "with one disk left" */
typedef void (*td_spool_saved_fn)(void *arg, int status, unsigned int disks);
/** For what is called done only then ("your message was saved"): puts it,
 *  tells the others, and runs fn once when it is on two disks, or on the one
 *  that is left, or in the database.
 *  @return as td_spool_put, or of `say` and `effect`; fn is not called then,
 *  but the record may be kept */
int td_spool_save(struct td_spool *s, int64_t now_ms, uint32_t type,
		  const void *key, size_t key_n, const void *data, size_t n,
		  td_spool_saved_fn fn, void *arg);

/* --- what the cluster tells --- */

/** After each applied op. @param n  its index; op NULL: the view was replaced
 *  as a whole */
void td_spool_applied(struct td_spool *s, int64_t now_ms, const Td__Op *op,
		      uint64_t n);
/** A record that each node of the in-sync set has made alike from the op at
 *  index n. @return as td_spool_put */
int td_spool_agreed(struct td_spool *s, int64_t now_ms, uint64_t n,
		    uint32_t type, const void *key, size_t key_n,
		    const void *data, size_t octets);
/** Every 100 ms or so: offers to others what they do not have, tries a stuck
 *  disk again, says done again. */
void td_spool_turn(struct td_spool *s, int64_t now_ms);

/* --- the writer (writer.h) --- */

struct td_spool_rec {
	struct td_spool_key key;
	const uint8_t *data;
	size_t n;
};
/** status 0 and 1..max records of one type, oldest first, valid in the call;
 *  -EIO: they could not be read, they are left out from now on; -ECANCELED:
 *  the spool ends. */
typedef void (*td_spool_taken_fn)(void *arg, int status,
				  const struct td_spool_rec *recs, size_t n);
/** Reads the oldest records that are not written yet. One at a time.
 *  @return 0: fn will be called; -ENOENT: there is none; -EBUSY; -EAGAIN */
int td_spool_take(struct td_spool *s, unsigned int max, td_spool_taken_fn fn,
		  void *arg);
/** These are in the database: says so to all, again and again until it has
 *  come round. */
void td_spool_written(struct td_spool *s, int64_t now_ms,
		      const struct td_spool_key *keys, size_t n);

struct td_spool_stats {
	uint32_t records;	/* not in the database, as far as it is known */
	uint32_t unsaved;	/* of those: not on this disk yet */
	uint32_t alone;		/* of those looked at: on this disk only */
	uint64_t octets, queued_octets;
	uint64_t put, done, offered, refused_full, refused_memory,
		disk_errors, torn_octets, bad_octets, unreadable;
	bool full, stuck;
};
void td_spool_stats(const struct td_spool *s, struct td_spool_stats *out);
/** New reference. */
json_t *td_spool_dump(const struct td_spool *s);

#endif
