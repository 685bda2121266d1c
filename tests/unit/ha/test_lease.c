// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "ha/lease_faults.h"

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

/* --- three machines: 1 and 2 are nodes, 3 is the witness --- */

static struct world *three(void)
{
	struct world *w = world_new(4, 3, true);

	w_run(w, 3000);
	assert_string_equal(w->failed, "");
	return w;
}

static void done(struct world *w)
{
	assert_string_equal(w->failed, "");
	world_free(w);
}

static uint32_t owner(struct world *w, int u)
{
	uint32_t id = 0;

	for each_machine(w, m)
		if (m_tx(m, u))
			id = m->id;
	return id;
}

static const struct rec *record(struct world *w, uint32_t id)
{
	return &w->m[id].d->l->rec;
}

static uint32_t in_sync(struct world *w, uint32_t id)
{
	return td_lease_in_sync(w->m[id].d->l);
}

/* runs until u transmits again at another than `was`; how long that took */
static double until_owner(struct world *w, int u, uint32_t was)
{
	double ms = 0;

	while ((!owner(w, u) || owner(w, u) == was) && ms < 5000) {
		w_run(w, 1);
		ms++;
	}
	return ms;
}

static void all_blank_they_found_one_cluster(void **state)
{
	struct world *w = three();

	assert_true(owner(w, 0) && owner(w, 1) && owner(w, 2));
	assert_int_equal(in_sync(w, 1), 6);
	assert_int_equal(in_sync(w, 2), 6);
	assert_int_equal(record(w, 3)->voters, 0xe);
	assert_int_equal(w->cover.cold, 1);
	assert_int_equal(td_lease_needed(w->m[1].d->l), 1U << 2);
	done(w);
}

static void a_minority_founds_nothing(void **state)
{
	struct world *w = world_new(4, 3, true);

	f_power_off(w, 2, 0);
	f_power_off(w, 3, 0);
	w_run(w, 3000);
	assert_int_equal(record(w, 1)->key.epoch, 0);
	assert_int_equal(td_lease_needed(w->m[1].d->l), TD_LEASE_NOBODY);
	done(w);
}

static void the_first_node_and_the_witness_begin_alone(void **state)
{
	struct world *w = world_new(4, 3, true);

	f_power_off(w, 2, 3000);
	w_run(w, 2500);
	assert_int_equal(owner(w, 0), 1);
	assert_int_equal(in_sync(w, 1), 2);
	w_run(w, 4000);
	assert_int_equal(in_sync(w, 1), 6);
	assert_int_equal(w->cover.cold, 1);
	done(w);
}

static void a_power_off_costs_its_detection(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0);

	f_power_off(w, was, 0);
	assert_true(until_owner(w, 0, was) < 800);
	w_run(w, 200);
	assert_int_equal(in_sync(w, 3 - was), BIT(3 - was));
	assert_int_equal(td_lease_needed(w->m[3 - was].d->l), 0);
	assert_int_equal(owner(w, 1), 3 - was);
	done(w);
}

static void a_killed_daemon_costs_next_to_nothing(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0);

	f_kill(w, was, 1000);
	assert_true(until_owner(w, 0, was) < 100);
	w_run(w, 3000);
	assert_int_equal(in_sync(w, 3 - was), 6);
	assert_int_equal(owner(w, 0), 3 - was);
	done(w);
}

static void a_hanging_daemon_is_switched_off_by_its_guard(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0);
	double ms;

	f_stop(w, was, 2000);
	ms = until_owner(w, 0, was);
	assert_true(ms >= 200 && ms < 300);
	w_run(w, 300);
	assert_int_equal(in_sync(w, 3 - was), BIT(3 - was));
	w_run(w, 3000);
	assert_int_equal(in_sync(w, 3 - was), 6);
	done(w);
}

static void heartbeats_that_leave_but_do_not_come_back_end_the_lease(
	void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0);
	uint64_t epoch = w->air[0].epoch;

	f_cut(w, 3, 0xe, BIT(was), 1500);
	w_run(w, 460);
	assert_int_equal(owner(w, 0), 0);
	w_run(w, 2500);
	assert_true(owner(w, 0));
	assert_true(w->air[0].epoch > epoch);
	done(w);
}

static void a_lapsed_lease_does_not_come_back(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0);
	uint64_t epoch = w->air[0].epoch;

	f_freeze(w, was, 600);
	w_run(w, 610);
	assert_true(owner(w, 0) != was || w->air[0].epoch > epoch);
	w_run(w, 3000);
	assert_true(w->air[0].epoch > epoch);
	done(w);
}

static void what_is_released_is_taken_at_once(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 1);

	w->m[was].d->shy_us = w->now_us + 3000000;
	assert_true(until_owner(w, 1, was) < 120);
	assert_int_equal(owner(w, 1), 3 - was);
	done(w);
}

static void a_voter_without_the_newest_record_decides_nothing(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0), mate = 3 - was;

	/* the mate goes; the owner and the witness take it out */
	f_power_off(w, mate, 900);
	w_run(w, 850);
	assert_int_equal(record(w, 3)->in_sync, BIT(was));
	/* now the owner: whoever comes back may not take */
	f_power_off(w, was, 2500);
	w_run(w, 2400);
	assert_int_equal(owner(w, 0), 0);
	/* until it is here again: another life, so all who knew are lost */
	w_run(w, 4000);
	assert_true(owner(w, 0));
	assert_int_equal(w->cover.cold, 2);
	done(w);
}

static void all_start_anew_and_the_newest_goes_on(void **state)
{
	struct world *w = three();
	uint64_t epoch = w->air[0].epoch;

	for (uint32_t i = 1; i <= 3; i++)
		f_power_off(w, i, 500);
	w_run(w, 4000);
	assert_true(owner(w, 0));
	assert_true(w->air[0].epoch > epoch);
	assert_int_equal(w->cover.cold, 2);
	assert_int_equal(in_sync(w, 1), 6);
	done(w);
}

static void maintenance_leaves_one_voter_that_needs_nobody(void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0);

	f_voters(w, BIT(was));
	w_run(w, 300);		/* leases by the old voters are still running */
	assert_int_equal(record(w, was)->next, BIT(was));
	w_run(w, 1000);
	assert_int_equal(record(w, was)->voters, BIT(was));
	assert_int_equal(record(w, was)->next, 0);
	assert_true(record(w, was)->floor > 0);
	assert_int_equal(owner(w, 0), was);
	f_power_off(w, 3 - was, 0);
	f_power_off(w, 3, 0);
	w_run(w, 1500);
	assert_int_equal(owner(w, 0), was);
	assert_int_equal(td_lease_needed(w->m[was].d->l), 0);
	f_power_off(w, 3, 1);
	w_at(w, 1, f_power_on, 3 - was, 0, 0, NULL);
	w_at(w, 1, f_power_on, 3, 0, 0, NULL);
	w_run(w, 3000);
	f_voters(w, 0xe);
	w_run(w, 2000);
	assert_int_equal(record(w, 1)->voters, 0xe);
	assert_int_equal(in_sync(w, was), 6);
	done(w);
}

static void a_joiner_that_promised_more_is_taken_in_at_a_higher_epoch(
	void **state)
{
	struct world *w = three();
	uint32_t was = owner(w, 0), mate = 3 - was;

	f_power_off(w, mate, 1500);
	w_run(w, 1000);
	/* its disk says that it promised epoch 9 to itself */
	{
		Td__LeaseState *s;

		assert_int_equal(td_lease_state_unpack(w->m[mate].disk,
			w->m[mate].n_disk, &s), 0);
		for (size_t i = 0; i < s->n_promises; i++)
			if (!strcmp(s->promises[i]->unit, "lead")) {
				s->promises[i]->epoch = 9;
				s->promises[i]->to = mate;
			}
		free(w->m[mate].disk);
		assert_int_equal(td_lease_state_pack(s, &w->m[mate].disk,
			&w->m[mate].n_disk), 0);
		td_lease_state_free(s);
	}
	w_run(w, 3500);
	assert_int_equal(owner(w, 0), was);
	assert_true(w->air[0].epoch > 9);
	assert_int_equal(in_sync(w, was), 6);
	done(w);
}

static void a_restarted_voter_remembers(void **state)
{
	struct world *w = three();
	struct key key = record(w, 3)->key;
	uint64_t epoch = w->m[3].d->l->lead->epoch;

	f_kill(w, 3, 50);
	w_run(w, 60);
	assert_int_equal(key_cmp(&record(w, 3)->key, &key), 0);
	assert_int_equal(w->m[3].d->l->lead->epoch, epoch);
	done(w);
}

/* --- what nobody of sound mind says --- */

static void deliver(struct world *w, Td__Ha *m)
{
	struct daemon *d = w->m[1].d;

	td_lease_deliver(d->l, m_clock(&w->m[1]), 2, w->m[2].d->inc, m);
}

static uint64_t refused(struct world *w)
{
	struct td_lease_stats st;

	td_lease_stats(w->m[1].d->l, &st);
	return st.refused;
}

static void nonsense_is_counted_and_dropped(void **state)
{
	struct world *w = three();
	Td__Granted g = TD__GRANTED__INIT, *gp[2] = { &g, &g };
	Td__Member x = TD__MEMBER__INIT, *xp[2] = { &x, &x };
	Td__Released released = TD__RELEASED__INIT;
	Td__Report report = TD__REPORT__INIT;
	Td__Record r = TD__RECORD__INIT;
	Td__Take take = TD__TAKE__INIT;
	struct key key = record(w, 1)->key;
	uint32_t voters[2] = { 1, 1 };
	Td__Ha m = TD__HA__INIT;

	take.unit = (char *)"lead";
	take.epoch = UINT64_MAX;
	m.what_case = TD__HA__WHAT_TAKE;
	m.take = &take;
	deliver(w, &m);
	report.unit = (char *)"lead";
	report.acked = gp;
	report.n_acked = 2;	/* the same node twice */
	g.node = 1;
	g.epoch = 1;
	m.what_case = TD__HA__WHAT_REPORT;
	m.report = &report;
	deliver(w, &m);
	report.n_acked = 1;
	g.age_ms = UINT32_MAX;
	deliver(w, &m);
	m.what_case = TD__HA__WHAT_RECORD;
	m.record = &r;
	r.epoch = 99;
	r.voters = voters;
	r.n_voters = 2;		/* the same twice */
	r.in_sync = xp;
	r.n_in_sync = 1;
	x.id = 1;
	deliver(w, &m);
	r.n_voters = 1;
	r.n_in_sync = 2;
	deliver(w, &m);
	r.n_in_sync = 1;
	r.epoch = UINT64_MAX;
	deliver(w, &m);
	m.what_case = TD__HA__WHAT_RELEASED;
	m.released = &released;
	released.unit = (char *)"lead";
	released.epoch = 99;
	released.node = 1;	/* said by 2 */
	deliver(w, &m);
	m.what_case = 0;
	deliver(w, &m);
	assert_int_equal(refused(w), 8);
	assert_int_equal(key_cmp(&record(w, 1)->key, &key), 0);
	w_run(w, 200);
	assert_true(owner(w, 0));
	done(w);
}

static void units_are_bounded_and_named(void **state)
{
	struct world *w = three();
	struct td_lease *l = w->m[3].d->l;
	struct td_unit_view v;
	char name[40];

	assert_int_equal(td_lease_want(l, 0, "", true), -EINVAL);
	assert_int_equal(td_lease_want(l, 0,
		"a name of more than thirty-one octets", true), -EINVAL);
	for (unsigned int i = 0; i < TD_VIEW_MAX_UNITS - W_UNITS; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		assert_int_equal(td_lease_want(l, 0, name, false), 0);
	}
	assert_int_equal(td_lease_want(l, 0, "one more", false), -ENOSPC);
	assert_int_equal(td_lease_unit(l, 0, "none", &v), -ENOENT);
	assert_int_equal(td_lease_unit_at(l, 0, 0, &v), 0);
	assert_string_equal(v.unit, "lead");
	assert_int_equal(td_lease_unit_at(l, 0, TD_VIEW_MAX_UNITS, &v),
			 -ENOENT);
	done(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_solo_node_owns_its_units_at_its_first_tick),
		cmocka_unit_test(all_blank_they_found_one_cluster),
		cmocka_unit_test(a_minority_founds_nothing),
		cmocka_unit_test(the_first_node_and_the_witness_begin_alone),
		cmocka_unit_test(a_power_off_costs_its_detection),
		cmocka_unit_test(a_killed_daemon_costs_next_to_nothing),
		cmocka_unit_test(a_hanging_daemon_is_switched_off_by_its_guard),
		cmocka_unit_test(
		heartbeats_that_leave_but_do_not_come_back_end_the_lease),
		cmocka_unit_test(a_lapsed_lease_does_not_come_back),
		cmocka_unit_test(what_is_released_is_taken_at_once),
		cmocka_unit_test(
			a_voter_without_the_newest_record_decides_nothing),
		cmocka_unit_test(all_start_anew_and_the_newest_goes_on),
		cmocka_unit_test(
			maintenance_leaves_one_voter_that_needs_nobody),
		cmocka_unit_test(
		a_joiner_that_promised_more_is_taken_in_at_a_higher_epoch),
		cmocka_unit_test(a_restarted_voter_remembers),
		cmocka_unit_test(nonsense_is_counted_and_dropped),
		cmocka_unit_test(units_are_bounded_and_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
