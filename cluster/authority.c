// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/authority.h"

#include <errno.h>
#include <stdlib.h>

#include "cluster/cluster_priv.h"
#include "proto/base/log.h"

/* --- what is asked --- */

void td_cluster_set_authority(struct td_cluster *c,
			      const struct td_authority *a)
{
	c->has_auth = a != NULL;
	c->auth = a ? *a : (struct td_authority){ 0 };
}

const Td__Record *td_cluster_record(const struct td_cluster *c)
{
	return c->has_auth ? c->auth.record(c->auth.arg) : NULL;
}

bool td_cluster_founded(const struct td_cluster *c)
{
	const Td__Record *r = td_cluster_record(c);

	return r && r->epoch;
}

bool td_cluster_quorum(const struct td_cluster *c)
{
	return c->has_auth ? c->auth.quorum(c->auth.arg, c->members,
					    c->bus_quorate) :
			     c->bus_quorate;
}

bool td_cluster_forced(const struct td_cluster *c)
{
	return c->has_auth && c->auth.forced && c->auth.forced(c->auth.arg);
}

/* --- what is told --- */

void td_cluster_tell_live(struct td_cluster *c, bool live)
{
	if (live == c->told_live)
		return;
	c->told_live = live;
	if (c->has_auth)
		c->auth.live(c->auth.arg, live);
}

void td_cluster_authority_changed(struct td_cluster *c)
{
	/* at the end of what runs now: an answer may not call back */
	c->auth_changed = true;
	td_cluster_stir(c);
}

static void record_moved(struct td_cluster *c)
{
	const Td__Record *r = td_cluster_record(c);
	bool forced = td_cluster_forced(c);

	if (r->epoch == c->said_epoch && r->version == c->said_version &&
	    forced == c->said_forced)
		return;
	/* who goes on is decided by what the Hellos say: say it anew, unless
	 * that is decided and only the view is still to come */
	if (td_cluster_others_live(c))
		return;
	c->need_hello = true;
	c->ask = !c->witness;
}

/* It may answer otherwise by time alone, without a word. */
static bool answers_otherwise(const struct td_cluster *c)
{
	return td_cluster_founded(c) &&
	       (c->auth.needed(c->auth.arg) & ~(1U << c->id)) !=
		       c->holders.need;
}

void td_cluster_ask_authority(struct td_cluster *c)
{
	if (c->live && answers_otherwise(c))
		c->auth_changed = true;
	if (!c->auth_changed || c->dead || !c->has_auth || !c->members)
		return;
	c->auth_changed = false;
	td_cluster_count_synced(c);
	if (!c->live) {
		record_moved(c);
		return;
	}
	if (td_cluster_quorum(c)) {
		td_cluster_release(c);
		return;
	}
	td_warn("cluster", "CLUSTER-MINORITY",
		"node=%s members=%x: no majority of the voters any more",
		c->name, c->members);
	c->quorate = false;
	td_cluster_demote(c);
	c->need_hello = c->ask = true;
}

/* --- what is said --- */

int td_cluster_say(struct td_cluster *c, const Td__Ha *m)
{
	struct td_say *q = &c->say;
	uint8_t *buf;
	Td__Ha *copy;
	size_t n;
	int rc;

	if (!q->ring)
		q->ring = calloc(TD_SAY_MAX, sizeof(*q->ring));
	if (!q->ring || q->count == TD_SAY_MAX) {
		q->refused_full++;
		return -EAGAIN;
	}
	rc = td_ha_pack(m, &buf, &n);
	if (!rc) {
		rc = td_ha_unpack(buf, n, &copy);
		free(buf);
	}
	if (rc)
		return rc == -ENOMEM ? -EAGAIN : -EINVAL;
	q->ring[(q->head + q->count++) % TD_SAY_MAX] = copy;
	td_cluster_stir(c);
	return 0;
}

static void pop(struct td_say *q)
{
	td_ha_free(q->ring[q->head]);
	q->head = (q->head + 1) % TD_SAY_MAX;
	q->count--;
}

int td_cluster_send_say(struct td_cluster *c)
{
	Td__Ha *part[TD_ENVELOPE_MAX_HA];
	struct td_say *q = &c->say;

	while (q->count) {
		Td__Envelope e = TD__ENVELOPE__INIT;
		int rc;

		while (e.n_ha < q->count && e.n_ha < TD_ENVELOPE_MAX_HA) {
			part[e.n_ha] = q->ring[(q->head + e.n_ha) %
					       TD_SAY_MAX];
			e.n_ha++;
		}
		e.ha = part;
		rc = td_cluster_send_envelope(c, &e);
		if (rc)
			return rc;
		for (size_t i = 0; i < e.n_ha; i++)
			pop(q);
	}
	return 0;
}

void td_cluster_say_clear(struct td_cluster *c)
{
	while (c->say.count)
		pop(&c->say);
	free(c->say.ring);
	c->say.ring = NULL;
}
