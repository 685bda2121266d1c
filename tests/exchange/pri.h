/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_XPRI_H
#define TD_XPRI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Network side of one PRI (EuroISDN, E1) on libpri. pri.c is the only file
 *  of the exchange that sees the library; all of it runs in one thread. */
typedef struct q931_call q931_call;	/* libpri's own, never looked into */

enum td_xpri_kind {
	TD_XPRI_UP, TD_XPRI_DOWN,
	TD_XPRI_SETUP,		/* call, timeslot, called, calling, complete */
	TD_XPRI_SETUP_ACK,
	TD_XPRI_DIGITS,		/* call, called: only the new ones */
	TD_XPRI_PROCEEDING, TD_XPRI_PROGRESS, TD_XPRI_ALERTING,
	TD_XPRI_CONNECT, TD_XPRI_CONNECT_ACK,
	TD_XPRI_DISCONNECT,	/* cause; RELEASE has been sent */
	TD_XPRI_RELEASED,	/* cause; the call is no more after this */
	TD_XPRI_RESTART,	/* timeslot, 0: all; acknowledged already */
	TD_XPRI_RESTART_ACK,
};

struct td_xpri_event {
	enum td_xpri_kind kind;
	q931_call *call;
	int timeslot;		/* 0: none, or any */
	bool flexible;		/* another timeslot would do */
	bool complete;		/* no more digits will come */
	bool inband;		/* progress indicator 8 */
	int cause;
	char called[64], calling[64];
};

typedef void (*td_xpri_event_fn)(void *arg, const struct td_xpri_event *ev);
/** A frame for the D-channel, without FCS. */
typedef void (*td_xpri_send_fn)(void *arg, const uint8_t *o, size_t n);

struct td_xpri;

/** @return 0, -ENOMEM */
int td_xpri_new(td_xpri_send_fn send, td_xpri_event_fn event, void *arg,
		struct td_xpri **out);
/** libpri cannot free its part: it stays until the process ends. */
void td_xpri_free(struct td_xpri *p);

/** A frame from the D-channel, without FCS. */
void td_xpri_input(struct td_xpri *p, const uint8_t *o, size_t n);
/** Timers. @return ms until it wants to be called again, at most 1000 */
int td_xpri_run(struct td_xpri *p);

struct td_xpri_setup {
	int timeslot;
	bool preferred;		/* else exclusive */
	bool complete;
	const char *called, *calling;
};

/** SETUP. @return 0, -EIO: libpri refused */
int td_xpri_setup(struct td_xpri *p, const struct td_xpri_setup *s,
		  q931_call **out);
void td_xpri_more(struct td_xpri *p, q931_call *c, int timeslot);
void td_xpri_digit(struct td_xpri *p, q931_call *c, char digit);
void td_xpri_proceeding(struct td_xpri *p, q931_call *c, int timeslot);
/** ALERTING with progress indicator 8: there is a tone to be heard. */
void td_xpri_alerting(struct td_xpri *p, q931_call *c, int timeslot);
void td_xpri_connect(struct td_xpri *p, q931_call *c, int timeslot);
/** Clears; TD_XPRI_RELEASED follows. */
void td_xpri_clear(struct td_xpri *p, q931_call *c, int cause);
/** Refuses a call that was answered with nothing yet: RELEASE COMPLETE, and
 *  the call is no more. @param cause 1, 34, 44 or 88 */
void td_xpri_refuse(struct td_xpri *p, q931_call *c, int cause);
/** Forgets a call: its channel has been restarted. */
void td_xpri_forget(struct td_xpri *p, q931_call *c);
/** RESTART of a timeslot. @return 0 or -EIO */
int td_xpri_restart(struct td_xpri *p, int timeslot);

/** Calls that libpri holds, by its own count; -1: it did not say. */
int td_xpri_calls(struct td_xpri *p);

#endif
