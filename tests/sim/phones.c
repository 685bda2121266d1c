// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "tests/sim/load_priv.h"

/* Phones register, refresh, leave, and are forgotten when their time is over:
 * RFC 3261 10.3. Each asks any node. */

static struct sim_phone *pick(struct sim *s)
{
	struct sim_load *l = s->load;
	uint32_t k = sim_below(&s->rng, SIM_PHONES_AT_ONCE);

	for (unsigned int i = 0; i < l->n_phones; i++) {
		struct sim_phone *p = &l->phones[i];

		if (!p->silent && !p->over && !k--)
			return p->act.waits ? NULL : p;
	}
	if (l->n_phones == SIM_PHONES)
		return NULL;
	k = l->n_phones++;
	l->phones[k] = (struct sim_phone){ 0 };
	snprintf(l->phones[k].user, sizeof(l->phones[k].user), "%u", 1000 + k);
	snprintf(l->phones[k].uri, sizeof(l->phones[k].uri), "sip:%u@x",
		 1000 + k);
	l->phones[k].act.kind = SIM_PHONE;
	l->phones[k].act.who = k;
	return &l->phones[k];
}

static bool ask(struct sim_daemon *d, struct sim_phone *p)
{
	struct sim *s = d->m->s;
	const struct td_view *v = td_cluster_view(d->c);
	Td__Contact c = TD__CONTACT__INIT;
	Td__ContactDel x = TD__CONTACT_DEL__INIT;
	Td__Op op = TD__OP__INIT;

	if (p->acked.cseq && !p->acked.del &&
	    p->acked.expires_ms <= td_view_now_ms(v) &&
	    !td_view_contact(v, p->user, p->uri))
		s->cover.expiries++;
	p->asked.cseq++;
	p->asked.del = p->acked.cseq && !p->acked.del &&
		       !sim_below(&s->rng, 3);
	p->asked.expires_ms = td_view_now_ms(v) +
			      sim_pick(&s->rng, 700, 3000, 3600000, 3600000);
	if (p->asked.del) {
		x.user = p->user;
		x.uri = p->uri;
		op.what_case = TD__OP__WHAT_CONTACT_DEL;
		op.contact_del = &x;
	} else {
		c.user = p->user;
		c.uri = p->uri;
		c.expires_ms = (uint64_t)p->asked.expires_ms;
		c.call_id = p->user;
		c.cseq = p->asked.cseq;
		c.node = d->m->id;
		op.what_case = TD__OP__WHAT_CONTACT_PUT;
		op.contact_put = &c;
	}
	return sim_act(d, &p->act, &op);
}

void sim_phone_act(struct sim *s)
{
	struct sim_phone *p = pick(s);
	struct sim_daemon *d = p ? sim_any_node(s) : NULL;

	if (!d || td_cluster_state(d->c) != TD_CLUSTER_RUNNING)
		return;
	if (!ask(d, p)) {
		p->asked.cseq--;
		return;
	}
	sim_tell(s, "%s asks %s: %s, cseq %u", p->user, d->m->name,
		 p->asked.del ? "leaves" : "registers", p->asked.cseq);
	sim_act_wait(d, &p->act);
}

void sim_phone_answer(struct sim *s, struct sim_phone *p, bool ok)
{
	sim_tell(s, "%s %s, cseq %u", p->user,
		 ok ? "is answered" : "gets no answer", p->asked.cseq);
	if (!ok) {
		p->silent = true;
		return;
	}
	if (p->asked.del)
		s->cover.deletions++;
	else if (p->acked.cseq && !p->acked.del)
		s->cover.refreshes++;
	else
		s->cover.registrations++;
	p->acked = p->asked;
}

static const char *say(const struct sim *s, const struct sim_phone *p,
		       const char *what, uint32_t cseq)
{
	snprintf(s->load->why, sizeof(s->load->why),
		 "registration of %s %s: cseq %u, acknowledged %u%s", p->user,
		 what, cseq, p->acked.cseq, p->acked.del ? " (left)" : "");
	return s->load->why;
}

const char *sim_phone_check(const struct sim *s, const struct sim_phone *p,
			    const struct td_view *v)
{
	const Td__Contact *c;
	int64_t now = td_view_now_ms(v);
	bool open = p->asked.cseq != p->acked.cseq;

	if (p->over || !p->asked.cseq)
		return NULL;
	c = td_view_contact(v, p->user, p->uri);
	if (!c) {
		if (!p->acked.cseq || p->acked.del ||
		    p->acked.expires_ms <= now)
			return NULL;
		if (open && (p->asked.del || p->asked.expires_ms <= now))
			return NULL;
		return say(s, p, "is lost", 0);
	}
	/* one that came late goes with the next Tick */
	if (s->judging && (int64_t)c->expires_ms <= now)
		return say(s, p, "outlives its time", c->cseq);
	if (open && c->cseq == p->asked.cseq && !p->asked.del)
		return NULL;
	if (c->cseq != p->acked.cseq)
		return say(s, p, "is an older one", c->cseq);
	if (p->acked.del)
		return say(s, p, "is back", c->cseq);
	if ((int64_t)c->expires_ms != p->acked.expires_ms)
		return say(s, p, "has another end", c->cseq);
	return NULL;
}
