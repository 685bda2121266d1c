// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/digest.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "node/sip/parse.h"
#include "proto/base/map.h"

/* A nonce: 12 hex digits of time in ms, 8 of salt, 24 of HMAC. */
enum { N_TIME = 12, N_SALT = 8, N_MAC = 24, N_ALL = 44 };

/** Which counts of a nonce were used: the highest, and 64 below it. */
struct window {
	struct window *older, *newer;
	char nonce[N_ALL + 1];
	uint32_t high;
	uint64_t seen;		/* bit i: high - i */
};

struct td_digest {
	uint8_t key[32];
	uint32_t max;
	struct td_map *map;	/* nonce -> window */
	struct window *oldest, *newest;
	int64_t floor_ms;	/* a nonce older than this lost its window */
};

static void to_hex(const uint8_t *in, size_t n, char *out)
{
	static const char d[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = d[in[i] >> 4];
		out[2 * i + 1] = d[in[i] & 15];
	}
	out[2 * n] = '\0';
}

int td_digest_new(const uint8_t key[32], uint32_t max_nonces,
		  struct td_digest **out)
{
	struct td_digest *d = calloc(1, sizeof(*d));

	if (!d || td_map_new(&d->map)) {
		free(d);
		return -ENOMEM;
	}
	memcpy(d->key, key, sizeof(d->key));
	d->max = max_nonces ? max_nonces : 1;
	*out = d;
	return 0;
}

void td_digest_free(struct td_digest *d)
{
	if (!d)
		return;
	td_map_free(d->map, free);
	OPENSSL_cleanse(d->key, sizeof(d->key));
	free(d);
}

uint32_t td_digest_nonces(const struct td_digest *d)
{
	return td_map_count(d->map);
}

static void nonce_mac(const struct td_digest *d, const char *head,
		      char out[N_MAC + 1])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int n = sizeof(mac);

	HMAC(EVP_sha256(), d->key, sizeof(d->key), (const uint8_t *)head,
	     N_TIME + N_SALT, mac, &n);
	to_hex(mac, N_MAC / 2, out);
}

int td_digest_challenge(struct td_digest *d, const char *realm,
			enum td_digest_algorithm alg, bool stale,
			int64_t now_ms, char *out, size_t size)
{
	char nonce[N_ALL + 1], salt_hex[N_SALT + 1];
	uint8_t salt[N_SALT / 2];
	int n;

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return -EIO;
	to_hex(salt, sizeof(salt), salt_hex);
	snprintf(nonce, sizeof(nonce), "%012" PRIx64 "%s",
		 (uint64_t)now_ms & 0xffffffffffff, salt_hex);
	nonce_mac(d, nonce, nonce + N_TIME + N_SALT);
	n = snprintf(out, size, "Digest realm=\"%s\",nonce=\"%s\","
		     "algorithm=%s,qop=\"auth\"%s", realm, nonce,
		     alg == TD_DIGEST_SHA256 ? "SHA-256" : "MD5",
		     stale ? ",stale=true" : "");
	return n < 0 || (size_t)n >= size ? -EMSGSIZE : 0;
}

static int take(const char *params, const char *name, char *out, size_t size)
{
	return td_sip_param(params, name, out, size) ? 0 : -EINVAL;
}

/** Commas between the parts become ';' so that td_sip_param can read them. */
static int as_params(const char *v, char *out, size_t size)
{
	size_t o = 0;
	bool quoted = false;

	if (size < 2)
		return -EINVAL;
	out[o++] = ';';
	for (; *v; v++) {
		if (o + 2 >= size)
			return -EINVAL;
		if (*v == '"')
			quoted = !quoted;
		if (quoted && *v == '\\' && v[1])
			out[o++] = *v++;
		out[o++] = *v == ',' && !quoted ? ';' : *v;
	}
	out[o] = '\0';
	return quoted ? -EINVAL : 0;
}

int td_digest_parse(const char *value, struct td_digest_cred *out)
{
	struct td_digest_cred c = { 0 };
	char p[4096], alg[24];

	if (strncasecmp(value, "Digest", 6) ||
	    (value[6] != ' ' && value[6] != '\t'))
		return -EPROTONOSUPPORT;
	if (as_params(value + 7, p, sizeof(p)) ||
	    take(p, "username", c.username, sizeof(c.username)) ||
	    take(p, "realm", c.realm, sizeof(c.realm)) ||
	    take(p, "nonce", c.nonce, sizeof(c.nonce)) ||
	    take(p, "uri", c.uri, sizeof(c.uri)) ||
	    take(p, "response", c.response, sizeof(c.response)))
		return -EINVAL;
	if (!take(p, "algorithm", alg, sizeof(alg))) {
		if (!strcasecmp(alg, "SHA-256"))
			c.alg = TD_DIGEST_SHA256;
		else if (strcasecmp(alg, "MD5"))
			return -EPROTONOSUPPORT;
	}
	if (!take(p, "qop", c.qop, sizeof(c.qop))) {
		if (strcasecmp(c.qop, "auth"))
			return -EPROTONOSUPPORT;
		if (take(p, "nc", c.nc, sizeof(c.nc)) ||
		    take(p, "cnonce", c.cnonce, sizeof(c.cnonce)) ||
		    strlen(c.nc) != 8 ||
		    strspn(c.nc, "0123456789abcdefABCDEF") != 8)
			return -EINVAL;
	}
	*out = c;
	return 0;
}

static int hash(enum td_digest_algorithm alg, const char *const *parts,
		char out[72])
{
	const EVP_MD *md = alg == TD_DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && parts[i]; i++)
		ok = (!i || EVP_DigestUpdate(ctx, ":", 1) == 1) &&
		     EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, sum, &n) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -EIO;
	to_hex(sum, n, out);
	return 0;
}

int td_digest_response(const struct td_digest_cred *c, const char *method,
		       const char *password, char out[72])
{
	const char *a1[] = { c->username, c->realm, password, NULL };
	const char *a2[] = { method, c->uri, NULL };
	char h1[72], h2[72];
	const char *with_qop[] = { h1, c->nonce, c->nc, c->cnonce, "auth", h2,
				   NULL };
	const char *without[] = { h1, c->nonce, h2, NULL };
	int rc = hash(c->alg, a1, h1);

	if (!rc)
		rc = hash(c->alg, a2, h2);
	return rc ? rc : hash(c->alg, c->qop[0] ? with_qop : without, out);
}

static void forget_oldest(struct td_digest *d)
{
	struct window *w = d->oldest;
	char t[N_TIME + 1];

	memcpy(t, w->nonce, N_TIME);
	t[N_TIME] = '\0';
	/* what it guarded against replay must not be taken for fresh */
	int64_t at = strtoll(t, NULL, 16);
	if (at + 1 > d->floor_ms)
		d->floor_ms = at + 1;
	d->oldest = w->newer;
	if (d->oldest)
		d->oldest->older = NULL;
	else
		d->newest = NULL;
	td_map_del(d->map, w->nonce, N_ALL);
	free(w);
}

/** Marks a count as used. @return 0, -ESTALE used before or unknowable */
static int use_count(struct td_digest *d, const char *nonce, int64_t at,
		     uint32_t nc)
{
	struct window *w = td_map_get(d->map, nonce, N_ALL);

	if (!nc)
		return -ESTALE;
	if (!w) {
		if (at < d->floor_ms)
			return -ESTALE;
		while (td_map_count(d->map) >= d->max)
			forget_oldest(d);
		w = calloc(1, sizeof(*w));
		if (!w)
			return -ESTALE;
		memcpy(w->nonce, nonce, N_ALL);
		if (td_map_set(d->map, nonce, N_ALL, w, NULL)) {
			free(w);
			return -ESTALE;
		}
		w->older = d->newest;
		if (d->newest)
			d->newest->newer = w;
		else
			d->oldest = w;
		d->newest = w;
		w->high = nc;
		w->seen = 1;
		return 0;
	}
	if (nc > w->high) {
		w->seen = nc - w->high < 64 ? w->seen << (nc - w->high) | 1 : 1;
		w->high = nc;
		return 0;
	}
	if (w->high - nc >= 64 || w->seen >> (w->high - nc) & 1)
		return -ESTALE;
	w->seen |= (uint64_t)1 << (w->high - nc);
	return 0;
}

/** Time of a nonce that some node of ours made. -EACCES: none did */
static int nonce_time(const struct td_digest *d, const char *nonce,
		      int64_t *at)
{
	char mac[N_MAC + 1], t[N_TIME + 1];

	if (strlen(nonce) != N_ALL ||
	    strspn(nonce, "0123456789abcdef") != N_ALL)
		return -EACCES;
	nonce_mac(d, nonce, mac);
	if (CRYPTO_memcmp(mac, nonce + N_TIME + N_SALT, N_MAC))
		return -EACCES;
	memcpy(t, nonce, N_TIME);
	t[N_TIME] = '\0';
	*at = strtoll(t, NULL, 16);
	return 0;
}

int td_digest_verify(struct td_digest *d, const struct td_digest_cred *c,
		     const char *realm, const char *method,
		     const char *password, int64_t now_ms)
{
	char want[72], got[72];
	int64_t at;
	size_t n = strlen(c->response);

	if (strcmp(c->realm, realm) ||
	    td_digest_response(c, method, password, want))
		return -EACCES;
	for (size_t i = 0; i <= n; i++)
		got[i] = tolower((unsigned char)c->response[i]);
	if (n != strlen(want) || CRYPTO_memcmp(got, want, n))
		return -EACCES;
	/* a nonce of a former key is as good as an old one */
	if (nonce_time(d, c->nonce, &at))
		return -ESTALE;
	/* the other node's clock may be ahead of ours a little */
	if (at < now_ms - TD_DIGEST_NONCE_MS || at > now_ms + 60000)
		return -ESTALE;
	while (d->oldest) {	/* windows of nonces that have become stale */
		char t[N_TIME + 1];

		memcpy(t, d->oldest->nonce, N_TIME);
		t[N_TIME] = '\0';
		if (strtoll(t, NULL, 16) >= now_ms - TD_DIGEST_NONCE_MS)
			break;
		forget_oldest(d);
	}
	return use_count(d, c->nonce, at,
			 c->qop[0] ? strtoul(c->nc, NULL, 16) : 1);
}
