/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TANDEM_REPLICATE_H
#define TANDEM_REPLICATE_H

#include <jansson.h>
#include <stdint.h>

#include "proto/td_codec.h"

/** One registration as a phone's REGISTER makes it. */
struct bench_contact {
	Td__Op op;
	Td__Contact c;
	char user[16], uri[64], call_id[64], received[32], instance[64];
};
/** @param i  which user */
Td__Op *bench_contact(struct bench_contact *b, uint32_t i, uint32_t node,
		      uint64_t expires_ms);

/** CPU seconds of this process. */
double bench_cpu_s(void);

/** New reference: memory of a registration, cost of an op without a cluster,
 *  packing and building a view. */
json_t *bench_local(uint32_t contacts);

#endif
