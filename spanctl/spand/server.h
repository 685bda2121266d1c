/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAND_SERVER_H
#define TD_SPAND_SERVER_H

#include "spanctl/spand/conf.h"

/** The card itself: its lines, its socket, its loop. One thread. */
struct td_spand_server;

/** @return 0 or a negative errno (the reason has been logged) */
int td_spand_server_new(const struct td_spand_conf *conf,
			struct td_spand_server **out);
void td_spand_server_free(struct td_spand_server *s);
/** Until SIGTERM or SIGINT, which it must be given blocked.
 *  @return 0 or a negative errno */
int td_spand_server_run(struct td_spand_server *s);

#endif
