// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

/* Calls; what is for their watchers alone. */

int td_apply_call_put(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	Td__Call *c = op->call_put;
	const Td__Call *old = td_view_call(v, c->id, c->node);
	int rc;

	if (c->node != from || !c->id)
		return -EINVAL;
	if (!td_apply_is_up(v, from) || (old && c->epoch < old->epoch))
		return -ESTALE;
	rc = td_view_put_call(v, c);
	if (!rc)
		*moved = true;
	return rc;
}

int td_apply_call_del(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	struct td_call_row *r;

	if (op->call_del->node != from)
		return -EINVAL;
	r = td_view_call_row(v, op->call_del->id, op->call_del->node);
	if (r)
		td_view_del_call(v, r);
	return 0;
}

/* Its record is the watchers': cluster/spool writes it. */
int td_apply_call_end(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	const Td__CallEnd *e = op->call_end;
	struct td_call_row *r;

	if (e->node != from || !e->record || !e->record->key.len)
		return -EINVAL;
	r = td_view_call_row(v, e->id, e->node);
	if (r)
		td_view_del_call(v, r);
	return 0;
}

/* Only its watchers act on it, at the nodes that have the call. */
int td_apply_call_hangup(struct td_view *v, Td__Op *op, uint32_t from,
			 bool *moved)
{
	return op->call_hangup->id ? 0 : -EINVAL;
}

int td_apply_spool_put(struct td_view *v, Td__Op *op, uint32_t from,
		       bool *moved)
{
	return op->spool_put->key.len ? 0 : -EINVAL;
}

int td_apply_spool_done(struct td_view *v, Td__Op *op, uint32_t from,
			bool *moved)
{
	return op->spool_done->n_keys ? 0 : -EINVAL;
}
