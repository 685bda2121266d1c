// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/store/site_check.h"

/* The checks of a site as a whole: names, references, what may stand only
 * once. Numbers are in site_check_numbers.c. */

/* What stands for item i when no file tells its line. */
static void describe(const struct site_checker *c, enum site_sect sect,
		     size_t i, char *out, size_t size)
{
	const char *name = sect == SECT_SITE ? "" :
					       site_item_name(c->site, sect, i);

	snprintf(out, size, "%s%s%.40s", site_sections[sect].one,
		 *name ? " " : "", name);
}

const char *site_at(const struct site_checker *c, enum site_sect sect,
		    size_t i, char *out, size_t size)
{
	if (c->where && c->where->line[sect])
		snprintf(out, size, "line %d", c->where->line[sect][i][0]);
	else
		describe(c, sect, i, out, size);
	return out;
}

static int key_line(const struct site_checker *c, enum site_sect sect,
		    size_t i, const char *key)
{
	const struct site_key *k = site_sections[sect].keys;
	const int *line = c->where->line[sect] ? c->where->line[sect][i] : NULL;

	if (!line)		/* the section itself is missing */
		return key ? SITE_LINE_BAD : 1;
	for (int n = 0; key && k[n].name; n++)
		if (!strcmp(k[n].name, key) && line[n + 1])
			return line[n + 1];
	return line[0];
}

void site_complain(const struct site_checker *c, enum site_sect sect, size_t i,
		   const char *key, const char *fmt, ...)
{
	char what[256], where[64];
	va_list ap;
	int line;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (c->where) {
		line = key_line(c, sect, i, key);
		if (line != SITE_LINE_BAD)
			td_yaml_problem(c->problems, c->where->file, line,
					"%s", what);
		return;
	}
	describe(c, sect, i, where, sizeof(where));
	td_problems_add(c->problems, where, "%s", what);
}

static bool name_ok(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

	return *s && strchr(first, *s) && strspn(s, more) == strlen(s);
}

static void check_name(const struct site_checker *c, enum site_sect sect,
		       size_t i, const char *key, const char *name)
{
	if (!name_ok(name))
		site_complain(c, sect, i, key,
			      "%s: \"%s\" is no name: a letter, then letters, "
			      "digits, - and _", key, name);
}

/* @return the family, 0: not an address that one can have */
static int family(const char *s)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, s, &four) == 1)
		return four.s_addr && four.s_addr != INADDR_NONE &&
		       (ntohl(four.s_addr) >> 28) != 14 ? AF_INET : 0;
	if (inet_pton(AF_INET6, s, &six) == 1)
		return IN6_IS_ADDR_UNSPECIFIED(&six) ||
		       IN6_IS_ADDR_MULTICAST(&six) ? 0 : AF_INET6;
	return 0;
}

static bool same_address(const char *a, const char *b)
{
	struct in6_addr x, y;

	if (!*a || !*b)
		return false;
	if (!strcmp(a, b))
		return true;
	return inet_pton(AF_INET6, a, &x) == 1 &&
	       inet_pton(AF_INET6, b, &y) == 1 && !memcmp(&x, &y, sizeof(x));
}

static void check_address(const struct site_checker *c, enum site_sect sect,
			  size_t i, const char *key, const char *addr)
{
	if (*addr && !family(addr))
		site_complain(c, sect, i, key,
			      "%s: \"%s\" is no IPv4 or IPv6 address of a host",
			      key, addr);
}

static void check_site(const struct site_checker *c)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	const struct td_site *s = c->site;
	const char *d = s->domain;

	check_name(c, SECT_SITE, 0, "name", s->name);
	if (!*d || strspn(d, host) != strlen(d) || *d == '.' || *d == '-' ||
	    d[strlen(d) - 1] == '.' || strstr(d, ".."))
		site_complain(c, SECT_SITE, 0, "domain",
			      "domain: \"%s\" is no domain name", d);
	if (*s->country &&
	    (strlen(s->country) != 2 ||
	     strspn(s->country, "abcdefghijklmnopqrstuvwxyz") != 2))
		site_complain(c, SECT_SITE, 0, "country",
			      "country: two small letters, such as de");
	if (s->jitter_ms < 20 || s->jitter_ms > 400)
		site_complain(c, SECT_SITE, 0, "jitter_ms",
			      "jitter_ms: 20 to 400, not %u", s->jitter_ms);
	if (s->rtp_timeout_s &&
	    (s->rtp_timeout_s < 5 || s->rtp_timeout_s > 3600))
		site_complain(c, SECT_SITE, 0, "rtp_timeout_s",
			      "rtp_timeout_s: 0 (off) or 5 to 3600, not %u",
			      s->rtp_timeout_s);
	/* RFC 4028 5: nobody need take less than 90 s */
	if (s->session_expires_s &&
	    (s->session_expires_s < 90 || s->session_expires_s > 86400))
		site_complain(c, SECT_SITE, 0, "session_expires_s",
			      "session_expires_s: 0 (off) or 90 to 86400, "
			      "not %u", s->session_expires_s);
}

static void check_nodes(const struct site_checker *c)
{
	const struct td_site *s = c->site;
	size_t n_role = 0;

	for (size_t i = 0; i < s->n_nodes; i++)
		n_role += s->nodes[i].role == TD_ROLE_NODE;
	if (!n_role && !(c->where && s->n_nodes))
		site_complain(c, SECT_SITE, 0, NULL,
			      "nodes: the site has no node");
	for (size_t i = 0; i < s->n_nodes; i++) {
		const struct td_site_node *n = &s->nodes[i];
		bool node = n->role == TD_ROLE_NODE;

		check_name(c, SECT_NODES, i, "name", n->name);
		if (n->id < 1 || n->id > TD_SITE_MAX_NODES)
			site_complain(c, SECT_NODES, i, "id",
				      "id: 1 to %u, not %u", TD_SITE_MAX_NODES,
				      n->id);
		if (node && !*n->address)
			site_complain(c, SECT_NODES, i, "address",
				      "node %s: address is missing", n->name);
		if (node && n_role > 1 && !*n->cluster_address)
			site_complain(c, SECT_NODES, i, "cluster_address",
				      "node %s: cluster_address is missing",
				      n->name);
		check_address(c, SECT_NODES, i, "address", n->address);
		check_address(c, SECT_NODES, i, "cluster_address",
			      n->cluster_address);
		for (size_t j = 0; j < i; j++) {
			char at[64];

			site_at(c, SECT_NODES, j, at, sizeof(at));
			if (!strcmp(n->name, s->nodes[j].name))
				site_complain(c, SECT_NODES, i, "name",
					      "a second node \"%s\" (the first:"
					      " %s)", n->name, at);
			if (n->id == s->nodes[j].id)
				site_complain(c, SECT_NODES, i, "id",
					      "id %u is node %s already (%s)",
					      n->id, s->nodes[j].name, at);
		}
	}
}

/* Two nodes with one id are told once, not again wherever they are named. */
static bool ambiguous(const struct td_site *s, uint32_t id)
{
	unsigned int n = 0;

	for (size_t i = 0; i < s->n_nodes; i++)
		n += s->nodes[i].id == id;
	return n > 1;
}

/* The list of nodes of a line or an address. */
static void check_unit(const struct site_checker *c, enum site_sect sect,
		       size_t i, const uint32_t *ids, unsigned int n)
{
	const char *one = site_sections[sect].one;

	if (!n)
		site_complain(c, sect, i, "nodes",
			      "a %s needs at least one node", one);
	for (unsigned int k = 0; k < n; k++) {
		const struct td_site_node *node = td_site_node(c->site, ids[k]);

		if (!node)
			site_complain(c, sect, i, "nodes",
				      "nodes: there is no node with id %u",
				      ids[k]);
		else if (node->role == TD_ROLE_WITNESS)
			site_complain(c, sect, i, "nodes",
				      "nodes: %s is a witness, it serves "
				      "nothing", node->name);
		for (unsigned int j = 0; j < k; j++)
			if (ids[j] == ids[k] && !ambiguous(c->site, ids[k]))
				site_complain(c, sect, i, "nodes",
					      "nodes: %s stands there twice",
					      node ? node->name : "a node");
	}
}

/* Two lines in one socket of a card. */
static void check_ports(const struct site_checker *c, size_t i, size_t j)
{
	const struct td_site_line *a = &c->site->lines[i];
	const struct td_site_line *b = &c->site->lines[j];
	char at[64];

	if (a->port != b->port)
		return;
	for (unsigned int k = 0; k < a->n_nodes; k++)
		for (unsigned int m = 0; m < b->n_nodes; m++) {
			const struct td_site_node *n;

			if (a->nodes[k] != b->nodes[m] ||
			    ambiguous(c->site, a->nodes[k]))
				continue;
			n = td_site_node(c->site, a->nodes[k]);
			site_complain(c, SECT_LINES, i, "port",
				      "port %u of node %s is wired twice: to "
				      "%s and to %s (%s)", a->port,
				      n ? n->name : "?", a->name, b->name,
				      site_at(c, SECT_LINES, j, at,
					      sizeof(at)));
			return;		/* one mistake, told once */
		}
}

static void check_line(const struct site_checker *c, size_t i)
{
	const struct td_site_line *l = &c->site->lines[i];

	check_name(c, SECT_LINES, i, "name", l->name);
	if (*l->group)
		check_name(c, SECT_LINES, i, "group", l->group);
	if (l->port < 1 || l->port > TD_SITE_MAX_PORT)
		site_complain(c, SECT_LINES, i, "port", "port: 1 to %u, not %u",
			      TD_SITE_MAX_PORT, l->port);
	check_unit(c, SECT_LINES, i, l->nodes, l->n_nodes);
	if (l->dchannel < 1 || l->dchannel > 31)
		site_complain(c, SECT_LINES, i, "dchannel",
			      "dchannel: timeslot 1 to 31, not %u",
			      l->dchannel);
	else if (l->channels & 1u << l->dchannel)
		site_complain(c, SECT_LINES, i, "channels",
			      "line %s: timeslot %u is the D-channel, it "
			      "cannot be among channels", l->name, l->dchannel);
	if (!(l->channels & ~1u))
		site_complain(c, SECT_LINES, i, "channels",
			      "line %s has no B-channel", l->name);
	if (!l->transparent)
		site_complain(c, SECT_LINES, i, "transparent",
			      "transparent: only true: A-law passes bit for "
			      "bit, there is no echo canceller");
}

static void check_class_names(const struct site_checker *c)
{
	const struct td_site *s = c->site;
	char at[64];

	for (size_t i = 0; i < s->n_classes; i++) {
		check_name(c, SECT_CLASSES, i, "name", s->classes[i].name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(s->classes[i].name, s->classes[j].name))
				site_complain(c, SECT_CLASSES, i, "name",
					      "a second class \"%s\" (the "
					      "first: %s)", s->classes[i].name,
					      site_at(c, SECT_CLASSES, j, at,
						      sizeof(at)));
	}
}

static void check_units(const struct site_checker *c)
{
	const struct td_site *s = c->site;
	char at[64];

	for (size_t i = 0; i < s->n_lines; i++) {
		check_line(c, i);
		for (size_t j = 0; j < i; j++) {
			check_ports(c, i, j);
			if (strcmp(s->lines[i].name, s->lines[j].name))
				continue;
			site_at(c, SECT_LINES, j, at, sizeof(at));
			site_complain(c, SECT_LINES, i, "name",
				      "a second line \"%s\" (the first: %s)",
				      s->lines[i].name, at);
		}
	}
	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct td_site_address *a = &s->addresses[i];

		check_name(c, SECT_ADDRESSES, i, "name", a->name);
		check_unit(c, SECT_ADDRESSES, i, a->nodes, a->n_nodes);
		if (!family(a->address))
			site_complain(c, SECT_ADDRESSES, i, "address",
				      "address: \"%s\" is no IPv4 or IPv6 "
				      "address of a host", a->address);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(a->name, s->addresses[j].name))
				site_complain(c, SECT_ADDRESSES, i, "name",
					      "a second address \"%s\" (the "
					      "first: %s)", a->name,
					      site_at(c, SECT_ADDRESSES, j, at,
						      sizeof(at)));
		if (td_site_line(s, a->name))
			site_complain(c, SECT_ADDRESSES, i, "name",
				      "\"%s\" is a line already: units need "
				      "names of their own", a->name);
	}
}

/* Address k of all: of nodes, cluster addresses, floating ones. */
static const char *nth_address(const struct td_site *s, size_t k,
			       enum site_sect *sect, size_t *i,
			       const char **key)
{
	if (k < 2 * s->n_nodes) {
		*sect = SECT_NODES;
		*i = k / 2;
		*key = k % 2 ? "cluster_address" : "address";
		return k % 2 ? s->nodes[*i].cluster_address
			     : s->nodes[*i].address;
	}
	*sect = SECT_ADDRESSES;
	*i = k - 2 * s->n_nodes;
	*key = "address";
	return s->addresses[*i].address;
}

static void check_addresses(const struct site_checker *c)
{
	size_t n = 2 * c->site->n_nodes + c->site->n_addresses, i, j;
	const char *key, *other;
	enum site_sect sa, sb;
	char at[64];

	for (size_t a = 1; a < n; a++) {
		const char *x = nth_address(c->site, a, &sa, &i, &key);

		for (size_t b = 0; b < a; b++) {
			const char *y = nth_address(c->site, b, &sb, &j,
						    &other);

			/* one network for all: a node's two may be one */
			if (!same_address(x, y) || (sa == sb && i == j))
				continue;
			site_complain(c, sa, i, key,
				      "address %s is in use already (%s)", x,
				      site_at(c, sb, j, at, sizeof(at)));
			break;
		}
	}
}

static void check_limits(const struct site_checker *c)
{
	for (int s = SECT_NODES; s < SECT_N; s++)
		if (site_count(c->site, s) > site_sections[s].max)
			site_complain(c, s, 0, NULL, "%s: more than %u",
				      site_sections[s].name,
				      site_sections[s].max);
}

int site_check(const struct td_site *s, const struct site_where *where,
	       struct td_problems *problems)
{
	struct site_checker c = { s, where, problems };
	size_t before = problems->n;
	int rc;

	check_limits(&c);
	check_site(&c);
	check_nodes(&c);
	check_class_names(&c);
	check_units(&c);
	check_addresses(&c);
	rc = site_check_numbers(&c);
	if (rc)
		return rc;
	return problems->n > before ? -EINVAL : 0;
}

int td_site_check(const struct td_site *s, struct td_problems *problems)
{
	return site_check(s, NULL, problems);
}
