// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/sim/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/apply.h"
#include "tests/sim/load_priv.h"
#include "tests/sim/oracle.h"

/* What all actors share: an act at a node, its answer, and the clock that
 * lets them act. */

struct sim_load *sim_load_new(void)
{
	return calloc(1, sizeof(struct sim_load));
}

void sim_load_free(struct sim_load *l)
{
	if (l)
		free(l->big);
	free(l);
}

/* --- one act: an op, and the effect that waits for it --- */

static bool knows(const struct td_view *v, void *arg, const char **what)
{
	struct sim_act *a = arg;
	struct sim_load *l = a->s->load;
	const char *wrong = a->kind == SIM_PHONE ?
		sim_phone_check(a->s, &l->phones[a->who], v) :
		a->kind == SIM_CALL ?
		sim_call_check(a->s, &l->calls[a->who], v) :
		sim_operator_check(a->s, v);

	if (!wrong)
		return true;
	*what = wrong;
	return false;
}

static void answered(void *arg, int status)
{
	struct sim_act *a = arg;
	struct sim *s = a->s;
	struct sim_load *l = s->load;
	struct sim_daemon *d = s->m[a->machine].d;
	bool ok = !status && d && d->pid == a->pid && !d->dying;

	if (!a->waits) {
		sim_fail(s, "an effect runs twice");
		return;
	}
	a->waits = false;
	l->waiting--;
	sim_note(s, (uint64_t)(int64_t)status ^ a->who << 16);
	s->cover.cancelled += !ok;
	if (a->kind == SIM_PHONE)
		sim_phone_answer(s, &l->phones[a->who], ok);
	else if (a->kind == SIM_CALL)
		sim_call_answer(s, &l->calls[a->who], ok);
	else
		sim_operator_answer(s, ok);
	if (ok)
		sim_oracle_effect(d, knows, a);
}

bool sim_act(struct sim_daemon *d, struct sim_act *a, const Td__Op *op)
{
	struct sim *s = d->m->s;

	if (td_cluster_submit(d->c, op))
		return false;
	a->s = s;
	a->machine = d->m->i;
	a->pid = d->pid;
	a->waits = true;
	s->load->waiting++;
	sim_daemon_stir(d);
	return true;
}

/* after the actor has noted what it asked for */
void sim_act_wait(struct sim_daemon *d, struct sim_act *a)
{
	if (!td_cluster_effect(d->c, answered, a))
		return;
	/* too many wait: nobody answers */
	d->m->s->cover.refused_full++;
	answered(a, -1);
}

struct sim_daemon *sim_any_node(struct sim *s)
{
	struct sim_machine *m = &s->m[sim_below(&s->rng, s->k.nodes)];

	return sim_awake(m) ? m->d : NULL;
}

/* --- what nodes see of each other --- */

static void tell_applied(const struct sim_daemon *d, const Td__Op *op,
			 uint32_t from)
{
	struct td_index i = td_view_index(td_cluster_view(d->c));
	const char *what = td_op_info(op->what_case)->name, *who = "";
	char ms[24];

	if (op->what_case == TD__OP__WHAT_CONTACT_PUT)
		who = op->contact_put->user;
	else if (op->what_case == TD__OP__WHAT_CONTACT_DEL)
		who = op->contact_del->user;
	else if (op->what_case == TD__OP__WHAT_UNIT)
		who = op->unit->unit;
	else if (op->what_case == TD__OP__WHAT_TICK)
		who = ms;
	snprintf(ms, sizeof(ms), "%lld",
		 (long long)td_view_now_ms(td_cluster_view(d->c)) % 10000000);
	sim_story(d->m->s, "%s applies %s %s from %u at %llx/%llu",
		  d->m->name, what, who, from,
		  (unsigned long long)i.lineage, (unsigned long long)i.n);
}

static void on_applied(void *arg, const Td__Op *op, uint32_t from)
{
	struct sim_daemon *d = arg;

	if (d->m->s->trace && op)
		tell_applied(d, op, from);

	/* its calls end when it is told that it was gone, or hears of another
	 * past than its own */
	if (!op)
		sim_calls_of(d->m->s, d->m->i);
	else if (op->what_case == TD__OP__WHAT_NODE_GONE)
		for (uint32_t i = 0; i < d->m->s->n; i++)
			if (d->m->s->m[i].id == op->node_gone->id)
				sim_calls_of(d->m->s, i);
}

void sim_load_daemon(struct sim_daemon *d)
{
	if (!d->m->witness && td_cluster_watch(d->c, on_applied, d))
		abort();
}

/* --- the clock --- */

static void act(struct sim *s, const struct sim_arg *a)
{
	uint32_t k = sim_below(&s->rng, 16);

	if (s->load_off)
		return;
	if (k < 10)
		sim_phone_act(s);
	else if (k < 15)
		sim_call_act(s);
	else
		sim_operator_act(s);
	sim_after(s, sim_between(&s->rng, s->k.pace_us / 8, s->k.pace_us), act,
		  (struct sim_arg){ 0 });
}

void sim_load_reset(struct sim *s)
{
	struct sim_load *l = s->load;
	uint8_t *big = l->big;

	memset(l, 0, sizeof(*l));
	l->big = big;
	sim_after(s, s->k.pace_us, act, (struct sim_arg){ 0 });
}

const char *sim_load_check(const struct sim *s, const struct td_view *v)
{
	const struct sim_load *l = s->load;
	const char *wrong = sim_operator_check(s, v);

	for (unsigned int i = 0; i < l->n_phones && !wrong; i++)
		wrong = sim_phone_check(s, &l->phones[i], v);
	for (unsigned int i = 0; i < l->n_calls && !wrong; i++)
		wrong = sim_call_check(s, &l->calls[i], v);
	return wrong;
}

void sim_load_void(struct sim *s)
{
	struct sim_load *l = s->load;

	for (unsigned int i = 0; i < l->n_phones; i++)
		l->phones[i].over = true;
	for (unsigned int i = 0; i < l->n_calls; i++)
		l->calls[i].over = true;
	l->operator.acked = 0;
	l->operator.over = true;
	s->founded_again = true;
}

bool sim_load_idle(const struct sim *s)
{
	return !s->load->waiting;
}
