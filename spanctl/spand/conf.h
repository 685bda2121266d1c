/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAND_CONF_H
#define TD_SPAND_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "spanctl/uapi/td_span.h"

/** The card's file: a line a setting, '#' begins a comment.
 *
 *	socket /run/tandem/span.sock
 *	realtime yes
 *	port 1 local 10.77.0.1:21401 peer 10.77.0.201:21401
 *	port 2 local [fd00::1]:21402 peer [fd00::2]:21402 idle d5 window 4
 *
 *  Ports are 1 … n without a hole. Of a port: idle, the octet of a timeslot
 *  that is not open (hexadecimal, d5); window, the reorder window in blocks
 *  (1 … 8, 4); los_ms, silence that is a LOS (10 … 10000, 100). */
struct td_spand_port_conf {
	struct sockaddr_storage local, peer;
	uint8_t idle;
	uint8_t window;
	uint32_t los_ms;
};

struct td_spand_conf {
	char socket[108];
	bool realtime;
	uint32_t n_ports;
	struct td_spand_port_conf port[TD_SPAN_PORTS_MAX];
};

/** Every mistake is written to err as `file:line: what`.
 *  @return 0, -EINVAL, or the errno of reading the file (written too) */
int td_spand_conf_load(const char *path, FILE *err, struct td_spand_conf *out);

/** Length of an IPv4 or IPv6 socket address; 0: another family. */
socklen_t td_spand_sa_len(const struct sockaddr_storage *sa);
bool td_spand_sa_same(const struct sockaddr_storage *a,
		      const struct sockaddr_storage *b);

#endif
