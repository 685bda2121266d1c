/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_SIP_DIGEST_H
#define TD_SIP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Digest authentication: MD5 (RFC 2617, RFC 7616) and SHA-256 (RFC 8760).
 *  A nonce carries its time and a HMAC under the cluster's key, so that every
 *  node can check a nonce that any of them gave out; what a node keeps is the
 *  window of nonce counts it has seen, bounded. */

enum td_digest_algorithm { TD_DIGEST_MD5, TD_DIGEST_SHA256 };

enum {
	TD_DIGEST_NONCE_MS = 5 * 60 * 1000,	/* then stale=true */
	TD_DIGEST_NONCE_SIZE = 64,		/* with its NUL */
};

struct td_digest;

/** @param max_nonces windows kept; the oldest make room, and a nonce whose
 *  window is gone is called stale */
int td_digest_new(const uint8_t key[32], uint32_t max_nonces,
		  struct td_digest **out);
void td_digest_free(struct td_digest *d);
/** The key to make nonces with from now on. Nonces of the three before it
 *  are good for as long as they would have been. @return 0, -ENOMEM */
int td_digest_set_key(struct td_digest *d, const uint8_t key[32],
		      int64_t now_ms);
uint32_t td_digest_nonces(const struct td_digest *d);

/** Value of a WWW-Authenticate or Proxy-Authenticate header. */
int td_digest_challenge(struct td_digest *d, const char *realm,
			enum td_digest_algorithm alg, bool stale,
			int64_t now_ms, char *out, size_t size);

/** Credentials as they came, taken apart. */
struct td_digest_cred {
	char username[64], realm[128], nonce[128], uri[1024], response[72];
	char cnonce[128], nc[12], qop[16], opaque[64];
	enum td_digest_algorithm alg;
};
/** @param value of an Authorization or Proxy-Authorization header
 *  @return 0; -EPROTONOSUPPORT another scheme or algorithm; -EINVAL */
int td_digest_parse(const char *value, struct td_digest_cred *out);

/** @return 0 they fit; -EACCES wrong password, realm or a nonce not ours;
 *  -ESTALE right, but the nonce is too old or was used so already: challenge
 *  again with stale=true */
int td_digest_verify(struct td_digest *d, const struct td_digest_cred *c,
		     const char *realm, const char *method,
		     const char *password, int64_t now_ms);

/** The response of RFC 7616 3.4.1, in lower-case hexadecimal. */
int td_digest_response(const struct td_digest_cred *c, const char *method,
		       const char *password, char out[72]);

#endif
