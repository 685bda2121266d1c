// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/seq.h"

void td_seq_init(struct td_seq *s, unsigned int window)
{
	memset(s, 0, sizeof(*s));
	s->window = (uint8_t)window;
}

static enum td_seq_verdict check_far(struct td_seq *s, uint16_t seq,
				     bool silent, uint64_t *block)
{
	if (!silent && !(s->stray && seq == (uint16_t)(s->cand + 1))) {
		s->stray = true;
		s->cand = seq;
		return TD_SEQ_STRAY;
	}
	s->stray = false;
	*block = s->top + (uint16_t)(seq - (uint16_t)s->top);
	return TD_SEQ_JUMP;
}

enum td_seq_verdict td_seq_check(struct td_seq *s, uint16_t seq, bool silent,
				 uint64_t *block)
{
	int d;

	if (!s->started) {
		*block = TD_SEQ_BASE + seq;
		return TD_SEQ_JUMP;
	}
	d = (int16_t)(seq - (uint16_t)s->next);
	if (d > TD_SEQ_NEAR || d < -TD_SEQ_NEAR || (silent && d < 0))
		return check_far(s, seq, silent, block);
	if (d < 0) {
		if (-d <= 64 && s->past >> (-d - 1) & 1)
			return TD_SEQ_DUPLICATE;
		return TD_SEQ_LATE;
	}
	if (d < TD_SEQ_WINDOW_MAX && s->held >> d & 1)
		return TD_SEQ_DUPLICATE;
	s->stray = false;
	*block = s->next + (uint64_t)d;
	return TD_SEQ_NEXT;
}

void td_seq_jump(struct td_seq *s, uint64_t block)
{
	s->started = true;
	s->next = block;
	s->top = block;
	s->held = 0;
	s->past = 0;
}

bool td_seq_mark(struct td_seq *s, uint64_t block)
{
	s->held |= 1ULL << (block - s->next);
	if (block < s->top)
		return true;
	s->top = block + 1;
	return false;
}

static void advance(struct td_seq *s, uint64_t *block, bool *lost)
{
	bool came = s->held & 1;

	*block = s->next++;
	*lost = !came;
	s->held >>= 1;
	s->past = s->past << 1 | came;
	if (s->top < s->next)
		s->top = s->next;
}

bool td_seq_pop(struct td_seq *s, uint64_t coming, uint64_t *block,
		bool *lost)
{
	uint64_t top = s->top;

	if (coming >= top)
		top = coming + 1;
	if (!(s->held & 1) && !(top > s->next + s->window))
		return false;
	if (!(s->held & 1) && coming == s->next)
		return false;
	advance(s, block, lost);
	return true;
}

bool td_seq_flush(struct td_seq *s, uint64_t *block, bool *lost)
{
	if (s->next >= s->top)
		return false;
	advance(s, block, lost);
	return true;
}
