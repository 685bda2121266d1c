// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cli/text.h"

#include <string.h>
#include <time.h>

#include "proto/base/str.h"

int text_width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void clean(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p; p++) {
		/* C0, DEL, and C1 as UTF-8: C2 80 … C2 9F */
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

const char *text_duration(long long ms, char *buf, size_t size)
{
	long long s = ms < 0 ? 0 : ms / 1000;

	if (s >= 86400)
		snprintf(buf, size, "%lldd %02lldh", s / 86400,
			 s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(buf, size, "%lldh %02lldm", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		snprintf(buf, size, "%lldm %02llds", s / 60, s % 60);
	else
		snprintf(buf, size, "%llds", s);
	return buf;
}

/* "2026-11-24T12:00:00Z" @return ms since 1970, -1: no time */
static long long parse_time(const char *s)
{
	struct tm tm = { 0 };
	const char *end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end || (*end != 'Z' && *end != '.'))
		return -1;
	return 1000LL * timegm(&tm);
}

static const char *time_text(const struct text_style *st, const char *s,
			     enum td_verb_form form, char *buf, size_t size)
{
	long long ms = parse_time(s);
	struct tm tm;
	time_t t;

	if (ms < 0) {
		td_str_cut(buf, size, s);
		return buf;
	}
	if (form == TD_FORM_AGE)
		return text_duration(st->now_ms - ms, buf, size);
	t = ms / 1000;
	localtime_r(&t, &tm);
	strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

static void join(const struct text_style *st, const json_t *list, char *buf,
		 size_t size)
{
	size_t i, n = 0;
	json_t *v;

	buf[0] = '\0';
	json_array_foreach(list, i, v) {
		char one[256];

		text_scalar(st, v, TD_FORM_PLAIN, one, sizeof(one));
		if (n < size)
			n += snprintf(buf + n, size - n, "%s%s", i ? "," : "",
				      one);
	}
}

const char *text_scalar(const struct text_style *st, const json_t *v,
			enum td_verb_form form, char *buf, size_t size)
{
	bool yes = json_is_true(v);

	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_TRUE:
	case JSON_FALSE:
		td_str_cut(buf, size, form == TD_FORM_UP ? yes ? "up" : "down"
				      : yes ? "yes" : "no");
		break;
	case JSON_INTEGER:
		if (form == TD_FORM_MS || form == TD_FORM_S)
			text_duration(json_integer_value(v) *
				      (form == TD_FORM_S ? 1000 : 1),
				      buf, size);
		else
			snprintf(buf, size, "%lld",
				 (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		snprintf(buf, size, "%.4g", json_real_value(v));
		break;
	case JSON_STRING:
		if (form == TD_FORM_AGE || form == TD_FORM_TIME)
			time_text(st, json_string_value(v), form, buf, size);
		else
			td_str_cut(buf, size, json_string_value(v));
		break;
	case JSON_ARRAY:
		join(st, v, buf, size);
		break;
	default:
		td_str_cut(buf, size, "-");
		break;
	}
	td_str_trim_utf8(buf);
	clean(buf);
	return buf;
}

static bool is_block(const json_t *v)
{
	const json_t *first = json_array_get(v, 0);

	return json_is_object(v) ? json_object_size(v) > 0
				 : json_is_object(first);
}

static void object(FILE *f, const struct text_style *st, json_t *o, int indent)
{
	const char *key;
	char buf[1024], name[64];
	int width = 0;
	json_t *v;

	json_object_foreach(o, key, v)
		if (!is_block(v) && text_width(key) > width)
			width = text_width(key);
	json_object_foreach(o, key, v) {
		td_str_cut(name, sizeof(name), key);
		clean(name);
		if (is_block(v)) {
			fprintf(f, "%*s%s:\n", indent, "", name);
			text_value(f, st, v, indent + 2);
			continue;
		}
		text_scalar(st, v, strcmp(key, "since_ms") ? TD_FORM_PLAIN
							   : TD_FORM_MS,
			    buf, sizeof(buf));
		fprintf(f, "%*s%s:%*s %s\n", indent, "", name,
			width - text_width(name), "", *buf ? buf : "-");
	}
}

void text_value(FILE *f, const struct text_style *st, const json_t *v,
		int indent)
{
	char buf[1024];
	json_t *e;
	size_t i;

	if (json_is_object(v)) {
		object(f, st, (json_t *)v, indent);
	} else if (is_block(v)) {
		json_array_foreach(v, i, e) {
			if (i)
				fputc('\n', f);
			text_value(f, st, e, indent);
		}
	} else {
		fprintf(f, "%*s%s\n", indent, "",
			text_scalar(st, v, TD_FORM_PLAIN, buf, sizeof(buf)));
	}
}

void text_sentences(FILE *f, const struct text_style *st, const json_t *list,
		    const struct td_verb *verb)
{
	char buf[4096];
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		fprintf(f, "%s\n", text_scalar(st, json_object_get(
						v, verb->sentence),
					       TD_FORM_PLAIN, buf,
					       sizeof(buf)));
	if (!json_array_size(list) && verb->none)
		fprintf(f, "%s\n", verb->none);
}

static bool named(const char *sentence, const char *key)
{
	char mark[80];

	snprintf(mark, sizeof(mark), "{%s}", key);
	return strstr(sentence, mark) != NULL;
}

void text_done(FILE *f, const struct text_style *st, const char *sentence,
	       const json_t *o)
{
	char buf[1024], key[64];
	const char *k;
	json_t *v;

	for (const char *p = sentence; *p; p++) {
		size_t n = *p == '{' ? strcspn(p, "}") : 0;

		if (!n || n >= sizeof(key) || p[n] != '}') {
			fputc(*p, f);
			continue;
		}
		memcpy(key, p + 1, n - 1);
		key[n - 1] = '\0';
		fputs(text_scalar(st, json_object_get(o, key), TD_FORM_PLAIN,
				  buf, sizeof(buf)), f);
		p += n;
	}
	fputc('\n', f);
	json_object_foreach((json_t *)o, k, v) {
		if (named(sentence, k) || !strcmp(k, "ok"))
			continue;
		fprintf(f, "%s: %s\n", k,
			text_scalar(st, v, TD_FORM_PLAIN, buf, sizeof(buf)));
	}
}
