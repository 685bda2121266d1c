// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;	/* same bucket */
	size_t idx;		/* place in order[] */
	uint64_t hash;
	void *value;
	size_t n;
	unsigned char key[];
};

struct td_map {
	struct entry **bucket;
	size_t n_bucket;	/* power of two */
	struct entry **order;	/* dense, for walking */
	size_t count;
};

/* FNV-1a with a final mix; keys come from configuration and authenticated
 * peers, and every table is bounded */
static uint64_t hash_of(const void *key, size_t n)
{
	const unsigned char *p = key;
	uint64_t h = 0xcbf29ce484222325ULL;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	h ^= h >> 32;
	return h * 0x9e3779b97f4a7c15ULL;
}

int td_map_new(struct td_map **out)
{
	struct td_map *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->n_bucket = 16;
	m->bucket = calloc(m->n_bucket, sizeof(*m->bucket));
	m->order = calloc(m->n_bucket, sizeof(*m->order));
	if (!m->bucket || !m->order) {
		free(m->bucket);
		free(m->order);
		free(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

void td_map_free(struct td_map *m, void (*free_value)(void *))
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++) {
		if (free_value)
			free_value(m->order[i]->value);
		free(m->order[i]);
	}
	free(m->bucket);
	free(m->order);
	free(m);
}

size_t td_map_count(const struct td_map *m)
{
	return m->count;
}

static struct entry **find(const struct td_map *m, uint64_t h,
			   const void *key, size_t n)
{
	struct entry **p = &m->bucket[(h >> 20) & (m->n_bucket - 1)];

	while (*p && ((*p)->hash != h || (*p)->n != n ||
		      memcmp((*p)->key, key, n)))
		p = &(*p)->next;
	return p;
}

void *td_map_get(const struct td_map *m, const void *key, size_t n)
{
	struct entry *e = *find(m, hash_of(key, n), key, n);

	return e ? e->value : NULL;
}

static int grow(struct td_map *m)
{
	size_t nb = m->n_bucket * 2;
	struct entry **b, **o;

	o = realloc(m->order, nb * sizeof(*o));
	if (!o)
		return -ENOMEM;
	m->order = o;
	b = calloc(nb, sizeof(*b));
	if (!b)
		return -ENOMEM;
	for (size_t i = 0; i < m->count; i++) {
		struct entry *e = m->order[i];
		struct entry **p = &b[(e->hash >> 20) & (nb - 1)];

		e->next = *p;
		*p = e;
	}
	free(m->bucket);
	m->bucket = b;
	m->n_bucket = nb;
	return 0;
}

int td_map_set(struct td_map *m, const void *key, size_t n, void *value,
	       void **old)
{
	uint64_t h = hash_of(key, n);
	struct entry *e = *find(m, h, key, n), **p;

	if (e) {
		if (old)
			*old = e->value;
		e->value = value;
		return 0;
	}
	if (m->count == m->n_bucket && grow(m))
		return -ENOMEM;
	e = malloc(sizeof(*e) + n);
	if (!e)
		return -ENOMEM;
	p = &m->bucket[(h >> 20) & (m->n_bucket - 1)];
	*e = (struct entry){ .next = *p, .idx = m->count, .hash = h,
			     .value = value, .n = n };
	memcpy(e->key, key, n);
	*p = e;
	m->order[m->count++] = e;
	if (old)
		*old = NULL;
	return 0;
}

void *td_map_del(struct td_map *m, const void *key, size_t n)
{
	struct entry **p = find(m, hash_of(key, n), key, n), *e = *p;
	void *value;

	if (!e)
		return NULL;
	*p = e->next;
	/* walking goes from the end, so the moved entry was seen already */
	m->order[e->idx] = m->order[--m->count];
	m->order[e->idx]->idx = e->idx;
	value = e->value;
	free(e);
	return value;
}

void *td_map_next(const struct td_map *m, size_t *pos)
{
	if (*pos == 0 || *pos > m->count + 1)
		*pos = m->count + 1;
	if (*pos == 1)
		return NULL;
	return m->order[--*pos - 1]->value;
}
