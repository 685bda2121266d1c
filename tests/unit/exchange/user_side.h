/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef USER_SIDE_H
#define USER_SIDE_H

/* A throw-away PBX for the exchange's tests: libpri's user side at the other
 * end of one line, in virtual time. It answers packet S with packet S, and
 * sends every timeslot back as it heard it. */

#include <libpri.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "tests/exchange/calls.h"

enum { WORLD_CALLS = 64, START_MS = 1000000 };

struct user_call {
	q931_call *c;
	int channel, cause, alerted, inband, answered, over, more;
	char called[64];
};

struct world {
	struct td_xline *line;
	struct td_xcalls *x;
	struct td_pauses pauses;
	struct pri *pri;
	struct td_xhdlc_tx tx;
	struct td_xhdlc_rx rx;
	uint8_t in[TD_XHDLC_FRAME + 2];
	int n_in;
	uint64_t turn;
	struct user_call call[WORLD_CALLS];
	int up, restarts, silent, overlap, ring_only, refuse_cause;
	int two_nodes;		/* a second one transmits as well */
	uint8_t heard[TD_XCES_PAYLOAD];
	json_t *report;
};

static uint64_t virtual_ms = START_MS;

int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	tv->tv_sec = virtual_ms / 1000;
	tv->tv_usec = virtual_ms % 1000 * 1000;
	return 0;
}

extern void __lsan_ignore_object(const void *p) __attribute__((weak));

static int user_read(struct pri *pri, void *buf, int len)
{
	struct world *w = pri_get_userdata(pri);
	int n = w->n_in;

	if (!n)
		return 0;
	memcpy(buf, w->in, n);
	w->n_in = 0;
	return n + 2;
}

static int user_write(struct pri *pri, void *buf, int len)
{
	struct world *w = pri_get_userdata(pri);

	td_xhdlc_tx_put(&w->tx, buf, len - 2);
	return len;
}

static struct user_call *user_find(struct world *w, q931_call *c)
{
	for (int i = 0; i < WORLD_CALLS; i++)
		if (w->call[i].c == c && !w->call[i].over)
			return &w->call[i];
	return NULL;
}

static struct user_call *user_new(struct world *w, q931_call *c)
{
	for (int i = 0; i < WORLD_CALLS; i++)
		if (!w->call[i].c) {
			w->call[i].c = c;
			return &w->call[i];
		}
	abort();
}

static void user_take(struct world *w, struct user_call *u)
{
	pri_proceeding(w->pri, u->c, u->channel, 0);
	if (w->refuse_cause) {
		pri_hangup(w->pri, u->c, w->refuse_cause);
		return;
	}
	pri_acknowledge(w->pri, u->c, u->channel, 0);
	if (!w->ring_only) {
		pri_answer(w->pri, u->c, u->channel, 0);
		u->answered = 1;
	}
}

static void user_ring(struct world *w, pri_event *ev)
{
	struct user_call *u = user_new(w, ev->ring.call);

	u->channel = ev->ring.channel;
	strcpy(u->called, ev->ring.callednum);
	if (strlen(u->called) < 7)
		pri_need_more_info(w->pri, u->c, u->channel, 0);
	else
		user_take(w, u);
}

static void user_hangup(struct world *w, pri_event *ev)
{
	struct user_call *u = user_find(w, ev->hangup.call);

	if (u && !u->cause)
		u->cause = ev->hangup.cause;
	if (u && ev->e != PRI_EVENT_HANGUP_REQ)
		u->over = 1;
	if (ev->e != PRI_EVENT_HANGUP_ACK)
		pri_hangup(w->pri, ev->hangup.call, ev->hangup.cause);
}

static void user_event(struct world *w, pri_event *ev)
{
	struct user_call *u;

	switch (ev->e) {
	case PRI_EVENT_DCHAN_UP:
		w->up = 1;
		break;
	case PRI_EVENT_RESTART:
		w->restarts++;
		break;
	case PRI_EVENT_RING:
		user_ring(w, ev);
		break;
	case PRI_EVENT_INFO_RECEIVED:
		u = user_find(w, ev->ring.call);
		if (!u)
			break;
		strcat(u->called, ev->ring.callednum);
		if (strlen(u->called) == 7)
			user_take(w, u);
		break;
	case PRI_EVENT_SETUP_ACK:
		u = user_find(w, ev->setup_ack.call);
		if (u)
			u->more = 1;
		break;
	case PRI_EVENT_RINGING:
		u = user_find(w, ev->ringing.call);
		if (u) {
			u->alerted = 1;
			u->inband = !!(ev->ringing.progressmask &
				       PRI_PROG_INBAND_AVAILABLE);
		}
		break;
	case PRI_EVENT_ANSWER:
		u = user_find(w, ev->answer.call);
		if (u)
			u->answered = 1;
		break;
	case PRI_EVENT_HANGUP_REQ:
	case PRI_EVENT_HANGUP:
	case PRI_EVENT_HANGUP_ACK:
		user_hangup(w, ev);
		break;
	}
}

static void user_frame(void *arg, const uint8_t *o, size_t n)
{
	struct world *w = arg;
	pri_event *ev;

	memcpy(w->in, o, n);
	w->n_in = n;
	ev = pri_check_event(w->pri);
	if (ev)
		user_event(w, ev);
}

static void user_timers(struct world *w)
{
	struct timeval *t;
	pri_event *ev;

	while ((t = pri_schedule_next(w->pri)) &&
	       t->tv_sec * 1000ULL + t->tv_usec / 1000 <= virtual_ms) {
		ev = pri_schedule_run(w->pri);
		if (ev)
			user_event(w, ev);
	}
}

static void user_packet(struct world *w, const uint8_t *p)
{
	uint8_t reply[TD_XCES_PACKET], d[8];

	memcpy(w->heard, p + 4, TD_XCES_PAYLOAD);
	td_xces_get_slot(p + 4, 16, d);
	td_xhdlc_rx_feed(&w->rx, d, 8);
	user_timers(w);
	memcpy(reply, p, sizeof(reply));
	td_xhdlc_tx_fill(&w->tx, d, 8);
	td_xces_put_slot(reply + 4, 16, d);
	if (!w->silent)
		td_xline_receive(w->line, 0, reply, sizeof(reply));
	if (w->two_nodes)
		td_xline_receive(w->line, 1, reply, sizeof(reply));
}

static void world_run(struct world *w, int ms)
{
	while (ms--) {
		const uint8_t *p;

		virtual_ms = ++w->turn;
		td_xline_turn(w->line, w->turn);
		p = td_xline_packet(w->line, 0);
		if (p)
			user_packet(w, p);
		td_xcalls_run(w->x, w->turn);
	}
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct td_xcalls_conf conf = { .n_lines = 1 };

	w->line = malloc(sizeof(*w->line));
	td_xline_init(w->line, "s1", 21401, 2);
	strcpy(w->line->node[0].name, "n1");
	strcpy(w->line->node[1].name, "n2");
	td_pauses_init(&w->pauses, 5, 20);
	conf.line[0] = w->line;
	conf.pauses = &w->pauses;
	w->turn = virtual_ms;
	if (td_xcalls_new(&conf, &w->x))
		abort();
	td_xhdlc_tx_init(&w->tx);
	td_xhdlc_rx_init(&w->rx, user_frame, w);
	w->pri = pri_new_cb(-1, PRI_CPE, PRI_SWITCH_EUROISDN_E1, user_read,
			    user_write, w);
	pri_hangup_fix_enable(w->pri, 1);
	pri_set_overlapdial(w->pri, 1);
	world_run(w, 4000);
	return w;
}

static void world_free(struct world *w)
{
	td_xcalls_free(w->x);
	if (__lsan_ignore_object)
		__lsan_ignore_object(w->pri);
	json_decref(w->report);
	free(w->line);
	free(w);
}

static struct user_call *user_dial(struct world *w, int ts, const char *to,
				   int complete)
{
	struct user_call *u = user_new(w, pri_new_call(w->pri));
	struct pri_sr *sr = pri_sr_new();
	char called[64];

	strcpy(called, to);
	u->channel = ts;
	pri_sr_set_channel(sr, ts, 1, 0);
	pri_sr_set_bearer(sr, PRI_TRANS_CAP_SPEECH, PRI_LAYER_1_ALAW);
	pri_sr_set_called(sr, called, PRI_UNKNOWN, complete);
	pri_sr_set_caller(sr, (char[]){ "1000" }, NULL, PRI_UNKNOWN, 0);
	pri_setup(w->pri, u->c, sr);
	pri_sr_free(sr);
	return u;
}

static int user_ghosts(struct world *w)
{
	char *s = pri_dump_info_str(w->pri), *at;
	int n = -1;

	at = s ? strstr(s, "Total active-calls:") : NULL;
	if (at)
		n = atoi(at + 19);
	free(s);
	return n;
}

static void on_report(void *arg, int id, json_t *report)
{
	struct world *w = arg;

	json_decref(w->report);
	w->report = json_incref(report);
}

#endif
