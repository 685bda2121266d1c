/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPOOL_ATTACH_H
#define TD_SPOOL_ATTACH_H

#include "cluster/spool/writer.h"

/** The spool of a running node: its files, its cluster, its timer. */
struct td_spool_node;

struct td_spool_node_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	const char *dir;		/* /var/lib/tandem */
	struct td_spool_limits limits;	/* zeroed: the defaults */
	/** The writer's: is this node it, at which epoch? Both may change at
	 *  any time. NULL: the lowest in-sync node is, at epoch 0. */
	bool (*owner)(void *arg, uint64_t *epoch);
	bool (*ready)(void *arg);	/* the database is there */
	void *arg;
};
/** A folder that cannot be used is said once (SPOOL-DIR); records are then
 *  kept by the others only, and offered memory for as long as it lasts. */
int td_spool_node_new(const struct td_spool_node_cfg *cfg,
		      struct td_spool_node **out);
/** First: nothing is begun from here on. */
void td_spool_node_stop(struct td_spool_node *n);
/** After the cluster has ended. */
void td_spool_node_free(struct td_spool_node *n);

struct td_spool *td_spool_node_spool(struct td_spool_node *n);
struct td_spool_writer *td_spool_node_writer(struct td_spool_node *n);
/** CLOCK_BOOTTIME, the time that the spool is told. */
int64_t td_spool_node_now_ms(void);
/** New reference: spool and writer. */
json_t *td_spool_node_dump(const struct td_spool_node *n);

#endif
