// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/store/store.h"
#include "proto/base/log.h"
#include "tests/unit/store/wait.h"

struct fix {
	struct td_loop *loop;
	char dir[64], uri[128];
	struct td_store *store;
	/* of the last answer */
	bool answered;
	int status;
	uint64_t numbers[8];
	size_t n;
	char content[64], author[64];
	unsigned int done, failed;
};

static bool is_ready(void *arg)
{
	return td_store_ready(((struct fix *)arg)->store);
}

static void open_store(struct fix *f)
{
	assert_int_equal(td_store_open(f->loop, f->uri, &f->store), 0);
	wait_for(f->loop, is_ready, f);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	td_log_level_set(TD_LOG_ERR);
	strcpy(f->dir, "/tmp/td-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->uri, sizeof(f->uri), "sqlite:%s/site.db", f->dir);
	assert_int_equal(td_loop_new(&f->loop), 0);
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "site.db", "site.db-wal",
					     "site.db-shm",
					     "site.generation" };
	struct fix *f = *state;
	char path[128];

	td_store_close(f->store);
	td_loop_free(f->loop);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void on_generation(void *arg, int status, const struct td_generation *g,
			  size_t n)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
	f->n = n;
	for (size_t i = 0; i < n && i < 8; i++)
		f->numbers[i] = g[i].number;
	if (n && g[0].content)
		snprintf(f->content, sizeof(f->content), "%.*s", (int)g[0].n,
			 g[0].content);
	if (n)
		strcpy(f->author, g[0].author);
}

static void on_done(void *arg, int status)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
	f->done++;
	f->failed += status != 0;
}

static int answer(struct fix *f)
{
	wait_for(f->loop, wait_flag, &f->answered);
	f->answered = false;
	return f->status;
}

static int add(struct fix *f, uint64_t number, const char *content)
{
	struct td_generation g = { .number = number, .at_ms = 1234,
				   .author = "tester", .comment = "try",
				   .content = (char *)content,
				   .n = strlen(content) };
	struct td_store_put p = { .gen = &g, .who = "tester" };
	int rc;

	td_generation_hash(g.content, g.n, g.sha256);
	rc = td_store_put(f->store, &p, on_done, f);
	return rc ? rc : answer(f);
}

static void generations_are_added_once_and_in_order(void **state)
{
	struct fix *f = *state;

	assert_int_equal(td_store_generation_last(f->store, on_generation, f),
			 0);
	assert_int_equal(answer(f), -ENOENT);
	assert_int_equal(add(f, 1, "one"), 0);
	assert_int_equal(add(f, 1, "uno"), -EEXIST);
	assert_int_equal(add(f, 2, "two"), 0);
	assert_int_equal(add(f, 1, "uno"), -EEXIST);
	assert_int_equal(add(f, 0, "zero"), -EINVAL);
	td_store_generation_last(f->store, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_string_equal(f->content, "two");
	assert_string_equal(f->author, "tester");
	td_store_generation_get(f->store, 1, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_string_equal(f->content, "one");
	td_store_generation_get(f->store, 9, on_generation, f);
	assert_int_equal(answer(f), -ENOENT);
	td_store_generation_list(f->store, 10, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->numbers[0], 2);
	assert_int_equal(f->numbers[1], 1);
}

static void generations_outlive_the_daemon(void **state)
{
	struct fix *f = *state;

	assert_int_equal(add(f, 1, "one"), 0);
	td_store_close(f->store);
	open_store(f);
	td_store_generation_last(f->store, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_string_equal(f->content, "one");
}

static int put(struct fix *f, const char *user, const char *uri)
{
	Td__Contact c = TD__CONTACT__INIT;

	c.user = (char *)user;
	c.uri = (char *)uri;
	c.expires_ms = 99;
	return td_store_contact_put(f->store, &c, on_done, f);
}

static void on_contacts(void *arg, int status, Td__Contact *const *c, size_t n)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
	f->n = n;
	if (n)
		strcpy(f->content, c[0]->uri);
}

static void contacts_outlive_the_daemon(void **state)
{
	struct fix *f = *state;

	assert_int_equal(put(f, "1000", "sip:a@10.0.0.1"), 0);
	assert_int_equal(answer(f), 0);
	assert_int_equal(put(f, "1000", "sip:b@10.0.0.1"), 0);
	assert_int_equal(answer(f), 0);
	assert_int_equal(put(f, "1001", "sip:c@10.0.0.1"), 0);
	assert_int_equal(answer(f), 0);
	assert_int_equal(put(f, "1001", "sip:c@10.0.0.1"), 0);
	assert_int_equal(answer(f), 0);
	td_store_contact_del(f->store, "1000", "sip:a@10.0.0.1", on_done, f);
	assert_int_equal(answer(f), 0);
	td_store_close(f->store);
	open_store(f);
	assert_int_equal(td_store_contacts(f->store, on_contacts, f), 0);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->n, 2);
	assert_string_equal(f->content, "sip:b@10.0.0.1");
	/* no uri: all of the user */
	td_store_contact_del(f->store, "1001", NULL, on_done, f);
	assert_int_equal(answer(f), 0);
	td_store_contacts(f->store, on_contacts, f);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->n, 1);
}

static bool all_done(void *arg)
{
	return ((struct fix *)arg)->done == 1024;
}

static void a_burst_is_taken_to_its_limit_and_no_further(void **state)
{
	struct fix *f = *state;
	unsigned int taken = 0, refused = 0;
	char uri[64];

	for (int i = 0; i < 1100; i++) {
		int rc;

		snprintf(uri, sizeof(uri), "sip:%d@10.0.0.1", i);
		rc = put(f, "1000", uri);
		taken += rc == 0;
		refused += rc == -EAGAIN;
	}
	assert_int_equal(taken, 1024);
	assert_int_equal(refused, 76);
	wait_for(f->loop, all_done, f);
	assert_int_equal(f->failed, 0);
}

static void closing_finishes_what_was_asked(void **state)
{
	struct fix *f = *state;

	for (int i = 0; i < 300; i++) {
		char uri[64];

		snprintf(uri, sizeof(uri), "sip:%d@10.0.0.1", i);
		assert_int_equal(put(f, "1000", uri), 0);
	}
	td_store_close(f->store);
	assert_int_equal(f->done, 300);
	assert_int_equal(f->failed, 0);
	open_store(f);
}

static bool has_error(void *arg)
{
	return strstr(td_store_error(arg), "unable to open") != NULL;
}

static void a_store_that_cannot_be_opened_says_why(void **state)
{
	struct fix *f = *state;
	struct td_store *bad;

	assert_int_equal(td_store_open(f->loop, "sqlite:", &bad), -EINVAL);
	assert_int_equal(td_store_open(f->loop, "mysql:x", &bad), -EINVAL);
	td_log_level_set((enum td_log_level)-1);
	assert_int_equal(td_store_open(f->loop, "sqlite:/nonexistent/x.db",
				       &bad), 0);
	wait_for(f->loop, has_error, bad);
	assert_false(td_store_ready(bad));
	assert_int_equal(td_store_generation_last(bad, on_generation, f),
			 -ENOTCONN);
	td_store_close(bad);
	td_store_close(NULL);
}

static void the_last_good_generation_survives_on_disk(void **state)
{
	struct fix *f = *state;
	struct td_generation g = { .number = 42, .at_ms = 7, .author = "me",
				   .content = "site: {}\n", .n = 9 };
	struct td_generation got;
	char path[128];
	FILE *file;

	td_generation_hash(g.content, g.n, g.sha256);
	assert_int_equal(td_lastgood_load(f->dir, &got), -ENOENT);
	assert_int_equal(td_lastgood_save(f->dir, &g), 0);
	g.number = 43;
	assert_int_equal(td_lastgood_save(f->dir, &g), 0);
	assert_int_equal(td_lastgood_load(f->dir, &got), 0);
	assert_int_equal(got.number, 43);
	assert_int_equal(got.at_ms, 7);
	assert_string_equal(got.author, "me");
	assert_string_equal(got.content, "site: {}\n");
	assert_memory_equal(got.sha256, g.sha256, 32);
	td_generation_clear(&got);
	/* one octet turned */
	snprintf(path, sizeof(path), "%s/site.generation", f->dir);
	file = fopen(path, "r+");
	fseek(file, -2, SEEK_END);
	fputc('!', file);
	fclose(file);
	assert_int_equal(td_lastgood_load(f->dir, &got), -EBADMSG);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(td_lastgood_load(f->dir, &got), -EBADMSG);
	assert_int_equal(td_lastgood_save("/nonexistent", &g), -ENOENT);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(generations_are_added_once_and_in_order),
		CASE(generations_outlive_the_daemon),
		CASE(contacts_outlive_the_daemon),
		CASE(a_burst_is_taken_to_its_limit_and_no_further),
		CASE(closing_finishes_what_was_asked),
		CASE(a_store_that_cannot_be_opened_says_why),
		CASE(the_last_good_generation_survives_on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
