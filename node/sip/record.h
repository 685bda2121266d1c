/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_RECORD_H
#define TD_SIP_RECORD_H

#include <stddef.h>
#include <stdint.h>

/** What the control loop and the SIP stack's thread say to each other: plain
 *  records, each one malloc'ed block with its text behind it. The stack may
 *  become a process of its own without a change above. */

enum td_sip_transport { TD_SIP_UDP, TD_SIP_TCP };

struct td_sip_peer {
	char host[46];		/* always a number */
	uint16_t port;
	uint8_t transport;	/* enum td_sip_transport */
};

enum td_sip_up_type {
	TD_SIP_UP_REQUEST = 1,	/* tr 0: an ACK that fits no transaction */
	TD_SIP_UP_ACK,		/* for the 2xx of tr */
	TD_SIP_UP_NO_ACK,	/* it never came (timer H) */
	TD_SIP_UP_CANCEL,	/* of tr; the CANCEL has its 200 */
	TD_SIP_UP_RESPONSE,	/* to tr; no text: the stack's own 408, 503 */
	TD_SIP_UP_LISTENER,	/* status 1: up, 0: down */
};

struct td_sip_up {
	enum td_sip_up_type type;
	uint32_t listener;
	uint64_t tr;
	int status;
	struct td_sip_peer from;
	char tag[24];		/* REQUEST without To tag: ours */
	size_t n;
	char text[];		/* the message, n octets and a NUL */
};

enum td_sip_down_type {
	TD_SIP_DOWN_LISTEN = 1,	/* to: address and port, UDP and TCP */
	TD_SIP_DOWN_UNLISTEN,
	TD_SIP_DOWN_REPLY,	/* to tr; text: further header lines */
	TD_SIP_DOWN_REQUEST,	/* tr, listener, to, branch, text: message */
	TD_SIP_DOWN_ACK,	/* as REQUEST; branch: the INVITE's */
	TD_SIP_DOWN_CANCEL,	/* tr; text: Reason header's value or "" */
	TD_SIP_DOWN_FORGET,	/* tr: nobody will answer, or waits for it */
	TD_SIP_DOWN_STOP,
};

struct td_sip_down {
	enum td_sip_down_type type;
	uint32_t listener;
	uint64_t tr;
	int status;
	struct td_sip_peer to;
	char tag[24];		/* REPLY: To tag */
	char branch[40];	/* without "z9hG4bK" */
	size_t n;		/* of text */
	size_t n_body;		/* REPLY: behind text and its NUL */
	char text[];
};

/** A transaction id: the stack's have this bit, the control loop's have not */
#define TD_SIP_TR_SERVER ((uint64_t)1 << 63)

#endif
