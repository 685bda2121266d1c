// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/spool/disk.h"
#include "proto/base/log.h"
#include "tests/unit/store/wait.h"

/* Real files, in a folder of the test's own. */

struct fix {
	struct td_loop *loop;
	char dir[64];
	struct td_spool_disk *disk;
	unsigned int done, wanted;
	int status;
	uint32_t segment, at;
	char read[64];
	/* loaded */
	unsigned int segments;
	uint32_t numbers[64];
	size_t octets;
};

static void on_load(void *arg, uint32_t segment, const uint8_t *buf, size_t n)
{
	struct fix *f = arg;

	assert_true(f->segments < 64);
	f->numbers[f->segments++] = segment;
	f->octets += n;
}

static void open_disk(struct fix *f)
{
	f->segments = 0;
	f->octets = 0;
	assert_int_equal(td_spool_disk_open(f->loop, f->dir, on_load, f,
					    &f->disk), 0);
}

static void close_disk(struct fix *f)
{
	f->disk->ops->free(f->disk);
	f->disk = NULL;
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	td_log_level_set((enum td_log_level)-1);
	strcpy(f->dir, "/tmp/td-spool-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(td_loop_new(&f->loop), 0);
	open_disk(f);
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

	if (f->disk)
		close_disk(f);
	td_loop_free(f->loop);
	nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void on_done(void *arg, struct td_spool_job *job)
{
	struct fix *f = arg;

	f->done++;
	f->status = job->status;
	f->segment = job->segment;
	f->at = job->at;
	if (job->what == TD_SPOOL_READ && !job->pieces[0].status) {
		struct td_seg_frame g;

		assert_int_equal(td_seg_frame_read(job->pieces[0].buf,
						   job->pieces[0].octets, 0,
						   &g), 0);
		memcpy(f->read, g.data, g.n);
		f->read[g.n] = '\0';
	}
	if (job->what == TD_SPOOL_READ)
		f->status = job->pieces[0].status;
	td_spool_job_free(job);
}

static struct td_spool_job *job_of(struct fix *f, enum td_spool_what what)
{
	struct td_spool_job *job = calloc(1, sizeof(*job));

	job->what = what;
	job->done = on_done;
	job->arg = f;
	return job;
}

static void append(struct fix *f, const char *key, const void *data, size_t n)
{
	struct td_spool_job *job = job_of(f, TD_SPOOL_APPEND);
	struct td_spool_key k;

	td_spool_key_make(1, key, strlen(key), &k);
	job->sync = true;
	job->n = td_seg_frame_octets(&k, n);
	job->buf = malloc(job->n);
	td_seg_frame_write(TD_SEG_PUT, &k, data, n, job->buf);
	f->wanted++;
	assert_int_equal(f->disk->ops->submit(f->disk, job), 0);
}

static bool all_done(void *arg)
{
	struct fix *f = arg;

	return f->done == f->wanted;
}

static int settle(struct fix *f)
{
	wait_for(f->loop, all_done, f);
	return f->status;
}

static int read_one(struct fix *f, uint32_t segment, uint32_t at,
		    uint32_t octets)
{
	struct td_spool_job *job = job_of(f, TD_SPOOL_READ);

	job->pieces = calloc(1, sizeof(*job->pieces));
	job->pieces[0] = (struct td_spool_piece){ segment, at, octets, NULL,
						  0 };
	job->n_pieces = 1;
	f->wanted++;
	assert_int_equal(f->disk->ops->submit(f->disk, job), 0);
	return settle(f);
}

static void what_is_appended_can_be_read_now_and_in_the_next_life(void **state)
{
	struct fix *f = *state;
	size_t first;

	append(f, "a", "first", 5);
	assert_int_equal(settle(f), 0);
	assert_int_equal(f->segment, 1);
	assert_int_equal(f->at, 0);
	first = TD_SEG_HEAD_OCTETS + TD_SEG_BODY_OCTETS + 6;
	append(f, "b", "second", 6);
	assert_int_equal(settle(f), 0);
	assert_int_equal(f->at, first);
	assert_int_equal(read_one(f, 1, 0, first), 0);
	assert_string_equal(f->read, "first");
	assert_int_equal(read_one(f, 1, first, first + 1), 0);
	assert_string_equal(f->read, "second");
	assert_int_equal(read_one(f, 1, 1, first), -EBADMSG);
	assert_int_equal(read_one(f, 1, first, 1000), -EIO);
	assert_int_equal(read_one(f, 9, 0, first), -ENOENT);
	close_disk(f);
	open_disk(f);
	assert_int_equal(f->segments, 1);
	assert_int_equal(f->octets, 2 * first + 1);
	/* an old segment's end may be torn: a new one is begun */
	append(f, "c", "third", 5);
	assert_int_equal(settle(f), 0);
	assert_int_equal(f->segment, 2);
}

static void many_segments_are_begun_and_unlinked(void **state)
{
	struct fix *f = *state;
	static char big[60000];
	struct td_spool_job *job;
	char key[16];

	for (int i = 0; i < 200; i++) {		/* 12 MB */
		snprintf(key, sizeof(key), "k%d", i);
		append(f, key, big, sizeof(big));
	}
	assert_int_equal(settle(f), 0);
	assert_true(f->segment >= 3);
	job = job_of(f, TD_SPOOL_UNLINK);
	job->segment = 1;
	f->wanted++;
	assert_int_equal(f->disk->ops->submit(f->disk, job), 0);
	/* the one being written to is not taken away */
	job = job_of(f, TD_SPOOL_UNLINK);
	job->segment = f->segment;
	f->wanted++;
	assert_int_equal(f->disk->ops->submit(f->disk, job), 0);
	settle(f);
	close_disk(f);
	open_disk(f);
	assert_true(f->segments >= 2);
	assert_int_equal(f->numbers[0], 2);
	for (unsigned int i = 1; i < f->segments; i++)
		assert_int_equal(f->numbers[i], 2 + i);
}

static void foreign_files_are_left_alone(void **state)
{
	struct fix *f = *state;
	static const char *const names[] = { "spool/README", "spool/1.seg",
					     "spool/0000000007.seg.bak",
					     "spool/0000000009.seg" };
	char path[128];

	close_disk(f);
	for (int i = 0; i < 4; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, "rubbish", 7), 7);
		close(fd);
	}
	open_disk(f);
	assert_int_equal(f->segments, 1);
	assert_int_equal(f->numbers[0], 9);
	append(f, "a", "x", 1);
	assert_int_equal(settle(f), 0);
	assert_int_equal(f->segment, 10);
}

static void a_folder_that_goes_is_an_error_and_its_return_is_enough(
	void **state)
{
	struct fix *f = *state;
	char path[128], aside[140];

	/* the first segment is made with the first record */
	snprintf(path, sizeof(path), "%s/spool", f->dir);
	snprintf(aside, sizeof(aside), "%s/aside", f->dir);
	assert_int_equal(rename(path, aside), 0);
	append(f, "a", "x", 1);
	assert_int_equal(settle(f), -ENOENT);
	assert_int_equal(rename(aside, path), 0);
	append(f, "a", "x", 1);
	assert_int_equal(settle(f), 0);
}

static void closing_finishes_what_was_asked(void **state)
{
	struct fix *f = *state;
	char key[16];

	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		append(f, key, "data", 4);
	}
	close_disk(f);
	assert_int_equal(f->done, 500);
	open_disk(f);
	assert_true(f->octets > 500 * 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(what_is_appended_can_be_read_now_and_in_the_next_life),
		CASE(many_segments_are_begun_and_unlinked),
		CASE(foreign_files_are_left_alone),
		CASE(a_folder_that_goes_is_an_error_and_its_return_is_enough),
		CASE(closing_finishes_what_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
