// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/apply.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cluster/view_priv.h"

typedef int (*apply_fn)(struct td_view *v, Td__Op *op, uint32_t from,
			bool *moved);

#define row_of(node, type, member)                                             \
	((type *)((char *)(node) - offsetof(type, member)))

static bool is_up(const struct td_view *v, uint32_t node)
{
	const Td__Node *n = td_view_node(v, node);

	return n && n->state != TD__NODE_STATE__NODE_DOWN;
}

/* The node's calls and spans end with it. Its contacts stay: the phone is
 * still there. */
static void end_share(struct td_view *v, uint32_t node)
{
	struct td_table_node *n, *next;

	for (n = td_table_first(&v->calls); n; n = next) {
		struct td_call_row *r = row_of(n, struct td_call_row, at);

		next = td_table_next(n);
		if (r->c->node == node)
			td_view_end_call(v, r);
	}
	for (n = td_table_first(&v->spans); n; n = next) {
		struct td_span_row *r = row_of(n, struct td_span_row, at);

		next = td_table_next(n);
		if (r->s->node == node)
			td_view_del_span(v, r);
	}
	td_view_release_units(v, node);
}

static int apply_node(struct td_view *v, Td__Op *op, uint32_t from,
		      bool *moved)
{
	Td__Node *n = op->node;
	const Td__Node *old = td_view_node(v, n->id);
	const Td__Node *same_name = td_view_node_by_name(v, n->name);

	if (n->id != from || !*n->name || (same_name && same_name->id != n->id))
		return -EINVAL;
	if (n->feature_level < v->level)
		return -EINVAL;
	/* a new life whose predecessor's end nobody has told yet */
	if (old && old->incarnation != n->incarnation)
		end_share(v, n->id);
	n->since_ms = old && old->state == n->state &&
		      old->incarnation == n->incarnation ?
			      old->since_ms :
			      (uint64_t)v->now_ms;
	td_view_put_node(v, n);
	*moved = true;
	return 0;
}

static int apply_span(struct td_view *v, Td__Op *op, uint32_t from,
		      bool *moved)
{
	Td__Span *s = op->span;
	const Td__Span *old = td_view_span(v, s->span, s->node);
	Td__Span *owner = (Td__Span *)td_view_span_owner(v, s->span);
	int rc;

	if (owner && owner->node == s->node)
		owner = NULL;
	if (s->node != from || !*s->span)
		return -EINVAL;
	if (!is_up(v, from) || (old && s->epoch < old->epoch))
		return -ESTALE;
	if (s->owner && owner && owner->epoch >= s->epoch)
		return -ESTALE;
	rc = td_view_put_span(v, s);
	if (rc)
		return rc;
	*moved = true;
	/* whoever had it has it no more */
	if (s->owner && owner)
		owner->owner = false;
	return 0;
}

/* Said by whoever holds the lease. An epoch has one owner. */
static int apply_unit(struct td_view *v, Td__Op *op, uint32_t from,
		      bool *moved)
{
	Td__Unit *u = op->unit;
	const Td__Unit *old = td_view_unit(v, u->unit);
	int rc;

	if (!*u->unit || !u->epoch || (u->node && u->node != from))
		return -EINVAL;
	if (!is_up(v, from))
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

static int apply_span_del(struct td_view *v, Td__Op *op, uint32_t from,
			  bool *moved)
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

static int apply_contact_put(struct td_view *v, Td__Op *op, uint32_t from,
			     bool *moved)
{
	Td__Contact *c = op->contact_put;
	const Td__Contact *old;
	int rc;

	if (!*c->user || !*c->uri)
		return -EINVAL;
	old = td_view_contact(v, c->user, c->uri);
	/* RFC 3261 10.3 step 7: out of order within one Call-ID */
	if (old && *c->call_id && !strcmp(old->call_id, c->call_id) &&
	    c->cseq < old->cseq)
		return -ESTALE;
	rc = td_view_put_contact(v, c);
	if (!rc)
		*moved = true;
	return rc;
}

static int apply_contact_del(struct td_view *v, Td__Op *op, uint32_t from,
			     bool *moved)
{
	const Td__ContactDel *d = op->contact_del;
	struct td_contact_row *r;

	if (!*d->user)
		return -EINVAL;
	if (*d->uri) {
		r = td_view_contact_row(v, d->user, d->uri);
		if (r)
			td_view_del_contact(v, r);
		return 0;
	}
	while ((r = td_view_user_first(v, d->user)))
		td_view_del_contact(v, r);
	return 0;
}

static int apply_call_put(struct td_view *v, Td__Op *op, uint32_t from,
			  bool *moved)
{
	Td__Call *c = op->call_put;
	const Td__Call *old = td_view_call(v, c->id, c->node);
	int rc;

	if (c->node != from || !c->id)
		return -EINVAL;
	if (!is_up(v, from) || (old && c->epoch < old->epoch))
		return -ESTALE;
	rc = td_view_put_call(v, c);
	if (!rc)
		*moved = true;
	return rc;
}

static int apply_call_del(struct td_view *v, Td__Op *op, uint32_t from,
			  bool *moved)
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
static int apply_call_end(struct td_view *v, Td__Op *op, uint32_t from,
			  bool *moved)
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

static int apply_spool_put(struct td_view *v, Td__Op *op, uint32_t from,
			   bool *moved)
{
	return op->spool_put->key.len ? 0 : -EINVAL;
}

static int apply_spool_done(struct td_view *v, Td__Op *op, uint32_t from,
			    bool *moved)
{
	return op->spool_done->n_keys ? 0 : -EINVAL;
}

static bool same_hash(const ProtobufCBinaryData *a,
		      const ProtobufCBinaryData *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

static int apply_config_prepare(struct td_view *v, Td__Op *op, uint32_t from,
				bool *moved)
{
	Td__Config *c = op->config_prepare;

	if (!c->generation || c->sha256.len != 32 || !c->content.len)
		return -EINVAL;
	if (v->config && c->generation <= v->config->generation)
		return -ESTALE;
	/* a number belongs to one content for ever */
	if (v->config_next &&
	    (c->generation < v->config_next->generation ||
	     (c->generation == v->config_next->generation &&
	      !same_hash(&c->sha256, &v->config_next->sha256))))
		return -ESTALE;
	if (v->config_next)
		protobuf_c_message_free_unpacked(&v->config_next->base, NULL);
	v->config_next = c;
	*moved = true;
	return 0;
}

static int apply_config_switch(struct td_view *v, Td__Op *op, uint32_t from,
			       bool *moved)
{
	const Td__ConfigSwitch *s = op->config_switch;

	if (!v->config_next || s->generation != v->config_next->generation ||
	    !same_hash(&s->sha256, &v->config_next->sha256))
		return -ESTALE;
	if (v->config)
		protobuf_c_message_free_unpacked(&v->config->base, NULL);
	v->config = v->config_next;
	v->config_next = NULL;
	return 0;
}

static int apply_tick(struct td_view *v, Td__Op *op, uint32_t from,
		      bool *moved)
{
	uint64_t now = (uint64_t)v->now_ms, to = op->at_ms;
	struct td_table_node *n;

	if (to > INT64_MAX)
		return -EINVAL;
	if (now && to > now + TD_TICK_MAX_MS)
		to = now + TD_TICK_MAX_MS;
	if (to > now)
		v->now_ms = (int64_t)to;
	while ((n = td_table_first(&v->due))) {
		struct td_contact_row *r =
			row_of(n, struct td_contact_row, due);

		if (r->c->expires_ms > (uint64_t)v->now_ms)
			break;
		td_view_del_contact(v, r);
	}
	return 0;
}

static int apply_node_gone(struct td_view *v, Td__Op *op, uint32_t from,
			   bool *moved)
{
	const Td__NodeGone *g = op->node_gone;
	Td__Node *n = (Td__Node *)td_view_node(v, g->id);

	if (!n || n->incarnation != g->incarnation || !is_up(v, g->id))
		return -ESTALE;
	end_share(v, g->id);
	n->state = TD__NODE_STATE__NODE_DOWN;
	n->synced = false;
	n->since_ms = (uint64_t)v->now_ms;
	return 0;
}

static int apply_level_raise(struct td_view *v, Td__Op *op, uint32_t from,
			     bool *moved)
{
	uint32_t level = op->level_raise->level;
	struct td_view_iter i = { 0 };
	const Td__Node *n;

	if (level <= v->level || !is_up(v, from))
		return -ESTALE;
	while ((n = td_view_nodes(v, &i)))
		if (is_up(v, n->id) && n->feature_level < level)
			return -EINVAL;
	v->level = level;
	return 0;
}

/* Only its watchers act on it, at the nodes that have the call. */
static int apply_call_hangup(struct td_view *v, Td__Op *op, uint32_t from,
			     bool *moved)
{
	return op->call_hangup->id ? 0 : -EINVAL;
}

static const struct {
	struct td_op_info info;
	apply_fn fn;
} table[] = {
#define OP(NAME, name, class, level)                                           \
	[TD__OP__WHAT_##NAME] = { { #name, class, level }, apply_##name }
	OP(NODE, node, TD_REPLICATED, 1),
	OP(SPAN, span, TD_REPLICATED, 1),
	OP(SPAN_DEL, span_del, TD_REPLICATED, 1),
	OP(CONTACT_PUT, contact_put, TD_REPLICATED, 1),
	OP(CONTACT_DEL, contact_del, TD_REPLICATED, 1),
	OP(CALL_PUT, call_put, TD_REPLICATED, 1),
	OP(CALL_DEL, call_del, TD_REPLICATED, 1),
	OP(CONFIG_PREPARE, config_prepare, TD_DURABLE, 1),
	OP(CONFIG_SWITCH, config_switch, TD_DURABLE, 1),
	OP(TICK, tick, TD_VOLATILE, 1),
	OP(NODE_GONE, node_gone, TD_REPLICATED, 1),
	OP(LEVEL_RAISE, level_raise, TD_REPLICATED, 1),
	OP(CALL_HANGUP, call_hangup, TD_VOLATILE, 1),
	OP(UNIT, unit, TD_REPLICATED, 1),
	OP(CALL_END, call_end, TD_DURABLE, 1),
	OP(SPOOL_PUT, spool_put, TD_DURABLE, 1),
	OP(SPOOL_DONE, spool_done, TD_VOLATILE, 1),
#undef OP
};

const struct td_op_info *td_op_info(Td__Op__WhatCase what)
{
	if ((size_t)what >= sizeof(table) / sizeof(*table) || !table[what].fn)
		return NULL;
	return &table[what].info;
}

int td_apply(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
{
	*moved = false;
	v->index.n++;
	td_view_forget_ended(v);
	if (!td_op_info(op->what_case) ||
	    table[op->what_case].info.level > v->level)
		return -EINVAL;
	return table[op->what_case].fn(v, op, from, moved);
}

void td_apply_release(Td__Op *op, bool moved)
{
	if (op && moved)
		op->what_case = TD__OP__WHAT__NOT_SET;
	td_op_free(op);
}
