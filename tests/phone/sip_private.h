/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PSIP_PRIVATE_H
#define TD_PSIP_PRIVATE_H

#include <re.h>

#include "tests/phone/sip.h"

enum { TD_PSIP_REGS = 1024 };

struct td_psip_reg {
	struct td_psip *s;
	struct sipreg *reg;
	int index;
	char user[32];
};

struct td_psip {
	struct td_psip_conf conf;
	td_psip_fn fn;
	void *arg;
	struct sip *sip;
	struct sipsess_sock *sock;
	char route[128];
	struct sa laddr;
	struct list calls;
	struct td_psip_reg reg[TD_PSIP_REGS];
	int n_regs;
	int signal_fd;
	struct tmr tick;
	td_psip_turn_fn turn;
	void *turn_arg;
	bool *usr1;
	bool stopping, closed;
};

struct td_psip_call {
	struct le le;
	struct td_psip *s;
	void *arg;
	struct sipsess *sess;
	struct sdp_session *sdp;
	struct sdp_media *audio;
	const struct sip_msg *invite;	/* while TD_PSIP_INCOMING is told */
	char user[32], call_id[128];
	int wire_status, wire_cause;
	bool out, answered, we_offer, media;
};

/** A turn is due at once. */
void td_psip_kick(struct td_psip *s);
/** The cause in a Reason header's value (RFC 3326), 0: none. */
int td_psip_q850(const char *v, size_t n);
int td_psip_tell(struct td_psip_call *c, struct td_psip_event *ev);
void td_psip_incoming(const struct sip_msg *msg, void *arg);

#endif
