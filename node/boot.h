/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_BOOT_H
#define TD_BOOT_H

#include <stdint.h>

/** Counts this node's starts in dir/boot, durably, before the count is used:
 *  call ids of two lives never meet.
 *  @return 0 or a negative errno: the disk does not take it */
int td_boot_count(const char *dir, uint32_t *out);

#endif
