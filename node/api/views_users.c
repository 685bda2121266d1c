// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "node/api/views_i.h"

/* How users want to be called: rows of the view, not of the configuration,
 * since they change them by themselves at any time. */

void views_on_users(void *arg, struct td_control_req *req)
{
	struct td_view_iter it = { 0 };
	json_t *list = json_array();
	const Td__User *u;

	while ((u = td_view_users(views_view(arg), &it)))
		json_array_append_new(list, json_pack(
			"{s:s, s:b, s:s, s:s}", "user", u->user, "dnd", u->dnd,
			"forward_all", u->forward_all, "forward_unreachable",
			u->forward_unreachable));
	td_control_reply_json(req, list);
}

/** Digits, `*` and `#`, as a phone can dial them; empty: nowhere. */
static bool dialable(const char *number)
{
	size_t n = strlen(number);

	return n < TD_NUMBER_MAX && strspn(number, "0123456789*#") == n;
}

/* @return 0, or -EINVAL: answered */
static int number_option(struct td_control_req *req, const char *name,
			 char **out)
{
	const char *s = td_control_option(req, name);

	if (!s)
		return 0;
	if (!dialable(s)) {
		td_control_reply_error(req, 2, "--%s %s: digits, * and # only, "
				       "%d at most", name, s,
				       TD_NUMBER_MAX - 1);
		return -EINVAL;
	}
	*out = (char *)s;
	return 0;
}

static int dnd_option(struct td_control_req *req, protobuf_c_boolean *out)
{
	const char *s = td_control_option(req, "dnd");

	if (!s)
		return 0;
	if (strcmp(s, "yes") && strcmp(s, "no")) {
		td_control_reply_error(req, 2, "--dnd %s: say yes or no", s);
		return -EINVAL;
	}
	*out = !strcmp(s, "yes");
	return 0;
}

static void on_held(void *arg, int status)
{
	struct td_control_req *req = arg;

	if (status)
		td_control_reply_error(req, 1, "not set: this node is in a "
				       "minority now");
	else
		td_control_reply_json(req, json_pack("{s:s}", "user",
						     td_control_arg(req, 0)));
}

static void refuse(struct td_control_req *req, int rc)
{
	if (rc == -ENOTSUP)
		td_control_reply_error(req, 1, "a node of this cluster runs a "
				       "version that does not know this yet");
	else if (rc == -EAGAIN)
		td_control_reply_error(req, 1, "too much is under way, try "
				       "again");
	else
		td_control_reply_error(req, 1, "the cluster takes nothing now: "
				       "%s", strerror(-rc));
}

void views_on_user_set(void *arg, struct td_control_req *req)
{
	struct td_views *v = arg;
	const struct td_site *s = views_site(v);
	const char *number = td_control_arg(req, 0);
	const Td__User *old = td_view_user(views_view(v), number);
	Td__User u = TD__USER__INIT;
	Td__Op op = TD__OP__INIT;
	int rc;

	if (!s || !td_site_extension(s, number)) {
		td_control_reply_error(req, 1, "%s: no such extension",
				       number);
		return;
	}
	if (old)
		u = *old;
	u.user = (char *)number;
	if (dnd_option(req, &u.dnd) ||
	    number_option(req, "forward-all", &u.forward_all) ||
	    number_option(req, "forward-unreachable", &u.forward_unreachable))
		return;
	op.what_case = TD__OP__WHAT_USER_PUT;
	op.user_put = &u;
	rc = td_cluster_submit(v->cfg.cluster, &op);
	if (!rc)
		rc = td_cluster_effect(v->cfg.cluster, on_held, req);
	if (rc)
		refuse(req, rc);
}
