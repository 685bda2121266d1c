// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ha/lease_faults.h"

/* LEASE_SEED=n runs that one with its story, LEASE_SEEDS=n that many. */

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 10) : otherwise;
}

static struct world *random_world(uint64_t seed)
{
	struct world *w = world_new(seed, 3 + (unsigned int)(seed % 3), false);

	w->trace = getenv("LEASE_SEED") != NULL;
	world_schedule(w);
	if (w->failed[0])
		fail_msg("LEASE_SEED=%llu: %s", (unsigned long long)seed,
			 w->failed);
	return w;
}

static void nothing_random_breaks_what_must_hold(void **state)
{
	uint64_t first = number("LEASE_SEED", 1);
	uint64_t n = number("LEASE_SEEDS", getenv("LEASE_SEED") ? 1 : 120);
	unsigned int takes = 0, effects = 0;

	for (uint64_t seed = first; seed < first + n; seed++) {
		struct world *w = random_world(seed);

		takes += w->cover.takes;
		effects += w->cover.effects;
		world_free(w);
	}
	assert_true(takes > 2 * n);
	assert_true(effects > 20 * n);
}

static void once_all_is_mended_every_unit_has_an_owner(void **state)
{
	for (uint64_t seed = 1; seed <= number("LEASE_SEEDS", 30); seed++) {
		struct world *w = random_world(seed);
		struct ev none = { 0 };

		w->calm = true;
		w->loss = w->slow = 0;
		f_voters_back(w, &none);
		w_run(w, 8000);
		for (int u = 0; u < W_UNITS; u++) {
			unsigned int owners = 0;

			for each_machine(w, m)
				owners += m_tx(m, u);
			if (owners != 1)
				fail_msg("seed %llu: %s has %u owners",
					 (unsigned long long)seed, w_unit[u],
					 owners);
		}
		for each_machine(w, m)
			if (m->id < w->n && !td_lease_synced(m->d->l))
				fail_msg("seed %llu: %u is not in sync",
					 (unsigned long long)seed, m->id);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_random_breaks_what_must_hold),
		cmocka_unit_test(once_all_is_mended_every_unit_has_an_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
