/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PHONES_H
#define TD_PHONES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/phone/media.h"
#include "tests/phone/sip.h"

/** What phones do: they register, answer, call, hold, hang up, and report. */
enum td_phones_answer {
	TD_PHONES_NO,		/* nobody is at home: 480 */
	TD_PHONES_MEDIA,	/* answers */
	TD_PHONES_RING,		/* rings for ever */
	TD_PHONES_BUSY,		/* 486 */
};

enum td_phones_media {
	TD_PHONES_PATTERN, TD_PHONES_ECHO, TD_PHONES_SILENCE,
	TD_PHONES_NOTHING,	/* agrees on media, and sends none */
};

struct td_phones_conf {
	char first[32];		/* the first phone's number */
	int users;		/* it and the ones after it */
	bool no_register;
	enum td_phones_answer answer;
	enum td_phones_media media;
	int64_t ring_ms;	/* before an answer */
	int lines;		/* calls a phone takes at once */
	char to[64], to_last[64];
	int count;		/* calls to place, by the phones in turn */
	double rate;
	int64_t hold_ms;	/* from the answer; 0: until the end */
	int64_t patience_ms;	/* for an answer */
	int64_t cancel_ms;	/* gives up a ringing call; 0: never */
	int64_t hold_at_ms;	/* re-INVITE sendonly; 0: never */
	int64_t hold_for_ms;
	int pt, ptime_ms;
};

enum { TD_PHONES_CALLS = 1024, TD_PHONES_LOG = 16384 };

struct td_phones;

int td_phones_new(const struct td_phones_conf *conf, struct td_pmedia *media,
		  struct td_phones **out);
void td_phones_free(struct td_phones *p);
/** Before the first turn. */
void td_phones_use(struct td_phones *p, struct td_psip *sip);
/** The td_psip_fn; arg is the td_phones. */
int td_phones_event(void *arg, const struct td_psip_event *ev);

/** What is due. @return ms until it wants to be called again */
int td_phones_turn(struct td_phones *p, int64_t now_ms);
/** All phones are registered, or need not be. */
bool td_phones_ready(const struct td_phones *p);
/** All calls that were to be placed are over. */
bool td_phones_done(const struct td_phones *p);
/** Clears what is up, so that the report has it. */
void td_phones_end(struct td_phones *p);
/** README "Report": finished and living calls. New reference. */
json_t *td_phones_report(struct td_phones *p);

#endif
