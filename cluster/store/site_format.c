// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cluster/store/site_keys.h"

/* The canonical text: every section, an item a line, what has its default
 * left out. Strings that a YAML reader could take for something else stand
 * in quotes. */

static bool plain_ok(const char *s)
{
	static const char *const reserved[] = { "true", "false", "yes", "no",
						"on", "off", "null", "y", "n" };
	static const char more[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
		return false;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (!strcasecmp(s, reserved[i]))
			return false;
	return strspn(s, more) == strlen(s);
}

static bool is_ipv4(const char *s)
{
	unsigned int dots = 0;

	for (const char *p = s; *p; p++)
		dots += *p == '.';
	return dots == 3 && strspn(s, "0123456789.") == strlen(s);
}

static void text(FILE *f, const char *s)
{
	if (plain_ok(s) || is_ipv4(s)) {
		fputs(s, f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

void site_timeslots_text(uint32_t bits, char *out, size_t size)
{
	const char *sep = "";
	size_t n = 0;

	*out = '\0';
	for (unsigned int t = 1; t < 32 && n < size; t++) {
		unsigned int from = t;

		if (!(bits & 1u << t))
			continue;
		while (t < 31 && bits & 1u << (t + 1))
			t++;
		n += snprintf(out + n, size - n, t == from ? "%s%u" : "%s%u-%u",
			      sep, from, t);
		sep = ",";
	}
}

static void names(FILE *f, const struct td_site *s, const struct site_key *k,
		  const void *at)
{
	const char (*line)[TD_NAME_MAX] = at;
	const uint32_t *ids = at;
	bool nodes = k->type == TYPE_NODES;
	unsigned int n = nodes ? ids[16] : *(const unsigned int *)(line + 16);

	fputc('[', f);
	for (unsigned int i = 0; i < n; i++) {
		const struct td_site_node *node =
			nodes ? td_site_node(s, ids[i]) : NULL;

		if (i)
			fputs(", ", f);
		text(f, !nodes ? line[i] : node ? node->name : "?");
	}
	fputc(']', f);
}

static void value(FILE *f, const struct td_site *s, const struct site_key *k,
		  const void *at)
{
	char slots[SITE_TIMESLOTS_TEXT];
	uint32_t u;

	switch (k->type) {
	case TYPE_TEXT:
	case TYPE_NUMBER:
		text(f, at);
		break;
	case TYPE_RANGE:
		fprintf(f, "%s-%s", (const char *)at,
			(const char *)at + TD_NUMBER_MAX);
		break;
	case TYPE_U32:
		memcpy(&u, at, sizeof(u));
		fprintf(f, "%u", u);
		break;
	case TYPE_BOOL:
		fputs(*(const bool *)at ? "true" : "false", f);
		break;
	case TYPE_WORD:
		memcpy(&u, at, sizeof(u));
		fputs(k->words[u], f);
		break;
	case TYPE_CHANNELS:
		memcpy(&u, at, sizeof(u));
		site_timeslots_text(u, slots, sizeof(slots));
		fprintf(f, "\"%s\"", slots);
		break;
	case TYPE_NODES:
	case TYPE_LINES:
	case TYPE_PREFIXES:
		names(f, s, k, at);
		break;
	}
}

static bool is_default(const struct site_section *se, const struct site_key *k,
		       const char *at)
{
	static const char zero[16 * TD_NAME_MAX];
	const char *def = se->defaults ? (const char *)se->defaults + k->offset
				       : zero;

	if (k->type == TYPE_NUMBER || k->type == TYPE_RANGE)
		return (k->type == TYPE_NUMBER) !=
		       !strcmp(at, at + TD_NUMBER_MAX);
	if (k->required)
		return false;
	if (k->type == TYPE_TEXT)
		return !strcmp(at, def);
	return !memcmp(at, def, k->size);
}

/* @param secrets passwords, too */
static void item(FILE *f, const struct td_site *s,
		 const struct site_section *se, const char *it, bool secrets)
{
	const char *sep = "";

	fputc('{', f);
	for (const struct site_key *k = se->keys; k->name; k++) {
		if (is_default(se, k, it + k->offset) ||
		    (!secrets && site_key_secret(k)))
			continue;
		fprintf(f, "%s%s: ", sep, k->name);
		value(f, s, k, it + k->offset);
		sep = ", ";
	}
	fputc('}', f);
}

char *site_key_text(const struct td_site *s, const struct site_key *k,
		    const char *it)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);

	if (!f)
		return NULL;
	if (k->type == TYPE_RANGE &&
	    !strcmp(it + k->offset, it + k->offset + TD_NUMBER_MAX))
		fputs(it + k->offset, f);
	else
		value(f, s, k, it + k->offset);
	if (fclose(f)) {
		free(buf);
		return NULL;
	}
	return buf;
}

char *site_item_text(const struct td_site *s, enum site_sect sect,
		     const char *it)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);

	if (!f)
		return NULL;
	item(f, s, &site_sections[sect], it, false);
	if (fclose(f)) {
		free(buf);
		return NULL;
	}
	return buf;
}

int td_site_format(const struct td_site *s, char **out, size_t *n)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);
	bool bad;

	if (!f)
		return -ENOMEM;
	for (int i = 0; i < SECT_N; i++) {
		const struct site_section *se = &site_sections[i];
		const char *items = site_items(s, i);
		size_t count = site_count(s, i);

		if (i == SECT_SITE) {
			fputs("site: ", f);
			item(f, s, se, items, true);
			fputc('\n', f);
			continue;
		}
		if (count)
			fprintf(f, "%s:\n", se->name);
		for (size_t k = 0; k < count; k++) {
			fputs("  - ", f);
			item(f, s, se, items + k * se->item, true);
			fputc('\n', f);
		}
	}
	bad = ferror(f);
	if (fclose(f) || bad) {
		free(buf);
		return -ENOMEM;
	}
	*out = buf;
	*n = size;
	return 0;
}
