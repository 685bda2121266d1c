// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/str.h"
#include "spanctl/spand/client.h"

enum {
	CLIENTS_MAX = TD_SPAN_MONITORS_MAX + 4,
	EVENTS_MAX = TD_SPAN_PORTS_MAX + CLIENTS_MAX + 3,
	TICK_MS = 5,
};

/* What an epoll event is about: kind in the upper half, index in the lower */
enum { K_PORT = 1, K_CLIENT, K_LISTEN, K_TICK, K_SIGNAL };

struct td_spand_server {
	struct td_spand_card card;
	struct td_spand_client *client[CLIENTS_MAX];
	char path[108];
	bool bound;
	int epoll, listen, tick, signal;
};

static int watch(struct td_spand_server *s, int fd, uint32_t kind, uint32_t i)
{
	struct epoll_event ev = {
		.events = EPOLLIN,
		.data.u64 = (uint64_t)kind << 32 | i,
	};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int fail(const char *what, int rc)
{
	td_err("span", "SPAN-START", "%s: %s", what, strerror(-rc));
	return rc;
}

/* A socket file that nobody answers is what a killed card left behind. */
static int clear_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)sa, sizeof(*sa)))
		rc = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		unlink(sa->sun_path);
	close(fd);
	return rc;
}

static int open_listen(struct td_spand_server *s, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t mask;
	int rc = td_str_copy(sa.sun_path, sizeof(sa.sun_path), path);

	if (!rc)
		rc = clear_stale(&sa);
	if (rc)
		return fail(path, rc);
	s->listen = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
			   SOCK_NONBLOCK, 0);
	if (s->listen < 0)
		return fail("socket", -errno);
	mask = umask(0117);	/* root and its group */
	rc = bind(s->listen, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
	umask(mask);
	if (rc)
		return fail(path, rc);
	s->bound = true;
	td_str_cut(s->path, sizeof(s->path), path);
	if (listen(s->listen, CLIENTS_MAX))
		return fail(path, -errno);
	return watch(s, s->listen, K_LISTEN, 0);
}

static int open_ports(struct td_spand_server *s,
		      const struct td_spand_conf *conf)
{
	struct td_spand_port *p;
	char what[32];
	int rc = td_spand_mem_new(conf->n_ports, &s->card.mem);

	if (rc)
		return fail("shared memory", rc);
	for (uint32_t i = 0; i < conf->n_ports; i++) {
		rc = td_spand_port_new(i + 1, &conf->port[i], s->card.mem, &p);
		if (rc) {
			snprintf(what, sizeof(what), "port %u", i + 1);
			return fail(what, rc);
		}
		s->card.port[i] = p;
		s->card.n_ports++;
		rc = watch(s, td_spand_line_fd(p->line), K_PORT, i);
		if (rc)
			return rc;
	}
	return 0;
}

static int open_timers(struct td_spand_server *s)
{
	struct itimerspec every = {
		.it_value.tv_nsec = TICK_MS * 1000000,
		.it_interval.tv_nsec = TICK_MS * 1000000,
	};
	sigset_t set;
	int rc;

	s->tick = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->tick < 0 || timerfd_settime(s->tick, 0, &every, NULL))
		return fail("timer", -errno);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	s->signal = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal < 0)
		return fail("signalfd", -errno);
	rc = watch(s, s->tick, K_TICK, 0);
	return rc ? rc : watch(s, s->signal, K_SIGNAL, 0);
}

int td_spand_server_new(const struct td_spand_conf *conf,
			struct td_spand_server **out)
{
	struct td_spand_server *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->listen = s->tick = s->signal = -1;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	rc = s->epoll < 0 ? fail("epoll", -errno) : 0;
	if (!rc)
		rc = open_ports(s, conf);
	if (!rc)
		rc = open_timers(s);
	if (!rc)
		rc = open_listen(s, conf->socket);
	if (rc) {
		td_spand_server_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void td_spand_server_free(struct td_spand_server *s)
{
	if (!s)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++)
		td_spand_client_free(s->client[i]);
	for (unsigned int i = 0; i < s->card.n_ports; i++)
		td_spand_port_free(s->card.port[i]);
	td_spand_mem_free(s->card.mem);
	if (s->listen >= 0)
		close(s->listen);
	if (s->bound)
		unlink(s->path);
	if (s->tick >= 0)
		close(s->tick);
	if (s->signal >= 0)
		close(s->signal);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

static void drop_client(struct td_spand_server *s, uint32_t i)
{
	td_spand_client_free(s->client[i]);	/* close() ends the watch */
	s->client[i] = NULL;
}

static void accept_client(struct td_spand_server *s)
{
	int fd = accept4(s->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uint32_t i = 0;

	if (fd < 0)
		return;
	while (i < CLIENTS_MAX && s->client[i])
		i++;
	if (i == CLIENTS_MAX) {
		td_warn("span", "SPAN-CLIENTS", "refused: %d are connected",
			CLIENTS_MAX);
		close(fd);
		return;
	}
	if (td_spand_client_new(&s->card, fd, &s->client[i]))
		return;
	if (watch(s, fd, K_CLIENT, i))
		drop_client(s, i);
}

static void tick(struct td_spand_server *s)
{
	uint64_t n;

	if (read(s->tick, &n, sizeof(n)) < 0)
		return;
	for (unsigned int i = 0; i < s->card.n_ports; i++)
		td_spand_port_tick(s->card.port[i]);
}

static void receive(struct td_spand_server *s, const struct epoll_event *ev,
		    int n)
{
	for (int i = 0; i < n; i++)
		if (ev[i].data.u64 >> 32 == K_PORT)
			td_spand_port_recv(s->card.port[(uint32_t)
							ev[i].data.u64]);
}

static void answer(struct td_spand_server *s, const struct epoll_event *ev,
		   int n)
{
	for (int i = 0; i < n; i++)
		if (ev[i].data.u64 >> 32 == K_PORT)
			td_spand_port_answer(s->card.port[(uint32_t)
							  ev[i].data.u64]);
}

/* @return false: told to end */
static bool others(struct td_spand_server *s, const struct epoll_event *ev,
		   int n)
{
	bool go_on = true;

	for (int i = 0; i < n; i++) {
		uint32_t at = (uint32_t)ev[i].data.u64;

		switch (ev[i].data.u64 >> 32) {
		case K_CLIENT:
			/* one that is gone is not asked what it still wanted:
			 * its transmitters must be off in this turn */
			if (s->client[at] && (ev[i].events & EPOLLHUP ||
			    td_spand_client_serve(s->client[at]) < 0))
				drop_client(s, at);
			break;
		case K_LISTEN:
			accept_client(s);
			break;
		case K_TICK:
			tick(s);
			break;
		case K_SIGNAL:
			go_on = false;
			break;
		}
	}
	return go_on;
}

static void end_of_turn(struct td_spand_server *s)
{
	for (unsigned int i = 0; i < s->card.n_ports; i++)
		td_spand_port_publish(s->card.port[i]);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (s->client[i])
			td_spand_client_notify(s->client[i]);
	for (unsigned int i = 0; i < s->card.n_ports; i++)
		s->card.port[i]->event = false;
}

int td_spand_server_run(struct td_spand_server *s)
{
	struct epoll_event ev[EVENTS_MAX];
	bool go_on = true;
	int n;

	while (go_on) {
		n = epoll_wait(s->epoll, ev, EVENTS_MAX, -1);
		if (n < 0 && errno != EINTR)
			return fail("epoll_wait", -errno);
		/* What has come in must be known before a clock is looked at;
		 * and that an owner is gone before anything is sent. */
		receive(s, ev, n);
		go_on = others(s, ev, n);
		answer(s, ev, n);
		end_of_turn(s);
	}
	return 0;
}
