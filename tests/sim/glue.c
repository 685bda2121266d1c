// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ha/plan.h"
#include "tests/sim/bugs.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

/* What ha/units.c does in the daemon: the lease machine's words go to the
 * cluster and to the network, not before its promises are on disk; the plan
 * says what is wanted. */

const char *const sim_units[SIM_UNITS] = {
	TD_UNIT_LEAD, "spool", "s1", "s2", "a1",
};

int sim_unit(const char *name)
{
	for (int i = 0; i < SIM_UNITS; i++)
		if (!strcmp(name, sim_units[i]))
			return i;
	return -1;
}

static int machine_of(const struct sim *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->m[i].id == id)
			return (int)i;
	return -1;
}

/* --- held back until the disk has it --- */

static void keep(struct sim_daemon *d, int to, uint8_t *buf, size_t n)
{
	struct sim_held *h = malloc(sizeof(*h) + n);

	if (!h)
		abort();
	*h = (struct sim_held){ .save = d->saves, .to = to, .n = n };
	memcpy(h->buf, buf, n);
	*d->held_tail = h;
	d->held_tail = &h->next;
}

static bool must_wait(const struct sim_daemon *d)
{
	return d->held || (d->saves > d->saved &&
			   !sim_bug(d->m->s, SIM_BUG_SAVE_LATER));
}

void sim_glue_flush(struct sim_daemon *d)
{
	struct sim_held *h;

	while ((h = d->held) && h->save <= d->saved) {
		Td__Ha *ha;

		d->held = h->next;
		if (!d->held)
			d->held_tail = &d->held;
		if (h->to >= 0) {
			sim_udp(d->m->s, d->m->i, (uint32_t)h->to, h->buf,
				h->n);
		} else if (!td_ha_unpack(h->buf, h->n, &ha)) {
			td_cluster_say(d->c, ha);
			td_ha_free(ha);
			sim_daemon_stir(d);
		}
		free(h);
	}
}

/* --- td_lease_ops --- */

static void on_say(void *arg, const Td__Ha *ha)
{
	struct sim_daemon *d = arg;
	uint8_t *buf;
	size_t n;

	sim_oracle_says(d, ha);
	if (!must_wait(d)) {
		td_cluster_say(d->c, ha);
		sim_daemon_stir(d);
		return;
	}
	if (td_ha_pack(ha, &buf, &n)) {
		sim_fail(d->m->s, "%s says what the codec refuses",
			 d->m->name);
		return;
	}
	keep(d, -1, buf, n);
	free(buf);
}

static void on_udp(void *arg, uint32_t to, const Td__Heartbeat *hb)
{
	struct sim_daemon *d = arg;
	int i = machine_of(d->m->s, to);
	uint8_t *buf;
	size_t n;

	if (i < 0 || td_heartbeat_pack(hb, &buf, &n)) {
		sim_fail(d->m->s, "%s sends a bad heartbeat to %u",
			 d->m->name, to);
		return;
	}
	if (must_wait(d))
		keep(d, i, buf, n);
	else
		sim_udp(d->m->s, d->m->i, (uint32_t)i, buf, n);
	free(buf);
}

static void on_save(void *arg, const Td__LeaseState *st)
{
	struct sim_daemon *d = arg;
	uint8_t *buf;
	size_t n;

	if (td_lease_state_pack(st, &buf, &n)) {
		sim_fail(d->m->s, "%s saves what the codec refuses",
			 d->m->name);
		return;
	}
	free(d->save_buf);
	d->save_buf = buf;
	d->save_n = n;
	d->saves++;
	sim_disk_write(d->m);
}

static void on_hold(void *arg, const char *unit, uint64_t epoch,
		    int64_t until_ms)
{
	struct sim_daemon *d = arg;
	int u = sim_unit(unit);

	if (u < 0) {
		sim_fail(d->m->s, "%s holds %s, which nobody wanted",
			 d->m->name, unit);
		return;
	}
	if (d->took[u] != epoch) {
		sim_tell(d->m->s, "%s holds %s at epoch %llu", d->m->name,
			 unit, (unsigned long long)epoch);
		d->took[u] = epoch;
		sim_oracle_took(d, (unsigned int)u, epoch);
	}
	sim_drive(d->m, (unsigned int)u, epoch, until_ms);
}

static void on_off(void *arg, const char *unit, uint64_t epoch)
{
	struct sim_daemon *d = arg;
	int u = sim_unit(unit);

	if (u < 0)
		return;
	if (d->took[u] && d->took[u] <= epoch)
		d->took[u] = 0;
	sim_revoke(d->m, (unsigned int)u, epoch);
}

static void on_changed(void *arg)
{
	struct sim_daemon *d = arg;

	d->authority_changed = true;
	td_cluster_authority_changed(d->c);
}

/* --- td_authority --- */

static struct td_lease *lease(void *arg)
{
	return ((struct sim_daemon *)arg)->l;
}
static int64_t now(void *arg)
{
	return sim_clock_ms(((struct sim_daemon *)arg)->m);
}
static const Td__Record *auth_record(void *arg)
{
	return td_lease_record(lease(arg));
}
static uint32_t auth_needed(void *arg)
{
	return td_lease_needed(lease(arg));
}
static bool auth_quorum(void *arg, uint32_t members, bool quorate)
{
	return td_lease_quorum(lease(arg), members, quorate);
}
static bool auth_holds(void *arg)
{
	return td_lease_synced(lease(arg));
}
static void auth_ring(void *arg, uint64_t ring, uint32_t members,
		      uint32_t left, bool quorate)
{
	struct sim_daemon *d = arg;

	d->in_ring = members;
	td_lease_ring(d->l, now(d), ring, members, left, quorate);
}
static void auth_deliver(void *arg, uint32_t from, uint64_t incarnation,
			 const Td__Ha *m)
{
	td_lease_deliver(lease(arg), now(arg), from, incarnation, m);
}
static void auth_live(void *arg, bool live)
{
	struct sim_daemon *d = arg;

	sim_tell(d->m->s, "%s's view %s", d->m->name,
		 live ? "goes on" : "does not go on");
	td_lease_live(d->l, now(d), live);
}
static void auth_slow(void *arg, uint32_t node)
{
	td_lease_slow(lease(arg), now(arg), node);
}

static uint32_t nodelist(const struct sim *s)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < s->n; i++)
		mask |= 1U << s->m[i].id;
	return mask;
}

void sim_glue_new(struct sim_daemon *d)
{
	struct sim_machine *m = d->m;
	struct sim *s = m->s;
	const struct td_authority authority = {
		.record = auth_record, .needed = auth_needed,
		.quorum = auth_quorum, .holds = auth_holds, .ring = auth_ring,
		.deliver = auth_deliver, .live = auth_live,
		.slow = auth_slow, .arg = d,
	};
	Td__LeaseState *disk = NULL;
	struct td_lease_cfg cfg = {
		.node_id = m->id, .incarnation = d->incarnation,
		.witness = m->witness, .nodelist = nodelist(s),
		.ops = { on_say, on_udp, on_save, on_hold, on_off, on_changed,
			 d },
#ifdef TD_SIM
		.bugs = s->bugs[SIM_BUGS_HA],
#endif
	};

	if (m->disk.buf && !sim_bug(s, SIM_BUG_DISK_FORGETS) &&
	    td_lease_state_unpack(m->disk.buf, m->disk.n, &disk))
		abort();
	cfg.disk = disk;
	if (td_lease_new(&cfg, sim_clock_ms(m), &d->l))
		abort();
	td_lease_state_free(disk);
#ifndef SIM_PLAIN
	td_cluster_set_authority(d->c, &authority);
#endif
}

/* --- the plan --- */

static void plan_nodes(struct sim_daemon *d, struct td_plan_node *nodes)
{
	struct sim *s = d->m->s;
	uint32_t in_sync = td_lease_in_sync(d->l);

	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t id = s->m[i].id;
		const Td__Node *row = td_view_node(td_cluster_view(d->c), id);

		nodes[i] = (struct td_plan_node){
			.id = id,
			.witness = s->m[i].witness,
			.up = row && d->in_ring >> id & 1 &&
			      row->state != TD__NODE_STATE__NODE_DOWN,
			/* all that were in sync are lost, or never were:
			 * whoever is there may begin */
			.in_sync = in_sync ? in_sync >> id & 1 : row != NULL,
			.draining = s->drained >> i & 1,
		};
	}
}

static void plan_units(struct sim_daemon *d, struct td_plan_unit *units)
{
	static const enum td_plan_kind kinds[SIM_UNITS] = {
		TD_PLAN_ROLE, TD_PLAN_ROLE, TD_PLAN_SPAN, TD_PLAN_SPAN,
		TD_PLAN_ADDRESS,
	};
	struct sim *s = d->m->s;

	for (uint32_t u = 0; u < SIM_UNITS; u++) {
		struct td_plan_unit *p = &units[u];
		struct td_unit_view v;

		memset(p, 0, sizeof(*p));
		strcpy(p->name, sim_units[u]);
		p->kind = kinds[u];
		for (uint32_t k = 0; k < s->k.nodes; k++)
			p->nodes[p->n_nodes++] =
				s->m[(u + k) % s->k.nodes].id;
		if (!td_lease_unit(d->l, sim_clock_ms(d->m), sim_units[u],
				   &v) &&
		    (v.state == TD_UNIT_OWNED || v.state == TD_UNIT_TAKING))
			p->owner = v.owner;
	}
}

/* the view learns who owns what */
static void tell_unit(struct sim_daemon *d, unsigned int u)
{
	Td__Unit unit = TD__UNIT__INIT;
	Td__Op op = TD__OP__INIT;

	if (!d->took[u] || d->unit_told[u] == d->took[u])
		return;
	unit.unit = (char *)sim_units[u];
	unit.node = d->m->id;
	unit.epoch = d->took[u];
	op.what_case = TD__OP__WHAT_UNIT;
	op.unit = &unit;
	if (!td_cluster_submit(d->c, &op))
		d->unit_told[u] = d->took[u];
}

void sim_glue_plan(struct sim_daemon *d)
{
	struct sim *s = d->m->s;
	struct td_plan_node nodes[SIM_MACHINES];
	struct td_plan_unit units[SIM_UNITS];
	struct td_plan_answer answers[SIM_UNITS];
	const struct td_plan_in in = {
		nodes, s->n, units, SIM_UNITS,
		td_cluster_state(d->c) == TD_CLUSTER_RUNNING,
	};
	int64_t ms = sim_clock_ms(d->m);

	if (d->m->witness)
		return;
	plan_nodes(d, nodes);
	plan_units(d, units);
	td_plan(&in, answers);
	for (unsigned int u = 0; u < SIM_UNITS; u++) {
		/* in a minority nothing is given up by hand */
		bool mine = answers[u].node == d->m->id ||
			    (!in.quorum && d->took[u]) ||
			    (in.quorum && !u && !units[u].owner &&
			     !(s->drained >> d->m->i & 1));

		if (td_lease_want(d->l, ms, sim_units[u], mine))
			sim_fail(s, "%s cannot want %s", d->m->name,
				 sim_units[u]);
		tell_unit(d, u);
	}
	td_lease_want_voters(d->l, ms, s->want_voters);
}
