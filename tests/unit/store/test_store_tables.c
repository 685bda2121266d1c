// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "cluster/store/site_rows.h"
#include "cluster/store/store.h"
#include "proto/base/log.h"
#include "tests/unit/store/lab.h"
#include "tests/unit/store/pgserver.h"
#include "tests/unit/store/random_site.h"
#include "tests/unit/store/wait.h"

/* The configuration's tables, the same cases against PostgreSQL and SQLite.
 * sql() is what an operator would do. */

struct fix {
	struct td_loop *loop;
	struct pgserver pg;	/* dir "" for SQLite */
	char dir[64], path[96], uri[160];
	struct td_store *store;
	bool answered;
	int status;
	unsigned int told;
	uint64_t number;	/* the last generation put */
	struct td_tables tables;
	struct td_site *site;	/* made of the tables */
	size_t n_refusals;
	struct td_refusal refusal;
};

static bool ready(void *arg)
{
	return td_store_ready(((struct fix *)arg)->store);
}

static void on_watch(void *arg)
{
	((struct fix *)arg)->told++;
}

static bool was_told(void *arg)
{
	return ((struct fix *)arg)->told > 0;
}

static int open_store(struct fix *f, void **state)
{
	*state = f;
	td_log_level_set((enum td_log_level)-1);
	assert_int_equal(td_loop_new(&f->loop), 0);
	assert_int_equal(td_store_open(f->loop, f->uri, &f->store), 0);
	wait_for(f->loop, ready, f);
	td_store_watch(f->store, on_watch, f);
	return 0;
}

static int setup_pg(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	pg_init(&f->pg);
	pg_start(&f->pg);
	strcpy(f->uri, f->pg.uri);
	return open_store(f, state);
}

static int setup_sqlite(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/td-tables-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/site.db", f->dir);
	snprintf(f->uri, sizeof(f->uri), "sqlite:%s", f->path);
	return open_store(f, state);
}

static int teardown(void **state)
{
	struct fix *f = *state;

	td_store_close(f->store);
	td_loop_free(f->loop);
	td_site_free(f->site);
	pg_remove(&f->pg);
	if (*f->dir)
		nftw(f->dir, pg_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static int row(void *arg, int n, char **v, char **names)
{
	char *out = arg;

	for (int i = 0; i < n; i++)
		snprintf(out + strlen(out), 2000 - strlen(out), "%s%s",
			 i ? "|" : *out ? "\n" : "", v[i] ? v[i] : "");
	return 0;
}

/* Runs it beside the store. @return what it prints; `ok` whether it passed */
static const char *sql(struct fix *f, const char *text, bool *ok)
{
	static char out[2048];
	sqlite3 *db;
	char *err = NULL;

	out[0] = '\0';
	if (*f->pg.dir) {
		*ok = !pg_psql(&f->pg, text, out, sizeof(out));
		return out;
	}
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	*ok = sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL) ==
		      SQLITE_OK &&
	      sqlite3_exec(db, text, row, out, &err) == SQLITE_OK;
	if (err)
		snprintf(out, sizeof(out), "%s", err);
	sqlite3_free(err);
	sqlite3_close(db);
	return out;
}

static void edit(struct fix *f, const char *text)
{
	bool ok;
	const char *said = sql(f, text, &ok);

	if (!ok)
		fail_msg("%s: %s", text, said);
}

static void refused(struct fix *f, const char *text)
{
	bool ok;

	sql(f, text, &ok);
	if (ok)
		fail_msg("%s: was taken", text);
}

static int answer(struct fix *f)
{
	wait_for(f->loop, wait_flag, &f->answered);
	f->answered = false;
	return f->status;
}

static void on_done(void *arg, int status)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
}

static void on_tables(void *arg, int status, const struct td_tables *t)
{
	struct fix *f = arg;
	struct td_problems p = { 0 };

	f->answered = true;
	f->status = status;
	td_site_free(f->site);
	f->site = NULL;
	if (status)
		return;
	f->tables = *t;
	if (td_site_from_rows(t->rows, &f->site, &p))
		f->site = NULL;
	td_problems_free(&p);
	f->tables.rows = NULL;
}

static void look(struct fix *f)
{
	assert_int_equal(td_store_tables(f->store, on_tables, f), 0);
	assert_int_equal(answer(f), 0);
}

static int put(struct fix *f, const struct td_site *s, uint64_t number,
	       uint64_t serial, bool force)
{
	struct td_generation g = { .number = number, .author = "me",
				   .content = "x", .n = 1 };
	struct td_store_put p = { .gen = number ? &g : NULL, .base = number,
				  .site = s, .serial = serial, .force = force,
				  .who = "me" };
	int rc;

	td_generation_hash(g.content, g.n, g.sha256);
	rc = td_store_put(f->store, &p, on_done, f);
	rc = rc ? rc : answer(f);
	if (!rc && number)
		f->number = number;
	return rc;
}

/* The tables are the lab's, and that is a generation. */
static void start(struct fix *f)
{
	struct td_site *s = parse(lab);

	assert_int_equal(put(f, s, f->number + 1, 0, true), 0);
	td_site_free(s);
	look(f);
	assert_int_equal(f->tables.serial, f->tables.applied);
	assert_int_equal(f->tables.generation, f->number);
	assert_int_equal(f->tables.last, f->number);
}

static void random_sites_survive_the_way_through_the_tables(void **state)
{
	struct fix *f = *state;

	for (unsigned int i = 1; i <= 25; i++) {
		struct td_site *s = random_site(i);
		int rc = put(f, s, f->number + 1, 0, false);

		if (rc)
			fail_msg("seed %u: %s: %s", i, strerror(-rc),
				 td_store_error(f->store));
		look(f);
		if (!f->site)
			fail_msg("seed %u: the tables are no site", i);
		same_site(s, f->site);
		td_site_free(s);
	}
}

static void an_edit_pends_until_it_is_a_generation(void **state)
{
	struct fix *f = *state;
	struct td_site *s = parse(lab);
	uint64_t serial;

	start(f);
	edit(f, "UPDATE config_extension SET name = 'a' WHERE first = '77'");
	look(f);
	serial = f->tables.serial;
	assert_true(serial > f->tables.applied);
	assert_string_equal(td_site_extension(f->site, "77")->name, "a");
	/* no other change drops it silently */
	assert_int_equal(put(f, s, f->number + 1, 0, false), -EBUSY);
	/* of what was not read no generation is made */
	edit(f, "UPDATE config_extension SET name = 'b' WHERE first = '77'");
	assert_int_equal(put(f, NULL, f->number + 1, serial, false), -ESTALE);
	look(f);
	assert_int_equal(f->tables.last, f->number);
	assert_int_equal(put(f, NULL, f->number + 1, f->tables.serial, false),
			 0);
	look(f);
	assert_int_equal(f->tables.serial, f->tables.applied);
	assert_string_equal(td_site_extension(f->site, "77")->name, "b");
	assert_int_equal(put(f, NULL, f->number, f->tables.serial, false),
			 -EEXIST);
	td_site_free(s);
}

static void a_rollback_drops_what_pends(void **state)
{
	struct fix *f = *state;
	struct td_site *s = parse(lab);

	start(f);
	edit(f, "DELETE FROM config_extension");
	edit(f, "INSERT INTO config_extension (first, password, class) "
		"VALUES ('5', 'x', NULL)");
	assert_int_equal(put(f, s, 0, 0, false), -EBUSY);
	assert_int_equal(put(f, s, 0, 0, true), 0);
	look(f);
	assert_int_equal(f->tables.serial, f->tables.applied);
	assert_int_equal(f->tables.last, f->number);
	same_site(s, f->site);
	td_site_free(s);
}

static void somebody_elses_edit_is_told(void **state)
{
	struct fix *f = *state;

	start(f);
	f->told = 0;
	edit(f, "DELETE FROM config_route WHERE prefix = '983'");
	wait_for(f->loop, was_told, f);
	look(f);
	assert_int_equal(f->site->n_routes, 1);
	assert_true(*f->tables.edited_by);
}

static void what_a_row_can_break_is_refused_at_once(void **state)
{
	static const char *const bad[] = {
		"INSERT INTO config_extension (first, last, password) "
		"VALUES ('2900', '3000', 'x')",
		"UPDATE config_extension SET last = '2950' "
		"WHERE first = '1000'",
		"INSERT INTO config_extension (first, password) "
		"VALUES ('12a', 'x')",
		"INSERT INTO config_extension (first, last, password) "
		"VALUES ('400', '39', 'x')",
		"INSERT INTO config_extension (first, password, class) "
		"VALUES ('401', 'x', 'none')",
		"INSERT INTO config_extension (first, password) "
		"VALUES ('402', '')",
		"INSERT INTO config_ddi (first, last, keep) "
		"VALUES ('5552000', '5552999', 4)",
		"UPDATE config_ddi SET keep = 8",
		"INSERT INTO config_service (number, service) "
		"VALUES ('*44', 'voice')",
		"INSERT INTO config_node (name, id, address) "
		"VALUES ('n17', 17, '10.0.0.1')",
		"INSERT INTO config_site (name, domain) VALUES ('b', 'c')",
		"UPDATE config_site SET jitter_ms = 5",
		"UPDATE config_line SET port = 1 WHERE name = 's3'",
		"UPDATE config_line SET side = 'far'",
		"UPDATE config_line SET dchannel = 32",
		"INSERT INTO config_line_node (line, pos, node) "
		"VALUES ('s1', 9, 'n7')",
		"DELETE FROM config_node WHERE name = 'n1'",
		"INSERT INTO config_route (prefix, strip) VALUES ('8', 99)",
		"INSERT INTO config_route_line (route, pos, line) "
		"VALUES ('983', 9, 's9')",
		"UPDATE generation SET content = 'y'",
	};
	struct fix *f = *state;

	start(f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(f, bad[i]);
	look(f);
	assert_int_equal(f->tables.serial, f->tables.applied);
}

static void postgresql_refuses_what_concerns_several_tables(void **state)
{
	static const char *const bad[] = {
		"INSERT INTO config_route (prefix, line_group) "
		"VALUES ('8', 'moon')",
		"INSERT INTO config_route (prefix) VALUES ('8')",
		"UPDATE config_route SET line_group = 'pstn'",
		"INSERT INTO config_line (name, port) VALUES ('s9', 9)",
		"DELETE FROM config_line_node",
		"UPDATE config_line SET line_group = NULL",
		"UPDATE config_line SET channels = '1-31'",
		"UPDATE config_line SET channels = '1-15,10-20'",
		"BEGIN; INSERT INTO config_line (name, port) VALUES ('s9', 9);"
		"INSERT INTO config_line_node (line, node) VALUES ('s9', 'w');"
		"COMMIT",
		"INSERT INTO config_address (name, address) "
		"VALUES ('a9', '10.77.0.1')",
		"UPDATE config_node SET address = '10.77.0' "
		"WHERE name = 'n1'",
		"INSERT INTO config_service (number, service) "
		"VALUES ('1500', 'echo')",
		"TRUNCATE config_ddi",
		"INSERT INTO generation (number, at_ms, author, comment, "
		"sha256, content) VALUES (999, 0, '', '', "
		"sha256('a'), 'b')",
	};
	struct fix *f = *state;

	start(f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(f, bad[i]);
	look(f);
	assert_int_equal(f->tables.serial, f->tables.applied);
	/* what is whole at the end of a transaction is taken */
	edit(f, "BEGIN; INSERT INTO config_route (prefix) VALUES ('8');"
		"INSERT INTO config_route_line (route, line) "
		"VALUES ('8', 's3'), ('8', 's1'); COMMIT");
	edit(f, "BEGIN; INSERT INTO config_line (name, port) VALUES ('s9', 9);"
		"INSERT INTO config_line_node (line, node) "
		"VALUES ('s9', 'n2'), ('s9', 'n1'); COMMIT");
	look(f);
	assert_string_equal(f->site->routes[0].lines[0], "s3");
	assert_int_equal(td_site_line(f->site, "s9")->nodes[0], 2);
}

static void a_renamed_node_is_followed_by_its_lines(void **state)
{
	struct fix *f = *state;

	start(f);
	edit(f, "UPDATE config_node SET name = 'north' WHERE name = 'n1'");
	look(f);
	assert_non_null(f->site);
	assert_int_equal(td_site_line(f->site, "s1")->nodes[0], 1);
	assert_string_equal(td_site_node(f->site, 1)->name, "north");
}

static void every_change_is_remembered_but_no_password(void **state)
{
	struct fix *f = *state;
	const char *said;
	bool ok;

	start(f);
	edit(f, "UPDATE config_extension SET name = 'new', "
		"password = 'geheim' WHERE first = '77'");
	edit(f, "DELETE FROM config_extension WHERE first = '77'");
	said = sql(f, "SELECT what, by_whom, old, new FROM config_history "
		      "WHERE tab = 'config_extension' ORDER BY id DESC "
		      "LIMIT 2", &ok);
	assert_true(ok);
	assert_non_null(strstr(said, "DELETE"));
	assert_non_null(strstr(said, "UPDATE"));
	assert_non_null(strstr(said, "changed"));
	assert_non_null(strstr(said, "\"new\""));
	assert_null(strstr(said, "geheim"));
	said = sql(f, "SELECT DISTINCT by_whom FROM config_history "
		      "ORDER BY by_whom", &ok);
	assert_string_equal(said, *f->pg.dir ? "me\ntandem" : "me\nsql");
	/* only what differs is touched */
	start(f);
	said = sql(f, "SELECT count(*) FROM config_history WHERE serial > "
		      "(SELECT max(serial) FROM config_history "
		      "WHERE what = 'DELETE')", &ok);
	assert_string_equal(said, "1");
}

static void on_refusals(void *arg, int status, const struct td_refusal *r,
			size_t n)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
	f->n_refusals = n;
	if (n)
		f->refusal = r[0];
}

static void a_refusal_is_noted_once(void **state)
{
	struct fix *f = *state;
	struct td_problems p = { 0 };

	start(f);
	edit(f, "UPDATE config_extension SET name = 'x' WHERE first = '77'");
	look(f);
	td_problems_add(&p, "route 9", "leads \"nowhere\"");
	td_problems_add(&p, "site", "it's bad");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(td_store_refuse(f->store, f->tables.serial, &p,
						 on_done, f), 0);
		assert_int_equal(answer(f), 0);
	}
	/* of an edit that is not the last any more nothing is noted */
	assert_int_equal(td_store_refuse(f->store, f->tables.serial - 1, &p,
					 on_done, f), 0);
	assert_int_equal(answer(f), 0);
	assert_int_equal(td_store_refusals(f->store, 10, on_refusals, f), 0);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->n_refusals, 2);
	assert_string_equal(f->refusal.where, "site");
	assert_string_equal(f->refusal.what, "it's bad");
	assert_int_equal(f->refusal.serial, f->tables.serial);
	assert_true(f->refusal.at_ms > 1500000000000);
	look(f);
	assert_int_equal(f->tables.refused, f->tables.serial);
	/* mended: it may pass again */
	edit(f, "UPDATE config_extension SET name = 'y' WHERE first = '77'");
	look(f);
	assert_true(f->tables.refused < f->tables.serial);
	td_problems_free(&p);
}

static void passwords_are_the_owners_alone(void **state)
{
	struct fix *f = *state;
	const char *said;
	bool ok;

	start(f);
	edit(f, "CREATE ROLE porter");
	refused(f, "SET ROLE porter; SELECT password FROM config_extension");
	refused(f, "SET ROLE porter; SELECT content FROM generation");
	refused(f, "SET ROLE porter; SELECT config_read()");
	refused(f, "SET ROLE porter; SELECT * FROM config_history");
	refused(f, "SET ROLE porter; UPDATE config_extension SET name = 'x'");
	/* who may edit names may do that and no more, and is counted */
	edit(f, "GRANT SELECT (first, name), UPDATE (name) "
		"ON config_extension TO porter");
	edit(f, "SET ROLE porter; UPDATE config_extension SET name = 'x' "
		"WHERE first = '77'");
	refused(f, "SET ROLE porter; SELECT password FROM config_extension");
	refused(f, "SET ROLE porter; UPDATE config_extension SET sha256 = true");
	said = sql(f, "SELECT new ->> 'name' FROM config_history "
		      "ORDER BY id DESC LIMIT 1", &ok);
	assert_string_equal(said, "x");
	look(f);
	assert_true(f->tables.serial > f->tables.applied);
	edit(f, "DROP OWNED BY porter; DROP ROLE porter");
}

static void an_open_transaction_of_somebody_is_told(void **state)
{
	struct fix *f = *state;
	char cmd[512];
	struct td_site *s = parse(lab);
	FILE *other;

	start(f);
	snprintf(cmd, sizeof(cmd), PG_BIN "psql -qX -h %s -U tandem postgres "
				   ">/dev/null 2>&1", f->pg.dir);
	other = popen(cmd, "w");
	assert_non_null(other);
	fputs("BEGIN; UPDATE config_extension SET name = 'z';\n", other);
	fflush(other);
	/* until it holds the lock */
	for (;;) {
		bool ok;

		if (!strcmp(sql(f, "SELECT count(*) FROM pg_stat_activity "
				   "WHERE state = 'idle in transaction'", &ok),
			    "1"))
			break;
	}
	assert_int_equal(put(f, s, f->number + 1, 0, false), -ETXTBSY);
	fputs("ROLLBACK;\n", other);
	pclose(other);
	assert_int_equal(put(f, s, f->number + 1, 0, false), 0);
	td_site_free(s);
}

static void values_that_are_no_text_are_told(void **state)
{
	struct fix *f = *state;
	struct td_site *s = parse(lab);

	start(f);
	edit(f, "UPDATE config_extension SET name = CAST(x'ff' AS TEXT)");
	look(f);
	assert_null(f->site);
	assert_int_equal(put(f, s, 0, 0, true), 0);
	look(f);
	same_site(s, f->site);
	td_site_free(s);
}

#define BOTH                                                                   \
	cmocka_unit_test(random_sites_survive_the_way_through_the_tables),     \
	cmocka_unit_test(an_edit_pends_until_it_is_a_generation),              \
	cmocka_unit_test(a_rollback_drops_what_pends),                         \
	cmocka_unit_test(somebody_elses_edit_is_told),                         \
	cmocka_unit_test(what_a_row_can_break_is_refused_at_once),             \
	cmocka_unit_test(a_renamed_node_is_followed_by_its_lines),             \
	cmocka_unit_test(every_change_is_remembered_but_no_password),          \
	cmocka_unit_test(a_refusal_is_noted_once)

int main(void)
{
	const struct CMUnitTest pg[] = {
		BOTH,
		cmocka_unit_test(
			postgresql_refuses_what_concerns_several_tables),
		cmocka_unit_test(passwords_are_the_owners_alone),
		cmocka_unit_test(an_open_transaction_of_somebody_is_told),
	};
	const struct CMUnitTest sqlite[] = {
		BOTH,
		cmocka_unit_test(values_that_are_no_text_are_told),
	};
	int rc = cmocka_run_group_tests(pg, setup_pg, teardown);

	return rc + cmocka_run_group_tests(sqlite, setup_sqlite, teardown);
}
