// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cluster/cluster_priv.h"
#include "proto/base/log.h"

/* Durable ops: which of them are on whose disk. A room takes types of ops to
 * this node's disk and says up to which index it has; every acknowledgement
 * carries the least of that. */

int td_cluster_sink(struct td_cluster *c, const Td__Op__WhatCase *types,
		    unsigned int n)
{
	struct td_sink *s = &c->sink[c->n_sinks];

	if (c->n_sinks == TD_SINKS_MAX || n > TD_SINK_TYPES_MAX)
		return -ENOSPC;
	for (unsigned int i = 0; i < n; i++) {
		const struct td_op_info *info = td_op_info(types[i]);

		if (!info || info->durability != TD_DURABLE)
			return -EINVAL;
		s->types[i] = types[i];
	}
	s->n_types = n;
	return (int)c->n_sinks++;
}

void td_cluster_on_disk(struct td_cluster *c, int sink, uint64_t n)
{
	struct td_sink *s;

	if (sink < 0 || (unsigned int)sink >= c->n_sinks)
		return;
	s = &c->sink[sink];
	if (n <= s->done)
		return;
	s->done = n;
	c->need_ack = true;
	td_cluster_release(c);
	td_cluster_stir(c);
}

void td_cluster_to_disk(struct td_cluster *c, Td__Op__WhatCase what)
{
	uint64_t n = td_view_index(c->view).n;
	bool taken = false;

	for (unsigned int i = 0; i < c->n_sinks; i++)
		for (unsigned int k = 0; k < c->sink[i].n_types; k++)
			if (c->sink[i].types[k] == what) {
				c->sink[i].last = n;
				taken = true;
			}
	if (taken || c->no_disk_n)
		return;
	c->no_disk_n = n;
	td_info("cluster", "op=%s: no disk of this node takes it",
		td_op_info(what)->name);
}

uint64_t td_cluster_disk_n(const struct td_cluster *c)
{
	uint64_t n = td_view_index(c->view).n;

	for (unsigned int i = 0; i < c->n_sinks; i++) {
		const struct td_sink *s = &c->sink[i];

		if (s->done < s->last && s->done < n)
			n = s->done;
	}
	if (c->no_disk_n && c->no_disk_n - 1 < n)
		n = c->no_disk_n - 1;
	return n;
}

/* Two disks, or the only one of a set of one. */
static unsigned int disks(const struct td_cluster *c, uint64_t n)
{
	return td_holders_disks(&c->holders, n) +
	       (c->disk_since < n && n <= td_cluster_disk_n(c));
}

void td_cluster_release_durable(struct td_cluster *c)
{
	struct td_ack *a = &c->ack[TD_QUEUE_DURABLE];
	uint64_t floor = td_cluster_floor(c);
	const struct td_effect *e;

	while ((e = td_ack_oldest(a)) && e->n <= floor) {
		unsigned int have = e->n ? disks(c, e->n) : 2;

		if (have < (c->holders.need ? 2 : 1))
			return;
		td_ack_run(a, have < 2 ? TD_EFFECT_ONE_DISK : 0);
	}
}
