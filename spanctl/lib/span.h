/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SPAN_LIB_H
#define TD_SPAN_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spanctl/uapi/td_span.h"

/** A card of E1 ports: the shared memory of uapi/td_span.h behind accessors.
 *
 *  Time on a span is counted in blocks of 8 frames (1 ms, 125 us a frame); a
 *  block number is 64 bits and never goes back while the span is open. The
 *  line is the clock: a packet S of the exchange is block S, and is answered
 *  with the block S of the transmit ring.
 *
 *  Threads: open, close, lease, HDLC by the control loop; the octet rings by
 *  one media thread. Rings are lock-free, single producer, single consumer a
 *  direction (monitors read beside them and may be overrun). */
struct td_card;

enum td_card_mode {
	TD_CARD_OWNER,		/* may hold leases and transmit; one a card */
	TD_CARD_MONITOR,	/* reads only: spanctl */
};

/** @param path the card's socket, "/run/tandem/span.sock"
 *  @return 0, -ECONNREFUSED / -ENOENT: no card, -EBUSY: it has an owner,
 *  -EPROTO: another ABI, -ETIMEDOUT: no answer in 250 ms */
int td_card_open(const char *path, enum td_card_mode mode,
		 struct td_card **out);
/** An owner's close switches every transmitter off (so does its death). */
void td_card_close(struct td_card *c);
unsigned int td_card_ports(const struct td_card *c);
/** Readable when the card process is gone: every span is down for good. */
int td_card_fd(const struct td_card *c);

/** Ports are 1.. as on the card's front. */
struct td_port;
struct td_port *td_card_port(struct td_card *c, unsigned int port);

/* ---- state, alarms, counters: any thread ---- */

struct td_port_status {
	uint32_t alarms;	/* TD_ALARM_LOS | AIS | LOF | RAI … */
	bool tx_on;		/* a lease is held and not over */
	bool tx_inhibited;	/* switched off by hand: td_port_inhibit */
	uint32_t hdlc_timeslot;	/* 0: off */
	uint64_t epoch;		/* of the lease; without one, the newest that
				 * is over for good (0: none was) */
	int64_t lease_end_ns;	/* CLOCK_BOOTTIME, 0: no lease */
	uint64_t rx_block;	/* blocks below this may be read */
	uint64_t tx_block;	/* next to be transmitted */
	struct td_span_counters counters;
};
void td_port_status(const struct td_port *p, struct td_port_status *out);
/** Just rx_block and tx_block, without a system call: for the media thread. */
void td_port_position(const struct td_port *p, uint64_t *rx_block,
		      uint64_t *tx_block);

/** Readable (eventfd) when a D-channel frame came, transmit space came back,
 *  or alarms or tx_on changed. For the control loop. */
int td_port_event_fd(const struct td_port *p);
void td_port_event_clear(struct td_port *p);

/* ---- lease: checked by the card against the clock at every block ---- */

/** Transmit until end_ns at this epoch. A lapsed lease is not renewed at the
 *  same epoch. @return 0, -ESTALE: epoch is over or older, or end_ns is past;
 *  -EPERM: monitor; -EINVAL: epoch 0 or more than 60 s;
 *  as of every request: -ETIMEDOUT: the card stands still, -ENOTCONN: gone */
int td_port_lease(struct td_port *p, uint64_t epoch, int64_t end_ns);
/** Off now, and never again for this epoch and those before. */
int td_port_lease_end(struct td_port *p, uint64_t epoch);
/** The local operator's switch, over every lease: while it is on this port
 *  sends nothing. Off again, the lease that is held then counts; it gives
 *  none. Lasts until the card process ends. Monitors may use it. */
int td_port_inhibit(struct td_port *p, bool on);

/* ---- D-channel: HDLC is done by the card ---- */

enum { TD_HDLC_MAX = 1024 };	/* octets of a frame, without FCS */

/** HDLC on this timeslot (16 for PRI); 0 switches it off. What the timeslot
 *  sends is flags and frames then. @return 0, -EINVAL, -EBUSY: it is fed by a
 *  cross-connect, -EPERM: monitor */
int td_port_hdlc(struct td_port *p, unsigned int timeslot);
/** @return 0; -EAGAIN: none; good frames only, bad ones are counted;
 *  -EMSGSIZE: longer than cap, dropped */
int td_port_hdlc_recv(struct td_port *p, uint8_t *buf, size_t cap, size_t *n);
/** The same stream with the frames that this side sent among them, for
 *  traces: a card gives each reader one place in it, so use either. */
int td_port_frame_recv(struct td_port *p, struct td_span_frame *info,
		       uint8_t *buf, size_t cap, size_t *n);
/** Queued for the line, flags and FCS are added. Refused while the
 *  transmitter is off, and dropped if its epoch ends before they have left.
 *  @return 0, -EAGAIN: full (the event tells of space), -EMSGSIZE (2 … 1024),
 *  -ENOLINK: off, -EPERM: monitor */
int td_port_hdlc_send(struct td_port *p, const void *buf, size_t n);

/* ---- B-channels: octets as on the line (A-law), 8 a block ---- */

/** Flags of a received block. */
enum {
	/* the packet never came: octets are the filler */
	TD_BLOCK_LOST = TD_SPAN_BLOCK_LOST,
	/* L bit: octets are AIS */
	TD_BLOCK_ALARM = TD_SPAN_BLOCK_ALARM,
};
/** Octets of one timeslot in one block, from rx_block-TD_SPAN_RING+8 to
 *  rx_block-1. @return flags, or -ERANGE: not there (yet, any more) */
int td_port_rx(const struct td_port *p, uint64_t block, unsigned int timeslot,
	       uint8_t out[8]);
/** A timeslot that is not open sends the idle octet. It goes on doing so, and
 *  counts no underrun, until the first block written after the opening;
 *  closing is at once, and what was written ahead is never sent.
 *  @return 0, -EINVAL, -EBUSY: the D-channel, -EPERM: monitor */
int td_port_tx_open(struct td_port *p, unsigned int timeslot);
void td_port_tx_close(struct td_port *p, unsigned int timeslot);
/** Sets the octets to send in a block, tx_block <= block < tx_block +
 *  TD_SPAN_RING/2. Blocks of an open timeslot are written in order; one that
 *  was not written in time sends idle and counts an underrun.
 *  @return 0, -ERANGE: too late or too early, -EINVAL: not open, -EPERM */
int td_port_tx(struct td_port *p, uint64_t block, unsigned int timeslot,
	       const uint8_t in[8]);

/** Wake-up of the media thread: readable after every `blocks` blocks (of the
 *  port that moves first). One descriptor a card. */
int td_card_wake_fd(const struct td_card *c);
int td_card_wake_every(struct td_card *c, unsigned int blocks);
void td_card_wake_clear(struct td_card *c);

/* ---- cross-connect: in the card, no user space at all ---- */

/** What comes in on (from, ts) goes out on (to, ts), one direction, about 8 ms
 *  later; on until xconn_off, and before what is written to the slot. Owner
 *  only. @return 0, -EBUSY: fed already, or the D-channel, -EXDEV: two cards,
 *  -EINVAL, -EPERM */
int td_port_xconn(struct td_port *from, unsigned int ts_from,
		  struct td_port *to, unsigned int ts_to);
int td_port_xconn_off(struct td_port *to, unsigned int ts_to);

#endif
