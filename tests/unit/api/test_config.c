// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "proto/base/clock.h"
#include "tests/unit/api/nodes.h"

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
					"\"lines\":[\"s1\"],\"transit\":false}"));
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
	char path[128];
	struct td_generation g = { 0 };

	import(f, 1, site, 1);
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

static void sqlite(struct fix *f, const char *text)
{
	sqlite3 *db;
	char *err = NULL;

	assert_int_equal(sqlite3_open(f->uri + 7, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, &err))
		fail_msg("%s", err);
	sqlite3_close(db);
}

static void a_solo_nodes_database_is_edited_by_sql(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	sqlite(f, "UPDATE config_route SET strip = 0");
	wait_generation(f, 1, 2);
	assert_int_equal(td_config_site(f->n[1].config)->routes[0].strip, 0);
	/* to nowhere: the daemon says so */
	sqlite(f, "UPDATE config_route SET line_group = 'moon'");
	do {
		r = ask(f, 1, "config apply", NULL, NULL);
	} while (!r->status);
	assert_non_null(strstr(r->problems[0]->what, "leads nowhere"));
	assert_int_equal(ask(f, 1, "config check", NULL, NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config rollback", NULL, NULL)->status, 0);
	assert_int_equal(ask(f, 1, "config check", NULL, NULL)->status, 0);
	r = ask(f, 1, "config rollback", "1", NULL);
	assert_string_equal(r->json, "{\"generation\":3}");
	assert_int_equal(td_config_site(f->n[1].config)->routes[0].strip, 1);
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

struct durable {
	struct fix *f;
	unsigned int n;
	bool done, owed;
	int status;
};

/* The last of the effects: had the disk all of it by then? */
static void on_durable(void *arg, int status)
{
	struct durable *d = arg;

	d->status |= status;
	d->owed |= !nothing_owed(&d->f->n[1]);
	d->done = !--d->n;
}

static void an_effect_waits_until_the_disk_has_the_registration(void **state)
{
	struct fix *f = *state;
	struct durable d = { .f = f, .n = 1 };
	json_t *o;

	put_contact(&f->n[1], "1000", "sip:a@10.0.0.1", 3600000);
	assert_int_equal(td_config_effect(f->n[1].config, on_durable, &d), 0);
	wait_for(f->loop, wait_flag, &d.done);
	assert_int_equal(d.status, 0);
	assert_false(d.owed);
	/* "Contact: *" and one anew, which share a key with what is owed */
	put_contact(&f->n[1], "1000", "sip:b@10.0.0.1", 3600000);
	del_contact(&f->n[1], "1000", "");
	put_contact(&f->n[1], "1000", "sip:b@10.0.0.1", 3600000);
	d.n = 1;
	d.done = false;
	assert_int_equal(td_config_effect(f->n[1].config, on_durable, &d), 0);
	wait_for(f->loop, wait_flag, &d.done);
	/* nothing changes: nothing is waited for */
	d.n = 1;
	d.done = false;
	assert_int_equal(td_config_effect(f->n[1].config, on_durable, &d), 0);
	assert_true(d.done);
	o = td_config_dump(f->n[1].config);
	assert_int_equal(json_integer_value(json_object_get(
		json_object_get(o, "contacts"), "undurable")), 0);
	json_decref(o);
	halt(&f->n[1]);
	boot_wait(f, 1, true);
	assert_int_equal(contacts(f), 1);
}

/* Somebody holds the database's lock, as a disk that hangs would. */
static void a_disk_that_hangs_is_not_waited_for(void **state)
{
	struct fix *f = *state;
	struct durable d = { .f = f, .n = 2 };
	char path[512];
	sqlite3 *db;
	json_t *o;

	snprintf(path, sizeof(path), "%s/site.db", f->dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE,
					 NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
			 SQLITE_OK);
	put_contact(&f->n[1], "1000", "sip:a@10.0.0.1", 3600000);
	assert_int_equal(td_config_effect(f->n[1].config, on_durable, &d), 0);
	put_contact(&f->n[1], "1000", "sip:b@10.0.0.1", 3600000);
	assert_int_equal(td_config_effect(f->n[1].config, on_durable, &d), 0);
	wait_for(f->loop, wait_flag, &d.done);
	assert_int_equal(d.status, 0);
	assert_true(d.owed);
	o = td_config_dump(f->n[1].config);
	assert_int_equal(json_integer_value(json_object_get(
		json_object_get(o, "contacts"), "undurable")), 2);
	json_decref(o);
	/* it works again: what is owed is written */
	sqlite3_close(db);
	wait_for(f->loop, nothing_owed, &f->n[1]);
	halt(&f->n[1]);
	boot_wait(f, 1, true);
	assert_int_equal(contacts(f), 2);
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

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup_solo, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_first_import_runs_at_once),
		CASE(mistakes_change_nothing),
		CASE(extensions_are_edited_as_generations),
		CASE(routes_are_edited_as_generations),
		CASE(a_restart_finds_the_last_good_generation),
		CASE(a_newer_generation_of_the_database_wins),
		CASE(what_does_not_pass_here_does_not_run),
		CASE(a_solo_nodes_database_is_edited_by_sql),
		CASE(a_solo_node_has_its_registrations_back),
		CASE(an_effect_waits_until_the_disk_has_the_registration),
		CASE(a_disk_that_hangs_is_not_waited_for),
		CASE(what_is_owed_to_the_store_is_written_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
