// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "node/call/calls_i.h"
#include "proto/base/log.h"

/* A party of which nothing is heard: it may be muted, or dead. Its leg asks;
 * a leg that gets no answer clears itself. */

static struct party *party_of_rtp(const struct td_calls *r, uint32_t rtp)
{
	size_t pos = 0;
	struct call *c;

	while ((c = td_map_next(r->calls, &pos)))
		for (unsigned int i = 0; i <= c->n_b; i++) {
			struct party *p = i ? &c->b[i - 1] : &c->a;

			if (p->rtp == rtp)
				return p;
		}
	return NULL;
}

static void on_silent(void *arg, uint32_t rtp, uint32_t silent_ms)
{
	struct td_calls *r = arg;
	struct party *p = party_of_rtp(r, rtp);
	struct call *c = p ? p->call : NULL;
	int rc;

	if (!p || !p->alive || p->told_clear || c->state != TD_CALL_UP)
		return;
	r->silent++;
	td_info("call", "call=%016" PRIx64 " leg=%u nothing heard for %u ms: "
		"asking whether it is alive", c->id, p->leg->index, silent_ms);
	rc = p->leg->ops->probe ? p->leg->ops->probe(p->leg) : -ENOSYS;
	if (!rc || rc == -EALREADY)
		return;
	td_warn("call", "CALL-SILENT", "call=%016" PRIx64 " leg=%u is silent "
		"and cannot be asked: %s", c->id, p->leg->index,
		strerror(-rc));
	td_calls_hangup(r, c->id, 41);
}

void silence_watch(struct td_calls *r, bool on)
{
	struct td_voice_ops *v = &r->cfg.voice;

	if (v->watch)
		v->watch(v->m, on ? on_silent : NULL, r);
}
