/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CORE_COMPAT_H
#define TD_CORE_COMPAT_H

/* All that core/ takes from outside: fixed-width types, errno values, memcpy
 * and memset. The same sources compile in the kernel module. */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#endif
