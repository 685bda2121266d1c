/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_UNITS_PRIV_H
#define TD_UNITS_PRIV_H

#include "ha/heartbeat.h"
#include "ha/lease.h"
#include "ha/leasefile.h"
#include "ha/lines.h"
#include "ha/plan.h"
#include "ha/units.h"

/* units.c: life, time, the plan; units_say.c: what leaves, and not before
 * what it rests on is on disk; units_show.c: for people. */

enum { TD_HELD_MAX = 4096 };

struct td_unit {
	char name[TD_UNIT_NAME_OCTETS + 1];
	enum td_plan_kind kind;
	uint32_t nodes[TD_NODE_MAX_ID];
	unsigned int n_nodes;
	bool fixed;
	struct td_plan_answer answer;
	uint64_t held;		/* epoch at which it is ours, 0: not */
	uint64_t told;		/* to the owner of this struct: on, at it */
	int64_t put_ms;		/* when its row was said last */
};

/* Waits for the disk. */
struct td_held {
	struct td_held *next;
	uint64_t number;	/* save that must be through */
	uint32_t to;		/* 0: in the one order */
	size_t n;
	uint8_t buf[];
};

struct td_units {
	struct td_units_cfg cfg;	/* peers: below */
	struct td_peer peers[TD_NODE_MAX_ID];
	uint32_t nodelist;	/* bit id */
	struct td_lease *lease;
	struct td_leasefile *file;
	struct td_beats *beats;	/* NULL: nobody to talk to */
	struct td_lines *lines;	/* NULL: a witness */
	struct td_unit unit[TD_VIEW_MAX_UNITS];
	unsigned int n;
	struct td_timer tick, due, settle;
	uint64_t put, saved;	/* numbers of saves */
	struct td_held *head, **tail;
	unsigned int n_held;
	uint64_t refused;	/* too much was held */
};

/* td_lease_ops.say, .udp, .save */
void td_units_say(void *arg, const Td__Ha *m);
void td_units_udp(void *arg, uint32_t to, const Td__Heartbeat *m);
void td_units_save(void *arg, const Td__LeaseState *s);
/* td_leasefile's word */
void td_units_saved(void *arg, uint64_t number);
void td_units_drop_held(struct td_units *u);

#endif
