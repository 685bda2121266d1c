/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LOAD_H
#define TD_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>

/** Registrations at a rate, by thousands of users over one socket, and a book
 *  of every answer: what was promised to whom, so that it can be claimed
 *  afterwards. SIP and digest are its own: no stack, whose timers would be a
 *  load themselves. */
enum { TD_LOAD_VIAS = 4, TD_LOAD_USERS = 10000 };

struct td_load_conf {
	struct in_addr local;
	uint16_t port;			/* own, 0: any */
	struct sockaddr_in via[TD_LOAD_VIAS];
	int vias;
	long long first;		/* the first user */
	int users;
	const char *domain;
	double rate;			/* requests (but challenges) a second */
	double run_s;			/* 0: until SIGTERM */
	int expires_s;
	int contact_port;		/* of a user's first contact; the next
					 * ones count up */
	int patience_ms;		/* for a final answer */
	bool clear;			/* each user once: removes all */
	bool fill;			/* nothing but new contacts */
	const char *log;		/* README "Book"; NULL: none */
	const char *ready;		/* made with the first 200, or NULL */
};

/** "A[:PORT],B[:PORT]". @return 0, -EINVAL */
int td_load_vias(const char *text, struct td_load_conf *conf);

/** Runs until it is over; blocks; the signals are td_psip_block_signals'.
 *  Prints its report.
 *  @return 0, or negative errno: the socket, the log */
int td_load_run(const struct td_load_conf *conf, bool json);

#endif
