/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_VIEW_H
#define TD_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** The replica that all rooms read. Rows belong to the view and are valid
 *  until the next op is applied: never keep a pointer across a turn of the
 *  loop. Every node's view is equal at equal (lineage, index). */
struct td_view;

int td_view_new(struct td_view **out);
void td_view_free(struct td_view *v);

/** Place in the one order of ops: comparable only within a lineage. */
struct td_index {
	uint64_t lineage;
	uint64_t n;
};
struct td_index td_view_index(const struct td_view *v);
/** Agreed time, ms since 1970; moves only by ops. */
int64_t td_view_now_ms(const struct td_view *v);
uint32_t td_view_feature_level(const struct td_view *v);

const Td__Node *td_view_node(const struct td_view *v, uint32_t id);
const Td__Node *td_view_node_by_name(const struct td_view *v, const char *name);
const Td__Span *td_view_span(const struct td_view *v, const char *span,
			     uint32_t node);
/** The row of the span's owner, NULL: nobody owns it. */
const Td__Span *td_view_span_owner(const struct td_view *v, const char *span);
const Td__Unit *td_view_unit(const struct td_view *v, const char *unit);
const Td__Contact *td_view_contact(const struct td_view *v, const char *user,
				   const char *uri);
const Td__Call *td_view_call(const struct td_view *v, uint64_t id,
			     uint32_t node);
/** NULL: no generation yet. */
const Td__Config *td_view_config(const struct td_view *v);
/** The prepared, not yet running generation, or NULL. */
const Td__Config *td_view_config_next(const struct td_view *v);

/** Walks, in key order. Start with a zeroed iterator.
 *  @return the next row or NULL */
struct td_view_iter {
	size_t pos;
};
const Td__Node *td_view_nodes(const struct td_view *v, struct td_view_iter *i);
const Td__Span *td_view_spans(const struct td_view *v, struct td_view_iter *i);
const Td__Unit *td_view_units(const struct td_view *v, struct td_view_iter *i);
const Td__Call *td_view_calls(const struct td_view *v, struct td_view_iter *i);
/** What a user has set; NULL: nothing. */
const Td__User *td_view_user(const struct td_view *v, const char *user);
const Td__User *td_view_users(const struct td_view *v, struct td_view_iter *i);
/** The calls that ended with their node, by the op applied last: for the
 *  watcher that is told of it. In no order. */
const Td__Call *td_view_ended_calls(const struct td_view *v,
				    struct td_view_iter *i);
const Td__Contact *td_view_contacts(const struct td_view *v,
				    struct td_view_iter *i);
/** The contacts of one user only. */
const Td__Contact *td_view_user_contacts(const struct td_view *v,
					 const char *user,
					 struct td_view_iter *i);

struct td_view_counts {
	uint32_t nodes, spans, contacts, users, calls;
	uint32_t settings;	/* users who have set something */
	/** busy B-channels of a span are told by td_view_channel_busy */
};
void td_view_counts(const struct td_view *v, struct td_view_counts *out);
/** Is a leg of some call on this timeslot? O(1). */
bool td_view_channel_busy(const struct td_view *v, const char *span,
			  uint32_t timeslot);

/** All of the view, in key order: equal views give equal octets. malloc'ed.
 *  @return 0, -EMSGSIZE, -ENOMEM */
int td_view_pack(const struct td_view *v, uint8_t **buf, size_t *n);

#endif
