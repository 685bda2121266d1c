// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/calls_private.h"

#include <stdlib.h>

/* Times of lines are turns: ms of CLOCK_MONOTONIC; told since our start. */

static json_t *node_name(const struct td_xline *l, int8_t node)
{
	return node < 0 ? json_null() : json_string(l->node[node].name);
}

static json_t *breaks_json(const struct td_xcalls *x, const struct td_xline *l)
{
	uint64_t i = l->n_breaks > TD_XLINE_KEPT ? l->n_breaks - TD_XLINE_KEPT :
						   0;
	json_t *list = json_array();

	for (; i < l->n_breaks; i++) {
		const struct td_xline_break *b =
			&l->breaks[i % TD_XLINE_KEPT];

		json_array_append_new(list, json_pack("{s:I,s:I,s:i,s:o,s:o}",
			"at_ms", (json_int_t)b->at - x->start_ms,
			"mono_ms", (json_int_t)b->at,
			"gap_ms", (int)b->gap_ms,
			"from", node_name(l, b->from),
			"to", node_name(l, b->to)));
	}
	return list;
}

static json_t *collisions_json(const struct td_xcalls *x,
			       const struct td_xline *l)
{
	uint64_t i = l->n_collisions > TD_XLINE_KEPT ?
		     l->n_collisions - TD_XLINE_KEPT : 0;
	json_t *list = json_array();

	for (; i < l->n_collisions; i++) {
		const struct td_xline_collision *c =
			&l->collisions[i % TD_XLINE_KEPT];

		json_array_append_new(list, json_pack("{s:I,s:I,s:i}",
			"at_ms", (json_int_t)c->at - x->start_ms,
			"mono_ms", (json_int_t)c->at, "ms", (int)c->ms));
	}
	return json_pack("{s:I,s:I,s:I,s:b,s:o}",
		"count", (json_int_t)(l->n_collisions + !!l->colliding),
		"ms", (json_int_t)l->collision_ms,
		"ms_max", (json_int_t)(l->colliding > l->collision_ms_max ?
				       l->colliding : l->collision_ms_max),
		"now", l->colliding > 0, "list", list);
}

static json_t *nodes_json(const struct td_xline *l)
{
	json_t *list = json_array();

	for (int i = 0; i < l->n_nodes; i++) {
		const struct td_xline_node *n = &l->node[i];

		json_array_append_new(list, json_pack(
			"{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
			"name", n->name,
			"mode", td_xline_mode_name(n->mode),
			"sent", (json_int_t)n->sent,
			"received", (json_int_t)n->received,
			"malformed", (json_int_t)n->malformed,
			"duplicate", (json_int_t)n->duplicate,
			"late", (json_int_t)n->late,
			"strange", (json_int_t)n->strange,
			"l_bits", (json_int_t)n->l_bits,
			"r_bits", (json_int_t)n->r_bits));
	}
	return list;
}

static json_t *hdlc_json(const struct td_xline *l)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
		"rx", (json_int_t)l->d_rx.frames,
		"tx", (json_int_t)l->d_tx.frames,
		"crc", (json_int_t)l->d_rx.crc,
		"abort", (json_int_t)l->d_rx.aborted,
		"short", (json_int_t)l->d_rx.too_short,
		"long", (json_int_t)l->d_rx.too_long,
		"unaligned", (json_int_t)l->d_rx.unaligned,
		"rx_refused", (json_int_t)l->f_refused,
		"tx_refused", (json_int_t)l->d_tx.refused);
}

static json_t *line_json(const struct td_xcalls *x, int i, int held)
{
	const struct td_xcalls_line *c = &x->line[i];
	const struct td_xline *l = x->conf.line[i];
	int busy = 0, live = 0;
	json_t *j;

	for (int ts = 1; ts < 32; ts++)
		busy += c->slot[ts] != NULL;
	for (int k = 0; k < TD_XCALLS_MAX; k++)
		live += x->call[k].state != TD_XCALL_FREE &&
			x->call[k].line == i;
	j = json_pack("{s:s,s:i,s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:i,s:i,s:i,s:i}",
		"name", l->name, "port", l->port,
		"dchannel", c->up ? "up" : "down",
		"ready", td_xcalls_ready(x, i),
		"dchannel_ups", (json_int_t)c->ups,
		"dchannel_downs", (json_int_t)c->downs,
		"restarts", (json_int_t)c->restarts,
		"glares", (json_int_t)c->glares,
		"calls_in", (json_int_t)c->in,
		"busy_channels", busy, "calls", live, "libpri_calls", held,
		"ghosts", held > live ? held - live : 0);
	json_object_update_new(j, json_pack(
		"{s:I,s:o,s:o,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o}",
		"calls_out", (json_int_t)c->out,
		"heard", node_name(l, l->heard),
		"last_heard", node_name(l, l->last),
		"silent_ms", (json_int_t)l->silent_ms,
		"heard_blocks", (json_int_t)l->heard_blocks,
		"silent_blocks", (json_int_t)l->silent_blocks,
		"lost_blocks", (json_int_t)l->lost,
		"nodes", nodes_json(l), "hdlc", hdlc_json(l),
		"breaks", breaks_json(x, l),
		"collisions", collisions_json(x, l)));
	return j;
}

json_t *td_xcalls_status(struct td_xcalls *x)
{
	int held[TD_XCALLS_LINES], live = 0, ghosts = 0;
	json_t *lines = json_array();
	struct td_pauses p;

	for (int i = 0; i < TD_XCALLS_MAX; i++)
		live += x->call[i].state != TD_XCALL_FREE;
	for (int i = 0; i < x->conf.n_lines; i++) {
		held[i] = td_xpri_calls(x->line[i].pri);
		ghosts += held[i] > 0 ? held[i] : 0;
	}
	for (int i = 0; i < x->conf.n_lines; i++) {
		td_xcalls_lock(x);
		json_array_append_new(lines, line_json(x, i, held[i]));
		td_xcalls_unlock(x);
	}
	td_xcalls_lock(x);
	p = *x->conf.pauses;
	td_xcalls_unlock(x);
	return json_pack("{s:I,s:I,s:i,s:i,s:o,s:o}",
		"uptime_ms", (json_int_t)(x->now_ms - x->start_ms),
		"mono_ms", (json_int_t)x->now_ms,
		"calls", live, "ghosts", ghosts > live ? ghosts - live : 0,
		"lines", lines, "pauses",
		td_pauses_json(&p, x->start_ms * 1000000));
}
