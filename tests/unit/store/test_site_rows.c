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

#include "cluster/store/site_rows.h"
#include "tests/unit/store/lab.h"
#include "tests/unit/store/random_site.h"

static struct td_site *through_rows(const struct td_site *s)
{
	struct td_problems p = { 0 };
	struct td_site *t;
	json_t *rows, *again;
	char *text;

	assert_int_equal(td_site_to_rows(s, &rows), 0);
	text = json_dumps(rows, 0);
	again = json_loads(text, 0, NULL);
	assert_non_null(again);
	if (td_site_from_rows(again, &t, &p))
		fail_msg("%s: %s", p.p[0].where, p.p[0].what);
	free(text);
	json_decref(rows);
	json_decref(again);
	return t;
}

static void random_sites_survive_the_way_through_rows(void **state)
{
	for (unsigned int i = 1; i <= 300; i++) {
		struct td_site *s = random_site(i), *t = through_rows(s);

		same_site(s, t);
		td_site_free(s);
		td_site_free(t);
	}
}

static json_t *lab_rows(void)
{
	struct td_site *s = parse(lab);
	json_t *rows;

	assert_int_equal(td_site_to_rows(s, &rows), 0);
	td_site_free(s);
	return rows;
}

static json_t *row(json_t *rows, const char *table, size_t i)
{
	json_t *r = json_array_get(json_object_get(rows, table), i);

	assert_non_null(r);
	return r;
}

static void rows_have_columns_of_their_own_names(void **state)
{
	json_t *rows = lab_rows();

	assert_string_equal(json_string_value(json_object_get(
				    row(rows, "line", 0), "line_group")),
			    "pstn");
	assert_true(json_is_null(json_object_get(row(rows, "route", 0),
						 "prepend")));
	assert_string_equal(json_string_value(json_object_get(
				    row(rows, "line_node", 1), "node")), "n2");
	assert_int_equal(json_integer_value(json_object_get(
				 row(rows, "line_node", 1), "pos")), 2);
	assert_null(json_object_get(row(rows, "line", 0), "nodes"));
	json_decref(rows);
}

struct broken {
	const char *table;
	size_t i;
	const char *column, *json;
	const char *where, *what;
};
static const struct broken broken[] = {
	{ "route", 0, "line_group", "\"moon\"", "route 9",
	  "route 9 leads nowhere" },
	{ "site", 0, "jitter_ms", "\"60\"", "site", "jitter_ms: not a value" },
	{ "site", 0, "jitter_ms", "-1", "site", "jitter_ms: not a value" },
	{ "site", 0, "jitter_ms", "9", "site", "jitter_ms: 20 to 400" },
	{ "line", 0, "overlap", "2", "line s1", "overlap: not a value" },
	{ "line", 0, "channels", "\"0-40\"", "line s1", "channels: not a" },
	{ "line", 0, "side", "\"far\"", "line s1", "side: not a value" },
	{ "line", 0, "colour", "\"red\"", "line s1",
	  "colour: this version does not know that column" },
	{ "line_node", 0, "node", "\"n7\"", "line s1",
	  "nodes: there is no node \"n7\"" },
	{ "line_node", 0, "line", "\"s7\"", "line s7",
	  "nodes: a row of line_node belongs to nothing" },
	{ "extension", 0, "last", "\"78x\"", "extension 77",
	  "extension \"77-78x\": only digits" },
	{ "extension", 1, "class", "\"none\"", "extension 1000",
	  "extension 1000: there is no class \"none\"" },
	{ "extension", 0, "password", "null", "extension 77",
	  "extension 77: a password is needed" },
};

static void what_is_wrong_with_rows_is_told_by_object(void **state)
{
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		const struct broken *b = &broken[i];
		json_t *rows = lab_rows();
		struct td_problems p = { 0 };
		struct td_site *s = NULL;
		bool found = false;

		json_object_set_new(row(rows, b->table, b->i), b->column,
				    json_loads(b->json, JSON_DECODE_ANY, NULL));
		assert_int_equal(td_site_from_rows(rows, &s, &p), -EINVAL);
		assert_null(s);
		for (size_t k = 0; k < p.n; k++)
			found = found || (!strcmp(p.p[k].where, b->where) &&
					  !strncmp(p.p[k].what, b->what,
						   strlen(b->what)));
		if (!found)
			fail_msg("%s: got %s: %s", b->what, p.p[0].where,
				 p.p[0].what);
		td_problems_free(&p);
		json_decref(rows);
	}
}

static void an_empty_column_of_a_later_version_is_no_problem(void **state)
{
	json_t *rows = lab_rows();
	struct td_problems p = { 0 };
	struct td_site *s;

	json_object_set_new(row(rows, "line", 0), "colour", json_null());
	assert_int_equal(td_site_from_rows(rows, &s, &p), 0);
	td_site_free(s);
	json_decref(rows);
	/* nothing at all is no site, and no crash */
	rows = json_object();
	assert_int_equal(td_site_from_rows(rows, &s, &p), -EINVAL);
	assert_string_equal(p.p[0].what, "the table has no row");
	td_problems_free(&p);
	json_decref(rows);
}

static void too_many_rows_are_told_and_not_taken(void **state)
{
	json_t *rows = lab_rows();
	struct td_problems p = { 0 };
	struct td_site *s;
	bool found = false;

	for (int i = 0; i < 20; i++)
		json_array_append(json_object_get(rows, "node"),
				  row(rows, "node", 0));
	for (int i = 0; i < 20; i++)
		json_array_append(json_object_get(rows, "line_node"),
				  row(rows, "line_node", 0));
	assert_int_equal(td_site_from_rows(rows, &s, &p), -EINVAL);
	for (size_t i = 0; i < p.n; i++)
		found = found || !strcmp(p.p[i].what, "23 rows, at most 16 "
						      "are possible");
	assert_true(found);
	td_problems_free(&p);
	json_decref(rows);
}

/* The sentences of a difference, a line each. */
static char *difference(const struct td_site *a, const struct td_site *b)
{
	char *buf = NULL;
	size_t size, i;
	FILE *f = open_memstream(&buf, &size);
	json_t *list, *v;

	assert_int_equal(td_site_diff(a, b, &list), 0);
	json_array_foreach(list, i, v)
		fprintf(f, "%s\n", json_string_value(
				json_object_get(v, "text")));
	json_decref(list);
	fclose(f);
	return buf;
}

static void a_difference_is_told_by_object_and_key(void **state)
{
	struct td_site *a = parse(lab), *b;
	struct td_site_extension e = { .first = "1000", .last = "2942",
				       .password = "new", .name = "a b" };
	struct td_site_route r = { .prefix = "98", .strip = 1,
				   .group = "pstn" };
	char *text;

	assert_int_equal(td_site_copy(a, &b), 0);
	text = difference(a, b);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(td_site_extension_put(b, &e), 0);
	assert_int_equal(td_site_extension_del(b, "77"), 0);
	assert_int_equal(td_site_route_put(b, &r), 0);
	b->lines[1].nodes[1] = 2;
	b->lines[1].nodes[0] = 1;
	b->jitter_ms = 80;
	text = difference(a, b);
	assert_string_equal(text,
		"site: jitter_ms 60 -> 80\n"
		"line s3: nodes [n2, n1] -> [n1, n2]\n"
		"extension 77: removed {number: \"77\", "
		"name: \"P\xc3\xb6rter \\\"7\\\"\"}\n"
		"extension 1000-2942: password changed\n"
		"extension 1000-2942: name \"\" -> \"a b\"\n"
		"extension 1000-2942: sha256 true -> false\n"
		"route 98: added {prefix: \"98\", strip: 1, group: pstn}\n");
	free(text);
	td_site_free(a);
	td_site_free(b);
}

static void a_difference_never_tells_a_password(void **state)
{
	struct td_site *a = parse(lab), *b = random_site(7);
	char *text = difference(a, b), *dump;
	json_t *list;

	assert_null(strstr(text, "pw{number}"));
	free(text);
	assert_int_equal(td_site_diff(b, a, &list), 0);
	dump = json_dumps(list, 0);
	assert_null(strstr(dump, "pw{number}"));
	free(dump);
	json_decref(list);
	td_site_free(a);
	td_site_free(b);
}

static void a_difference_is_empty_only_between_equal_sites(void **state)
{
	for (unsigned int i = 1; i < 60; i++) {
		struct td_site *a = random_site(i), *b = random_site(i + 1);
		struct td_site *c = through_rows(a);
		char *text = difference(a, b);

		assert_true(*text);
		free(text);
		text = difference(a, c);
		assert_string_equal(text, "");
		free(text);
		td_site_free(a);
		td_site_free(b);
		td_site_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sites_survive_the_way_through_rows),
		cmocka_unit_test(rows_have_columns_of_their_own_names),
		cmocka_unit_test(what_is_wrong_with_rows_is_told_by_object),
		cmocka_unit_test(
			an_empty_column_of_a_later_version_is_no_problem),
		cmocka_unit_test(too_many_rows_are_told_and_not_taken),
		cmocka_unit_test(a_difference_is_told_by_object_and_key),
		cmocka_unit_test(a_difference_never_tells_a_password),
		cmocka_unit_test(
			a_difference_is_empty_only_between_equal_sites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
