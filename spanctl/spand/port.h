/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAND_PORT_H
#define TD_SPAND_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "spanctl/core/alarm.h"
#include "spanctl/core/hdlc.h"
#include "spanctl/core/lease.h"
#include "spanctl/core/seq.h"
#include "spanctl/core/xconn.h"
#include "spanctl/spand/conf.h"
#include "spanctl/spand/line.h"
#include "spanctl/spand/mem.h"

/** A port of the card. A turn of the card's loop goes: recv of every port,
 *  then answer of every port (so that a cross-connect finds what came in the
 *  same turn), then publish. Truth is kept here; the shared memory only shows
 *  it, and what the owner writes there is checked when it is read.
 *
 *  The members are this room's own: port.c receives, port_tx.c transmits,
 *  frames.c keeps the rings of frames. */
struct td_spand_xconn {
	struct td_xconn x;
	struct td_spand_port *from;
	uint8_t ts_from;
};

struct td_spand_port {
	unsigned int number;	/* 1.. */
	struct td_spand_port_conf conf;
	struct td_spand_line *line;
	struct td_spand_areas mem;
	struct td_span_counters c;
	uint64_t released;	/* blocks, for wake-ups */
	bool event;		/* to be raised at the end of the turn */
	bool touched;		/* something to publish */

	struct td_seq seq;
	struct td_alarm alarm;
	struct td_hdlc_rx hdlc_rx;
	unsigned int hdlc_slot;
	uint64_t frames_head;
	uint32_t alarms_shown;
	int64_t jump_logged_ms;

	struct td_lease lease;
	bool inhibited, tx_shown;
	uint64_t answer[TD_LINE_BATCH];	/* blocks that came in this turn */
	unsigned int n_answer;
	uint64_t tx_next;
	unsigned int n_out;	/* packets built, not yet sent */
	struct td_hdlc_tx hdlc_tx;
	uint64_t hdlc_tail;
	uint32_t slot_gen[TD_SPAN_SLOTS];	/* opening seen last */
	bool slot_begun[TD_SPAN_SLOTS];		/* it has sent something */
	struct td_spand_xconn xconn[TD_SPAN_SLOTS];
};

/** Opens its socket. @return 0 or a negative errno */
int td_spand_port_new(unsigned int number,
		      const struct td_spand_port_conf *conf,
		      struct td_spand_mem *mem, struct td_spand_port **out);
void td_spand_port_free(struct td_spand_port *p);

/* ---- port.c ---- */
void td_spand_port_recv(struct td_spand_port *p);
/** Now and then: LOS, a lease that ended while nothing came. */
void td_spand_port_tick(struct td_spand_port *p);
void td_spand_port_publish(struct td_spand_port *p);
/** @return 0, -EINVAL */
int td_spand_port_hdlc(struct td_spand_port *p, unsigned int timeslot);

/* ---- port_tx.c ---- */
enum { TD_SPAND_GAP = 8 };	/* missed packets that are answered too */
void td_spand_port_answer(struct td_spand_port *p);
int td_spand_port_lease(struct td_spand_port *p, uint64_t epoch,
			int64_t end_ns);
void td_spand_port_lease_end(struct td_spand_port *p, uint64_t epoch);
void td_spand_port_inhibit(struct td_spand_port *p, bool on);
/** Is the transmitter on now? Ends a lease whose time is over. */
bool td_spand_port_tx_on(struct td_spand_port *p, int64_t now_ns);
/** The owner is gone: off, every epoch it held is over, slots and
 *  cross-connects towards this port closed. */
void td_spand_port_orphan(struct td_spand_port *p);
/** @return 0, -EINVAL, -EBUSY: D-channel or fed already */
int td_spand_port_xconn(struct td_spand_port *from, unsigned int ts_from,
			struct td_spand_port *to, unsigned int ts_to);
int td_spand_port_xconn_off(struct td_spand_port *to, unsigned int ts_to);

/* ---- frames.c ---- */
/** Shows a frame to all readers. */
void td_spand_frames_put(struct td_spand_port *p, int dir, uint64_t block,
			 const uint8_t *data, size_t n);
/** The owner's next frame for the line, of the epoch that is held.
 *  @return its octets, 0: none */
size_t td_spand_frames_take(struct td_spand_port *p,
			    uint8_t out[TD_SPAN_FRAME_MAX]);
/** Drops what the owner has queued. */
void td_spand_frames_drop(struct td_spand_port *p);

#endif
