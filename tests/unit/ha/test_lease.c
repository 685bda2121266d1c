// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "ha/lease.h"

/* One machine whose bus is a queue. */
struct solo {
	struct td_lease *l;
	uint8_t *buf[64];
	size_t n[64];
	unsigned int in, out;
	unsigned int holds, offs;
};

static void solo_say(void *arg, const Td__Ha *m)
{
	struct solo *s = arg;

	assert_int_equal(td_ha_pack(m, &s->buf[s->in % 64],
				    &s->n[s->in % 64]), 0);
	s->in++;
}

static void solo_udp(void *arg, uint32_t to, const Td__Heartbeat *m)
{
	fail();
}

static void solo_save(void *arg, const Td__LeaseState *m)
{
	uint8_t *buf;
	size_t n;

	assert_int_equal(td_lease_state_pack(m, &buf, &n), 0);
	free(buf);
}

static void solo_hold(void *arg, const char *unit, uint64_t epoch,
		      int64_t until_ms)
{
	((struct solo *)arg)->holds++;
}

static void solo_off(void *arg, const char *unit, uint64_t epoch)
{
	((struct solo *)arg)->offs++;
}

static void solo_carry(struct solo *s, int64_t now)
{
	while (s->out < s->in) {
		Td__Ha *m;

		assert_int_equal(td_ha_unpack(s->buf[s->out % 64],
					      s->n[s->out % 64], &m), 0);
		free(s->buf[s->out % 64]);
		s->out++;
		td_lease_deliver(s->l, now, 3, 77, m);
		td_ha_free(m);
	}
}

static void a_solo_node_owns_its_units_at_its_first_tick(void **state)
{
	struct solo s = { 0 };
	struct td_lease_cfg cfg = {
		.node_id = 3, .incarnation = 77, .nodelist = 1U << 3,
		.ops = { solo_say, solo_udp, solo_save, solo_hold, solo_off,
			 NULL, &s },
	};
	struct td_unit_view v;

	assert_int_equal(td_lease_new(&cfg, 1000, &s.l), 0);
	td_lease_want(s.l, 1000, "lead", true);
	td_lease_want(s.l, 1000, "s1", true);
	td_lease_ring(s.l, 1000, 1, 1U << 3, 0, true);
	assert_int_equal(td_lease_needed(s.l), TD_LEASE_NOBODY);
	td_lease_live(s.l, 1001, true);
	solo_carry(&s, 1001);
	td_lease_tick(s.l, 1002);
	solo_carry(&s, 1002);
	assert_int_equal(td_lease_unit(s.l, 1002, "lead", &v), 0);
	assert_true(v.ours);
	td_lease_tick(s.l, 1052);
	solo_carry(&s, 1052);
	assert_int_equal(td_lease_unit(s.l, 1052, "s1", &v), 0);
	assert_true(v.ours);
	assert_int_equal(td_lease_needed(s.l), 0);
	assert_int_equal(td_lease_in_sync(s.l), 1U << 3);
	td_lease_free(s.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_solo_node_owns_its_units_at_its_first_tick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
