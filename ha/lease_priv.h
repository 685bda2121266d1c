/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LEASE_PRIV_H
#define TD_LEASE_PRIV_H

#include <string.h>

#include "ha/lease.h"
#include "ha/lease_bug.h"

enum {
	MAX_ID = TD_NODE_MAX_ID,
	BEATS = 16,		/* heartbeats whose answers still count */
	MAX_BOUND = 48,		/* 16 reports of two, our own, some changes */
	UNACKED_MS = 300,	/* a member's word that another is slow */
	SLOW_OUT_MS = 1000,	/* then it may come back */
	SAY_AGAIN_MS = 100,
	JOIN_MS = 150,
	MISS_MS = 100,		/* how often we say it */
	MISS_VALID_MS = 250,
	LATE_MS = 1000,		/* without a lead: then anybody tries */
	MISSED_SAY_MS = 300,
	NOTHING_MS = 900,	/* then a take has come to nothing */
	AGE_LISTED_MS = 60000,
	AGE_MAX_MS = 86400000,
	FORCE_MS = 30000,	/* an operator's word is good for */
};
/* Epochs start at 1 and go up by one: who says more is mad. */
#define EPOCH_MAX (1ULL << 62)
#define NEVER INT64_MIN
#define BIT(id) (1U << (id))

struct key {
	uint64_t epoch, version;
};
/* The record as a plain value. */
struct rec {
	struct key key;
	uint64_t floor;
	uint32_t in_sync, voters, next;	/* bit id */
	uint64_t inc[MAX_ID + 1];	/* of the in-sync set */
	struct key since[MAX_ID + 1];
};
/* and as a message */
struct rec_pb {
	Td__Record r;
	Td__Member member[MAX_ID], *members[MAX_ID];
	uint32_t voters[MAX_ID], next[MAX_ID];
};

/* What a member answered to our Take. */
struct report {
	bool valid, holds;
	uint64_t epoch, inc;
	struct rec rec, stood;
	struct {
		uint64_t epoch;
		int64_t ready_ms;
	} claim[MAX_ID + 1];
};

struct unit {
	char name[TD_UNIT_NAME_OCTETS + 1];
	bool lead, wanted;
	uint64_t epoch;			/* promised */
	uint32_t to;
	int64_t promised_ms, released_ms;
	bool taking;
	/* held by us: at an epoch that may be older than a promise to us */
	bool active;
	uint64_t own_epoch;
	int64_t until_ms;
	/* what a majority has granted us */
	uint64_t lease_epoch;
	int64_t lease_until_ms;

	uint64_t over;			/* up to here no owner is left */
	unsigned int failed;		/* takes of ours, one after another */
	uint64_t seen;			/* somebody promised */
	int64_t heard_ms;		/* another's claim */
	bool heard_held;
	int64_t ownerless_ms;		/* since when nobody had it */
	int64_t tried_ms, shy_ms, ready_ms;
	struct {
		int64_t at_ms;
		uint64_t epoch;
	} acked[MAX_ID + 1];		/* claims that we granted */
	uint64_t released[MAX_ID + 1];
	int64_t miss_ms[MAX_ID + 1];
	struct report report[MAX_ID + 1];
	struct {
		uint64_t seq, epoch;
		uint32_t by;		/* bit id: granted by */
	} beat[BEATS];
};

struct peer {
	uint64_t inc;			/* its life, as last heard in order */
	bool here;			/* and that was in this ring */
	uint64_t gone;			/* the life that left last */
	bool joining;			/* says that it does not hold all */
	struct key have;		/* that it stands by */
	uint64_t have_inc;		/* in which life it said so */
	int64_t slow_ms;		/* somebody said so */
	int64_t slow_said_ms;		/* we say it not before */
	/* our newest grant to it */
	int64_t grant_ms;
	uint64_t grant_inc;
	uint64_t held_inc;		/* whose heartbeats told us this: */
	struct key held;		/* the record it has */
};

struct td_lease {
	struct td_lease_cfg cfg;
	int64_t now_ms;			/* of this call */
	bool dirty;			/* `changed` is due */

	uint64_t ring;
	uint32_t members;
	int64_t ring_ms;
	bool quorate, live, synced;
	int64_t force_ms;		/* an operator's word is good until */

	struct rec rec;			/* on disk */
	struct rec_pb rec_pb;
	struct rec stood;		/* that we stand by */
	bool stood_saved;		/* as another than rec */
	int64_t stand_ms;		/* from then on by rec, at best */
	/* records that bind: oldest first, the last is the newest */
	struct rec bound[MAX_BOUND];
	unsigned int n_bound;
	bool base;			/* bound[0] is what a majority holds */
	struct key own_back;		/* our newest record that came back */
	uint32_t want_voters;
	int64_t said_ms;		/* the record, by us */
	unsigned int said_again;
	uint64_t top;			/* highest epoch anybody promised */

	struct peer peer[MAX_ID + 1];
	struct unit *unit[TD_VIEW_MAX_UNITS];	/* by name */
	unsigned int n_units;
	struct unit *lead;

	uint64_t seq;			/* of heartbeats */
	int64_t sent_ms[BEATS], beat_ms;
	bool beat_soon;
	int64_t join_ms, miss_ms;

	Td__Claim claim[TD_VIEW_MAX_UNITS], *claims[TD_VIEW_MAX_UNITS];
	Td__Promise promise[TD_VIEW_MAX_UNITS], *promises[TD_VIEW_MAX_UNITS];
	char *names[TD_VIEW_MAX_UNITS];
	struct td_lease_stats st;
};

static inline int key_cmp(const struct key *a, const struct key *b)
{
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	return a->version == b->version ? 0 : a->version < b->version ? -1 : 1;
}

static inline bool rec_names(const struct rec *r, uint32_t id, uint64_t inc)
{
	return (r->in_sync & BIT(id)) && r->inc[id] == inc;
}

/* lease_units.c */
struct unit *unit_find(const struct td_lease *l, const char *name);
struct unit *unit_get(struct td_lease *l, const char *name);
void units_free(struct td_lease *l);

/* lease_rec.c: the record as a value */
bool rec_from_pb(const Td__Record *m, struct rec *out);
void rec_to_pb(const struct rec *r, struct rec_pb *out);
struct rec rec_blank(const struct td_lease *l);
bool rec_equal(const struct rec *a, const struct rec *b);
bool quorum(const struct td_lease *l, uint32_t ids, const struct rec *r,
	    unsigned int n);
bool quorum_bound(const struct td_lease *l, uint32_t ids);
void save(struct td_lease *l);

/* lease_record.c: who keeps and changes it */
void adopt(struct td_lease *l, const struct rec *r);
struct key stands_by(struct td_lease *l);
void record_change(struct td_lease *l, uint32_t sync, uint32_t voters,
		   uint32_t next);
void record_tell(struct td_lease *l);
void record_settle(struct td_lease *l);
void record_mind(struct td_lease *l);
void record_begin(struct td_lease *l, const struct rec *newest, bool alone);
void on_record(struct td_lease *l, uint32_t from, const Td__Record *m);
void on_committed(struct td_lease *l, uint32_t from, const Td__Committed *m);
void on_join(struct td_lease *l, uint32_t from, const Td__Join *m);
void on_caught(struct td_lease *l, uint32_t from, uint64_t inc,
	       const Td__Caught *m);
void on_slow(struct td_lease *l, uint32_t from, const Td__Slow *m);
void lease_join(struct td_lease *l);

/* lease_take.c */
void promise(struct td_lease *l, struct unit *u, uint64_t epoch, uint32_t to);
void release(struct td_lease *l, struct unit *u);
void give_up(struct td_lease *l, struct unit *u);
void renew(struct td_lease *l, struct unit *u);
void try_take(struct td_lease *l, struct unit *u);
void think(struct td_lease *l, struct unit *u);
void think_all(struct td_lease *l);
void say_take(struct td_lease *l, struct unit *u, uint64_t epoch);
void say_report(struct td_lease *l, struct unit *u, uint64_t epoch,
		bool granted, uint32_t taker);
void say_miss(struct td_lease *l);
void on_take(struct td_lease *l, uint32_t from, const Td__Take *m);
void on_report(struct td_lease *l, uint32_t from, uint64_t inc,
	       const Td__Report *m);
void on_released(struct td_lease *l, uint32_t from, const Td__Released *m);
void on_miss(struct td_lease *l, uint32_t from, const Td__Miss *m);

/* lease_heard.c */
void beat(struct td_lease *l);
void beat_for(struct td_lease *l);
void heard(struct td_lease *l, const Td__Heartbeat *m);

#endif
