/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPOOL_DISK_H
#define TD_SPOOL_DISK_H

#include <stdint.h>

#include "cluster/spool/segment.h"
#include "proto/base/loop.h"

/** The spool's files: the simulator's seam. Jobs are done in order; each
 *  comes back once, in the loop, never from within submit. */

enum td_spool_what {
	TD_SPOOL_APPEND,	/* back when it is on the platter, if `sync` */
	TD_SPOOL_READ,
	TD_SPOOL_UNLINK,	/* a segment that is not the newest */
};

enum { TD_SPOOL_MAX_PIECES = 512, TD_SPOOL_MAX_READ = 4 * 1024 * 1024 };

struct td_spool_piece {
	uint32_t segment, at, octets;
	uint8_t *buf;		/* read: malloc'ed by the disk, the frame */
	int status;
};

struct td_spool_job {
	struct td_spool_job *next;	/* free for the owner of the moment */
	enum td_spool_what what;
	bool sync;
	int status;		/* of an append: all or nothing counts */
	uint8_t *buf;		/* append: whole frames */
	size_t n;
	uint32_t segment, at;	/* append: where it went; unlink: which */
	struct td_spool_piece *pieces;	/* read */
	unsigned int n_pieces;
	void (*done)(void *arg, struct td_spool_job *job);
	void *arg;
};

struct td_spool_disk;
struct td_spool_disk_ops {
	/** @return 0; -EAGAIN: too many are under way, the caller keeps it */
	int (*submit)(struct td_spool_disk *d, struct td_spool_job *job);
	/** Finishes what was submitted; `done` is called for each. */
	void (*free)(struct td_spool_disk *d);
};
struct td_spool_disk {
	const struct td_spool_disk_ops *ops;
};

void td_spool_job_free(struct td_spool_job *job);

/** One segment that was there at the start, whole; ascending numbers. */
typedef void (*td_spool_load_fn)(void *arg, uint32_t segment,
				 const uint8_t *buf, size_t n);

/** Files DIR/spool/NNNNNNNNNN.seg, written by a thread of its own: everything
 *  that waits is written, then one fdatasync. An old segment is never
 *  appended to. Reads all that is there before it returns: for the start.
 *  @return 0 or a negative errno: the folder cannot be made or read */
int td_spool_disk_open(struct td_loop *loop, const char *dir,
		       td_spool_load_fn load, void *arg,
		       struct td_spool_disk **out);

#endif
