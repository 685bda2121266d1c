/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XCALLS_PRIVATE_H
#define TD_XCALLS_PRIVATE_H

#include "tests/exchange/calls.h"
#include "tests/exchange/numbers.h"
#include "tests/exchange/pri.h"
#include "tests/instr/check.h"
#include "tests/instr/xtone.h"

enum td_xcall_state {
	TD_XCALL_FREE,
	TD_XCALL_DIGITS,	/* more digits are to come (in), to go (out) */
	TD_XCALL_SETUP,
	TD_XCALL_RINGING,
	TD_XCALL_ANSWERED,
	TD_XCALL_CLEARING,
};

enum td_xcall_by { TD_XBY_NOBODY, TD_XBY_US, TD_XBY_PEER };

struct td_xcall {
	enum td_xcall_state state;
	int64_t id;
	int line, timeslot;	/* timeslot 0: none yet */
	bool out, inband, restarted;
	q931_call *c;
	char called[64], calling[64];
	const struct td_xnumber *number;	/* incoming only */
	int order;				/* outgoing: its id */
	int digits_sent;
	int64_t deadline_ms;			/* 0: nothing is due */
	int64_t start_ms, proceeding_ms, alerting_ms, answer_ms, clear_ms;
	int cause;
	enum td_xcall_by by;
	struct td_check *check;
};

struct td_xcalls_line {
	struct td_xcalls *x;
	int i;
	struct td_xpri *pri;
	bool up;
	int64_t up_ms;
	uint64_t ups, downs, restarts, glares;
	uint64_t in, out;		/* calls ever */
	struct td_xcall *slot[32];
};

struct td_xorder_run {
	int id;				/* 0: free */
	struct td_xorder o;
	int placed, over;
	int64_t next_ms;
	json_t *calls;
	td_xorder_fn done;
	void *arg;
	bool stop;
};

enum { TD_XORDERS = 16 };

struct td_xcalls {
	struct td_xcalls_conf conf;
	struct td_prbs_map *map;
	struct td_xtone *tone, *ringback, *fax;
	struct td_xcalls_line line[TD_XCALLS_LINES];
	struct td_xcall call[TD_XCALLS_MAX];
	struct td_xorder_run order[TD_XORDERS];
	json_t *log;
	uint64_t log_dropped;
	int64_t now_ms, start_ms, next_id;
	int next_order, next_phase;
};

void td_xcalls_lock(struct td_xcalls *x);
void td_xcalls_unlock(struct td_xcalls *x);

/** @return NULL: the table is full */
struct td_xcall *td_xcall_new(struct td_xcalls *x, int line, bool out);
/** Reports and forgets it. */
void td_xcall_over(struct td_xcalls *x, struct td_xcall *c);
/** Takes a timeslot, and leaves the one it had. */
void td_xcall_seize(struct td_xcalls *x, struct td_xcall *c, int timeslot);
void td_xcall_clear(struct td_xcalls *x, struct td_xcall *c, int cause);
/** Sends the pattern from now on and checks what comes. */
void td_xcall_pattern(struct td_xcalls *x, struct td_xcall *c);
int td_xcalls_free_slot(const struct td_xcalls *x, int line);
bool td_xcalls_ready(const struct td_xcalls *x, int line);

/** orders.c */
void td_xorders_run(struct td_xcalls *x);
int64_t td_xorders_next(const struct td_xcalls *x);
void td_xorder_event(struct td_xcalls *x, struct td_xcall *c,
		     const struct td_xpri_event *ev);
void td_xorder_due(struct td_xcalls *x, struct td_xcall *c);
void td_xorder_over(struct td_xcalls *x, struct td_xcall *c, json_t *report);

/** answer.c */
void td_xanswer_setup(struct td_xcalls *x, int line,
		      const struct td_xpri_event *ev);
void td_xanswer_digits(struct td_xcalls *x, struct td_xcall *c,
		       const struct td_xpri_event *ev);
void td_xanswer_due(struct td_xcalls *x, struct td_xcall *c);

/** report.c */
json_t *td_xcall_json(struct td_xcalls *x, const struct td_xcall *c);
json_t *td_xreport(struct td_xcalls *x, json_t *calls);

#endif
