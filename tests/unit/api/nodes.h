/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_API_NODES_H
#define TEST_API_NODES_H

#include <errno.h>
#include <ftw.h>
#include <stdint.h>

#include "node/api/config.h"
#include "proto/base/log.h"
#include "tests/unit/api/pairbus.h"
#include "tests/unit/api/rig.h"

/* Whole nodes as far as the configuration goes: cluster, store, control
 * socket, manager. One alone, or two over one order. */

static const char site[] __attribute__((unused)) =
	"# a comment that export keeps\n"
	"site: {name: lab, domain: tandem.lab}\n"
	"nodes:\n"
	"  - {name: n1, id: 1, address: 10.77.0.1, cluster_address: 10.78.0.1}\n"
	"  - {name: n2, id: 2, address: 10.77.0.2, cluster_address: 10.78.0.2}\n"
	"lines: [{name: s1, port: 1, nodes: [n1], group: pstn}]\n"
	"extensions: [{range: 1000-1999, password: \"pw{number}\"}]\n"
	"routes: [{prefix: \"9\", strip: 1, group: pstn}]\n";

struct node {
	struct fix *f;
	uint32_t id;
	char *dir, path[108];
	struct td_cluster *cluster;
	struct td_store *store;
	struct td_control *control;
	struct td_config *config;
	uint64_t told;			/* generation of the last on_site */
	unsigned int sites;
	bool ready;
};

struct fix {
	struct td_loop *loop;
	struct pair pair;
	char dir[64], uri[160];
	struct node n[3];		/* by id */
	struct client client;
	uint64_t incarnation;
	bool solo, stored;
	int status;
};

static inline void on_site(void *arg, const struct td_site *s,
			   uint64_t generation)
{
	struct node *n = arg;

	assert_true(td_config_site(n->config) == s || !n->config);
	n->told = generation;
	n->sites++;
}

static inline void on_ready(void *arg)
{
	((struct node *)arg)->ready = true;
}

static inline bool node_ready(void *arg)
{
	struct node *n = arg;

	return n->ready && (!n->store || td_store_ready(n->store));
}

static inline void boot(struct fix *f, uint32_t id, bool with_store)
{
	struct node *n = &f->n[id];
	struct td_cluster_cfg cc = { .node_id = id, .name = id == 1 ? "n1"
								    : "n2",
				     .version = "0",
				     .incarnation = ++f->incarnation };
	struct td_config_cfg cfg = { .loop = f->loop, .solo = f->solo,
				     .on_site = on_site, .on_ready = on_ready,
				     .arg = n };

	free(n->dir);
	memset(n, 0, sizeof(*n));
	n->f = f;
	n->id = id;
	assert_true(asprintf(&n->dir, "%s/%u", f->dir, id) > 0);
	mkdir(n->dir, 0700);
	snprintf(n->path, sizeof(n->path), "%s/c", n->dir);
	if (with_store)
		assert_int_equal(td_store_open(f->loop, f->uri, &n->store), 0);
	if (f->solo)
		assert_int_equal(td_bus_local_new(f->loop, id, &cc.bus), 0);
	else
		cc.bus = pair_join(&f->pair, id);
	assert_int_equal(td_cluster_new(f->loop, &cc, &n->cluster), 0);
	assert_int_equal(td_control_new(f->loop, n->path, NULL, &n->control),
			 0);
	cfg.cluster = n->cluster;
	cfg.store = n->store;
	cfg.control = n->control;
	cfg.state_dir = n->dir;
	assert_int_equal(td_config_new(&cfg, &n->config), 0);
	assert_int_equal(n->sites, 0);
	assert_int_equal(td_config_start(n->config), 0);
}

static inline void halt(struct node *n)
{
	if (!n->config)
		return;
	td_config_stop(n->config);
	td_control_free(n->control);
	td_cluster_free(n->cluster);
	td_store_close(n->store);
	td_config_free(n->config);
	n->config = NULL;
}

static inline void boot_wait(struct fix *f, uint32_t id, bool with_store)
{
	boot(f, id, with_store);
	wait_for(f->loop, node_ready, &f->n[id]);
}

static inline struct fix *fix_new(bool solo)
{
	struct fix *f = calloc(1, sizeof(*f));

	td_log_level_set((enum td_log_level)-1);
	f->solo = solo;
	strcpy(f->dir, "/tmp/td-config-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->uri, sizeof(f->uri), "sqlite:%s/site.db", f->dir);
	assert_int_equal(td_loop_new(&f->loop), 0);
	f->pair.loop = f->loop;
	return f;
}

static inline int setup_solo(void **state)
{
	*state = fix_new(true);
	boot_wait(*state, 1, true);
	return 0;
}

/* Node 1 has the database, node 2 has none. */
static inline int setup_pair(void **state)
{
	struct fix *f = *state = fix_new(false);

	boot(f, 1, true);
	boot_wait(f, 2, false);
	wait_for(f->loop, node_ready, &f->n[1]);
	return 0;
}

static inline int unlink_one(const char *path, const struct stat *st, int kind,
		      struct FTW *ftw)
{
	return remove(path);
}

static inline int teardown(void **state)
{
	struct fix *f = *state;

	halt(&f->n[1]);
	halt(&f->n[2]);
	pair_end(&f->pair);
	td_loop_free(f->loop);
	free(f->n[1].dir);
	free(f->n[2].dir);
	td_reply_free(f->client.reply);
	nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* `tandem verb args…` at node id; args end with NULL, options follow */
static inline Td__Reply *ask(struct fix *f, uint32_t id, const char *verb,
		      const char *arg, const char *body)
{
	struct client *c = &f->client;

	c->path = f->n[id].path;
	c->verb = verb;
	c->args[0] = arg;
	c->body = body;
	c->n_body = body ? strlen(body) : 0;
	client_ask(f->loop, c);
	assert_int_equal(c->rc, 0);
	memset(c->options, 0, sizeof(c->options));
	return c->reply;
}

static inline void import(struct fix *f, uint32_t id, const char *text,
		   uint64_t want)
{
	Td__Reply *r = ask(f, id, "config import", "site.yaml", text);
	char json[64];

	if (r->status)
		fail_msg("%s", r->error);
	snprintf(json, sizeof(json), "\"generation\":%llu",
		 (unsigned long long)want);
	assert_non_null(strstr(r->json, json));
}

struct until {
	struct node *n;
	uint64_t generation;
};

static inline bool has_generation(void *arg)
{
	struct until *u = arg;

	return td_config_generation(u->n->config) == u->generation;
}

static inline void wait_generation(struct fix *f, uint32_t id,
				   uint64_t generation)
{
	struct until u = { &f->n[id], generation };

	wait_for(f->loop, has_generation, &u);
}

/* The same site with another name: another document. */
static inline char *variant(const char *name)
{
	char *text;

	assert_true(asprintf(&text, "# %s\n%s", name, site) > 0);
	return text;
}

static inline void import_variant(struct fix *f, uint64_t want)
{
	char *text = variant("two");

	import(f, 1, text, want);
	free(text);
}

#endif
