/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_RESTART_H
#define TD_ISDN_RESTART_H

#include <stdbool.h>
#include <stdint.h>

/** Which channels of a line want a RESTART, Q.931 5.5, one channel after the
 *  other (class 000). Two reasons: "cold", libpri is new, so what the exchange
 *  has up there is a ghost; "unsure", a call of ours was cleared and the far
 *  end never said that it knows. Pure. Sets: bit t is timeslot t, 1..31. */

enum { TD_RESTART_TRIES = 2 };	/* Q.931 5.5.1, N316 of others */

struct td_restart {
	uint32_t cold;
	uint32_t unsure;	/* no call is placed there until it is over */
	uint32_t out;		/* was not answered: out of service */
	uint32_t at;		/* under way, 0: none */
	uint32_t again;		/* was, and wants another try */
	unsigned int tries;	/* of it */
	struct td_restart_of {
		uint32_t cref;
		bool ours;
	} of[32];		/* the call that made a channel unsure */
};

/** After a cold start: these channels. */
void td_restart_cold(struct td_restart *r, uint32_t channels);
/** The call is gone and the far end did not confirm it. */
void td_restart_unsure(struct td_restart *r, uint32_t t, uint32_t cref,
		       bool ours);
/** The far end let go of that call after all: RELEASE, RELEASE COMPLETE. */
void td_restart_released(struct td_restart *r, uint32_t cref, bool ours);
/** The next channel to send RESTART for. @param busy of living calls: they
 *  prove that both ends agree, nothing is left to restart there
 *  @return 0: none, or one is under way */
uint32_t td_restart_next(struct td_restart *r, uint32_t busy);
/** RESTART ACKNOWLEDGE. @return false: of none that is under way */
bool td_restart_acked(struct td_restart *r, uint32_t t);

enum td_restart_expiry {
	TD_RESTART_AGAIN,	/* td_restart_next gives it once more */
	TD_RESTART_OUT,		/* its channel is out of service now */
	TD_RESTART_LEFT,	/* a cold one: stays in service; so do those
				 * that were to come, such a far end knows no
				 * RESTART */
	TD_RESTART_NONE,	/* nothing was under way */
};
/** T316 went off. @param[out] t the channel, not for TD_RESTART_NONE */
enum td_restart_expiry td_restart_expired(struct td_restart *r, uint32_t *t);
/** The D-channel went down: what is under way is asked again when it is back,
 *  and so is what was given up. */
void td_restart_down(struct td_restart *r);
/** The far end wants a call on channel t. @return false: a RESTART of ours is
 *  under way there, or it is out of service, Q.931 5.5.1: no call is accepted
 *  (cause 44, or another channel). True: the far end has nothing there, so
 *  nothing is left to restart */
bool td_restart_setup(struct td_restart *r, uint32_t t);
/** RESTART from the far end. @param t 0: all */
void td_restart_by_peer(struct td_restart *r, uint32_t t);
/** Channels where no call may be placed. */
uint32_t td_restart_blocked(const struct td_restart *r);

#endif
