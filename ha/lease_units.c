// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "ha/lease_priv.h"

/* first that is not before name */
static unsigned int place(const struct td_lease *l, const char *name)
{
	unsigned int lo = 0, hi = l->n_units;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (strcmp(l->unit[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct unit *unit_find(const struct td_lease *l, const char *name)
{
	unsigned int i = place(l, name);

	return i < l->n_units && !strcmp(l->unit[i]->name, name) ?
		l->unit[i] : NULL;
}

/** Finds or makes it. NULL: too many, no memory, or no name. */
struct unit *unit_get(struct td_lease *l, const char *name)
{
	unsigned int i = place(l, name);
	size_t n = strlen(name);
	struct unit *u;

	if (i < l->n_units && !strcmp(l->unit[i]->name, name))
		return l->unit[i];
	if (l->n_units >= TD_VIEW_MAX_UNITS || !n || n > TD_UNIT_NAME_OCTETS)
		return NULL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	memcpy(u->name, name, n);
	u->lead = !strcmp(name, TD_UNIT_LEAD);
	u->heard_ms = l->now_ms;
	u->tried_ms = u->shy_ms = u->ownerless_ms = NEVER;
	for (unsigned int k = 0; k <= MAX_ID; k++) {
		u->acked[k].at_ms = NEVER;
		u->miss_ms[k] = NEVER;
	}
	memmove(&l->unit[i + 1], &l->unit[i],
		(l->n_units - i) * sizeof(l->unit[0]));
	l->unit[i] = u;
	l->n_units++;
	return u;
}

void units_free(struct td_lease *l)
{
	while (l->n_units)
		free(l->unit[--l->n_units]);
}

void td_lease_seen(struct td_lease *l, const char *unit, uint64_t epoch)
{
	struct unit *u = unit_get(l, unit);

	if (u && epoch > u->seen && epoch <= EPOCH_MAX)
		u->seen = epoch;
}
