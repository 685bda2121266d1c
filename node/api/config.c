// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/api/config.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/config_i.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

/* When several nodes know a generation that the cluster does not, the lowest
 * of them proposes it; the others wait their turn in case it cannot. */
enum { PROPOSE_MS = 300, RANK_MS = 1000, RETRY_MS = 1000 };

int config_generation_copy(struct td_generation *to,
			   const struct td_generation *from)
{
	char *content = malloc(from->n + 1);

	if (!content)
		return -ENOMEM;
	memcpy(content, from->content, from->n);
	content[from->n] = '\0';
	*to = *from;
	to->content = content;
	return 0;
}

static bool from_row(const Td__Config *row, struct td_generation *g)
{
	if (row->sha256.len != sizeof(g->sha256))
		return false;
	*g = (struct td_generation){ .number = row->generation,
				     .at_ms = row->at_ms,
				     .content = (char *)row->content.data,
				     .n = row->content.len };
	td_str_cut(g->author, sizeof(g->author), row->author);
	memcpy(g->sha256, row->sha256.data, sizeof(g->sha256));
	if (row->secret.len == sizeof(g->secret))
		memcpy(g->secret, row->secret.data, sizeof(g->secret));
	return true;
}

static bool same(const struct td_generation *a, const struct td_generation *b)
{
	return a->number == b->number &&
	       !memcmp(a->sha256, b->sha256, sizeof(a->sha256));
}

static void complain(const struct td_generation *g, const struct td_problems *p,
		     int rc)
{
	for (size_t i = 0; i < p->n; i++)
		td_err("config", "CONFIG-BAD", "generation=%llu %s: %s",
		       (unsigned long long)g->number, p->p[i].where,
		       p->p[i].what);
	if (!p->n)
		td_err("config", "CONFIG-BAD", "generation=%llu error=\"%s\"",
		       (unsigned long long)g->number, strerror(-rc));
}

int config_parse(const struct td_generation *g, struct td_site **site)
{
	struct td_problems p = { 0 };
	uint8_t sum[32];
	int rc = -EBADMSG;

	td_generation_hash(g->content, g->n, sum);
	if (!memcmp(sum, g->sha256, sizeof(sum)))
		rc = td_site_parse("generation", g->content, g->n, site, &p);
	if (rc)
		complain(g, &p, rc);
	td_problems_free(&p);
	return rc;
}

/* It runs from now on. @return 0, or it does not pass and the old goes on */
static int adopt(struct td_config *c, const struct td_generation *g, bool save)
{
	struct td_generation copy;
	struct td_site *site;
	int rc;

	rc = config_parse(g, &site);
	if (!rc) {
		rc = config_generation_copy(&copy, g);
		if (rc)
			td_site_free(site);
	}
	if (rc) {
		c->bad = g->number;
		c->refused_bad++;
		return rc;
	}
	td_site_free(c->before);
	c->before = c->site;
	c->site = site;
	td_generation_clear(&c->gen);
	c->gen = copy;
	td_info("config", "generation=%llu lines=%zu extensions=%zu routes=%zu",
		(unsigned long long)copy.number, site->n_lines,
		site->n_extensions, site->n_routes);
	if (save)
		config_saver_put(c->saver, &c->gen);
	return 0;
}

static void announce(struct td_config *c)
{
	c->switches++;
	if (c->cfg.on_site)
		c->cfg.on_site(c->cfg.arg, c->site, c->gen.number);
}

unsigned int config_rank(const struct td_config *c)
{
	uint32_t below = td_cluster_in_sync(c->cfg.cluster) &
			 ((1u << td_cluster_node_id(c->cfg.cluster)) - 1);

	return __builtin_popcount(below);
}

/* The greatest generation that this node knows and the cluster does not run.
 * @return false: none */
static bool candidate(struct td_config *c, struct td_generation *best)
{
	const struct td_view *v = td_cluster_view(c->cfg.cluster);
	const Td__Config *row = td_view_config(v);
	const Td__Config *next = td_view_config_next(v);
	uint64_t at_least = row ? row->generation : 0;
	struct td_generation g;
	bool any = false;

	if (c->gen.content && c->gen.number > at_least) {
		*best = c->gen;
		at_least = c->gen.number;
		any = true;
	}
	/* whoever prepared it did not get to the switch */
	if (next && next->generation > at_least && from_row(next, &g)) {
		*best = g;
		at_least = g.number;
		any = true;
	}
	if (c->newest.content && c->newest.number > at_least &&
	    c->newest.number != c->bad) {
		*best = c->newest;
		any = true;
	}
	return any;
}

static void on_propose_time(void *arg);

static void on_proposed(void *arg, int status)
{
	struct td_config *c = arg;

	/* no majority, or leaving: the next change of state looks again */
	if (status == -ECANCELED || !c->started)
		return;
	if (status) {
		td_info("config", "proposal failed: %s", strerror(-status));
		td_timer_start(c->cfg.loop, &c->propose_timer, RETRY_MS,
			       on_propose_time, c);
	}
	config_reconcile(c);
}

static void on_propose_time(void *arg)
{
	struct td_config *c = arg;
	struct td_generation best;
	struct td_site *site;

	if (!c->started || c->propose.busy || c->change ||
	    td_cluster_state(c->cfg.cluster) != TD_CLUSTER_RUNNING ||
	    !candidate(c, &best))
		return;
	/* what does not pass here would not pass anywhere */
	if (!same(&best, &c->gen)) {
		if (config_parse(&best, &site)) {
			c->bad = best.number;
			c->refused_bad++;
			return;
		}
		td_site_free(site);
	}
	if (config_propose(c, &best, on_proposed, c))
		td_timer_start(c->cfg.loop, &c->propose_timer, RETRY_MS,
			       on_propose_time, c);
}

/* The cluster's generation, if it is another than ours. */
static void follow(struct td_config *c)
{
	const Td__Config *row =
		td_view_config(td_cluster_view(c->cfg.cluster));
	struct td_generation g;

	if (!row || row->generation < c->gen.number || !from_row(row, &g) ||
	    (c->gen.content && same(&g, &c->gen)) || g.number == c->bad)
		return;
	if (!adopt(c, &g, true))
		announce(c);
}

void config_reconcile(struct td_config *c)
{
	struct td_generation best;
	uint64_t delay;

	if (!c->started ||
	    td_cluster_state(c->cfg.cluster) != TD_CLUSTER_RUNNING)
		return;
	follow(c);
	if (c->newest.content && c->newest.number <= c->gen.number)
		td_generation_clear(&c->newest);
	/* the change at hand brings its own generation in */
	if (c->propose.busy || c->change || !candidate(c, &best) ||
	    td_timer_running(&c->propose_timer))
		return;
	delay = td_cluster_in_sync(c->cfg.cluster) ?
			PROPOSE_MS + (uint64_t)RANK_MS * config_rank(c) : 0;
	td_timer_start(c->cfg.loop, &c->propose_timer, delay, on_propose_time,
		       c);
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct td_config *c = arg;

	if (!c->started)
		return;
	if (!op || op->what_case == TD__OP__WHAT_CONFIG_SWITCH) {
		config_reconcile(c);
		if (c->tables)
			config_tables_look(c->tables, false);
	}
	if (op && c->contacts)
		config_contacts_applied(c->contacts, op);
}

static void tell_ready(void *arg)
{
	struct td_config *c = arg;

	if (c->ready)
		return;
	c->ready = true;
	if (c->cfg.on_ready)
		c->cfg.on_ready(c->cfg.arg);
}

static void on_state(void *arg)
{
	struct td_config *c = arg;

	if (!c->started)
		return;
	config_reconcile(c);
	if (c->tables)
		config_tables_look(c->tables, false);
	if (c->contacts)
		config_contacts_state(c->contacts);
	else if (td_cluster_state(c->cfg.cluster) == TD_CLUSTER_RUNNING)
		tell_ready(c);
}

static void on_newest(void *arg, int status, const struct td_generation *g,
		      size_t n)
{
	struct td_config *c = arg;

	c->asking = false;
	if (!c->started)
		return;
	if (!status && n && g->number > c->gen.number &&
	    g->number != c->bad) {
		td_generation_clear(&c->newest);
		if (config_generation_copy(&c->newest, g))
			td_warn("config", "CONFIG-MEMORY", "no memory");
	}
	if (c->ask_again)
		config_ask_store(c);
	config_reconcile(c);
}

void config_ask_store(struct td_config *c)
{
	c->ask_again = c->asking;
	if (!c->started || c->asking || !td_store_ready(c->cfg.store))
		return;
	c->asking = !td_store_generation_last(c->cfg.store, on_newest, c);
}

static void on_store(void *arg)
{
	struct td_config *c = arg;

	if (!c->started)
		return;
	config_ask_store(c);
	config_tables_look(c->tables, false);
	if (c->contacts)
		config_contacts_state(c->contacts);
}

static void read_disk(struct td_config *c)
{
	struct td_generation g;
	int rc = td_lastgood_load(c->cfg.state_dir, &g);

	if (rc) {
		if (rc != -ENOENT)
			td_warn("config", "CONFIG-DISK", "dir=%s error=\"%s\"",
				c->cfg.state_dir, strerror(-rc));
		return;
	}
	adopt(c, &g, false);
	/* the same number from the cluster may still pass */
	c->bad = 0;
	td_generation_clear(&g);
}

int td_config_new(const struct td_config_cfg *cfg, struct td_config **out)
{
	struct td_config *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	rc = config_saver_new(cfg->loop, cfg->state_dir, &c->saver);
	if (!rc && cfg->store)
		rc = config_tables_new(c, &c->tables);
	if (!rc && cfg->solo && cfg->store)
		rc = config_contacts_new(cfg, tell_ready, c, &c->contacts);
	if (!rc && cfg->control)
		rc = config_verbs_register(c);
	if (!rc)
		rc = td_cluster_watch(cfg->cluster, on_applied, c);
	if (!rc)
		rc = td_cluster_watch_state(cfg->cluster, on_state, c);
	if (rc) {
		td_config_free(c);
		return rc;
	}
	read_disk(c);
	*out = c;
	return 0;
}

int td_config_start(struct td_config *c)
{
	c->started = true;
	if (c->site)
		announce(c);
	if (c->cfg.store) {
		td_store_watch(c->cfg.store, on_store, c);
		on_store(c);
	}
	on_state(c);
	return 0;
}

void td_config_stop(struct td_config *c)
{
	if (!c || !c->started)
		return;
	c->started = false;
	if (c->cfg.store)
		td_store_watch(c->cfg.store, NULL, NULL);
	td_timer_stop(&c->propose_timer);
	if (c->tables)
		config_tables_stop(c->tables);
	if (c->contacts)
		config_contacts_stop(c->contacts);
}

void td_config_free(struct td_config *c)
{
	if (!c)
		return;
	config_contacts_free(c->contacts);
	config_tables_free(c->tables);
	config_saver_free(c->saver);
	td_generation_clear(&c->propose.gen);
	td_generation_clear(&c->newest);
	td_generation_clear(&c->gen);
	td_site_free(c->site);
	td_site_free(c->before);
	free(c);
}

const struct td_site *td_config_site(const struct td_config *c)
{
	return c->site;
}

uint64_t td_config_generation(const struct td_config *c)
{
	return c->gen.number;
}

bool config_has_secret(const struct td_generation *g)
{
	static const uint8_t none[sizeof(g->secret)];

	return memcmp(g->secret, none, sizeof(none)) != 0;
}

int td_config_secret(const struct td_config *c, const char *purpose,
		     uint8_t key[32])
{
	/* a generation from before there was a secret: what it says is secret
	 * and the same everywhere, too */
	const uint8_t *from = config_has_secret(&c->gen) ? c->gen.secret
							 : c->gen.sha256;

	if (!c->gen.content)
		return -ENOENT;
	if (!HMAC(EVP_sha256(), from, 32, (const unsigned char *)purpose,
		  strlen(purpose), key, NULL))
		return -ENOMEM;
	return 0;
}

int td_config_effect(struct td_config *c, td_effect_fn fn, void *arg)
{
	return c->contacts ? config_contacts_effect(c->contacts, fn, arg) :
			     td_cluster_effect(c->cfg.cluster, fn, arg);
}

json_t *td_config_dump(const struct td_config *c)
{
	json_t *o = json_pack(
		"{s:I, s:I, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:s}",
		"generation", (json_int_t)c->gen.number, "newest",
		(json_int_t)c->newest.number, "changing", c->change != NULL,
		"proposing", (int)c->propose.busy, "store",
		c->cfg.store && td_store_ready(c->cfg.store), "switches",
		(json_int_t)c->switches, "proposals", (json_int_t)c->proposals,
		"refused_bad", (json_int_t)c->refused_bad, "contacts_owed",
		(json_int_t)(c->contacts ? config_contacts_owed(c->contacts)
					 : 0),
		"store_error", c->cfg.store ? td_store_error(c->cfg.store)
					    : "no database configured");

	if (o && c->contacts)
		json_object_set_new(o, "contacts",
				    config_contacts_dump(c->contacts));
	if (o && c->tables)
		json_object_set_new(o, "tables", config_tables_dump(c->tables));
	return o;
}
