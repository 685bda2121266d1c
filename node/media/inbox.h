/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_INBOX_H
#define TD_INBOX_H

#include "node/media/addr.h"
#include "node/media/rtp.h"

/** Datagrams read by recvmmsg, good until the next read. */
struct td_inbox;

enum { TD_INBOX = 16 };

int td_inbox_new(struct td_inbox **out);
void td_inbox_free(struct td_inbox *in);

/** @return datagrams read, 0 .. TD_INBOX */
unsigned int td_inbox_read(struct td_inbox *in, int fd);
/** Octets of datagram i; more than TD_RTP_MAX when it was cut. */
const uint8_t *td_inbox_get(const struct td_inbox *in, unsigned int i,
			    size_t *n, struct td_addr *from);

#endif
