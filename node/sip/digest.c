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
#include <openssl/params.h>
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

/** A key and its HMAC, keyed once: setting one up costs more than using it. */
struct key {
	uint8_t raw[32];
	EVP_MAC_CTX *mac;	/* NULL: no key */
	int64_t until_ms;	/* of a former one */
};

/* The present key, and former ones for as long as their nonces live. */
enum { KEYS = 4 };

struct td_digest {
	struct key key[KEYS];
	EVP_MAC *hmac;
	EVP_MD *md[2];		/* enum td_digest_algorithm */
	EVP_MD_CTX *ctx;
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

static EVP_MAC_CTX *keyed(const struct td_digest *d, const uint8_t raw[32])
{
	OSSL_PARAM p[] = {
		OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(d->hmac);

	if (c && EVP_MAC_init(c, raw, 32, p) == 1)
		return c;
	EVP_MAC_CTX_free(c);
	return NULL;
}

static void drop_key(struct key *k)
{
	EVP_MAC_CTX_free(k->mac);
	OPENSSL_cleanse(k, sizeof(*k));
}

int td_digest_set_key(struct td_digest *d, const uint8_t raw[32],
		      int64_t now_ms)
{
	struct key k = { 0 };
	unsigned int i;

	for (i = 0; i < KEYS && d->key[i].mac; i++)
		if (!CRYPTO_memcmp(d->key[i].raw, raw, sizeof(k.raw)))
			break;
	if (!i && d->key[0].mac)
		return 0;
	if (i < KEYS && d->key[i].mac) {	/* one that comes back */
		k = d->key[i];
	} else {
		memcpy(k.raw, raw, sizeof(k.raw));
		k.mac = keyed(d, raw);
		if (!k.mac)
			return -ENOMEM;
		if (i == KEYS)
			drop_key(&d->key[--i]);
	}
	if (i)
		d->key[0].until_ms = now_ms + TD_DIGEST_NONCE_MS;
	memmove(&d->key[1], &d->key[0], i * sizeof(k));
	d->key[0] = k;
	return 0;
}

int td_digest_new(const uint8_t key[32], uint32_t max_nonces,
		  struct td_digest **out)
{
	struct td_digest *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->max = max_nonces ? max_nonces : 1;
	d->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	d->md[TD_DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
	d->md[TD_DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
	d->ctx = EVP_MD_CTX_new();
	if (!d->hmac || !d->md[0] || !d->md[1] || !d->ctx ||
	    td_map_new(&d->map) || td_digest_set_key(d, key, 0)) {
		td_digest_free(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

void td_digest_free(struct td_digest *d)
{
	if (!d)
		return;
	if (d->map)
		td_map_free(d->map, free);
	for (int i = 0; i < KEYS; i++)
		drop_key(&d->key[i]);
	EVP_MAC_free(d->hmac);
	EVP_MD_free(d->md[0]);
	EVP_MD_free(d->md[1]);
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

uint32_t td_digest_nonces(const struct td_digest *d)
{
	return td_map_count(d->map);
}

static int nonce_mac(EVP_MAC_CTX *c, const char *head, char out[N_MAC + 1])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t n = 0;

	/* no key: the one that the context has */
	if (EVP_MAC_init(c, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(c, (const uint8_t *)head, N_TIME + N_SALT) != 1 ||
	    EVP_MAC_final(c, mac, &n, sizeof(mac)) != 1 || n < N_MAC / 2)
		return -EIO;
	to_hex(mac, N_MAC / 2, out);
	return 0;
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
	if (nonce_mac(d->key[0].mac, nonce, nonce + N_TIME + N_SALT))
		return -EIO;
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

static int hash(EVP_MD_CTX *ctx, const EVP_MD *md, const char *const *parts,
		char out[72])
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	bool ok = EVP_DigestInit_ex(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && parts[i]; i++)
		ok = (!i || EVP_DigestUpdate(ctx, ":", 1) == 1) &&
		     EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, sum, &n) == 1;
	if (!ok)
		return -EIO;
	to_hex(sum, n, out);
	return 0;
}

static int response(EVP_MD_CTX *ctx, const EVP_MD *md,
		    const struct td_digest_cred *c, const char *method,
		    const char *password, char out[72])
{
	const char *a1[] = { c->username, c->realm, password, NULL };
	const char *a2[] = { method, c->uri, NULL };
	char h1[72], h2[72];
	const char *with_qop[] = { h1, c->nonce, c->nc, c->cnonce, "auth", h2,
				   NULL };
	const char *without[] = { h1, c->nonce, h2, NULL };
	int rc = hash(ctx, md, a1, h1);

	if (!rc)
		rc = hash(ctx, md, a2, h2);
	return rc ? rc : hash(ctx, md, c->qop[0] ? with_qop : without, out);
}

int td_digest_response(const struct td_digest_cred *c, const char *method,
		       const char *password, char out[72])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int rc = -ENOMEM;

	if (ctx)
		rc = response(ctx, c->alg == TD_DIGEST_SHA256 ? EVP_sha256() :
			      EVP_md5(), c, method, password, out);
	EVP_MD_CTX_free(ctx);
	return rc;
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

/** Does the nonce carry the MAC of a key of ours? */
static bool is_ours(const struct td_digest *d, const char *nonce,
		    int64_t now_ms)
{
	char mac[N_MAC + 1];

	for (int i = 0; i < KEYS && d->key[i].mac; i++) {
		if (i && d->key[i].until_ms < now_ms)
			continue;
		if (!nonce_mac(d->key[i].mac, nonce, mac) &&
		    !CRYPTO_memcmp(mac, nonce + N_TIME + N_SALT, N_MAC))
			return true;
	}
	return false;
}

/** Time of a nonce that some node of ours made. -EACCES: none did */
static int nonce_time(const struct td_digest *d, const char *nonce,
		      int64_t now_ms, int64_t *at)
{
	char t[N_TIME + 1];

	if (strlen(nonce) != N_ALL ||
	    strspn(nonce, "0123456789abcdef") != N_ALL ||
	    !is_ours(d, nonce, now_ms))
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
	    response(d->ctx, d->md[c->alg], c, method, password, want))
		return -EACCES;
	for (size_t i = 0; i <= n; i++)
		got[i] = tolower((unsigned char)c->response[i]);
	if (n != strlen(want) || CRYPTO_memcmp(got, want, n))
		return -EACCES;
	/* a nonce of a former key is as good as an old one */
	if (nonce_time(d, c->nonce, now_ms, &at))
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
