// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

/* Lines, and what can have an owner. */

int td_apply_span(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	Td__Span *s = op->span;
	const Td__Span *old = td_view_span(v, s->span, s->node);
	Td__Span *owner = (Td__Span *)td_view_span_owner(v, s->span);
	int rc;

	if (owner && owner->node == s->node)
		owner = NULL;
	if (s->node != from || !*s->span)
		return -EINVAL;
	if (!td_apply_is_up(v, from) || (old && s->epoch < old->epoch))
		return -ESTALE;
	if (s->owner && owner && owner->epoch >= s->epoch)
		return -ESTALE;
	rc = td_view_put_span(v, s);
	if (rc)
		return rc;
	*moved = true;
	/* whoever had it has it no more */
	if (s->owner && owner) {
		td_view_touch(v, TD_ROWS_SPANS,
			      &td_view_span_row(v, owner->span,
						owner->node)->at);
		owner->owner = false;
	}
	return 0;
}

int td_apply_span_del(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	const Td__SpanDel *d = op->span_del;
	struct td_span_row *r;

	if (d->node != from || !*d->span)
		return -EINVAL;
	r = td_view_span_row(v, d->span, d->node);
	if (r)
		td_view_del_span(v, r);
	return 0;
}

/* Said by whoever holds the lease. An epoch has one owner. */
int td_apply_unit(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	Td__Unit *u = op->unit;
	const Td__Unit *old = td_view_unit(v, u->unit);
	int rc;

	if (!*u->unit || !u->epoch || (u->node && u->node != from))
		return -EINVAL;
	if (!td_apply_is_up(v, from))
		return -ESTALE;
	if (old && (u->epoch < old->epoch ||
		    (u->epoch == old->epoch && old->node != from)))
		return -ESTALE;
	u->since_ms = old && old->node == u->node ? old->since_ms :
						    (uint64_t)v->now_ms;
	rc = td_view_put_unit(v, u);
	if (!rc)
		*moved = true;
	return rc;
}
