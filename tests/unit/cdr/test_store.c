// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cluster/store/store.h"
#include "proto/base/log.h"
#include "tests/unit/cdr/rows.h"
#include "tests/unit/store/pgserver.h"
#include "tests/unit/store/wait.h"

/* Real databases: a PostgreSQL server and an SQLite file of the test's own. */

struct fix {
	struct td_loop *loop;
	struct pgserver server;
	struct td_store *pg, *lite, *s;	/* s: the one being asked */
	bool answered;
	int status;
	char *text;
};

static bool ready(void *arg)
{
	struct fix *f = arg;

	return td_store_ready(f->pg) && td_store_ready(f->lite);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	char uri[200];

	td_log_level_set((enum td_log_level)-1);
	*state = f;
	pg_init(&f->server);
	pg_start(&f->server);
	assert_int_equal(td_loop_new(&f->loop), 0);
	assert_int_equal(td_store_open(f->loop, f->server.uri, &f->pg), 0);
	snprintf(uri, sizeof(uri), "sqlite:%s/cdr.db", f->server.dir);
	assert_int_equal(td_store_open(f->loop, uri, &f->lite), 0);
	wait_for(f->loop, ready, f);
	f->s = f->pg;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	td_store_close(f->pg);
	td_store_close(f->lite);
	td_loop_free(f->loop);
	pg_remove(&f->server);
	free(f->text);
	free(f);
	return 0;
}

static void on_done(void *arg, int status)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
}

static void on_text(void *arg, int status, const char *text)
{
	struct fix *f = arg;

	on_done(f, status);
	free(f->text);
	f->text = text ? strdup(text) : NULL;
}

static int answer(struct fix *f, int rc)
{
	if (rc)
		return rc;
	wait_for(f->loop, wait_flag, &f->answered);
	f->answered = false;
	return f->status;
}

static int put_rows(struct fix *f, uint64_t epoch, const char *node,
		    json_t *rows, bool careful)
{
	char *text = json_dumps(rows, JSON_COMPACT);
	int rc = td_store_cdr_put(f->s, epoch, node, text, careful, on_done,
				  f);

	free(text);
	json_decref(rows);
	return answer(f, rc);
}

static json_t *rows_of(const struct half *h, uint64_t epoch, bool own)
{
	json_t *rows = json_array();

	half_rows(h, epoch, own, rows);
	return rows;
}

static json_t *show(struct fix *f, const char *id)
{
	assert_int_equal(answer(f, td_store_cdr_show(f->s, id, on_text, f)),
			 0);
	return json_loads(f->text, 0, NULL);
}

static json_t *list(struct fix *f, unsigned int limit, const char *number)
{
	assert_int_equal(answer(f, td_store_cdr_list(f->s, limit, number,
						     on_text, f)), 0);
	return json_loads(f->text, 0, NULL);
}

static void sql_is(struct fix *f, const char *sql, const char *want)
{
	char out[512];

	assert_int_equal(pg_psql(&f->server, sql, out, sizeof(out)), 0);
	assert_string_equal(out, want);
}

static void a_call_is_written_once_and_shown(struct fix *f)
{
	struct half h;
	json_t *rows;

	half_init(&h, 0x0100000000000001);
	half_end(&h, 5000);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put_rows(f, 0, "n1", rows_of(&h, 10, true),
					  false), 0);
	rows = show(f, "0100000000000001");
	assert_int_equal(json_array_size(rows), 2);
	assert_int_equal(int_of(json_array_get(rows, 1), "timeslot"), 7);
	assert_true(json_is_true(json_object_get(json_array_get(rows, 0),
						 "own")));
	json_decref(rows);
	rows = show(f, "0100000000000099");
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
}

static void the_later_word_on_a_call_stands(struct fix *f)
{
	struct half h;
	json_t *rows;

	half_init(&h, 0x0100000000000002);
	half_end(&h, 5000);
	/* by the survivors; then by itself, in the same history */
	assert_int_equal(put_rows(f, 0, "n1", rows_of(&h, 20, false), false),
			 0);
	h.log[0].cause = 17;
	assert_int_equal(put_rows(f, 0, "n1", rows_of(&h, 20, true), false),
			 0);
	rows = show(f, "0100000000000002");
	assert_int_equal(int_of(json_array_get(rows, 0), "cause"), 17);
	json_decref(rows);
	/* an earlier history's word comes late */
	h.log[0].cause = 18;
	assert_int_equal(put_rows(f, 0, "n1", rows_of(&h, 15, true), false),
			 0);
	rows = show(f, "0100000000000002");
	assert_int_equal(int_of(json_array_get(rows, 0), "cause"), 17);
	json_decref(rows);
	/* both in one batch, the greater first and last */
	h.log[0].cause = 19;
	rows = rows_of(&h, 31, false);
	h.log[0].cause = 20;
	half_rows(&h, 30, true, rows);
	half_rows(&h, 29, true, rows);
	assert_int_equal(put_rows(f, 0, "n1", rows, false), 0);
	rows = show(f, "0100000000000002");
	assert_int_equal(json_array_size(rows), 2);
	assert_int_equal(int_of(json_array_get(rows, 0), "cause"), 19);
	json_decref(rows);
}

static void what_a_check_refuses_is_put_aside(struct fix *f)
{
	struct half good, bad;
	json_t *rows;

	half_init(&good, 0x0100000000000003);
	half_end(&good, 5000);
	half_init(&bad, 0x0100000000000004);
	half_end(&bad, 5000);
	bad.log[1].cause = 999;
	rows = rows_of(&bad, 10, true);
	half_rows(&good, 10, true, rows);
	assert_int_equal(put_rows(f, 0, "n1", json_incref(rows), false),
			 -EINVAL);
	json_t *none = show(f, "0100000000000003");

	assert_int_equal(json_array_size(none), 0);
	json_decref(none);
	assert_int_equal(put_rows(f, 0, "n1", rows, true), 0);
	rows = show(f, "0100000000000003");
	assert_int_equal(json_array_size(rows), 2);
	json_decref(rows);
	rows = show(f, "0100000000000004");
	assert_int_equal(json_array_size(rows), 1);
	json_decref(rows);
}

static void calls_are_listed_newest_first_and_by_number(struct fix *f)
{
	struct half h;
	json_t *rows;

	for (int i = 0; i < 5; i++) {
		half_init(&h, 0x0100000000000100 + i);
		half_end(&h, 5000);
		h.call.calling = i % 2 ? "1001" : "1002";
		h.log[0].start_ms = 100000 + i;
		assert_int_equal(put_rows(f, 0, "n1", rows_of(&h, 10, true),
					  false), 0);
	}
	rows = list(f, 3, "");
	assert_int_equal(json_array_size(rows), 3);
	assert_string_equal(text_of(json_array_get(rows, 0), "id"),
			    "0100000000000104");
	assert_string_equal(text_of(json_array_get(rows, 0), "reached"),
			    "5550005");
	assert_int_equal(int_of(json_array_get(rows, 0), "to_timeslot"), 7);
	assert_true(json_is_true(json_object_get(json_array_get(rows, 0),
						 "answered")));
	json_decref(rows);
	rows = list(f, 100, "1001");
	assert_int_equal(json_array_size(rows), 2);
	json_decref(rows);
	rows = list(f, 100, "'; DROP TABLE cdr; --");
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
}

static void all_of(struct fix *f, struct td_store *s)
{
	f->s = s;
	a_call_is_written_once_and_shown(f);
	the_later_word_on_a_call_stands(f);
	what_a_check_refuses_is_put_aside(f);
	calls_are_listed_newest_first_and_by_number(f);
}

static void postgresql_keeps_each_record_once(void **state)
{
	struct fix *f = *state;

	all_of(f, f->pg);
	/* 20/own and 20/others lost, 15 and the two of the batch as well */
	sql_is(f, "SELECT count(*) FROM cdr_annex WHERE call_id = "
		  "'0100000000000002' AND leg = 16", "5");
	sql_is(f, "SELECT writer || ' ' || (record->>'cause') FROM "
		  "cdr_refused", "n1 999");
}

static void sqlite_keeps_each_record_once(void **state)
{
	struct fix *f = *state;

	all_of(f, f->lite);
}

static void a_writer_of_an_earlier_epoch_writes_nothing(void **state)
{
	struct fix *f = *state;
	struct half h;

	f->s = f->pg;
	half_init(&h, 0x0200000000000001);
	half_end(&h, 5000);
	assert_int_equal(put_rows(f, 5, "n2", rows_of(&h, 10, true), false),
			 0);
	half_init(&h, 0x0200000000000002);
	half_end(&h, 5000);
	assert_int_equal(put_rows(f, 4, "n1", rows_of(&h, 10, true), false),
			 -ESTALE);
	assert_int_equal(put_rows(f, 5, "n1", rows_of(&h, 10, true), false),
			 -ESTALE);
	assert_int_equal(put_rows(f, 5, "n1", rows_of(&h, 10, true), true),
			 -ESTALE);
	sql_is(f, "SELECT count(*) FROM cdr WHERE call_id LIKE '02%'", "2");
	assert_int_equal(put_rows(f, 6, "n1", rows_of(&h, 10, true), false),
			 0);
	sql_is(f, "SELECT count(*) FROM cdr WHERE call_id LIKE '02%'", "4");
	sql_is(f, "SELECT epoch, node FROM spool_writer", "6|n1");
}

static int64_t ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The figure is told; what must hold is that each is there once. */
static void an_hours_calls_are_written_in_batches(void **state)
{
	enum { CALLS = 9000, BATCH = 500 };
	struct fix *f = *state;
	int64_t begin = ms();

	f->s = f->pg;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < CALLS; i += BATCH) {
			json_t *rows = json_array();
			struct half h;

			for (int k = i; k < i + BATCH; k++) {
				half_init(&h, 0x0300000000000000 + k);
				half_end(&h, 5000);
				half_rows(&h, 10, true, rows);
			}
			assert_int_equal(put_rows(f, 7, "n1", rows, false), 0);
		}
		print_message("%d rows%s in %lld ms\n", 2 * CALLS,
			      round ? ", again," : "",
			      (long long)(ms() - begin));
		begin = ms();
	}
	sql_is(f, "SELECT count(*), count(DISTINCT (call_id, leg)) FROM cdr "
		  "WHERE call_id LIKE '03%'", "18000|18000");
	sql_is(f, "SELECT count(*) FROM cdr_annex WHERE call_id LIKE '03%'",
	       "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(postgresql_keeps_each_record_once),
		cmocka_unit_test(sqlite_keeps_each_record_once),
		cmocka_unit_test(a_writer_of_an_earlier_epoch_writes_nothing),
		cmocka_unit_test(an_hours_calls_are_written_in_batches),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
