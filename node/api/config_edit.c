// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "node/api/config_i.h"
#include "proto/base/str.h"

/* extension list|add|set|del, route list|add|del: a copy of the running site
 * is edited, checked, and becomes the next generation. */

/* @return NULL: answered */
static struct td_site *begin(struct td_config *c, struct td_control_req *req)
{
	struct td_site *s;

	if (!c->site) {
		td_control_reply_error(req, 1, "no configuration yet: `tandem "
					       "config import site.yaml'");
		return NULL;
	}
	if (td_site_copy(c->site, &s)) {
		td_control_reply_error(req, 1, "%s", strerror(ENOMEM));
		return NULL;
	}
	return s;
}

/* Takes s and result over. */
static void commit(struct td_config *c, struct td_control_req *req,
		   struct td_site *s, json_t *result, const char *comment)
{
	struct config_want want = {
		.req = req, .author = td_control_who(req), .comment = comment,
		.site = s, .edit = true, .result = result,
	};
	struct td_problems p = { 0 };
	int rc = td_site_check(s, &p);

	if (!rc)
		rc = config_text(s, &want.content, &want.n, &p);
	if (!rc) {
		config_change_start(c, &want);
		return;
	}
	td_site_free(s);
	json_decref(result);
	if (p.n)
		td_control_reply_problems(req, &p);
	else
		td_control_reply_error(req, 1, "%s", strerror(-rc));
	td_problems_free(&p);
}

/* NUMBER and --count.
 * @return 0, or answered */
static int range(struct td_control_req *req, char *first, char *last)
{
	const char *number = td_control_arg(req, 0);
	const char *count = td_control_option(req, "count");
	unsigned long long n = 1;
	int end = 0, rc;

	if (count && (sscanf(count, "%9llu%n", &n, &end) != 1 ||
		      count[end] || *count == '-' || !n)) {
		td_control_reply_error(req, 2, "--count %s: a number from 1 "
					       "on is expected", count);
		return -EINVAL;
	}
	rc = td_number_last(number, n, last, TD_NUMBER_MAX);
	if (rc == -ERANGE)
		td_control_reply_error(req, 2, "%s and %llu more: all must "
					       "have %zu digits", number,
				       n - 1, strlen(number));
	else if (rc)
		td_control_reply_error(req, 2, "`%s' is no extension: up to "
					       "15 digits", number);
	else
		td_str_cut(first, TD_NUMBER_MAX, number);
	return rc;
}

/* @return the option's value fits into out (or is not given), else answered */
static bool text_option(struct td_control_req *req, const char *name,
			char *out, size_t size)
{
	const char *v = td_control_option(req, name);

	if (!v || !td_str_copy(out, size, v))
		return true;
	td_control_reply_error(req, 2, "--%s: at most %zu octets", name,
			       size - 1);
	return false;
}

static bool sha256_option(struct td_control_req *req, bool *out)
{
	const char *v = td_control_option(req, "sha256");

	if (!v)
		return true;
	if (strcmp(v, "yes") && strcmp(v, "no")) {
		td_control_reply_error(req, 2, "--sha256 %s: yes or no", v);
		return false;
	}
	*out = !strcmp(v, "yes");
	return true;
}

/* "1000", "1000-1099" */
static void range_text(char *out, size_t size, const char *first,
		       const char *last)
{
	bool one = !strcmp(first, last);

	snprintf(out, size, "%s%s%s", first, one ? "" : "-", one ? "" : last);
}

/* Takes s over. password NULL: nobody has to be told. */
static void commit_range(struct td_config *c, struct td_control_req *req,
			 struct td_site *s, const char *verb,
			 const struct td_site_extension *e,
			 const char *password)
{
	char text[2 * TD_NUMBER_MAX + 1], comment[128];
	json_t *result;

	range_text(text, sizeof(text), e->first, e->last);
	snprintf(comment, sizeof(comment), "extension %s %s", verb, text);
	result = json_pack("{s:s, s:s*}", "extension", text, "password",
			   password);
	commit(c, req, s, result, comment);
}

/* First extension within first..last, NULL: none. */
static const struct td_site_extension *
within(const struct td_site *s, const char *first, const char *last)
{
	for (size_t i = 0; i < s->n_extensions; i++) {
		const struct td_site_extension *e = &s->extensions[i];

		if (strlen(e->first) == strlen(first) &&
		    strcmp(e->first, last) <= 0 && strcmp(e->last, first) >= 0)
			return e;
	}
	return NULL;
}

/* A password that nobody chose: 16 of 32 signs, 80 bits. */
static int random_password(char *out, size_t size)
{
	static const char signs[] = "abcdefghjkmnpqrstuvwxyz23456789A";
	unsigned char r[16];

	if (size <= sizeof(r) || getrandom(r, sizeof(r), 0) != sizeof(r))
		return -EIO;
	for (size_t i = 0; i < sizeof(r); i++)
		out[i] = signs[r[i] % 32];
	out[sizeof(r)] = '\0';
	return 0;
}

static void put(struct td_config *c, struct td_control_req *req,
		struct td_site *s, const struct td_site_extension *e,
		const char *verb, const char *password)
{
	int rc = td_site_extension_put(s, e);

	if (!rc) {
		commit_range(c, req, s, verb, e, password);
		return;
	}
	td_control_reply_error(req, 1, "%s", strerror(-rc));
	td_site_free(s);
}

static void on_ext_list(void *arg, struct td_control_req *req)
{
	struct td_config *c = arg;

	td_control_reply_json(req, c->site ? td_site_extensions_json(c->site)
					   : json_array());
}

static void on_ext_add(void *arg, struct td_control_req *req)
{
	struct td_site_extension e = { 0 };
	const struct td_site_extension *have;
	struct td_config *c = arg;
	struct td_site *s;
	bool made;

	if (range(req, e.first, e.last) ||
	    !text_option(req, "password", e.password, sizeof(e.password)) ||
	    !text_option(req, "name", e.name, sizeof(e.name)) ||
	    !text_option(req, "class", e.class, sizeof(e.class)) ||
	    !sha256_option(req, &e.sha256))
		return;
	if (!*e.password && strcmp(e.first, e.last)) {
		td_control_reply_error(req, 2, "a range needs --password; "
					       "{number} stands for the "
					       "number");
		return;
	}
	s = begin(c, req);
	if (!s)
		return;
	have = within(s, e.first, e.last);
	if (have) {
		td_control_reply_error(req, 1, "extension %s exists already: "
					       "see `tandem extension set'",
				       strcmp(have->first, e.first) > 0 ?
					       have->first : e.first);
		td_site_free(s);
		return;
	}
	made = !*e.password;
	if (made && random_password(e.password, sizeof(e.password))) {
		td_control_reply_error(req, 1, "no random numbers: give a "
					       "--password");
		td_site_free(s);
		return;
	}
	put(c, req, s, &e, "add", made ? e.password : NULL);
}

static void on_ext_set(void *arg, struct td_control_req *req)
{
	const struct td_site_extension *have;
	struct td_site_extension e;
	struct td_config *c = arg;
	char first[TD_NUMBER_MAX], last[TD_NUMBER_MAX];
	struct td_site *s;

	if (!td_control_request(req)->n_options) {
		td_control_reply_error(req, 2, "what is to be set? see "
					       "`tandem extension set --help'");
		return;
	}
	if (range(req, first, last))
		return;
	s = begin(c, req);
	if (!s)
		return;
	have = td_site_extension(s, first);
	if (!have || strcmp(last, have->last) > 0) {
		td_control_reply_error(req, 1, "there is no extension %s: see "
					       "`tandem extension list'",
				       have ? last : first);
		td_site_free(s);
		return;
	}
	e = *have;
	/* the first number of a range stands for the range */
	if (strcmp(have->first, first) || td_control_option(req, "count")) {
		td_str_cut(e.first, sizeof(e.first), first);
		td_str_cut(e.last, sizeof(e.last), last);
	}
	if (!text_option(req, "password", e.password, sizeof(e.password)) ||
	    !text_option(req, "name", e.name, sizeof(e.name)) ||
	    !text_option(req, "class", e.class, sizeof(e.class)) ||
	    !sha256_option(req, &e.sha256)) {
		td_site_free(s);
		return;
	}
	put(c, req, s, &e, "set", NULL);
}

static void on_ext_del(void *arg, struct td_control_req *req)
{
	struct td_site_extension e = { 0 };
	struct td_config *c = arg;
	struct td_site *s;
	int rc;

	if (range(req, e.first, e.last))
		return;
	s = begin(c, req);
	if (!s)
		return;
	if (!within(s, e.first, e.last)) {
		td_control_reply_error(req, 1, "there is no extension %s: see "
					       "`tandem extension list'",
				       e.first);
		td_site_free(s);
		return;
	}
	rc = td_site_extension_cut(s, e.first, e.last);
	if (rc) {
		td_control_reply_error(req, 1, "%s", strerror(-rc));
		td_site_free(s);
		return;
	}
	commit_range(c, req, s, "del", &e, NULL);
}

static void on_route_list(void *arg, struct td_control_req *req)
{
	struct td_config *c = arg;

	td_control_reply_json(req, c->site ? td_site_routes_json(c->site)
					   : json_array());
}

/* "s1,s2" */
static bool lines_option(struct td_control_req *req, struct td_site_route *r)
{
	const char *v = td_control_option(req, "lines");
	size_t n;

	for (; v && *v; v += n, v += *v == ',') {
		n = strcspn(v, ",");
		if (!n || n >= TD_NAME_MAX || r->n_lines == 16) {
			td_control_reply_error(req, 2, "--lines: up to 16 "
						       "names, such as s1,s2");
			return false;
		}
		memcpy(r->lines[r->n_lines++], v, n);
	}
	return true;
}

static void on_route_add(void *arg, struct td_control_req *req)
{
	const char *strip = td_control_option(req, "strip");
	struct td_site_route r = { 0 };
	struct td_config *c = arg;
	char comment[128];
	struct td_site *s;
	int end = 0;

	if (td_str_copy(r.prefix, sizeof(r.prefix), td_control_arg(req, 0))) {
		td_control_reply_error(req, 2, "the prefix is too long");
		return;
	}
	if (strip && (sscanf(strip, "%2u%n", &r.strip, &end) != 1 ||
		      strip[end] || *strip == '-')) {
		td_control_reply_error(req, 2, "--strip %s: a number is "
					       "expected", strip);
		return;
	}
	if (!text_option(req, "add", r.add, sizeof(r.add)) ||
	    !text_option(req, "group", r.group, sizeof(r.group)) ||
	    !lines_option(req, &r))
		return;
	r.transit = td_control_option(req, "transit") != NULL;
	s = begin(c, req);
	if (!s)
		return;
	if (td_site_route_put(s, &r)) {
		td_control_reply_error(req, 1, "%s", strerror(ENOMEM));
		td_site_free(s);
		return;
	}
	snprintf(comment, sizeof(comment), "route add %s", r.prefix);
	commit(c, req, s, json_pack("{s:s}", "prefix", r.prefix), comment);
}

static void on_route_del(void *arg, struct td_control_req *req)
{
	const char *prefix = td_control_arg(req, 0);
	struct td_config *c = arg;
	char comment[128];
	struct td_site *s = begin(c, req);

	if (!s)
		return;
	if (td_site_route_del(s, prefix)) {
		td_control_reply_error(req, 1, "there is no route for prefix "
					       "%s: see `tandem route list'",
				       prefix);
		td_site_free(s);
		return;
	}
	snprintf(comment, sizeof(comment), "route del %s", prefix);
	commit(c, req, s, json_pack("{s:s}", "prefix", prefix), comment);
}

int config_edit_register(struct td_config *c)
{
	static const struct {
		const char *verb;
		td_control_fn fn;
	} verbs[] = {
		{ "extension list", on_ext_list },
		{ "extension add", on_ext_add },
		{ "extension set", on_ext_set },
		{ "extension del", on_ext_del },
		{ "route list", on_route_list },
		{ "route add", on_route_add },
		{ "route del", on_route_del },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		int rc = td_control_register(c->cfg.control, verbs[i].verb,
					     verbs[i].fn, c);

		if (rc)
			return rc;
	}
	return 0;
}
