// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/view_priv.h"

/* arrays of row pointers for the encoder; the rows stay the view's */
struct arrays {
	Td__Node **nodes;
	Td__Span **spans;
	Td__Unit **units;
	Td__User **users;
	Td__Contact **contacts;
	Td__Call **calls;
};

static void arrays_free(struct arrays *a)
{
	free(a->nodes);
	free(a->spans);
	free(a->units);
	free(a->users);
	free(a->contacts);
	free(a->calls);
}

static int arrays_new(const struct td_view *v, struct arrays *a)
{
	*a = (struct arrays){
		.nodes = calloc(TD_NODE_MAX_ID, sizeof(*a->nodes)),
		.spans = calloc(v->spans.count + 1, sizeof(*a->spans)),
		.units = calloc(v->units.count + 1, sizeof(*a->units)),
		.users = calloc(v->settings.count + 1, sizeof(*a->users)),
		.contacts = calloc(v->contacts.count + 1,
				   sizeof(*a->contacts)),
		.calls = calloc(v->calls.count + 1, sizeof(*a->calls)),
	};
	if (a->nodes && a->spans && a->units && a->users &&
	    a->contacts && a->calls)
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
	COLLECT(users, Td__User);
	COLLECT(contacts, Td__Contact);
	COLLECT(calls, Td__Call);
	s.config = v->config;
	s.config_next = v->config_next;
	rc = td_snapshot_pack(&s, buf, n);
	arrays_free(&a);
	return rc;
}

/* --- building one --- */

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

/* Moves the rows out of the message; a row that stays there is freed with
 * it. Twice the same key is a fault of the sender. */
#define TAKE(v, s, rows, put, table)                                           \
	do {                                                                   \
		size_t was = (v)->table.count, i = 0;                          \
                                                                               \
		for (; i < (s)->n_##rows && !rc; i++) {                        \
			rc = put(v, (s)->rows[i]);                             \
			if (!rc)                                               \
				(s)->rows[i] = NULL;                           \
		}                                                              \
		if (rc == -ENOSPC || (!rc && (v)->table.count != was + i))     \
			rc = -EBADMSG;                                         \
		(s)->n_##rows = squeeze((void **)(s)->rows, (s)->n_##rows);    \
	} while (0)

static int take_nodes(struct td_view *v, Td__Snapshot *s)
{
	int rc = 0;

	for (size_t i = 0; i < s->n_nodes && !rc; i++) {
		if (v->nodes[s->nodes[i]->id]) {
			rc = -EBADMSG;
			break;
		}
		td_view_put_node(v, s->nodes[i]);
		s->nodes[i] = NULL;
	}
	s->n_nodes = squeeze((void **)s->nodes, s->n_nodes);
	return rc;
}

static int take_rows(struct td_view *v, Td__Snapshot *s)
{
	int rc = take_nodes(v, s);

	TAKE(v, s, spans, td_view_put_span, spans);
	TAKE(v, s, units, td_view_put_unit, units);
	TAKE(v, s, users, td_view_put_user, settings);
	TAKE(v, s, calls, td_view_put_call, calls);
	TAKE(v, s, contacts, td_view_put_contact, contacts);
	return rc;
}

static int take_config(Td__Config **to, Td__Config **from)
{
	if (!*from)
		return 0;
	if (*to)
		return -EBADMSG;
	*to = *from;
	*from = NULL;
	return 0;
}

int td_view_add_part(struct td_view *v, const void *buf, size_t n)
{
	Td__Snapshot *s;
	int rc = td_snapshot_unpack(buf, n, &s);

	if (rc)
		return rc;
	if (s->feature_level > TD_FEATURE_LEVEL)
		rc = -EPROTONOSUPPORT;
	if (!rc)
		rc = take_rows(v, s);
	if (!rc)
		rc = take_config(&v->config, &s->config);
	if (!rc)
		rc = take_config(&v->config_next, &s->config_next);
	if (!rc && s->feature_level) {
		v->index = (struct td_index){ s->lineage, s->index };
		v->level = s->feature_level;
		v->now_ms = (int64_t)s->now_ms;
		rc = 1;
	}
	td_snapshot_free(s);
	return rc;
}

int td_view_unpack(const void *buf, size_t n, struct td_view **out)
{
	struct td_view *v;
	int rc = td_view_new(&v);

	if (rc)
		return rc;
	rc = td_view_add_part(v, buf, n);
	if (rc <= 0) {
		td_view_free(v);
		return rc ? rc : -EBADMSG;
	}
	*out = v;
	return 0;
}
