// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/td_codec.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/codec_scan.h"

struct form {
	const ProtobufCMessageDescriptor *d;
	size_t max_octets;
	bool strict;
};

/* protobuf-c's allocator with a purse. The scan has counted what the message
 * needs; the purse is there so that a mistake in that count is an error and
 * not memory. */
struct purse {
	size_t left;
	bool no_memory;
};

static void *purse_alloc(void *arg, size_t size)
{
	struct purse *p = arg;
	void *mem;

	if (size > p->left)
		return NULL;
	mem = malloc(size);
	if (mem)
		p->left -= size;
	else
		p->no_memory = true;
	return mem;
}

static void purse_free(void *arg, void *mem)
{
	free(mem);
}

static void drop_unknown(ProtobufCMessage *m)
{
	const ProtobufCMessageDescriptor *d = m->descriptor;

	for (unsigned int i = 0; i < m->n_unknown_fields; i++)
		free(m->unknown_fields[i].data);
	free(m->unknown_fields);
	m->unknown_fields = NULL;
	m->n_unknown_fields = 0;
	for (unsigned int i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		char *at = (char *)m + f->offset;
		const unsigned int *n = (void *)((char *)m +
						 f->quantifier_offset);

		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			for (size_t k = 0; k < *(const size_t *)n; k++)
				drop_unknown((*(ProtobufCMessage ***)at)[k]);
			continue;
		}
		if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && *n != f->id)
			continue;
		if (*(ProtobufCMessage **)at)
			drop_unknown(*(ProtobufCMessage **)at);
	}
}

static int unpack(const struct form *form, const void *buf, size_t n,
		  ProtobufCMessage **out)
{
	struct purse purse = { 0 };
	ProtobufCAllocator alloc = { purse_alloc, purse_free, &purse };
	ProtobufCMessage *m;
	int rc;

	if (n > form->max_octets)
		return -EMSGSIZE;
	rc = td_codec_scan(form->d, buf, n, form->strict, &purse.left);
	if (rc)
		return rc;
	m = protobuf_c_message_unpack(form->d, &alloc, n, buf);
	if (!m)
		return purse.no_memory ? -ENOMEM : -EBADMSG;
	if (!form->strict)
		drop_unknown(m);
	*out = m;
	return 0;
}

static int pack(const struct form *form, const ProtobufCMessage *m,
		uint8_t **buf, size_t *n)
{
	size_t size = protobuf_c_message_get_packed_size(m), need;
	uint8_t *b;
	int rc;

	if (size > form->max_octets)
		return -EMSGSIZE;
	b = malloc(size ? size : 1);
	if (!b)
		return -ENOMEM;
	protobuf_c_message_pack(m, b);
	rc = td_codec_scan(form->d, b, size, form->strict, &need);
	if (rc) {
		free(b);
		return rc;
	}
	*buf = b;
	*n = size;
	return 0;
}

/* the system's allocator and malloc are one and the same here */
static void release(ProtobufCMessage *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

#define CODEC(name, Type, descr, max, is_strict)                               \
	static const struct form name##_form = { &descr, max, is_strict };     \
	int td_##name##_unpack(const void *buf, size_t n, Type **out)          \
	{                                                                      \
		ProtobufCMessage *m;                                           \
		int rc = unpack(&name##_form, buf, n, &m);                     \
                                                                               \
		if (!rc)                                                       \
			*out = (Type *)m;                                      \
		return rc;                                                     \
	}                                                                      \
	int td_##name##_pack(const Type *m, uint8_t **buf, size_t *n)          \
	{                                                                      \
		return pack(&name##_form, &m->base, buf, n);                   \
	}                                                                      \
	void td_##name##_free(Type *m)                                         \
	{                                                                      \
		release((ProtobufCMessage *)m);                                \
	}

/* The larger limit is for configurations only. */
static int op_size_check(const Td__Op *op, size_t n)
{
	return n > TD_OP_MAX_OCTETS &&
	       op->what_case != TD__OP__WHAT_CONFIG_PREPARE ? -EMSGSIZE : 0;
}

static const struct form op_form = {
	&td__op__descriptor, TD_CONFIG_MAX_OCTETS + TD_OP_MAX_OCTETS, true
};

int td_op_unpack(const void *buf, size_t n, Td__Op **out)
{
	ProtobufCMessage *m;
	int rc = unpack(&op_form, buf, n, &m);

	if (rc)
		return rc;
	rc = op_size_check((Td__Op *)m, n);
	if (rc) {
		release(m);
		return rc;
	}
	*out = (Td__Op *)m;
	return 0;
}

int td_op_pack(const Td__Op *m, uint8_t **buf, size_t *n)
{
	uint8_t *b;
	size_t size;
	int rc = pack(&op_form, &m->base, &b, &size);

	if (rc)
		return rc;
	rc = op_size_check(m, size);
	if (rc) {
		free(b);
		return rc;
	}
	*buf = b;
	*n = size;
	return 0;
}

void td_op_free(Td__Op *m)
{
	release((ProtobufCMessage *)m);
}

CODEC(envelope, Td__Envelope, td__envelope__descriptor, TD_ENVELOPE_MAX_OCTETS,
      false)
CODEC(snapshot, Td__Snapshot, td__snapshot__descriptor, TD_SNAPSHOT_MAX_OCTETS,
      true)
CODEC(request, Td__Request, td__request__descriptor, TD_CONTROL_MAX_OCTETS,
      false)
CODEC(reply, Td__Reply, td__reply__descriptor, TD_CONTROL_MAX_OCTETS, false)
CODEC(call, Td__Call, td__call__descriptor, TD_OP_MAX_OCTETS, false)
CODEC(cdr_set, Td__CdrSet, td__cdr_set__descriptor, TD_OP_MAX_OCTETS, false)
CODEC(contact, Td__Contact, td__contact__descriptor, TD_OP_MAX_OCTETS, false)
CODEC(ha, Td__Ha, td__ha__descriptor, TD_OP_MAX_OCTETS, false)
CODEC(heartbeat, Td__Heartbeat, td__heartbeat__descriptor,
      TD_HEARTBEAT_MAX_OCTETS, false)
CODEC(lease_state, Td__LeaseState, td__lease_state__descriptor,
      TD_OP_MAX_OCTETS, false)
