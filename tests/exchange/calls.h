/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XCALLS_H
#define TD_XCALLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/exchange/line.h"
#include "tests/instr/pauses.h"

/** The exchange's calls: D-channels, numbers that answer, calls it places.
 *  One thread; it is told the time (CLOCK_MONOTONIC, ms), so a test may run
 *  it on a clock of its own. The lines may be turned by another thread: it
 *  touches them only between lock and unlock. */
enum {
	TD_XCALLS_LINES = 8,
	TD_XCALLS_MAX = TD_XCALLS_LINES * 30 + 16,
	TD_XCALLS_LOG = 4096,	/* reports of finished calls that are kept */
	TD_XCALLS_SETTLE_MS = 2000,	/* D-channel up to the first SETUP */
};

struct td_xcalls_conf {
	int n_lines;
	struct td_xline *line[TD_XCALLS_LINES];
	const struct td_pauses *pauses;
	void (*lock)(void *arg);	/* NULL: nobody else is there */
	void (*unlock)(void *arg);
	void *arg;
};

struct td_xcalls;

int td_xcalls_new(const struct td_xcalls_conf *conf, struct td_xcalls **out);
void td_xcalls_free(struct td_xcalls *x);

/** Takes frames from the lines and runs what is due.
 *  @return ms until it wants to be called again */
int td_xcalls_run(struct td_xcalls *x, int64_t now_ms);

/** An order for calls. */
struct td_xorder {
	char to[32], to_last[32];	/* a range; called one after another */
	char from[32];			/* "": one for each call */
	int count;
	double rate;			/* calls a second */
	int64_t hold_ms;		/* from the answer; 0: until told */
	int64_t patience_ms;		/* for an answer */
	int line;			/* -1: any */
	bool pattern, overlap, preferred;
};

/** @param done  called from td_xcalls_run when the last call is over, with
 *               the report (borrowed); may be NULL
 *  @return the order's id (> 0), -EINVAL, -EBUSY: too many orders */
typedef void (*td_xorder_fn)(void *arg, int id, json_t *report);
int td_xcalls_order(struct td_xcalls *x, const struct td_xorder *o,
		    td_xorder_fn done, void *arg);
/** Its report goes nowhere any more, its calls are cleared. */
void td_xcalls_abandon(struct td_xcalls *x, int id);

/** Clears calls. @param order 0: all; @return how many */
int td_xcalls_hangup(struct td_xcalls *x, int order, int cause);
/** RESTART of one timeslot; its call is gone.
 *  @return 0, -EINVAL, -ENOTCONN: D-channel down */
int td_xcalls_restart(struct td_xcalls *x, int line, int timeslot);

/** {"lines":[…],"calls":N,"ghosts":N,…}: README "Status". New reference. */
json_t *td_xcalls_status(struct td_xcalls *x);
/** The living calls. */
json_t *td_xcalls_list(struct td_xcalls *x);
/** Finished calls (all, or those with an id above @p since), and the sum. */
json_t *td_xcalls_report(struct td_xcalls *x, int64_t since);
void td_xcalls_forget(struct td_xcalls *x);

#endif
