// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/base/str.h"

#include <errno.h>
#include <string.h>

int td_str_copy(char *dst, size_t size, const char *src)
{
	size_t n;

	if (!src)
		return -EINVAL;
	n = strlen(src);
	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(dst, src, n + 1);
	return 0;
}

void td_str_cut(char *dst, size_t size, const char *src)
{
	size_t n = src ? strnlen(src, size - 1) : 0;

	if (n)
		memcpy(dst, src, n);
	dst[n] = '\0';
}
