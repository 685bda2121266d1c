// SPDX-License-Identifier: GPL-2.0-or-later
#include "cluster/spool/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/queue.h"
#include "proto/base/str.h"

enum {
	SEGMENT_OCTETS = 4 * 1024 * 1024,	/* then the next one begins */
	MAX_FILE_OCTETS = 64 * 1024 * 1024,	/* beyond is no segment */
	MAX_JOBS = 8192,
	BATCH = 256,		/* jobs under one fdatasync */
	MAX_SEGMENTS = 65536,
};

struct files {
	struct td_spool_disk base;
	struct td_loop *loop;
	char dir[256];
	struct td_queue *down, *up;
	pthread_t thread;
	struct td_spool_job stop;
	unsigned int under_way;		/* the loop's count */
	/* the thread's own: */
	int fd, dir_fd;			/* -1: none */
	uint32_t segment, next_segment;
	size_t octets;
	bool broken;			/* its end is torn: begin another */
	int read_fd;			/* the segment last read */
	uint32_t read_segment;
	bool ending;
};

void td_spool_job_free(struct td_spool_job *job)
{
	if (!job)
		return;
	for (unsigned int i = 0; i < job->n_pieces; i++)
		free(job->pieces[i].buf);
	free(job->pieces);
	free(job->buf);
	free(job);
}

static void path_of(const struct files *q, uint32_t segment, char *out,
		    size_t size)
{
	snprintf(out, size, "%s/%010" PRIu32 ".seg", q->dir, segment);
}

/* --- the thread --- */

static void close_segment(struct files *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}

static bool full_segment(const struct files *q)
{
	return q->fd >= 0 && (q->broken || q->octets >= SEGMENT_OCTETS);
}

static int open_segment(struct files *q)
{
	char path[300];

	if (q->fd >= 0 && !full_segment(q))
		return 0;
	close_segment(q);
	q->segment = q->next_segment;
	path_of(q, q->segment, path, sizeof(path));
	q->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (q->fd < 0)
		return -errno;
	q->next_segment++;
	q->octets = 0;
	q->broken = false;
	/* the file's name has to outlive a power loss as well */
	if (fsync(q->dir_fd)) {
		close_segment(q);
		return -EIO;
	}
	return 0;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		p += w;
		n -= w;
	}
	return 0;
}

static void append(struct files *q, struct td_spool_job *job)
{
	job->status = open_segment(q);
	if (job->status)
		return;
	job->segment = q->segment;
	job->at = q->octets;
	job->status = write_all(q->fd, job->buf, job->n);
	q->broken = job->status;
	q->octets += job->n;
}

static int open_read(struct files *q, uint32_t segment)
{
	char path[300];

	if (q->read_fd >= 0 && q->read_segment == segment)
		return 0;
	if (q->read_fd >= 0)
		close(q->read_fd);
	path_of(q, segment, path, sizeof(path));
	q->read_fd = open(path, O_RDONLY | O_CLOEXEC);
	q->read_segment = segment;
	return q->read_fd < 0 ? -errno : 0;
}

static int read_piece(struct files *q, struct td_spool_piece *p)
{
	struct td_seg_frame f;
	size_t got = 0;
	int rc = open_read(q, p->segment);

	if (rc)
		return rc;
	p->buf = malloc(p->octets);
	if (!p->buf)
		return -ENOMEM;
	while (got < p->octets) {
		ssize_t n = pread(q->read_fd, p->buf + got, p->octets - got,
				  p->at + got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		got += n;
	}
	rc = td_seg_frame_read(p->buf, p->octets, 0, &f);
	return rc || f.octets != p->octets ? -EBADMSG : 0;
}

static void unlink_segment(struct files *q, uint32_t segment)
{
	char path[300];

	if (q->read_fd >= 0 && q->read_segment == segment) {
		close(q->read_fd);
		q->read_fd = -1;
	}
	if (q->fd >= 0 && q->segment == segment)
		return;
	path_of(q, segment, path, sizeof(path));
	unlink(path);
}

static void one_job(struct files *q, struct td_spool_job *job)
{
	job->status = 0;
	switch (job->what) {
	case TD_SPOOL_APPEND:
		append(q, job);
		break;
	case TD_SPOOL_READ:
		for (unsigned int i = 0; i < job->n_pieces; i++)
			job->pieces[i].status = read_piece(q, &job->pieces[i]);
		break;
	case TD_SPOOL_UNLINK:
		unlink_segment(q, job->segment);
		break;
	}
}

/* After a failed fdatasync the kernel may have dropped the pages and call
 * them clean: what was in that segment since the last one is written anew. */
static void end_batch(struct files *q, struct td_spool_job **batch,
		      unsigned int n)
{
	uint32_t failed = 0;
	bool wanted = false, bad = false;

	for (unsigned int i = 0; i < n; i++)
		wanted |= batch[i]->what == TD_SPOOL_APPEND &&
			  batch[i]->sync && !batch[i]->status;
	if (wanted && q->fd >= 0 && fdatasync(q->fd)) {
		failed = q->segment;
		bad = true;
		close_segment(q);
	}
	for (unsigned int i = 0; bad && i < n; i++)
		if (batch[i]->what == TD_SPOOL_APPEND && !batch[i]->status &&
		    batch[i]->segment == failed)
			batch[i]->status = -EIO;
	/* there is room: the loop's count is bounded below the queue's limit */
	for (unsigned int i = 0; i < n; i++)
		td_queue_put(q->up, batch[i]);
}

static void work(struct files *q)
{
	struct td_spool_job *batch[BATCH], *job;
	unsigned int n = 0;

	while (n < BATCH && (job = td_queue_get(q->down))) {
		if (job == &q->stop) {
			q->ending = true;
			break;
		}
		/* one fdatasync is for one file */
		if (full_segment(q)) {
			end_batch(q, batch, n);
			n = 0;
		}
		one_job(q, job);
		batch[n++] = job;
	}
	end_batch(q, batch, n);
}

static void *thread(void *arg)
{
	struct files *q = arg;

	while (!q->ending) {
		struct pollfd p = { td_queue_fd(q->down), POLLIN, 0 };

		if (poll(&p, 1, -1) > 0)
			work(q);
	}
	close_segment(q);
	if (q->read_fd >= 0)
		close(q->read_fd);
	return NULL;
}

/* --- the loop's side --- */

static void on_up(void *arg, int fd, int revents)
{
	struct files *q = arg;
	struct td_spool_job *job;

	while ((job = td_queue_get(q->up))) {
		q->under_way--;
		job->done(job->arg, job);
	}
}

static int files_submit(struct td_spool_disk *d, struct td_spool_job *job)
{
	struct files *q = (struct files *)d;

	if (q->under_way >= MAX_JOBS || td_queue_put(q->down, job))
		return -EAGAIN;
	q->under_way++;
	return 0;
}

static void files_free(struct td_spool_disk *d)
{
	struct files *q = (struct files *)d;

	td_queue_put(q->down, &q->stop);
	pthread_join(q->thread, NULL);
	on_up(q, 0, 0);
	td_loop_fd_del(q->loop, td_queue_fd(q->up));
	td_queue_free(q->down);
	td_queue_free(q->up);
	close(q->dir_fd);
	free(q);
}

static const struct td_spool_disk_ops files_ops = {
	.submit = files_submit,
	.free = files_free,
};

/* --- the start --- */

static int read_file(const char *path, uint8_t **buf, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t got = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_size > MAX_FILE_OCTETS) {
		close(fd);
		return -EFBIG;
	}
	*buf = malloc(st.st_size + 1);
	while (*buf && got < (size_t)st.st_size) {
		ssize_t r = read(fd, *buf + got, st.st_size - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += r;
	}
	close(fd);
	*n = got;
	return *buf ? 0 : -ENOMEM;
}

static int number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* @param[out] list malloc'ed, ascending */
static int list_segments(const char *dir, uint32_t **list, size_t *n)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	size_t count = 0;
	uint32_t *l;

	if (!d)
		return -errno;
	l = malloc(MAX_SEGMENTS * sizeof(*l));
	while (l && count < MAX_SEGMENTS && (e = readdir(d))) {
		uint32_t number;
		int end = 0;

		if (sscanf(e->d_name, "%10" SCNu32 ".seg%n", &number, &end) ==
			    1 && end == 14 && !e->d_name[14])
			l[count++] = number;
	}
	closedir(d);
	if (!l)
		return -ENOMEM;
	qsort(l, count, sizeof(*l), number_cmp);
	*list = l;
	*n = count;
	return 0;
}

static int load_segments(struct files *q, td_spool_load_fn load, void *arg)
{
	uint32_t *list = NULL;
	size_t count = 0;
	int rc = list_segments(q->dir, &list, &count);

	if (rc)
		return rc;
	for (size_t i = 0; i < count && !rc; i++) {
		char path[300];
		uint8_t *buf = NULL;
		size_t n = 0;

		q->next_segment = list[i] + 1;
		path_of(q, list[i], path, sizeof(path));
		rc = read_file(path, &buf, &n);
		if (rc)
			td_err("spool", "SPOOL-READ", "%s: %s", path,
			       strerror(-rc));
		if (rc == -ENOMEM)
			break;
		/* one that cannot be read must not hide the others */
		if (!rc) {
			load(arg, list[i], buf, n);
			free(buf);
		}
		rc = 0;
	}
	free(list);
	return rc;
}

/* Signals are the control loop's. */
static int start_thread(struct files *q)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&q->thread, NULL, thread, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

static int open_dir(struct files *q, const char *dir)
{
	int n = snprintf(q->dir, sizeof(q->dir), "%s/spool", dir);

	if (n < 0 || (size_t)n >= sizeof(q->dir))
		return -ENAMETOOLONG;
	if (mkdir(q->dir, 0700) && errno != EEXIST)
		return -errno;
	q->dir_fd = open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return q->dir_fd < 0 ? -errno : 0;
}

int td_spool_disk_open(struct td_loop *loop, const char *dir,
		       td_spool_load_fn load, void *arg,
		       struct td_spool_disk **out)
{
	struct files *q = calloc(1, sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	q->base.ops = &files_ops;
	q->loop = loop;
	q->fd = q->read_fd = q->dir_fd = -1;
	q->next_segment = 1;
	rc = open_dir(q, dir);
	if (!rc)
		rc = load_segments(q, load, arg);
	if (!rc)
		rc = td_queue_new(MAX_JOBS + 1, &q->down);
	if (!rc)
		rc = td_queue_new(MAX_JOBS + 1, &q->up);
	if (!rc)
		rc = td_loop_fd_add(loop, td_queue_fd(q->up), POLLIN, on_up, q);
	if (!rc) {
		rc = start_thread(q);
		if (rc)
			td_loop_fd_del(loop, td_queue_fd(q->up));
	}
	if (rc) {
		td_queue_free(q->down);
		td_queue_free(q->up);
		if (q->dir_fd >= 0)
			close(q->dir_fd);
		free(q);
		return rc;
	}
	*out = &q->base;
	return 0;
}
