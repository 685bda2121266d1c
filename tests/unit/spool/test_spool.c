// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/spool/spool.h"
#include "proto/base/log.h"
#include "tests/unit/spool/memdisk.h"

/* One node's spool, its disk and its cluster played by the test. */

struct world {
	struct td_spool *s;
	struct memdisk disk;
	uint32_t in_sync;
	int say_rc, effect_rc;
	unsigned int puts, dones;	/* ops said */
	char last_put[TD_SPOOL_KEY_OCTETS + 1];
	td_effect_fn effect;
	void *effect_arg;
	uint64_t on_disk;
	/* taken, saved */
	int taken_status;
	size_t taken;
	struct td_spool_key keys[512];
	int saved_status;
	unsigned int saved, disks;
};

static int on_say(void *arg, const Td__Op *op)
{
	struct world *w = arg;

	if (w->say_rc)
		return w->say_rc;
	if (op->what_case == TD__OP__WHAT_SPOOL_PUT) {
		const ProtobufCBinaryData *k = &op->spool_put->key;

		w->puts++;
		memcpy(w->last_put, k->data, k->len);
		w->last_put[k->len] = '\0';
	} else {
		w->dones += op->spool_done->n_keys;
	}
	return 0;
}

static int on_effect(void *arg, td_effect_fn fn, void *fn_arg)
{
	struct world *w = arg;

	if (!w->effect_rc) {
		w->effect = fn;
		w->effect_arg = fn_arg;
	}
	return w->effect_rc;
}

static uint32_t on_in_sync(void *arg)
{
	return ((struct world *)arg)->in_sync;
}

static void on_disk(void *arg, uint64_t n)
{
	((struct world *)arg)->on_disk = n;
}

static void begin(struct world *w, const struct td_spool_limits *limits)
{
	const struct td_spool_env env = { .node_id = 1, .say = on_say,
					  .effect = on_effect,
					  .in_sync = on_in_sync,
					  .on_disk = on_disk, .arg = w };

	assert_int_equal(td_spool_new(&env, limits, &w->s), 0);
}

static struct world *start(const struct td_spool_limits *limits)
{
	struct world *w = calloc(1, sizeof(*w));

	td_log_level_set((enum td_log_level)-1);
	mem_init(&w->disk);
	w->in_sync = 1 << 1 | 1 << 2;
	begin(w, limits);
	td_spool_set_disk(w->s, &w->disk.base);
	return w;
}

static void restart(struct world *w)
{
	td_spool_free(w->s);
	begin(w, NULL);
	mem_power_on(&w->disk, w->s);
}

static void end(struct world *w)
{
	td_spool_free(w->s);
	mem_clear(&w->disk);
	free(w);
}

static int put(struct world *w, const char *key, const char *data)
{
	return td_spool_put(w->s, 1, 1, key, strlen(key), data, strlen(data));
}

static void applied_put(struct world *w, const char *key, const char *data,
			uint64_t n)
{
	Td__SpoolRecord r = TD__SPOOL_RECORD__INIT;
	Td__Op op = TD__OP__INIT;

	r.type = 1;
	r.key = (ProtobufCBinaryData){ strlen(key), (uint8_t *)key };
	r.data = (ProtobufCBinaryData){ strlen(data), (uint8_t *)data };
	op.what_case = TD__OP__WHAT_SPOOL_PUT;
	op.spool_put = &r;
	td_spool_applied(w->s, 1, &op, n);
}

static void applied_done(struct world *w, const char *key)
{
	Td__SpoolKey k = TD__SPOOL_KEY__INIT, *list[] = { &k };
	Td__SpoolDone d = TD__SPOOL_DONE__INIT;
	Td__Op op = TD__OP__INIT;

	k.type = 1;
	k.key = (ProtobufCBinaryData){ strlen(key), (uint8_t *)key };
	d.keys = list;
	d.n_keys = 1;
	op.what_case = TD__OP__WHAT_SPOOL_DONE;
	op.spool_done = &d;
	td_spool_applied(w->s, 1, &op, 0);
}

static void applied_node(struct world *w, uint32_t id)
{
	Td__Node n = TD__NODE__INIT;
	Td__Op op = TD__OP__INIT;

	n.id = id;
	n.state = TD__NODE_STATE__NODE_UP;
	n.synced = true;
	op.what_case = TD__OP__WHAT_NODE;
	op.node = &n;
	td_spool_applied(w->s, 1, &op, 0);
}

static struct td_spool_stats stats(const struct world *w)
{
	struct td_spool_stats st;

	td_spool_stats(w->s, &st);
	return st;
}

static void on_taken(void *arg, int status, const struct td_spool_rec *recs,
		     size_t n)
{
	struct world *w = arg;

	w->taken_status = status;
	w->taken = n;
	for (size_t i = 0; i < n; i++)
		w->keys[i] = recs[i].key;
}

static size_t take(struct world *w, unsigned int max)
{
	w->taken = 0;
	if (td_spool_take(w->s, max, on_taken, w))
		return 0;
	mem_step(&w->disk, 64);
	return w->taken;
}

static void on_saved(void *arg, int status, unsigned int disks)
{
	struct world *w = arg;

	w->saved++;
	w->saved_status = status;
	w->disks = disks;
}

static void a_record_goes_from_the_disk_when_it_is_done(void **state)
{
	struct world *w = start(NULL);

	assert_int_equal(put(w, "a", "1"), 0);
	assert_int_equal(put(w, "a", "1"), 0);	/* the same */
	assert_int_equal(stats(w).records, 1);
	assert_int_equal(take(w, 10), 0);	/* not on the disk yet */
	mem_step(&w->disk, 64);
	applied_put(w, "a", "1", 7);
	applied_put(w, "b", "2", 8);
	mem_step(&w->disk, 64);
	assert_int_equal(take(w, 10), 2);
	assert_memory_equal(w->keys[0].octets, "a", 1);
	assert_int_equal(take(w, 1), 1);
	assert_int_equal(td_spool_take(w->s, 1, on_taken, w), 0);
	assert_int_equal(td_spool_take(w->s, 1, on_taken, w), -EBUSY);
	mem_step(&w->disk, 64);
	td_spool_written(w->s, 5, w->keys, 1);
	assert_int_equal(w->dones, 1);
	assert_int_equal(take(w, 10), 1);	/* a is written already */
	assert_memory_equal(w->keys[0].octets, "b", 1);
	applied_done(w, "a");
	applied_done(w, "b");
	applied_done(w, "b");
	assert_int_equal(stats(w).records, 0);
	assert_int_equal(stats(w).done, 2);
	assert_int_equal(w->puts, 0);
	restart(w);
	assert_int_equal(stats(w).records, 0);	/* its tombstones say so */
	end(w);
}

static void what_was_not_done_is_there_after_a_restart(void **state)
{
	struct world *w = start(NULL);

	put(w, "a", "1");
	put(w, "b", "2");
	restart(w);
	assert_int_equal(stats(w).records, 2);
	assert_int_equal(take(w, 10), 2);
	assert_memory_equal(w->keys[0].octets, "a", 1);
	/* nobody is known to have them: offered at once */
	td_spool_turn(w->s, 1000);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 2);
	applied_put(w, "a", "1", 1);
	applied_put(w, "b", "2", 2);
	td_spool_turn(w->s, 100000);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 2);
	end(w);
}

static void a_record_on_one_disk_is_offered_when_the_mate_is_back(void **state)
{
	struct world *w = start(NULL);

	w->in_sync = 1 << 1;
	applied_put(w, "a", "1", 1);
	mem_step(&w->disk, 64);
	td_spool_turn(w->s, 60000);
	td_spool_turn(w->s, 60100);
	assert_int_equal(w->puts, 0);		/* to whom? */
	assert_int_equal(stats(w).alone, 1);
	w->in_sync |= 1 << 2;
	applied_node(w, 2);
	w->say_rc = -EAGAIN;
	td_spool_turn(w->s, 70000);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 0);
	w->say_rc = 0;
	td_spool_turn(w->s, 70100);
	td_spool_turn(w->s, 80000);
	td_spool_turn(w->s, 80100);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 1);
	applied_put(w, "a", "1", 9);
	td_spool_turn(w->s, 90000);
	td_spool_turn(w->s, 90100);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 1);
	/* another life of it may have another disk */
	applied_node(w, 2);
	td_spool_turn(w->s, 100000);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 2);
	assert_int_equal(stats(w).records, 1);
	end(w);
}

static void cut_off_it_keeps_records_and_offers_them_later(void **state)
{
	struct world *w = start(NULL);

	w->in_sync = 0;
	assert_int_equal(put(w, "a", "1"), 0);
	mem_step(&w->disk, 64);
	td_spool_turn(w->s, 60000);
	assert_int_equal(w->puts, 0);
	w->in_sync = 1 << 1 | 1 << 2;
	td_spool_applied(w->s, 61000, NULL, 500);
	td_spool_turn(w->s, 62000);
	mem_step(&w->disk, 64);
	assert_int_equal(w->puts, 1);
	assert_string_equal(w->last_put, "a");
	end(w);
}

static void done_is_said_until_it_has_come_round(void **state)
{
	struct world *w = start(NULL);

	applied_put(w, "a", "1", 1);
	mem_step(&w->disk, 64);
	assert_int_equal(take(w, 10), 1);
	w->say_rc = -EAGAIN;
	td_spool_written(w->s, 1000, w->keys, 1);
	assert_int_equal(w->dones, 0);
	w->say_rc = 0;
	td_spool_turn(w->s, 2000);
	assert_int_equal(w->dones, 0);
	td_spool_turn(w->s, 7000);
	assert_int_equal(w->dones, 1);
	td_spool_turn(w->s, 20000);
	td_spool_turn(w->s, 20100);
	assert_int_equal(w->dones, 2);
	applied_done(w, "a");
	td_spool_turn(w->s, 40000);
	td_spool_turn(w->s, 40100);
	assert_int_equal(w->dones, 2);
	end(w);
}

static void full_it_refuses_the_new_and_keeps_the_old(void **state)
{
	const struct td_spool_limits limits = { .disk_octets = 6000 };
	struct world *w = start(&limits);
	char key[16], data[400];
	unsigned int n = 0;

	memset(data, 'x', sizeof(data));
	data[sizeof(data) - 1] = '\0';
	for (;; n++) {
		snprintf(key, sizeof(key), "k%u", n);
		if (put(w, key, data))
			break;
		mem_step(&w->disk, 64);
	}
	assert_true(n > 10 && n < 16);
	assert_int_equal(put(w, "more", data), -ENOSPC);
	assert_true(stats(w).full);
	assert_int_equal(stats(w).refused_full, 2);
	/* what is known already is no new one */
	assert_int_equal(put(w, "k0", data), 0);
	assert_int_equal(take(w, 100), n);
	assert_memory_equal(w->keys[0].octets, "k0", 2);
	td_spool_written(w->s, 1, w->keys, n);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		applied_done(w, key);
	}
	mem_step(&w->disk, 64);
	mem_step(&w->disk, 64);
	assert_int_equal(put(w, "more", data), 0);
	mem_step(&w->disk, 64);
	applied_done(w, "nothing");	/* sweeps */
	mem_step(&w->disk, 64);
	assert_false(stats(w).full);
	assert_int_equal(stats(w).records, 1);
	assert_true(mem_segments(&w->disk) <= 2);
	end(w);
}

static void a_stuck_disk_costs_bounded_memory_and_is_tried_again(void **state)
{
	const struct td_spool_limits limits = { .memory_octets = 1000 };
	struct world *w = start(&limits);
	char key[16];
	int rc = 0;

	w->disk.failing = true;
	for (int i = 0; i < 100 && !rc; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		rc = put(w, key, "0123456789");
		mem_step(&w->disk, 64);
	}
	assert_int_equal(rc, -EAGAIN);
	assert_true(stats(w).stuck);
	assert_true(stats(w).queued_octets <= 1000);
	assert_int_equal(stats(w).refused_memory, 1);
	td_spool_turn(w->s, 5000);
	mem_step(&w->disk, 64);
	assert_true(stats(w).unsaved > 10);
	w->disk.failing = false;
	td_spool_turn(w->s, 7000);
	mem_step(&w->disk, 64);
	assert_int_equal(stats(w).unsaved, 0);
	assert_int_equal(stats(w).queued_octets, 0);
	assert_false(stats(w).stuck);
	assert_int_equal(take(w, 512), stats(w).records);
	end(w);
}

static void the_disks_word_is_given_in_order(void **state)
{
	struct world *w = start(NULL);

	applied_put(w, "a", "1", 10);
	applied_put(w, "b", "1", 11);
	assert_int_equal(w->on_disk, 0);
	mem_step(&w->disk, 1);
	assert_int_equal(w->on_disk, 10);
	applied_put(w, "c", "1", 12);
	mem_step(&w->disk, 1);
	mem_step(&w->disk, 1);
	assert_int_equal(w->on_disk, 12);
	w->disk.failing = true;
	applied_put(w, "d", "1", 13);
	mem_step(&w->disk, 1);
	w->disk.failing = false;
	applied_put(w, "e", "1", 14);
	mem_step(&w->disk, 1);
	assert_int_equal(w->on_disk, 12);	/* d is not there */
	td_spool_turn(w->s, 5000);
	mem_step(&w->disk, 1);
	assert_int_equal(w->on_disk, 14);
	/* one that is known needs no disk */
	applied_put(w, "a", "1", 20);
	assert_int_equal(w->on_disk, 20);
	end(w);
}

static int save(struct world *w, const char *key)
{
	return td_spool_save(w->s, 1, 1, key, strlen(key), "voice", 5,
			     on_saved, w);
}

static void saved_is_said_when_two_disks_have_it(void **state)
{
	struct world *w = start(NULL);

	assert_int_equal(save(w, "a"), 0);
	assert_int_equal(w->puts, 1);
	applied_put(w, "a", "voice", 1);
	w->effect(w->effect_arg, 0);
	assert_int_equal(w->saved, 0);
	mem_step(&w->disk, 64);
	assert_int_equal(w->saved, 1);
	assert_int_equal(w->saved_status, 0);
	assert_int_equal(w->disks, 2);
	/* the other way round, and with one disk left */
	w->in_sync = 1 << 1;
	assert_int_equal(save(w, "b"), 0);
	mem_step(&w->disk, 64);
	assert_int_equal(w->saved, 1);
	applied_put(w, "b", "voice", 2);
	w->effect(w->effect_arg, 0);
	assert_int_equal(w->saved, 2);
	assert_int_equal(w->disks, 1);
	end(w);
}

static void saved_is_not_said_without_the_others_word(void **state)
{
	struct world *w = start(NULL);

	assert_int_equal(save(w, "a"), 0);
	mem_step(&w->disk, 64);
	w->effect(w->effect_arg, -ECANCELED);
	assert_int_equal(w->saved, 1);
	assert_int_equal(w->saved_status, -ECANCELED);
	w->effect_rc = -EAGAIN;
	assert_int_equal(save(w, "b"), -EAGAIN);
	w->effect_rc = 0;
	w->say_rc = -ENOTCONN;
	assert_int_equal(save(w, "c"), -ENOTCONN);
	w->say_rc = 0;
	/* in the database is as good as on two disks */
	assert_int_equal(save(w, "d"), 0);
	applied_done(w, "d");
	assert_int_equal(w->saved, 2);
	assert_int_equal(w->saved_status, 0);
	w->effect(w->effect_arg, 0);	/* late, and of no use */
	assert_int_equal(w->saved, 2);
	end(w);
}

static void saved_ends_with_the_node(void **state)
{
	struct world *w = start(NULL);
	td_effect_fn effect;
	void *arg;

	assert_int_equal(save(w, "a"), 0);
	effect = w->effect;
	arg = w->effect_arg;
	td_spool_free(w->s);
	assert_int_equal(w->saved, 1);
	assert_int_equal(w->saved_status, -ECANCELED);
	effect(arg, -ECANCELED);
	assert_int_equal(w->saved, 1);
	mem_clear(&w->disk);
	free(w);
}

static void a_record_that_cannot_be_read_is_told_and_left_out(void **state)
{
	struct world *w = start(NULL);

	put(w, "a", "1");
	put(w, "b", "2");
	mem_step(&w->disk, 64);
	w->disk.seg[1].buf[17] ^= 1;
	assert_int_equal(take(w, 10), 1);
	assert_memory_equal(w->keys[0].octets, "b", 1);
	assert_int_equal(take(w, 10), 1);
	assert_int_equal(stats(w).unreadable, 1);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_goes_from_the_disk_when_it_is_done),
		cmocka_unit_test(what_was_not_done_is_there_after_a_restart),
		cmocka_unit_test(
			a_record_on_one_disk_is_offered_when_the_mate_is_back),
		cmocka_unit_test(
			cut_off_it_keeps_records_and_offers_them_later),
		cmocka_unit_test(done_is_said_until_it_has_come_round),
		cmocka_unit_test(full_it_refuses_the_new_and_keeps_the_old),
		cmocka_unit_test(
			a_stuck_disk_costs_bounded_memory_and_is_tried_again),
		cmocka_unit_test(the_disks_word_is_given_in_order),
		cmocka_unit_test(saved_is_said_when_two_disks_have_it),
		cmocka_unit_test(saved_is_not_said_without_the_others_word),
		cmocka_unit_test(saved_ends_with_the_node),
		cmocka_unit_test(
			a_record_that_cannot_be_read_is_told_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
