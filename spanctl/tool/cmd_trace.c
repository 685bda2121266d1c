// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/tool/tool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* pcap, LINKTYPE_LINUX_LAPD: a 16-octet header that says the direction, then
 * the frame without its FCS (tcpdump.org, link-layer types, 177). */
enum {
	LINKTYPE_LINUX_LAPD = 177,
	LAPD_HEADER = 16,
	LAPD_HOST = 0, LAPD_OUTGOING = 4,
	LAPD_PROTOCOL = 0x0030,
};

static int pcap_begin(FILE *f)
{
	const uint32_t magic_ns = 0xa1b23c4d;
	const uint16_t version[2] = { 2, 4 };
	const uint32_t rest[4] = { 0, 0, TD_HDLC_MAX + LAPD_HEADER,
				   LINKTYPE_LINUX_LAPD };

	fwrite(&magic_ns, sizeof(magic_ns), 1, f);
	fwrite(version, sizeof(version), 1, f);
	fwrite(rest, sizeof(rest), 1, f);
	return fflush(f) ? -errno : 0;
}

static int pcap_frame(FILE *f, const struct td_span_frame *info,
		      const uint8_t *data, size_t n)
{
	const uint32_t head[4] = {
		(uint32_t)(info->time_ns / 1000000000),
		(uint32_t)(info->time_ns % 1000000000),
		(uint32_t)(n + LAPD_HEADER), (uint32_t)(n + LAPD_HEADER),
	};
	uint8_t lapd[LAPD_HEADER] = { 0 };

	lapd[1] = info->dir == TD_SPAN_TX ? LAPD_OUTGOING : LAPD_HOST;
	/* octet 6: 0, this side is the user; the last two: the protocol */
	lapd[15] = LAPD_PROTOCOL;
	fwrite(head, sizeof(head), 1, f);
	fwrite(lapd, sizeof(lapd), 1, f);
	fwrite(data, n, 1, f);
	/* a reader may follow the file */
	return fflush(f) ? -errno : 0;
}

static int text_frame(const struct td_span_frame *info, const uint8_t *data,
		      size_t n, bool json)
{
	time_t s = (time_t)(info->time_ns / 1000000000);
	char hex[2 * TD_HDLC_MAX + 1], when[16];
	struct tm tm;

	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", data[i]);
	localtime_r(&s, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	if (json)
		printf("{\"time_ns\": %lld, \"dir\": \"%s\", \"timeslot\": %u,"
		       " \"block\": %llu, \"frame\": \"%s\"}\n",
		       (long long)info->time_ns,
		       info->dir == TD_SPAN_TX ? "tx" : "rx", info->timeslot,
		       (unsigned long long)info->block, hex);
	else
		printf("%s.%03d %-3s %-2u %-10llu %s\n", when,
		       (int)(info->time_ns / 1000000 % 1000),
		       info->dir == TD_SPAN_TX ? "tx" : "rx", info->timeslot,
		       (unsigned long long)info->block, hex);
	return fflush(stdout) ? -errno : 0;
}

/* @return 0: go on; 1: enough; negative: cannot be written */
static int drain(struct tool *t, struct td_port *p, FILE *f,
		 unsigned long *done)
{
	uint8_t data[TD_HDLC_MAX];
	struct td_span_frame info;
	size_t n;
	int rc;

	while (!td_port_frame_recv(p, &info, data, sizeof(data), &n)) {
		rc = f ? pcap_frame(f, &info, data, n) :
			text_frame(&info, data, n, t->json);
		if (rc)
			return rc;
		if (++*done == t->count)
			return 1;
	}
	return 0;
}

static int follow(struct tool *t, struct td_port *p, FILE *f, int sig)
{
	struct pollfd pfd[3] = {
		{ .fd = td_port_event_fd(p), .events = POLLIN },
		{ .fd = td_card_fd(t->card), .events = POLLIN },
		{ .fd = sig, .events = POLLIN },
	};
	unsigned long done = 0;
	int rc;

	for (;;) {
		td_port_event_clear(p);
		rc = drain(t, p, f, &done);
		if (rc)
			return rc < 0 ? rc : 0;
		if (pfd[1].revents)
			return -ENOTCONN;
		if (pfd[2].revents)
			return 0;
		if (poll(pfd, 3, -1) < 0 && errno != EINTR)
			return -errno;
	}
}

static void overruns(const struct td_port *p)
{
	struct td_port_status st;

	td_port_status(p, &st);
	if (st.counters.hdlc_overrun)
		fprintf(stderr, "spanctl: frames are missing: overrun %llu "
			"times\n",
			(unsigned long long)st.counters.hdlc_overrun);
}

int cmd_trace(struct tool *t)
{
	struct td_port *p = td_card_port(t->card, t->port);
	FILE *f = NULL;
	sigset_t set;
	int rc = 0, sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sig = signalfd(-1, &set, SFD_CLOEXEC);
	if (!t->file && !t->json) {
		printf("%-12s %s %s %-10s %s\n", "TIME", "DIR", "TS", "BLOCK",
		       "FRAME");
		fflush(stdout);
	} else if (t->file) {
		f = strcmp(t->file, "-") ? fopen(t->file, "we") : stdout;
		rc = f ? pcap_begin(f) : -errno;
	}
	if (!rc)
		rc = follow(t, p, f, sig);
	if (f && f != stdout && fclose(f) && !rc)
		rc = -errno;
	close(sig);
	overruns(p);
	if (!rc)
		return EXIT_OK;
	fprintf(stderr, "spanctl: %s: %s\n",
		rc == -ENOTCONN ? "card" : t->file ? t->file : "stdout",
		rc == -ENOTCONN ? "is gone" : strerror(-rc));
	return EXIT_FAILED;
}
