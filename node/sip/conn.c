// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/conn.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/base/map.h"
#include "proto/base/str.h"

enum { AWAY_MS = 600000, MAX_AWAY = 16384 };

struct source {
	char host[46];
	uint32_t n;		/* connections */
	uint8_t told;		/* bit TD_CONNS_*: logged */
	int64_t seen_ms;
};

struct conn {
	int fd;
	uint16_t port;
	bool said, any;		/* said to be due; a message was complete */
	struct source *from;
	struct td_frame frame;
	int64_t opened_ms, data_ms, frame_ms;
};

struct td_conns {
	struct td_conns_cfg cfg;
	struct td_map *conns;		/* by fd */
	struct td_map *sources;		/* by host */
	bool told_all;
};

/* ---- framing ---- */

/** Content-Length or its compact form, RFC 3261 20.14. */
static void header_line(struct td_frame *f)
{
	char *colon;
	size_t n;

	if (f->n_line >= sizeof(f->line))
		return;
	f->line[f->n_line] = '\0';
	colon = strchr(f->line, ':');
	if (!colon)
		return;
	n = colon - f->line;
	while (n && (f->line[n - 1] == ' ' || f->line[n - 1] == '\t'))
		n--;
	if ((n == 14 && !strncasecmp(f->line, "Content-Length", 14)) ||
	    (n == 1 && tolower((unsigned char)*f->line) == 'l'))
		f->body = strtoul(colon + 1, NULL, 10);
}

unsigned int td_frame_feed(struct td_frame *f, const char *p, size_t n)
{
	unsigned int done = 0;

	for (size_t i = 0; i < n; i++) {
		if (f->state == TD_FRAME_BODY) {
			uint64_t k = n - i < f->body ? n - i : f->body;

			f->body -= k;
			i += k - 1;
		} else if (f->state == TD_FRAME_BETWEEN) {
			if (strchr("\r\n \t", p[i]))	/* keep-alive */
				continue;
			*f = (struct td_frame){ .state = TD_FRAME_HEAD,
						.line = { p[i] },
						.n_line = 1 };
			continue;
		} else if (p[i] != '\n') {
			if (p[i] == '\r')
				continue;
			if (f->n_line < sizeof(f->line))
				f->line[f->n_line] = p[i];
			if (f->n_line < sizeof(f->line))
				f->n_line++;
			continue;
		} else if (f->n_line) {
			header_line(f);
			f->n_line = 0;
			continue;
		} else {
			f->state = TD_FRAME_BODY;
		}
		if (f->state == TD_FRAME_BODY && !f->body) {
			f->state = TD_FRAME_BETWEEN;
			done++;
		}
	}
	return done;
}

/* ---- the table ---- */

int td_conns_new(const struct td_conns_cfg *cfg, struct td_conns **out)
{
	struct td_conns *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	if (td_map_new(&c->conns) || td_map_new(&c->sources)) {
		td_conns_free(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

void td_conns_free(struct td_conns *c)
{
	if (!c)
		return;
	if (c->conns)
		td_map_free(c->conns, free);
	if (c->sources)
		td_map_free(c->sources, free);
	free(c);
}

uint32_t td_conns_count(const struct td_conns *c)
{
	return td_map_count(c->conns);
}

static struct source *source_of(struct td_conns *c, const char *host)
{
	struct source *s = td_map_get_str(c->sources, host);

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	td_str_cut(s->host, sizeof(s->host), host);
	if (td_map_set(c->sources, s->host, strlen(s->host), s, NULL)) {
		free(s);
		return NULL;
	}
	return s;
}

static bool tell_once(struct source *s, enum td_conns_why why)
{
	bool first = !(s->told >> why & 1);

	s->told |= 1 << why;
	return first;
}

static int add(struct td_conns *c, struct source *s, int fd, uint16_t port,
	       int64_t now_ms)
{
	struct conn *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->fd = fd;
	k->port = port;
	k->from = s;
	k->opened_ms = k->data_ms = now_ms;
	if (td_map_set(c->conns, &fd, sizeof(fd), k, NULL)) {
		free(k);
		return -ENOMEM;
	}
	s->n++;
	return 0;
}

int td_conns_open(struct td_conns *c, int fd, const char *host, uint16_t port,
		  int64_t now_ms, bool *tell)
{
	struct source *s;

	td_conns_close(c, fd);
	*tell = false;
	if (td_map_count(c->conns) >= c->cfg.max_all) {
		*tell = !c->told_all;
		c->told_all = true;
		return TD_CONNS_ALL;
	}
	s = source_of(c, host);
	if (!s)
		return TD_CONNS_ALL;
	s->seen_ms = now_ms;
	if (s->n >= c->cfg.max_source) {
		*tell = tell_once(s, TD_CONNS_SOURCE);
		return TD_CONNS_SOURCE;
	}
	return add(c, s, fd, port, now_ms) ? TD_CONNS_ALL : 0;
}

void td_conns_data(struct td_conns *c, int fd, const char *p, size_t n,
		   int64_t now_ms)
{
	struct conn *k = td_map_get(c->conns, &fd, sizeof(fd));
	unsigned int done;

	if (!k)
		return;
	k->data_ms = k->from->seen_ms = now_ms;
	done = td_frame_feed(&k->frame, p, n);
	k->any |= done > 0;
	if (k->frame.state == TD_FRAME_BETWEEN)
		k->frame_ms = 0;
	else if (done || !k->frame_ms)	/* the next one began */
		k->frame_ms = now_ms;
}

void td_conns_close(struct td_conns *c, int fd)
{
	struct conn *k = td_map_del(c->conns, &fd, sizeof(fd));

	if (!k)
		return;
	k->from->n--;
	free(k);
	if (td_map_count(c->conns) < c->cfg.max_all / 4 * 3)
		c->told_all = false;
}

static enum td_conns_why judge(const struct td_conns *c, const struct conn *k,
			       int64_t now_ms)
{
	if (!k->any && now_ms - k->opened_ms >= c->cfg.first_ms)
		return TD_CONNS_SLOW;
	if (k->frame_ms && now_ms - k->frame_ms >= c->cfg.frame_ms)
		return TD_CONNS_SLOW;
	return now_ms - k->data_ms >= c->cfg.idle_ms ? TD_CONNS_IDLE : 0;
}

bool td_conns_due(struct td_conns *c, int64_t now_ms, size_t *pos,
		  struct td_conns_due *out)
{
	enum td_conns_why why;
	struct conn *k;

	while ((k = td_map_next(c->conns, pos))) {
		why = k->said ? 0 : judge(c, k, now_ms);
		if (!why)
			continue;
		k->said = true;
		*out = (struct td_conns_due){
			.fd = k->fd, .why = why, .host = k->from->host,
			.port = k->port,
			.tell = why == TD_CONNS_SLOW && tell_once(k->from, why),
		};
		return true;
	}
	return false;
}

void td_conns_tidy(struct td_conns *c, int64_t now_ms)
{
	bool crowded = td_map_count(c->sources) > MAX_AWAY;
	struct source *s;
	size_t pos = 0;

	while ((s = td_map_next(c->sources, &pos)))
		if (!s->n && (crowded || now_ms - s->seen_ms >= AWAY_MS)) {
			td_map_del(c->sources, s->host, strlen(s->host));
			free(s);
		}
}
