/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_STORE_WAIT_H
#define TEST_STORE_WAIT_H

#include <stdbool.h>

#include "proto/base/loop.h"

/* Runs the loop until a flag is set; a test that waits for ever fails. */
struct wait {
	struct td_loop *loop;
	struct td_timer tick, guard;
	bool (*done)(void *arg);
	void *arg;
	bool late;
};

static void wait_tick(void *arg)
{
	struct wait *w = arg;

	if (w->done(w->arg))
		td_loop_stop(w->loop);
	else
		td_timer_start(w->loop, &w->tick, 1, wait_tick, w);
}

static void wait_late(void *arg)
{
	struct wait *w = arg;

	w->late = true;
	td_loop_stop(w->loop);
}

static inline void wait_for(struct td_loop *loop, bool (*done)(void *arg),
			    void *arg)
{
	struct wait w = { .loop = loop, .done = done, .arg = arg };

	td_timer_start(loop, &w.guard, 30000, wait_late, &w);
	td_timer_start(loop, &w.tick, 0, wait_tick, &w);
	td_loop_run(loop);
	td_timer_stop(&w.guard);
	td_timer_stop(&w.tick);
	assert_false(w.late);
}

static inline bool wait_flag(void *arg)
{
	return *(bool *)arg;
}

#endif
