// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/base/loop.h"

#include <errno.h>
#include <poll.h>
#include <qb/qbdefs.h>
#include <qb/qbloop.h>
#include <stdlib.h>
#include <string.h>

struct watch {
	struct td_loop *loop;
	int fd;
	td_fd_fn fn;
	void *arg;
	int dead;		/* removed while its event was being handled */
	int busy;
};

struct sig {
	struct sig *next;
	qb_loop_signal_handle handle;
	void (*fn)(void *arg, int sig);
	void *arg;
};

struct td_loop {
	qb_loop_t *qb;
	struct watch **watch;	/* by descriptor */
	int n_watch;
	struct sig *sigs;
};

int td_loop_new(struct td_loop **out)
{
	struct td_loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->qb = qb_loop_create();
	if (!l->qb) {
		free(l);
		return -ENOMEM;
	}
	*out = l;
	return 0;
}

void td_loop_free(struct td_loop *l)
{
	if (!l)
		return;
	for (int i = 0; i < l->n_watch; i++)
		if (l->watch[i])
			td_loop_fd_del(l, i);
	while (l->sigs) {
		struct sig *s = l->sigs;

		l->sigs = s->next;
		qb_loop_signal_del(l->qb, s->handle);
		free(s);
	}
	qb_loop_destroy(l->qb);
	free(l->watch);
	free(l);
}

void td_loop_run(struct td_loop *l)
{
	qb_loop_run(l->qb);
}

void td_loop_stop(struct td_loop *l)
{
	qb_loop_stop(l->qb);
}

static int on_fd(int32_t fd, int32_t revents, void *data)
{
	struct watch *w = data;

	w->busy++;
	w->fn(w->arg, fd, revents);
	w->busy--;
	if (w->dead) {
		if (!w->busy)
			free(w);
		return 0;	/* already taken out of libqb's table */
	}
	return 0;
}

int td_loop_fd_add(struct td_loop *l, int fd, int events, td_fd_fn fn,
		   void *arg)
{
	struct watch *w;
	int rc;

	if (fd < 0)
		return -EBADF;
	if (fd < l->n_watch && l->watch[fd])
		return -EEXIST;
	if (fd >= l->n_watch) {
		int n = fd + 64;
		struct watch **p = realloc(l->watch, n * sizeof(*p));

		if (!p)
			return -ENOMEM;
		memset(p + l->n_watch, 0, (n - l->n_watch) * sizeof(*p));
		l->watch = p;
		l->n_watch = n;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct watch){ .loop = l, .fd = fd, .fn = fn, .arg = arg };
	rc = qb_loop_poll_add(l->qb, QB_LOOP_MED, fd, events, w, on_fd);
	if (rc) {
		free(w);
		return rc;
	}
	l->watch[fd] = w;
	return 0;
}

int td_loop_fd_mod(struct td_loop *l, int fd, int events)
{
	if (fd < 0 || fd >= l->n_watch || !l->watch[fd])
		return -ENOENT;
	return qb_loop_poll_mod(l->qb, QB_LOOP_MED, fd, events, l->watch[fd],
				on_fd);
}

void td_loop_fd_del(struct td_loop *l, int fd)
{
	struct watch *w;

	if (fd < 0 || fd >= l->n_watch || !l->watch[fd])
		return;
	w = l->watch[fd];
	l->watch[fd] = NULL;
	qb_loop_poll_del(l->qb, fd);
	if (w->busy)
		w->dead = 1;
	else
		free(w);
}

static void on_timer(void *data)
{
	struct td_timer *t = data;

	t->handle = 0;
	t->fn(t->arg);
}

int td_timer_start(struct td_loop *l, struct td_timer *t, uint64_t delay_ms,
		   td_timer_fn fn, void *arg)
{
	td_timer_stop(t);
	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	return qb_loop_timer_add(l->qb, QB_LOOP_MED, delay_ms * 1000000, t,
				 on_timer, &t->handle);
}

void td_timer_stop(struct td_timer *t)
{
	if (t->handle)
		qb_loop_timer_del(t->loop->qb, t->handle);
	t->handle = 0;
}

static int on_signal(int32_t signo, void *data)
{
	struct sig *s = data;

	s->fn(s->arg, signo);
	return 0;
}

int td_loop_signal_add(struct td_loop *l, int signo,
		       void (*fn)(void *arg, int sig), void *arg)
{
	struct sig *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->fn = fn;
	s->arg = arg;
	rc = qb_loop_signal_add(l->qb, QB_LOOP_HIGH, signo, s, on_signal,
				&s->handle);
	if (rc) {
		free(s);
		return rc;
	}
	s->next = l->sigs;
	l->sigs = s;
	return 0;
}
