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

#include "cluster/spool/writer.h"
#include "proto/base/log.h"
#include "tests/unit/spool/memdisk.h"

/* Whole clusters of real spools and writers on disks in memory, one order of
 * ops and one database, with crashes between any two steps. What a disk has
 * once had must end up in the database, whatever happened, and off all disks.
 * A failing run names its seed: MODEL_SEED=n, MODEL_SEEDS=n for more. */

enum {
	NODES = 3,
	MAX_OPS = 20000,
	MAX_RECORDS = 512,
	STEPS = 600,
	TURN_MS = 100,
};

struct world;
struct node {
	struct world *w;
	uint32_t id;
	bool up, cut;		/* cut: in a minority */
	struct td_spool *s;
	struct td_spool_writer *writer;
	struct memdisk disk;
	unsigned int applied;	/* of w->ops */
	uint32_t in_sync;	/* as this node knows it by now */
	struct { uint8_t *buf; size_t n; } out[4096];
	unsigned int n_out;
};
struct world {
	unsigned int seed0, seed;
	int64_t now_ms;
	struct node node[NODES + 1];
	struct { uint8_t *buf; size_t n; } ops[MAX_OPS];
	unsigned int n_ops;
	uint32_t members;	/* in truth, at the end of the order */
	/* records: made, safe on some disk, in the database */
	unsigned int made;
	bool safe[MAX_RECORDS], in_db[MAX_RECORDS], saved[MAX_RECORDS];
	unsigned int writes, again, stale;
	bool db_away;
	uint64_t db_epoch;
	uint64_t epoch;		/* grows with each owner */
	uint32_t owner;
};

static unsigned int pick(struct world *w, unsigned int n)
{
	return (unsigned int)rand_r(&w->seed) % n;
}

static void bad(const struct world *w, const char *what, unsigned int k)
{
	fail_msg("seed=%u now=%lld: %s (record %u)", w->seed0,
		 (long long)w->now_ms, what, k);
}

/* --- the one order --- */

static void order(struct world *w, const Td__Op *op)
{
	assert_true(w->n_ops < MAX_OPS);
	assert_int_equal(td_op_pack(op, &w->ops[w->n_ops].buf,
				    &w->ops[w->n_ops].n), 0);
	w->n_ops++;
}

static void order_node(struct world *w, uint32_t id, bool gone)
{
	Td__Node n = TD__NODE__INIT;
	Td__NodeGone g = TD__NODE_GONE__INIT;
	Td__Op op = TD__OP__INIT;

	if (gone) {
		op.what_case = TD__OP__WHAT_NODE_GONE;
		op.node_gone = &g;
		g.id = id;
		w->members &= ~(1U << id);
	} else {
		op.what_case = TD__OP__WHAT_NODE;
		op.node = &n;
		n.id = id;
		n.name = "n";
		n.state = TD__NODE_STATE__NODE_UP;
		n.synced = true;
		w->members |= 1U << id;
	}
	order(w, &op);
}

static int on_say(void *arg, const Td__Op *op)
{
	struct node *n = arg;

	if (n->cut)
		return -ENOTCONN;
	if (n->n_out == 4096 || pick(n->w, 50) == 0)
		return -EAGAIN;
	assert_int_equal(td_op_pack(op, &n->out[n->n_out].buf,
				    &n->out[n->n_out].n), 0);
	n->n_out++;
	return 0;
}

static void drop_out(struct node *n)
{
	for (unsigned int i = 0; i < n->n_out; i++)
		free(n->out[i].buf);
	n->n_out = 0;
}

/* some of what waits comes into the order */
static void flush(struct node *n, unsigned int k)
{
	struct world *w = n->w;
	unsigned int i = 0;

	for (; i < n->n_out && i < k; i++) {
		assert_true(w->n_ops < MAX_OPS);
		w->ops[w->n_ops].buf = n->out[i].buf;
		w->ops[w->n_ops++].n = n->out[i].n;
	}
	memmove(n->out, n->out + i, (n->n_out - i) * sizeof(*n->out));
	n->n_out -= i;
}

static void apply(struct node *n, unsigned int k)
{
	struct world *w = n->w;

	while (k-- && n->applied < w->n_ops) {
		Td__Op *op;

		assert_int_equal(td_op_unpack(w->ops[n->applied].buf,
					      w->ops[n->applied].n, &op), 0);
		n->applied++;
		if (op->what_case == TD__OP__WHAT_NODE)
			n->in_sync |= 1U << op->node->id;
		else if (op->what_case == TD__OP__WHAT_NODE_GONE)
			n->in_sync &= ~(1U << op->node_gone->id);
		td_spool_applied(n->s, w->now_ms, op, n->applied);
		td_op_free(op);
	}
}

/* --- what a node asks of its world --- */

static int on_effect(void *arg, td_effect_fn fn, void *fn_arg)
{
	return -EAGAIN;		/* nobody saves here */
}

static uint32_t on_in_sync(void *arg)
{
	const struct node *n = arg;

	return n->cut ? 0 : n->in_sync | 1U << n->id;
}

static bool on_owner(void *arg, uint64_t *epoch)
{
	const struct node *n = arg;

	/* a node that was the owner may not know yet that it is not */
	if (n->cut || n->w->owner != n->id) {
		*epoch = n->w->epoch - 1;
		return !n->cut && pick(n->w, 4) == 0;
	}
	*epoch = n->w->epoch;
	return true;
}

static bool on_ready(void *arg)
{
	return !((struct node *)arg)->w->db_away;
}

static uint32_t on_random(void *arg)
{
	return pick(((struct node *)arg)->w, 1 << 20);
}

static unsigned int number_of(const struct td_spool_key *k)
{
	unsigned int v = 0;

	for (unsigned int i = 0; i < 4; i++)
		v = v << 8 | k->octets[i];
	return v;
}

/* One transaction: all or nothing, and the word may be lost on the way. */
static int on_write(void *arg, const struct td_spool_rec *recs, size_t n,
		    uint64_t epoch, bool careful, td_spool_put_done_fn done,
		    void *done_arg)
{
	struct node *node = arg;
	struct world *w = node->w;
	unsigned int luck = pick(w, 20);

	if (w->db_away || luck == 0)
		return -ENOTCONN;
	if (luck == 1) {
		done(done_arg, -EIO);	/* it did not come that far */
		return 0;
	}
	if (luck == 2 && !careful) {
		done(done_arg, -EINVAL);
		return 0;
	}
	if (epoch < w->db_epoch) {
		w->stale++;
		done(done_arg, -ESTALE);
		return 0;
	}
	w->db_epoch = epoch;
	for (size_t i = 0; i < n; i++) {
		unsigned int k = number_of(&recs[i].key);
		char text[32];

		snprintf(text, sizeof(text), "record %u", k);
		if (k >= w->made || recs[i].n != strlen(text) ||
		    memcmp(recs[i].data, text, recs[i].n))
			bad(w, "a record nobody made", k);
		w->writes++;
		w->again += w->in_db[k];
		w->in_db[k] = true;
	}
	done(done_arg, luck == 3 ? -EIO : 0);
	return 0;
}

static void on_safe(void *arg, const struct td_spool_key *key)
{
	struct node *n = arg;

	n->w->safe[number_of(key)] = true;
}

/* --- lives and deaths --- */

static void power_on(struct node *n)
{
	struct world *w = n->w;
	const struct td_spool_env env = { .node_id = n->id, .say = on_say,
					  .effect = on_effect,
					  .in_sync = on_in_sync, .arg = n };
	struct td_spool_writer_env wenv = { .owner = on_owner,
					    .ready = on_ready,
					    .random = on_random, .arg = n };
	const struct td_spool_sink sink = { .type = 1, .write = on_write,
					    .arg = n };

	assert_int_equal(td_spool_new(&env, NULL, &n->s), 0);
	wenv.spool = n->s;
	assert_int_equal(td_spool_writer_new(&wenv, &n->writer), 0);
	td_spool_writer_add(n->writer, &sink);
	mem_power_on(&n->disk, n->s);
	n->up = true;
	n->cut = false;
	/* its snapshot is of this place; it says so in the order */
	n->applied = w->n_ops;
	n->in_sync = w->members;
	td_spool_applied(n->s, w->now_ms, NULL, n->applied);
	order_node(w, n->id, false);
}

static void power_off(struct node *n)
{
	drop_out(n);
	mem_power_off(&n->disk, &n->w->seed);
	td_spool_writer_free(n->writer);
	td_spool_free(n->s);
	n->up = false;
	if (!n->cut)
		order_node(n->w, n->id, true);
}

static unsigned int going_on(const struct world *w)
{
	unsigned int n = 0;

	for (int i = 1; i <= NODES; i++)
		n += w->node[i].up && !w->node[i].cut;
	return n;
}

static void cut(struct node *n)
{
	n->cut = true;
	drop_out(n);
	order_node(n->w, n->id, true);
}

static void heal(struct node *n)
{
	n->cut = false;
	n->applied = n->w->n_ops;
	n->in_sync = n->w->members;
	td_spool_applied(n->s, n->w->now_ms, NULL, n->applied);
	order_node(n->w, n->id, false);
}

static void new_owner(struct world *w)
{
	uint32_t was = w->owner;

	if (was && w->node[was].up && !w->node[was].cut && pick(w, 30))
		return;
	for (w->owner = 1; w->owner <= NODES; w->owner++)
		if (w->node[w->owner].up && !w->node[w->owner].cut)
			break;
	if (w->owner > NODES)
		w->owner = 0;
	else
		w->epoch++;
}

static void make_record(struct node *n)
{
	struct world *w = n->w;
	unsigned int k = w->made;
	Td__SpoolRecord r = TD__SPOOL_RECORD__INIT;
	Td__CallEnd e = TD__CALL_END__INIT;
	Td__Op op = TD__OP__INIT;
	uint8_t key[4] = { k >> 24, k >> 16, k >> 8, k };
	char text[32];

	if (w->made == MAX_RECORDS)
		return;
	w->made++;
	snprintf(text, sizeof(text), "record %u", k);
	td_spool_put(n->s, w->now_ms, 1, key, 4, text, strlen(text));
	r.type = 1;
	r.key = (ProtobufCBinaryData){ 4, key };
	r.data = (ProtobufCBinaryData){ strlen(text), (uint8_t *)text };
	e.id = 1;
	e.node = n->id;
	e.record = &r;
	op.what_case = TD__OP__WHAT_CALL_END;
	op.call_end = &e;
	on_say(n, &op);
}

/* --- a run --- */

static void turn(struct world *w, bool all)
{
	w->now_ms += TURN_MS;
	new_owner(w);
	for (int i = 1; i <= NODES; i++) {
		struct node *n = &w->node[i];

		if (!n->up)
			continue;
		td_spool_turn(n->s, w->now_ms);
		td_spool_writer_turn(n->writer, w->now_ms);
		if (!all)
			continue;
		mem_step(&n->disk, 64);
		mem_step(&n->disk, 64);
		if (!n->cut) {
			flush(n, 4096);
			apply(n, ~0U);
		}
	}
}

static void step(struct world *w)
{
	struct node *n = &w->node[1 + pick(w, NODES)];
	unsigned int what = pick(w, 100);

	if (what < 3) {
		if (!n->up)
			power_on(n);
		else
			power_off(n);
	} else if (!n->up) {
		return;
	} else if (what < 5) {
		if (n->cut)
			heal(n);
		else if (going_on(w) > 1)
			cut(n);
	} else if (what < 7) {
		w->db_away = !w->db_away;
	} else if (what < 8) {
		n->disk.failing = !n->disk.failing;
	} else if (what < 28) {
		make_record(n);
	} else if (what < 48) {
		mem_step(&n->disk, 1 + pick(w, 8));
	} else if (what < 63 && !n->cut) {
		flush(n, 1 + pick(w, 8));
	} else if (what < 80 && !n->cut) {
		apply(n, 1 + pick(w, 20));
	} else {
		turn(w, false);
	}
}

static void settle(struct world *w)
{
	struct td_spool_stats st;
	unsigned int left = 1;

	w->db_away = false;
	for (int i = 1; i <= NODES; i++) {
		struct node *n = &w->node[i];

		n->disk.failing = false;
		if (!n->up)
			power_on(n);
		if (n->cut)
			heal(n);
	}
	for (unsigned int i = 0; left && i < 3000; i++) {
		turn(w, true);
		left = 0;
		for (int k = 1; k <= NODES; k++) {
			td_spool_stats(w->node[k].s, &st);
			left += st.records + w->node[k].n_out;
		}
	}
	if (left)
		bad(w, "records are left on a disk", left);
	for (unsigned int k = 0; k < w->made; k++)
		if (w->safe[k] && !w->in_db[k])
			bad(w, "lost", k);
}

static struct world *world_new(unsigned int seed)
{
	struct world *w = calloc(1, sizeof(*w));

	w->seed0 = w->seed = seed;
	w->epoch = 1;
	w->now_ms = 1000;
	for (int i = 1; i <= NODES; i++) {
		w->node[i].w = w;
		w->node[i].id = i;
		mem_init(&w->node[i].disk);
		w->node[i].disk.safe = on_safe;
		w->node[i].disk.arg = &w->node[i];
		power_on(&w->node[i]);
	}
	return w;
}

static void world_free(struct world *w)
{
	for (int i = 1; i <= NODES; i++) {
		power_off(&w->node[i]);
		mem_clear(&w->node[i].disk);
	}
	for (unsigned int i = 0; i < w->n_ops; i++)
		free(w->ops[i].buf);
	free(w);
}

static unsigned int from_env(const char *name, unsigned int otherwise)
{
	const char *v = getenv(name);

	return v ? strtoul(v, NULL, 10) : otherwise;
}

static void what_a_disk_had_ends_in_the_database_whatever_happens(void **state)
{
	unsigned int first = from_env("MODEL_SEED", 1);
	unsigned int n = getenv("MODEL_SEED") ? 1 :
						from_env("MODEL_SEEDS", 150);
	unsigned int writes = 0, again = 0, stale = 0, made = 0, safe = 0;

	for (unsigned int seed = first; seed < first + n; seed++) {
		struct world *w = world_new(seed);

		for (int i = 0; i < STEPS; i++)
			step(w);
		settle(w);
		writes += w->writes;
		again += w->again;
		stale += w->stale;
		made += w->made;
		for (unsigned int k = 0; k < w->made; k++)
			safe += w->safe[k];
		world_free(w);
	}
	print_message("%u runs: %u records, %u of them safe; %u writes, %u "
		      "of them again, %u refused as stale\n", n, made, safe,
		      writes, again, stale);
	/* the faults were there */
	assert_true(n < 100 || (again > 100 && stale > 0 && safe < made));
}

static void without_a_fault_each_is_written_once_and_in_order(void **state)
{
	struct world *w = world_new(1);
	struct td_spool_stats st;

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 4; i++)
			make_record(&w->node[1]);
		turn(w, true);
	}
	settle(w);
	for (unsigned int k = 0; k < w->made; k++)
		assert_true(w->in_db[k]);
	td_spool_stats(w->node[2].s, &st);
	assert_true(mem_segments(&w->node[2].disk) <= 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_disk_had_ends_in_the_database_whatever_happens),
		cmocka_unit_test(
			without_a_fault_each_is_written_once_and_in_order),
	};

	td_log_level_set((enum td_log_level)-1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
