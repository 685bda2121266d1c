/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CONTROL_H
#define TD_CONTROL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/store/site.h"
#include "proto/base/loop.h"
#include "proto/td_codec.h"

/** The daemon's end of the control socket (proto/control.proto): takes
 *  requests of tandem(1), checks them against proto/verbs.c and gives each to
 *  the handler registered for its verb. One request at a time from a client;
 *  who is slow or says too much is dropped and counted. */
struct td_control;

/** A request that waits for its answer. The handler answers it exactly once
 *  by one of the td_control_reply… functions, at once or in a later turn of
 *  the loop; that ends the token's life. It outlives its client and the
 *  td_control: an answer to nobody is dropped. */
struct td_control_req;

/** Arguments and options are checked already: required ones are there,
 *  nothing is unknown to the verb's row. */
typedef void (*td_control_fn)(void *arg, struct td_control_req *req);

struct td_control_limits {
	unsigned int clients;		/* 0: 64 */
	size_t request_octets;		/* 0: 1 MiB */
	unsigned int io_ms;		/* 0: 10,000: a request has to arrive,
					 * an answer has to be taken in this
					 * time */
	unsigned int idle_ms;		/* 0: 300,000: between requests */
};

struct td_control_stats {
	uint64_t accepted, requests, answered;
	uint64_t refused;	/* more clients than the limit */
	uint64_t malformed;	/* not a request, or too big a one */
	uint64_t slow;		/* dropped by time */
};

/** Binds path, mode 0660; its folder must exist. A socket that a dead daemon
 *  left is replaced.
 *  @param limits may be NULL
 *  @return 0; -EADDRINUSE: a daemon answers there; or bind's error */
int td_control_new(struct td_loop *loop, const char *path,
		   const struct td_control_limits *limits,
		   struct td_control **out);
/** Closes all clients; unlinks the path. */
void td_control_free(struct td_control *c);

/** @param verb a row of proto/verbs.c, such as "call list"
 *  @return 0, -EEXIST: has a handler, -ENOENT: no such row, -ENOMEM */
int td_control_register(struct td_control *c, const char *verb,
			td_control_fn fn, void *arg);
void td_control_stats(const struct td_control *c, struct td_control_stats *out);

/** What was asked; valid until the answer. */
const Td__Request *td_control_request(const struct td_control_req *req);
/** Positional argument i (0..), NULL: not given. */
const char *td_control_arg(const struct td_control_req *req, unsigned int i);
/** Value of option `name` without dashes; NULL: not given. A flag that was
 *  given is "". */
const char *td_control_option(const struct td_control_req *req,
			      const char *name);
/** For the history: as the client says, else by its credentials. */
const char *td_control_who(const struct td_control_req *req);

/** Status 0 with a JSON document; takes over the reference. NULL: answers
 *  that memory is short. */
void td_control_reply_json(struct td_control_req *req, json_t *json);
/** Status 0 with a document (copied). */
void td_control_reply_body(struct td_control_req *req, const void *body,
			   size_t n);
/** @param status 1 failed, 2 usage; one line that says what, where, what to
 *  do */
void td_control_reply_error(struct td_control_req *req, int status,
			    const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Status 1 with all problems and a line that counts them. */
void td_control_reply_problems(struct td_control_req *req,
			       const struct td_problems *p);
/** Anything; r is copied. */
void td_control_reply(struct td_control_req *req, const Td__Reply *r);

#endif
