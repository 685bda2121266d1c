// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/phone/media.h"

#include <errno.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/instr/tick.h"

enum {
	PORT_FIRST = 40000, PORT_LAST = 49998,
	EVENTS = 64, BATCH = 32,
	MTU = 1500, BUFFER = 1 << 19,
	RTCP_TURNS = 64,	/* RTCP is only counted, and not at once */
	MS_NS = 1000000,
};

struct td_pstream {
	struct td_pmedia *m;
	int i, rtp_fd, rtcp_fd;
	uint16_t port;
	struct sockaddr_in to;
	uint64_t rtcp, send_errors;
	struct td_prtp rtp;
};

struct td_pmedia {
	struct in_addr local;
	pthread_mutex_t lock;
	struct td_pauses pauses;
	struct td_tick *tick;
	int epoll;
	uint64_t turn;
	uint16_t next_port;
	uint32_t next_ssrc;
	struct td_pstream *stream[TD_PMEDIA_STREAMS];
	uint8_t in[BATCH][MTU];
};

static void receive(struct td_pmedia *m, struct td_pstream *s)
{
	struct sockaddr_in from[BATCH];
	struct mmsghdr h[BATCH];
	struct iovec v[BATCH];
	int n;

	do {
		for (int k = 0; k < BATCH; k++) {
			v[k] = (struct iovec){ m->in[k], MTU };
			h[k].msg_hdr = (struct msghdr){
				.msg_name = &from[k],
				.msg_namelen = sizeof(from[k]),
				.msg_iov = &v[k], .msg_iovlen = 1,
			};
		}
		n = recvmmsg(s->rtp_fd, h, BATCH, MSG_DONTWAIT, NULL);
		for (int k = 0; k < n; k++)
			td_prtp_receive(&s->rtp, m->in[k], h[k].msg_len,
					from[k].sin_addr.s_addr,
					ntohs(from[k].sin_port));
	} while (n == BATCH);
}

static void turn_stream(struct td_pstream *s, uint64_t turn)
{
	size_t n = td_prtp_turn(&s->rtp, turn);
	uint8_t o[256];

	if (n && sendto(s->rtp_fd, s->rtp.tx, n, 0, (struct sockaddr *)&s->to,
			sizeof(s->to)) < 0)
		s->send_errors++;
	if (turn % RTCP_TURNS == (unsigned int)s->i % RTCP_TURNS)
		while (recv(s->rtcp_fd, o, sizeof(o), MSG_DONTWAIT) > 0)
			s->rtcp++;
}

static void on_turn(void *arg, uint64_t turn, int64_t late_ns)
{
	struct td_pmedia *m = arg;
	struct epoll_event ev[EVENTS];
	int n;

	pthread_mutex_lock(&m->lock);
	td_pauses_add(&m->pauses, (int64_t)turn * MS_NS, late_ns);
	do {
		n = epoll_wait(m->epoll, ev, EVENTS, 0);
		for (int i = 0; i < n; i++)
			receive(m, ev[i].data.ptr);
	} while (n == EVENTS);
	for (int i = 0; i < TD_PMEDIA_STREAMS; i++)
		if (m->stream[i])
			turn_stream(m->stream[i], turn);
	m->turn = turn + 1;
	pthread_mutex_unlock(&m->lock);
}

int td_pmedia_new(struct in_addr local, int blame_ms, struct td_pmedia **out)
{
	struct td_pmedia *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->local = local;
	m->next_port = PORT_FIRST + getpid() * 26 % (PORT_LAST - PORT_FIRST);
	m->next_port &= ~1;
	m->next_ssrc = getpid() << 16 ^ td_tick_now_ns();
	m->turn = td_tick_now_ns() / MS_NS;
	td_pauses_init(&m->pauses, 5, blame_ms);
	rc = td_tick_lock_init(&m->lock);
	if (rc) {
		free(m);
		return rc;
	}
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	rc = m->epoll < 0 ? -errno : td_tick_start(on_turn, m, &m->tick);
	if (rc) {
		td_pmedia_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

void td_pmedia_free(struct td_pmedia *m)
{
	if (!m)
		return;
	td_tick_stop(m->tick);
	for (int i = 0; i < TD_PMEDIA_STREAMS; i++)
		td_pstream_close(m->stream[i]);
	if (m->epoll >= 0)
		close(m->epoll);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void td_pmedia_lock(struct td_pmedia *m)
{
	pthread_mutex_lock(&m->lock);
}

void td_pmedia_unlock(struct td_pmedia *m)
{
	pthread_mutex_unlock(&m->lock);
}

const struct td_pauses *td_pmedia_pauses(const struct td_pmedia *m)
{
	return &m->pauses;
}

uint64_t td_pmedia_turn(const struct td_pmedia *m)
{
	return m->turn;
}

static int bound(struct in_addr local, uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_addr = local,
		.sin_port = htons(port),
	};
	int tos = 46 << 2, size = BUFFER, rc;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0)
		return -errno;
	setsockopt(s, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(s, (struct sockaddr *)&a, sizeof(a))) {
		rc = -errno;
		close(s);
		return rc;
	}
	return s;
}

/* an even port and the next one */
static int bind_pair(struct td_pmedia *m, struct td_pstream *s)
{
	for (int i = 0; i <= (PORT_LAST - PORT_FIRST) / 2; i++) {
		s->port = m->next_port;
		m->next_port = m->next_port >= PORT_LAST ? PORT_FIRST :
							   m->next_port + 2;
		s->rtp_fd = bound(m->local, s->port);
		if (s->rtp_fd == -EADDRINUSE)
			continue;
		if (s->rtp_fd < 0)
			return s->rtp_fd;
		s->rtcp_fd = bound(m->local, s->port + 1);
		if (s->rtcp_fd >= 0)
			return 0;
		close(s->rtp_fd);
		s->rtp_fd = -1;
	}
	return -EADDRINUSE;
}

int td_pstream_open(struct td_pmedia *m, int pt, int ptime_ms,
		    struct td_pstream **out)
{
	struct td_pstream *s = calloc(1, sizeof(*s));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
	int rc;

	if (!s)
		return -ENOMEM;
	s->m = m;
	s->i = -1;
	s->rtp_fd = s->rtcp_fd = -1;
	rc = bind_pair(m, s);
	if (rc) {
		free(s);
		return rc;
	}
	pthread_mutex_lock(&m->lock);
	td_prtp_init(&s->rtp, pt, ptime_ms, m->next_ssrc++, m->turn);
	td_xchan_idle(&s->rtp.chan);
	for (int i = 0; i < TD_PMEDIA_STREAMS && s->i < 0; i++)
		if (!m->stream[i])
			s->i = i;
	rc = s->i < 0 ? -ENOSPC : 0;
	if (!rc && epoll_ctl(m->epoll, EPOLL_CTL_ADD, s->rtp_fd, &ev))
		rc = -errno;
	if (!rc)
		m->stream[s->i] = s;
	pthread_mutex_unlock(&m->lock);
	if (rc) {
		close(s->rtp_fd);
		close(s->rtcp_fd);
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

void td_pstream_close(struct td_pstream *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->m->lock);
	s->m->stream[s->i] = NULL;
	epoll_ctl(s->m->epoll, EPOLL_CTL_DEL, s->rtp_fd, NULL);
	pthread_mutex_unlock(&s->m->lock);
	close(s->rtp_fd);
	close(s->rtcp_fd);
	free(s);
}

uint16_t td_pstream_port(const struct td_pstream *s)
{
	return s->port;
}

void td_pstream_to(struct td_pstream *s, struct in_addr addr, uint16_t port,
		   bool send)
{
	pthread_mutex_lock(&s->m->lock);
	s->to = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr = addr,
		.sin_port = htons(port),
	};
	s->rtp.sending = send && port;
	pthread_mutex_unlock(&s->m->lock);
}

struct td_prtp *td_pstream_rtp(struct td_pstream *s)
{
	return &s->rtp;
}

uint64_t td_pstream_rtcp(const struct td_pstream *s)
{
	return s->rtcp;
}

uint64_t td_pstream_send_errors(const struct td_pstream *s)
{
	return s->send_errors;
}
