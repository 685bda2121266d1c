// SPDX-License-Identifier: GPL-2.0-or-later
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

/* A consistent picture of a view that goes on changing: the rows are walked in
 * key order and packed a part at a time; a row that changes before the walk
 * has come to it is packed as it was, ahead of its turn, and skipped later. A
 * row knows by its stamp whether it has changed since the cut. */

static_assert(offsetof(struct td_span_row, at) == 0 &&
	      offsetof(struct td_unit_row, at) == 0 &&
	      offsetof(struct td_user_row, at) == 0 &&
	      offsetof(struct td_call_row, at) == 0 &&
	      offsetof(struct td_contact_row, at) == 0, "rows begin alike");
static_assert(offsetof(struct td_contact_row, stamp) ==
	      offsetof(struct td_row, stamp), "rows begin alike");

enum { MAX_EARLY_OCTETS = 64 * 1024 * 1024 };

struct early {
	struct early *next;
	size_t n;
	uint8_t buf[];
};

struct td_view_cut {
	struct td_view *v;
	struct td_view_cut *next, **at;	/* the view's list */
	uint64_t stamp;
	enum td_rows rows;		/* the walk is here */
	struct td_table_node *row;	/* next to be packed; NULL: no more */
	struct early *early, **early_tail;
	size_t early_octets;
	uint8_t *head[3];		/* configurations, then all the rest */
	size_t head_octets[3];
	unsigned int heads_given;
	bool failed;
};

struct td_table *td_view_table(const struct td_view *v, enum td_rows rows)
{
	const struct td_table *t[] = {
		[TD_ROWS_SPANS] = &v->spans, [TD_ROWS_UNITS] = &v->units,
		[TD_ROWS_USERS] = &v->settings, [TD_ROWS_CALLS] = &v->calls,
		[TD_ROWS_CONTACTS] = &v->contacts,
	};

	return (struct td_table *)t[rows];
}

/* --- one row --- */

static int order(const struct td_view *v, enum td_rows rows,
		 struct td_table_node *a, struct td_table_node *b)
{
	const struct td_table *t = td_view_table(v, rows);
	const struct td_span_row *s = (void *)a;
	const struct td_call_row *c = (void *)a;
	const struct td_contact_row *r = (void *)a;

	switch (rows) {
	case TD_ROWS_SPANS:
		return t->cmp(&(struct td_span_key){ s->s->span, s->s->node },
			      b);
	case TD_ROWS_UNITS:
		return t->cmp(((struct td_unit_row *)a)->u->unit, b);
	case TD_ROWS_USERS:
		return t->cmp(((struct td_user_row *)a)->u->user, b);
	case TD_ROWS_CALLS:
		return t->cmp(&(struct td_call_key){ c->c->id, c->c->node }, b);
	default:
		return t->cmp(&(struct td_contact_key){ r->c->user,
							r->c->uri }, b);
	}
}

static ProtobufCMessage *message_of(enum td_rows rows, struct td_table_node *n)
{
	switch (rows) {
	case TD_ROWS_SPANS:
		return &((struct td_span_row *)n)->s->base;
	case TD_ROWS_UNITS:
		return &((struct td_unit_row *)n)->u->base;
	case TD_ROWS_USERS:
		return &((struct td_user_row *)n)->u->base;
	case TD_ROWS_CALLS:
		return &((struct td_call_row *)n)->c->base;
	default:
		return &((struct td_contact_row *)n)->c->base;
	}
}

static void rows_set(Td__Snapshot *s, enum td_rows rows, void **m, size_t n)
{
	switch (rows) {
	case TD_ROWS_SPANS:
		s->spans = (Td__Span **)m;
		s->n_spans = n;
		break;
	case TD_ROWS_UNITS:
		s->units = (Td__Unit **)m;
		s->n_units = n;
		break;
	case TD_ROWS_USERS:
		s->users = (Td__User **)m;
		s->n_users = n;
		break;
	case TD_ROWS_CALLS:
		s->calls = (Td__Call **)m;
		s->n_calls = n;
		break;
	default:
		s->contacts = (Td__Contact **)m;
		s->n_contacts = n;
	}
}

/* --- changes while it is walked --- */

static bool is_walked(const struct td_view_cut *cut, enum td_rows rows,
		      struct td_table_node *row)
{
	if (rows != cut->rows)
		return rows < cut->rows;
	return !cut->row || order(cut->v, rows, row, cut->row) < 0;
}

static void save_early(struct td_view_cut *cut, enum td_rows rows,
		       struct td_table_node *row)
{
	Td__Snapshot s = TD__SNAPSHOT__INIT;
	void *m = message_of(rows, row);
	struct early *e;
	uint8_t *buf;
	size_t n;

	/* whoever takes it has stopped: it will ask again */
	if (cut->failed || cut->early_octets > MAX_EARLY_OCTETS) {
		cut->failed = true;
		return;
	}
	rows_set(&s, rows, &m, 1);
	if (td_snapshot_pack(&s, &buf, &n)) {
		cut->failed = true;
		return;
	}
	e = malloc(sizeof(*e) + n);
	if (e) {
		e->next = NULL;
		e->n = n;
		memcpy(e->buf, buf, n);
		cut->early_octets += n;
		*cut->early_tail = e;
		cut->early_tail = &e->next;
	}
	cut->failed |= !e;
	free(buf);
}

void td_view_touch(struct td_view *v, enum td_rows rows,
		   struct td_table_node *row)
{
	struct td_row *r = (struct td_row *)row;

	for (struct td_view_cut *cut = v->cuts; cut; cut = cut->next)
		if (r->stamp < cut->stamp && !is_walked(cut, rows, row))
			save_early(cut, rows, row);
	r->stamp = v->stamp;
}

void td_view_leave(struct td_view *v, enum td_rows rows,
		   struct td_table_node *row)
{
	if (!v->cuts)
		return;
	td_view_touch(v, rows, row);
	for (struct td_view_cut *cut = v->cuts; cut; cut = cut->next)
		if (cut->row == row)
			cut->row = td_table_next(row);
}

/* --- the walk --- */

static int pack_head(struct td_view_cut *cut)
{
	Td__Snapshot c = TD__SNAPSHOT__INIT, d = c, h = c;
	const struct td_view *v = cut->v;
	Td__Node *nodes[TD_NODE_MAX_ID];
	int rc;

	c.config = v->config;
	d.config_next = v->config_next;
	h.lineage = v->index.lineage;
	h.index = v->index.n;
	h.feature_level = v->level;
	h.now_ms = v->now_ms;
	h.nodes = nodes;
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (v->nodes[i])
			nodes[h.n_nodes++] = v->nodes[i];
	rc = td_snapshot_pack(&c, &cut->head[0], &cut->head_octets[0]);
	if (!rc)
		rc = td_snapshot_pack(&d, &cut->head[1], &cut->head_octets[1]);
	if (!rc)
		rc = td_snapshot_pack(&h, &cut->head[2], &cut->head_octets[2]);
	return rc;
}

int td_view_cut_new(struct td_view *v, struct td_view_cut **out)
{
	struct td_view_cut *cut = calloc(1, sizeof(*cut));
	int rc;

	if (!cut)
		return -ENOMEM;
	cut->v = v;
	cut->early_tail = &cut->early;
	rc = pack_head(cut);
	if (rc) {
		for (int i = 0; i < 3; i++)
			free(cut->head[i]);
		free(cut);
		return rc;
	}
	cut->stamp = ++v->stamp;
	cut->row = td_table_first(td_view_table(v, 0));
	cut->next = v->cuts;
	cut->at = &v->cuts;
	if (cut->next)
		cut->next->at = &cut->next;
	v->cuts = cut;
	*out = cut;
	return 0;
}

static void pop_early(struct td_view_cut *cut)
{
	struct early *e = cut->early;

	cut->early_octets -= e->n;
	cut->early = e->next;
	if (!cut->early)
		cut->early_tail = &cut->early;
	free(e);
}

void td_view_cut_free(struct td_view_cut *cut)
{
	if (!cut)
		return;
	*cut->at = cut->next;
	if (cut->next)
		cut->next->at = cut->at;
	while (cut->early)
		pop_early(cut);
	for (int i = 0; i < 3; i++)
		free(cut->head[i]);
	free(cut);
}

/* Packed messages one behind the other are one message. */
static int give_early(struct td_view_cut *cut, size_t max, uint8_t **buf,
		      size_t *n)
{
	size_t size = cut->early->n, at = 0;
	uint8_t *b;

	for (struct early *e = cut->early->next; e && size + e->n <= max;
	     e = e->next)
		size += e->n;
	b = malloc(size);
	if (!b)
		return -ENOMEM;
	while (at < size) {
		memcpy(b + at, cut->early->buf, cut->early->n);
		at += cut->early->n;
		pop_early(cut);
	}
	*buf = b;
	*n = size;
	return 0;
}

enum { MAX_ROWS = 512 };	/* of one part */

static int give_rows(struct td_view_cut *cut, size_t max, uint8_t **buf,
		     size_t *n)
{
	Td__Snapshot s = TD__SNAPSHOT__INIT;
	void *m[MAX_ROWS];
	size_t octets = 0, k = 0;

	for (; cut->row && k < MAX_ROWS && octets < max;
	     cut->row = td_table_next(cut->row)) {
		if (((struct td_row *)cut->row)->stamp >= cut->stamp)
			continue;
		m[k] = message_of(cut->rows, cut->row);
		octets += protobuf_c_message_get_packed_size(m[k++]);
	}
	rows_set(&s, cut->rows, m, k);
	return td_snapshot_pack(&s, buf, n);
}

int td_view_cut_next(struct td_view_cut *cut, size_t max_octets, uint8_t **buf,
		     size_t *n, bool *last)
{
	unsigned int h = cut->heads_given;

	while (!cut->row && cut->rows + 1 < TD_ROWS_END)
		cut->row = td_table_first(td_view_table(cut->v, ++cut->rows));
	if (cut->failed)
		return -ENOMEM;
	*last = false;
	if (cut->early)
		return give_early(cut, max_octets, buf, n);
	if (cut->row)
		return give_rows(cut, max_octets, buf, n);
	*buf = cut->head[h];
	*n = cut->head_octets[h];
	cut->head[h] = NULL;
	cut->heads_given++;
	*last = cut->heads_given == 3;
	return 0;
}
