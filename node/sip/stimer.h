/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_STIMER_H
#define TD_SIP_STIMER_H

#include "node/sip/parse.h"

/** Session timers, RFC 4028: the rules, pure. Each leg of a call has its own.
 *
 *  A far end that does not know them is asked all the same, by an OPTIONS at
 *  half of our interval: `known` false, `ours` true. */

enum { TD_STIMER_MIN_S = 90 };	/* RFC 4028 5: no less is asked of anybody */

/** What we want; interval_s 0: no timers. */
struct td_stimer_want {
	uint32_t interval_s, min_s;
};

enum td_refresher { TD_REFRESHER_NONE, TD_REFRESHER_UAC, TD_REFRESHER_UAS };

/** What a message says. */
struct td_stimer_said {
	bool supported;		/* Supported or Require: timer */
	uint32_t interval_s;	/* Session-Expires, 0: none */
	uint32_t min_s;		/* Min-SE, 0: none */
	enum td_refresher refresher;
};
/** @return 0, -EINVAL: not to be read (400) */
int td_stimer_read(const struct td_sip_msg *m, struct td_stimer_said *out);

/** What is agreed. */
struct td_stimer {
	uint32_t interval_s;	/* 0: no session timer */
	bool ours;		/* we refresh */
	bool known;		/* the far end supports timers */
	uint32_t min_s;		/* the greatest Min-SE that was said */
};

/** Server side, RFC 4028 9: what our 2xx to this request will say.
 *  @return 0, 422: with Min-SE, no change of *t */
int td_stimer_answer(const struct td_stimer_want *w,
		     const struct td_stimer_said *said, struct td_stimer *t);
/** Client side, 7.2: what a 2xx to our request has fixed. */
void td_stimer_agreed(const struct td_stimer_want *w,
		      const struct td_stimer_said *said, struct td_stimer *t);
/** Our next request's Session-Expires; 0: none. */
uint32_t td_stimer_offer(const struct td_stimer_want *w,
			 const struct td_stimer *t);

/** From a refresh until the next one of ours, 10: half of it; UINT32_MAX: it
 *  is not ours. And until there was none for too long. ms */
uint32_t td_stimer_refresh_ms(const struct td_stimer *t);
uint32_t td_stimer_end_ms(const struct td_stimer *t);

#endif
