// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/lease.h"

int td_lease_take(struct td_lease *l, uint64_t epoch, int64_t end_ns,
		  int64_t now_ns)
{
	if (!epoch || end_ns > now_ns + TD_LEASE_MAX_S * 1000000000LL)
		return -EINVAL;
	td_lease_held(l, now_ns);
	if (epoch <= l->over || epoch < l->epoch)
		return -ESTALE;
	if (end_ns <= now_ns) {
		/* late news: it has been over before it began, or is a renewal
		 * that adds nothing to what is held */
		if (epoch != l->epoch)
			td_lease_end(l, epoch);
		return -ESTALE;
	}
	if (epoch > l->epoch) {
		l->over = epoch - 1;
		l->epoch = epoch;
		l->end_ns = end_ns;
	} else if (end_ns > l->end_ns) {
		l->end_ns = end_ns;
	}
	return 0;
}

void td_lease_end(struct td_lease *l, uint64_t epoch)
{
	if (epoch > l->over)
		l->over = epoch;
	if (l->epoch && l->epoch <= l->over) {
		l->epoch = 0;
		l->end_ns = 0;
	}
}

void td_lease_drop(struct td_lease *l)
{
	if (l->epoch)
		td_lease_end(l, l->epoch);
}

bool td_lease_held(struct td_lease *l, int64_t now_ns)
{
	if (!l->epoch)
		return false;
	if (now_ns < l->end_ns)
		return true;
	l->lapsed++;
	td_lease_drop(l);
	return false;
}
