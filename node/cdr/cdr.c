// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/cdr/cdr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CAUSE_TEMPORARY_FAILURE = 41 };

/* A clock that stood back for a moment must not make a leg end before it
 * began. 0 stays 0: it did not happen. */
static uint64_t not_before(uint64_t t, uint64_t least)
{
	return t && t < least ? least : t;
}

static void fill_log(const Td__CallLeg *l, bool own, uint64_t ended_ms,
		     Td__LegLog *out)
{
	bool over = l->log && l->log->ended_ms;

	if (l->log)
		*out = *l->log;
	else
		td__leg_log__init(out);
	if (!out->start_ms)
		out->start_ms = l->since_ms;
	if (!over) {
		out->ended_ms = ended_ms;
		if (!own) {
			out->cause = CAUSE_TEMPORARY_FAILURE;
			out->cleared_by = TD__CLEARED_BY__CLEARED_BY_DEATH;
		} else if (!out->cleared_by) {
			out->cleared_by = TD__CLEARED_BY__CLEARED_BY_NODE;
		}
	}
	out->alerting_ms = not_before(out->alerting_ms, out->start_ms);
	out->answered_ms = not_before(out->answered_ms, out->alerting_ms ?
				      out->alerting_ms : out->start_ms);
	out->ended_ms = not_before(out->ended_ms, out->answered_ms ?
				   out->answered_ms : out->alerting_ms ?
				   out->alerting_ms : out->start_ms);
}

static void fill_leg(const Td__Call *c, const Td__CallLeg *l, Td__Cdr *out,
		     Td__LegLog *log)
{
	td__cdr__init(out);
	out->leg = c->node * 16 + l->index;
	out->index = l->index;
	out->kind = l->kind;
	out->internal = l->internal;
	out->unit = l->unit;
	out->peer = l->peer;
	out->codec = l->codec;
	out->log = log;
}

int td_cdr_pack(const Td__Call *call, uint64_t epoch, bool own,
		int64_t ended_ms, uint8_t **buf, size_t *n)
{
	Td__CdrSet set = TD__CDR_SET__INIT;
	Td__Cdr legs[TD_CALL_MAX_LEGS], *list[TD_CALL_MAX_LEGS];
	Td__LegLog logs[TD_CALL_MAX_LEGS];
	uint32_t node = call->node;

	if (call->n_legs > TD_CALL_MAX_LEGS)
		return -E2BIG;
	for (size_t i = 0; i < call->n_legs; i++) {
		fill_log(call->legs[i], own, (uint64_t)ended_ms, &logs[i]);
		fill_leg(call, call->legs[i], &legs[i], &logs[i]);
		list[i] = &legs[i];
	}
	set.call_id = call->id;
	set.node = node;
	set.nodes = &node;
	set.n_nodes = 1;
	set.calling = call->calling;
	set.called = call->called;
	set.voice = call->voice;
	set.generation = call->generation;
	set.epoch = epoch;
	set.own = own;
	set.legs = list;
	set.n_legs = call->n_legs;
	return td_cdr_set_pack(&set, buf, n);
}

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = v >> (56 - 8 * i);
}

void td_cdr_key(const Td__Call *call, uint64_t epoch, bool own,
		uint8_t key[TD_CDR_KEY_OCTETS])
{
	put64(key, call->id);
	key[8] = call->node;
	key[9] = own;
	put64(key + 10, epoch);
}

/* --- rows --- */

static const char *kind_name(Td__LegKind k)
{
	static const char *const names[] = { "none", "sip", "isdn", "echo" };

	return (size_t)k < sizeof(names) / sizeof(*names) ? names[k] : "other";
}

static const char *cleared_name(Td__ClearedBy c)
{
	static const char *const names[] = { "node", "peer", "other", "node",
					     "death" };

	return (size_t)c < sizeof(names) / sizeof(*names) ? names[c] : "node";
}

static json_t *ms_or_null(uint64_t ms)
{
	return ms ? json_integer((json_int_t)ms) : json_null();
}

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

/* The database's integers have a sign. */
static json_int_t number(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (json_int_t)v;
}

static json_t *names_json(const Td__CdrSet *set,
			  const char *(*name)(void *arg, uint32_t id),
			  void *arg)
{
	char text[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < set->n_nodes && at < sizeof(text); i++)
		at += snprintf(text + at, sizeof(text) - at, "%s%s",
			       i ? "," : "", name(arg, set->nodes[i]));
	return json_string(text);
}

static json_t *row(const Td__CdrSet *set, const Td__Cdr *l, const char *id,
		   const char *node, json_t *nodes)
{
	Td__LegLog none = TD__LEG_LOG__INIT;
	const Td__LegLog *g = l->log ? l->log : &none;
	uint64_t talk = g->answered_ms ? g->ended_ms - g->answered_ms : 0;

	return json_pack(
		"{s:s, s:i, s:i, s:s, s:O, s:b, s:s, s:s, s:s, s:s, s:s, s:s,"
		" s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:i,"
		" s:o, s:s, s:I, s:I, s:b}",
		"call_id", id, "leg", (int)l->leg, "leg_index", (int)l->index,
		"node", node, "nodes", nodes, "internal", (int)l->internal,
		"kind", kind_name(l->kind),
		"direction", l->index ? "out" : "in",
		"calling", set->calling, "called", set->called,
		"number", g->number, "peer", l->peer, "unit", l->unit,
		"span", text_or_null(g->span),
		"timeslot", g->timeslot ? json_integer(g->timeslot) :
					  json_null(),
		"codec", l->codec, "voice", set->voice,
		"start_ms", ms_or_null(g->start_ms),
		"alerting_ms", ms_or_null(g->alerting_ms),
		"answered_ms", ms_or_null(g->answered_ms),
		"ended_ms", ms_or_null(g->ended_ms),
		"duration_ms", number(g->ended_ms - g->start_ms),
		"talk_ms", number(talk), "cause", (int)g->cause,
		"sip_status", g->sip_status ? json_integer(g->sip_status) :
					      json_null(),
		"cleared_by", cleared_name(g->cleared_by),
		"generation", number(set->generation),
		"epoch", number(set->epoch), "own", (int)set->own);
}

int td_cdr_rows(const Td__CdrSet *set,
		const char *(*name)(void *arg, uint32_t id), void *arg,
		json_t *rows)
{
	json_t *nodes = names_json(set, name, arg);
	char id[17];
	int rc = nodes ? 0 : -ENOMEM;

	snprintf(id, sizeof(id), "%016" PRIx64, (uint64_t)set->call_id);
	for (size_t i = 0; i < set->n_legs && !rc; i++)
		if (json_array_append_new(rows, row(set, set->legs[i], id,
						    name(arg, set->node),
						    nodes)))
			rc = -ENOMEM;
	json_decref(nodes);
	return rc;
}
