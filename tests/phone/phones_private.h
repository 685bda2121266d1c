/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PHONES_PRIVATE_H
#define TD_PHONES_PRIVATE_H

#include "tests/instr/check.h"
#include "tests/phone/phones.h"

enum td_pcall_state {
	TD_PCALL_FREE,
	TD_PCALL_RINGING,	/* in: we ring; out: INVITE is on its way */
	TD_PCALL_UP,
	TD_PCALL_CANCELLED,	/* waits for its final response */
};

struct td_pcall {
	enum td_pcall_state state;
	struct td_phones *p;
	int64_t id;
	int user;
	bool out, on_hold, held_once, held_by_peer, early;
	struct td_psip_call *sip;
	struct td_pstream *stream;
	struct td_check *check;
	bool checking;
	char from[64], to[64], reason[64], media_to[32];
	int status, cause, progress;	/* progress: the highest 1xx */
	bool by_peer, by_us;
	int64_t start_ms, progress_ms, answer_ms, end_ms;
	int64_t due_ms, hold_due_ms;	/* 0: nothing is due */
};

struct td_puser {
	char number[32];
	bool asked, registered;
	int status;		/* of a refusal */
};

struct td_phones {
	struct td_phones_conf conf;
	struct td_pmedia *media;
	struct td_psip *sip;
	struct td_prbs_map *map;
	struct td_puser *user;
	struct td_pcall call[TD_PHONES_CALLS];
	json_t *log;
	uint64_t log_dropped, no_call;
	int64_t now_ms, start_ms, next_id, next_place_ms, ready_ms;
	int placed, asked, next_phase;
};

json_t *td_pcall_json(struct td_phones *p, const struct td_pcall *c);

#endif
