// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/phone/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/str.h"
#include "tests/instr/tick.h"
#include "tests/phone/load_private.h"

enum {
	SLOTS = 16384,		/* requests under way; a power of two */
	T1_MS = 500, T2_MS = 4000,	/* RFC 3261 17.1.2 */
	BURST = 64,		/* what a turn makes good after a pause */
	TRIES = 4,		/* challenges to one request */
	RECEIVE_OCTETS = 8 << 20,
};

int td_load_vias(const char *text, struct td_load_conf *conf)
{
	char copy[256], *save, *one;

	conf->vias = 0;
	if (td_str_copy(copy, sizeof(copy), text))
		return -EINVAL;
	for (one = strtok_r(copy, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		struct sockaddr_in *a = &conf->via[conf->vias];
		char *colon = strchr(one, ':');
		long port = colon ? strtol(colon + 1, NULL, 10) : 5060;

		if (colon)
			*colon = 0;
		if (conf->vias == TD_LOAD_VIAS || port < 1 || port > 65535)
			return -EINVAL;
		*a = (struct sockaddr_in){ .sin_family = AF_INET,
					   .sin_port = htons(port) };
		if (inet_pton(AF_INET, one, &a->sin_addr) != 1)
			return -EINVAL;
		conf->vias++;
	}
	return conf->vias ? 0 : -EINVAL;
}

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int64_t now_ms(void)
{
	return td_tick_now_ns() / 1000000;
}

/* ---- one request ---- */

static void send_request(struct load *l, struct request *q)
{
	struct user *u = &l->user[q->user];
	struct td_load_request r = {
		.domain = l->conf.domain, .user = l->conf.first + q->user,
		.local = l->local, .contact = q->uri, .branch = q->branch,
		.run = l->run, .cseq = u->cseq,
		.expires_s = q->expires_s,
	};
	int n = td_load_write(&r, &u->auth, q->msg, sizeof(q->msg));

	q->octets = n > 0 ? n : 0;
	q->wait_ms = T1_MS;
	q->due_ms = l->now_ms + T1_MS;
	if (sendto(l->fd, q->msg, q->octets, 0,
		   (const struct sockaddr *)&l->conf.via[u->via],
		   sizeof(l->conf.via[0])) < 0)
		l->send_errors++;
}

/* a request of its own each: branch and CSeq are new */
static struct request *request_new(struct load *l)
{
	for (int tries = 0; tries < SLOTS; tries++) {
		uint64_t branch = ++l->next_branch;
		struct request *q = l->slot[branch % SLOTS];

		if (q)
			continue;
		q = calloc(1, sizeof(*q));
		if (q) {
			q->branch = branch;
			l->slot[branch % SLOTS] = q;
			l->under_way++;
		}
		return q;
	}
	return NULL;
}

static void begin(struct load *l, int user)
{
	struct user *u = &l->user[user];
	struct request *q = u->busy ? NULL : request_new(l);

	if (!q) {
		l->skipped++;
		return;
	}
	q->user = user;
	q->op = l->conf.clear ? TD_LOAD_CLEAR :
		l->conf.fill ? TD_LOAD_PUT : td_load_plan(u, &q->contact);
	if (q->op == TD_LOAD_PUT)
		q->contact = u->next_contact++;
	if (q->op == TD_LOAD_CLEAR)
		strcpy(q->uri, "*");
	else
		td_load_uri(l, q);
	if (q->op == TD_LOAD_PUT)
		q->expires_s = l->conf.expires_s;
	else if (q->op == TD_LOAD_REFRESH)
		/* told apart from what it replaces, at any moment */
		q->expires_s = l->conf.expires_s + 100 * (1 + u->cseq % 3);
	q->start_ms = l->now_ms;
	u->busy = true;
	u->cseq++;
	send_request(l, q);
}

static void book(struct load *l, const struct request *q, int status)
{
	static const char *const ops[] = { "put", "refresh", "delete",
					   "clear" };
	const struct user *u = &l->user[q->user];

	if (l->book)
		fprintf(l->book, "%" PRId64 " %lld %s %s %d %d %u %" PRId64
			" %d\n", wall_ms(), l->conf.first + q->user, q->uri,
			ops[q->op], status, q->expires_s, u->cseq,
			l->now_ms - q->start_ms, u->via);
}

static void count(struct load *l, const struct request *q, int status)
{
	int64_t rtt = l->now_ms - q->start_ms;

	if (status == 200) {
		l->ok[q->op]++;
		l->rtt[rtt < LOAD_RTT_MS - 1 ? rtt : LOAD_RTT_MS - 1]++;
		if (!l->ready && l->conf.ready) {
			FILE *f = fopen(l->conf.ready, "w");

			if (!f || fclose(f))
				td_info("phone", "%s: %s", l->conf.ready,
					strerror(errno));
		}
		l->ready = true;
	} else if (status) {
		l->refused[status]++;
	} else {
		l->no_answer++;
	}
}

static void over(struct load *l, struct request *q, int status)
{
	struct user *u = &l->user[q->user];

	book(l, q, status);
	count(l, q, status);
	u->busy = false;
	td_load_learn(u, q->op, q->contact, status == 200);
	l->slot[q->branch % SLOTS] = NULL;
	l->under_way--;
	free(q);
}

static void challenged(struct load *l, struct request *q, const char *nonce)
{
	struct user *u = &l->user[q->user];

	if (!*nonce || ++q->tries > TRIES) {
		over(l, q, 401);
		return;
	}
	td_str_cut(u->auth.nonce, sizeof(u->auth.nonce), nonce);
	u->auth.nc = 0;
	u->cseq++;
	l->challenges++;
	/* the old branch's late answers are nobody's */
	l->slot[q->branch % SLOTS] = NULL;
	do
		q->branch = ++l->next_branch;
	while (l->slot[q->branch % SLOTS]);
	l->slot[q->branch % SLOTS] = q;
	send_request(l, q);
}

static void on_answer(struct load *l, const char *msg, size_t n)
{
	struct td_load_answer a;
	struct request *q;

	if (td_load_read(msg, n, &a) || a.run != l->run) {
		l->strange++;
		return;
	}
	q = l->slot[a.branch % SLOTS];
	if (!q || q->branch != a.branch) {
		l->late++;
		return;
	}
	if (a.status < 200)
		return;
	if (a.status == 401) {
		challenged(l, q, a.nonce);
		return;
	}
	/* RFC 3261 10.3 step 8: the 200 lists what is bound now */
	if (a.status == 200 &&
	    ((q->op == TD_LOAD_PUT || q->op == TD_LOAD_REFRESH) !=
	     td_load_lists(msg, n, q->uri)))
		l->wrong_200++;
	over(l, q, a.status);
}

/* ---- turns ---- */

static void receive(struct load *l)
{
	char buf[4096];
	ssize_t n;

	for (;;) {
		n = recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return;
		l->now_ms = now_ms();
		on_answer(l, buf, n);
	}
}

static void retransmit(struct load *l, struct request *q)
{
	if (l->now_ms - q->start_ms >= l->conf.patience_ms) {
		over(l, q, 0);
		return;
	}
	if (q->due_ms > l->now_ms)
		return;
	l->retransmitted++;
	q->wait_ms = q->wait_ms * 2 > T2_MS ? T2_MS : q->wait_ms * 2;
	q->due_ms = l->now_ms + q->wait_ms;
	if (sendto(l->fd, q->msg, q->octets, 0, (const struct sockaddr *)
		   &l->conf.via[l->user[q->user].via],
		   sizeof(l->conf.via[0])) < 0)
		l->send_errors++;
}

static void timers(struct load *l)
{
	if (l->now_ms < l->timers_ms)
		return;
	l->timers_ms = l->now_ms + 50;
	for (int i = 0; i < SLOTS && l->under_way; i++)
		if (l->slot[i])
			retransmit(l, l->slot[i]);
}

/* A pause of the machine is made good, but not at once. */
static void pace(struct load *l)
{
	double due = (l->now_ms - l->start_ms) * l->conf.rate / 1000;

	if (l->begun < due - 1000)
		l->start_ms += (due - 1000 - l->begun) * 1000 / l->conf.rate;
	for (int i = 0; i < BURST && l->begun < due && !l->ending; i++) {
		int user = l->begun++ % l->conf.users;

		begin(l, user);
		if (l->conf.clear && user == l->conf.users - 1)
			l->ending = true;
	}
}

static int turn(struct load *l)
{
	struct pollfd p[2] = { { .fd = l->fd, .events = POLLIN },
			       { .fd = l->signal_fd, .events = POLLIN } };
	struct signalfd_siginfo si;

	if (poll(p, 2, 2) < 0 && errno != EINTR)
		return -errno;
	l->now_ms = now_ms();
	if (p[1].revents && read(l->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGUSR1)
			td_load_print(l);
		else
			l->ending = true;
	}
	receive(l);
	if (l->conf.run_s > 0 &&
	    l->now_ms - l->first_ms >= l->conf.run_s * 1000)
		l->ending = true;
	pace(l);
	timers(l);
	return 0;
}

/* ---- start and end ---- */

static int open_socket(struct load *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = l->conf.local,
				 .sin_port = htons(l->conf.port) };
	socklen_t n = sizeof(a);
	int octets = RECEIVE_OCTETS;
	char text[INET_ADDRSTRLEN];

	l->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	if (setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets,
		       sizeof(octets)) &&
	    setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets)))
		return -errno;
	if (bind(l->fd, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(l->fd, (struct sockaddr *)&a, &n))
		return -errno;
	inet_ntop(AF_INET, &a.sin_addr, text, sizeof(text));
	snprintf(l->address, sizeof(l->address), "%s", text);
	snprintf(l->local, sizeof(l->local), "%s:%u", text,
		 ntohs(a.sin_port));
	return 0;
}

static int open_signals(struct load *l)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	l->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return l->signal_fd < 0 ? -errno : 0;
}

static int load_open(struct load *l)
{
	int rc = open_socket(l);

	if (!rc)
		rc = open_signals(l);
	if (!rc && l->conf.log) {
		l->book = fopen(l->conf.log, "we");
		rc = l->book ? 0 : -errno;
	}
	l->user = calloc(l->conf.users, sizeof(*l->user));
	l->slot = calloc(SLOTS, sizeof(struct request *));
	if (!rc && (!l->user || !l->slot))
		rc = -ENOMEM;
	if (!rc && getrandom(&l->run, sizeof(l->run), 0) != sizeof(l->run))
		rc = -EIO;
	for (int i = 0; !rc && i < l->conf.users; i++) {
		l->user[i].via = i % l->conf.vias;
		l->user[i].next_contact = l->conf.contact_port;
	}
	return rc;
}

static void load_close(struct load *l)
{
	for (int i = 0; l->slot && i < SLOTS; i++)
		free(l->slot[i]);
	free(l->slot);
	free(l->user);
	if (l->fd >= 0)
		close(l->fd);
	if (l->signal_fd >= 0)
		close(l->signal_fd);
}

int td_load_run(const struct td_load_conf *conf, bool json)
{
	struct load *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->conf = *conf;
	l->json = json;
	l->fd = l->signal_fd = -1;
	rc = load_open(l);
	l->start_ms = l->first_ms = l->now_ms = now_ms();
	while (!rc && !(l->ending && !l->under_way))
		rc = turn(l);
	if (!rc)
		td_load_print(l);
	if (l->book && fclose(l->book) && !rc)
		rc = -EIO;
	load_close(l);
	free(l);
	return rc;
}
