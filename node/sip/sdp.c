// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/sip/sdp.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "node/sip/text.h"

/** One line of a description. */
struct line {
	char type;
	const char *v;		/* n octets */
	size_t n;
};

/** @return false: the end, or *bad */
static bool next_line(const char **p, struct line *l, bool *bad)
{
	size_t n;

	if (!**p)
		return false;
	n = strcspn(*p, "\r\n");
	if (n < 2 || (*p)[1] != '=' || !islower((unsigned char)**p)) {
		/* empty lines at the end are common; within, they are not */
		*bad = (*p)[strspn(*p, "\r\n")] != '\0';
		return false;
	}
	*l = (struct line){ .type = **p, .v = *p + 2, .n = n - 2 };
	*p += n;
	if (**p == '\r')
		++*p;
	if (**p == '\n')
		++*p;
	return true;
}

/** Copies the next word of *v. @return its length, 0: none or too long */
static size_t word(const char **v, size_t *n, char *out, size_t size)
{
	size_t w = 0;

	while (*n && **v == ' ')
		++*v, --*n;
	while (w < *n && (*v)[w] != ' ')
		w++;
	if (w >= size)
		return 0;
	memcpy(out, *v, w);
	out[w] = '\0';
	*v += w;
	*n -= w;
	return w;
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0' && strlen(s) <= 20;
}

/** c=IN IP4 10.0.0.1[/ttl] */
static int connection(const struct line *l, char *address, size_t size)
{
	const char *v = l->v;
	size_t n = l->n;
	char net[8], type[8], addr[64];
	unsigned char bin[16];

	if (!word(&v, &n, net, sizeof(net)) || strcmp(net, "IN") ||
	    !word(&v, &n, type, sizeof(type)) ||
	    !word(&v, &n, addr, sizeof(addr)))
		return -EBADMSG;
	if (strcmp(type, "IP4") && strcmp(type, "IP6"))
		return -EBADMSG;
	addr[strcspn(addr, "/")] = '\0';
	if (inet_pton(type[2] == '4' ? AF_INET : AF_INET6, addr, bin) != 1 ||
	    strlen(addr) >= size)
		return -ENOPROTOOPT;
	strcpy(address, addr);
	return 0;
}

static bool origin_ok(const struct line *l)
{
	const char *v = l->v;
	size_t n = l->n;
	char w[256];

	for (int i = 0; i < 6; i++) {
		if (!word(&v, &n, w, sizeof(w)))
			return false;
		if ((i == 1 || i == 2) && !is_number(w))
			return false;
	}
	return true;
}

static bool direction(const struct line *l, enum td_direction *dir)
{
	static const char *const t[] = {
		[TD_DIR_SENDRECV] = "sendrecv", [TD_DIR_SENDONLY] = "sendonly",
		[TD_DIR_RECVONLY] = "recvonly", [TD_DIR_INACTIVE] = "inactive",
	};

	for (unsigned int i = 0; i < 4; i++)
		if (strlen(t[i]) == l->n && !strncmp(t[i], l->v, l->n)) {
			*dir = i;
			return true;
		}
	return false;
}

struct media {
	bool audio;		/* the stream that counts is being read */
	bool found;
	char name[16];
	char fmts[256];
	bool foreign_8, foreign_0;	/* rtpmap gives the number away */
};

static int media_line(const struct line *l, struct media *m,
		      struct td_session *s)
{
	const char *v = l->v;
	size_t n = l->n;
	char name[32], port[32], proto[32];
	unsigned long p;

	if (!word(&v, &n, name, sizeof(name)) ||
	    !word(&v, &n, port, sizeof(port)) ||
	    !word(&v, &n, proto, sizeof(proto)) || !n)
		return -EBADMSG;
	port[strcspn(port, "/")] = '\0';
	if (!is_number(port))
		return -EBADMSG;
	p = strtoul(port, NULL, 10);
	if (p > 65535)
		return -EBADMSG;
	m->audio = !m->found && !strcmp(name, "audio") && p &&
		   !strcmp(proto, "RTP/AVP");
	if (!m->audio)
		return 0;
	if (n >= sizeof(m->fmts))
		return -EBADMSG;
	memcpy(m->fmts, v, n);
	m->fmts[n] = '\0';
	m->found = true;
	s->port = p;
	return 0;
}

static void rtpmap(const struct line *l, struct media *m,
		   struct td_session *s)
{
	char buf[64], *name;
	size_t n = l->n < sizeof(buf) - 1 ? l->n : sizeof(buf) - 1;
	unsigned long pt;

	memcpy(buf, l->v, n);
	buf[n] = '\0';
	name = strchr(buf, ' ');
	if (!name)
		return;
	*name++ = '\0';
	name += strspn(name, " ");
	if (!is_number(buf) || (pt = strtoul(buf, NULL, 10)) > 127)
		return;
	if (!strncasecmp(name, "telephone-event/8000", 20) && pt >= 96 &&
	    !s->dtmf_payload)
		s->dtmf_payload = pt;
	if (pt == TD_CODEC_PCMA && strncasecmp(name, "PCMA/8000", 9))
		m->foreign_8 = true;
	if (pt == TD_CODEC_PCMU && strncasecmp(name, "PCMU/8000", 9))
		m->foreign_0 = true;
}

static void attribute(const struct line *l, bool in_media, struct media *m,
		      enum td_direction *session_dir, bool *media_dir,
		      struct td_session *s)
{
	enum td_direction d;
	struct line rest = *l;

	if (direction(l, &d)) {
		if (!in_media) {
			*session_dir = d;
		} else if (m->audio) {
			s->dir = d;
			*media_dir = true;
		}
		return;
	}
	if (!in_media || !m->audio)
		return;
	if (l->n > 7 && !strncmp(l->v, "rtpmap:", 7)) {
		rest.v += 7;
		rest.n -= 7;
		rtpmap(&rest, m, s);
	} else if (l->n > 6 && l->n < 12 && !strncmp(l->v, "ptime:", 6)) {
		unsigned long ms = strtoul(l->v + 6, NULL, 10);

		s->ptime_ms = ms >= 10 && ms <= 200 ? ms : 0;
	}
}

static void take_codecs(const struct media *m, struct td_session *s)
{
	const char *v = m->fmts;
	size_t n = strlen(v);
	bool dtmf = false;
	char w[8];

	while (word(&v, &n, w, sizeof(w))) {
		unsigned long pt = is_number(w) ? strtoul(w, NULL, 10) : 999;

		dtmf |= pt == s->dtmf_payload;
		if ((pt != TD_CODEC_PCMA || m->foreign_8) &&
		    (pt != TD_CODEC_PCMU || m->foreign_0))
			continue;
		if (s->n_codecs < TD_SESSION_MAX_CODECS &&
		    !memchr(s->codecs, pt, s->n_codecs))
			s->codecs[s->n_codecs++] = pt;
	}
	if (!dtmf)
		s->dtmf_payload = 0;
}

static int read_lines(const char *p, struct td_session *s)
{
	enum td_direction session_dir = TD_DIR_SENDRECV;
	bool bad = false, media_dir = false, media_c = false, in_media = false;
	char session_c[46] = "";
	struct media m = { 0 };
	unsigned int n_media = 0, seen_v = 0, seen_o = 0;
	struct line l;
	int rc;

	while (next_line(&p, &l, &bad)) {
		rc = 0;
		if (!seen_v && l.type != 'v')
			return -EBADMSG;
		switch (l.type) {
		case 'v':
			if (seen_v++ || l.n != 1 || *l.v != '0')
				return -EBADMSG;
			break;
		case 'o':
			if (seen_o++ || !origin_ok(&l))
				return -EBADMSG;
			break;
		case 'm':
			if (++n_media > TD_SDP_MAX_MEDIA)
				return -EMSGSIZE;
			in_media = true;
			rc = media_line(&l, &m, s);
			break;
		case 'c':
			if (!in_media) {
				rc = connection(&l, session_c,
						sizeof(session_c));
			} else if (m.audio) {
				rc = connection(&l, s->address,
						sizeof(s->address));
				media_c = !rc;
			}
			break;
		case 'a':
			attribute(&l, in_media, &m, &session_dir, &media_dir,
				  s);
			break;
		}
		if (rc)
			return rc;
	}
	if (bad || !seen_v || !seen_o || (!session_c[0] && !media_c && m.found))
		return -EBADMSG;
	if (!m.found)
		return -ENOPROTOOPT;
	if (!media_c)
		strcpy(s->address, session_c);
	if (!media_dir)
		s->dir = session_dir;
	/* hold as RFC 2543 knew it */
	if (!strcmp(s->address, "0.0.0.0") && s->dir == TD_DIR_SENDRECV)
		s->dir = TD_DIR_SENDONLY;
	take_codecs(&m, s);
	return 0;
}

/** Octets that are no UTF-8 would not pass an op's codec. */
static void to_utf8(char *s)
{
	while (*s) {
		unsigned int n = td_utf8_length(s);

		if (!n)
			*s = '?';
		s += n ? n : 1;
	}
}

int td_sdp_parse(const char *text, size_t n, struct td_session *out)
{
	struct td_session *s;
	int rc;

	if (n >= TD_SDP_MAX)
		return -EMSGSIZE;
	if (memchr(text, '\0', n))
		return -EBADMSG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->kind = TD_MEDIA_RTP;
	memcpy(s->raw, text, n);
	to_utf8(s->raw);
	rc = read_lines(s->raw, s);
	if (!rc)
		*out = *s;
	free(s);
	return rc;
}

static void put_audio(struct td_text *o, const struct td_session *s)
{
	static const char *const dirs[] = {
		[TD_DIR_SENDRECV] = "sendrecv", [TD_DIR_SENDONLY] = "sendonly",
		[TD_DIR_RECVONLY] = "recvonly", [TD_DIR_INACTIVE] = "inactive",
	};

	td_text_put(o, "m=audio %u RTP/AVP", s->port);
	for (unsigned int i = 0; i < s->n_codecs; i++)
		td_text_put(o, " %u", s->codecs[i]);
	if (s->dtmf_payload)
		td_text_put(o, " %u", s->dtmf_payload);
	td_text_put(o, "\r\n");
	for (unsigned int i = 0; i < s->n_codecs; i++)
		td_text_put(o, "a=rtpmap:%u %s/8000\r\n", s->codecs[i],
		    s->codecs[i] == TD_CODEC_PCMA ? "PCMA" : "PCMU");
	if (s->dtmf_payload)
		td_text_put(o, "a=rtpmap:%u telephone-event/8000\r\n"
		    "a=fmtp:%u 0-15\r\n", s->dtmf_payload, s->dtmf_payload);
	td_text_put(o, "a=ptime:%u\r\na=%s\r\n", s->ptime_ms ? s->ptime_ms : 20,
	    dirs[s->dir]);
}

static void put_answer(struct td_text *o, const struct td_session *s,
		       const char *offer)
{
	struct td_session scratch = { 0 };
	struct media m = { 0 };
	bool bad, done = false;
	char name[32], port[32], proto[32], fmt[32];
	struct line l;

	while (next_line(&offer, &l, &bad)) {
		const char *v = l.v;
		size_t n = l.n;

		if (l.type != 'm')
			continue;
		if (!media_line(&l, &m, &scratch) && m.audio && !done) {
			put_audio(o, s);
			done = true;
			continue;
		}
		if (word(&v, &n, name, sizeof(name)) &&
		    word(&v, &n, port, sizeof(port)) &&
		    word(&v, &n, proto, sizeof(proto)) &&
		    word(&v, &n, fmt, sizeof(fmt)))
			td_text_put(o, "m=%s 0 %s %s\r\n", name, proto, fmt);
		else	/* cannot be echoed, but must hold its place */
			td_text_put(o, "m=audio 0 RTP/AVP 0\r\n");
	}
}

int td_sdp_write(const struct td_session *s, const char *offer, uint64_t id,
		 char *out, size_t size)
{
	const char *family = strchr(s->address, ':') ? "IP6" : "IP4";
	struct td_text o = { .p = out, .size = size };

	if (s->kind != TD_MEDIA_RTP || !s->n_codecs || !s->address[0])
		return -EINVAL;
	td_text_put(&o, "v=0\r\no=tandem %" PRIu64 " 1 IN %s %s\r\ns=-\r\n"
	    "c=IN %s %s\r\nt=0 0\r\n", id, family, s->address, family,
	    s->address);
	if (offer && *offer)
		put_answer(&o, s, offer);
	else
		put_audio(&o, s);
	return o.full ? -EMSGSIZE : 0;
}

unsigned int td_sdp_streams(const char *sdp)
{
	unsigned int n = 0;
	struct line l;
	bool bad;

	while (next_line(&sdp, &l, &bad))
		n += l.type == 'm';
	return n;
}

struct origin {
	char user[64], id[24], version[24], where[96];
	const char *start;	/* of the line's value */
	size_t n;
};

static bool find_origin(const char *sdp, struct origin *o)
{
	struct line l;
	bool bad;

	while (next_line(&sdp, &l, &bad)) {
		const char *v = l.v;
		size_t n = l.n;

		if (l.type != 'o')
			continue;
		o->start = l.v;
		o->n = l.n;
		if (!word(&v, &n, o->user, sizeof(o->user)) ||
		    !word(&v, &n, o->id, sizeof(o->id)) ||
		    !word(&v, &n, o->version, sizeof(o->version)) ||
		    n < 2 || n > sizeof(o->where))
			return false;
		memcpy(o->where, v + 1, n - 1);
		o->where[n - 1] = '\0';
		return true;
	}
	return false;
}

int td_sdp_continue(const char *last, char *sdp, size_t size)
{
	struct origin was = { 0 }, is = { 0 };
	char line[256];
	size_t n, head, tail;
	uint64_t version, now;
	bool equal;

	if (!find_origin(last, &was) || !find_origin(sdp, &is))
		return 0;
	version = strtoull(was.version, NULL, 10);
	now = strtoull(is.version, NULL, 10);
	head = is.start - sdp;
	equal = (size_t)(was.start - last) == head &&
		!memcmp(last, sdp, head) &&
		!strcmp(was.start + was.n, is.start + is.n);
	if (!strcmp(was.user, is.user) && !strcmp(was.id, is.id) &&
	    !strcmp(was.where, is.where) &&
	    (now > version || (now == version && equal)))
		return 0;
	snprintf(line, sizeof(line), "%s %s %" PRIu64 " %s", was.user, was.id,
		 equal ? version : version + 1, was.where);
	n = strlen(line);
	tail = strlen(is.start + is.n) + 1;
	if (head + n + tail > size)
		return -EMSGSIZE;
	memmove(sdp + head + n, is.start + is.n, tail);
	memcpy(sdp + head, line, n);
	return 0;
}
