// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/view_priv.h"

/* arrays of row pointers for the encoder; the rows stay the view's */
struct arrays {
	Td__Node **nodes;
	Td__Span **spans;
	Td__Unit **units;
	Td__Contact **contacts;
	Td__Call **calls;
};

static void arrays_free(struct arrays *a)
{
	free(a->nodes);
	free(a->spans);
	free(a->units);
	free(a->contacts);
	free(a->calls);
}

static int arrays_new(const struct td_view *v, struct arrays *a)
{
	*a = (struct arrays){
		.nodes = calloc(TD_NODE_MAX_ID, sizeof(*a->nodes)),
		.spans = calloc(v->spans.count + 1, sizeof(*a->spans)),
		.units = calloc(v->units.count + 1, sizeof(*a->units)),
		.contacts = calloc(v->contacts.count + 1,
				   sizeof(*a->contacts)),
		.calls = calloc(v->calls.count + 1, sizeof(*a->calls)),
	};
	if (a->nodes && a->spans && a->units && a->contacts && a->calls)
		return 0;
	arrays_free(a);
	return -ENOMEM;
}

#define COLLECT(rows, Type)                                                    \
	do {                                                                   \
		struct td_view_iter i = { 0 };                                 \
		const Type *r;                                                 \
                                                                               \
		while ((r = td_view_##rows(v, &i)))                            \
			a.rows[s.n_##rows++] = (Type *)r;                      \
		s.rows = a.rows;                                               \
	} while (0)

int td_view_pack(const struct td_view *v, uint8_t **buf, size_t *n)
{
	Td__Snapshot s = TD__SNAPSHOT__INIT;
	struct arrays a;
	int rc = arrays_new(v, &a);

	if (rc)
		return rc;
	s.lineage = v->index.lineage;
	s.index = v->index.n;
	s.feature_level = v->level;
	s.now_ms = v->now_ms;
	COLLECT(nodes, Td__Node);
	COLLECT(spans, Td__Span);
	COLLECT(units, Td__Unit);
	COLLECT(contacts, Td__Contact);
	COLLECT(calls, Td__Call);
	s.config = v->config;
	s.config_next = v->config_next;
	rc = td_snapshot_pack(&s, buf, n);
	arrays_free(&a);
	return rc;
}

/* Moves the rows out of the message; a row that stays there is freed with
 * it. Twice the same key is a fault of the sender. */
static int take_rows(struct td_view *v, Td__Snapshot *s)
{
	int rc = 0;

	for (size_t i = 0; i < s->n_nodes; i++) {
		if (v->nodes[s->nodes[i]->id])
			return -EBADMSG;
		td_view_put_node(v, s->nodes[i]);
		s->nodes[i] = NULL;
	}
	for (size_t i = 0; i < s->n_spans && !rc; i++) {
		rc = td_view_put_span(v, s->spans[i]);
		if (!rc)
			s->spans[i] = NULL;
	}
	for (size_t i = 0; i < s->n_units && !rc; i++) {
		rc = td_view_put_unit(v, s->units[i]);
		if (!rc)
			s->units[i] = NULL;
	}
	for (size_t i = 0; i < s->n_contacts && !rc; i++) {
		rc = td_view_put_contact(v, s->contacts[i]);
		if (!rc)
			s->contacts[i] = NULL;
	}
	for (size_t i = 0; i < s->n_calls && !rc; i++) {
		rc = td_view_put_call(v, s->calls[i]);
		if (!rc)
			s->calls[i] = NULL;
	}
	if (rc == -ENOSPC || (!rc && (v->spans.count != s->n_spans ||
				      v->units.count != s->n_units ||
				      v->contacts.count != s->n_contacts ||
				      v->calls.count != s->n_calls)))
		rc = -EBADMSG;
	return rc;
}

/* protobuf-c follows every pointer of an array when it frees a message, so
 * what was moved out of it must leave no hole. */
static size_t squeeze(void **rows, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i])
			rows[k++] = rows[i];
	return k;
}

int td_view_unpack(const void *buf, size_t n, struct td_view **out)
{
	Td__Snapshot *s;
	struct td_view *v;
	int rc = td_snapshot_unpack(buf, n, &s);

	if (rc)
		return rc;
	rc = td_view_new(&v);
	if (rc) {
		td_snapshot_free(s);
		return rc;
	}
	rc = s->feature_level > TD_FEATURE_LEVEL ? -EPROTONOSUPPORT :
						   take_rows(v, s);
	v->index = (struct td_index){ s->lineage, s->index };
	v->level = s->feature_level;
	v->now_ms = (int64_t)s->now_ms;
	v->config = s->config;
	v->config_next = s->config_next;
	s->config = s->config_next = NULL;
	s->n_nodes = squeeze((void **)s->nodes, s->n_nodes);
	s->n_spans = squeeze((void **)s->spans, s->n_spans);
	s->n_units = squeeze((void **)s->units, s->n_units);
	s->n_contacts = squeeze((void **)s->contacts, s->n_contacts);
	s->n_calls = squeeze((void **)s->calls, s->n_calls);
	td_snapshot_free(s);
	if (rc)
		td_view_free(v);
	else
		*out = v;
	return rc;
}
