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

static const struct td_site_line *find_conf(const struct td_isdn *isdn,
					    const struct td_site *site,
					    const char *name)
{
	for (size_t i = 0; i < site->n_lines; i++)
		if (!strcmp(site->lines[i].name, name) &&
		    wired_here(isdn, &site->lines[i]))
			return &site->lines[i];
	return NULL;
}

/* Another line of the same name. Who owns it goes on owning it, and would not
 * say so again. */
static int replace_line(struct td_isdn *isdn, struct td_isdn_line **at,
			const struct td_site_line *conf)
{
	bool active = (*at)->active;
	struct td_isdn_line *line;
	int rc;

	drop_line(isdn, at);
	rc = td_line_new(isdn, conf, &line);
	if (rc)
		return rc;
	line->next = *at;
	*at = line;
	if (active && line->port)
		rc = td_line_activate(line, true);
	return rc;
}

int td_isdn_set_site(struct td_isdn *isdn, const struct td_site *site)
{
	struct td_isdn_line **at = &isdn->lines;
	int rc = 0;

	while (*at) {
		const struct td_site_line *is = &(*at)->conf, *want;

		want = find_conf(isdn, site, is->name);
		if (want && want->port == is->port && want->side == is->side &&
		    want->dchannel == is->dchannel) {
			(*at)->conf = *want;
			at = &(*at)->next;
		} else if (want) {
			int err = replace_line(isdn, at, want);

			if (!err || td_line_find(isdn, want->name))
				at = &(*at)->next;
			rc = rc ? rc : err;
		} else {
			drop_line(isdn, at);
		}
	}
	for (size_t i = 0; i < site->n_lines; i++) {
		const struct td_site_line *conf = &site->lines[i];

		if (!wired_here(isdn, conf) || td_line_find(isdn, conf->name))
			continue;
		int err = td_line_new(isdn, conf, at);

		if (err)
			return err;
		at = &(*at)->next;
	}
	return rc;
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
