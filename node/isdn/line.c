// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "node/isdn/q931.h"
#include "node/isdn/room.h"
#include "proto/base/log.h"
#include "proto/base/str.h"

enum { RUN_EVENTS_MAX = 64, STALE_FRAMES_MAX = 1024 };

bool td_line_up(const struct td_isdn_line *line)
{
	return line->active && line->lib_up;
}

bool td_line_ready(const struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;

	return td_line_up(line) && !line->leaving &&
	       env->now_ms(env->arg) >= line->ready_at_ms;
}

uint32_t td_line_free_channels(const struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	uint32_t free = line->conf.channels &
			~td_restart_blocked(&line->restart);

	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++)
		if (line->slot[t] || t == line->conf.dchannel ||
		    (free & 1u << t && env->busy(env->arg, line->conf.name, t)))
			free &= ~(1u << t);
	return free & ~1u;
}

struct td_isdn_line *td_line_find(const struct td_isdn *isdn, const char *name)
{
	for (struct td_isdn_line *l = isdn->lines; l; l = l->next)
		if (!strcmp(l->conf.name, name))
			return l;
	return NULL;
}

/* ---- turns ---- */

void td_line_enter(struct td_isdn_line *line)
{
	line->turn++;
}

/* Calls that libpri has dropped without an event: a RELEASE COMPLETE for a
 * SETUP that nothing was sent for, a refusal that needed no answer. */
static void sweep(struct td_isdn_line *line)
{
	struct td_isdn_leg *leg, *next;

	for (leg = line->legs; leg; leg = next) {
		next = leg->next;
		if (!leg->call || td_pri_valid(line->pri, leg->call))
			continue;
		if (!leg->clearing)
			line->st.swept++;
		td_isdn_leg_gone_later(leg, TD_CAUSE_TEMPORARY);
	}
}

/* What a take-over needs to know of calls that changed in this turn and that
 * the call room did not checkpoint by itself. */
static void checkpoint(struct td_isdn_line *line)
{
	const struct td_leg_up *up = &line->isdn->env.up;

	for (struct td_isdn_leg *leg = line->legs; leg; leg = leg->next) {
		if (!leg->dirty || !leg->owned || !leg->l.call ||
		    leg->cleared)
			continue;
		leg->dirty = false;
		if (up->checkpoint(up->arg, &leg->l)) {
			line->st.checkpoint_failed++;
			leg->dirty = true;	/* again at the next turn */
		}
	}
}

static void on_timer(void *arg);

static void arm(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	int64_t ms = line->pri ? td_pri_next_ms(line->pri) : -1;

	if (ms < 0)
		env->timer_stop(env->arg, &line->timer);
	else
		env->timer_start(env->arg, &line->timer, (uint64_t)ms,
				 on_timer, line);
}

void td_line_leave(struct td_isdn_line *line)
{
	if (line->turn == 1) {
		sweep(line);
		td_line_restart(line);
		checkpoint(line);
		td_line_publish(line);
		td_isdn_gate_flush(line->gate);
		arm(line);
	}
	line->turn--;
}

static void on_timer(void *arg)
{
	struct td_isdn_line *line = arg;
	struct td_pri_event ev;

	td_line_enter(line);
	for (int i = 0; i < RUN_EVENTS_MAX && td_pri_run(line->pri, &ev); i++)
		td_line_event(line, &ev);
	td_line_leave(line);
}

/* ---- frames in ---- */

static bool known(const struct td_isdn_line *line,
		  const struct td_q931_head *h)
{
	for (struct td_isdn_leg *leg = line->legs; leg; leg = leg->next)
		if (leg->call && leg->cref == h->cref &&
		    leg->ours == h->to_originator)
			return true;
	return false;
}

/* @return octets of the frame that libpri may see */
static size_t screen(struct td_isdn_line *line, uint8_t *frame, size_t n)
{
	size_t fit = td_q931_fit(frame, n);
	struct td_q931_head h;

	if (td_q931_mute_foreign(frame, n)) {
		line->st.rx_bad[TD_LAPD_FOREIGN]++;
		return n;
	}
	if (td_q931_head(frame, fit, &h)) {
		td_line_hear(line, frame, fit, &h);
		if (!td_q931_may_begin(&h) && !known(line, &h)) {
			line->st.rx_unknown_cref++;
			return td_q931_to_enquiry(frame);
		}
	}
	if (fit != n)
		line->st.rx_cut++;
	return fit;
}

static void input(struct td_isdn_line *line, uint8_t *frame, size_t n)
{
	enum td_lapd_verdict v = td_lapd_check(frame, n);
	struct td_pri_event ev;

	line->st.rx_frames++;
	if (v != TD_LAPD_GOOD) {
		line->st.rx_bad[v]++;
		return;
	}
	if (td_lapd_is_sabme(frame))
		td_line_restart_stop(line);
	if (td_pri_input(line->pri, frame, screen(line, frame, n), &ev))
		td_line_event(line, &ev);
}

static void on_frames(void *arg)
{
	struct td_isdn_line *line = arg;
	const struct td_isdn_env *env = &line->isdn->env;
	uint8_t buf[TD_HDLC_MAX];
	size_t n;
	int i;

	td_line_enter(line);
	td_isdn_gate_retry(line->gate);
	for (i = 0; i < TD_LINE_FRAMES_A_TURN; i++) {
		if (env->recv(line->port, buf, sizeof(buf), &n))
			break;
		if (line->active)
			input(line, buf, n);
	}
	if (i == TD_LINE_FRAMES_A_TURN)
		env->timer_start(env->arg, &line->again, 0, on_frames, line);
	td_line_leave(line);
}

static void on_fd(void *arg, int fd, int revents)
{
	struct td_isdn_line *line = arg;

	line->isdn->env.event_clear(line->port);
	on_frames(line);
}

/* ---- life ---- */

void td_line_unbind(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;

	if (line->port)
		td_line_activate(line, false);
	if (line->fd >= 0)
		env->unwatch(env->arg, line->fd);
	env->timer_stop(env->arg, &line->again);
	line->fd = -1;
	line->port = NULL;
	td_isdn_gate_port(line->gate, NULL);
}

int td_line_bind(struct td_isdn_line *line)
{
	const struct td_isdn_env *env = &line->isdn->env;
	void *port;
	int rc, fd;

	td_line_unbind(line);
	port = env->port(env->arg, line->conf.port);
	if (port) {
		fd = env->event_fd(port);
		rc = env->watch(env->arg, fd, on_fd, line);
		if (rc)
			return rc;
		line->fd = fd;
	}
	line->port = port;
	td_isdn_gate_port(line->gate, port);
	td_line_publish(line);
	return 0;
}

int td_line_new(struct td_isdn *isdn, const struct td_site_line *conf,
		struct td_isdn_line **out)
{
	struct td_isdn_line *line = calloc(1, sizeof(*line));
	int rc;

	if (!line)
		return -ENOMEM;
	line->isdn = isdn;
	line->conf = *conf;
	line->fd = -1;
	rc = td_isdn_gate_new(&isdn->env, NULL, &line->gate);
	if (!rc)
		rc = td_line_bind(line);
	if (rc) {
		td_isdn_gate_free(line->gate);
		free(line);
		return rc;
	}
	*out = line;
	return 0;
}

/* Clearing that libpri begins or goes on with by itself (T313, T305): the
 * checkpoint at the end of this turn has to know. Behind the call's state: a
 * frame that LAPD repeats. */
static void note_clearing(struct td_isdn_line *line, const uint8_t *frame,
			  size_t n)
{
	struct td_q931_head h;
	enum td_q931_state state;

	if (!td_q931_head(frame, n, &h) || (h.type != TD_Q931_DISCONNECT &&
					    h.type != TD_Q931_RELEASE))
		return;
	state = h.type == TD_Q931_RELEASE ? Q931_RELEASE_REQUEST :
					    Q931_DISCONNECT_REQUEST;
	for (struct td_isdn_leg *leg = line->legs; leg; leg = leg->next)
		if (leg->call && leg->cref == h.cref &&
		    leg->ours != h.to_originator && leg->state < state)
			td_isdn_leg_state(leg, state);
}

static void on_tx(void *arg, const uint8_t *frame, size_t n)
{
	struct td_isdn_line *line = arg;

	note_clearing(line, frame, n);
	td_isdn_gate_put(line->gate, frame, n);
}

static int start_pri(struct td_isdn_line *line)
{
	struct td_pri_cfg cfg = {
		.network = line->conf.side == TD_SIDE_NETWORK,
		.t309_ms = td_isdn_timers[TD_T309].default_ms,
		.tx = on_tx,
		.arg = line,
	};

	if (line->pri)
		return 0;
	line->cold = true;
	return td_pri_new(&cfg, &line->pri);
}

int td_line_activate(struct td_isdn_line *line, bool active)
{
	const struct td_isdn_env *env = &line->isdn->env;
	uint8_t buf[TD_HDLC_MAX];
	size_t n;
	int rc;

	if (!line->port)
		return -ENODEV;
	if (active == line->active)
		return 0;
	rc = env->hdlc(line->port, active ? line->conf.dchannel : 0);
	if (rc && active)
		return rc;
	td_line_enter(line);
	td_isdn_gate_open(line->gate, active);
	line->active = active;
	td_line_restart_stop(line);
	rc = 0;
	if (!active) {
		line->left_epoch = line->row.epoch;
	} else {
		/* another node had it: what we were unsure of is long past,
		 * and channels may carry that node's calls */
		if (env->taken(env->arg, line->conf.name, line->left_epoch))
			line->restart = (struct td_restart){ 0 };
		/* what was heard while another node had the line */
		for (int i = 0; i < STALE_FRAMES_MAX; i++)
			if (env->recv(line->port, buf, sizeof(buf), &n))
				break;
		line->ready_at_ms = env->now_ms(env->arg) +
				    td_isdn_timers[TD_T_GUARD].default_ms;
		rc = start_pri(line);
	}
	if (rc) {
		td_isdn_gate_open(line->gate, false);
		line->active = false;
		env->hdlc(line->port, 0);
	}
	td_info("isdn", "span=%s active=%d", line->conf.name, line->active);
	td_line_leave(line);
	return rc;
}

void td_line_retire(struct td_isdn_line *line)
{
	td_line_enter(line);
	while (line->legs) {
		struct td_isdn_leg *leg = line->legs;

		if (leg->call)
			td_pri_destroy(line->pri, leg->call);
		td_isdn_leg_gone_later(leg, TD_CAUSE_TEMPORARY);
	}
	td_line_leave(line);
	td_line_activate(line, false);
}

void td_line_free(struct td_isdn_line *line)
{
	const struct td_isdn_env *env;

	if (!line)
		return;
	env = &line->isdn->env;
	env->timer_stop(env->arg, &line->timer);
	env->timer_stop(env->arg, &line->t316);
	env->timer_stop(env->arg, &line->leave);
	td_line_unbind(line);
	td_isdn_gate_free(line->gate);
	td_pri_free(line->pri);
	free(line);
}

/* ---- dump ---- */

static json_t *slot_list(uint32_t set)
{
	json_t *list = json_array();

	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++)
		if (set & 1u << t)
			json_array_append_new(list, json_integer(t));
	return list;
}

static json_t *busy_list(const struct td_isdn_line *line)
{
	uint32_t set = 0;

	for (uint32_t t = 1; t < TD_LINE_SLOTS; t++)
		if (line->slot[t])
			set |= 1u << t;
	return slot_list(set);
}

static json_t *bad_frames(const struct td_isdn_line *line)
{
	json_t *o = json_object();

	for (int v = TD_LAPD_GOOD + 1; v < TD_LAPD_VERDICTS; v++)
		json_object_set_new(o, td_lapd_verdict_name(v),
				    json_integer((json_int_t)
						 line->st.rx_bad[v]));
	return o;
}

json_t *td_line_dump(const struct td_isdn_line *line)
{
	const struct td_line_stats *st = &line->st;
	struct td_gate_stats gate;

	td_isdn_gate_stats(line->gate, &gate);
	return json_pack(
		"{s:s, s:I, s:b, s:b, s:b, s:b, s:b, s:s, s:o, s:o, s:o, s:I, s:i,"
		" s:{s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:I, s:I, s:I, s:I},"
		" s:{s:I, s:I, s:I, s:I, s:I, s:I}}",
		"name", line->conf.name, "port", (json_int_t)line->conf.port,
		"card", line->port != NULL, "active", line->active,
		"dchannel_up", td_line_up(line), "ready", td_line_ready(line),
		"leaving", line->leaving,
		"side",
		line->conf.side == TD_SIDE_NETWORK ? "network" : "user",
		"busy", busy_list(line), "unsure",
		slot_list(line->restart.unsure), "out_of_service",
		slot_list(line->restart.out), "legs",
		(json_int_t)line->n_legs,
		"libpri_calls",
		line->pri ? td_pri_active_calls(line->pri) : 0,
		"counters", "rx_frames", (json_int_t)st->rx_frames, "rx_bad",
		bad_frames(line), "rx_cut", (json_int_t)st->rx_cut,
		"rx_unknown_cref", (json_int_t)st->rx_unknown_cref, "calls_in", (json_int_t)st->calls_in,
		"calls_out", (json_int_t)st->calls_out, "refused_in",
		(json_int_t)st->refused_in, "no_channel",
		(json_int_t)st->no_channel, "glare", (json_int_t)st->glare,
		"retried", (json_int_t)st->retried, "restarts",
		(json_int_t)st->restarts, "restarts_sent",
		(json_int_t)st->restarts_sent, "restarts_failed",
		(json_int_t)st->restarts_failed, "unsure",
		(json_int_t)st->unsure, "dchannel_downs",
		(json_int_t)st->dchannel_downs, "swept",
		(json_int_t)st->swept, "checkpoint_failed",
		(json_int_t)st->checkpoint_failed, "complaints",
		line->pri ? (json_int_t)td_pri_complaints(line->pri) : 0,
		"tx", "sent", (json_int_t)gate.sent, "refused",
		(json_int_t)gate.refused, "cancelled",
		(json_int_t)gate.cancelled, "off", (json_int_t)gate.off,
		"waiting", (json_int_t)gate.waiting, "queued",
		(json_int_t)gate.queued);
}
