// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/views_i.h"

/* `call hangup`: asks every node that has a half of the call, and says what
 * came of it. A far end that does not answer keeps a call for a while. */

enum { LOOK_MS = 20, WAIT_MS = 2000 };

struct hangup {
	struct hangup *next;
	struct td_views *v;
	struct td_control_req *req;
	struct td_timer timer;
	unsigned int waited_ms;
	uint32_t nodes;			/* bit id: asked */
	size_t n;
	uint64_t id[];
};

static bool is_there(const struct td_views *v, uint64_t id)
{
	for (uint32_t node = 1; node <= TD_NODE_MAX_ID; node++)
		if (td_view_call(views_view(v), id, node))
			return true;
	return false;
}

/* The calls that are meant, and who has them.
 * @return NULL: no memory */
static struct hangup *collect(struct td_views *v, bool all, uint64_t id)
{
	struct td_view_counts counts;
	struct td_view_iter it = { 0 };
	const Td__Call *c;
	struct hangup *h;

	td_view_counts(views_view(v), &counts);
	h = calloc(1, sizeof(*h) + counts.calls * sizeof(h->id[0]));
	if (!h)
		return NULL;
	h->v = v;
	/* the walk is in the order (id, node) */
	while ((c = td_view_calls(views_view(v), &it))) {
		if (!all && c->id != id)
			continue;
		h->nodes |= 1u << c->node;
		if (!h->n || h->id[h->n - 1] != c->id)
			h->id[h->n++] = c->id;
	}
	return h;
}

/* Its nodes hear it in the one order; this one needs no op. */
static int ask(struct hangup *h)
{
	const struct td_views_cfg *cfg = &h->v->cfg;
	uint32_t own = 1u << td_cluster_node_id(cfg->cluster);
	Td__CallHangup m = TD__CALL_HANGUP__INIT;
	Td__Op op = TD__OP__INIT;
	int rc = 0;

	op.what_case = TD__OP__WHAT_CALL_HANGUP;
	op.call_hangup = &m;
	for (size_t i = 0; i < h->n && !rc; i++) {
		m.id = h->id[i];
		cfg->hangup(cfg->arg, m.id);
		if (h->nodes & ~own)
			rc = td_cluster_submit(cfg->cluster, &op);
	}
	return rc;
}

static void end(struct hangup *h)
{
	struct hangup **at = &h->v->hangups;

	for (; *at; at = &(*at)->next)
		if (*at == h) {
			*at = h->next;
			break;
		}
	td_timer_stop(&h->timer);
	free(h);
}

static void on_look(void *arg)
{
	struct hangup *h = arg;
	size_t left = 0;
	uint64_t first = 0;
	int nodes = __builtin_popcount(h->nodes);

	for (size_t i = 0; i < h->n; i++)
		if (is_there(h->v, h->id[i]))
			first = left++ ? first : h->id[i];
	if (left && h->waited_ms < WAIT_MS) {
		h->waited_ms += LOOK_MS;
		td_timer_start(h->v->cfg.loop, &h->timer, LOOK_MS, on_look, h);
		return;
	}
	if (left)
		td_control_reply_error(h->req, 1, "%zu of %zu call%s still "
				       "there %d ms after %d node%s "
				       "asked, such as %016" PRIx64 ": a far "
				       "end does not answer", left, h->n,
				       h->n == 1 ? " is" : "s are", WAIT_MS,
				       nodes, nodes == 1 ? " was" : "s were", first);
	else
		td_control_reply_json(h->req, json_pack(
			"{s:I, s:i}", "gone", (json_int_t)h->n, "nodes",
			nodes));
	end(h);
}

void views_on_hangup(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;
	bool all = !strcmp(td_control_arg(req, 0), "all");
	struct hangup *h;
	uint64_t id = 0;
	int rc;

	if (!all && views_call_arg(req, &id))
		return;
	h = collect(v, all, id);
	if (!h) {
		td_control_reply_error(req, 1, "the daemon is short of memory");
		return;
	}
	h->req = req;
	h->next = v->hangups;
	v->hangups = h;
	rc = ask(h);
	if (!rc && (h->n || all)) {
		on_look(h);
		return;
	}
	if (rc)
		td_control_reply_error(req, 1, "the cluster takes nothing "
				       "now: %s", strerror(-rc));
	else
		td_control_reply_error(req, 1, "no such call: %016" PRIx64,
				       id);
	end(h);
}

void views_hangup_end(struct td_views *v)
{
	while (v->hangups) {
		td_control_reply_error(v->hangups->req, 1,
				       "the daemon ends");
		end(v->hangups);
	}
}
