/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CLOCK_H
#define TD_CLOCK_H

#include <stdint.h>

/** CLOCK_BOOTTIME: leases, time-outs; goes on in a suspend. */
int64_t td_clock_boot_ns(void);
int64_t td_clock_boot_ms(void);

/** CLOCK_REALTIME in ms since 1970: for people, and for agreed time (only as
 *  a proposal: replicated code reads view.now). */
int64_t td_clock_wall_ms(void);

#endif
