/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_MEDIA_ENGINE_H
#define TD_MEDIA_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/call/voice.h"
#include "node/media/outbox.h"
#include "node/media/spanops.h"

/** Private to the room: what streams and slots share inside the media
 *  thread. */

/** One end of a voice path; first member of td_stream and td_slot. */
struct td_end {
	enum td_end_kind { TD_END_STREAM = 1, TD_END_SLOT } kind;
	bool echo;		/* what comes goes back */
	struct td_end *peer;	/* or NULL */
};

/** What an epoll event leads to. */
struct td_poll {
	enum { TD_POLL_COMMAND = 1, TD_POLL_WAKE, TD_POLL_RTP, TD_POLL_RTCP }
		kind;
	struct td_stream *stream;
};

/** A port of the card, as of this turn. */
struct td_line {
	struct td_port *port;	/* NULL: no card, or not so many */
	uint64_t rx_block, tx_block;
};

struct td_inbox;

/** What a turn of the media thread works with. */
struct td_turn {
	int64_t now_ns;		/* CLOCK_BOOTTIME */
	struct td_outbox *out;
	struct td_inbox *in;
	const struct td_media_span_ops *span;
};

/** A command of the control thread; comes back through the other queue. */
struct td_command {
	enum td_command_kind {
		TD_COMMAND_ADD = 1,	/* stream */
		TD_COMMAND_SET,		/* stream, set, remote */
		TD_COMMAND_CLOSE,	/* stream: parts it, then it is yours */
		TD_COMMAND_JOIN,	/* a and b, or a and echo */
		TD_COMMAND_PART,	/* a */
		TD_COMMAND_CARD,	/* card: the one from now on */
		TD_COMMAND_QUIT,
	} kind;
	struct td_stream *stream;
	struct td_end *a, *b;
	struct td_card *card;		/* or NULL: it is gone */
	bool echo;
	struct td_voice_rtp set;
	struct td_addr remote;		/* none: not known yet */
};

struct td_engine_counts {
	uint64_t turns, ticks, commands, refused, join_failed,
		send_refused;
	uint64_t longest_us;		/* between two ticks, lines running */
};

/** The media thread without its thread. */
struct td_engine;
struct td_card;
struct td_queue;

/** @param card  NULL: no timeslots
 *  @param commands  read; `done` gets each one back */
int td_engine_new(const struct td_media_span_ops *span, struct td_card *card,
		  struct td_queue *commands, struct td_queue *done,
		  struct td_engine **out);
/** Lets go of streams and slots, which are the caller's. */
void td_engine_free(struct td_engine *e);
/** The same for as long as the engine lives, whatever card there is.
 *  @param port  1..TD_SPAN_PORTS_MAX, else NULL */
struct td_line *td_engine_line(struct td_engine *e, unsigned int port);

/** Waits for something to do and does it. @return false: told to quit */
bool td_engine_turn(struct td_engine *e);
/** What a wake-up of the card does: sockets, lines. */
void td_engine_tick(struct td_engine *e, int64_t now_ns);
/** What is due every 100 ms: reports, published figures. */
void td_engine_house(struct td_engine *e, int64_t now_ns);
void td_engine_do(struct td_engine *e, struct td_command *c, int64_t now_ns);
struct td_turn *td_engine_now(struct td_engine *e, int64_t now_ns);
void td_engine_counts(const struct td_engine *e, struct td_engine_counts *out);

#endif
