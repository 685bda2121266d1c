// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "node/media/count.h"
#include "node/media/inbox.h"
#include "node/media/join.h"
#include "node/media/slot.h"
#include "node/media/stream.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/queue.h"

enum {
	EVENTS = 64,
	TICK_MS = 20,		/* when no line gives the time */
	HOUSE_MS = 100,
	COMMANDS = 64,		/* a turn */
};

struct td_engine {
	struct td_turn turn;
	struct td_card *card;
	struct td_queue *commands, *done;
	int ep;			/* wakes the thread */
	int ep_ticked;		/* sockets whose packets wait for the tick */
	struct td_poll poll_command, poll_wake;
	struct td_stream *streams;
	struct td_slot *slots;	/* those that run */
	struct td_slot *waiting;	/* joined, but there is no card */
	int64_t tick_ns, house_ns;
	bool quit;
	struct td_engine_counts n;
	struct td_line lines[TD_SPAN_PORTS_MAX];
};

static void read_lines(struct td_engine *e)
{
	for (unsigned int i = 0; i < TD_SPAN_PORTS_MAX; i++) {
		struct td_line *l = &e->lines[i];

		if (l->port)
			e->turn.span->position(l->port, &l->rx_block,
					       &l->tx_block);
	}
}

static int watch(int ep, int fd, struct td_poll *p)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = p };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int use_card(struct td_engine *e, struct td_card *card)
{
	unsigned int n = card ? e->turn.span->ports(card) : 0;

	e->card = card;
	for (unsigned int i = 0; i < TD_SPAN_PORTS_MAX; i++)
		e->lines[i].port = i < n ? e->turn.span->port(card, i + 1) :
					   NULL;
	return card ? watch(e->ep, e->turn.span->wake_fd(card),
			    &e->poll_wake) : 0;
}

static int set_up(struct td_engine *e, struct td_card *card)
{
	int rc;

	e->ep = epoll_create1(EPOLL_CLOEXEC);
	e->ep_ticked = epoll_create1(EPOLL_CLOEXEC);
	if (e->ep < 0 || e->ep_ticked < 0)
		return -errno;
	rc = td_outbox_new(&e->turn.out);
	if (!rc)
		rc = td_inbox_new(&e->turn.in);
	e->poll_command.kind = TD_POLL_COMMAND;
	e->poll_wake.kind = TD_POLL_WAKE;
	if (!rc)
		rc = watch(e->ep, td_queue_fd(e->commands), &e->poll_command);
	return rc ? rc : use_card(e, card);
}

int td_engine_new(const struct td_media_span_ops *span, struct td_card *card,
		  struct td_queue *commands, struct td_queue *done,
		  struct td_engine **out)
{
	struct td_engine *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return -ENOMEM;
	e->turn.span = span;
	e->commands = commands;
	e->done = done;
	e->ep = e->ep_ticked = -1;
	rc = set_up(e, card);
	if (rc) {
		td_engine_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

static void let_go(struct td_engine *e, struct td_slot *s)
{
	for (struct td_slot *next; s; s = next) {
		next = s->next;
		s->link = NULL;
		td_part(&s->end, e->turn.span);
	}
}

void td_engine_free(struct td_engine *e)
{
	if (!e)
		return;
	let_go(e, e->slots);
	let_go(e, e->waiting);
	if (e->ep >= 0)
		close(e->ep);
	if (e->ep_ticked >= 0)
		close(e->ep_ticked);
	td_outbox_free(e->turn.out);
	td_inbox_free(e->turn.in);
	free(e);
}

struct td_line *td_engine_line(struct td_engine *e, unsigned int port)
{
	return port >= 1 && port <= TD_SPAN_PORTS_MAX ? &e->lines[port - 1] :
							NULL;
}

struct td_turn *td_engine_now(struct td_engine *e, int64_t now_ns)
{
	e->turn.now_ns = now_ns;
	return &e->turn;
}

/* ---- time ---- */

static void read_ticked(struct td_engine *e)
{
	struct epoll_event ev[EVENTS];
	int n;

	do {
		n = epoll_wait(e->ep_ticked, ev, EVENTS, 0);
		for (int i = 0; i < n; i++) {
			struct td_poll *p = ev[i].data.ptr;

			td_stream_receive(p->stream, &e->turn);
		}
	} while (n == EVENTS);
}

void td_engine_tick(struct td_engine *e, int64_t now_ns)
{
	struct td_turn *t = td_engine_now(e, now_ns);
	int64_t us = (now_ns - e->tick_ns) / 1000;

	if (e->slots && e->tick_ns && us > (int64_t)e->n.longest_us)
		td_publish(&e->n.longest_us, us);
	e->tick_ns = now_ns;
	td_count(&e->n.ticks, 1);
	read_lines(e);
	for (struct td_slot *s = e->slots; s; s = s->next)
		td_slot_catch_up(s);
	read_ticked(e);
	for (struct td_slot *s = e->slots; s; s = s->next)
		td_slot_run(s, t);
	td_outbox_flush(t->out);
}

void td_engine_house(struct td_engine *e, int64_t now_ns)
{
	e->house_ns = now_ns;
	for (struct td_stream *s = e->streams; s; s = s->next) {
		td_report_run(s, now_ns);
		td_stream_publish(s);
	}
	for (struct td_slot *s = e->slots; s; s = s->next)
		td_slot_publish(s);
}

/* ---- commands ---- */

static void list_slot(struct td_slot **list, struct td_slot *s)
{
	s->next = *list;
	if (s->next)
		s->next->link = &s->next;
	s->link = list;
	*list = s;
}

static void run_slot(struct td_engine *e, struct td_end *end)
{
	struct td_slot *s = (struct td_slot *)end;

	if (end->kind != TD_END_SLOT)
		return;
	list_slot(s->open ? &e->slots : &e->waiting, s);
	if (s->open)		/* what is sent until the next tick */
		td_slot_run(s, &e->turn);
}

static void rest_slot(struct td_end *end)
{
	struct td_slot *s = (struct td_slot *)end;

	if (end->kind != TD_END_SLOT || !s->link)
		return;
	td_slot_publish(s);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->link = NULL;
}

/* Packets for a line can wait for its tick (and are read many at a time);
 * those for another stream are passed on at once. */
static void place_socket(struct td_engine *e, struct td_end *end)
{
	struct td_stream *s = (struct td_stream *)end;
	bool ticked = end->peer && end->peer->kind == TD_END_SLOT;

	if (end->kind != TD_END_STREAM || s->in_ticked == ticked)
		return;
	epoll_ctl(ticked ? e->ep : e->ep_ticked, EPOLL_CTL_DEL, s->fd, NULL);
	s->in_ticked = ticked;
	if (watch(ticked ? e->ep_ticked : e->ep, s->fd, &s->poll))
		td_warn("media", "MEDIA-EPOLL", "stream=%u errno=%d", s->id,
			errno);
}

static void part(struct td_engine *e, struct td_end *a)
{
	struct td_end *b = a->peer;

	rest_slot(a);
	if (b)
		rest_slot(b);
	td_part(a, e->turn.span);
	place_socket(e, a);
	if (b)
		place_socket(e, b);
}

static void join(struct td_engine *e, struct td_command *c)
{
	int rc;

	part(e, c->a);
	if (c->b)
		part(e, c->b);
	read_lines(e);
	if (c->echo)
		rc = td_join_echo(c->a, e->turn.span);
	else
		rc = td_join(c->a, c->b, e->turn.span);
	if (rc) {
		td_count(&e->n.join_failed, 1);
		td_warn("media", "MEDIA-SLOT", "join refused by the card: %s",
			strerror(-rc));
		return;
	}
	run_slot(e, c->a);
	place_socket(e, c->a);
	if (c->b) {
		run_slot(e, c->b);
		place_socket(e, c->b);
	}
}

/* The slots of the old card wait for the new one, still joined. */
static void change_card(struct td_engine *e, struct td_card *card)
{
	const struct td_media_span_ops *span = e->turn.span;
	struct td_slot *s, *next;
	int rc;

	for (s = e->slots; s; s = next) {
		next = s->next;
		rest_slot(&s->end);
		td_slot_stop(s, span);
		list_slot(&e->waiting, s);
	}
	if (e->card)
		epoll_ctl(e->ep, EPOLL_CTL_DEL, span->wake_fd(e->card), NULL);
	rc = use_card(e, card);
	if (rc)
		td_warn("media", "MEDIA-EPOLL", "card: %s", strerror(-rc));
	read_lines(e);
	for (s = e->waiting; s && card; s = next) {
		next = s->next;
		rc = td_slot_start(s, span);
		if (rc)
			td_warn("media", "MEDIA-SLOT", "port=%u timeslot=%u "
				"refused by the new card: %s", s->port,
				s->timeslot, strerror(-rc));
		if (!s->open)
			continue;
		rest_slot(&s->end);
		if (s->end.peer && s->end.peer->kind == TD_END_STREAM)
			td_stream_rejoin((struct td_stream *)s->end.peer);
		run_slot(e, &s->end);
	}
}

static void add_stream(struct td_engine *e, struct td_stream *s)
{
	int rc;

	s->poll = (struct td_poll){ TD_POLL_RTP, s };
	s->poll_rtcp = (struct td_poll){ TD_POLL_RTCP, s };
	s->next = e->streams;
	if (s->next)
		s->next->link = &s->next;
	s->link = &e->streams;
	e->streams = s;
	rc = watch(e->ep, s->fd, &s->poll);
	if (!rc)
		rc = watch(e->ep, s->fd_rtcp, &s->poll_rtcp);
	if (rc)
		td_warn("media", "MEDIA-EPOLL", "stream=%u %s", s->id,
			strerror(-rc));
	td_report_start(s, e->turn.now_ns);
}

static void close_stream(struct td_engine *e, struct td_stream *s)
{
	part(e, &s->end);
	td_report_bye(s, e->turn.now_ns);
	epoll_ctl(e->ep, EPOLL_CTL_DEL, s->fd, NULL);
	epoll_ctl(e->ep, EPOLL_CTL_DEL, s->fd_rtcp, NULL);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->link = NULL;
}

void td_engine_do(struct td_engine *e, struct td_command *c, int64_t now_ns)
{
	td_engine_now(e, now_ns);
	/* what was collected may be for a stream that goes now */
	td_outbox_flush(e->turn.out);
	switch (c->kind) {
	case TD_COMMAND_ADD:
		add_stream(e, c->stream);
		break;
	case TD_COMMAND_SET:
		td_stream_set(c->stream, &c->set,
			      c->remote.len ? &c->remote : NULL);
		break;
	case TD_COMMAND_CLOSE:
		close_stream(e, c->stream);
		break;
	case TD_COMMAND_JOIN:
		join(e, c);
		break;
	case TD_COMMAND_PART:
		part(e, c->a);
		break;
	case TD_COMMAND_CARD:
		change_card(e, c->card);
		break;
	case TD_COMMAND_QUIT:
		e->quit = true;
		break;
	}
	td_count(&e->n.commands, 1);
}

static void commands(struct td_engine *e)
{
	struct td_command *c;

	for (int i = 0; i < COMMANDS && !e->quit; i++) {
		c = td_queue_get(e->commands);
		if (!c)
			return;
		td_engine_do(e, c, e->turn.now_ns);
		/* as long as the queue to us: there is room */
		if (td_queue_put(e->done, c))
			td_count(&e->n.refused, 1);
	}
}

/* ---- a turn ---- */

static int timeout_ms(const struct td_engine *e)
{
	if (!e->streams && !e->slots && !e->waiting)
		return -1;
	return e->slots || e->waiting ? TICK_MS : HOUSE_MS;
}

bool td_engine_turn(struct td_engine *e)
{
	struct epoll_event ev[EVENTS];
	bool woken = false, told = false;
	int n = epoll_wait(e->ep, ev, EVENTS, timeout_ms(e));
	int64_t now_ns = td_clock_boot_ns();
	struct td_turn *t = td_engine_now(e, now_ns);

	td_count(&e->n.turns, 1);
	for (int i = 0; i < n; i++) {
		struct td_poll *p = ev[i].data.ptr;

		switch (p->kind) {
		case TD_POLL_COMMAND:	/* last: they may free streams */
			told = true;
			break;
		case TD_POLL_WAKE:
			if (e->card)
				t->span->wake_clear(e->card);
			woken = true;
			break;
		case TD_POLL_RTP:
			td_stream_receive(p->stream, t);
			break;
		case TD_POLL_RTCP:
			td_report_receive(p->stream, t);
			break;
		}
	}
	td_outbox_flush(t->out);
	if (!e->slots && !e->waiting)
		e->tick_ns = 0;
	else if (woken || now_ns - e->tick_ns >= TICK_MS * 1000000ll)
		td_engine_tick(e, now_ns);
	if (now_ns - e->house_ns >= HOUSE_MS * 1000000ll)
		td_engine_house(e, now_ns);
	if (told)
		commands(e);
	return !e->quit;
}

void td_engine_counts(const struct td_engine *e, struct td_engine_counts *out)
{
	out->turns = td_counted(&e->n.turns);
	out->ticks = td_counted(&e->n.ticks);
	out->commands = td_counted(&e->n.commands);
	out->refused = td_counted(&e->n.refused);
	out->join_failed = td_counted(&e->n.join_failed);
	out->send_refused = td_outbox_refused(e->turn.out);
	out->longest_us = td_counted(&e->n.longest_us);
}
