/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_SOCKETS_H
#define TD_MEDIA_SOCKETS_H

#include "node/media/addr.h"

/** Bound, non-blocking, also on an address that this node does not have yet
 *  (it may come by takeover). @return 0, -EADDRINUSE, -EADDRNOTAVAIL, … */
int td_socket_open(const struct td_addr *local, int *out_fd);
/** Marks what is sent, 0 .. 63. */
int td_socket_dscp(int fd, int family, unsigned int dscp);

#endif
