/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAND_CLIENT_H
#define TD_SPAND_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "spanctl/spand/port.h"

/** What the ports of a card are to its clients. */
struct td_spand_card {
	unsigned int n_ports;
	struct td_spand_port *port[TD_SPAN_PORTS_MAX];
	struct td_spand_mem *mem;
	struct td_spand_client *owner;	/* NULL: none */
	unsigned int n_monitors;
};

/** A connection to the card's socket. */
struct td_spand_client;

/** Takes fd over. @return 0 or -ENOMEM (fd is closed) */
int td_spand_client_new(struct td_spand_card *card, int fd,
			struct td_spand_client **out);
/** An owner's end switches its transmitters off. */
void td_spand_client_free(struct td_spand_client *c);
/** Its socket is readable.
 *  @return 0; negative: it is gone or broke the rules, free it */
int td_spand_client_serve(struct td_spand_client *c);
/** End of a turn: raises events and the wake-up as they are due. */
void td_spand_client_notify(struct td_spand_client *c);
int td_spand_client_fd(const struct td_spand_client *c);

#endif
