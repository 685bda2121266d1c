/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LINES_H
#define TD_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/store/site.h"
#include "spanctl/lib/span.h"

/** The leases of the lease machine put in force at the card: what it holds is
 *  given to the port of that line, which checks it against the clock at every
 *  block. So nothing here has to act for a transmitter to go off. */
struct td_lines;

struct td_lines_cfg {
	uint32_t node_id;
	/** The line is ours and its transmitter on, or not any more. */
	void (*active)(void *arg, const char *span, bool on, uint64_t epoch);
	/** The port has seen this epoch, from an earlier daemon: a lease must
	 *  be above it. */
	void (*seen)(void *arg, const char *span, uint64_t epoch);
	void *arg;
};

int td_lines_new(const struct td_lines_cfg *cfg, struct td_lines **out);
/** Switches off what is on, by the epoch. */
void td_lines_free(struct td_lines *l);
/** @param card NULL: none, or it went away: everything is off */
void td_lines_set_card(struct td_lines *l, struct td_card *card);
/** A line that is not wired here any more, or to another port, goes off.
 *  site lives until the next call. */
void td_lines_set_site(struct td_lines *l, const struct td_site *site);

/** td_lease_ops.hold and .off, for units that are lines. Unknown: nothing.
 *  @return true: it is a line of ours */
bool td_lines_hold(struct td_lines *l, const char *span, uint64_t epoch,
		   int64_t until_ms);
bool td_lines_off(struct td_lines *l, const char *span, uint64_t epoch);
/** Is there a port for it, so that this node could serve it? */
bool td_lines_fit(const struct td_lines *l, const char *span);

#endif
