/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_DAEMON_I_H
#define TD_DAEMON_I_H

#include "cluster/cluster.h"
#include "cluster/store/store.h"
#include "ha/units.h"
#include "node/api/config.h"
#include "node/api/control.h"
#include "node/api/views.h"
#include "node/call/calls.h"
#include "node/daemon.h"
#include "node/isdn/isdn.h"
#include "node/media/media.h"
#include "node/records.h"
#include "node/sip/sip.h"
#include "spanctl/lib/span.h"

/* Inside the daemon, which wires rooms and decides nothing: daemon.c its life,
 * daemon_cluster.c its place among the others, daemon_site.c the generation in
 * use, daemon_card.c the span card, daemon_views.c what people may ask. */

struct td_daemon {
	struct td_loop *loop;
	struct td_nodeconf conf;
	struct td_cluster *cluster;
	struct td_store *store;
	struct td_control *control;
	struct td_config *config;
	struct td_views *views;
	struct td_records *records;	/* NULL: the witness */
	struct td_card *card;
	struct td_media *media;
	struct td_calls *calls;
	struct td_isdn *isdn;
	struct td_sip *sip;
	struct td_units *units;
	const struct td_site *site;	/* the running one, or NULL */
	bool ready;			/* phones may be served */
	uint32_t boot_count;
	unsigned int card_waited_ms;
	struct td_timer card_timer, site_timer, end_timer;
	unsigned int ending_ms;		/* 0: not ending */
	int status;
};

/* the way to the others: bus, view, units */
int daemon_start_cluster(struct td_daemon *d);
/* td_config_cfg.on_site, .on_ready; td_isdn_cfg.retired */
void daemon_on_site(void *arg, const struct td_site *site,
		    uint64_t generation);
void daemon_on_ready(void *arg);
void daemon_on_retired(void *arg);
int daemon_start_views(struct td_daemon *d);
/* Everything that needs no card, when there is one or none comes. */
void daemon_start_or_end(struct td_daemon *d);
/* Opens the card, now or when it comes. */
void daemon_try_card(void *arg);

#endif
