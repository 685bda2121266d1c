/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPOOL_SEGMENT_H
#define TD_SPOOL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** The form of the spool's files: a sequence of frames, each
 *      magic, octets of the body, CRC-32C of both the octets and the body
 *      body: kind, type, octets of the key, 0, the key, the data
 *  numbers little-endian, 32 bits. Frames are only ever appended. Pure. */

enum td_seg_kind {
	TD_SEG_PUT = 1,
	TD_SEG_DONE = 2,	/* of an earlier PUT; no data */
};

enum {
	TD_SEG_HEAD_OCTETS = 12,
	TD_SEG_BODY_OCTETS = 4,		/* before the key */
	TD_SEG_MAX_DATA = TD_OP_MAX_OCTETS,
	TD_SEG_MAX_FRAME = TD_SEG_HEAD_OCTETS + TD_SEG_BODY_OCTETS +
			   TD_SPOOL_KEY_OCTETS + TD_SEG_MAX_DATA,
};

struct td_spool_key {
	uint8_t type, n;	/* TD_SPOOL_*, octets */
	uint8_t octets[TD_SPOOL_KEY_OCTETS];
};
/** @return 0, -EINVAL: type 0 or beyond TD_SPOOL_MAX_TYPE, no key or a longer
 *  one */
int td_spool_key_make(uint32_t type, const void *key, size_t n,
		      struct td_spool_key *out);
bool td_spool_key_equal(const struct td_spool_key *a,
			const struct td_spool_key *b);

struct td_seg_frame {
	enum td_seg_kind kind;
	struct td_spool_key key;
	const uint8_t *data;
	size_t n;
	size_t at, octets;	/* of the whole frame, in the segment */
};

size_t td_seg_frame_octets(const struct td_spool_key *key, size_t n);
/** Writes a frame. @param out  td_seg_frame_octets(key, n) octets
 *  @param n at most TD_SEG_MAX_DATA */
void td_seg_frame_write(enum td_seg_kind kind, const struct td_spool_key *key,
			const void *data, size_t n, uint8_t *out);
/** Reads the frame at `at`. @return 0, -EBADMSG: none that is whole */
int td_seg_frame_read(const uint8_t *buf, size_t n, size_t at,
		      struct td_seg_frame *out);

struct td_seg_scan {
	uint64_t frames;
	size_t torn;		/* octets after the last whole frame */
	size_t bad;		/* octets between whole frames: no crash */
};
/** fn for each whole frame, in order. */
void td_seg_scan(const uint8_t *buf, size_t n,
		 void (*fn)(void *arg, const struct td_seg_frame *f), void *arg,
		 struct td_seg_scan *out);

uint32_t td_seg_crc32c(uint32_t crc, const void *buf, size_t n);

#endif
