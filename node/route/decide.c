// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/route/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/route/class.h"
#include "proto/base/str.h"

/* Q.850 */
enum {
	CAUSE_UNALLOCATED = 1,
	CAUSE_NO_ROUTE = 3,
	CAUSE_USER_BUSY = 17,
	CAUSE_ABSENT = 20,
	CAUSE_ROUTING_ERROR = 25,
	CAUSE_OUT_OF_ORDER = 27,
	CAUSE_INCOMPLETE = 28,
	CAUSE_NO_CHANNEL = 34,
	CAUSE_NOT_AUTHORIZED = 57,
};

enum { MAX_FORWARDS = 5 };

struct decision {
	const struct td_site *site;
	const struct td_view *view;
	const struct td_route_ask *ask;
	struct td_target *out;
	unsigned int n;
	int cause;
	unsigned int forwarded;	/* how often by now */
};

static int fail(struct decision *d, int err, int cause)
{
	d->cause = cause;
	return err;
}

static struct td_target *add(struct decision *d, enum td_target_kind kind,
			     unsigned int rank, const char *number)
{
	struct td_target *t;

	if (d->n == TD_ROUTE_MAX_TARGETS)
		return NULL;
	t = &d->out[d->n];
	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->rank = rank;
	if (td_str_copy(t->number, sizeof(t->number), number))
		return NULL;
	d->n++;
	return t;
}

static bool node_up(const struct decision *d, uint32_t node)
{
	return node < 32 && d->ask->up_nodes & 1u << node;
}

static bool in_range(const char *number, const char *first, const char *last)
{
	size_t n = strlen(first);

	return strlen(number) == n && strcmp(number, first) >= 0 &&
	       strcmp(number, last) <= 0;
}

/** Can more digits still bring the number into the range? */
static bool may_become(const char *number, const char *first, const char *last)
{
	size_t n = strlen(number);

	return n < strlen(first) && strncmp(number, first, n) >= 0 &&
	       strncmp(number, last, n) <= 0;
}

/* The number that the exchange sent -> our own numbering. */
static int map_ddi(struct decision *d, const char *called, const char **number)
{
	bool more = false;

	for (size_t i = 0; i < d->site->n_ddi; i++) {
		const struct td_site_ddi *r = &d->site->ddi[i];
		size_t n = strlen(called);

		if (in_range(called, r->first, r->last)) {
			*number = called + (n > r->keep ? n - r->keep : 0);
			return 0;
		}
		more |= may_become(called, r->first, r->last);
	}
	if (more && !d->ask->complete)
		return fail(d, -EAGAIN, CAUSE_INCOMPLETE);
	return fail(d, -ENOENT, more ? CAUSE_INCOMPLETE : CAUSE_UNALLOCATED);
}

static uint32_t address_owner(const struct td_site *site, const char *name)
{
	const struct td_site_address *a = td_site_address(site, name);

	return a && a->n_nodes ? a->nodes[0] : 0;
}

static int add_contact(struct decision *d, const Td__Contact *c,
		       const char *number)
{
	struct td_target *t = add(d, TD_TARGET_CONTACT, 0, number);

	if (!t)
		return -ENOSPC;
	if (td_str_copy(t->uri, sizeof(t->uri), c->uri) ||
	    td_str_copy(t->route, sizeof(t->route), c->path) ||
	    td_str_copy(t->received, sizeof(t->received), c->received) ||
	    td_str_copy(t->transport, sizeof(t->transport), c->transport) ||
	    td_str_copy(t->address, sizeof(t->address), c->address)) {
		d->n--;		/* longer than a leg can take */
		return -ENAMETOOLONG;
	}
	return 0;
}

/* All contacts ring at once; those of another node by one internal leg. */
static int to_extension(struct decision *d, const char *number)
{
	struct td_view_iter it = { 0 };
	const Td__Contact *c;
	uint32_t asked = 0;

	while ((c = td_view_user_contacts(d->view, number, &it))) {
		uint32_t node = address_owner(d->site, c->address);
		struct td_target *t;

		if (node == d->ask->node) {
			add_contact(d, c, number);
			continue;
		}
		if (d->ask->internal || !node_up(d, node) ||
		    asked & 1u << node)
			continue;
		t = add(d, TD_TARGET_NODE, 0, number);
		if (!t)
			break;
		t->node = node;
		asked |= 1u << node;
	}
	if (!d->n)
		return fail(d, -EHOSTDOWN, CAUSE_ABSENT);
	return 0;
}

/** B-channels of a line that no call is on; 0 too when the line is down. */
static unsigned int free_channels(const struct decision *d,
				  const struct td_site_line *l, bool *up)
{
	const Td__Span *s = td_view_span_owner(d->view, l->name);
	unsigned int n = 0;

	if (!s || !s->dchannel_up)
		return 0;
	*up = true;
	for (unsigned int t = 1; t < 32; t++)
		if (l->channels & 1u << t &&
		    !td_view_channel_busy(d->view, l->name, t))
			n++;
	return n;
}

static bool line_of_route(const struct td_site_route *r,
			  const struct td_site_line *l)
{
	for (unsigned int i = 0; i < r->n_lines; i++)
		if (!strcmp(r->lines[i], l->name))
			return true;
	return !r->n_lines && !strcmp(r->group, l->group);
}

struct choice {
	const struct td_site_line *line;
	unsigned int free;
};

/* Most free channels first: balance; the name settles a tie. */
static int by_free(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->free != y->free)
		return x->free > y->free ? -1 : 1;
	return strcmp(x->line->name, y->line->name);
}

static struct td_target *lines_of_node(struct decision *d,
				       const struct choice *c, size_t n,
				       uint32_t node, unsigned int rank,
				       const char *number)
{
	bool local = node == d->ask->node;
	struct td_target *t = add(d, local ? TD_TARGET_LINES : TD_TARGET_NODE,
				  rank, local ? number : d->ask->called);

	if (!t)
		return NULL;
	t->node = local ? 0 : node;
	t->far_slot = !local;
	for (size_t i = 0; i < n && t->n_lines < 16; i++)
		if (c[i].line->nodes[0] == node)
			td_str_cut(t->lines[t->n_lines++], sizeof(t->lines[0]),
				   c[i].line->name);
	return t;
}

/* This node's lines first: from a phone the voice is as short over another
 * node's, but a leg more has to be signalled; from a line it crosses nodes. */
static int to_lines(struct decision *d, const struct td_site_route *r)
{
	struct choice c[64];
	char number[64];
	size_t n = 0;
	uint32_t seen = 0;
	unsigned int rank = 0;
	bool up = false;

	if (snprintf(number, sizeof(number), "%s%s", r->add,
		     d->ask->called + r->strip) >= (int)sizeof(number))
		return fail(d, -ENOENT, CAUSE_INCOMPLETE);
	if (!number[0])
		return d->ask->complete ?
			fail(d, -ENOENT, CAUSE_INCOMPLETE) :
			fail(d, -EAGAIN, CAUSE_INCOMPLETE);
	for (size_t i = 0; i < d->site->n_lines && n < 64; i++) {
		const struct td_site_line *l = &d->site->lines[i];
		unsigned int free_n;

		if (!line_of_route(r, l) || !l->n_nodes)
			continue;
		if (l->nodes[0] != d->ask->node &&
		    (d->ask->internal || !node_up(d, l->nodes[0])))
			continue;
		free_n = free_channels(d, l, &up);
		if (free_n)
			c[n++] = (struct choice){ l, free_n };
	}
	if (!n)
		return fail(d, -EBUSY,
			    up ? CAUSE_NO_CHANNEL : CAUSE_OUT_OF_ORDER);
	qsort(c, n, sizeof(c[0]), by_free);
	for (size_t i = 0; i < n; i++)
		if (c[i].line->nodes[0] == d->ask->node && !seen) {
			lines_of_node(d, c, n, d->ask->node, rank++, number);
			seen |= 1u << d->ask->node;
		}
	for (size_t i = 0; i < n; i++) {
		uint32_t node = c[i].line->nodes[0];

		if (seen & 1u << node)
			continue;
		seen |= 1u << node;
		lines_of_node(d, c, n, node, rank++, number);
	}
	return d->n ? 0 : fail(d, -EBUSY, CAUSE_NO_CHANNEL);
}

/** @param transit only routes that calls from lines may use */
static const struct td_site_route *longest(const struct td_site *site,
					   const char *number, bool transit)
{
	const struct td_site_route *best = NULL;
	size_t best_n = 0;

	for (size_t i = 0; i < site->n_routes; i++) {
		const struct td_site_route *r = &site->routes[i];
		size_t n = strlen(r->prefix);

		if ((r->transit || !transit) &&
		    !strncmp(number, r->prefix, n) && (!best || n > best_n)) {
			best = r;
			best_n = n;
		}
	}
	return best;
}

/** Can more digits bring the number to the prefix of such a route? */
static bool may_be_transit(const struct td_site *site, const char *number,
			   bool marked)
{
	for (size_t i = 0; i < site->n_routes; i++)
		if ((site->routes[i].transit || !marked) &&
		    !strncmp(site->routes[i].prefix, number, strlen(number)))
			return true;
	return false;
}

/** What the exchange sends is for us; it gets another line only by a route
 *  that says so, or by the class of the line on which it comes.
 *  @param[out] r  NULL: it is for us
 *  @return 0 or -EAGAIN */
static int from_exchange(struct decision *d, const struct td_site_route **r)
{
	const struct td_route_ask *ask = d->ask;
	const struct td_site_class *k = td_class_of_line(d->site, ask->span);
	bool wait = false;

	*r = NULL;
	if (td_class_may_allow(k, ask->called)) {
		*r = longest(d->site, ask->called, !k);
		wait = *r || may_be_transit(d->site, ask->called, !k);
	}
	if (!ask->complete && wait)
		return fail(d, -EAGAIN, CAUSE_INCOMPLETE);
	if (!td_class_allows(k, ask->called))
		*r = NULL;
	return 0;
}

static int decide(struct decision *d);

/* The user's own phone would be called there: his class counts, and what an
 * extension may dial. */
static int forward(struct decision *d, const char *user, const char *to)
{
	struct td_route_ask ask = *d->ask;
	struct decision next = *d;
	int rc;

	if (d->forwarded == MAX_FORWARDS)
		return fail(d, -ENOENT, CAUSE_ROUTING_ERROR);
	ask.called = to;
	ask.user = user;
	ask.span = "";
	ask.complete = true;
	next.ask = &ask;
	next.n = 0;
	next.forwarded++;
	rc = decide(&next);
	d->n = next.n;
	d->cause = next.cause;
	return rc;
}

/* The node that the caller spoke to has asked for the user's wishes. */
static int to_user(struct decision *d, const char *number)
{
	const Td__User *u = d->ask->internal ? NULL :
					       td_view_user(d->view, number);
	int rc;

	if (u && *u->forward_all)
		return forward(d, number, u->forward_all);
	if (u && u->dnd)
		return fail(d, -EBUSY, CAUSE_USER_BUSY);
	rc = to_extension(d, number);
	if (rc == -EHOSTDOWN && u && *u->forward_unreachable)
		return forward(d, number, u->forward_unreachable);
	return rc;
}

static int decide(struct decision *d)
{
	const struct td_route_ask *ask = d->ask;
	const struct td_site_route *r;
	const char *number = ask->called;
	bool from_line = ask->span[0] && !ask->internal;
	int rc;

	if (!number[0])
		return ask->complete ? fail(d, -ENOENT, CAUSE_INCOMPLETE) :
				       fail(d, -EAGAIN, CAUSE_INCOMPLETE);
	if (from_line) {
		rc = from_exchange(d, &r);
		if (rc)
			return rc;
		if (r)
			return to_lines(d, r);
		rc = map_ddi(d, ask->called, &number);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < d->site->n_services; i++) {
		struct td_target *t;

		if (strcmp(d->site->services[i].number, number))
			continue;
		t = add(d, TD_TARGET_SERVICE, 0, number);
		if (!t)
			return fail(d, -ENOENT, CAUSE_UNALLOCATED);
		t->service = d->site->services[i].service;
		return 0;
	}
	if (td_site_extension(d->site, number))
		return to_user(d, number);
	r = from_line ? NULL : longest(d->site, number, false);
	/* the node that the caller spoke to has asked for his class */
	if (r && !ask->internal &&
	    !td_class_allows(td_class_of_user(d->site, ask->user), number))
		return fail(d, -EACCES, CAUSE_NOT_AUTHORIZED);
	if (r)
		return to_lines(d, r);
	return fail(d, -ENOENT,
		    from_line || ask->internal ? CAUSE_UNALLOCATED :
						 CAUSE_NO_ROUTE);
}

int td_route_decide(const struct td_site *site, const struct td_view *view,
		    const struct td_route_ask *ask, struct td_target *out,
		    unsigned int *n, int *cause)
{
	struct decision d = { .site = site, .view = view, .ask = ask,
			      .out = out };
	int rc = decide(&d);

	if (rc)
		*cause = d.cause;
	else
		*n = d.n;
	return rc;
}
