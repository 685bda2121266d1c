/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to node/call. */
#ifndef TD_CALLS_I_H
#define TD_CALLS_I_H

#include "node/call/call.h"
#include "node/call/calls.h"
#include "node/route/route.h"
#include "proto/base/map.h"

enum {
	CALL_MAX_B = TD_CALL_MAX_LEGS - 1,
	CALL_OVERLAP_MS = 20000,	/* behind the line's own T302, 15 s */
	CALL_RINGING_MS = 200000,	/* behind T301, at least 3 min */
	CALL_CLEARING_MS = 90000,	/* beyond every leg's own timers */
};

/** One leg and what the call knows of it. */
struct party {
	struct td_leg *leg;		/* NULL: never there, or freed */
	struct call *call;
	bool alive;			/* CLEARED has not come yet */
	bool told_clear;		/* clear() was called */
	bool outgoing;
	Td__LegState state;
	int64_t since_ms;
	struct td_session *sess;	/* last that came from it, or NULL */
	struct td_target target;	/* B only */
	/* RTP towards it that ends here; 0: none */
	uint32_t rtp;
	uint16_t rtp_port;
	char rtp_address[46];
	struct td_voice_start rtp_start;
	int64_t rtp_at_ms;		/* agreed time of that */
	uint8_t codec;
	struct td_voice_rtp rtp_told;	/* what the media room was last told */
	bool held;
	Td__LegLog log;			/* for its detail record; texts are
					 * filled in when it is written */
	char log_span[32];		/* of the channel it has, or had */
	bool news;			/* sess came with this event, and was
					 * not the same before */
	bool direct;			/* B: SDPs are passed through; decided
					 * once, with the first offer */
};

struct call {
	struct td_calls *room;
	uint64_t id;
	enum td_call_state state;
	struct td_setup setup;		/* A's */
	struct party a, b[CALL_MAX_B];
	unsigned int n_b;
	int winner;			/* index in b, -1: none yet */
	struct td_target targets[TD_ROUTE_MAX_TARGETS];
	unsigned int n_targets, next_target;
	int cause;			/* best so far of the legs B */
	int64_t since_ms, answered_ms;
	struct party *early;		/* B whose early media A hears */
	struct party *offerer;		/* whose re-INVITE waits for a reply */
	struct party *relayed;		/* who got a re-INVITE of ours for the
					 * answer in an ACK */
	struct td_session *offered;	/* what it offers; its session once the
					 * other side has agreed */
	struct td_timer guard;		/* overlap, clearing */
	struct td_timer bury;		/* frees outside of a leg's event */
	uint8_t *sent;			/* the last op, packed */
	size_t sent_n;
	uint64_t generation;		/* of the configuration at its start */
	uint64_t cdr_epoch;		/* 0: its record is not made yet */
	Td__ClearedBy cleared_by;	/* who ends its legs now */
	const char *voice;		/* direct | xconn | local | bundle */
	struct td_voice_end joined[2];	/* kind 0: nothing is joined */
};

struct td_calls {
	struct td_calls_cfg cfg;
	struct td_leg_up up;
	const struct td_site *site;
	td_leg_new_fn sip_new, isdn_new;
	void *sip, *isdn;
	struct td_map *calls;		/* by id */
	uint64_t counter;
	bool ending;			/* no new calls */
	uint64_t life[TD_NODE_MAX_ID + 1];	/* of each node: incarnation
						 * while it is up, else 0 */
	uint64_t refused, illegal, stuck, total, silent;
};

/* calls.c */
/** The party is over, whatever its leg does: it says so, or its far end can
 *  say nothing more. */
void call_party_gone(struct party *p, const struct td_leg_event *lev);
void call_event(struct call *c, enum td_call_event ev, struct party *p,
		const struct td_leg_event *lev);
void call_check_gone(struct call *c);
struct party *call_winner(struct call *c);
struct party *call_other(struct call *c, const struct party *p);

/* act.c: performs the actions of one step */
void call_act(struct call *c, uint32_t acts, struct party *p,
	      const struct td_leg_event *lev);
void call_clear_party(struct party *p, int cause);
enum td_call_event call_route(struct call *c);

/* bridge.c: what voice goes where, which session each side is told */
int bridge_offer_b(struct call *c, struct party *b, struct td_session *out);
/** A's side of what B just said; NULL-able by kind NONE. */
int bridge_session_a(struct call *c, struct party *b, struct td_session *out);
int bridge_join(struct call *c, struct party *b);
/** Of several B with early media the newest is heard. Is b's what A shall
 *  hear from now on? */
bool bridge_early(struct call *c, struct party *b);
/** One of them is gone: another one's is heard. */
void bridge_early_gone(struct call *c, struct party *b);
/** @return 0: *reply is to be given to p at once; -EINPROGRESS: passed on;
 *  else p is refused */
int bridge_offer(struct call *c, struct party *p, const struct td_session *s,
		 struct td_session *reply);
/** Makes an agreed offer p's session. */
void bridge_take(struct party *p, const struct td_session *s);
void bridge_answered_late(struct call *c, struct party *p,
			  const struct td_session *s);
void bridge_part(struct call *c);
void bridge_release(struct call *c, struct party *p);
bool bridge_is_direct(const struct call *c, const struct party *b);

/* gone.c: the other half of a call ends with its node */
/** After the view was replaced: halves that nobody has any more. */
void gone_check(struct td_calls *r);

/* log.c: what happens to a leg, for its detail record */
void log_start(struct party *p);
void log_alerting(struct party *p);
void log_answered(struct party *p);
void log_event(struct party *p, const struct td_leg_event *lev);
/** We clear it. */
void log_clear(struct party *p, int cause);
/** It could not be started. */
void log_failed(struct party *p, int cause);
/** Its call is over, whatever it said. */
void log_over(struct party *p);
void log_who_clears(struct call *c, enum td_call_event ev,
		    const struct party *p);

/* record.c */
int record_put(struct call *c);
/** The call is over: its row goes, its detail record stays. */
int record_end(struct call *c);
int record_del_id(struct td_calls *r, uint64_t id);

/* silence.c */
void silence_watch(struct td_calls *r, bool on);

/* echo.c */
int echo_leg_new(struct td_loop *loop, const struct td_leg_up *up,
		 struct td_leg **out);

#endif
