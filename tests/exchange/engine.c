// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/engine.h"

#include <errno.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/str.h"
#include "tests/instr/tick.h"

enum {
	MS_NS = 1000000,
	BATCH = 64,		/* packets read at a time */
	BUFFER = 4 << 20,	/* a burst after a pause must fit */
	CATCH_UP_MS = 1000,	/* older turns are made, but not sent */
};

struct td_xengine {
	struct td_xengine_conf conf;
	int sock[TD_XENGINE_LINES];
	struct td_xline line[TD_XENGINE_LINES];
	struct td_pauses pauses;
	pthread_mutex_t lock;
	struct td_tick *tick;
	uint64_t turn, send_errors, strangers;
	int event;
	uint8_t in[BATCH][TD_XCES_PACKET + 4];
};

static int node_of(const struct td_xengine_line *c,
		   const struct sockaddr_in *from)
{
	for (int i = 0; i < c->n_nodes; i++)
		if (from->sin_addr.s_addr == c->node[i].addr.sin_addr.s_addr &&
		    from->sin_port == c->node[i].addr.sin_port)
			return i;
	return -1;
}

static void receive(struct td_xengine *e, int i)
{
	struct sockaddr_in from[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int n;

	do {
		for (int k = 0; k < BATCH; k++) {
			v[k] = (struct iovec){ e->in[k], sizeof(e->in[k]) };
			m[k].msg_hdr = (struct msghdr){
				.msg_name = &from[k],
				.msg_namelen = sizeof(from[k]),
				.msg_iov = &v[k], .msg_iovlen = 1,
			};
		}
		n = recvmmsg(e->sock[i], m, BATCH, MSG_DONTWAIT, NULL);
		for (int k = 0; k < n; k++) {
			int node = node_of(&e->conf.line[i], &from[k]);

			if (node < 0)
				e->strangers++;
			else
				td_xline_receive(&e->line[i], node, e->in[k],
						 m[k].msg_len);
		}
	} while (n == BATCH);
}

static void transmit(struct td_xengine *e, int i)
{
	struct td_xengine_line *c = &e->conf.line[i];
	struct mmsghdr m[TD_XLINE_NODES];
	struct iovec v[TD_XLINE_NODES];
	uint8_t copy[TD_XLINE_NODES][TD_XCES_PACKET];
	int n = 0, done = 0;

	for (int k = 0; k < c->n_nodes; k++) {
		const uint8_t *p = td_xline_packet(&e->line[i], k);

		if (!p)
			continue;
		memcpy(copy[n], p, TD_XCES_PACKET);
		v[n] = (struct iovec){ copy[n], TD_XCES_PACKET };
		m[n].msg_hdr = (struct msghdr){
			.msg_name = &c->node[k].addr,
			.msg_namelen = sizeof(c->node[k].addr),
			.msg_iov = &v[n], .msg_iovlen = 1,
		};
		n++;
	}
	while (done < n) {
		int rc = sendmmsg(e->sock[i], m + done, n - done, 0);

		if (rc <= 0) {
			e->send_errors++;
			rc = 1;		/* not this one, the others yet */
		}
		done += rc;
	}
}

static void on_turn(void *arg, uint64_t turn, int64_t late_ns)
{
	struct td_xengine *e = arg;
	bool old = td_tick_now_ns() - (int64_t)turn * MS_NS >
		   (int64_t)CATCH_UP_MS * MS_NS;
	bool frames = false;
	uint64_t one = 1;

	pthread_mutex_lock(&e->lock);
	td_pauses_add(&e->pauses, (int64_t)turn * MS_NS, late_ns);
	for (int i = 0; i < e->conf.n_lines; i++) {
		struct td_xline *l = &e->line[i];

		receive(e, i);
		td_xline_turn(l, turn);
		if (!old)
			transmit(e, i);
		frames |= l->f_head != l->f_tail;
	}
	e->turn = turn + 1;
	pthread_mutex_unlock(&e->lock);
	if (frames && write(e->event, &one, sizeof(one)) < 0)
		td_debug("exchange", "event: %s", strerror(errno));
}

static int open_socket(const struct td_xengine_conf *conf, uint16_t port,
		       int *out)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr = conf->local,
		.sin_port = htons(port),
	};
	int tos = 46 << 2, size = BUFFER, rc;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return -errno;
	setsockopt(s, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(s, (struct sockaddr *)&a, sizeof(a))) {
		rc = -errno;
		close(s);
		return rc;
	}
	*out = s;
	return 0;
}

static int open_lines(struct td_xengine *e)
{
	int rc;

	for (int i = 0; i < e->conf.n_lines; i++) {
		struct td_xengine_line *c = &e->conf.line[i];

		td_xline_init(&e->line[i], c->name, c->port, c->n_nodes);
		for (int k = 0; k < c->n_nodes; k++) {
			c->node[k].addr.sin_port = htons(c->port);
			td_str_cut(e->line[i].node[k].name,
				   sizeof(e->line[i].node[k].name),
				   c->node[k].name);
		}
		rc = open_socket(&e->conf, c->port, &e->sock[i]);
		if (rc)
			return rc;
	}
	return 0;
}

int td_xengine_new(const struct td_xengine_conf *conf, struct td_xengine **out)
{
	struct td_xengine *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return -ENOMEM;
	e->conf = *conf;
	e->event = -1;
	for (int i = 0; i < TD_XENGINE_LINES; i++)
		e->sock[i] = -1;
	td_pauses_init(&e->pauses, 5, conf->blame_ms);
	rc = td_tick_lock_init(&e->lock);
	if (rc) {
		free(e);
		return rc;
	}
	e->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = e->event < 0 ? -errno : open_lines(e);
	if (!rc)
		rc = td_tick_start(on_turn, e, &e->tick);
	if (rc) {
		td_xengine_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void td_xengine_free(struct td_xengine *e)
{
	if (!e)
		return;
	td_tick_stop(e->tick);
	for (int i = 0; i < TD_XENGINE_LINES; i++)
		if (e->sock[i] >= 0)
			close(e->sock[i]);
	if (e->event >= 0)
		close(e->event);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

void td_xengine_lock(struct td_xengine *e)
{
	pthread_mutex_lock(&e->lock);
}

void td_xengine_unlock(struct td_xengine *e)
{
	pthread_mutex_unlock(&e->lock);
}

struct td_xline *td_xengine_line(struct td_xengine *e, int i)
{
	return &e->line[i];
}

const struct td_pauses *td_xengine_pauses(const struct td_xengine *e)
{
	return &e->pauses;
}

uint64_t td_xengine_turn(const struct td_xengine *e)
{
	return e->turn;
}

uint64_t td_xengine_send_errors(const struct td_xengine *e)
{
	return e->send_errors;
}

uint64_t td_xengine_strangers(const struct td_xengine *e)
{
	return e->strangers;
}

int td_xengine_fd(const struct td_xengine *e)
{
	return e->event;
}
