// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/sums.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t num(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static double real(json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

json_t *td_sums_count(json_t *calls, const char *key)
{
	json_t *out = json_object(), *c;
	char name[32];
	size_t i;

	json_array_foreach(calls, i, c) {
		json_t *v = json_object_get(c, key);

		if (json_is_string(v))
			snprintf(name, sizeof(name), "%s",
				 json_string_value(v));
		else if (json_integer_value(v))
			snprintf(name, sizeof(name), "%lld",
				 (long long)json_integer_value(v));
		else
			continue;
		json_object_set_new(out, name,
				    json_integer(num(out, name) + 1));
	}
	return out;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

json_t *td_sums_ms(json_t *calls, const char *key)
{
	double *v = calloc(json_array_size(calls) + 1, sizeof(*v));
	json_t *c, *j;
	size_t n = 0, i;

	if (!v)
		return json_null();
	json_array_foreach(calls, i, c)
		if (json_is_number(json_object_get(c, key)))
			v[n++] = real(c, key);
	qsort(v, n, sizeof(*v), by_value);
	j = json_pack("{s:i,s:f,s:f,s:f}", "n", (int)n,
		"p50", n ? v[n / 2] : 0.0, "p90", n ? v[n * 9 / 10] : 0.0,
		"max", n ? v[n - 1] : 0.0);
	free(v);
	return j;
}

struct sum {
	int calls, synced, clean;
	int64_t octets, altered, missing, lost, repeated, gaps, gaps_machine;
	double gap_max, machine_max, tail_max;
};

static void add(struct sum *s, json_t *p)
{
	double g = real(p, "gap_ms_max"), m = real(p, "gap_machine_ms_max");
	double t = real(p, "tail_ms");

	s->calls++;
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
	s->tail_max = t > s->tail_max ? t : s->tail_max;
}

json_t *td_sums_pattern(json_t *calls)
{
	struct sum s = { 0 };
	json_t *c, *p;
	size_t i;

	json_array_foreach(calls, i, c) {
		p = json_object_get(c, "pattern");
		if (p)
			add(&s, p);
	}
	return json_pack(
		"{s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:f}",
		"calls", s.calls, "synced", s.synced, "clean", s.clean,
		"octets", (json_int_t)s.octets,
		"altered", (json_int_t)s.altered,
		"missing", (json_int_t)s.missing,
		"lost", (json_int_t)s.lost,
		"repeated", (json_int_t)s.repeated,
		"gaps", (json_int_t)s.gaps,
		"gaps_machine", (json_int_t)s.gaps_machine,
		"gap_ms_max", s.gap_max,
		"gap_machine_ms_max", s.machine_max,
		"tail_ms_max", s.tail_max);
}
