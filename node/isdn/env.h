/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_ENV_H
#define TD_ISDN_ENV_H

#include "cluster/cluster.h"
#include "node/isdn/isdn.h"
#include "proto/base/loop.h"

/** All that this room asks of the world, so that a test can be the world:
 *  the ports of a card, the cluster, the loop and its clock. env.c binds it
 *  to spanctl/lib, cluster and proto/base. */
struct td_isdn_port_state {
	uint32_t alarms;	/* TD_ALARM_* */
	bool tx_on;
	uint64_t epoch;
};

struct td_isdn_env {
	void *arg;
	uint32_t node_id;
	struct td_leg_up up;

	/* ports, as in spanctl/lib/span.h */
	void *(*port)(void *arg, uint32_t number);	/* NULL: none */
	int (*event_fd)(void *port);
	void (*event_clear)(void *port);
	int (*hdlc)(void *port, unsigned int timeslot);
	int (*recv)(void *port, uint8_t *buf, size_t cap, size_t *n);
	int (*send)(void *port, const void *buf, size_t n);
	void (*state)(void *port, struct td_isdn_port_state *out);

	/* cluster, as in cluster/cluster.h */
	int (*submit)(void *arg, const Td__Op *op);
	int (*effect)(void *arg, td_effect_fn fn, void *farg);
	/* set of timeslots that legs in the view hold */
	bool (*busy)(void *arg, const char *span, uint32_t timeslot);
	const Td__Span *(*row)(void *arg, const char *span);
	/** Walks the rows of this node. Start with *pos 0. NULL: no more */
	const Td__Span *(*next_row)(void *arg, size_t *pos);
	/** Has another node owned the line at an epoch above this one? */
	bool (*taken)(void *arg, const char *span, uint64_t epoch);
	int64_t (*agreed_ms)(void *arg);

	/* loop */
	int64_t (*now_ms)(void *arg);
	int (*timer_start)(void *arg, struct td_timer *t, uint64_t delay_ms,
			   td_timer_fn fn, void *farg);
	void (*timer_stop)(void *arg, struct td_timer *t);
	int (*watch)(void *arg, int fd, td_fd_fn fn, void *farg);
	void (*unwatch)(void *arg, int fd);

	void (*retired)(void *arg);	/* or NULL: see td_isdn_cfg */
	void (*free)(void *arg);	/* or NULL */
};

/** What env->port gives has changed; unbind while the old ones still work. */
void td_isdn_unbind(struct td_isdn *isdn);
int td_isdn_bind(struct td_isdn *isdn);
void *td_isdn_env_arg(struct td_isdn *isdn);

/** td_isdn_new over a given world; env is copied. */
int td_isdn_new_env(const struct td_isdn_env *env, struct td_isdn **out);

#endif
