/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_RANDOM_SITE_H
#define TEST_RANDOM_SITE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"

/* A site that the checks accept, with something of everything that the model
 * can say; the seed decides. */

static inline unsigned int rnd(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

static const char *const random_texts[] = {
	"x", "true", "0x1f", "1e5", "- x", "a: b", "#no", "'", "\"", "\\",
	"{number}", "pw{number}", " lead", "trail ", "\xc3\xa4", "null", "~",
	"*a", "&a", "!t", "|", "%", "@", "`", "a,b", "\xf0\x9f\x93\x9e", "{}",
};
enum { RANDOM_TEXTS = sizeof(random_texts) / sizeof(*random_texts) };

static inline void *random_items(struct td_site *s, enum site_sect sect,
				 size_t n)
{
	const struct site_section *se = &site_sections[sect];
	char *p = calloc(n + 1, se->item);

	for (size_t i = 0; se->defaults && i < n; i++)
		memcpy(p + i * se->item, se->defaults, se->item);
	free(site_items(s, sect));
	site_set(s, sect, p, n);
	return p;
}

/* The last index of a word list. */
static inline unsigned int random_word(unsigned int *seed, enum site_sect sect,
				       const char *key)
{
	const struct site_key *k = site_sections[sect].keys;
	unsigned int n = 0;

	while (strcmp(k->name, key))
		k++;
	while (k->words[n])
		n++;
	return rnd(seed, n);
}

static inline void random_nodes(struct td_site *s, unsigned int *seed)
{
	size_t n = 1 + rnd(seed, 5);
	struct td_site_node *v = random_items(s, SECT_NODES, n);
	unsigned int id = 0;

	for (size_t i = 0; i < n; i++) {
		id += 1 + rnd(seed, 3);
		v[i].id = id;
		snprintf(v[i].name, sizeof(v[i].name), "n%u", id);
		v[i].role = i && i == n - 1 ? rnd(seed, 2) : TD_ROLE_NODE;
		if (v[i].role == TD_ROLE_NODE || rnd(seed, 2))
			snprintf(v[i].address, sizeof(v[i].address),
				 rnd(seed, 2) ? "10.1.0.%u" : "FD00::1:%x", id);
		if (rnd(seed, 4))
			snprintf(v[i].cluster_address,
				 sizeof(v[i].cluster_address), "10.2.0.%u", id);
		else	/* one network for both */
			strcpy(v[i].cluster_address, v[i].address);
		if (v[i].role == TD_ROLE_NODE && !*v[i].cluster_address)
			strcpy(v[i].cluster_address, "10.3.0.1");
	}
}

/* Some of the nodes that serve, in any order. */
static inline void random_owners(const struct td_site *s, unsigned int *seed,
				 uint32_t ids[16], unsigned int *n)
{
	unsigned int first = rnd(seed, s->n_nodes);

	for (size_t i = 0; i < s->n_nodes; i++) {
		const struct td_site_node *k =
			&s->nodes[(first + i) % s->n_nodes];

		if (k->role == TD_ROLE_NODE && (!*n || rnd(seed, 3)))
			ids[(*n)++] = k->id;
	}
}

static inline void random_classes(struct td_site *s, unsigned int *seed)
{
	size_t n = rnd(seed, 4);
	struct td_site_class *v = random_items(s, SECT_CLASSES, n);

	for (size_t i = 0; i < n; i++) {
		snprintf(v[i].name, sizeof(v[i].name), "class-%zu", 9 + i);
		v[i].otherwise = random_word(seed, SECT_CLASSES, "otherwise");
		for (unsigned int k = rnd(seed, 17); k; k--)
			snprintf(v[i].allow[v[i].n_allow++], TD_NUMBER_MAX,
				 "9%u", k);
		for (unsigned int k = rnd(seed, 17); k; k--)
			snprintf(v[i].deny[v[i].n_deny++], TD_NUMBER_MAX,
				 "*%u#", k);
	}
}

static inline void random_class(const struct td_site *s, unsigned int *seed,
				char *out)
{
	if (s->n_classes && rnd(seed, 2))
		strcpy(out, s->classes[rnd(seed, s->n_classes)].name);
}

static inline void random_units(struct td_site *s, unsigned int *seed)
{
	size_t n = rnd(seed, 12), m = rnd(seed, 5);
	struct td_site_line *v = random_items(s, SECT_LINES, n);
	struct td_site_address *a = random_items(s, SECT_ADDRESSES, m);

	for (size_t i = 0; i < n; i++) {
		snprintf(v[i].name, sizeof(v[i].name), "s%zu", i + 1);
		v[i].port = 1 + (unsigned int)i;
		random_owners(s, seed, v[i].nodes, &v[i].n_nodes);
		if (rnd(seed, 3))
			snprintf(v[i].group, sizeof(v[i].group), "g%u",
				 rnd(seed, 3));
		v[i].switch_type = random_word(seed, SECT_LINES, "switch");
		v[i].side = random_word(seed, SECT_LINES, "side");
		v[i].overlap = rnd(seed, 2);
		if (rnd(seed, 2)) {
			v[i].dchannel = 1 + rnd(seed, 31);
			v[i].channels = (uint32_t)rand_r(seed) << 1 | 6;
			v[i].channels &= ~(1u << v[i].dchannel);
		}
		random_class(s, seed, v[i].class);
	}
	for (size_t i = 0; i < m; i++) {
		snprintf(a[i].name, sizeof(a[i].name), "a%zu", i + 1);
		snprintf(a[i].address, sizeof(a[i].address), "10.4.0.%zu",
			 i + 1);
		random_owners(s, seed, a[i].nodes, &a[i].n_nodes);
	}
}

static inline void random_numbers(struct td_site *s, unsigned int *seed)
{
	size_t n = rnd(seed, 30), m = rnd(seed, 6);
	struct td_site_extension *v = random_items(s, SECT_EXTENSIONS, n);
	struct td_site_ddi *d = random_items(s, SECT_DDI, m);
	unsigned int at = 0;

	for (size_t i = 0; i < n; i++) {
		at += 1 + rnd(seed, 100);	/* 00017 is not 017 */
		snprintf(v[i].first, sizeof(v[i].first), "%05u", at);
		at += rnd(seed, 3) ? 0 : rnd(seed, 300);
		snprintf(v[i].last, sizeof(v[i].last), "%05u", at);
		strcpy(v[i].password, random_texts[rnd(seed, RANDOM_TEXTS)]);
		if (rnd(seed, 2))
			strcpy(v[i].name,
			       random_texts[rnd(seed, RANDOM_TEXTS)]);
		v[i].sha256 = rnd(seed, 2);
		random_class(s, seed, v[i].class);
	}
	for (size_t i = 0; i < m; i++) {
		snprintf(d[i].first, sizeof(d[i].first), "%07zu", i * 1000);
		snprintf(d[i].last, sizeof(d[i].last), "%07zu",
			 i * 1000 + rnd(seed, 1000));
		d[i].keep = 1 + rnd(seed, 7);
	}
}

static inline void random_routes(struct td_site *s, unsigned int *seed)
{
	size_t n = s->n_lines ? rnd(seed, 12) : 0, m = rnd(seed, 5);
	struct td_site_route *v = random_items(s, SECT_ROUTES, n);
	struct td_site_service *k = random_items(s, SECT_SERVICES, m);

	for (size_t i = 0; i < n; i++) {
		const struct td_site_line *l =
			&s->lines[rnd(seed, s->n_lines)];

		snprintf(v[i].prefix, sizeof(v[i].prefix),
			 rnd(seed, 2) ? "%zu" : "#*%zu", i);
		v[i].strip = rnd(seed, 32);
		v[i].transit = rnd(seed, 2);
		if (rnd(seed, 2))
			snprintf(v[i].add, sizeof(v[i].add), "00%u",
				 rnd(seed, 99));
		if (*l->group && rnd(seed, 2)) {
			strcpy(v[i].group, l->group);
			continue;
		}
		for (size_t j = s->n_lines; j; j--)
			if (!v[i].n_lines || rnd(seed, 2))
				strcpy(v[i].lines[v[i].n_lines++],
				       s->lines[j - 1].name);
	}
	for (size_t i = 0; i < m; i++) {
		snprintf(k[i].number, sizeof(k[i].number),
			 rnd(seed, 2) ? "*4%zu" : "77%zu", i);
		k[i].service = random_word(seed, SECT_SERVICES, "service");
	}
}

static inline struct td_site *random_site(unsigned int seed)
{
	struct td_site *s = calloc(1, sizeof(*s));
	struct td_problems p = { 0 };
	unsigned int first = seed;

	*s = *(const struct td_site *)site_sections[SECT_SITE].defaults;
	snprintf(s->name, sizeof(s->name), "site-%u", seed);
	strcpy(s->domain, rnd(&seed, 2) ? "tandem.lab" : "10.0.0.1");
	strcpy(s->country, rnd(&seed, 2) ? "de" : "");
	s->jitter_ms = 20 + rnd(&seed, 381);
	s->rtp_timeout_s = rnd(&seed, 2) * (5 + rnd(&seed, 3596));
	s->session_expires_s = rnd(&seed, 2) * (90 + rnd(&seed, 86311));
	random_nodes(s, &seed);
	random_classes(s, &seed);
	random_units(s, &seed);
	random_numbers(s, &seed);
	random_routes(s, &seed);
	site_sort(s);
	if (td_site_check(s, &p))
		fail_msg("seed %u: %s: %s", first, p.p[0].where, p.p[0].what);
	return s;
}

/* Equal, and so told by the canonical text, octet by octet. */
static inline void same_site(const struct td_site *a, const struct td_site *b)
{
	char *x, *y;
	size_t n, m;

	assert_int_equal(td_site_format(a, &x, &n), 0);
	assert_int_equal(td_site_format(b, &y, &m), 0);
	assert_string_equal(x, y);
	free(x);
	free(y);
	/* the arrays' addresses and counts stand behind the plain values */
	assert_memory_equal(a, b, offsetof(struct td_site, nodes));
	for (int i = SECT_NODES; i < SECT_N; i++) {
		assert_int_equal(site_count(a, i), site_count(b, i));
		if (site_count(a, i))
			assert_memory_equal(site_items(a, i), site_items(b, i),
					    site_count(a, i) *
						    site_sections[i].item);
	}
}

#endif
