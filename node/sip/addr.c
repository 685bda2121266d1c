// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/parse.h"
#include "node/sip/text.h"
#include "proto/base/str.h"

/* Addresses, URIs and parameters, RFC 3261 25.1. */

static const char *skip_lws(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/** @return the first octet after the closing quote, NULL: none */
static const char *quoted_end(const char *p)
{
	for (p++; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

static int cut(char *out, size_t size, const char *s, size_t n)
{
	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(out, s, n);
	out[n] = '\0';
	return 0;
}

/** @return false: it was cut to fit */
static bool unquote(char *out, size_t size, const char *s, size_t n)
{
	size_t o = 0, i;

	for (i = 1; i + 1 < n && o + 1 < size; i++) {
		if (s[i] == '\\' && i + 2 < n)
			i++;
		out[o++] = s[i];
	}
	out[o] = '\0';
	td_str_trim_utf8(out);
	return i + 1 >= n;
}

/** Unquoted display name: tokens with white space between. */
static bool display_ok(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t w = strcspn(s + i, " \t<");

		if (i + w > n)
			w = n - i;
		if (w && !td_sip_is_token(s + i, w))
			return false;
		i += w ? w : 1;
	}
	return true;
}

static int angle_addr(const char *p, struct td_sip_addr_spec *a)
{
	const char *e = strchr(p, '>');
	size_t n;
	int rc;

	if (!e || e == p + 1)
		return -EINVAL;
	n = e - p - 1;
	if (strcspn(p + 1, " \t\"<") < n)
		return -EINVAL;
	rc = cut(a->uri, sizeof(a->uri), p + 1, n);
	if (rc)
		return rc;
	e = skip_lws(e + 1);
	if (*e && *e != ';')
		return -EINVAL;
	a->angle = true;
	return cut(a->params, sizeof(a->params), e, strlen(e));
}

int td_sip_addr_parse(const char *value, struct td_sip_addr_spec *out)
{
	struct td_sip_addr_spec a = { 0 };
	const char *p = skip_lws(value), *lt, *e;
	size_t n;
	int rc;

	if (*p == '"') {
		e = quoted_end(p);
		if (!e)
			return -EINVAL;
		unquote(a.display, sizeof(a.display), p, e - p);
		p = skip_lws(e);
		if (*p != '<')
			return -EINVAL;
		rc = angle_addr(p, &a);
	} else if ((lt = strchr(p, '<')) &&
		   (size_t)(lt - p) <= strcspn(p, "\"")) {
		n = lt - p;
		while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (!display_ok(p, n))
			return -EINVAL;
		cut(a.display, sizeof(a.display), p,
		    n < sizeof(a.display) ? n : sizeof(a.display) - 1);
		td_str_trim_utf8(a.display);
		rc = angle_addr(lt, &a);
	} else {
		/* addr-spec: parameters are the header's, and neither ','
		 * nor '?' may stand in it unless in <> (RFC 3261 20) */
		n = strcspn(p, ";");
		while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (!n || strcspn(p, " \t\"<>?,") < n)
			return -EINVAL;
		rc = cut(a.uri, sizeof(a.uri), p, n);
		if (!rc)
			rc = cut(a.params, sizeof(a.params), skip_lws(p + n),
				 strlen(skip_lws(p + n)));
	}
	if (rc)
		return rc;
	if (!td_sip_params_ok(a.params))
		return -EINVAL;
	*out = a;
	return 0;
}

/** One parameter at ';'. @return what follows it, NULL: malformed */
static const char *one_param(const char *p, const char **name, size_t *n_name,
			     const char **val, size_t *n_val)
{
	p = skip_lws(p + 1);
	*name = p;
	*n_name = strcspn(p, " \t=;");
	*val = NULL;
	*n_val = 0;
	if (!td_sip_is_token(p, *n_name))
		return NULL;
	p = skip_lws(p + *n_name);
	if (*p != '=')
		return p;
	p = skip_lws(p + 1);
	*val = p;
	if (*p == '"') {
		const char *e = quoted_end(p);

		if (!e)
			return NULL;
		*n_val = e - p;
		return skip_lws(e);
	}
	*n_val = strcspn(p, " \t;");
	if (!*n_val || strcspn(p, "\"<>@,") < *n_val)
		return NULL;
	return skip_lws(p + *n_val);
}

bool td_sip_params_ok(const char *params)
{
	const char *name, *val, *p = skip_lws(params);
	size_t n, v;

	while (*p) {
		if (*p != ';')
			return false;
		p = one_param(p, &name, &n, &val, &v);
		if (!p)
			return false;
	}
	return true;
}

bool td_sip_param(const char *params, const char *name, char *out,
		  size_t size)
{
	const char *s, *val, *p = skip_lws(params);
	size_t n, v;

	while (*p == ';') {
		p = one_param(p, &s, &n, &val, &v);
		if (!p)
			return false;
		if (n != strlen(name) || strncasecmp(s, name, n))
			continue;
		if (!out)
			return true;
		return v && *val == '"' ? unquote(out, size, val, v) :
			!cut(out, size, val ? val : "", v);
	}
	return false;
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' :
	       isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/** %-escapes undone; one that is no escape, or stands for NUL, stays. */
static int unescape(char *out, size_t size, const char *s, size_t n)
{
	size_t o = 0;

	for (size_t i = 0; i < n; i++) {
		if (o + 1 >= size)
			return -ENAMETOOLONG;
		if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) >= 0 &&
		    hex(s[i + 2]) >= 0 && hex(s[i + 1]) + hex(s[i + 2])) {
			out[o++] = hex(s[i + 1]) << 4 | hex(s[i + 2]);
			i += 2;
		} else {
			out[o++] = s[i];
		}
	}
	out[o] = '\0';
	return 0;
}

static int parse_port(const char *s, size_t n, uint16_t *port)
{
	unsigned long v = 0;

	if (!n || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return -EINVAL;
		v = v * 10 + s[i] - '0';
	}
	if (!v || v > 65535)
		return -EINVAL;
	*port = v;
	return 0;
}

static int parse_host(const char *p, size_t n, struct td_sip_uri *u)
{
	unsigned char bin[16];
	const char *e;

	if (*p == '[') {
		e = memchr(p, ']', n);
		if (!e || cut(u->host, sizeof(u->host), p + 1, e - p - 1) ||
		    inet_pton(AF_INET6, u->host, bin) != 1)
			return -EINVAL;
		u->numeric = true;
		e++;
	} else {
		e = memchr(p, ':', n);
		if (!e)
			e = p + n;
		if (e == p || cut(u->host, sizeof(u->host), p, e - p))
			return -EINVAL;
		for (const char *c = u->host; *c; c++)
			if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
				return -EINVAL;
		u->numeric = inet_pton(AF_INET, u->host, bin) == 1;
	}
	if (e == p + n)
		return 0;
	if (*e != ':')
		return -EINVAL;
	return parse_port(e + 1, p + n - e - 1, &u->port);
}

int td_sip_uri_parse(const char *text, struct td_sip_uri *out)
{
	struct td_sip_uri u = { 0 };
	size_t n = strcspn(text, ":"), h;
	const char *p, *at;

	if (!text[n] || !n || !isalpha((unsigned char)*text))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    !strchr("+-.", text[i]))
			return -EINVAL;
		if (i + 1 < sizeof(u.scheme))	/* a longer one is not ours */
			u.scheme[i] = tolower((unsigned char)text[i]);
	}
	for (p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == '<' || *p == '>' ||
		    *p == '"' || *p == 127)
			return -EINVAL;
	if (strcmp(u.scheme, "sip") && strcmp(u.scheme, "sips")) {
		memset(out, 0, sizeof(*out));
		memcpy(out->scheme, u.scheme, sizeof(u.scheme));
		return -EPROTONOSUPPORT;
	}
	p = text + n + 1;
	/* '?' and ';' may stand in the user part, '@' may not */
	at = strchr(p, '@');
	if (at) {
		n = strcspn(p, ":");	/* a password is dropped */
		if (unescape(u.user, sizeof(u.user), p,
			     n < (size_t)(at - p) ? n : (size_t)(at - p)))
			return -EINVAL;
		if (at == p)
			return -EINVAL;
		p = at + 1;
	}
	h = strcspn(p, ";?");
	if (!h || parse_host(p, h, &u))
		return -EINVAL;
	p += h;
	h = strcspn(p, "?");
	if (cut(u.params, sizeof(u.params), p, h))
		return -EINVAL;
	u.headers = p[h] == '?';
	*out = u;
	return 0;
}

bool td_sip_is_text(const char *s)
{
	while (*s) {
		unsigned int n = td_utf8_length(s);

		if (!n || ((unsigned char)*s < ' ' && *s != '\t') || *s == 127)
			return false;
		s += n;
	}
	return true;
}

int td_sip_hostport(const char *text, char *host, size_t size,
		    uint16_t *port)
{
	struct td_sip_uri u = { 0 };

	if (!*text || parse_host(text, strlen(text), &u) || !u.port ||
	    td_str_copy(host, size, u.host))
		return -EINVAL;
	*port = u.port;
	return 0;
}
