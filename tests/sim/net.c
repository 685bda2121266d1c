// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

/* Two networks; either may carry a datagram, corosync needs both ways on one.
 * Datagrams get lost, come late, twice, and in any order. */

bool sim_linked(const struct sim *s, uint32_t a, uint32_t b)
{
	for (int k = 0; k < SIM_NETS; k++)
		if (!s->cut[k][a][b] && !s->cut[k][b][a])
			return true;
	return false;
}

static void arrive(struct sim *s, const struct sim_arg *a)
{
	struct sim_machine *m = &s->m[a->v];
	struct sim_dgram *g = a->p;

	/* a network card without a running processor: some are kept */
	if (m->up && m->d && !(m->frozen_us && sim_below(&s->rng, 2)))
		sim_daemon_dgram(m->d, g->buf, g->n);
	free(g);
}

void sim_udp(struct sim *s, uint32_t from, uint32_t to, const void *buf,
	     size_t n)
{
	for (int k = 0; k < SIM_NETS; k++) {
		struct sim_dgram *g;
		int64_t us;

		if (s->cut[k][from][to] || s->cut[SIM_NETS][from][to] ||
		    sim_permille(&s->rng, s->k.loss)) {
			s->cover.lost_datagrams++;
			continue;
		}
		us = sim_between(&s->rng, 100, s->k.calm ? 500 : 3000);
		if (sim_permille(&s->rng, s->k.far)) {
			us = sim_pick(&s->rng, 20, 100, 300, 900) * SIM_MS;
			us = sim_between(&s->rng, us / 4, us);
			s->cover.late_datagrams++;
		}
		g = malloc(sizeof(*g) + n);
		g->n = n;
		memcpy(g->buf, buf, n);
		s->cover.datagrams++;
		sim_after(s, us, arrive,
			  (struct sim_arg){ .p = g, .v = to, .own = true });
		if (sim_below(&s->rng, 10) < 8)
			return;		/* else the other's copy, too */
	}
}
