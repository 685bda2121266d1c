// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/spool/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"

enum {
	MAX_SINKS = 8,
	BATCH = 500,
	PAUSE_MS = 20,		/* between batches of a backlog */
	GATHER_MS = 200,	/* between small ones */
	JITTER_MS = 1000,	/* when the database is back */
	REST_MIN_MS = 500,
	REST_MAX_MS = 30000,
	STALE_MS = 5000,
};

struct td_spool_writer {
	struct td_spool_writer_env env;
	struct td_spool_sink sinks[MAX_SINKS];
	unsigned int n_sinks;
	struct td_spool_key keys[BATCH];	/* being written */
	size_t n_keys;
	int64_t now_ms, next_ms;
	unsigned int rest_ms;
	bool was_ready, careful, dead;
	struct td_spool_writer_stats stats;
};

int td_spool_writer_new(const struct td_spool_writer_env *env,
			struct td_spool_writer **out)
{
	struct td_spool_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->env = *env;
	w->rest_ms = REST_MIN_MS;
	*out = w;
	return 0;
}

static bool busy(const struct td_spool_writer *w)
{
	return w->stats.state == TD_WRITER_READING ||
	       w->stats.state == TD_WRITER_WRITING;
}

/* What is under way comes back after the owner has let go of it. */
void td_spool_writer_free(struct td_spool_writer *w)
{
	if (!w)
		return;
	w->dead = true;
	if (!busy(w))
		free(w);
}

int td_spool_writer_add(struct td_spool_writer *w,
			const struct td_spool_sink *sink)
{
	if (w->n_sinks == MAX_SINKS)
		return -ENOSPC;
	for (unsigned int i = 0; i < w->n_sinks; i++)
		if (w->sinks[i].type == sink->type)
			return -EEXIST;
	w->sinks[w->n_sinks++] = *sink;
	return 0;
}

static const struct td_spool_sink *sink_of(const struct td_spool_writer *w,
					   uint32_t type)
{
	for (unsigned int i = 0; i < w->n_sinks; i++)
		if (w->sinks[i].type == type)
			return &w->sinks[i];
	return NULL;
}

static void rest(struct td_spool_writer *w, int status)
{
	unsigned int ms = w->rest_ms;

	w->stats.state = TD_WRITER_RESTING;
	w->stats.failures++;
	if (status != w->stats.last_status)
		td_warn("spool", "SPOOL-NOT-WRITTEN", "%s: tried again, "
			"records stay on the disks", strerror(-status));
	w->stats.last_status = status;
	if (status == -ESTALE) {
		w->stats.stale++;
		ms = STALE_MS;
	} else {
		w->rest_ms = ms * 2 < REST_MAX_MS ? ms * 2 : REST_MAX_MS;
	}
	w->next_ms = w->now_ms + ms / 2 + w->env.random(w->env.arg) % ms;
}

static void on_written(void *arg, int status)
{
	struct td_spool_writer *w = arg;

	w->stats.state = TD_WRITER_IDLE;
	if (w->dead) {
		free(w);
		return;
	}
	if (status == -EINVAL && !w->careful) {
		w->careful = true;
		w->stats.careful++;
		w->next_ms = w->now_ms;
		return;
	}
	if (status) {
		rest(w, status);
		return;
	}
	w->stats.last_status = 0;
	w->careful = false;
	w->rest_ms = REST_MIN_MS;
	w->stats.batches++;
	w->stats.written += w->n_keys;
	w->next_ms = w->now_ms + (w->n_keys == BATCH ? PAUSE_MS : GATHER_MS);
	td_spool_written(w->env.spool, w->now_ms, w->keys, w->n_keys);
}

static void on_taken(void *arg, int status, const struct td_spool_rec *recs,
		     size_t n)
{
	struct td_spool_writer *w = arg;
	const struct td_spool_sink *sink;
	uint64_t epoch = 0;
	int rc = status;

	w->stats.state = TD_WRITER_IDLE;
	if (w->dead) {
		free(w);
		return;
	}
	/* much may have changed while the disk was read */
	if (!rc && !w->env.owner(w->env.arg, &epoch))
		return;
	if (!rc) {
		sink = sink_of(w, recs[0].key.type);
		rc = sink ? 0 : -ENOSYS;
	}
	if (!rc) {
		for (size_t i = 0; i < n; i++)
			w->keys[i] = recs[i].key;
		w->n_keys = n;
		w->stats.state = TD_WRITER_WRITING;
		rc = sink->write(sink->arg, recs, n, epoch, w->careful,
				 on_written, w);
	}
	if (rc)
		rest(w, rc);
}

void td_spool_writer_turn(struct td_spool_writer *w, int64_t now_ms)
{
	uint64_t epoch;
	bool ready;
	int rc;

	w->now_ms = now_ms;
	if (busy(w))
		return;
	ready = w->env.ready(w->env.arg);
	if (!ready || !w->env.owner(w->env.arg, &epoch)) {
		w->stats.state = ready ? TD_WRITER_NOT_OWNER : TD_WRITER_AWAY;
		w->was_ready = false;
		return;
	}
	if (!w->was_ready) {
		w->was_ready = true;
		w->next_ms = now_ms + w->env.random(w->env.arg) % JITTER_MS;
	}
	if (now_ms < w->next_ms)
		return;
	w->stats.state = TD_WRITER_READING;
	rc = td_spool_take(w->env.spool, BATCH, on_taken, w);
	if (rc)
		w->stats.state = TD_WRITER_IDLE;
}

void td_spool_writer_stats(const struct td_spool_writer *w,
			   struct td_spool_writer_stats *out)
{
	*out = w->stats;
}

json_t *td_spool_writer_dump(const struct td_spool_writer *w)
{
	static const char *const states[] = { "not-owner", "away", "idle",
					      "reading", "writing",
					      "resting" };
	const struct td_spool_writer_stats *t = &w->stats;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:i}",
			 "state", states[t->state],
			 "batches", (json_int_t)t->batches,
			 "written", (json_int_t)t->written,
			 "failures", (json_int_t)t->failures,
			 "careful", (json_int_t)t->careful,
			 "stale", (json_int_t)t->stale,
			 "last_status", t->last_status);
}
