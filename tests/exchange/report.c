// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/calls_private.h"

#include "tests/instr/sums.h"

/* a pause is heard at most this much later: our own play-out delay, and what
 * the jitter buffers of the product and of a phone may hold */
enum { LATER_MS = TD_XLINE_PLAY_MS + 200 };

static const char *result_of(const struct td_xcall *c)
{
	if (c->line < 0)
		return "blocked";
	if (c->restarted)
		return "restarted";
	if (c->answer_ms)
		return "answered";
	return c->state == TD_XCALL_FREE || c->clear_ms ? "failed" : "setup";
}

static void set_ms(json_t *j, const char *key, int64_t from, int64_t to)
{
	json_object_set_new(j, key, to ? json_integer(to - from) :
					 json_null());
}

static json_t *pattern_json(struct td_xcalls *x, const struct td_xcall *c)
{
	struct td_pauses p;
	struct td_check k;

	td_xcalls_lock(x);
	p = *x->conf.pauses;
	k = *c->check;
	td_xcalls_unlock(x);
	return td_check_json(&k, &p, (int64_t)LATER_MS * 1000000);
}

json_t *td_xcall_json(struct td_xcalls *x, const struct td_xcall *c)
{
	static const char *const by[] = { "nobody", "us", "peer" };
	json_t *j = json_pack("{s:I,s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:i,s:b}",
		"id", (json_int_t)c->id,
		"direction", c->out ? "out" : "in",
		"line", c->line < 0 ? "" : x->conf.line[c->line]->name,
		"timeslot", c->timeslot,
		"called", c->called, "calling", c->calling,
		"result", result_of(c), "cleared_by", by[c->by],
		"cause", c->cause, "inband", c->inband);

	if (c->out)
		json_object_set_new(j, "order", json_integer(c->order));
	else
		json_object_set_new(j, "service", json_string(
				c->number ? c->number->name : ""));
	json_object_set_new(j, "start_ms", json_integer(c->start_ms -
							x->start_ms));
	set_ms(j, "proceeding_ms", c->start_ms, c->proceeding_ms);
	set_ms(j, "alerting_ms", c->start_ms, c->alerting_ms);
	set_ms(j, "setup_ms", c->start_ms, c->answer_ms);
	if (c->answer_ms)
		set_ms(j, "duration_ms", c->answer_ms,
		       c->clear_ms ? c->clear_ms : x->now_ms);
	if (c->check)
		json_object_set_new(j, "pattern", pattern_json(x, c));
	return j;
}

static int64_t num(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static json_t *ghosts_json(struct td_xcalls *x)
{
	int ghosts = 0, live = 0, held = 0;

	for (int i = 0; i < TD_XCALLS_MAX; i++)
		live += x->call[i].state != TD_XCALL_FREE;
	for (int i = 0; i < x->conf.n_lines; i++) {
		int n = td_xpri_calls(x->line[i].pri);

		held += n > 0 ? n : 0;
	}
	ghosts = held - live;
	return json_integer(ghosts > 0 ? ghosts : 0);
}

static int count(json_t *counts, const char *key)
{
	return num(counts, key);
}

static json_t *sum_json(struct td_xcalls *x, json_t *calls)
{
	json_t *r = td_sums_count(calls, "result");
	json_t *j = json_pack("{s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:o,s:o,s:o}",
		"placed", (int)json_array_size(calls),
		"answered", count(r, "answered"),
		"failed", count(r, "failed"),
		"blocked", count(r, "blocked"),
		"restarted", count(r, "restarted"),
		"causes", td_sums_count(calls, "cause"),
		"cleared_by", td_sums_count(calls, "cleared_by"),
		"setup_ms", td_sums_ms(calls, "setup_ms"),
		"pattern", td_sums_pattern(calls),
		"ghosts", ghosts_json(x));

	json_decref(r);
	return j;
}

json_t *td_xreport(struct td_xcalls *x, json_t *calls)
{
	int64_t since = 0;
	struct td_pauses p;
	json_t *first = json_array_get(calls, 0);

	td_xcalls_lock(x);
	p = *x->conf.pauses;
	td_xcalls_unlock(x);
	if (first)
		since = (num(first, "start_ms") + x->start_ms) * 1000000;
	return json_pack("{s:o,s:O,s:o}",
		"summary", sum_json(x, calls), "calls", calls,
		"pauses", td_pauses_json(&p, since));
}

json_t *td_xcalls_report(struct td_xcalls *x, int64_t since)
{
	json_t *list = json_array(), *c, *j;
	size_t i;

	json_array_foreach(x->log, i, c)
		if (num(c, "id") > since)
			json_array_append(list, c);
	j = td_xreport(x, list);
	json_object_set_new(j, "dropped",
			    json_integer((json_int_t)x->log_dropped));
	json_decref(list);
	return j;
}

void td_xcalls_forget(struct td_xcalls *x)
{
	json_array_clear(x->log);
	x->log_dropped = 0;
}

json_t *td_xcalls_list(struct td_xcalls *x)
{
	json_t *list = json_array();

	for (int i = 0; i < TD_XCALLS_MAX; i++)
		if (x->call[i].state != TD_XCALL_FREE)
			json_array_append_new(list,
					      td_xcall_json(x, &x->call[i]));
	return list;
}
