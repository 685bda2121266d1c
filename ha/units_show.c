// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/units_priv.h"
#include "proto/base/clock.h"

static const char *const kinds[] = {
	[TD_PLAN_ROLE] = "role",
	[TD_PLAN_SPAN] = "span",
	[TD_PLAN_ADDRESS] = "address",
};
static const char *const states[] = {
	[TD_UNIT_FREE] = "free",
	[TD_UNIT_OWNED] = "owned",
	[TD_UNIT_DEAD] = "dead",
	[TD_UNIT_TAKING] = "taking",
};
static const char *const reasons[] = {
	[TD_PLAN_FIRST] = "first",
	[TD_PLAN_STAYS] = "stays",
	[TD_PLAN_ONLY] = "only",
	[TD_PLAN_LOCKED] = "locked",
	[TD_PLAN_NOBODY] = "nobody",
};

static json_t *node(const struct td_units *u, uint32_t id)
{
	const Td__Node *row =
		td_view_node(td_cluster_view(u->cfg.cluster), id);

	if (!id)
		return json_null();
	for (unsigned int i = 0; i < u->cfg.n_peers && !row; i++)
		if (u->cfg.peers[i].id == id && u->cfg.peers[i].name[0])
			return json_string(u->cfg.peers[i].name);
	return row ? json_string(row->name) : json_integer(id);
}

json_t *td_units_list(const struct td_units *u)
{
	int64_t now = td_clock_boot_ms();
	json_t *a = json_array();

	for (unsigned int i = 0; i < u->n; i++) {
		const struct td_unit *x = &u->unit[i];
		struct td_unit_view v = { 0 };

		td_lease_unit(u->lease, now, x->name, &v);
		json_array_append_new(a, json_pack(
			"{sssssosIsssbsssb}", "name", x->name, "kind",
			kinds[x->kind], "owner",
			node(u, v.state == TD_UNIT_FREE ? 0 : v.owner),
			"epoch", (json_int_t)v.epoch, "state", states[v.state],
			"ours", v.ours, "reason", reasons[x->answer.reason],
			"fixed", x->fixed));
	}
	return a;
}

static json_t *ids(size_t n, const uint32_t *id)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_integer(id[i]));
	return a;
}

static json_t *record(const struct td_units *u)
{
	const Td__Record *r = td_lease_record(u->lease);
	json_t *o = json_pack("{sIsI}", "epoch", (json_int_t)r->epoch,
			      "version", (json_int_t)r->version);
	json_t *sync = json_array();

	for (size_t i = 0; i < r->n_in_sync; i++)
		json_array_append_new(sync, json_integer(r->in_sync[i]->id));
	json_object_set_new(o, "in_sync", sync);
	json_object_set_new(o, "voters", ids(r->n_voters, r->voters));
	json_object_set_new(o, "voters_next",
			    ids(r->n_voters_next, r->voters_next));
	return o;
}

json_t *td_units_dump(const struct td_units *u)
{
	struct td_lease_stats s;
	json_t *o = json_object();

	td_lease_stats(u->lease, &s);
	json_object_set_new(o, "record", record(u));
	json_object_set_new(o, "units", td_units_list(u));
	json_object_set_new(o, "counters", json_pack(
		"{sIsIsIsIsIsIsIsIsIsIsI}", "heartbeats_in",
		(json_int_t)s.heartbeats_in, "heartbeats_out",
		(json_int_t)s.heartbeats_out, "stale_acks",
		(json_int_t)s.stale_acks, "takes", (json_int_t)s.takes,
		"reports", (json_int_t)s.reports, "records",
		(json_int_t)s.records, "releases", (json_int_t)s.releases,
		"lapsed", (json_int_t)s.lapsed, "saves", (json_int_t)s.saves,
		"refused", (json_int_t)s.refused, "held_back",
		(json_int_t)u->refused));
	json_object_set_new(o, "disk_error",
			    json_integer(td_leasefile_error(u->file)));
	if (u->beats)
		json_object_set_new(o, "heartbeats",
				    td_beats_dump(u->beats));
	return o;
}
