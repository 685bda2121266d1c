/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_STR_H
#define TD_STR_H

#include <stddef.h>

/** Copies src with its NUL. @return 0, -ENAMETOOLONG: dst is untouched,
 *  -EINVAL: src is NULL */
int td_str_copy(char *dst, size_t size, const char *src);

/** As td_str_copy, but cuts what does not fit: for texts, never for keys. */
void td_str_cut(char *dst, size_t size, const char *src);

/** Takes an incomplete UTF-8 sequence off the end, as a cut may leave it. */
void td_str_trim_utf8(char *s);

#endif
