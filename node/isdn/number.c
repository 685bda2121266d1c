// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/isdn/number.h"

#include <errno.h>
#include <string.h>

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || c == '*' || c == '#';
}

int td_isdn_number_split(const char *number, struct td_isdn_number *out)
{
	struct td_isdn_number n = { .npi = TD_NPI_E164 };
	size_t len;

	if (*number == '+') {
		n.ton = TD_TON_INTERNATIONAL;
		number++;
	}
	len = strlen(number);
	if (len >= sizeof(n.digits))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < len; i++)
		if (!is_digit(number[i]))
			return -EINVAL;
	memcpy(n.digits, number, len + 1);
	*out = n;
	return 0;
}

size_t td_isdn_digits(const char *src, char *dst, size_t size)
{
	size_t n = 0;

	for (; *src && n + 1 < size; src++)
		if (is_digit(*src))
			dst[n++] = *src;
	if (size)
		dst[n] = 0;
	return n;
}

void td_isdn_number_join(const struct td_isdn_number *n, char *out,
			 size_t size)
{
	size_t at = 0;

	if (!size)
		return;
	out[0] = 0;
	if (n->ton == TD_TON_INTERNATIONAL && n->digits[0] && size > 1)
		out[at++] = '+';
	td_isdn_digits(n->digits, out + at, size - at);
}

void td_isdn_name(const char *src, char *dst, size_t size)
{
	size_t n = 0;

	for (; *src; src++) {
		unsigned char c = (unsigned char)*src;

		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			continue;
		if (n + (c < 0x80 ? 1 : 2) >= size)
			break;
		if (c < 0x80) {
			dst[n++] = (char)c;
		} else {
			dst[n++] = (char)(0xc0 | c >> 6);
			dst[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	if (size)
		dst[n] = 0;
}
