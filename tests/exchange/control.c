// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/exchange/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/str.h"

enum { CLIENTS = 32, LINE = 8192 };

struct client {
	struct td_xcontrol *c;
	int fd;			/* -1: free */
	char in[LINE];
	size_t n_in;
	char *out;
	size_t n_out, sent;
	int order;		/* it waits for the end of this one */
};

struct td_xcontrol {
	struct td_loop *loop;
	struct td_xcalls *calls;
	struct td_xengine *engine;
	const struct td_xengine_conf *conf;
	void (*kick)(void *arg);
	void *arg;
	char path[108];
	int fd;
	struct client client[CLIENTS];
};

static void drop(struct client *k)
{
	if (k->fd < 0)
		return;
	td_loop_fd_del(k->c->loop, k->fd);
	close(k->fd);
	k->fd = -1;
	free(k->out);
	k->out = NULL;
	if (k->order)
		td_xcalls_abandon(k->c->calls, k->order);
	k->order = 0;
}

static void flush(struct client *k)
{
	while (k->sent < k->n_out) {
		ssize_t n = send(k->fd, k->out + k->sent, k->n_out - k->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			td_loop_fd_mod(k->c->loop, k->fd, POLLIN | POLLOUT);
			return;
		}
		if (n < 0) {
			drop(k);
			return;
		}
		k->sent += n;
	}
	free(k->out);
	k->out = NULL;
	td_loop_fd_mod(k->c->loop, k->fd, POLLIN);
}

/* takes the reference; a client that asks before it has read is dropped */
static void reply(struct client *k, json_t *j)
{
	char *s = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(9)) :
		      NULL;

	json_decref(j);
	if (!s || k->out) {
		free(s);
		drop(k);
		return;
	}
	k->n_out = strlen(s);
	s[k->n_out++] = '\n';	/* in the place of the NUL */
	k->sent = 0;
	k->out = s;
	flush(k);
}

static json_t *failure(int rc, const char *what)
{
	return json_pack("{s:s,s:s}", "error", strerror(-rc), "what", what);
}

static void on_done(void *arg, int id, json_t *report)
{
	struct client *k = arg;

	k->order = 0;
	reply(k, json_incref(report));
}

static int line_of(struct td_xcontrol *c, const char *name)
{
	for (int i = 0; name && i < c->conf->n_lines; i++)
		if (!strcmp(c->conf->line[i].name, name))
			return i;
	return -1;
}

static const char *text(json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static double number(json_t *j, const char *key, double normal)
{
	json_t *v = json_object_get(j, key);

	return json_is_number(v) ? json_number_value(v) : normal;
}

static void cmd_call(struct client *k, json_t *j)
{
	struct td_xcontrol *c = k->c;
	bool detach = json_is_true(json_object_get(j, "detach"));
	struct td_xorder o = {
		.rate = number(j, "rate", 5),
		.hold_ms = number(j, "hold", 10) * 1000,
		.patience_ms = number(j, "timeout", 60) * 1000,
		.line = -1,
		.pattern = json_is_true(json_object_get(j, "pattern")),
		.overlap = json_is_true(json_object_get(j, "overlap")),
		.preferred = json_is_true(json_object_get(j, "preferred")),
	};
	int id = -EINVAL;

	if (!td_str_copy(o.to, sizeof(o.to), text(j, "to")) &&
	    !td_str_copy(o.to_last, sizeof(o.to_last), text(j, "to_last")) &&
	    !td_str_copy(o.from, sizeof(o.from), text(j, "from"))) {
		o.count = number(j, "count", o.to_last[0] ?
				 atoll(o.to_last) - atoll(o.to) + 1 : 1);
		if (json_object_get(j, "line"))
			o.line = line_of(c, text(j, "line"));
		if (o.line >= 0 || !json_object_get(j, "line"))
			id = td_xcalls_order(c->calls, &o,
					     detach ? NULL : on_done, k);
	}
	if (id < 0)
		reply(k, failure(id, "call"));
	else if (detach)
		reply(k, json_pack("{s:i}", "order", id));
	else
		k->order = id;
}

static void cmd_line(struct client *k, json_t *j)
{
	struct td_xcontrol *c = k->c;
	int i = line_of(c, text(j, "line")), node = -1;
	enum td_xline_mode m;

	if (i < 0 || td_xline_mode_parse(text(j, "mode"), &m)) {
		reply(k, failure(-EINVAL, "line"));
		return;
	}
	if (text(j, "node")[0]) {
		for (int n = 0; n < c->conf->line[i].n_nodes; n++)
			if (!strcmp(c->conf->line[i].node[n].name,
				    text(j, "node")))
				node = n;
		if (node < 0) {
			reply(k, failure(-EINVAL, "node"));
			return;
		}
	}
	td_xengine_lock(c->engine);
	td_xline_mode(td_xengine_line(c->engine, i), node, m,
		      number(j, "ber", 1e-3));
	td_xengine_unlock(c->engine);
	reply(k, json_pack("{s:b}", "ok", 1));
}

static void cmd_restart(struct client *k, json_t *j)
{
	int i = line_of(k->c, text(j, "line"));
	int rc = td_xcalls_restart(k->c->calls, i, number(j, "timeslot", 0));

	reply(k, rc ? failure(rc, "restart") : json_pack("{s:b}", "ok", 1));
}

static void cmd_status(struct client *k)
{
	json_t *j = td_xcalls_status(k->c->calls);

	td_xengine_lock(k->c->engine);
	json_object_set_new(j, "send_errors", json_integer(
			(json_int_t)td_xengine_send_errors(k->c->engine)));
	json_object_set_new(j, "strangers", json_integer(
			(json_int_t)td_xengine_strangers(k->c->engine)));
	td_xengine_unlock(k->c->engine);
	reply(k, j);
}

static void command(struct client *k, json_t *j)
{
	struct td_xcalls *x = k->c->calls;
	const char *cmd = text(j, "cmd");

	if (!strcmp(cmd, "status")) {
		cmd_status(k);
	} else if (!strcmp(cmd, "calls")) {
		reply(k, td_xcalls_list(x));
	} else if (!strcmp(cmd, "report")) {
		reply(k, td_xcalls_report(x, number(j, "since", 0)));
	} else if (!strcmp(cmd, "forget")) {
		td_xcalls_forget(x);
		reply(k, json_pack("{s:b}", "ok", 1));
	} else if (!strcmp(cmd, "hangup")) {
		reply(k, json_pack("{s:i}", "cleared",
				   td_xcalls_hangup(x, number(j, "order", 0),
						number(j, "cause", 16))));
	} else if (!strcmp(cmd, "line")) {
		cmd_line(k, j);
	} else if (!strcmp(cmd, "restart")) {
		cmd_restart(k, j);
	} else if (!strcmp(cmd, "call")) {
		cmd_call(k, j);
	} else {
		reply(k, failure(-ENOSYS, "no such command"));
	}
	k->c->kick(k->c->arg);
}

static void on_client(void *arg, int fd, int revents)
{
	struct client *k = arg;
	char *end;
	json_t *j;
	ssize_t n;

	if (revents & POLLOUT)
		flush(k);
	if (k->fd < 0 || !(revents & ~POLLOUT))
		return;
	n = recv(fd, k->in + k->n_in, sizeof(k->in) - 1 - k->n_in,
		 MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(k);
		k->c->kick(k->c->arg);
		return;
	}
	k->n_in += n;
	k->in[k->n_in] = 0;
	end = strchr(k->in, '\n');
	if (!end) {
		if (k->n_in == sizeof(k->in) - 1)
			drop(k);
		return;
	}
	*end = 0;
	k->n_in = 0;
	j = json_loads(k->in, 0, NULL);
	if (json_is_object(j) && !k->order)
		command(k, j);
	else
		reply(k, failure(-EINVAL, "not a command"));
	json_decref(j);
}

static void on_accept(void *arg, int fd, int revents)
{
	struct td_xcontrol *c = arg;
	int s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (s < 0)
		return;
	for (int i = 0; i < CLIENTS; i++) {
		struct client *k = &c->client[i];

		if (k->fd >= 0)
			continue;
		k->n_in = k->n_out = k->sent = 0;
		k->order = 0;
		if (td_loop_fd_add(c->loop, s, POLLIN, on_client, k))
			break;
		k->fd = s;
		return;
	}
	close(s);
}

static int address(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	return td_str_copy(a->sun_path, sizeof(a->sun_path), path);
}

static int listen_at(const char *path, int *out)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;
	struct sockaddr_un a;

	if (s < 0)
		return -errno;
	rc = address(path, &a);
	/* a socket file that nobody answers is left over from a crash */
	if (!rc && !connect(s, (struct sockaddr *)&a, sizeof(a)))
		rc = -EADDRINUSE;
	if (!rc) {
		close(s);
		s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
			   SOCK_NONBLOCK, 0);
		unlink(path);
		if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) ||
		    listen(s, 16))
			rc = -errno;
	}
	if (rc) {
		if (s >= 0)
			close(s);
		return rc;
	}
	*out = s;
	return 0;
}

int td_xcontrol_new(struct td_loop *loop, const char *path,
		    struct td_xcalls *calls, struct td_xengine *engine,
		    const struct td_xengine_conf *conf,
		    void (*kick)(void *arg), void *arg,
		    struct td_xcontrol **out)
{
	struct td_xcontrol *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->calls = calls;
	c->engine = engine;
	c->conf = conf;
	c->kick = kick;
	c->arg = arg;
	c->fd = -1;
	for (int i = 0; i < CLIENTS; i++) {
		c->client[i].c = c;
		c->client[i].fd = -1;
	}
	rc = td_str_copy(c->path, sizeof(c->path), path);
	if (!rc)
		rc = listen_at(path, &c->fd);
	if (!rc)
		rc = td_loop_fd_add(loop, c->fd, POLLIN, on_accept, c);
	if (rc) {
		td_xcontrol_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void td_xcontrol_free(struct td_xcontrol *c)
{
	if (!c)
		return;
	for (int i = 0; i < CLIENTS; i++)
		drop(&c->client[i]);
	if (c->fd >= 0) {
		td_loop_fd_del(c->loop, c->fd);
		close(c->fd);
		unlink(c->path);
	}
	free(c);
}

int td_xcontrol_ask(const char *path, json_t *command_json, json_t **answer)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
	struct sockaddr_un a;
	json_t *j = NULL;

	if (s < 0)
		return -errno;
	rc = address(path, &a);
	if (!rc && connect(s, (struct sockaddr *)&a, sizeof(a)))
		rc = -errno;
	if (!rc && (json_dumpfd(command_json, s, JSON_COMPACT) ||
		    send(s, "\n", 1, MSG_NOSIGNAL) != 1))
		rc = -EIO;
	if (!rc) {
		j = json_loadfd(s, JSON_DISABLE_EOF_CHECK, NULL);
		if (!j)
			rc = -EPIPE;
	}
	close(s);
	if (!rc)
		*answer = j;
	return rc;
}
