/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_API_RIG_H
#define TEST_API_RIG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/cli/client.h"
#include "proto/base/loop.h"
#include "tests/unit/store/wait.h"

/* A client in a thread of its own, which may block, while the test's thread
 * runs the loop of the server. */
struct client {
	const char *path, *verb;
	const char *args[4];
	const char *options[8];		/* name, value, …; NULL ends */
	const void *body;
	size_t n_body;
	const char *who;
	Td__Reply *reply;
	int rc;
	char why[256];
	bool done;			/* atomic */
};

static inline void *client_thread(void *arg)
{
	struct client *c = arg;
	Td__Request r = TD__REQUEST__INIT;
	Td__Option opt[4], *opts[4];
	int fd = cli_connect(c->path, c->why, sizeof(c->why));

	r.verb = (char *)c->verb;
	r.args = (char **)c->args;
	while (r.n_args < 4 && c->args[r.n_args])
		r.n_args++;
	for (; r.n_options < 4 && c->options[2 * r.n_options]; r.n_options++) {
		Td__Option *o = opts[r.n_options] = &opt[r.n_options];

		td__option__init(o);
		o->name = (char *)c->options[2 * r.n_options];
		o->value = (char *)c->options[2 * r.n_options + 1];
	}
	r.options = opts;
	r.body.data = (uint8_t *)c->body;
	r.body.len = c->n_body;
	r.who = (char *)(c->who ? c->who : "");
	c->rc = fd < 0 ? fd : cli_ask(fd, &r, &c->reply, c->why,
				      sizeof(c->why));
	if (fd >= 0)
		close(fd);
	__atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline bool client_done(void *arg)
{
	return __atomic_load_n(&((struct client *)arg)->done,
			       __ATOMIC_ACQUIRE);
}

static inline void client_ask(struct td_loop *loop, struct client *c)
{
	pthread_t t;

	td_reply_free(c->reply);
	c->reply = NULL;
	c->done = false;
	assert_int_equal(pthread_create(&t, NULL, client_thread, c), 0);
	wait_for(loop, client_done, c);
	pthread_join(t, NULL);
}

/* A connection whose octets the test sends itself. */
static inline int raw_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* The server hung up? */
static inline bool raw_ended(void *arg)
{
	char buf[65536];
	int fd = *(int *)arg;

	return recv(fd, buf, sizeof(buf), 0) == 0;
}

#endif
