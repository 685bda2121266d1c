/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LATCH_H
#define TD_LATCH_H

#include "node/media/addr.h"

/** Where a stream's packets may come from and where ours go: symmetric RTP
 *  (RFC 4961; the latching of RFC 7362) without its open door. Pure.
 *
 *  - What comes from exactly the signalled address is always right.
 *  - Otherwise the first source that sends locks the stream: any source when
 *    symmetric, else only the signalled host (with another port).
 *  - While a lock is fresh (something came from it, or from the signalled
 *    address, within 5 s) every other source is foreign. So nobody can take a
 *    stream that is alive. */
struct td_latch {
	bool symmetric;
	struct td_addr signalled;	/* none: not known yet */
	struct td_addr locked;
	int64_t last_ns;		/* newest packet of the lock */
};

/** New signalling. The lock goes when the address changed.
 *  @param signalled  NULL: not known yet */
void td_latch_set(struct td_latch *l, const struct td_addr *signalled,
		  bool symmetric);
/** @return true: take it, false: foreign. *moved: the lock is new */
bool td_latch_accept(struct td_latch *l, const struct td_addr *from,
		     int64_t now_ns, bool *moved);
/** @return where to send, NULL: nowhere yet */
const struct td_addr *td_latch_to(const struct td_latch *l);

#endif
