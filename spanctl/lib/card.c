// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/lib/card.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/str.h"

enum { FDS_MAX = TD_SPAN_FD_PORTS + TD_SPAN_PORTS_MAX };

/* ---- requests ---- */

static int send_request(struct td_card *c, struct td_span_req *req)
{
	req->size = sizeof(*req);
	req->abi = TD_SPAN_ABI;
	req->id = ++c->next_id;
	if (!req->id)
		req->id = ++c->next_id;
	if (send(c->fd, req, sizeof(*req), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -ENOTCONN;
	return 0;
}

/* @return 0: rep is a reply; -EAGAIN: none yet; -ENOTCONN */
static int take_reply(struct td_card *c, struct td_span_rep *rep)
{
	ssize_t n = recv(c->fd, rep, sizeof(*rep), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : -ENOTCONN;
	return n < (ssize_t)sizeof(*rep) ? -ENOTCONN : 0;
}

static int wait_reply(struct td_card *c, uint32_t id, int wait_ms,
		      struct td_span_rep *rep)
{
	int64_t end_ms = td_clock_boot_ms() + wait_ms, left;
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	int rc;

	for (;;) {
		rc = take_reply(c, rep);
		if (!rc && rep->id == c->unanswered)
			c->unanswered = 0;
		if (!rc && rep->id == id)
			return 0;
		if (!rc)
			continue;	/* of a request that timed out */
		if (rc != -EAGAIN)
			return rc;
		left = end_ms - td_clock_boot_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&pfd, 1, (int)left);
	}
}

/* A card that stands still is waited for once; while its answer is missing
 * nothing more is sent, and nobody waits. */
int td_card_request(struct td_card *c, struct td_span_req *req)
{
	struct td_span_rep rep;
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	if (c->unanswered)
		rc = wait_reply(c, c->unanswered, 0, &rep);
	if (!rc)
		rc = send_request(c, req);
	if (!rc) {
		rc = wait_reply(c, req->id, TD_CARD_WAIT_MS, &rep);
		if (rc == -ETIMEDOUT)
			c->unanswered = req->id;
	}
	pthread_mutex_unlock(&c->lock);
	return rc ? rc : rep.status;
}

bool td_card_gone(const struct td_card *c)
{
	struct pollfd pfd = { .fd = c->life, .events = POLLIN };

	return poll(&pfd, 1, 0) != 0;
}

/* ---- opening ---- */

static int connect_card(const char *path, int *out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, rc = td_str_copy(sa.sun_path, sizeof(sa.sun_path), path);

	if (rc)
		return rc;
	/* a card that stands still must not keep its user waiting */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

static unsigned int take_fds(struct msghdr *m, int fds[FDS_MAX])
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);
	unsigned int n;

	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (unsigned int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	if (n > FDS_MAX)
		n = FDS_MAX;
	memcpy(fds, CMSG_DATA(h), n * sizeof(int));
	return n;
}

/* @param[out] n_fds  descriptors got, also on failure */
static int hello(struct td_card *c, int fds[FDS_MAX], unsigned int *n_fds)
{
	struct td_span_req req = { .op = TD_SPAN_HELLO };
	struct td_span_rep rep = { 0 };
	struct iovec iov = { &rep, sizeof(rep) };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} u;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf),
	};
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	ssize_t n;
	int rc;

	req.a = c->mode == TD_CARD_OWNER ? TD_SPAN_MODE_OWNER :
		TD_SPAN_MODE_MONITOR;
	rc = send_request(c, &req);
	if (rc)
		return rc;
	if (poll(&pfd, 1, TD_CARD_WAIT_MS) <= 0)
		return -ETIMEDOUT;
	n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	*n_fds = n ? take_fds(&m, fds) : 0;
	if (n < (ssize_t)sizeof(rep) || rep.abi != TD_SPAN_ABI)
		return -EPROTO;
	if (rep.status)
		return rep.status;
	if (!rep.ports || rep.ports > TD_SPAN_PORTS_MAX ||
	    *n_fds != TD_SPAN_FD_PORTS + rep.ports)
		return -EPROTO;
	c->n_ports = rep.ports;
	return 0;
}

/* @return address of an area, NULL: it does not lie in the mapping */
static void *area(const struct td_card *c, uint64_t offset, uint64_t size)
{
	if (offset % 8 || offset > c->length || size > c->length - offset)
		return NULL;
	return (uint8_t *)c->base + offset;
}

static int map_port(struct td_card *c, unsigned int i)
{
	const struct td_span_card_map *map = c->base;
	const struct td_span_port_dir *d = &map->dir[i];
	const uint64_t cells = TD_SPAN_RING * TD_SPAN_SLOTS * 8;
	struct td_port *p = &c->port[i];

	p->card = c;
	p->number = i + 1;
	p->status = area(c, d->status, sizeof(*p->status));
	p->owner = area(c, d->owner, sizeof(*p->owner));
	p->rx = area(c, d->rx, cells);
	p->rx_flags = area(c, d->rx_flags, TD_SPAN_RING * sizeof(uint32_t));
	p->tx = area(c, d->tx, cells);
	p->tx_stamp = area(c, d->tx_stamp, cells);
	p->frames = area(c, d->frames, TD_SPAN_FRAMES);
	p->hdlc_tx = area(c, d->hdlc_tx, TD_SPAN_HDLC_TX);
	if (!p->status || !p->owner || !p->rx || !p->rx_flags || !p->tx ||
	    !p->tx_stamp || !p->frames || !p->hdlc_tx)
		return -EPROTO;
	/* a reader begins with what comes from now on */
	p->frames_at = __atomic_load_n(&p->status->frames_head,
				       __ATOMIC_ACQUIRE);
	p->hdlc_head = __atomic_load_n(&p->status->hdlc_tail,
				       __ATOMIC_ACQUIRE);
	if (c->mode == TD_CARD_OWNER)
		__atomic_store_n(&p->owner->hdlc_head, p->hdlc_head,
				 __ATOMIC_RELEASE);
	else
		p->owner = NULL;
	return 0;
}

static int map_memory(struct td_card *c, int fd)
{
	int prot = PROT_READ | (c->mode == TD_CARD_OWNER ? PROT_WRITE : 0);
	const struct td_span_card_map *map;
	struct stat st;
	void *base;
	int rc = 0;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < (off_t)sizeof(*map))
		return -EPROTO;
	base = mmap(NULL, (size_t)st.st_size, prot, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	c->base = base;
	c->length = (size_t)st.st_size;
	map = base;
	if (map->size < sizeof(*map) || map->abi != TD_SPAN_ABI ||
	    map->dir_size != sizeof(map->dir[0]) || map->ports != c->n_ports)
		return -EPROTO;
	for (unsigned int i = 0; !rc && i < c->n_ports; i++)
		rc = map_port(c, i);
	return rc;
}

int td_card_open(const char *path, enum td_card_mode mode,
		 struct td_card **out)
{
	struct td_card *c = calloc(1, sizeof(*c));
	int fds[FDS_MAX], rc;
	unsigned int n = 0;

	if (!c)
		return -ENOMEM;
	c->mode = mode;
	c->fd = c->life = c->wake = -1;
	pthread_mutex_init(&c->lock, NULL);
	for (int i = 0; i < TD_SPAN_PORTS_MAX; i++)
		c->port[i].event = -1;
	rc = connect_card(path, &c->fd);
	if (!rc)
		rc = hello(c, fds, &n);
	if (!rc)
		rc = map_memory(c, fds[TD_SPAN_FD_MEM]);
	if (rc) {
		while (n)
			close(fds[--n]);
		td_card_close(c);
		return rc;
	}
	close(fds[TD_SPAN_FD_MEM]);
	c->life = fds[TD_SPAN_FD_LIFE];
	c->wake = fds[TD_SPAN_FD_WAKE];
	for (unsigned int i = 0; i < c->n_ports; i++)
		c->port[i].event = fds[TD_SPAN_FD_PORTS + i];
	*out = c;
	return 0;
}

void td_card_close(struct td_card *c)
{
	if (!c)
		return;
	/* the socket first: that switches the transmitters off */
	if (c->fd >= 0)
		close(c->fd);
	if (c->life >= 0)
		close(c->life);
	if (c->wake >= 0)
		close(c->wake);
	for (int i = 0; i < TD_SPAN_PORTS_MAX; i++)
		if (c->port[i].event >= 0)
			close(c->port[i].event);
	if (c->base)
		munmap(c->base, c->length);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

unsigned int td_card_ports(const struct td_card *c)
{
	return c->n_ports;
}

int td_card_fd(const struct td_card *c)
{
	return c->life;
}

struct td_port *td_card_port(struct td_card *c, unsigned int port)
{
	return port >= 1 && port <= c->n_ports ? &c->port[port - 1] : NULL;
}

int td_card_wake_fd(const struct td_card *c)
{
	return c->wake;
}

int td_card_wake_every(struct td_card *c, unsigned int blocks)
{
	struct td_span_req req = { .op = TD_SPAN_WAKE, .a = blocks };

	return td_card_request(c, &req);
}

void td_card_wake_clear(struct td_card *c)
{
	uint64_t n;

	if (read(c->wake, &n, sizeof(n)) < 0)
		return;		/* was clear */
}
