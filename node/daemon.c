// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon_i.h"
#include "node/version.h"
#include "proto/base/log.h"

enum {
	END_POLL_MS = 20,
	END_WAIT_MS = 3000,
	MEDIA_PRIORITY = 40,
};

static int start_rooms(struct td_daemon *d)
{
	struct td_media_cfg mcfg = { .loop = d->loop, .card = d->card,
				     .priority = MEDIA_PRIORITY };
	struct td_calls_cfg ccfg = { .loop = d->loop, .cluster = d->cluster,
				     .node_id = d->conf.id,
				     .boot_count = d->boot_count };
	struct td_isdn_cfg icfg = { .loop = d->loop, .cluster = d->cluster,
				    .card = d->card, .node_id = d->conf.id,
				    .retired = daemon_on_retired, .arg = d };
	int rc = td_media_new(&mcfg, &d->media);

	if (rc)
		return rc;
	td_media_ops(d->media, &ccfg.voice);
	td_records_calls(d->records, &ccfg);
	rc = td_calls_new(&ccfg, &d->calls);
	if (rc)
		return rc;
	icfg.up = *td_calls_up(d->calls);
	rc = td_isdn_new(&icfg, &d->isdn);
	if (!rc)
		rc = daemon_start_views(d);
	if (rc)
		return rc;
	td_calls_set_rooms(d->calls, NULL, NULL, td_isdn_leg_new, d->isdn);
	td_units_set_card(d->units, d->card);
	return td_config_start(d->config);
}

void daemon_start_or_end(struct td_daemon *d)
{
	int rc = start_rooms(d);

	if (rc) {
		td_err("main", "START-FAILED", "%s", strerror(-rc));
		d->status = 1;
		td_loop_stop(d->loop);
	}
}

static int start_control(struct td_daemon *d)
{
	int rc = td_control_new(d->loop, d->conf.control, NULL, &d->control);

	if (rc)
		td_err("main", "CONTROL-SOCKET", "%s: %s", d->conf.control,
		       strerror(-rc));
	return rc;
}

static int start_config(struct td_daemon *d)
{
	struct td_config_cfg cfg = {
		.loop = d->loop, .cluster = d->cluster,
		.state_dir = d->conf.state_dir,
		.solo = d->conf.role == TD_RUN_SOLO,
		.on_site = daemon_on_site, .on_ready = daemon_on_ready,
		.arg = d,
	};
	int rc = 0;

	if (d->conf.database[0])
		rc = td_store_open(d->loop, d->conf.database, &d->store);
	if (rc) {
		td_err("main", "STORE-OPEN", "database: %s", strerror(-rc));
		return rc;
	}
	rc = start_control(d);
	if (rc)
		return rc;
	cfg.store = d->store;
	cfg.control = d->control;
	return td_config_new(&cfg, &d->config);
}

static uint64_t on_records_owns(void *arg)
{
	return td_units_owns(((struct td_daemon *)arg)->units,
			     TD_ROLE_SPOOL);
}

/* Before the loop turns: no op may be missed. */
static int start_records(struct td_daemon *d)
{
	const struct td_records_cfg cfg = {
		.loop = d->loop, .cluster = d->cluster, .store = d->store,
		.control = d->control, .dir = d->conf.state_dir,
		.node = d->conf.node, .owns = on_records_owns, .arg = d,
	};

	return td_records_new(&cfg, &d->records);
}

/* It votes and answers; that is all. */
static int start_witness(struct td_daemon *d)
{
	int rc = start_control(d);

	return rc ? rc : daemon_start_views(d);
}

static int start_node(struct td_daemon *d)
{
	int rc = start_config(d);

	if (!rc)
		rc = start_records(d);
	if (rc)
		return rc;
	if (d->conf.card[0])
		daemon_try_card(d);
	else
		daemon_start_or_end(d);
	/* what failed is logged; the loop does not run yet */
	return d->status ? -EIO : 0;
}

int td_daemon_new(struct td_loop *loop, const struct td_nodeconf *conf,
		  struct td_daemon **out)
{
	struct td_daemon *d;
	int rc;

	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->loop = loop;
	d->conf = *conf;
	rc = daemon_start_cluster(d);
	if (!rc)
		rc = conf->role == TD_RUN_WITNESS ? start_witness(d) :
						    start_node(d);
	if (rc) {
		td_daemon_free(d);
		return rc;
	}
	td_info("main", "node=%s id=%u boot=%u version=" TD_VERSION,
		conf->node, conf->id, d->boot_count);
	*out = d;
	return 0;
}

static void on_ending(void *arg)
{
	struct td_daemon *d = arg;

	d->ending_ms += END_POLL_MS;
	if (!td_calls_count(d->calls) || d->ending_ms > END_WAIT_MS)
		td_loop_stop(d->loop);
	else
		td_timer_start(d->loop, &d->end_timer, END_POLL_MS, on_ending,
			       d);
}

/* Nobody takes the calls over yet, so their far ends are told; the lines'
 * transmitters stay on until they know. */
void td_daemon_end(struct td_daemon *d)
{
	if (!d->calls || d->ending_ms) {
		td_loop_stop(d->loop);
		return;
	}
	td_calls_end(d->calls, 41);
	on_ending(d);
}

int td_daemon_status(const struct td_daemon *d)
{
	return d->status;
}

/* Backwards: who calls whom ends before whom. */
void td_daemon_free(struct td_daemon *d)
{
	if (!d)
		return;
	td_timer_stop(&d->card_timer);
	td_timer_stop(&d->site_timer);
	td_timer_stop(&d->end_timer);
	if (d->config)
		td_config_stop(d->config);
	td_control_free(d->control);
	td_views_free(d->views);
	td_units_free(d->units);
	td_calls_free(d->calls);
	td_isdn_free(d->isdn);
	td_sip_free(d->sip);
	td_media_free(d->media);
	td_records_stop(d->records);
	if (d->card) {
		td_loop_fd_del(d->loop, td_card_fd(d->card));
		td_card_close(d->card);
	}
	td_cluster_free(d->cluster);
	td_records_free(d->records);
	td_store_close(d->store);
	td_config_free(d->config);
	free(d);
}
