// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/nodes.h"
#include "tests/unit/store/pgserver.h"

/* Two nodes with a real PostgreSQL, and somebody with psql. */

struct world {
	struct fix *f;
	struct pgserver pg;	/* one for all cases */
};

static int start_server(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	pg_init(&w->pg);
	pg_start(&w->pg);
	return 0;
}

static int stop_server(void **state)
{
	struct world *w = *state;

	pg_remove(&w->pg);
	free(w);
	return 0;
}

static void sql(struct world *w, const char *text)
{
	char out[2048];

	if (pg_psql(&w->pg, text, out, sizeof(out)))
		fail_msg("%s: %s", text, out);
}

static int setup(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f = fix_new(false);

	snprintf(f->uri, sizeof(f->uri), "%s", w->pg.uri);
	boot(f, 1, true);
	boot_wait(f, 2, true);
	wait_for(f->loop, node_ready, &f->n[1]);
	return 0;
}

static int stop(void **state)
{
	struct world *w = *state;
	void *f = w->f;

	teardown(&f);
	sql(w, "SET client_min_messages = error;"
	       "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	return 0;
}

static long value(struct world *w, const char *text)
{
	char out[2048];

	if (pg_psql(&w->pg, text, out, sizeof(out)))
		fail_msg("%s: %s", text, out);
	return atol(out);
}

static void both_run(struct world *w, uint64_t generation)
{
	wait_generation(w->f, 1, generation);
	wait_generation(w->f, 2, generation);
}

static void an_edit_by_sql_becomes_a_generation_of_both_nodes(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	Td__Reply *r;

	import(f, 1, site, 1);
	sql(w, "UPDATE config_route SET strip = 0");
	both_run(w, 2);
	assert_int_equal(td_config_site(f->n[1].config)->routes[0].strip, 0);
	assert_int_equal(td_config_site(f->n[2].config)->routes[0].strip, 0);
	r = ask(f, 2, "config log", NULL, NULL);
	assert_non_null(strstr(r->json, "\"author\":\"tandem\",\"comment\":"
					"\"edited in the database\""));
	/* what leads back to what runs is no generation */
	sql(w, "UPDATE config_route SET strip = 1;"
	       "UPDATE config_route SET strip = 0");
	assert_int_equal(ask(f, 1, "config apply", NULL, NULL)->status, 0);
	assert_int_equal(td_config_generation(f->n[1].config), 2);
	assert_int_equal(value(w, "SELECT max(number) FROM generation"), 2);
	/* and the verbs go on from there */
	assert_int_equal(ask(f, 2, "route del", "9", NULL)->status, 0);
	assert_int_equal(value(w, "SELECT count(*) FROM config_route"), 0);
	both_run(w, 3);
}

static void the_first_generation_may_come_by_sql(void **state)
{
	struct world *w = *state;

	sql(w, "BEGIN;"
	       "INSERT INTO config_site (name, domain) VALUES ('a', 'b.c');"
	       "INSERT INTO config_node (name, id, address, cluster_address) "
	       "VALUES ('n1', 1, '10.0.0.1', '10.1.0.1'), "
	       "('n2', 2, '10.0.0.2', '10.1.0.2');"
	       "COMMIT");
	both_run(w, 1);
	assert_string_equal(td_config_site(w->f->n[2].config)->domain, "b.c");
}

/* More extensions than there may be: the tables do not count them. */
static const char too_many[] =
	"INSERT INTO config_extension (first, last, password) "
	"VALUES ('00000', '99999', 'x')";

static bool refused(void *arg)
{
	return value(arg, "SELECT count(*) FROM config_refusal") > 0;
}

static void a_bad_edit_changes_nothing_and_is_told(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	Td__Reply *r;

	import(f, 1, site, 1);
	sql(w, too_many);
	wait_for(f->loop, refused, w);
	assert_int_equal(td_config_generation(f->n[1].config), 1);
	assert_int_equal(value(w, "SELECT count(*) FROM config_refusal "
				  "WHERE by_whom = 'tandem' AND what LIKE "
				  "'more than 100000%'"), 1);
	r = ask(f, 2, "config check", NULL, NULL);
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->problems[0]->what, "more than 100000"));
	r = ask(f, 1, "config apply", NULL, NULL);
	assert_int_equal(r->status, 1);
	assert_int_equal(r->n_problems, 1);
	r = ask(f, 2, "config log", NULL, NULL);
	assert_non_null(strstr(r->json, "\"refused: extension"));
	/* other changes would drop it, so they are refused */
	r = ask(f, 1, "route del", "9", NULL);
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->error, "config rollback"));
	/* told once, whoever looks */
	assert_int_equal(value(w, "SELECT count(*) FROM config_refusal"), 1);
	/* mended it passes */
	sql(w, "UPDATE config_extension SET last = '00009' "
	       "WHERE first = '00000'");
	both_run(w, 2);
	assert_non_null(td_site_extension(td_config_site(f->n[2].config),
					  "00009"));
}

static void a_rollback_drops_edits_or_brings_a_generation_back(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	Td__Reply *r;

	import(f, 1, site, 1);
	sql(w, too_many);
	wait_for(f->loop, refused, w);
	r = ask(f, 2, "config rollback", NULL, NULL);
	assert_int_equal(r->status, 0);
	assert_string_equal(r->json, "{\"generation\":1,\"dropped\":true}");
	assert_int_equal(ask(f, 2, "config rollback", NULL, NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config check", NULL, NULL)->status, 0);
	assert_int_equal(ask(f, 1, "route del", "9", NULL)->status, 0);
	both_run(w, 2);
	r = ask(f, 2, "config rollback", "1", NULL);
	assert_int_equal(r->status, 0);
	assert_string_equal(r->json, "{\"generation\":3}");
	both_run(w, 3);
	assert_int_equal(td_config_site(f->n[1].config)->n_routes, 1);
	assert_int_equal(value(w, "SELECT count(*) FROM config_route"), 1);
	/* also out of edits that do not pass */
	sql(w, too_many);
	r = ask(f, 1, "config rollback", "2", NULL);
	assert_int_equal(r->status, 0);
	both_run(w, 4);
	assert_int_equal(value(w, "SELECT count(*) FROM config_extension"), 1);
	assert_int_equal(ask(f, 1, "config rollback", "77", NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config rollback", "x", NULL)->status, 2);
}

static const char *diff(struct fix *f, const char *a, const char *b,
			const char *body)
{
	f->client.args[1] = b;
	ask(f, 1, "config diff", a, body);
	f->client.args[1] = NULL;
	assert_int_equal(f->client.reply->status, 0);
	return f->client.reply->json;
}

static void a_difference_is_told_between_anything(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	char *text = variant("same content");

	import(f, 1, site, 1);
	assert_string_equal(diff(f, NULL, NULL, NULL), "[]");
	f->client.options[0] = "password";
	f->client.options[1] = "s{number}";
	assert_int_equal(ask(f, 1, "extension set", "1000", NULL)->status, 0);
	assert_non_null(strstr(diff(f, "1", NULL, NULL),
			       "\"text\":\"extension 1000-1999: password "
			       "changed\""));
	assert_null(strstr(f->client.reply->json, "pw{number}"));
	assert_string_equal(diff(f, "2", "2", NULL), "[]");
	assert_string_equal(diff(f, "1", "site.yaml", text), "[]");
	assert_non_null(strstr(diff(f, "site.yaml", NULL, text), "changed"));
	sql(w, too_many);
	wait_for(f->loop, refused, w);
	/* what does not pass cannot be compared, but is told */
	ask(f, 1, "config diff", NULL, NULL);
	assert_int_equal(f->client.reply->status, 1);
	assert_int_equal(f->client.reply->n_problems, 1);
	ask(f, 1, "config diff", "77", NULL);
	assert_int_equal(f->client.reply->status, 1);
	free(text);
}

static bool caught_up(void *arg)
{
	return value(arg, "SELECT max(number) FROM generation") == 2;
}

static bool both_away(void *arg)
{
	struct fix *f = arg;

	return !td_store_ready(f->n[1].store) && !td_store_ready(f->n[2].store);
}

static bool both_back(void *arg)
{
	struct fix *f = arg;

	return td_store_ready(f->n[1].store) && td_store_ready(f->n[2].store);
}

/* As a dump from the time of generation 1 would have left it. */
static const char older[] =
	"DELETE FROM generation WHERE number = 2;"
	"INSERT INTO config_route (prefix, strip, line_group) "
	"VALUES ('9', 1, 'pstn');"
	"UPDATE config_working SET generation = 1, applied = serial";

static void a_restored_backup_does_not_roll_the_cluster_back(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;

	import(f, 1, site, 1);
	assert_int_equal(ask(f, 1, "route del", "9", NULL)->status, 0);
	both_run(w, 2);
	sql(w, older);
	pg_stop(&w->pg);
	wait_for(f->loop, both_away, f);
	pg_start(&w->pg);
	wait_for(f->loop, both_back, f);
	wait_for(f->loop, caught_up, w);
	assert_int_equal(td_config_generation(f->n[1].config), 2);
	assert_int_equal(value(w, "SELECT count(*) FROM config_route"), 0);
	/* and goes on from there */
	sql(w, "UPDATE config_extension SET name = 'x'");
	both_run(w, 3);
}

static void edits_of_a_restored_backup_are_not_mixed_in(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	Td__Reply *r;

	import(f, 1, site, 1);
	assert_int_equal(ask(f, 1, "route del", "9", NULL)->status, 0);
	both_run(w, 2);
	sql(w, older);
	sql(w, "UPDATE config_extension SET name = 'x'");
	wait_for(f->loop, refused, w);
	assert_int_equal(td_config_generation(f->n[1].config), 2);
	r = ask(f, 1, "config apply", NULL, NULL);
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->problems[0]->what, "generation 1"));
	assert_int_equal(ask(f, 1, "config rollback", NULL, NULL)->status, 0);
	wait_for(f->loop, caught_up, w);
	assert_int_equal(value(w, "SELECT count(*) FROM config_route"), 0);
}

static void without_the_database_nodes_start_and_say_so(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	Td__Reply *r;

	import(f, 1, site, 1);
	both_run(w, 1);
	halt(&f->n[1]);
	halt(&f->n[2]);
	pg_stop(&w->pg);
	boot(f, 1, true);
	boot(f, 2, true);
	assert_int_equal(f->n[1].told, 1);
	both_run(w, 1);
	r = ask(f, 1, "route del", "9", NULL);
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->error, "database cannot be reached"));
	assert_int_equal(ask(f, 1, "config check", NULL, NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config apply", NULL, NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config rollback", "1", NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config log", NULL, NULL)->status, 1);
	assert_int_equal(ask(f, 1, "config diff", NULL, NULL)->status, 1);
	pg_start(&w->pg);
	wait_for(f->loop, both_back, f);
	do {
		r = ask(f, 1, "route del", "9", NULL);
	} while (r->status);
	both_run(w, 2);
}

static void an_edit_made_while_nobody_looked_is_found(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;

	import(f, 1, site, 1);
	halt(&f->n[1]);
	halt(&f->n[2]);
	sql(w, "DELETE FROM config_route");
	boot(f, 2, true);
	wait_generation(f, 2, 2);
	assert_int_equal(td_config_site(f->n[2].config)->n_routes, 0);
}

static void of_many_edits_at_once_none_is_lost(void **state)
{
	struct world *w = *state;
	struct fix *f = w->f;
	const struct td_site *s;
	int by_verb = 0;
	FILE *p[2];

	import(f, 1, site, 1);
	for (int k = 0; k < 2; k++) {
		char cmd[160];

		snprintf(cmd, sizeof(cmd), PG_BIN "psql -qX -h %s -U tandem "
			 "postgres >/dev/null 2>&1", w->pg.dir);
		p[k] = popen(cmd, "w");
		assert_non_null(p[k]);
		for (int i = 0; i < 20; i++)
			fprintf(p[k], "INSERT INTO config_extension (first, "
				"password) VALUES ('%d', 'x');\n",
				3000 + 100 * k + i);
		fflush(p[k]);
	}
	for (int i = 0; i < 10; i++) {
		char number[8];

		snprintf(number, sizeof(number), "%d", 4000 + i);
		by_verb += !ask(f, 1 + i % 2, "extension add", number,
				NULL)->status;
	}
	assert_int_equal(pclose(p[0]), 0);
	assert_int_equal(pclose(p[1]), 0);
	while (ask(f, 1, "config apply", NULL, NULL)->status)
		;
	both_run(w, td_config_generation(f->n[1].config));
	s = td_config_site(f->n[2].config);
	for (int i = 0; i < 40; i++) {
		char number[8];

		snprintf(number, sizeof(number), "%d",
			 3000 + 100 * (i / 20) + i % 20);
		assert_non_null(td_site_extension(s, number));
	}
	assert_int_equal(value(w, "SELECT count(*) FROM config_extension "
				  "WHERE first >= '4000'"), by_verb);
	assert_int_equal(s->n_extensions, 41 + by_verb);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_edit_by_sql_becomes_a_generation_of_both_nodes),
		CASE(the_first_generation_may_come_by_sql),
		CASE(a_bad_edit_changes_nothing_and_is_told),
		CASE(a_rollback_drops_edits_or_brings_a_generation_back),
		CASE(a_difference_is_told_between_anything),
		CASE(a_restored_backup_does_not_roll_the_cluster_back),
		CASE(edits_of_a_restored_backup_are_not_mixed_in),
		CASE(without_the_database_nodes_start_and_say_so),
		CASE(an_edit_made_while_nobody_looked_is_found),
		CASE(of_many_edits_at_once_none_is_lost),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
