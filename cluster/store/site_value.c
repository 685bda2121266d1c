// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_keys.h"
#include "proto/base/str.h"

/* One value of the document into its place in the struct. Form only: what
 * it means is site_check's business. */

static int wrong(struct td_problems *p, const char *file,
		 const struct td_yaml *y, const struct site_key *k,
		 const char *want)
{
	td_yaml_problem(p, file, y->line, "%s: %s is expected", k->name, want);
	return -EINVAL;
}

static int u32(const char *s, uint32_t *out)
{
	uint64_t v = 0;

	if (!*s || strlen(s) > 10)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		v = 10 * v + *s - '0';
	}
	if (v > UINT32_MAX)
		return -EINVAL;
	*out = v;
	return 0;
}

static int boolean(const char *s, bool *out)
{
	static const char *const yes[] = { "true", "yes", "on" };
	static const char *const no[] = { "false", "no", "off" };

	for (int i = 0; i < 3; i++) {
		if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
			*out = !strcmp(s, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* "1-15", "17" -> the bits of the timeslots */
static int channel_range(const char *s, uint32_t *bits)
{
	unsigned int from, to;
	int n = 0;

	if (strspn(s, "0123456789-") != strlen(s) || strlen(s) > 5)
		return -EINVAL;
	if (sscanf(s, "%2u%n", &from, &n) != 1)
		return -EINVAL;
	to = from;
	if (s[n] == '-') {
		int m = 0;

		if (sscanf(s + n + 1, "%2u%n", &to, &m) != 1)
			return -EINVAL;
		n += 1 + m;
	}
	if (s[n] || from < 1 || to > 31 || from > to)
		return -EINVAL;
	for (unsigned int t = from; t <= to; t++) {
		if (*bits & 1u << t)
			return -EINVAL;
		*bits |= 1u << t;
	}
	return 0;
}

int site_timeslots(const char *s, uint32_t *out)
{
	uint32_t bits = 0;
	char part[8];

	while (*s) {
		size_t n = strcspn(s, ",");

		if (n >= sizeof(part))
			return -EINVAL;
		memcpy(part, s, n);
		part[n] = '\0';
		if (channel_range(part, &bits))
			return -EINVAL;
		s += n;
		s += *s == ',';
	}
	*out = bits;
	return 0;
}

static int channels(const struct td_yaml *y, uint32_t *out)
{
	uint32_t bits = 0;

	if (y->kind != TD_YAML_LIST)
		return site_timeslots(y->text, out);
	for (size_t i = 0; i < y->n; i++)
		if (y->item[i].kind != TD_YAML_SCALAR ||
		    channel_range(y->item[i].text, &bits))
			return -EINVAL;
	*out = bits;
	return 0;
}

static int range(const char *s, char (*out)[TD_NUMBER_MAX])
{
	char copy[2 * TD_NUMBER_MAX], *dash;

	if (td_str_copy(copy, sizeof(copy), s))
		return -EINVAL;
	dash = strchr(copy, '-');
	if (!dash)
		return -EINVAL;
	*dash = '\0';
	if (td_str_copy(out[0], TD_NUMBER_MAX, copy) ||
	    td_str_copy(out[1], TD_NUMBER_MAX, dash + 1))
		return -EINVAL;
	return 0;
}

/* The names of a list; a single name may stand without brackets. */
static int names(const struct td_yaml *y, const struct td_yaml **list,
		 size_t *n)
{
	*list = y->kind == TD_YAML_LIST ? y->item : y;
	*n = y->kind == TD_YAML_LIST ? y->n : 1;
	if (y->kind == TD_YAML_MAP || *n > SITE_MAX_LIST)
		return -EINVAL;
	for (size_t i = 0; i < *n; i++)
		if ((*list)[i].kind != TD_YAML_SCALAR || !*(*list)[i].text)
			return -EINVAL;
	return 0;
}

static int nodes(const struct td_site *s, const char *file,
		 const struct site_key *k, const struct td_yaml *y, void *at,
		 struct td_problems *problems)
{
	const struct td_yaml *list;
	unsigned int *count = (unsigned int *)((uint32_t *)at + SITE_MAX_LIST);
	uint32_t *ids = at;
	size_t n;
	int rc = 0;

	if (names(y, &list, &n))
		return wrong(problems, file, y, k, "a list of names, such as "
						   "[n1, n2]");
	for (size_t i = 0; i < n; i++) {
		const struct td_site_node *node =
			td_site_node_by_name(s, list[i].text);

		if (!node) {
			td_yaml_problem(problems, file, list[i].line,
					"%s: there is no node \"%.40s\"",
					k->name, list[i].text);
			rc = -EINVAL;
			continue;
		}
		ids[(*count)++] = node->id;
	}
	return rc;
}

static int lines(const char *file, const struct site_key *k,
		 const struct td_yaml *y, void *at,
		 struct td_problems *problems)
{
	const struct td_yaml *list;
	char (*out)[TD_NAME_MAX] = at;
	unsigned int *count = (unsigned int *)(out + SITE_MAX_LIST);
	size_t n;

	if (names(y, &list, &n))
		return wrong(problems, file, y, k,
			     k->type == TYPE_LINES ?
				     "a list of names, such as [s1, s2]," :
				     "a list of at most 16 prefixes, such as "
				     "[\"9\", \"00\"],");
	for (size_t i = 0; i < n; i++)
		if (td_str_copy(out[i], sizeof(out[i]), list[i].text))
			return wrong(problems, file, y, k, "a shorter name");
	*count = n;
	return 0;
}

static int word(const struct site_key *k, const char *text, void *at)
{
	for (int i = 0; k->words[i]; i++) {
		if (strcmp(k->words[i], text))
			continue;
		memcpy(at, &i, sizeof(i));	/* an enum is an int here */
		return 0;
	}
	return -EINVAL;
}

static const char *word_list(const struct site_key *k, char *buf, size_t size)
{
	size_t n = 0;

	for (int i = 0; k->words[i] && n < size; i++)
		n += snprintf(buf + n, size - n, "%s%s", i ? " or " : "",
			      k->words[i]);
	return buf;
}

static int scalar(const char *file, const struct site_key *k,
		  const struct td_yaml *y, void *at,
		  struct td_problems *problems)
{
	char want[80];

	switch (k->type) {
	case TYPE_TEXT:
		if (!*y->text && y->plain)
			return wrong(problems, file, y, k, "a value");
		if (!td_str_copy(at, k->size, y->text))
			return 0;
		snprintf(want, sizeof(want), "a text of at most %zu octets",
			 k->size - 1);
		return wrong(problems, file, y, k, want);
	case TYPE_U32:
		return u32(y->text, at) ?
			       wrong(problems, file, y, k, "a number") : 0;
	case TYPE_BOOL:
		return boolean(y->text, at) ?
			       wrong(problems, file, y, k, "true or false") : 0;
	case TYPE_WORD:
		return word(k, y->text, at) ?
			       wrong(problems, file, y, k,
				     word_list(k, want, sizeof(want))) : 0;
	case TYPE_NUMBER:
		if (td_str_copy(at, TD_NUMBER_MAX, y->text))
			return wrong(problems, file, y, k, "digits");
		memcpy((char *)at + TD_NUMBER_MAX, at, TD_NUMBER_MAX);
		return 0;
	default:
		return range(y->text, at) ?
			       wrong(problems, file, y, k,
				     "first-last, such as 1000-1999,") : 0;
	}
}

int site_value(const struct td_site *s, const char *file,
	       const struct site_key *k, const struct td_yaml *y, void *item,
	       struct td_problems *problems)
{
	void *at = (char *)item + k->offset;

	if (k->type == TYPE_NODES)
		return nodes(s, file, k, y, at, problems);
	if (k->type == TYPE_LINES || k->type == TYPE_PREFIXES)
		return lines(file, k, y, at, problems);
	if (k->type == TYPE_CHANNELS && y->kind != TD_YAML_MAP)
		return channels(y, at) ?
			       wrong(problems, file, y, k,
				     "timeslots, such as \"1-15,17-31\",") : 0;
	if (y->kind != TD_YAML_SCALAR)
		return wrong(problems, file, y, k, "one value");
	return scalar(file, k, y, at, problems);
}
