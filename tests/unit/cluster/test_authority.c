// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cluster/simbus.h"
#include "cluster/ops.h"
#include "proto/base/log.h"

/* The cluster under a lease machine that is played by hand: machines 1 and 2
 * are nodes, 3 is the witness. A record is said as a message of the protocol
 * and held by whoever delivers it. */

enum { SAID_MAX = 64 };

struct fake {
	struct world *w;
	uint32_t id;
	Td__Record rec;
	Td__Member member[2], *members[2];
	uint32_t voters[3];
	bool forced;
	/* what it was told */
	uint64_t ring;
	uint32_t ring_members, left;
	bool live;
	int lives, n_said, slow[SIM_MACHINES + 1];
	uint64_t said[SAID_MAX];
};
struct world {
	struct sim s;
	struct fake f[SIM_MACHINES + 1];
};
struct outcome {
	int calls, status;
};

static const Td__Record *fake_record(void *arg)
{
	return &((struct fake *)arg)->rec;
}

static uint32_t fake_needed(void *arg)
{
	const struct fake *f = arg;
	uint32_t mask = 0;

	for (size_t i = 0; i < f->rec.n_in_sync; i++)
		mask |= 1U << f->rec.in_sync[i]->id;
	return mask & ~(1U << f->id);
}

static bool fake_quorum(void *arg, uint32_t members, bool quorate)
{
	const struct fake *f = arg;
	size_t n = 0;

	if (!f->rec.epoch)
		return quorate;
	for (size_t i = 0; i < f->rec.n_voters; i++)
		n += members >> f->rec.voters[i] & 1;
	return n * 2 > f->rec.n_voters;
}

static bool fake_forced(void *arg)
{
	return ((struct fake *)arg)->forced;
}

static void fake_ring(void *arg, uint64_t ring, uint32_t members,
		      uint32_t left, bool quorate)
{
	struct fake *f = arg;

	f->ring = ring;
	f->ring_members = members;
	f->left = left;
}

static void hold(struct fake *f, const Td__Record *r)
{
	if (r->epoch < f->rec.epoch ||
	    (r->epoch == f->rec.epoch && r->version <= f->rec.version))
		return;
	td__record__init(&f->rec);
	f->rec.epoch = r->epoch;
	f->rec.version = r->version;
	f->rec.in_sync = f->members;
	f->rec.n_in_sync = r->n_in_sync;
	for (size_t i = 0; i < r->n_in_sync; i++) {
		f->member[i] = *r->in_sync[i];
		f->members[i] = &f->member[i];
	}
	f->rec.voters = f->voters;
	f->rec.n_voters = r->n_voters;
	for (size_t i = 0; i < r->n_voters; i++)
		f->voters[i] = r->voters[i];
}

static void fake_deliver(void *arg, uint32_t from, uint64_t incarnation,
			 const Td__Ha *m)
{
	struct fake *f = arg;

	if (m->what_case == TD__HA__WHAT_RECORD) {
		hold(f, m->record);
		td_cluster_authority_changed(f->w->s.machine[f->id].c);
	} else if (m->what_case == TD__HA__WHAT_TAKE) {
		f->said[f->n_said++ % SAID_MAX] = m->take->epoch;
	}
}

static void fake_live(void *arg, bool live)
{
	struct fake *f = arg;

	assert_true(live != f->live);
	f->live = live;
	f->lives += live;
}

static void fake_slow(void *arg, uint32_t node)
{
	((struct fake *)arg)->slow[node]++;
}

static struct td_cluster *at(struct world *w, uint32_t id)
{
	return w->s.machine[id].c;
}

static void start(struct world *w, uint32_t id)
{
	struct fake *f = &w->f[id];
	const struct td_authority a = {
		.record = fake_record, .needed = fake_needed,
		.quorum = fake_quorum, .forced = fake_forced,
		.ring = fake_ring, .deliver = fake_deliver, .live = fake_live,
		.slow = fake_slow, .arg = f,
	};

	f->w = w;
	f->id = id;
	f->live = false;
	if (!f->rec.base.descriptor)
		td__record__init(&f->rec);
	sim_daemon_start(&w->s, id);
	td_cluster_set_authority(at(w, id), &a);
	at(w, id)->witness = id == 3;
}

/* what a lead would write: these are in sync, these vote */
static void say_record(struct world *w, uint32_t by, uint64_t version,
		       uint32_t in_sync, uint32_t voters)
{
	Td__Record r = TD__RECORD__INIT;
	Td__Ha ha = TD__HA__INIT;
	Td__Member m[3], *mp[3];
	uint32_t v[3];

	r.epoch = 1;
	r.version = version;
	r.in_sync = mp;
	r.voters = v;
	for (uint32_t i = 1; i <= 3; i++) {
		if (in_sync >> i & 1) {
			td__member__init(&m[r.n_in_sync]);
			m[r.n_in_sync].id = i;
			m[r.n_in_sync].incarnation = w->s.machine[i].pid;
			mp[r.n_in_sync] = &m[r.n_in_sync];
			r.n_in_sync++;
		}
		if (voters >> i & 1)
			v[r.n_voters++] = i;
	}
	ha.what_case = TD__HA__WHAT_RECORD;
	ha.record = &r;
	assert_int_equal(td_cluster_say(at(w, by), &ha), 0);
}

static int say_take(struct world *w, uint32_t by, uint64_t epoch)
{
	Td__Take t = TD__TAKE__INIT;
	Td__Ha ha = TD__HA__INIT;

	t.unit = "lead";
	t.epoch = epoch;
	ha.what_case = TD__HA__WHAT_TAKE;
	ha.take = &t;
	return td_cluster_say(at(w, by), &ha);
}

static void founded(struct world *w)
{
	memset(w, 0, sizeof(*w));
	sim_init(&w->s, 1);
	for (uint32_t i = 1; i <= 3; i++)
		start(w, i);
	sim_drain(&w->s);
	say_record(w, 1, 1, 6, 0xe);
	sim_drain(&w->s);
	for (uint32_t i = 1; i <= 2; i++)
		assert_int_equal(td_cluster_state(at(w, i)),
				 TD_CLUSTER_RUNNING);
}

static void on_effect(void *arg, int status)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = status;
}

static void submit(struct world *w, uint32_t id, const char *uri,
		   struct outcome *o)
{
	struct test_op t;

	*o = (struct outcome){ 0 };
	assert_int_equal(td_cluster_submit(at(w, id), op_contact(&t, "1000",
			 uri, 1800000000000)), 0);
	assert_int_equal(td_cluster_effect(at(w, id), on_effect, o), 0);
}

static bool has(struct world *w, uint32_t id, const char *uri)
{
	return td_view_contact(td_cluster_view(at(w, id)), "1000", uri);
}

/* all but the hung machines go on, for a while */
static void pass(struct world *w, uint32_t hung, int ms)
{
	for (int t = 0; t <= ms; t += 50) {
		w->s.now_ms += 50;
		for (int round = 0; round < 8; round++)
			for (uint32_t i = 1; i <= 3; i++) {
				struct sim_machine *m = &w->s.machine[i];

				if (!m->c || hung >> i & 1)
					continue;
				td_cluster_turn(m->c);
				while (m->out.count)
					sim_order(&w->s, m);
				while (sim_deliver(m))
					;
			}
	}
}

static void the_witness_votes_and_holds_no_view(void **state)
{
	struct td_cluster_stats st;
	struct outcome o;
	struct world w;

	founded(&w);
	assert_int_equal(w.f[3].ring_members, 0xe);
	assert_int_equal(td_cluster_state(at(&w, 3)), TD_CLUSTER_JOINING);
	assert_false(w.f[3].live);
	submit(&w, 1, "sip:a", &o);
	pass(&w, 1U << 3, 100);
	/* not waited for */
	assert_int_equal(o.calls, 1);
	sim_drain(&w.s);
	assert_false(has(&w, 3, "sip:a"));
	td_cluster_stats(at(&w, 3), &st);
	assert_int_equal(st.applied, 0);
	td_cluster_on_deliver(at(&w, 3), 1, "\xff junk", 6);
	td_cluster_on_deliver(at(&w, 3), 1, "", 0);
	sim_end(&w.s);
}

static void what_is_said_comes_in_order_to_all_before_there_is_a_view(
	void **state)
{
	struct world w;

	memset(&w, 0, sizeof(w));
	sim_init(&w.s, 1);
	for (uint32_t i = 1; i <= 3; i++) {
		w.s.machine[i].group = i;	/* each a minority */
		start(&w, i);
	}
	sim_reform(&w.s);
	w.s.machine[1].out_limit = 0;
	for (int i = 1; i <= 200; i++)
		assert_int_equal(say_take(&w, 1, (uint64_t)i), 0);
	assert_int_equal(say_take(&w, 2, 7), 0);
	sim_drain(&w.s);
	assert_int_equal(w.f[2].n_said, 1);
	assert_int_equal(w.f[1].n_said, 0);
	w.s.machine[1].out_limit = 64;
	for (uint32_t i = 1; i <= 3; i++)
		w.s.machine[i].group = 0;
	sim_reform(&w.s);
	sim_drain(&w.s);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(w.f[i].n_said, i == 2 ? 201 : 200);
		for (int k = 140; k < 200; k++)
			assert_int_equal(w.f[i].said[(k + (i == 2)) % SAID_MAX],
					 k + 1);
	}
	sim_end(&w.s);
}

static void what_is_said_is_bounded_and_checked(void **state)
{
	Td__Take t = TD__TAKE__INIT;
	Td__Ha ha = TD__HA__INIT;
	struct world w;
	int n = 0;

	founded(&w);
	t.unit = "a name that is longer than a unit's may be";
	ha.what_case = TD__HA__WHAT_TAKE;
	ha.take = &t;
	assert_int_equal(td_cluster_say(at(&w, 1), &ha), -EINVAL);
	w.s.machine[1].out_limit = 0;
	while (!say_take(&w, 1, 5))
		n++;
	assert_int_equal(n, 1024);
	assert_int_equal(at(&w, 1)->say.refused_full, 1);
	sim_end(&w.s);
}

static void a_plain_death_costs_one_round_of_hellos(void **state)
{
	struct outcome o[2];
	struct world w;
	uint64_t sent;

	founded(&w);
	sim_drain(&w.s);
	sent = at(&w, 1)->sent;
	submit(&w, 1, "sip:a", &o[0]);
	sim_power(&w.s, 2, false);
	sim_deliver(&w.s.machine[1]);
	/* being decided: what comes is taken, nothing leaves */
	assert_int_equal(td_cluster_state(at(&w, 1)), TD_CLUSTER_RUNNING);
	assert_false(w.f[1].live);
	submit(&w, 1, "sip:b", &o[1]);
	sim_drain(&w.s);
	assert_true(w.f[1].live);
	assert_int_equal(w.f[1].lives, 2);
	/* a Hello, and what was submitted */
	assert_true(at(&w, 1)->sent - sent <= 6);
	/* the record still names the dead one: it binds */
	assert_int_equal(o[0].calls + o[1].calls, 0);
	say_record(&w, 1, 2, 2, 0xe);
	sim_drain(&w.s);
	assert_int_equal(o[0].calls + o[1].calls, 2);
	assert_int_equal(o[0].status | o[1].status, 0);
	sim_end(&w.s);
}

static void a_part_without_a_majority_of_voters_cancels(void **state)
{
	struct outcome o;
	struct world w;

	founded(&w);
	w.s.quorum = 1;		/* corosync believes otherwise, and late */
	submit(&w, 2, "sip:x", &o);
	w.s.machine[2].group = 1;
	sim_reform(&w.s);
	sim_drain(&w.s);
	assert_int_equal(o.status, -ECANCELED);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_MINORITY);
	assert_false(w.f[2].live);
	/* the protocol goes on there too */
	assert_int_equal(say_take(&w, 2, 3), 0);
	sim_drain(&w.s);
	assert_int_equal(w.f[2].n_said, 1);
	/* the others take it out, and it comes back with their view */
	say_record(&w, 1, 2, 2, 0xe);
	submit(&w, 1, "sip:y", &o);
	sim_drain(&w.s);
	assert_int_equal(o.status + o.calls, 1);
	w.s.machine[2].group = 0;
	sim_reform(&w.s);
	sim_drain(&w.s);
	assert_true(w.f[1].live && w.f[2].live);
	assert_true(has(&w, 2, "sip:y"));
	assert_false(has(&w, 1, "sip:x") || has(&w, 2, "sip:x"));
	sim_end(&w.s);
}

static void corosyncs_quorum_means_nothing_once_founded(void **state)
{
	struct world w;

	founded(&w);
	w.s.quorum = -1;
	sim_reform(&w.s);
	w.s.machine[3].group = 1;
	sim_reform(&w.s);
	sim_drain(&w.s);
	assert_int_equal(td_cluster_state(at(&w, 1)), TD_CLUSTER_RUNNING);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_RUNNING);
	assert_true(w.f[1].live && w.f[2].live);
	sim_end(&w.s);
}

static void who_was_taken_out_waits_for_who_was_not(void **state)
{
	struct outcome o;
	struct world w;

	founded(&w);
	submit(&w, 1, "sip:a", &o);
	sim_drain(&w.s);
	/* 2 is cut off, 1 goes on alone and dies; the witness knows */
	w.s.machine[2].group = 1;
	sim_reform(&w.s);
	sim_drain(&w.s);
	say_record(&w, 1, 2, 2, 0xe);
	submit(&w, 1, "sip:b", &o);
	sim_drain(&w.s);
	assert_int_equal(o.calls, 1);
	sim_power(&w.s, 1, false);
	w.s.machine[2].group = 0;
	sim_reform(&w.s);
	pass(&w, 0, 3000);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_JOINING);
	assert_int_equal(at(&w, 2)->missing, 1U << 1);
	/* 1 comes as another life: all is lost, the newest view goes on */
	sim_power(&w.s, 1, true);
	start(&w, 1);
	sim_drain(&w.s);
	assert_int_equal(td_cluster_state(at(&w, 1)), TD_CLUSTER_RUNNING);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_RUNNING);
	assert_true(has(&w, 1, "sip:a") && has(&w, 2, "sip:a"));
	sim_end(&w.s);
}

static void an_operator_may_say_that_who_is_missing_is_lost(void **state)
{
	struct world w;

	founded(&w);
	say_record(&w, 1, 2, 2, 0xe);
	sim_drain(&w.s);
	sim_power(&w.s, 1, false);
	sim_drain(&w.s);
	pass(&w, 0, 2000);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_JOINING);
	w.f[2].forced = true;
	td_cluster_authority_changed(at(&w, 2));
	sim_drain(&w.s);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_RUNNING);
	sim_end(&w.s);
}

static void another_life_never_counts_as_the_one_that_is_named(void **state)
{
	struct outcome o;
	struct world w;

	founded(&w);
	sim_daemon_stop(&w.s, 2);
	sim_drain(&w.s);
	assert_int_equal(w.f[1].left, 1U << 2);
	start(&w, 2);
	sim_drain(&w.s);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_RUNNING);
	submit(&w, 1, "sip:a", &o);
	sim_drain(&w.s);
	assert_true(has(&w, 2, "sip:a"));
	assert_int_equal(o.calls, 0);
	say_record(&w, 1, 2, 6, 0xe);	/* its new life */
	sim_drain(&w.s);
	assert_int_equal(o.calls, 1);
	sim_end(&w.s);
}

static void who_does_not_acknowledge_is_told_again_and_again(void **state)
{
	struct outcome o;
	struct world w;

	founded(&w);
	submit(&w, 1, "sip:a", &o);
	pass(&w, 1U << 2, 250);
	assert_int_equal(w.f[1].slow[2], 0);
	pass(&w, 1U << 2, 1000);
	assert_in_range(w.f[1].slow[2], 5, 12);
	assert_int_equal(o.calls, 0);
	say_record(&w, 1, 2, 2, 0xe);
	pass(&w, 1U << 2, 100);
	assert_int_equal(o.calls, 1);
	sim_end(&w.s);
}

static void a_daemon_that_hangs_does_not_hold_up_a_new_ring(void **state)
{
	struct outcome o;
	struct world w;

	founded(&w);
	submit(&w, 1, "sip:a", &o);
	sim_reform(&w.s);	/* a change out of nothing */
	w.s.machine[1].group = w.s.machine[2].group = 1;
	sim_reform(&w.s);
	w.s.machine[1].group = w.s.machine[2].group = 0;
	sim_reform(&w.s);
	/* 3 says no Hello; nor does it in any later ring */
	pass(&w, 1U << 3, 200);
	assert_int_equal(td_cluster_state(at(&w, 1)), TD_CLUSTER_RUNNING);
	assert_false(w.f[1].live);
	assert_int_equal(o.calls, 0);
	pass(&w, 1U << 3, 300);
	assert_true(w.f[1].live && w.f[2].live);
	assert_int_equal(o.calls, 1);
	assert_int_equal(o.status, 0);
	/* it thaws and hears all in order */
	sim_drain(&w.s);
	pass(&w, 0, 1500);
	assert_true(w.f[1].live && w.f[2].live);
	sim_end(&w.s);
}

/* the lead wrote it, kept it, and died before anybody heard */
static void a_newer_record_that_leaves_one_out_is_not_overheard(void **state)
{
	struct outcome o;
	struct world w;
	uint64_t lineage;

	founded(&w);
	sim_drain(&w.s);
	lineage = td_view_index(td_cluster_view(at(&w, 1))).lineage;
	sim_daemon_stop(&w.s, 2);
	sim_drain(&w.s);
	w.f[2].rec.version = 9;
	w.f[2].rec.n_in_sync = 1;
	w.f[2].member[0] = w.f[2].member[1];
	start(&w, 2);
	submit(&w, 1, "sip:a", &o);
	sim_drain(&w.s);
	/* all it names are over: cold, and 1 has the newest view */
	assert_true(w.f[1].live && w.f[2].live);
	assert_true(td_view_index(td_cluster_view(at(&w, 1))).lineage >
		    lineage);
	assert_true(has(&w, 2, "sip:a"));
	sim_end(&w.s);
}

static void nobody_founds_while_a_member_is_silent(void **state)
{
	struct world w;

	memset(&w, 0, sizeof(w));
	sim_init(&w.s, 1);
	for (uint32_t i = 1; i <= 3; i++)
		start(&w, i);
	pass(&w, 1U << 3, 3000);
	assert_int_equal(td_cluster_state(at(&w, 1)), TD_CLUSTER_JOINING);
	sim_drain(&w.s);
	pass(&w, 0, 1500);
	assert_int_equal(td_cluster_state(at(&w, 1)), TD_CLUSTER_RUNNING);
	assert_int_equal(td_cluster_state(at(&w, 2)), TD_CLUSTER_RUNNING);
	sim_end(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_witness_votes_and_holds_no_view),
		cmocka_unit_test(
		    what_is_said_comes_in_order_to_all_before_there_is_a_view),
		cmocka_unit_test(what_is_said_is_bounded_and_checked),
		cmocka_unit_test(a_plain_death_costs_one_round_of_hellos),
		cmocka_unit_test(a_part_without_a_majority_of_voters_cancels),
		cmocka_unit_test(corosyncs_quorum_means_nothing_once_founded),
		cmocka_unit_test(who_was_taken_out_waits_for_who_was_not),
		cmocka_unit_test(
			an_operator_may_say_that_who_is_missing_is_lost),
		cmocka_unit_test(
			another_life_never_counts_as_the_one_that_is_named),
		cmocka_unit_test(
			who_does_not_acknowledge_is_told_again_and_again),
		cmocka_unit_test(
			a_daemon_that_hangs_does_not_hold_up_a_new_ring),
		cmocka_unit_test(
			a_newer_record_that_leaves_one_out_is_not_overheard),
		cmocka_unit_test(nobody_founds_while_a_member_is_silent),
	};

	td_log_level_set((enum td_log_level)-1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
