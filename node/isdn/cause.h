/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_CAUSE_H
#define TD_ISDN_CAUSE_H

/** The causes that this room gives by itself, ITU-T Q.850. All others pass
 *  through as they are. */
enum {
	TD_CAUSE_UNALLOCATED = 1,
	TD_CAUSE_CHANNEL_UNACCEPTABLE = 6,
	TD_CAUSE_NORMAL = 16,
	TD_CAUSE_OUT_OF_ORDER = 27,
	/* a line that an operator takes out: nothing failed and trying again
	 * at once would not help, as 41 says; it is a normal event for which
	 * Q.850 2.2.7 has no name */
	TD_CAUSE_UNSPECIFIED = 31,
	TD_CAUSE_NO_CHANNEL = 34,
	TD_CAUSE_TEMPORARY = 41,
	TD_CAUSE_CONGESTION = 42,
	TD_CAUSE_CHANNEL_UNAVAILABLE = 44,
	TD_CAUSE_NO_SUCH_CHANNEL = 82,
	TD_CAUSE_INCOMPATIBLE = 88,
	TD_CAUSE_TIMER = 102,
};

#endif
