// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/spool/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"

enum { TURN_MS = 100 };

struct td_spool_node {
	struct td_spool_node_cfg cfg;
	struct td_spool *spool;
	struct td_spool_writer *writer;
	struct td_timer timer, tell;
	uint64_t disk_n;		/* to be told */
	int sink;			/* the cluster's, <0: no disk */
};

int64_t td_spool_node_now_ms(void)
{
	return td_clock_boot_ms();
}

static int on_say(void *arg, const Td__Op *op)
{
	return td_cluster_submit(((struct td_spool_node *)arg)->cfg.cluster,
				 op);
}

static int on_effect(void *arg, td_effect_fn fn, void *fn_arg)
{
	struct td_spool_node *n = arg;

	return td_cluster_effect_durable(n->cfg.cluster, fn, fn_arg);
}

static void on_tell(void *arg)
{
	struct td_spool_node *n = arg;

	td_cluster_on_disk(n->cfg.cluster, n->sink, n->disk_n);
}

/* In a turn of its own: it may be said while an op is being told of, and lets
 * effects go. */
static void on_disk(void *arg, uint64_t index)
{
	struct td_spool_node *n = arg;

	n->disk_n = index;
	td_timer_start(n->cfg.loop, &n->tell, 0, on_tell, n);
}

static uint32_t on_in_sync(void *arg)
{
	const struct td_cluster *c = ((struct td_spool_node *)arg)->cfg.cluster;

	if (td_cluster_state(c) != TD_CLUSTER_RUNNING)
		return 0;
	return td_cluster_in_sync(c) | 1U << td_cluster_node_id(c);
}

static bool on_owner(void *arg, uint64_t *epoch)
{
	struct td_spool_node *n = arg;
	uint32_t in_sync = on_in_sync(n);

	if (n->cfg.owner)
		return in_sync && n->cfg.owner(n->cfg.arg, epoch);
	*epoch = 0;
	return in_sync & -in_sync & 1U << td_cluster_node_id(n->cfg.cluster);
}

static bool on_ready(void *arg)
{
	struct td_spool_node *n = arg;

	return n->cfg.ready(n->cfg.arg);
}

static uint32_t on_random(void *arg)
{
	uint32_t v = 0;

	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != sizeof(v))
		v = (uint32_t)td_clock_boot_ns();
	return v;
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct td_spool_node *n = arg;

	td_spool_applied(n->spool, td_clock_boot_ms(), op,
			 td_view_index(td_cluster_view(n->cfg.cluster)).n);
}

static void on_turn(void *arg)
{
	struct td_spool_node *n = arg;
	int64_t now_ms = td_clock_boot_ms();

	td_timer_start(n->cfg.loop, &n->timer, TURN_MS, on_turn, n);
	td_spool_turn(n->spool, now_ms);
	td_spool_writer_turn(n->writer, now_ms);
}

static void on_load(void *arg, uint32_t segment, const uint8_t *buf, size_t n)
{
	td_spool_load(((struct td_spool_node *)arg)->spool, segment, buf, n);
}

static void open_disk(struct td_spool_node *n)
{
	static const Td__Op__WhatCase types[] = { TD__OP__WHAT_CALL_END,
						  TD__OP__WHAT_SPOOL_PUT };
	struct td_spool_disk *disk;
	struct td_spool_stats st;
	int rc = td_spool_disk_open(n->cfg.loop, n->cfg.dir, on_load, n,
				    &disk);

	if (rc) {
		td_err("spool", "SPOOL-DIR", "%s/spool: %s; records are not "
		       "kept here", n->cfg.dir, strerror(-rc));
		return;
	}
	td_spool_set_disk(n->spool, disk);
	n->sink = td_cluster_sink(n->cfg.cluster, types, 2);
	td_spool_stats(n->spool, &st);
	if (st.records || st.torn_octets)
		td_info("spool", "records=%u from before, torn octets=%llu",
			st.records, (unsigned long long)st.torn_octets);
}

int td_spool_node_new(const struct td_spool_node_cfg *cfg,
		      struct td_spool_node **out)
{
	struct td_spool_node *n = calloc(1, sizeof(*n));
	struct td_spool_env env = {
		.node_id = td_cluster_node_id(cfg->cluster), .say = on_say,
		.effect = on_effect, .on_disk = on_disk,
		.in_sync = on_in_sync, .arg = n,
	};
	struct td_spool_writer_env wenv = { .owner = on_owner,
					    .ready = on_ready,
					    .random = on_random, .arg = n };
	int rc;

	if (!n)
		return -ENOMEM;
	n->cfg = *cfg;
	n->sink = -1;
	rc = td_spool_new(&env, &cfg->limits, &n->spool);
	wenv.spool = n->spool;
	if (!rc)
		rc = td_spool_writer_new(&wenv, &n->writer);
	if (!rc)
		rc = td_timer_start(cfg->loop, &n->timer, TURN_MS, on_turn, n);
	if (!rc)
		rc = td_cluster_watch(cfg->cluster, on_applied, n);
	if (rc) {
		td_timer_stop(&n->timer);
		td_spool_writer_free(n->writer);
		td_spool_free(n->spool);
		free(n);
		return rc;
	}
	open_disk(n);
	*out = n;
	return 0;
}

void td_spool_node_stop(struct td_spool_node *n)
{
	if (!n)
		return;
	td_timer_stop(&n->timer);
	td_timer_stop(&n->tell);
	td_spool_writer_free(n->writer);
	n->writer = NULL;
}

void td_spool_node_free(struct td_spool_node *n)
{
	if (!n)
		return;
	td_spool_node_stop(n);
	td_spool_free(n->spool);
	free(n);
}

struct td_spool *td_spool_node_spool(struct td_spool_node *n)
{
	return n->spool;
}

struct td_spool_writer *td_spool_node_writer(struct td_spool_node *n)
{
	return n->writer;
}

json_t *td_spool_node_dump(const struct td_spool_node *n)
{
	return json_pack("{s:o, s:o*}", "spool", td_spool_dump(n->spool),
			 "writer", n->writer ? td_spool_writer_dump(n->writer) :
					       NULL);
}
