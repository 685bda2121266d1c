/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_ISDN_NUMBER_H
#define TD_ISDN_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Party numbers as Q.931 writes them, and as the house does: digits, with a
 *  '+' before an international number. Pure. */

enum { TD_ISDN_DIGITS_MAX = 32 };	/* with the NUL; 31 digits */

/** Type of number, Q.931 table 4-9 (octet 3 bits 7-5). */
enum td_isdn_ton {
	TD_TON_UNKNOWN = 0,
	TD_TON_INTERNATIONAL = 1,
	TD_TON_NATIONAL = 2,
	TD_TON_SUBSCRIBER = 4,
};

/** Numbering plan, Q.931 table 4-9 (octet 3 bits 4-1). */
enum { TD_NPI_UNKNOWN = 0, TD_NPI_E164 = 1 };

struct td_isdn_number {
	uint8_t ton, npi;
	bool restricted;	/* presentation restricted (CLIR) */
	bool unavailable;	/* no number due to interworking */
	uint8_t pres;		/* octet 3a as it is: those two, screening */
	char digits[TD_ISDN_DIGITS_MAX];
};

/** "+4930…" becomes international, any other number unknown, both E.164.
 *  "" is allowed. @return 0; -EINVAL: not digits, * or #; -ENAMETOOLONG */
int td_isdn_number_split(const char *number, struct td_isdn_number *out);

/** The house's form; octets that are no digits are left out, what does not
 *  fit is cut. */
void td_isdn_number_join(const struct td_isdn_number *n, char *out,
			 size_t size);

/** Keeps 0-9 * # of src. @return octets written without the NUL */
size_t td_isdn_digits(const char *src, char *dst, size_t size);

/** A name as it came (IA5 or ISO 8859-1) as UTF-8 without control codes. */
void td_isdn_name(const char *src, char *dst, size_t size);

#endif
