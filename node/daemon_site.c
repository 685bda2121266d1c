// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon_i.h"
#include "proto/base/log.h"

enum { SITE_RETRY_MS = 100 };

/** Equal on all nodes, so that each can check the others' nonces. */
static int nonce_key(struct td_daemon *d, uint8_t key[32])
{
	return td_config_secret(d->config, "sip nonce", key);
}

static int on_register_effect(void *arg, td_effect_fn fn, void *fn_arg)
{
	return td_config_effect(((struct td_daemon *)arg)->config, fn, fn_arg);
}

static void start_sip(struct td_daemon *d)
{
	struct td_sip_cfg cfg = {
		.loop = d->loop,
		.cluster = d->cluster,
		.node_id = d->conf.id,
		.up = td_calls_up(d->calls),
		.effect = on_register_effect,
		.effect_arg = d,
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
void daemon_on_retired(void *arg)
{
	struct td_daemon *d = arg;

	if (d->site && !td_isdn_retiring(d->isdn))
		td_units_set_site(d->units, d->site);
}

void daemon_on_site(void *arg, const struct td_site *site,
		    uint64_t generation)
{
	struct td_daemon *d = arg;

	td_info("main", "generation=%" PRIu64 " runs", generation);
	d->site = site;
	td_calls_set_site(d->calls, site);
	td_isdn_set_site(d->isdn, site);
	daemon_on_retired(d);
	use_site(d);
}

void daemon_on_ready(void *arg)
{
	struct td_daemon *d = arg;

	d->ready = true;
	use_site(d);
}
