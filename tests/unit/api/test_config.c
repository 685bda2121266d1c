// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/api/config.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "tests/unit/api/pairbus.h"
#include "tests/unit/api/rig.h"

/* Whole nodes as far as the configuration goes: cluster, store, control
 * socket, manager. One alone, or two over one order. */

static const char site[] =
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
	char dir[64], uri[96];
	struct node n[3];		/* by id */
	struct client client;
	uint64_t incarnation;
	bool solo, stored;
	int status;
};

static void on_site(void *arg, const struct td_site *s, uint64_t generation)
{
	struct node *n = arg;

	assert_true(td_config_site(n->config) == s || !n->config);
	n->told = generation;
	n->sites++;
}

static void on_ready(void *arg)
{
	((struct node *)arg)->ready = true;
}

static bool node_ready(void *arg)
{
	struct node *n = arg;

	return n->ready && (!n->store || td_store_ready(n->store));
}

static void boot(struct fix *f, uint32_t id, bool with_store)
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

static void halt(struct node *n)
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

static void boot_wait(struct fix *f, uint32_t id, bool with_store)
{
	boot(f, id, with_store);
	wait_for(f->loop, node_ready, &f->n[id]);
}

static struct fix *fix_new(bool solo)
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

static int setup_solo(void **state)
{
	*state = fix_new(true);
	boot_wait(*state, 1, true);
	return 0;
}

/* Node 1 has the database, node 2 has none. */
static int setup_pair(void **state)
{
	struct fix *f = *state = fix_new(false);

	boot(f, 1, true);
	boot_wait(f, 2, false);
	wait_for(f->loop, node_ready, &f->n[1]);
	return 0;
}

static int unlink_one(const char *path, const struct stat *st, int kind,
		      struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
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
static Td__Reply *ask(struct fix *f, uint32_t id, const char *verb,
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

static void import(struct fix *f, uint32_t id, const char *text,
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

static bool has_generation(void *arg)
{
	struct until *u = arg;

	return td_config_generation(u->n->config) == u->generation;
}

static void wait_generation(struct fix *f, uint32_t id, uint64_t generation)
{
	struct until u = { &f->n[id], generation };

	wait_for(f->loop, has_generation, &u);
}

/* The same site with another name: another document. */
static char *variant(const char *name)
{
	char *text;

	assert_true(asprintf(&text, "# %s\n%s", name, site) > 0);
	return text;
}

static void import_variant(struct fix *f, uint64_t want)
{
	char *text = variant("two");

	import(f, 1, text, want);
	free(text);
}

static void the_first_import_runs_at_once(void **state)
{
	struct fix *f = *state;
	struct node *n = &f->n[1];
	Td__Reply *r;

	assert_null(td_config_site(n->config));
	assert_string_equal(ask(f, 1, "extension list", NULL, NULL)->json,
			    "[]");
	assert_int_equal(ask(f, 1, "config export", NULL, NULL)->status, 1);
	assert_int_equal(ask(f, 1, "route del", "9", NULL)->status, 1);
	f->client.options[0] = "comment";
	f->client.options[1] = "first";
	import(f, 1, site, 1);
	assert_int_equal(n->sites, 1);
	assert_int_equal(n->told, 1);
	assert_string_equal(td_config_site(n->config)->name, "lab");
	r = ask(f, 1, "config export", NULL, NULL);
	assert_int_equal(r->body.len, sizeof(site) - 1);
	assert_memory_equal(r->body.data, site, sizeof(site) - 1);
	/* the same again is no change */
	r = ask(f, 1, "config import", "site.yaml", site);
	assert_string_equal(r->json, "{\"generation\":1,\"unchanged\":true}");
	r = ask(f, 1, "config log", NULL, NULL);
	assert_non_null(strstr(r->json, "\"comment\":\"first\""));
	assert_non_null(strstr(r->json, "\"running\":true"));
}

static void mistakes_change_nothing(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	r = ask(f, 1, "config import", "site.yaml",
		"site: {name: lab, domain: x, colour: red}\n"
		"nodes: [{name: n1, id: 1, address: 10.77.0.1}]\n"
		"routes: [{prefix: \"9\", group: nowhere}]\n");
	assert_int_equal(r->status, 1);
	assert_int_equal(r->n_problems, 2);
	assert_string_equal(r->problems[0]->where, "site.yaml:1");
	assert_string_equal(r->problems[1]->where, "site.yaml:3");
	assert_int_equal(td_config_generation(f->n[1].config), 1);
	r = ask(f, 1, "config check", "-", "nodes: 7\n");
	assert_int_equal(r->status, 1);
	assert_string_equal(r->problems[0]->where, "standard input:1");
	assert_int_equal(ask(f, 1, "config check", "x", site)->status, 0);
	f->client.options[0] = "group";
	f->client.options[1] = "nowhere";
	r = ask(f, 1, "route add", "8", NULL);
	assert_int_equal(r->status, 1);
	assert_string_equal(r->problems[0]->where, "route 8");
	assert_int_equal(f->n[1].sites, 1);
}

static void option(struct fix *f, int i, const char *name, const char *value)
{
	f->client.options[2 * i] = name;
	f->client.options[2 * i + 1] = value;
}

static void extensions_are_edited_as_generations(void **state)
{
	struct fix *f = *state;
	const struct td_site *s;
	char pw[64];
	Td__Reply *r;

	import(f, 1, site, 1);
	option(f, 0, "count", "10");
	option(f, 1, "password", "s{number}");
	r = ask(f, 1, "extension add", "2000", NULL);
	assert_int_equal(r->status, 0);
	assert_string_equal(r->json, "{\"extension\":\"2000-2009\","
				     "\"generation\":2}");
	s = td_config_site(f->n[1].config);
	assert_int_equal(td_site_password(s, "2009", pw, sizeof(pw)), 0);
	assert_string_equal(pw, "s2009");
	assert_int_equal(ask(f, 1, "extension add", "2009", NULL)->status, 1);
	/* a password that nobody chose is told */
	r = ask(f, 1, "extension add", "2010", NULL);
	assert_int_equal(r->status, 0);
	assert_non_null(strstr(r->json, "\"password\":\""));
	option(f, 0, "count", "9");
	assert_int_equal(ask(f, 1, "extension add", "3000", NULL)->status, 2);
	option(f, 0, "name", "Porter");
	assert_int_equal(ask(f, 1, "extension set", "2005", NULL)->status, 0);
	s = td_config_site(f->n[1].config);
	assert_string_equal(td_site_extension(s, "2005")->name, "Porter");
	assert_string_equal(td_site_extension(s, "2004")->name, "");
	assert_int_equal(ask(f, 1, "extension del", "2005", NULL)->status, 0);
	option(f, 0, "count", "1000");
	assert_int_equal(ask(f, 1, "extension del", "1000", NULL)->status, 0);
	s = td_config_site(f->n[1].config);
	assert_null(td_site_extension(s, "2005"));
	assert_null(td_site_extension(s, "1500"));
	assert_int_equal(ask(f, 1, "extension del", "1500", NULL)->status, 1);
	assert_int_equal(ask(f, 1, "extension set", "2004", NULL)->status, 2);
	assert_int_equal(ask(f, 1, "extension add", "12x", NULL)->status, 2);
	assert_int_equal(td_config_generation(f->n[1].config), 6);
	assert_int_equal(f->n[1].sites, 6);
}

static void routes_are_edited_as_generations(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	option(f, 0, "strip", "2");
	option(f, 1, "lines", "s1");
	assert_int_equal(ask(f, 1, "route add", "98", NULL)->status, 0);
	r = ask(f, 1, "route list", NULL, NULL);
	assert_non_null(strstr(r->json, "{\"prefix\":\"98\",\"strip\":2,"
					"\"add\":\"\",\"group\":\"\","
					"\"lines\":[\"s1\"]}"));
	assert_int_equal(ask(f, 1, "route del", "98", NULL)->status, 0);
	assert_int_equal(ask(f, 1, "route del", "98", NULL)->status, 1);
	option(f, 0, "strip", "x");
	assert_int_equal(ask(f, 1, "route add", "98", NULL)->status, 2);
	option(f, 0, "generation", "1");
	r = ask(f, 1, "config export", NULL, NULL);
	assert_int_equal(r->body.len, sizeof(site) - 1);
	option(f, 0, "generation", "99");
	assert_int_equal(ask(f, 1, "config export", NULL, NULL)->status, 1);
	assert_int_equal(td_config_generation(f->n[1].config), 3);
}

static void a_restart_finds_the_last_good_generation(void **state)
{
	struct fix *f = *state;

	import(f, 1, site, 1);
	halt(&f->n[1]);
	boot(f, 1, true);
	/* before the loop has turned once: from the disk */
	assert_int_equal(f->n[1].told, 1);
	wait_for(f->loop, node_ready, &f->n[1]);
	/* and the new cluster takes it over */
	wait_generation(f, 1, 1);
	import(f, 1, "site: {name: b, domain: c}\n"
		     "nodes: [{name: n1, id: 1, address: 10.0.0.1}]\n", 2);
	assert_int_equal(td_view_config(td_cluster_view(f->n[1].cluster))
				 ->generation, 2);
}

static void a_newer_generation_of_the_database_wins(void **state)
{
	struct fix *f = *state;
	char old[200], path[128];
	struct td_generation g = { 0 };

	import(f, 1, site, 1);
	snprintf(old, sizeof(old), "%s/old", f->dir);
	mkdir(old, 0700);
	halt(&f->n[1]);
	assert_int_equal(td_lastgood_load(f->n[1].dir, &g), 0);
	assert_int_equal(g.number, 1);
	boot_wait(f, 1, true);
	wait_generation(f, 1, 1);
	import_variant(f, 2);
	halt(&f->n[1]);
	/* the disk falls back, as a restored machine's would */
	assert_int_equal(td_lastgood_save(f->n[1].dir, &g), 0);
	boot(f, 1, true);
	assert_int_equal(f->n[1].told, 1);
	wait_generation(f, 1, 2);
	halt(&f->n[1]);
	/* a broken file is no generation */
	snprintf(path, sizeof(path), "%s/site.generation", f->n[1].dir);
	assert_int_equal(truncate(path, 100), 0);
	boot(f, 1, true);
	assert_int_equal(f->n[1].told, 0);
	wait_generation(f, 1, 2);
	td_generation_clear(&g);
}

static void what_does_not_pass_here_does_not_run(void **state)
{
	struct fix *f = *state;
	struct td_generation g = { .number = 7, .author = "x", .comment = "",
				   .content = "nonsense", .n = 8 };

	import(f, 1, site, 1);
	halt(&f->n[1]);
	td_generation_hash(g.content, g.n, g.sha256);
	assert_int_equal(td_lastgood_save(f->n[1].dir, &g), 0);
	boot(f, 1, true);
	assert_int_equal(f->n[1].told, 0);
	wait_generation(f, 1, 1);
}

static bool nothing_owed(void *arg)
{
	struct node *n = arg;
	json_t *d = td_config_dump(n->config);
	bool done = !json_integer_value(json_object_get(d, "contacts_owed"));

	json_decref(d);
	return done;
}

static void put_contact(struct node *n, const char *user, const char *uri,
			int64_t expires_in_ms)
{
	Td__Contact c = TD__CONTACT__INIT;
	Td__Op op = TD__OP__INIT;

	c.user = (char *)user;
	c.uri = (char *)uri;
	c.expires_ms = td_clock_wall_ms() + expires_in_ms;
	c.node = n->id;
	op.at_ms = td_clock_wall_ms();
	op.what_case = TD__OP__WHAT_CONTACT_PUT;
	op.contact_put = &c;
	assert_int_equal(td_cluster_submit(n->cluster, &op), 0);
}

static void del_contact(struct node *n, const char *user, const char *uri)
{
	Td__ContactDel d = TD__CONTACT_DEL__INIT;
	Td__Op op = TD__OP__INIT;

	d.user = (char *)user;
	d.uri = (char *)uri;
	op.at_ms = td_clock_wall_ms();
	op.what_case = TD__OP__WHAT_CONTACT_DEL;
	op.contact_del = &d;
	assert_int_equal(td_cluster_submit(n->cluster, &op), 0);
}

static void on_effect(void *arg, int status)
{
	*(bool *)arg = true;
}

static void settle(struct fix *f)
{
	bool held = false;

	assert_int_equal(td_cluster_effect(f->n[1].cluster, on_effect, &held),
			 0);
	wait_for(f->loop, wait_flag, &held);
	wait_for(f->loop, nothing_owed, &f->n[1]);
}

static unsigned int contacts(struct fix *f)
{
	struct td_view_counts c;

	td_view_counts(td_cluster_view(f->n[1].cluster), &c);
	return c.contacts;
}

static void a_solo_node_has_its_registrations_back(void **state)
{
	struct fix *f = *state;
	int64_t gone;
	char uri[32];

	for (int i = 0; i < 700; i++) {
		snprintf(uri, sizeof(uri), "sip:%d@10.0.0.1", i);
		put_contact(&f->n[1], i < 10 ? "1000" : uri + 4, uri, 3600000);
	}
	put_contact(&f->n[1], "1001", "sip:old@10.0.0.1", 30);
	del_contact(&f->n[1], "1000", "sip:3@10.0.0.1");
	gone = td_clock_wall_ms() + 30;
	settle(f);
	halt(&f->n[1]);
	while (td_clock_wall_ms() <= gone)	/* sip:old has expired */
		usleep(1000);
	boot_wait(f, 1, true);
	assert_int_equal(contacts(f), 699);
	assert_null(td_view_contact(td_cluster_view(f->n[1].cluster), "1000",
				    "sip:3@10.0.0.1"));
	/* "Contact: *", and one of them again */
	del_contact(&f->n[1], "1000", "");
	put_contact(&f->n[1], "1000", "sip:4@10.0.0.1", 3600000);
	settle(f);
	halt(&f->n[1]);
	boot_wait(f, 1, true);
	assert_int_equal(contacts(f), 691);
}

static void what_is_owed_to_the_store_is_written_at_the_end(void **state)
{
	struct fix *f = *state;
	bool held = false;

	put_contact(&f->n[1], "1000", "sip:a@10.0.0.1", 3600000);
	assert_int_equal(td_cluster_effect(f->n[1].cluster, on_effect, &held),
			 0);
	wait_for(f->loop, wait_flag, &held);
	halt(&f->n[1]);
	boot_wait(f, 1, true);
	assert_int_equal(contacts(f), 1);
}

static void the_mate_gets_it_without_a_database(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	assert_int_equal(f->n[2].told, 1);
	assert_string_equal(td_config_site(f->n[2].config)->name, "lab");
	/* its own changes need a database */
	r = ask(f, 2, "config import", "site.yaml", "site: {name: lab, domain: "
		"x}\nnodes: [{name: n1, id: 1, address: 10.0.0.1}]\n");
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->error, "database"));
	assert_int_equal(td_config_generation(f->n[1].config), 1);
	/* away while the others go on */
	halt(&f->n[2]);
	import_variant(f, 2);
	boot(f, 2, false);
	assert_int_equal(f->n[2].told, 1);
	wait_generation(f, 2, 2);
	assert_int_equal(f->n[2].sites, 2);
}

static void the_whole_cluster_starts_from_the_newest_disk(void **state)
{
	struct fix *f = *state;

	import(f, 1, site, 1);
	halt(&f->n[2]);
	import_variant(f, 2);
	halt(&f->n[1]);
	/* the one that is behind comes first, and nobody has a database */
	boot_wait(f, 2, false);
	assert_int_equal(f->n[2].told, 1);
	boot_wait(f, 1, false);
	wait_generation(f, 2, 2);
	wait_generation(f, 1, 2);
}

static void a_minority_changes_nothing(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	f->pair.cut = true;
	pair_change(&f->pair);
	do {
		r = ask(f, 1, "route del", "9", NULL);
	} while (!r->status);
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->error, "majority"));
	assert_int_equal(td_config_generation(f->n[1].config), 1);
}

struct both {
	struct client c[2];
	pthread_t t[2];
};

static bool both_done(void *arg)
{
	struct both *b = arg;

	return client_done(&b->c[0]) && client_done(&b->c[1]);
}

static void two_importers_never_split_the_cluster(void **state)
{
	struct fix *f = *state;
	char *text[2] = { variant("one"), variant("two") };

	halt(&f->n[2]);
	boot_wait(f, 2, true);
	for (int round = 0; round < 5; round++) {
		struct both b = { 0 };
		uint64_t before = td_config_generation(f->n[1].config), after;
		int won = 0;

		for (int i = 0; i < 2; i++) {
			b.c[i].path = f->n[i + 1].path;
			b.c[i].verb = "config import";
			b.c[i].args[0] = "x";
			text[i][2] = 'a' + round;
			b.c[i].body = text[i];
			b.c[i].n_body = strlen(text[i]);
			pthread_create(&b.t[i], NULL, client_thread, &b.c[i]);
		}
		wait_for(f->loop, both_done, &b);
		for (int i = 0; i < 2; i++) {
			pthread_join(b.t[i], NULL);
			assert_int_equal(b.c[i].rc, 0);
			won += !b.c[i].reply->status;
			td_reply_free(b.c[i].reply);
		}
		/* who was first may have been overtaken before it ran */
		assert_true(won >= 1);
		after = td_config_generation(f->n[1].config);
		assert_true(after >= before + won && after <= before + 2);
		wait_generation(f, 2, after);
		assert_int_equal(td_config_generation(f->n[1].config), after);
	}
	free(text[0]);
	free(text[1]);
}

#define SOLO(fn) cmocka_unit_test_setup_teardown(fn, setup_solo, teardown)
#define PAIR(fn) cmocka_unit_test_setup_teardown(fn, setup_pair, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOLO(the_first_import_runs_at_once),
		SOLO(mistakes_change_nothing),
		SOLO(extensions_are_edited_as_generations),
		SOLO(routes_are_edited_as_generations),
		SOLO(a_restart_finds_the_last_good_generation),
		SOLO(a_newer_generation_of_the_database_wins),
		SOLO(what_does_not_pass_here_does_not_run),
		SOLO(a_solo_node_has_its_registrations_back),
		SOLO(what_is_owed_to_the_store_is_written_at_the_end),
		PAIR(the_mate_gets_it_without_a_database),
		PAIR(the_whole_cluster_starts_from_the_newest_disk),
		PAIR(a_minority_changes_nothing),
		PAIR(two_importers_never_split_the_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
