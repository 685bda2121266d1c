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

void td_str_trim_utf8(char *s)
{
	size_t n = strlen(s), i = n, want;
	unsigned char c;

	while (i && n - i < 4 && ((unsigned char)s[i - 1] & 0xc0) == 0x80)
		i--;
	if (!i)
		return;
	c = s[i - 1];
	want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
	if (n - i + 1 < want)
		s[i - 1] = '\0';
}
