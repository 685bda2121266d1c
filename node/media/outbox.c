// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/outbox.h"

#include <errno.h>
#include <stdlib.h>

#include "node/media/count.h"

enum { LIMIT = 32 };

struct td_outbox {
	unsigned int n;
	uint64_t refused;
	int fd[LIMIT];
	struct td_addr to[LIMIT];
	struct iovec iov[LIMIT];
	struct mmsghdr msg[LIMIT];
	uint8_t buf[LIMIT][TD_RTP_HEADER + TD_RTP_MAX_PAYLOAD];
};

int td_outbox_new(struct td_outbox **out)
{
	struct td_outbox *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	for (unsigned int i = 0; i < LIMIT; i++) {
		o->iov[i].iov_base = o->buf[i];
		o->msg[i].msg_hdr.msg_iov = &o->iov[i];
		o->msg[i].msg_hdr.msg_iovlen = 1;
		o->msg[i].msg_hdr.msg_name = &o->to[i].sa;
	}
	*out = o;
	return 0;
}

void td_outbox_free(struct td_outbox *o)
{
	free(o);
}

uint8_t *td_outbox_room(struct td_outbox *o)
{
	if (o->n == LIMIT)
		td_outbox_flush(o);
	return o->buf[o->n] + TD_RTP_HEADER;
}

void td_outbox_add(struct td_outbox *o, int fd, const struct td_addr *to,
		   const struct td_rtp_packet *p)
{
	unsigned int i = o->n++;

	td_rtp_header(o->buf[i], p);
	o->fd[i] = fd;
	o->to[i] = *to;
	o->msg[i].msg_hdr.msg_namelen = to->len;
	o->iov[i].iov_len = TD_RTP_HEADER + p->n;
}

void td_outbox_flush(struct td_outbox *o)
{
	unsigned int i = 0;

	while (i < o->n) {
		unsigned int k = i + 1;
		int sent;

		while (k < o->n && o->fd[k] == o->fd[i])
			k++;
		sent = sendmmsg(o->fd[i], o->msg + i, k - i, MSG_DONTWAIT);
		if (sent > 0) {
			i += sent;
		} else if (sent == 0 || errno != EINTR) {
			td_count(&o->refused, 1);
			i++;
		}
	}
	o->n = 0;
}

uint64_t td_outbox_refused(const struct td_outbox *o)
{
	return __atomic_load_n(&o->refused, __ATOMIC_RELAXED);
}
