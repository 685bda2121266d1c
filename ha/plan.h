/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PLAN_H
#define TD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** Who should own what: a pure function of what every member knows alike.
 *  Whether and when a node may take what it should own is ha/lease.h's. */

enum td_plan_kind { TD_PLAN_ROLE, TD_PLAN_SPAN, TD_PLAN_ADDRESS };

/** Why a unit has no owner, or not the first of its list. */
enum td_plan_reason {
	TD_PLAN_FIRST,		/* the first of its list */
	TD_PLAN_STAYS,		/* with its owner, though not the first */
	TD_PLAN_ONLY,		/* all before it are down, out of sync, draining
				 * or not fit */
	TD_PLAN_LOCKED,		/* by an operator: stays where it is */
	TD_PLAN_NOBODY,		/* no node of the list can */
};

struct td_plan_unit {
	char name[TD_UNIT_NAME_OCTETS + 1];
	enum td_plan_kind kind;
	uint32_t nodes[TD_NODE_MAX_ID];	/* ids, preferred first */
	unsigned int n_nodes;
	bool fixed;		/* may be owned by the first node only */
	bool locked;
	uint32_t owner;		/* now; 0: nobody living */
	uint32_t unfit;		/* bit id: nodes that could not serve it (LOS
				 * at their port, no card) */
};
struct td_plan_node {
	uint32_t id;
	bool up;		/* in the ring */
	bool in_sync;		/* in the record's in-sync set */
	bool draining;
	bool witness;
};
struct td_plan_in {
	const struct td_plan_node *nodes;
	unsigned int n_nodes;
	const struct td_plan_unit *units;
	unsigned int n_units;
	bool quorum;		/* else nobody should own anything new */
};
struct td_plan_answer {
	uint32_t node;		/* 0: nobody */
	enum td_plan_reason reason;
};
/** A role stays where it is as long as that node can; among equals a role goes
 *  to the lowest id, or to its list's order. Deterministic.
 *  @param[out] out  n_units answers, in the order of units */
void td_plan(const struct td_plan_in *in, struct td_plan_answer *out);

#endif
