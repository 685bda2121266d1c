/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ROUTE_H
#define TD_ROUTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/store/site.h"
#include "cluster/view.h"

/** Where a call goes: pure, from the local replica, without asking anyone
 *  (architecture.md, "Voice goes the short way"). */

enum td_target_kind {
	TD_TARGET_CONTACT,	/* a phone served by this node */
	TD_TARGET_LINES,	/* lines of this node, in order of preference */
	TD_TARGET_NODE,		/* internal leg to another node */
	TD_TARGET_SERVICE,
};

enum { TD_ROUTE_MAX_TARGETS = 8 };

struct td_target {
	enum td_target_kind kind;
	unsigned int rank;	/* equal ranks ring at the same time */
	char number[64];	/* as to be dialled there */
	/* CONTACT: */
	char uri[256], route[512], received[64], transport[8], address[32];
	/* LINES: names with at least one free channel */
	char lines[16][32];
	unsigned int n_lines;
	uint32_t node;		/* NODE */
	bool far_slot;		/* NODE: voice ends in a timeslot there */
	enum td_service service;
};

struct td_route_ask {
	const char *called;
	const char *user;	/* authenticated extension, "" none */
	const char *span;	/* came in on this line, "" not from a line */
	bool internal;		/* came from another node: no further hop */
	bool complete;		/* false: more digits may come */
	uint32_t node;		/* this node */
	uint32_t up_nodes;	/* bit id: can be reached */
};

/** A user who does not want to be disturbed is busy (cause 17, SIP 486); calls
 *  to one who has them forwarded go where he says, five times at most (cause
 *  25), by his class of service.
 *  @return 0: *n targets; else nothing is written but *cause (Q.850):
 *  -ENOENT 1 unallocated, 3 no route; -EBUSY 34 no channel; -EHOSTDOWN 27 a
 *  known user who is not registered (SIP 480, cause 20 to ISDN);
 *  -EACCES 57 the caller's class of service does not allow it (SIP 403);
 *  -EAGAIN: number incomplete, ask again with more digits (cause 28) */
int td_route_decide(const struct td_site *site, const struct td_view *view,
		    const struct td_route_ask *ask, struct td_target *out,
		    unsigned int *n, int *cause);

/** New reference: the same decision, for `tandem route test`. */
json_t *td_route_explain(const struct td_site *site,
			 const struct td_view *view,
			 const struct td_route_ask *ask);

#endif
