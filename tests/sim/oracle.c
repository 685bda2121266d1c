// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/oracle.h"

#include <stdlib.h>
#include <string.h>

#include "tests/sim/load.h"

enum { WRITTEN = 32 };

struct sim_oracle {
	struct {
		uint64_t epoch;
		uint32_t machine;
	} air[SIM_UNITS];
	uint64_t epoch, version;	/* newest record ever said */
	uint32_t in_sync;
	Td__LeaseState *agreed;		/* NULL: none yet */
	/* what was written of late, and which of it the lead has said that it
	 * binds alone */
	struct written {
		uint64_t epoch, version, life[TD_NODE_MAX_ID + 1];
	} written[WRITTEN], bound;
	unsigned int n_written;
};

struct sim_oracle *sim_oracle_new(void)
{
	return calloc(1, sizeof(struct sim_oracle));
}

void sim_oracle_free(struct sim_oracle *o)
{
	if (o)
		td_lease_state_free(o->agreed);
	free(o);
}

void sim_oracle_reset(struct sim *s)
{
	td_lease_state_free(s->oracle->agreed);
	memset(s->oracle, 0, sizeof(*s->oracle));
}

/* --- records --- */

static const Td__Record *on_disk(const struct sim_machine *m)
{
	const Td__LeaseState *st = m->disk.state;

	return st && st->record && st->record->epoch ? st->record : NULL;
}

static bool later(const Td__Record *a, const Td__Record *b)
{
	if (a->epoch != b->epoch)
		return a->epoch > b->epoch;
	return a->version > b->version;
}

/* of its own epoch only: another's record may go back to a time before it */
static uint32_t holders(const struct sim *s, const Td__Record *r)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const Td__Record *x = on_disk(&s->m[i]);

		if (x && x->epoch == r->epoch && x->version >= r->version)
			mask |= 1U << s->m[i].id;
	}
	return mask;
}

static bool majority(uint32_t mask, const uint32_t *voters, size_t n)
{
	unsigned int have = 0;

	for (size_t i = 0; i < n; i++)
		have += mask >> voters[i] & 1;
	return !n || 2 * have > n;
}

const Td__Record *sim_oracle_record(const struct sim *s)
{
	return s->oracle->agreed ? s->oracle->agreed->record : NULL;
}

static struct sim_daemon *life(const struct sim *s, const Td__Member *x)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->m[i].id == x->id)
			return s->m[i].d &&
			       s->m[i].d->incarnation == x->incarnation ?
				       s->m[i].d : NULL;
	return NULL;
}

static bool all_lost(const struct sim *s, const Td__Record *r)
{
	for (size_t i = 0; i < r->n_in_sync; i++)
		if (life(s, r->in_sync[i]))
			return false;
	return r->n_in_sync > 0;
}

void sim_oracle_disk(struct sim_machine *m)
{
	struct sim *s = m->s;
	const Td__Record *was = sim_oracle_record(s), *best = was;
	Td__LeaseState copy = TD__LEASE_STATE__INIT;
	uint8_t *buf;
	size_t n;

	for (uint32_t i = 0; i < s->n; i++) {
		const Td__Record *r = on_disk(&s->m[i]);
		uint32_t mask;

		if (!r || (best && !later(r, best)))
			continue;
		mask = holders(s, r);
		if (majority(mask, r->voters, r->n_voters) &&
		    majority(mask, r->voters_next, r->n_voters_next))
			best = r;
	}
	if (best == was)
		return;
	copy.record = (Td__Record *)best;
	if (td_lease_state_pack(&copy, &buf, &n))
		abort();
	td_lease_state_free(s->oracle->agreed);
	if (td_lease_state_unpack(buf, n, &s->oracle->agreed))
		abort();
	free(buf);
	/* it came to bind when nobody was left who could have used it: the
	 * others cannot know that */
	if (all_lost(s, sim_oracle_record(s)))
		sim_load_void(s);
}

bool sim_oracle_in(const Td__Record *r, uint32_t id, uint64_t incarnation)
{
	for (size_t i = 0; r && i < r->n_in_sync; i++)
		if (r->in_sync[i]->id == id &&
		    r->in_sync[i]->incarnation == incarnation)
			return true;
	return false;
}

static uint32_t mask_of(const uint32_t *ids, size_t n)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < n; i++)
		mask |= 1U << ids[i];
	return mask;
}

static void binds(struct sim_oracle *o, const Td__Committed *c)
{
	if (c->epoch < o->bound.epoch || (c->epoch == o->bound.epoch &&
					  c->version <= o->bound.version))
		return;
	for (unsigned int i = 0; i < WRITTEN; i++)
		if (o->written[i].epoch == c->epoch &&
		    o->written[i].version == c->version)
			o->bound = o->written[i];
}

void sim_oracle_says(struct sim_daemon *d, const Td__Ha *ha)
{
	struct sim *s = d->m->s;
	struct sim_oracle *o = s->oracle;
	const Td__Record *r = ha->record;
	struct written *w;
	uint32_t in = 0;

	if (ha->what_case == TD__HA__WHAT_RELEASED)
		s->cover.released_words++;
	if (ha->what_case == TD__HA__WHAT_COMMITTED)
		binds(o, ha->committed);
	if (ha->what_case != TD__HA__WHAT_RECORD ||
	    r->epoch < o->epoch ||
	    (r->epoch == o->epoch && r->version <= o->version))
		return;
	w = &o->written[o->n_written++ % WRITTEN];
	*w = (struct written){ r->epoch, r->version, { 0 } };
	for (size_t i = 0; i < r->n_in_sync; i++) {
		in |= 1U << r->in_sync[i]->id;
		w->life[r->in_sync[i]->id] = r->in_sync[i]->incarnation;
	}
	sim_tell(s, "%s writes record %llu.%llu, in sync %x, voters %x%s",
		 d->m->name, (unsigned long long)r->epoch,
		 (unsigned long long)r->version, in,
		 mask_of(r->voters, r->n_voters),
		 r->n_voters_next ? " and others next" : "");
	s->cover.records++;
	s->cover.removals += (o->in_sync & ~in) != 0;
	s->cover.additions += (in & ~o->in_sync) != 0;
	s->cover.voter_changes += r->n_voters_next > 0;
	o->epoch = r->epoch;
	o->version = r->version;
	o->in_sync = in;
}

/* --- lives --- */

void sim_oracle_dead(struct sim_machine *m, uint64_t incarnation)
{
	struct sim *s = m->s;
	const Td__Record *r = sim_oracle_record(s);

	if (s->ending || (r && (!sim_oracle_in(r, m->id, incarnation) ||
				 !all_lost(s, r))))
		return;
	for (uint32_t i = 0; !r && i < s->n; i++)
		if (s->m[i].d && !s->m[i].witness &&
		    td_cluster_state(s->m[i].d->c) == TD_CLUSTER_RUNNING)
			return;
	sim_tell(s, "nobody is left who knew anything");
	s->cover.cold_starts++;
	sim_load_void(s);
}

/* --- transmitters --- */

void sim_oracle_on_air(struct sim_machine *m, unsigned int unit)
{
	struct sim *s = m->s;
	struct sim_oracle *o = s->oracle;
	uint64_t epoch = m->driver[unit].epoch;

	for (uint32_t i = 0; i < s->n; i++)
		if (i != m->i && sim_tx(&s->m[i], unit)) {
			sim_fail(s, "I1 %s transmits on %s at epoch %llu "
				 "beside %s at %llu", m->name,
				 sim_units[unit], (unsigned long long)epoch,
				 s->m[i].name, (unsigned long long)
				 s->m[i].driver[unit].epoch);
			return;
		}
	if (o->air[unit].epoch == epoch && o->air[unit].machine == m->i)
		return;
	if (epoch <= o->air[unit].epoch)
		sim_fail(s, "I4 %s transmits on %s at epoch %llu after %llu",
			 m->name, sim_units[unit], (unsigned long long)epoch,
			 (unsigned long long)o->air[unit].epoch);
	o->air[unit].epoch = epoch;
	o->air[unit].machine = m->i;
}

/* a later record than this may be adding it */
static bool being_added(const struct sim *s, const struct sim_daemon *d)
{
	const struct written *b = &s->oracle->bound;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct sim_machine *m = &s->m[i];
		const Td__Record *x = m->d ? td_lease_record(m->d->l) :
					     on_disk(m);

		if (x && (x->epoch > b->epoch || (x->epoch == b->epoch &&
						  x->version > b->version)) &&
		    sim_oracle_in(x, d->m->id, d->incarnation))
			return true;
	}
	return false;
}

/* that anybody has, whether it ever bound or not: all of it lost, who takes
 * founds on the best view there is */
static const Td__Record *newest(const struct sim *s, const Td__Record *r)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct sim_machine *m = &s->m[i];
		const Td__Record *x = m->d ? td_lease_record(m->d->l) :
					     on_disk(m);

		if (x && later(x, r))
			r = x;
	}
	return r;
}

void sim_oracle_took(struct sim_daemon *d, unsigned int unit, uint64_t epoch)
{
	struct sim *s = d->m->s;
	const struct written *b = &s->oracle->bound;
	const Td__Record *r = sim_oracle_record(s);
	const char *wrong;

	s->cover.takes++;
	s->cover.takes_of_lead += !unit;
	sim_note(s, epoch << 8 | unit);
	if (b->epoch && b->life[d->m->id] != d->incarnation && r &&
	    !all_lost(s, r) && !all_lost(s, newest(s, r)) &&
	    !being_added(s, d)) {
		sim_fail(s, "I3 %s takes %s at epoch %llu, out of the set of "
			 "record %llu.%llu", d->m->name, sim_units[unit],
			 (unsigned long long)epoch,
			 (unsigned long long)b->epoch,
			 (unsigned long long)b->version);
		return;
	}
	wrong = sim_load_check(s, td_cluster_view(d->c));
	if (wrong)
		sim_fail(s, "I2 %s takes %s at epoch %llu: %s", d->m->name,
			 sim_units[unit], (unsigned long long)epoch, wrong);
}

/* --- effects --- */

static void must_know(struct sim_daemon *d, struct sim_daemon *x,
		      const char *because,
		      bool (*knows)(const struct td_view *v, void *arg,
				    const char **what),
		      void *arg)
{
	const char *what = "";

	if (!x || x == d || x->dying || d->m->s->failed ||
	    knows(td_cluster_view(x->c), arg, &what))
		return;
	sim_fail(d->m->s, "I2 %s releases an effect that %s, %s, does not "
		 "know: %s", d->m->name, x->m->name, because, what);
}

void sim_oracle_effect(struct sim_daemon *d,
		       bool (*knows)(const struct td_view *v, void *arg,
				     const char **what),
		       void *arg)
{
	struct sim *s = d->m->s;
	const Td__Record *own = td_lease_record(d->l);
	const Td__Record *r = sim_oracle_record(s);
	uint64_t lineage = td_view_index(td_cluster_view(d->c)).lineage;
	const char *what = "";

	s->cover.effects++;
	if (!knows(td_cluster_view(d->c), arg, &what)) {
		sim_fail(s, "I2 %s releases an effect that it does not know "
			 "itself: %s", d->m->name, what);
		return;
	}
	for (size_t i = 0; i < own->n_in_sync; i++)
		must_know(d, life(s, own->in_sync[i]), "of its record", knows,
			  arg);
	for (size_t i = 0; r && i < r->n_in_sync; i++) {
		struct sim_daemon *x = life(s, r->in_sync[i]);

		/* whoever is being added has what comes before that; a
		 * lead of a later epoch starts from what a majority told */
		if (x && r->epoch == own->epoch && !later(r, own) &&
		    sim_oracle_in(td_lease_record(x->l), x->m->id,
				  x->incarnation))
			must_know(d, x, "of the agreed record", knows, arg);
	}
	for (uint32_t i = 0; i < s->n; i++) {
		struct sim_daemon *x = s->m[i].d;

		/* one that is named: else it is about to hear that it lost */
		if (x && td_cluster_state(x->c) == TD_CLUSTER_RUNNING &&
		    sim_oracle_in(td_lease_record(x->l), x->m->id,
				  x->incarnation) &&
		    td_view_index(td_cluster_view(x->c)).lineage > lineage)
			must_know(d, x, "of a later lineage", knows, arg);
	}
}

/* --- after each turn --- */

static void lineage_changed(struct sim_daemon *d, uint64_t lineage)
{
	struct sim *s = d->m->s;
	const Td__Record *r = sim_oracle_record(s);
	const Td__Record *own = td_lease_record(d->l);
	struct td_cluster_stats st;
	const char *wrong;

	td_cluster_stats(d->c, &st);
	s->cover.lineages++;
	d->lineage = lineage;
	s->cover.snapshots += st.snapshots_in - d->snapshots;
	if (st.snapshots_in != d->snapshots) {
		d->snapshots = st.snapshots_in;
		return;		/* judged when it is in the set, or takes */
	}
	/* nor one who has been asleep and does not know what all others do */
	if (!r || later(r, own) ||
	    !sim_oracle_in(own, d->m->id, d->incarnation))
		return;
	wrong = sim_load_check(s, td_cluster_view(d->c));
	if (wrong)
		sim_fail(s, "I2 %s goes on as lineage %llx: %s", d->m->name,
			 (unsigned long long)lineage, wrong);
}

void sim_oracle_look(struct sim_daemon *d)
{
	struct sim *s = d->m->s;
	enum td_cluster_state state = td_cluster_state(d->c);
	uint64_t lineage = td_view_index(td_cluster_view(d->c)).lineage;
	struct td_cluster_stats st;

	if (s->failed || d->m->witness)
		return;
	if (state != d->state) {
		s->cover.minorities += state == TD_CLUSTER_MINORITY;
		sim_note(s, (uint64_t)state);
		d->state = state;
	}
	if (state == TD_CLUSTER_RUNNING && lineage != d->lineage)
		lineage_changed(d, lineage);
	td_cluster_stats(d->c, &st);
	if (st.pending_ops > SIM_MAX_PENDING ||
	    st.pending_effects > SIM_MAX_PENDING)
		sim_fail(s, "%s: %u ops and %u effects wait", d->m->name,
			 st.pending_ops, st.pending_effects);
	sim_views_look(d);
}
