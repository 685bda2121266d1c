// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/view.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

/* --- orders --- */

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int span_cmp(const void *key, const struct td_table_node *n)
{
	const struct td_span_key *k = key;
	const Td__Span *s = td_row_of(n, const struct td_span_row, at)->s;
	int c = strcmp(k->span, s->span);

	return c ? c : cmp_u64(k->node, s->node);
}

static int contact_cmp(const void *key, const struct td_table_node *n)
{
	const struct td_contact_key *k = key;
	const Td__Contact *c = td_row_of(n, const struct td_contact_row, at)->c;
	int r = strcmp(k->user, c->user);

	return r ? r : strcmp(k->uri, c->uri);
}

static int due_cmp(const void *key, const struct td_table_node *n)
{
	const Td__Contact *a = key;
	const Td__Contact *b =
		td_row_of(n, const struct td_contact_row, due)->c;
	int r = cmp_u64(a->expires_ms, b->expires_ms);

	if (!r)
		r = strcmp(a->user, b->user);
	return r ? r : strcmp(a->uri, b->uri);
}

static int call_cmp(const void *key, const struct td_table_node *n)
{
	const struct td_call_key *k = key;
	const Td__Call *c = td_row_of(n, const struct td_call_row, at)->c;
	int r = cmp_u64(k->id, c->id);

	return r ? r : cmp_u64(k->node, c->node);
}

/* --- life --- */

int td_view_new(struct td_view **out)
{
	struct td_view *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	if (td_map_new(&v->channels)) {
		free(v);
		return -ENOMEM;
	}
	v->level = 1;
	v->spans.cmp = span_cmp;
	v->units.cmp = td_view_unit_cmp;
	v->settings.cmp = td_view_user_cmp;
	v->contacts.cmp = contact_cmp;
	v->due.cmp = due_cmp;
	v->calls.cmp = call_cmp;
	*out = v;
	return 0;
}

void td_view_free(struct td_view *v)
{
	struct td_table_node *n;

	if (!v)
		return;
	while ((n = td_table_first(&v->spans)))
		td_view_del_span(v, td_row_of(n, struct td_span_row, at));
	td_view_del_units(v);
	while ((n = td_table_first(&v->settings)))
		td_view_del_user(v, td_row_of(n, struct td_user_row,
					      at)->u->user);
	while ((n = td_table_first(&v->contacts)))
		td_view_del_contact(v, td_row_of(n, struct td_contact_row, at));
	td_view_forget_ended(v);
	while ((n = td_table_first(&v->calls)))
		td_view_del_call(v, td_row_of(n, struct td_call_row, at));
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		td_view_message_free(v->nodes[i]);
	td_view_message_free(v->config);
	td_view_message_free(v->config_next);
	td_map_free(v->channels, free);
	free(v);
}

void td_view_found(struct td_view *v, uint64_t lineage, int64_t now_ms)
{
	v->index.lineage = lineage;
	v->now_ms = now_ms;
}

void td_view_lineage_set(struct td_view *v, uint64_t lineage)
{
	v->index.lineage = lineage;
}

void td_view_skip(struct td_view *v)
{
	v->index.n++;
}

/* --- reading --- */

struct td_index td_view_index(const struct td_view *v)
{
	return v->index;
}

int64_t td_view_now_ms(const struct td_view *v)
{
	return v->now_ms;
}

uint32_t td_view_feature_level(const struct td_view *v)
{
	return v->level;
}

const Td__Node *td_view_node(const struct td_view *v, uint32_t id)
{
	return id <= TD_NODE_MAX_ID ? v->nodes[id] : NULL;
}

const Td__Node *td_view_node_by_name(const struct td_view *v, const char *name)
{
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		if (v->nodes[i] && !strcmp(v->nodes[i]->name, name))
			return v->nodes[i];
	return NULL;
}

struct td_span_row *td_view_span_row(const struct td_view *v, const char *span,
				     uint32_t node)
{
	struct td_span_key key = { span, node };
	struct td_table_node *n = td_table_find(&v->spans, &key);

	return n ? td_row_of(n, struct td_span_row, at) : NULL;
}

const Td__Span *td_view_span(const struct td_view *v, const char *span,
			     uint32_t node)
{
	const struct td_span_row *r = td_view_span_row(v, span, node);

	return r ? r->s : NULL;
}

const Td__Span *td_view_span_owner(const struct td_view *v, const char *span)
{
	struct td_span_key key = { span, 0 };
	struct td_table_node *n = td_table_from(&v->spans, &key);

	for (; n; n = td_table_next(n)) {
		const Td__Span *s = td_row_of(n, struct td_span_row, at)->s;

		if (strcmp(s->span, span))
			break;
		if (s->owner)
			return s;
	}
	return NULL;
}

const Td__Contact *td_view_contact(const struct td_view *v, const char *user,
				   const char *uri)
{
	const struct td_contact_row *r = td_view_contact_row(v, user, uri);

	return r ? r->c : NULL;
}

const Td__Call *td_view_call(const struct td_view *v, uint64_t id,
			     uint32_t node)
{
	const struct td_call_row *r = td_view_call_row(v, id, node);

	return r ? r->c : NULL;
}

const Td__Config *td_view_config(const struct td_view *v)
{
	return v->config;
}

const Td__Config *td_view_config_next(const struct td_view *v)
{
	return v->config_next;
}

/* pos is the row last given out */
static struct td_table_node *walk(const struct td_table *t,
				  struct td_view_iter *i)
{
	struct td_table_node *n = i->pos ?
		td_table_next((struct td_table_node *)i->pos) :
		td_table_first(t);

	if (n)
		i->pos = (size_t)n;
	return n;
}

const Td__Node *td_view_nodes(const struct td_view *v, struct td_view_iter *i)
{
	while (i->pos < TD_NODE_MAX_ID)
		if (v->nodes[++i->pos])
			return v->nodes[i->pos];
	return NULL;
}

const Td__Unit *td_view_units(const struct td_view *v, struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->units, i);

	return n ? td_row_of(n, struct td_unit_row, at)->u : NULL;
}

const Td__Span *td_view_spans(const struct td_view *v, struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->spans, i);

	return n ? td_row_of(n, struct td_span_row, at)->s : NULL;
}

const Td__Call *td_view_calls(const struct td_view *v, struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->calls, i);

	return n ? td_row_of(n, struct td_call_row, at)->c : NULL;
}

const Td__User *td_view_users(const struct td_view *v, struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->settings, i);

	return n ? td_row_of(n, struct td_user_row, at)->u : NULL;
}

const Td__Call *td_view_ended_calls(const struct td_view *v,
				    struct td_view_iter *i)
{
	const struct td_call_row *r = i->pos ?
		((struct td_call_row *)i->pos)->next : v->ended;

	if (!r)
		return NULL;
	i->pos = (size_t)r;
	return r->c;
}

const Td__Contact *td_view_contacts(const struct td_view *v,
				    struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->contacts, i);

	return n ? td_row_of(n, struct td_contact_row, at)->c : NULL;
}

const Td__Contact *td_view_user_contacts(const struct td_view *v,
					 const char *user,
					 struct td_view_iter *i)
{
	struct td_contact_row *r;

	if (i->pos)
		r = td_view_user_next(td_row_of((struct td_table_node *)i->pos,
					     struct td_contact_row, at));
	else
		r = td_view_user_first(v, user);
	if (!r)
		return NULL;
	i->pos = (size_t)&r->at;
	return r->c;
}

void td_view_counts(const struct td_view *v, struct td_view_counts *out)
{
	*out = (struct td_view_counts){
		.spans = v->spans.count,
		.contacts = v->contacts.count,
		.users = v->users,
		.calls = v->calls.count,
		.settings = v->settings.count,
	};
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		out->nodes += v->nodes[i] != NULL;
}

bool td_view_channel_busy(const struct td_view *v, const char *span,
			  uint32_t timeslot)
{
	const struct td_channels *ch = td_map_get_str(v->channels, span);

	return ch && timeslot < 32 && ch->busy[timeslot];
}
