// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base/log.h"

enum { FDS_MAX = TD_SPAN_FD_PORTS + TD_SPAN_PORTS_MAX };

struct td_spand_client {
	struct td_spand_card *card;
	int fd;
	unsigned int mode;	/* 0: has not said hello */
	int life;		/* held open: its other end is the client's */
	int wake;
	int event[TD_SPAN_PORTS_MAX];
	uint32_t wake_every;
	unsigned int leader;	/* port whose blocks are counted */
	uint64_t at[TD_SPAN_PORTS_MAX];	/* released at the last wake-up */
};

int td_spand_client_new(struct td_spand_card *card, int fd,
			struct td_spand_client **out)
{
	struct td_spand_client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->card = card;
	c->fd = fd;
	c->life = c->wake = -1;
	for (int i = 0; i < TD_SPAN_PORTS_MAX; i++)
		c->event[i] = -1;
	*out = c;
	return 0;
}

static void close_all(struct td_spand_client *c)
{
	if (c->life >= 0)
		close(c->life);
	if (c->wake >= 0)
		close(c->wake);
	for (int i = 0; i < TD_SPAN_PORTS_MAX; i++) {
		if (c->event[i] >= 0)
			close(c->event[i]);
		c->event[i] = -1;
	}
	c->life = c->wake = -1;
}

void td_spand_client_free(struct td_spand_client *c)
{
	struct td_spand_card *card;

	if (!c)
		return;
	card = c->card;
	if (c->mode == TD_SPAN_MODE_OWNER) {
		for (unsigned int i = 0; i < card->n_ports; i++)
			td_spand_port_orphan(card->port[i]);
		td_spand_mem_describe(card->mem);
		card->owner = NULL;
		td_info("span", "owner=gone transmitters=off");
	} else if (c->mode == TD_SPAN_MODE_MONITOR) {
		card->n_monitors--;
	}
	close_all(c);
	close(c->fd);
	free(c);
}

int td_spand_client_fd(const struct td_spand_client *c)
{
	return c->fd;
}

static int reply(struct td_spand_client *c, const struct td_span_req *req,
		 int status, const int *fds, unsigned int n_fds)
{
	struct td_span_rep rep = {
		.size = sizeof(rep), .abi = TD_SPAN_ABI, .id = req->id,
		.status = status, .ports = c->card->n_ports,
	};
	struct iovec iov = { &rep, sizeof(rep) };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} u = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *h;

	if (n_fds) {
		m.msg_control = u.buf;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(h), fds, n_fds * sizeof(int));
	}
	/* a client that reads no replies is broken: it never waits for us */
	if (sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static int admit(const struct td_spand_card *card, const struct td_span_req *r)
{
	if (r->abi != TD_SPAN_ABI)
		return -EPROTO;
	if (r->a == TD_SPAN_MODE_OWNER)
		return card->owner ? -EBUSY : 0;
	if (r->a == TD_SPAN_MODE_MONITOR)
		return card->n_monitors >= TD_SPAN_MONITORS_MAX ? -EBUSY : 0;
	return -EINVAL;
}

static int make_events(struct td_spand_client *c, int *life_read)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	*life_read = ends[0];
	c->life = ends[1];
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake < 0)
		return -errno;
	for (unsigned int i = 0; i < c->card->n_ports; i++) {
		c->event[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (c->event[i] < 0)
			return -errno;
	}
	return 0;
}

static int hello(struct td_spand_client *c, const struct td_span_req *req)
{
	struct td_spand_card *card = c->card;
	int fds[FDS_MAX], life = -1;
	int rc = c->mode ? -EALREADY : admit(card, req);

	if (rc)
		return reply(c, req, rc, NULL, 0);
	rc = make_events(c, &life);
	if (rc) {
		reply(c, req, rc, NULL, 0);
		goto out;
	}
	fds[TD_SPAN_FD_MEM] = req->a == TD_SPAN_MODE_OWNER ?
		td_spand_mem_fd(card->mem) : td_spand_mem_fd_ro(card->mem);
	fds[TD_SPAN_FD_LIFE] = life;
	fds[TD_SPAN_FD_WAKE] = c->wake;
	memcpy(fds + TD_SPAN_FD_PORTS, c->event,
	       card->n_ports * sizeof(int));
	rc = reply(c, req, 0, fds, TD_SPAN_FD_PORTS + card->n_ports);
	if (rc)
		goto out;
	c->mode = req->a;
	if (c->mode == TD_SPAN_MODE_OWNER) {
		card->owner = c;
		td_info("span", "owner=here");
	} else {
		card->n_monitors++;
	}
out:
	if (life >= 0)
		close(life);
	return rc;
}

static struct td_spand_port *port(struct td_spand_card *card, uint32_t n)
{
	return n >= 1 && n <= card->n_ports ? card->port[n - 1] : NULL;
}

static void wake_from_now(struct td_spand_client *c, uint32_t every)
{
	c->wake_every = every;
	for (unsigned int i = 0; i < c->card->n_ports; i++)
		c->at[i] = c->card->port[i]->released;
}

static int owners(struct td_spand_client *c, const struct td_span_req *r,
		  struct td_spand_port *p)
{
	struct td_spand_port *to = port(c->card, r->b);

	if (c->mode != TD_SPAN_MODE_OWNER)
		return -EPERM;
	switch (r->op) {
	case TD_SPAN_LEASE:
		return p ? td_spand_port_lease(p, r->epoch, r->end_ns) :
			-EINVAL;
	case TD_SPAN_LEASE_END:
		if (!p)
			return -EINVAL;
		td_spand_port_lease_end(p, r->epoch);
		return 0;
	case TD_SPAN_HDLC:
		return p ? td_spand_port_hdlc(p, r->a) : -EINVAL;
	case TD_SPAN_XCONN:
		return p && to ? td_spand_port_xconn(p, r->a, to, r->c) :
			-EINVAL;
	case TD_SPAN_XCONN_OFF:
		return to ? td_spand_port_xconn_off(to, r->c) : -EINVAL;
	}
	return -EOPNOTSUPP;
}

static int execute(struct td_spand_client *c, const struct td_span_req *r)
{
	struct td_spand_port *p = port(c->card, r->port);

	if (!c->mode)
		return -EPROTO;
	switch (r->op) {
	case TD_SPAN_WAKE:
		if (r->a > TD_SPAN_RING / 2)
			return -EINVAL;
		wake_from_now(c, r->a);
		return 0;
	case TD_SPAN_INHIBIT:
		if (!p)
			return -EINVAL;
		td_spand_port_inhibit(p, r->a);
		td_warn("span", "SPAN-INHIBIT", "port=%u inhibited=%u",
			p->number, r->a != 0);
		return 0;
	}
	return owners(c, r, p);
}

int td_spand_client_serve(struct td_spand_client *c)
{
	struct td_span_req req = { 0 };
	struct td_spand_port *p;
	ssize_t n;
	int status, rc;

	n = recv(c->fd, &req, sizeof(req), MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	if (n < (ssize_t)sizeof(req) || req.size < sizeof(req))
		return -EPROTO;
	if (req.op == TD_SPAN_HELLO)
		return hello(c, &req);
	status = execute(c, &req);
	/* the caller may look at the memory as soon as it has the answer */
	for (unsigned int i = 0; i < c->card->n_ports; i++) {
		p = c->card->port[i];
		td_spand_port_publish(p);
	}
	rc = reply(c, &req, status, NULL, 0);
	return rc;
}

static void raise_fd(int fd)
{
	uint64_t one = 1;

	/* full means that it is readable already */
	if (fd >= 0 && write(fd, &one, sizeof(one)) < 0)
		return;
}

/* One port is counted, so that the rate is exact; when it stands still and
 * another has run ahead, that one is counted from then on. */
static void wake_when_due(struct td_spand_client *c)
{
	enum { AHEAD = 8 };
	struct td_spand_card *card = c->card;
	uint64_t n = card->port[c->leader]->released - c->at[c->leader];

	for (unsigned int i = 0; n < c->wake_every && i < card->n_ports; i++) {
		uint64_t m = card->port[i]->released - c->at[i];

		if (m >= c->wake_every + AHEAD) {
			c->leader = i;
			n = m;
		}
	}
	if (n < c->wake_every)
		return;
	for (unsigned int i = 0; i < card->n_ports; i++)
		c->at[i] = card->port[i]->released;
	c->at[c->leader] -= n % c->wake_every;
	raise_fd(c->wake);
}

void td_spand_client_notify(struct td_spand_client *c)
{
	if (!c->mode)
		return;
	for (unsigned int i = 0; i < c->card->n_ports; i++)
		if (c->card->port[i]->event)
			raise_fd(c->event[i]);
	if (c->wake_every)
		wake_when_due(c);
}
