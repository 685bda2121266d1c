// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/store/store.h"
#include "proto/base/str.h"

/* The file: one head line, then the document.
 *     tandem-generation 2 NUMBER AT_MS OCTETS SHA256 SECRET AUTHOR
 * The comment is the database's. */

enum { MAX_HEAD = 512 };

void td_generation_clear(struct td_generation *g)
{
	free(g->content);
	*g = (struct td_generation){ 0 };
}

void td_generation_hash(const void *content, size_t n, uint8_t sha256[32])
{
	SHA256(content, n, sha256);
}

static void hex(const uint8_t *in, char *out)
{
	for (int i = 0; i < 32; i++)
		sprintf(out + 2 * i, "%02x", in[i]);
}

static int unhex(const char *in, uint8_t *out)
{
	for (int i = 0; i < 32; i++) {
		unsigned int v;

		if (sscanf(in + 2 * i, "%2x", &v) != 1)
			return -EBADMSG;
		out[i] = v;
	}
	return 0;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		p += k;
		n -= k;
	}
	return 0;
}

static int write_file(int fd, const struct td_generation *g)
{
	char head[MAX_HEAD], sum[65], secret[65], author[sizeof(g->author)];
	int n, rc;

	hex(g->sha256, sum);
	hex(g->secret, secret);
	td_str_cut(author, sizeof(author), *g->author ? g->author : "-");
	for (char *p = author; *p; p++)
		if (*p == '\n')
			*p = ' ';
	n = snprintf(head, sizeof(head),
		     "tandem-generation 2 %" PRIu64 " %" PRId64
		     " %zu %s %s %s\n", g->number, g->at_ms, g->n, sum, secret,
		     author);
	rc = write_all(fd, head, n);
	if (!rc)
		rc = write_all(fd, g->content, g->n);
	if (!rc && fsync(fd))
		rc = -errno;
	return rc;
}

int td_lastgood_save(const char *dir, const struct td_generation *g)
{
	char tmp[PATH_MAX], path[PATH_MAX];
	int fd, d, rc;

	if (snprintf(path, sizeof(path), "%s/site.generation", dir) >=
		    (int)sizeof(path) ||
	    snprintf(tmp, sizeof(tmp), "%s/.site.generation.new", dir) >=
		    (int)sizeof(tmp))
		return -ENAMETOOLONG;
	/* passwords stand in it */
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_file(fd, g);
	if (close(fd) && !rc)
		rc = -errno;
	if (!rc && rename(tmp, path))
		rc = -errno;
	if (rc) {
		unlink(tmp);
		return rc;
	}
	d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d < 0)
		return -errno;
	if (fsync(d))
		rc = -errno;
	close(d);
	return rc;
}

static int read_file(FILE *f, struct td_generation *g)
{
	char head[MAX_HEAD], sum[65], want[65], secret[65];
	struct td_generation got = { 0 };
	int at = 0;

	if (!fgets(head, sizeof(head), f) ||
	    sscanf(head, "tandem-generation 2 %" SCNu64 " %" SCNd64
		   " %zu %64s %64s %n", &got.number, &got.at_ms, &got.n, want,
		   secret, &at) != 5 || !at || got.n > TD_CONFIG_MAX_OCTETS ||
	    strlen(secret) != 64 || unhex(secret, got.secret))
		return -EBADMSG;
	head[strcspn(head, "\n")] = '\0';
	td_str_cut(got.author, sizeof(got.author), head + at);
	got.content = malloc(got.n + 1);
	if (!got.content)
		return -ENOMEM;
	if (fread(got.content, 1, got.n, f) != got.n || fgetc(f) != EOF) {
		free(got.content);
		return -EBADMSG;
	}
	got.content[got.n] = '\0';
	td_generation_hash(got.content, got.n, got.sha256);
	hex(got.sha256, sum);
	if (strcmp(sum, want)) {
		free(got.content);
		return -EBADMSG;
	}
	*g = got;
	return 0;
}

int td_lastgood_load(const char *dir, struct td_generation *g)
{
	char path[PATH_MAX];
	FILE *f;
	int rc;

	if (snprintf(path, sizeof(path), "%s/site.generation", dir) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	rc = read_file(f, g);
	fclose(f);
	return rc;
}
