/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CALLS_H
#define TD_CALLS_H

#include <jansson.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"
#include "node/call/leg.h"
#include "node/call/voice.h"
#include "proto/base/loop.h"

/** The calls of this node: owns them, joins legs by the call state machine
 *  (call.h), replicates each before the world sees a change of it. */
struct td_calls;

struct td_calls_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	uint32_t node_id;
	uint32_t boot_count;	/* of this node; goes into call ids */
	struct td_voice_ops voice;
	uint32_t max_calls;	/* 0: 4000; more are refused, counted */
	/** A call is over: td_cdrs_end. NULL: its row goes without a record.
	 *  @param epoch  of its record, 0 until it was made once */
	int (*end)(void *arg, const Td__Call *row, uint64_t *epoch);
	void *end_arg;
};

int td_calls_new(const struct td_calls_cfg *cfg, struct td_calls **out);
/** Ends every call without telling anybody. */
void td_calls_free(struct td_calls *c);

/** What the leg rooms get as `up`. Lives as long as c. */
const struct td_leg_up *td_calls_up(struct td_calls *c);
/** The rooms that make outgoing legs. */
void td_calls_set_rooms(struct td_calls *c, td_leg_new_fn sip_new, void *sip,
			td_leg_new_fn isdn_new, void *isdn);
/** NULL: no configuration, every call is refused. */
void td_calls_set_site(struct td_calls *c, const struct td_site *site);

/** The view was replaced as a whole (this node was cut off): says again what
 *  calls are here, since the others gave them up with the node. */
void td_calls_resync(struct td_calls *c);
/** Some node came, went or began a new life: halves of calls whose other half
 *  was on a node that is gone are cleared (cause 41), or tried elsewhere. */
void td_calls_node_ended(struct td_calls *c);
/** Clears a call of this node with this cause. -ENOENT */
int td_calls_hangup(struct td_calls *c, uint64_t id, int cause);
/** Clears all calls of this node and takes no new ones. */
void td_calls_end(struct td_calls *c, int cause);
unsigned int td_calls_count(const struct td_calls *c);
/** Local knowledge of one call: voice statistics. New reference or NULL. */
json_t *td_calls_voice(struct td_calls *c, uint64_t id);
/** Counters: refused, illegal events, stuck, … */
json_t *td_calls_dump(const struct td_calls *c);

/** Text form of a call id: 16 hexadecimal digits. */
void td_call_id_format(uint64_t id, char out[17]);
int td_call_id_parse(const char *text, uint64_t *out);

#endif
