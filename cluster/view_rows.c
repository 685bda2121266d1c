// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

/* Changes of rows. Whatever changes one tells the cuts first (cut.c). */

void td_view_put_node(struct td_view *v, Td__Node *n)
{
	td_view_message_free(v->nodes[n->id]);
	v->nodes[n->id] = n;
}

int td_view_put_span(struct td_view *v, Td__Span *s)
{
	struct td_span_key key = { s->span, s->node };
	struct td_table_node *n = td_table_find(&v->spans, &key);
	struct td_span_row *r;

	if (n) {
		r = td_row_of(n, struct td_span_row, at);
		td_view_touch(v, TD_ROWS_SPANS, n);
		td_view_message_free(r->s);
		r->s = s;
		return 0;
	}
	if (v->spans.count >= TD_VIEW_MAX_SPANS)
		return -ENOSPC;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->s = s;
	td_view_born(v, &r->stamp);
	td_table_add(&v->spans, &key, &r->at);
	return 0;
}

void td_view_del_span(struct td_view *v, struct td_span_row *r)
{
	td_view_leave(v, TD_ROWS_SPANS, &r->at);
	td_table_del(&v->spans, &r->at);
	td_view_message_free(r->s);
	free(r);
}

struct td_contact_row *td_view_contact_row(const struct td_view *v,
					   const char *user, const char *uri)
{
	struct td_contact_key key = { user, uri };
	struct td_table_node *n = td_table_find(&v->contacts, &key);

	return n ? td_row_of(n, struct td_contact_row, at) : NULL;
}

struct td_contact_row *td_view_user_first(const struct td_view *v,
					  const char *user)
{
	struct td_contact_key key = { user, "" };
	struct td_table_node *n = td_table_from(&v->contacts, &key);
	struct td_contact_row *r;

	if (!n)
		return NULL;
	r = td_row_of(n, struct td_contact_row, at);
	return strcmp(r->c->user, user) ? NULL : r;
}

struct td_contact_row *td_view_user_next(struct td_contact_row *r)
{
	struct td_table_node *n = td_table_next(&r->at);
	struct td_contact_row *next;

	if (!n)
		return NULL;
	next = td_row_of(n, struct td_contact_row, at);
	return strcmp(next->c->user, r->c->user) ? NULL : next;
}

int td_view_put_contact(struct td_view *v, Td__Contact *c)
{
	struct td_contact_row *r = td_view_contact_row(v, c->user, c->uri);
	struct td_contact_key key = { c->user, c->uri };
	unsigned int n = 0;

	if (r) {
		td_view_touch(v, TD_ROWS_CONTACTS, &r->at);
		td_table_del(&v->due, &r->due);
		td_view_message_free(r->c);
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
	td_view_born(v, &r->stamp);
	td_table_add(&v->contacts, &key, &r->at);
	td_table_add(&v->due, c, &r->due);
	v->users += n == 0;
	return 0;
}

void td_view_del_contact(struct td_view *v, struct td_contact_row *r)
{
	td_view_leave(v, TD_ROWS_CONTACTS, &r->at);
	td_table_del(&v->contacts, &r->at);
	td_table_del(&v->due, &r->due);
	v->users -= !td_view_user_first(v, r->c->user);
	td_view_message_free(r->c);
	free(r);
}

void td_view_contact_due(struct td_view *v, struct td_contact_row *r,
			 uint64_t expires_ms)
{
	td_view_touch(v, TD_ROWS_CONTACTS, &r->at);
	td_table_del(&v->due, &r->due);
	r->c->expires_ms = expires_ms;
	td_table_add(&v->due, r->c, &r->due);
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

	return n ? td_row_of(n, struct td_call_row, at) : NULL;
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
		td_view_touch(v, TD_ROWS_CALLS, &r->at);
		/* new before old: the reserved rows must not vanish between */
		channels_count(v, c, 1);
		channels_count(v, r->c, -1);
		td_view_message_free(r->c);
		r->c = c;
		return 0;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->c = c;
	td_view_born(v, &r->stamp);
	td_table_add(&v->calls, &key, &r->at);
	channels_count(v, c, 1);
	return 0;
}

void td_view_del_call(struct td_view *v, struct td_call_row *r)
{
	td_view_leave(v, TD_ROWS_CALLS, &r->at);
	td_table_del(&v->calls, &r->at);
	channels_count(v, r->c, -1);
	td_view_message_free(r->c);
	free(r);
}

void td_view_end_call(struct td_view *v, struct td_call_row *r)
{
	td_view_leave(v, TD_ROWS_CALLS, &r->at);
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
		td_view_message_free(r->c);
		free(r);
	}
}
