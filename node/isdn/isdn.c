// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/isdn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/isdn/room.h"
#include "proto/base/log.h"

static void on_poll(void *arg)
{
	struct td_isdn *isdn = arg;
	uint64_t next_ms = TD_ISDN_POLL_MS;

	for (struct td_isdn_line *l = isdn->lines; l; l = l->next) {
		td_line_check_row(l);
		if (!l->row_valid)	/* refused: not joined yet, mostly */
			next_ms = TD_ISDN_RETRY_MS;
	}
	if (td_isdn_drop_row(isdn))
		next_ms = TD_ISDN_RETRY_MS;
	isdn->env.timer_start(isdn->env.arg, &isdn->poll, next_ms, on_poll,
			      isdn);
}

int td_isdn_new_env(const struct td_isdn_env *env, struct td_isdn **out)
{
	struct td_isdn *isdn = calloc(1, sizeof(*isdn));
	int rc;

	if (!isdn)
		return -ENOMEM;
	isdn->env = *env;
	isdn->deferred_last = &isdn->deferred;
	rc = env->timer_start(env->arg, &isdn->poll, TD_ISDN_RETRY_MS, on_poll,
			      isdn);
	if (rc) {
		free(isdn);
		return rc;
	}
	*out = isdn;
	return 0;
}

void td_isdn_unbind(struct td_isdn *isdn)
{
	for (struct td_isdn_line *l = isdn->lines; l; l = l->next)
		td_line_unbind(l);
}

int td_isdn_bind(struct td_isdn *isdn)
{
	int rc = 0;

	for (struct td_isdn_line *l = isdn->lines; l; l = l->next) {
		int err = td_line_bind(l);

		rc = rc ? rc : err;
	}
	return rc;
}

void *td_isdn_env_arg(struct td_isdn *isdn)
{
	return isdn->env.arg;
}

static void free_legs(struct td_isdn *isdn)
{
	while (isdn->idle) {
		struct td_isdn_leg *leg = isdn->idle;

		leg->owned = false;
		leg->call = NULL;
		leg->busy = 0;
		td_isdn_leg_free(leg);
	}
}

static void drop_line(struct td_isdn *isdn, struct td_isdn_line **at)
{
	struct td_isdn_line *line = *at;

	td_line_retire(line);
	*at = line->next;
	td_line_free(line);
}

void td_isdn_free(struct td_isdn *isdn)
{
	if (!isdn)
		return;
	while (isdn->lines)
		drop_line(isdn, &isdn->lines);
	free_legs(isdn);
	isdn->env.timer_stop(isdn->env.arg, &isdn->poll);
	isdn->env.timer_stop(isdn->env.arg, &isdn->later);
	free(isdn->wanted);
	if (isdn->env.free)
		isdn->env.free(isdn->env.arg);
	free(isdn);
}

static bool wired_here(const struct td_isdn *isdn,
		       const struct td_site_line *conf)
{
	for (unsigned int i = 0; i < conf->n_nodes; i++)
		if (conf->nodes[i] == isdn->env.node_id)
			return true;
	return false;
}

static const struct td_site_line *wanted(const struct td_isdn *isdn,
					 const char *name)
{
	for (size_t i = 0; i < isdn->n_wanted; i++)
		if (!strcmp(isdn->wanted[i].name, name))
			return &isdn->wanted[i];
	return NULL;
}

static int take_wanted(struct td_isdn *isdn, const struct td_site *site)
{
	struct td_site_line *all = calloc(site->n_lines + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < site->n_lines; i++)
		if (wired_here(isdn, &site->lines[i]))
			all[n++] = site->lines[i];
	free(isdn->wanted);
	isdn->wanted = all;
	isdn->n_wanted = n;
	return 0;
}

/* Where the line is in the list. */
static struct td_isdn_line **place_of(struct td_isdn *isdn,
				      const struct td_isdn_line *line)
{
	struct td_isdn_line **at = &isdn->lines;

	while (*at && *at != line)
		at = &(*at)->next;
	return at;
}

void td_isdn_line_left(struct td_isdn *isdn, struct td_isdn_line *line)
{
	struct td_isdn_line **at = place_of(isdn, line), *anew;
	const struct td_site_line *conf = wanted(isdn, line->conf.name);
	bool active = line->active;
	int rc = 0;

	drop_line(isdn, at);
	if (conf)
		rc = td_line_new(isdn, conf, &anew);
	if (conf && !rc) {
		anew->next = *at;
		*at = anew;
		/* who owns it goes on owning it, and will not say so again */
		if (active && anew->port)
			rc = td_line_activate(anew, true);
	}
	if (rc)
		td_err("isdn", "ISDN-LINE", "span=%s: %s", conf->name,
		       strerror(-rc));
	/* its row goes too */
	isdn->env.timer_start(isdn->env.arg, &isdn->poll, 0, on_poll, isdn);
	if (!td_isdn_retiring(isdn) && isdn->env.retired)
		isdn->env.retired(isdn->env.arg);
}

static bool same_line(const struct td_site_line *a,
		      const struct td_site_line *b)
{
	return a->port == b->port && a->side == b->side &&
	       a->dchannel == b->dchannel;
}

int td_isdn_set_site(struct td_isdn *isdn, const struct td_site *site)
{
	struct td_isdn_line **at;
	int rc = take_wanted(isdn, site);

	if (rc)
		return rc;
	for (struct td_isdn_line *l = isdn->lines; l; l = l->next) {
		const struct td_site_line *want = wanted(isdn, l->conf.name);

		if (want && same_line(want, &l->conf) && !l->leaving)
			l->conf = *want;
		else
			td_line_withdraw(l);
	}
	for (at = &isdn->lines; *at; at = &(*at)->next)
		;
	for (size_t i = 0; i < isdn->n_wanted; i++) {
		if (td_line_find(isdn, isdn->wanted[i].name))
			continue;
		rc = td_line_new(isdn, &isdn->wanted[i], at);
		if (rc)
			return rc;
		at = &(*at)->next;
	}
	return 0;
}

bool td_isdn_retiring(const struct td_isdn *isdn)
{
	for (const struct td_isdn_line *l = isdn->lines; l; l = l->next)
		if (l->leaving)
			return true;
	return false;
}

int td_isdn_activate(struct td_isdn *isdn, const char *name, bool active)
{
	struct td_isdn_line *line = td_line_find(isdn, name);

	return line ? td_line_activate(line, active) : -ENOENT;
}

unsigned int td_isdn_idle_channels(const struct td_isdn *isdn,
				   const char *name)
{
	const struct td_isdn_line *line = td_line_find(isdn, name);

	if (!line || !td_line_ready(line))
		return 0;
	return (unsigned int)__builtin_popcount(td_line_free_channels(line));
}

json_t *td_isdn_dump(const struct td_isdn *isdn)
{
	json_t *lines = json_array();

	for (const struct td_isdn_line *l = isdn->lines; l; l = l->next)
		json_array_append_new(lines, td_line_dump(l));
	return json_pack("{s:o}", "lines", lines);
}
