// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/bug.h"

#ifdef TD_SIM

#include <stdlib.h>

#include "cluster/cluster_priv.h"
#include "cluster/view_priv.h"

unsigned long long td_cluster_bug_floor(const struct td_cluster *c)
{
	uint64_t max = 0;

	if (td_cluster_bug(c, TD_CBUG_OWN_APPLY) || !c->holders.need)
		return UINT64_MAX;
	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++)
		if (c->holders.by[i].held > max)
			max = c->holders.by[i].held;
	return max;
}

void td_cluster_bug_keep_rows(const struct td_view *from, struct td_view *to)
{
	struct td_view_iter i = { 0 };
	const Td__Contact *c;

	while ((c = td_view_contacts(from, &i))) {
		Td__Contact *copy;
		uint8_t *buf;
		size_t n;

		if (td_view_contact(to, c->user, c->uri) ||
		    td_contact_pack(c, &buf, &n))
			continue;
		if (!td_contact_unpack(buf, n, &copy) &&
		    td_view_put_contact(to, copy))
			td_contact_free(copy);
		free(buf);
	}
}

#endif
