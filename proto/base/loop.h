/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LOOP_H
#define TD_LOOP_H

#include <stdint.h>

/** The control loop: descriptors, timers, jobs of one thread. The only file
 *  that knows libqb is loop.c. Not thread-safe: other threads reach it
 *  through a queue (queue.h) whose descriptor it watches. */
struct td_loop;

typedef void (*td_fd_fn)(void *arg, int fd, int revents);
typedef void (*td_timer_fn)(void *arg);

/** A timer, embedded in its owner; zeroed means idle. Fires once. */
struct td_timer {
	struct td_loop *loop;
	uint64_t handle;
	td_timer_fn fn;
	void *arg;
};

int td_loop_new(struct td_loop **out);
void td_loop_free(struct td_loop *loop);
/** Runs until td_loop_stop. */
void td_loop_run(struct td_loop *loop);
void td_loop_stop(struct td_loop *loop);

/** @param events POLLIN | POLLOUT
 *  @return 0, -EEXIST: fd is watched already, -ENOMEM */
int td_loop_fd_add(struct td_loop *loop, int fd, int events, td_fd_fn fn,
		   void *arg);
int td_loop_fd_mod(struct td_loop *loop, int fd, int events);
/** Must come before close(fd). Unknown fd: no effect. */
void td_loop_fd_del(struct td_loop *loop, int fd);

/** (Re)arms: a running timer is moved. delay_ms 0: the loop's next turn.
 *  @return 0 or -ENOMEM */
int td_timer_start(struct td_loop *loop, struct td_timer *t, uint64_t delay_ms,
		   td_timer_fn fn, void *arg);
void td_timer_stop(struct td_timer *t);
static inline int td_timer_running(const struct td_timer *t)
{
	return t->handle != 0;
}

/** Calls fn in the loop for SIGTERM, SIGINT or whatever sig is. */
int td_loop_signal_add(struct td_loop *loop, int sig,
		       void (*fn)(void *arg, int sig), void *arg);

#endif
