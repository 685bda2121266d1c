/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_PMEDIA_H
#define TD_PMEDIA_H

#include <netinet/in.h>
#include <stdint.h>

#include "tests/instr/pauses.h"
#include "tests/phone/rtp.h"

/** The phones' RTP sockets, turned by a clock thread. Who wants to look at a
 *  stream or change one takes the lock, briefly. */
enum { TD_PMEDIA_STREAMS = 1024 };

struct td_pmedia;
struct td_pstream;

/** @param blame_ms  own pauses from here on excuse a gap */
int td_pmedia_new(struct in_addr local, int blame_ms, struct td_pmedia **out);
void td_pmedia_free(struct td_pmedia *m);

void td_pmedia_lock(struct td_pmedia *m);
void td_pmedia_unlock(struct td_pmedia *m);
/** Between lock and unlock. */
const struct td_pauses *td_pmedia_pauses(const struct td_pmedia *m);
uint64_t td_pmedia_turn(const struct td_pmedia *m);

/** Binds an even port and its odd neighbour (RTCP); silence, not sending.
 *  @return 0, -ENOSPC: too many streams, other negative errno */
int td_pstream_open(struct td_pmedia *m, int pt, int ptime_ms,
		    struct td_pstream **out);
/** From here on the clock does not touch it. NULL is fine. */
void td_pstream_close(struct td_pstream *s);
uint16_t td_pstream_port(const struct td_pstream *s);
/** Where to send, and whether. @param port host order */
void td_pstream_to(struct td_pstream *s, struct in_addr addr, uint16_t port,
		   bool send);
/** Between lock and unlock. */
struct td_prtp *td_pstream_rtp(struct td_pstream *s);
uint64_t td_pstream_rtcp(const struct td_pstream *s);
uint64_t td_pstream_send_errors(const struct td_pstream *s);

#endif
