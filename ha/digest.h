/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_HA_DIGEST_H
#define TD_HA_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { TD_DIGEST_OCTETS = 32 };

/** SHA-256 (FIPS 180-4). @return 0 or -ENOMEM */
int td_digest_sha256(const void *p, size_t n, uint8_t out[TD_DIGEST_OCTETS]);
/** HMAC with SHA-256 (RFC 2104). @return 0 or -ENOMEM */
int td_digest_hmac(const uint8_t *key, size_t n_key, const void *p, size_t n,
		   uint8_t out[TD_DIGEST_OCTETS]);

#endif
