// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/spand/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Behind a pause of the card the kernel keeps what fits here, the ring's 256
 * ms (a packet of this size takes 768 octets of the buffer, which the kernel
 * doubles): answering older ones would send stale voice. */
enum { RCVBUF = TD_SPAN_RING * 768 / 2 };
/* A burst of answers while the peer's MAC address is being resolved */
enum { SNDBUF = 256 * 1024 };
enum { TOS_EF = 46 << 2 };	/* RFC 5086 8: expedited forwarding */

struct td_spand_line {
	int fd;
	struct sockaddr_storage peer;
	struct mmsghdr in[TD_LINE_BATCH], out[TD_LINE_BURST];
	struct iovec in_iov[TD_LINE_BATCH], out_iov[TD_LINE_BURST];
	struct sockaddr_storage from[TD_LINE_BATCH];
	uint8_t in_buf[TD_LINE_BATCH][TD_LINE_PACKET];
	uint8_t out_buf[TD_LINE_BURST][TD_LINE_PACKET];
};

static void prepare(struct td_spand_line *l)
{
	for (int i = 0; i < TD_LINE_BATCH; i++) {
		l->in_iov[i] = (struct iovec){ l->in_buf[i], TD_LINE_PACKET };
		l->in[i].msg_hdr = (struct msghdr){
			.msg_iov = &l->in_iov[i], .msg_iovlen = 1,
			.msg_name = &l->from[i],
		};
	}
	for (int i = 0; i < TD_LINE_BURST; i++) {
		l->out_iov[i].iov_base = l->out_buf[i];
		l->out[i].msg_hdr = (struct msghdr){
			.msg_iov = &l->out_iov[i], .msg_iovlen = 1,
			.msg_name = &l->peer,
			.msg_namelen = td_spand_sa_len(&l->peer),
		};
	}
}

static int open_socket(struct td_spand_line *l,
		       const struct sockaddr_storage *local)
{
	int rcv = RCVBUF, snd = SNDBUF, tos = TOS_EF;

	l->fd = socket(local->ss_family,
		       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof(rcv));
	setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &snd, sizeof(snd));
	if (local->ss_family == AF_INET)
		setsockopt(l->fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	if (bind(l->fd, (const struct sockaddr *)local, td_spand_sa_len(local)))
		return -errno;
	return 0;
}

int td_spand_line_new(const struct sockaddr_storage *local,
		      const struct sockaddr_storage *peer,
		      struct td_spand_line **out)
{
	struct td_spand_line *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->peer = *peer;
	prepare(l);
	rc = open_socket(l, local);
	if (rc) {
		td_spand_line_free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void td_spand_line_free(struct td_spand_line *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

int td_spand_line_fd(const struct td_spand_line *l)
{
	return l->fd;
}

int td_spand_line_recv(struct td_spand_line *l,
		       struct td_spand_packet out[TD_LINE_BATCH])
{
	int n;

	for (int i = 0; i < TD_LINE_BATCH; i++)
		l->in[i].msg_hdr.msg_namelen = sizeof(l->from[i]);
	n = recvmmsg(l->fd, l->in, TD_LINE_BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0;	/* an ICMP error is no packet */
	for (int i = 0; i < n; i++)
		out[i] = (struct td_spand_packet){
			.data = l->in_buf[i],
			.n = l->in[i].msg_len,
			.foreign = !td_spand_sa_same(&l->from[i], &l->peer),
		};
	return n;
}

uint8_t *td_spand_line_out(struct td_spand_line *l, unsigned int i)
{
	return l->out_buf[i];
}

unsigned int td_spand_line_send(struct td_spand_line *l, unsigned int count,
				size_t n)
{
	unsigned int done = 0, took = 0;
	int rc;

	for (unsigned int i = 0; i < count; i++)
		l->out_iov[i].iov_len = n;
	while (done < count) {
		rc = sendmmsg(l->fd, l->out + done, count - done, MSG_DONTWAIT);
		if (rc > 0) {
			done += (unsigned int)rc;
			took += (unsigned int)rc;
		} else if (errno != EINTR) {
			done++;	/* this one is refused, not the others */
		}
	}
	return took;
}
