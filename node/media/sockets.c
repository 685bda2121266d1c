// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/sockets.h"

#include <errno.h>
#include <unistd.h>

enum { RCVBUF = 256 * 1024 };	/* some seconds of a stream */

int td_socket_open(const struct td_addr *local, int *out_fd)
{
	int family = local->sa.sa_family, one = 1, size = RCVBUF, rc = 0;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (family == AF_INET6) {
		rc |= setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				 sizeof(one));
		rc |= setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one,
				 sizeof(one));
	} else {
		rc |= setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one,
				 sizeof(one));
	}
	rc |= setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (rc || bind(fd, &local->sa, local->len)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	*out_fd = fd;
	return 0;
}

int td_socket_dscp(int fd, int family, unsigned int dscp)
{
	int tos = (dscp & 63) << 2;
	int rc;

	if (family == AF_INET6)
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos,
				sizeof(tos));
	else
		rc = setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	return rc ? -errno : 0;
}
