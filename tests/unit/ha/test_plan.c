// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ha/plan.h"

/* A picture of the cluster before: nodes "1 2d 3x 4w" (id; d draining, x down,
 * o up but out of sync, w the witness); a unit "role 0 1,2 ..." (kind, its owner
 * now, its list; f fixed, l locked, u2 unfit at 2); and what should be. */
struct picture {
	const char *why, *nodes, *unit;
	bool minority;
	uint32_t node;
	enum td_plan_reason reason;
};
static const struct picture pictures[] = {
	{ "the first of its list", "1 2 3w", "span 0 1,2", false, 1,
	  TD_PLAN_FIRST },
	{ "the first is down", "1x 2 3w", "span 0 1,2", false, 2, TD_PLAN_ONLY },
	{ "the first is out of sync", "1o 2 3w", "span 0 1,2", false, 2,
	  TD_PLAN_ONLY },
	{ "the first drains", "1d 2 3w", "address 1 1,2", false, 2,
	  TD_PLAN_ONLY },
	{ "the first has no signal", "1 2 3w", "span 1 1,2 u1", false, 2,
	  TD_PLAN_ONLY },
	{ "nobody has a signal", "1 2 3w", "span 1 1,2 u1 u2", false, 0,
	  TD_PLAN_NOBODY },
	{ "fixed: nobody but the first", "1x 2 3w", "span 0 1,2 f", false, 0,
	  TD_PLAN_NOBODY },
	{ "fixed and there", "1 2 3w", "span 0 1,2 f", false, 1,
	  TD_PLAN_FIRST },
	{ "a span goes back to the first of its list", "1 2 3w", "span 2 1,2",
	  false, 1, TD_PLAN_FIRST },
	{ "a role stays where it is", "1 2 3w", "role 2 1,2", false, 2,
	  TD_PLAN_STAYS },
	{ "a role whose owner drains goes on", "1 2d 3w", "role 2 1,2", false,
	  1, TD_PLAN_FIRST },
	{ "a role that nobody has goes to its list's order", "1 2 3w",
	  "role 0 2,1", false, 2, TD_PLAN_FIRST },
	{ "a role whose owner is down goes on", "1 2x 3w", "role 2 1,2", false,
	  1, TD_PLAN_FIRST },
	{ "locked: it stays, though not the first", "1 2 3w", "span 2 1,2 l",
	  false, 2, TD_PLAN_LOCKED },
	{ "locked without an owner: it is given out", "1 2 3w", "span 0 1,2 l",
	  false, 1, TD_PLAN_FIRST },
	{ "the witness owns nothing", "1x 2x 3w", "role 0 1,2,3", false, 0,
	  TD_PLAN_NOBODY },
	{ "a stranger owns nothing", "1 2 3w", "span 0 7,2", false, 2,
	  TD_PLAN_ONLY },
	{ "an empty list: nobody", "1 2 3w", "role 0 -", false, 0,
	  TD_PLAN_NOBODY },
	{ "a minority gives out nothing new", "1 2x 3x", "span 0 1,2", true, 0,
	  TD_PLAN_NOBODY },
	{ "and takes nothing away", "1 2x 3x", "span 2 1,2", true, 2,
	  TD_PLAN_STAYS },
};

static unsigned int read_nodes(const char *s, struct td_plan_node *out)
{
	unsigned int n = 0;

	for (; *s; s += *s == ' ') {
		out[n] = (struct td_plan_node){ .up = true, .in_sync = true };
		for (; *s && *s != ' '; s++) {
			if (*s >= '0' && *s <= '9')
				out[n].id = out[n].id * 10 +
					    (uint32_t)(*s - '0');
			out[n].up &= *s != 'x';
			out[n].in_sync &= *s != 'x' && *s != 'o' && *s != 'w';
			out[n].draining |= *s == 'd';
			out[n].witness |= *s == 'w';
		}
		n++;
	}
	return n;
}

static void read_unit(const char *s, struct td_plan_unit *out)
{
	char kind[16], list[32], rest[32] = "";
	unsigned int owner;

	memset(out, 0, sizeof(*out));
	assert_true(sscanf(s, "%15s %u %31s %31[^\n]", kind, &owner, list,
			   rest) >= 3);
	strcpy(out->name, "x");
	out->owner = owner;
	out->kind = kind[0] == 'r' ? TD_PLAN_ROLE :
		    kind[0] == 's' ? TD_PLAN_SPAN : TD_PLAN_ADDRESS;
	for (const char *p = list; *p; p++)
		if (*p >= '0' && *p <= '9')
			out->nodes[out->n_nodes++] = (uint32_t)(*p - '0');
	for (const char *p = rest; *p; p++) {
		out->fixed |= *p == 'f';
		out->locked |= *p == 'l';
		if (*p == 'u')
			out->unfit |= 1U << (p[1] - '0');
	}
}

static void each_picture_has_its_answer(void **state)
{
	for (size_t i = 0; i < sizeof(pictures) / sizeof(*pictures); i++) {
		const struct picture *p = &pictures[i];
		struct td_plan_node nodes[TD_NODE_MAX_ID];
		struct td_plan_unit unit;
		struct td_plan_answer a = { 99, 0 };
		struct td_plan_in in = { nodes, read_nodes(p->nodes, nodes),
					 &unit, 1, !p->minority };

		read_unit(p->unit, &unit);
		td_plan(&in, &a);
		if (a.node != p->node || a.reason != p->reason)
			fail_msg("%s: %u, reason %d", p->why, a.node,
				 a.reason);
	}
}

/* --- against brute force: all candidates weighed, the best one taken --- */

static uint64_t rnd(uint64_t *s, uint64_t n)
{
	*s = *s * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*s >> 33) % n;
}

static bool fits(const struct td_plan_in *in, const struct td_plan_unit *u,
		 uint32_t id)
{
	for (unsigned int i = 0; i < in->n_nodes; i++) {
		const struct td_plan_node *x = &in->nodes[i];

		if (x->id == id)
			return x->up && x->in_sync && !x->draining &&
			       !x->witness && !(u->unfit & 1U << id);
	}
	return false;
}

/* smaller is better; places in its list, less than any if it may stay */
static int weight(const struct td_plan_in *in, const struct td_plan_unit *u,
		  uint32_t id)
{
	if (u->locked && u->owner == id)
		return -2;
	if (!fits(in, u, id))
		return 1000;
	if (u->kind == TD_PLAN_ROLE && u->owner == id)
		return -1;
	for (unsigned int i = 0; i < (u->fixed ? 1 : u->n_nodes) &&
	     i < u->n_nodes; i++)
		if (u->nodes[i] == id)
			return (int)i;
	return 1000;
}

static uint32_t best(const struct td_plan_in *in, const struct td_plan_unit *u)
{
	uint32_t id = 0;
	int least = 1000;

	if (!in->quorum)
		return u->owner;
	for (uint32_t i = 1; i <= TD_NODE_MAX_ID; i++)
		if (weight(in, u, i) < least) {
			least = weight(in, u, i);
			id = i;
		}
	return id;
}

static void random_unit(uint64_t *s, struct td_plan_unit *u, unsigned int n)
{
	memset(u, 0, sizeof(*u));
	u->kind = (enum td_plan_kind)rnd(s, 3);
	u->fixed = !rnd(s, 4);
	u->locked = !rnd(s, 5);
	u->owner = (uint32_t)rnd(s, n + 1);
	u->unfit = (uint32_t)(rnd(s, 2) ? 0 : rnd(s, 64) & ~1U);
	for (uint32_t i = 1; i <= n; i++) {
		unsigned int at = (unsigned int)rnd(s, u->n_nodes + 1);

		if (!rnd(s, 4))
			continue;
		memmove(&u->nodes[at + 1], &u->nodes[at],
			(u->n_nodes - at) * sizeof(u->nodes[0]));
		u->nodes[at] = i;
		u->n_nodes++;
	}
}

static void the_plan_is_the_best_there_is(void **state)
{
	uint64_t s = 4711;

	for (int round = 0; round < 20000; round++) {
		struct td_plan_node nodes[4];
		struct td_plan_unit units[8];
		struct td_plan_answer a[8], again[8];
		struct td_plan_in in = { nodes, 1 + (unsigned int)rnd(&s, 4),
					 units, 1 + (unsigned int)rnd(&s, 8),
					 rnd(&s, 8) > 0 };

		for (unsigned int i = 0; i < in.n_nodes; i++)
			nodes[i] = (struct td_plan_node){
				i + 1, rnd(&s, 4) > 0, rnd(&s, 4) > 0,
				!rnd(&s, 4), !rnd(&s, 5) };
		for (unsigned int i = 0; i < in.n_units; i++)
			random_unit(&s, &units[i], in.n_nodes);
		memset(a, 0, sizeof(a));
		memset(again, 0, sizeof(again));
		td_plan(&in, a);
		td_plan(&in, again);
		assert_memory_equal(a, again, sizeof(a));
		for (unsigned int i = 0; i < in.n_units; i++)
			if (a[i].node != best(&in, &units[i]) ||
			    (a[i].reason == TD_PLAN_NOBODY) != !a[i].node)
				fail_msg("round %d unit %u: %u, not %u", round,
					 i, a[i].node, best(&in, &units[i]));
	}
}

/* carrying out the answers changes nothing more */
static void a_plan_that_is_carried_out_stays(void **state)
{
	uint64_t s = 42;

	for (int round = 0; round < 5000; round++) {
		struct td_plan_node nodes[4];
		struct td_plan_unit u;
		struct td_plan_answer a, b;
		struct td_plan_in in = { nodes, 4, &u, 1, true };

		for (unsigned int i = 0; i < 4; i++)
			nodes[i] = (struct td_plan_node){
				i + 1, rnd(&s, 4) > 0, rnd(&s, 4) > 0,
				!rnd(&s, 4), i == 3 };
		random_unit(&s, &u, 4);
		td_plan(&in, &a);
		u.owner = a.node;
		td_plan(&in, &b);
		assert_int_equal(a.node, b.node);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_picture_has_its_answer),
		cmocka_unit_test(the_plan_is_the_best_there_is),
		cmocka_unit_test(a_plan_that_is_carried_out_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
