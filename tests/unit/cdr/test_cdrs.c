// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/cdr/cdrs.h"
#include "proto/base/log.h"
#include "tests/unit/cdr/rows.h"
#include "tests/unit/solo.h"
#include "tests/unit/store/wait.h"

/* One node with its real spool on a real disk, and a database in a file. */

static const char site[] =
	"site: {name: lab, domain: tandem.lab}\n"
	"nodes: [{name: n1, id: 1, address: 10.77.0.1}]\n";

struct fix {
	struct solo solo;
	char dir[64], uri[100];
	struct td_store *store;
	bool database;
	struct td_spool_node *spool;
	struct td_cdrs *cdrs;
	char *text;
	bool answered;
	unsigned int want;
};

static bool on_ready(void *arg)
{
	struct fix *f = arg;

	return f->database && td_store_ready(f->store);
}

static bool store_ready(void *arg)
{
	return td_store_ready(((struct fix *)arg)->store);
}

static void records_start(struct fix *f)
{
	const struct td_spool_node_cfg scfg = {
		.loop = f->solo.loop, .cluster = f->solo.cluster,
		.dir = f->dir, .ready = on_ready, .arg = f,
	};
	struct td_cdrs_cfg ccfg = { .cluster = f->solo.cluster,
				    .store = f->store, .node = "n1" };

	assert_int_equal(td_spool_node_new(&scfg, &f->spool), 0);
	ccfg.spool = f->spool;
	assert_int_equal(td_cdrs_new(&ccfg, &f->cdrs), 0);
}

static void records_end(struct fix *f)
{
	td_spool_node_stop(f->spool);
	td_cluster_free(f->solo.cluster);
	td_spool_node_free(f->spool);
	td_cdrs_free(f->cdrs);
	td_site_free(f->solo.site);
	td_loop_free(f->solo.loop);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	td_log_level_set((enum td_log_level)-1);
	strcpy(f->dir, "/tmp/td-cdrs-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->uri, sizeof(f->uri), "sqlite:%s/db", f->dir);
	solo_start(&f->solo, site);
	assert_int_equal(td_store_open(f->solo.loop, f->uri, &f->store), 0);
	wait_for(f->solo.loop, store_ready, f);
	records_start(f);
	*state = f;
	return 0;
}

static int unlink_one(const char *path, const struct stat *st, int kind,
		      struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct fix *f = *state;

	td_store_close(f->store);
	records_end(f);
	nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->text);
	free(f);
	return 0;
}

static void on_text(void *arg, int status, const char *text)
{
	struct fix *f = arg;

	free(f->text);
	f->text = status ? NULL : strdup(text);
	f->answered = true;
}

static json_t *rows_of(struct fix *f, const char *id)
{
	f->answered = false;
	assert_int_equal(td_store_cdr_show(f->store, id, on_text, f), 0);
	wait_for(f->solo.loop, wait_flag, &f->answered);
	assert_non_null(f->text);
	return json_loads(f->text, 0, NULL);
}

static bool spooled(void *arg)
{
	struct fix *f = arg;
	struct td_spool_stats st;

	td_spool_stats(td_spool_node_spool(f->spool), &st);
	return st.records == f->want && !st.unsaved;
}

static void wait_spooled(struct fix *f, unsigned int n)
{
	f->want = n;
	wait_for(f->solo.loop, spooled, f);
}

static void put_call(struct fix *f, struct half *h)
{
	Td__Op op = TD__OP__INIT;

	op.what_case = TD__OP__WHAT_CALL_PUT;
	op.call_put = &h->call;
	solo_submit(&f->solo, &op);
}

static void a_calls_end_takes_its_row_and_leaves_its_record(void **state)
{
	struct fix *f = *state;
	uint64_t epoch = 0;
	json_t *rows;
	struct half h;

	half_init(&h, 0x0100000100000001);
	put_call(f, &h);
	half_end(&h, 5000);
	assert_int_equal(td_cdrs_end(f->cdrs, &h.call, &epoch), 0);
	assert_true(epoch != 0);
	/* asked again it is the same record */
	assert_int_equal(td_cdrs_end(f->cdrs, &h.call, &epoch), 0);
	solo_settle(&f->solo);
	assert_null(td_view_call(td_cluster_view(f->solo.cluster), h.call.id,
				 1));
	wait_spooled(f, 1);
	f->database = true;
	wait_spooled(f, 0);
	rows = rows_of(f, "0100000100000001");
	assert_int_equal(json_array_size(rows), 2);
	assert_int_equal(int_of(json_array_get(rows, 0), "cause"), 16);
	assert_string_equal(text_of(json_array_get(rows, 0), "node"), "n1");
	json_decref(rows);
}

static void what_the_database_missed_is_written_in_the_next_life(void **state)
{
	struct fix *f = *state;
	json_t *rows;
	char id[17];

	for (unsigned int i = 0; i < 50; i++) {
		uint64_t epoch = 0;
		struct half h;

		half_init(&h, 0x0100000100000100 + i);
		half_end(&h, 5000);
		assert_int_equal(td_cdrs_end(f->cdrs, &h.call, &epoch), 0);
	}
	/* the node ends at once: what it was given is on its disk */
	td_store_close(f->store);
	records_end(f);
	solo_start(&f->solo, site);
	assert_int_equal(td_store_open(f->solo.loop, f->uri, &f->store), 0);
	wait_for(f->solo.loop, store_ready, f);
	records_start(f);
	wait_spooled(f, 50);
	f->database = true;
	wait_spooled(f, 0);
	for (unsigned int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "01000001%08x", 0x100 + i);
		rows = rows_of(f, id);
		assert_int_equal(json_array_size(rows), 2);
		json_decref(rows);
	}
}

static void a_life_that_ended_leaves_its_calls_to_who_outlives_it(void **state)
{
	Td__Node n = TD__NODE__INIT;
	Td__Op op = TD__OP__INIT;
	struct fix *f = *state;
	const json_t *a;
	json_t *rows;
	struct half h;

	half_init(&h, 0x0100000100000002);
	put_call(f, &h);
	/* the node says that it has begun anew */
	n.id = 1;
	n.name = "n1";
	n.incarnation = 2;
	n.feature_level = TD_FEATURE_LEVEL;
	n.state = TD__NODE_STATE__NODE_UP;
	n.synced = true;
	op.what_case = TD__OP__WHAT_NODE;
	op.node = &n;
	solo_submit(&f->solo, &op);
	wait_spooled(f, 1);
	f->database = true;
	wait_spooled(f, 0);
	rows = rows_of(f, "0100000100000002");
	assert_int_equal(json_array_size(rows), 2);
	a = json_array_get(rows, 0);
	assert_int_equal(int_of(a, "cause"), 41);
	assert_string_equal(text_of(a, "cleared_by"), "death");
	assert_true(int_of(a, "ended_ms") > 1000000);	/* agreed time */
	assert_true(json_is_false(json_object_get(a, "own")));
	json_decref(rows);
}

static void on_saved(void *arg, int status, unsigned int disks)
{
	struct fix *f = arg;

	assert_int_equal(status, 0);
	assert_int_equal(disks, 1);
	f->answered = true;
}

static void saved_is_said_when_the_only_disk_has_it(void **state)
{
	struct fix *f = *state;
	struct td_spool_stats st;

	f->answered = false;
	assert_int_equal(td_spool_save(td_spool_node_spool(f->spool),
				       td_spool_node_now_ms(), TD_SPOOL_CDR,
				       "key", 3, "data", 4, on_saved, f), 0);
	wait_for(f->solo.loop, wait_flag, &f->answered);
	td_spool_stats(td_spool_node_spool(f->spool), &st);
	assert_int_equal(st.records, 1);
	assert_int_equal(st.unsaved, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(a_calls_end_takes_its_row_and_leaves_its_record),
		CASE(what_the_database_missed_is_written_in_the_next_life),
		CASE(saved_is_said_when_the_only_disk_has_it),
		CASE(a_life_that_ended_leaves_its_calls_to_who_outlives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
