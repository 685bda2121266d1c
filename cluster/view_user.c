// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/view_priv.h"

int td_view_user_cmp(const void *key, const struct td_table_node *n)
{
	return strcmp(key, td_row_of(n, struct td_user_row, at)->u->user);
}

static struct td_user_row *find(const struct td_view *v, const char *user)
{
	struct td_table_node *n = td_table_find(&v->settings, user);

	return n ? td_row_of(n, struct td_user_row, at) : NULL;
}

const Td__User *td_view_user(const struct td_view *v, const char *user)
{
	struct td_user_row *r = find(v, user);

	return r ? r->u : NULL;
}

int td_view_put_user(struct td_view *v, Td__User *u)
{
	struct td_user_row *r = find(v, u->user);

	if (r) {
		td_view_touch(v, TD_ROWS_USERS, &r->at);
		protobuf_c_message_free_unpacked(&r->u->base, NULL);
		r->u = u;
		return 0;
	}
	if (v->settings.count >= TD_VIEW_MAX_USERS)
		return -ENOSPC;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->u = u;
	td_view_born(v, &r->stamp);
	td_table_add(&v->settings, u->user, &r->at);
	return 0;
}

void td_view_del_user(struct td_view *v, const char *user)
{
	struct td_user_row *r = find(v, user);

	if (!r)
		return;
	td_view_leave(v, TD_ROWS_USERS, &r->at);
	td_table_del(&v->settings, &r->at);
	protobuf_c_message_free_unpacked(&r->u->base, NULL);
	free(r);
}
