// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "cluster/apply_priv.h"
#include "cluster/view_priv.h"

/* The running configuration and the one that is prepared. */

static bool same_hash(const ProtobufCBinaryData *a,
		      const ProtobufCBinaryData *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

int td_apply_config_prepare(struct td_view *v, Td__Op *op, uint32_t from,
			    bool *moved)
{
	Td__Config *c = op->config_prepare;

	if (!c->generation || c->sha256.len != 32 || !c->content.len)
		return -EINVAL;
	if (v->config && c->generation <= v->config->generation)
		return -ESTALE;
	/* a number belongs to one content for ever */
	if (v->config_next &&
	    (c->generation < v->config_next->generation ||
	     (c->generation == v->config_next->generation &&
	      !same_hash(&c->sha256, &v->config_next->sha256))))
		return -ESTALE;
	if (v->config_next)
		protobuf_c_message_free_unpacked(&v->config_next->base, NULL);
	v->config_next = c;
	*moved = true;
	return 0;
}

int td_apply_config_switch(struct td_view *v, Td__Op *op, uint32_t from,
			   bool *moved)
{
	const Td__ConfigSwitch *s = op->config_switch;

	if (!v->config_next || s->generation != v->config_next->generation ||
	    !same_hash(&s->sha256, &v->config_next->sha256))
		return -ESTALE;
	if (v->config)
		protobuf_c_message_free_unpacked(&v->config->base, NULL);
	v->config = v->config_next;
	v->config_next = NULL;
	return 0;
}
