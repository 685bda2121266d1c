/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_HEARTBEAT_H
#define TD_HEARTBEAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/nodelist.h"
#include "proto/base/loop.h"
#include "proto/td_codec.h"

/** Datagrams between the daemons, beside corosync: UDP port 5410 of the nodes'
 *  own addresses, each on every network that both ends have. What comes twice
 *  is told twice. A datagram is
 *    0  "TDH1"
 *    4  16 octets: HMAC-SHA-256 of what follows, cut (zero without a key)
 *   20  Td__Heartbeat
 *  and counts only from an address that the nodelist gives its sender. */
struct td_beats;

enum { TD_HEARTBEAT_PORT = 5410, TD_HEARTBEAT_KEY_MAX = 4096 };

struct td_beats_cfg {
	struct td_loop *loop;
	uint32_t node_id;		/* which of the peers we are */
	const struct td_peer *peers;	/* copied */
	unsigned int n_peers;
	const uint8_t *key;		/* copied; NULL: not authenticated */
	size_t n_key;
	void (*heard)(void *arg, const Td__Heartbeat *m);
	void *arg;
};
/** @return 0; -EINVAL: we are not among the peers, or an address is not
 *  numeric; -errno of a socket (logged: HA-HEARTBEAT) */
int td_beats_new(const struct td_beats_cfg *cfg,
		     struct td_beats **out);
void td_beats_free(struct td_beats *h);
/** Never waits; what cannot leave is counted. */
void td_beats_send(struct td_beats *h, uint32_t to,
		       const Td__Heartbeat *m);
/** New reference: per peer and network what was sent, heard, refused. */
json_t *td_beats_dump(const struct td_beats *h);

/** The datagram itself, for tests and the simulator.
 *  @param[out] n  octets written
 *  @return 0, -EMSGSIZE, -EINVAL */
int td_beats_seal(const uint8_t *key, size_t n_key,
		      const Td__Heartbeat *m, uint8_t *buf, size_t size,
		      size_t *n);
/** @return 0; -EBADMSG: not one; -EACCES: the wrong key */
int td_beats_open(const uint8_t *key, size_t n_key, const uint8_t *buf,
		      size_t n, Td__Heartbeat **out);

#endif
