// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands: the questions of the cluster, the plan and people. */
#include <errno.h>

#include "ha/lease_priv.h"

static void view(const struct td_lease *l, int64_t now_ms,
		 const struct unit *u, struct td_unit_view *out)
{
	bool me = u->to == l->cfg.node_id;
	struct td_unit_view v = {
		.unit = u->name, .owner = u->to, .epoch = u->epoch,
	};

	v.ours = u->active && u->own_epoch == u->epoch &&
		 u->until_ms > now_ms;
	if (v.ours)
		v.until_ms = u->until_ms;
	if (!u->epoch || u->released[u->to] >= u->epoch)
		v.state = TD_UNIT_FREE;
	else if (v.ours)
		v.state = TD_UNIT_OWNED;
	else if (u->epoch <= u->over || !(l->members & BIT(u->to)))
		v.state = TD_UNIT_DEAD;
	else if (me)
		v.state = u->taking ? TD_UNIT_TAKING : TD_UNIT_DEAD;
	else if (now_ms - u->heard_ms > TD_LEASE_MISSED_MS)
		v.state = TD_UNIT_DEAD;
	else
		v.state = u->heard_held ? TD_UNIT_OWNED : TD_UNIT_TAKING;
	*out = v;
}

int td_lease_unit(const struct td_lease *l, int64_t now_ms, const char *unit,
		  struct td_unit_view *out)
{
	const struct unit *u = unit_find(l, unit);

	if (!u)
		return -ENOENT;
	view(l, now_ms, u, out);
	return 0;
}

int td_lease_unit_at(const struct td_lease *l, int64_t now_ms, unsigned int i,
		     struct td_unit_view *out)
{
	if (i >= l->n_units)
		return -ENOENT;
	view(l, now_ms, l->unit[i], out);
	return 0;
}

const Td__Record *td_lease_record(const struct td_lease *l)
{
	return &l->rec_pb.r;
}

bool td_lease_synced(const struct td_lease *l)
{
	return l->synced;
}

/* The life of this node that speaks in this ring; 0: not heard yet. */
static uint64_t here(const struct td_lease *l, uint32_t id)
{
	if (id == l->cfg.node_id)
		return l->cfg.incarnation;
	return l->peer[id].here ? l->peer[id].inc : 0;
}

uint32_t td_lease_needed(const struct td_lease *l)
{
	uint32_t mask = 0;

	if (l->cfg.witness)
		return 0;
	if (!l->rec.key.epoch)
		return TD_LEASE_NOBODY;
	if (!l->base && !td_lease_bug(l, TD_BUG_BASE))
		mask |= TD_LEASE_NOBODY;
	for (unsigned int k = 0; k < l->n_bound; k++) {
		const struct rec *r = &l->bound[k];

		mask |= r->in_sync;
		for (uint32_t i = 1; i <= MAX_ID; i++) {
			uint64_t inc = here(l, i);

			/* another life than the one that is here */
			if ((r->in_sync & BIT(i)) && inc && inc != r->inc[i])
				mask |= TD_LEASE_NOBODY;
		}
	}
	return mask & ~BIT(l->cfg.node_id);
}

bool td_lease_quorum(const struct td_lease *l, uint32_t members, bool quorate)
{
	if (!l->rec.key.epoch)
		return quorate;
	return quorum_bound(l, members);
}

uint32_t td_lease_in_sync(const struct td_lease *l)
{
	uint32_t mask = 0;

	for (uint32_t i = 1; i <= MAX_ID; i++) {
		uint64_t inc = here(l, i);

		if ((l->rec.in_sync & l->members & BIT(i)) &&
		    l->peer[i].gone != l->rec.inc[i] &&
		    (!inc || inc == l->rec.inc[i]))
			mask |= BIT(i);
	}
	return mask;
}

void td_lease_stats(const struct td_lease *l, struct td_lease_stats *out)
{
	*out = l->st;
}

bool td_lease_forced(const struct td_lease *l, int64_t now_ms)
{
	return now_ms < l->force_ms;
}
