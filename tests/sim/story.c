// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "tests/sim/world.h"

/* What is said in the one order, for people. */

static void key(char *to, size_t n, const Td__Record *r)
{
	size_t at = 0;

	if (!r) {
		snprintf(to, n, "no record");
		return;
	}
	at = (size_t)snprintf(to, n, "record %llu.%llu {",
			      (unsigned long long)r->epoch,
			      (unsigned long long)r->version);
	for (size_t i = 0; i < r->n_in_sync && at < n; i++)
		at += (size_t)snprintf(to + at, n - at, "%s%u:%llx",
				       i ? " " : "", r->in_sync[i]->id,
				       (unsigned long long)
					       r->in_sync[i]->incarnation);
	if (at < n)
		snprintf(to + at, n - at, "}%s",
			 r->n_voters_next ? " voters change" : "");
}

static void one_ha(struct sim_machine *m, const Td__Ha *h)
{
	struct sim *s = m->s;
	char rec[160];

	switch (h->what_case) {
	case TD__HA__WHAT_TAKE:
		sim_story(s, "%s says TAKE %s %llu", m->name, h->take->unit,
			  (unsigned long long)h->take->epoch);
		break;
	case TD__HA__WHAT_REPORT:
		key(rec, sizeof(rec), h->report->record);
		sim_story(s, "%s says REPORT %s %llu %s, promised %llu, %s",
			  m->name, h->report->unit,
			  (unsigned long long)h->report->epoch,
			  h->report->granted ? "granted" : "refused",
			  (unsigned long long)h->report->promised, rec);
		break;
	case TD__HA__WHAT_RECORD:
		key(rec, sizeof(rec), h->record);
		sim_story(s, "%s says %s", m->name, rec);
		break;
	case TD__HA__WHAT_RELEASED:
		sim_story(s, "%s says RELEASED %s %llu of %u", m->name,
			  h->released->unit,
			  (unsigned long long)h->released->epoch,
			  h->released->node);
		break;
	case TD__HA__WHAT_MISS:
		sim_story(s, "%s says MISS of %zu units", m->name,
			  h->miss->n_units);
		break;
	case TD__HA__WHAT_SLOW:
		sim_story(s, "%s says SLOW %u", m->name, h->slow->node);
		break;
	case TD__HA__WHAT_COMMITTED:
		sim_story(s, "%s says COMMITTED %llu.%llu", m->name,
			  (unsigned long long)h->committed->epoch,
			  (unsigned long long)h->committed->version);
		break;
	case TD__HA__WHAT_JOIN:
		sim_story(s, "%s says JOIN", m->name);
		break;
	case TD__HA__WHAT_CAUGHT:
		sim_story(s, "%s says CAUGHT", m->name);
		break;
	default:
		break;
	}
}

void sim_story_message(struct sim_machine *m, const struct sim_msg *msg)
{
	const Td__Hello *h;
	Td__Envelope *e;
	char rec[160];

	if (msg->kind != SIM_DATA || td_envelope_unpack(msg->buf, msg->n, &e))
		return;
	for (size_t i = 0; i < e->n_ha; i++)
		one_ha(m, e->ha[i]);
	h = e->hello;
	if (h) {
		key(rec, sizeof(rec), h->record);
		sim_story(m->s, "%s says HELLO %llx/%llu%s%s%s, %s", m->name,
			  (unsigned long long)h->lineage,
			  (unsigned long long)h->index,
			  h->want_snapshot ? " wants a view" : "",
			  h->ask ? " asks" : "", h->silent ? " silent" : "",
			  rec);
	}
	if (e->sync)
		sim_story(m->s, "%s says PIECE %u of %u octets to %u", m->name,
			  e->sync->offset, e->sync->total_octets,
			  e->sync->to_node);
	td_envelope_free(e);
}
