// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/phone/sip.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "proto/base/str.h"
#include "tests/phone/sip_private.h"

enum { HASH = 256, CLOSE_MS = 2000, PORT_TRIES = 50 };

static int auth(char **user, char **pass, const char *realm, void *arg)
{
	const struct td_psip_reg *r = arg;
	int err = str_dup(user, r->user);

	return err ? err : re_sdprintf(pass, "pw%s", r->user);
}

static void on_register(int err, const struct sip_msg *msg, void *arg)
{
	struct td_psip_reg *r = arg;
	bool ok = !err && msg && msg->scode >= 200 && msg->scode < 300;
	struct td_psip_event ev = {
		.kind = ok ? TD_PSIP_REGISTERED : TD_PSIP_REGISTER_FAILED,
		.user = r->index, .status = msg ? msg->scode : 0,
	};

	if (!r->s->stopping)
		r->s->fn(r->s->arg, &ev);
}

int td_psip_register(struct td_psip *s, const char *user, int index)
{
	struct td_psip_reg *r = &s->reg[s->n_regs];
	const char *route = s->route;
	char uri[128], reg_uri[128];

	if (s->n_regs == TD_PSIP_REGS)
		return -ENOSPC;
	if (td_str_copy(r->user, sizeof(r->user), user))
		return -EINVAL;
	r->s = s;
	r->index = index;
	snprintf(uri, sizeof(uri), "sip:%s@%s", user, s->conf.domain);
	snprintf(reg_uri, sizeof(reg_uri), "sip:%s", s->conf.domain);
	s->n_regs++;
	return -sipreg_register(&r->reg, s->sip, reg_uri, uri, NULL, uri,
				s->conf.expires_s, r->user, &route, 1, 0, auth,
				r, false, on_register, r, NULL, NULL);
}

/* The header that ends in a line of its own; not a parser: only Call-ID and
 * CSeq of a message that libre parses anyway. */
static bool header(const char *pkt, size_t n, const char *name, char *out,
		   size_t size)
{
	const char *at = memmem(pkt, n, name, strlen(name)), *end;

	if (!at)
		return false;
	at += strlen(name);
	end = memchr(at, '\r', n - (at - pkt));
	if (!end)
		return false;
	while (at < end && *at == ' ')
		at++;
	snprintf(out, size, "%.*s", (int)(end - at), at);
	return true;
}

int td_psip_q850(const char *v, size_t n)
{
	char t[128], *at;

	snprintf(t, sizeof(t), "%.*s", (int)n, v);
	at = strstr(t, "cause=");
	return strstr(t, "Q.850") && at ? atoi(at + 6) : 0;
}

static struct td_psip_call *call_by_id(struct td_psip *s, const char *id)
{
	for (struct le *le = s->calls.head; le; le = le->next) {
		struct td_psip_call *c = le->data;

		if (!strcmp(c->call_id, id))
			return c;
	}
	return NULL;
}

/* libre tells nothing any more of a call that we gave up, and a BYE without
 * its headers: the final response and the cause are taken from the wire. */
static void on_trace(bool tx, enum sip_transp tp, const struct sa *src,
		     const struct sa *dst, const uint8_t *pkt, size_t len,
		     void *arg)
{
	const char *p = (const char *)pkt;
	struct td_psip_call *c;
	char id[128], v[128];

	if (tx || len < 16 ||
	    !header(p, len, "\r\nCall-ID:", id, sizeof(id)))
		return;
	c = call_by_id(arg, id);
	if (!c)
		return;
	if (!memcmp(p, "BYE ", 4) || !memcmp(p, "CANCEL ", 7)) {
		if (header(p, len, "\r\nReason:", v, sizeof(v)))
			c->wire_cause = td_psip_q850(v, strlen(v));
	} else if (!memcmp(p, "SIP/2.0 ", 8) && p[8] >= '2' &&
		   header(p, len, "\r\nCSeq:", v, sizeof(v)) &&
		   strstr(v, "INVITE")) {
		int status = atoi(p + 8);

		if (status != 401 && status != 407)
			c->wire_status = status;
	}
}

static void on_closed(void *arg)
{
	struct td_psip *s = arg;

	s->closed = true;
	re_cancel();
}

static void on_signal(int flags, void *arg)
{
	struct td_psip *s = arg;
	struct signalfd_siginfo si;

	if (read(s->signal_fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGUSR1 && s->usr1)
		*s->usr1 = true;
	else
		td_psip_stop(s);
}

void td_psip_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int open_signals(struct td_psip *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signal_fd < 0)
		return errno;
	return fd_listen(s->signal_fd, FD_READ, on_signal, s);
}

static int open_transports(struct td_psip *s)
{
	struct sa any;
	int err;

	sa_set_in(&any, ntohl(s->conf.local.s_addr), s->conf.port);
	err = sip_alloc(&s->sip, NULL, HASH, HASH, HASH, "tandem-phone",
			on_closed, s);
	if (err)
		return err;
	sip_set_trace_handler(s->sip, on_trace);
	err = sip_transp_add(s->sip, SIP_TRANSP_UDP, &any);
	if (!err)
		err = sip_transp_laddr(s->sip, &s->laddr, SIP_TRANSP_UDP,
				       NULL);
	/* the same port, so that one contact serves both */
	return err ? err : sip_transp_add(s->sip, SIP_TRANSP_TCP, &s->laddr);
}

static int open_stack(struct td_psip *s)
{
	int err = EADDRINUSE;

	/* a port that was free for UDP may be taken for TCP */
	for (int i = 0; err == EADDRINUSE && i < PORT_TRIES; i++) {
		if (s->sip)
			sip_close(s->sip, true);
		s->sip = mem_deref(s->sip);
		s->closed = false;
		err = open_transports(s);
		if (s->conf.port)
			break;
	}
	if (err)
		return err;
	return sipsess_listen(&s->sock, s->sip, HASH, td_psip_incoming, s);
}

int td_psip_new(const struct td_psip_conf *conf, td_psip_fn fn, void *arg,
		struct td_psip **out)
{
	struct td_psip *s;
	int err;

	if (strlen(conf->via) > sizeof(s->route) - 32)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->conf = *conf;
	s->fn = fn;
	s->arg = arg;
	s->signal_fd = -1;
	tmr_init(&s->tick);
	snprintf(s->route, sizeof(s->route), "sip:%s%s", conf->via,
		 conf->tcp ? ";transport=tcp" : "");
	err = libre_init();
	if (!err) {
		fd_setsize(4096);
		err = open_signals(s);
	}
	if (!err)
		err = open_stack(s);
	if (err) {
		s->closed = true;	/* nothing to wait for */
		td_psip_free(s, false);
		return -err;
	}
	*out = s;
	return 0;
}

static void give_up(void *arg)
{
	re_cancel();
}

void td_psip_free(struct td_psip *s, bool unregister)
{
	struct tmr patience;

	if (!s)
		return;
	s->stopping = true;
	tmr_cancel(&s->tick);
	while (s->calls.head)
		td_psip_call_free(s->calls.head->data);
	if (s->sock)
		sipsess_close_all(s->sock);
	/* dropping a registration sends its end */
	for (int i = 0; unregister && i < s->n_regs; i++)
		s->reg[i].reg = mem_deref(s->reg[i].reg);
	if (s->sip && !s->closed) {
		sip_close(s->sip, false);
		tmr_init(&patience);
		tmr_start(&patience, CLOSE_MS, give_up, NULL);
		if (!s->closed)
			re_main(NULL);
		tmr_cancel(&patience);
	}
	if (s->signal_fd >= 0) {
		fd_close(s->signal_fd);
		close(s->signal_fd);
	}
	if (s->sip)
		sip_close(s->sip, true);
	for (int i = 0; i < s->n_regs; i++)
		s->reg[i].reg = mem_deref(s->reg[i].reg);
	mem_deref(s->sock);
	mem_deref(s->sip);
	libre_close();
	free(s);
}

static void on_turn(void *arg)
{
	struct td_psip *s = arg;
	int ms = s->turn(s->turn_arg);

	if (!s->stopping)
		tmr_start(&s->tick, ms, on_turn, s);
}

void td_psip_kick(struct td_psip *s)
{
	if (s->turn && !s->stopping)
		tmr_start(&s->tick, 0, on_turn, s);
}

int td_psip_run(struct td_psip *s, td_psip_turn_fn turn, void *arg,
		bool *usr1)
{
	s->turn = turn;
	s->turn_arg = arg;
	s->usr1 = usr1;
	tmr_start(&s->tick, 0, on_turn, s);
	return -re_main(NULL);
}

void td_psip_stop(struct td_psip *s)
{
	re_cancel();
}

uint16_t td_psip_port(const struct td_psip *s)
{
	return sa_port(&s->laddr);
}
