// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>

#include "cluster/store/site.h"

static const char lab[] =
	"site: {name: lab, domain: tandem.lab, country: de, jitter_ms: 60}\n"
	"nodes:\n"
	"  - {name: n1, id: 1, address: 10.77.0.1, cluster_address: 10.78.0.1}\n"
	"  - name: n2\n"
	"    id: 2\n"
	"    address: 10.77.0.2\n"
	"    cluster_address: 10.78.0.2\n"
	"  - {name: w, id: 9, role: witness, cluster_address: 10.78.0.9}\n"
	"lines:\n"
	"  - {name: s1, port: 1, nodes: [n1, n2], group: pstn, side: user,\n"
	"     switch: euroisdn, channels: \"1-15,17-31\", overlap: true}\n"
	"  - {name: s3, port: 3, nodes: [n2, n1], group: pstn,\n"
	"     channels: [1-15, 17-31], transparent: true}\n"
	"addresses: [{name: a1, address: 10.77.0.11, nodes: [n1, n2]}]\n"
	"extensions:\n"
	"  - {range: 2944-2999, password: \"pw{number}\"}\n"
	"  - {range: 1000-2942, password: \"pw{number}\", sha256: yes}\n"
	"  - {number: 77, password: x, name: \"P\xc3\xb6rter \\\"7\\\"\"}\n"
	"ddi: [{range: 5551000-5552999, keep: 4}]\n"
	"routes:\n"
	"  - {prefix: \"9\", strip: 1, add: \"\", group: pstn}\n"
	"  - {prefix: \"983\", strip: 2, lines: [s3]}\n"
	"services: [{number: \"*43\", service: echo},\n"
	"           {number: \"2943\", service: echo}]\n";

static struct td_site *parse(const char *text)
{
	struct td_problems p = { 0 };
	struct td_site *s = NULL;
	int rc = td_site_parse("t.yaml", text, strlen(text), &s, &p);

	for (size_t i = 0; rc && i < p.n; i++)
		print_message("%s: %s\n", p.p[i].where, p.p[i].what);
	assert_int_equal(rc, 0);
	assert_int_equal(p.n, 0);
	return s;
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

static void same(const struct td_site *a, const struct td_site *b)
{
	char *x, *y;
	size_t n, m;

	assert_int_equal(td_site_format(a, &x, &n), 0);
	assert_int_equal(td_site_format(b, &y, &m), 0);
	assert_string_equal(x, y);
	free(x);
	free(y);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->jitter_ms, b->jitter_ms);
	assert_int_equal(a->n_extensions, b->n_extensions);
	assert_int_equal(a->n_lines, b->n_lines);
#define SAME(list)                                                             \
	assert_int_equal(a->n_##list, b->n_##list);                            \
	if (a->n_##list)                                                       \
		assert_memory_equal(a->list, b->list,                          \
				    a->n_##list * sizeof(*a->list))
	SAME(nodes);
	SAME(lines);
	SAME(addresses);
	SAME(extensions);
	SAME(ddi);
	SAME(routes);
	SAME(services);
}

static void the_lab_survives_a_round_trip(void **state)
{
	struct td_site *s = parse(lab), *t, *u;
	char *text;
	size_t n;

	assert_int_equal(td_site_format(s, &text, &n), 0);
	assert_int_equal(strlen(text), n);
	t = parse(text);
	same(s, t);
	assert_int_equal(td_site_copy(t, &u), 0);
	same(t, u);
	free(text);
	td_site_free(s);
	td_site_free(t);
	td_site_free(u);
	td_site_free(NULL);
}

static unsigned int rnd(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

/* A site that the checks accept, or not: whatever chance brings. */
static struct td_site *random_site(unsigned int *seed)
{
	static const char *const texts[] = {
		"x", "true", "0x1f", "1e5", "- x", "a: b", "#no", "'", "\"",
		"\\", "{number}", "pw{number}", " lead", "trail ", "\xc3\xa4",
		"null", "~", "*a", "&a", "!t", "|", "%", "@", "`", "a,b",
	};
	struct td_site *s = parse(lab);
	struct td_site_extension e;
	struct td_site_route r;

	s->jitter_ms = 20 + rnd(seed, 381);
	for (unsigned int i = rnd(seed, 12); i; i--) {
		memset(&e, 0, sizeof(e));
		snprintf(e.first, sizeof(e.first), "%05u", rnd(seed, 90000));
		td_number_last(e.first, 1 + rnd(seed, 300), e.last,
			       sizeof(e.last));
		strcpy(e.password, texts[rnd(seed, 25)]);
		strcpy(e.name, texts[rnd(seed, 25)]);
		e.sha256 = rnd(seed, 2);
		assert_int_equal(td_site_extension_put(s, &e), 0);
	}
	for (unsigned int i = rnd(seed, 6); i; i--) {
		memset(&r, 0, sizeof(r));
		snprintf(r.prefix, sizeof(r.prefix), "%u", rnd(seed, 999));
		r.strip = rnd(seed, 4);
		snprintf(r.add, sizeof(r.add), "%u", rnd(seed, 99));
		if (rnd(seed, 2)) {
			strcpy(r.group, "pstn");
		} else {
			strcpy(r.lines[0], "s1");
			strcpy(r.lines[1], "s3");
			r.n_lines = 1 + rnd(seed, 2);
			if (r.n_lines == 1)
				memset(r.lines[1], 0, sizeof(r.lines[1]));
		}
		assert_int_equal(td_site_route_put(s, &r), 0);
	}
	s->lines[0].channels = 0xfffefffe & ((uint32_t)rand_r(seed) << 1);
	s->lines[0].channels |= 2;
	s->lines[1].side = rnd(seed, 2);
	s->lines[1].overlap = rnd(seed, 2);
	return s;
}

static void random_sites_survive_a_round_trip(void **state)
{
	for (unsigned int i = 1; i <= 300; i++) {
		unsigned int seed = i;
		struct td_site *s = random_site(&seed), *t;
		struct td_problems p = { 0 };
		char *text;
		size_t n;

		if (td_site_check(s, &p))
			fail_msg("seed %u: %s: %s", i, p.p[0].where,
				 p.p[0].what);
		assert_int_equal(td_site_format(s, &text, &n), 0);
		t = parse(text);
		same(s, t);
		free(text);
		td_site_free(s);
		td_site_free(t);
	}
}

/* against a plain array of numbers */
static void edits_of_ranges_behave_like_an_array(void **state)
{
	enum { N = 400 };
	const char *owner[N] = { NULL };
	struct td_site *s = parse(lab);
	struct td_problems p = { 0 };
	unsigned int seed = 5;

	for (int i = 0; i < 400; i++) {
		unsigned int from = rnd(&seed, N), k;
		unsigned int n = 1 + rnd(&seed, N - from < 40 ? N - from : 40);
		struct td_site_extension e = { .password = "x" };

		snprintf(e.first, sizeof(e.first), "8%04u", from);
		assert_int_equal(td_number_last(e.first, n, e.last,
						sizeof(e.last)), 0);
		strcpy(e.name, i % 2 ? "odd" : "even");
		switch (rnd(&seed, 3)) {
		case 0:
			assert_int_equal(td_site_extension_put(s, &e), 0);
			for (k = from; k < from + n; k++)
				owner[k] = i % 2 ? "odd" : "even";
			break;
		case 1:
			assert_int_equal(td_site_extension_cut(s, e.first,
							       e.last), 0);
			for (k = from; k < from + n; k++)
				owner[k] = NULL;
			break;
		default:
			assert_int_equal(td_site_extension_del(s, e.first),
					 owner[from] ? 0 : -ENOENT);
			owner[from] = NULL;
		}
		for (k = 0; k < N; k++) {
			const struct td_site_extension *got;
			char num[16];

			snprintf(num, sizeof(num), "8%04u", k);
			got = td_site_extension(s, num);
			assert_int_equal(!got, !owner[k]);
			if (got)
				assert_string_equal(got->name, owner[k]);
		}
		assert_int_equal(td_site_check(s, &p), 0);
	}
	td_site_free(s);
}

static void a_check_after_edits_names_the_thing(void **state)
{
	struct td_site *s = parse(lab);
	struct td_problems p = { 0 };
	struct td_site_route r = { .prefix = "4", .group = "gone" };
	struct td_site_extension e = { "2943", "2943", "x", "", false };
	char last[TD_NUMBER_MAX];

	assert_int_equal(td_site_route_put(s, &r), 0);
	assert_int_equal(td_site_extension_put(s, &e), 0);
	assert_int_equal(td_site_check(s, &p), -EINVAL);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.p[0].where, "service 2943");
	assert_string_equal(p.p[1].where, "route 4");
	td_problems_free(&p);
	assert_int_equal(td_site_route_del(s, "4"), 0);
	assert_int_equal(td_site_route_del(s, "4"), -ENOENT);
	assert_int_equal(td_number_last("0998", 3, last, sizeof(last)), 0);
	assert_string_equal(last, "1000");
	assert_int_equal(td_number_last("9998", 3, last, sizeof(last)),
			 -ERANGE);
	assert_int_equal(td_number_last("99x8", 3, last, sizeof(last)),
			 -EINVAL);
	td_site_free(s);
}

static void a_hundred_thousand_extensions_are_the_limit(void **state)
{
	struct td_site *s = parse(lab);
	struct td_problems p = { 0 };
	struct td_site_extension e = { "500000", "", "x", "", false };

	/* the lab has 2000 of its own */
	td_number_last(e.first, 98000, e.last, sizeof(e.last));
	assert_int_equal(td_site_extension_put(s, &e), 0);
	assert_int_equal(td_site_check(s, &p), 0);
	td_number_last(e.first, 98001, e.last, sizeof(e.last));
	assert_int_equal(td_site_extension_put(s, &e), 0);
	assert_int_equal(td_site_check(s, &p), -EINVAL);
	assert_int_equal(p.n, 1);
	td_problems_free(&p);
	td_site_free(s);
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
		cmocka_unit_test(the_lab_is_read),
		cmocka_unit_test(each_mistake_is_told_with_its_line),
		cmocka_unit_test(all_mistakes_are_listed_at_once),
		cmocka_unit_test(hostile_documents_are_refused),
		cmocka_unit_test(limits_are_told_where_they_are_passed),
		cmocka_unit_test(mutated_documents_never_crash),
		cmocka_unit_test(the_lab_survives_a_round_trip),
		cmocka_unit_test(random_sites_survive_a_round_trip),
		cmocka_unit_test(edits_of_ranges_behave_like_an_array),
		cmocka_unit_test(a_check_after_edits_names_the_thing),
		cmocka_unit_test(a_hundred_thousand_extensions_are_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
