/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_RECORDS_H
#define TD_RECORDS_H

#include <jansson.h>

#include "cluster/cluster.h"
#include "cluster/store/store.h"
#include "node/api/control.h"
#include "node/call/calls.h"

/** Inside the daemon: the spool, its writer, the call detail records and
 *  their verbs, wired to each other. */
struct td_records;

struct td_records_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_store *store;		/* NULL: none is configured */
	struct td_control *control;
	const char *dir, *node;		/* /var/lib/tandem, "n1" */
	/** The role "spool": td_units_owns. @return its epoch, 0: another has
	 *  it. NULL: no roles here, the lowest in-sync node writes. */
	uint64_t (*owns)(void *arg);
	void *arg;
};
int td_records_new(const struct td_records_cfg *cfg, struct td_records **out);
/** Before the calls are made: their ends come here. */
void td_records_calls(struct td_records *r, struct td_calls_cfg *cfg);
/** After the calls have ended, before the cluster does. NULL is fine. */
void td_records_stop(struct td_records *r);
/** After the cluster has ended, before the store is closed. */
void td_records_free(struct td_records *r);
/** New reference. */
json_t *td_records_dump(const struct td_records *r);

#endif
