// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/api/control.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/api/control_int.h"
#include "proto/base/log.h"
#include "proto/base/str.h"
#include "proto/verbs.h"

enum { MAX_VERBS = 128, BACKLOG = 16 };

struct handler {
	const struct td_verb *verb;
	td_control_fn fn;
	void *arg;
};

struct td_control {
	struct td_loop *loop;
	struct td_control_limits lim;
	struct td_control_stats stats;
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct control_client *clients;
	unsigned int n_clients;
	struct handler handlers[MAX_VERBS];
	unsigned int n_handlers;
};

static int bind_path(int fd, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	int probe, rc;

	if (td_str_copy(a.sun_path, sizeof(a.sun_path), path))
		return -ENAMETOOLONG;
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return -errno;
	rc = connect(probe, (struct sockaddr *)&a, sizeof(a)) ? errno : 0;
	close(probe);
	if (rc != ECONNREFUSED)
		return -EADDRINUSE;
	/* nobody listens: a dead daemon left it */
	if (unlink(path) || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return -errno;
	return 0;
}

static void on_accept(void *arg, int fd, int revents)
{
	struct td_control *c = arg;
	int s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct control_client *cl;

	if (s < 0)
		return;
	if (c->n_clients >= c->lim.clients) {
		c->stats.refused++;
		close(s);
		return;
	}
	if (td_control_client_new(c, c->loop, &c->lim, s, &cl)) {
		c->stats.refused++;
		return;
	}
	c->stats.accepted++;
	c->n_clients++;
	cl->next = c->clients;
	if (cl->next)
		cl->next->prev = &cl->next;
	cl->prev = &c->clients;
	c->clients = cl;
}

static void limits(struct td_control_limits *lim)
{
	if (!lim->clients)
		lim->clients = 64;
	if (!lim->request_octets)
		lim->request_octets = 1024 * 1024;
	if (!lim->io_ms)
		lim->io_ms = 10000;
	if (!lim->idle_ms)
		lim->idle_ms = 300000;
}

int td_control_new(struct td_loop *loop, const char *path,
		   const struct td_control_limits *lim,
		   struct td_control **out)
{
	struct td_control *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	if (lim)
		c->lim = *lim;
	limits(&c->lim);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0) {
		rc = -errno;
		goto err_free;
	}
	rc = bind_path(c->fd, path);
	if (rc)
		goto err_close;
	td_str_cut(c->path, sizeof(c->path), path);
	if (chmod(path, 0660) || listen(c->fd, BACKLOG)) {
		rc = -errno;
		goto err_unlink;
	}
	rc = td_loop_fd_add(loop, c->fd, POLLIN, on_accept, c);
	if (rc)
		goto err_unlink;
	*out = c;
	return 0;

err_unlink:
	unlink(path);
err_close:
	close(c->fd);
err_free:
	free(c);
	return rc;
}

void td_control_free(struct td_control *c)
{
	if (!c)
		return;
	while (c->clients)
		td_control_client_close(c->clients);
	td_loop_fd_del(c->loop, c->fd);
	close(c->fd);
	unlink(c->path);
	free(c);
}

static const struct td_verb *row(const char *name)
{
	for (const struct td_verb *v = td_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static const struct handler *find(const struct td_control *c, const char *verb)
{
	for (unsigned int i = 0; i < c->n_handlers; i++)
		if (!strcmp(c->handlers[i].verb->name, verb))
			return &c->handlers[i];
	return NULL;
}

int td_control_register(struct td_control *c, const char *verb,
			td_control_fn fn, void *arg)
{
	const struct td_verb *v = row(verb);

	if (!v)
		return -ENOENT;
	if (find(c, verb))
		return -EEXIST;
	if (c->n_handlers == MAX_VERBS)
		return -ENOMEM;
	c->handlers[c->n_handlers++] = (struct handler){ v, fn, arg };
	return 0;
}

void td_control_stats(const struct td_control *c, struct td_control_stats *out)
{
	*out = c->stats;
}

struct td_control_stats *td_control_counters(struct td_control *c)
{
	return &c->stats;
}

void td_control_client_gone(struct td_control *c)
{
	c->n_clients--;
}

/* @return NULL, or what is wrong with the option */
static const char *bad_option(const struct td_verb *v, const Td__Option *o)
{
	for (size_t i = 0; i < sizeof(v->options) / sizeof(*v->options) &&
			   v->options[i].name; i++) {
		if (strcmp(v->options[i].name, o->name))
			continue;
		if (v->options[i].value && !*o->value)
			return "needs a value";
		if (!v->options[i].value && *o->value)
			return "takes no value";
		return NULL;
	}
	return "is unknown";
}

static bool check(const struct td_verb *v, struct td_control_req *req)
{
	const Td__Request *r = td_control_request(req);
	size_t max = sizeof(v->args) / sizeof(*v->args), n = 0, need = 0;

	while (n < max && v->args[n].name)
		need += !v->args[n++].optional;
	if (r->n_args < need || r->n_args > n) {
		td_control_reply_error(req, 2,
				       "%s: %zu argument%s given, %s%zu needed",
				       v->name, r->n_args,
				       r->n_args == 1 ? "" : "s",
				       n != need ? "at least " : "", need);
		return false;
	}
	for (size_t i = 0; i < r->n_options; i++) {
		const char *why = bad_option(v, r->options[i]);

		if (!why)
			continue;
		td_control_reply_error(req, 2, "%s: option --%s %s", v->name,
				       r->options[i]->name, why);
		return false;
	}
	return true;
}

void td_control_dispatch(struct td_control *c, struct td_control_req *req)
{
	const Td__Request *r = td_control_request(req);
	const struct td_verb *v = row(r->verb);
	const struct handler *h;

	c->stats.requests++;
	if (!v) {
		td_control_reply_error(req, 2, "unknown command `%s'", r->verb);
		return;
	}
	if (!check(v, req))
		return;
	h = find(c, r->verb);
	if (!h) {
		td_control_reply_error(req, 1,
				       "%s: this daemon does not serve it",
				       r->verb);
		return;
	}
	h->fn(h->arg, req);
}
