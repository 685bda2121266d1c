/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TD_CDR_H
#define TD_CDR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** A call detail record, made from the row of one node's half of a call.
 *  Pure: every survivor makes the same octets from the same row. */

enum { TD_CDR_KEY_OCTETS = 18 };

/** @param own  by the node itself, at the call's end; else by those who
 *  outlived it: what had not ended ended at ended_ms with cause 41 (temporary
 *  failure, Q.850)
 *  @param ended_ms  agreed time
 *  @param epoch  lineage of the view
 *  @param[out] buf  a packed CdrSet, malloc'ed
 *  @return 0, or what td_cdr_set_pack says */
int td_cdr_pack(const Td__Call *call, uint64_t epoch, bool own,
		int64_t ended_ms, uint8_t **buf, size_t *n);
/** Key in the spool: two makers' records of one half differ, one maker's
 *  never do. */
void td_cdr_key(const Td__Call *call, uint64_t epoch, bool own,
		uint8_t key[TD_CDR_KEY_OCTETS]);

/** Appends a row for each leg, as deploy/sql's table cdr has it.
 *  @param name  of a node, by its id
 *  @return 0, -ENOMEM */
int td_cdr_rows(const Td__CdrSet *set,
		const char *(*name)(void *arg, uint32_t id), void *arg,
		json_t *rows);

#endif
