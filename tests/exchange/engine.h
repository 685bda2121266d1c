/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XENGINE_H
#define TD_XENGINE_H

#include <netinet/in.h>
#include <stdint.h>

#include "tests/exchange/line.h"
#include "tests/instr/pauses.h"

/** The lines of an exchange on their sockets, turned by a clock thread. Who
 *  wants to look at a line or change one takes the lock, briefly. */
enum { TD_XENGINE_LINES = 8 };

struct td_xengine_node {
	char name[16];
	struct sockaddr_in addr;	/* port: that of the line */
};

struct td_xengine_line {
	char name[16];
	uint16_t port;			/* UDP, at both ends */
	int n_nodes;
	struct td_xengine_node node[TD_XLINE_NODES];
};

struct td_xengine_conf {
	struct in_addr local;
	int n_lines;
	struct td_xengine_line line[TD_XENGINE_LINES];
	int blame_ms;		/* pauses from here on excuse a gap */
};

struct td_xengine;

/** Binds the sockets and starts the clock. @return 0 or negative errno */
int td_xengine_new(const struct td_xengine_conf *conf,
		   struct td_xengine **out);
void td_xengine_free(struct td_xengine *e);

void td_xengine_lock(struct td_xengine *e);
void td_xengine_unlock(struct td_xengine *e);

/** Only between lock and unlock. */
struct td_xline *td_xengine_line(struct td_xengine *e, int i);
const struct td_pauses *td_xengine_pauses(const struct td_xengine *e);
/** The turn that comes next, ms of CLOCK_MONOTONIC. */
uint64_t td_xengine_turn(const struct td_xengine *e);
/** Packets that could not be sent, or came from nobody we know. */
uint64_t td_xengine_send_errors(const struct td_xengine *e);
uint64_t td_xengine_strangers(const struct td_xengine *e);

/** Readable when a D-channel has frames; reading it clears that. */
int td_xengine_fd(const struct td_xengine *e);

#endif
