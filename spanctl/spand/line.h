/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAND_LINE_H
#define TD_SPAND_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "spanctl/spand/conf.h"

/** A line's UDP socket: packets in batches. Not connected, so that what is
 *  not from the peer can be counted. */
struct td_spand_line;

enum {
	TD_LINE_BATCH = 64,	/* packets of a turn, in */
	TD_LINE_BURST = 16,	/* out */
	TD_LINE_PACKET = 320,	/* more than any good packet */
};

struct td_spand_packet {
	const uint8_t *data;
	size_t n;		/* TD_LINE_PACKET: it was longer */
	int foreign;
};

/** @return 0 or the errno of socket or bind */
int td_spand_line_new(const struct sockaddr_storage *local,
		      const struct sockaddr_storage *peer,
		      struct td_spand_line **out);
void td_spand_line_free(struct td_spand_line *l);
int td_spand_line_fd(const struct td_spand_line *l);
/** @return packets got (valid until the next call), 0: none */
int td_spand_line_recv(struct td_spand_line *l,
		       struct td_spand_packet out[TD_LINE_BATCH]);
/** A buffer of TD_LINE_PACKET octets for packet i < TD_LINE_BURST. */
uint8_t *td_spand_line_out(struct td_spand_line *l, unsigned int i);
/** Sends the first `count` of them, n octets each.
 *  @return how many the network took */
unsigned int td_spand_line_send(struct td_spand_line *l, unsigned int count,
				size_t n);

#endif
