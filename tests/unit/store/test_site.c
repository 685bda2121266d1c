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

#include "tests/unit/store/lab.h"

static void no_document_at_all_is_told(void **state)
{
	struct td_problems problems = { 0 };
	struct td_site *s = NULL;

	assert_int_equal(td_site_parse("x", NULL, 0, &s, &problems), -EINVAL);
	assert_int_equal(td_site_parse("x", "", 0, &s, &problems), -EINVAL);
	assert_null(s);
	assert_int_equal(problems.n, 2);
	td_problems_free(&problems);
}

static void the_lab_is_read(void **state)
{
	struct td_site *s = parse(lab);
	const struct td_site_line *l = td_site_line(s, "s3");
	char pw[64];

	assert_string_equal(s->domain, "tandem.lab");
	assert_int_equal(s->n_nodes, 3);
	assert_int_equal(td_site_node_by_name(s, "w")->role, TD_ROLE_WITNESS);
	assert_string_equal(td_site_node(s, 2)->cluster_address, "10.78.0.2");
	assert_int_equal(l->n_nodes, 2);
	assert_int_equal(l->nodes[0], 2);
	assert_int_equal(l->channels, 0xfffefffe);
	assert_int_equal(l->dchannel, 16);
	assert_false(l->overlap);
	assert_true(l->transparent);
	assert_true(td_site_line(s, "s1")->overlap);
	assert_int_equal(td_site_address(s, "a1")->nodes[0], 1);
	assert_string_equal(s->extensions[0].first, "77");
	assert_string_equal(s->extensions[1].first, "1000");
	assert_int_equal(td_site_password(s, "1234", pw, sizeof(pw)), 0);
	assert_string_equal(pw, "pw1234");
	assert_int_equal(td_site_password(s, "2943", pw, sizeof(pw)), -ENOENT);
	assert_int_equal(td_site_password(s, "1234", pw, 6), -ENAMETOOLONG);
	assert_null(td_site_extension(s, "999"));
	assert_null(td_site_extension(s, "10000"));
	assert_null(td_site_extension(s, "12x4"));
	assert_null(td_site_extension(s, ""));
	assert_true(td_site_extension(s, "2942")->sha256);
	assert_string_equal(s->routes[1].lines[0], "s3");
	assert_int_equal(s->routes[1].n_lines, 1);
	td_site_free(s);
}

struct expect {
	const char *text;	/* replaces `was` in the lab */
	const char *was;
	const char *problem[3];	/* "where: what", to its beginning */
};

static const struct expect mistakes[] = {
	{ "grup: pstn, side", "group: pstn, side",
	  { "t.yaml:10: unknown key \"grup\"" } },
	{ "cluster_address: 10.77.0.11\n", "cluster_address: 10.78.0.2\n",
	  { "t.yaml:14: address 10.77.0.11 is in use already (line 4)" } },
	{ "    id: 1\n", "    id: 2\n",
	  { "t.yaml:5: id 1 is node n1 already (line 3)" } },
	{ "{range: 2900-2999", "{range: 2944-2999",
	  { "t.yaml:17: extension 1000-2942 overlaps 2900-2999 (line 16)",
	    "t.yaml:24: service 2943 is extension 2900-2999 already" } },
	{ "name: s3, port: 1, nodes: [n2]", "name: s3, port: 3, nodes: [n2, n1]",
	  { "t.yaml:12: port 1 of node n2 is wired twice: to s3 and to s1" } },
	{ "name: s3, port: 3, nodes: []", "name: s3, port: 3, nodes: [n2, n1]",
	  { "t.yaml:12: a line needs at least one node" } },
	{ "nodes: [n7, n1]", "nodes: [n2, n1]",
	  { "t.yaml:12: nodes: there is no node \"n7\"" } },
	{ "nodes: [w]", "nodes: [n2, n1]",
	  { "t.yaml:12: nodes: w is a witness" } },
	{ "group: abroad}", "group: pstn}",
	  { "t.yaml:21: route 9 leads nowhere: no line is in a group "
	    "\"abroad\"" } },
	{ "lines: [s3, s9]", "lines: [s3]",
	  { "t.yaml:22: route 983 leads nowhere: there is no line \"s9\"" } },
	{ "prefix: \"9\", strip: 2, lines", "prefix: \"983\", strip: 2, lines",
	  { "t.yaml:22: a second route for prefix 9 (line 21)" } },
	{ "channels: \"1-31\"", "channels: \"1-15,17-31\"",
	  { "t.yaml:11: line s1: timeslot 16 is the D-channel" } },
	{ "channels: 1-15,17-31", "channels: \"1-15,17-31\"",
	  { "t.yaml:11: \"17-31\" is no key: inside { } a list with commas "
	    "needs quotes" } },
	{ "channels: \"1-15,10-31\"", "channels: \"1-15,17-31\"",
	  { "t.yaml:11: channels: timeslots" } },
	{ "address: 10.77.0.256", "address: 10.77.0.11",
	  { "t.yaml:14: address: \"10.77.0.256\" is no IPv4" } },
	{ "{range: 2999-2944", "{range: 2944-2999",
	  { "t.yaml:16: range 2999-2944: the last comes before" } },
	{ "{range: 944-2999", "{range: 2944-2999",
	  { "t.yaml:16: range 944-2999: both ends need as many" } },
	{ "{number: 77, range: 78-79,", "{number: 77,",
	  { "t.yaml:18: extension: give a number or a range, not both" } },
	{ "{number: 77, name", "{number: 77, password: x, name",
	  { "t.yaml:18: extension: password is missing" } },
	{ "ddi: [{range: 5551000-5552999, keep: 4},\n"
	  "      {number: 5551000, keep: 9}]",
	  "ddi: [{range: 5551000-5552999, keep: 4}]",
	  { "t.yaml:20: ddi 5551000 overlaps 5551000-5552999 (line 19)",
	    "t.yaml:20: keep: 1 to 7 digits of 5551000, not 9" } },
	{ "service: voice}]", "service: echo}]",
	  { "t.yaml:24: service: echo is expected" } },
	{ "{number: \"*43\"", "{number: \"2943\"",
	  { "t.yaml:24: service *43 stands there twice (line 23)" } },
	{ "jitter_ms: lots", "jitter_ms: 60",
	  { "t.yaml:1: jitter_ms: a number is expected" } },
	{ "jitter_ms: 60, rtp_timeout_s: 4", "jitter_ms: 60",
	  { "t.yaml:1: rtp_timeout_s: 0 (off) or 5 to 3600, not 4" } },
	{ "jitter_ms: 60, session_expires_s: 89", "jitter_ms: 60",
	  { "t.yaml:1: session_expires_s: 0 (off) or 90 to 86400, not 89" } },
	{ "jitter_ms: 60, name: lib", "jitter_ms: 60",
	  { "t.yaml:1: name: given twice" } },
	{ "\nrutes:\n", "\nroutes:\n",
	  { "t.yaml:20: unknown section \"rutes\"" } },
	{ "\nnodes: *x\n", "\nnodes:\n",
	  { "t.yaml:2: aliases (*name) are not taken here" } },
	{ "\nlines: 7\nnothing:\n", "\nlines:\n",
	  { "t.yaml:9: lines: a list is expected",
	    "t.yaml:10: unknown section \"nothing\"", "" } },
	{ "overlap: perhaps", "overlap: true",
	  { "t.yaml:11: overlap: true or false is expected" } },
	{ "transparent: false", "transparent: true",
	  { "t.yaml:13: transparent: only true" } },
	{ "country: Germany", "country: de",
	  { "t.yaml:1: country: a text of at most 3 octets" } },
	{ "name: a1, address: [1]", "name: a1, address: 10.77.0.11",
	  { "t.yaml:14: address: one value is expected" } },
	{ "name: s1, address", "name: a1, address",
	  { "t.yaml:14: \"s1\" is a line already" } },
	{ "password: \"pw{number}\\x07\"", "password: \"pw{number}\"",
	  { "t.yaml:16: extension 2944: the password is no text" } },
	{ "password: \"pw\\0\"", "password: \"pw{number}\"",
	  { "t.yaml:16: a NUL in a text" } },
};

static char *replaced(const char *was, const char *by)
{
	const char *at = strstr(lab, was);
	char *out;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - lab), lab, by,
			     at + strlen(was)) > 0);
	return out;
}

static void each_mistake_is_told_with_its_line(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		const struct expect *e = &mistakes[i];
		char *text = replaced(e->was, e->text);
		struct td_problems p = { 0 };
		struct td_site *s = NULL;
		size_t n = 0;
		bool open_end = false;

		assert_int_equal(td_site_parse("t.yaml", text, strlen(text), &s,
					       &p), -EINVAL);
		assert_null(s);
		for (; n < 3 && e->problem[n]; n++) {
			char got[400];

			if (!*e->problem[n]) {
				open_end = true;
				break;
			}
			assert_true(n < p.n);
			snprintf(got, sizeof(got), "%s: %s", p.p[n].where,
				 p.p[n].what);
			if (strncmp(got, e->problem[n], strlen(e->problem[n])))
				fail_msg("%s\n  wanted %s\n  got %s", e->text,
					 e->problem[n], got);
		}
		if (!open_end && p.n != n)
			fail_msg("%s: %zu problems, then %s: %s", e->text, p.n,
				 p.p[n].where, p.p[n].what);
		td_problems_free(&p);
		free(text);
	}
}

static void all_mistakes_are_listed_at_once(void **state)
{
	static const char bad[] =
		"site: {name: lab, domain: tandem.lab}\n"
		"nodes: [{name: n1, id: 1, address: 10.77.0.1}]\n"
		"lines:\n"
		"  - {name: s1, port: 1, nodes: [n1], group: pstn}\n"
		"  - {name: s2, port: 1, nodes: [n1], group: pstn}\n"
		"extensions:\n"
		"  - {range: 1000-1999, password: x, colour: red}\n"
		"  - {range: 1500-2500, password: x}\n"
		"routes:\n"
		"  - {prefix: \"9\", group: nowhere}\n";
	static const char *const where[] = { "b:5", "b:7", "b:8", "b:10" };
	struct td_problems p = { 0 };
	struct td_site *s;

	assert_int_equal(td_site_parse("b", bad, strlen(bad), &s, &p),
			 -EINVAL);
	assert_int_equal(p.n, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(p.p[i].where, where[i]);
	td_problems_free(&p);
}

static void hostile_documents_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "x", "[", "{", "- a\n- b\n", "site: {name: [",
		"? [a]\n: b\n", "? {a: b}\n: c\n", "site: 1\n---\nsite: 2\n",
		"a: &a [x]\nb: [*a, *a]\n", "\xff\xfe", "site: {name: \xc3}\n",
		"%YAML 9.9\n---\nsite: x\n", "site:\n\t- x\n", "!!int 7",
		"[[[[[[[[[[[[[[[[[[[[[[", "site: null", "site: ~\nnodes: ~\n",
	};
	struct td_problems p = { 0 };
	struct td_site *s = NULL;
	char *big;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(td_site_parse("b", bad[i], strlen(bad[i]), &s,
					       &p), -EINVAL);
		assert_true(p.n > 0);
		td_problems_free(&p);
	}
	big = malloc(600 * 1024);
	memset(big, '[', 600 * 1024);
	assert_int_equal(td_site_parse("b", big, 600 * 1024, &s, &p), -EINVAL);
	assert_string_equal(p.p[0].what, "longer than 512 KiB");
	td_problems_free(&p);
	assert_int_equal(td_site_parse("b", big, 500 * 1024, &s, &p), -EINVAL);
	td_problems_free(&p);
	/* a thousand mistakes: a bounded list */
	memset(big, 0, 600 * 1024);
	strcpy(big, lab);
	for (int i = 0; i < 2000; i++)
		strcat(big + sizeof(lab) - 1, "u: 1\n");
	assert_int_equal(td_site_parse("b", big, strlen(big), &s, &p),
			 -EINVAL);
	assert_true(p.n <= 501);
	td_problems_free(&p);
	free(big);
	assert_null(s);
}

static void mutated_documents_never_crash(void **state)
{
	unsigned int seed = 4711;
	char text[sizeof(lab)];

	for (int i = 0; i < 3000; i++) {
		struct td_problems p = { 0 };
		struct td_site *s = NULL;
		size_t n = sizeof(lab) - 1;

		memcpy(text, lab, sizeof(lab));
		for (int k = rand_r(&seed) % 4; k >= 0; k--)
			text[rand_r(&seed) % n] =
				"{}[]:,-\"'#&*!|>%@`\n \t\xff\x80" "09az"
				[rand_r(&seed) % 27];
		if (!(rand_r(&seed) % 8))
			n = rand_r(&seed) % n;
		if (!td_site_parse("m", text, n, &s, &p)) {
			assert_int_equal(p.n, 0);
			assert_int_equal(td_site_check(s, &p), 0);
		} else {
			assert_null(s);
			assert_true(p.n > 0);
		}
		td_site_free(s);
		td_problems_free(&p);
	}
}

/* a document with n items of one section, each on its own line from 3 on */
static int many(const char *section, const char *item, int n,
		struct td_problems *p)
{
	struct td_site *s = NULL;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int rc;

	fprintf(f, "site: {name: lab, domain: x}\n%s:\n", section);
	for (int i = 1; i <= n; i++) {
		fputs("  - ", f);
		for (const char *c = item; *c; c++)
			if (*c == '#')
				fprintf(f, "%d", i);
			else
				fputc(*c, f);
		fputc('\n', f);
	}
	fclose(f);
	rc = td_site_parse("m", text, size, &s, p);
	td_site_free(s);
	free(text);
	return rc;
}

static void limits_are_told_where_they_are_passed(void **state)
{
	static const struct {
		const char *section, *item, *what;
		int limit;
	} t[] = {
		{ "nodes", "{name: n#, id: #, address: 10.1.0.#, "
			   "cluster_address: 10.2.0.#}",
		  "nodes: more than 16", 16 },
		{ "services", "{number: \"*#\", service: echo}",
		  "services: more than 1000", 1000 },
		{ "ddi", "{number: 5#, keep: 1}", "ddi: more than 1000", 1000 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct td_problems p = { 0 };
		bool found = false;
		char where[32];

		snprintf(where, sizeof(where), "m:%d", t[i].limit + 3);
		for (int more = 0; more < 2; more++) {
			found = false;
			many(t[i].section, t[i].item, t[i].limit + more, &p);
			for (size_t k = 0; k < p.n; k++)
				found = found ||
					(!strcmp(p.p[k].what, t[i].what) &&
					 !strcmp(p.p[k].where, where));
			assert_int_equal(found, more);
			td_problems_free(&p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_document_at_all_is_told),
		cmocka_unit_test(the_lab_is_read),
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(all_mistakes_are_listed_at_once),
		cmocka_unit_test(hostile_documents_are_refused),
		cmocka_unit_test(limits_are_told_where_they_are_passed),
		cmocka_unit_test(mutated_documents_never_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
