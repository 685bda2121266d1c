// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/api/views.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/api/views_i.h"
#include "node/route/route.h"
#include "spanctl/uapi/td_span.h"

const struct td_site *views_site(const struct td_views *v)
{
	return v->cfg.site(v->cfg.arg);
}

const struct td_view *views_view(const struct td_views *v)
{
	return td_cluster_view(v->cfg.cluster);
}

json_t *views_time(int64_t ms)
{
	time_t t = ms / 1000;
	char text[32];
	struct tm tm;

	if (!ms)
		return json_null();
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

json_t *views_node_name(const struct td_views *v, uint32_t id)
{
	const Td__Node *n = td_view_node(views_view(v), id);
	const struct td_site *s = views_site(v);
	const struct td_site_node *sn = s ? td_site_node(s, id) : NULL;

	if (n)
		return json_string(n->name);
	return sn ? json_string(sn->name) : json_sprintf("node %u", id);
}

static unsigned int calls_of(const struct td_view *view, uint32_t node)
{
	struct td_view_iter it = { 0 };
	const Td__Call *c;
	unsigned int n = 0;

	while ((c = td_view_calls(view, &it)))
		n += c->node == node;
	return n;
}

static const char *state_name(Td__NodeState s)
{
	switch (s) {
	case TD__NODE_STATE__NODE_UP:
		return "up";
	case TD__NODE_STATE__NODE_DRAINING:
		return "draining";
	case TD__NODE_STATE__NODE_JOINING:
		return "joining";
	default:
		return "down";
	}
}

json_t *td_views_nodes(const struct td_views *v)
{
	const struct td_view *view = views_view(v);
	const struct td_site *s = views_site(v);
	struct td_view_iter it = { 0 };
	json_t *list = json_array();
	const Td__Node *n;

	while ((n = td_view_nodes(view, &it)))
		json_array_append_new(list, json_pack(
			"{s:s, s:i, s:s, s:i, s:o, s:s, s:i}",
			"name", n->name, "id", (int)n->id,
			"state", state_name(n->state),
			"calls", (int)calls_of(view, n->id),
			"since", views_time(n->since_ms),
			"version", n->version,
			"feature_level", (int)n->feature_level));
	/* configured, never seen */
	for (size_t i = 0; s && i < s->n_nodes; i++) {
		const struct td_site_node *sn = &s->nodes[i];

		if (sn->role == TD_ROLE_WITNESS || td_view_node(view, sn->id))
			continue;
		json_array_append_new(list, json_pack(
			"{s:s, s:i, s:s, s:i, s:n, s:s, s:i}", "name",
			sn->name, "id", (int)sn->id, "state", "down",
			"calls", 0, "since", "version", "",
			"feature_level", 0));
	}
	return list;
}

static json_t *alarm_list(uint32_t alarms)
{
	static const char *const names[] = { "LOS", "AIS", "LOF", "RAI",
					     "RDI" };
	json_t *l = json_array();

	for (unsigned int i = 0; i < 5; i++)
		if (alarms & 1u << i)
			json_array_append_new(l, json_string(names[i]));
	return l;
}

json_t *td_views_spans(const struct td_views *v)
{
	const struct td_view *view = views_view(v);
	const struct td_site *s = views_site(v);
	struct td_view_iter it = { 0 };
	json_t *list = json_array();
	const Td__Span *p;

	while ((p = td_view_spans(view, &it))) {
		const struct td_site_line *l =
			s ? td_site_line(s, p->span) : NULL;
		int busy = 0, total = 0;

		for (unsigned int t = 1; l && t < 32; t++)
			if (l->channels & 1u << t) {
				total++;
				busy += td_view_channel_busy(view, p->span, t);
			}
		json_array_append_new(list, json_pack(
			"{s:s, s:o, s:b, s:I, s:b, s:b, s:i, s:i, s:o, s:o}",
			"span", p->span, "node", views_node_name(v, p->node),
			"owner", (int)p->owner,
			"epoch", (json_int_t)p->epoch,
			"layer1", (int)p->layer1_up,
			"dchannel", (int)p->dchannel_up, "busy",
			p->owner ? busy : 0,
			"free", p->owner && p->dchannel_up ? total - busy : 0,
			"alarms", alarm_list(p->alarms),
			"since", views_time(p->since_ms)));
	}
	return list;
}

json_t *td_views_registrations(const struct td_views *v)
{
	const struct td_view *view = views_view(v);
	const struct td_site *s = views_site(v);
	struct td_view_iter it = { 0 };
	json_t *list = json_array(), *contacts = NULL;
	const Td__Contact *c;
	const char *user = NULL;

	/* contacts come in the order of their users */
	while ((c = td_view_contacts(view, &it))) {
		int64_t left = (int64_t)c->expires_ms - td_view_now_ms(view);

		if (!user || strcmp(user, c->user)) {
			contacts = json_array();
			user = c->user;
			json_array_append_new(list, json_pack(
				"{s:s, s:o, s:o}", "user", user, "aor",
				json_sprintf("sip:%s@%s", user,
					     s ? s->domain : "?"),
				"contacts", contacts));
		}
		json_array_append_new(contacts, json_pack(
			"{s:s, s:I, s:f, s:s, s:s, s:s, s:s, s:o}",
			"uri", c->uri,
			"expires_s", (json_int_t)(left > 0 ? left / 1000 : 0),
			"q", c->q_milli / 1000.0, "received", c->received,
			"transport", c->transport, "address", c->address,
			"user_agent", c->user_agent,
			"node", views_node_name(v, c->node)));
	}
	return list;
}

json_t *td_views_status(const struct td_views *v)
{
	const struct td_view *view = views_view(v);
	const struct td_site *s = views_site(v);
	json_t *calls = td_views_calls(v), *c;
	struct td_view_counts n;
	size_t i, up = 0, crossing = 0;

	td_view_counts(view, &n);
	json_array_foreach(calls, i, c) {
		const char *voice = json_string_value(
			json_object_get(c, "voice"));

		up++;
		crossing += voice && !strcmp(voice, "bundle");
	}
	json_decref(calls);
	return json_pack("{s:s, s:I, s:b, s:o, s:o, s:i, s:i, s:f}",
			 "cluster", s ? s->name : "",
			 "generation",
			 (json_int_t)v->cfg.generation(v->cfg.arg),
			 "quorate", td_cluster_state(v->cfg.cluster) ==
			 (v->cfg.witness ? TD_CLUSTER_JOINING :
					   TD_CLUSTER_RUNNING),
			 "nodes", td_views_nodes(v), "units", views_units(v),
			 "calls", (int)up, "registrations", (int)n.users,
			 "crossing_ratio", up ? (double)crossing / up : 0.0);
}

/* ---- verbs ---- */

#define SIMPLE_VERB(name)                                                      \
	static void on_##name(void *arg, struct td_control_req *req)           \
	{                                                                      \
		td_control_reply_json(req, td_views_##name(arg));              \
	}
SIMPLE_VERB(status)
SIMPLE_VERB(nodes)
SIMPLE_VERB(spans)
SIMPLE_VERB(registrations)
SIMPLE_VERB(calls)
SIMPLE_VERB(units)

static void on_cluster_force(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;

	if (!td_control_option(req, "yes")) {
		td_control_reply_error(req, 2, "what the lost nodes alone had "
				       "acknowledged is gone for good then: "
				       "say --yes when they will never come "
				       "back as they were");
		return;
	}
	v->cfg.force(v->cfg.arg);
	td_control_reply_json(req, json_pack("{s:b}", "forced", 1));
}

int views_call_arg(struct td_control_req *req, uint64_t *id)
{
	const char *text = td_control_arg(req, 0);
	char *end;

	errno = 0;
	*id = strtoull(text, &end, 16);
	if (errno || *end || end == text || !*id) {
		td_control_reply_error(req, 2, "`%s' is not a call's id: see "
				       "`tandem call list'", text);
		return -EINVAL;
	}
	return 0;
}

static void on_call_show(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;
	uint64_t id;
	json_t *o;

	if (views_call_arg(req, &id))
		return;
	o = td_views_call(v, id);
	if (o)
		td_control_reply_json(req, o);
	else
		td_control_reply_error(req, 1, "no such call: %016llx",
				       (unsigned long long)id);
}

static void on_route_test(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;
	const struct td_site *s = views_site(v);
	const char *from = td_control_option(req, "from");
	struct td_view_iter it = { 0 };
	struct td_route_ask ask = {
		.called = td_control_arg(req, 0),
		.user = from ? from : "",
		.span = "",
		.complete = true,
		.node = td_cluster_node_id(v->cfg.cluster),
	};
	const Td__Node *n;

	if (!s) {
		td_control_reply_error(req, 1, "no configuration yet: "
				       "`tandem config import site.yaml'");
		return;
	}
	if (!*ask.called) {
		td_control_reply_error(req, 2, "which number? the one given "
				       "is empty");
		return;
	}
	if (from && !td_site_extension(s, from)) {
		td_control_reply_error(req, 1, "--from %s: no such extension",
				       from);
		return;
	}
	while ((n = td_view_nodes(views_view(v), &it)))
		if (n->state == TD__NODE_STATE__NODE_UP && n->id < 32)
			ask.up_nodes |= 1u << n->id;
	td_control_reply_json(req, td_route_explain(s, views_view(v), &ask));
}

int td_views_new(struct td_control *control, const struct td_views_cfg *cfg,
		 struct td_views **out)
{
	static const struct {
		const char *verb;
		td_control_fn fn;
	} verbs[] = {
		{ "status", on_status },
		{ "node list", on_nodes },
		{ "unit list", on_units },
		{ "cluster force", on_cluster_force },
		{ "span list", on_spans },
		{ "call list", on_calls },
		{ "call show", on_call_show },
		{ "call hangup", views_on_hangup },
		{ "registration list", on_registrations },
		{ "route test", on_route_test },
		{ "user list", views_on_users },
		{ "user set", views_on_user_set },
		{ "cluster view", views_on_view },
		{ "cluster dump", views_on_dump },
		{ "cluster ops", views_on_ops },
	};
	struct td_views *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->cfg = *cfg;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		int rc = td_control_register(control, verbs[i].verb,
					     verbs[i].fn, v);

		if (rc) {
			free(v);
			return rc;
		}
	}
	*out = v;
	return 0;
}

void td_views_free(struct td_views *v)
{
	if (v)
		views_hangup_end(v);
	free(v);
}
