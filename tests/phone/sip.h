/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PSIP_H
#define TD_PSIP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/** SIP of the phones, on libre (baresip's library): another stack than the
 *  product's. sip.c is the only file that sees it. One of these a process:
 *  libre's main loop has no object. Its thread only. */
struct td_psip;
struct td_psip_call;
struct td_psip_reg;

struct td_psip_conf {
	struct in_addr local;
	uint16_t port;			/* of SIP, 0: any */
	const char *via;		/* "10.77.0.11" or with ":port" */
	const char *domain;
	bool tcp;
	int expires_s;
	int pt;				/* 8: PCMA, 0: PCMU */
	int ptime_ms;
};

enum td_psip_kind {
	TD_PSIP_REGISTERED, TD_PSIP_REGISTER_FAILED,
	TD_PSIP_INCOMING,
	TD_PSIP_PROGRESS,		/* status 1xx */
	TD_PSIP_ANSWERED,		/* 2xx, or ACK for ours */
	TD_PSIP_MEDIA,			/* by an offer or answer; status: by
					 * that provisional response */
	TD_PSIP_CLOSED,
};

struct td_psip_event {
	enum td_psip_kind kind;
	struct td_psip_call *call;
	int user;
	int status;			/* 0: none, a time-out or our own end */
	int cause;			/* Q.850, RFC 3326; 0: not told */
	bool by_peer;			/* CLOSED by BYE or CANCEL */
	const char *reason;
	const char *from, *to;		/* user parts; INCOMING */
};

/** @return for TD_PSIP_INCOMING: 180 rings, else the status to refuse with;
 *          no meaning for the others */
typedef int (*td_psip_fn)(void *arg, const struct td_psip_event *ev);
/** @return ms until it wants to be called again */
typedef int (*td_psip_turn_fn)(void *arg);

int td_psip_new(const struct td_psip_conf *conf, td_psip_fn fn, void *arg,
		struct td_psip **out);
/** Ends all: calls, registrations if @p unregister, waits for the last
 *  answers, at most two seconds. */
void td_psip_free(struct td_psip *s, bool unregister);

/** Runs until td_psip_stop or SIGTERM, SIGINT. SIGUSR1 sets *usr1. */
int td_psip_run(struct td_psip *s, td_psip_turn_fn turn, void *arg,
		bool *usr1);
void td_psip_stop(struct td_psip *s);
uint16_t td_psip_port(const struct td_psip *s);

/** Blocks the signals that td_psip_run takes: before any thread starts. */
void td_psip_block_signals(void);

/** @param user  number; its password is "pw" and the number */
int td_psip_register(struct td_psip *s, const char *user, int index);

/** Places a call. @param arg  handed back by td_psip_call_arg */
int td_psip_dial(struct td_psip *s, const char *user, const char *to,
		 uint16_t rtp_port, void *arg, struct td_psip_call **out);
/** Answers with 200 and our media. */
int td_psip_answer(struct td_psip_call *c, uint16_t rtp_port);
/** re-INVITE: sendonly, or sendrecv again. */
int td_psip_hold(struct td_psip_call *c, bool hold);
/** CANCEL, BYE or 480, whatever is due. No TD_PSIP_CLOSED follows. */
void td_psip_hangup(struct td_psip_call *c);
/** Also hangs up. */
void td_psip_call_free(struct td_psip_call *c);

void td_psip_call_set(struct td_psip_call *c, void *arg);
void *td_psip_call_arg(const struct td_psip_call *c);
const char *td_psip_call_id(const struct td_psip_call *c);
/** The last final response to an INVITE of this call as it came by the wire,
 *  also after td_psip_hangup; 0: none */
int td_psip_wire_status(const struct td_psip_call *c);

struct td_psip_media {
	struct in_addr addr;
	uint16_t port;			/* host order; 0: none agreed */
	int pt;
	bool send, receive;
};
void td_psip_media(const struct td_psip_call *c, struct td_psip_media *m);

#endif
