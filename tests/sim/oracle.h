/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_ORACLE_H
#define SIM_ORACLE_H

#include "tests/sim/world.h"

/** Who stands outside the nodes, sees everything, and judges:
 *  I1 never two transmitters on a line
 *  I2 what was acknowledged is known to every later owner and in every view
 *     that goes on, unless all who had it are lost
 *  I3 who is out of the in-sync set takes nothing
 *  I4 epochs grow in the order of transmission
 *  and that views are the same at the same index, agreed time flows, queues
 *  stay within their limits (views.c). */
struct sim_oracle *sim_oracle_new(void);
void sim_oracle_free(struct sim_oracle *o);
void sim_oracle_reset(struct sim *s);

/** A machine's line starts, or goes on, transmitting. */
void sim_oracle_on_air(struct sim_machine *m, unsigned int unit);
void sim_oracle_took(struct sim_daemon *d, unsigned int unit, uint64_t epoch);
void sim_oracle_says(struct sim_daemon *d, const Td__Ha *ha);
void sim_oracle_dead(struct sim_machine *m, uint64_t incarnation);
/** After each turn of a daemon. */
void sim_oracle_look(struct sim_daemon *d);

/** A machine's disk holds something new. */
void sim_oracle_disk(struct sim_machine *m);
/** The newest record that a majority of its voters ever had on disk; NULL:
 *  none. */
const Td__Record *sim_oracle_record(const struct sim *s);
bool sim_oracle_in(const Td__Record *r, uint32_t id, uint64_t incarnation);
/** An effect was released at d: does everybody know who must?
 *  @param knows  looks into a view; fails by itself */
void sim_oracle_effect(struct sim_daemon *d,
		       bool (*knows)(const struct td_view *v, void *arg,
				     const char **what),
		       void *arg);

/* views.c */
/** After a message of the one order was delivered to d. */
void sim_views_delivered(struct sim_daemon *d, struct sim_ring *ring,
			 uint32_t q);
/** d is told of a ring; those who moved together have a majority, or not. */
void sim_views_ring(struct sim_daemon *d, bool majority);
void sim_views_drop(struct sim_daemon *d);
void sim_views_look(struct sim_daemon *d);
/** All that run: the same index, octet by octet the same view. */
void sim_views_end(struct sim *s);
void sim_views_reset(struct sim *s);
void sim_views_free(struct sim *s);

#endif
