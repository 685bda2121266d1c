/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CONTROL_INT_H
#define TD_CONTROL_INT_H

#include <stdbool.h>

#include "node/api/control.h"

/* Inside the control socket: control.c listens and dispatches, this is one
 * client (control_client.c) and its request (control_req.c). */

struct control_client {
	struct control_client *next, **prev;
	struct td_control *control;
	struct td_loop *loop;
	const struct td_control_limits *lim;
	int fd;
	char who[48];
	struct td_timer timer;
	uint8_t *in, *out;	/* frames with their length */
	size_t n_in, cap_in, n_out, sent;
	struct td_control_req *req;	/* waits for its answer */
	bool *gone;		/* set by close: somebody is in its stack */
};

struct td_control_req {
	struct control_client *client;	/* NULL: gone */
	Td__Request *r;
	char who[64];
};

/* Takes s over, also when it fails. */
int td_control_client_new(struct td_control *c, struct td_loop *loop,
			  const struct td_control_limits *lim, int s,
			  struct control_client **out);
void td_control_client_close(struct control_client *cl);
/* Sends a packed reply, taken over (malloc'ed). */
void td_control_client_answer(struct control_client *cl, uint8_t *buf,
			      size_t n);

struct td_control_stats *td_control_counters(struct td_control *c);
void td_control_client_gone(struct td_control *c);
void td_control_dispatch(struct td_control *c, struct td_control_req *req);

#endif
