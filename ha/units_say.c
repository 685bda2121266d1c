// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ha/units_priv.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"

/* Nothing is said before what it rests on is on disk: while a save is under
 * way all that would leave waits behind it, in order. */

static void keep(struct td_units *u, uint32_t to, const uint8_t *buf, size_t n)
{
	struct td_held *h = NULL;

	if (u->n_held < TD_HELD_MAX)
		h = malloc(sizeof(*h) + n);
	if (!h) {
		u->refused++;	/* as if lost on the way: it is said again */
		return;
	}
	h->next = NULL;
	h->number = u->put;
	h->to = to;
	h->n = n;
	memcpy(h->buf, buf, n);
	*u->tail = h;
	u->tail = &h->next;
	u->n_held++;
}

static bool disk_is_behind(const struct td_units *u)
{
	return u->put != u->saved || u->head;
}

void td_units_say(void *arg, const Td__Ha *m)
{
	struct td_units *u = arg;
	uint8_t *buf;
	size_t n;

	if (!disk_is_behind(u)) {
		if (td_cluster_say(u->cfg.cluster, m))
			u->refused++;
		return;
	}
	if (td_ha_pack(m, &buf, &n)) {
		u->refused++;
		return;
	}
	keep(u, 0, buf, n);
	free(buf);
}

void td_units_udp(void *arg, uint32_t to, const Td__Heartbeat *m)
{
	struct td_units *u = arg;
	uint8_t *buf;
	size_t n;

	if (!u->beats)
		return;
	if (!disk_is_behind(u)) {
		td_beats_send(u->beats, to, m);
		return;
	}
	if (td_heartbeat_pack(m, &buf, &n)) {
		u->refused++;
		return;
	}
	keep(u, to, buf, n);
	free(buf);
}

void td_units_save(void *arg, const Td__LeaseState *s)
{
	struct td_units *u = arg;
	int rc = td_leasefile_put(u->file, s, &u->put);

	if (!rc)
		return;
	/* it cannot keep its word, so it must not give it: nothing leaves
	 * any more until a later save is through */
	td_err("ha", "HA-MEMORY", "the voter's memory cannot be written: %s",
	       strerror(-rc));
	u->put++;
}

static void let_go(struct td_units *u, const struct td_held *h)
{
	if (h->to) {
		Td__Heartbeat *m;

		if (u->beats && !td_heartbeat_unpack(h->buf, h->n, &m)) {
			td_beats_send(u->beats, h->to, m);
			td_heartbeat_free(m);
		}
	} else {
		Td__Ha *m;

		if (!td_ha_unpack(h->buf, h->n, &m)) {
			if (td_cluster_say(u->cfg.cluster, m))
				u->refused++;
			td_ha_free(m);
		}
	}
}

void td_units_saved(void *arg, uint64_t number)
{
	struct td_units *u = arg;

	u->saved = number;
	while (u->head && u->head->number <= u->saved) {
		struct td_held *h = u->head;

		u->head = h->next;
		if (!u->head)
			u->tail = &u->head;
		u->n_held--;
		let_go(u, h);
		free(h);
	}
	td_lease_saved(u->lease, td_clock_boot_ms());
}

void td_units_drop_held(struct td_units *u)
{
	while (u->head) {
		struct td_held *h = u->head;

		u->head = h->next;
		free(h);
	}
	u->tail = &u->head;
	u->n_held = 0;
}
