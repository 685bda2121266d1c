// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/views_i.h"

/* A call on two nodes has a half at each, joined by an internal leg; people
 * see one call, without that leg. */

static const char *kind_name(Td__LegKind k)
{
	switch (k) {
	case TD__LEG_KIND__LEG_SIP:
		return "sip";
	case TD__LEG_KIND__LEG_ISDN:
		return "isdn";
	case TD__LEG_KIND__LEG_ECHO:
		return "echo";
	default:
		return "none";
	}
}

static const char *state_name(Td__LegState s)
{
	static const char *const names[] = { "null", "trying", "ringing",
					     "up", "clearing", "ended" };

	return (unsigned int)s < 6 ? names[s] : "?";
}

static json_t *leg_json(const struct td_views *v, const Td__Call *c,
			const Td__CallLeg *l)
{
	json_t *o = json_pack("{s:s, s:o, s:s, s:n, s:n, s:s, s:s, s:b}",
			      "kind", kind_name(l->kind),
			      "node", views_node_name(v, c->node),
			      "peer", l->peer, "span", "timeslot",
			      "codec", l->codec, "state", state_name(l->state),
			      "held", (int)l->held);

	if (o && l->isdn) {
		json_object_set_new(o, "span", json_string(l->isdn->span));
		json_object_set_new(o, "timeslot",
				    json_integer(l->isdn->timeslot));
	}
	return o;
}

/* of two halves' words for the voice, the dearer one is true */
static const char *dearer(const char *a, const char *b)
{
	static const char *const order[] = { "direct", "xconn", "local",
					     "bundle" };
	int ia = 0, ib = 0;

	for (int i = 0; i < 4; i++) {
		ia = strcmp(a, order[i]) ? ia : i;
		ib = strcmp(b, order[i]) ? ib : i;
	}
	return order[ia > ib ? ia : ib];
}

struct merge {
	json_t *list, *last, *legs;
	uint64_t id;
	const char *voice;
	int64_t since_ms;
};

static void add_half(const struct td_views *v, struct merge *m,
		     const Td__Call *c)
{
	int64_t age = td_view_now_ms(views_view(v)) - (int64_t)c->since_ms;
	bool entry = true;
	char id[17];

	for (size_t i = 0; i < c->n_legs; i++)
		if (c->legs[i]->internal && c->legs[i]->index == 0)
			entry = false;	/* the half behind the internal leg */
	if (!m->last || m->id != c->id) {
		snprintf(id, sizeof(id), "%016llx",
			 (unsigned long long)c->id);
		m->legs = json_array();
		m->voice = c->voice;
		m->id = c->id;
		m->last = json_pack(
			"{s:s, s:o, s:s, s:I, s:s, s:b, s:i, s:s, s:s}",
			"id", id, "legs", m->legs, "state", c->state,
			"since_ms", (json_int_t)(age > 0 ? age : 0),
			"voice", c->voice, "admitted", 0, "dscp", 46,
			"calling", c->calling, "called", c->called);
		json_array_append_new(m->list, m->last);
	} else {
		m->voice = dearer(m->voice, c->voice);
		json_object_set_new(m->last, "voice", json_string(m->voice));
		if (entry) {	/* the caller's half says what was dialled */
			json_object_set_new(m->last, "state",
					    json_string(c->state));
			json_object_set_new(m->last, "calling",
					    json_string(c->calling));
			json_object_set_new(m->last, "called",
					    json_string(c->called));
		}
	}
	for (size_t i = 0; i < c->n_legs; i++) {
		const Td__CallLeg *l = c->legs[i];

		if (l->internal || l->state == TD__LEG_STATE__LEG_ENDED)
			continue;
		if (entry && l->index == 0)
			json_array_insert_new(m->legs, 0, leg_json(v, c, l));
		else
			json_array_append_new(m->legs, leg_json(v, c, l));
	}
}

json_t *td_views_calls(const struct td_views *v)
{
	struct merge m = { .list = json_array() };
	struct td_view_iter it = { 0 };
	const Td__Call *c;

	/* the walk is in the order (id, node) */
	while ((c = td_view_calls(views_view(v), &it)))
		add_half(v, &m, c);
	return m.list;
}

static json_t *detail_json(const struct td_views *v, const Td__Call *c)
{
	json_t *legs = json_array();

	for (size_t i = 0; i < c->n_legs; i++) {
		const Td__CallLeg *l = c->legs[i];
		json_t *o = leg_json(v, c, l);

		json_object_set_new(o, "internal", json_boolean(l->internal));
		json_object_set_new(o, "unit", json_string(l->unit));
		json_object_set_new(o, "since", views_time(l->since_ms));
		if (l->sip)
			json_object_set_new(o, "sip", json_pack(
				"{s:s, s:s, s:s, s:i, s:i, s:s}",
				"call_id", l->sip->call_id,
				"local_tag", l->sip->local_tag,
				"remote_tag", l->sip->remote_tag,
				"local_cseq", (int)l->sip->local_cseq,
				"remote_cseq", (int)l->sip->remote_cseq,
				"target", l->sip->target));
		if (l->isdn)
			json_object_set_new(o, "isdn", json_pack(
				"{s:i, s:b, s:i}", "call_reference",
				(int)l->isdn->cref, "ours", (int)l->isdn->ours,
				"q931_state", (int)l->isdn->q931_state));
		if (l->rtp)
			json_object_set_new(o, "rtp_local",
					    json_string(l->rtp->local));
		json_array_append_new(legs, o);
	}
	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o}",
			 "node", views_node_name(v, c->node),
			 "state", c->state,
			 "since", views_time(c->since_ms),
			 "answered", views_time(c->answered_ms),
			 "voice", c->voice, "legs", legs);
}

json_t *td_views_call(const struct td_views *v, uint64_t id)
{
	struct merge m = { .list = json_array() };
	struct td_view_iter it = { 0 };
	json_t *halves = json_array(), *o, *stats;
	const Td__Call *c;

	while ((c = td_view_calls(views_view(v), &it)))
		if (c->id == id) {
			add_half(v, &m, c);
			json_array_append_new(halves, detail_json(v, c));
		}
	if (!m.last) {
		json_decref(m.list);
		json_decref(halves);
		return NULL;
	}
	o = json_incref(m.last);
	json_decref(m.list);
	json_object_set_new(o, "halves", halves);
	stats = v->cfg.voice ? v->cfg.voice(v->cfg.arg, id) : NULL;
	if (stats)
		json_object_set_new(o, "voice_here", stats);
	return o;
}
