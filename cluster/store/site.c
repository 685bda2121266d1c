// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/store/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"

bool site_digits(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

int site_number_cmp(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	if (n != m)
		return n < m ? -1 : 1;
	return strcmp(a, b);
}

static int by_node(const void *a, const void *b)
{
	const struct td_site_node *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Names begin a class, a line, an address: s2 before s10. */
static int by_name(const void *a, const void *b)
{
	return strverscmp(a, b);
}

/* Numbers begin an extension, a DDI range. */
static int by_number(const void *a, const void *b)
{
	return site_number_cmp(a, b);
}

/* What is dialled begins a route, a service. */
static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int (*const orders[SECT_N])(const void *a, const void *b) = {
	[SECT_NODES] = by_node,	      [SECT_CLASSES] = by_name,
	[SECT_LINES] = by_name,	      [SECT_ADDRESSES] = by_name,
	[SECT_EXTENSIONS] = by_number, [SECT_DDI] = by_number,
	[SECT_ROUTES] = by_text,      [SECT_SERVICES] = by_text,
};

int site_item_cmp(enum site_sect sect, const void *a, const void *b)
{
	return orders[sect](a, b);
}

void site_sort(struct td_site *s)
{
	_Static_assert(!offsetof(struct td_site_class, name) &&
		       !offsetof(struct td_site_line, name) &&
		       !offsetof(struct td_site_address, name) &&
		       !offsetof(struct td_site_extension, first) &&
		       !offsetof(struct td_site_ddi, first) &&
		       !offsetof(struct td_site_route, prefix) &&
		       !offsetof(struct td_site_service, number), "sort");

	for (int i = SECT_NODES; i < SECT_N; i++)
		if (site_count(s, i))
			qsort(site_items(s, i), site_count(s, i),
			      site_sections[i].item, orders[i]);
}

const struct td_site_extension *td_site_extension(const struct td_site *s,
						  const char *number)
{
	size_t lo = 0, hi = s->n_extensions;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct td_site_extension *e = &s->extensions[mid];

		if (site_number_cmp(number, e->first) < 0)
			hi = mid;
		else if (site_number_cmp(number, e->last) > 0)
			lo = mid + 1;
		else		/* equal length, but 12x4 is between, too */
			return site_digits(number) ? e : NULL;
	}
	return NULL;
}

int td_site_password(const struct td_site *s, const char *number, char *out,
		     size_t size)
{
	const struct td_site_extension *e = td_site_extension(s, number);
	static const char mark[] = "{number}";
	char buf[1024];
	size_t n = 0;
	const char *p;

	if (!e)
		return -ENOENT;
	for (p = e->password; *p && n < sizeof(buf);) {
		if (!strncmp(p, mark, sizeof(mark) - 1)) {
			n += snprintf(buf + n, sizeof(buf) - n, "%s", number);
			p += sizeof(mark) - 1;
		} else {
			buf[n++] = *p++;
		}
	}
	if (n >= size || n >= sizeof(buf))
		return -ENAMETOOLONG;
	memcpy(out, buf, n);
	out[n] = '\0';
	return 0;
}

const struct td_site_node *td_site_node(const struct td_site *s, uint32_t id)
{
	for (size_t i = 0; i < s->n_nodes; i++)
		if (s->nodes[i].id == id)
			return &s->nodes[i];
	return NULL;
}

const struct td_site_node *td_site_node_by_name(const struct td_site *s,
						const char *name)
{
	for (size_t i = 0; i < s->n_nodes; i++)
		if (!strcmp(s->nodes[i].name, name))
			return &s->nodes[i];
	return NULL;
}

const struct td_site_line *td_site_line(const struct td_site *s,
					const char *name)
{
	for (size_t i = 0; i < s->n_lines; i++)
		if (!strcmp(s->lines[i].name, name))
			return &s->lines[i];
	return NULL;
}

const struct td_site_class *td_site_class(const struct td_site *s,
					  const char *name)
{
	for (size_t i = 0; i < s->n_classes; i++)
		if (!strcmp(s->classes[i].name, name))
			return &s->classes[i];
	return NULL;
}

const struct td_site_address *td_site_address(const struct td_site *s,
					      const char *name)
{
	for (size_t i = 0; i < s->n_addresses; i++)
		if (!strcmp(s->addresses[i].name, name))
			return &s->addresses[i];
	return NULL;
}

json_t *td_site_extensions_json(const struct td_site *s)
{
	json_t *a = json_array();

	/* passwords stay where they are: config export has them */
	for (size_t i = 0; a && i < s->n_extensions; i++) {
		const struct td_site_extension *e = &s->extensions[i];

		if (json_array_append_new(a, json_pack(
			    "{s:s, s:s, s:s, s:b, s:s}", "first", e->first,
			    "last", e->last, "name", e->name, "sha256",
			    (int)e->sha256, "class", e->class))) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

json_t *td_site_routes_json(const struct td_site *s)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < s->n_routes; i++) {
		const struct td_site_route *r = &s->routes[i];
		json_t *lines = json_array();

		for (unsigned int k = 0; k < r->n_lines; k++)
			json_array_append_new(lines, json_string(r->lines[k]));
		if (json_array_append_new(a, json_pack(
			    "{s:s, s:i, s:s, s:s, s:o, s:b}", "prefix",
			    r->prefix, "strip", (int)r->strip, "add", r->add,
			    "group", r->group, "lines", lines, "transit",
			    (int)r->transit))) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}
