// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

/* What users have set: the worked example of README.md. */

static bool says_nothing(const Td__User *u)
{
	return !u->dnd && !u->no_answer_s && !*u->forward_all &&
	       !*u->forward_busy && !*u->forward_no_answer &&
	       !*u->forward_unreachable;
}

int td_apply_user_put(struct td_view *v, Td__Op *op, uint32_t from,
		      bool *moved)
{
	int rc;

	if (!*op->user_put->user)
		return -EINVAL;
	if (says_nothing(op->user_put)) {
		td_view_del_user(v, op->user_put->user);
		return 0;
	}
	rc = td_view_put_user(v, op->user_put);
	if (!rc)
		*moved = true;
	return rc;
}
