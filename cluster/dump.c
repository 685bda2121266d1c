// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cluster_priv.h"

static const char *const states[] = {
	[TD_CLUSTER_JOINING] = "joining",
	[TD_CLUSTER_RUNNING] = "running",
	[TD_CLUSTER_MINORITY] = "minority",
};

static json_t *ids(uint32_t mask)
{
	json_t *a = json_array();

	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		if (mask >> i & 1)
			json_array_append_new(a, json_integer(i));
	return a;
}

static json_t *holders(const struct td_cluster *c)
{
	json_t *a = json_array();

	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		if ((c->synced | c->holders.need) >> i & 1)
			json_array_append_new(a, json_pack("{sisIsb}", "node",
				(int)i, "index",
				(json_int_t)c->holders.by[i].held,
				"slow", c->slow_warned >> i & 1));
	return a;
}

static json_t *record(const struct td_cluster *c)
{
	const Td__Record *r = td_cluster_record(c);
	struct td_sync_record rec;

	td_sync_record_read(r, &rec);
	return json_pack("{sIsIsososososi}", "epoch", (json_int_t)rec.epoch,
			 "version", (json_int_t)rec.version, "in_sync",
			 ids(rec.in_sync), "voters", ids(rec.voters),
			 "voters_next", ids(rec.voters_next), "waits_for",
			 ids(c->missing), "to_say", (int)c->say.count);
}

static json_t *lanes(const struct td_cluster *c)
{
	json_t *o = json_object();

	for (int i = 0; i < TD_LANES; i++)
		json_object_set_new(o, td_lane_name(i), json_pack(
			"{sisisI}", "pending", (int)c->out[i].count, "limit",
			(int)c->out[i].limit, "refused",
			(json_int_t)c->out[i].refused_full));
	return o;
}

static uint64_t full(const struct td_cluster *c)
{
	uint64_t n = c->say.refused_full;

	for (int i = 0; i < TD_LANES; i++)
		n += c->out[i].refused_full;
	for (int q = 0; q < TD_QUEUES; q++)
		n += c->ack[q].refused_full;
	return n;
}

json_t *td_cluster_ops(const struct td_cluster *c)
{
	json_t *a = json_array();

	for (int i = 0; i < TD_OP_MAX; i++) {
		const struct td_op_info *info = td_op_info(i);

		if (!info)
			continue;
		json_array_append_new(a, json_pack(
			"{sssssisssIsI}", "op", info->name, "class",
			td_durability_name(info->durability), "level",
			(int)info->level, "lane", td_lane_name(info->lane),
			"applied", (json_int_t)c->ops[i].applied, "refused",
			(json_int_t)c->ops[i].refused));
	}
	return a;
}

json_t *td_cluster_dump(const struct td_cluster *c)
{
	struct td_index i = td_view_index(c->view);
	struct td_view_counts n;
	struct td_cluster_stats s;
	json_t *o;

	td_view_counts(c->view, &n);
	td_cluster_stats(c, &s);
	o = json_pack("{sssisssIsbso}", "name", c->name, "id", (int)c->id,
		      "state", states[td_cluster_state(c)], "ring",
		      (json_int_t)c->ring, "quorate", c->quorate, "members",
		      ids(c->members));
	json_object_set_new(o, "in_sync", ids(td_cluster_in_sync(c)));
	json_object_set_new(o, "held", holders(c));
	if (c->has_auth)
		json_object_set_new(o, "record", record(c));
	json_object_set_new(o, "view", json_pack(
		"{sIsIsIsisisisisi}", "lineage", (json_int_t)i.lineage,
		"index", (json_int_t)i.n, "now_ms",
		(json_int_t)td_view_now_ms(c->view), "feature_level",
		(int)td_view_feature_level(c->view), "nodes", (int)n.nodes,
		"spans", (int)n.spans, "contacts", (int)n.contacts, "calls",
		(int)n.calls));
	json_object_set_new(o, "lanes", lanes(c));
	json_object_set_new(o, "counters", json_pack(
		"{sIsIsIsIsIsIsIsIsIsI}", "submitted",
		(json_int_t)s.submitted, "applied", (json_int_t)s.applied,
		"refused", (json_int_t)s.refused, "effects",
		(json_int_t)s.effects, "cancelled", (json_int_t)s.cancelled,
		"snapshots_in", (json_int_t)s.snapshots_in, "snapshots_out",
		(json_int_t)s.snapshots_out, "bad_messages",
		(json_int_t)s.bad_messages, "other_lineage",
		(json_int_t)c->stale_lineage, "full",
		(json_int_t)full(c)));
	json_object_set_new(o, "pending_ops", json_integer(s.pending_ops));
	json_object_set_new(o, "pending_effects",
			    json_integer(s.pending_effects));
	return o;
}
