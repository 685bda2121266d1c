// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/phone/phones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/log.h"
#include "proto/base/str.h"
#include "tests/instr/tick.h"
#include "tests/phone/phones_private.h"

enum {
	TURN_MS = 100,
	REGISTERS_A_TURN = 10,
	REGISTER_TURN_MS = 20,
	FINAL_MS = 3000,	/* patience for the response to a cancelled
				 * INVITE */
	MS_NS = 1000000,
};

int td_phones_new(const struct td_phones_conf *conf, struct td_pmedia *media,
		  struct td_phones **out)
{
	struct td_phones *p = calloc(1, sizeof(*p));
	long long first = atoll(conf->first);
	int rc;

	if (!p)
		return -ENOMEM;
	p->conf = *conf;
	p->media = media;
	p->log = json_array();
	p->user = calloc(conf->users, sizeof(*p->user));
	rc = p->log && p->user ? td_prbs_map_new(&p->map) : -ENOMEM;
	if (rc) {
		td_phones_free(p);
		return rc;
	}
	for (int i = 0; i < conf->users; i++)
		snprintf(p->user[i].number, sizeof(p->user[i].number),
			 "%0*lld", (int)strlen(conf->first), first + i);
	*out = p;
	return 0;
}

void td_phones_free(struct td_phones *p)
{
	if (!p)
		return;
	for (int i = 0; i < TD_PHONES_CALLS; i++) {
		td_pstream_close(p->call[i].stream);
		free(p->call[i].check);
	}
	free(p->user);
	json_decref(p->log);
	td_prbs_map_free(p->map);
	free(p);
}

void td_phones_use(struct td_phones *p, struct td_psip *sip)
{
	p->sip = sip;
}

static struct td_pcall *call_new(struct td_phones *p, int user, bool out)
{
	for (int i = 0; i < TD_PHONES_CALLS; i++) {
		struct td_pcall *c = &p->call[i];

		if (c->state != TD_PCALL_FREE)
			continue;
		memset(c, 0, sizeof(*c));
		if (td_pstream_open(p->media, p->conf.pt, p->conf.ptime_ms,
				    &c->stream))
			return NULL;
		c->state = TD_PCALL_RINGING;
		c->p = p;
		c->id = ++p->next_id;
		c->user = user;
		c->out = out;
		c->start_ms = p->now_ms;
		return c;
	}
	return NULL;
}

static void call_over(struct td_phones *p, struct td_pcall *c)
{
	json_t *j;

	td_pmedia_lock(p->media);
	td_pstream_rtp(c->stream)->chan.check = NULL;
	td_pmedia_unlock(p->media);
	if (c->check)
		td_check_end(c->check);
	c->end_ms = p->now_ms;
	if (c->sip && td_psip_wire_status(c->sip) && !c->status)
		c->status = td_psip_wire_status(c->sip);
	j = td_pcall_json(p, c);
	if (json_array_size(p->log) >= TD_PHONES_LOG) {
		json_array_remove(p->log, 0);
		p->log_dropped++;
	}
	json_array_append_new(p->log, j);
	td_psip_call_free(c->sip);
	td_pstream_close(c->stream);
	free(c->check);
	memset(c, 0, sizeof(*c));
}

/* what the call sends */
static void start_media(struct td_phones *p, struct td_pcall *c)
{
	struct td_xchan *ch = &td_pstream_rtp(c->stream)->chan;
	int phase = TD_PHASES / 2 + p->next_phase++ % (TD_PHASES / 2);
	int64_t t_ns;

	td_pmedia_lock(p->media);
	t_ns = (int64_t)td_pmedia_turn(p->media) * MS_NS;
	if (p->conf.media == TD_PHONES_PATTERN)
		td_xchan_pattern(ch, td_prbs_at(p->map,
					td_check_phase(t_ns, phase)));
	else if (p->conf.media == TD_PHONES_ECHO)
		td_xchan_echo(ch);
	ch->check = NULL;
	td_pmedia_unlock(p->media);
}

/* checks, or does not while somebody holds */
static void check_media(struct td_phones *p, struct td_pcall *c, bool on)
{
	struct td_prtp *r = td_pstream_rtp(c->stream);

	if (p->conf.media != TD_PHONES_PATTERN || c->checking == on)
		return;
	if (!c->check) {
		c->check = malloc(sizeof(*c->check));
		if (!c->check)
			return;
		td_check_init(c->check, p->map,
			      (int64_t)td_pmedia_turn(p->media) * MS_NS);
	}
	td_pmedia_lock(p->media);
	if (on)
		td_check_again(c->check);
	r->chan.check = on ? c->check : NULL;
	td_pmedia_unlock(p->media);
	c->checking = on;
}

static void agree_media(struct td_phones *p, struct td_pcall *c, bool early)
{
	struct td_psip_media m;
	char a[INET_ADDRSTRLEN];

	td_psip_media(c->sip, &m);
	td_pmedia_lock(p->media);
	td_pstream_rtp(c->stream)->pt = m.port ? m.pt : p->conf.pt;
	td_pmedia_unlock(p->media);
	td_pstream_to(c->stream, m.addr, m.port,
		      m.send && p->conf.media != TD_PHONES_NOTHING);
	if (m.port)
		snprintf(c->media_to, sizeof(c->media_to), "%s:%u",
			 inet_ntop(AF_INET, &m.addr, a, sizeof(a)), m.port);
	c->early |= early;
	if (c->state != TD_PCALL_UP)
		return;
	c->held_by_peer |= !c->on_hold && !(m.send && m.receive);
	check_media(p, c, m.send && m.receive && !c->on_hold);
}

static void answer(struct td_phones *p, struct td_pcall *c)
{
	c->due_ms = 0;
	start_media(p, c);
	agree_media(p, c, false);
	if (td_psip_answer(c->sip, td_pstream_port(c->stream))) {
		c->status = 500;
		call_over(p, c);
	}
}

static int incoming(struct td_phones *p, const struct td_psip_event *ev)
{
	int user = -1, busy = 0;
	struct td_pcall *c;

	for (int i = 0; i < p->conf.users; i++)
		if (!strcmp(p->user[i].number, ev->to))
			user = i;
	if (user < 0)
		return 404;
	for (int i = 0; i < TD_PHONES_CALLS; i++)
		busy += p->call[i].state != TD_PCALL_FREE &&
			p->call[i].user == user;
	c = p->conf.answer == TD_PHONES_NO ? NULL : call_new(p, user, false);
	if (!c) {
		p->no_call++;
		return 480;
	}
	td_str_cut(c->from, sizeof(c->from), ev->from);
	td_str_cut(c->to, sizeof(c->to), ev->to);
	if (p->conf.answer == TD_PHONES_BUSY || busy >= p->conf.lines) {
		c->status = 486;
		c->by_us = true;
		call_over(p, c);
		return 486;
	}
	c->sip = ev->call;
	td_psip_call_set(ev->call, c);
	if (p->conf.answer == TD_PHONES_MEDIA)
		c->due_ms = p->now_ms + (p->conf.ring_ms ? p->conf.ring_ms : 1);
	return 180;
}

static void answered(struct td_phones *p, struct td_pcall *c)
{
	c->state = TD_PCALL_UP;
	c->answer_ms = p->now_ms;
	c->status = 200;
	if (c->out)
		start_media(p, c);
	agree_media(p, c, false);
	c->due_ms = c->out && p->conf.hold_ms ? p->now_ms + p->conf.hold_ms :
						 0;
	if (p->conf.hold_at_ms && c->out)
		c->hold_due_ms = p->now_ms + p->conf.hold_at_ms;
}

static void progress(struct td_phones *p, struct td_pcall *c, int status)
{
	if (status > c->progress)
		c->progress = status;
	if (c->progress_ms || status < 180)
		return;
	c->progress_ms = p->now_ms;
	if (p->conf.cancel_ms)
		c->due_ms = p->now_ms + p->conf.cancel_ms;
}

static void closed(struct td_phones *p, struct td_pcall *c,
		   const struct td_psip_event *ev)
{
	if (ev->status)
		c->status = ev->status;
	c->cause = ev->cause;
	c->by_peer = ev->by_peer || ev->status >= 300;
	td_str_cut(c->reason, sizeof(c->reason), ev->reason);
	call_over(p, c);
}

static void registered(struct td_phones *p, const struct td_psip_event *ev)
{
	struct td_puser *u = &p->user[ev->user];

	u->registered = ev->kind == TD_PSIP_REGISTERED;
	u->status = ev->status;
	if (!u->registered)
		td_info("phone", "user=%s register status=%d", u->number,
			ev->status);
}

int td_phones_event(void *arg, const struct td_psip_event *ev)
{
	struct td_phones *p = arg;
	struct td_pcall *c = ev->call ? td_psip_call_arg(ev->call) : NULL;

	p->now_ms = td_tick_now_ns() / MS_NS;
	switch (ev->kind) {
	case TD_PSIP_REGISTERED:
	case TD_PSIP_REGISTER_FAILED:
		registered(p, ev);
		return 0;
	case TD_PSIP_INCOMING:
		return incoming(p, ev);
	default:
		break;
	}
	if (!c || c->state == TD_PCALL_FREE)
		return 0;
	if (ev->kind == TD_PSIP_PROGRESS)
		progress(p, c, ev->status);
	else if (ev->kind == TD_PSIP_ANSWERED)
		answered(p, c);
	else if (ev->kind == TD_PSIP_MEDIA)
		agree_media(p, c, ev->status);
	else
		closed(p, c, ev);
	return 0;
}

static void place(struct td_phones *p)
{
	int i = p->placed++, user = i % p->conf.users;
	struct td_pcall *c = call_new(p, user, true);

	if (!c) {
		p->no_call++;
		return;
	}
	td_str_cut(c->from, sizeof(c->from), p->user[user].number);
	if (p->conf.to_last[0]) {
		long long a = atoll(p->conf.to);

		snprintf(c->to, sizeof(c->to), "%0*lld",
			 (int)strlen(p->conf.to),
			 a + i % (atoll(p->conf.to_last) - a + 1));
	} else {
		td_str_cut(c->to, sizeof(c->to), p->conf.to);
	}
	c->due_ms = p->now_ms + p->conf.patience_ms;
	if (td_psip_dial(p->sip, c->from, c->to, td_pstream_port(c->stream), c,
			 &c->sip))
		call_over(p, c);
}

static void hang_up(struct td_phones *p, struct td_pcall *c)
{
	c->by_us = true;
	c->due_ms = 0;
	if (c->state == TD_PCALL_UP || !c->out) {
		call_over(p, c);
		return;
	}
	td_psip_hangup(c->sip);
	c->state = TD_PCALL_CANCELLED;
	c->due_ms = p->now_ms + FINAL_MS;
}

static void hold_turn(struct td_phones *p, struct td_pcall *c)
{
	c->hold_due_ms = 0;
	c->on_hold = !c->on_hold;
	if (c->on_hold) {
		check_media(p, c, false);
		c->held_once = true;
		c->hold_due_ms = p->now_ms + p->conf.hold_for_ms;
	}
	if (td_psip_hold(c->sip, c->on_hold))
		td_info("phone", "call=%lld hold refused", (long long)c->id);
}

static void call_turn(struct td_phones *p, struct td_pcall *c)
{
	if (c->state == TD_PCALL_CANCELLED &&
	    td_psip_wire_status(c->sip) >= 200) {
		call_over(p, c);
		return;
	}
	if (c->hold_due_ms && c->hold_due_ms <= p->now_ms)
		hold_turn(p, c);
	if (!c->due_ms || c->due_ms > p->now_ms)
		return;
	if (c->state == TD_PCALL_CANCELLED)
		call_over(p, c);
	else if (c->state == TD_PCALL_RINGING && !c->out)
		answer(p, c);
	else
		hang_up(p, c);
}

static void register_turn(struct td_phones *p)
{
	for (int i = 0; i < REGISTERS_A_TURN && p->asked < p->conf.users; i++) {
		struct td_puser *u = &p->user[p->asked];

		if (td_psip_register(p->sip, u->number, p->asked))
			td_info("phone", "user=%s cannot register", u->number);
		p->asked++;
	}
}

bool td_phones_ready(const struct td_phones *p)
{
	for (int i = 0; !p->conf.no_register && i < p->conf.users; i++)
		if (!p->user[i].registered)
			return false;
	return true;
}

bool td_phones_done(const struct td_phones *p)
{
	if (p->placed < p->conf.count)
		return false;
	for (int i = 0; i < TD_PHONES_CALLS; i++)
		if (p->call[i].state != TD_PCALL_FREE)
			return false;
	return true;
}

int td_phones_turn(struct td_phones *p, int64_t now_ms)
{
	int64_t next = TURN_MS;

	p->now_ms = now_ms;
	if (!p->start_ms)
		p->start_ms = now_ms;
	if (!p->conf.no_register && p->asked < p->conf.users) {
		register_turn(p);
		next = REGISTER_TURN_MS;
	}
	if (!p->ready_ms && td_phones_ready(p))
		p->ready_ms = p->next_place_ms = now_ms;
	/* who is refused (503) tries again by itself, but not for ever */
	if (!p->ready_ms && p->conf.count &&
	    now_ms - p->start_ms >= p->conf.patience_ms) {
		td_warn("phone", "PHONE-REGISTER", "not all phones could "
			"register in %d ms: no call is placed",
			(int)p->conf.patience_ms);
		p->conf.count = p->placed;
	}
	while (p->ready_ms && p->placed < p->conf.count &&
	       p->next_place_ms <= now_ms) {
		place(p);
		p->next_place_ms += 1000 / p->conf.rate;
	}
	if (p->ready_ms && p->placed < p->conf.count &&
	    p->next_place_ms - now_ms < next)
		next = p->next_place_ms - now_ms;
	for (int i = 0; i < TD_PHONES_CALLS; i++) {
		struct td_pcall *c = &p->call[i];

		if (c->state != TD_PCALL_FREE)
			call_turn(p, c);
		if (c->state == TD_PCALL_CANCELLED)
			next = next < 10 ? next : 10;
		if (c->state != TD_PCALL_FREE && c->due_ms &&
		    c->due_ms - now_ms < next)
			next = c->due_ms - now_ms;
	}
	return next > 1 ? (int)next : 1;
}

void td_phones_end(struct td_phones *p)
{
	p->conf.count = p->placed;
	for (int i = 0; i < TD_PHONES_CALLS; i++) {
		struct td_pcall *c = &p->call[i];

		if (c->state == TD_PCALL_FREE)
			continue;
		c->by_us = true;
		call_over(p, c);
	}
}
