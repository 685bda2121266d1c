/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
#ifndef TD_SPAN_H
#define TD_SPAN_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/* Shared between the kernel driver, the user-mode card and spanctl/lib. Every
 * struct starts with its size; a reader takes what both know. */

enum {
	TD_SPAN_ABI = 1,	/* another number: do not talk */
	TD_SPAN_RING = 256,	/* blocks in a ring: 256 ms */
	TD_SPAN_SLOTS = 32,
	TD_SPAN_BLOCK = 8,	/* frames a block: 1 ms */
	TD_SPAN_PORTS_MAX = 8,
	TD_SPAN_MONITORS_MAX = 8,
	TD_SPAN_FRAME_MAX = 1024,	/* octets of a frame, without FCS */
	TD_SPAN_FRAMES = 65536,	/* octets of the ring of frames seen */
	TD_SPAN_HDLC_TX = 8192,	/* octets of the ring of frames to send */
};

/* G.775, O.162, Q.516; as a bit set */
enum {
	TD_ALARM_LOS = 1 << 0,	/* no packets / no signal */
	TD_ALARM_AIS = 1 << 1,	/* L bit: the attachment circuit is down */
	TD_ALARM_LOF = 1 << 2,
	TD_ALARM_RAI = 1 << 3,	/* M = 10: remote defect */
	TD_ALARM_RDI = 1 << 4,	/* R bit: the far end loses our packets */
};

/* Flags of a received block */
enum {
	TD_SPAN_BLOCK_LOST = 1,
	TD_SPAN_BLOCK_ALARM = 2,
};

struct td_span_counters {
	uint32_t size;
	uint32_t reserved;
	uint64_t rx_packets, tx_packets;
	uint64_t rx_lost;	/* sequence numbers that never came */
	uint64_t rx_late;	/* came after their block was released */
	uint64_t rx_reordered;
	uint64_t rx_malformed;	/* bad length or control word */
	uint64_t rx_resync;	/* jumps of the sequence */
	uint64_t rx_lbit, rx_rbit, rx_mbits;
	uint64_t los;		/* times */
	uint64_t tx_blocked;	/* blocks not sent: no lease */
	uint64_t tx_underrun;	/* slot blocks that sent idle in an open slot */
	uint64_t lease_lapsed;
	uint64_t slips;		/* cross-connect */
	uint64_t hdlc_rx, hdlc_tx;
	uint64_t hdlc_crc, hdlc_abort, hdlc_short, hdlc_long, hdlc_overrun;
	uint64_t hdlc_tx_refused;
	uint64_t rx_duplicate;
	uint64_t rx_stray;	/* far outside the sequence, dropped */
	uint64_t rx_foreign;	/* not from the peer */
	uint64_t tx_skipped;	/* blocks not sent: their packet never came */
	uint64_t tx_errors;	/* the network refused the packet */
	uint64_t tx_inhibited;	/* blocks not sent: switched off by hand */
};

/* ---- the shared memory: a card, its ports, a set of areas a port ---- */

/* Offsets are octets from the start of the mapping. */
struct td_span_port_dir {
	uint32_t size;
	uint32_t port;		/* 1.. */
	uint64_t status;	/* struct td_span_status */
	uint64_t owner;		/* struct td_span_owner */
	uint64_t rx;		/* uint64_t [RING][SLOTS]: 8 octets a cell */
	uint64_t rx_flags;	/* uint32_t [RING] */
	uint64_t tx;		/* uint64_t [RING][SLOTS] */
	uint64_t tx_stamp;	/* uint64_t [RING][SLOTS] */
	uint64_t frames;	/* uint8_t [TD_SPAN_FRAMES] */
	uint64_t hdlc_tx;	/* uint8_t [TD_SPAN_HDLC_TX] */
};

struct td_span_card_map {
	uint32_t size;
	uint32_t abi;
	uint64_t length;	/* octets of the mapping */
	uint32_t ports;
	uint32_t dir_size;	/* of an element of dir */
	struct td_span_port_dir dir[TD_SPAN_PORTS_MAX];
};

/* Written by the card only; each member is one atomic word. */
struct td_span_status {
	uint32_t size;
	uint32_t alarms;
	uint32_t hdlc_slot;	/* 0: off */
	uint32_t inhibited;	/* switched off by hand */
	uint32_t xconn_slots;	/* bit n: a cross-connect feeds timeslot n */
	uint32_t reserved;
	/* with a lease its epoch; without, the newest that is over for good, so
	 * that whoever takes next knows what is too old */
	uint64_t epoch;
	int64_t lease_end_ns;	/* CLOCK_BOOTTIME; 0: no lease */
	uint64_t rx_block, tx_block;
	/* ring of frames: octet positions that only grow. What lies between
	 * reserve - TD_SPAN_FRAMES and head is whole. */
	uint64_t frames_reserve, frames_head;
	uint64_t hdlc_tail;	/* how far the card has read hdlc_tx */
	struct td_span_counters counters;
};

/* Written by the owner only; the card trusts nothing in it. */
struct td_span_owner {
	uint32_t size;
	uint32_t hdlc_want;	/* 1: raise the event when space came back */
	uint64_t hdlc_head;
	/* 0: closed; else the number of this opening. Only cells stamped with
	 * it are sent, so what an earlier call left behind is not. */
	uint32_t slot_gen[TD_SPAN_SLOTS];
};

/* A cell of the tx ring is valid when its stamp is this. */
#define TD_SPAN_STAMP(block, gen) (((uint64_t)(block) << 8) | ((gen) & 0xff))

/* A record of the ring of frames; padded to 8 octets; may wrap. */
enum { TD_SPAN_RX = 0, TD_SPAN_TX = 1 };
struct td_span_frame {
	uint32_t size;		/* of the record with its padding */
	uint16_t len;		/* octets of the frame, FCS not among them */
	uint8_t dir;
	uint8_t timeslot;
	uint64_t block;		/* rx: of its last octet; tx: of its first */
	int64_t time_ns;	/* CLOCK_REALTIME */
};

/* A record of hdlc_tx; padded to 8 octets; may wrap. */
struct td_span_hdlc_tx {
	uint32_t size;		/* of the record with its padding */
	uint32_t len;
	uint64_t epoch;		/* another epoch's frames are not sent */
};

/* ---- requests: SOCK_SEQPACKET, one reply a request, in order ---- */

enum td_span_op {
	/* first: a = mode, abi. The reply carries descriptors: the memory, a
	 * pipe that ends with the card, the card's wake-up, one event a port */
	TD_SPAN_HELLO = 1,
	TD_SPAN_LEASE,		/* port, epoch, end_ns */
	TD_SPAN_LEASE_END,	/* port, epoch */
	TD_SPAN_HDLC,		/* port, a = timeslot or 0 */
	TD_SPAN_WAKE,		/* a = every how many blocks, 0: never */
	TD_SPAN_XCONN,		/* from port, a = slot; b = to port, c = slot */
	TD_SPAN_XCONN_OFF,	/* b = to port, c = slot */
	TD_SPAN_INHIBIT,	/* port, a = 1: off by hand, 0: not any more */
};
enum { TD_SPAN_MODE_OWNER = 1, TD_SPAN_MODE_MONITOR = 2 };
enum { TD_SPAN_FD_MEM, TD_SPAN_FD_LIFE, TD_SPAN_FD_WAKE, TD_SPAN_FD_PORTS };

struct td_span_req {
	uint32_t size;
	uint32_t abi;
	uint32_t op;
	uint32_t id;		/* comes back in the reply */
	uint32_t port;
	uint32_t a, b, c;
	uint64_t epoch;
	int64_t end_ns;
};

struct td_span_rep {
	uint32_t size;
	uint32_t abi;
	uint32_t id;
	int32_t status;		/* 0 or a negative errno */
	uint32_t ports;
	uint32_t reserved;
};

#endif
