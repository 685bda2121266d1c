/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLUSTER_PRIV_H
#define TD_CLUSTER_PRIV_H

#include "cluster/ack.h"
#include "cluster/apply.h"
#include "cluster/bug.h"
#include "cluster/cluster.h"
#include "cluster/outbox.h"
#include "cluster/sync.h"
#include "proto/base/loop.h"

/* The parts of one td_cluster: cluster.c (public calls), send.c (the turn,
 * what goes out), clock.c (agreed time, who is slow), member.c (membership,
 * rows of nodes), decide.c (Hellos, who goes on), authority.c (what the lease
 * protocol says and asks), deliver.c (what the bus brings), dump.c. */

/** Time and the loop, so that a simulator can be both. */
struct td_cluster_env {
	struct td_loop *loop;	/* NULL: td_cluster_turn is called by hand */
	int64_t (*boot_ms)(void *arg);
	int64_t (*wall_ms)(void *arg);
	void *arg;
#ifdef TD_SIM
	uint64_t bugs;		/* deliberate ones, cluster/bug.h */
#endif
};
int td_cluster_new_in(const struct td_cluster_env *env,
		      const struct td_cluster_cfg *cfg,
		      struct td_cluster **out);
/** The end of a turn of the loop: sends what has gathered, looks at clocks. */
void td_cluster_turn(struct td_cluster *c);

enum {
	TD_WATCH_MAX = 16,
	TD_TICK_MS = 1000,
	TD_HELLO_RETRY_MS = 1000,
	TD_BEAT_MS = 100,	/* how often clocks are looked at */
	TD_SEND_RETRY_MS = 1,	/* the transport was full */
	TD_SILENT_MS = 300,	/* who has not said Hello by then hangs */
	TD_SLOW_REPEAT_MS = 100,
	TD_SAY_MAX = 1024,
	TD_URGENT_UNDER_WAY = 4,	/* messages */
	TD_GATHER_OCTETS = 16 * 1024,
	TD_GATHER_MS = 50,	/* CPG stands still: no reason to wait longer */
	TD_SEQ_LANE_SHIFT = 56,
	TD_REPLAY_OCTETS = 256 * 1024,	/* of kept messages in a turn */
};

/* What is to be said of the lease protocol, oldest first. */
struct td_say {
	Td__Ha **ring;		/* TD_SAY_MAX, allocated once needed */
	uint32_t head, count;
	uint64_t refused_full;
};

/* Effects keep their order within a queue. */
enum td_queue_of {
	TD_QUEUE_ALL,		/* waits for all lanes */
	TD_QUEUE_URGENT,	/* for that lane */
	TD_QUEUE_DURABLE,	/* for the disks, too */
	TD_QUEUES,
};

enum { TD_SINKS_MAX = 8, TD_OP_MAX = 64, TD_SINK_TYPES_MAX = 8 };

/* Who takes ops of some types to this node's disk. */
struct td_sink {
	Td__Op__WhatCase types[TD_SINK_TYPES_MAX];
	unsigned int n_types;
	uint64_t last, done;	/* index: newest of them applied, on disk */
};
struct td_op_count {
	uint64_t applied, refused;
};

struct td_cluster {
	struct td_cluster_env env;
	uint32_t id;
	char name[32], version[64];
	uint64_t incarnation;
	struct td_bus *bus;
	struct td_view *view;	/* never NULL */

	struct td_authority auth;
	bool has_auth, witness;

	bool live;		/* the view goes on */
	bool waiting;		/* it did until this ring: whether it still
				 * does is being decided, what waits stays */
	bool told_live;		/* to the authority */
	bool quorate;		/* by what decides: record or transport */
	bool bus_quorate;
	bool dead;		/* transport gone, or we must not go on */
	uint64_t ring, round;	/* round: this membership's number */
	uint32_t members;	/* bit id, with this node */
	uint32_t together;	/* moved with us since the view last went on */
	uint32_t synced;	/* agreed: members whose rows say so, not us */
	struct td_claim claims[TD_NODE_MAX_ID + 1];
	uint64_t gone_told[TD_NODE_MAX_ID + 1];	/* incarnation */
	uint32_t level_told;

	uint32_t silent;	/* in this round, by agreement */
	uint32_t silent_told;	/* what our Hello says of it */
	uint32_t missing, missing_warned;	/* nobody here may go on */
	uint64_t said_epoch, said_version;	/* record of the last Hello */
	bool said_forced;
	bool auth_changed;
	uint64_t named[TD_NODE_MAX_ID + 1];	/* lives that records name */
	int64_t slow_ms;
	uint32_t slow_warned;
	struct td_say say;

	struct td_holders holders;
	struct td_ack ack[TD_QUEUES];
	struct td_outbox out[TD_LANES];
	uint64_t gating[TD_LANES];	/* newest op of ours that an effect
					 * waits for */
	struct td_sink sink[TD_SINKS_MAX];
	unsigned int n_sinks;
	uint64_t no_disk_n;	/* index of the first durable op that nobody
				 * here takes to a disk */
	uint64_t disk_since;	/* a snapshot's: what was before it is not */
	struct td_op_count ops[TD_OP_MAX];
	uint32_t can_level;	/* TD_FEATURE_LEVEL, but for tests */
	uint32_t health;
	struct td_sync_take take;
	struct td_sync_give give[TD_NODE_MAX_ID + 1];	/* by joiner */
	uint32_t gave;		/* whose turn it was */
	uint32_t take_from;	/* who gives */
	bool need_sync_ack;

	bool need_hello, need_ack, state_changed;
	bool ask;		/* the next Hello asks everybody */
	uint32_t request;	/* of the last Hello: round and attempt */
	int64_t hello_ms;
	int64_t hello_back_ms;	/* our Hello of this round came; 0: not yet */
	int64_t tick_sent_ms, tick_seen_ms;
	uint64_t sent, returned;	/* our messages on the bus */
	int64_t sent_ms;
	uint64_t probe, probe_n;	/* message awaited, index in doubt */

	struct td_timer turn, beat;
	struct {
		td_applied_fn fn;
		void *arg;
	} watch[TD_WATCH_MAX];
	struct {
		void (*fn)(void *arg);
		void *arg;
	} watch_state[TD_WATCH_MAX];
	unsigned int n_watch, n_watch_state;
	struct td_cluster_stats stats;
	uint64_t stale_lineage;	/* messages of another lineage, dropped */
};

int64_t td_cluster_boot_ms(const struct td_cluster *c);
/** The turn's end is due. */
void td_cluster_stir(struct td_cluster *c);
void td_cluster_stir_in(struct td_cluster *c, int ms);
/** Sends what has gathered, as far as the transport takes it. */
void td_cluster_flush(struct td_cluster *c);
/** This node must not go on: a message it cannot understand, no memory. */
void td_cluster_leave(struct td_cluster *c, const char *code, const char *why);
/** Tells the watchers if state or membership changed. */
void td_cluster_tell_state(struct td_cluster *c);
int td_cluster_submit_own(struct td_cluster *c, const Td__Op *op);
/** Runs the effects that may run; nothing while it is being decided. */
void td_cluster_release(struct td_cluster *c);
/** All of our ops that have not come back go again, by their new lineage. */
void td_cluster_send_again(struct td_cluster *c);
/** Something of ours waits to be sent. */
bool td_cluster_unsent(const struct td_cluster *c);
/** Our ops under way, of all lanes. */
uint32_t td_cluster_pending_ops(const struct td_cluster *c);
/** Up to where effects may run now; 0: none may. */
uint64_t td_cluster_floor(const struct td_cluster *c);

/* deliver.c */
/** Goes on with what was kept while the view came. */
void td_cluster_replay(struct td_cluster *c);

/* clock.c */
void td_cluster_tick(struct td_cluster *c, int64_t boot);
void td_cluster_look_for_slow(struct td_cluster *c, int64_t boot);

/* durable.c */
/** A durable op was applied at the view's index. */
void td_cluster_to_disk(struct td_cluster *c, Td__Op__WhatCase what);
/** Up to where all durable ops are on this node's disk. */
uint64_t td_cluster_disk_n(const struct td_cluster *c);
void td_cluster_release_durable(struct td_cluster *c);

/* member.c */
/** What the membership asks for whenever it or the rows have changed. */
void td_cluster_reconcile(struct td_cluster *c);
/** Whose acknowledgement is needed, from record, rows and ring. */
void td_cluster_count_synced(struct td_cluster *c);
/** The view goes on from here, as part of this lineage. */
void td_cluster_go_live(struct td_cluster *c);
/** Our view does not go on: waiting effects end. */
void td_cluster_demote(struct td_cluster *c);
/** It may not: what waits stays until it is decided. */
void td_cluster_suspend(struct td_cluster *c);
/** What waits will not happen. */
void td_cluster_drop_waiting(struct td_cluster *c);
/** Says by its row that this node is up, unless the row says so. */
void td_cluster_put_own_row(struct td_cluster *c);
void td_cluster_tell_gone(struct td_cluster *c, uint32_t id);
/** The name of what follows the history `was`, as id continues it. */
uint64_t td_cluster_next_lineage(const struct td_cluster *c, uint64_t was,
				 uint32_t id);

/* decide.c */
/** A new round: nobody has spoken. */
void td_cluster_round_start(struct td_cluster *c, uint64_t round);
/** Has somebody said in this round that its view goes on? */
bool td_cluster_others_live(const struct td_cluster *c);
/** Nobody hears from somebody: what to say about it, if anything. */
void td_cluster_look_for_silent(struct td_cluster *c, int64_t boot);

/* authority.c */
/** The record this node holds, NULL: without an authority. */
const Td__Record *td_cluster_record(const struct td_cluster *c);
bool td_cluster_quorum(const struct td_cluster *c);
bool td_cluster_forced(const struct td_cluster *c);
/** Before there is a record the transport and the rows count. */
bool td_cluster_founded(const struct td_cluster *c);
void td_cluster_tell_live(struct td_cluster *c, bool live);
/** authority->needed or ->quorum or the record may say something else. */
void td_cluster_ask_authority(struct td_cluster *c);
/** Sends what is to be said. @return 0, -EAGAIN, … */
int td_cluster_send_say(struct td_cluster *c);
void td_cluster_say_clear(struct td_cluster *c);
int td_cluster_send_envelope(struct td_cluster *c, Td__Envelope *e);

/* bus events */
void td_cluster_on_deliver(void *arg, uint32_t from, const void *buf,
			   size_t n);
void td_cluster_on_members(void *arg, uint64_t ring, bool quorate,
			   const struct td_bus_member *m, unsigned int n);
void td_cluster_on_lost(void *arg);
void td_cluster_on_hello(struct td_cluster *c, uint32_t from,
			 const Td__Hello *h);

#endif
