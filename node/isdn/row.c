// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "node/isdn/room.h"

/* The line's row in the view: what this node sees at its port. */

/* A taker jumps the counter by 64 (failover.md), so the row may be behind by
 * less than that; an op for each outgoing call would only say again what its
 * checkpoint says. */
enum { CREF_STEP = 16, CREF_MAX = 32767, LAYER1 = TD_ALARM_LOS |
       TD_ALARM_AIS | TD_ALARM_LOF };

static bool cref_due(uint32_t told, uint32_t now)
{
	return (now + CREF_MAX - told) % CREF_MAX >= CREF_STEP;
}

static struct td_line_row current(const struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	struct td_isdn_port_state port = { .alarms = TD_ALARM_LOS };
	const Td__Span *view = env->row(env->arg, line->conf.name);

	if (line->port)
		env->state(line->port, &port);
	return (struct td_line_row){
		.owner = line->active,
		.layer1_up = !(port.alarms & LAYER1),
		.dchannel_up = td_line_up(line),
		/* who gives it up says at which epoch: an older one would be
		 * refused, and the line would stay "ours" in every view */
		.epoch = line->active ? port.epoch : view ? view->epoch : 0,
		.alarms = port.alarms,
		.last_cref = line->last_cref,
		.unsure = line->restart.unsure,
		.out_of_service = line->restart.out,
	};
}

static bool same(const struct td_line_row *a, const struct td_line_row *b)
{
	return a->owner == b->owner && a->layer1_up == b->layer1_up &&
	       a->dchannel_up == b->dchannel_up && a->epoch == b->epoch &&
	       a->alarms == b->alarms && a->unsure == b->unsure &&
	       a->out_of_service == b->out_of_service;
}

void td_line_publish(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	struct td_line_row row = current(line);
	Td__Span span = TD__SPAN__INIT;
	Td__Op op = TD__OP__INIT;
	bool changed = !line->row_valid || !same(&row, &line->row);

	if (!changed && !cref_due(line->row.last_cref, row.last_cref))
		return;
	row.since_ms = changed || !line->row_valid ?
			       (uint64_t)env->agreed_ms(env->arg) :
			       line->row.since_ms;
	span.span = line->conf.name;
	span.node = env->node_id;
	span.owner = row.owner;
	span.epoch = row.epoch;
	span.layer1_up = row.layer1_up;
	span.dchannel_up = row.dchannel_up;
	span.alarms = row.alarms;
	span.last_cref = row.last_cref;
	span.unsure = row.unsure;
	span.out_of_service = row.out_of_service;
	span.since_ms = row.since_ms;
	op.what_case = TD__OP__WHAT_SPAN;
	op.span = &span;
	/* not joined yet, or too much is pending: the poll tries again */
	line->row_valid = !env->submit(env->arg, &op);
	if (line->row_valid)
		line->row = row;
}

bool td_isdn_drop_row(struct td_isdn *isdn)
{
	const struct td_isdn_env *env = &isdn->env;
	Td__SpanDel del = TD__SPAN_DEL__INIT;
	Td__Op op = TD__OP__INIT;
	const Td__Span *row;
	size_t pos = 0;

	while ((row = env->next_row(env->arg, &pos)))
		if (!td_line_find(isdn, row->span))
			break;
	if (!row)
		return false;
	del.span = row->span;
	del.node = env->node_id;
	op.what_case = TD__OP__WHAT_SPAN_DEL;
	op.span_del = &del;
	env->submit(env->arg, &op);	/* refused: the next poll tries again */
	return true;
}

void td_line_check_row(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	const Td__Span *view = env->row(env->arg, line->conf.name);
	bool differs = !view || view->owner != line->row.owner ||
		       view->epoch != line->row.epoch ||
		       view->layer1_up != line->row.layer1_up ||
		       view->dchannel_up != line->row.dchannel_up ||
		       view->alarms != line->row.alarms ||
		       view->last_cref != line->row.last_cref ||
		       view->unsure != line->row.unsure ||
		       view->out_of_service != line->row.out_of_service;

	/* twice in a row: not just an op that is on its way */
	if (differs && line->row_differs)
		line->row_valid = false;
	line->row_differs = differs;
	td_line_publish(line);
}
