// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/api/nodes.h"

static void the_mate_gets_it_without_a_database(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	assert_int_equal(f->n[2].told, 1);
	assert_string_equal(td_config_site(f->n[2].config)->name, "lab");
	/* its own changes need a database */
	r = ask(f, 2, "config import", "site.yaml", "site: {name: lab, domain: "
		"x}\nnodes: [{name: n1, id: 1, address: 10.0.0.1}]\n");
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->error, "database"));
	assert_int_equal(td_config_generation(f->n[1].config), 1);
	/* away while the others go on */
	halt(&f->n[2]);
	import_variant(f, 2);
	boot(f, 2, false);
	assert_int_equal(f->n[2].told, 1);
	wait_generation(f, 2, 2);
	assert_int_equal(f->n[2].sites, 2);
}

static void secret(struct fix *f, uint32_t id, uint8_t key[32])
{
	memset(key, 0, 32);
	assert_int_equal(td_config_secret(f->n[id].config, "test", key), 0);
}

static void all_nodes_have_one_secret_under_every_generation(void **state)
{
	struct fix *f = *state;
	uint8_t first[32], key[32], other[32];
	char path[128];

	assert_int_equal(td_config_secret(f->n[1].config, "test", key),
			 -ENOENT);
	import(f, 1, site, 1);
	secret(f, 1, first);
	secret(f, 2, key);
	assert_memory_equal(key, first, 32);
	assert_int_equal(td_config_secret(f->n[1].config, "else", other), 0);
	assert_memory_not_equal(other, first, 32);
	import_variant(f, 2);
	secret(f, 2, key);
	assert_memory_equal(key, first, 32);
	/* from the disk, without the cluster and the database */
	halt(&f->n[1]);
	halt(&f->n[2]);
	boot(f, 2, false);
	secret(f, 2, key);
	assert_memory_equal(key, first, 32);
	halt(&f->n[2]);
	/* from the database alone, and kept by what is made then */
	snprintf(path, sizeof(path), "%s/site.generation", f->n[1].dir);
	assert_int_equal(unlink(path), 0);
	boot(f, 1, true);
	wait_generation(f, 1, 2);
	import(f, 1, site, 3);
	secret(f, 1, key);
	assert_memory_equal(key, first, 32);
}

static void the_whole_cluster_starts_from_the_newest_disk(void **state)
{
	struct fix *f = *state;

	import(f, 1, site, 1);
	halt(&f->n[2]);
	import_variant(f, 2);
	halt(&f->n[1]);
	/* the one that is behind comes first, and nobody has a database */
	boot_wait(f, 2, false);
	assert_int_equal(f->n[2].told, 1);
	boot_wait(f, 1, false);
	wait_generation(f, 2, 2);
	wait_generation(f, 1, 2);
}

static void a_minority_changes_nothing(void **state)
{
	struct fix *f = *state;
	Td__Reply *r;

	import(f, 1, site, 1);
	f->pair.cut = true;
	pair_change(&f->pair);
	do {
		r = ask(f, 1, "route del", "9", NULL);
	} while (!r->status);
	assert_int_equal(r->status, 1);
	assert_non_null(strstr(r->error, "majority"));
	assert_int_equal(td_config_generation(f->n[1].config), 1);
}

struct both {
	struct client c[2];
	pthread_t t[2];
};

static bool both_done(void *arg)
{
	struct both *b = arg;

	return client_done(&b->c[0]) && client_done(&b->c[1]);
}

static void two_importers_never_split_the_cluster(void **state)
{
	struct fix *f = *state;
	char *text[2] = { variant("one"), variant("two") };

	halt(&f->n[2]);
	boot_wait(f, 2, true);
	for (int round = 0; round < 5; round++) {
		struct both b = { 0 };
		uint64_t before = td_config_generation(f->n[1].config), after;
		int won = 0;

		for (int i = 0; i < 2; i++) {
			b.c[i].path = f->n[i + 1].path;
			b.c[i].verb = "config import";
			b.c[i].args[0] = "x";
			text[i][2] = 'a' + round;
			b.c[i].body = text[i];
			b.c[i].n_body = strlen(text[i]);
			pthread_create(&b.t[i], NULL, client_thread, &b.c[i]);
		}
		wait_for(f->loop, both_done, &b);
		for (int i = 0; i < 2; i++) {
			pthread_join(b.t[i], NULL);
			assert_int_equal(b.c[i].rc, 0);
			won += !b.c[i].reply->status;
			td_reply_free(b.c[i].reply);
		}
		/* who was first may have been overtaken before it ran */
		assert_true(won >= 1);
		after = td_config_generation(f->n[1].config);
		assert_true(after >= before + won && after <= before + 2);
		wait_generation(f, 2, after);
		assert_int_equal(td_config_generation(f->n[1].config), after);
	}
	free(text[0]);
	free(text[1]);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup_pair, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_mate_gets_it_without_a_database),
		CASE(all_nodes_have_one_secret_under_every_generation),
		CASE(the_whole_cluster_starts_from_the_newest_disk),
		CASE(a_minority_changes_nothing),
		CASE(two_importers_never_split_the_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
