// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cluster/cluster.h"
#include "cluster/store/store.h"
#include "ha/lines.h"
#include "node/api/config.h"
#include "node/api/control.h"
#include "node/api/views.h"
#include "node/boot.h"
#include "node/call/calls.h"
#include "node/isdn/isdn.h"
#include "node/media/media.h"
#include "node/sip/sip.h"
#include "node/version.h"
#include "proto/base/log.h"
#include "spanctl/lib/span.h"

enum {
	CARD_RETRY_MS = 200,
	CARD_WAIT_MS = 10000,	/* then it goes on without lines */
	SITE_RETRY_MS = 100,
	END_POLL_MS = 20,
	END_WAIT_MS = 3000,
	MEDIA_PRIORITY = 40,
};

struct td_daemon {
	struct td_loop *loop;
	struct td_nodeconf conf;
	struct td_cluster *cluster;
	struct td_store *store;
	struct td_control *control;
	struct td_config *config;
	struct td_views *views;
	struct td_card *card;
	struct td_media *media;
	struct td_calls *calls;
	struct td_isdn *isdn;
	struct td_sip *sip;
	struct td_lines *lines;
	const struct td_site *site;	/* the running one, or NULL */
	bool ready;			/* phones may be served */
	uint32_t boot_count;
	unsigned int card_waited_ms;
	struct td_timer card_timer, site_timer, end_timer;
	unsigned int ending_ms;		/* 0: not ending */
	int status;
};

/* ---- what the other rooms ask of us ---- */

static void on_line_active(void *arg, const char *span, bool on,
			   uint64_t epoch)
{
	struct td_daemon *d = arg;
	int rc = td_isdn_activate(d->isdn, span, on);

	if (rc && on)
		td_warn("main", "SPAN-NOT-USED", "span=%s: %s", span,
			strerror(-rc));
}

static const struct td_site *on_views_site(void *arg)
{
	return ((struct td_daemon *)arg)->site;
}

static uint64_t on_views_generation(void *arg)
{
	return td_config_generation(((struct td_daemon *)arg)->config);
}

static int on_views_hangup(void *arg, uint64_t id)
{
	return td_calls_hangup(((struct td_daemon *)arg)->calls, id, 16);
}

static json_t *on_views_voice(void *arg, uint64_t id)
{
	return td_calls_voice(((struct td_daemon *)arg)->calls, id);
}

static json_t *on_views_dump(void *arg)
{
	struct td_daemon *d = arg;
	json_t *o = json_object();

	json_object_set_new(o, "cluster", td_cluster_dump(d->cluster));
	json_object_set_new(o, "config", td_config_dump(d->config));
	json_object_set_new(o, "calls", td_calls_dump(d->calls));
	json_object_set_new(o, "media", td_media_dump(d->media));
	json_object_set_new(o, "isdn", td_isdn_dump(d->isdn));
	if (d->sip)
		json_object_set_new(o, "sip", td_sip_dump(d->sip));
	return o;
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct td_daemon *d = arg;

	if (!op && d->calls)
		td_calls_resync(d->calls);
	/* a node died, or came back in a new life before anybody saw it */
	if (op && d->calls && (op->what_case == TD__OP__WHAT_NODE_GONE ||
			       op->what_case == TD__OP__WHAT_NODE))
		td_calls_node_ended(d->calls);
	if (op && op->what_case == TD__OP__WHAT_CALL_HANGUP && d->calls)
		td_calls_hangup(d->calls, op->call_hangup->id, 16);
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

/* ---- configuration ---- */

/** Equal on all nodes, so that each can check the others' nonces. */
static int nonce_key(struct td_daemon *d, uint8_t key[32])
{
	return td_config_secret(d->config, "sip nonce", key);
}

static void start_sip(struct td_daemon *d)
{
	struct td_sip_cfg cfg = {
		.loop = d->loop,
		.cluster = d->cluster,
		.node_id = d->conf.id,
		.up = td_calls_up(d->calls),
		.internal_address = d->conf.cluster_address[0] ?
			d->conf.cluster_address : NULL,
	};
	int rc = nonce_key(d, cfg.key);

	if (!rc)
		rc = td_sip_new(&cfg, &d->sip);
	if (rc) {
		td_err("main", "SIP-NOT-STARTED", "%s", strerror(-rc));
		return;
	}
	td_calls_set_rooms(d->calls, td_sip_leg_new, d->sip, td_isdn_leg_new,
			   d->isdn);
}

static int give_sip_site(struct td_daemon *d)
{
	uint8_t key[32];
	int rc = nonce_key(d, key);

	if (!rc)
		rc = td_sip_set_key(d->sip, key);
	OPENSSL_cleanse(key, sizeof(key));
	return rc ? rc : td_sip_set_site(d->sip, d->site);
}

static void use_site(void *arg)
{
	struct td_daemon *d = arg;
	int rc;

	if (!d->site || !d->ready)
		return;
	if (!d->sip)
		start_sip(d);
	rc = d->sip ? give_sip_site(d) : 0;
	if (rc == -EAGAIN)
		td_timer_start(d->loop, &d->site_timer, SITE_RETRY_MS,
			       use_site, d);
	else if (rc)
		td_err("main", "SIP-SITE", "SIP goes on with the generation "
		       "before: %s", strerror(-rc));
}

/* A line that is taken out clears its calls first, which needs its
 * transmitter. */
static void lines_site(void *arg)
{
	struct td_daemon *d = arg;

	if (d->site && !td_isdn_retiring(d->isdn))
		td_lines_set_site(d->lines, d->site);
}

static void on_site(void *arg, const struct td_site *site, uint64_t generation)
{
	struct td_daemon *d = arg;

	td_info("main", "generation=%" PRIu64 " runs", generation);
	d->site = site;
	td_calls_set_site(d->calls, site);
	td_isdn_set_site(d->isdn, site);
	lines_site(d);
	use_site(d);
}

static void on_ready(void *arg)
{
	struct td_daemon *d = arg;

	d->ready = true;
	use_site(d);
}

/* ---- start ---- */

static int start_rooms(struct td_daemon *d)
{
	struct td_media_cfg mcfg = { .loop = d->loop, .card = d->card,
				     .priority = MEDIA_PRIORITY };
	struct td_calls_cfg ccfg = { .loop = d->loop, .cluster = d->cluster,
				     .node_id = d->conf.id,
				     .boot_count = d->boot_count };
	struct td_isdn_cfg icfg = { .loop = d->loop, .cluster = d->cluster,
				    .card = d->card, .node_id = d->conf.id,
				    .retired = lines_site, .arg = d };
	struct td_lines_cfg lcfg = { .loop = d->loop, .cluster = d->cluster,
				     .node_id = d->conf.id,
				     .active = on_line_active, .arg = d };
	struct td_views_cfg vcfg = {
		.loop = d->loop, .cluster = d->cluster, .site = on_views_site,
		.generation = on_views_generation, .hangup = on_views_hangup,
		.voice = on_views_voice, .dump = on_views_dump, .arg = d,
	};
	int rc = td_media_new(&mcfg, &d->media);

	if (rc)
		return rc;
	td_media_ops(d->media, &ccfg.voice);
	rc = td_calls_new(&ccfg, &d->calls);
	if (rc)
		return rc;
	icfg.up = *td_calls_up(d->calls);
	rc = td_isdn_new(&icfg, &d->isdn);
	if (!rc)
		rc = td_lines_new(&lcfg, &d->lines);
	if (!rc)
		rc = td_views_new(d->control, &vcfg, &d->views);
	if (rc)
		return rc;
	td_calls_set_rooms(d->calls, NULL, NULL, td_isdn_leg_new, d->isdn);
	td_lines_set_card(d->lines, d->card);
	return td_config_start(d->config);
}

static void start_or_end(struct td_daemon *d)
{
	int rc = start_rooms(d);

	if (rc) {
		td_err("main", "START-FAILED", "%s", strerror(-rc));
		d->status = 1;
		td_loop_stop(d->loop);
	}
}

static void on_card(void *arg, int fd, int revents);
static void try_card(void *arg);

/* The transmitters go off before anything else of the old card, and on after
 * all of the new one. */
static int use_card(struct td_daemon *d, struct td_card *card)
{
	struct td_card *old = d->card;
	int rc;

	td_lines_set_card(d->lines, NULL);
	rc = td_isdn_set_card(d->isdn, card);
	if (!rc)
		rc = td_media_set_card(d->media, card);
	if (rc) {
		td_isdn_set_card(d->isdn, old);
		return rc;
	}
	d->card = card;
	td_card_close(old);
	if (!card)
		return 0;
	td_lines_set_card(d->lines, card);
	return td_loop_fd_add(d->loop, td_card_fd(card), POLLIN, on_card, d);
}

static void again(struct td_daemon *d)
{
	d->card_waited_ms += CARD_RETRY_MS;
	td_timer_start(d->loop, &d->card_timer, CARD_RETRY_MS, try_card, d);
}

static void on_card(void *arg, int fd, int revents)
{
	struct td_daemon *d = arg;

	td_loop_fd_del(d->loop, fd);
	td_err("main", "CARD-GONE", "the span card's process ended: the lines "
	       "are out of service until it is back, their calls wait");
	use_card(d, NULL);
	d->card_waited_ms = 0;
	again(d);
}

/* Opens the card; without one the node goes on after a while, without lines,
 * and takes it when it comes. */
static void try_card(void *arg)
{
	struct td_daemon *d = arg;
	bool started = d->lines != NULL;
	struct td_card *card;
	int rc = td_card_open(d->conf.card, TD_CARD_OWNER, &card);

	if (!rc && !started) {
		d->card = card;
		start_or_end(d);
		td_loop_fd_add(d->loop, td_card_fd(card), POLLIN, on_card, d);
		return;
	}
	if (!rc) {
		rc = use_card(d, card);
		if (!rc) {
			td_info("main", "card=%s is there: CARD-GONE is over",
				d->conf.card);
			return;
		}
		td_card_close(card);
	}
	if (d->card_waited_ms == 0)
		td_info("main", "card=%s is not there yet: %s", d->conf.card,
			strerror(-rc));
	again(d);
	if (!started && d->card_waited_ms >= CARD_WAIT_MS) {
		td_err("main", "CARD-MISSING", "card=%s: %s; going on without "
		       "lines until it comes", d->conf.card, strerror(-rc));
		start_or_end(d);
	}
}

static int start_cluster(struct td_daemon *d)
{
	struct td_cluster_cfg cfg = {
		.node_id = d->conf.id,
		.name = d->conf.node,
		.version = TD_VERSION,
	};
	int rc = td_boot_count(d->conf.state_dir, &d->boot_count);

	if (rc) {
		td_err("main", "STATE-DIR", "%s: %s", d->conf.state_dir,
		       strerror(-rc));
		return rc;
	}
	if (getrandom(&cfg.incarnation, sizeof(cfg.incarnation), 0) !=
	    sizeof(cfg.incarnation))
		return -EIO;
	rc = d->conf.role == TD_RUN_SOLO ?
		td_bus_local_new(d->loop, d->conf.id, &cfg.bus) :
		td_bus_cpg_new(d->loop, d->conf.group, &cfg.bus);
	if (rc) {
		td_err("main", "CLUSTER-NONE", "no way to the cluster: %s; "
		       "does corosync run?", strerror(-rc));
		return rc;
	}
	rc = td_cluster_new(d->loop, &cfg, &d->cluster);
	if (rc)
		return rc;
	td_cluster_watch(d->cluster, on_applied, d);
	return td_cluster_watch_state(d->cluster, on_cluster_state, d);
}

static int start_config(struct td_daemon *d)
{
	struct td_config_cfg cfg = {
		.loop = d->loop, .cluster = d->cluster,
		.state_dir = d->conf.state_dir,
		.solo = d->conf.role == TD_RUN_SOLO,
		.on_site = on_site, .on_ready = on_ready, .arg = d,
	};
	int rc = 0;

	if (d->conf.database[0])
		rc = td_store_open(d->loop, d->conf.database, &d->store);
	if (rc) {
		td_err("main", "STORE-OPEN", "database: %s", strerror(-rc));
		return rc;
	}
	rc = td_control_new(d->loop, d->conf.control, NULL, &d->control);
	if (rc) {
		td_err("main", "CONTROL-SOCKET", "%s: %s", d->conf.control,
		       strerror(-rc));
		return rc;
	}
	cfg.store = d->store;
	cfg.control = d->control;
	return td_config_new(&cfg, &d->config);
}

int td_daemon_new(struct td_loop *loop, const struct td_nodeconf *conf,
		  struct td_daemon **out)
{
	struct td_daemon *d;
	int rc;

	if (conf->role == TD_RUN_WITNESS) {
		td_err("main", "ROLE-WITNESS", "the witness role needs "
		       "heartbeats and leases, which this version has not; "
		       "run corosync alone on the witness");
		return -ENOTSUP;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->loop = loop;
	d->conf = *conf;
	rc = start_cluster(d);
	if (!rc)
		rc = start_config(d);
	if (!rc && conf->card[0])
		try_card(d);
	else if (!rc)
		start_or_end(d);
	if (!rc && d->status)
		rc = -EIO;	/* logged; the loop does not run yet */
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
	td_lines_free(d->lines);
	td_calls_free(d->calls);
	td_isdn_free(d->isdn);
	td_sip_free(d->sip);
	td_media_free(d->media);
	if (d->card) {
		td_loop_fd_del(d->loop, td_card_fd(d->card));
		td_card_close(d->card);
	}
	td_cluster_free(d->cluster);
	td_store_close(d->store);
	td_config_free(d->config);
	free(d);
}
