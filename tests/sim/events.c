// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/events.h"

#include <stdlib.h>

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->order < b->order;
}

void sim_events_add(struct sim_events *e, int64_t at_us, sim_fn fn,
		    struct sim_arg arg)
{
	struct sim_event x = { at_us, ++e->order, fn, arg };
	uint32_t i;

	if (e->n == e->size) {
		e->size = e->size ? e->size * 2 : 256;
		e->heap = realloc(e->heap, e->size * sizeof(*e->heap));
		if (!e->heap)
			abort();
	}
	for (i = e->n++; i && before(&x, &e->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		e->heap[i] = e->heap[(i - 1) / 2];
	e->heap[i] = x;
}

bool sim_events_next(struct sim_events *e, int64_t until_us,
		     struct sim_event *out)
{
	const struct sim_event *last;
	uint32_t i = 0, child;

	if (!e->n || e->heap[0].at_us > until_us)
		return false;
	*out = e->heap[0];
	last = &e->heap[--e->n];
	while ((child = 2 * i + 1) < e->n) {
		if (child + 1 < e->n &&
		    before(&e->heap[child + 1], &e->heap[child]))
			child++;
		if (!before(&e->heap[child], last))
			break;
		e->heap[i] = e->heap[child];
		i = child;
	}
	e->heap[i] = *last;
	return true;
}

void sim_events_clear(struct sim_events *e)
{
	e->n = 0;
	e->order = 0;
}
