// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "cluster/spool/spool_priv.h"

/* Who waits until a record is safe. Two words are needed: the own disk's, and
 * the cluster's that the others have it. Or the database's. */

static struct waiter **find(struct td_spool *s, const struct waiter *w)
{
	struct waiter **at = &s->waiters;

	while (*at && *at != w)
		at = &(*at)->next;
	return at;
}

/* A waiter whose effect is still to come stays until then. */
static void answer(struct waiter *w, int status)
{
	td_spool_saved_fn fn = w->fn;

	w->fn = NULL;
	if (fn)
		fn(w->arg, status, w->disks);
}

static void end(struct waiter *w)
{
	struct td_spool *s = w->s;

	*find(s, w) = w->next;
	s->n_waiters--;
	free(w);
}

static void look(struct waiter *w)
{
	const struct entry *e = index_find(w->s, &w->key);

	if (!w->on_disk || !w->held)
		return;
	if (e)
		w->disks = __builtin_popcount(e->holders);
	if (!w->disks || w->one_disk)
		w->disks = 1;
	answer(w, w->status);
	end(w);
}

static void on_held(void *arg, int status)
{
	struct waiter *w = arg;

	if (!w->fn) {		/* answered, or the spool is gone */
		if (w->s)
			end(w);
		else
			free(w);
		return;
	}
	w->held = true;
	w->one_disk = status == TD_EFFECT_ONE_DISK;
	if (status < 0)
		w->status = -ECANCELED;
	look(w);
}

/* An answer may take its waiter, or others, off the list: from the start. */
static struct waiter *next_of(struct td_spool *s,
			      const struct td_spool_key *key)
{
	for (struct waiter *w = s->waiters; w; w = w->next)
		if (w->fn && !w->on_disk && td_spool_key_equal(&w->key, key))
			return w;
	return NULL;
}

void save_on_disk(struct td_spool *s, const struct td_spool_key *key,
		  int status)
{
	struct td_spool_key k = *key;
	struct waiter *w;

	while ((w = next_of(s, &k))) {
		w->on_disk = true;
		if (status)
			w->status = status;
		look(w);
	}
}

void save_done(struct td_spool *s, const struct td_spool_key *key)
{
	struct td_spool_key k = *key;
	struct waiter *w = s->waiters;

	while (w) {
		if (!w->fn || !td_spool_key_equal(&w->key, &k)) {
			w = w->next;
			continue;
		}
		answer(w, 0);
		if (w->held)
			end(w);
		w = s->waiters;
	}
}

void save_cancel(struct td_spool *s)
{
	while (s->waiters) {
		struct waiter *w = s->waiters;

		s->waiters = w->next;
		w->s = NULL;
		answer(w, -ECANCELED);
		if (w->held)
			free(w);
	}
}

int td_spool_save(struct td_spool *s, int64_t now_ms, uint32_t type,
		  const void *key, size_t key_n, const void *data, size_t n,
		  td_spool_saved_fn fn, void *arg)
{
	struct waiter *w;
	struct entry *e;
	int rc;

	if (s->n_waiters >= SPOOL_MAX_WAITERS)
		return -EAGAIN;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	rc = td_spool_put(s, now_ms, type, key, key_n, data, n);
	if (!rc)
		rc = td_spool_key_make(type, key, key_n, &w->key);
	if (!rc)
		rc = offer_op(s, &w->key, data, n);
	if (rc) {
		free(w);
		return rc;
	}
	e = index_find(s, &w->key);
	w->on_disk = e && e->state == ENTRY_ON_DISK;
	w->s = s;
	w->fn = fn;
	w->arg = arg;
	w->next = s->waiters;
	s->waiters = w;
	s->n_waiters++;
	rc = s->env.effect(s->env.arg, on_held, w);
	if (rc)
		end(w);
	return rc;
}
