/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/** What is going to happen, by time and, at the same time, in the order in
 *  which it was asked for. Nothing is taken back: whoever is called looks
 *  whether it is still meant. */
struct sim;

struct sim_arg {
	void *p, *q;
	uint64_t u;
	uint32_t v, w;
	bool own;	/* p is the event's to free, if it never comes */
};
typedef void (*sim_fn)(struct sim *s, const struct sim_arg *a);

struct sim_event {
	int64_t at_us;
	uint64_t order;
	sim_fn fn;
	struct sim_arg arg;
};
struct sim_events {
	struct sim_event *heap;
	uint32_t n, size;
	uint64_t order;
};

void sim_events_add(struct sim_events *e, int64_t at_us, sim_fn fn,
		    struct sim_arg arg);
/** @return false: nothing is due until then */
bool sim_events_next(struct sim_events *e, int64_t until_us,
		     struct sim_event *out);
void sim_events_clear(struct sim_events *e);	/* keeps the memory */

#endif
