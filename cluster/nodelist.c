// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/nodelist.h"

#include <corosync/cmap.h>
#include <corosync/corotypes.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/str.h"

enum { MAX_ENTRIES = 64 };

static void text(cmap_handle_t h, unsigned int i, const char *what, char *out,
		 size_t size)
{
	char key[CMAP_KEYNAME_MAXLEN + 1], *value;

	snprintf(key, sizeof(key), "nodelist.node.%u.%s", i, what);
	out[0] = '\0';
	if (cmap_get_string(h, key, &value) != CS_OK)
		return;
	td_str_cut(out, size, value);
	free(value);
}

static int by_id(const void *a, const void *b)
{
	const struct td_peer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int load(cmap_handle_t h, struct td_peer *peers, unsigned int *n)
{
	char key[CMAP_KEYNAME_MAXLEN + 1];

	*n = 0;
	for (unsigned int i = 0; i < MAX_ENTRIES; i++) {
		struct td_peer p = { 0 };

		snprintf(key, sizeof(key), "nodelist.node.%u.nodeid", i);
		if (cmap_get_uint32(h, key, &p.id) != CS_OK)
			continue;
		if (!p.id || p.id > TD_NODE_MAX_ID || *n == TD_NODE_MAX_ID) {
			td_err("cluster", "CLUSTER-NODELIST",
			       "corosync.conf: nodeid %u; Tandem has nodes "
			       "1 to %d", p.id, TD_NODE_MAX_ID);
			return -EINVAL;
		}
		text(h, i, "name", p.name, sizeof(p.name));
		text(h, i, "ring0_addr", p.address[0], sizeof(p.address[0]));
		text(h, i, "ring1_addr", p.address[1], sizeof(p.address[1]));
		peers[(*n)++] = p;
	}
	if (*n)
		return 0;
	td_err("cluster", "CLUSTER-NODELIST",
	       "corosync.conf has no nodelist with a nodeid for each node");
	return -EINVAL;
}

int td_nodelist_load(struct td_peer *peers, unsigned int *n)
{
	cmap_handle_t h;
	unsigned int count;
	int rc;

	if (cmap_initialize(&h) != CS_OK)
		return -ECONNREFUSED;
	rc = load(h, peers, &count);
	cmap_finalize(h);
	if (rc)
		return rc;
	qsort(peers, count, sizeof(*peers), by_id);
	*n = count;
	return 0;
}
