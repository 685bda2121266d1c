/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_CDR_ROWS_H
#define TEST_CDR_ROWS_H

#include <stdio.h>
#include <string.h>

#include "node/cdr/cdr.h"

/* A half of a call on node 1: a phone at a1, to s3's timeslot 7. */
struct half {
	Td__Call call;
	Td__CallLeg leg[2], *legs[2];
	Td__LegLog log[2];
};

static inline void half_init(struct half *h, uint64_t id)
{
	memset(h, 0, sizeof(*h));
	td__call__init(&h->call);
	h->call.id = id;
	h->call.node = 1;
	h->call.calling = "1000";
	h->call.called = "95550005";
	h->call.voice = "local";
	h->call.generation = 7;
	h->call.legs = h->legs;
	h->call.n_legs = 2;
	for (unsigned int i = 0; i < 2; i++) {
		td__call_leg__init(&h->leg[i]);
		td__leg_log__init(&h->log[i]);
		h->legs[i] = &h->leg[i];
		h->leg[i].index = i;
		h->leg[i].log = &h->log[i];
		h->leg[i].codec = "PCMA";
		h->log[i].start_ms = 1000 + 10 * i;
		h->log[i].alerting_ms = 1100;
		h->log[i].answered_ms = 2000;
	}
	h->leg[0].kind = TD__LEG_KIND__LEG_SIP;
	h->leg[0].unit = "a1";
	h->leg[0].peer = "1000";
	h->log[0].number = "95550005";
	h->leg[1].kind = TD__LEG_KIND__LEG_ISDN;
	h->leg[1].unit = "s3";
	h->leg[1].peer = "5550005";
	h->log[1].number = "5550005";
	h->log[1].span = "s3";
	h->log[1].timeslot = 7;
}

static inline void half_end(struct half *h, uint64_t ended_ms)
{
	for (unsigned int i = 0; i < 2; i++) {
		h->log[i].ended_ms = ended_ms + i;
		h->log[i].cause = 16;
	}
	h->log[0].cleared_by = TD__CLEARED_BY__CLEARED_BY_PEER;
	h->log[1].cleared_by = TD__CLEARED_BY__CLEARED_BY_OTHER;
}

static inline const char *half_node(void *arg, uint32_t id)
{
	return id == 1 ? "n1" : "n2";
}

/* The rows of one half, appended. */
static inline void half_rows(const struct half *h, uint64_t epoch, bool own,
			     json_t *rows)
{
	Td__CdrSet *set;
	uint8_t *buf;
	size_t n;

	assert_int_equal(td_cdr_pack(&h->call, epoch, own, 9000, &buf, &n), 0);
	assert_int_equal(td_cdr_set_unpack(buf, n, &set), 0);
	assert_int_equal(td_cdr_rows(set, half_node, NULL, rows), 0);
	td_cdr_set_free(set);
	free(buf);
}

static inline const char *text_of(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "(none)";
}

static inline json_int_t int_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

#endif
