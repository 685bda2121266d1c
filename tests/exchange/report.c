// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/calls_private.h"

#include <stdio.h>
#include <stdlib.h>

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

static double real(json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

struct sums {
	int answered, blocked, failed, restarted, checked, synced, clean;
	int by_us, by_peer;
	int64_t octets, altered, missing, lost, repeated, gaps, gaps_machine;
	double gap_max, machine_max;
};

static void add_pattern(struct sums *s, json_t *p)
{
	double g = real(p, "gap_ms_max"), m = real(p, "gap_machine_ms_max");

	s->checked++;
	s->synced += json_is_true(json_object_get(p, "synced"));
	s->clean += json_is_true(json_object_get(p, "clean"));
	s->octets += num(p, "checked");
	s->altered += num(p, "altered");
	s->missing += num(p, "missing");
	s->lost += num(p, "lost");
	s->repeated += num(p, "repeated");
	s->gaps += json_array_size(json_object_get(p, "gaps"));
	s->gaps_machine += json_array_size(json_object_get(p, "gaps_machine"));
	s->gap_max = g > s->gap_max ? g : s->gap_max;
	s->machine_max = m > s->machine_max ? m : s->machine_max;
}

static void add_call(struct sums *s, json_t *call, json_t *causes)
{
	const char *r = json_string_value(json_object_get(call, "result"));
	const char *b = json_string_value(json_object_get(call, "cleared_by"));
	json_t *p = json_object_get(call, "pattern");
	char key[16];

	s->answered += r[0] == 'a';
	s->blocked += r[0] == 'b';
	s->failed += r[0] == 'f';
	s->restarted += r[0] == 'r';
	s->by_us += b[0] == 'u';
	s->by_peer += b[0] == 'p';
	snprintf(key, sizeof(key), "%d", (int)num(call, "cause"));
	if (num(call, "cause"))
		json_object_set_new(causes, key,
				    json_integer(num(causes, key) + 1));
	if (p)
		add_pattern(s, p);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static json_t *setup_json(json_t *calls)
{
	int64_t *v = calloc(json_array_size(calls) + 1, sizeof(*v));
	size_t n = 0, i;
	json_t *c, *j;

	if (!v)
		return json_null();
	json_array_foreach(calls, i, c)
		if (json_is_integer(json_object_get(c, "setup_ms")))
			v[n++] = num(c, "setup_ms");
	qsort(v, n, sizeof(*v), by_value);
	j = json_pack("{s:I,s:I,s:I}",
		"p50", (json_int_t)(n ? v[n / 2] : 0),
		"p90", (json_int_t)(n ? v[n * 9 / 10] : 0),
		"max", (json_int_t)(n ? v[n - 1] : 0));
	free(v);
	return j;
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

json_t *td_xreport_sum(struct td_xcalls *x, json_t *calls)
{
	json_t *causes = json_object(), *c, *j;
	struct sums s = { 0 };
	size_t i;

	json_array_foreach(calls, i, c)
		add_call(&s, c, causes);
	j = json_pack("{s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:{s:i,s:i},s:o}",
		"placed", (int)json_array_size(calls),
		"answered", s.answered, "failed", s.failed,
		"blocked", s.blocked, "restarted", s.restarted,
		"causes", causes, "setup_ms", setup_json(calls),
		"cleared_by", "us", s.by_us, "peer", s.by_peer,
		"ghosts", ghosts_json(x));
	json_object_set_new(j, "pattern", json_pack(
		"{s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f}",
		"calls", s.checked, "synced", s.synced, "clean", s.clean,
		"octets", (json_int_t)s.octets,
		"altered", (json_int_t)s.altered,
		"missing", (json_int_t)s.missing,
		"lost", (json_int_t)s.lost,
		"repeated", (json_int_t)s.repeated,
		"gaps", (json_int_t)s.gaps,
		"gaps_machine", (json_int_t)s.gaps_machine,
		"gap_ms_max", s.gap_max,
		"gap_machine_ms_max", s.machine_max));
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
		"summary", td_xreport_sum(x, calls), "calls", calls,
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
