/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_BUGS_H
#define SIM_BUGS_H

#include "tests/sim/world.h"

/** Deliberate bugs: each rule that can be left out, to prove that this
 *  simulator would notice. Those of the machine that the simulator plays
 *  (driver, guard, disk) are here; the others are compiled into cluster/ and
 *  ha/ with TD_SIM only (cluster/bug.h, ha/lease_bug.h). */
enum sim_bug {
	SIM_BUG_GUARD,		/* RELEASED without having switched off */
	SIM_BUG_TIMER_ONLY,	/* no look at the clock before each block */
	SIM_BUG_MONOTONIC,	/* the clock stands still in a freeze */
	SIM_BUG_SAVE_LATER,	/* promises are said before they are on disk */
	SIM_BUG_DISK_FORGETS,	/* a restarted voter remembers nothing */
};
/* seeds for what other rules hide */
enum { SIM_BUG_HUNT = 3000 };
enum sim_bug_room { SIM_BUGS_SIM, SIM_BUGS_HA, SIM_BUGS_CLUSTER };

struct sim_bug_row {
	const char *name;
	enum sim_bug_room room;
	unsigned int bit;
	unsigned int seeds;	/* found within so many, or the test fails;
				 * 0: other rules stand before it */
	bool quick;		/* in `make check`, too */
	const char *what;
};
/** @return NULL: no more */
const struct sim_bug_row *sim_bug_row(unsigned int i);

static inline bool sim_bug(const struct sim *s, enum sim_bug b)
{
	return s->bugs[SIM_BUGS_SIM] >> b & 1;
}

#endif
