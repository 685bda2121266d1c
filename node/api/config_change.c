// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "node/api/config_i.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* A change on its way: number from the store, row in the store, prepared and
 * switched in the cluster, then the answer. One at a time on a node; between
 * nodes the store's unique number decides. */

struct config_change {
	struct td_config *c;
	struct td_control_req *req;	/* NULL: the tables were edited */
	struct td_generation gen;
	struct td_site *site;
	uint64_t serial;
	bool edit, force, failed;
	json_t *result;
};

static unsigned long long number(const struct config_change *ch)
{
	return ch->gen.number;
}

/* After the answer. */
static void end(struct config_change *ch)
{
	struct td_config *c = ch->c;
	bool again = ch->failed && !ch->req;

	c->change = NULL;
	json_decref(ch->result);
	td_site_free(ch->site);
	td_generation_clear(&ch->gen);
	free(ch);
	config_reconcile(c);
	/* what became of the edit, if it was one */
	if (c->tables)
		config_tables_look(c->tables, again);
}

/* It did not become the running generation. */
static void failed(struct config_change *ch, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void failed(struct config_change *ch, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ch->failed = true;
	if (ch->req)
		td_control_reply_error(ch->req, 1, "%s", text);
	else
		td_info("config", "edit=%llu by=\"%s\": %s",
			(unsigned long long)ch->serial, ch->gen.author, text);
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

	if (!status && ch->req) {
		json_object_set_new(ch->result, "generation",
				    json_integer(ch->gen.number));
		td_control_reply_json(ch->req, json_incref(ch->result));
	} else if (status == -ESTALE) {
		failed(ch, "generation %llu is stored, but a newer one runs "
			   "already: see `tandem config log'", number(ch));
	} else if (status) {
		failed(ch, "generation %llu is stored but does not run yet: "
			   "this node is not in a majority; it will be "
			   "switched to when there is one", number(ch));
	}
	/* it is not forgotten: whoever can proposes it later */
	if (status)
		config_ask_store(ch->c);
	end(ch);
}

static const char *refused_text(int status)
{
	switch (status) {
	case -EEXIST:
		return "somebody else was faster: try again";
	case -ESTALE:
		return "the tables were edited meanwhile: try again";
	case -EBUSY:
		return "the database's tables have edits that are no "
		       "generation yet: see `tandem config check', `tandem "
		       "config diff'; `tandem config rollback' drops them";
	case -ETXTBSY:
		return "somebody's transaction holds the database's tables: "
		       "try again when it has ended";
	default:
		return NULL;
	}
}

static void on_put(void *arg, int status)
{
	struct config_change *ch = arg;
	const char *text = refused_text(status);
	int rc;

	if (!status) {
		rc = ch->c->started ? config_propose(ch->c, &ch->gen,
						     on_proposed, ch)
				    : -ECANCELED;
		if (rc)
			on_proposed(ch, rc);
		return;
	}
	if (text)
		failed(ch, "%s", text);
	else if (status == -ENOTCONN || status == -EAGAIN)
		failed(ch, "the database cannot be reached, nothing was "
			   "changed: %s", reason(ch, status));
	else if (status == -EIO || status == -ETIMEDOUT ||
		 status == -ECANCELED)
		failed(ch, "the database went away while generation %llu was "
			   "being stored: see `tandem config log' whether it "
			   "was", number(ch));
	else
		failed(ch, "the database did not take it, nothing was "
			   "changed: %s", reason(ch, status));
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

static int store(struct config_change *ch)
{
	struct td_store_put p = {
		.gen = &ch->gen, .site = ch->site, .serial = ch->serial,
		.force = ch->force, .who = ch->gen.author,
	};

	return td_store_put(ch->c->cfg.store, &p, on_put, ch);
}

static void on_last(void *arg, int status, const struct td_generation *g,
		    size_t n)
{
	struct config_change *ch = arg;
	struct td_config *c = ch->c;
	uint64_t last = n ? g->number : 0;
	int rc;

	if ((status && status != -ENOENT) || !c->started) {
		failed(ch, "the database cannot be reached, nothing was "
			   "changed: %s", c->started ? reason(ch, status)
						     : "the daemon is ending");
		end(ch);
		return;
	}
	if (ch->edit && last > c->gen.number && last != c->bad) {
		failed(ch, "generation %llu is stored and being switched to: "
			   "try again", (unsigned long long)last);
		end(ch);
		return;
	}
	if (last < c->gen.number)
		last = c->gen.number;
	ch->gen.number = last + 1;
	rc = secret(&ch->gen, &c->gen, n ? g : NULL);
	if (!rc)
		rc = store(ch);
	if (rc)
		on_put(ch, rc);
}

const char *config_obstacle(const struct td_config *c)
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

void config_change_start(struct td_config *c, const struct config_want *want)
{
	const char *why = config_obstacle(c);
	struct config_change *ch = calloc(1, sizeof(*ch));
	struct config_change none = { .c = c, .req = want->req,
				      .serial = want->serial };
	json_t *result = want->result ? want->result : json_object();
	int rc;

	if (!why && (!ch || !result))
		why = strerror(ENOMEM);
	if (why) {
		failed(&none, "%s", why);
		json_decref(result);
		td_site_free(want->site);
		free(want->content);
		free(ch);
		return;
	}
	*ch = (struct config_change){
		.c = c, .req = want->req, .site = want->site,
		.serial = want->serial, .edit = want->edit,
		.force = want->force, .result = result,
	};
	ch->gen.content = want->content;
	ch->gen.n = want->n;
	ch->gen.at_ms = td_clock_wall_ms();
	td_str_cut(ch->gen.author, sizeof(ch->gen.author), want->author);
	td_str_cut(ch->gen.comment, sizeof(ch->gen.comment), want->comment);
	td_str_trim_utf8(ch->gen.author);
	td_str_trim_utf8(ch->gen.comment);
	td_generation_hash(ch->gen.content, ch->gen.n, ch->gen.sha256);
	c->change = ch;
	rc = td_store_generation_last(c->cfg.store, on_last, ch);
	if (rc)
		on_last(ch, rc, NULL, 0);
}
