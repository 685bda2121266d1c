// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/store/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct ctx {
	yaml_parser_t parser;
	const char *file;
	struct td_problems *problems;
	size_t n_nodes;
};

void td_yaml_problem(struct td_problems *p, const char *file,
		     unsigned int line, const char *fmt, ...)
{
	char where[sizeof(p->p->where)], what[sizeof(p->p->what)];
	va_list ap;

	/* the line must stay readable, whatever the file's name */
	snprintf(where, sizeof(where), "%.110s:%u", file, line);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	td_problems_add(p, where, "%s", what);
}

static void wipe(struct td_yaml *y)
{
	for (size_t i = 0; i < y->n; i++) {
		wipe(&y->item[i]);
		if (y->key)
			wipe(&y->key[i]);
	}
	free(y->item);
	free(y->key);
	free(y->text);
	*y = (struct td_yaml){ .kind = TD_YAML_SCALAR };
}

void td_yaml_free(struct td_yaml *y)
{
	if (!y)
		return;
	wipe(y);
	free(y);
}

static int refuse(struct ctx *c, unsigned int line, const char *why)
{
	td_yaml_problem(c->problems, c->file, line, "%s", why);
	return -EINVAL;
}

static int next(struct ctx *c, yaml_event_t *ev)
{
	const yaml_parser_t *p = &c->parser;
	size_t line;

	if (yaml_parser_parse(&c->parser, ev))
		return 0;
	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	line = p->error == YAML_READER_ERROR ? p->mark.line
					     : p->problem_mark.line;
	td_yaml_problem(c->problems, c->file, line + 1, "not YAML: %s%s%s",
			p->problem ? p->problem : "cannot be read",
			p->context ? " " : "", p->context ? p->context : "");
	return -EINVAL;
}

static int node(struct ctx *c, yaml_event_t *ev, unsigned int depth,
		struct td_yaml *out);

static int scalar(struct ctx *c, const yaml_event_t *ev, struct td_yaml *out)
{
	size_t n = ev->data.scalar.length;

	if (memchr(ev->data.scalar.value, 0, n))
		return refuse(c, out->line, "a NUL in a text");
	out->text = malloc(n + 1);
	if (!out->text)
		return -ENOMEM;
	memcpy(out->text, ev->data.scalar.value, n);
	out->text[n] = '\0';
	out->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

/* Room for one element more. */
static int grow(struct td_yaml *y)
{
	struct td_yaml *p;
	size_t cap;

	if (y->n & (y->n - 1))	/* grows at 0, 1, 2, 4, 8, … */
		return 0;
	cap = y->n ? 2 * y->n : 1;
	p = realloc(y->item, cap * sizeof(*p));
	if (!p)
		return -ENOMEM;
	y->item = p;
	if (y->kind != TD_YAML_MAP)
		return 0;
	p = realloc(y->key, cap * sizeof(*p));
	if (!p)
		return -ENOMEM;
	y->key = p;
	return 0;
}

static int list(struct ctx *c, unsigned int depth, struct td_yaml *out)
{
	yaml_event_t ev;
	int rc;

	out->kind = TD_YAML_LIST;
	for (;;) {
		rc = next(c, &ev);
		if (rc)
			return rc;
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		rc = grow(out);
		if (!rc)
			rc = node(c, &ev, depth + 1, &out->item[out->n]);
		yaml_event_delete(&ev);
		if (rc)
			return rc;
		out->n++;
	}
}

static int pair(struct ctx *c, yaml_event_t *key, unsigned int depth,
		struct td_yaml *out)
{
	yaml_event_t ev;
	int rc;

	rc = grow(out);
	if (rc)
		return rc;
	if (key->type != YAML_SCALAR_EVENT)
		return refuse(c, key->start_mark.line + 1,
			      "a key must be a word");
	rc = node(c, key, depth + 1, &out->key[out->n]);
	if (rc)
		return rc;
	rc = next(c, &ev);
	if (!rc) {
		rc = node(c, &ev, depth + 1, &out->item[out->n]);
		yaml_event_delete(&ev);
	}
	if (rc)
		wipe(&out->key[out->n]);
	else
		out->n++;
	return rc;
}

static int map(struct ctx *c, unsigned int depth, struct td_yaml *out)
{
	yaml_event_t ev;
	int rc;

	out->kind = TD_YAML_MAP;
	for (;;) {
		rc = next(c, &ev);
		if (rc)
			return rc;
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		rc = pair(c, &ev, depth, out);
		yaml_event_delete(&ev);
		if (rc)
			return rc;
	}
}

/* What it made is freed again when it fails. */
static int node(struct ctx *c, yaml_event_t *ev, unsigned int depth,
		struct td_yaml *out)
{
	unsigned int line = ev->start_mark.line + 1;
	int rc;

	*out = (struct td_yaml){ .line = line };
	if (depth > TD_YAML_MAX_DEPTH)
		return refuse(c, line, "nested too deep");
	if (++c->n_nodes > TD_YAML_MAX_NODES)
		return refuse(c, line, "too many values in the document");
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		rc = scalar(c, ev, out);
		break;
	case YAML_SEQUENCE_START_EVENT:
		rc = list(c, depth, out);
		break;
	case YAML_MAPPING_START_EVENT:
		rc = map(c, depth, out);
		break;
	case YAML_ALIAS_EVENT:
		rc = refuse(c, line, "aliases (*name) are not taken here: "
				     "write the value");
		break;
	default:
		rc = refuse(c, line, "not YAML");
		break;
	}
	if (rc)
		wipe(out);
	return rc;
}

static int document(struct ctx *c, struct td_yaml *root)
{
	yaml_event_t ev;
	bool got = false;
	int rc;

	for (;;) {
		yaml_event_type_t type;

		rc = next(c, &ev);
		if (rc)
			return rc;
		type = ev.type;
		if (type != YAML_STREAM_START_EVENT &&
		    type != YAML_STREAM_END_EVENT &&
		    type != YAML_DOCUMENT_START_EVENT &&
		    type != YAML_DOCUMENT_END_EVENT) {
			rc = node(c, &ev, 0, root);
			got = got || !rc;
		} else if (type == YAML_DOCUMENT_START_EVENT && got) {
			rc = refuse(c, ev.start_mark.line + 1,
				    "a second document in the file");
		}
		yaml_event_delete(&ev);
		if (rc)
			return rc;
		if (type == YAML_STREAM_END_EVENT)
			return got ? 0 : refuse(c, 1, "the document is empty");
	}
}

int td_yaml_parse(const char *file, const char *text, size_t n,
		  struct td_yaml **out, struct td_problems *problems)
{
	struct ctx c = { .file = file, .problems = problems };
	struct td_yaml *root;
	int rc;

	if (n > TD_YAML_MAX_OCTETS)
		return refuse(&c, 1, "longer than 512 KiB");
	if (!text || !n)
		return refuse(&c, 1, "the document is empty");
	root = calloc(1, sizeof(*root));
	if (!root)
		return -ENOMEM;
	if (!yaml_parser_initialize(&c.parser)) {
		free(root);
		return -ENOMEM;
	}
	yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&c.parser, (const unsigned char *)text, n);
	rc = document(&c, root);
	yaml_parser_delete(&c.parser);
	if (rc)
		td_yaml_free(root);
	else
		*out = root;
	return rc;
}
