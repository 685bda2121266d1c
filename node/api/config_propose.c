// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/config_i.h"
#include "proto/base/clock.h"

/* config_prepare carries the document; when the mates hold it,
 * config_switch names it. An effect's -ESTALE may be the fault of any op of
 * this node, so the view is asked what became of ours. */

static bool is(const Td__Config *row, const struct td_generation *g)
{
	return row && row->generation == g->number &&
	       row->sha256.len == sizeof(g->sha256) &&
	       !memcmp(row->sha256.data, g->sha256, sizeof(g->sha256));
}

static void finish(struct td_config *c, int status)
{
	config_proposed_fn fn = c->propose.fn;
	void *arg = c->propose.arg;

	td_generation_clear(&c->propose.gen);
	c->propose = (struct config_propose){ 0 };
	fn(arg, status);
}

static void on_switched(void *arg, int status)
{
	struct td_config *c = arg;
	const struct td_view *v = td_cluster_view(c->cfg.cluster);

	if (status != -ECANCELED)
		status = is(td_view_config(v), &c->propose.gen) ? 0 : -ESTALE;
	finish(c, status);
}

static void on_prepared(void *arg, int status)
{
	struct td_config *c = arg;
	const struct td_view *v = td_cluster_view(c->cfg.cluster);
	Td__ConfigSwitch sw = TD__CONFIG_SWITCH__INIT;
	Td__Op op = TD__OP__INIT;
	int rc;

	if (status == -ECANCELED) {
		finish(c, status);
		return;
	}
	/* a mate may have switched to it for us */
	if (is(td_view_config(v), &c->propose.gen)) {
		finish(c, 0);
		return;
	}
	if (!is(td_view_config_next(v), &c->propose.gen)) {
		finish(c, -ESTALE);
		return;
	}
	sw.generation = c->propose.gen.number;
	sw.sha256.data = c->propose.gen.sha256;
	sw.sha256.len = sizeof(c->propose.gen.sha256);
	op.at_ms = td_clock_wall_ms();
	op.what_case = TD__OP__WHAT_CONFIG_SWITCH;
	op.config_switch = &sw;
	rc = td_cluster_submit(c->cfg.cluster, &op);
	if (!rc)
		rc = td_cluster_effect(c->cfg.cluster, on_switched, c);
	if (rc)
		finish(c, rc);
}

static int submit_prepare(struct td_config *c)
{
	struct td_generation *g = &c->propose.gen;
	Td__Config row = TD__CONFIG__INIT;
	Td__Op op = TD__OP__INIT;

	row.generation = g->number;
	row.sha256.data = g->sha256;
	row.sha256.len = sizeof(g->sha256);
	row.content.data = (uint8_t *)g->content;
	row.content.len = g->n;
	if (config_has_secret(g)) {
		row.secret.data = g->secret;
		row.secret.len = sizeof(g->secret);
	}
	row.author = g->author;
	row.at_ms = g->at_ms;
	op.at_ms = td_clock_wall_ms();
	op.what_case = TD__OP__WHAT_CONFIG_PREPARE;
	op.config_prepare = &row;
	return td_cluster_submit(c->cfg.cluster, &op);
}

int config_propose(struct td_config *c, const struct td_generation *gen,
		   config_proposed_fn fn, void *arg)
{
	int rc;

	if (c->propose.busy)
		return -EBUSY;
	rc = config_generation_copy(&c->propose.gen, gen);
	if (rc)
		return rc;
	c->propose.busy = true;
	c->propose.fn = fn;
	c->propose.arg = arg;
	rc = submit_prepare(c);
	if (!rc)
		rc = td_cluster_effect(c->cfg.cluster, on_prepared, c);
	if (rc) {
		td_generation_clear(&c->propose.gen);
		c->propose = (struct config_propose){ 0 };
		return rc;
	}
	c->proposals++;
	return 0;
}
