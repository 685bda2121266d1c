/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_PRIV_H
#define TD_MEDIA_PRIV_H

#include <pthread.h>

#include "node/media/engine.h"
#include "node/media/media.h"
#include "node/media/ports.h"
#include "node/media/slot.h"
#include "node/media/stream.h"
#include "proto/base/loop.h"
#include "proto/base/map.h"

/* the control side's own; media.c, voice.c, dump.c */

enum {
	TD_MEDIA_STREAMS = 2048,
	TD_MEDIA_ADDRESSES = 32,
	TD_MEDIA_SLOTS = TD_SPAN_PORTS_MAX * TD_SPAN_SLOTS,
	/* Commands under way. Beyond SOFT new work is refused; the rest is
	 * kept for what can not be: a close for each stream, a part for each
	 * end of a join that was taken. */
	TD_MEDIA_SOFT = 4096,
	TD_MEDIA_HARD = 16384,
};

struct td_media_address {
	struct td_addr addr;	/* port 0 */
	struct td_ports ports;
};

struct td_media {
	struct td_media_cfg cfg;
	struct td_queue *commands, *done;
	struct td_engine *engine;
	pthread_t thread;
	bool running;
	unsigned int pending;	/* commands under way */
	uint64_t sent, refused;
	uint32_t next_id;
	struct td_map *streams;	/* by id */
	unsigned int n_streams;	/* closing ones too */
	unsigned int n_addresses;
	struct td_media_address *address[TD_MEDIA_ADDRESSES];
	unsigned int ports;	/* of the card, or of the last one */
	struct td_slot *slots;	/* 32 a port, of the most there can be */
	bool changing;		/* the thread has not taken the card yet */
	/* who is told of silence */
	td_voice_silent_fn silent;
	void *silent_arg;
	struct td_timer silence;
};

struct td_stream *td_media_stream(const struct td_media *m, uint32_t id);
struct td_slot *td_media_slot(const struct td_media *m, uint32_t port,
			      uint32_t timeslot);
/** The card's cross-connects, as they are noted, once more. */
void td_media_reconnect(struct td_media *m);
/** The port of a slot, NULL: no card. Control loop: line->port is the media
 *  thread's. */
struct td_port *td_media_port(const struct td_media *m,
			      const struct td_slot *s);
/** Sends; `must` goes beyond TD_MEDIA_SOFT. Takes c when it succeeds.
 *  @return 0, -EAGAIN */
int td_media_send(struct td_media *m, struct td_command *c, bool must);
void td_media_stream_free(struct td_media *m, struct td_stream *s);

/* silence.c */
void td_silence_watch(void *m, td_voice_silent_fn fn, void *arg);
/** Silence of the stream counts from now on. */
void td_silence_set(struct td_stream *s, int64_t now_ms);
/** Looks at all streams; what the timer does. */
void td_silence_run(struct td_media *m, int64_t now_ms);

#endif
