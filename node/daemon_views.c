// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "node/daemon_i.h"

static const struct td_site *on_views_site(void *arg)
{
	return ((struct td_daemon *)arg)->site;
}

static uint64_t on_views_generation(void *arg)
{
	struct td_daemon *d = arg;

	return d->config ? td_config_generation(d->config) : 0;
}

static int on_views_hangup(void *arg, uint64_t id)
{
	struct td_daemon *d = arg;

	return d->calls ? td_calls_hangup(d->calls, id, 16) : -ENOENT;
}

static json_t *on_views_voice(void *arg, uint64_t id)
{
	struct td_daemon *d = arg;

	return d->calls ? td_calls_voice(d->calls, id) : NULL;
}

static json_t *on_views_units(void *arg)
{
	return td_units_list(((struct td_daemon *)arg)->units);
}

static void on_views_force(void *arg)
{
	td_units_force(((struct td_daemon *)arg)->units);
}

static json_t *on_views_dump(void *arg)
{
	struct td_daemon *d = arg;
	json_t *o = json_object();

	json_object_set_new(o, "cluster", td_cluster_dump(d->cluster));
	json_object_set_new(o, "ha", td_units_dump(d->units));
	if (d->conf.role == TD_RUN_WITNESS)
		return o;
	json_object_set_new(o, "config", td_config_dump(d->config));
	json_object_set_new(o, "calls", td_calls_dump(d->calls));
	json_object_set_new(o, "records", td_records_dump(d->records));
	json_object_set_new(o, "media", td_media_dump(d->media));
	json_object_set_new(o, "isdn", td_isdn_dump(d->isdn));
	if (d->sip)
		json_object_set_new(o, "sip", td_sip_dump(d->sip));
	return o;
}

int daemon_start_views(struct td_daemon *d)
{
	struct td_views_cfg cfg = {
		.loop = d->loop, .cluster = d->cluster, .site = on_views_site,
		.generation = on_views_generation, .hangup = on_views_hangup,
		.voice = on_views_voice, .units = on_views_units,
		.force = on_views_force, .dump = on_views_dump,
		.witness = d->conf.role == TD_RUN_WITNESS, .arg = d,
	};

	return td_views_new(d->control, &cfg, &d->views);
}
