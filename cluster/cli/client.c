// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/cli/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/str.h"

enum { WAIT_S = 60, HEAD = 4 };

int cli_connect(const char *path, char *why, size_t size)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval wait = { .tv_sec = WAIT_S };
	int fd, rc;

	if (td_str_copy(a.sun_path, sizeof(a.sun_path), path)) {
		snprintf(why, size, "%s: the path is too long for a socket",
			 path);
		return -ENAMETOOLONG;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		rc = -errno;
		snprintf(why, size, "no socket: %s", strerror(-rc));
		return rc;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	rc = -errno;
	close(fd);
	if (rc == -EACCES || rc == -EPERM)
		snprintf(why, size, "%s may not be used by this user: run it "
				    "as root", path);
	else if (rc == -ENOENT || rc == -ECONNREFUSED)
		snprintf(why, size, "no daemon answers at %s: is tandemd "
				    "running?", path);
	else
		snprintf(why, size, "%s: %s", path, strerror(-rc));
	return rc;
}

static int send_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		p += k;
		n -= k;
	}
	return 0;
}

static int recv_all(int fd, uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = recv(fd, p, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (!k)
			return -ECONNRESET;
		p += k;
		n -= k;
	}
	return 0;
}

static int exchange(int fd, const Td__Request *r, Td__Reply **out)
{
	uint8_t head[HEAD], *buf;
	size_t n;
	int rc;

	rc = td_request_pack(r, &buf, &n);
	if (rc)
		return rc;
	for (int i = 0; i < HEAD; i++)
		head[i] = n >> (24 - 8 * i);
	rc = send_all(fd, head, HEAD);
	if (!rc)
		rc = send_all(fd, buf, n);
	free(buf);
	if (!rc)
		rc = recv_all(fd, head, HEAD);
	if (rc)
		return rc;
	n = (size_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
	if (n > TD_CONTROL_MAX_OCTETS)
		return -EMSGSIZE;
	buf = malloc(n + 1);
	if (!buf)
		return -ENOMEM;
	rc = recv_all(fd, buf, n);
	if (!rc)
		rc = td_reply_unpack(buf, n, out);
	free(buf);
	return rc;
}

int cli_ask(int fd, const Td__Request *r, Td__Reply **out, char *why,
	    size_t size)
{
	int rc = exchange(fd, r, out);

	switch (rc) {
	case 0:
		break;
	case -ETIMEDOUT:
		snprintf(why, size, "the daemon did not answer within %d s",
			 WAIT_S);
		break;
	case -ECONNRESET:
	case -EPIPE:
		snprintf(why, size, "the daemon hung up without an answer: is "
				    "it stopping, or has it too many clients?");
		break;
	case -EBADMSG:
		snprintf(why, size, "not understood: are tandem and tandemd "
				    "of one version, is all text UTF-8?");
		break;
	default:
		snprintf(why, size, "talking to the daemon: %s",
			 strerror(-rc));
		break;
	}
	return rc;
}
