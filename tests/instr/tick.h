/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TICK_H
#define TD_TICK_H

#include <pthread.h>
#include <stdint.h>

/** The clock of an instrument: a thread that is called once for each
 *  millisecond of CLOCK_MONOTONIC, in a burst after it was not run. */

int64_t td_tick_now_ns(void);

/** @param turn     number of the millisecond since CLOCK_MONOTONIC's zero
 *  @param late_ns  how late the thread woke, on the first call of a burst;
 *                  else 0 */
typedef void (*td_tick_fn)(void *arg, uint64_t turn, int64_t late_ns);

struct td_tick;

/** Locks the process's memory, starts the thread, SCHED_FIFO if allowed.
 *  @return 0 or negative errno */
int td_tick_start(td_tick_fn fn, void *arg, struct td_tick **out);
/** Ends it within two turns. NULL is fine. */
void td_tick_stop(struct td_tick *t);

/** A lock that a clock thread may share with an ordinary one. */
int td_tick_lock_init(pthread_mutex_t *m);

#endif
