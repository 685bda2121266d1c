// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/spool/segment.h"

#include <errno.h>
#include <string.h>

enum { MAGIC = 0x31505354 };	/* "TSP1" */

int td_spool_key_make(uint32_t type, const void *key, size_t n,
		      struct td_spool_key *out)
{
	if (!type || type > TD_SPOOL_MAX_TYPE || !n || n > TD_SPOOL_KEY_OCTETS)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->type = type;
	out->n = n;
	memcpy(out->octets, key, n);
	return 0;
}

bool td_spool_key_equal(const struct td_spool_key *a,
			const struct td_spool_key *b)
{
	return a->type == b->type && a->n == b->n &&
	       !memcmp(a->octets, b->octets, a->n);
}

/* Castagnoli, reflected, a nibble at a time: RFC 3720 B.4 has the vectors. */
uint32_t td_seg_crc32c(uint32_t crc, const void *buf, size_t n)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *p = buf;

	crc = ~crc;
	while (n--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> (8 * i);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

size_t td_seg_frame_octets(const struct td_spool_key *key, size_t n)
{
	return TD_SEG_HEAD_OCTETS + TD_SEG_BODY_OCTETS + key->n + n;
}

void td_seg_frame_write(enum td_seg_kind kind, const struct td_spool_key *key,
			const void *data, size_t n, uint8_t *out)
{
	uint8_t *body = out + TD_SEG_HEAD_OCTETS;
	size_t octets = TD_SEG_BODY_OCTETS + key->n + n;

	put32(out, MAGIC);
	put32(out + 4, octets);
	body[0] = kind;
	body[1] = key->type;
	body[2] = key->n;
	body[3] = 0;
	memcpy(body + TD_SEG_BODY_OCTETS, key->octets, key->n);
	if (n)
		memcpy(body + TD_SEG_BODY_OCTETS + key->n, data, n);
	put32(out + 8, td_seg_crc32c(td_seg_crc32c(0, out + 4, 4), body,
				     octets));
}

int td_seg_frame_read(const uint8_t *buf, size_t n, size_t at,
		      struct td_seg_frame *out)
{
	const uint8_t *head, *body;
	struct td_spool_key key;
	uint32_t octets;

	if (at > n || n - at < TD_SEG_HEAD_OCTETS + TD_SEG_BODY_OCTETS)
		return -EBADMSG;
	head = buf + at;
	body = head + TD_SEG_HEAD_OCTETS;
	octets = get32(head + 4);
	if (get32(head) != MAGIC || octets < TD_SEG_BODY_OCTETS ||
	    octets > TD_SEG_MAX_FRAME - TD_SEG_HEAD_OCTETS ||
	    octets > n - at - TD_SEG_HEAD_OCTETS)
		return -EBADMSG;
	if (get32(head + 8) != td_seg_crc32c(td_seg_crc32c(0, head + 4, 4),
					     body, octets))
		return -EBADMSG;
	if ((body[0] != TD_SEG_PUT && body[0] != TD_SEG_DONE) ||
	    body[2] > octets - TD_SEG_BODY_OCTETS ||
	    td_spool_key_make(body[1], body + TD_SEG_BODY_OCTETS, body[2],
			      &key))
		return -EBADMSG;
	*out = (struct td_seg_frame){
		.kind = body[0], .key = key,
		.data = body + TD_SEG_BODY_OCTETS + key.n,
		.n = octets - TD_SEG_BODY_OCTETS - key.n,
		.at = at, .octets = TD_SEG_HEAD_OCTETS + octets,
	};
	return 0;
}

void td_seg_scan(const uint8_t *buf, size_t n,
		 void (*fn)(void *arg, const struct td_seg_frame *f), void *arg,
		 struct td_seg_scan *out)
{
	struct td_seg_scan s = { 0 };
	struct td_seg_frame f;
	size_t at = 0, end = 0;	/* of the last whole frame */

	while (at < n) {
		if (td_seg_frame_read(buf, n, at, &f)) {
			/* a torn frame is the last; if another follows, the
			 * disk has damaged what lies between */
			at++;
			continue;
		}
		s.bad += at - end;
		s.frames++;
		at += f.octets;
		end = at;
		fn(arg, &f);
	}
	s.torn = n - end;
	*out = s;
}
