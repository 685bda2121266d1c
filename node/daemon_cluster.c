// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "node/boot.h"
#include "node/daemon_i.h"
#include "node/version.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

static void on_line_active(void *arg, const char *span, bool on,
			   uint64_t epoch)
{
	struct td_daemon *d = arg;
	int rc = td_isdn_activate(d->isdn, span, on);

	if (rc && on)
		td_warn("main", "SPAN-NOT-USED", "span=%s: %s", span,
			strerror(-rc));
}

static void on_owned(void *arg, const char *unit, bool on, uint64_t epoch)
{
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct td_daemon *d = arg;

	if (!op && d->calls)
		td_calls_resync(d->calls);
	if (op && op->what_case == TD__OP__WHAT_CALL_HANGUP && d->calls)
		td_calls_hangup(d->calls, op->call_hangup->id, 16);
	/* a node died, or came back in a new life before anybody saw it */
	if (op && d->calls && (op->what_case == TD__OP__WHAT_NODE_GONE ||
			       op->what_case == TD__OP__WHAT_NODE))
		td_calls_node_ended(d->calls);
}

static void on_cluster_state(void *arg)
{
	struct td_daemon *d = arg;

	if (!td_cluster_lost(d->cluster))
		return;
	td_err("main", "CLUSTER-LOST", "the cluster's transport is gone or "
	       "this program is too old for it; ending, to be started anew");
	d->status = 1;
	td_loop_stop(d->loop);
}

static int start_bus(struct td_daemon *d, struct td_peer *peers,
		     unsigned int *n, struct td_bus **bus)
{
	int rc;

	if (d->conf.role == TD_RUN_SOLO) {
		*n = 1;
		peers[0] = (struct td_peer){ .id = d->conf.id };
		td_str_cut(peers[0].name, sizeof(peers[0].name),
			   d->conf.node);
		return td_bus_local_new(d->loop, d->conf.id, bus);
	}
	rc = td_bus_cpg_new(d->loop, d->conf.group, bus);
	if (rc)
		td_err("main", "CLUSTER-NONE", "no way to the cluster: %s; "
		       "does corosync run?", strerror(-rc));
	else
		rc = td_nodelist_load(peers, n);
	return rc;
}

static int start_units(struct td_daemon *d, uint64_t incarnation,
		       const struct td_peer *peers, unsigned int n)
{
	struct td_units_cfg cfg = {
		.loop = d->loop, .cluster = d->cluster,
		.node_id = d->conf.id, .incarnation = incarnation,
		.witness = d->conf.role == TD_RUN_WITNESS,
		.state_dir = d->conf.state_dir, .peers = peers, .n_peers = n,
		.line = on_line_active, .owned = on_owned, .arg = d,
	};
	int rc = td_units_new(&cfg, &d->units);

	if (rc)
		td_err("main", "HA-START", "%s", strerror(-rc));
	return rc;
}

int daemon_start_cluster(struct td_daemon *d)
{
	struct td_cluster_cfg cfg = {
		.node_id = d->conf.id,
		.name = d->conf.node,
		.version = TD_VERSION,
		.witness = d->conf.role == TD_RUN_WITNESS,
	};
	struct td_peer peers[TD_NODE_MAX_ID];
	unsigned int n = 0;
	int rc = td_boot_count(d->conf.state_dir, &d->boot_count);

	if (rc) {
		td_err("main", "STATE-DIR", "%s: %s", d->conf.state_dir,
		       strerror(-rc));
		return rc;
	}
	if (getrandom(&cfg.incarnation, sizeof(cfg.incarnation), 0) !=
	    sizeof(cfg.incarnation))
		return -EIO;
	rc = start_bus(d, peers, &n, &cfg.bus);
	if (!rc)
		rc = td_cluster_new(d->loop, &cfg, &d->cluster);
	if (rc) {
		if (cfg.bus)
			cfg.bus->ops->free(cfg.bus);
		return rc;
	}
	td_cluster_watch(d->cluster, on_applied, d);
	rc = td_cluster_watch_state(d->cluster, on_cluster_state, d);
	return rc ? rc : start_units(d, cfg.incarnation, peers, n);
}
