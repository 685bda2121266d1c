// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/view.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

#define row_of(node, type, member)                                             \
	((type *)((char *)(node) - offsetof(type, member)))

/* --- orders --- */

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int span_cmp(const void *key, const struct td_table_node *n)
{
	const struct td_span_key *k = key;
	const Td__Span *s = row_of(n, const struct td_span_row, at)->s;
	int c = strcmp(k->span, s->span);

	return c ? c : cmp_u64(k->node, s->node);
}

static int contact_cmp(const void *key, const struct td_table_node *n)
{
	const struct td_contact_key *k = key;
	const Td__Contact *c = row_of(n, const struct td_contact_row, at)->c;
	int r = strcmp(k->user, c->user);

	return r ? r : strcmp(k->uri, c->uri);
}

static int due_cmp(const void *key, const struct td_table_node *n)
{
	const Td__Contact *a = key;
	const Td__Contact *b = row_of(n, const struct td_contact_row, due)->c;
	int r = cmp_u64(a->expires_ms, b->expires_ms);

	if (!r)
		r = strcmp(a->user, b->user);
	return r ? r : strcmp(a->uri, b->uri);
}

static int call_cmp(const void *key, const struct td_table_node *n)
{
	const struct td_call_key *k = key;
	const Td__Call *c = row_of(n, const struct td_call_row, at)->c;
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
	v->contacts.cmp = contact_cmp;
	v->due.cmp = due_cmp;
	v->calls.cmp = call_cmp;
	*out = v;
	return 0;
}

static void message_free(void *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

void td_view_free(struct td_view *v)
{
	struct td_table_node *n;

	if (!v)
		return;
	while ((n = td_table_first(&v->spans)))
		td_view_del_span(v, row_of(n, struct td_span_row, at));
	td_view_del_units(v);
	while ((n = td_table_first(&v->contacts)))
		td_view_del_contact(v, row_of(n, struct td_contact_row, at));
	td_view_forget_ended(v);
	while ((n = td_table_first(&v->calls)))
		td_view_del_call(v, row_of(n, struct td_call_row, at));
	for (unsigned int i = 0; i <= TD_NODE_MAX_ID; i++)
		message_free(v->nodes[i]);
	message_free(v->config);
	message_free(v->config_next);
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

/* --- changes --- */

void td_view_put_node(struct td_view *v, Td__Node *n)
{
	message_free(v->nodes[n->id]);
	v->nodes[n->id] = n;
}

int td_view_put_span(struct td_view *v, Td__Span *s)
{
	struct td_span_key key = { s->span, s->node };
	struct td_table_node *n = td_table_find(&v->spans, &key);
	struct td_span_row *r;

	if (n) {
		r = row_of(n, struct td_span_row, at);
		message_free(r->s);
		r->s = s;
		return 0;
	}
	if (v->spans.count >= TD_VIEW_MAX_SPANS)
		return -ENOSPC;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->s = s;
	td_table_add(&v->spans, &key, &r->at);
	return 0;
}

void td_view_del_span(struct td_view *v, struct td_span_row *r)
{
	td_table_del(&v->spans, &r->at);
	message_free(r->s);
	free(r);
}

struct td_contact_row *td_view_contact_row(const struct td_view *v,
					   const char *user, const char *uri)
{
	struct td_contact_key key = { user, uri };
	struct td_table_node *n = td_table_find(&v->contacts, &key);

	return n ? row_of(n, struct td_contact_row, at) : NULL;
}

struct td_contact_row *td_view_user_first(const struct td_view *v,
					  const char *user)
{
	struct td_contact_key key = { user, "" };
	struct td_table_node *n = td_table_from(&v->contacts, &key);
	struct td_contact_row *r;

	if (!n)
		return NULL;
	r = row_of(n, struct td_contact_row, at);
	return strcmp(r->c->user, user) ? NULL : r;
}

struct td_contact_row *td_view_user_next(struct td_contact_row *r)
{
	struct td_table_node *n = td_table_next(&r->at);
	struct td_contact_row *next;

	if (!n)
		return NULL;
	next = row_of(n, struct td_contact_row, at);
	return strcmp(next->c->user, r->c->user) ? NULL : next;
}

int td_view_put_contact(struct td_view *v, Td__Contact *c)
{
	struct td_contact_row *r = td_view_contact_row(v, c->user, c->uri);
	struct td_contact_key key = { c->user, c->uri };
	unsigned int n = 0;

	if (r) {
		td_table_del(&v->due, &r->due);
		message_free(r->c);
		r->c = c;
		td_table_add(&v->due, c, &r->due);
		return 0;
	}
	for (r = td_view_user_first(v, c->user); r; r = td_view_user_next(r))
		n++;
	if (v->contacts.count >= TD_VIEW_MAX_CONTACTS ||
	    n >= TD_USER_MAX_CONTACTS)
		return -ENOSPC;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->c = c;
	td_table_add(&v->contacts, &key, &r->at);
	td_table_add(&v->due, c, &r->due);
	v->users += n == 0;
	return 0;
}

void td_view_del_contact(struct td_view *v, struct td_contact_row *r)
{
	td_table_del(&v->contacts, &r->at);
	td_table_del(&v->due, &r->due);
	v->users -= !td_view_user_first(v, r->c->user);
	message_free(r->c);
	free(r);
}

/* A leg that holds a B-channel. */
static bool on_channel(const Td__CallLeg *l)
{
	return l->isdn && *l->isdn->span && l->isdn->timeslot &&
	       l->state != TD__LEG_STATE__LEG_ENDED;
}

/* makes sure that counting this call cannot fail */
static int channels_reserve(struct td_view *v, const Td__Call *c)
{
	for (size_t i = 0; i < c->n_legs; i++) {
		const Td__CallLeg *l = c->legs[i];
		struct td_channels *ch;

		if (!on_channel(l) ||
		    td_map_get_str(v->channels, l->isdn->span))
			continue;
		ch = calloc(1, sizeof(*ch));
		if (!ch)
			return -ENOMEM;
		if (td_map_set(v->channels, l->isdn->span,
			       strlen(l->isdn->span), ch, NULL)) {
			free(ch);
			return -ENOMEM;
		}
	}
	return 0;
}

static void channels_count(struct td_view *v, const Td__Call *c, int by)
{
	for (size_t i = 0; i < c->n_legs; i++) {
		const Td__CallLeg *l = c->legs[i];
		struct td_channels *ch;

		if (!on_channel(l))
			continue;
		ch = td_map_get_str(v->channels, l->isdn->span);
		ch->busy[l->isdn->timeslot] += by;
		ch->total += by;
		if (!ch->total)
			free(td_map_del(v->channels, l->isdn->span,
					strlen(l->isdn->span)));
	}
}

struct td_call_row *td_view_call_row(const struct td_view *v, uint64_t id,
				     uint32_t node)
{
	struct td_call_key key = { id, node };
	struct td_table_node *n = td_table_find(&v->calls, &key);

	return n ? row_of(n, struct td_call_row, at) : NULL;
}

int td_view_put_call(struct td_view *v, Td__Call *c)
{
	struct td_call_row *r = td_view_call_row(v, c->id, c->node);
	struct td_call_key key = { c->id, c->node };

	if (!r && v->calls.count >= TD_VIEW_MAX_CALLS)
		return -ENOSPC;
	if (channels_reserve(v, c))
		return -ENOMEM;
	if (r) {
		/* new before old: the reserved rows must not vanish between */
		channels_count(v, c, 1);
		channels_count(v, r->c, -1);
		message_free(r->c);
		r->c = c;
		return 0;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->c = c;
	td_table_add(&v->calls, &key, &r->at);
	channels_count(v, c, 1);
	return 0;
}

void td_view_del_call(struct td_view *v, struct td_call_row *r)
{
	td_table_del(&v->calls, &r->at);
	channels_count(v, r->c, -1);
	message_free(r->c);
	free(r);
}

void td_view_end_call(struct td_view *v, struct td_call_row *r)
{
	td_table_del(&v->calls, &r->at);
	channels_count(v, r->c, -1);
	r->next = v->ended;
	v->ended = r;
}

void td_view_forget_ended(struct td_view *v)
{
	while (v->ended) {
		struct td_call_row *r = v->ended;

		v->ended = r->next;
		message_free(r->c);
		free(r);
	}
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

	return n ? row_of(n, struct td_span_row, at) : NULL;
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
		const Td__Span *s = row_of(n, struct td_span_row, at)->s;

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

	return n ? row_of(n, struct td_unit_row, at)->u : NULL;
}

const Td__Span *td_view_spans(const struct td_view *v, struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->spans, i);

	return n ? row_of(n, struct td_span_row, at)->s : NULL;
}

const Td__Call *td_view_calls(const struct td_view *v, struct td_view_iter *i)
{
	struct td_table_node *n = walk(&v->calls, i);

	return n ? row_of(n, struct td_call_row, at)->c : NULL;
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

	return n ? row_of(n, struct td_contact_row, at)->c : NULL;
}

const Td__Contact *td_view_user_contacts(const struct td_view *v,
					 const char *user,
					 struct td_view_iter *i)
{
	struct td_contact_row *r;

	if (i->pos)
		r = td_view_user_next(row_of((struct td_table_node *)i->pos,
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
