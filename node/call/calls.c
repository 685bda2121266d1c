// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/call/calls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/call/calls_i.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

struct party *call_winner(struct call *c)
{
	return c->winner >= 0 ? &c->b[c->winner] : NULL;
}

struct party *call_other(struct call *c, const struct party *p)
{
	return p == &c->a ? call_winner(c) : &c->a;
}

static struct party *party_of(const struct td_leg *l)
{
	struct call *c = l->call;

	if (!c)
		return NULL;
	if (l->index == 0)
		return &c->a;
	return l->index <= c->n_b ? &c->b[l->index - 1] : NULL;
}

static void free_call(struct call *c)
{
	td_timer_stop(&c->guard);
	td_timer_stop(&c->bury);
	c->state = TD_CALL_ENDED;	/* legs that go cause no op */
	for (unsigned int i = 0; i <= c->n_b; i++) {
		struct party *p = i ? &c->b[i - 1] : &c->a;

		bridge_release(c, p);
		if (p->leg)
			p->leg->ops->free(p->leg);
		free(p->sess);
	}
	td_map_del(c->room->calls, &c->id, sizeof(c->id));
	free(c->sent);
	free(c->offered);
	free(c);
}

static void on_bury(void *arg)
{
	struct call *c = arg;

	int rc = record_end(c);

	/* its row must go, or its channels stay busy in every view; while
	 * nothing is taken (a minority) it waits */
	if (rc == -EAGAIN || rc == -ENOTCONN)
		td_timer_start(c->room->cfg.loop, &c->bury, 100, on_bury, c);
	else
		free_call(c);
}

/* A leg that never says CLEARED would keep its channel for ever. */
static void on_guard(void *arg)
{
	struct call *c = arg;
	struct td_leg_event lev = { .type = TD_LEV_CLEARED, .cause = 28 };

	if (c->state == TD_CALL_COLLECTING) {
		c->cause = 28;
		call_event(c, TD_CALL_EV_ROUTE_FAIL, &c->a, &lev);
		return;
	}
	if (c->state == TD_CALL_TRYING || c->state == TD_CALL_RINGING) {
		c->cause = 19;		/* no answer from user */
		call_event(c, TD_CALL_EV_HANGUP, &c->a, NULL);
		return;
	}
	if (c->state != TD_CALL_CLEARING)
		return;
	td_err("call", "CALL-STUCK",
	       "call=%016" PRIx64 " a leg did not end; it is freed", c->id);
	c->room->stuck++;
	c->a.alive = false;
	for (unsigned int i = 0; i < c->n_b; i++)
		c->b[i].alive = false;
	call_check_gone(c);
}

static void arm_guard(struct call *c)
{
	if (c->state == TD_CALL_COLLECTING)
		td_timer_start(c->room->cfg.loop, &c->guard, CALL_OVERLAP_MS,
			       on_guard, c);
	else if (c->state == TD_CALL_TRYING || c->state == TD_CALL_RINGING)
		td_timer_start(c->room->cfg.loop, &c->guard, CALL_RINGING_MS,
			       on_guard, c);
	else if (c->state == TD_CALL_CLEARING)
		td_timer_start(c->room->cfg.loop, &c->guard, CALL_CLEARING_MS,
			       on_guard, c);
	else
		td_timer_stop(&c->guard);
}

void call_check_gone(struct call *c)
{
	if (c->state != TD_CALL_CLEARING || c->a.alive)
		return;
	for (unsigned int i = 0; i < c->n_b; i++)
		if (c->b[i].alive)
			return;
	call_event(c, TD_CALL_EV_ALL_GONE, NULL, NULL);
}

void call_event(struct call *c, enum td_call_event ev, struct party *p,
		const struct td_leg_event *lev)
{
	struct td_call_out o;
	enum td_call_state from = c->state;

	if (td_call_step(c->state, ev, &o)) {
		c->room->illegal++;
		td_debug("call", "call=%016" PRIx64 " state=%s event=%s: no "
			 "such pair", c->id, td_call_state_name(c->state),
			 td_call_event_name(ev));
		return;
	}
	c->state = o.next;
	if (from != o.next)
		td_info("call", "call=%016" PRIx64 " state=%s>%s event=%s",
			c->id, td_call_state_name(from),
			td_call_state_name(o.next), td_call_event_name(ev));
	if (from != o.next || ev == TD_CALL_EV_ROUTE_MORE)
		arm_guard(c);
	if (o.next == TD_CALL_UP && from != TD_CALL_UP) {
		c->winner = p - c->b;
		c->answered_ms = td_view_now_ms(
			td_cluster_view(c->room->cfg.cluster));
		c->a.state = TD__LEG_STATE__LEG_UP;
		log_answered(&c->a);
	}
	log_who_clears(c, ev, p);
	if (o.acts & TD_CALL_FREE) {
		td_timer_start(c->room->cfg.loop, &c->bury, 0, on_bury, c);
		return;
	}
	call_act(c, o.acts, p, lev);
	record_put(c);
	call_check_gone(c);
}

/* ---- what legs say ---- */

static void b_cleared(struct call *c, struct party *p,
		      const struct td_leg_event *lev)
{
	bool others = false;

	if (call_winner(c) == p) {
		call_event(c, TD_CALL_EV_B_CLEARED, p, lev);
		return;
	}
	bridge_early_gone(c, p);
	/* of several that refuse, "busy" says most (RFC 3261 16.7 point 6) */
	if (!c->cause || lev->cause == 17 ||
	    (c->cause != 17 && lev->cause == 21))
		c->cause = lev->cause ? lev->cause : 16;
	for (unsigned int i = 0; i < c->n_b; i++)
		others |= c->b[i].alive;
	if (others)
		call_event(c, TD_CALL_EV_B_FAIL_SOME, p, lev);
	else if (c->next_target < c->n_targets && c->winner < 0 &&
		 (c->cause == 34 || c->cause == 27 || c->cause == 38 ||
		  c->cause == 41 || c->cause == 42 || c->cause == 44))
		call_event(c, TD_CALL_EV_B_FAIL_NEXT, p, lev);
	else
		call_event(c, c->winner < 0 ? TD_CALL_EV_B_FAIL_LAST :
					      TD_CALL_EV_B_FAIL_SOME, p, lev);
}

void call_party_gone(struct party *p, const struct td_leg_event *lev)
{
	struct call *c = p->call;

	p->alive = false;
	p->state = TD__LEG_STATE__LEG_ENDED;
	bridge_release(c, p);
	if (p == &c->a)
		call_event(c, TD_CALL_EV_A_CLEARED, p, lev);
	else
		b_cleared(c, p, lev);
}

static void a_digits(struct call *c, const struct td_leg_event *lev)
{
	size_t n = strlen(c->setup.called);

	if (c->state != TD_CALL_COLLECTING) {
		call_event(c, TD_CALL_EV_ROUTE_MORE, &c->a, lev);
		return;
	}
	td_str_cut(c->setup.called + n, sizeof(c->setup.called) - n,
		   lev->digits);
	c->setup.complete |= lev->complete;
	call_event(c, call_route(c), &c->a, lev);
}

static int keep_session(struct party *p, const struct td_session *s)
{
	p->news = false;
	if (!s || s->kind == TD_MEDIA_NONE)
		return 0;
	p->news = !p->sess || memcmp(p->sess, s, sizeof(*s));
	if (!p->sess)
		p->sess = malloc(sizeof(*p->sess));
	if (!p->sess)
		return -ENOMEM;
	*p->sess = *s;
	return 0;
}

static void set_leg_state(struct party *p, enum td_leg_event_type type)
{
	Td__LegState st = p->state;

	if (type == TD_LEV_ALERTING && st < TD__LEG_STATE__LEG_RINGING)
		st = TD__LEG_STATE__LEG_RINGING;
	else if (type == TD_LEV_ANSWERED)
		st = TD__LEG_STATE__LEG_UP;
	else if (type == TD_LEV_CLEARED)
		st = TD__LEG_STATE__LEG_ENDED;
	if (st != p->state)
		p->since_ms = td_view_now_ms(
			td_cluster_view(p->call->room->cfg.cluster));
	p->state = st;
}

static void on_b_event(struct call *c, struct party *p,
		       const struct td_leg_event *lev)
{
	static const enum td_call_event map[] = {
		[TD_LEV_PROCEEDING] = TD_CALL_EV_B_PROCEEDING,
		[TD_LEV_PROGRESS] = TD_CALL_EV_B_PROGRESS,
		[TD_LEV_ALERTING] = TD_CALL_EV_B_ALERTING,
		[TD_LEV_ANSWERED] = TD_CALL_EV_B_ANSWERED,
	};

	if (c->winner >= 0 && call_winner(c) != p) {
		/* a second leg that answers is too late */
		if (lev->type == TD_LEV_ANSWERED)
			call_clear_party(p, 26);	/* non-selected user */
		return;
	}
	if (lev->type == TD_LEV_ANSWERED && c->state == TD_CALL_CLEARING) {
		call_clear_party(p, 16);
		return;
	}
	call_event(c, map[lev->type], p, lev);
}

static void on_leg_event(void *arg, struct td_leg *l,
			 const struct td_leg_event *lev)
{
	struct party *p = party_of(l);
	struct call *c = l->call;

	if (!p || !p->alive)
		return;
	set_leg_state(p, lev->type);
	log_event(p, lev);
	if (lev->type != TD_LEV_OFFER && lev->type != TD_LEV_OFFER_REPLY &&
	    keep_session(p, lev->session)) {
		call_event(c, TD_CALL_EV_HANGUP, p, lev);
		return;
	}
	switch (lev->type) {
	case TD_LEV_CLEARED:
		call_party_gone(p, lev);
		break;
	case TD_LEV_DIGITS:
		if (p == &c->a)
			a_digits(c, lev);
		break;
	case TD_LEV_OFFER:
		call_event(c, TD_CALL_EV_OFFER, p, lev);
		break;
	case TD_LEV_OFFER_REPLY:
		call_event(c, TD_CALL_EV_OFFER_REPLY, p, lev);
		break;
	case TD_LEV_DTMF:
		call_event(c, TD_CALL_EV_DTMF, p, lev);
		break;
	default:
		if (p != &c->a)
			on_b_event(c, p, lev);
	}
}

static int on_leg_checkpoint(void *arg, struct td_leg *l)
{
	return l->call ? record_put(l->call) : 0;
}

static uint64_t new_id(struct td_calls *r)
{
	/* node 8 bits, boot count 24, counter 32: never given out twice */
	return (uint64_t)r->cfg.node_id << 56 |
	       (uint64_t)(r->cfg.boot_count & 0xffffff) << 32 |
	       (++r->counter & 0xffffffff);
}

static uint64_t generation(const struct td_calls *r)
{
	const Td__Config *c = td_view_config(td_cluster_view(r->cfg.cluster));

	return c ? c->generation : 0;
}

static int on_incoming(void *arg, struct td_leg *l, const struct td_setup *s)
{
	struct td_calls *r = arg;
	uint64_t id = s->call_id ? s->call_id : new_id(r);
	struct call *c;
	int rc;

	if (!r->site || r->ending ||
	    td_map_count(r->calls) >= r->cfg.max_calls ||
	    td_cluster_state(r->cfg.cluster) != TD_CLUSTER_RUNNING) {
		r->refused++;
		return -EAGAIN;
	}
	if (td_map_get_u64(r->calls, id))
		return -EEXIST;		/* the half of it is here already */
	/* who asks has said so in the view first: a half that is not there has
	 * ended while its request was on the way, behind a cut for example */
	if (s->call_id && !td_view_call(td_cluster_view(r->cfg.cluster), id,
					(uint32_t)(id >> 56))) {
		r->refused++;
		return -EAGAIN;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->room = r;
	c->id = id;
	c->state = TD_CALL_NULL;
	c->setup = *s;
	/* user parameters (RFC 3966 phone-context, …) are not dialled */
	c->setup.called[strcspn(c->setup.called, ";")] = '\0';
	c->winner = -1;
	c->voice = "direct";
	c->generation = generation(r);
	c->since_ms = td_view_now_ms(td_cluster_view(r->cfg.cluster));
	c->a = (struct party){ .leg = l, .call = c, .alive = true,
			       .state = TD__LEG_STATE__LEG_TRYING,
			       .since_ms = c->since_ms };
	log_start(&c->a);
	if (keep_session(&c->a, &s->session) ||
	    td_map_set(r->calls, &id, sizeof(id), c, NULL)) {
		free(c->a.sess);
		free(c);
		return -ENOMEM;
	}
	l->call = c;
	l->index = 0;
	rc = record_put(c);	/* no room for its op: refused before a trace */
	if (rc) {
		l->call = NULL;
		c->a.leg = NULL;
		free_call(c);
		r->refused++;
		return rc;
	}
	r->total++;
	call_event(c, call_route(c), &c->a, NULL);
	return 0;
}

/* ---- the room ---- */

int td_calls_new(const struct td_calls_cfg *cfg, struct td_calls **out)
{
	struct td_calls *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	if (!r->cfg.max_calls)
		r->cfg.max_calls = 4000;
	r->up = (struct td_leg_up){ .incoming = on_incoming,
				    .event = on_leg_event,
				    .checkpoint = on_leg_checkpoint,
				    .arg = r };
	if (td_map_new(&r->calls)) {
		free(r);
		return -ENOMEM;
	}
	silence_watch(r, true);
	*out = r;
	return 0;
}

void td_calls_free(struct td_calls *r)
{
	size_t pos;
	struct call *c;

	if (!r)
		return;
	silence_watch(r, false);
	for (;;) {
		pos = 0;
		c = td_map_next(r->calls, &pos);
		if (!c)
			break;
		free_call(c);
	}
	td_map_free(r->calls, NULL);
	free(r);
}

const struct td_leg_up *td_calls_up(struct td_calls *r)
{
	return &r->up;
}

void td_calls_set_rooms(struct td_calls *r, td_leg_new_fn sip_new, void *sip,
			td_leg_new_fn isdn_new, void *isdn)
{
	r->sip_new = sip_new;
	r->sip = sip;
	r->isdn_new = isdn_new;
	r->isdn = isdn;
}

void td_calls_set_site(struct td_calls *r, const struct td_site *site)
{
	r->site = site;
}

/* rows of ours behind which there is no call any more */
static void drop_stale_rows(struct td_calls *r)
{
	const struct td_view *v = td_cluster_view(r->cfg.cluster);
	struct td_view_iter it = { 0 };
	const Td__Call *row;

	while ((row = td_view_calls(v, &it)))
		if (row->node == r->cfg.node_id &&
		    !td_map_get_u64(r->calls, row->id))
			record_del_id(r, row->id);
}

void td_calls_resync(struct td_calls *r)
{
	size_t pos = 0;
	struct call *c;

	drop_stale_rows(r);
	gone_check(r);
	while ((c = td_map_next(r->calls, &pos))) {
		free(c->sent);
		c->sent = NULL;
		if (record_put(c))
			td_warn("call", "CALL-NOT-HELD", "call=%016" PRIx64
				" the mates do not know it until its next "
				"change", c->id);
	}
}

int td_calls_hangup(struct td_calls *r, uint64_t id, int cause)
{
	struct call *c = td_map_get_u64(r->calls, id);
	struct td_leg_event lev = { .type = TD_LEV_CLEARED, .cause = cause };

	if (!c)
		return -ENOENT;
	c->cause = cause;
	call_event(c, TD_CALL_EV_HANGUP, &c->a, &lev);
	return 0;
}

void td_calls_end(struct td_calls *r, int cause)
{
	size_t pos = 0;
	struct call *c;

	r->ending = true;

	/* a call is freed in a turn of its own, so the walk is safe */
	while ((c = td_map_next(r->calls, &pos)))
		td_calls_hangup(r, c->id, cause);
}

unsigned int td_calls_count(const struct td_calls *r)
{
	return td_map_count(r->calls);
}

static json_t *party_voice(struct td_calls *r, const struct party *p)
{
	struct td_voice_end e = { .kind = TD_VOICE_RTP, .rtp = p->rtp };
	struct td_voice_stats s;

	if (!p->rtp || !r->cfg.voice.stats ||
	    r->cfg.voice.stats(r->cfg.voice.m, &e, &s))
		return NULL;
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i}",
			 "leg", (int)p->leg->index,
			 "rx_packets", (json_int_t)s.rx_packets,
			 "tx_packets", (json_int_t)s.tx_packets,
			 "rx_lost", (json_int_t)s.rx_lost,
			 "rx_late", (json_int_t)s.rx_late,
			 "rx_malformed", (json_int_t)s.rx_malformed,
			 "concealed_ms", (json_int_t)s.concealed_ms,
			 "slips_ms", (json_int_t)s.slips_ms,
			 "jitter_us", (int)s.jitter_us,
			 "depth_ms", (int)s.depth_ms);
}

json_t *td_calls_voice(struct td_calls *r, uint64_t id)
{
	struct call *c = td_map_get_u64(r->calls, id);
	json_t *list, *o;

	if (!c)
		return NULL;
	list = json_array();
	for (unsigned int i = 0; i <= c->n_b; i++) {
		struct party *p = i ? &c->b[i - 1] : &c->a;

		if (p->leg && (o = party_voice(r, p)))
			json_array_append_new(list, o);
	}
	return list;
}

json_t *td_calls_dump(const struct td_calls *r)
{
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}",
			 "calls", (int)td_map_count(r->calls),
			 "total", (json_int_t)r->total,
			 "refused", (json_int_t)r->refused,
			 "illegal_events", (json_int_t)r->illegal,
			 "stuck", (json_int_t)r->stuck,
			 "silent", (json_int_t)r->silent);
}

void td_call_id_format(uint64_t id, char out[17])
{
	snprintf(out, 17, "%016" PRIx64, id);
}

int td_call_id_parse(const char *text, uint64_t *out)
{
	unsigned long long v;
	char *end;

	if (strlen(text) != 16 || strspn(text, "0123456789abcdefABCDEF") != 16)
		return -EINVAL;
	v = strtoull(text, &end, 16);
	if (*end || !v)
		return -EINVAL;
	*out = v;
	return 0;
}
