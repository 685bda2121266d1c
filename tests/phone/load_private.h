/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LOAD_PRIVATE_H
#define TD_LOAD_PRIVATE_H

#include <stdint.h>
#include <stdio.h>

#include "tests/phone/load.h"
#include "tests/phone/load_msg.h"

enum {
	LOAD_CONTACTS = 6,	/* of a user, that are known to be bound */
	LOAD_RTT_MS = 8192,
	LOAD_STATUSES = 700,
};

enum td_load_op { TD_LOAD_PUT, TD_LOAD_REFRESH, TD_LOAD_DELETE, TD_LOAD_CLEAR,
		  TD_LOAD_OPS };

struct user {
	struct td_load_auth auth;
	uint32_t cseq, turns;
	int via;
	bool busy;
	int next_contact;		/* port: never used twice in a run */
	int contact[LOAD_CONTACTS];	/* bound, the oldest first */
	int contacts;
};

struct request {
	uint64_t branch;
	int user, contact, tries, expires_s;
	enum td_load_op op;
	int64_t start_ms, due_ms, wait_ms;
	int octets;
	char uri[64];
	char msg[TD_LOAD_MSG];
};

struct load {
	struct td_load_conf conf;
	int fd, signal_fd;
	char address[24], local[32];
	FILE *book;
	uint32_t run;
	struct user *user;
	struct request **slot;
	int under_way;
	uint64_t next_branch, begun;
	int64_t now_ms, start_ms, first_ms, timers_ms;
	bool ending, ready, json;
	uint64_t ok[TD_LOAD_OPS], refused[LOAD_STATUSES], no_answer, skipped,
		late, strange, wrong_200, challenges, retransmitted,
		send_errors;
	uint32_t rtt[LOAD_RTT_MS];
};

/** What a user asks for next: of four turns two new contacts, a refresh, a
 *  removal, as far as it has some. *contact is the oldest bound one, unless
 *  it is to be a new one. */
enum td_load_op td_load_plan(struct user *u, int *contact);
/** An answer. Of a contact whose request was not answered with 200 nobody
 *  knows; it is not used again. */
void td_load_learn(struct user *u, enum td_load_op op, int contact, bool ok);
void td_load_uri(const struct load *l, struct request *q);
void td_load_print(const struct load *l);

#endif
