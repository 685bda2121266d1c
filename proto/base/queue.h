/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_QUEUE_H
#define TD_QUEUE_H

#include <stdint.h>

/** Bounded queue of pointers between threads: many senders, one receiver.
 *  Full is an answer (-ENOSPC, counted), never a wait. Its descriptor is
 *  readable while something is in it. */
struct td_queue;

int td_queue_new(uint32_t limit, struct td_queue **out);
/** Frees the queue, not what is still in it. NULL is fine. */
void td_queue_free(struct td_queue *q);
/** @return 0 or -ENOSPC: refused and counted, the sender keeps the item */
int td_queue_put(struct td_queue *q, void *item);
/** @return the oldest item, NULL: empty; only that ends the readiness of the
 *  descriptor, which may come once for nothing */
void *td_queue_get(struct td_queue *q);
int td_queue_fd(const struct td_queue *q);
uint64_t td_queue_refused(const struct td_queue *q);

#endif
