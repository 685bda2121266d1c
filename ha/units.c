// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ha/units_priv.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

enum { PUT_AGAIN_MS = 1000 };

static void settle(void *arg);

static struct td_unit *find(struct td_units *u, const char *name)
{
	for (unsigned int i = 0; i < u->n; i++)
		if (!strcmp(u->unit[i].name, name))
			return &u->unit[i];
	return NULL;
}

/* --- what the lease machine wants done --- */

static void tell(struct td_units *u, struct td_unit *x)
{
	if (x->told == x->held)
		return;
	if (x->told && u->cfg.owned)
		u->cfg.owned(u->cfg.arg, x->name, false, x->told);
	x->told = x->held;
	if (x->told && u->cfg.owned)
		u->cfg.owned(u->cfg.arg, x->name, true, x->told);
}

static void on_hold(void *arg, const char *unit, uint64_t epoch,
		    int64_t until_ms)
{
	struct td_units *u = arg;
	struct td_unit *x = find(u, unit);

	if (u->lines)
		td_lines_hold(u->lines, unit, epoch, until_ms);
	if (x && x->held != epoch) {
		td_info("ha", "unit=%s epoch=%" PRIu64 " is ours", unit, epoch);
		x->held = epoch;
		x->put_ms = 0;
		td_timer_start(u->cfg.loop, &u->settle, 0, settle, u);
	}
}

static void on_off(void *arg, const char *unit, uint64_t epoch)
{
	struct td_units *u = arg;
	struct td_unit *x = find(u, unit);

	if (u->lines)
		td_lines_off(u->lines, unit, epoch);
	if (!x || !x->held || x->held > epoch)
		return;
	td_info("ha", "unit=%s epoch=%" PRIu64 " is not ours any more", unit,
		x->held);
	x->held = 0;
	td_timer_start(u->cfg.loop, &u->settle, 0, settle, u);
}

static void on_changed(void *arg)
{
	struct td_units *u = arg;

	td_timer_start(u->cfg.loop, &u->settle, 0, settle, u);
}

/* --- the plan --- */

static bool is_witness(const struct td_units *u, uint32_t id)
{
	/* a witness has no row of its own */
	return !td_view_node(td_cluster_view(u->cfg.cluster), id);
}

static unsigned int plan_nodes(const struct td_units *u,
			       struct td_plan_node out[TD_NODE_MAX_ID])
{
	const struct td_view *v = td_cluster_view(u->cfg.cluster);
	uint32_t members = td_cluster_members(u->cfg.cluster);
	uint32_t in_sync = td_lease_in_sync(u->lease);
	unsigned int n = 0;

	for (uint32_t id = 1; id <= TD_NODE_MAX_ID; id++) {
		const Td__Node *row = td_view_node(v, id);

		if (!(u->nodelist >> id & 1))
			continue;
		out[n++] = (struct td_plan_node){
			.id = id,
			.witness = is_witness(u, id),
			.up = row && members >> id & 1 &&
			      row->state != TD__NODE_STATE__NODE_DOWN,
			/* before the first record, and when all that were in
			 * sync are lost, whoever is there may begin */
			.in_sync = in_sync ? in_sync >> id & 1 : row != NULL,
			.draining = row && row->state ==
				TD__NODE_STATE__NODE_DRAINING,
		};
	}
	return n;
}

static uint32_t owner_of(const struct td_units *u, const char *unit)
{
	struct td_unit_view x;

	if (td_lease_unit(u->lease, td_clock_boot_ms(), unit, &x) ||
	    x.state == TD_UNIT_FREE || x.state == TD_UNIT_DEAD)
		return 0;
	return x.owner;
}

static bool is_draining(const struct td_units *u)
{
	const Td__Node *row = td_view_node(td_cluster_view(u->cfg.cluster),
					   u->cfg.node_id);

	return row && row->state == TD__NODE_STATE__NODE_DRAINING;
}

static void run_plan(struct td_units *u)
{
	struct td_plan_node nodes[TD_NODE_MAX_ID];
	struct td_plan_unit units[TD_VIEW_MAX_UNITS];
	struct td_plan_answer answers[TD_VIEW_MAX_UNITS];
	struct td_plan_in in = {
		.nodes = nodes, .units = units, .n_units = u->n,
		.quorum = td_cluster_state(u->cfg.cluster) ==
			  TD_CLUSTER_RUNNING,
	};
	int64_t now = td_clock_boot_ms();

	if (u->cfg.witness)
		return;
	in.n_nodes = plan_nodes(u, nodes);
	for (unsigned int i = 0; i < u->n; i++) {
		const struct td_unit *x = &u->unit[i];
		struct td_plan_unit *p = &units[i];

		*p = (struct td_plan_unit){ .kind = x->kind,
					    .n_nodes = x->n_nodes,
					    .fixed = x->fixed };
		td_str_cut(p->name, sizeof(p->name), x->name);
		memcpy(p->nodes, x->nodes, sizeof(p->nodes));
		p->owner = owner_of(u, x->name);
		if (x->kind == TD_PLAN_SPAN &&
		    !td_lines_fit(u->lines, x->name))
			p->unfit = 1U << u->cfg.node_id;
	}
	td_plan(&in, answers);
	for (unsigned int i = 0; i < u->n; i++) {
		struct td_unit *x = &u->unit[i];

		x->answer = answers[i];
		/* in a minority nothing is given up by hand: leases end.
		 * Without a lead members may differ about who is in sync, and
		 * each would leave it to another: whoever can shall take it */
		td_lease_want(u->lease, now, x->name,
			      x->answer.node == u->cfg.node_id ||
			      (!in.quorum && x->held) ||
			      (in.quorum && !units[i].owner &&
			       !strcmp(x->name, TD_UNIT_LEAD) &&
			       !is_draining(u)));
	}
}

/* --- the rows of what is ours --- */

static Td__UnitKind row_kind(enum td_plan_kind kind)
{
	return kind == TD_PLAN_SPAN ? TD__UNIT_KIND__UNIT_SPAN :
	       kind == TD_PLAN_ADDRESS ? TD__UNIT_KIND__UNIT_ADDRESS :
					 TD__UNIT_KIND__UNIT_ROLE;
}

static bool row_is_ours(const struct td_units *u, const struct td_unit *x)
{
	const Td__Unit *row = td_view_unit(td_cluster_view(u->cfg.cluster),
					   x->name);

	return row && row->node == u->cfg.node_id;
}

static void put_row(struct td_units *u, struct td_unit *x, int64_t now)
{
	const Td__Unit *row = td_view_unit(td_cluster_view(u->cfg.cluster),
					   x->name);
	Td__Unit unit = TD__UNIT__INIT;
	Td__Op op = TD__OP__INIT;
	bool ours = row_is_ours(u, x);

	unit.unit = x->name;
	unit.kind = row_kind(x->kind);
	unit.epoch = x->held;
	unit.node = x->held ? u->cfg.node_id : 0;
	if (x->held ? ours && row->epoch == x->held : !ours)
		return;
	if (!x->held)
		unit.epoch = row->epoch;
	if (x->put_ms && now - x->put_ms < PUT_AGAIN_MS)
		return;
	op.what_case = TD__OP__WHAT_UNIT;
	op.unit = &unit;
	if (!td_cluster_submit(u->cfg.cluster, &op))
		x->put_ms = now;
}

/* What no generation names any more, once its row says that it is free. */
static void forget(struct td_units *u)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < u->n; i++)
		if (u->unit[i].n_nodes || row_is_ours(u, &u->unit[i]))
			u->unit[kept++] = u->unit[i];
	u->n = kept;
}

static void on_due(void *arg);

static void arm_due(struct td_units *u)
{
	int64_t due = td_lease_due_ms(u->lease), now = td_clock_boot_ms();

	if (due == INT64_MAX)
		td_timer_stop(&u->due);
	else
		td_timer_start(u->cfg.loop, &u->due,
			       due > now ? (uint64_t)(due - now) : 0, on_due,
			       u);
}

static void settle(void *arg)
{
	struct td_units *u = arg;
	int64_t now = td_clock_boot_ms();

	td_cluster_authority_changed(u->cfg.cluster);
	run_plan(u);
	for (unsigned int i = 0; i < u->n; i++) {
		tell(u, &u->unit[i]);
		if (!u->cfg.witness)
			put_row(u, &u->unit[i], now);
	}
	forget(u);
	arm_due(u);
}

/* --- time --- */

static void on_tick(void *arg)
{
	struct td_units *u = arg;

	td_timer_start(u->cfg.loop, &u->tick, TD_LEASE_HEARTBEAT_MS, on_tick,
		       u);
	td_lease_tick(u->lease, td_clock_boot_ms());
	settle(u);
}

static void on_due(void *arg)
{
	struct td_units *u = arg;

	td_lease_tick(u->lease, td_clock_boot_ms());
	settle(u);
}

/* --- the cluster's authority --- */

static const Td__Record *on_record(void *arg)
{
	return td_lease_record(((struct td_units *)arg)->lease);
}

static uint32_t on_needed(void *arg)
{
	return td_lease_needed(((struct td_units *)arg)->lease);
}

static bool on_holds(void *arg)
{
	return td_lease_synced(((struct td_units *)arg)->lease);
}

static bool on_quorum(void *arg, uint32_t members, bool quorate)
{
	return td_lease_quorum(((struct td_units *)arg)->lease, members,
			       quorate);
}

static bool on_forced(void *arg)
{
	return td_lease_forced(((struct td_units *)arg)->lease,
			       td_clock_boot_ms());
}

static void on_ring(void *arg, uint64_t ring, uint32_t members, uint32_t left,
		    bool quorate)
{
	struct td_units *u = arg;

	td_lease_ring(u->lease, td_clock_boot_ms(), ring, members, left,
		      quorate);
	on_changed(u);
}

static void on_deliver(void *arg, uint32_t from, uint64_t incarnation,
		       const Td__Ha *m)
{
	struct td_units *u = arg;

	td_lease_deliver(u->lease, td_clock_boot_ms(), from, incarnation, m);
	arm_due(u);
}

static void on_live(void *arg, bool live)
{
	struct td_units *u = arg;

	td_lease_live(u->lease, td_clock_boot_ms(), live);
	on_changed(u);
}

static void on_slow(void *arg, uint32_t node)
{
	td_lease_slow(((struct td_units *)arg)->lease, td_clock_boot_ms(),
		      node);
}

static void on_heard(void *arg, const Td__Heartbeat *m)
{
	struct td_units *u = arg;

	td_lease_udp(u->lease, td_clock_boot_ms(), m);
}

/* --- life --- */

static struct td_unit *add(struct td_units *u, const char *name,
			   enum td_plan_kind kind)
{
	struct td_unit *x;

	if (u->n == TD_VIEW_MAX_UNITS)
		return NULL;
	x = &u->unit[u->n++];
	*x = (struct td_unit){ .kind = kind };
	td_str_cut(x->name, sizeof(x->name), name);
	return x;
}

static void add_role(struct td_units *u, const char *name)
{
	struct td_unit *x = add(u, name, TD_PLAN_ROLE);

	for (uint32_t id = 1; id <= TD_NODE_MAX_ID; id++)
		if (u->nodelist >> id & 1)
			x->nodes[x->n_nodes++] = id;
}

static void on_line(void *arg, const char *span, bool on, uint64_t epoch)
{
	struct td_units *u = arg;

	if (u->cfg.line)
		u->cfg.line(u->cfg.arg, span, on, epoch);
}

static void on_span_seen(void *arg, const char *span, uint64_t epoch)
{
	td_lease_seen(((struct td_units *)arg)->lease, span, epoch);
}

static int start_lease(struct td_units *u)
{
	struct td_lease_cfg cfg = {
		.node_id = u->cfg.node_id,
		.incarnation = u->cfg.incarnation,
		.witness = u->cfg.witness,
		.nodelist = u->nodelist,
		.ops = { .say = td_units_say, .udp = td_units_udp,
			 .save = td_units_save, .hold = on_hold,
			 .off = on_off, .changed = on_changed, .arg = u },
	};
	Td__LeaseState *disk = NULL;
	int rc = td_leasefile_new(u->cfg.loop, u->cfg.state_dir,
				  td_units_saved, u, &u->file);

	if (!rc)
		rc = td_leasefile_load(u->file, &disk);
	if (rc) {
		td_err("ha", "HA-STATE", "%s/lease: %s; this voter has "
		       "forgotten what it promised. Restore the file; or, "
		       "when every other node of the cluster is up, remove it",
		       u->cfg.state_dir, strerror(-rc));
		return rc;
	}
	cfg.disk = disk;
	rc = td_lease_new(&cfg, td_clock_boot_ms(), &u->lease);
	td_lease_state_free(disk);
	return rc;
}

static int start_beats(struct td_units *u)
{
	struct td_beats_cfg cfg = {
		.loop = u->cfg.loop, .node_id = u->cfg.node_id,
		.peers = u->cfg.peers, .n_peers = u->cfg.n_peers,
		.key = u->cfg.key, .n_key = u->cfg.n_key,
		.heard = on_heard, .arg = u,
	};

	return u->cfg.n_peers < 2 ? 0 : td_beats_new(&cfg, &u->beats);
}

static int start(struct td_units *u)
{
	struct td_lines_cfg lcfg = { .node_id = u->cfg.node_id,
				     .active = on_line,
				     .seen = on_span_seen, .arg = u };
	struct td_authority a = {
		.record = on_record, .needed = on_needed, .quorum = on_quorum,
		.holds = on_holds,
		.ring = on_ring, .deliver = on_deliver, .live = on_live,
		.slow = on_slow, .forced = on_forced, .arg = u,
	};
	int rc = start_lease(u);

	if (!rc)
		rc = start_beats(u);
	if (!rc && !u->cfg.witness)
		rc = td_lines_new(&lcfg, &u->lines);
	if (rc)
		return rc;
	add_role(u, TD_UNIT_LEAD);
	add_role(u, TD_ROLE_SPOOL);
	td_lease_want_voters(u->lease, td_clock_boot_ms(), u->nodelist);
	td_cluster_set_authority(u->cfg.cluster, &a);
	td_timer_start(u->cfg.loop, &u->tick, TD_LEASE_HEARTBEAT_MS, on_tick,
		       u);
	return 0;
}

int td_units_new(const struct td_units_cfg *cfg, struct td_units **out)
{
	struct td_units *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	if (cfg->n_peers > TD_NODE_MAX_ID) {
		free(u);
		return -EINVAL;
	}
	u->cfg = *cfg;
	u->cfg.peers = u->peers;
	memcpy(u->peers, cfg->peers, cfg->n_peers * sizeof(*cfg->peers));
	u->tail = &u->head;
	for (unsigned int i = 0; i < cfg->n_peers; i++)
		u->nodelist |= 1U << cfg->peers[i].id;
	rc = u->nodelist >> cfg->node_id & 1 ? start(u) : -EINVAL;
	if (rc)
		td_units_free(u);
	else
		*out = u;
	return rc;
}

void td_units_free(struct td_units *u)
{
	int64_t now = td_clock_boot_ms();

	if (!u)
		return;
	for (unsigned int i = 0; u->lease && i < u->n; i++)
		td_lease_want(u->lease, now, u->unit[i].name, false);
	td_cluster_set_authority(u->cfg.cluster, NULL);
	td_timer_stop(&u->tick);
	td_timer_stop(&u->due);
	td_timer_stop(&u->settle);
	td_lines_free(u->lines);
	td_lease_free(u->lease);
	td_leasefile_free(u->file);
	td_beats_free(u->beats);
	td_units_drop_held(u);
	free(u);
}

void td_units_set_card(struct td_units *u, struct td_card *card)
{
	if (u->lines)
		td_lines_set_card(u->lines, card);
	on_changed(u);
}

/* --- configuration --- */

static void keep_unit(struct td_units *u, const char *name,
		      enum td_plan_kind kind, const uint32_t *nodes,
		      unsigned int n, bool seen[TD_VIEW_MAX_UNITS])
{
	struct td_unit *x = find(u, name);

	if (!x)
		x = add(u, name, kind);
	if (!x) {
		td_err("ha", "HA-UNITS", "unit=%s: more than %d", name,
		       TD_VIEW_MAX_UNITS);
		return;
	}
	x->kind = kind;
	x->n_nodes = n;
	memcpy(x->nodes, nodes, n * sizeof(*nodes));
	/* their calls would not survive a move yet */
	x->fixed = true;
	seen[x - u->unit] = true;
}

void td_units_set_site(struct td_units *u, const struct td_site *site)
{
	bool seen[TD_VIEW_MAX_UNITS] = { false };

	for (unsigned int i = 0; i < u->n; i++)
		seen[i] = u->unit[i].kind == TD_PLAN_ROLE;
	for (size_t i = 0; i < site->n_lines; i++)
		keep_unit(u, site->lines[i].name, TD_PLAN_SPAN,
			  site->lines[i].nodes, site->lines[i].n_nodes, seen);
	for (size_t i = 0; i < site->n_addresses; i++)
		keep_unit(u, site->addresses[i].name, TD_PLAN_ADDRESS,
			  site->addresses[i].nodes,
			  site->addresses[i].n_nodes, seen);
	for (unsigned int i = 0; i < u->n; i++) {
		struct td_unit *x = &u->unit[i];

		if (seen[i])
			continue;
		/* off comes back at once */
		td_lease_want(u->lease, td_clock_boot_ms(), x->name, false);
		tell(u, x);
		x->n_nodes = 0;
	}
	if (u->lines)
		td_lines_set_site(u->lines, site);
	on_changed(u);
}

/* --- what stands --- */

uint64_t td_units_owns(const struct td_units *u, const char *unit)
{
	const struct td_unit *x = find((struct td_units *)u, unit);

	return x ? x->held : 0;
}

void td_units_force(struct td_units *u)
{
	td_lease_force(u->lease, td_clock_boot_ms());
	on_changed(u);
}
