/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_VIEW_PRIV_H
#define TD_VIEW_PRIV_H

#include <stddef.h>

#include "cluster/table.h"
#include "cluster/view.h"
#include "proto/base/map.h"

/* What the view is made of; only view.c, snapshot.c and apply.c look inside.
 * The others change it by td_apply() alone. */

enum { TD_USER_MAX_CONTACTS = 16 };

#define td_row_of(node, type, member)                                          \
	((type *)((char *)(node) - offsetof(type, member)))

/* How each row of a table begins. */
struct td_row {
	struct td_table_node at;
	uint64_t stamp;		/* the newest cut when it was last changed */
};
struct td_user_row {
	struct td_table_node at;
	uint64_t stamp;
	Td__User *u;
};
struct td_span_row {
	struct td_table_node at;
	uint64_t stamp;
	Td__Span *s;
};
struct td_unit_row {
	struct td_table_node at;
	uint64_t stamp;
	Td__Unit *u;
};
struct td_contact_row {
	struct td_table_node at;	/* by user, uri */
	uint64_t stamp;
	struct td_table_node due;	/* by expiry, user, uri */
	Td__Contact *c;
};
struct td_call_row {
	struct td_table_node at;
	uint64_t stamp;
	struct td_call_row *next;	/* of those that just ended */
	Td__Call *c;
};

/* keys of the tables */
struct td_span_key {
	const char *span;
	uint32_t node;
};
struct td_contact_key {
	const char *user, *uri;
};
struct td_call_key {
	uint64_t id;
	uint32_t node;
};

/* legs on the timeslots of one span */
struct td_channels {
	uint32_t total;
	uint32_t busy[32];
};

/* The tables, in the order in which a cut walks them. */
enum td_rows {
	TD_ROWS_SPANS,
	TD_ROWS_UNITS,
	TD_ROWS_USERS,
	TD_ROWS_CALLS,
	TD_ROWS_CONTACTS,
	TD_ROWS_END,
};

struct td_view {
	struct td_index index;
	int64_t now_ms;
	uint32_t level;
	Td__Node *nodes[TD_NODE_MAX_ID + 1];
	struct td_table spans, units, contacts, due, calls, settings;
	struct td_view_cut *cuts;
	uint64_t stamp;		/* of the newest cut ever */
	uint32_t users;
	struct td_map *channels;
	Td__Config *config, *config_next;
	struct td_call_row *ended;	/* with the last op; no part of the
					 * view: gone at the next one */
};

/* Each takes the row over on success and frees what it replaces; on failure
 * the view is as before. -ENOSPC: the table, or the user, is full. -ENOMEM */
int td_view_put_span(struct td_view *v, Td__Span *s);
int td_view_put_contact(struct td_view *v, Td__Contact *c);
int td_view_put_call(struct td_view *v, Td__Call *c);
int td_view_put_unit(struct td_view *v, Td__Unit *u);
void td_view_put_node(struct td_view *v, Td__Node *n);

int td_view_unit_cmp(const void *key, const struct td_table_node *n);
/** Nobody owns what this node owned; epochs stay. */
void td_view_release_units(struct td_view *v, uint32_t node);
void td_view_del_units(struct td_view *v);
int td_view_user_cmp(const void *key, const struct td_table_node *n);
int td_view_put_user(struct td_view *v, Td__User *u);
void td_view_del_user(struct td_view *v, const char *user);
/** The registration is as it was but for this. */
void td_view_contact_due(struct td_view *v, struct td_contact_row *r,
			 uint64_t expires_ms);
void td_view_del_contact(struct td_view *v, struct td_contact_row *r);
void td_view_del_call(struct td_view *v, struct td_call_row *r);
/** Takes the row out, and keeps it readable by td_view_ended_calls until
 *  td_view_forget_ended. */
void td_view_end_call(struct td_view *v, struct td_call_row *r);
void td_view_forget_ended(struct td_view *v);
void td_view_del_span(struct td_view *v, struct td_span_row *r);
struct td_span_row *td_view_span_row(const struct td_view *v, const char *span,
				     uint32_t node);

struct td_contact_row *td_view_contact_row(const struct td_view *v,
					   const char *user, const char *uri);
/** First contact of the user or NULL; go on with td_view_contact_row_next. */
struct td_contact_row *td_view_user_first(const struct td_view *v,
					  const char *user);
struct td_contact_row *td_view_user_next(struct td_contact_row *r);
struct td_call_row *td_view_call_row(const struct td_view *v, uint64_t id,
				     uint32_t node);

/** A fresh cluster's view starts here: agreed time has to begin somewhere. */
void td_view_found(struct td_view *v, uint64_t lineage, int64_t now_ms);
void td_view_lineage_set(struct td_view *v, uint64_t lineage);
/** An op that could not be read has its index too. */
void td_view_skip(struct td_view *v);

/* --- cut.c --- */

struct td_table *td_view_table(const struct td_view *v, enum td_rows rows);
/** Before a row changes in place. */
void td_view_touch(struct td_view *v, enum td_rows rows,
		   struct td_table_node *row);
/** Before a row leaves its table. */
void td_view_leave(struct td_view *v, enum td_rows rows,
		   struct td_table_node *row);
/** A new row, before it is added. */
static inline void td_view_born(const struct td_view *v, uint64_t *stamp)
{
	*stamp = v->stamp;
}
static inline void td_view_message_free(void *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

/** The view as it is at this moment, in parts, while it goes on changing. A
 *  part is a packed Snapshot of some rows; all parts together, in any order of
 *  rows but with the head in the last, are the whole. The view must outlive
 *  its cuts. */
struct td_view_cut;
int td_view_cut_new(struct td_view *v, struct td_view_cut **out);
void td_view_cut_free(struct td_view_cut *cut);
/** @param max_octets  the part is not much larger, unless one row is
 *  @param[out] last  it ends here
 *  @return 0; -ENOMEM: the cut is lost */
int td_view_cut_next(struct td_view_cut *cut, size_t max_octets, uint8_t **buf,
		     size_t *n, bool *last);
/** Adds a part to a view that is being built.
 *  @return 1: it was the last one; 0; -EBADMSG: not a part, or a row comes
 *  twice; -EPROTONOSUPPORT (a later level), -ENOMEM: drop the view */
int td_view_add_part(struct td_view *v, const void *buf, size_t n);

/** @return 0, -EBADMSG, -EPROTONOSUPPORT (a later level), -ENOMEM, … */
int td_view_unpack(const void *buf, size_t n, struct td_view **out);

#endif
