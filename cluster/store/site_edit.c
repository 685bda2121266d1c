// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"

/* Room for one element more, zeroed. */
static void *append(struct td_site *s, enum site_sect sect)
{
	size_t n = site_count(s, sect), size = site_sections[sect].item;
	char *p = realloc(site_items(s, sect), (n + 1) * size);

	if (!p)
		return NULL;
	memset(p + n * size, 0, size);
	site_set(s, sect, p, n + 1);
	return p + n * size;
}

static void drop(struct td_site *s, enum site_sect sect, size_t i)
{
	size_t n = site_count(s, sect), size = site_sections[sect].item;
	char *p = site_items(s, sect);

	memmove(p + i * size, p + (i + 1) * size, (n - i - 1) * size);
	site_set(s, sect, p, n - 1);
}

/* number + delta in as many digits */
static int step(const char *number, int64_t delta, char *out)
{
	uint64_t v = strtoull(number, NULL, 10) + (uint64_t)delta;
	char buf[TD_NUMBER_MAX];

	snprintf(buf, sizeof(buf), "%0*" PRIu64, (int)strlen(number), v);
	if (strlen(buf) != strlen(number))
		return -ERANGE;
	memcpy(out, buf, strlen(buf) + 1);
	return 0;
}

int td_number_last(const char *first, uint64_t count, char *last, size_t size)
{
	char buf[TD_NUMBER_MAX];

	if (!site_digits(first) || strlen(first) > 15 || !count ||
	    size < sizeof(buf))
		return -EINVAL;
	if (count > 1000000000000000ull || step(first, count - 1, buf))
		return -ERANGE;
	memcpy(last, buf, strlen(buf) + 1);
	return 0;
}

int td_site_extension_cut(struct td_site *s, const char *first,
			  const char *last)
{
	if (!site_digits(first) || !site_digits(last) ||
	    strlen(first) != strlen(last) || strlen(first) > 15)
		return -EINVAL;
	for (size_t i = 0; i < s->n_extensions;) {
		struct td_site_extension *e = &s->extensions[i], *rest;
		bool left, right;

		if (site_number_cmp(last, e->first) < 0 ||
		    site_number_cmp(first, e->last) > 0) {
			i++;
			continue;
		}
		left = site_number_cmp(e->first, first) < 0;
		right = site_number_cmp(e->last, last) > 0;
		if (!left && !right) {
			drop(s, SECT_EXTENSIONS, i);
			continue;
		}
		if (left && right) {
			rest = append(s, SECT_EXTENSIONS);
			if (!rest)
				return -ENOMEM;
			e = &s->extensions[i];	/* may have moved */
			*rest = *e;
			step(last, 1, rest->first);
			step(first, -1, e->last);
		} else if (left) {
			step(first, -1, e->last);
		} else {
			step(last, 1, e->first);
		}
		i++;
	}
	site_sort(s);
	return 0;
}

int td_site_extension_put(struct td_site *s, const struct td_site_extension *e)
{
	struct td_site_extension copy = *e, *at;
	int rc = td_site_extension_cut(s, copy.first, copy.last);

	if (rc)
		return rc;
	at = append(s, SECT_EXTENSIONS);
	if (!at)
		return -ENOMEM;
	*at = copy;
	site_sort(s);
	return 0;
}

int td_site_extension_del(struct td_site *s, const char *number)
{
	if (!td_site_extension(s, number))
		return -ENOENT;
	return td_site_extension_cut(s, number, number);
}

static size_t route_index(const struct td_site *s, const char *prefix)
{
	size_t i = 0;

	while (i < s->n_routes && strcmp(s->routes[i].prefix, prefix))
		i++;
	return i;
}

int td_site_route_put(struct td_site *s, const struct td_site_route *r)
{
	size_t i = route_index(s, r->prefix);
	struct td_site_route copy = *r;

	if (i == s->n_routes && !append(s, SECT_ROUTES))
		return -ENOMEM;
	s->routes[i] = copy;
	site_sort(s);
	return 0;
}

int td_site_route_del(struct td_site *s, const char *prefix)
{
	size_t i = route_index(s, prefix);

	if (i == s->n_routes)
		return -ENOENT;
	drop(s, SECT_ROUTES, i);
	return 0;
}
