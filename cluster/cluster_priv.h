/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLUSTER_PRIV_H
#define TD_CLUSTER_PRIV_H

#include "cluster/ack.h"
#include "cluster/cluster.h"
#include "cluster/outbox.h"
#include "cluster/sync.h"
#include "proto/base/loop.h"

/* The parts of one td_cluster: cluster.c (public calls, turns), member.c
 * (membership, who goes on), deliver.c (what the bus brings), dump.c. */

/** Time and the loop, so that a simulator can be both. */
struct td_cluster_env {
	struct td_loop *loop;	/* NULL: td_cluster_turn is called by hand */
	int64_t (*boot_ms)(void *arg);
	int64_t (*wall_ms)(void *arg);
	void *arg;
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
};

struct td_cluster {
	struct td_cluster_env env;
	uint32_t id;
	char name[32], version[64];
	uint64_t incarnation;
	struct td_bus *bus;
	struct td_view *view;	/* never NULL */

	bool live;		/* the view goes on */
	bool quorate;
	bool dead;		/* transport gone, or we must not go on */
	uint64_t ring, round;	/* round: this membership's number */
	uint32_t members;	/* bit id, with this node */
	uint32_t together;	/* moved with us since the view last went on */
	uint32_t synced;	/* agreed: members whose rows say so, not us */
	struct td_claim claims[TD_NODE_MAX_ID + 1];
	uint64_t gone_told[TD_NODE_MAX_ID + 1];	/* incarnation */
	uint32_t level_told;

	struct td_ack ack;
	struct td_outbox out;
	struct td_sync_take take;
	struct td_sync_give give[TD_NODE_MAX_ID + 1];	/* by joiner, 0: all */

	bool need_hello, need_ack, state_changed;
	uint32_t request;	/* of the last Hello: round and attempt */
	int64_t hello_ms;
	int64_t tick_sent_ms, tick_seen_ms;
	uint64_t sent, returned;	/* our messages on the bus */
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
/** This node must not go on: a message it cannot understand, no memory. */
void td_cluster_leave(struct td_cluster *c, const char *code, const char *why);
/** Tells the watchers if state or membership changed. */
void td_cluster_tell_state(struct td_cluster *c);
/** What the membership asks for whenever it or the rows have changed. */
void td_cluster_reconcile(struct td_cluster *c);
/** Whose acknowledgement is needed, from the rows and the ring. */
void td_cluster_count_synced(struct td_cluster *c);
/** The view goes on from here, as part of this lineage. */
void td_cluster_go_live(struct td_cluster *c);
/** Our view does not go on: waiting effects end. */
void td_cluster_demote(struct td_cluster *c);
/** Says by its row that this node is up, unless the row says so. */
void td_cluster_put_own_row(struct td_cluster *c);
int td_cluster_submit_own(struct td_cluster *c, const Td__Op *op);

/* bus events */
void td_cluster_on_deliver(void *arg, uint32_t from, const void *buf,
			   size_t n);
void td_cluster_on_members(void *arg, uint64_t ring, bool quorate,
			   const struct td_bus_member *m, unsigned int n);
void td_cluster_on_lost(void *arg);
void td_cluster_on_hello(struct td_cluster *c, uint32_t from,
			 const Td__Hello *h);

#endif
