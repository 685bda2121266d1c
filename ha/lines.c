// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

enum { MAX_LINES = 64 };

struct line {
	char span[TD_NAME_MAX];
	uint32_t port;
	uint64_t epoch;
	bool on;
};

struct td_lines {
	struct td_lines_cfg cfg;
	struct td_card *card;
	struct line line[MAX_LINES];
	unsigned int n;
	struct td_timer renew;
};

static struct td_port *port_of(const struct td_lines *l, const struct line *x)
{
	return l->card && x->port <= td_card_ports(l->card) ?
		td_card_port(l->card, x->port) : NULL;
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

static void off(struct td_lines *l, struct line *x)
{
	struct td_port *p = port_of(l, x);

	if (p && x->on)
		td_port_lease_end(p, x->epoch);
	set(l, x, false);
}

static int64_t lease_end(void)
{
	return td_clock_boot_ns() + TD_LEASE_MS * 1000000LL;
}

/** Above all that the card or the cluster has seen: a card process that was
 *  started anew knows nothing of before. */
static uint64_t next_epoch(const struct td_lines *l, const struct line *x,
			   const struct td_port_status *st)
{
	const struct td_view *v = td_cluster_view(l->cfg.cluster);
	struct td_view_iter it = { 0 };
	uint64_t epoch = st->epoch > x->epoch ? st->epoch : x->epoch;
	const Td__Span *s;

	while ((s = td_view_spans(v, &it)))
		if (!strcmp(s->span, x->span) && s->epoch > epoch)
			epoch = s->epoch;
	return epoch + 1;
}

static void renew(struct td_lines *l, struct line *x)
{
	struct td_port *p = port_of(l, x);
	struct td_port_status st;
	int rc;

	if (!p) {
		set(l, x, false);
		return;
	}
	if (x->on) {
		rc = td_port_lease(p, x->epoch, lease_end());
		if (!rc)
			return;
		/* it lapsed while this loop did not run: a lapsed lease is
		 * not renewed at the same epoch */
		td_warn("ha", "SPAN-LEASE-LAPSED", "span=%s epoch=%" PRIu64
			" the daemon was late: %s", x->span, x->epoch,
			strerror(-rc));
		set(l, x, false);
	}
	td_port_status(p, &st);
	x->epoch = next_epoch(l, x, &st);
	rc = td_port_lease(p, x->epoch, lease_end());
	if (!rc)
		set(l, x, true);
}

static void on_renew(void *arg)
{
	struct td_lines *l = arg;
	bool may = td_cluster_state(l->cfg.cluster) == TD_CLUSTER_RUNNING;

	td_timer_start(l->cfg.loop, &l->renew, TD_LEASE_RENEW_MS, on_renew, l);
	for (unsigned int i = 0; i < l->n; i++) {
		if (may)
			renew(l, &l->line[i]);
		else
			off(l, &l->line[i]);
	}
}

int td_lines_new(const struct td_lines_cfg *cfg, struct td_lines **out)
{
	struct td_lines *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	td_timer_start(cfg->loop, &l->renew, TD_LEASE_RENEW_MS, on_renew, l);
	*out = l;
	return 0;
}

void td_lines_free(struct td_lines *l)
{
	if (!l)
		return;
	for (unsigned int i = 0; i < l->n; i++)
		off(l, &l->line[i]);
	td_timer_stop(&l->renew);
	free(l);
}

void td_lines_set_card(struct td_lines *l, struct td_card *card)
{
	if (!card)
		for (unsigned int i = 0; i < l->n; i++)
			set(l, &l->line[i], false);
	l->card = card;
}

static bool still_ours(const struct td_lines *l, const struct line *x,
		       const struct td_site *site)
{
	const struct td_site_line *s = td_site_line(site, x->span);

	return s && s->n_nodes && s->nodes[0] == l->cfg.node_id &&
	       s->port == x->port;
}

void td_lines_set_site(struct td_lines *l, const struct td_site *site)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		if (still_ours(l, &l->line[i], site))
			l->line[kept++] = l->line[i];
		else
			off(l, &l->line[i]);
	}
	l->n = kept;
	for (size_t i = 0; i < site->n_lines && l->n < MAX_LINES; i++) {
		const struct td_site_line *s = &site->lines[i];
		bool have = false;

		if (!s->n_nodes || s->nodes[0] != l->cfg.node_id)
			continue;
		for (unsigned int k = 0; k < kept; k++)
			have |= !strcmp(l->line[k].span, s->name);
		if (have)
			continue;
		l->line[l->n] = (struct line){ .port = s->port };
		td_str_cut(l->line[l->n++].span, TD_NAME_MAX, s->name);
	}
}
