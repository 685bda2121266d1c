/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CODEC_H
#define TD_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/cdr.pb-c.h"
#include "proto/control.pb-c.h"
#include "proto/ha.pb-c.h"
#include "proto/op.pb-c.h"
#include "proto/view.pb-c.h"

/** Bounded codec. Decoding never allocates more than the limits below allow,
 *  whatever the input says. Errors:
 *  -EBADMSG truncated, malformed, a string that is not UTF-8 or holds a NUL
 *  -EMSGSIZE more octets than max_octets
 *  -E2BIG more elements in a repeated field than its limit
 *  -EPROTONOSUPPORT an op or a snapshot has a field or a value that this
 *    program does not know: made at a higher feature level. In other messages
 *    unknown fields are dropped.
 *  -ENOMEM
 *  Beyond the wire format these hold after a successful unpack: an op has
 *  exactly one member set, node ids are 1..16, timeslots 0..31 (0: not known
 *  yet), enumerations have a known value, no string is NULL. Packing refuses
 *  what unpacking would refuse, with the same errors. */
enum {
	TD_OP_MAX_OCTETS = 64 * 1024,	/* config_prepare: see below */
	TD_CONFIG_MAX_OCTETS = 512 * 1024,
	TD_ENVELOPE_MAX_OCTETS = 900 * 1024,
	TD_SNAPSHOT_MAX_OCTETS = 256 * 1024 * 1024,
	TD_CONTROL_MAX_OCTETS = 16 * 1024 * 1024,
	TD_CALL_MAX_LEGS = 10,
	TD_ENVELOPE_MAX_OPS = 1024,
	TD_STRING_MAX_OCTETS = 4096,
	TD_BYTES_MAX_OCTETS = 64 * 1024,
	TD_NODE_MAX_ID = 16,
	TD_SPOOL_KEY_OCTETS = 24,
	TD_SPOOL_DONE_KEYS = 1024,
	TD_SPOOL_MAX_TYPE = 255,
	TD_VIEW_MAX_SPANS = 4096,
	TD_VIEW_MAX_CONTACTS = 1000000,
	TD_VIEW_MAX_CALLS = 100000,
	TD_VIEW_MAX_UNITS = 256,
	TD_VIEW_MAX_USERS = 200000,
	TD_NUMBER_OCTETS = 64,
	TD_NO_ANSWER_MAX_S = 600,
	TD_UNIT_NAME_OCTETS = 31,
	TD_ENVELOPE_MAX_HA = 64,
	TD_HEARTBEAT_MAX_OCTETS = 16 * 1024,
};

/** The feature level this program can do at most; see architecture.md. */
enum { TD_FEATURE_LEVEL = 2 };

#define TD_CODEC_DECLARE(name, Type)                                           \
	int td_##name##_unpack(const void *buf, size_t n, Type **out);         \
	/** @param[out] buf malloc'ed, the caller frees */                     \
	int td_##name##_pack(const Type *m, uint8_t **buf, size_t *n);         \
	void td_##name##_free(Type *m);

TD_CODEC_DECLARE(op, Td__Op)
TD_CODEC_DECLARE(envelope, Td__Envelope)
TD_CODEC_DECLARE(snapshot, Td__Snapshot)
TD_CODEC_DECLARE(request, Td__Request)
TD_CODEC_DECLARE(reply, Td__Reply)
TD_CODEC_DECLARE(call, Td__Call)
TD_CODEC_DECLARE(contact, Td__Contact)
TD_CODEC_DECLARE(cdr_set, Td__CdrSet)
TD_CODEC_DECLARE(ha, Td__Ha)
TD_CODEC_DECLARE(heartbeat, Td__Heartbeat)
TD_CODEC_DECLARE(lease_state, Td__LeaseState)

#endif
