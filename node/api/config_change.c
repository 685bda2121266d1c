// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "node/api/config_i.h"
#include "proto/base/clock.h"
#include "proto/base/str.h"

/* A change on its way: number from the store, row in the store, prepared and
 * switched in the cluster, then the answer. One at a time on a node; between
 * nodes the store's unique number decides. */

struct config_change {
	struct td_config *c;
	struct td_control_req *req;
	struct td_generation gen;
	json_t *result;
	bool edit;
};

static unsigned long long number(const struct config_change *ch)
{
	return ch->gen.number;
}

/* After the answer. */
static void end(struct config_change *ch)
{
	struct td_config *c = ch->c;

	c->change = NULL;
	json_decref(ch->result);
	td_generation_clear(&ch->gen);
	free(ch);
	config_reconcile(c);
}

/* Why the store did not do it, in its own words if it has any. */
static const char *reason(const struct config_change *ch, int status)
{
	const char *text = td_store_error(ch->c->cfg.store);

	return *text ? text : strerror(-status);
}

static void on_proposed(void *arg, int status)
{
	struct config_change *ch = arg;

	if (!status) {
		json_object_set_new(ch->result, "generation",
				    json_integer(ch->gen.number));
		td_control_reply_json(ch->req, json_incref(ch->result));
	} else if (status == -ESTALE) {
		td_control_reply_error(ch->req, 1,
				       "generation %llu is stored, but a newer "
				       "one runs already: see `tandem config "
				       "log'", number(ch));
	} else {
		td_control_reply_error(ch->req, 1,
				       "generation %llu is stored but does not "
				       "run yet: this node is not in a "
				       "majority; it will be switched to when "
				       "there is one", number(ch));
	}
	/* it is not forgotten: whoever can proposes it later */
	if (status)
		config_ask_store(ch->c);
	end(ch);
}

static void on_added(void *arg, int status)
{
	struct config_change *ch = arg;
	int rc;

	switch (status) {
	case 0:
		rc = ch->c->started ? config_propose(ch->c, &ch->gen,
						     on_proposed, ch)
				    : -ECANCELED;
		if (rc)
			on_proposed(ch, rc);
		return;
	case -EEXIST:
		td_control_reply_error(ch->req, 1,
				       "somebody else was faster: try again");
		break;
	case -ENOTCONN:
	case -EAGAIN:
		td_control_reply_error(ch->req, 1,
				       "the database cannot be reached, "
				       "nothing was changed: %s",
				       reason(ch, status));
		break;
	case -EIO:
	case -ETIMEDOUT:
	case -ECANCELED:
		td_control_reply_error(ch->req, 1,
				       "the database went away while "
				       "generation %llu was being stored: see "
				       "`tandem config log' whether it was",
				       number(ch));
		break;
	default:
		td_control_reply_error(ch->req, 1,
				       "the database did not take it, nothing "
				       "was changed: %s", reason(ch, status));
		break;
	}
	end(ch);
}

/* All generations have the secret of the one before; the first makes it.
 * @return 0 or -EIO */
static int secret(struct td_generation *to, const struct td_generation *running,
		  const struct td_generation *stored)
{
	const struct td_generation *from =
		config_has_secret(running) ? running : stored;
	ssize_t n = sizeof(to->secret);

	if (from && config_has_secret(from))
		memcpy(to->secret, from->secret, sizeof(to->secret));
	else
		n = getrandom(to->secret, sizeof(to->secret), 0);
	return n == sizeof(to->secret) ? 0 : -EIO;
}

static void on_last(void *arg, int status, const struct td_generation *g,
		    size_t n)
{
	struct config_change *ch = arg;
	struct td_config *c = ch->c;
	uint64_t last = n ? g->number : 0;
	int rc;

	if ((status && status != -ENOENT) || !c->started) {
		td_control_reply_error(ch->req, 1,
				       "the database cannot be reached, "
				       "nothing was changed: %s",
				       c->started ? reason(ch, status)
						  : "the daemon is ending");
		end(ch);
		return;
	}
	if (ch->edit && last > c->gen.number) {
		td_control_reply_error(ch->req, 1,
				       "generation %llu is stored and being "
				       "switched to: try again",
				       (unsigned long long)last);
		end(ch);
		return;
	}
	if (last < c->gen.number)
		last = c->gen.number;
	ch->gen.number = last + 1;
	rc = secret(&ch->gen, &c->gen, n ? g : NULL);
	if (!rc)
		rc = td_store_generation_add(c->cfg.store, &ch->gen, on_added,
					     ch);
	if (rc)
		on_added(ch, rc);
}

/* @return NULL: go on; else what is in the way */
static const char *obstacle(const struct td_config *c)
{
	if (!c->started)
		return "the daemon is starting or ending: try again";
	if (td_cluster_state(c->cfg.cluster) != TD_CLUSTER_RUNNING)
		return "this node is not in a majority of the cluster, "
		       "nothing was changed";
	if (!c->cfg.store)
		return "no database is configured (node.yaml: database), "
		       "nothing was changed";
	if (!td_store_ready(c->cfg.store))
		return "the database cannot be reached, nothing was changed";
	if (c->change || c->propose.busy)
		return "another change is under way on this node: try again";
	return NULL;
}

void config_change_start(struct td_config *c, struct td_control_req *req,
			 char *content, size_t n, const char *comment,
			 json_t *result, bool edit)
{
	const char *why = obstacle(c);
	struct config_change *ch = NULL;
	int rc = 0;

	if (!result)
		result = json_object();
	if (!why)
		ch = calloc(1, sizeof(*ch));
	if (!ch || !result) {
		td_control_reply_error(req, 1, "%s",
				       why ? why : strerror(ENOMEM));
		json_decref(result);
		free(content);
		free(ch);
		return;
	}
	*ch = (struct config_change){ .c = c, .req = req, .edit = edit,
				      .result = result };
	ch->gen.content = content;
	ch->gen.n = n;
	ch->gen.at_ms = td_clock_wall_ms();
	td_str_cut(ch->gen.author, sizeof(ch->gen.author), td_control_who(req));
	td_str_cut(ch->gen.comment, sizeof(ch->gen.comment), comment);
	td_str_trim_utf8(ch->gen.author);
	td_str_trim_utf8(ch->gen.comment);
	td_generation_hash(content, n, ch->gen.sha256);
	c->change = ch;
	rc = td_store_generation_last(c->cfg.store, on_last, ch);
	if (rc)
		on_last(ch, rc, NULL, 0);
}
