// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/codec_scan.h"

#include <errno.h>

#include "proto/td_codec.h"

enum {
	MAX_FIELDS = 32,	/* of one message type */
	MAX_DEPTH = 6,
	MAX_UNKNOWN = 64,	/* unknown fields in one message */
	DEFAULT_REPEAT = 16,
	SHA256_OCTETS = 32,
	/* protobuf-c 1.4 keeps a 32-octet record a field while it parses, in
	 * slabs that double; and 24 octets an unknown field */
	FIELD_COST = 160,
};

/* What differs from the defaults. count: elements of a repeated field;
 * octets: of a string or bytes field (of each element). */
struct limit {
	const ProtobufCMessageDescriptor *d;
	uint32_t id;
	size_t count;
	size_t octets;
};
static const struct limit limits[] = {
	{ &td__call__descriptor, 4, TD_CALL_MAX_LEGS, 0 },
	{ &td__config__descriptor, 2, 0, SHA256_OCTETS },
	{ &td__config__descriptor, 3, 0, TD_CONFIG_MAX_OCTETS },
	{ &td__config__descriptor, 6, 0, SHA256_OCTETS },
	{ &td__config_switch__descriptor, 2, 0, SHA256_OCTETS },
	{ &td__envelope__descriptor, 4, TD_ENVELOPE_MAX_OPS,
	  TD_CONFIG_MAX_OCTETS + TD_OP_MAX_OCTETS },
	{ &td__sync_chunk__descriptor, 7, 0, TD_ENVELOPE_MAX_OCTETS },
	{ &td__snapshot__descriptor, 5, TD_NODE_MAX_ID, 0 },
	{ &td__snapshot__descriptor, 6, TD_VIEW_MAX_SPANS, 0 },
	{ &td__snapshot__descriptor, 7, TD_VIEW_MAX_CONTACTS, 0 },
	{ &td__snapshot__descriptor, 8, TD_VIEW_MAX_CALLS, 0 },
	{ &td__snapshot__descriptor, 11, TD_VIEW_MAX_UNITS, 0 },
	{ &td__snapshot__descriptor, 12, TD_VIEW_MAX_USERS, 0 },
	{ &td__user__descriptor, 1, 0, TD_NUMBER_OCTETS },
	{ &td__user__descriptor, 3, 0, TD_NUMBER_OCTETS },
	{ &td__user__descriptor, 4, 0, TD_NUMBER_OCTETS },
	{ &td__user__descriptor, 5, 0, TD_NUMBER_OCTETS },
	{ &td__user__descriptor, 6, 0, TD_NUMBER_OCTETS },
	{ &td__spool_record__descriptor, 2, 0, TD_SPOOL_KEY_OCTETS },
	{ &td__spool_key__descriptor, 2, 0, TD_SPOOL_KEY_OCTETS },
	{ &td__spool_done__descriptor, 1, TD_SPOOL_DONE_KEYS, 0 },
	{ &td__cdr_set__descriptor, 10, TD_CALL_MAX_LEGS, 0 },
	{ &td__envelope__descriptor, 9, TD_ENVELOPE_MAX_HA, 0 },
	{ &td__miss__descriptor, 1, TD_VIEW_MAX_UNITS, TD_UNIT_NAME_OCTETS },
	{ &td__heartbeat__descriptor, 4, TD_VIEW_MAX_UNITS, 0 },
	{ &td__heartbeat__descriptor, 7, TD_VIEW_MAX_UNITS, 0 },
	{ &td__lease_state__descriptor, 2, TD_VIEW_MAX_UNITS, 0 },
	{ &td__unit__descriptor, 1, 0, TD_UNIT_NAME_OCTETS },
	{ &td__claim__descriptor, 1, 0, TD_UNIT_NAME_OCTETS },
	{ &td__promise__descriptor, 1, 0, TD_UNIT_NAME_OCTETS },
	{ &td__take__descriptor, 1, 0, TD_UNIT_NAME_OCTETS },
	{ &td__report__descriptor, 1, 0, TD_UNIT_NAME_OCTETS },
	{ &td__released__descriptor, 1, 0, TD_UNIT_NAME_OCTETS },
	{ &td__request__descriptor, 2, 64, TD_STRING_MAX_OCTETS },
	{ &td__request__descriptor, 3, 64, 0 },
	{ &td__request__descriptor, 4, 0, TD_CONTROL_MAX_OCTETS },
	{ &td__reply__descriptor, 3, 4096, 0 },
	{ &td__reply__descriptor, 4, 0, TD_CONTROL_MAX_OCTETS },
	{ &td__reply__descriptor, 5, 0, TD_CONTROL_MAX_OCTETS },
};

/* Numbers with a range. min 1: the field must be there. */
struct range {
	const ProtobufCMessageDescriptor *d;
	uint32_t id;
	uint64_t min, max;
};
static const struct range ranges[] = {
	{ &td__node__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__span__descriptor, 2, 1, TD_NODE_MAX_ID },
	{ &td__span_del__descriptor, 2, 1, TD_NODE_MAX_ID },
	{ &td__contact__descriptor, 12, 0, TD_NODE_MAX_ID },
	{ &td__contact_refresh__descriptor, 8, 0, TD_NODE_MAX_ID },
	{ &td__drain__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__user__descriptor, 7, 0, TD_NO_ANSWER_MAX_S },
	{ &td__call_leg__descriptor, 21, 0, TD_CALL_MAX_LEGS },
	{ &td__call__descriptor, 2, 1, TD_NODE_MAX_ID },
	{ &td__call_del__descriptor, 2, 1, TD_NODE_MAX_ID },
	{ &td__node_gone__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__call_end__descriptor, 2, 1, TD_NODE_MAX_ID },
	{ &td__spool_record__descriptor, 1, 1, TD_SPOOL_MAX_TYPE },
	{ &td__spool_key__descriptor, 1, 1, TD_SPOOL_MAX_TYPE },
	{ &td__cdr_set__descriptor, 2, 1, TD_NODE_MAX_ID },
	{ &td__sync_chunk__descriptor, 1, 0, TD_NODE_MAX_ID },
	{ &td__sync_ack__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__isdn_call__descriptor, 2, 0, 31 },
	{ &td__unit__descriptor, 3, 0, TD_NODE_MAX_ID },
	{ &td__member__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__granted__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__released__descriptor, 3, 1, TD_NODE_MAX_ID },
	{ &td__slow__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__heartbeat__descriptor, 1, 1, TD_NODE_MAX_ID },
	{ &td__promise__descriptor, 3, 1, TD_NODE_MAX_ID },
};

struct scan {
	const uint8_t *p, *end;
	bool strict;
	size_t *need;
};

/* one message being walked */
struct level {
	const ProtobufCMessageDescriptor *d;
	uint32_t seen[MAX_FIELDS];
	uint32_t unknown, oneof;
};

bool td_codec_utf8_ok(const uint8_t *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint8_t c = s[i];
		unsigned int more;
		uint32_t cp, low;

		if (c < 0x80) {
			if (!c)
				return false;
			i++;
			continue;
		}
		if (c >= 0xc2 && c <= 0xdf)
			more = 1, cp = c & 0x1f, low = 0x80;
		else if (c >= 0xe0 && c <= 0xef)
			more = 2, cp = c & 0x0f, low = 0x800;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3, cp = c & 0x07, low = 0x10000;
		else
			return false;
		if (n - i <= more)
			return false;
		for (unsigned int k = 1; k <= more; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			cp = cp << 6 | (s[i + k] & 0x3f);
		}
		if (cp < low || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
			return false;
		i += more + 1;
	}
	return true;
}

static int varint(struct scan *s, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < 10; i++) {
		uint8_t c;

		if (s->p == s->end)
			return -EBADMSG;
		c = *s->p++;
		if (i == 9 && c > 1)
			return -EBADMSG;
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (!(c & 0x80)) {
			*out = v;
			return 0;
		}
	}
	return -EBADMSG;
}

static const struct limit *limit_of(const ProtobufCMessageDescriptor *d,
				    uint32_t id)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i].d == d && limits[i].id == id)
			return &limits[i];
	return NULL;
}

static size_t max_octets(const ProtobufCMessageDescriptor *d,
			 const ProtobufCFieldDescriptor *f)
{
	const struct limit *l = limit_of(d, f->id);

	if (l && l->octets)
		return l->octets;
	return f->type == PROTOBUF_C_TYPE_STRING ? TD_STRING_MAX_OCTETS :
						   TD_BYTES_MAX_OCTETS;
}

/* what the number may be, by its type and by the table */
static int check_number(const struct scan *s,
			const ProtobufCMessageDescriptor *d,
			const ProtobufCFieldDescriptor *f, uint64_t v)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_UINT32:
		if (v > UINT32_MAX)
			return -EBADMSG;
		break;
	case PROTOBUF_C_TYPE_INT32:
		if ((int64_t)v < INT32_MIN || (int64_t)v > INT32_MAX)
			return -EBADMSG;
		break;
	case PROTOBUF_C_TYPE_BOOL:
		if (v > 1)
			return -EBADMSG;
		break;
	case PROTOBUF_C_TYPE_ENUM:
		if (v > INT32_MAX ||
		    !protobuf_c_enum_descriptor_get_value(f->descriptor,
							  (int)v))
			return s->strict ? -EPROTONOSUPPORT : -EBADMSG;
		break;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (ranges[i].d == d && ranges[i].id == f->id &&
		    (v < ranges[i].min || v > ranges[i].max))
			return -EBADMSG;
	return 0;
}

static unsigned int wire_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return PROTOBUF_C_WIRE_TYPE_64BIT;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return PROTOBUF_C_WIRE_TYPE_32BIT;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
	default:
		return PROTOBUF_C_WIRE_TYPE_VARINT;
	}
}

/* @param[out] v the number, or the length of what follows s->p */
static int value(struct scan *s, unsigned int wire, uint64_t *v)
{
	size_t left;

	switch (wire) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		return varint(s, v);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		left = wire == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4;
		if ((size_t)(s->end - s->p) < left)
			return -EBADMSG;
		s->p += left;
		*v = 1;		/* no fixed field has a range */
		return 0;
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		if (varint(s, v) || *v > (uint64_t)(s->end - s->p))
			return -EBADMSG;
		return 0;
	default:
		return -EBADMSG;
	}
}

static int message(struct scan *s, const ProtobufCMessageDescriptor *d,
		   unsigned int depth);

static int prefixed(struct scan *s, const struct level *l,
		    const ProtobufCFieldDescriptor *f, size_t n,
		    unsigned int depth)
{
	const uint8_t *end = s->end;
	int rc = 0;

	if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
		s->end = s->p + n;
		rc = message(s, f->descriptor, depth + 1);
		s->end = end;
		return rc;
	}
	if (n > max_octets(l->d, f))
		return -EMSGSIZE;
	if (f->type == PROTOBUF_C_TYPE_STRING && !td_codec_utf8_ok(s->p, n))
		return -EBADMSG;
	*s->need += n + 1;
	s->p += n;
	return 0;
}

/* counts one more of this field */
static int count(struct level *l, const ProtobufCFieldDescriptor *f)
{
	const struct limit *lim = limit_of(l->d, f->id);
	uint32_t *seen = &l->seen[f - l->d->fields];

	(*seen)++;
	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return *seen > (lim && lim->count ? lim->count :
						    DEFAULT_REPEAT) ?
			       -E2BIG :
			       0;
	/* protobuf would merge: our encoder never says a thing twice */
	if (*seen > 1)
		return -EBADMSG;
	if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && ++l->oneof > 1)
		return -EBADMSG;
	return 0;
}

/* Numbers of a repeated field in one piece: proto3's usual form. */
static int packed(struct scan *s, struct level *l,
		  const ProtobufCFieldDescriptor *f)
{
	const uint8_t *end = s->end;
	uint64_t n;
	int rc = value(s, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, &n);

	if (rc)
		return rc;
	s->end = s->p + n;
	while (s->p < s->end && !rc) {
		uint64_t v;

		rc = count(l, f);
		if (!rc)
			rc = value(s, wire_of(f->type), &v);
		if (!rc)
			rc = check_number(s, l->d, f, v);
		*s->need += sizeof(v);
	}
	s->end = end;
	return rc;
}

static int field(struct scan *s, struct level *l, unsigned int depth)
{
	const ProtobufCFieldDescriptor *f;
	uint64_t tag, v;
	int rc;

	if (varint(s, &tag) || tag >> 32 || !(tag >> 3))
		return -EBADMSG;
	*s->need += FIELD_COST;
	f = protobuf_c_message_descriptor_get_field(l->d, (uint32_t)tag >> 3);
	if (!f) {
		if (s->strict)
			return -EPROTONOSUPPORT;
		if (++l->unknown > MAX_UNKNOWN)
			return -E2BIG;
		rc = value(s, tag & 7, &v);
		if (rc)
			return rc;
		if ((tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
			s->p += v;
		*s->need += v + 16;
		return 0;
	}
	if (f->flags & PROTOBUF_C_FIELD_FLAG_PACKED &&
	    (tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
		return packed(s, l, f);
	if ((tag & 7) != wire_of(f->type))
		return -EBADMSG;
	rc = count(l, f);
	if (!rc)
		rc = value(s, tag & 7, &v);
	if (rc)
		return rc;
	if ((tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
		return prefixed(s, l, f, v, depth);
	return check_number(s, l->d, f, v);
}

static int message(struct scan *s, const ProtobufCMessageDescriptor *d,
		   unsigned int depth)
{
	struct level l = { .d = d };
	int rc;

	if (d->n_fields > MAX_FIELDS || depth > MAX_DEPTH)
		return -EBADMSG;
	*s->need += d->sizeof_message + FIELD_COST;
	while (s->p < s->end) {
		rc = field(s, &l, depth);
		if (rc)
			return rc;
	}
	if (d == &td__op__descriptor && l.oneof != 1)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const ProtobufCFieldDescriptor *f;

		if (ranges[i].d != d || !ranges[i].min)
			continue;
		f = protobuf_c_message_descriptor_get_field(d, ranges[i].id);
		if (!f || !l.seen[f - d->fields])
			return -EBADMSG;
	}
	return 0;
}

int td_codec_scan(const ProtobufCMessageDescriptor *d, const uint8_t *buf,
		  size_t n, bool strict, size_t *need)
{
	size_t sum = 1024;
	struct scan s = { .p = buf, .end = buf + n, .strict = strict,
			  .need = &sum };
	int rc = message(&s, d, 0);

	if (!rc)
		*need = sum;
	return rc;
}
