/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CONFIG_H
#define TD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/cluster.h"
#include "cluster/store/site.h"
#include "cluster/store/store.h"
#include "node/api/control.h"
#include "proto/base/loop.h"

/** The running generation of the configuration on this node, and how another
 *  one becomes it (architecture.md, "Configuration"): whole document checked,
 *  stored under the next number, held by the mates (config_prepare), switched
 *  to at one place in the order (config_switch), kept on the own disk.
 *
 *  At a start the generation on the disk runs at once. Of it, the cluster's
 *  and the store's the greatest number wins; a node that knows a greater one
 *  than the cluster's proposes it. */
struct td_config;

struct td_config_cfg {
	struct td_loop *loop;
	struct td_cluster *cluster;
	struct td_store *store;		/* NULL: changes are refused. The
					 * manager takes its watch */
	struct td_control *control;	/* NULL: no verbs */
	const char *state_dir;
	/** Nobody else keeps the registrations: the store does. */
	bool solo;
	/** A generation runs from now on. The site is valid until the
	 *  callback after the next one has returned. */
	void (*on_site)(void *arg, const struct td_site *site,
			uint64_t generation);
	/** Once: the cluster runs, and a solo node has its registrations
	 *  back; phones may be served from now on. May come before the first
	 *  on_site. */
	void (*on_ready)(void *arg);
	void *arg;
};

/** Registers its verbs; reads the disk. No callback yet.
 *  @return 0, -EEXIST: the verbs have handlers, -ENOMEM, or negative errno */
int td_config_new(const struct td_config_cfg *cfg, struct td_config **out);
/** Calls on_site with the disk's generation if there is one, and begins. */
int td_config_start(struct td_config *c);
/** No callback to the owner from now on; what was asked of the manager may
 *  still be answered. The daemon's end is: td_config_stop, td_control_free,
 *  td_cluster_free, td_store_close, td_config_free: cluster and store call
 *  back for what they did not do. */
void td_config_stop(struct td_config *c);
void td_config_free(struct td_config *c);

/** NULL: no generation yet. */
const struct td_site *td_config_site(const struct td_config *c);
/** 0: none. */
uint64_t td_config_generation(const struct td_config *c);
/** A key for one purpose, made from the cluster's secret: equal on all nodes
 *  and under all generations from the first one on.
 *  @return 0; -ENOENT: no generation yet; -ENOMEM */
int td_config_secret(const struct td_config *c, const char *purpose,
		     uint8_t key[32]);
/** As td_cluster_effect, for what must outlive a restart as well: where nobody
 *  else keeps the registrations (solo) fn waits until those that were changed
 *  up to now are on the disk, too; many share one write. A disk that fails is
 *  not waited for (alarm CONFIG-CONTACTS). In order of the calls.
 *  @return 0, -EAGAIN: too many wait (counted), fn is not called */
int td_config_effect(struct td_config *c, td_effect_fn fn, void *arg);
/** New reference: what runs, what waits, counters. */
json_t *td_config_dump(const struct td_config *c);

#endif
