// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/str.h"

struct line {
	char span[TD_NAME_MAX];
	uint32_t port;
	uint64_t epoch;		/* newest that was held here */
	bool on;
	bool told;		/* that the port refuses */
};

struct td_lines {
	struct td_lines_cfg cfg;
	struct td_card *card;
	struct line line[TD_SITE_MAX_LINES];
	unsigned int n;
};

static struct td_port *port_of(const struct td_lines *l, const struct line *x)
{
	return l->card && x->port <= td_card_ports(l->card) ?
		td_card_port(l->card, x->port) : NULL;
}

static struct line *find(const struct td_lines *l, const char *span)
{
	for (unsigned int i = 0; i < l->n; i++)
		if (!strcmp(l->line[i].span, span))
			return (struct line *)&l->line[i];
	return NULL;
}

static void set(struct td_lines *l, struct line *x, bool on)
{
	if (x->on == on)
		return;
	x->on = on;
	td_info("ha", "span=%s epoch=%" PRIu64 " transmitter=%s", x->span,
		x->epoch, on ? "on" : "off");
	l->cfg.active(l->cfg.arg, x->span, on, x->epoch);
}

static void off(struct td_lines *l, struct line *x, uint64_t epoch)
{
	struct td_port *p = port_of(l, x);

	if (p)
		td_port_lease_end(p, epoch);
	if (x->epoch <= epoch)
		set(l, x, false);
}

/* A card that outlived a daemon knows its epochs. */
static void tell_seen(struct td_lines *l, const struct line *x)
{
	struct td_port *p = port_of(l, x);
	struct td_port_status st;

	if (!p)
		return;
	td_port_status(p, &st);
	if (st.epoch)
		l->cfg.seen(l->cfg.arg, x->span, st.epoch);
}

bool td_lines_hold(struct td_lines *l, const char *span, uint64_t epoch,
		   int64_t until_ms)
{
	struct line *x = find(l, span);
	struct td_port *p = x ? port_of(l, x) : NULL;
	int rc;

	if (!x)
		return false;
	if (!p) {
		set(l, x, false);
		return true;
	}
	rc = td_port_lease(p, epoch, until_ms * 1000000);
	if (epoch > x->epoch) {
		set(l, x, false);
		x->epoch = epoch;
		x->told = false;
	}
	if (rc && !x->told)
		td_warn("ha", "SPAN-LEASE", "span=%s epoch=%" PRIu64
			" refused by the card: %s", span, epoch, strerror(-rc));
	if (rc && !x->told)
		tell_seen(l, x);
	x->told = rc != 0;
	set(l, x, !rc);
	return true;
}

bool td_lines_off(struct td_lines *l, const char *span, uint64_t epoch)
{
	struct line *x = find(l, span);

	if (x)
		off(l, x, epoch);
	return x != NULL;
}

bool td_lines_fit(const struct td_lines *l, const char *span)
{
	const struct line *x = find(l, span);

	return x && port_of(l, x);
}

int td_lines_new(const struct td_lines_cfg *cfg, struct td_lines **out)
{
	struct td_lines *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	*out = l;
	return 0;
}

void td_lines_free(struct td_lines *l)
{
	if (!l)
		return;
	for (unsigned int i = 0; i < l->n; i++)
		if (l->line[i].on)
			off(l, &l->line[i], l->line[i].epoch);
	free(l);
}

void td_lines_set_card(struct td_lines *l, struct td_card *card)
{
	l->card = card;
	for (unsigned int i = 0; i < l->n; i++) {
		if (card)
			tell_seen(l, &l->line[i]);
		else
			set(l, &l->line[i], false);
	}
}

static bool wired_here(const struct td_lines *l, const struct td_site_line *s)
{
	for (unsigned int i = 0; i < s->n_nodes; i++)
		if (s->nodes[i] == l->cfg.node_id)
			return true;
	return false;
}

void td_lines_set_site(struct td_lines *l, const struct td_site *site)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		struct line *x = &l->line[i];
		const struct td_site_line *s = td_site_line(site, x->span);

		if (s && wired_here(l, s) && s->port == x->port)
			l->line[kept++] = *x;
		else if (x->on)
			off(l, x, x->epoch);
	}
	l->n = kept;
	for (size_t i = 0; i < site->n_lines && l->n < TD_SITE_MAX_LINES;
	     i++) {
		const struct td_site_line *s = &site->lines[i];
		struct line *x = &l->line[l->n];

		if (!wired_here(l, s) || find(l, s->name))
			continue;
		*x = (struct line){ .port = s->port };
		td_str_cut(x->span, TD_NAME_MAX, s->name);
		l->n++;
		tell_seen(l, x);
	}
}
