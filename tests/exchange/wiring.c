// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/wiring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/str.h"

enum { PORT_BASE = 21400, NODES = 16, WORDS = 32, WORD = 64 };

struct words {
	int n;
	char w[WORDS][WORD];
};

static int split(const char *s, char by, struct words *out)
{
	out->n = 0;
	while (*s) {
		size_t n = strcspn(s, (char[]){ by, 0 });

		if (!n || n >= WORD || out->n == WORDS)
			return -EINVAL;
		memcpy(out->w[out->n], s, n);
		out->w[out->n++][n] = 0;
		s += n + (s[n] != 0);
	}
	return out->n ? 0 : -EINVAL;
}

/* "s3" or "s1-s4": spans by number. @return 0 or -EINVAL */
static int range(const char *w, int *a, int *b)
{
	char tail;

	if (sscanf(w, "s%d-s%d%c", a, b, &tail) == 2)
		return *a < 1 || *b < *a || *b > 99 ? -EINVAL : 0;
	if (sscanf(w, "s%d%c", a, &tail) == 1) {
		*b = *a;
		return *a < 1 || *a > 99 ? -EINVAL : 0;
	}
	return -EINVAL;
}

static int add_line(struct td_xengine_conf *c, const char *name, int port)
{
	struct td_xengine_line *l = &c->line[c->n_lines];

	if (c->n_lines == TD_XENGINE_LINES || port < 1 || port > 65535)
		return -EINVAL;
	for (int i = 0; i < c->n_lines; i++)
		if (!strcmp(c->line[i].name, name) || c->line[i].port == port)
			return -EINVAL;
	if (td_str_copy(l->name, sizeof(l->name), name))
		return -EINVAL;
	l->port = port;
	c->n_lines++;
	return 0;
}

static int parse_lines(const char *s, struct td_xengine_conf *c)
{
	struct words w;
	int a, b, rc = split(s, ',', &w);

	for (int i = 0; !rc && i < w.n; i++) {
		char *eq = strchr(w.w[i], '=');
		char name[16];

		if (eq) {
			*eq = 0;
			rc = add_line(c, w.w[i], atoi(eq + 1));
			continue;
		}
		rc = range(w.w[i], &a, &b);
		for (; !rc && a <= b; a++) {
			snprintf(name, sizeof(name), "s%d", a);
			rc = add_line(c, name, PORT_BASE + a);
		}
	}
	return rc;
}

static int parse_nodes(const char *s, struct td_xengine_node *n, int *count)
{
	struct words w;
	int rc = split(s, ',', &w);

	*count = 0;
	for (int i = 0; !rc && i < w.n; i++) {
		struct td_xengine_node *k = &n[*count];
		char *eq = strchr(w.w[i], '=');

		if (!eq || *count == NODES)
			return -EINVAL;
		*eq = 0;
		memset(k, 0, sizeof(*k));
		k->addr.sin_family = AF_INET;
		if (td_str_copy(k->name, sizeof(k->name), w.w[i]) ||
		    inet_pton(AF_INET, eq + 1, &k->addr.sin_addr) != 1)
			return -EINVAL;
		(*count)++;
	}
	return rc;
}

static int add_node(struct td_xengine_line *l, const struct td_xengine_node *n,
		    int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(n[i].name, name))
			continue;
		if (l->n_nodes == TD_XLINE_NODES)
			return -EINVAL;
		l->node[l->n_nodes++] = n[i];
		return 0;
	}
	return -EINVAL;
}

/* "s5-s8:n3,n4" */
static int wire(struct td_xengine_conf *c, char *group,
		const struct td_xengine_node *n, int count)
{
	char *colon = strchr(group, ':'), name[16];
	int a, b, rc, hits = 0;
	struct words w;

	if (!colon)
		return -EINVAL;
	*colon = 0;
	rc = range(group, &a, &b);
	if (!rc)
		rc = split(colon + 1, ',', &w);
	for (; !rc && a <= b; a++) {
		snprintf(name, sizeof(name), "s%d", a);
		for (int i = 0; i < c->n_lines; i++) {
			if (strcmp(c->line[i].name, name))
				continue;
			c->line[i].n_nodes = 0;
			for (int k = 0; !rc && k < w.n; k++)
				rc = add_node(&c->line[i], n, count, w.w[k]);
			hits++;
		}
	}
	return hits ? rc : -EINVAL;
}

int td_xwiring_parse(const struct td_xwiring *w, struct td_xengine_conf *out,
		     const char **bad)
{
	struct td_xengine_conf c = { .blame_ms = 20 };
	struct td_xengine_node n[NODES];
	struct words groups;
	int count, rc = 0;

	*bad = w->local;
	if (inet_pton(AF_INET, w->local, &c.local) != 1)
		return -EINVAL;
	*bad = w->lines;
	if (parse_lines(w->lines, &c))
		return -EINVAL;
	*bad = w->nodes;
	if (parse_nodes(w->nodes, n, &count))
		return -EINVAL;
	for (int i = 0; i < c.n_lines; i++)
		for (int k = 0; k < 2 && k < count; k++)
			c.line[i].node[c.line[i].n_nodes++] = n[k];
	if (w->line_nodes) {
		*bad = w->line_nodes;
		rc = split(w->line_nodes, ';', &groups);
		for (int i = 0; !rc && i < groups.n; i++)
			rc = wire(&c, groups.w[i], n, count);
	}
	if (rc)
		return -EINVAL;
	*bad = NULL;
	*out = c;
	return 0;
}
