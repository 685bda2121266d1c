/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_DAEMON_H
#define TD_DAEMON_H

#include "cluster/store/nodeconf.h"
#include "proto/base/loop.h"

/** All rooms of one node, wired together. */
struct td_daemon;

/** Starts what can start; what has to wait (the card, the cluster, the first
 *  generation) goes on in the loop. An error is logged here.
 *  @return 0 or a negative errno */
int td_daemon_new(struct td_loop *loop, const struct td_nodeconf *conf,
		  struct td_daemon **out);
/** Clears the calls of this node, then stops the loop: when all are gone, at
 *  the latest after 3 s, or at once when asked a second time. */
void td_daemon_end(struct td_daemon *d);
void td_daemon_free(struct td_daemon *d);
/** 0, or the exit status that the process should end with: the cluster's
 *  transport is gone. */
int td_daemon_status(const struct td_daemon *d);

#endif
