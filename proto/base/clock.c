// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/base/clock.h"

#include <time.h>

int64_t td_clock_boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int64_t td_clock_boot_ms(void)
{
	return td_clock_boot_ns() / 1000000;
}

int64_t td_clock_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}
