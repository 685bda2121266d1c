// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_check.h"

/* Extensions, DDI, routes, services. */

enum { MAX_DIGITS = 15 };	/* E.164 6.1 */

struct span {
	const char *first, *last;
	size_t i;
};

static int by_first(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int d = site_number_cmp(x->first, y->first);

	return d ? d : x->i < y->i ? -1 : x->i > y->i;
}

/* Text that people read or phones send: UTF-8 without control characters and
 * without what YAML takes for the end of a line. */
static bool text_ok(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		unsigned int n = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 :
				 *p >= 0xe0 ? 2 : *p >= 0xc2 ? 1 : 9;
		uint32_t c = n ? *p & (0x3f >> n) : *p;

		if (n == 9)
			return false;
		for (p++; n; n--, p++) {
			if ((*p & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*p & 0x3f);
		}
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		    c == 0x2029 || c == 0xfeff || (c >= 0xd800 && c < 0xe000) ||
		    c == 0xfffe || c == 0xffff || c > 0x10ffff)
			return false;
	}
	return true;
}

/* @return false: complained */
static bool range_ok(const struct site_checker *c, enum site_sect sect,
		     size_t i, const char *first, const char *last)
{
	const char *key = strcmp(first, last) ? "range" : "number";
	const char *one = site_sections[sect].one;

	if (!site_digits(first) || !site_digits(last)) {
		site_complain(c, sect, i, key,
			      "%s \"%s%s%s\": only digits are possible", one,
			      first, *key == 'r' ? "-" : "",
			      *key == 'r' ? last : "");
		return false;
	}
	if (strlen(first) > MAX_DIGITS || strlen(last) > MAX_DIGITS) {
		site_complain(c, sect, i, key, "%s %s: more than %d digits",
			      one, first, MAX_DIGITS);
		return false;
	}
	if (strlen(first) != strlen(last)) {
		site_complain(c, sect, i, key,
			      "range %s-%s: both ends need as many digits",
			      first, last);
		return false;
	}
	if (strcmp(first, last) > 0) {
		site_complain(c, sect, i, key,
			      "range %s-%s: the last comes before the first",
			      first, last);
		return false;
	}
	return true;
}

static void span_text(const struct span *s, char *out, size_t size)
{
	if (strcmp(s->first, s->last))
		snprintf(out, size, "%s-%s", s->first, s->last);
	else
		snprintf(out, size, "%s", s->first);
}

static void overlaps(const struct site_checker *c, enum site_sect sect,
		     struct span *v, size_t n)
{
	size_t top = 0;		/* of those before, the one that ends last */

	qsort(v, n, sizeof(*v), by_first);
	for (size_t k = 1; k < n; k++) {
		const struct span *a = &v[top], *b = &v[k];
		char at[64], x[80], y[80];

		if (site_number_cmp(b->first, a->last) <= 0) {
			if (a->i > b->i) {	/* blame the later one */
				a = &v[k];
				b = &v[top];
			}
			span_text(b, x, sizeof(x));
			span_text(a, y, sizeof(y));
			site_complain(c, sect, b->i,
				      strcmp(b->first, b->last) ? "range"
								: "number",
				      "%s %s overlaps %s (%s)",
				      site_sections[sect].one, x, y,
				      site_at(c, sect, a->i, at, sizeof(at)));
		}
		if (site_number_cmp(v[k].last, v[top].last) > 0)
			top = k;
	}
}

/* password with {number} filled in must fit in as many octets, too */
static bool password_fits(const struct td_site_extension *e)
{
	size_t n = strlen(e->password), digits = strlen(e->first);

	for (const char *p = e->password; (p = strstr(p, "{number}")); p += 8)
		n += digits - 8;
	return n < sizeof(e->password);
}

static void check_extension(const struct site_checker *c, size_t i)
{
	const struct td_site_extension *e = &c->site->extensions[i];

	if (!*e->password)
		site_complain(c, SECT_EXTENSIONS, i, "password",
			      "extension %s: a password is needed", e->first);
	else if (!text_ok(e->password) || !password_fits(e))
		site_complain(c, SECT_EXTENSIONS, i, "password",
			      "extension %s: the password is no text of at "
			      "most %zu octets", e->first,
			      sizeof(e->password) - 1);
	if (!text_ok(e->name))
		site_complain(c, SECT_EXTENSIONS, i, "name",
			      "extension %s: control characters in the name",
			      e->first);
}

static bool dialled(const char *s)
{
	return *s && strspn(s, "0123456789*#") == strlen(s);
}

static void check_service(const struct site_checker *c, size_t i)
{
	const struct td_site_service *v = &c->site->services[i];
	char at[64];

	if (!dialled(v->number) || strlen(v->number) > MAX_DIGITS) {
		site_complain(c, SECT_SERVICES, i, "number",
			      "service \"%s\": up to %d digits, * and #",
			      v->number, MAX_DIGITS);
		return;
	}
	for (size_t j = 0; j < i; j++)
		if (!strcmp(v->number, c->site->services[j].number))
			site_complain(c, SECT_SERVICES, i, "number",
				      "service %s stands there twice (%s)",
				      v->number, site_at(c, SECT_SERVICES, j,
							 at, sizeof(at)));
}

/* A service's number within an extension range: who would get the call?
 * v is sorted; of ranges that overlap (told elsewhere) one is found. */
static void service_in_range(const struct site_checker *c,
			     const struct span *v, size_t n)
{
	for (size_t i = 0; i < c->site->n_services; i++) {
		const char *num = c->site->services[i].number;
		size_t lo = 0, hi = n;
		char at[64], x[80];

		if (!site_digits(num))
			continue;
		while (lo < hi) {	/* the last that begins before */
			size_t mid = lo + (hi - lo) / 2;

			if (site_number_cmp(v[mid].first, num) <= 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (!lo || site_number_cmp(num, v[lo - 1].last) > 0)
			continue;
		span_text(&v[lo - 1], x, sizeof(x));
		site_complain(c, SECT_SERVICES, i, "number",
			      "service %s is extension %s already (%s)", num,
			      x, site_at(c, SECT_EXTENSIONS, v[lo - 1].i, at,
					 sizeof(at)));
	}
}

static bool group_exists(const struct td_site *s, const char *group)
{
	for (size_t i = 0; i < s->n_lines; i++)
		if (!strcmp(s->lines[i].group, group))
			return true;
	return false;
}

static void check_route(const struct site_checker *c, size_t i)
{
	const struct td_site_route *r = &c->site->routes[i];

	if (!dialled(r->prefix))
		site_complain(c, SECT_ROUTES, i, "prefix",
			      "prefix \"%s\": digits, * and #, at least one",
			      r->prefix);
	if (*r->add && !dialled(r->add))
		site_complain(c, SECT_ROUTES, i, "add",
			      "add \"%s\": digits, * and #", r->add);
	if (r->strip >= TD_NUMBER_MAX)
		site_complain(c, SECT_ROUTES, i, "strip",
			      "strip: at most %d digits", TD_NUMBER_MAX - 1);
	if (*r->group && r->n_lines)
		site_complain(c, SECT_ROUTES, i, "group",
			      "route %s: a group or lines, not both",
			      r->prefix);
	else if (!*r->group && !r->n_lines)
		site_complain(c, SECT_ROUTES, i, "lines",
			      "route %s leads nowhere: name a group or lines",
			      r->prefix);
	if (*r->group && !group_exists(c->site, r->group))
		site_complain(c, SECT_ROUTES, i, "group",
			      "route %s leads nowhere: no line is in a group "
			      "\"%s\"", r->prefix, r->group);
	for (unsigned int k = 0; k < r->n_lines; k++)
		if (!td_site_line(c->site, r->lines[k]))
			site_complain(c, SECT_ROUTES, i, "lines",
				      "route %s leads nowhere: there is no "
				      "line \"%s\"", r->prefix, r->lines[k]);
	for (unsigned int k = 1; k < r->n_lines; k++)
		for (unsigned int j = 0; j < k; j++)
			if (!strcmp(r->lines[j], r->lines[k]))
				site_complain(c, SECT_ROUTES, i, "lines",
					      "route %s: line %s stands there "
					      "twice", r->prefix, r->lines[k]);
}

static void check_class(const struct site_checker *c, size_t i)
{
	const struct td_site_class *k = &c->site->classes[i];

	for (unsigned int a = 0; a < k->n_allow + k->n_deny; a++) {
		bool allow = a < k->n_allow;
		const char *p = allow ? k->allow[a] : k->deny[a - k->n_allow];

		if (!dialled(p))
			site_complain(c, SECT_CLASSES, i,
				      allow ? "allow" : "deny",
				      "prefix \"%s\": digits, * and #, at "
				      "least one", p);
		for (unsigned int b = 0; b < a; b++)
			if (!strcmp(p, b < k->n_allow ? k->allow[b] :
					       k->deny[b - k->n_allow]))
				site_complain(c, SECT_CLASSES, i,
					      allow ? "allow" : "deny",
					      "class %s: prefix %s stands "
					      "there twice", k->name, p);
	}
}

static void check_classes(const struct site_checker *c)
{
	const struct td_site *s = c->site;

	for (size_t i = 0; i < s->n_classes; i++)
		check_class(c, i);
	for (size_t i = 0; i < s->n_extensions; i++)
		if (*s->extensions[i].class &&
		    !td_site_class(s, s->extensions[i].class))
			site_complain(c, SECT_EXTENSIONS, i, "class",
				      "extension %s: there is no class \"%s\"",
				      s->extensions[i].first,
				      s->extensions[i].class);
	for (size_t i = 0; i < s->n_lines; i++)
		if (*s->lines[i].class && !td_site_class(s, s->lines[i].class))
			site_complain(c, SECT_LINES, i, "class",
				      "line %s: there is no class \"%s\"",
				      s->lines[i].name, s->lines[i].class);
}

static int prefix_cmp(const void *a, const void *b, void *arg)
{
	const struct td_site_route *r = arg;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	int d = strcmp(r[i].prefix, r[j].prefix);

	return d ? d : i < j ? -1 : i > j;
}

static int check_routes(const struct site_checker *c)
{
	const struct td_site_route *r = c->site->routes;
	size_t n = c->site->n_routes, *order = malloc((n + 1) * sizeof(*order));
	char at[64];

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		check_route(c, i);
		order[i] = i;
	}
	qsort_r(order, n, sizeof(*order), prefix_cmp, (void *)r);
	for (size_t k = 1; k < n; k++)
		if (!strcmp(r[order[k]].prefix, r[order[k - 1]].prefix))
			site_complain(c, SECT_ROUTES, order[k], "prefix",
				      "a second route for prefix %s (%s)",
				      r[order[k]].prefix,
				      site_at(c, SECT_ROUTES, order[k - 1], at,
					      sizeof(at)));
	free(order);
	return 0;
}

int site_check_numbers(const struct site_checker *c)
{
	const struct td_site *s = c->site;
	size_t most = s->n_extensions > s->n_ddi ? s->n_extensions : s->n_ddi;
	struct span *v = malloc((most + 1) * sizeof(*v));
	uint64_t total = 0;
	size_t n = 0;

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_ddi; i++) {
		const struct td_site_ddi *d = &s->ddi[i];

		if (!range_ok(c, SECT_DDI, i, d->first, d->last))
			continue;
		v[n++] = (struct span){ d->first, d->last, i };
		if (d->keep < 1 || d->keep > strlen(d->first))
			site_complain(c, SECT_DDI, i, "keep",
				      "keep: 1 to %zu digits of %s, not %u",
				      strlen(d->first), d->first, d->keep);
	}
	overlaps(c, SECT_DDI, v, n);
	n = 0;
	for (size_t i = 0; i < s->n_extensions; i++) {
		const struct td_site_extension *e = &s->extensions[i];

		check_extension(c, i);
		if (!range_ok(c, SECT_EXTENSIONS, i, e->first, e->last))
			continue;
		v[n++] = (struct span){ e->first, e->last, i };
		total += strtoull(e->last, NULL, 10) -
			 strtoull(e->first, NULL, 10) + 1;
		if (total > TD_SITE_MAX_EXTENSIONS) {
			site_complain(c, SECT_EXTENSIONS, i, NULL,
				      "more than %d extensions",
				      TD_SITE_MAX_EXTENSIONS);
			total = 0;
		}
	}
	overlaps(c, SECT_EXTENSIONS, v, n);
	for (size_t i = 0; i < s->n_services; i++)
		check_service(c, i);
	service_in_range(c, v, n);
	free(v);
	check_classes(c);
	return check_routes(c);
}
