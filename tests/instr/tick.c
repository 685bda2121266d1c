// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/tick.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "proto/base/log.h"

enum { MS_NS = 1000000, PRIORITY = 60 };

struct td_tick {
	td_tick_fn fn;
	void *arg;
	pthread_t thread;
	_Atomic int stop;
};

int64_t td_tick_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void *run(void *arg)
{
	struct td_tick *t = arg;
	uint64_t turn = td_tick_now_ns() / MS_NS + 1;

	while (!t->stop) {
		struct timespec ts = {
			.tv_sec = turn / 1000,
			.tv_nsec = turn % 1000 * MS_NS,
		};
		int64_t late;

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
				       NULL) == EINTR)
			;
		late = td_tick_now_ns() - (int64_t)turn * MS_NS;
		do {
			t->fn(t->arg, turn++, late);
			late = 0;
		} while (!t->stop && (int64_t)turn * MS_NS <=
			 td_tick_now_ns());
	}
	return NULL;
}

int td_tick_start(td_tick_fn fn, void *arg, struct td_tick **out)
{
	struct sched_param sp = { .sched_priority = PRIORITY };
	struct td_tick *t = calloc(1, sizeof(*t));
	pthread_attr_t attr;
	int rc;

	if (!t)
		return -ENOMEM;
	t->fn = fn;
	t->arg = arg;
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		td_info("instr", "memory not locked: pauses will be longer");
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &sp);
	rc = pthread_create(&t->thread, &attr, run, t);
	pthread_attr_destroy(&attr);
	if (rc) {
		td_info("instr", "no SCHED_FIFO: pauses will be longer");
		rc = pthread_create(&t->thread, NULL, run, t);
	}
	if (rc) {
		free(t);
		return -rc;
	}
	*out = t;
	return 0;
}

void td_tick_stop(struct td_tick *t)
{
	if (!t)
		return;
	t->stop = 1;
	pthread_join(t->thread, NULL);
	free(t);
}

int td_tick_lock_init(pthread_mutex_t *m)
{
	pthread_mutexattr_t a;
	int rc;

	pthread_mutexattr_init(&a);
	/* else an ordinary thread in the middle would stop the clock */
	pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
	rc = pthread_mutex_init(m, &a);
	pthread_mutexattr_destroy(&a);
	return -rc;
}
