/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_API_VIEWS_H
#define TD_API_VIEWS_H

#include <jansson.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"
#include "node/api/control.h"

/** The verbs that read the replicated view, and `call hangup`. What only
 *  this node knows comes through functions, so that this room needs none of
 *  the softswitch's. */
struct td_views_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	/** Running configuration or NULL. */
	const struct td_site *(*site)(void *arg);
	uint64_t (*generation)(void *arg);
	/** Clears the call here. -ENOENT: no half of it is on this node */
	int (*hangup)(void *arg, uint64_t id);
	/** Local voice statistics of a call; new reference or NULL. */
	json_t *(*voice)(void *arg, uint64_t id);
	/** What this node's lease machine makes of the units; new reference,
	 *  objects with name, state, reason. NULL: has none. */
	json_t *(*units)(void *arg);
	/** `cluster force`. */
	void (*force)(void *arg);
	/** Everything this node can say of its rooms; new reference. */
	json_t *(*dump)(void *arg);
	bool witness;		/* this member holds no view */
	void *arg;
};
struct td_views;

int td_views_new(struct td_control *control, const struct td_views_cfg *cfg,
		 struct td_views **out);
void td_views_free(struct td_views *v);

/* The documents themselves, for the verbs and later for the HTTP API; new
 * references. Shapes: interfaces.md, "JSON that scripts rely on". */
json_t *td_views_status(const struct td_views *v);
json_t *td_views_nodes(const struct td_views *v);
json_t *td_views_units(const struct td_views *v);
json_t *td_views_spans(const struct td_views *v);
json_t *td_views_registrations(const struct td_views *v);
json_t *td_views_calls(const struct td_views *v);
/** Where this node's view stands and what is in it: {lineage, index, sha256,
 *  octets, now_ms, feature_level, running}. Equal at two nodes at equal
 *  (lineage, index). NULL: no memory. */
json_t *td_views_view(const struct td_views *v);
/** NULL: no such call. */
json_t *td_views_call(const struct td_views *v, uint64_t id);

#endif
