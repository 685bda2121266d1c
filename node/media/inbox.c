// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/inbox.h"

#include <errno.h>
#include <stdlib.h>

struct td_inbox {
	struct td_addr from[TD_INBOX];
	struct iovec iov[TD_INBOX];
	struct mmsghdr msg[TD_INBOX];
	uint8_t buf[TD_INBOX][TD_RTP_MAX];
};

int td_inbox_new(struct td_inbox **out)
{
	struct td_inbox *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	for (unsigned int i = 0; i < TD_INBOX; i++) {
		struct msghdr *h = &in->msg[i].msg_hdr;

		in->iov[i].iov_base = in->buf[i];
		in->iov[i].iov_len = TD_RTP_MAX;
		h->msg_iov = &in->iov[i];
		h->msg_iovlen = 1;
		h->msg_name = &in->from[i].sa;
	}
	*out = in;
	return 0;
}

void td_inbox_free(struct td_inbox *in)
{
	free(in);
}

unsigned int td_inbox_read(struct td_inbox *in, int fd)
{
	int n;

	for (unsigned int i = 0; i < TD_INBOX; i++)
		in->msg[i].msg_hdr.msg_namelen = sizeof(in->from[i].in6);
	n = recvmmsg(fd, in->msg, TD_INBOX, MSG_DONTWAIT, NULL);
	return n > 0 ? n : 0;
}

const uint8_t *td_inbox_get(const struct td_inbox *in, unsigned int i,
			    size_t *n, struct td_addr *from)
{
	const struct mmsghdr *m = &in->msg[i];

	*from = in->from[i];
	from->len = m->msg_hdr.msg_namelen;
	*n = m->msg_hdr.msg_flags & MSG_TRUNC ? TD_RTP_MAX + 1 : m->msg_len;
	return in->buf[i];
}
