/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XLINE_H
#define TD_XLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/instr/chan.h"
#include "tests/instr/xces.h"
#include "tests/instr/xhdlc.h"

/** One line, seen from the exchange: the clock master's end of a pseudowire
 *  that is wired to several nodes. No sockets and no threads in here: a turn
 *  is a millisecond, its number is CLOCK_MONOTONIC in ms, the low 16 bits of
 *  it are the sequence number of the packet it sends. A node's packet with
 *  that number is its answer, and is played TD_XLINE_PLAY_MS later; the
 *  D-channel is read as soon as the answers are in a row. */
enum {
	TD_XLINE_NODES = 4,
	TD_XLINE_WINDOW = 256,
	TD_XLINE_PLAY_MS = 100,
	TD_XLINE_DCHAN = 16,
	TD_XLINE_FRAMES = 256,	/* read from the D-channel and not yet taken */
	TD_XLINE_KEPT = 64,	/* newest breaks, collisions */
	TD_XLINE_LOPS_MS = 100,	/* silence after which the R bit is set */
};

enum td_xline_mode {
	TD_XLINE_UP,
	TD_XLINE_DOWN,		/* nothing is sent */
	TD_XLINE_NOISE,		/* bit errors */
	TD_XLINE_AIS,		/* L bit */
	TD_XLINE_RAI,		/* M = 2 */
	TD_XLINE_MODES,
};

const char *td_xline_mode_name(enum td_xline_mode m);
/** @return 0 or -EINVAL */
int td_xline_mode_parse(const char *name, enum td_xline_mode *m);

/** One node on the line. */
struct td_xline_node {
	char name[16];
	enum td_xline_mode mode;
	uint64_t sent, received;
	uint64_t malformed, duplicate;
	uint64_t late;		/* after its block had been played */
	uint64_t strange;	/* a sequence number that we did not send yet */
	uint64_t l_bits, r_bits;
};

/** Nobody was heard for a time, or another node than before. */
struct td_xline_break {
	uint64_t at;		/* turn of the first block after it */
	uint32_t gap_ms;
	int8_t from, to;	/* node, -1: none */
};

struct td_xline_collision {
	uint64_t at;
	uint32_t ms;
};

struct td_xline_block {
	uint64_t turn;
	uint8_t from;		/* bit set of nodes */
	bool l;
	uint8_t o[TD_XCES_PAYLOAD];
};

struct td_xline {
	char name[16];
	uint16_t port;
	int n_nodes;
	struct td_xline_node node[TD_XLINE_NODES];
	struct td_xchan chan[32];

	uint64_t turn;		/* the next one */
	bool started;
	struct td_xline_block block[TD_XLINE_WINDOW];
	uint8_t packet[TD_XCES_PACKET];
	uint8_t noisy[TD_XCES_PACKET];
	uint32_t random;
	double ber;

	int8_t heard;		/* the node that transmits, -1: none */
	int8_t last;		/* the last one that did */
	uint32_t silent_ms;	/* how long nobody did */
	uint64_t heard_blocks, silent_blocks;
	uint64_t lost;		/* silent blocks between blocks of one node */
	uint64_t n_breaks, n_collisions, collision_ms, collision_ms_max;
	uint32_t colliding;
	struct td_xline_break breaks[TD_XLINE_KEPT];
	struct td_xline_collision collisions[TD_XLINE_KEPT];

	uint64_t d_turn;	/* the next block whose D-channel is read */
	struct td_xhdlc_tx d_tx;
	struct td_xhdlc_rx d_rx;
	struct {
		uint16_t len;
		uint8_t o[TD_XHDLC_FRAME];
	} frame[TD_XLINE_FRAMES];
	uint32_t f_head, f_tail;
	uint64_t f_refused;
};

void td_xline_init(struct td_xline *l, const char *name, uint16_t port,
		   int n_nodes);

/** A packet from a node. */
void td_xline_receive(struct td_xline *l, int node, const uint8_t *p,
		      size_t n);
/** One turn: reads, plays, and makes the packet to send. Turns come one
 *  after the other; the first one may have any number. */
void td_xline_turn(struct td_xline *l, uint64_t turn);
/** The packet of the last turn for this node, TD_XCES_PACKET octets, valid
 *  until the next call; NULL: send nothing. */
const uint8_t *td_xline_packet(struct td_xline *l, int node);

/** @param ber  bit error ratio of TD_XLINE_NOISE; node -1: all */
void td_xline_mode(struct td_xline *l, int node, enum td_xline_mode m,
		   double ber);

/** A frame from the D-channel, without FCS; @return its length, 0: none. */
size_t td_xline_frame(struct td_xline *l, uint8_t o[TD_XHDLC_FRAME]);
/** A frame for the D-channel; @return as td_xhdlc_tx_put */
int td_xline_send(struct td_xline *l, const uint8_t *o, size_t n);

#endif
