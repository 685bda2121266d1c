// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/phone/load_msg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static int md5(char out[TD_LOAD_HEX], const char *fmt, ...)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned int size = sizeof(sum);
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -EMSGSIZE;
	if (EVP_Digest(text, n, sum, &size, EVP_md5(), NULL) != 1)
		return -EIO;
	for (unsigned int i = 0; i < size; i++)
		sprintf(out + 2 * i, "%02x", sum[i]);
	return 0;
}

int td_load_digest(const char *user, const char *realm, const char *password,
		   const char *method, const char *uri, const char *nonce,
		   const char *nc, const char *cnonce, char out[TD_LOAD_HEX])
{
	char a1[TD_LOAD_HEX], a2[TD_LOAD_HEX];
	int rc = md5(a1, "%s:%s:%s", user, realm, password);

	if (!rc)
		rc = md5(a2, "%s:%s", method, uri);
	return rc ? rc : md5(out, "%s:%s:%s:%s:auth:%s", a1, nonce, nc, cnonce,
			     a2);
}

static int credentials(const struct td_load_request *r,
		       struct td_load_auth *auth, char *out, size_t size)
{
	char user[24], pass[32], uri[128], nc[16], cnonce[24];
	char sum[TD_LOAD_HEX];
	int rc;

	snprintf(user, sizeof(user), "%lld", r->user);
	snprintf(pass, sizeof(pass), "pw%lld", r->user);
	snprintf(uri, sizeof(uri), "sip:%s", r->domain);
	snprintf(nc, sizeof(nc), "%08x", auth->nc + 1);
	snprintf(cnonce, sizeof(cnonce), "%08" PRIx64, r->branch);
	rc = td_load_digest(user, r->domain, pass, "REGISTER", uri,
			    auth->nonce, nc, cnonce, sum);
	if (rc)
		return rc;
	auth->nc++;
	rc = snprintf(out, size, "Authorization: Digest username=\"%s\", "
		      "realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		      "response=\"%s\", algorithm=MD5, cnonce=\"%s\", "
		      "qop=auth, nc=%s\r\n", user, r->domain, auth->nonce,
		      uri, sum, cnonce, nc);
	return rc < 0 || (size_t)rc >= size ? -EMSGSIZE : 0;
}

int td_load_write(const struct td_load_request *r, struct td_load_auth *auth,
		  char *out, size_t size)
{
	bool star = !strcmp(r->contact, "*");
	char line[640] = "";
	int n = auth->nonce[0] ? credentials(r, auth, line, sizeof(line)) : 0;

	if (n)
		return n;
	n = snprintf(out, size,
		     "REGISTER sip:%s SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP %s;branch=z9hG4bKtl%08x-%" PRIx64
		     ";rport\r\n"
		     "Max-Forwards: 70\r\n"
		     "From: <sip:%lld@%s>;tag=%08x\r\n"
		     "To: <sip:%lld@%s>\r\n"
		     "Call-ID: %08x-%lld\r\n"
		     "CSeq: %u REGISTER\r\n"
		     "Contact: %s%s%s\r\n"
		     "%s"
		     "Expires: %d\r\n"
		     "User-Agent: tandem-phone load\r\n"
		     "Content-Length: 0\r\n\r\n",
		     r->domain, r->local, r->run, r->branch, r->user,
		     r->domain, r->run, r->user, r->domain, r->run, r->user,
		     r->cseq, star ? "" : "<", r->contact, star ? "" : ">",
		     line, r->expires_s);
	return n < 0 || (size_t)n >= size ? -EMSGSIZE : n;
}

/* value after a mark, up to one of the ends */
static bool take(const char *msg, size_t n, const char *mark, const char *ends,
		 char *out, size_t size)
{
	const char *at = memmem(msg, n, mark, strlen(mark));
	size_t left, len;

	if (!at)
		return false;
	at += strlen(mark);
	left = n - (at - msg);
	for (len = 0; len < left && !strchr(ends, at[len]);)
		len++;
	if (len >= size)
		return false;
	memcpy(out, at, len);
	out[len] = 0;
	return true;
}

int td_load_read(const char *msg, size_t n, struct td_load_answer *out)
{
	struct td_load_answer a = { 0 };
	char v[64], *end;

	if (n < 12 || memcmp(msg, "SIP/2.0 ", 8))
		return -EBADMSG;
	a.status = atoi(msg + 8);
	if (a.status < 100 || a.status > 699 ||
	    !take(msg, n, "branch=z9hG4bKtl", "; \r,", v, sizeof(v)))
		return -EBADMSG;
	a.run = strtoul(v, &end, 16);
	if (*end != '-')
		return -EBADMSG;
	a.branch = strtoull(end + 1, &end, 16);
	if (*end)
		return -EBADMSG;
	if (a.status == 401)
		take(msg, n, "nonce=\"", "\"", a.nonce, sizeof(a.nonce));
	*out = a;
	return 0;
}

bool td_load_lists(const char *msg, size_t n, const char *uri)
{
	char v[160];

	snprintf(v, sizeof(v), "<%s>", uri);
	return memmem(msg, n, v, strlen(v));
}
