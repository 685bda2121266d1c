/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LEG_H
#define TD_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** A leg: one end of a call, whatever it speaks (SIP, ISDN, the echo service,
 *  later voicemail, queues, SS7). The call room sees every leg through this;
 *  legs see the call room through `struct td_leg_up`. Nothing here links to
 *  another room. All in the control loop's thread.
 *
 *  Rules:
 *  - Commands go down (td_leg_ops), events come up (td_leg_up), no event is
 *    raised from inside a command: a leg that fails at once says so by the
 *    return value, or by an event in a later turn of the loop.
 *  - A leg calls up->checkpoint before anything of it that the world can see
 *    leaves the node, and lets what leaves wait for td_cluster_effect.
 *  - After clear() a leg raises TD_LEV_CLEARED exactly once, when the far end
 *    is done with it (or its timers say so); then the call frees it.
 *  - A leg that the far end clears raises TD_LEV_CLEARED itself, also once.
 */

enum { TD_SESSION_MAX_CODECS = 8, TD_SDP_MAX = 4096 };

enum td_codec {
	TD_CODEC_PCMA = 8,	/* static RTP payload types */
	TD_CODEC_PCMU = 0,
};

enum td_direction {	/* as seen by the side that wrote the session */
	TD_DIR_SENDRECV = 0,
	TD_DIR_SENDONLY,
	TD_DIR_RECVONLY,
	TD_DIR_INACTIVE,
};

/** What a leg offers, answers or is told about voice. */
struct td_session {
	enum { TD_MEDIA_NONE = 0, TD_MEDIA_RTP, TD_MEDIA_SLOT, TD_MEDIA_ECHO }
		kind;
	/* RTP: the audio stream. Without raw, sip writes an SDP from these */
	char address[46];	/* where the writer wants to receive */
	uint16_t port;
	uint8_t codecs[TD_SESSION_MAX_CODECS];	/* payload types, preferred
						 * first; only those above */
	uint8_t n_codecs;
	uint8_t dtmf_payload;	/* telephone-event, 0: none */
	uint8_t ptime_ms;	/* 0: 20 */
	enum td_direction dir;
	bool nat;		/* address is not where its SIP came from */
	/* the SDP as it came, to pass on unchanged; "" when there is none */
	char raw[TD_SDP_MAX];
	/* SLOT */
	char span[32];
	uint32_t timeslot;
};

/** What a call is asked for: of an incoming leg, or for an outgoing one. */
struct td_setup {
	uint64_t call_id;	/* 0: new. Goes with an internal leg */
	char called[64];
	char calling[64];
	char calling_name[64];
	bool calling_restricted;	/* CLIR */
	bool complete;		/* false: more digits may come (overlap) */
	bool internal;		/* from / to the other node of this call */
	bool inband;		/* in-band information is available now */
	char user[64];		/* authenticated user, "" for a line */
	char span[32];		/* incoming ISDN: its line */
	/* outgoing */
	char target[256];	/* SIP: request URI */
	char route[512];	/* SIP: Path as Route set, "" none */
	char received[64];	/* SIP: address to send to, "" by URI */
	char transport[8];	/* SIP: "udp", "tcp" */
	char address[32];	/* SIP: our service address ("a1"), "" any */
	char lines[16][32];	/* ISDN: lines to try, in order */
	unsigned int n_lines;
	struct td_session session;	/* offer; kind NONE: late offer */
};

enum td_leg_event_type {
	TD_LEV_DIGITS,		/* overlap: more of the called number */
	TD_LEV_PROCEEDING,	/* far end has the call */
	TD_LEV_PROGRESS,	/* early media or in-band tones: session */
	TD_LEV_ALERTING,	/* it rings; session when with early media */
	TD_LEV_ANSWERED,	/* session: the answer */
	TD_LEV_OFFER,		/* re-INVITE (hold, …): reply by offer_reply */
	TD_LEV_OFFER_REPLY,	/* to our offer(): cause 0 and a session */
	TD_LEV_DTMF,		/* digits, after answer */
	TD_LEV_CLEARED,		/* over; cause, Q.850 */
};

struct td_leg_event {
	enum td_leg_event_type type;
	int cause;		/* Q.850 value; 0: none */
	int sip_status;		/* 0: not from SIP. 302, 486 … for the map */
	bool inband;		/* PROGRESS/ALERTING: listen to the far end */
	char digits[32];
	bool complete;		/* DIGITS: no more will come (sending complete
				 * or T302); digits may be "" then */
	const struct td_session *session;	/* or NULL; valid in the call */
};

struct td_leg;
struct td_leg_ops {
	const char *kind;	/* "sip", "isdn", "echo" */
	/** Outgoing leg: begin. @return 0; else a negative errno and no event
	 *  will come: -EBUSY no free channel, -ENETDOWN line or peer away,
	 *  -EAGAIN overload, -EINVAL */
	int (*setup)(struct td_leg *l, const struct td_setup *s);
	/** Outgoing leg whose setup was not complete: more of the called
	 *  number. @return 0, -EINVAL: not in a state for digits; NULL op:
	 *  this kind of leg takes whole numbers only */
	int (*digits)(struct td_leg *l, const char *digits, bool complete);
	/* Incoming leg: */
	int (*more_digits)(struct td_leg *l);	/* SETUP ACKNOWLEDGE / 484 */
	int (*proceeding)(struct td_leg *l);
	int (*progress)(struct td_leg *l, const struct td_session *s);
	int (*alerting)(struct td_leg *l, const struct td_session *s);
	int (*answer)(struct td_leg *l, const struct td_session *s);
	/* Both, when up: */
	int (*offer)(struct td_leg *l, const struct td_session *s);
	int (*offer_reply)(struct td_leg *l, int cause,
			   const struct td_session *s);
	int (*dtmf)(struct td_leg *l, char digit);
	/** When up: asks the far end whether it is alive; a leg that gets no
	 *  answer clears itself (cause 27 or 41). NULL-able.
	 *  @return 0, -EALREADY: it is being asked; else it cannot be */
	int (*probe)(struct td_leg *l);
	/** Ends it in whatever state, always works. cause: Q.850.
	 *  retry_after_s > 0: "not now" (503 with Retry-After) */
	void (*clear)(struct td_leg *l, int cause, unsigned int retry_after_s);
	/** Fills the leg's part of the op (strings live until the next call
	 *  on this leg; index, since_ms and held are the caller's). */
	void (*checkpoint)(struct td_leg *l, Td__CallLeg *out);
	/** After TD_LEV_CLEARED, or for a leg whose setup failed. */
	void (*free)(struct td_leg *l);
};

/** The call room as a leg sees it. */
struct td_leg_up {
	/** A new incoming leg. On success the call owns it and commands follow
	 *  (maybe before this returns). On failure the caller answers for
	 *  itself: -EAGAIN overload (503, cause 42).
	 *  May be asked before any state exists: it copies what it needs. */
	int (*incoming)(void *arg, struct td_leg *l, const struct td_setup *s);
	void (*event)(void *arg, struct td_leg *l,
		      const struct td_leg_event *ev);
	/** Submits the call's op with all legs' checkpoints now.
	 *  @return 0, -EAGAIN / -ENOTCONN: refuse what you were about to do */
	int (*checkpoint)(void *arg, struct td_leg *l);
	void *arg;
};

/** First member of every leg. */
struct td_leg {
	const struct td_leg_ops *ops;
	const struct td_leg_up *up;	/* set by whoever makes the leg */
	void *call;			/* the call room's; NULL: in none */
	uint32_t index;			/* the call room's */
};

/** Makes an outgoing leg, in state null; setup() starts it. One a room. */
typedef int (*td_leg_new_fn)(void *room, struct td_leg **out);

#endif
