// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/load_priv.h"

/* Calls are set up and cleared by their node; generations of the
 * configuration are prepared, then switched to, by one operator. */

static bool put(struct sim_daemon *d, struct sim_call *k)
{
	Td__Call c = TD__CALL__INIT;
	Td__CallLeg leg = TD__CALL_LEG__INIT, *legs[] = { &leg };
	Td__IsdnCall isdn = TD__ISDN_CALL__INIT;
	Td__Op op = TD__OP__INIT;

	isdn.span = "s1";
	isdn.timeslot = 1 + (uint32_t)k->id % 30;
	leg.kind = TD__LEG_KIND__LEG_ISDN;
	leg.state = TD__LEG_STATE__LEG_UP;
	leg.isdn = &isdn;
	c.id = k->id;
	c.node = d->m->id;
	c.legs = legs;
	c.n_legs = 1;
	op.what_case = TD__OP__WHAT_CALL_PUT;
	op.call_put = &c;
	return sim_act(d, &k->act, &op);
}

static bool del(struct sim_daemon *d, struct sim_call *k)
{
	Td__CallDel x = TD__CALL_DEL__INIT;
	Td__Op op = TD__OP__INIT;

	x.id = k->id;
	x.node = d->m->id;
	op.what_case = TD__OP__WHAT_CALL_DEL;
	op.call_del = &x;
	return sim_act(d, &k->act, &op);
}

static void set_up(struct sim *s, struct sim_daemon *d)
{
	struct sim_load *l = s->load;
	struct sim_call *k;

	if (l->n_calls == SIM_CALLS)
		return;
	k = &l->calls[l->n_calls];
	*k = (struct sim_call){
		.id = 100 + l->n_calls, .machine = d->m->i,
		.incarnation = d->incarnation,
		.act = { .kind = SIM_CALL, .who = l->n_calls },
	};
	if (!put(d, k))
		return;
	l->n_calls++;
	sim_act_wait(d, &k->act);
}

void sim_call_act(struct sim *s)
{
	struct sim_load *l = s->load;
	struct sim_daemon *d = sim_any_node(s);
	unsigned int open = 0;

	if (!d || td_cluster_state(d->c) != TD_CLUSTER_RUNNING)
		return;
	for (unsigned int i = 0; i < l->n_calls; i++) {
		struct sim_call *k = &l->calls[i];

		if (k->over || k->state == SIM_CLEARED ||
		    k->machine != d->m->i ||
		    k->incarnation != d->incarnation)
			continue;
		open++;
		if (k->state != SIM_UP || sim_below(&s->rng, 4))
			continue;
		if (!del(d, k))
			return;
		k->state = SIM_CLEARING;
		sim_act_wait(d, &k->act);
		return;
	}
	if (open < SIM_CALLS_AT_ONCE)
		set_up(s, d);
}

void sim_call_answer(struct sim *s, struct sim_call *k, bool ok)
{
	if (!ok) {
		k->over = true;
	} else if (k->state == SIM_SET_UP) {
		s->cover.calls++;
		k->state = SIM_UP;
	} else {
		s->cover.hang_ups++;
		k->state = SIM_CLEARED;
	}
}

void sim_calls_of(struct sim *s, uint32_t machine)
{
	struct sim_load *l = s->load;

	for (unsigned int i = 0; i < l->n_calls; i++)
		if (l->calls[i].machine == machine &&
		    l->calls[i].state != SIM_CLEARED)
			l->calls[i].over = true;
}

const char *sim_call_check(const struct sim *s, const struct sim_call *k,
			   const struct td_view *v)
{
	const struct sim_machine *m = &s->m[k->machine];
	const Td__Node *n = td_view_node(v, m->id);
	bool there = td_view_call(v, k->id, m->id) != NULL;
	const char *what;

	if (k->over)
		return NULL;
	if (k->state == SIM_CLEARED && there)
		what = "is back";
	else if (k->state == SIM_UP && !there && n &&
		 n->state != TD__NODE_STATE__NODE_DOWN &&
		 n->incarnation == k->incarnation)
		what = "is lost";
	else
		return NULL;
	snprintf(s->load->why, sizeof(s->load->why), "call %llu of %s %s",
		 (unsigned long long)k->id, m->name, what);
	return s->load->why;
}

/* --- the operator --- */

static bool prepare(struct sim_daemon *d, struct sim_operator *o)
{
	struct sim *s = d->m->s;
	Td__Config c = TD__CONFIG__INIT;
	Td__Op op = TD__OP__INIT;
	uint8_t small[64];

	memset(o->sha, (int)o->next, sizeof(o->sha));
	memset(small, (int)o->next, sizeof(small));
	c.generation = o->next;
	c.sha256.data = o->sha;
	c.sha256.len = sizeof(o->sha);
	c.content.data = small;
	c.content.len = sizeof(small);
	if (s->k.big_octets) {
		if (!s->load->big)
			s->load->big = calloc(1, SIM_BIG_OCTETS);
		if (!s->load->big)
			abort();
		memset(s->load->big, (int)o->next, s->k.big_octets);
		c.content.data = s->load->big;
		c.content.len = s->k.big_octets;
		s->cover.big_ops++;
	}
	op.what_case = TD__OP__WHAT_CONFIG_PREPARE;
	op.config_prepare = &c;
	return sim_act(d, &o->act, &op);
}

static bool switch_to(struct sim_daemon *d, struct sim_operator *o)
{
	Td__ConfigSwitch x = TD__CONFIG_SWITCH__INIT;
	Td__Op op = TD__OP__INIT;

	x.generation = o->asked;
	x.sha256.data = o->sha;
	x.sha256.len = sizeof(o->sha);
	op.what_case = TD__OP__WHAT_CONFIG_SWITCH;
	op.config_switch = &x;
	return sim_act(d, &o->act, &op);
}

void sim_operator_act(struct sim *s)
{
	struct sim_operator *o = &s->load->operator;
	struct sim_daemon *d = o->act.waits ? NULL : sim_any_node(s);

	if (!d || td_cluster_state(d->c) != TD_CLUSTER_RUNNING)
		return;
	o->act.kind = SIM_OPERATOR;
	if (o->asked && !o->switching) {
		if (!switch_to(d, o))
			return;
		o->switching = true;
	} else {
		o->next++;
		if (!prepare(d, o))
			return;
		o->asked = o->next;
		o->switching = false;
	}
	sim_act_wait(d, &o->act);
}

void sim_operator_answer(struct sim *s, bool ok)
{
	struct sim_operator *o = &s->load->operator;

	if (!ok) {
		o->asked = 0;	/* begins anew with another */
	} else if (o->switching) {
		s->cover.generations++;
		o->acked = o->asked;
		o->asked = 0;
	}
	if (!o->asked)
		o->switching = false;
}

const char *sim_operator_check(const struct sim *s, const struct td_view *v)
{
	const struct sim_operator *o = &s->load->operator;
	const Td__Config *c = td_view_config(v);

	if (c && (!c->content.len || c->content.data[0] !=
					     (uint8_t)c->generation))
		snprintf(s->load->why, sizeof(s->load->why),
			 "generation %llu has another's content",
			 (unsigned long long)c->generation);
	else if (o->acked && (!c || c->generation < o->acked))
		snprintf(s->load->why, sizeof(s->load->why),
			 "generation %llu is lost",
			 (unsigned long long)o->acked);
	else
		return NULL;
	return s->load->why;
}
