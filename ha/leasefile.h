/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_LEASEFILE_H
#define TD_LEASEFILE_H

#include <stdint.h>

#include "proto/base/loop.h"
#include "proto/td_codec.h"

/** The voter's memory: promises and record in `lease` of the state directory
 *  (failover.md, "Leases", rule 1). Written in a thread, since an fsync may
 *  take as long as the disk likes and the loop renews leases meanwhile. */
struct td_leasefile;

/** @param saved  in the loop: what was put up to this number is on disk
 *  @return 0; -ENOMEM; -errno of the directory */
int td_leasefile_new(struct td_loop *loop, const char *dir,
		     void (*saved)(void *arg, uint64_t number), void *arg,
		     struct td_leasefile **out);
/** Waits for a write that is under way. */
void td_leasefile_free(struct td_leasefile *f);

/** @param[out] s  NULL: there is none, this voter has never promised
 *  @return 0; -EBADMSG: damaged: it must not vote as if it knew nothing;
 *  -errno */
int td_leasefile_load(const struct td_leasefile *f, Td__LeaseState **s);

/** Replaces what is there: temporary file, fsync, rename, fsync of the
 *  directory. Puts that come during a write become one.
 *  @param[out] number  counts up by one a put
 *  @return 0, -ENOMEM, -EINVAL: the codec refuses it */
int td_leasefile_put(struct td_leasefile *f, const Td__LeaseState *s,
		     uint64_t *number);
/** Of the newest write; 0: it went well. A failed one is tried again every
 *  200 ms (HA-DISK), and nothing is said meanwhile. */
int td_leasefile_error(const struct td_leasefile *f);

#endif
