/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_ADDR_H
#define TD_MEDIA_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/** A UDP address, IPv4 or IPv6. Zeroed: none. */
struct td_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

enum { TD_ADDR_TEXT = 64 };

/** Numeric addresses only. @return 0 or -EINVAL */
int td_addr_parse(const char *text, uint16_t port, struct td_addr *out);
/** "10.0.0.1:5060", "[::1]:5060", "-" for none. @return out */
const char *td_addr_text(const struct td_addr *a, char out[TD_ADDR_TEXT]);

bool td_addr_same_host(const struct td_addr *a, const struct td_addr *b);
bool td_addr_equal(const struct td_addr *a, const struct td_addr *b);
uint16_t td_addr_port(const struct td_addr *a);
void td_addr_port_set(struct td_addr *a, uint16_t port);

#endif
