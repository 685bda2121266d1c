// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/media.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/media/media_priv.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/loop.h"
#include "proto/base/queue.h"

enum { WAKE_BLOCKS = 5 };

struct td_stream *td_media_stream(const struct td_media *m, uint32_t id)
{
	return td_map_get(m->streams, &id, sizeof(id));
}

struct td_slot *td_media_slot(const struct td_media *m, uint32_t port,
			      uint32_t timeslot)
{
	if (!port || port > m->ports || !timeslot || timeslot >= TD_SPAN_SLOTS)
		return NULL;
	return &m->slots[(port - 1) * TD_SPAN_SLOTS + timeslot];
}

struct td_port *td_media_port(const struct td_media *m,
			      const struct td_slot *s)
{
	if (!m->cfg.card || s->port > m->ports)
		return NULL;
	return m->cfg.span->port(m->cfg.card, s->port);
}

int td_media_send(struct td_media *m, struct td_command *c, bool must)
{
	if (!must && m->pending >= TD_MEDIA_SOFT) {
		m->refused++;
		return -EAGAIN;
	}
	if (td_queue_put(m->commands, c))
		return -EAGAIN;
	m->pending++;
	m->sent++;
	return 0;
}

void td_media_stream_free(struct td_media *m, struct td_stream *s)
{
	close(s->fd);
	close(s->fd_rtcp);
	td_ports_give(s->ctl.ports, td_clock_boot_ms(), s->ctl.port);
	free(s->ctl.close);
	free(s);
	m->n_streams--;
}

static void collect(struct td_media *m)
{
	struct td_command *c;

	while ((c = td_queue_get(m->done))) {
		m->pending--;
		if (c->kind == TD_COMMAND_CLOSE) {
			c->stream->ctl.close = NULL;
			td_media_stream_free(m, c->stream);
		}
		if (c->kind == TD_COMMAND_CARD)
			m->changing = false;
		free(c);
	}
}

static void on_done(void *arg, int fd, int revents)
{
	collect(arg);
}

static void set_priority(int priority)
{
	struct sched_param sp = { .sched_priority = priority };
	int rc;

	if (!priority)
		return;
	rc = pthread_setschedparam(pthread_self(), SCHED_FIFO, &sp);
	if (rc)
		td_warn("media", "MEDIA-SCHED", "no SCHED_FIFO %d: %s",
			priority, strerror(rc));
}

static void *run(void *arg)
{
	struct td_media *m = arg;

	pthread_setname_np(pthread_self(), "td-media");
	set_priority(m->cfg.priority);
	while (td_engine_turn(m->engine))
		;
	return NULL;
}

static int start_thread(struct td_media *m)
{
	sigset_t all, old;
	int rc;

	/* signals are the control loop's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = -pthread_create(&m->thread, NULL, run, m);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	m->running = !rc;
	return rc;
}

static int make_slots(struct td_media *m)
{
	m->ports = m->cfg.card ? m->cfg.span->ports(m->cfg.card) : 0;
	m->slots = calloc(TD_MEDIA_SLOTS, sizeof(*m->slots));
	if (!m->slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < TD_MEDIA_SLOTS; i++) {
		struct td_slot *s = &m->slots[i];

		s->end.kind = TD_END_SLOT;
		s->port = i / TD_SPAN_SLOTS + 1;
		s->timeslot = i % TD_SPAN_SLOTS;
		s->line = td_engine_line(m->engine, s->port);
	}
	return 0;
}

static int set_up(struct td_media *m)
{
	const struct td_media_cfg *cfg = &m->cfg;
	int rc = td_map_new(&m->streams);

	if (!rc)
		rc = td_queue_new(TD_MEDIA_HARD, &m->commands);
	if (!rc)
		rc = td_queue_new(TD_MEDIA_HARD, &m->done);
	if (!rc && cfg->card)
		rc = cfg->span->wake_every(cfg->card, cfg->wake_blocks);
	if (!rc)
		rc = td_engine_new(cfg->span, cfg->card, m->commands, m->done,
				   &m->engine);
	if (!rc)
		rc = make_slots(m);
	if (!rc)
		rc = td_loop_fd_add(cfg->loop, td_queue_fd(m->done), POLLIN,
				    on_done, m);
	if (!rc)
		rc = start_thread(m);
	return rc;
}

int td_media_new(const struct td_media_cfg *cfg, struct td_media **out)
{
	struct td_media *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->cfg = *cfg;
	if (!m->cfg.span)
		m->cfg.span = &td_media_span;
	if (!m->cfg.max_streams || m->cfg.max_streams > TD_MEDIA_STREAMS)
		m->cfg.max_streams = TD_MEDIA_STREAMS;
	if (!m->cfg.wake_blocks)
		m->cfg.wake_blocks = WAKE_BLOCKS;
	rc = set_up(m);
	if (rc) {
		td_media_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

/* Waits for the thread, a turn of it: the old card's memory is unmapped when
 * this returns. */
int td_media_set_card(struct td_media *m, struct td_card *card)
{
	struct td_command *c = calloc(1, sizeof(*c));
	struct pollfd p = { .fd = td_queue_fd(m->done), .events = POLLIN };
	int rc = 0;

	if (!c)
		return -ENOMEM;
	if (card)
		rc = m->cfg.span->wake_every(card, m->cfg.wake_blocks);
	if (rc) {
		free(c);
		return rc;
	}
	c->kind = TD_COMMAND_CARD;
	c->card = card;
	m->changing = true;
	while (td_media_send(m, c, true)) {
		poll(&p, 1, 10);
		collect(m);
	}
	while (m->changing) {
		poll(&p, 1, 10);
		collect(m);
	}
	m->cfg.card = card;
	if (card)
		m->ports = m->cfg.span->ports(card);
	td_media_reconnect(m);
	return 0;
}

static void stop_thread(struct td_media *m)
{
	struct td_command *quit;

	if (!m->running)
		return;
	quit = calloc(1, sizeof(*quit));
	if (!quit)
		abort();	/* nothing sensible is left to do */
	quit->kind = TD_COMMAND_QUIT;
	while (td_media_send(m, quit, true)) {
		collect(m);	/* only when the thread hangs */
		poll(NULL, 0, 1);
	}
	pthread_join(m->thread, NULL);
}

/* what the thread did not come to */
static void drop_commands(struct td_media *m)
{
	struct td_command *c;

	if (m->done)
		collect(m);
	while (m->commands && (c = td_queue_get(m->commands))) {
		if (c->kind == TD_COMMAND_CLOSE) {
			c->stream->ctl.close = NULL;
			td_media_stream_free(m, c->stream);
		}
		free(c);
	}
}

void td_media_free(struct td_media *m)
{
	size_t pos = 0;
	void *s;

	if (!m)
		return;
	td_timer_stop(&m->silence);
	stop_thread(m);
	if (m->done)
		td_loop_fd_del(m->cfg.loop, td_queue_fd(m->done));
	for (unsigned int i = 0; m->slots && i < TD_MEDIA_SLOTS; i++)
		if (m->slots[i].ctl.xconn)
			m->cfg.span->xconn_off(td_media_port(m, &m->slots[i]),
					       m->slots[i].timeslot);
	td_engine_free(m->engine);
	drop_commands(m);
	while (m->streams && (s = td_map_next(m->streams, &pos)))
		td_media_stream_free(m, s);
	td_map_free(m->streams, NULL);
	td_queue_free(m->commands);
	td_queue_free(m->done);
	for (unsigned int i = 0; i < m->n_addresses; i++)
		free(m->address[i]);
	free(m->slots);
	free(m);
}
