// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ha/leasefile.h"

struct world {
	struct td_loop *loop;
	struct td_leasefile *file;
	char dir[64], path[80], tmp[80];
	uint64_t saved, want;
};

static void on_saved(void *arg, uint64_t number)
{
	struct world *w = arg;

	assert_true(number > w->saved);
	w->saved = number;
	if (number >= w->want)
		td_loop_stop(w->loop);
}

static void open_file(struct world *w)
{
	assert_int_equal(td_leasefile_new(w->loop, w->dir, on_saved, w,
					  &w->file), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->dir, "/tmp/td-leasefile-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/lease", w->dir);
	snprintf(w->tmp, sizeof(w->tmp), "%s/lease.new", w->dir);
	assert_int_equal(td_loop_new(&w->loop), 0);
	open_file(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	td_leasefile_free(w->file);
	td_loop_free(w->loop);
	unlink(w->path);
	rmdir(w->tmp);
	unlink(w->tmp);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static uint64_t put(struct world *w, uint64_t epoch)
{
	Td__LeaseState s = TD__LEASE_STATE__INIT;
	Td__Promise p = TD__PROMISE__INIT, *list[] = { &p };
	uint64_t number;

	p.unit = "lead";
	p.epoch = epoch;
	p.to = 2;
	s.promises = list;
	s.n_promises = 1;
	assert_int_equal(td_leasefile_put(w->file, &s, &number), 0);
	return number;
}

static void wait_for(struct world *w, uint64_t number)
{
	w->want = number;
	if (w->saved < number)
		td_loop_run(w->loop);
}

/* what another life would find */
static uint64_t epoch_on_disk(struct world *w)
{
	Td__LeaseState *s;
	uint64_t epoch;

	assert_int_equal(td_leasefile_load(w->file, &s), 0);
	if (!s)
		return 0;
	epoch = s->promises[0]->epoch;
	td_lease_state_free(s);
	return epoch;
}

static void a_new_voter_has_no_memory(void **state)
{
	assert_int_equal(epoch_on_disk(*state), 0);
}

static void what_was_put_last_is_there_when_it_is_told(void **state)
{
	struct world *w = *state;
	uint64_t last = 0;

	wait_for(w, put(w, 7));
	assert_int_equal(epoch_on_disk(w), 7);
	for (uint64_t e = 8; e < 40; e++)
		last = put(w, e);
	wait_for(w, last);
	assert_int_equal(w->saved, last);
	assert_int_equal(epoch_on_disk(w), 39);
	td_leasefile_free(w->file);
	open_file(w);
	assert_int_equal(epoch_on_disk(w), 39);
}

static void a_damaged_memory_is_no_memory_to_vote_on(void **state)
{
	struct world *w = *state;
	Td__LeaseState *s = NULL;
	struct stat st;
	uint8_t c;
	int fd;

	wait_for(w, put(w, 7));
	assert_int_equal(stat(w->path, &st), 0);
	fd = open(w->path, O_RDWR);
	for (off_t at = 0; at < st.st_size; at++) {
		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 0x10;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		assert_int_equal(td_leasefile_load(w->file, &s), -EBADMSG);
		c ^= 0x10;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
	}
	assert_int_equal(epoch_on_disk(w), 7);
	for (off_t n = 0; n < st.st_size; n++) {
		assert_int_equal(ftruncate(fd, st.st_size - 1 - n), 0);
		assert_int_equal(td_leasefile_load(w->file, &s), -EBADMSG);
	}
	close(fd);
	assert_null(s);
}

struct look {
	struct world *w;
	struct td_timer timer;
};

static void on_look(void *arg)
{
	struct look *l = arg;

	if (td_leasefile_error(l->w->file))
		td_loop_stop(l->w->loop);
	else
		td_timer_start(l->w->loop, &l->timer, 1, on_look, l);
}

static void nothing_is_told_before_the_disk_takes_it(void **state)
{
	struct world *w = *state;
	struct look look = { .w = w };
	uint64_t number;

	/* a directory where the temporary file should be */
	assert_int_equal(mkdir(w->tmp, 0700), 0);
	number = put(w, 9);
	w->want = number;
	on_look(&look);
	td_loop_run(w->loop);
	assert_int_equal(w->saved, 0);
	assert_int_equal(epoch_on_disk(w), 0);
	assert_int_equal(rmdir(w->tmp), 0);
	wait_for(w, number);
	assert_int_equal(td_leasefile_error(w->file), 0);
	assert_int_equal(epoch_on_disk(w), 9);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_new_voter_has_no_memory),
		CASE(what_was_put_last_is_there_when_it_is_told),
		CASE(a_damaged_memory_is_no_memory_to_vote_on),
		CASE(nothing_is_told_before_the_disk_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
