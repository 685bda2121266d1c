// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

/* Registrations, and the time by which they expire. */

/* RFC 3261 10.3 step 7: out of order within one Call-ID. */
static bool out_of_order(const Td__Contact *old, const char *call_id,
			 uint32_t cseq)
{
	return *call_id && !strcmp(old->call_id, call_id) && cseq < old->cseq;
}

int td_apply_contact_put(struct td_view *v, Td__Op *op, uint32_t from,
			 bool *moved)
{
	Td__Contact *c = op->contact_put;
	const Td__Contact *old;
	int rc;

	if (!*c->user || !*c->uri)
		return -EINVAL;
	old = td_view_contact(v, c->user, c->uri);
	if (old && out_of_order(old, c->call_id, c->cseq))
		return -ESTALE;
	rc = td_view_put_contact(v, c);
	if (!rc)
		*moved = true;
	return rc;
}

int td_apply_contact_del(struct td_view *v, Td__Op *op, uint32_t from,
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

/* A string of a row that says something else from now on; the old one goes.
 * Not set: not changed. */
struct text {
	char **at, *now;
};

static int texts_new(struct text *t, unsigned int n, char *const *to)
{
	for (unsigned int i = 0; i < n; i++) {
		t[i].now = NULL;
		if (!*to[i] || !strcmp(*t[i].at, to[i]))
			continue;
		t[i].now = strdup(to[i]);
		if (t[i].now)
			continue;
		while (i--)
			free(t[i].now);
		return -ENOMEM;
	}
	return 0;
}

static void texts_set(struct text *t, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!t[i].now)
			continue;
		if (*t[i].at != protobuf_c_empty_string)
			free(*t[i].at);
		*t[i].at = t[i].now;
	}
}

/* What most REGISTERs are: nothing is parsed or built but the new time. */
int td_apply_contact_refresh(struct td_view *v, Td__Op *op, uint32_t from,
			     bool *moved)
{
	const Td__ContactRefresh *n = op->contact_refresh;
	struct td_contact_row *r = td_view_contact_row(v, n->user, n->uri);
	char *to[] = { n->call_id, n->received, n->transport };
	struct text t[3];
	int rc;

	/* it has expired meanwhile: a whole one must come */
	if (!r || out_of_order(r->c, n->call_id, n->cseq))
		return -ESTALE;
	t[0].at = &r->c->call_id;
	t[1].at = &r->c->received;
	t[2].at = &r->c->transport;
	rc = texts_new(t, 3, to);
	if (rc)
		return rc;
	td_view_contact_due(v, r, n->expires_ms);
	texts_set(t, 3);
	if (n->cseq)
		r->c->cseq = n->cseq;
	if (n->node)
		r->c->node = n->node;
	return 0;
}

int td_apply_tick(struct td_view *v, Td__Op *op, uint32_t from, bool *moved)
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
			td_row_of(n, struct td_contact_row, due);

		if (r->c->expires_ms > (uint64_t)v->now_ms)
			break;
		td_view_del_contact(v, r);
	}
	return 0;
}
