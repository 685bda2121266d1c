/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CDRS_H
#define TD_CDRS_H

#include "cluster/cluster.h"
#include "cluster/spool/attach.h"
#include "cluster/store/store.h"

/** Where call detail records come from and go to. Own calls' records at their
 *  end, with the op that takes their row away; those of a dead node's calls
 *  from the rows that it left, by every survivor alike. */
struct td_cdrs;

struct td_cdrs_cfg {
	struct td_cluster *cluster;
	struct td_spool_node *spool;
	struct td_store *store;		/* NULL: no database is configured */
	const char *node;		/* own name: who writes */
};
/** Registers with the spool's writer, watches the cluster. */
int td_cdrs_new(const struct td_cdrs_cfg *cfg, struct td_cdrs **out);
void td_cdrs_free(struct td_cdrs *c);

/** The half of a call is over: keeps its record, takes its row out of the
 *  view. Nothing waits for it.
 *  @param row  as record.c last wrote it, legs with their logs
 *  @param epoch  the call's own, 0 at first: asked again, it is the same
 *  record
 *  @return as td_cluster_submit; then the record is kept here all the same,
 *  and asking again does no harm */
int td_cdrs_end(struct td_cdrs *c, const Td__Call *row, uint64_t *epoch);

/** New reference: counters. */
json_t *td_cdrs_dump(const struct td_cdrs *c);

#endif
