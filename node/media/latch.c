// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/latch.h"

#include <stddef.h>

static const int64_t fresh_ns = 5 * 1000000000ll;

void td_latch_set(struct td_latch *l, const struct td_addr *signalled,
		  bool symmetric)
{
	bool same = signalled ? td_addr_equal(&l->signalled, signalled) :
				!l->signalled.len;

	if (!same || symmetric != l->symmetric)
		l->locked = (struct td_addr){ 0 };
	l->signalled = signalled ? *signalled : (struct td_addr){ 0 };
	l->symmetric = symmetric;
}

bool td_latch_accept(struct td_latch *l, const struct td_addr *from,
		     int64_t now_ns, bool *moved)
{
	*moved = false;
	if (l->locked.len && td_addr_equal(&l->locked, from)) {
		l->last_ns = now_ns;
		return true;
	}
	if (!td_addr_equal(&l->signalled, from)) {
		if (l->locked.len && now_ns - l->last_ns < fresh_ns)
			return false;
		if (!l->symmetric && !td_addr_same_host(&l->signalled, from))
			return false;
	}
	l->locked = *from;
	l->last_ns = now_ns;
	*moved = true;
	return true;
}

const struct td_addr *td_latch_to(const struct td_latch *l)
{
	if (l->symmetric && l->locked.len)
		return &l->locked;
	return l->signalled.len ? &l->signalled : NULL;
}
