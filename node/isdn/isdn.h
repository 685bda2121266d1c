/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_H
#define TD_ISDN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"
#include "node/call/leg.h"
#include "proto/base/loop.h"
#include "spanctl/lib/span.h"

/** ISDN primary rate lines: Q.921 and Q.931 by libpri, legs of calls behind
 *  node/call/leg.h. Control loop's thread. */
struct td_isdn;

struct td_isdn_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_card *card;	/* NULL: none (yet), see td_isdn_set_card */
	uint32_t node_id;
	struct td_leg_up up;	/* copied */
	/** No line is being taken out any more, see td_isdn_set_site. */
	void (*retired)(void *arg);	/* NULL: nobody asks */
	void *arg;
};

int td_isdn_new(const struct td_isdn_cfg *cfg, struct td_isdn **out);
/** After the call room has freed its legs, before td_cluster_free and
 *  td_card_close. NULL is fine. */
void td_isdn_free(struct td_isdn *isdn);

/** The card, NULL: it went away. Before the old one is closed. Lines are
 *  inactive until td_isdn_activate; their calls wait as told there.
 *  @return 0, or the error of the port that could not be watched */
int td_isdn_set_card(struct td_isdn *isdn, struct td_card *card);

/** The lines of this generation that are wired to this node. A line that is
 *  gone from the site, or whose port, side, D-channel changed, is retired: it
 *  takes no new calls (cause 34), clears those it has (cause 31) and goes when
 *  the far end has confirmed, 40 s later at the latest (T305, twice T308), at
 *  once when it is inactive; a changed one begins anew then, as active as
 *  before. Its transmitter must stay on until then: who gives the leases is
 *  told of the site when td_isdn_retiring is false, at `retired`. A line that
 *  is gone loses its row in the view. The site is read, not kept. */
int td_isdn_set_site(struct td_isdn *isdn, const struct td_site *site);
bool td_isdn_retiring(const struct td_isdn *isdn);

/** This node owns the line now (true: HDLC on, libpri on the wire) or does
 *  not (false: nothing is sent, nothing heard is acted upon; established calls
 *  wait 90 s (T309) for the line to come back). A lease must be held for what
 *  is sent to go out; until then LAPD repeats it every second.
 *  @return 0, -ENOENT: no such line here, -ENODEV: no card or no such port */
int td_isdn_activate(struct td_isdn *isdn, const char *line, bool active);

/** td_leg_new_fn. setup() of such a leg tries td_setup.lines in order.
 *  -EBUSY: those in service have no free channel. -ENETDOWN: none is in
 *  service; so is a line for 2 s after its D-channel came up, because the far
 *  end may still repeat its SABME, which would lose the SETUP: the next line
 *  or a clear refusal serves a caller better than a silent wait. */
int td_isdn_leg_new(void *isdn, struct td_leg **out);

/** B-channels that setup() could take now; 0 when out of service. */
unsigned int td_isdn_idle_channels(const struct td_isdn *isdn,
				   const char *line);

/** New reference: {"lines":[{"name", "active", "dchannel_up", "busy": […],
 *  "calls", counters}], …} */
json_t *td_isdn_dump(const struct td_isdn *isdn);

#endif
