// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/config_i.h"
#include "proto/base/log.h"
#include "proto/base/queue.h"
#include "proto/base/str.h"

/* The last good generation goes to the disk in a thread that lives as long
 * as the write: a switch comes seldom, an fsync may take a second. */

struct config_saver {
	struct td_loop *loop;
	char dir[PATH_MAX];
	struct td_queue *done;
	pthread_t thread;
	bool running;
	struct td_generation now, next;	/* now is the thread's */
	int status;
};

static void *save(void *arg)
{
	struct config_saver *s = arg;

	s->status = td_lastgood_save(s->dir, &s->now);
	td_queue_put(s->done, s);
	return NULL;
}

static void start(struct config_saver *s)
{
	sigset_t all, old;
	int rc;

	s->now = s->next;
	s->next = (struct td_generation){ 0 };
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, save, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->running = rc == 0;
	if (rc) {
		td_warn("config", "CONFIG-DISK", "generation=%llu error=\"%s\"",
			(unsigned long long)s->now.number, strerror(rc));
		td_generation_clear(&s->now);
	}
}

static void join(struct config_saver *s)
{
	pthread_join(s->thread, NULL);
	s->running = false;
	if (s->status)
		td_warn("config", "CONFIG-DISK",
			"generation=%llu dir=%s error=\"%s\"",
			(unsigned long long)s->now.number, s->dir,
			strerror(-s->status));
	td_generation_clear(&s->now);
}

static void on_done(void *arg, int fd, int revents)
{
	struct config_saver *s = arg;

	if (!td_queue_get(s->done))
		return;
	join(s);
	if (s->next.content)
		start(s);
}

void config_saver_put(struct config_saver *s, const struct td_generation *g)
{
	td_generation_clear(&s->next);
	if (config_generation_copy(&s->next, g)) {
		td_warn("config", "CONFIG-DISK", "no memory");
		return;
	}
	if (!s->running)
		start(s);
}

int config_saver_new(struct td_loop *loop, const char *dir,
		     struct config_saver **out)
{
	struct config_saver *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	rc = td_str_copy(s->dir, sizeof(s->dir), dir);
	if (!rc)
		rc = td_queue_new(1, &s->done);
	if (!rc)
		rc = td_loop_fd_add(loop, td_queue_fd(s->done), POLLIN,
				    on_done, s);
	if (rc) {
		td_queue_free(s->done);
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void config_saver_free(struct config_saver *s)
{
	if (!s)
		return;
	while (s->running) {
		join(s);
		if (s->next.content)
			start(s);
	}
	td_loop_fd_del(s->loop, td_queue_fd(s->done));
	td_queue_free(s->done);
	td_generation_clear(&s->next);
	free(s);
}
