/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_JOIN_H
#define TD_JOIN_H

#include "node/media/engine.h"

/** Which end talks to which; the media thread's. */

/** Both must be parted, and one be a stream: two slots are the card's
 *  business, see voice.c. @return 0 or
 *  what the card says: nothing is joined then */
int td_join(struct td_end *a, struct td_end *b,
	    const struct td_media_span_ops *span);
int td_join_echo(struct td_end *a, const struct td_media_span_ops *span);
/** @return the other end, or NULL when it was joined to none */
struct td_end *td_part(struct td_end *a, const struct td_media_span_ops *span);

#endif
