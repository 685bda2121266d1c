/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CODEC_SCAN_H
#define TD_CODEC_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Walks an encoded message by its descriptor without allocating, before
 *  protobuf-c sees it: wire format, counts, lengths, UTF-8, ranges.
 *  @param strict   a field or enumeration value that is not in the descriptor
 *                  is -EPROTONOSUPPORT; else the field passes
 *  @param[out] need octets that unpacking may ask its allocator for
 *  @return 0, -EBADMSG, -EMSGSIZE, -E2BIG, -EPROTONOSUPPORT (td_codec.h) */
int td_codec_scan(const ProtobufCMessageDescriptor *d, const uint8_t *buf,
		  size_t n, bool strict, size_t *need);

/** Is it UTF-8 (RFC 3629) without U+0000? */
bool td_codec_utf8_ok(const uint8_t *s, size_t n);

#endif
