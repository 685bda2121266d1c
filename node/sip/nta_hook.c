// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/sip/nta_i.h"

#include <sofia-sip/su_addrinfo.h>
#include <sofia-sip/su_uniqueid.h>

#include "node/sip/check.h"
#include "node/sip/reject.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"

/* Some functions are replaced here; the library's shared object calls them
 * through the dynamic symbol table, so the program's win.
 *
 * su_getaddrinfo: the transport calls the blocking resolver for a Via with
 * ;maddr=<name>, so that one packet could stop all signalling. Numbers only.
 *
 * su_vrecv: the octets of each packet before the library's parser sees them.
 * That parser is silent where RFC 3261 wants a 400, drops what claims another
 * transport in its Via, and takes a NUL for the end of the text.
 *
 * accept, su_close: how many TCP connections there are, from where, which of
 * them say nothing (conn.c): the library lets in whoever comes. */

/* The replaced functions get no context argument. One per stack thread, so
 * many nodes in one process still keep apart. */
static _Thread_local struct td_nta *hooked;

void nta_hook_thread(struct td_nta *n)
{
	hooked = n;
}

int su_getaddrinfo(const char *node, const char *service,
		   const su_addrinfo_t *hints, su_addrinfo_t **res)
{
	struct addrinfo h = { 0 }, *r = NULL;
	int rc;

	if (hints) {
		h.ai_flags = hints->ai_flags;
		h.ai_family = hints->ai_family;
		h.ai_socktype = hints->ai_socktype;
		h.ai_protocol = hints->ai_protocol;
	}
	h.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	rc = getaddrinfo(node, service, &h, &r);
	if (!rc)
		*res = (su_addrinfo_t *)r;
	return rc;
}

static char *flatten(const struct iovec *iov, size_t n_iov, size_t n)
{
	char *p = malloc(n + 1);
	size_t o = 0;

	for (size_t i = 0; p && i < n_iov && o < n; i++) {
		size_t k = iov[i].iov_len < n - o ? iov[i].iov_len : n - o;

		memcpy(p + o, iov[i].iov_base, k);
		o += k;
	}
	if (p)
		p[o] = '\0';
	return p;
}

static void scatter(const struct iovec *iov, size_t n_iov, const char *p,
		    size_t n)
{
	for (size_t i = 0, o = 0; i < n_iov && o < n; i++) {
		size_t k = iov[i].iov_len < n - o ? iov[i].iov_len : n - o;

		memcpy(iov[i].iov_base, p + o, k);
		o += k;
	}
}

/** A NUL in a header is legal as a quoted pair only, which is displayed and
 *  compared nowhere: SUB stands for it, the length stays. */
static bool mask_nuls(char *p, size_t n)
{
	char *end = memmem(p, n, "\r\n\r\n", 4);
	bool any = false;

	if (end)
		n = end - p;
	for (size_t i = 0; i < n; i++)
		if (!p[i]) {
			p[i] = 0x1a;
			any = true;
		}
	return any;
}

/** Puts the transport that it came by into the top Via: the library drops a
 *  request whose Via names another one. Same length, blanks behind. */
static bool mend_via(char *p, size_t n, const char *transport)
{
	char *line = p, *end = p + n, *s;

	while ((line = memchr(line, '\n', end - line)) && ++line < end) {
		if (strncasecmp(line, "via", 3) &&
		    (tolower((unsigned char)*line) != 'v' ||
		     !strchr(" \t:", line[1])))
			continue;
		s = memchr(line, '/', end - line);
		s = s ? memchr(s + 1, '/', end - s - 1) : NULL;
		if (!s)
			return false;
		for (s++; s < end && strchr(" \t\r\n", *s); s++)
			;
		size_t k = 0;
		while (s + k < end && isalnum((unsigned char)s[k]))
			k++;
		if (k < 3 || (k == 3 && !strncasecmp(s, transport, 3)))
			return false;
		memset(s, ' ', k);
		memcpy(s, transport, 3);
		return true;
	}
	return false;
}

/** @param stream the answer goes back over the connection fd */
static void send_reject(int fd, bool stream, const struct td_sip_msg *m,
			int status, const char *why, const su_sockaddr_t *from)
{
	struct td_sip_peer peer = { .port = ntohs(from->su_port) }, to;
	su_sockaddr_t dst = *from;
	char tag[24], buf[16384];
	int n;

	su_inet_ntop(from->su_family, SU_ADDR(from), peer.host,
		     sizeof(peer.host));
	snprintf(tag, sizeof(tag), "%016" PRIx64, su_random64());
	n = td_sip_reject(m, status, why, &peer, tag, buf, sizeof(buf), &to);
	if (n < 0)
		return;
	dst.su_port = htons(to.port);
	/* best effort, as every stateless answer is */
	if ((stream ? send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL) :
		      sendto(fd, buf, n, MSG_DONTWAIT, &dst.su_sa,
			     SU_SOCKADDR_SIZE(&dst))) < 0)
		td_debug("sip", "peer=%s a refusal could not be sent: %s",
			 peer.host, strerror(errno));
}

/** @return true: the library shall not see it */
static bool judge(int fd, const char *p, size_t n, const su_sockaddr_t *from)
{
	struct td_sip_msg *m;
	const char *why = NULL;
	int status, rc;

	while (n && (*p == '\r' || *p == '\n'))
		p++, n--;
	if (!n || (unsigned char)*p < 2)	/* keep-alive; STUN */
		return false;
	rc = td_sip_parse(p, n, &m);
	if (rc) {
		NTA_COUNT(hooked, dropped);
		return true;
	}
	status = m->request ? td_sip_check(m, &why) : 0;
	if (status && strcmp(m->method, "ACK")) {
		NTA_COUNT(hooked, rejected);
		send_reject(fd, false, m, status, why, from);
	} else if (status || (!m->request && !m->status)) {
		NTA_COUNT(hooked, dropped);
		status = 1;
	}
	td_sip_msg_free(m);
	return status != 0;
}

static ssize_t on_packet(int fd, const struct iovec *iov, size_t n_iov,
			 ssize_t n, const su_sockaddr_t *from)
{
	char *p = flatten(iov, n_iov, n);
	bool changed;

	if (!p)
		return n;
	changed = mask_nuls(p, n);
	if (judge(fd, p, n, from)) {
		/* a packet of one octet is dropped without a word */
		n = 1;
	} else {
		changed |= strncasecmp(p, "SIP/", 4) && mend_via(p, n, "UDP");
		if (changed)
			scatter(iov, n_iov, p, n);
	}
	free(p);
	return n;
}

static bool begins_request(const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);

	return nl && nl - p > 10 && nl[-1] == '\r' &&
	       !strncasecmp(nl - 8, "SIP/2.0", 7);
}

/** Octets of a connection: framing is the library's, so only what begins a
 *  message is looked at. A method that it cannot read would be dropped with
 *  the connection left waiting: answered here, white space in its place. */
static void on_stream(int fd, char *p, size_t n)
{
	struct td_sip_msg *m;
	su_sockaddr_t from;
	socklen_t len = sizeof(from);
	const char *why;
	size_t used;

	mask_nuls(p, n);
	while (begins_request(p, n) && !td_sip_parse(p, n, &m)) {
		used = m->body - m->copy + m->n_body;
		if (m->truncated || !td_sip_value(m, TD_SIP_H_CONTENT_LENGTH, 0)
		    || td_sip_check(m, &why) != 405 ||
		    getpeername(fd, &from.su_sa, &len)) {
			td_sip_msg_free(m);
			break;
		}
		NTA_COUNT(hooked, rejected);
		send_reject(fd, true, m, 405, why, &from);
		td_sip_msg_free(m);
		memset(p, ' ', used);
		p += used;
		n -= used;
	}
	if (begins_request(p, n))
		mend_via(p, n, "TCP");
}

issize_t su_vrecv(su_socket_t s, su_iovec_t iov[], isize_t len, int flags,
		  su_sockaddr_t *su, socklen_t *sulen)
{
	const struct iovec *v = (const struct iovec *)iov;
	struct msghdr h = { .msg_name = su, .msg_namelen = sulen ? *sulen : 0,
			    .msg_iov = (struct iovec *)iov,
			    .msg_iovlen = len };
	ssize_t n;

	do
		n = recvmsg(s, &h, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return n;
	if (sulen)
		*sulen = h.msg_namelen;
	if (su && n > 1 && hooked)
		return on_packet(s, v, len, n, su);
	if (!su && n > 0 && len == 1 && hooked) {
		td_conns_data(hooked->conns, s, v[0].iov_base, n,
			      td_clock_boot_ms());
		on_stream(s, v[0].iov_base, n);
	}
	return n;
}

/* ---- connections ---- */

static bool peer_of(int fd, char *host, size_t size, uint16_t *port)
{
	su_sockaddr_t a;
	socklen_t n = sizeof(a);

	if (getpeername(fd, &a.su_sa, &n) ||
	    !su_inet_ntop(a.su_family, SU_ADDR(&a), host, size))
		return false;
	*port = ntohs(a.su_port);
	return true;
}

static void gauge(struct td_nta *n)
{
	__atomic_store_n(&n->st.tcp, td_conns_count(n->conns),
			 __ATOMIC_RELAXED);
}

/** @return false: it is one too many */
static bool let_in(struct td_nta *n, int fd)
{
	char host[46];
	uint16_t port;
	bool tell;
	int rc;

	if (!peer_of(fd, host, sizeof(host), &port))
		return false;		/* gone already */
	rc = td_conns_open(n->conns, fd, host, port, td_clock_boot_ms(),
			   &tell);
	if (!rc) {
		gauge(n);
		return true;
	}
	NTA_COUNT(n, tcp_refused);
	if (tell)
		td_warn("sip", "SIP-TCP-LIMIT", "peer=%s its connection is "
			"refused: %s (said once)", host, rc == TD_CONNS_SOURCE
			? "too many from there" : "there are too many");
	return false;
}

int accept(int fd, __SOCKADDR_ARG addr, socklen_t *len)
{
	int s = accept4(fd, addr, len, hooked ? SOCK_CLOEXEC : 0);

	if (s < 0 || !hooked || let_in(hooked, s))
		return s;
	close(s);
	errno = ECONNABORTED;
	return -1;
}

int su_close(su_socket_t s)
{
	if (hooked) {
		td_conns_close(hooked->conns, s);
		gauge(hooked);
	}
	return close(s);
}

void nta_hook_sweep(struct td_nta *n, int64_t now_ms)
{
	struct td_conns_due d;
	char host[46];
	uint16_t port;
	size_t pos = 0;

	while (td_conns_due(n->conns, now_ms, &pos, &d)) {
		if (d.why == TD_CONNS_SLOW)
			NTA_COUNT(n, tcp_slow);
		else
			NTA_COUNT(n, tcp_idle);
		if (d.tell)
			td_warn("sip", "SIP-TCP-SLOW", "peer=%s:%u sends no "
				"message, or half of one: its connections are "
				"closed (said once)", d.host, d.port);
		/* the library sees its end and closes it; is it still that? */
		if (peer_of(d.fd, host, sizeof(host), &port) &&
		    port == d.port && !strcmp(host, d.host))
			shutdown(d.fd, SHUT_RDWR);
	}
	td_conns_tidy(n->conns, now_ms);
}
