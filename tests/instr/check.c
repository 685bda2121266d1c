// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/instr/check.h"

#include <errno.h>
#include <string.h>

enum {
	FIT = 4,	/* octets in a row that end a gap in place */
	CONFIRM = 8,	/* octets in a row that prove a new place: 64 bits, of
			 * which 23 chose it, so chance is 2^-41 an octet */
	OCTET_NS = 125000,
	SEED = 3,	/* octets that give a register */
};

void td_check_init(struct td_check *c, const struct td_prbs_map *map,
		   int64_t now_ns)
{
	memset(c, 0, sizeof(*c));
	c->map = map;
	c->start_ns = c->last_ns = now_ns;
}

uint32_t td_check_gap_octets(const struct td_check_gap *g)
{
	uint32_t n = g->span + g->lost;

	return n > g->repeated ? n : g->repeated;
}

static void remember(struct td_check *c, uint8_t o)
{
	memmove(c->hist, c->hist + 1, TD_CHECK_HISTORY - 1);
	c->hist[TD_CHECK_HISTORY - 1] = o;
	if (c->n_hist < TD_CHECK_HISTORY)
		c->n_hist++;
}

/* is the pattern at another place than we thought? */
static bool found_place(struct td_check *c, uint8_t o)
{
	if (c->cand.s && td_prbs_next(&c->cand) == o) {
		c->run++;
		return c->run >= CONFIRM;
	}
	c->cand.s = 0;
	if (c->n_hist >= SEED)
		c->cand.s = td_prbs_from_octets(c->hist + TD_CHECK_HISTORY -
						SEED);
	c->run = SEED;
	return false;
}

/* The run began where a chance hit of an older candidate let it; it may have
 * begun earlier. */
static void extend_run(struct td_check *c)
{
	struct td_prbs b = c->cand, q;

	for (uint32_t i = 0; i < c->run; i++)
		td_prbs_back(&b);
	while (c->run < c->n_hist) {
		td_prbs_back(&b);
		q = b;
		if (td_prbs_next(&q) !=
		    c->hist[TD_CHECK_HISTORY - 1 - c->run])
			break;
		c->run++;
	}
}

static void keep_gap(struct td_check *c)
{
	struct td_check_gap *least = &c->gaps[0];

	c->altered += c->now.wrong;
	c->missing += c->now.missing;
	c->lost += c->now.lost;
	c->repeated += c->now.repeated;
	c->bad = false;
	if (c->n_gaps++ < TD_CHECK_GAPS) {
		c->gaps[c->n_gaps - 1] = c->now;
		return;
	}
	for (int i = 1; i < TD_CHECK_GAPS; i++)
		if (td_check_gap_octets(&c->gaps[i]) <
		    td_check_gap_octets(least))
			least = &c->gaps[i];
	if (td_check_gap_octets(&c->now) > td_check_gap_octets(least))
		*least = c->now;
}

static void begin_gap(struct td_check *c, int64_t t_ns)
{
	c->bad = true;
	c->now = (struct td_check_gap){ .at_ns = t_ns };
	c->since = 0;
	c->fit = 0;
	c->n_hist = 0;
	c->cand.s = 0;
}

static void end_in_place(struct td_check *c)
{
	c->now.span = c->since - c->fit;
	c->checked += c->fit;
	keep_gap(c);
}

static void end_by_slip(struct td_check *c)
{
	int32_t d = td_prbs_distance(td_prbs_place(c->map, c->cand.s),
				     td_prbs_place(c->map, c->here.s));

	extend_run(c);
	if (c->run > c->since)
		c->run = c->since;
	c->now.span = c->since - c->run;
	c->now.wrong = c->now.span - c->now.missing;
	c->now.lost = d > 0 ? d : 0;
	c->now.repeated = d < 0 ? -d : 0;
	c->checked += c->run;
	c->here = c->cand;
	keep_gap(c);
}

static void feed_bad(struct td_check *c, uint8_t o, bool fits)
{
	c->since++;
	remember(c, o);
	if (fits) {
		c->fit++;
	} else {
		c->now.wrong++;
		c->fit = 0;
	}
	if (found_place(c, o))
		end_by_slip(c);
	else if (c->fit >= FIT)
		end_in_place(c);
}

static void feed_unsynced(struct td_check *c, uint8_t o, int64_t t_ns)
{
	remember(c, o);
	if (!found_place(c, o))
		return;
	c->synced = true;
	c->here = c->cand;
	c->checked += c->run;
	if (!c->synced_before)
		c->sync_ns = t_ns;
}

void td_check_feed(struct td_check *c, const uint8_t *o, size_t n,
		   int64_t t_ns)
{
	c->received += n;
	for (size_t i = 0; i < n; i++, t_ns += OCTET_NS) {
		bool fits;

		if (!c->synced) {
			feed_unsynced(c, o[i], t_ns);
			continue;
		}
		fits = td_prbs_next(&c->here) == o[i];
		if (!c->bad && fits) {
			c->checked++;
			continue;
		}
		if (!c->bad)
			begin_gap(c, t_ns);
		feed_bad(c, o[i], fits);
	}
	c->last_ns = t_ns;
}

void td_check_miss(struct td_check *c, size_t n, int64_t t_ns)
{
	c->last_ns = t_ns + (int64_t)n * OCTET_NS;
	c->n_hist = 0;
	c->cand.s = 0;
	if (!c->synced)
		return;
	if (!c->bad)
		begin_gap(c, t_ns);
	for (size_t i = 0; i < n; i++)
		td_prbs_next(&c->here);
	c->now.missing += n;
	c->since += n;
	c->fit = 0;
}

void td_check_end(struct td_check *c)
{
	if (!c->bad)
		return;
	c->now.open = true;
	c->now.span = c->since;
	keep_gap(c);
}

void td_check_again(struct td_check *c)
{
	td_check_end(c);
	c->synced_before |= c->synced;
	c->synced = false;
	c->n_hist = 0;
	c->cand.s = 0;
}

uint64_t td_check_phase(int64_t t_ns, int phase)
{
	return t_ns / OCTET_NS + (uint64_t)phase * TD_PHASE_OCTETS;
}

int td_check_delay(const struct td_check *c, int *phase, double *delay_ms)
{
	uint32_t now, place, d, e;
	int k = 0;

	if (!c->synced)
		return -EAGAIN;
	now = (c->last_ns / OCTET_NS) % TD_PRBS_PERIOD;
	place = td_prbs_place(c->map, c->here.s);
	d = (now + TD_PRBS_PERIOD - place) % TD_PRBS_PERIOD;
	if (d >= TD_PHASE_OCTETS) {
		e = TD_PRBS_PERIOD - d;
		k = (e + TD_PHASE_OCTETS - 1) / TD_PHASE_OCTETS;
		d = k * TD_PHASE_OCTETS - e;
	}
	*phase = k;
	*delay_ms = d / 8.0;
	return 0;
}

static json_t *gap_json(const struct td_check *c, const struct td_check_gap *g)
{
	return json_pack("{s:f,s:f,s:f,s:i,s:i,s:i,s:i,s:b}",
		"at_ms", (g->at_ns - c->start_ns) / 1e6,
		"mono_ms", g->at_ns / 1e6,
		"ms", td_check_gap_octets(g) / 8.0,
		"wrong", (int)g->wrong, "missing", (int)g->missing,
		"lost", (int)g->lost, "repeated", (int)g->repeated,
		"open", g->open);
}

struct sorted {
	json_t *ours, *machine;
	double ours_max, machine_max, tail;
};

static void sort_gaps(const struct td_check *c, const struct td_pauses *p,
		      int64_t later_ns, struct sorted *s)
{
	uint32_t n = c->n_gaps < TD_CHECK_GAPS ? c->n_gaps : TD_CHECK_GAPS;

	*s = (struct sorted){ .ours = json_array(), .machine = json_array() };
	for (uint32_t i = 0; i < n; i++) {
		const struct td_check_gap *g = &c->gaps[i];
		double ms = td_check_gap_octets(g) / 8.0;
		int64_t end = g->at_ns + (int64_t)g->span * OCTET_NS;

		if (g->open && ms < TD_CHECK_TAIL_MS) {
			s->tail = ms;
		} else if (td_pauses_explain(p, g->at_ns, end, later_ns)) {
			json_array_append_new(s->machine, gap_json(c, g));
			s->machine_max = ms > s->machine_max ? ms :
							       s->machine_max;
		} else {
			json_array_append_new(s->ours, gap_json(c, g));
			s->ours_max = ms > s->ours_max ? ms : s->ours_max;
		}
	}
}

json_t *td_check_json(const struct td_check *c, const struct td_pauses *p,
		      int64_t later_ns)
{
	struct sorted s;
	double delay = 0;
	int phase = -1;
	json_t *j;

	sort_gaps(c, p, later_ns, &s);
	j = json_pack("{s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I}",
		"synced", c->synced,
		"clean", c->synced && !json_array_size(s.ours),
		"received", (json_int_t)c->received,
		"checked", (json_int_t)c->checked,
		"altered", (json_int_t)c->altered,
		"missing", (json_int_t)c->missing,
		"lost", (json_int_t)c->lost,
		"repeated", (json_int_t)c->repeated);
	json_object_update_new(j, json_pack("{s:i,s:f,s:o,s:f,s:o,s:f}",
		"gaps_total", (int)c->n_gaps,
		"gap_ms_max", s.ours_max, "gaps", s.ours,
		"gap_machine_ms_max", s.machine_max,
		"gaps_machine", s.machine, "tail_ms", s.tail));
	if (td_check_delay(c, &phase, &delay))
		return j;
	json_object_update_new(j, json_pack("{s:f,s:i,s:f}",
		"sync_ms", (c->sync_ns - c->start_ns) / 1e6,
		"phase", phase, "delay_ms", delay));
	return j;
}
