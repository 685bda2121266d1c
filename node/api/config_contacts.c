// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/config_i.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/map.h"

/* The registrations of a node alone. An op marks its contact; what is marked
 * is brought into the store as the view has it then, so a contact that
 * changes faster than the disk is written once.
 *
 * Marks are numbered and written in their order, and the store does its jobs
 * in order, many in one transaction: so one number says how far the disk is,
 * and an effect (the 200 to a REGISTER) waits for the number of its day. A
 * disk that refuses, or hangs, is not waited for until it works again: phones
 * are served, and the alarm CONFIG-CONTACTS says that a restart would forget
 * them. */

enum {
	MAX_OUT = 256,		/* jobs at the store at once */
	RETRY_MS = 1000,
	OPEN_MS = 5000,		/* wait for the store at a start */
	RESTORE_STEP = 500,	/* ops between two effects */
	EXPIRE_MS = 60000,
	MAX_WAITS = 65536,
	DISK_SLOW_MS = 2000,
};

enum phase { WAITING, LOADING, RESTORING, RUNNING, STOPPED };

struct mark {
	struct mark *older, *newer;
	uint64_t seq;
	char *user, *uri;	/* in one block; uri "": all of the user */
	size_t n;		/* octets of the key: both with their NUL */
	char key[];
};

struct config_contacts {
	struct td_config_cfg cfg;
	void (*fn)(void *arg);
	void *arg;
	enum phase phase;
	struct td_map *marks;		/* not at the store yet */
	struct mark *oldest, *newest;	/* of them */
	uint64_t marked, written;	/* numbers */
	unsigned int out;
	struct wait *first, **last;	/* effects, in order */
	unsigned int n_waits;
	uint64_t waits_refused, undurable;
	struct td_timer slow;
	struct td_timer flush, open;
	int64_t expired_ms;	/* agreed time of the last sweep */
	bool failing;
	Td__Contact **stored;	/* to be restored, owned */
	size_t n_stored, restored;
};

/* An effect that waits: first for the cluster, then for the disk. */
struct wait {
	struct wait *next;
	struct config_contacts *k;
	td_effect_fn fn;
	void *arg;
	uint64_t seq;
};

static void restore(struct config_contacts *k);

static struct mark *mark_new(const char *user, const char *uri)
{
	size_t n = strlen(user) + 1, m = strlen(uri) + 1;
	struct mark *k = malloc(sizeof(*k) + n + m);

	if (!k)
		return NULL;
	k->user = k->key;
	k->uri = k->key + n;
	k->n = n + m;
	memcpy(k->user, user, n);
	memcpy(k->uri, uri, m);
	return k;
}

static void on_flush(void *arg);

static void link_mark(struct config_contacts *k, struct mark *m)
{
	m->seq = ++k->marked;
	m->newer = NULL;
	m->older = k->newest;
	*(k->newest ? &k->newest->newer : &k->oldest) = m;
	k->newest = m;
}

static void unlink_mark(struct config_contacts *k, struct mark *m)
{
	*(m->older ? &m->older->newer : &k->oldest) = m->newer;
	*(m->newer ? &m->newer->older : &k->newest) = m->older;
}

/* @return 0, -ENOMEM: m is not kept */
static int keep_mark(struct config_contacts *k, struct mark *m)
{
	if (td_map_set(k->marks, m->key, m->n, m, NULL))
		return -ENOMEM;
	link_mark(k, m);
	if (!td_timer_running(&k->flush))
		td_timer_start(k->cfg.loop, &k->flush, 0, on_flush, k);
	return 0;
}

static void take_mark(struct config_contacts *k, struct mark *m)
{
	td_map_del(k->marks, m->key, m->n);
	unlink_mark(k, m);
}

/* The mark that says "all of this user", if it waits. */
static struct mark *mark_of_user(struct config_contacts *k, const char *user)
{
	struct mark *m = mark_new(user, ""), *all = NULL;

	if (m)
		all = td_map_get(k->marks, m->key, m->n);
	free(m);
	return all;
}

static void mark(struct config_contacts *k, const char *user, const char *uri)
{
	struct mark *m = mark_new(user, uri), *old, *all;

	/* bounded by the view, which bounds contacts */
	if (!m) {
		td_warn("config", "CONFIG-MEMORY", "no memory");
		return;
	}
	old = td_map_get(k->marks, m->key, m->n);
	/* its turn comes, and the row is read then; but what goes with all of
	 * the user meanwhile must be written behind that */
	all = old && *uri ? mark_of_user(k, user) : NULL;
	if (old && (!all || all->seq < old->seq)) {
		free(m);
		return;
	}
	if (old) {
		take_mark(k, old);
		free(old);
	}
	if (keep_mark(k, m)) {
		td_warn("config", "CONFIG-MEMORY", "no memory");
		free(m);
	}
}

/* ---- effects ---- */

static void drop_waits(struct config_contacts *k, uint64_t upto, int status)
{
	while (k->first && k->first->seq <= upto) {
		struct wait *w = k->first;

		k->first = w->next;
		if (!k->first)
			k->last = &k->first;
		k->n_waits--;
		w->fn(w->arg, status);
		free(w);
	}
	if (!k->first)
		td_timer_stop(&k->slow);
}

static void set_failing(struct config_contacts *k, bool failing,
			const char *why)
{
	if (failing && !k->failing)
		td_warn("config", "CONFIG-CONTACTS", "registrations are not "
			"kept on the disk, a restart forgets them: %s", why);
	if (!failing && k->failing)
		td_info("config", "registrations are kept on the disk again");
	k->failing = failing;
	if (failing) {
		k->undurable += k->n_waits;
		drop_waits(k, UINT64_MAX, 0);
	}
}

static void on_slow(void *arg)
{
	set_failing(arg, true, "the disk does not answer");
}

static void wait_for_disk(struct config_contacts *k, struct wait *w)
{
	w->seq = k->marked;
	if (k->phase != RUNNING || k->failing || k->written >= w->seq) {
		k->undurable += k->phase == RUNNING && k->failing;
		w->fn(w->arg, k->phase == STOPPED ? -ECANCELED : 0);
		free(w);
		return;
	}
	w->next = NULL;
	*k->last = w;
	k->last = &w->next;
	k->n_waits++;
	if (!td_timer_running(&k->slow))
		td_timer_start(k->cfg.loop, &k->slow, DISK_SLOW_MS, on_slow,
			       k);
}

static void on_held(void *arg, int status)
{
	struct wait *w = arg;

	if (!status) {
		wait_for_disk(w->k, w);
		return;
	}
	w->fn(w->arg, status);
	free(w);
}

int config_contacts_effect(struct config_contacts *k, td_effect_fn fn,
			   void *arg)
{
	struct wait *w;
	int rc;

	if (k->n_waits >= MAX_WAITS) {
		k->waits_refused++;
		return -EAGAIN;
	}
	w = malloc(sizeof(*w));
	if (!w)
		return -EAGAIN;
	*w = (struct wait){ .k = k, .fn = fn, .arg = arg };
	rc = td_cluster_effect(k->cfg.cluster, on_held, w);
	if (rc)
		free(w);
	return rc;
}

/* ---- writing ---- */

static void on_stored(void *arg, int status)
{
	struct config_contacts *k = arg;

	k->out--;
	if (k->phase == STOPPED)
		return;
	set_failing(k, status != 0, strerror(-status));
	if (k->oldest && !td_timer_running(&k->flush))
		td_timer_start(k->cfg.loop, &k->flush,
			       status ? RETRY_MS : 0, on_flush, k);
}

/* A job that failed is marked again by whoever it was for. */
struct put {
	struct config_contacts *k;
	struct mark *m;
};

static void on_put(void *arg, int status)
{
	struct put *p = arg;
	struct config_contacts *k = p->k;

	if (status && k->phase != STOPPED) {
		if (!td_map_get(k->marks, p->m->key, p->m->n) &&
		    !keep_mark(k, p->m))
			p->m = NULL;
	} else if (!status) {
		k->written = p->m->seq;
	}
	free(p->m);
	free(p);
	on_stored(k, status);
	drop_waits(k, k->written, 0);
	/* it moves: whoever waits now has its own time */
	if (!status && k->first)
		td_timer_start(k->cfg.loop, &k->slow, DISK_SLOW_MS, on_slow,
			       k);
}

/* @return 0: at the store; else the mark stays */
static int write_out(struct config_contacts *k, struct mark *m)
{
	const struct td_view *v = td_cluster_view(k->cfg.cluster);
	const Td__Contact *row = *m->uri ? td_view_contact(v, m->user, m->uri)
					 : NULL;
	struct put *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	*p = (struct put){ k, m };
	rc = row ? td_store_contact_put(k->cfg.store, row, on_put, p)
		 : td_store_contact_del(k->cfg.store, m->user, m->uri, on_put,
					p);
	if (rc)
		free(p);
	else
		k->out++;
	return rc;
}

/* After all rows of a user were dropped: what the view has of him by now is
 * written again, so the order of the marks does not matter. */
static void mark_user(struct config_contacts *k, const char *user)
{
	const struct td_view *v = td_cluster_view(k->cfg.cluster);
	struct td_view_iter it = { 0 };
	const Td__Contact *c;

	while ((c = td_view_user_contacts(v, user, &it)))
		mark(k, user, c->uri);
}

static void on_flush(void *arg)
{
	struct config_contacts *k = arg;
	struct mark *m;

	while (k->out < MAX_OUT && (m = k->oldest)) {
		if (write_out(k, m)) {
			set_failing(k, true, td_store_error(k->cfg.store));
			td_timer_start(k->cfg.loop, &k->flush, RETRY_MS,
				       on_flush, k);
			return;
		}
		take_mark(k, m);
		if (!*m->uri)		/* m lives until its answer */
			mark_user(k, m->user);
	}
}

static void sweep(struct config_contacts *k)
{
	int64_t now = td_view_now_ms(td_cluster_view(k->cfg.cluster));

	if (now - k->expired_ms < EXPIRE_MS || k->out >= MAX_OUT)
		return;
	k->expired_ms = now;
	if (!td_store_contacts_expire(k->cfg.store, now, on_stored, k))
		k->out++;
}

void config_contacts_applied(struct config_contacts *k, const Td__Op *op)
{
	if (k->phase != RUNNING)
		return;
	switch (op->what_case) {
	case TD__OP__WHAT_CONTACT_PUT:
		mark(k, op->contact_put->user, op->contact_put->uri);
		break;
	case TD__OP__WHAT_CONTACT_REFRESH:
		mark(k, op->contact_refresh->user, op->contact_refresh->uri);
		break;
	case TD__OP__WHAT_CONTACT_DEL:
		/* without a uri: all of the user */
		mark(k, op->contact_del->user, op->contact_del->uri);
		break;
	case TD__OP__WHAT_TICK:
		sweep(k);
		break;
	default:
		break;
	}
}

static void run(struct config_contacts *k)
{
	for (size_t i = 0; i < k->n_stored; i++)
		td_contact_free(k->stored[i]);
	free(k->stored);
	k->stored = NULL;
	k->n_stored = 0;
	td_timer_stop(&k->open);
	if (k->phase == STOPPED)
		return;
	k->phase = RUNNING;
	k->fn(k->arg);
}

static void on_restored(void *arg, int status)
{
	struct config_contacts *k = arg;

	if (k->phase == STOPPED)
		return;
	if (k->restored < k->n_stored)
		restore(k);
	else
		run(k);
}

static void on_retry(void *arg)
{
	restore(arg);
}

static void restore(struct config_contacts *k)
{
	int64_t now = td_clock_wall_ms();
	unsigned int n = 0;
	int rc = 0;

	while (k->restored < k->n_stored && n < RESTORE_STEP) {
		Td__Contact *c = k->stored[k->restored];
		Td__Op op = TD__OP__INIT;

		if ((int64_t)c->expires_ms > now) {
			c->node = td_cluster_node_id(k->cfg.cluster);
			op.at_ms = now;
			op.what_case = TD__OP__WHAT_CONTACT_PUT;
			op.contact_put = c;
			rc = td_cluster_submit(k->cfg.cluster, &op);
			if (rc)
				break;
			n++;
		}
		k->restored++;
	}
	if (!rc)
		rc = td_cluster_effect(k->cfg.cluster, on_restored, k);
	if (rc)
		td_timer_start(k->cfg.loop, &k->open, 20, on_retry, k);
}

static void on_loaded(void *arg, int status, Td__Contact *const *c, size_t n)
{
	struct config_contacts *k = arg;

	if (k->phase != LOADING)
		return;
	if (status) {
		td_warn("config", "CONFIG-CONTACTS",
			"stored registrations cannot be read: %s",
			strerror(-status));
		run(k);
		return;
	}
	k->stored = calloc(n + 1, sizeof(*k->stored));
	for (size_t i = 0; k->stored && i < n; i++) {
		uint8_t *buf;
		size_t octets;

		if (td_contact_pack(c[i], &buf, &octets))
			continue;
		if (!td_contact_unpack(buf, octets, &k->stored[k->n_stored]))
			k->n_stored++;
		free(buf);
	}
	td_info("config", "registrations=%zu", k->n_stored);
	k->phase = RESTORING;
	restore(k);
}

static void on_open_late(void *arg)
{
	struct config_contacts *k = arg;

	td_warn("config", "CONFIG-CONTACTS",
		"the store does not open, registrations start empty: %s",
		td_store_error(k->cfg.store));
	run(k);
}

void config_contacts_state(struct config_contacts *k)
{
	if (td_cluster_state(k->cfg.cluster) != TD_CLUSTER_RUNNING ||
	    k->phase != WAITING)
		return;
	if (td_store_ready(k->cfg.store) &&
	    !td_store_contacts(k->cfg.store, on_loaded, k)) {
		td_timer_stop(&k->open);
		k->phase = LOADING;
	} else if (!td_timer_running(&k->open)) {
		td_timer_start(k->cfg.loop, &k->open, OPEN_MS, on_open_late,
			       k);
	}
}

uint64_t config_contacts_owed(const struct config_contacts *k)
{
	return td_map_count(k->marks) + k->out;
}

json_t *config_contacts_dump(const struct config_contacts *k)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:b}",
			 "owed", (json_int_t)config_contacts_owed(k),
			 "waiting", (json_int_t)k->n_waits,
			 "waits_refused", (json_int_t)k->waits_refused,
			 "undurable", (json_int_t)k->undurable,
			 "failing", (int)k->failing);
}

int config_contacts_new(const struct td_config_cfg *cfg,
			void (*fn)(void *arg), void *arg,
			struct config_contacts **out)
{
	struct config_contacts *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return -ENOMEM;
	rc = td_map_new(&k->marks);
	if (rc) {
		free(k);
		return rc;
	}
	k->cfg = *cfg;
	k->fn = fn;
	k->arg = arg;
	k->last = &k->first;
	*out = k;
	return 0;
}

/* What is marked goes to the store before it closes: closing finishes what
 * was asked. */
void config_contacts_stop(struct config_contacts *k)
{
	struct mark *m;

	while (k->phase == RUNNING && (m = k->oldest) && !write_out(k, m))
		take_mark(k, m);
	k->phase = STOPPED;
	td_timer_stop(&k->flush);
	td_timer_stop(&k->open);
	drop_waits(k, UINT64_MAX, -ECANCELED);
}

void config_contacts_free(struct config_contacts *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n_stored; i++)
		td_contact_free(k->stored[i]);
	free(k->stored);
	td_map_free(k->marks, free);
	free(k);
}
