/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to node/api. */
#ifndef TD_API_VIEWS_I_H
#define TD_API_VIEWS_I_H

#include "node/api/views.h"

struct hangup;

struct td_views {
	struct td_views_cfg cfg;
	struct hangup *hangups;		/* that wait for their calls to go */
};

/** Argument 0 as a call's id. @return 0, or -EINVAL: answered */
int views_call_arg(struct td_control_req *req, uint64_t *id);

/* views_hangup.c */
void views_on_hangup(void *arg, struct td_control_req *req);
/** Answers those that wait: the daemon ends. */
void views_hangup_end(struct td_views *v);

/** "2026-11-24T12:00:00Z"; null for 0. */
json_t *views_time(int64_t ms);
/** Name of a node by the view, else by the configuration, else its number. */
json_t *views_node_name(const struct td_views *v, uint32_t id);
/** Of `status`: every unit's owner by the view. */
json_t *views_units(const struct td_views *v);
const struct td_site *views_site(const struct td_views *v);
const struct td_view *views_view(const struct td_views *v);

/* verbs of views_view.c */
void views_on_view(void *arg, struct td_control_req *req);
void views_on_dump(void *arg, struct td_control_req *req);
void views_on_ops(void *arg, struct td_control_req *req);

/* verbs of views_users.c */
void views_on_users(void *arg, struct td_control_req *req);
void views_on_user_set(void *arg, struct td_control_req *req);

#endif
