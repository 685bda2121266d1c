/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XCONTROL_H
#define TD_XCONTROL_H

#include <jansson.h>

#include "proto/base/loop.h"
#include "tests/exchange/calls.h"
#include "tests/exchange/engine.h"

/** The running exchange's ear for commands: a Unix stream socket, one JSON
 *  object a line in, one out. README "Commands" lists them. */
struct td_xcontrol;

#define TD_XCONTROL_PATH "/run/tandem-exchange.sock"

/** @param kick  called after a command that may have made work for
 *               td_xcalls_run
 *  @return 0 or negative errno; -EADDRINUSE: an exchange answers there */
int td_xcontrol_new(struct td_loop *loop, const char *path,
		    struct td_xcalls *calls, struct td_xengine *engine,
		    const struct td_xengine_conf *conf,
		    void (*kick)(void *arg), void *arg,
		    struct td_xcontrol **out);
void td_xcontrol_free(struct td_xcontrol *c);

/** What a client does: sends a command, waits for the answer.
 *  @return 0 or negative errno */
int td_xcontrol_ask(const char *path, json_t *command, json_t **answer);

#endif
