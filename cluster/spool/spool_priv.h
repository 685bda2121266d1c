/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to cluster/spool: index.c (what is known), spool.c (what happens),
 * offer.c (what others shall know), take.c (what the writer reads). */
#ifndef TD_SPOOL_PRIV_H
#define TD_SPOOL_PRIV_H

#include "cluster/spool/spool.h"

enum {
	SPOOL_OFFER_AFTER_MS = 2000,	/* an op of it may be under way */
	SPOOL_OFFER_AGAIN_MS = 5000,
	SPOOL_OFFER_BATCH = 64,		/* a turn */
	SPOOL_SCAN_BATCH = 4096,	/* entries looked at in a turn */
	SPOOL_RETRY_MS = 1000,		/* of a disk that refused */
	SPOOL_DONE_AGAIN_MS = 5000,
	SPOOL_MAX_WAITERS = 1024,
};

enum entry_state {
	ENTRY_QUEUED,	/* its append is under way */
	ENTRY_FAILED,	/* the disk refused; its job waits for another try */
	ENTRY_ON_DISK,
};

struct segment;

/** A record that is not done. */
struct entry {
	struct entry *next, *prev;	/* oldest first */
	struct entry *hash_next;
	uint64_t hash;
	struct segment *segment;	/* ON_DISK */
	uint32_t at, octets;
	int64_t touched_ms;		/* put, or last offered, or said done */
	struct td_spool_job *job;	/* until it is ON_DISK */
	uint16_t holders;		/* bit id: who has applied it */
	uint8_t state;
	bool written;			/* in the database */
	bool busy;			/* being read */
	bool done;			/* forget it when its append is back */
	bool unreadable;
	struct td_spool_key key;
};

/** A file with entries in it, or the one being written. */
struct segment {
	struct segment *next;	/* ascending */
	uint32_t number;
	uint32_t live;		/* entries in it that are not done */
	uint64_t octets;
};

struct waiter {
	struct waiter *next;
	struct td_spool *s;
	struct td_spool_key key;
	td_spool_saved_fn fn;
	void *arg;
	bool on_disk, held, one_disk;
	int status;
	unsigned int disks;
};

struct td_spool {
	struct td_spool_env env;
	struct td_spool_limits limits;
	struct td_spool_disk *disk;
	struct entry *head, *tail;
	struct entry **bucket;
	size_t n_bucket;
	struct segment *segments;	/* ascending */
	struct waiter *waiters;
	unsigned int n_waiters;
	struct entry *cursor;		/* where the scan goes on; NULL: head */
	bool scan;			/* something may have to be offered */
	bool scan_found;		/* in this pass */
	bool closing;
	uint32_t alone_pass;
	/* appends come back in order: once mark_seq has, all ops up to index
	 * mark_n are on the disk */
	uint64_t append_seq, back_seq, mark_seq, mark_n;
	uint64_t newest_n, told_n;
	uint32_t failed;		/* entries that the disk refused */
	int64_t retry_ms;
	/* take.c */
	td_spool_taken_fn taken;
	void *taken_arg;
	struct td_spool_stats stats;
};

/* index.c */
int index_init(struct td_spool *s);
void index_free(struct td_spool *s);
struct entry *index_find(const struct td_spool *s,
			 const struct td_spool_key *key);
/** @return NULL: no memory */
struct entry *index_add(struct td_spool *s, const struct td_spool_key *key);
/** Takes it out of its segment and frees it. */
void index_del(struct td_spool *s, struct entry *e);
/** @return NULL: no memory */
struct segment *index_segment(struct td_spool *s, uint32_t number);
void index_place(struct entry *e, struct segment *g, uint32_t at,
		 uint32_t octets);
/** Unlinks the segments of which nothing is needed. */
void index_sweep(struct td_spool *s);

/* spool.c */
void spool_tombstone(struct td_spool *s, const struct td_spool_key *keys,
		     size_t n);
void spool_forget(struct td_spool *s, struct entry *e);

/* offer.c */
void offer_turn(struct td_spool *s, int64_t now_ms, uint32_t in_sync);
int offer_op(struct td_spool *s, const struct td_spool_key *key,
	     const void *data, size_t n);
/** What is told by one spool_done. */
void offer_done(struct td_spool *s, int64_t now_ms,
		const struct td_spool_key *keys, size_t n);

/* save.c */
void save_on_disk(struct td_spool *s, const struct td_spool_key *key,
		  int status);
void save_done(struct td_spool *s, const struct td_spool_key *key);
void save_cancel(struct td_spool *s);

#endif
