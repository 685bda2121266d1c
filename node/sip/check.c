// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return n > 0;
}

/** Number of at most max; leading zeros are fine. */
static bool number(const char *s, size_t n, uint64_t max)
{
	uint64_t v = 0;

	if (!digits(s, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		v = v * 10 + s[i] - '0';
		if (v > max)
			return false;
	}
	return true;
}

static int check_line(const struct td_sip_msg *m, const char **why)
{
	struct td_sip_uri u;
	int rc;

	*why = "Bad Request-Line";
	if (!td_sip_is_token(m->method, strlen(m->method)) || !*m->uri ||
	    strpbrk(m->uri, " \t<>\""))
		return 400;
	if (strncasecmp(m->version, "SIP/", 4))
		return 400;
	if (strcasecmp(m->version, "SIP/2.0")) {
		const char *dot = strchr(m->version, '.');

		if (!dot || !digits(m->version + 4, dot - m->version - 4) ||
		    !digits(dot + 1, strlen(dot + 1)))
			return 400;
		*why = "Version Not Supported";
		return 505;
	}
	rc = td_sip_uri_parse(m->uri, &u);
	*why = "Bad Request-URI";
	if (rc == -EINVAL)
		return 400;
	/* RFC 3261 19.1.1, table 1: no headers in a Request-URI */
	return !rc && u.headers ? 400 : 0;
}

static int check_counts(const struct td_sip_msg *m, const char **why)
{
	static const struct {
		enum td_sip_hdr id;
		unsigned int min, max;
		const char *why;
	} rules[] = {
		{ TD_SIP_H_VIA, 1, TD_SIP_MAX_HEADERS, "Missing Via" },
		{ TD_SIP_H_FROM, 1, 1, "Missing Or Repeated From" },
		{ TD_SIP_H_TO, 1, 1, "Missing Or Repeated To" },
		{ TD_SIP_H_CALL_ID, 1, 1, "Missing Or Repeated Call-ID" },
		{ TD_SIP_H_CSEQ, 1, 1, "Missing Or Repeated CSeq" },
		/* RFC 2543 knew no Max-Forwards */
		{ TD_SIP_H_MAX_FORWARDS, 0, 1, "Repeated Max-Forwards" },
		{ TD_SIP_H_CONTENT_LENGTH, 0, 1, "Repeated Content-Length" },
		{ TD_SIP_H_CONTENT_TYPE, 0, 1, "Repeated Content-Type" },
		{ TD_SIP_H_EXPIRES, 0, 1, "Repeated Expires" },
		{ TD_SIP_H_DATE, 0, 1, "Repeated Date" },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		unsigned int n = td_sip_count(m, rules[i].id);

		if (n < rules[i].min || n > rules[i].max) {
			*why = rules[i].why;
			return 400;
		}
	}
	return 0;
}

static int check_cseq(const struct td_sip_msg *m, const char **why)
{
	const char *v = td_sip_value(m, TD_SIP_H_CSEQ, 0), *p;
	size_t n = strspn(v, "0123456789");

	*why = "Bad CSeq";
	if (!number(v, n, 0x7fffffff))		/* RFC 3261 8.1.1.5 */
		return 400;
	p = v + n;
	if (*p != ' ' && *p != '\t')
		return 400;
	p += strspn(p, " \t");
	*why = "CSeq Method Differs";
	return strcmp(p, m->method) ? 400 : 0;
}

/** "SIP / 2.0 / UDP host : port ; params" */
static bool via_ok(const char *v)
{
	struct td_sip_uri u;
	char buf[512], branch[300];
	size_t n;

	for (int part = 0; part < 3; part++) {
		n = strcspn(v, part < 2 ? "/ \t" : " \t");
		if (!td_sip_is_token(v, n))
			return false;
		if (part == 0 && (n != 3 || strncasecmp(v, "SIP", 3)))
			return false;
		if (part == 1 && (n != 3 || strncmp(v, "2.0", 3)))
			return false;
		v += n;
		n = strspn(v, " \t");
		if (part < 2) {
			v += n;
			if (*v++ != '/')
				return false;
			v += strspn(v, " \t");
		} else if (!n) {
			return false;
		} else {
			v += n;
		}
	}
	n = strcspn(v, ";");
	if (n >= sizeof(buf) - 8)
		return false;
	memcpy(buf, "sip:", 4);
	size_t o = 4;
	for (size_t i = 0; i < n; i++)	/* white space around the colon */
		if (v[i] != ' ' && v[i] != '\t')
			buf[o++] = v[i];
	buf[o] = '\0';
	if (strchr(buf + 4, '@') || td_sip_uri_parse(buf, &u))
		return false;
	if (!td_sip_params_ok(v + n))
		return false;
	/* a magic cookie alone identifies nothing (RFC 4475 3.2.1) */
	if (td_sip_param(v + n, "branch", branch, sizeof(branch)) &&
	    !strcasecmp(branch, "z9hG4bK"))
		return false;
	return true;
}

static int check_via(const struct td_sip_msg *m, const char **why)
{
	struct td_sip_walk w = { 0 };
	char buf[TD_SIP_MAX_VALUE];

	*why = "Bad Via";
	while (td_sip_walk(m, TD_SIP_H_VIA, &w, buf, sizeof(buf)))
		if (!via_ok(buf))
			return 400;
	return 0;
}

static int check_addresses(const struct td_sip_msg *m, const char **why)
{
	static const enum td_sip_hdr lists[] = {
		TD_SIP_H_CONTACT, TD_SIP_H_ROUTE, TD_SIP_H_RECORD_ROUTE,
		TD_SIP_H_PATH,
	};
	struct td_sip_addr_spec a;
	struct td_sip_uri u;
	char buf[TD_SIP_MAX_VALUE];

	*why = "Bad From";
	if (td_sip_addr_parse(td_sip_value(m, TD_SIP_H_FROM, 0), &a) ||
	    td_sip_uri_parse(a.uri, &u) == -EINVAL)
		return 400;
	*why = "Bad To";
	if (td_sip_addr_parse(td_sip_value(m, TD_SIP_H_TO, 0), &a) ||
	    td_sip_uri_parse(a.uri, &u) == -EINVAL)
		return 400;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct td_sip_walk w = { 0 };

		*why = i ? "Bad Route" : "Bad Contact";
		while (td_sip_walk(m, lists[i], &w, buf, sizeof(buf))) {
			if (!i && !strcmp(buf, "*"))
				continue;
			if (td_sip_addr_parse(buf, &a) ||
			    td_sip_uri_parse(a.uri, &u) == -EINVAL ||
			    (i && !a.angle))
				return 400;
		}
	}
	return 0;
}

/** RFC 3261 25.1 SIP-date: "Sat, 13 Nov 2010 23:29:00 GMT" */
static bool date_ok(const char *v)
{
	static const char form[] = "aaa, 99 aaa 9999 99:99:99 GMT";

	if (strlen(v) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		unsigned char c = v[i];

		if (form[i] == 'a' ? !isalpha(c) :
		    form[i] == '9' ? !isdigit(c) : c != form[i])
			return false;
	}
	return true;
}

static int check_numbers(const struct td_sip_msg *m, const char **why)
{
	const char *v;

	*why = "Bad Max-Forwards";
	v = td_sip_value(m, TD_SIP_H_MAX_FORWARDS, 0);
	if (v && !number(v, strlen(v), 255))
		return 400;
	*why = "Bad Content-Length";
	v = td_sip_value(m, TD_SIP_H_CONTENT_LENGTH, 0);
	if (v && !number(v, strlen(v), TD_SIP_MAX_OCTETS))
		return 400;
	*why = "Content-Length Exceeds Message";
	if (m->truncated)
		return 400;
	*why = "Bad Expires";
	v = td_sip_value(m, TD_SIP_H_EXPIRES, 0);
	if (v && !digits(v, strlen(v)))		/* too large: 10.3 caps it */
		return 400;
	*why = "Bad Date";
	v = td_sip_value(m, TD_SIP_H_DATE, 0);
	if (v && !date_ok(v))
		return 400;
	return 0;
}

static int check_rest(const struct td_sip_msg *m, const char **why)
{
	const char *v = td_sip_value(m, TD_SIP_H_CALL_ID, 0);

	*why = "Bad Call-ID";
	if (!*v || strlen(v) > 255 || strpbrk(v, " \t,;"))
		return 400;
	*why = "Bad Content-Type";
	v = td_sip_value(m, TD_SIP_H_CONTENT_TYPE, 0);
	if (v && (!strchr(v, '/') ||
		  !td_sip_is_token(v, strcspn(v, "/ \t"))))
		return 400;
	return 0;
}

/** Asked last: the library cannot read all tokens that are legal methods. */
static int check_method(const struct td_sip_msg *m, const char **why)
{
	static const char *const known[] = {
		"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER",
		"UPDATE", "INFO",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i], m->method))
			return 0;
	*why = "Method Not Allowed";
	return 405;
}

int td_sip_check(const struct td_sip_msg *m, const char **why)
{
	static int (*const steps[])(const struct td_sip_msg *,
				    const char **) = {
		check_line, check_counts, check_cseq, check_via,
		check_addresses, check_numbers, check_rest, check_method,
	};
	const char *w = "Malformed Header";
	int rc;

	if (m->bad_line || m->dropped) {
		*why = m->dropped ? "Too Many Headers" : w;
		return 400;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		rc = steps[i](m, &w);
		if (rc) {
			*why = w;
			return rc;
		}
	}
	return 0;
}
