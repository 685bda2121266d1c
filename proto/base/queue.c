// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct td_queue {
	pthread_mutex_t lock;	/* head, count, refused; held for a few ns */
	int fd;
	uint32_t limit, head, count;
	uint64_t refused;
	void *item[];
};

int td_queue_new(uint32_t limit, struct td_queue **out)
{
	struct td_queue *q = calloc(1, sizeof(*q) + limit * sizeof(void *));

	if (!q)
		return -ENOMEM;
	q->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->fd < 0) {
		int rc = -errno;

		free(q);
		return rc;
	}
	pthread_mutex_init(&q->lock, NULL);
	q->limit = limit;
	*out = q;
	return 0;
}

void td_queue_free(struct td_queue *q)
{
	if (!q)
		return;
	close(q->fd);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int td_queue_put(struct td_queue *q, void *item)
{
	uint64_t one = 1;
	int rc = 0, was_empty = 0;

	pthread_mutex_lock(&q->lock);
	if (q->count == q->limit) {
		q->refused++;
		rc = -ENOSPC;
	} else {
		was_empty = q->count == 0;
		q->item[(q->head + q->count++) % q->limit] = item;
	}
	pthread_mutex_unlock(&q->lock);
	/* outside of the lock: whoever it wakes takes it. When the item has
	 * been taken by now, this wakes once for nothing */
	if (was_empty && write(q->fd, &one, sizeof(one)) < 0)
		rc = 0;		/* counter full: readable anyway */
	return rc;
}

void *td_queue_get(struct td_queue *q)
{
	void *item = NULL;
	uint64_t n;

	pthread_mutex_lock(&q->lock);
	if (q->count) {
		item = q->item[q->head];
		q->head = (q->head + 1) % q->limit;
		q->count--;
	} else if (read(q->fd, &n, sizeof(n)) < 0) {
		n = 0;		/* was not signalled: fine */
	}
	pthread_mutex_unlock(&q->lock);
	return item;
}

int td_queue_fd(const struct td_queue *q)
{
	return q->fd;
}

uint64_t td_queue_refused(const struct td_queue *q)
{
	return __atomic_load_n(&q->refused, __ATOMIC_RELAXED);
}
