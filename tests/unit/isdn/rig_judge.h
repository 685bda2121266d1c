/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_TEST_ISDN_JUDGE_H
#define TD_TEST_ISDN_JUDGE_H

/* Each Q.931 message that leaves the node is compared with the checkpoint of
 * its call as the view has it at that moment: what a taker's libpri would be
 * fed with must already say what the message says. */

#include "isdn/rig_world.h"
#include "node/isdn/q931.h"

struct judge_row {
	uint8_t type;
	const char *name;
	uint32_t state[2];	/* after it, Q.931 2.1.1; either side */
	int rank;		/* how far a call is; clearing is behind all */
};

static const struct judge_row judge_rows[] = {
	{ 0x05, "SETUP", { 1, 1 }, 1 },
	{ 0x7b, "INFORMATION", { 2, 2 }, 2 },
	{ 0x0d, "SETUP ACKNOWLEDGE", { 25, 25 }, 2 },
	{ 0x02, "CALL PROCEEDING", { 9, 9 }, 3 },
	{ 0x03, "PROGRESS", { 9, 7 }, 3 },
	{ 0x01, "ALERTING", { 7, 7 }, 4 },
	{ 0x07, "CONNECT", { 8, 10 }, 5 },
	{ 0x0f, "CONNECT ACKNOWLEDGE", { 10, 10 }, 6 },
	{ 0x45, "DISCONNECT", { 11, 11 }, 7 },
	{ 0x4d, "RELEASE", { 19, 19 }, 8 },
};
enum { JUDGE_ROWS = sizeof(judge_rows) / sizeof(judge_rows[0]) };

RIG int judge_rank(uint32_t state)
{
	switch (state) {
	case 1: case 6:
		return 1;
	case 2: case 25:
		return 2;
	case 3: case 9:
		return 3;
	case 4: case 7:
		return 4;
	case 8:
		return 5;
	case 10:
		return 6;
	case 11:
		return 7;
	default:
		return 8;
	}
}

RIG const uint8_t *judge_ie(const uint8_t *f, size_t n, uint8_t id)
{
	size_t at = 7 + (f[5] & 15);

	while (at + 1 < n) {
		if (f[at] & 0x80) {
			at++;
			continue;
		}
		if (f[at] == id)
			return f + at;
		at += 2 + (size_t)f[at + 1];
	}
	return NULL;
}

/* digits of a number element; those of the view are in the house's form */
RIG void judge_number(const uint8_t *ie, const char *digits, uint32_t type,
		      uint32_t pres, bool has_pres)
{
	size_t skip = 1;

	if (!ie)
		return;
	assert_int_equal(ie[2] & 0x7f, type);
	if (!(ie[2] & 0x80)) {
		assert_true(has_pres);
		assert_int_equal(ie[3] & 0x7f, pres);
		skip = 2;
	}
	digits += *digits == '+';
	assert_int_equal(ie[1] - skip, strlen(digits));
	assert_memory_equal(ie + 2 + skip, digits, strlen(digits));
}

RIG void judge_setup(const struct room_call *c, const uint8_t *f, size_t n)
{
	const uint8_t *ie = judge_ie(f, n, 0x04);

	assert_non_null(ie);
	assert_int_equal(ie[2] & 0x7f, c->ck.bearer);
	assert_int_equal(ie[4] & 0x7f, c->ck.layer1);
	judge_number(judge_ie(f, n, 0x70), c->ck_called, c->ck.called_type, 0,
		     false);
	judge_number(judge_ie(f, n, 0x6c), c->ck_calling, c->ck.calling_type,
		     c->ck.calling_pres, true);
}

RIG void judge_message(struct rig *r, const struct room_call *c,
		       const struct judge_row *row, const uint8_t *f, size_t n)
{
	const uint8_t *ie = judge_ie(f, n, 0x18);

	if (r->strict && c->state != row->state[0] && c->state != row->state[1])
		fail_msg("%s leaves, the checkpoint's state is %u", row->name,
			 c->state);
	if (judge_rank(c->state) < row->rank)
		fail_msg("%s leaves, the checkpoint is behind: state %u",
			 row->name, c->state);
	if (ie)
		assert_int_equal(ie[1 + ie[1]] & 0x7f, c->timeslot);
	ie = judge_ie(f, n, 0x1e);
	if (ie)
		assert_true(c->ck.progress & 1u << (ie[3] & 0x7f));
	ie = judge_ie(f, n, 0x08);
	if (ie && row->type == 0x45 && c->ck.cause)	/* 0: libpri's T313 */
		assert_int_equal(ie[3] & 0x7f, c->ck.cause);
	if (row->type == 0x05)
		judge_setup(c, f, n);
	else if (row->rank > 1 && row->rank < 7)
		assert_true(c->ck.confirmed || row->type == 0x7b);
}

RIG void judge_frame(struct rig *r, const uint8_t *f, size_t n)
{
	struct td_q931_head h;

	if ((f[2] & 0xef) == 0x6f)
		r->next_ns = 0;			/* SABME */
	if (f[2] & 1 || f[2] >> 1 != (r->next_ns & 127))
		return;				/* not an I-frame, or again */
	r->next_ns++;
	if (!td_q931_head(f, n, &h) || !h.cref)
		return;
	for (int i = 0; i < RIG_CALLS; i++) {
		struct room_call *c = &r->room[i];

		if (!c->used || !c->checkpoints || c->cref != h.cref ||
		    c->ck.ours == h.to_originator || c->cleared)
			continue;
		for (int k = 0; k < JUDGE_ROWS; k++)
			if (judge_rows[k].type == h.type) {
				judge_message(r, c, &judge_rows[k], f, n);
				r->judged++;
				r->judged_types |= 1u << k;
			}
		return;
	}
	if (h.type == 0x05)
		fail_msg("a SETUP leaves, the view knows nothing of it");
}

#endif
