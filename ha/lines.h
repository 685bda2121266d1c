/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LINES_H
#define TD_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"
#include "proto/base/loop.h"
#include "spanctl/lib/span.h"

/** Keeps the transmitters of the lines that this node owns on, by leases.
 *  Ownership is fixed: the first node of a line's list; a line whose owner is
 *  away is out of service. Leases are renewed by this loop while the cluster
 *  lets this node act (a minority's run out), so a hanging daemon's
 *  transmitter goes off by itself. */
struct td_lines;

enum {
	TD_LEASE_MS = 400,	/* failover.md, "Leases" rule 2 */
	TD_LEASE_RENEW_MS = 50,
};

struct td_lines_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	uint32_t node_id;
	/** The line is ours and its transmitter on, or not any more. */
	void (*active)(void *arg, const char *span, bool on, uint64_t epoch);
	void *arg;
};

int td_lines_new(const struct td_lines_cfg *cfg, struct td_lines **out);
/** Switches off what is on, by the epoch. */
void td_lines_free(struct td_lines *l);
/** @param card NULL: none, or it went away: everything is off */
void td_lines_set_card(struct td_lines *l, struct td_card *card);
/** site lives until the next call. */
void td_lines_set_site(struct td_lines *l, const struct td_site *site);

#endif
