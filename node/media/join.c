// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/media/join.h"

#include <stddef.h>

#include "node/media/slot.h"
#include "node/media/stream.h"

static struct td_slot *slot(struct td_end *e)
{
	return e->kind == TD_END_SLOT ? (struct td_slot *)e : NULL;
}

static int begin(struct td_end *e, const struct td_media_span_ops *span)
{
	if (e->kind == TD_END_SLOT)
		return td_slot_start(slot(e), span);
	td_stream_rejoin((struct td_stream *)e);
	return 0;
}

static void end(struct td_end *e, const struct td_media_span_ops *span)
{
	struct td_slot *s = slot(e);

	if (s)
		td_slot_stop(s, span);
	else
		td_stream_rejoin((struct td_stream *)e);
	e->peer = NULL;
	e->echo = false;
}

int td_join(struct td_end *a, struct td_end *b,
	    const struct td_media_span_ops *span)
{
	int rc;

	a->peer = b;
	b->peer = a;
	rc = begin(a, span);
	if (!rc)
		rc = begin(b, span);
	if (rc) {
		end(a, span);
		end(b, span);
	}
	return rc;
}

int td_join_echo(struct td_end *a, const struct td_media_span_ops *span)
{
	int rc;

	a->echo = true;
	rc = begin(a, span);
	if (rc)
		end(a, span);
	return rc;
}

struct td_end *td_part(struct td_end *a, const struct td_media_span_ops *span)
{
	struct td_end *b = a->peer;

	if (b)
		end(b, span);
	if (b || a->echo)
		end(a, span);
	return b;
}
