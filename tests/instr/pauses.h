/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PAUSES_H
#define TD_PAUSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** The times at which an instrument's own clock thread was not run. Who
 *  measures a gap must know them: on these machines they reach 50 ms. */
enum { TD_PAUSES_KEPT = 512 };

struct td_pause {
	int64_t start_ns;	/* when it should have run, CLOCK_MONOTONIC */
	int64_t len_ns;
};

struct td_pauses {
	struct td_pause p[TD_PAUSES_KEPT];	/* a ring; the oldest go */
	uint64_t count;		/* all ever noted */
	int64_t note_ns;	/* shorter ones are not noted */
	int64_t blame_ns;	/* from here on a pause excuses a gap */
	int64_t longest_ns;
};

/** @param note_ms   noted from this length on
 *  @param blame_ms  excuses gaps from this length on: what the jitter buffers
 *                   under test must ride over is no excuse */
void td_pauses_init(struct td_pauses *p, int note_ms, int blame_ms);
void td_pauses_add(struct td_pauses *p, int64_t start_ns, int64_t len_ns);

/** Was there a pause that explains something heard from @p from to @p to?
 *  A pause is heard later, by as much as the buffers on the way hold. */
bool td_pauses_explain(const struct td_pauses *p, int64_t from_ns,
		       int64_t to_ns, int64_t later_ns);

/** {"count","longest_ms","list":[{"at_ms","ms"}]}; at_ms counted from
 *  @p epoch_ns, pauses before it are left out. @return new reference */
json_t *td_pauses_json(const struct td_pauses *p, int64_t epoch_ns);

#endif
