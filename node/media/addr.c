// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int td_addr_parse(const char *text, uint16_t port, struct td_addr *out)
{
	struct td_addr a;

	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		a.len = sizeof(a.in);
	} else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons(port);
		a.len = sizeof(a.in6);
	} else {
		return -EINVAL;
	}
	*out = a;
	return 0;
}

const char *td_addr_text(const struct td_addr *a, char out[TD_ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	if (!a->len)
		return strcpy(out, "-");
	if (a->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
		snprintf(out, TD_ADDR_TEXT, "%s:%u", host, td_addr_port(a));
	} else {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
		snprintf(out, TD_ADDR_TEXT, "[%s]:%u", host, td_addr_port(a));
	}
	return out;
}

bool td_addr_same_host(const struct td_addr *a, const struct td_addr *b)
{
	if (!a->len || !b->len || a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
		       sizeof(a->in6.sin6_addr));
}

bool td_addr_equal(const struct td_addr *a, const struct td_addr *b)
{
	return td_addr_same_host(a, b) && td_addr_port(a) == td_addr_port(b);
}

uint16_t td_addr_port(const struct td_addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port :
						   a->in.sin_port);
}

void td_addr_port_set(struct td_addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
	else
		a->in.sin_port = htons(port);
}
