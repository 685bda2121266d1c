// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

int td_digest_sha256(const void *p, size_t n, uint8_t out[TD_DIGEST_OCTETS])
{
	return EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) ? 0 : -ENOMEM;
}

int td_digest_hmac(const uint8_t *key, size_t n_key, const void *p, size_t n,
		   uint8_t out[TD_DIGEST_OCTETS])
{
	return HMAC(EVP_sha256(), key, (int)n_key, p, n, out, NULL) ? 0 :
								      -ENOMEM;
}
