// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/conf.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/str.h"
#include "spanctl/core/alarm.h"
#include "spanctl/core/seq.h"

enum { WORDS_MAX = 24, LINE_MAX_OCTETS = 512, IDLE = 0xd5, WINDOW = 4 };

struct reader {
	const char *path;
	unsigned int line;
	FILE *err;
	unsigned int mistakes;
	bool have_socket;
	uint32_t have_ports;	/* bit n: port n+1 */
	struct td_spand_conf conf;
};

__attribute__((format(printf, 2, 3)))
static void mistake(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	fprintf(r->err, "%s:%u: ", r->path, r->line);
	va_start(ap, fmt);
	vfprintf(r->err, fmt, ap);
	va_end(ap);
	fputc('\n', r->err);
	r->mistakes++;
}

socklen_t td_spand_sa_len(const struct sockaddr_storage *sa)
{
	switch (sa->ss_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	}
	return 0;
}

bool td_spand_sa_same(const struct sockaddr_storage *a,
		      const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		       a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       !memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr));
}

/* "10.0.0.1:5000" or "[fd00::1]:5000", numbers only */
static int parse_address(const char *text, struct sockaddr_storage *out)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	}, *res;
	char host[64], *colon, *h = host;
	size_t n;

	if (td_str_copy(host, sizeof(host), text))
		return -EINVAL;
	colon = strrchr(host, ':');
	if (!colon || !colon[1])
		return -EINVAL;
	*colon = '\0';
	n = strlen(host);
	if (host[0] == '[') {
		if (n < 3 || host[n - 1] != ']')
			return -EINVAL;
		host[n - 1] = '\0';
		h = host + 1;
	} else if (strchr(host, ':') || !n) {
		return -EINVAL;
	}
	if (getaddrinfo(h, colon + 1, &hints, &res))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	memcpy(out, res->ai_addr, res->ai_addrlen);
	freeaddrinfo(res);
	return 0;
}

static int parse_number(const char *text, int base, unsigned long min,
			unsigned long max, unsigned long *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, base);
	if (errno || *end || end == text || *text == '-' || v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static void port_setting(struct reader *r, struct td_spand_port_conf *p,
			 const char *key, const char *value)
{
	unsigned long v;

	if (!strcmp(key, "local") || !strcmp(key, "peer")) {
		if (parse_address(value, key[0] == 'l' ? &p->local : &p->peer))
			mistake(r, "%s: '%s' is not ADDRESS:PORT", key, value);
	} else if (!strcmp(key, "idle")) {
		if (parse_number(value, 16, 0, 255, &v))
			mistake(r, "idle: '%s' is not an octet (hex)", value);
		else
			p->idle = (uint8_t)v;
	} else if (!strcmp(key, "window")) {
		if (parse_number(value, 10, 1, TD_SEQ_WINDOW_MAX, &v))
			mistake(r, "window: '%s' is not 1 to %d", value,
				TD_SEQ_WINDOW_MAX);
		else
			p->window = (uint8_t)v;
	} else if (!strcmp(key, "los_ms")) {
		if (parse_number(value, 10, 10, 10000, &v))
			mistake(r, "los_ms: '%s' is not 10 to 10000", value);
		else
			p->los_ms = (uint32_t)v;
	} else {
		mistake(r, "unknown port setting '%s'", key);
	}
}

static void port_line(struct reader *r, char **word, int n)
{
	struct td_spand_port_conf p = {
		.idle = IDLE, .window = WINDOW, .los_ms = TD_ALARM_LOS_MS,
	};
	unsigned int before = r->mistakes;
	unsigned long no;

	if (n < 2 || parse_number(word[1], 10, 1, TD_SPAN_PORTS_MAX, &no)) {
		mistake(r, "port: a number from 1 to %d is needed",
			TD_SPAN_PORTS_MAX);
		return;
	}
	if (r->have_ports >> (no - 1) & 1)
		mistake(r, "port %lu is there already", no);
	for (int i = 2; i < n; i += 2) {
		if (i + 1 == n)
			mistake(r, "'%s' needs a value", word[i]);
		else
			port_setting(r, &p, word[i], word[i + 1]);
	}
	r->have_ports |= 1u << (no - 1);
	if (r->mistakes != before)
		return;
	if (!p.local.ss_family || !p.peer.ss_family) {
		mistake(r, "port %lu: local and peer are needed", no);
		return;
	}
	if (p.local.ss_family != p.peer.ss_family) {
		mistake(r, "port %lu: local and peer are IPv4 and IPv6", no);
		return;
	}
	for (unsigned int i = 0; i < TD_SPAN_PORTS_MAX; i++)
		if (td_spand_sa_same(&r->conf.port[i].local, &p.local))
			mistake(r, "port %lu: same local address as port %u",
				no, i + 1);
	r->conf.port[no - 1] = p;
}

static void one_line(struct reader *r, char *text)
{
	char *word[WORDS_MAX], *save, *w;
	int n = 0;

	text[strcspn(text, "#\r\n")] = '\0';
	for (w = strtok_r(text, " \t", &save); w;
	     w = strtok_r(NULL, " \t", &save)) {
		if (n == WORDS_MAX) {
			mistake(r, "too many words");
			return;
		}
		word[n++] = w;
	}
	if (!n)
		return;
	if (!strcmp(word[0], "port")) {
		port_line(r, word, n);
	} else if (!strcmp(word[0], "socket")) {
		if (n != 2 || td_str_copy(r->conf.socket,
					  sizeof(r->conf.socket), word[1]))
			mistake(r, "socket: one path of at most %zu octets",
				sizeof(r->conf.socket) - 1);
		else if (r->have_socket)
			mistake(r, "socket is there already");
		r->have_socket = true;
	} else if (!strcmp(word[0], "realtime")) {
		if (n == 2 && !strcmp(word[1], "yes"))
			r->conf.realtime = true;
		else if (n == 2 && !strcmp(word[1], "no"))
			r->conf.realtime = false;
		else
			mistake(r, "realtime: yes or no");
	} else {
		mistake(r, "unknown setting '%s'", word[0]);
	}
}

static void whole(struct reader *r)
{
	if (!r->have_socket)
		mistake(r, "no line 'socket PATH'");
	if (!r->have_ports)
		mistake(r, "no line 'port …'");
	if (r->have_ports & (r->have_ports + 1))
		mistake(r, "ports must be 1, 2, … without a hole");
	while (r->have_ports >> r->conf.n_ports & 1)
		r->conf.n_ports++;
}

int td_spand_conf_load(const char *path, FILE *err, struct td_spand_conf *out)
{
	struct reader r = { .path = path, .err = err };
	char text[LINE_MAX_OCTETS];
	FILE *f = fopen(path, "re");
	int rc = 0;

	r.conf.realtime = true;
	if (!f) {
		rc = -errno;
		fprintf(err, "%s: %s\n", path, strerror(-rc));
		return rc;
	}
	while (fgets(text, sizeof(text), f)) {
		r.line++;
		if (!strchr(text, '\n') && !feof(f)) {
			mistake(&r, "line is too long");
			break;
		}
		one_line(&r, text);
	}
	if (ferror(f))
		mistake(&r, "cannot be read");
	fclose(f);
	whole(&r);
	if (r.mistakes)
		return -EINVAL;
	*out = r.conf;
	return 0;
}
