// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"
#include "proto/base/str.h"

struct parse {
	const char *file;
	struct td_problems *problems;
	struct td_site *site;
	struct site_where where;
};

static int key_index(const struct site_key *keys, const char *name)
{
	for (int i = 0; keys[i].name; i++)
		if (!strcmp(keys[i].name, name))
			return i;
	return -1;
}

static void unknown_key(struct parse *p, const struct site_section *sect,
			const struct td_yaml *key)
{
	char known[200] = "";
	size_t n = 0;

	if (strspn(key->text, "0123456789-") == strlen(key->text)) {
		td_yaml_problem(p->problems, p->file, key->line,
				"\"%.40s\" is no key: inside { } a list with "
				"commas needs quotes", key->text);
		return;
	}
	for (const struct site_key *k = sect->keys; k->name; k++)
		n += snprintf(known + n, sizeof(known) - n, "%s%s",
			      n ? ", " : "", k->name);
	td_yaml_problem(p->problems, p->file, key->line,
			"unknown key \"%.40s\": a %s has %s", key->text,
			sect->one, known);
}

/* What must be there: the required keys, and one of number and range. */
static void check_required(struct parse *p, const struct site_section *se,
			   unsigned int at, int *line)
{
	int given = 0, wanted = 0;

	for (int k = 0; se->keys[k].name; k++) {
		enum site_type t = se->keys[k].type;

		if (t == TYPE_NUMBER || t == TYPE_RANGE) {
			wanted = 1;
			given += line[k + 1] != 0;
		}
		if (!se->keys[k].required || line[k + 1])
			continue;
		td_yaml_problem(p->problems, p->file, at, "%s: %s is missing",
				se->one, se->keys[k].name);
		line[k + 1] = SITE_LINE_BAD;
	}
	if (!wanted || given == 1)
		return;
	td_yaml_problem(p->problems, p->file, at,
			"%s: give a number or a range%s", se->one,
			given ? ", not both" : "");
	for (int k = 0; se->keys[k].name; k++)
		if (se->keys[k].type == TYPE_NUMBER ||
		    se->keys[k].type == TYPE_RANGE)
			line[k + 1] = SITE_LINE_BAD;
}

static int item(struct parse *p, enum site_sect sect, const struct td_yaml *y,
		void *out, int *line)
{
	const struct site_section *se = &site_sections[sect];
	int rc;

	line[0] = y->line;
	if (y->kind != TD_YAML_MAP) {
		td_yaml_problem(p->problems, p->file, y->line,
				"a %s is written {key: value, …}", se->one);
		for (int i = 0; i < SITE_MAX_KEYS; i++)
			line[i + 1] = SITE_LINE_BAD;
		return 0;
	}
	for (size_t i = 0; i < y->n; i++) {
		int k = key_index(se->keys, y->key[i].text);

		if (k < 0) {
			unknown_key(p, se, &y->key[i]);
			continue;
		}
		if (line[k + 1]) {
			td_yaml_problem(p->problems, p->file, y->key[i].line,
					"%s: given twice", se->keys[k].name);
			continue;
		}
		line[k + 1] = y->item[i].line;
		rc = site_value(p->site, p->file, &se->keys[k], &y->item[i],
				out, p->problems);
		if (rc == -ENOMEM)
			return rc;
		if (rc)
			line[k + 1] = SITE_LINE_BAD;
	}
	check_required(p, se, y->line, line);
	return 0;
}

static int section(struct parse *p, enum site_sect sect,
		   const struct td_yaml *y)
{
	const struct site_section *se = &site_sections[sect];
	size_t n = sect == SECT_SITE ? 1 : y->n;
	char *items;

	if (sect != SECT_SITE && y->kind != TD_YAML_LIST) {
		/* "lines:" with nothing after it is an empty list */
		if (y->kind != TD_YAML_SCALAR || *y->text)
			td_yaml_problem(p->problems, p->file, y->line,
					"%s: a list is expected", se->name);
		return 0;
	}
	if (n > se->max) {
		td_yaml_problem(p->problems, p->file, y->item[se->max].line,
				"%s: more than %u", se->name, se->max);
		n = se->max;
	}
	p->where.line[sect] = calloc(n + 1, sizeof(*p->where.line[sect]));
	items = sect == SECT_SITE ? (char *)p->site : calloc(n + 1, se->item);
	if (!p->where.line[sect] || !items) {
		if (sect != SECT_SITE)
			free(items);
		return -ENOMEM;
	}
	if (sect != SECT_SITE)
		site_set(p->site, sect, items, n);
	for (size_t i = 0; i < n; i++) {
		char *it = items + i * se->item;
		int rc;

		if (se->defaults && sect != SECT_SITE)
			memcpy(it, se->defaults, se->item);
		rc = item(p, sect, sect == SECT_SITE ? y : &y->item[i], it,
			  p->where.line[sect][i]);
		if (rc)
			return rc;
	}
	return 0;
}

static const struct td_yaml *find_section(const struct td_yaml *root,
					  const char *name)
{
	for (size_t i = 0; i < root->n; i++)
		if (!strcmp(root->key[i].text, name))
			return &root->item[i];
	return NULL;
}

static void check_sections(struct parse *p, const struct td_yaml *root)
{
	for (size_t i = 0; i < root->n; i++) {
		const struct td_yaml *key = &root->key[i];
		bool known = false;

		for (int s = 0; s < SECT_N; s++)
			known = known ||
				!strcmp(site_sections[s].name, key->text);
		if (!known)
			td_yaml_problem(p->problems, p->file, key->line,
					"unknown section \"%.40s\"",
					key->text);
		else if (find_section(root, key->text) != &root->item[i])
			td_yaml_problem(p->problems, p->file, key->line,
					"section %s: given twice", key->text);
	}
	if (!find_section(root, "site"))
		td_yaml_problem(p->problems, p->file, 1,
				"section \"site\" is missing");
}

static int parse_root(struct parse *p, const struct td_yaml *root)
{
	if (root->kind != TD_YAML_MAP) {
		td_yaml_problem(p->problems, p->file, root->line,
				"a site is written as sections: site, nodes, "
				"lines, …");
		return 0;
	}
	check_sections(p, root);
	for (int s = 0; s < SECT_N; s++) {
		const struct td_yaml *y = find_section(root,
						       site_sections[s].name);
		int rc = y ? section(p, s, y) : 0;

		if (rc)
			return rc;
	}
	return site_check(p->site, &p->where, p->problems);
}

static int by_line(const void *a, const void *b)
{
	const struct td_problem *p = a, *q = b;
	const char *x = strrchr(p->where, ':'), *y = strrchr(q->where, ':');
	int i = x ? atoi(x + 1) : 0, j = y ? atoi(y + 1) : 0;

	if (i != j)
		return i < j ? -1 : 1;
	return strcmp(p->what, q->what);
}

int td_site_parse(const char *file, const char *text, size_t n,
		  struct td_site **out, struct td_problems *problems)
{
	struct parse p = { .file = file, .problems = problems,
			   .where.file = file };
	size_t before = problems->n;
	struct td_yaml *root;
	int rc;

	rc = td_yaml_parse(file, text, n, &root, problems);
	if (rc)
		return rc;
	p.site = malloc(sizeof(*p.site));
	if (p.site) {
		memcpy(p.site, site_sections[SECT_SITE].defaults,
		       sizeof(*p.site));
		rc = parse_root(&p, root);
	} else {
		rc = -ENOMEM;
	}
	td_yaml_free(root);
	for (int s = 0; s < SECT_N; s++)
		free(p.where.line[s]);
	if (problems->n > before) {
		qsort(problems->p + before, problems->n - before,
		      sizeof(*problems->p), by_line);
		if (rc != -ENOMEM)
			rc = -EINVAL;
	}
	if (rc) {
		td_site_free(p.site);
		return rc;
	}
	site_sort(p.site);
	*out = p.site;
	return 0;
}
