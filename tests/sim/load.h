/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include "tests/sim/world.h"

/** The world outside: phones that register, refresh and leave, calls, an
 *  operator's generations of the configuration. It remembers what it was
 *  told. */
struct sim_load *sim_load_new(void);
void sim_load_free(struct sim_load *l);
void sim_load_reset(struct sim *s);
void sim_load_daemon(struct sim_daemon *d);
/** Is all there that was acknowledged, and nothing that was ended?
 *  @return NULL: yes; else what is wrong, in static storage of l */
const char *sim_load_check(const struct sim *s, const struct td_view *v);
/** All who knew are lost: nothing of the past is certain any more. */
void sim_load_void(struct sim *s);
/** Nothing waits for an answer. */
bool sim_load_idle(const struct sim *s);

#endif
