// SPDX-License-Identifier: GPL-2.0-or-later
#include "spanctl/core/xconn.h"

static void new_window(struct td_xconn *x)
{
	x->seen = 0;
	x->lowest = TD_XCONN_FAR;
	x->highest = -TD_XCONN_FAR;
}

static void centre(struct td_xconn *x, uint64_t block, uint64_t end)
{
	if (x->locked)
		x->slips++;
	x->locked = true;
	x->offset = (int64_t)(end - TD_XCONN_RESERVE - block);
	new_window(x);
	x->dry = 0;
}

static bool out_of_bounds(const struct td_xconn *x, int64_t level)
{
	if (level < -TD_XCONN_FAR || level > TD_XCONN_FAR)
		return true;
	return x->seen >= TD_XCONN_WINDOW &&
	       (x->highest < TD_XCONN_LOW || x->lowest > TD_XCONN_HIGH);
}

int td_xconn_step(struct td_xconn *x, uint64_t block, uint64_t end,
		  uint64_t *from)
{
	int64_t level = (int64_t)(end - block) - x->offset;

	if (end < TD_XCONN_RESERVE)
		return -EAGAIN;		/* the source has not begun */
	if (x->dry >= TD_XCONN_STALL) {
		if (end == x->dry_end)
			return -EAGAIN;	/* nor must old octets come again */
		centre(x, block, end);
	} else if (!x->locked || out_of_bounds(x, level)) {
		centre(x, block, end);
	} else if (x->seen >= TD_XCONN_WINDOW) {
		new_window(x);
	}
	level = (int64_t)(end - block) - x->offset;
	x->seen++;
	if (level < x->lowest)
		x->lowest = (int32_t)level;
	if (level > x->highest)
		x->highest = (int32_t)level;
	if (level < 1) {
		x->dry++;
		x->dry_end = end;
		return -EAGAIN;
	}
	x->dry = 0;
	*from = block + (uint64_t)x->offset;
	return 0;
}
