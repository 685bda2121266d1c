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

#include "cluster/store/store.h"
#include "proto/base/log.h"
#include "tests/unit/store/pgserver.h"
#include "tests/unit/store/wait.h"

struct fix {
	struct td_loop *loop;
	struct pgserver server;
	struct td_store *a, *b;
	unsigned int told_b;
	bool answered;
	int status, status_b;
	uint64_t number;
	size_t n;
	char content[64];
	unsigned int done;
};

static bool both_ready(void *arg)
{
	struct fix *f = arg;

	return td_store_ready(f->a) && td_store_ready(f->b);
}

static bool both_away(void *arg)
{
	struct fix *f = arg;

	return !td_store_ready(f->a) && !td_store_ready(f->b);
}

static void on_b(void *arg)
{
	((struct fix *)arg)->told_b++;
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	td_log_level_set((enum td_log_level)-1);
	*state = f;
	pg_init(&f->server);
	assert_int_equal(td_loop_new(&f->loop), 0);
	/* both find no server at first, then an empty database at once */
	assert_int_equal(td_store_open(f->loop, f->server.uri, &f->a), 0);
	assert_int_equal(td_store_open(f->loop, f->server.uri, &f->b), 0);
	pg_start(&f->server);
	wait_for(f->loop, both_ready, f);
	td_store_watch(f->b, on_b, f);
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;

	if (!f)
		return 0;
	if (f->loop) {
		td_store_close(f->a);
		td_store_close(f->b);
		td_loop_free(f->loop);
	}
	pg_remove(&f->server);
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
	if (!n)
		return;
	f->number = g->number;
	if (g->content)
		snprintf(f->content, sizeof(f->content), "%s", g->content);
}

static void on_done(void *arg, int status)
{
	struct fix *f = arg;

	f->answered = true;
	f->status = status;
	f->done++;
}

static void on_done_b(void *arg, int status)
{
	struct fix *f = arg;

	f->status_b = status;
	f->done++;
}

static int answer(struct fix *f)
{
	wait_for(f->loop, wait_flag, &f->answered);
	f->answered = false;
	return f->status;
}

static int submit(struct fix *f, struct td_store *s, uint64_t number,
		  const char *content, td_store_done_fn fn)
{
	struct td_generation g = { .number = number, .at_ms = 1234,
				   .author = "J\xc3\xb6rg", .comment = "it's",
				   .content = (char *)content,
				   .n = strlen(content) };

	struct td_store_put p = { .gen = &g, .who = "J\xc3\xb6rg" };

	td_generation_hash(g.content, g.n, g.sha256);
	return td_store_put(s, &p, fn, f);
}

static int add(struct fix *f, uint64_t number, const char *content)
{
	int rc = submit(f, f->a, number, content, on_done);

	return rc ? rc : answer(f);
}

static bool b_told(void *arg)
{
	return ((struct fix *)arg)->told_b > 0;
}

static bool two_done(void *arg)
{
	return ((struct fix *)arg)->done >= 2;
}

static void generations_are_added_once_and_the_others_hear_of_it(void **state)
{
	struct fix *f = *state;

	td_store_generation_last(f->a, on_generation, f);
	assert_int_equal(answer(f), -ENOENT);
	f->told_b = 0;
	assert_int_equal(add(f, 1, "one \\ 'quoted' \xc3\xa4\n"), 0);
	wait_for(f->loop, b_told, f);
	assert_int_equal(add(f, 1, "uno"), -EEXIST);
	td_store_generation_last(f->b, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_string_equal(f->content, "one \\ 'quoted' \xc3\xa4\n");
	assert_int_equal(add(f, 2, "two"), 0);
	td_store_generation_get(f->b, 1, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->number, 1);
	td_store_generation_get(f->b, 77, on_generation, f);
	assert_int_equal(answer(f), -ENOENT);
	td_store_generation_list(f->b, 10, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->number, 2);
}

static void of_two_at_once_one_is_refused(void **state)
{
	struct fix *f = *state;

	for (uint64_t n = 10; n < 30; n++) {
		f->done = 0;
		assert_int_equal(submit(f, f->a, n, "a", on_done), 0);
		assert_int_equal(submit(f, f->b, n, "b", on_done_b), 0);
		wait_for(f->loop, two_done, f);
		assert_true((f->status == 0 && f->status_b == -EEXIST) ||
			    (f->status == -EEXIST && f->status_b == 0));
	}
	f->answered = false;
}

static void a_large_document_passes_both_ways(void **state)
{
	struct fix *f = *state;
	char *big = malloc(TD_CONFIG_MAX_OCTETS + 2);

	memset(big, 'x', TD_CONFIG_MAX_OCTETS + 1);
	big[TD_CONFIG_MAX_OCTETS + 1] = '\0';
	assert_int_equal(add(f, 100, big), -EINVAL);
	big[TD_CONFIG_MAX_OCTETS] = '\0';
	assert_int_equal(add(f, 100, big), 0);
	td_store_generation_last(f->b, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_int_equal(f->number, 100);
	free(big);
}

static void a_server_that_goes_and_comes_is_found_again(void **state)
{
	struct fix *f = *state;

	assert_int_equal(submit(f, f->a, 200, "before", on_done), 0);
	assert_int_equal(answer(f), 0);
	pg_stop(&f->server);
	wait_for(f->loop, both_away, f);
	assert_true(*td_store_error(f->a));
	assert_int_equal(add(f, 201, "lost"), -ENOTCONN);
	pg_start(&f->server);
	wait_for(f->loop, both_ready, f);
	assert_string_equal(td_store_error(f->a), "");
	assert_int_equal(add(f, 201, "after"), 0);
	td_store_generation_last(f->b, on_generation, f);
	assert_int_equal(answer(f), 0);
	assert_string_equal(f->content, "after");
}

static void a_server_dying_under_a_query_fails_it(void **state)
{
	struct fix *f = *state;

	/* its connection is there, but nobody answers */
	kill(f->server.pid, SIGSTOP);
	f->done = 0;
	assert_int_equal(submit(f, f->a, 300, "x", on_done), 0);
	assert_int_equal(submit(f, f->a, 301, "y", on_done_b), 0);
	kill(f->server.pid, SIGKILL);
	waitpid(f->server.pid, NULL, 0);
	f->server.pid = 0;
	wait_for(f->loop, both_away, f);
	assert_int_equal(f->done, 2);
	/* the first may have been done by its own process of the server */
	assert_true(f->status == -EIO || f->status == 0);
	f->answered = false;
	pg_start(&f->server);
	wait_for(f->loop, both_ready, f);
}

static void closing_cancels_what_was_asked(void **state)
{
	struct fix *f = *state;

	f->done = 0;
	assert_int_equal(submit(f, f->b, 400, "x", on_done_b), 0);
	assert_int_equal(submit(f, f->b, 401, "y", on_done_b), 0);
	td_store_close(f->b);
	assert_int_equal(f->done, 2);
	assert_int_equal(f->status_b, -ECANCELED);
	assert_int_equal(td_store_open(f->loop, f->server.uri, &f->b), 0);
	wait_for(f->loop, both_ready, f);
}

static void what_postgresql_does_not_do_is_refused(void **state)
{
	Td__Contact c = TD__CONTACT__INIT;
	struct fix *f = *state;
	struct td_store *s;

	assert_int_equal(td_store_contact_put(f->a, &c, on_done, f), -ENOSYS);
	assert_int_equal(td_store_contact_del(f->a, "1", NULL, on_done, f),
			 -ENOSYS);
	assert_int_equal(td_store_contacts(f->a, NULL, f), -ENOSYS);
	/* a name would block in the resolver */
	assert_int_equal(td_store_open(f->loop, "postgresql://db.lab/tandem",
				       &s), -EINVAL);
	assert_int_equal(td_store_open(f->loop, "postgresql://10.0.0.1/x?y=z",
				       &s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			generations_are_added_once_and_the_others_hear_of_it),
		cmocka_unit_test(of_two_at_once_one_is_refused),
		cmocka_unit_test(a_large_document_passes_both_ways),
		cmocka_unit_test(a_server_that_goes_and_comes_is_found_again),
		cmocka_unit_test(a_server_dying_under_a_query_fails_it),
		cmocka_unit_test(closing_cancels_what_was_asked),
		cmocka_unit_test(what_postgresql_does_not_do_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
