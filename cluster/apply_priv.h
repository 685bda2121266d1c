/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_APPLY_PRIV_H
#define TD_APPLY_PRIV_H

#include "cluster/apply.h"

/** The table of ops, a row each: member of Op, durability class, feature level
 *  that knows it first, lane, what a refusal spoils. Its apply function is
 *  td_apply_<name>, in the file of its table. COMMITTED: durable, by the
 *  database from which it comes; no node's disk is waited for. */
#define TD_OPS(OP)                                                             \
	OP(NODE, node, REPLICATED, 1, URGENT, NOTHING)                         \
	OP(NODE_GONE, node_gone, REPLICATED, 1, URGENT, NOTHING)               \
	OP(LEVEL_RAISE, level_raise, REPLICATED, 1, URGENT, NOTHING)           \
	OP(DRAIN, drain, REPLICATED, 2, URGENT, NEXT)                          \
	OP(TICK, tick, VOLATILE, 1, URGENT, NOTHING)                           \
	OP(UNIT, unit, REPLICATED, 1, URGENT, ALL)                             \
	OP(SPAN, span, REPLICATED, 1, URGENT, NOTHING)                         \
	OP(SPAN_DEL, span_del, REPLICATED, 1, URGENT, NOTHING)                 \
	OP(CALL_PUT, call_put, REPLICATED, 1, URGENT, ALL)                     \
	OP(CALL_DEL, call_del, REPLICATED, 1, URGENT, ALL)                     \
	OP(CALL_END, call_end, DURABLE, 1, URGENT, ALL)                        \
	OP(CALL_HANGUP, call_hangup, VOLATILE, 1, URGENT, NOTHING)             \
	OP(CONTACT_PUT, contact_put, REPLICATED, 1, USERS, NEXT)               \
	OP(CONTACT_DEL, contact_del, REPLICATED, 1, USERS, NEXT)               \
	OP(CONTACT_REFRESH, contact_refresh, REPLICATED, 2, USERS, NEXT)       \
	OP(USER_PUT, user_put, REPLICATED, 2, USERS, NEXT)                     \
	OP(CONFIG_PREPARE, config_prepare, COMMITTED, 1, BULK, NEXT)           \
	OP(CONFIG_SWITCH, config_switch, COMMITTED, 1, BULK, NEXT)             \
	OP(SPOOL_PUT, spool_put, DURABLE, 1, BULK, NEXT)                       \
	OP(SPOOL_DONE, spool_done, VOLATILE, 1, BULK, NOTHING)

#define TD_OP_DECLARE(NAME, name, class, level, lane, spoils)                  \
	int td_apply_##name(struct td_view *v, Td__Op *op, uint32_t from,      \
			    bool *moved);
TD_OPS(TD_OP_DECLARE)
#undef TD_OP_DECLARE

/** Does this node's row say that it runs? */
bool td_apply_is_up(const struct td_view *v, uint32_t node);

#endif
