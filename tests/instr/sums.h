/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SUMS_H
#define TD_SUMS_H

#include <jansson.h>

/** Sums over an array of call reports, the same for both instruments. Each
 *  returns a new reference. */

/** How often each value (text, or a number other than 0) of @p key occurs. */
json_t *td_sums_count(json_t *calls, const char *key);
/** {"n","p50","p90","max"} of a number; calls without it do not count. */
json_t *td_sums_ms(json_t *calls, const char *key);
/** Of the "pattern" objects: README "Pattern report". */
json_t *td_sums_pattern(json_t *calls);

#endif
