// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/env.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/clock.h"

/* The real world: spanctl/lib, cluster, proto/base. */

struct world {
	struct td_isdn_cfg cfg;
};

static void *port(void *arg, uint32_t number)
{
	struct world *w = arg;

	if (!w->cfg.card || !number || number > td_card_ports(w->cfg.card))
		return NULL;
	return td_card_port(w->cfg.card, number);
}

static int event_fd(void *p)
{
	return td_port_event_fd(p);
}

static void event_clear(void *p)
{
	td_port_event_clear(p);
}

static int hdlc(void *p, unsigned int timeslot)
{
	return td_port_hdlc(p, timeslot);
}

static int recv_frame(void *p, uint8_t *buf, size_t cap, size_t *n)
{
	return td_port_hdlc_recv(p, buf, cap, n);
}

static int send_frame(void *p, const void *buf, size_t n)
{
	return td_port_hdlc_send(p, buf, n);
}

static void state(void *p, struct td_isdn_port_state *out)
{
	struct td_port_status st = { 0 };

	td_port_status(p, &st);
	*out = (struct td_isdn_port_state){ .alarms = st.alarms,
					    .tx_on = st.tx_on,
					    .epoch = st.epoch };
}

static int submit(void *arg, const Td__Op *op)
{
	struct world *w = arg;

	return td_cluster_submit(w->cfg.cluster, op);
}

static int effect(void *arg, td_effect_fn fn, void *farg)
{
	struct world *w = arg;

	return td_cluster_effect_urgent(w->cfg.cluster, fn, farg);
}

static bool busy(void *arg, const char *span, uint32_t timeslot)
{
	struct world *w = arg;

	return td_view_channel_busy(td_cluster_view(w->cfg.cluster), span,
				    timeslot);
}

static const Td__Span *row(void *arg, const char *span)
{
	struct world *w = arg;

	return td_view_span(td_cluster_view(w->cfg.cluster), span,
			    w->cfg.node_id);
}

static const Td__Span *next_row(void *arg, size_t *pos)
{
	struct world *w = arg;
	struct td_view_iter it = { *pos };
	const Td__Span *s;

	while ((s = td_view_spans(td_cluster_view(w->cfg.cluster), &it)))
		if (s->node == w->cfg.node_id)
			break;
	*pos = it.pos;
	return s;
}

static void retired(void *arg)
{
	struct world *w = arg;

	if (w->cfg.retired)
		w->cfg.retired(w->cfg.arg);
}

static bool taken(void *arg, const char *span, uint64_t epoch)
{
	struct world *w = arg;
	const struct td_view *v = td_cluster_view(w->cfg.cluster);
	struct td_view_iter it = { 0 };
	const Td__Span *s;

	while ((s = td_view_spans(v, &it)))
		if (s->node != w->cfg.node_id && s->epoch > epoch &&
		    !strcmp(s->span, span))
			return true;
	return false;
}

static int64_t agreed_ms(void *arg)
{
	struct world *w = arg;

	return td_view_now_ms(td_cluster_view(w->cfg.cluster));
}

static int64_t now_ms(void *arg)
{
	return td_clock_boot_ms();
}

static int timer_start(void *arg, struct td_timer *t, uint64_t delay_ms,
		       td_timer_fn fn, void *farg)
{
	struct world *w = arg;

	return td_timer_start(w->cfg.loop, t, delay_ms, fn, farg);
}

static void timer_stop(void *arg, struct td_timer *t)
{
	td_timer_stop(t);
}

static int watch(void *arg, int fd, td_fd_fn fn, void *farg)
{
	struct world *w = arg;

	return td_loop_fd_add(w->cfg.loop, fd, POLLIN, fn, farg);
}

static void unwatch(void *arg, int fd)
{
	struct world *w = arg;

	td_loop_fd_del(w->cfg.loop, fd);
}

int td_isdn_new(const struct td_isdn_cfg *cfg, struct td_isdn **out)
{
	struct world *w = calloc(1, sizeof(*w));
	struct td_isdn_env env = {
		.arg = w,
		.node_id = cfg->node_id,
		.up = cfg->up,
		.port = port,
		.event_fd = event_fd,
		.event_clear = event_clear,
		.hdlc = hdlc,
		.recv = recv_frame,
		.send = send_frame,
		.state = state,
		.submit = submit,
		.effect = effect,
		.busy = busy,
		.row = row,
		.next_row = next_row,
		.taken = taken,
		.agreed_ms = agreed_ms,
		.now_ms = now_ms,
		.timer_start = timer_start,
		.timer_stop = timer_stop,
		.watch = watch,
		.unwatch = unwatch,
		.retired = retired,
		.free = free,
	};
	int rc;

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	rc = td_isdn_new_env(&env, out);
	if (rc)
		free(w);
	return rc;
}

int td_isdn_set_card(struct td_isdn *isdn, struct td_card *card)
{
	struct world *w = td_isdn_env_arg(isdn);

	td_isdn_unbind(isdn);
	w->cfg.card = card;
	return td_isdn_bind(isdn);
}
