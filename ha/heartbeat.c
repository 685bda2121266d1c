// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/heartbeat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ha/digest.h"
#include "proto/base/log.h"

enum {
	TAG_AT = 4,
	TAG_OCTETS = 16,
	BODY_AT = TAG_AT + TAG_OCTETS,
	BURST = 64,		/* datagrams of one socket in a turn */
	TOS_CS6 = 48 << 2,	/* network control, RFC 4594 3.2 */
};
static const uint8_t magic[TAG_AT] = { 'T', 'D', 'H', '1' };

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};
struct peer {
	struct td_peer p;
	union address to[TD_PEER_NETWORKS];
	socklen_t n_to[TD_PEER_NETWORKS];	/* 0: not on this network */
	uint64_t sent[TD_PEER_NETWORKS], heard[TD_PEER_NETWORKS],
		unsent[TD_PEER_NETWORKS];
};
struct td_beats {
	struct td_loop *loop;
	void (*heard)(void *arg, const Td__Heartbeat *m);
	void *arg;
	struct peer peer[TD_NODE_MAX_ID + 1];	/* by id */
	uint32_t me;
	int fd[TD_PEER_NETWORKS];
	uint8_t *key;
	size_t n_key;
	uint64_t malformed, foreign, unauthentic;
};

/* --- the datagram --- */

static int tag(const uint8_t *key, size_t n_key, const uint8_t *body, size_t n,
	       uint8_t out[TAG_OCTETS])
{
	uint8_t full[TD_DIGEST_OCTETS] = { 0 };
	int rc = key ? td_digest_hmac(key, n_key, body, n, full) : 0;

	memcpy(out, full, TAG_OCTETS);
	return rc;
}

int td_beats_seal(const uint8_t *key, size_t n_key,
		      const Td__Heartbeat *m, uint8_t *buf, size_t size,
		      size_t *n)
{
	uint8_t *body;
	size_t n_body;

	if (td_heartbeat_pack(m, &body, &n_body))
		return -EINVAL;
	if (n_body + BODY_AT > size) {
		free(body);
		return -EMSGSIZE;
	}
	memcpy(buf, magic, TAG_AT);
	memcpy(buf + BODY_AT, body, n_body);
	free(body);
	if (tag(key, n_key, buf + BODY_AT, n_body, buf + TAG_AT))
		return -EINVAL;
	*n = n_body + BODY_AT;
	return 0;
}

int td_beats_open(const uint8_t *key, size_t n_key, const uint8_t *buf,
		      size_t n, Td__Heartbeat **out)
{
	uint8_t want[TAG_OCTETS], differ = 0;

	if (n <= BODY_AT || memcmp(buf, magic, TAG_AT))
		return -EBADMSG;
	if (tag(key, n_key, buf + BODY_AT, n - BODY_AT, want))
		return -EBADMSG;
	for (unsigned int i = 0; i < TAG_OCTETS; i++)
		differ |= want[i] ^ buf[TAG_AT + i];
	if (differ)
		return -EACCES;
	return td_heartbeat_unpack(buf + BODY_AT, n - BODY_AT, out) ?
		-EBADMSG : 0;
}

/* --- addresses --- */

static int parse(const char *text, union address *a, socklen_t *n)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(TD_HEARTBEAT_PORT);
		*n = sizeof(a->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(TD_HEARTBEAT_PORT);
		*n = sizeof(a->v6);
		return 0;
	}
	return -EINVAL;
}

static bool same_host(const union address *a, const union address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr,
		       sizeof(a->v6.sin6_addr));
}

/* --- hearing --- */

static void one_datagram(struct td_beats *h, unsigned int net,
			 const uint8_t *buf, size_t n,
			 const union address *from)
{
	Td__Heartbeat *m;
	struct peer *p;
	int rc = td_beats_open(h->key, h->n_key, buf, n, &m);

	if (rc) {
		*(rc == -EACCES ? &h->unauthentic : &h->malformed) += 1;
		return;
	}
	p = &h->peer[m->from];
	if (m->from == h->me || !p->n_to[net] ||
	    !same_host(&p->to[net], from)) {
		h->foreign++;
	} else {
		p->heard[net]++;
		h->heard(h->arg, m);
	}
	td_heartbeat_free(m);
}

static void on_readable(void *arg, int fd, int revents)
{
	struct td_beats *h = arg;
	uint8_t buf[TD_HEARTBEAT_MAX_OCTETS + BODY_AT];
	unsigned int net = fd == h->fd[0] ? 0 : 1;

	for (unsigned int i = 0; i < BURST; i++) {
		union address from;
		socklen_t n_from = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT,
				     &from.sa, &n_from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)	/* none left, or an ICMP error told late */
			return;
		one_datagram(h, net, buf, (size_t)n, &from);
	}
}

void td_beats_send(struct td_beats *h, uint32_t to,
		       const Td__Heartbeat *m)
{
	uint8_t buf[TD_HEARTBEAT_MAX_OCTETS + BODY_AT];
	struct peer *p;
	size_t n;

	if (!to || to > TD_NODE_MAX_ID)
		return;
	p = &h->peer[to];
	if (td_beats_seal(h->key, h->n_key, m, buf, sizeof(buf), &n)) {
		p->unsent[0]++;
		return;
	}
	for (unsigned int k = 0; k < TD_PEER_NETWORKS; k++) {
		if (h->fd[k] < 0 || !p->n_to[k])
			continue;
		if (sendto(h->fd[k], buf, n, MSG_DONTWAIT | MSG_NOSIGNAL,
			   &p->to[k].sa, p->n_to[k]) == (ssize_t)n)
			p->sent[k]++;
		else
			p->unsent[k]++;
	}
}

/* --- life --- */

static int open_socket(struct td_beats *h, unsigned int net)
{
	const struct peer *me = &h->peer[h->me];
	int family = me->to[net].sa.sa_family, on = 1, tos = TOS_CS6;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* the interface may come up later than this daemon */
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	if (bind(fd, &me->to[net].sa, me->n_to[net]) ||
	    td_loop_fd_add(h->loop, fd, POLLIN, on_readable, h)) {
		int rc = errno ? -errno : -ENOMEM;

		close(fd);
		return rc;
	}
	h->fd[net] = fd;
	return 0;
}

static int set_peers(struct td_beats *h, const struct td_beats_cfg *cfg)
{
	for (unsigned int i = 0; i < cfg->n_peers; i++) {
		struct peer *p = &h->peer[cfg->peers[i].id];

		p->p = cfg->peers[i];
		for (unsigned int k = 0; k < TD_PEER_NETWORKS; k++) {
			const char *text = p->p.address[k];

			if (!*text || !parse(text, &p->to[k], &p->n_to[k]))
				continue;
			td_err("ha", "HA-HEARTBEAT", "node=%u address=%s: the "
			       "nodelist must have numeric addresses",
			       p->p.id, text);
			return -EINVAL;
		}
	}
	return h->peer[h->me].p.id ? 0 : -EINVAL;
}

int td_beats_new(const struct td_beats_cfg *cfg,
		     struct td_beats **out)
{
	struct td_beats *h = calloc(1, sizeof(*h));
	int rc = 0;

	if (!h)
		return -ENOMEM;
	h->loop = cfg->loop;
	h->heard = cfg->heard;
	h->arg = cfg->arg;
	h->me = cfg->node_id;
	for (unsigned int k = 0; k < TD_PEER_NETWORKS; k++)
		h->fd[k] = -1;
	if (cfg->key) {
		h->key = malloc(cfg->n_key ? cfg->n_key : 1);
		if (h->key)
			memcpy(h->key, cfg->key, cfg->n_key);
		else
			rc = -ENOMEM;
		h->n_key = cfg->n_key;
	}
	if (!rc)
		rc = set_peers(h, cfg);
	for (unsigned int k = 0; k < TD_PEER_NETWORKS && !rc; k++) {
		if (!h->peer[h->me].n_to[k])
			continue;
		rc = open_socket(h, k);
		if (rc)
			td_err("ha", "HA-HEARTBEAT", "%s port %d: %s",
			       h->peer[h->me].p.address[k], TD_HEARTBEAT_PORT,
			       strerror(-rc));
	}
	if (rc)
		td_beats_free(h);
	else
		*out = h;
	return rc;
}

void td_beats_free(struct td_beats *h)
{
	if (!h)
		return;
	for (unsigned int k = 0; k < TD_PEER_NETWORKS; k++) {
		if (h->fd[k] < 0)
			continue;
		td_loop_fd_del(h->loop, h->fd[k]);
		close(h->fd[k]);
	}
	free(h->key);
	free(h);
}

json_t *td_beats_dump(const struct td_beats *h)
{
	json_t *o = json_object(), *peers = json_array();

	for (unsigned int i = 1; i <= TD_NODE_MAX_ID; i++) {
		const struct peer *p = &h->peer[i];

		for (unsigned int k = 0; k < TD_PEER_NETWORKS; k++)
			if (p->n_to[k] && i != h->me)
				json_array_append_new(peers, json_pack(
					"{sssssIsIsI}", "node", p->p.name,
					"address", p->p.address[k], "sent",
					(json_int_t)p->sent[k], "heard",
					(json_int_t)p->heard[k], "unsent",
					(json_int_t)p->unsent[k]));
	}
	json_object_set_new(o, "peers", peers);
	json_object_set_new(o, "malformed",
			    json_integer((json_int_t)h->malformed));
	json_object_set_new(o, "foreign", json_integer((json_int_t)h->foreign));
	json_object_set_new(o, "unauthentic",
			    json_integer((json_int_t)h->unauthentic));
	return o;
}
