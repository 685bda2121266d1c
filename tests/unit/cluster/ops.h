/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_CLUSTER_OPS_H
#define TEST_CLUSTER_OPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "proto/td_codec.h"

/* Ops for tests. Each is one value that holds all of its parts. */
struct test_op {
	Td__Op op;
	Td__Node node;
	Td__Span span;
	Td__SpanDel span_del;
	Td__Contact contact;
	Td__ContactDel contact_del;
	Td__Call call;
	Td__CallLeg leg, *legs[1];
	Td__IsdnCall isdn;
	Td__CallDel call_del;
	Td__Config config;
	Td__ConfigSwitch config_switch;
	Td__Tick tick;
	Td__NodeGone gone;
	Td__User user;
	Td__ContactRefresh refresh;
	Td__Drain drain;
	Td__SpoolRecord record;
	Td__CallHangup hangup;
	char a[64], b[64];
	uint8_t sha[32];
};

#define OP_BEGIN(t, WHAT, member, part)                                        \
	memset(t, 0, sizeof(*(t)));                                            \
	td__op__init(&(t)->op);                                                \
	(t)->op.at_ms = 1;                                                     \
	(t)->op.what_case = TD__OP__WHAT_##WHAT;                               \
	(t)->op.member = &(t)->part

static inline Td__Op *op_node(struct test_op *t, uint32_t id,
			      uint64_t incarnation)
{
	OP_BEGIN(t, NODE, node, node);
	td__node__init(&t->node);
	snprintf(t->a, sizeof(t->a), "n%u", id);
	t->node.id = id;
	t->node.name = t->a;
	t->node.incarnation = incarnation;
	t->node.feature_level = TD_FEATURE_LEVEL;
	t->node.state = TD__NODE_STATE__NODE_UP;
	t->node.synced = true;
	return &t->op;
}

static inline Td__Op *op_gone(struct test_op *t, uint32_t id,
			      uint64_t incarnation)
{
	OP_BEGIN(t, NODE_GONE, node_gone, gone);
	td__node_gone__init(&t->gone);
	t->gone.id = id;
	t->gone.incarnation = incarnation;
	return &t->op;
}

static inline Td__Op *op_span(struct test_op *t, const char *span,
			      uint32_t node, bool owner, uint64_t epoch)
{
	OP_BEGIN(t, SPAN, span, span);
	td__span__init(&t->span);
	snprintf(t->a, sizeof(t->a), "%s", span);
	t->span.span = t->a;
	t->span.node = node;
	t->span.owner = owner;
	t->span.epoch = epoch;
	return &t->op;
}

static inline Td__Op *op_span_del(struct test_op *t, const char *span,
				  uint32_t node)
{
	OP_BEGIN(t, SPAN_DEL, span_del, span_del);
	td__span_del__init(&t->span_del);
	snprintf(t->a, sizeof(t->a), "%s", span);
	t->span_del.span = t->a;
	t->span_del.node = node;
	return &t->op;
}

static inline Td__Op *op_contact(struct test_op *t, const char *user,
				 const char *uri, uint64_t expires_ms)
{
	OP_BEGIN(t, CONTACT_PUT, contact_put, contact);
	td__contact__init(&t->contact);
	snprintf(t->a, sizeof(t->a), "%s", user);
	snprintf(t->b, sizeof(t->b), "%s", uri);
	t->contact.user = t->a;
	t->contact.uri = t->b;
	t->contact.expires_ms = expires_ms;
	return &t->op;
}

static inline Td__Op *op_contact_del(struct test_op *t, const char *user,
				     const char *uri)
{
	OP_BEGIN(t, CONTACT_DEL, contact_del, contact_del);
	td__contact_del__init(&t->contact_del);
	snprintf(t->a, sizeof(t->a), "%s", user);
	snprintf(t->b, sizeof(t->b), "%s", uri);
	t->contact_del.user = t->a;
	t->contact_del.uri = t->b;
	return &t->op;
}

/* one ISDN leg on span/timeslot */
static inline Td__Op *op_call(struct test_op *t, uint64_t id, uint32_t node,
			      const char *span, uint32_t timeslot)
{
	OP_BEGIN(t, CALL_PUT, call_put, call);
	td__call__init(&t->call);
	td__call_leg__init(&t->leg);
	td__isdn_call__init(&t->isdn);
	snprintf(t->a, sizeof(t->a), "%s", span);
	t->isdn.span = t->a;
	t->isdn.timeslot = timeslot;
	t->leg.kind = TD__LEG_KIND__LEG_ISDN;
	t->leg.state = TD__LEG_STATE__LEG_UP;
	t->leg.isdn = &t->isdn;
	t->legs[0] = &t->leg;
	t->call.id = id;
	t->call.node = node;
	t->call.n_legs = 1;
	t->call.legs = t->legs;
	return &t->op;
}

static inline Td__Op *op_call_del(struct test_op *t, uint64_t id,
				  uint32_t node)
{
	OP_BEGIN(t, CALL_DEL, call_del, call_del);
	td__call_del__init(&t->call_del);
	t->call_del.id = id;
	t->call_del.node = node;
	return &t->op;
}

static inline Td__Op *op_config(struct test_op *t, uint64_t generation,
				const char *content)
{
	OP_BEGIN(t, CONFIG_PREPARE, config_prepare, config);
	td__config__init(&t->config);
	snprintf(t->a, sizeof(t->a), "%s", content);
	memset(t->sha, content[0], sizeof(t->sha));
	t->config.generation = generation;
	t->config.sha256.data = t->sha;
	t->config.sha256.len = 32;
	t->config.content.data = (uint8_t *)t->a;
	t->config.content.len = strlen(t->a);
	return &t->op;
}

static inline Td__Op *op_switch(struct test_op *t, uint64_t generation,
				const char *content)
{
	OP_BEGIN(t, CONFIG_SWITCH, config_switch, config_switch);
	td__config_switch__init(&t->config_switch);
	memset(t->sha, content[0], sizeof(t->sha));
	t->config_switch.generation = generation;
	t->config_switch.sha256.data = t->sha;
	t->config_switch.sha256.len = 32;
	return &t->op;
}

static inline Td__Op *op_tick(struct test_op *t, uint64_t at_ms)
{
	OP_BEGIN(t, TICK, tick, tick);
	td__tick__init(&t->tick);
	t->op.at_ms = at_ms;
	return &t->op;
}

static inline Td__Op *op_user(struct test_op *t, const char *user, bool dnd,
			      const char *forward_all)
{
	OP_BEGIN(t, USER_PUT, user_put, user);
	td__user__init(&t->user);
	snprintf(t->a, sizeof(t->a), "%s", user);
	snprintf(t->b, sizeof(t->b), "%s", forward_all);
	t->user.user = t->a;
	t->user.dnd = dnd;
	t->user.forward_all = t->b;
	return &t->op;
}

static inline Td__Op *op_refresh(struct test_op *t, const char *user,
				 const char *uri, uint64_t expires_ms)
{
	OP_BEGIN(t, CONTACT_REFRESH, contact_refresh, refresh);
	td__contact_refresh__init(&t->refresh);
	snprintf(t->a, sizeof(t->a), "%s", user);
	snprintf(t->b, sizeof(t->b), "%s", uri);
	t->refresh.user = t->a;
	t->refresh.uri = t->b;
	t->refresh.expires_ms = expires_ms;
	return &t->op;
}

static inline Td__Op *op_record(struct test_op *t, const char *key)
{
	OP_BEGIN(t, SPOOL_PUT, spool_put, record);
	td__spool_record__init(&t->record);
	snprintf(t->a, sizeof(t->a), "%s", key);
	t->record.type = 1;
	t->record.key.data = (uint8_t *)t->a;
	t->record.key.len = strlen(t->a);
	return &t->op;
}

static inline Td__Op *op_hangup(struct test_op *t, uint64_t id)
{
	OP_BEGIN(t, CALL_HANGUP, call_hangup, hangup);
	td__call_hangup__init(&t->hangup);
	t->hangup.id = id;
	return &t->op;
}

static inline Td__Op *op_drain(struct test_op *t, uint32_t node, bool on)
{
	OP_BEGIN(t, DRAIN, drain, drain);
	td__drain__init(&t->drain);
	t->drain.node = node;
	t->drain.on = on;
	return &t->op;
}

/* something from everywhere, for fuzzing: valid in form, maybe refused */
static inline Td__Op *op_random(struct test_op *t, unsigned int *seed,
				uint32_t node)
{
	char a[32], b[32];
	unsigned int k = rand_r(seed);

	snprintf(a, sizeof(a), "%u", 1000 + rand_r(seed) % 40);
	snprintf(b, sizeof(b), "sip:x%u", rand_r(seed) % 20);
	switch (k % 12) {
	case 0:
	case 1:
		return op_contact(t, a, b, rand_r(seed) % 200000);
	case 2:
		if (k & 64)
			return op_user(t, a, k & 16, k & 32 ? "1001" : "");
		return op_refresh(t, a, b, rand_r(seed) % 100000);
	case 3:
		return op_contact_del(t, a, k & 16 ? b : "");
	case 4:
	case 5:
	case 6:
		snprintf(a, sizeof(a), "s%u", 1 + rand_r(seed) % 4);
		return op_call(t, 1 + rand_r(seed) % 100, node, a,
			       1 + rand_r(seed) % 31);
	case 7:
	case 8:
		return op_call_del(t, 1 + rand_r(seed) % 100, node);
	case 9:
		snprintf(a, sizeof(a), "s%u", 1 + rand_r(seed) % 4);
		return op_span(t, a, node, k & 16, rand_r(seed) % 5);
	case 10:
		if (k & 16)
			return op_config(t, 1 + rand_r(seed) % 8, a);
		return op_switch(t, 1 + rand_r(seed) % 8, a);
	default:
		return op_tick(t, rand_r(seed) % 100000);
	}
}

#endif
