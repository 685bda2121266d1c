/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_CONN_H
#define TD_SIP_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** TCP connections that others opened: how many there may be, and for how long
 *  one may be idle or leave a message unfinished. No I/O; time is an argument
 *  (ms, monotonic). */
struct td_conns;

struct td_conns_cfg {
	uint32_t max_all;
	uint32_t max_source;	/* of one address: an office behind a NAT */
	uint32_t first_ms;	/* until the first message is complete */
	uint32_t frame_ms;	/* from the first octet of a message to the
				 * last */
	uint32_t idle_ms;	/* without any octet: beyond the longest
				 * registration, whose flow it is */
};

enum td_conns_why {
	TD_CONNS_ALL = 1,	/* too many in all */
	TD_CONNS_SOURCE,	/* too many of this source */
	TD_CONNS_SLOW,		/* no message, or half of one, for too long */
	TD_CONNS_IDLE,
};

int td_conns_new(const struct td_conns_cfg *cfg, struct td_conns **out);
void td_conns_free(struct td_conns *c);
uint32_t td_conns_count(const struct td_conns *c);

/** A connection came. A descriptor that is still known has been closed
 *  meanwhile.
 *  @param[out] tell  it is refused, and its source was not told of yet: log
 *  @return 0; TD_CONNS_ALL or TD_CONNS_SOURCE: close it */
int td_conns_open(struct td_conns *c, int fd, const char *host, uint16_t port,
		  int64_t now_ms, bool *tell);
/** Octets came; unknown descriptors have no effect. */
void td_conns_data(struct td_conns *c, int fd, const char *p, size_t n,
		   int64_t now_ms);
void td_conns_close(struct td_conns *c, int fd);

struct td_conns_due {
	int fd;
	enum td_conns_why why;
	const char *host;
	uint16_t port;
	bool tell;
};
/** Walks what has been slow or idle for too long; *pos starts at 0. Each is
 *  said once. @return false: no more */
bool td_conns_due(struct td_conns *c, int64_t now_ms, size_t *pos,
		  struct td_conns_due *out);
/** Forgets sources that have been away for ten minutes. */
void td_conns_tidy(struct td_conns *c, int64_t now_ms);

/** Where in a message a stream stands, RFC 3261 18.3. */
struct td_frame {
	enum { TD_FRAME_BETWEEN, TD_FRAME_HEAD, TD_FRAME_BODY } state;
	char line[24];
	uint32_t n_line;	/* of the line; more than fits: not kept */
	uint64_t body;		/* octets of it to come */
};
/** @return messages that were completed by these octets */
unsigned int td_frame_feed(struct td_frame *f, const char *p, size_t n);

#endif
