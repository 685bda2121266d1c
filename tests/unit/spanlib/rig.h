/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TESTS_SPANLIB_RIG_H
#define TD_TESTS_SPANLIB_RIG_H

/* A real tandem-spand in a directory of its own, and the exchange's end of
 * its lines. The test is the clock: nothing moves but by a packet it sends.
 * The packets are put together here, octet by octet, not by spanctl/core. */

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spanctl/lib/span.h"

enum { RIG_PACKET = 252, RIG_PORTS = 2, RIG_PATIENCE_MS = 20000 };

struct rig {
	char dir[64], conf[96], sock[96];
	pid_t pid;
	int line[RIG_PORTS + 1];	/* the exchange's end, index 1.. */
	struct sockaddr_in card[RIG_PORTS + 1];
	struct td_card *owner;
	struct td_port *port[RIG_PORTS + 1];
};

static inline int64_t rig_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline void rig_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

/* Waits until cond holds; fails the test when it never does. */
#define rig_until(cond)                                                        \
	do {                                                                   \
		int64_t rig_end_ = rig_now_ns() + RIG_PATIENCE_MS * 1000000LL; \
		while (!(cond)) {                                              \
			if (rig_now_ns() > rig_end_)                           \
				fail_msg("never came: %s", #cond);             \
			rig_nap();                                             \
		}                                                              \
	} while (0)

static inline int rig_bind(struct sockaddr_in *sa)
{
	socklen_t len = sizeof(*sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int big = 1 << 20;

	assert_true(fd >= 0);
	*sa = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	assert_int_equal(bind(fd, (struct sockaddr *)sa, sizeof(*sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sa, &len), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	return fd;
}

/* build/gcc/tests/unit/spanlib/test_x -> build/gcc/bin/<name> */
static inline void rig_program(const char *name, char out[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	for (int i = 0; i < 4; i++)
		*strrchr(self, '/') = '\0';
	n = snprintf(out, PATH_MAX, "%s/bin/%s", self, name);
	assert_true(n < PATH_MAX);
}

static inline void rig_spawn(struct rig *r)
{
	char program[PATH_MAX];
	pid_t parent = getpid();

	rig_program("tandem-spand", program);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (!r->pid) {
		if (getppid() == parent)
			execl(program, program, "-c", r->conf, NULL);
		_exit(127);
	}
}

static inline int rig_open(struct rig *r)
{
	int rc = td_card_open(r->sock, TD_CARD_OWNER, &r->owner);

	for (int i = 1; !rc && i <= RIG_PORTS; i++)
		r->port[i] = td_card_port(r->owner, i);
	return rc;
}

static inline void rig_start(struct rig *r)
{
	struct sockaddr_in mine[RIG_PORTS + 1];
	int hold[RIG_PORTS + 1];
	FILE *f;

	memset(r, 0, sizeof(*r));
	snprintf(r->dir, sizeof(r->dir), "/tmp/td-span-test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->conf, sizeof(r->conf), "%s/spand.conf", r->dir);
	snprintf(r->sock, sizeof(r->sock), "%s/span.sock", r->dir);
	f = fopen(r->conf, "w");
	assert_non_null(f);
	fprintf(f, "socket %s\nrealtime no\n", r->sock);
	for (int i = 1; i <= RIG_PORTS; i++) {
		r->line[i] = rig_bind(&mine[i]);
		hold[i] = rig_bind(&r->card[i]);
		fprintf(f, "port %d local 127.0.0.1:%u peer 127.0.0.1:%u\n", i,
			ntohs(r->card[i].sin_port), ntohs(mine[i].sin_port));
	}
	fclose(f);
	for (int i = 1; i <= RIG_PORTS; i++)
		close(hold[i]);
	rig_spawn(r);
	rig_until(rig_open(r) == 0);
}

static inline void rig_stop(struct rig *r)
{
	int status = 0;

	td_card_close(r->owner);
	kill(r->pid, SIGTERM);
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	/* a sanitizer's complaint is a status too */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_not_equal(access(r->sock, F_OK), 0);
	unlink(r->conf);
	rmdir(r->dir);
	for (int i = 1; i <= RIG_PORTS; i++)
		close(r->line[i]);
}

static inline struct td_port_status rig_status(struct rig *r, int port)
{
	struct td_port_status st;

	td_port_status(r->port[port], &st);
	return st;
}

/* octet of the exchange in packet seq, frame f, timeslot ts */
static inline uint8_t rig_octet(uint16_t seq, int f, int ts)
{
	return (uint8_t)(seq * 37 + (seq >> 8) * 11 + f * 101 + ts * 7);
}

static inline void rig_packet(uint16_t seq, uint8_t out[RIG_PACKET])
{
	out[0] = out[1] = 0;
	out[2] = seq >> 8;
	out[3] = seq & 0xff;
	for (int f = 0; f < 8; f++)
		for (int ts = 1; ts < 32; ts++)
			out[4 + f * 31 + ts - 1] = rig_octet(seq, f, ts);
}

static inline uint8_t *rig_at(uint8_t *packet, int f, int ts)
{
	return &packet[4 + f * 31 + ts - 1];
}

static inline void rig_send_raw(struct rig *r, int port, const void *buf,
				size_t n)
{
	assert_int_equal(sendto(r->line[port], buf, n, 0,
				(struct sockaddr *)&r->card[port],
				sizeof(r->card[port])), n);
}

static inline void rig_send(struct rig *r, int port, uint16_t seq)
{
	uint8_t packet[RIG_PACKET];

	rig_packet(seq, packet);
	rig_send_raw(r, port, packet, sizeof(packet));
}

/* The card's next answer. */
static inline uint16_t rig_answer(struct rig *r, int port,
				  uint8_t out[RIG_PACKET])
{
	struct pollfd pfd = { .fd = r->line[port], .events = POLLIN };

	if (poll(&pfd, 1, RIG_PATIENCE_MS) != 1)
		fail_msg("no answer on port %d", port);
	assert_int_equal(recv(r->line[port], out, RIG_PACKET, MSG_TRUNC),
			 RIG_PACKET);
	return (uint16_t)(out[2] << 8 | out[3]);
}

static inline bool rig_silent(struct rig *r, int port)
{
	uint8_t packet[RIG_PACKET];

	return recv(r->line[port], packet, sizeof(packet), MSG_DONTWAIT) < 0;
}

/* Waits until the card has dealt with n packets of the peer. What it answers
 * it has sent by then. */
/** Does the card wait for something new? Counters are published one by one:
 *  what a packet changed is all there only then. */
static inline bool rig_waits(struct rig *r)
{
	char path[64], text[256] = "";
	const char *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)r->pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	p = strrchr(text, ')');
	return p && p[1] == ' ' && p[2] == 'S';
}

static inline void rig_dealt(struct rig *r, int port, uint64_t n)
{
	rig_until(rig_status(r, port).counters.rx_packets >= n);
	rig_until(rig_waits(r));
	assert_int_equal(rig_status(r, port).counters.rx_packets, n);
}

static inline void rig_lease(struct rig *r, int port, uint64_t epoch)
{
	assert_int_equal(td_port_lease(r->port[port], epoch,
				       rig_now_ns() + 50000000000LL), 0);
}

#endif
