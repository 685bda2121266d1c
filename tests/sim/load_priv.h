/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_LOAD_PRIV_H
#define SIM_LOAD_PRIV_H

#include "tests/sim/load.h"

enum { SIM_PHONES = 96, SIM_PHONES_AT_ONCE = 8, SIM_CALLS = 96,
       SIM_CALLS_AT_ONCE = 6, SIM_BIG_OCTETS = 480 * 1024 };
enum sim_actor { SIM_PHONE, SIM_CALL, SIM_OPERATOR };

struct sim_act {
	struct sim *s;
	enum sim_actor kind;
	uint32_t who, machine, pid;
	bool waits;
};

/** A phone asks for one thing at a time. When it gets no answer, either may
 *  be true, and it does not ask again. */
struct sim_phone {
	char user[8], uri[16];
	struct {
		uint32_t cseq;		/* 0: never */
		bool del;
		int64_t expires_ms;	/* agreed time */
	} acked, asked;
	bool over;			/* nothing is certain */
	bool silent;			/* it was not answered */
	struct sim_act act;
};
struct sim_call {
	uint64_t id;
	uint32_t machine;
	uint64_t incarnation;
	enum { SIM_SET_UP, SIM_UP, SIM_CLEARING, SIM_CLEARED } state;
	bool over;
	struct sim_act act;
};
struct sim_operator {
	uint64_t next, asked, acked;	/* generations */
	bool switching, over;
	uint8_t sha[32];
	struct sim_act act;
};
struct sim_load {
	struct sim_phone phones[SIM_PHONES];
	unsigned int n_phones;
	struct sim_call calls[SIM_CALLS];
	unsigned int n_calls;
	struct sim_operator operator;
	unsigned int waiting;
	uint8_t *big;			/* content of a large generation */
	char why[160];
};

/** @return false: the node takes nothing now */
bool sim_act(struct sim_daemon *d, struct sim_act *a, const Td__Op *op);
void sim_act_wait(struct sim_daemon *d, struct sim_act *a);
struct sim_daemon *sim_any_node(struct sim *s);

void sim_phone_act(struct sim *s);
void sim_phone_answer(struct sim *s, struct sim_phone *p, bool ok);
const char *sim_phone_check(const struct sim *s, const struct sim_phone *p,
			    const struct td_view *v);
void sim_call_act(struct sim *s);
void sim_call_answer(struct sim *s, struct sim_call *k, bool ok);
const char *sim_call_check(const struct sim *s, const struct sim_call *k,
			   const struct td_view *v);
/** The calls of this machine end, for its views say so. */
void sim_calls_of(struct sim *s, uint32_t machine);
void sim_operator_act(struct sim *s);
void sim_operator_answer(struct sim *s, bool ok);
const char *sim_operator_check(const struct sim *s, const struct td_view *v);

#endif
