// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 3261 7.3.3: names and their compact forms */
static const struct {
	const char *name;
	char compact;
	enum td_sip_hdr id;
} names[] = {
	{ "Accept", 0, TD_SIP_H_ACCEPT },
	{ "Allow", 0, TD_SIP_H_ALLOW },
	{ "Authorization", 0, TD_SIP_H_AUTHORIZATION },
	{ "Call-ID", 'i', TD_SIP_H_CALL_ID },
	{ "Contact", 'm', TD_SIP_H_CONTACT },
	{ "Content-Encoding", 'e', TD_SIP_H_CONTENT_ENCODING },
	{ "Content-Length", 'l', TD_SIP_H_CONTENT_LENGTH },
	{ "Content-Type", 'c', TD_SIP_H_CONTENT_TYPE },
	{ "CSeq", 0, TD_SIP_H_CSEQ },
	{ "Date", 0, TD_SIP_H_DATE },
	{ "Expires", 0, TD_SIP_H_EXPIRES },
	{ "From", 'f', TD_SIP_H_FROM },
	{ "Max-Forwards", 0, TD_SIP_H_MAX_FORWARDS },
	{ "Path", 0, TD_SIP_H_PATH },
	{ "Min-SE", 0, TD_SIP_H_MIN_SE },
	{ "P-Asserted-Identity", 0, TD_SIP_H_P_ASSERTED_IDENTITY },
	{ "Privacy", 0, TD_SIP_H_PRIVACY },
	{ "Proxy-Authorization", 0, TD_SIP_H_PROXY_AUTHORIZATION },
	{ "Proxy-Require", 0, TD_SIP_H_PROXY_REQUIRE },
	{ "Reason", 0, TD_SIP_H_REASON },
	{ "Record-Route", 0, TD_SIP_H_RECORD_ROUTE },
	{ "Require", 0, TD_SIP_H_REQUIRE },
	{ "Retry-After", 0, TD_SIP_H_RETRY_AFTER },
	{ "Route", 0, TD_SIP_H_ROUTE },
	{ "Session-Expires", 'x', TD_SIP_H_SESSION_EXPIRES },
	{ "Supported", 'k', TD_SIP_H_SUPPORTED },
	{ "To", 't', TD_SIP_H_TO },
	{ "User-Agent", 0, TD_SIP_H_USER_AGENT },
	{ "Via", 'v', TD_SIP_H_VIA },
	{ "X-Tandem-Call", 0, TD_SIP_H_X_TANDEM_CALL },
};

static enum td_sip_hdr name_id(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (n == 1 && names[i].compact &&
		    tolower((unsigned char)*s) == names[i].compact)
			return names[i].id;
		if (strlen(names[i].name) == n &&
		    !strncasecmp(names[i].name, s, n))
			return names[i].id;
	}
	return TD_SIP_H_OTHER;
}

bool td_sip_is_token(const char *s, size_t n)
{
	if (!n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    (!s[i] || !strchr("-.!%*_+`'~", s[i])))
			return false;
	return true;
}

/** Ends the line at *p, joining folded ones. @return the next line's start,
 *  or NULL when the text ends without a line end. */
static char *take_line(char *p, char *end)
{
	char *q = p;

	for (;;) {
		while (q < end && *q != '\r' && *q != '\n')
			q++;
		if (q == end)
			return NULL;
		char *after = q + (*q == '\r' && q + 1 < end && q[1] == '\n' ?
				   2 : 1);
		/* an empty line ends the header: nothing can continue it */
		if (q > p && after < end && (*after == ' ' || *after == '\t')) {
			memset(q, ' ', after - q);
			continue;
		}
		*q = '\0';
		return after;
	}
}

static void first_line(struct td_sip_msg *m, char *line)
{
	char *sp1 = strchr(line, ' '), *sp2;

	m->method = m->uri = m->version = m->reason = "";
	if (!strncasecmp(line, "SIP/", 4)) {
		m->version = line;
		if (sp1) {
			*sp1 = '\0';
			m->status = strlen(sp1 + 1) >= 3 &&
				    isdigit((unsigned char)sp1[1]) &&
				    isdigit((unsigned char)sp1[2]) &&
				    isdigit((unsigned char)sp1[3]) &&
				    (!sp1[4] || sp1[4] == ' ') ?
				    atoi(sp1 + 1) : 0;
			sp2 = strchr(sp1 + 1, ' ');
			m->reason = sp2 ? sp2 + 1 : "";
		}
		return;
	}
	m->request = true;
	m->method = line;
	if (!sp1)
		return;
	*sp1 = '\0';
	m->uri = sp1 + 1;
	sp2 = strrchr(sp1 + 1, ' ');
	if (sp2) {
		*sp2 = '\0';
		m->version = sp2 + 1;
	}
}

static void add_field(struct td_sip_msg *m, char *line)
{
	char *colon = strchr(line, ':'), *e, *v;

	if (!colon) {
		m->bad_line = true;
		return;
	}
	for (e = colon; e > line && (e[-1] == ' ' || e[-1] == '\t'); e--)
		;
	if (!td_sip_is_token(line, e - line)) {
		m->bad_line = true;
		return;
	}
	if (m->n == TD_SIP_MAX_HEADERS) {
		m->dropped++;
		return;
	}
	for (v = colon + 1; *v == ' ' || *v == '\t'; v++)
		;
	*e = '\0';
	for (e = v + strlen(v); e > v && (e[-1] == ' ' || e[-1] == '\t'); e--)
		;
	*e = '\0';
	m->f[m->n++] = (struct td_sip_field){
		.id = name_id(line, strlen(line)), .name = line, .value = v };
}

static void take_body(struct td_sip_msg *m, const char *p, size_t n)
{
	const char *cl = td_sip_value(m, TD_SIP_H_CONTENT_LENGTH, 0);
	unsigned long len = n;
	char *e;

	if (cl && isdigit((unsigned char)*cl)) {
		errno = 0;
		len = strtoul(cl, &e, 10);
		if (errno || len > n) {
			m->truncated = true;
			len = n;
		}
	}
	m->body = p;
	m->n_body = len;
}

int td_sip_parse(const char *raw, size_t n, struct td_sip_msg **out)
{
	struct td_sip_msg *m;
	char *p, *end, *next;

	if (n > TD_SIP_MAX_OCTETS)
		return -EMSGSIZE;
	while (n && (*raw == '\r' || *raw == '\n'))	/* RFC 3261 7.5 */
		raw++, n--;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->copy = malloc(2 * (n + 1));	/* the second half: the first line */
	if (!m->copy) {
		free(m);
		return -ENOMEM;
	}
	memcpy(m->copy, raw, n);
	m->copy[n] = '\0';
	p = m->copy;
	end = p + n;
	next = take_line(p, end);
	if (!next || strlen(p) != (size_t)(strchr(p, '\0') - p) || !*p) {
		td_sip_msg_free(m);
		return -EBADMSG;
	}
	m->first_line = strcpy(m->copy + n + 1, p);
	first_line(m, p);
	for (p = next; p < end; p = next) {
		next = take_line(p, end);
		if (!next) {		/* no line end: cut short */
			m->bad_line = true;
			next = end;
			break;
		}
		/* a NUL inside the line would hide the rest of it */
		if (memchr(p, '\0', next - p - 1) &&
		    strlen(p) + 2 < (size_t)(next - p))
			m->bad_line = true;
		if (!*p)
			break;
		add_field(m, p);
	}
	if (!m->n) {
		td_sip_msg_free(m);
		return -EBADMSG;
	}
	take_body(m, next, end - next);
	*out = m;
	return 0;
}

void td_sip_msg_free(struct td_sip_msg *m)
{
	if (!m)
		return;
	free(m->copy);
	free(m);
}

const char *td_sip_value(const struct td_sip_msg *m, enum td_sip_hdr id,
			 unsigned int nth)
{
	for (unsigned int i = 0; i < m->n; i++)
		if (m->f[i].id == id && !nth--)
			return m->f[i].value;
	return NULL;
}

unsigned int td_sip_count(const struct td_sip_msg *m, enum td_sip_hdr id)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n; i++)
		n += m->f[i].id == id;
	return n;
}

uint32_t td_sip_cseq(const struct td_sip_msg *m)
{
	const char *v = td_sip_value(m, TD_SIP_H_CSEQ, 0);

	return v ? strtoul(v, NULL, 10) : 0;
}

bool td_sip_next(const char **pos, char *out, size_t size)
{
	const char *p = *pos, *s, *e;
	bool quoted = false;
	int angle = 0;

	while (p && (*p == ' ' || *p == '\t' || *p == ','))
		p++;
	if (!p || !*p)
		return false;
	for (s = p; *p && (quoted || angle || *p != ','); p++) {
		if (quoted && *p == '\\' && p[1])
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '<')
			angle = 1;
		else if (!quoted && *p == '>')
			angle = 0;
	}
	for (e = p; e > s && (e[-1] == ' ' || e[-1] == '\t'); e--)
		;
	if ((size_t)(e - s) >= size) {
		*pos = NULL;
		return false;
	}
	memcpy(out, s, e - s);
	out[e - s] = '\0';
	*pos = p;
	return true;
}

bool td_sip_walk(const struct td_sip_msg *m, enum td_sip_hdr id,
		 struct td_sip_walk *w, char *out, size_t size)
{
	for (;;) {
		if (w->pos && td_sip_next(&w->pos, out, size))
			return true;
		w->pos = td_sip_value(m, id, w->nth++);
		if (!w->pos)
			return false;
	}
}

bool td_sip_lists(const struct td_sip_msg *m, enum td_sip_hdr id,
		  const char *token)
{
	struct td_sip_walk w = { 0 };
	char buf[256];

	while (td_sip_walk(m, id, &w, buf, sizeof(buf))) {
		buf[strcspn(buf, "; \t")] = '\0';
		if (!strcasecmp(buf, token))
			return true;
	}
	return false;
}
