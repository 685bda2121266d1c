// SPDX-License-Identifier: GPL-2.0-or-later
#include "ha/leasefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ha/digest.h"
#include "proto/base/log.h"
#include "proto/base/queue.h"
#include "proto/base/str.h"

enum {
	RETRY_MS = 200,
	HASH_OCTETS = TD_DIGEST_OCTETS,
	MAGIC_OCTETS = 8,
	HEAD_OCTETS = MAGIC_OCTETS + HASH_OCTETS,
};
static const char magic[MAGIC_OCTETS] = "TDLEASE1";

struct image {
	uint8_t *buf;
	size_t n;
	uint64_t number;
};

struct td_leasefile {
	struct td_loop *loop;
	char dir[PATH_MAX - 16];
	void (*saved)(void *arg, uint64_t number);
	void *arg;
	struct td_queue *done;
	pthread_t thread;
	bool running;
	struct image now, next;	/* now is the thread's */
	uint64_t number;
	int status;		/* the thread's, then ours */
	int told;
	struct td_timer retry;
};

static int write_all(int fd, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		rc = -errno;
	close(fd);
	return rc;
}

static int write_file(const struct td_leasefile *f)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	uint8_t head[HEAD_OCTETS];
	int fd, rc;

	snprintf(tmp, sizeof(tmp), "%s/lease.new", f->dir);
	snprintf(path, sizeof(path), "%s/lease", f->dir);
	memcpy(head, magic, MAGIC_OCTETS);
	rc = td_digest_sha256(f->now.buf, f->now.n, head + MAGIC_OCTETS);
	if (rc)
		return rc;
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, head, sizeof(head));
	if (!rc)
		rc = write_all(fd, f->now.buf, f->now.n);
	if (!rc && fsync(fd))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(tmp, path))
		rc = -errno;
	return rc ? rc : sync_dir(f->dir);
}

static void *save(void *arg)
{
	struct td_leasefile *f = arg;

	f->status = write_file(f);
	td_queue_put(f->done, f);
	return NULL;
}

static void start(void *arg);

static void failed(struct td_leasefile *f, int rc)
{
	if (rc != f->told)
		td_err("ha", "HA-DISK", "%s/lease: %s; this voter says nothing "
		       "until it is written", f->dir, strerror(-rc));
	f->told = rc;
	td_timer_start(f->loop, &f->retry, RETRY_MS, start, f);
}

static void start(void *arg)
{
	struct td_leasefile *f = arg;
	sigset_t all, old;
	int rc;

	if (f->running)
		return;
	if (f->next.buf) {
		free(f->now.buf);
		f->now = f->next;
		f->next = (struct image){ 0 };
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&f->thread, NULL, save, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	f->running = rc == 0;
	if (rc)
		failed(f, -rc);
}

static void on_done(void *arg, int fd, int revents)
{
	struct td_leasefile *f = arg;
	uint64_t number;

	if (!td_queue_get(f->done))
		return;
	pthread_join(f->thread, NULL);
	f->running = false;
	if (f->status) {
		failed(f, f->status);
		return;
	}
	if (f->told)
		td_info("ha", "%s/lease is written again", f->dir);
	f->told = 0;
	number = f->now.number;
	free(f->now.buf);
	f->now = (struct image){ 0 };
	if (f->next.buf)
		start(f);
	f->saved(f->arg, number);
}

int td_leasefile_new(struct td_loop *loop, const char *dir,
		     void (*saved)(void *arg, uint64_t number), void *arg,
		     struct td_leasefile **out)
{
	struct td_leasefile *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->loop = loop;
	f->saved = saved;
	f->arg = arg;
	rc = td_str_copy(f->dir, sizeof(f->dir), dir);
	if (!rc)
		rc = td_queue_new(1, &f->done);
	if (rc) {
		free(f);
		return rc;
	}
	rc = td_loop_fd_add(loop, td_queue_fd(f->done), POLLIN, on_done, f);
	if (rc) {
		td_queue_free(f->done);
		free(f);
		return rc;
	}
	*out = f;
	return 0;
}

void td_leasefile_free(struct td_leasefile *f)
{
	if (!f)
		return;
	td_timer_stop(&f->retry);
	if (f->running)
		pthread_join(f->thread, NULL);
	td_loop_fd_del(f->loop, td_queue_fd(f->done));
	td_queue_free(f->done);
	free(f->now.buf);
	free(f->next.buf);
	free(f);
}

static int read_all(int fd, uint8_t **out, size_t *n)
{
	struct stat st;
	size_t have = 0;
	uint8_t *buf;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < HEAD_OCTETS ||
	    st.st_size > HEAD_OCTETS + TD_OP_MAX_OCTETS)
		return -EBADMSG;
	buf = malloc((size_t)st.st_size);
	if (!buf)
		return -ENOMEM;
	while (have < (size_t)st.st_size) {
		ssize_t k = read(fd, buf + have, (size_t)st.st_size - have);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			free(buf);
			return k ? -errno : -EBADMSG;
		}
		have += (size_t)k;
	}
	*out = buf;
	*n = have;
	return 0;
}

int td_leasefile_load(const struct td_leasefile *f, Td__LeaseState **s)
{
	char path[PATH_MAX];
	uint8_t *buf = NULL, sum[HASH_OCTETS];
	size_t n = 0;
	int fd, rc;

	snprintf(path, sizeof(path), "%s/lease", f->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*s = NULL;
		return 0;
	}
	if (fd < 0)
		return -errno;
	rc = read_all(fd, &buf, &n);
	close(fd);
	if (rc)
		return rc;
	rc = td_digest_sha256(buf + HEAD_OCTETS, n - HEAD_OCTETS, sum);
	if (!rc && (memcmp(buf, magic, MAGIC_OCTETS) ||
		    memcmp(buf + MAGIC_OCTETS, sum, HASH_OCTETS)))
		rc = -EBADMSG;
	if (!rc && td_lease_state_unpack(buf + HEAD_OCTETS, n - HEAD_OCTETS,
					 s))
		rc = -EBADMSG;
	free(buf);
	return rc;
}

int td_leasefile_put(struct td_leasefile *f, const Td__LeaseState *s,
		     uint64_t *number)
{
	uint8_t *buf;
	size_t n;
	int rc = td_lease_state_pack(s, &buf, &n);

	if (rc)
		return rc == -ENOMEM ? rc : -EINVAL;
	free(f->next.buf);
	f->next = (struct image){ buf, n, ++f->number };
	*number = f->number;
	if (!td_timer_running(&f->retry))
		start(f);
	return 0;
}

int td_leasefile_error(const struct td_leasefile *f)
{
	return f->told;
}
