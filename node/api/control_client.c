// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/api/control_int.h"
#include "proto/base/str.h"

enum { HEAD = 4, FIRST_OCTETS = 4096 };

static void on_fd(void *arg, int fd, int revents);

static size_t frame_octets(const struct control_client *cl)
{
	const uint8_t *p = cl->in;

	return (size_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void on_time(void *arg)
{
	struct control_client *cl = arg;

	/* an idle client going away is no fault of its */
	if (cl->n_in || cl->out)
		td_control_counters(cl->control)->slow++;
	td_control_client_close(cl);
}

static void watch(struct control_client *cl)
{
	unsigned int ms = cl->n_in || cl->out ? cl->lim->io_ms
					      : cl->lim->idle_ms;

	/* while a handler thinks only the client's death is of interest, and
	 * that is reported always */
	td_loop_fd_mod(cl->loop, cl->fd,
		       cl->out ? POLLOUT : cl->req ? 0 : POLLIN);
	if (cl->req)
		td_timer_stop(&cl->timer);
	else if (td_timer_start(cl->loop, &cl->timer, ms, on_time, cl))
		td_control_client_close(cl);
}

int td_control_client_new(struct td_control *c, struct td_loop *loop,
			  const struct td_control_limits *lim, int s,
			  struct control_client **out)
{
	struct control_client *cl = calloc(1, sizeof(*cl));
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t n = sizeof(cred);
	int rc = -ENOMEM;

	if (!cl)
		goto err_close;
	cl->control = c;
	cl->loop = loop;
	cl->lim = lim;
	cl->fd = s;
	if (!getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cred, &n) && !cred.uid)
		td_str_cut(cl->who, sizeof(cl->who), "root");
	else
		snprintf(cl->who, sizeof(cl->who), "uid %u", cred.uid);
	rc = td_loop_fd_add(loop, s, POLLIN, on_fd, cl);
	if (rc)
		goto err_free;
	rc = td_timer_start(loop, &cl->timer, lim->io_ms, on_time, cl);
	if (rc)
		goto err_del;
	*out = cl;
	return 0;

err_del:
	td_loop_fd_del(loop, s);
err_free:
	free(cl);
err_close:
	close(s);
	return rc;
}

void td_control_client_close(struct control_client *cl)
{
	*cl->prev = cl->next;
	if (cl->next)
		cl->next->prev = cl->prev;
	if (cl->gone)
		*cl->gone = true;
	if (cl->req)
		cl->req->client = NULL;
	td_timer_stop(&cl->timer);
	td_loop_fd_del(cl->loop, cl->fd);
	close(cl->fd);
	td_control_client_gone(cl->control);
	free(cl->in);
	free(cl->out);
	free(cl);
}

/* @return 0, or negative errno: close the client */
static int room(struct control_client *cl, size_t want)
{
	size_t cap = cl->cap_in ? cl->cap_in : FIRST_OCTETS;
	uint8_t *p;

	if (want <= cl->cap_in)
		return 0;
	/* doubles with what has come, never by what a length announces */
	while (cap < want)
		cap *= 2;
	p = realloc(cl->in, cap);
	if (!p)
		return -ENOMEM;
	cl->in = p;
	cl->cap_in = cap;
	return 0;
}

static int take(struct control_client *cl)
{
	struct td_control_stats *st = td_control_counters(cl->control);
	struct td_control_req *req;
	size_t n = frame_octets(cl);
	int rc;

	req = calloc(1, sizeof(*req));
	if (!req)
		return -ENOMEM;
	rc = td_request_unpack(cl->in + HEAD, n, &req->r);
	if (rc) {
		st->malformed++;
		free(req);
		return rc;
	}
	cl->n_in -= HEAD + n;
	memmove(cl->in, cl->in + HEAD + n, cl->n_in);
	td_str_cut(req->who, sizeof(req->who),
		   req->r->who && *req->r->who ? req->r->who : cl->who);
	req->client = cl;
	cl->req = req;
	return 0;
}

/* @return 0: go on; else the client is closed */
static int serve(struct control_client *cl)
{
	bool gone = false;

	while (!cl->req && !cl->out && cl->n_in >= HEAD) {
		if (frame_octets(cl) > cl->lim->request_octets) {
			td_control_counters(cl->control)->malformed++;
			goto close;
		}
		if (cl->n_in - HEAD < frame_octets(cl))
			break;
		if (take(cl))
			goto close;
		cl->gone = &gone;
		td_control_dispatch(cl->control, cl->req);
		if (gone)
			return -ECONNRESET;
		cl->gone = NULL;
	}
	watch(cl);
	return 0;

close:
	td_control_client_close(cl);
	return -ECONNRESET;
}

static void receive(struct control_client *cl)
{
	bool began = cl->n_in > 0;
	ssize_t n;

	if (room(cl, cl->n_in + FIRST_OCTETS))
		goto close;
	n = recv(cl->fd, cl->in + cl->n_in, cl->cap_in - cl->n_in, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		goto close;
	cl->n_in += n;
	/* a request's time counts from its first octet: no dripping */
	if (began && (cl->n_in < HEAD ||
		      (frame_octets(cl) <= cl->lim->request_octets &&
		       cl->n_in - HEAD < frame_octets(cl))))
		return;
	serve(cl);
	return;

close:
	td_control_client_close(cl);
}

static void transmit(struct control_client *cl)
{
	ssize_t n = send(cl->fd, cl->out + cl->sent, cl->n_out - cl->sent,
			 MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		td_control_client_close(cl);
		return;
	}
	cl->sent += n;
	if (cl->sent < cl->n_out)
		return;
	free(cl->out);
	cl->out = NULL;
	td_control_counters(cl->control)->answered++;
	serve(cl);
}

static void on_fd(void *arg, int fd, int revents)
{
	struct control_client *cl = arg;

	if (cl->out && (revents & POLLOUT))
		transmit(cl);
	else if (!cl->out && !cl->req && (revents & POLLIN))
		receive(cl);
	else if (revents & (POLLHUP | POLLERR | POLLNVAL))
		td_control_client_close(cl);
}

void td_control_client_answer(struct control_client *cl, uint8_t *buf,
			      size_t n)
{
	cl->req = NULL;
	cl->out = malloc(HEAD + n);
	if (!cl->out) {
		free(buf);
		td_control_client_close(cl);
		return;
	}
	for (int i = 0; i < HEAD; i++)
		cl->out[i] = n >> (24 - 8 * i);
	memcpy(cl->out + HEAD, buf, n);
	free(buf);
	cl->n_out = HEAD + n;
	cl->sent = 0;
	watch(cl);
}
