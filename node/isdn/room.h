/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_ROOM_H
#define TD_ISDN_ROOM_H

#include "node/isdn/cause.h"
#include "node/isdn/channel.h"
#include "node/isdn/env.h"
#include "node/isdn/gate.h"
#include "node/isdn/lapd.h"
#include "node/isdn/q931.h"
#include "node/isdn/pri.h"
#include "node/isdn/restart.h"

/** Inside of the room: lines, legs, and what happens between them.
 *
 *  isdn.c   the room: site, activation, dump
 *  line.c   one line: frames in, timers, turns
 *  row.c    the line's row in the view
 *  leave.c  a line is taken out of the site, or becomes another
 *  event.c  what libpri reports -> legs
 *  again.c  RESTART of channels, and which want one (restart.c decides)
 *  leg.c    the commands of leg.h;  clear.c  how a leg ends
 *  call.c   SETUP of an outgoing leg, its channel, its second try
 */

/** Call states of the user side, Q.931 2.1.1 (network side: the same
 *  numbers, N for U). libpri runs the machine; this is its mirror, for
 *  checkpoints and for what a command may do. */
enum td_q931_state {
	Q931_NULL = 0,
	Q931_CALL_INITIATED = 1,
	Q931_OVERLAP_SENDING = 2,
	Q931_OUTGOING_PROCEEDING = 3,
	Q931_CALL_DELIVERED = 4,
	Q931_CALL_PRESENT = 6,
	Q931_CALL_RECEIVED = 7,
	Q931_CONNECT_REQUEST = 8,
	Q931_INCOMING_PROCEEDING = 9,
	Q931_ACTIVE = 10,
	Q931_DISCONNECT_REQUEST = 11,
	Q931_RELEASE_REQUEST = 19,
	Q931_OVERLAP_RECEIVING = 25,
};

enum {
	TD_LINE_MAX_LEGS = 128,	/* a line, those that are clearing included */
	TD_LINE_SLOTS = 32,
	TD_LINE_FRAMES_A_TURN = 32,
	TD_ISDN_POLL_MS = 1000,
	TD_ISDN_RETRY_MS = 100,
	TD_ISDN_LEAVE_LOOK_MS = 100,
	TD_ISDN_LEAVE_MS = 40000,	/* T305 and twice T308 */
};

/** Q.931 tables 9-1, 9-2; T309 runs in libpri. */
enum td_isdn_timer_id { TD_T302, TD_T304, TD_T309, TD_T310, TD_T316,
			TD_T_GUARD };
struct td_isdn_timer_def {
	int T;
	uint32_t default_ms;
	const char *desc;
};
extern const struct td_isdn_timer_def td_isdn_timers[];

struct td_isdn_leg;

struct td_line_stats {
	uint64_t rx_frames, rx_bad[TD_LAPD_VERDICTS], rx_cut,
		rx_unknown_cref;
	uint64_t calls_in, calls_out, refused_in, no_channel, glare, retried,
		restarts, restarts_sent, restarts_failed, unsure,
		dchannel_downs, swept, checkpoint_failed;
};

struct td_isdn_line {
	struct td_isdn_line *next;
	struct td_isdn *isdn;
	struct td_site_line conf;
	void *port;		/* env's; NULL: no card */
	int fd;
	bool active;
	bool lib_up;		/* libpri has multiple frames established */
	bool miswired;		/* said already */
	bool cold;		/* libpri is new, it knows of no call */
	struct td_restart restart;
	struct td_timer t316;
	uint64_t left_epoch;	/* when it was given up last */
	bool leaving;		/* its calls are being cleared, then it goes */
	bool quiet;		/* was so at the last look */
	int64_t leave_by_ms;
	struct td_timer leave;
	int64_t ready_at_ms;	/* when SETUP may be sent, 0: not known */
	struct td_pri *pri;	/* since the first activation */
	struct td_isdn_gate *gate;
	unsigned int turn;	/* depth */
	struct td_timer timer;	/* libpri's next */
	struct td_timer again;	/* more frames than a turn takes */
	struct td_isdn_leg *legs;
	unsigned int n_legs;
	struct td_isdn_leg *slot[TD_LINE_SLOTS];	/* who holds it */
	struct td_line_row {
		bool owner, layer1_up, dchannel_up;
		uint64_t epoch, since_ms;
		uint32_t alarms, last_cref, unsure, out_of_service;
	} row;			/* last submitted */
	bool row_valid;		/* it was */
	bool row_differs;	/* the view had another at the last poll */
	uint32_t last_cref;
	struct td_line_stats st;
};

struct td_isdn {
	struct td_isdn_env env;
	struct td_site_line *wanted;	/* lines of the site wired here */
	size_t n_wanted;
	struct td_isdn_line *lines;
	struct td_isdn_leg *idle;	/* legs on no line */
	struct td_timer poll, later;
	struct td_isdn_leg *deferred, **deferred_last;
	bool freeing;
};

enum { TD_DEFER_CLEARED = 1, TD_DEFER_OFFER_REPLY = 2 };

struct td_isdn_leg {
	struct td_leg l;
	struct td_isdn *isdn;
	struct td_isdn_line *line;	/* NULL: none yet, or no more */
	struct td_isdn_leg *next;	/* of the line, or idle */
	void *call;			/* libpri's */
	uint32_t cref;
	bool ours;
	uint32_t timeslot;	/* 0: none (yielded, not yet known) */
	uint32_t iface;
	enum td_q931_state state;
	bool fresh;		/* incoming: nothing was sent for it */
	bool told;		/* the far end may have it */
	bool let_go;		/* and said that it has it no more */
	bool confirmed;		/* outgoing: the far end took the channel */
	bool retried;
	bool dirty;		/* changed since the last checkpoint */
	bool owned;		/* the call room has it */
	bool clearing;		/* we began it */
	bool cleared;		/* TD_LEV_CLEARED was raised */
	unsigned int busy;	/* an event is being raised */
	int cause;
	unsigned int deferred;	/* TD_DEFER_* */
	struct td_isdn_leg *deferred_next;
	bool in_deferred;
	struct td_pri_setup setup;	/* outgoing: what was asked */
	char lines[16][TD_NAME_MAX];
	unsigned int n_lines;
	char pending[TD_ISDN_DIGITS_MAX];	/* until SETUP ACK */
	char called[64], calling[64];
	/* for who takes over: as in view.proto, IsdnCall */
	uint8_t called_type, calling_type, calling_pres, bearer, layer1;
	uint32_t progress;
	bool complete;
	struct td_timer timer;		/* T302, T304, T310 */
	char span[TD_NAME_MAX];
	Td__IsdnCall ck;
};

/* line.c */
int td_line_new(struct td_isdn *isdn, const struct td_site_line *conf,
		struct td_isdn_line **out);
void td_line_free(struct td_isdn_line *line);
int td_line_activate(struct td_isdn_line *line, bool active);
/** Lets go of its port and takes what the world has now for its number. */
int td_line_bind(struct td_isdn_line *line);
void td_line_unbind(struct td_isdn_line *line);
bool td_line_up(const struct td_isdn_line *line);
bool td_line_ready(const struct td_isdn_line *line);
/** Channels that a SETUP of ours may offer. */
uint32_t td_line_free_channels(const struct td_isdn_line *line);
/** Brackets everything that may make libpri send; the outermost leave is the
 *  end of the turn. */
void td_line_enter(struct td_isdn_line *line);
void td_line_leave(struct td_isdn_line *line);
struct td_isdn_line *td_line_find(const struct td_isdn *isdn,
				  const char *name);
/** Takes every call off the line, for good. */
void td_line_retire(struct td_isdn_line *line);
json_t *td_line_dump(const struct td_isdn_line *line);

/* leave.c */
/** Clears the line's calls with cause 31 and takes it out when the far end
 *  has confirmed, or can no more; then td_isdn_line_left. */
void td_line_withdraw(struct td_isdn_line *line);
/* isdn.c: frees the line, puts in its place what the site has by now. */
void td_isdn_line_left(struct td_isdn *isdn, struct td_isdn_line *line);

/* row.c */
/** Submits the row when it changed. */
void td_line_publish(struct td_isdn_line *line);
/** Now and then: submits it again when the view has another. */
void td_line_check_row(struct td_isdn_line *line);
/** A row of ours behind which there is no line any more is deleted, one a
 *  call. @return true: there was one */
bool td_isdn_drop_row(struct td_isdn *isdn);

/* again.c */
/** The leg leaves its channel: does the far end know? */
void td_line_part(struct td_isdn_leg *leg);
/** A Q.931 message that came: does it let go of a call? */
void td_line_hear(struct td_isdn_line *line, const uint8_t *frame, size_t n,
		  const struct td_q931_head *h);
/** May a SETUP of the far end have channel t (0: any)?
 *  @return the channels that it may not have */
uint32_t td_line_shut(struct td_isdn_line *line, uint32_t t);
/** RESTARTs that are due, if the line is up. Inside of a turn. */
void td_line_restart(struct td_isdn_line *line);
void td_line_restart_acked(struct td_isdn_line *line, uint32_t t);
/** What was under way is asked again when the D-channel is back. */
void td_line_restart_stop(struct td_isdn_line *line);
/** libpri is new and its D-channel came up for the first time. */
void td_line_restart_cold(struct td_isdn_line *line);

/* event.c */
void td_line_event(struct td_isdn_line *line, const struct td_pri_event *ev);

/* leg.c */
int td_isdn_leg_alloc(struct td_isdn *isdn, struct td_isdn_leg **out);
void td_isdn_leg_free(struct td_isdn_leg *leg);
/** Moves the leg to a line (NULL: to none). */
void td_isdn_leg_attach(struct td_isdn_leg *leg, struct td_isdn_line *line);
void td_isdn_leg_take(struct td_isdn_leg *leg, uint32_t timeslot);
void td_isdn_leg_session(const struct td_isdn_leg *leg,
			 struct td_session *out);
void td_isdn_leg_state(struct td_isdn_leg *leg, enum td_q931_state state);
/** The numbers of its SETUP. */
void td_isdn_leg_numbers(struct td_isdn_leg *leg,
			 const struct td_isdn_number *called,
			 const struct td_isdn_number *calling);
/** Progress indicator 8, told or heard: in-band information. */
void td_isdn_leg_inband(struct td_isdn_leg *leg);
/** Raises an event; the leg may be freed in it. */
void td_isdn_leg_raise(struct td_isdn_leg *leg, struct td_leg_event *ev);
void td_isdn_leg_timer(struct td_isdn_leg *leg, enum td_isdn_timer_id id);
void td_isdn_leg_timer_stop(struct td_isdn_leg *leg);
/** Encoded for libpri: channel and interface. */
uint32_t td_isdn_leg_channel(const struct td_isdn_leg *leg);

/* call.c */
int td_isdn_call_setup(struct td_leg *l, const struct td_setup *s);
int td_isdn_call_digits(struct td_leg *l, const char *digits, bool complete);
/** @return false: it cannot be used, the leg is being cleared or retried and
 *  the event is done */
bool td_isdn_call_channel(struct td_isdn_leg *leg,
			  const struct td_pri_event *ev);
/** Another channel instead of the one that was refused or lost.
 *  @return true: a new SETUP is on its way */
bool td_isdn_call_retry(struct td_isdn_leg *leg, int cause);

/* clear.c */
/** libpri has let go of the call: channel free, TD_LEV_CLEARED if it is still
 *  due. The leg may be freed in it. */
void td_isdn_leg_gone(struct td_isdn_leg *leg, int cause);
/** Same from within a command: the event comes in a later turn. */
void td_isdn_leg_gone_later(struct td_isdn_leg *leg, int cause);
/** Far end clears: told at once, the rest of the clearing goes on alone. */
void td_isdn_leg_cleared(struct td_isdn_leg *leg, int cause);
/** Ends the call towards the line in whatever state it is. */
void td_isdn_leg_hangup(struct td_isdn_leg *leg, int cause);
void td_isdn_leg_defer(struct td_isdn_leg *leg, unsigned int what);
void td_isdn_run_deferred(void *isdn);

#endif
