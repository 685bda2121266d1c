/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_PRI_H
#define TD_ISDN_PRI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/isdn/number.h"

/** libpri as this room sees it: frames and time in, frames and plain events
 *  out. pri.c is the only file that includes libpri.h. */
struct td_pri;

/** A frame that libpri wants on the line, without FCS. Called from within
 *  any of the functions below, td_pri_new too. */
typedef void (*td_pri_tx_fn)(void *arg, const uint8_t *frame, size_t n);

struct td_pri_cfg {
	bool network;		/* we are the network side */
	uint32_t t309_ms;	/* an active call outlives its D-channel */
	td_pri_tx_fn tx;
	void *arg;
};
int td_pri_new(const struct td_pri_cfg *cfg, struct td_pri **out);
/** libpri cannot free a D-channel; what it allocated stays (some 10 kB), so
 *  a line keeps its own for as long as the process lives. */
void td_pri_free(struct td_pri *p);

enum td_pri_event_type {
	TD_PRI_NONE = 0,
	TD_PRI_UP,		/* multiple frame established */
	TD_PRI_DOWN,
	TD_PRI_RESTART,		/* acknowledged; calls are ours to destroy */
	TD_PRI_RESTART_ACK,
	TD_PRI_SETUP,
	TD_PRI_SETUP_ACK,
	TD_PRI_INFO,		/* called: the new digits only */
	TD_PRI_KEYPAD,
	TD_PRI_PROCEEDING,
	TD_PRI_PROGRESS,
	TD_PRI_ALERTING,
	TD_PRI_CONNECT,		/* answer by td_pri_connect_ack */
	TD_PRI_CONNECT_ACK,
	TD_PRI_DISCONNECT,	/* td_pri_hangup sends RELEASE */
	TD_PRI_RELEASED,	/* td_pri_hangup lets go of the call */
	TD_PRI_GONE,		/* call is not valid any more */
	TD_PRI_MISWIRED,	/* both ends are the same side */
};

struct td_pri_event {
	enum td_pri_event_type type;
	void *call;
	uint32_t channel;	/* timeslot; 0: none given, any */
	uint32_t iface;		/* interface part, goes back with answers */
	bool all_channels;	/* RESTART of the interface */
	bool exclusive;
	bool complete;
	bool inband;		/* progress indicator 1 or 8 */
	bool speech;		/* speech, 3.1 kHz audio; not mu-law */
	uint8_t bearer, layer1;	/* Q.931 4.5.5 octets 3 and 5 */
	int cause;		/* Q.850; 0: none was given */
	struct td_isdn_number called, calling;
	char name[64];
};

/** One received frame without FCS. @return true: *ev was set */
bool td_pri_input(struct td_pri *p, const uint8_t *frame, size_t n,
		  struct td_pri_event *ev);
/** Runs timers that are due until one raises an event. */
bool td_pri_run(struct td_pri *p, struct td_pri_event *ev);
/** @return ms until td_pri_run has something to do, -1: nothing waits */
int64_t td_pri_next_ms(struct td_pri *p);

/* Calls. A call pointer is libpri's; it may go away inside any of these. */
bool td_pri_valid(struct td_pri *p, void *call);
/** 15 bits. */
uint32_t td_pri_cref(struct td_pri *p, void *call);
/** @return NULL: no call reference is free */
void *td_pri_call_new(struct td_pri *p);

/* What a SETUP of ours says, Q.931 4.5.5: 3.1 kHz audio, since a fax or a
 * modem may be behind it, in A-law. 4.5.10 octet 3a: not screened. */
enum { TD_BEARER_AUDIO = 0x10, TD_LAYER1_ALAW = 0x23,
       TD_PRES_ALLOWED = 0x00, TD_PRES_RESTRICTED = 0x20 };

struct td_pri_setup {
	uint32_t channel;	/* preferred, not exclusive */
	bool complete;
	struct td_isdn_number called;
	struct td_isdn_number calling;	/* no digits: not sent */
};
int td_pri_setup(struct td_pri *p, void *call, const struct td_pri_setup *s);
int td_pri_digits(struct td_pri *p, void *call, const char *digits);
int td_pri_setup_ack(struct td_pri *p, void *call, uint32_t channel);
int td_pri_proceeding(struct td_pri *p, void *call, uint32_t channel);
int td_pri_progress(struct td_pri *p, void *call, uint32_t channel);
int td_pri_alerting(struct td_pri *p, void *call, uint32_t channel,
		    bool inband);
int td_pri_connect(struct td_pri *p, void *call, uint32_t channel);
int td_pri_connect_ack(struct td_pri *p, void *call);
/** The next step of clearing, whatever it is now; Q.931 5.3. */
int td_pri_hangup(struct td_pri *p, void *call, int cause);
/** A SETUP that nothing was sent for may be refused by RELEASE COMPLETE with
 *  these only; for others libpri wants an answer first. */
bool td_pri_refusable(int cause);
void td_pri_destroy(struct td_pri *p, void *call);

/** RESTART of one channel, the next one after TD_PRI_RESTART_ACK only;
 *  Q.931 5.5.1. T316 is the caller's: libpri has it off, and would not say
 *  that it gave up. */
int td_pri_restart(struct td_pri *p, uint32_t channel);

/** "Total active-calls" of libpri: counts ghosts too. */
int td_pri_active_calls(struct td_pri *p);
/** Complaints of the library since the start. */
uint64_t td_pri_complaints(const struct td_pri *p);

#endif
