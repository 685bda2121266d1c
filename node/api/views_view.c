// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/store.h"
#include "node/api/views_i.h"

/* Two nodes at the same place of the same history must say the same octets:
 * the hash is what a test, or an operator in doubt, compares. It takes the
 * loop about a millisecond for a thousand contacts. */
json_t *td_views_view(const struct td_views *v)
{
	const struct td_view *view = views_view(v);
	struct td_index at = td_view_index(view);
	char lineage[17], hex[65];
	uint8_t *octets, sum[32];
	size_t n;

	if (td_view_pack(view, &octets, &n))
		return NULL;
	td_generation_hash(octets, n, sum);
	free(octets);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", sum[i]);
	/* 64 bits: more than some readers of JSON numbers keep */
	snprintf(lineage, sizeof(lineage), "%016llx",
		 (unsigned long long)at.lineage);
	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:i, s:b}",
			 "lineage", lineage, "index", (json_int_t)at.n,
			 "sha256", hex, "octets", (json_int_t)n,
			 "now_ms", (json_int_t)td_view_now_ms(view),
			 "feature_level", (int)td_view_feature_level(view),
			 "running", td_cluster_state(v->cfg.cluster) ==
			 TD_CLUSTER_RUNNING);
}

void views_on_view(void *arg, struct td_control_req *req)
{
	json_t *o = td_views_view(arg);

	if (o)
		td_control_reply_json(req, o);
	else
		td_control_reply_error(req, 1, "not enough memory");
}

void views_on_dump(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;

	td_control_reply_json(req, v->cfg.dump(v->cfg.arg));
}

void views_on_ops(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;

	td_control_reply_json(req, td_cluster_ops(v->cfg.cluster));
}
